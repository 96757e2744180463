//! Accountless applications.

use serde::{Deserialize, Serialize};

use crate::{Tag, id::object};

object!(AccountlessApplication, "accountless_application");

/// An instance that nobody has claimed yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountlessApplication {
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub publishable_key: String,
    pub secret_key: String,
    pub claim_url: String,
    pub api_keys_url: String,
}
