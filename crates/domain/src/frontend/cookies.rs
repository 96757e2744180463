//! Cookies and headers that tell a browser or an app who it is.

use wire::Meta;

use super::{answer::tells_client, client_state::ClientState, clients::COOKIE_SECONDS};
use crate::{Outside, Result, answer::Reply, visitors::own_domain};

/// Adds to `reply` what a visitor has to keep.
///
/// Developers' browsers keep nothing: their token stays, whatever client it means.
pub(super) fn set(outside: &Outside, meta: &Meta, reply: &mut Reply) -> Result<()> {
    let is_signed_out = tells_client(meta) && reply.visit.state.is_none();
    set_client(outside, reply, !is_signed_out)?;
    // In development the official scripts write it themselves.
    let is_told = tells_client(meta) || reply.visit.state.is_some();
    if is_told && !outside.instance.is_development() {
        set_updated_at(outside, reply);
    }
    Ok(())
}

/// The token of the client: in a cookie, or in the header of an app, which has it repeated.
pub(super) fn set_client(outside: &Outside, reply: &mut Reply, known: bool) -> Result<()> {
    let Some(visitor) = outside.caller.visitor() else { return Ok(()) };
    let cookie = reply.visit.cookie.take();
    let token = cookie.map(|cookie| cookie.sign(&outside.instance)).transpose()?;
    if visitor.is_native {
        let kept = visitor.token.clone().filter(|_| visitor.key.is_some() && known);
        reply.headers.extend(token.or(kept).map(|token| ("authorization", token)));
        return Ok(());
    }
    if outside.instance.has_dev_browsers() {
        return Ok(());
    }
    if let Some(token) = token {
        reply.cookies.push(cookie_of(outside, "__client", &token, COOKIE_SECONDS, "; HttpOnly"));
    } else if reply.visit.forgotten {
        reply.cookies.push(cookie_of(outside, "__client", "", 0, "; HttpOnly"));
    }
    Ok(())
}

/// Tells servers of the app that who is signed in has changed.
fn set_updated_at(outside: &Outside, reply: &mut Reply) {
    let Some(visitor) = outside.caller.visitor().filter(|visitor| !visitor.is_native) else {
        return;
    };
    let domain = domain(&visitor.host, &outside.instance.frontend_host);
    let more = domain.map_or_else(String::new, |domain| format!("; Domain={domain}"));
    let value = updated_at(outside, reply.visit.state.as_deref()).to_string();
    let suffixed = format!("__client_uat_{}", outside.instance.cookie_suffix());
    for name in ["__client_uat", &suffixed] {
        reply.cookies.push(cookie_of(outside, name, &value, COOKIE_SECONDS, &more));
    }
}

/// A whole `Set-Cookie` value.
pub(super) fn cookie_of(
    outside: &Outside,
    name: &str,
    value: &str,
    seconds: i64,
    more: &str,
) -> String {
    let secure = if outside.world.public_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/{more}{secure}; SameSite=Lax; Max-Age={seconds}")
}

/// Seconds at which the client last changed; 0 if nobody is signed in.
fn updated_at(outside: &Outside, state: Option<&ClientState>) -> i64 {
    let signed_in = state.filter(|state| !state.sessions.is_empty());
    // Never ahead of the token, or the official SDK would not believe it.
    signed_in.map_or(0, |state| state.client.updated_at.min(outside.now).0.div_euclid(1000))
}

/// The domain that a cookie for the whole app has. None where the Frontend API is reached under
/// another host, such as the app's own: the cookie is that host's alone then.
fn domain<'h>(host: &str, frontend_host: &'h str) -> Option<&'h str> {
    let domain = own_domain(frontend_host);
    let is_own = host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'));
    (is_own && domain.contains('.')).then_some(domain)
}
