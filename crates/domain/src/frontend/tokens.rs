//! Session tokens of browsers.
//!
//! Whatever tells the client's state tells a token of each session, and a signature costs more
//! than all the rest of it: a token that is young and would say the same is told again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use wire::{
    Patch, Tag, Timestamp,
    backend::{
        jwt_templates::CreateSessionTokenFromTemplate,
        sessions::{SessionId, Token},
    },
    frontend::sessions::{CreateSessionToken, CreateSessionTokenWithTemplate},
    refusal,
};

use super::{clients, sessions};
use crate::{
    Cx, Operations, Outside, Result, jwt_templates,
    session_tokens::{self, Subject},
};

/// Tokens that a node remembers.
const REMEMBERED_MAX: usize = 50_000;

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(create).offer_visitor_outside(create_with_template)
}

/// Make a session token. Whoever asks for one gets a new one.
async fn create(outside: &Outside, request: CreateSessionToken) -> Result<Token> {
    if let Patch::Set(_) = request.organization_id {
        // There are no organizations yet.
        return Err(refusal::organization_not_found_or_unauthorized().into());
    }
    let subject = outside.read(subject, request.session_id).await?;
    let jwt = mint(outside, &subject)?;
    Ok(Token { object: Tag::new(), jwt })
}

/// Make a token for a session as a template says.
async fn create_with_template(
    outside: &Outside,
    request: CreateSessionTokenWithTemplate,
) -> Result<Token> {
    let session = outside.read(sessions::own_live, request.session_id).await?;
    let request = CreateSessionTokenFromTemplate::new(session.id, request.template_name);
    jwt_templates::make_token(outside, request).await
}

/// The session of the visitor's client with this id, and of its user what tokens tell.
async fn subject(cx: &mut Cx, id: SessionId) -> Result<Subject> {
    if let Some(whose) = clients::whose(cx)
        && let Some(found) = session_tokens::subject_of_client(cx, &id, whose).await?
    {
        return Ok(found);
    }
    clients::find(cx).await?;
    Err(sessions::over(&id).into())
}

fn mint(outside: &Outside, subject: &Subject) -> Result<String> {
    let lifetime = outside.instance.settings.token.lifetime_seconds;
    session_tokens::mint(outside, subject, lifetime, origin(outside))
}

/// Where the page is from that the token is for.
fn origin(outside: &Outside) -> Option<&str> {
    outside.caller.visitor()?.origin.as_deref()
}

/// Session tokens that browsers have, and may be told again.
#[derive(Default)]
pub struct FreshTokens(Mutex<HashMap<(String, String), Fresh>>);

struct Fresh {
    /// What it depends on, but for the time.
    facts: String,
    jwt: String,
    /// When it was made, in seconds.
    iat: i64,
}

/// A token of a session that has at least half its life before it, and was not made before
/// `not_before`.
pub(super) fn fresh(outside: &Outside, subject: &Subject, not_before: Timestamp) -> Result<Token> {
    let (now, wanted) = (outside.now.0.div_euclid(1000), facts(outside, subject)?);
    let id = subject.session.id.as_str().to_owned();
    let key = (id, origin(outside).unwrap_or_default().to_owned());
    let half = i64::from(outside.instance.settings.token.lifetime_seconds) / 2;
    let tokens = || outside.world.fresh_tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_fresh = |known: &&Fresh| {
        known.facts == wanted
            && (0..=half).contains(&(now - known.iat))
            && known.iat >= not_before.0.div_euclid(1000)
    };
    let known = tokens().get(&key).filter(is_fresh).map(|known| known.jwt.clone());
    if let Some(jwt) = known {
        return Ok(Token { object: Tag::new(), jwt });
    }
    let jwt = mint(outside, subject)?;
    let mut tokens = tokens();
    if tokens.len() >= REMEMBERED_MAX {
        tokens.retain(|_, known| (0..=half).contains(&(now - known.iat)));
        if tokens.len() >= REMEMBERED_MAX {
            tokens.clear();
        }
    }
    tokens.insert(key, Fresh { facts: wanted, jwt: jwt.clone(), iat: now });
    Ok(Token { object: Tag::new(), jwt })
}

/// All that a token says besides the time, put together so that two can be compared.
fn facts(outside: &Outside, subject: &Subject) -> Result<String> {
    let policy = &outside.instance.settings.token;
    let Subject { session, user } = subject;
    let proven = [session.first_factor_verified_at, session.second_factor_verified_at];
    let custom = if policy.claims.is_empty() {
        String::new()
    } else {
        // What claims are made of is in these, or changes them.
        let changed = user.as_ref().map(|user| (user.updated_at.0, user.last_sign_in_at));
        serde_json::to_string(&(&policy.claims, changed, session.updated_at))?
    };
    Ok(format!(
        "{} {} {} {proven:?} {:?} {:?} {} {custom}",
        outside.instance.signer.kid,
        policy.claims_version,
        policy.lifetime_seconds,
        session.last_active_organization_id,
        session.actor(),
        session.status(outside.now),
    ))
}
