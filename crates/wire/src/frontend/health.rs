//! Whether the Frontend API is reached.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::backend::jwks::Jwks;

/// How the server is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Always `healthy`: what is not does not answer.
    pub status: String,
}

/// How an app's own server forwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProxyHealth {
    /// Always `healthy`.
    pub status: String,
    /// The addresses that the request says it came through.
    pub x_forwarded_for: String,
}

/// Whether the server answers.
#[endpoint(GET "/v1/health" -> Health, api = Frontend, auth = Public, answer = Bare)]
pub struct GetHealth {}

/// Whether an app's own server forwards as it should.
#[endpoint(GET "/v1/proxy-health" -> ProxyHealth, api = Frontend, auth = Public, answer = Bare)]
pub struct GetProxyHealth {}

/// The public keys that the instance's tokens verify with.
#[endpoint(GET "/.well-known/jwks.json" -> Jwks, api = Frontend, auth = Public, answer = Bare)]
pub struct GetJwks {}
