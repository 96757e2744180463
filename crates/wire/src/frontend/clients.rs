//! The client: a browser or an app, with its sessions and what is under way on it.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{sessions::Session, sign_ins::SignIn, sign_ups::SignUp};
use crate::{
    Tag, Timestamp,
    backend::{self, clients::ClientId, sessions::SessionId},
};

/// A browser or an app, as itself sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub object: Tag<backend::clients::Client>,
    pub id: ClientId,
    /// The ones that are active or pending.
    pub sessions: Vec<Session>,
    /// The one that is not finished.
    pub sign_in: Option<SignIn>,
    /// The one that is not finished.
    pub sign_up: Option<SignUp>,
    pub last_active_session_id: Option<SessionId>,
    pub last_authentication_strategy: Option<String>,
    /// Nothing where the client is known by something else than a cookie.
    pub cookie_expires_at: Option<Timestamp>,
    pub captcha_bypass: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The client as it is.
#[endpoint(GET "/v1/client" -> Option<Client>, api = Frontend, auth = Client)]
pub struct GetClient {}

/// The client; makes it if there is none.
#[endpoint(PUT "/v1/client" -> Option<Client>, api = Frontend, auth = Client)]
pub struct PutClient {}

/// The client; makes it if there is none.
#[endpoint(POST "/v1/client" -> Option<Client>, api = Frontend, auth = Client)]
pub struct PostClient {}

/// Sign everybody out and forget the client.
#[endpoint(DELETE "/v1/client" -> Option<Client>, api = Frontend, auth = Client)]
pub struct DeleteClient {}

/// Sign everybody out and keep the client.
#[endpoint(DELETE "/v1/client/sessions" -> Option<Client>, api = Frontend, auth = Client)]
pub struct RemoveClientSessions {}
