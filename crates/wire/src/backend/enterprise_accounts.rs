//! Accounts at enterprise identity providers.

use serde::{Deserialize, Serialize};

use super::{enterprise_connections::EnterpriseConnectionId, verifications::Verification};
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// How an enterprise identity provider is spoken to.
    pub enum EnterpriseProtocol {
        Oauth = "oauth",
        Saml = "saml",
    }
}

/// Id of an enterprise account.
pub type EnterpriseAccountId = Id<EnterpriseAccount>;

kind!(EnterpriseAccount, "enterprise_account", "entacc_");

/// An account of a user at an enterprise identity provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnterpriseAccount {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<EnterpriseProtocol>,
    pub provider: String,
    pub active: bool,
    pub email_address: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub provider_user_id: Option<String>,
    pub enterprise_connection_id: Option<EnterpriseConnectionId>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    pub verification: Option<Verification>,
    pub enterprise_connection: Option<EnterpriseAccountConnection>,
    pub last_authenticated_at: Option<Timestamp>,
}

/// The connection through which an enterprise account came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnterpriseAccountConnection {
    pub id: EnterpriseConnectionId,
    pub protocol: EnterpriseProtocol,
    pub provider: String,
    pub name: String,
    pub logo_public_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    pub active: bool,
    pub sync_user_attributes: bool,
    pub allow_subdomains: bool,
    pub allow_idp_initiated: bool,
    pub disable_additional_identifications: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
