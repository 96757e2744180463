//! Handshakes: an app's server that cannot tell who is signed in sends the browser here, and gets
//! it back with cookies for the app.
//!
//! The cookies do not travel with the browser but wait under a nonce; only servers that know of no
//! nonces get them in a signed token. To developers' apps, which may be of any site, either goes in
//! the address of the page; to production apps in a cookie of the domain that both share.

use db::{Column as _, Record as _};
use serde_json::json;
use url::Url;
use wire::{
    NoContent, Timestamp,
    frontend::handshakes::{HandshakeClient, TouchClient},
    refusal,
};

use super::{
    clients::{self, COOKIE_SECONDS},
    cookies, dev_browsers,
};
use crate::{
    Cx, Error, Instance, Operations, Outside, Result,
    clients::ClientRow,
    destinations, domains, handshakes,
    session_tokens::{self, Category, Subject},
    sessions::{self, refresh},
    visitors,
};

/// Cookies of the app outlive the tokens in them: its server has expired ones renewed.
const APP_SECONDS: i64 = 315_360_000;
/// How long what a production app resolves waits in its cookie.
const CARRIED_SECONDS: i64 = 60;
/// More than a token of a developer's browser has.
const DEV_BROWSER_BYTES_MAX: usize = 100;
/// What a page's address or cookie carries to the app's server: a nonce, or a token.
const CARRIERS: [&str; 2] = ["__clerk_handshake_nonce", "__clerk_handshake"];

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(handshake).offer_visitor_outside(touch)
}

/// Send a browser back to its app, with cookies for the app's server.
async fn handshake(outside: &Outside, request: HandshakeClient) -> Result<NoContent> {
    let met = outside.write(meet, request.redirect_url).await?;
    let has_nonce = request.format.as_deref() == Some("nonce");
    let is_suffixed = request.suffixed_cookies.as_deref() == Some("true");
    let site = Site::new(outside, &met.page);
    let names = if has_nonce || site.carried.is_none() {
        Names::Both
    } else if is_suffixed {
        // A cookie has no room for more.
        Names::Suffixed
    } else {
        Names::Plain
    };
    let directives = directives(outside, &met, &site, names)?;
    let (carrier, value) = if has_nonce {
        (CARRIERS[0], outside.write(handshakes::keep, directives).await?)
    } else {
        let claims = json!({ "handshake": directives });
        (CARRIERS[1], session_tokens::sign(outside, Category::Session, &claims)?)
    };
    let mut page = met.page;
    match &site.carried {
        Some(domain) => {
            let more = format!("{domain}; HttpOnly");
            let cookie = site.cookie(carrier, &value, CARRIED_SECONDS, &more);
            outside.with_reply(|reply| reply.cookies.push(cookie));
        }
        None => carry(&mut page, carrier, &value),
    }
    Ok(send(outside, page))
}

/// Send a browser back to its app, with a client cookie that lasts.
async fn touch(outside: &Outside, request: TouchClient) -> Result<NoContent> {
    let (page, is_known) = outside.write(extend, request.redirect_url).await?;
    let token = outside.caller.visitor().and_then(|visitor| visitor.token.as_deref());
    if let Some(token) = token.filter(|_| is_known) {
        let more = "; HttpOnly";
        let cookie = cookies::cookie_of(outside, "__client", token, COOKIE_SECONDS, more);
        outside.with_reply(|reply| reply.cookies.push(cookie));
    }
    Ok(send(outside, page))
}

fn send(outside: &Outside, page: Url) -> NoContent {
    outside.with_reply(|reply| {
        reply.status = Some(307);
        reply.headers.push(("location", page.into()));
    });
    NoContent
}

/// True if the visitor's cookie lasts for longer now.
async fn extend(cx: &mut Cx, redirect_url: String) -> Result<(Url, bool)> {
    let page = page(cx, &redirect_url).await?;
    let is_by_cookie =
        cx.caller.visitor().is_some_and(|visitor| !visitor.is_native && visitor.token.is_some());
    if !is_by_cookie || cx.instance.has_dev_browsers() {
        return Ok((page, false));
    }
    let Some(mut client) = client(cx).await? else { return Ok((page, false)) };
    client.cookie_expires_at = Some(Timestamp(cx.now.0 + COOKIE_SECONDS * 1000));
    client.update(&mut cx.tx).await?;
    Ok((page, true))
}

/// A visitor, and where it shall go.
struct Met {
    page: Url,
    /// The token of a developer's browser.
    dev_browser: Option<String>,
    signed_in: Option<SignedIn>,
}

/// Who is signed in.
struct SignedIn {
    subject: Subject,
    /// When sessions of the client last changed.
    updated_at: Timestamp,
    refresh_token: String,
}

