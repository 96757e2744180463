//! Enterprise connections.

use serde::{Deserialize, Serialize};

use super::{
    organizations::OrganizationId,
    saml_connections::{LoginHint, SamlConnectionId},
};
use crate::{Id, Tag, Timestamp, id::kind, open::or_default};

/// Id of an enterprise connection.
pub type EnterpriseConnectionId = Id<EnterpriseConnection>;

kind!(EnterpriseConnection, "enterprise_connection", "entconn_");

/// An enterprise identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnterpriseConnection {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    pub provider: String,
    pub logo_public_url: Option<String>,
    pub active: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub domains: Vec<String>,
    pub organization_id: Option<OrganizationId>,
    #[serde(default)]
    pub sync_user_attributes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_subdomains: Option<bool>,
    #[serde(default)]
    pub disable_additional_identifications: bool,
    #[serde(default)]
    pub allow_organization_account_linking: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticatable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_jit_provisioning: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_attributes: Option<Vec<CustomAttribute>>,
    pub saml_connection: Option<EnterpriseSamlConnection>,
    pub oauth_config: Option<EnterpriseOauthConfig>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An attribute that a provider or directory sends besides the usual ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sso_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_valued: Option<bool>,
}

/// The SAML half of an enterprise connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnterpriseSamlConnection {
    pub id: SamlConnectionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub idp_entity_id: Option<String>,
    pub idp_sso_url: Option<String>,
    pub idp_metadata_url: Option<String>,
    pub acs_url: Option<String>,
    pub sp_entity_id: Option<String>,
    pub sp_metadata_url: Option<String>,
    #[serde(default)]
    pub active: bool,
    #[serde(default)]
    pub allow_idp_initiated: bool,
    #[serde(default)]
    pub allow_subdomains: bool,
    #[serde(default)]
    pub force_authn: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<LoginHint>,
}

/// The OAuth half of an enterprise connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnterpriseOauthConfig {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_key: Option<String>,
    pub client_id: Option<String>,
    pub discovery_url: Option<String>,
    pub auth_url: Option<String>,
    pub token_url: Option<String>,
    pub user_info_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_pkce: Option<bool>,
    pub logo_public_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}
