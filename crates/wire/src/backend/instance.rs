//! The instance and its settings.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::organization_domains::OrganizationEnrollmentMode;
use crate::{
    Id, Tag,
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
