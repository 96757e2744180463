//! OAuth access tokens, of providers and of the instance.

use serde::{Deserialize, Serialize};

use super::external_accounts::ExternalAccountId;
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::{kind, object},
    open::or_default,
};

object!(OauthAccessToken, "oauth_access_token");

/// A token of a user at an OAuth provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OauthAccessToken {
    pub object: Tag<Self>,
    pub external_account_id: ExternalAccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_user_id: Option<String>,
    pub token: String,
    pub expires_at: Option<Timestamp>,
    pub provider: String,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
}

/// Id of an OAuth access token.
pub type IdpOauthAccessTokenId = Id<IdpOauthAccessToken>;

kind!(IdpOauthAccessToken, "clerk_idp_oauth_access_token", "oat_");

/// A token that the instance gave to an OAuth application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdpOauthAccessToken {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    pub subject: String,
    #[serde(default, deserialize_with = "or_default")]
    pub scopes: Vec<String>,
    pub revoked: bool,
    pub revocation_reason: Option<String>,
    pub expired: bool,
    pub expiration: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<OauthActor>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who acts for the subject of a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OauthActor {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}
