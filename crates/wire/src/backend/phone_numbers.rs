//! Phone numbers.

use serde::{Deserialize, Serialize};

use super::{email_addresses::IdentificationLink, verifications::Verification};
use crate::{Id, Tag, Timestamp, id::kind, open::or_default};

/// Id of a phone number.
pub type PhoneNumberId = Id<PhoneNumber>;

kind!(PhoneNumber, "phone_number", "idn_");

/// A phone number of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhoneNumber {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub phone_number: String,
    #[serde(default)]
    pub reserved_for_second_factor: bool,
    #[serde(default)]
    pub default_second_factor: bool,
    #[serde(default)]
    pub reserved: bool,
    pub verification: Option<Verification>,
    #[serde(default, deserialize_with = "or_default")]
    pub linked_to: Vec<IdentificationLink>,
    #[serde(default, deserialize_with = "or_default")]
    pub backup_codes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}
