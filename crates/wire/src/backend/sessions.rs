//! Sessions.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{clients::ClientId, organizations::OrganizationId, users::UserId};
use crate::{
    Id, Limit, Listing, Metadata, Param, Patch, Shape, Tag, Timestamp,
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

/// What a refresh answers with: what was asked for in `format`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SessionRefresh {
    /// The token.
    Token(Token),
    /// The token in cookies, with those that belong to it.
    Cookies(Cookies),
}

open_enum! {
    /// How a refresh answers.
    pub enum RefreshFormat {
        Token = "token",
        Cookie = "cookie",
    }
}

/// How long a token lives, in seconds: 30 seconds to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenLifetime(pub u32);

impl Param for TokenLifetime {
    const SHAPE: Shape = Shape::Integer { min: 30, max: 315_360_000 };
}

/// List sessions, newest first.
#[endpoint(GET "/v1/sessions" -> Listing<Session>)]
pub struct GetSessionList {
    pub client_id: Option<ClientId>,
    pub user_id: Option<UserId>,
    pub status: Option<SessionStatus>,
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Begin a session of a user; development instances only.
#[endpoint(POST "/v1/sessions" -> Session)]
pub struct CreateSession {
    pub user_id: UserId,
    pub active_organization_id: Patch<OrganizationId>,
}

/// Fetch one session.
#[endpoint(GET "/v1/sessions/{session_id}" -> Session)]
pub struct GetSession {
    pub session_id: SessionId,
}

/// End a session from outside: no token is made for it any more.
#[endpoint(POST "/v1/sessions/{session_id}/revoke" -> Session)]
pub struct RevokeSession {
    pub session_id: SessionId,
}

/// Fetch the session that a session token belongs to. Only older versions describe it.
#[endpoint(POST "/v1/sessions/{session_id}/verify" -> Session)]
pub struct VerifySession {
    pub session_id: SessionId,
    pub token: String,
}

/// Exchange a session token that is used up for a fresh one.
#[endpoint(POST "/v1/sessions/{session_id}/refresh" -> SessionRefresh, query = [suffixed_cookies])]
pub struct RefreshSession {
    pub session_id: SessionId,
    pub suffixed_cookies: Option<bool>,
    pub expired_token: String,
    pub refresh_token: String,
    pub request_origin: String,
    pub request_headers: Patch<Metadata>,
    pub request_originating_ip: Patch<String>,
    pub format: Patch<RefreshFormat>,
}

/// Make a session token.
#[endpoint(POST "/v1/sessions/{session_id}/tokens" -> Token)]
pub struct CreateSessionToken {
    pub session_id: SessionId,
    pub expires_in_seconds: Patch<TokenLifetime>,
}
