//! SAML connections.

use serde::{Deserialize, Serialize};

use super::{enterprise_connections::EnterpriseConnectionId, organizations::OrganizationId};
use crate::{Id, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// What a SAML request tells of who signs in.
    pub enum LoginHintMode {
        EmailAddress = "email_address",
        CustomAttribute = "custom_attribute",
        Off = "off",
    }
}

/// Id of a SAML connection.
pub type SamlConnectionId = Id<SamlConnection>;

kind!(SamlConnection, "saml_connection", "samlc_");

/// A SAML identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamlConnection {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    pub organization_id: Option<OrganizationId>,
    pub idp_entity_id: Option<String>,
    pub idp_sso_url: Option<String>,
    pub idp_certificate: Option<String>,
    pub idp_certificate_issued_at: Option<Timestamp>,
    pub idp_certificate_expires_at: Option<Timestamp>,
    pub idp_metadata_url: Option<String>,
    pub idp_metadata: Option<String>,
    pub acs_url: String,
    pub sp_entity_id: String,
    pub sp_metadata_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_mapping: Option<AttributeMapping>,
    pub active: bool,
    pub provider: String,
    pub user_count: i64,
    pub sync_user_attributes: bool,
    pub allow_subdomains: bool,
    pub allow_idp_initiated: bool,
    #[serde(default)]
    pub disable_additional_identifications: bool,
    #[serde(default)]
    pub allow_organization_account_linking: bool,
    #[serde(default)]
    pub force_authn: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<LoginHint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_connection_id: Option<EnterpriseConnectionId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which attribute of an assertion holds what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeMapping {
    pub user_id: String,
    pub email_address: String,
    pub first_name: String,
    pub last_name: String,
}

/// What a SAML request tells of who signs in, and from where it is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoginHint {
    pub mode: LoginHintMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}
