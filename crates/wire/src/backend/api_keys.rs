//! API keys.

use serde::{Deserialize, Serialize};

use crate::{Id, Metadata, Tag, Timestamp, id::kind, open::or_default};

/// Id of an API key.
pub type ApiKeyId = Id<ApiKey>;

kind!(ApiKey, "api_key", "ak_");

/// A long-lived secret of a user, an organization or a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub r#type: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub subject: String,
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    pub claims: Option<Metadata>,
    pub revoked: bool,
    pub revocation_reason: Option<String>,
    pub expired: bool,
    pub expiration: Option<Timestamp>,
    pub created_by: Option<String>,
    pub description: Option<String>,
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
