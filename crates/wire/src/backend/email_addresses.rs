//! E-mail addresses.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{users::UserId, verifications::Verification};
use crate::{Deleted, Id, Patch, Tag, Timestamp, id::kind, open::or_default};

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

/// Give a user another e-mail address.
#[endpoint(POST "/v1/email_addresses" -> EmailAddress)]
pub struct CreateEmailAddress {
    pub user_id: UserId,
    pub email_address: String,
    pub verified: Patch<bool>,
    pub primary: Patch<bool>,
    pub notify_primary_email_address_changed: Patch<bool>,
}

/// Fetch one e-mail address.
#[endpoint(GET "/v1/email_addresses/{email_address_id}" -> EmailAddress)]
pub struct GetEmailAddress {
    pub email_address_id: EmailAddressId,
}

/// Verify an e-mail address on one's word, or make it primary.
#[endpoint(PATCH "/v1/email_addresses/{email_address_id}" -> EmailAddress)]
pub struct UpdateEmailAddress {
    pub email_address_id: EmailAddressId,
    pub verified: Patch<bool>,
    pub primary: Patch<bool>,
    pub notify_primary_email_address_changed: Patch<bool>,
}

/// Take an e-mail address away from its user.
#[endpoint(DELETE "/v1/email_addresses/{email_address_id}" -> Deleted<EmailAddress>)]
pub struct DeleteEmailAddress {
    pub email_address_id: EmailAddressId,
}

/// Send a code to an e-mail address.
#[endpoint(POST "/v1/email_addresses/{email_address_id}/prepare_verification" -> Verification,
    body = None)]
pub struct PrepareEmailAddressVerification {
    pub email_address_id: EmailAddressId,
}

/// Check a code that was sent to an e-mail address.
#[endpoint(POST "/v1/email_addresses/{email_address_id}/attempt_verification" -> Verification)]
pub struct AttemptEmailAddressVerification {
    pub email_address_id: EmailAddressId,
    pub verification_id: String,
    pub code: String,
}
