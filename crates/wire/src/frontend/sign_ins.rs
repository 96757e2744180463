//! Sign-ins under way.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{
    Tag, Timestamp,
    backend::{self, sessions::SessionId, sign_ins::SignInId, verifications::Verification},
    open::open_enum,
};

open_enum! {
    /// How far a sign-in is.
    pub enum SignInStatus {
        NeedsIdentifier = "needs_identifier",
        NeedsFirstFactor = "needs_first_factor",
        NeedsSecondFactor = "needs_second_factor",
        NeedsClientTrust = "needs_client_trust",
        NeedsNewPassword = "needs_new_password",
        Complete = "complete",
        Abandoned = "abandoned",
    }
}

/// A sign-in under way, as whoever signs in sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    pub object: Tag<backend::sign_ins::SignIn>,
    pub id: SignInId,
    pub status: SignInStatus,
    /// Kinds of identifiers it can begin with.
    pub supported_identifiers: Vec<String>,
    pub supported_first_factors: Option<Vec<SignInFactor>>,
    pub supported_second_factors: Option<Vec<SignInFactor>>,
    pub first_factor_verification: Option<Verification>,
    pub second_factor_verification: Option<Verification>,
    pub identifier: Option<String>,
    pub user_data: Option<SignInUserData>,
    pub created_session_id: Option<SessionId>,
    pub abandon_at: Timestamp,
    pub client_trust_state: Option<String>,
}

/// What is told of a user before they are signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignInUserData {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub image_url: String,
    pub has_image: bool,
}

/// One way to go on with a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInFactor {
    pub strategy: String,
    /// The identifier with most of it hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web3_wallet_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passkey_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_connection_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enterprise_connection_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_verification_redirect_url: Option<String>,
}

/// Begin to sign in; what was begun before on the client is given up.
#[endpoint(POST "/v1/client/sign_ins" -> SignIn, api = Frontend, auth = Client)]
pub struct CreateSignIn {
    pub identifier: Option<String>,
    pub strategy: Option<String>,
    pub password: Option<String>,
    pub ticket: Option<String>,
    /// Where a link in a mail leads.
    pub redirect_url: Option<String>,
    /// Go on as who the client's sign-up turned out to be.
    pub transfer: Option<bool>,
    /// Whoever is unknown may go on and sign up.
    pub sign_up_if_missing: Option<bool>,
    /// What the captcha's widget gave; asked of those who may go on to sign up.
    pub captcha_token: Option<String>,
    /// Why it gave nothing.
    pub captcha_error: Option<String>,
    /// Which of the two widgets it was, `smart` or `invisible`.
    pub captcha_widget_type: Option<String>,
}

/// Fetch a sign-in of the client.
#[endpoint(GET "/v1/client/sign_ins/{sign_in_id}" -> SignIn,
    api = Frontend, auth = Client, answer = Reloaded)]
pub struct GetSignIn {
    pub sign_in_id: SignInId,
}

/// Get ready to prove a first factor: have a code or a link sent.
#[endpoint(POST "/v1/client/sign_ins/{sign_in_id}/prepare_first_factor" -> SignIn,
    api = Frontend, auth = Client)]
pub struct PrepareFirstFactor {
    pub sign_in_id: SignInId,
    pub strategy: String,
    pub email_address_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub redirect_url: Option<String>,
}

/// Prove a first factor.
#[endpoint(POST "/v1/client/sign_ins/{sign_in_id}/attempt_first_factor" -> SignIn,
    api = Frontend, auth = Client)]
pub struct AttemptFirstFactor {
    pub sign_in_id: SignInId,
    pub strategy: String,
    pub code: Option<String>,
    /// The password, or the new one where a code lets one reset it.
    pub password: Option<String>,
}

/// Get ready to prove a second factor.
#[endpoint(POST "/v1/client/sign_ins/{sign_in_id}/prepare_second_factor" -> SignIn,
    api = Frontend, auth = Client)]
pub struct PrepareSecondFactor {
    pub sign_in_id: SignInId,
    pub strategy: String,
    pub email_address_id: Option<String>,
    pub phone_number_id: Option<String>,
    pub redirect_url: Option<String>,
}

/// Prove a second factor.
#[endpoint(POST "/v1/client/sign_ins/{sign_in_id}/attempt_second_factor" -> SignIn,
    api = Frontend, auth = Client)]
pub struct AttemptSecondFactor {
    pub sign_in_id: SignInId,
    pub strategy: String,
    pub code: Option<String>,
}

/// Set the password that is due.
#[endpoint(POST "/v1/client/sign_ins/{sign_in_id}/reset_password" -> SignIn,
    api = Frontend, auth = Client)]
pub struct ResetPassword {
    pub sign_in_id: SignInId,
    pub password: String,
    pub sign_out_of_other_sessions: Option<bool>,
}
