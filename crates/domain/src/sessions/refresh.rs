//! Refreshing: a session token that is used up, and a refresh token, for a fresh session token.

use db::{Column as _, Record as _, Value};
use url::Url;
use wire::{
    Patch, Tag, Timestamp,
    backend::sessions::{Cookies, RefreshFormat, RefreshSession, SessionId, SessionRefresh, Token},
    refusal,
};

use super::SessionRow;
use crate::{
    Cx, Outside, Result,
    clients::ClientRow,
    seal::digest_of_secret,
    session_tokens::{self, Claimed, Subject, mint},
    users::UserRow,
    visitors,
};

/// A token that was made longer ago is not exchanged; nor is it remembered that it was.
const AGE_SECONDS_MAX: i64 = 24 * 3600;
/// Refresh tokens of a session.
const TOKENS_MAX: i64 = 20;
/// Cookies outlive the tokens in them: the official SDK asks to have an expired one renewed.
const COOKIE_SECONDS: i64 = 315_360_000;

/// Exchange a session token that is used up for a fresh one.
///
/// What is wrong is said in the order of the API's list of codes; all of them are 401.
pub(super) async fn refresh(outside: &Outside, request: RefreshSession) -> Result<SessionRefresh> {
    let format = match request.format {
        Patch::Set(RefreshFormat::Other(_)) => {
            let reason = "format must be one of token, cookie.";
            let refusal = refusal::form_param_value_invalid();
            return Err(refusal.because(reason).param("format").into());
        }
        Patch::Set(format) => format,
        Patch::Keep | Patch::Clear => RefreshFormat::Token,
    };
    let origin =
        origin(&request.request_origin).ok_or_else(refusal::refresh_request_origin_invalid)?;
    let claimed = session_tokens::read(&outside.instance, &request.expired_token)
        .ok_or_else(refusal::expired_session_token_invalid)?;
    let azp = claimed.azp.as_deref().ok_or_else(refusal::expired_session_token_missing_azp)?;
    if azp != origin {
        return Err(refusal::refresh_request_origin_azp_mismatch().into());
    }
    // A token that is answered alone leaves its refresh token in the browser's cookie.
    let next = (format == RefreshFormat::Cookie).then(|| outside.world.secret());
    let exchange = Exchange {
        session_id: request.session_id,
        claimed,
        refresh_digest: digest_of_secret(&request.refresh_token),
        next_digest: next.as_deref().map(digest_of_secret),
    };
    let (subject, signed_in_at) = outside.write(renew, exchange).await?;
    let lifetime = outside.instance.settings.token.lifetime_seconds;
    let jwt = mint(outside, &subject, lifetime, Some(&origin))?;
    let Some(next) = next else {
        return Ok(SessionRefresh::Token(Token { object: Tag::new(), jwt }));
    };
    let both = request.suffixed_cookies == Some(true);
    let cookies = cookies(outside, &origin, both, &jwt, &next, signed_in_at);
    Ok(SessionRefresh::Cookies(Cookies { object: Tag::new(), cookies }))
}

/// `https://app.example.com` as browsers write it, or nothing.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let origin = url.origin().ascii_serialization();
    (matches!(url.scheme(), "http" | "https") && origin == text).then_some(origin)
}

/// What is exchanged, its signature and origin being good.
#[derive(Clone)]
struct Exchange {
    session_id: SessionId,
    claimed: Claimed,
    refresh_digest: String,
    /// Digest of the refresh token that follows, where one follows.
    next_digest: Option<String>,
}

/// Takes what is exchanged, once. Also says when the client's sessions last changed.
async fn renew(cx: &mut Cx, exchange: Exchange) -> Result<(Subject, Timestamp)> {
    let Exchange { session_id, claimed, refresh_digest, next_digest } = exchange;
    let session = SessionRow::find(&mut cx.tx, &session_id).await?;
    let session = session.ok_or_else(refusal::session_refresh_session_not_found)?;
    if !session.is_live(cx.now) {
        return Err(refusal::session_refresh_inactive_session().into());
    }
    match claimed.sid.as_deref() {
        None => return Err(refusal::expired_session_token_missing_sid().into()),
        Some(sid) if sid != session.id.as_str() => {
            return Err(refusal::refresh_sid_mismatch().into());
        }
        Some(_) => {}
    }
    let known = RefreshTokenRow::select(&cx.tx)
        .filter(
            "digest = ? and session_id = ?",
            [Value::Text(refresh_digest), session.id.to_value()],
        )
        .first(&mut cx.tx)
        .await?
        .ok_or_else(refusal::refresh_token_not_found)?;
    let user = UserRow::find(&mut cx.tx, &session.user_id).await?.filter(|user| !user.banned);
    let user = user.ok_or_else(refusal::session_refresh_user_not_found)?;
    consume(cx, &session, &claimed).await?;
    if claimed.sub.as_deref() != Some(user.id.as_str()) {
        return Err(refusal::session_refresh_session_token_ineligible().into());
    }
    if let Some(digest) = next_digest {
        known.delete(&mut cx.tx).await?;
        remember(cx, &session.id, digest).await?;
    }
    let client = ClientRow::find(&mut cx.tx, &session.client_id).await?;
    let signed_in_at = client.map_or(session.created_at, |client| client.updated_at);
    let subject = session_tokens::subject_of_token(cx, session.id).await?;
    Ok((subject, signed_in_at))
}

