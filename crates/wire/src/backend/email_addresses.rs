//! E-mail addresses.

use serde::{Deserialize, Serialize};

use super::verifications::Verification;
use crate::{Id, Tag, Timestamp, id::kind, open::or_default};

/// Id of an email address.
pub type EmailAddressId = Id<EmailAddress>;

kind!(EmailAddress, "email_address", "idn_");

/// An e-mail address of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailAddress {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub email_address: String,
    #[serde(default)]
    pub reserved: bool,
    pub verification: Option<Verification>,
    #[serde(default, deserialize_with = "or_default")]
    pub linked_to: Vec<IdentificationLink>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches_sso_connection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// Another identification that proves the same person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdentificationLink {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    pub r#type: String,
}
