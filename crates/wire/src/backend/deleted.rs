//! What is left of something deleted.

use serde::{Deserialize, Serialize};

/// What is left of something deleted, of whatever kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeletedObject {
    pub object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub deleted: bool,
}
