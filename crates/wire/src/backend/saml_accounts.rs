//! Accounts at SAML identity providers.

use serde::{Deserialize, Serialize};

use super::{saml_connections::SamlConnectionId, verifications::Verification};
use crate::{Id, Metadata, Tag, Timestamp, id::kind, open::or_default};

/// Id of a SAML account.
pub type SamlAccountId = Id<SamlAccount>;

kind!(SamlAccount, "saml_account", "samla_");

/// An account of a user at a SAML identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamlAccount {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub provider: String,
    pub active: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub email_address: String,
    #[serde(default, deserialize_with = "or_default")]
    pub first_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub last_name: String,
    pub provider_user_id: Option<String>,
    pub last_authenticated_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    pub verification: Option<Verification>,
    pub saml_connection: Option<SamlAccountConnection>,
}

/// The connection through which a SAML account came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamlAccountConnection {
    pub id: SamlConnectionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    pub active: bool,
    pub provider: String,
    pub sync_user_attributes: bool,
    #[serde(default)]
    pub allow_subdomains: bool,
    #[serde(default)]
    pub allow_idp_initiated: bool,
    #[serde(default)]
    pub disable_additional_identifications: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
