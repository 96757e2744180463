//! The user's own phone numbers.

use macros::endpoint;

use crate::{
    Deleted, Patch,
    backend::phone_numbers::{PhoneNumber, PhoneNumberId},
};

/// List one's phone numbers.
#[endpoint(GET "/v1/me/phone_numbers" -> Vec<PhoneNumber>,
    api = Frontend, auth = Session, answer = Bare)]
pub struct ListMyPhoneNumbers {}

/// Add a phone number, yet to be verified.
#[endpoint(POST "/v1/me/phone_numbers" -> PhoneNumber, api = Frontend, auth = Session)]
pub struct CreateMyPhoneNumber {
    pub phone_number: String,
}

/// Fetch one phone number.
#[endpoint(GET "/v1/me/phone_numbers/{phone_number_id}" -> PhoneNumber,
    api = Frontend, auth = Session)]
pub struct GetMyPhoneNumber {
    pub phone_number_id: PhoneNumberId,
}

/// Make a phone number a second factor, or none.
#[endpoint(PATCH "/v1/me/phone_numbers/{phone_number_id}" -> PhoneNumber,
    api = Frontend, auth = Session)]
pub struct UpdateMyPhoneNumber {
    pub phone_number_id: PhoneNumberId,
    pub reserved_for_second_factor: Patch<bool>,
    pub default_second_factor: Patch<bool>,
}

/// Have a code sent to a phone number.
#[endpoint(POST "/v1/me/phone_numbers/{phone_number_id}/prepare_verification" -> PhoneNumber,
    api = Frontend, auth = Session)]
pub struct PrepareMyPhoneNumber {
    pub phone_number_id: PhoneNumberId,
    /// The one there is, if nothing is said.
    pub strategy: Option<String>,
}

/// Try a code that was sent to a phone number.
#[endpoint(POST "/v1/me/phone_numbers/{phone_number_id}/attempt_verification" -> PhoneNumber,
    api = Frontend, auth = Session)]
pub struct AttemptMyPhoneNumber {
    pub phone_number_id: PhoneNumberId,
    pub code: String,
}

/// Give up a phone number.
#[endpoint(DELETE "/v1/me/phone_numbers/{phone_number_id}" -> Deleted<PhoneNumber>,
    api = Frontend, auth = Session)]
pub struct DeleteMyPhoneNumber {
    pub phone_number_id: PhoneNumberId,
}
