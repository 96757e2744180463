//! The blocklist.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{allowlist_identifiers::IdentifierType, instance::InstanceId};
use crate::{Deleted, Id, Limit, Page, Tag, Timestamp, id::kind};

/// Id of a blocklist identifier.
pub type BlocklistIdentifierId = Id<BlocklistIdentifier>;

kind!(BlocklistIdentifier, "blocklist_identifier", "blid_");

/// Somebody who may not sign up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlocklistIdentifier {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub identifier: String,
    pub identifier_type: IdentifierType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// List the identifiers that are kept out, newest first.
#[endpoint(GET "/v1/blocklist_identifiers" -> Page<BlocklistIdentifier>)]
pub struct ListBlocklistIdentifiers {
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Keep an identifier out.
#[endpoint(POST "/v1/blocklist_identifiers" -> BlocklistIdentifier)]
pub struct CreateBlocklistIdentifier {
    pub identifier: String,
}

/// Take an identifier off the blocklist.
#[endpoint(DELETE "/v1/blocklist_identifiers/{blocklist_identifier_id}"
    -> Deleted<BlocklistIdentifier>)]
pub struct DeleteBlocklistIdentifier {
    pub blocklist_identifier_id: BlocklistIdentifierId,
}
