//! Sign-in tokens.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{organizations::OrganizationId, users::UserId};
use crate::{Id, Param, Patch, Shape, Tag, Timestamp, id::kind, open::open_enum};

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

/// How long a sign-in token lives, in seconds: 1 to 315,360,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignInTokenLifetime(pub u32);

impl Param for SignInTokenLifetime {
    const SHAPE: Shape = Shape::Integer { min: 1, max: 315_360_000 };
}

/// Create a ticket that lets a user in once.
#[endpoint(POST "/v1/sign_in_tokens" -> SignInToken)]
pub struct CreateSignInToken {
    pub user_id: UserId,
    pub org_id: Patch<OrganizationId>,
    pub expires_in_seconds: Patch<SignInTokenLifetime>,
}

/// Revoke a ticket that nobody has used.
#[endpoint(POST "/v1/sign_in_tokens/{sign_in_token_id}/revoke" -> SignInToken)]
pub struct RevokeSignInToken {
    pub sign_in_token_id: SignInTokenId,
}
