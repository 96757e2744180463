//! Clients.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use super::{
    sessions::{Session, SessionId},
    sign_ins::SignInId,
    sign_ups::SignUpId,
};
use crate::{Id, Limit, Listing, Tag, Timestamp, id::kind, open::or_default};

/// Id of a client.
pub type ClientId = Id<Client>;

kind!(Client, "client", "client_");

/// A browser or device, with its sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub id: Id<Self>,
    pub object: Tag<Self>,
    #[serde(default, deserialize_with = "or_default")]
    pub session_ids: Vec<SessionId>,
    #[serde(default, deserialize_with = "or_default")]
    pub sessions: Vec<Session>,
    pub sign_in_id: Option<SignInId>,
    pub sign_up_id: Option<SignUpId>,
    pub last_active_session_id: Option<SessionId>,
    pub last_authentication_strategy: Option<String>,
    pub updated_at: Timestamp,
    pub created_at: Timestamp,
}

/// List clients, newest first.
#[endpoint(GET "/v1/clients" -> Listing<Client>)]
pub struct GetClientList {
    pub paginated: Option<bool>,
    pub limit: Option<Limit>,
    pub offset: Option<u32>,
}

/// Fetch one client.
#[endpoint(GET "/v1/clients/{client_id}" -> Client)]
pub struct GetClient {
    pub client_id: ClientId,
}

/// Fetch the client whose `__client` cookie this is.
#[endpoint(POST "/v1/clients/verify" -> Client)]
pub struct VerifyClient {
    pub token: String,
}

/// Cookies that the Frontend API left for an app's server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandshakePayload {
    pub nonce: String,
    /// Values of `Set-Cookie` headers.
    #[serde(default, deserialize_with = "or_default")]
    pub directives: Vec<String>,
    /// The same as a token, where it was asked for as one.
    #[serde(default, deserialize_with = "or_default")]
    pub payload: String,
}

/// Fetch the cookies that were left under a nonce.
#[endpoint(GET "/v1/clients/handshake_payload" -> HandshakePayload)]
pub struct GetHandshakePayload {
    pub nonce: String,
}
