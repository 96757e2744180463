//! Accountless applications.

use macros::endpoint;
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

/// Make an application with a development instance, for whoever develops on this machine.
#[endpoint(POST "/v1/accountless_applications" -> AccountlessApplication, auth = Public, query = [source])]
pub struct CreateAccountlessApplication {
    pub source: Option<String>,
}

/// Say that somebody has taken the application for their own.
#[endpoint(POST "/v1/accountless_applications/complete" -> AccountlessApplication, query = [source])]
pub struct CompleteAccountlessApplicationOnboarding {
    pub source: Option<String>,
}
