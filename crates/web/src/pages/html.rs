//! Pages: templates, headers, and the files they need.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};

pub(crate) use domain::messages::escape;

use super::scripts::matches;
use crate::authenticate::{host, without_port};

/// Files of our own pages; they change with the program only.
const ASSETS: [(&str, &str, &str); 6] = [
    ("pages.css", "text/css; charset=utf-8", include_str!("../../assets/pages.css")),
    ("start.js", SCRIPT, include_str!("../../assets/start.js")),
    ("inbox.js", SCRIPT, include_str!("../../assets/inbox.js")),
    ("portal.css", "text/css; charset=utf-8", include_str!("../../assets/portal.css")),
    ("portal.js", SCRIPT, include_str!("../../assets/portal.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What a page of ours may do: nothing but what comes from its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// `template` with each `{{name}}` replaced by what `values` has for it, as it is.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or(("", after));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A page made of a template, under the policy of our own pages.
pub(crate) fn page(status: StatusCode, body: String) -> Response<Body> {
    page_under(status, body, POLICY)
}

/// A page under a policy of its own.
pub(crate) fn page_under(status: StatusCode, body: String, policy: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let pairs = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in pairs {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page that says one thing; `advice` is HTML.
pub(crate) fn notice(
    status: StatusCode,
    prefix: &str,
    title: &str,
    advice: &str,
) -> Response<Body> {
    page(status, notice_text(prefix, title, advice))
}

/// The same, with a form that is sent to this server.
pub(crate) fn notice_with_form(
    status: StatusCode,
    prefix: &str,
    title: &str,
    advice: &str,
) -> Response<Body> {
    let policy = POLICY.replace("form-action 'none'", "form-action 'self'");
    page_under(status, notice_text(prefix, title, advice), &policy)
}

fn notice_text(prefix: &str, title: &str, advice: &str) -> String {
    let template = include_str!("../../assets/notice.html");
    let (prefix, title) = (escape(prefix), escape(title));
    let values = [("prefix", &*prefix), ("title", &*title), ("advice", advice)];
    fill(template, &values)
}

/// A file of our own pages.
pub(crate) fn asset(name: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let (_, kind, text) = ASSETS.iter().find(|(known, ..)| *known == name)?;
    let tag = format!("\"{}\"", env!("CARGO_PKG_VERSION").to_owned() + &fingerprint(text));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| matches(known, &tag));
    let mut response = Response::new(Body::from(if is_known { "" } else { *text }));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

/// Tells two texts apart; of no use against forgers.
fn fingerprint(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut shown = String::new();
    let _ = write!(shown, "-{hash:016x}");
    shown
}

/// True if the request names the server by an address, or by a name that no stranger can own.
///
/// Else a page of somebody else's could point a name of its own at this machine, and read as its
/// own what only this machine's people should see.
pub(crate) fn is_named_locally(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return false;
    };
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let is_address = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok();
    let reserved = [".localhost", ".internal", ".test", ".clerk.accounts.dev"];
    is_address || !name.contains('.') || reserved.iter().any(|end| name.ends_with(end))
}

/// What others are told.
pub(crate) fn elsewhere() -> Response<Body> {
    let text = "<p>Open this page as <code>localhost</code>, or by the server’s address: it shows \
                secrets of development.</p>";
    notice(StatusCode::FORBIDDEN, "", "Not under this name", text)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{escape, fill, is_named_locally};

    #[test]
    fn templates_take_what_they_name() {
        let text = "<a href=\"{{url}}\">{{text}}{{nothing}}</a> {{";
        let filled = fill(text, &[("url", "/x"), ("text", &escape("a<b>{{url}}"))]);
        assert_eq!(filled, "<a href=\"/x\">a&lt;b&gt;{{url}}</a> ");
    }

    #[test]
    fn a_name_that_a_stranger_can_own_is_not_local() {
        let asked = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            is_named_locally(&headers)
        };
        for host in [
            "localhost:8787",
            "127.0.0.1",
            "[::1]:8787",
            "LOCALHOST.",
            "app.localhost:1",
            "vestry:8787",
            "host.docker.internal:8787",
            "10.0.0.3",
            "a-b-1.clerk.accounts.dev",
        ] {
            assert!(asked(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:8787",
            "127.0.0.1.evil.example",
            "evil.example.",
        ] {
            assert!(!asked(host), "{host}");
        }
        assert!(!is_named_locally(&HeaderMap::new()));
    }
}
