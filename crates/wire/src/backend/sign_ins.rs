//! Sign-ins.

use serde::{Deserialize, Serialize};

use super::sessions::SessionId;
use crate::{Id, id::kind, open::open_enum};

open_enum! {
    /// The `object` of a sign-in; SDK 2.9.4 types it as a sign-in token's.
    pub enum SignInObject {
        SignInAttempt = "sign_in_attempt",
        SignInToken = "sign_in_token",
    }
}

open_enum! {
    /// How far a sign-in is.
    pub enum SignInStatus {
        NeedsIdentifier = "needs_identifier",
        NeedsFactorOne = "needs_factor_one",
        NeedsFactorTwo = "needs_factor_two",
        NeedsFirstFactor = "needs_first_factor",
        NeedsSecondFactor = "needs_second_factor",
        NeedsNewPassword = "needs_new_password",
        Complete = "complete",
        Abandoned = "abandoned",
    }
}

/// Id of a sign in attempt.
pub type SignInId = Id<SignIn>;

kind!(SignIn, "sign_in_attempt", "sia_");

/// A sign-in under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    pub id: Id<Self>,
    pub object: SignInObject,
    pub status: SignInStatus,
    pub identifier: String,
    pub created_session_id: Option<SessionId>,
}