async fn meet(cx: &mut Cx, redirect_url: String) -> Result<Met> {
    let page = page(cx, &redirect_url).await?;
    let (dev_browser, is_known) = dev_browser(cx).await?;
    let client = if is_known { client(cx).await? } else { None };
    let signed_in = match client {
        Some(client) => signed_in(cx, &client).await?,
        None => None,
    };
    Ok(Met { page, dev_browser, signed_in })
}

/// The token of a developer's browser, a new one where none is known; and whether the visitor's
/// client may be looked up.
async fn dev_browser(cx: &mut Cx) -> Result<(Option<String>, bool)> {
    if !cx.instance.is_development() {
        return Ok((None, true));
    }
    let shown = cx.caller.visitor().and_then(|visitor| visitor.dev_browser.clone());
    if !cx.instance.has_dev_browsers() {
        // Servers of apps want one all the same. It becomes part of a line of cookies.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let shown =
            shown.filter(|text| text.len() <= DEV_BROWSER_BYTES_MAX && text.bytes().all(is_plain));
        return Ok((Some(shown.unwrap_or_else(|| format!("dvb_{}", cx.secret()))), true));
    }
    if let Some(token) = shown {
        match clients::must_be_known(cx).await {
            Ok(()) => return Ok((Some(token), true)),
            Err(Error::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((Some(dev_browsers::insert(cx).await?), false))
}

async fn client(cx: &mut Cx) -> Result<Option<ClientRow>> {
    let Some(whose) = clients::whose(cx) else { return Ok(None) };
    let row = ClientRow::select(&cx.tx).filter(&format!("id = {}", whose.sql), whose.values);
    Ok(row.first(&mut cx.tx).await?)
}

/// The session that a client last used, and a refresh token for it.
async fn signed_in(cx: &mut Cx, client: &ClientRow) -> Result<Option<SignedIn>> {
    let live = sessions::live(cx).filter("client_id = ?", [client.id.to_value()]);
    let rows = live.order("position desc").all(&mut cx.tx).await?;
    let last = rows.iter().find(|row| Some(&row.id) == client.last_active_session_id.as_ref());
    let Some(session) = last.or(rows.first()) else { return Ok(None) };
    let subject = match session_tokens::subject_of_token(cx, session.id.clone()).await {
        Ok(subject) => subject,
        // Its user may not go on.
        Err(Error::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let refresh_token = refresh::issue(cx, &session.id).await?;
    Ok(Some(SignedIn { subject, updated_at: client.updated_at, refresh_token }))
}

/// The page to go back to, if it is one of the instance's.
///
/// Its parts are compared, not its text: what begins like an own page may be somebody else's.
async fn page(cx: &mut Cx, text: &str) -> Result<Url> {
    if let Some(url) = read(text)
        && is_own(cx, text, &url).await?
    {
        return Ok(url);
    }
    let reason = "redirect_url must be a page of this application.";
    Err(refusal::invalid_redirect_url().because(reason).param("redirect_url").into())
}

async fn is_own(cx: &mut Cx, text: &str, url: &Url) -> Result<bool> {
    let is_live = !cx.instance.is_development() && url.scheme() == "https";
    Ok(destinations::is_allowed(&cx.instance, text)
        || is_live && domains::is_own(cx, url.host_str().unwrap_or_default()).await?)
}

/// The address of a page. Browsers read some letters as others, which no page needs.
fn read(text: &str) -> Option<Url> {
    let is_plain = |letter: char| letter != '\\' && letter != ' ' && !letter.is_control();
    let mut url = Url::parse(text).ok().filter(|_| text.chars().all(is_plain))?;
    url.set_fragment(None);
    let is_page = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_page && is_bare).then_some(url)
}

/// Replaces a parameter of the page's address.
fn carry(page: &mut Url, name: &str, value: &str) {
    let is_old = |name: &str| CARRIERS.contains(&name) || name == "__clerk_db_jwt";
    if page.query_pairs().any(|(name, _)| is_old(&name)) {
        let others: Vec<_> = page.query_pairs().into_owned().filter(|(n, _)| !is_old(n)).collect();
        page.query_pairs_mut().clear().extend_pairs(others);
    }
    page.query_pairs_mut().append_pair(name, value);
}

/// How the app's cookies are set.
struct Site {
    secure: &'static str,
    /// What makes a cookie one of all hosts of the app.
    shared: String,
    /// What makes a cookie reach the app that is set here; nothing if none does.
    carried: Option<String>,
}

impl Site {
    fn new(outside: &Outside, page: &Url) -> Self {
        let secure = if page.scheme() == "https" { "; Secure" } else { "" };
        if outside.instance.is_development() {
            return Self { secure, shared: String::new(), carried: None };
        }
        let here = outside.caller.visitor().map(|visitor| visitor.host.clone()).unwrap_or_default();
        let there = page.host_str().unwrap_or_default();
        let shared = visitors::shared(&outside.instance, there);
        let is_of_all = !shared.is_empty() && visitors::shared(&outside.instance, &here) == shared;
        let carried =
            if is_of_all { Some(shared.clone()) } else { (here == there).then(String::new) };
        Self { secure, shared, carried }
    }

    fn cookie(&self, name: &str, value: &str, seconds: i64, more: &str) -> String {
        let secure = self.secure;
        format!("{name}={value}; Path=/{more}{secure}; SameSite=Lax; Max-Age={seconds}")
    }

    fn removal(&self, name: &str, more: &str) -> String {
        self.cookie(name, "", 0, more)
    }
}

/// Which of an app's cookies are written.
#[derive(Clone, Copy)]
enum Names {
    Plain,
    Suffixed,
    Both,
}

impl Names {
    /// The official SDK takes the last one for what counts.
    fn of(self, name: &str, instance: &Instance) -> Vec<String> {
        let suffixed = format!("{name}_{}", instance.cookie_suffix());
        match self {
            Self::Plain => vec![name.to_owned()],
            Self::Suffixed => vec![suffixed],
            Self::Both => vec![name.to_owned(), suffixed],
        }
    }
}

/// Whole `Set-Cookie` values for the app's server to repeat.
fn directives(outside: &Outside, met: &Met, site: &Site, names: Names) -> Result<Vec<String>> {
    let instance = &outside.instance;
    let refresh = format!("__refresh_{}", instance.cookie_suffix());
    let mut lines = Vec::new();
    if let Some(domain) = &site.carried {
        // Nobody else removes what is resolved, and it would be resolved again and again.
        let more = format!("{domain}; HttpOnly");
        lines.extend(CARRIERS.map(|name| site.removal(name, &more)));
    }
    if let Some(token) = &met.dev_browser {
        for name in names.of("__clerk_db_jwt", instance) {
            lines.push(site.cookie(&name, token, COOKIE_SECONDS, ""));
        }
    }
    // Never ahead of the token, or the official SDK would not believe it.
    let seconds = |one: &SignedIn| one.updated_at.min(outside.now).0.div_euclid(1000);
    let updated_at = met.signed_in.as_ref().map_or(0, seconds).to_string();
    for name in names.of("__client_uat", instance) {
        lines.push(site.cookie(&name, &updated_at, APP_SECONDS, &site.shared));
    }
    let Some(SignedIn { subject, refresh_token, .. }) = &met.signed_in else {
        lines.push(site.removal(&refresh, "; HttpOnly"));
        lines.extend(names.of("__session", instance).iter().map(|name| site.removal(name, "")));
        return Ok(lines);
    };
    lines.push(site.cookie(&refresh, refresh_token, APP_SECONDS, "; HttpOnly"));
    let lifetime = instance.settings.token.lifetime_seconds;
    let origin = met.page.origin().ascii_serialization();
    let jwt = session_tokens::mint(outside, subject, lifetime, Some(&origin))?;
    for name in names.of("__session", instance) {
        lines.push(site.cookie(&name, &jwt, APP_SECONDS, ""));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::{carry, read};

    #[test]
    fn web_05_addresses_that_are_read_in_two_ways_are_none() {
        for text in [
            "",
            "/",
            "//example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://example.com/",
            "https://user@example.com/",
            "https://user:secret@example.com/",
            "https://example.com\\@evil.example/",
            "https:\\\\evil.example",
            "https://exa mple.com/",
            "https://example.com/\r\nset-cookie: a=b",
            "my-app://callback",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let page = read("https://example.com/a?b#c").expect("a page");
        assert_eq!(page.as_str(), "https://example.com/a?b");
    }

    #[test]
    fn what_an_address_carries_is_there_once() {
        let mut page = read("http://localhost:3000/a?b=c%20d&__clerk_handshake=x&__clerk_db_jwt=y")
            .expect("a page");
        carry(&mut page, "__clerk_handshake_nonce", "n");
        assert_eq!(page.as_str(), "http://localhost:3000/a?b=c+d&__clerk_handshake_nonce=n");
        let mut page = read("http://localhost:3000/a?b=c%20d").expect("a page");
        carry(&mut page, "__clerk_handshake_nonce", "n");
        assert_eq!(page.as_str(), "http://localhost:3000/a?b=c%20d&__clerk_handshake_nonce=n");
    }
}
