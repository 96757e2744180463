//! Sessions of the client, and their tokens.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::users::{PublicUserData, User};
use crate::{
    Metadata, Patch, Tag, Timestamp,
    backend::{
        self,
        organizations::OrganizationId,
        sessions::{SessionActivity, SessionId, SessionStatus, SessionTask, Token},
    },
};

/// A sign-in of a user on the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub object: Tag<backend::sessions::Session>,
    pub id: SessionId,
    pub status: SessionStatus,
    pub expire_at: Timestamp,
    pub abandon_at: Timestamp,
    pub last_active_at: Timestamp,
    pub last_active_organization_id: Option<OrganizationId>,
    pub actor: Option<Metadata>,
    /// What is to be done before a pending session is active.
    pub tasks: Option<Vec<SessionTask>>,
    /// Minutes since a first and a second factor were proven; -1 is never.
    pub factor_verification_age: [i64; 2],
    /// Absent once the session is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_active_token: Option<Token>,
    pub user: Option<User>,
    pub public_user_data: Option<PublicUserData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A session of the user on whatever client, with where it was last used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionWithActivities {
    pub object: Tag<backend::sessions::Session>,
    pub id: SessionId,
    pub status: SessionStatus,
    pub expire_at: Timestamp,
    pub abandon_at: Timestamp,
    pub last_active_at: Timestamp,
    pub actor: Option<Metadata>,
    pub latest_activity: SessionActivity,
}

/// Fetch a session of the client.
#[endpoint(GET "/v1/client/sessions/{session_id}" -> Session, api = Frontend, auth = Client)]
pub struct GetSession {
    pub session_id: SessionId,
}

/// Note that a session is in use, and with which organization.
#[endpoint(POST "/v1/client/sessions/{session_id}/touch" -> Session, api = Frontend, auth = Client)]
pub struct TouchSession {
    pub session_id: SessionId,
    pub active_organization_id: Patch<String>,
    pub intent: Option<String>,
}

/// End a session of the client.
#[endpoint(POST "/v1/client/sessions/{session_id}/end" -> Session, api = Frontend, auth = Client)]
pub struct EndSession {
    pub session_id: SessionId,
}

/// Sign out of a session of the client.
#[endpoint(POST "/v1/client/sessions/{session_id}/remove" -> Session,
    api = Frontend, auth = Client)]
pub struct RemoveSession {
    pub session_id: SessionId,
}

/// Make a session token.
#[endpoint(POST "/v1/client/sessions/{session_id}/tokens" -> Token,
    api = Frontend, auth = Client, answer = Bare)]
pub struct CreateSessionToken {
    pub session_id: SessionId,
    pub organization_id: Patch<String>,
}

/// Make a token for a session as a template says.
#[endpoint(POST "/v1/client/sessions/{session_id}/tokens/{template_name}" -> Token,
    api = Frontend, auth = Client, answer = Bare)]
pub struct CreateSessionTokenWithTemplate {
    pub session_id: SessionId,
    pub template_name: String,
}

/// List the user's sessions that are active or pending.
#[endpoint(GET "/v1/me/sessions/active" -> Vec<SessionWithActivities>,
    api = Frontend, auth = Session, answer = Bare)]
pub struct GetActiveSessions {}

/// End a session of the user from another one.
#[endpoint(POST "/v1/me/sessions/{session_id}/revoke" -> Session, api = Frontend, auth = Session)]
pub struct RevokeSession {
    pub session_id: SessionId,
}
