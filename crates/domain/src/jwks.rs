//! The public keys of an instance.

use jwt::{Token, Verified, VerifyingKey};
use wire::backend::jwks::{GetJwks, Jwk, Jwks};

use crate::{Instance, Operations, Outside, Result};

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(get)
}

/// Fetch the public keys that the instance's tokens verify with.
async fn get(outside: &Outside, _request: GetJwks) -> Result<Jwks> {
    Ok(of(&outside.instance))
}

/// The key set of an instance, the key in use first; everybody may see it.
pub fn of(instance: &Instance) -> Jwks {
    Jwks { keys: instance.jwks.clone() }
}

/// Verifies a token by the key that it names, if that is one of the instance.
pub(crate) fn verify(instance: &Instance, text: &str) -> Option<Verified> {
    let token = Token::split(text).ok()?;
    let signer = &instance.signer;
    if signer.verifying.knows_header(token.header_text()) {
        return signer.verifying.verify_token(&token).ok();
    }
    let kid = token.header_unverified().ok()?.kid?;
    if kid == signer.kid {
        return signer.verifying.verify_token(&token).ok();
    }
    // A key that was in use before.
    let jwk = instance.jwks.iter().find(|jwk| jwk.kid == kid)?;
    VerifyingKey::from_jwk(&as_key(jwk)).ok()?.verify_token(&token).ok()
}

fn as_key(jwk: &Jwk) -> jwt::Jwk {
    let Jwk { kty, alg, n, e, crv, x, y, .. } = jwk.clone();
    jwt::Jwk { kty, alg: Some(alg), n, e, crv, x, y, ..jwt::Jwk::default() }
}
