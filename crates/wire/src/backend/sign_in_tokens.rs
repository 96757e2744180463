//! Sign-in tokens.

use serde::{Deserialize, Serialize};

use super::users::UserId;
use crate::{Id, Tag, Timestamp, id::kind, open::open_enum};

open_enum! {
    /// State of a sign-in token.
    pub enum SignInTokenStatus {
        Pending = "pending",
        Accepted = "accepted",
        Revoked = "revoked",
    }
}

/// Id of a sign in token.
pub type SignInTokenId = Id<SignInToken>;

kind!(SignInToken, "sign_in_token", "sit_");

/// A ticket with which a user signs in without a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignInToken {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub status: SignInTokenStatus,
    pub user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    pub url: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
