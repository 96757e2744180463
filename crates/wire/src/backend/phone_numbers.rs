//! Phone numbers.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{email_addresses::IdentificationLink, users::UserId, verifications::Verification};
use crate::{Deleted, Id, Patch, Tag, Timestamp, id::kind, open::or_default};

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

/// Give a user another phone number.
#[endpoint(POST "/v1/phone_numbers" -> PhoneNumber)]
pub struct CreatePhoneNumber {
    pub user_id: UserId,
    pub phone_number: String,
    pub verified: Patch<bool>,
    pub primary: Patch<bool>,
    pub reserved_for_second_factor: Patch<bool>,
}

/// Fetch one phone number.
#[endpoint(GET "/v1/phone_numbers/{phone_number_id}" -> PhoneNumber)]
pub struct GetPhoneNumber {
    pub phone_number_id: PhoneNumberId,
}

/// Verify a phone number on one's word, make it primary or a second factor.
#[endpoint(PATCH "/v1/phone_numbers/{phone_number_id}" -> PhoneNumber)]
pub struct UpdatePhoneNumber {
    pub phone_number_id: PhoneNumberId,
    pub verified: Patch<bool>,
    pub primary: Patch<bool>,
    pub reserved_for_second_factor: Patch<bool>,
}

/// Take a phone number away from its user.
#[endpoint(DELETE "/v1/phone_numbers/{phone_number_id}" -> Deleted<PhoneNumber>)]
pub struct DeletePhoneNumber {
    pub phone_number_id: PhoneNumberId,
}

/// Send a code to a phone number.
#[endpoint(POST "/v1/phone_numbers/{phone_number_id}/prepare_verification" -> Verification,
    body = None)]
pub struct PreparePhoneNumberVerification {
    pub phone_number_id: PhoneNumberId,
}

/// Check a code that was sent to a phone number.
#[endpoint(POST "/v1/phone_numbers/{phone_number_id}/attempt_verification" -> Verification)]
pub struct AttemptPhoneNumberVerification {
    pub phone_number_id: PhoneNumberId,
    pub verification_id: String,
    pub code: String,
}
