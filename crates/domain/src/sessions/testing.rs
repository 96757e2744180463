//! What only browsers get in life, for tests: client cookies, refresh tokens, session tokens with
//! an origin.

use serde_json::{Map, Value};
use wire::backend::{clients::ClientId, sessions::SessionId};

use super::{get_row, refresh};
use crate::{
    Cx, Outside, Result, clients,
    seal::digest_of_secret,
    session_tokens::{self, Category},
};

/// Gives a client a new `__client` cookie, and tells its value; the one before it is void.
pub async fn client_cookie(outside: &Outside, client_id: ClientId) -> Result<String> {
    clients::new_cookie(outside, client_id).await
}

/// A refresh token of a session, as in the cookie `__refresh_…`.
pub async fn refresh_token(outside: &Outside, session_id: SessionId) -> Result<String> {
    let token = outside.world.secret();
    outside.write(remember, (session_id, digest_of_secret(&token))).await?;
    Ok(token)
}

async fn remember(cx: &mut Cx, (session_id, digest): (SessionId, String)) -> Result<()> {
    let session = get_row(cx, session_id).await?;
    refresh::remember(cx, &session.id, digest).await
}

/// A session token as a page of `origin` gets it.
pub async fn session_token(
    outside: &Outside,
    session_id: SessionId,
    origin: &str,
) -> Result<String> {
    let subject = outside.read(session_tokens::subject_of_token, session_id).await?;
    let lifetime = outside.instance.settings.token.lifetime_seconds;
    session_tokens::mint(outside, &subject, lifetime, Some(origin))
}

/// A token under the header of session tokens that claims whatever a test wants.
pub fn sign(outside: &Outside, claims: &Map<String, Value>) -> Result<String> {
    session_tokens::sign(outside, Category::Session, claims)
}
