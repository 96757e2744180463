//! Webhooks.

use serde::{Deserialize, Serialize};

/// Where webhooks are looked after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhooksSvix {
    pub svix_url: String,
}
