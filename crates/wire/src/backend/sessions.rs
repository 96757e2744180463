//! Sessions.

use serde::{Deserialize, Serialize};

use super::{clients::ClientId, organizations::OrganizationId, users::UserId};
use crate::{
    Id, Metadata, Tag, Timestamp,
    id::{kind, object},
    open::{open_enum, or_default},
};

open_enum! {
    /// State of a session.
    pub enum SessionStatus {
        Active = "active",
        Pending = "pending",
        Revoked = "revoked",
        Ended = "ended",
        Expired = "expired",
        Removed = "removed",
        Abandoned = "abandoned",
        Replaced = "replaced",
    }
}

/// Id of a session.
pub type SessionId = Id<Session>;

kind!(Session, "session", "sess_");

/// One sign-in of a user on a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    pub user_id: UserId,
    pub client_id: ClientId,
    pub actor: Option<Metadata>,
    pub status: SessionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_active_organization_id: Option<OrganizationId>,
    pub last_active_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_activity: Option<SessionActivity>,
    pub expire_at: Timestamp,
    pub abandon_at: Timestamp,
    pub tasks: Option<Vec<SessionTask>>,
    pub updated_at: Timestamp,
    pub created_at: Timestamp,
}

/// Id of a session activity.
pub type SessionActivityId = Id<SessionActivity>;

kind!(SessionActivity, "session_activity", "sess_activity_");

/// Where a session was last used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionActivity {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_type: Option<String>,
    pub is_mobile: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Something to do before a pending session is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionTask {
    pub key: String,
}

object!(Token, "token");

/// A signed token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    pub object: Tag<Self>,
    pub jwt: String,
}

object!(Cookies, "cookies");

/// Cookies to set, each a whole `Set-Cookie` value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cookies {
    pub object: Tag<Self>,
    #[serde(default, deserialize_with = "or_default")]
    pub cookies: Vec<String>,
}
