//! The allowlist.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{instance::InstanceId, invitations::InvitationId};
use crate::{Deleted, Id, Limit, Listing, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// What an identifier of the allowlist or blocklist is.
    pub enum IdentifierType {
        EmailAddress = "email_address",
        PhoneNumber = "phone_number",
        Web3Wallet = "web3_wallet",
    }
}

/// Id of an allowlist identifier.
pub type AllowlistIdentifierId = Id<AllowlistIdentifier>;

kind!(AllowlistIdentifier, "allowlist_identifier", "alid_");

/// Somebody who may sign up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AllowlistIdentifier {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub identifier: String,
    pub identifier_type: IdentifierType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<InstanceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation_id: Option<InvitationId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// List the identifiers that may sign up, newest first.
#[endpoint(GET "/v1/allowlist_identifiers" -> Listing<AllowlistIdentifier>)]
pub struct ListAllowlistIdentifiers {
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Let an identifier sign up.
#[endpoint(POST "/v1/allowlist_identifiers" -> AllowlistIdentifier)]
pub struct CreateAllowlistIdentifier {
    pub identifier: String,
    pub notify: Option<bool>,
}

/// Take an identifier off the allowlist.
#[endpoint(DELETE "/v1/allowlist_identifiers/{allowlist_identifier_id}"
    -> Deleted<AllowlistIdentifier>)]
pub struct DeleteAllowlistIdentifier {
    pub allowlist_identifier_id: AllowlistIdentifierId,
}
