//! Sign-ups under way.

use serde::{Deserialize, Serialize};

use crate::{
    Metadata, Tag, Timestamp,
    backend::{
        self,
        sessions::SessionId,
        sign_ups::{SignUpId, SignUpNextAction, SignUpStatus},
        users::UserId,
        verifications::Verification,
    },
};

/// A sign-up under way, as whoever signs up sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUp {
    pub object: Tag<backend::sign_ups::SignUp>,
    pub id: SignUpId,
    pub status: SignUpStatus,
    pub required_fields: Vec<String>,
    pub optional_fields: Vec<String>,
    pub missing_fields: Vec<String>,
    pub unverified_fields: Vec<String>,
    pub verifications: SignUpVerifications,
    pub username: Option<String>,
    pub email_address: Option<String>,
    pub phone_number: Option<String>,
    pub web3_wallet: Option<String>,
    pub password_enabled: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub unsafe_metadata: Metadata,
    pub public_metadata: Metadata,
    pub custom_action: bool,
    pub external_id: Option<String>,
    pub has_password: bool,
    pub locale: Option<String>,
    pub created_session_id: Option<SessionId>,
    pub created_user_id: Option<UserId>,
    pub abandon_at: Timestamp,
    pub legal_accepted_at: Option<Timestamp>,
}

/// The verifications of a sign-up; what needs none has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignUpVerifications {
    pub email_address: Option<SignUpVerification>,
    pub phone_number: Option<SignUpVerification>,
    pub web3_wallet: Option<SignUpVerification>,
    pub external_account: Option<Verification>,
}

/// The verification of one field; one that was not prepared has neither status nor strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUpVerification {
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    pub next_action: SignUpNextAction,
    pub supported_strategies: Vec<String>,
}
