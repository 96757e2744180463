//! The public keys of the instance.

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::open::or_default;

/// The public keys of the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwks {
    #[serde(default, deserialize_with = "or_default")]
    pub keys: Vec<Jwk>,
}

/// A public key: RSA has `n` and `e`, elliptic curves have `crv`, `x` and `y`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jwk {
    #[serde(default, deserialize_with = "or_default")]
    pub r#use: String,
    pub kty: String,
    pub kid: String,
    pub alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x5u: Option<String>,
}

/// Fetch the public keys that the instance's tokens verify with.
#[endpoint(GET "/v1/jwks" -> Jwks)]
pub struct GetJwks {}
