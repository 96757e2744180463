//! Proofs that an identification belongs to its user.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Timestamp, open::open_enum};

open_enum! {
    /// The `object` of a verification, which tells how it was made.
    pub enum VerificationObject {
        Otp = "verification_otp",
        Admin = "verification_admin",
        FromOauth = "verification_from_oauth",
        Ticket = "verification_ticket",
        Saml = "verification_saml",
        EmailLink = "verification_email_link",
        Scim = "verification_scim",
        Oauth = "verification_oauth",
        GoogleOneTap = "verification_google_one_tap",
        Web3 = "verification_web3",
        Passkey = "verification_passkey",
    }
}

open_enum! {
    /// How far a verification is.
    pub enum VerificationStatus {
        Unverified = "unverified",
        Verified = "verified",
        Failed = "failed",
        Expired = "expired",
        Transferable = "transferable",
    }
}

/// A proof, finished or under way, that an identification belongs to its user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<VerificationObject>,
    pub status: VerificationStatus,
    pub strategy: String,
    pub attempts: Option<i64>,
    pub expire_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at_client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_verification_redirect_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl Verification {
    /// On the word of an administrator.
    pub fn admin() -> Self {
        Self::new(VerificationObject::Admin, VerificationStatus::Verified, "admin")
    }

    /// Nothing else is known about it.
    pub fn new(object: VerificationObject, status: VerificationStatus, strategy: &str) -> Self {
        Self {
            id: None,
            object: Some(object),
            status,
            strategy: strategy.to_owned(),
            attempts: None,
            expire_at: None,
            verified_at_client: None,
            external_verification_redirect_url: None,
            nonce: None,
            message: None,
            error: None,
            channel: None,
        }
    }
}
