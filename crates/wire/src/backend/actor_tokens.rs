//! Actor tokens.

use serde::{Deserialize, Serialize};

use super::users::UserId;
use crate::{
    Id, Metadata, Tag, Timestamp,
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
