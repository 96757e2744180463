//! The instance and its settings.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::organization_domains::OrganizationEnrollmentMode;
use crate::{
    Id, NoContent, Patch, Tag,
    id::{kind, object},
    open::{open_enum, or_default},
};

open_enum! {
    /// What an instance is for.
    pub enum EnvironmentType {
        Development = "development",
        Staging = "staging",
        Production = "production",
    }
}

/// Id of an instance.
pub type InstanceId = Id<Instance>;

kind!(Instance, "instance", "ins_");

/// One environment of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub environment_type: EnvironmentType,
    pub allowed_origins: Option<Vec<String>>,
    pub workspace_id: Option<String>,
}

object!(InstanceSettings, "instance_settings");

/// Settings of sign-up and e-mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceSettings {
    pub object: Tag<Self>,
    pub id: InstanceId,
    pub restricted_to_allowlist: bool,
    pub from_email_address: String,
    pub progressive_sign_up: bool,
    pub enhanced_email_deliverability: bool,
}

object!(InstanceRestrictions, "instance_restrictions");

/// Who may sign up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceRestrictions {
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<InstanceId>,
    pub allowlist: bool,
    pub blocklist: bool,
    #[serde(default)]
    pub allowlist_blocklist_disabled_on_sign_in: bool,
    pub block_email_subaddresses: bool,
    pub block_disposable_email_domains: bool,
    #[serde(default)]
    pub ignore_dots_for_gmail_addresses: bool,
}

object!(InstanceProtect, "instance_protect");

/// Settings of the protection against attacks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceProtect {
    pub object: Tag<Self>,
    pub rules_enabled: bool,
    pub specter_enabled: bool,
    pub checks_bypassed: bool,
}

object!(InstanceCommunication, "instance_communication");

/// Settings of the messages to users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceCommunication {
    pub object: Tag<Self>,
    #[serde(default, deserialize_with = "or_default")]
    pub blocked_country_codes: Vec<String>,
}

object!(OAuthApplicationSettings, "oauth_application_settings");

/// Settings of all OAuth applications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OAuthApplicationSettings {
    pub object: Tag<Self>,
    pub dynamic_oauth_client_registration: bool,
    pub default_scopes: Option<Vec<String>>,
    pub oauth_jwt_access_tokens: bool,
    #[serde(default)]
    pub client_id_metadata_documents_advertised: bool,
    #[serde(default)]
    pub client_id_metadata_documents_only_allow_pre_registered_clients: bool,
    #[serde(default)]
    pub client_id_metadata_documents_block_implicitly_allowed_clients: bool,
}

object!(OrganizationSettings, "organization_settings");

/// Settings of all organizations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationSettings {
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub enabled: bool,
    pub max_allowed_memberships: i64,
    pub max_allowed_roles: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_role_sets_allowed: Option<i64>,
    #[serde(default)]
    pub max_allowed_domains: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_allowed_permissions: Option<i64>,
    pub creator_role: String,
    pub admin_delete_enabled: bool,
    pub domains_enabled: bool,
    #[serde(default)]
    pub slug_disabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub domains_enrollment_modes: Vec<OrganizationEnrollmentMode>,
    pub domains_default_role: String,
    pub initial_role_set_key: Option<String>,
}

/// Fetch the instance that the secret key belongs to.
#[endpoint(GET "/v1/instance" -> Instance)]
pub struct GetInstance {}

/// Change settings of the instance.
#[endpoint(PATCH "/v1/instance" -> NoContent)]
pub struct UpdateInstance {
    pub test_mode: Patch<bool>,
    pub hibp: Patch<bool>,
    pub enhanced_email_deliverability: Patch<bool>,
    pub support_email: Patch<String>,
    pub clerk_js_version: Patch<String>,
    pub development_origin: Patch<String>,
    pub allowed_origins: Option<Vec<String>>,
    pub cookieless_dev: Patch<bool>,
    pub url_based_session_syncing: Patch<bool>,
    pub preferred_sign_in_strategy_when_password_required: Patch<String>,
}

/// Change who may sign up.
#[endpoint(PATCH "/v1/instance/restrictions" -> InstanceRestrictions)]
pub struct UpdateInstanceRestrictions {
    pub allowlist: Patch<bool>,
    pub blocklist: Patch<bool>,
    pub allowlist_blocklist_disabled_on_sign_in: Patch<bool>,
    pub block_email_subaddresses: Patch<bool>,
    pub block_disposable_email_domains: Patch<bool>,
    pub ignore_dots_for_gmail_addresses: Patch<bool>,
}

/// Fetch the settings of all organizations.
#[endpoint(GET "/v1/instance/organization_settings" -> OrganizationSettings)]
pub struct GetInstanceOrganizationSettings {}

/// Change the settings of all organizations.
#[endpoint(PATCH "/v1/instance/organization_settings" -> OrganizationSettings)]
pub struct UpdateInstanceOrganizationSettings {
    pub enabled: Patch<bool>,
    pub max_allowed_memberships: Patch<u32>,
    pub admin_delete_enabled: Patch<bool>,
    pub domains_enabled: Patch<bool>,
    pub domains_enrollment_modes: Option<Vec<OrganizationEnrollmentMode>>,
    pub creator_role_id: Patch<String>,
    pub domains_default_role_id: Patch<String>,
    pub slug_disabled: Patch<bool>,
}

/// Fetch the settings of the messages to users.
#[endpoint(GET "/v1/instance/communication" -> InstanceCommunication)]
pub struct GetInstanceCommunication {}

/// Change the settings of the messages to users.
#[endpoint(PATCH "/v1/instance/communication" -> InstanceCommunication)]
pub struct UpdateInstanceCommunication {
    pub blocked_country_codes: Patch<Vec<String>>,
}

/// Fetch the settings of the protection against attacks.
#[endpoint(GET "/v1/instance/protect" -> InstanceProtect)]
pub struct GetInstanceProtect {}

/// Change the settings of the protection against attacks.
#[endpoint(PATCH "/v1/instance/protect" -> InstanceProtect)]
pub struct UpdateInstanceProtect {
    pub rules_enabled: Patch<bool>,
    pub specter_enabled: Patch<bool>,
}

/// Fetch the settings of all OAuth applications.
#[endpoint(GET "/v1/instance/oauth_application_settings" -> OAuthApplicationSettings)]
pub struct GetInstanceOAuthApplicationSettings {}

/// Change the settings of all OAuth applications.
#[endpoint(PATCH "/v1/instance/oauth_application_settings" -> OAuthApplicationSettings)]
pub struct UpdateInstanceOAuthApplicationSettings {
    pub dynamic_oauth_client_registration: Patch<bool>,
    pub default_scopes: Patch<Vec<String>>,
    pub oauth_jwt_access_tokens: Patch<bool>,
    pub client_id_metadata_documents_advertised: Patch<bool>,
    pub client_id_metadata_documents_only_allow_pre_registered_clients: Patch<bool>,
    pub client_id_metadata_documents_block_implicitly_allowed_clients: Patch<bool>,
}

/// Change settings of sign-up and e-mail.
#[endpoint(PATCH "/v1/beta_features/instance_settings" -> InstanceSettings)]
pub struct UpdateInstanceAuthConfig {
    pub restricted_to_allowlist: Patch<bool>,
    pub from_email_address: Patch<String>,
    pub progressive_sign_up: Patch<bool>,
    pub test_mode: Patch<bool>,
}
