//! The user's own e-mail addresses.

use macros::endpoint;

use crate::{
    Deleted,
    backend::email_addresses::{EmailAddress, EmailAddressId},
};

/// List one's e-mail addresses.
#[endpoint(GET "/v1/me/email_addresses" -> Vec<EmailAddress>,
    api = Frontend, auth = Session, answer = Bare)]
pub struct ListMyEmailAddresses {}

/// Add an e-mail address, yet to be verified.
#[endpoint(POST "/v1/me/email_addresses" -> EmailAddress, api = Frontend, auth = Session)]
pub struct CreateMyEmailAddress {
    pub email_address: String,
}

/// Fetch one e-mail address.
#[endpoint(GET "/v1/me/email_addresses/{email_id}" -> EmailAddress,
    api = Frontend, auth = Session, answer = Reloaded)]
pub struct GetMyEmailAddress {
    pub email_id: EmailAddressId,
}

/// Have a code or a link sent to an e-mail address.
#[endpoint(POST "/v1/me/email_addresses/{email_id}/prepare_verification" -> EmailAddress,
    api = Frontend, auth = Session)]
pub struct PrepareMyEmailAddress {
    pub email_id: EmailAddressId,
    pub strategy: String,
    pub redirect_url: Option<String>,
}

/// Try a code that was sent to an e-mail address.
#[endpoint(POST "/v1/me/email_addresses/{email_id}/attempt_verification" -> EmailAddress,
    api = Frontend, auth = Session)]
pub struct AttemptMyEmailAddress {
    pub email_id: EmailAddressId,
    pub code: String,
}

/// Give up an e-mail address.
#[endpoint(DELETE "/v1/me/email_addresses/{email_id}" -> Deleted<EmailAddress>,
    api = Frontend, auth = Session)]
pub struct DeleteMyEmailAddress {
    pub email_id: EmailAddressId,
}
