//! Sign-ups under way.

use macros::endpoint;
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

/// Begin to sign up. Whatever was under way on the client is given up.
#[endpoint(POST "/v1/client/sign_ups" -> SignUp, api = Frontend, auth = Client)]
pub struct CreateSignUp {
    pub strategy: Option<String>,
    pub ticket: Option<String>,
    pub transfer: Option<bool>,
    pub redirect_url: Option<String>,
    pub email_address: Option<String>,
    pub phone_number: Option<String>,
    pub email_address_or_phone_number: Option<String>,
    pub web3_wallet: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub password: Option<String>,
    pub unsafe_metadata: Option<Metadata>,
    pub legal_accepted: Option<bool>,
    pub locale: Option<String>,
    /// What the captcha's widget gave.
    pub captcha_token: Option<String>,
    /// Why it gave nothing.
    pub captcha_error: Option<String>,
    /// Which of the two widgets it was, `smart` or `invisible`.
    pub captcha_widget_type: Option<String>,
}

/// Fetch a sign-up of the client.
#[endpoint(GET "/v1/client/sign_ups/{sign_up_id}" -> SignUp,
    api = Frontend, auth = Client, answer = Reloaded)]
pub struct GetSignUp {
    pub sign_up_id: SignUpId,
}

/// Say more, or something else.
#[endpoint(PATCH "/v1/client/sign_ups/{sign_up_id}" -> SignUp, api = Frontend, auth = Client)]
pub struct UpdateSignUp {
    pub sign_up_id: SignUpId,
    pub strategy: Option<String>,
    pub ticket: Option<String>,
    pub redirect_url: Option<String>,
    pub email_address: Option<String>,
    pub phone_number: Option<String>,
    pub email_address_or_phone_number: Option<String>,
    pub web3_wallet: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub password: Option<String>,
    pub unsafe_metadata: Option<Metadata>,
    pub legal_accepted: Option<bool>,
    pub locale: Option<String>,
}

/// Send what proves an address or a number.
#[endpoint(POST "/v1/client/sign_ups/{sign_up_id}/prepare_verification" -> SignUp,
    api = Frontend, auth = Client)]
pub struct PrepareSignUpVerification {
    pub sign_up_id: SignUpId,
    pub strategy: String,
    pub redirect_url: Option<String>,
}

/// Prove an address or a number.
#[endpoint(POST "/v1/client/sign_ups/{sign_up_id}/attempt_verification" -> SignUp,
    api = Frontend, auth = Client)]
pub struct AttemptSignUpVerification {
    pub sign_up_id: SignUpId,
    pub strategy: String,
    pub code: Option<String>,
}
