//! JWT templates.

use serde::{Deserialize, Serialize};

use crate::{Id, Metadata, Tag, Timestamp, id::kind, open::or_default};

/// Id of a JWT template.
pub type JwtTemplateId = Id<JwtTemplate>;

kind!(JwtTemplate, "jwt_template", "jtmp_");

/// Claims of a custom session token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JwtTemplate {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub claims: Metadata,
    pub lifetime: i64,
    pub allowed_clock_skew: i64,
    pub custom_signing_key: bool,
    pub signing_algorithm: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
