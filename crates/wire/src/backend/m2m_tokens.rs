//! Tokens from machine to machine.

use serde::{Deserialize, Serialize};

use crate::{Id, Metadata, Tag, Timestamp, id::kind, open::or_default};

/// Id of a machine to machine token.
pub type M2mTokenId = Id<M2mToken>;

kind!(M2mToken, "machine_to_machine_token", "mt_");

/// A token with which one machine calls another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct M2mToken {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    pub subject: String,
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    pub claims: Option<Metadata>,
    pub revoked: bool,
    pub revocation_reason: Option<String>,
    pub expired: bool,
    pub expiration: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
