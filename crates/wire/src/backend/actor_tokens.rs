//! Actor tokens.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::users::UserId;
use crate::{
    Id, Metadata, Param, Patch, Shape, Tag, Timestamp,
    id::kind,
    open::{open_enum, or_default},
};

open_enum! {
    /// State of an actor token.
    pub enum ActorTokenStatus {
        Pending = "pending",
        Accepted = "accepted",
        Revoked = "revoked",
    }
}

/// Id of an actor token.
pub type ActorTokenId = Id<ActorToken>;

kind!(ActorToken, "actor_token", "act_");

/// A ticket with which somebody signs in as a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorToken {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub status: ActorTokenStatus,
    pub user_id: UserId,
    #[serde(default, deserialize_with = "or_default")]
    pub actor: Metadata,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Seconds that a ticket, or a session made with one, lives: 1 to 315,360,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifetime(pub u32);

impl Param for Lifetime {
    const SHAPE: Shape = Shape::Integer { min: 1, max: 315_360_000 };
}

/// Create a ticket with which an actor signs in as a user, once.
#[endpoint(POST "/v1/actor_tokens" -> ActorToken)]
pub struct CreateActorToken {
    pub user_id: UserId,
    pub actor: Metadata,
    pub expires_in_seconds: Patch<Lifetime>,
    pub session_max_duration_in_seconds: Patch<Lifetime>,
}

/// Revoke a ticket that nobody has used.
#[endpoint(POST "/v1/actor_tokens/{actor_token_id}/revoke" -> ActorToken)]
pub struct RevokeActorToken {
    pub actor_token_id: ActorTokenId,
}
