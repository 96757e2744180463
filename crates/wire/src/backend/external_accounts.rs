//! Accounts at OAuth providers.

use serde::{Deserialize, Serialize};

use super::verifications::Verification;
use crate::{
    Id, Metadata, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// The `object` of an external account, which differs for the two oldest providers.
    pub enum ExternalAccountObject {
        ExternalAccount = "external_account",
        GoogleAccount = "google_account",
        FacebookAccount = "facebook_account",
    }
}

/// Id of an external account.
pub type ExternalAccountId = Id<ExternalAccount>;

kind!(ExternalAccount, "external_account", "eac_");

/// An account of a user at an OAuth provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalAccount {
    pub id: Id<Self>,
    pub object: ExternalAccountObject,
    pub provider: String,
    #[serde(default, deserialize_with = "or_default")]
    pub identification_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub provider_user_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub approved_scopes: String,
    #[serde(default, deserialize_with = "or_default")]
    pub email_address: String,
    pub email_address_verified: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub first_name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub last_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    pub username: Option<String>,
    pub phone_number: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facebook_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    pub verification: Option<Verification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}