/// Notes that a session token was exchanged; each is exchanged once.
async fn consume(cx: &mut Cx, session: &SessionRow, claimed: &Claimed) -> Result<()> {
    let now = cx.now.0.div_euclid(1000);
    let Some(iat) = claimed.iat else {
        return Err(refusal::session_refresh_expired_session_token_missing_iat().into());
    };
    if iat < now - AGE_SECONDS_MAX {
        return Err(refusal::session_refresh_expired_session_token_too_old().into());
    }
    let Some(jti) = &claimed.jti else {
        return Err(refusal::session_refresh_session_token_ineligible().into());
    };
    let old = "delete from consumed_tokens where instance_id = $1 and session_id = $2
               and forget_at < $3";
    let (instance, session) = (Value::Text(cx.instance_id()), session.id.to_value());
    cx.tx.execute(old, vec![instance.clone(), session.clone(), Value::Int(now * 1000)]).await?;
    let sql = "insert into consumed_tokens (id, instance_id, session_id, forget_at)
               values ($1, $2, $3, $4) on conflict (id) do nothing returning id";
    let id = format!("{}:{jti}", claimed.sid.as_deref().unwrap_or_default());
    let forget_at = Value::Int((iat + AGE_SECONDS_MAX) * 1000);
    let taken = cx.tx.rows(sql, vec![Value::Text(id), instance, session, forget_at]).await?;
    if taken.is_empty() {
        return Err(refusal::session_refresh_expired_session_token_consumed().into());
    }
    Ok(())
}

/// A new refresh token of a session. Each app on which the session is used has its own; what is
/// older than many others is not in use any more.
pub(crate) async fn issue(cx: &mut Cx, session_id: &SessionId) -> Result<String> {
    let sql = "delete from refresh_tokens where instance_id = $1 and session_id = $2
               and digest not in (select digest from refresh_tokens
                   where instance_id = $1 and session_id = $2 order by created_at desc limit $3)";
    let instance = Value::Text(cx.instance_id());
    let values = vec![instance, session_id.to_value(), Value::Int(TOKENS_MAX - 1)];
    cx.tx.execute(sql, values).await?;
    let token = cx.secret();
    remember(cx, session_id, digest_of_secret(&token)).await?;
    Ok(token)
}

/// Stores the digest of a refresh token of a session.
pub(super) async fn remember(cx: &mut Cx, session_id: &SessionId, digest: String) -> Result<()> {
    let row = RefreshTokenRow {
        digest,
        instance_id: cx.instance_id(),
        session_id: session_id.clone(),
        created_at: cx.now,
    };
    Ok(row.insert(&mut cx.tx).await?)
}

#[derive(macros::Record)]
#[record(table = "refresh_tokens")]
struct RefreshTokenRow {
    digest: String,
    instance_id: String,
    session_id: SessionId,
    created_at: Timestamp,
}

/// Whole `Set-Cookie` values. Plain ones first: the official SDK reads the last `__session`.
fn cookies(
    outside: &Outside,
    origin: &str,
    both: bool,
    jwt: &str,
    refresh_token: &str,
    signed_in_at: Timestamp,
) -> Vec<String> {
    let suffix = outside.instance.cookie_suffix();
    let secure = if origin.starts_with("https:") { "; Secure" } else { "" };
    let cookie = |name: &str, value: &str, flags: &str| {
        format!("{name}={value}; Path=/{flags}{secure}; SameSite=Lax; Max-Age={COOKIE_SECONDS}")
    };
    // Never ahead of the token, or the official SDK would not believe it.
    let seconds = signed_in_at.min(outside.now).0.div_euclid(1000).to_string();
    // As the Frontend API sets it, or there would be two.
    let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
    let shared = visitors::shared(&outside.instance, host.as_deref().unwrap_or_default());
    let mut cookies = vec![cookie("__client_uat", &seconds, &shared), cookie("__session", jwt, "")];
    if both {
        cookies.push(cookie(&format!("__client_uat_{suffix}"), &seconds, &shared));
        cookies.push(cookie(&format!("__session_{suffix}"), jwt, ""));
    }
    cookies.push(cookie(&format!("__refresh_{suffix}"), refresh_token, "; HttpOnly"));
    cookies
}
