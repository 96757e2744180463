//! The blocklist.

use serde::{Deserialize, Serialize};

use super::{allowlist_identifiers::IdentifierType, instance::InstanceId};
use crate::{Id, Tag, Timestamp, id::kind};

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
