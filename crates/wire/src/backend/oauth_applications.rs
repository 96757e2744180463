//! OAuth applications.

use serde::{Deserialize, Serialize};

use super::instance::InstanceId;
use crate::{Id, Tag, Timestamp, id::kind, open::or_default};

/// Id of an OAuth application.
pub type OAuthApplicationId = Id<OAuthApplication>;

kind!(OAuthApplication, "oauth_application", "oauthapp_");

/// An application that signs users in through the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OAuthApplication {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub instance_id: InstanceId,
    pub name: String,
    pub client_id: String,
    pub client_uri: Option<String>,
    pub client_image_url: Option<String>,
    #[serde(default)]
    pub dynamically_registered: bool,
    #[serde(default)]
    pub consent_screen_enabled: bool,
    #[serde(default)]
    pub pkce_required: bool,
    pub public: bool,
    pub scopes: String,
    #[serde(default, deserialize_with = "or_default")]
    pub redirect_uris: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub callback_url: String,
    pub authorize_url: String,
    pub token_fetch_url: String,
    pub user_info_url: String,
    pub discovery_url: String,
    pub token_introspection_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
