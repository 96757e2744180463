//! Sign-ups.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{sessions::SessionId, users::UserId, verifications::Verification};
use crate::{
    Id, Metadata, Patch, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// How far a sign-up is.
    pub enum SignUpStatus {
        MissingRequirements = "missing_requirements",
        Complete = "complete",
        Abandoned = "abandoned",
    }
}

open_enum! {
    /// What a verification of a sign-up waits for.
    pub enum SignUpNextAction {
        NeedsPrepare = "needs_prepare",
        NeedsAttempt = "needs_attempt",
        Nothing = "",
    }
}

/// Id of a sign up attempt.
pub type SignUpId = Id<SignUp>;

kind!(SignUp, "sign_up_attempt", "sua_");

/// A sign-up under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUp {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub status: SignUpStatus,
    #[serde(default, deserialize_with = "or_default")]
    pub required_fields: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub optional_fields: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub missing_fields: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub unverified_fields: Vec<String>,
    pub verifications: SignUpVerifications,
    pub username: Option<String>,
    pub email_address: Option<String>,
    pub phone_number: Option<String>,
    pub web3_wallet: Option<String>,
    pub password_enabled: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub unsafe_metadata: Metadata,
    #[serde(default, deserialize_with = "or_default")]
    pub public_metadata: Metadata,
    pub custom_action: bool,
    pub external_id: Option<String>,
    pub created_session_id: Option<SessionId>,
    pub created_user_id: Option<UserId>,
    pub abandon_at: Option<Timestamp>,
    pub legal_accepted_at: Option<Timestamp>,
    pub locale: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub external_account: Metadata,
}

/// The verifications of a sign-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUpVerifications {
    pub email_address: SignUpVerification,
    pub phone_number: SignUpVerification,
    pub web3_wallet: SignUpVerification,
    pub external_account: Option<Verification>,
}

/// The state of one field of a sign-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignUpVerification {
    pub next_action: SignUpNextAction,
    #[serde(default, deserialize_with = "or_default")]
    pub supported_strategies: Vec<String>,
}

/// Fetch one sign-up.
#[endpoint(GET "/v1/sign_ups/{sign_up_id}" -> SignUp)]
pub struct GetSignUp {
    pub sign_up_id: SignUpId,
}

/// Note on a sign-up what the app's server knows about it.
#[endpoint(PATCH "/v1/sign_ups/{sign_up_id}" -> SignUp)]
pub struct UpdateSignUp {
    pub sign_up_id: SignUpId,
    pub external_id: Patch<String>,
    pub custom_action: Patch<bool>,
}
