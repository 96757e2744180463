//! The account portal: pages made of the official components, for apps that have none of their own.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use domain::{Instance, Result, World, destinations};

use super::{
    Asked, COMPONENTS, Pages,
    html::{escape, fill, notice, page_under},
};

/// Pages by the first part of their paths, and their titles.
const PORTAL: [(&str, &str); 5] = [
    ("sign-in", "Sign in"),
    ("sign-up", "Sign up"),
    ("user", "Your account"),
    ("waitlist", "Join the waitlist"),
    ("unauthorized", "No access"),
];
/// Scripts of the newest line, and of the one before.
const NEW: &str = "@clerk/clerk-js@6/dist/clerk.browser.js @clerk/ui@1/dist/ui.browser.js";
const OLD: &str = "@clerk/clerk-js@5/dist/clerk.browser.js";

/// Styles of the field for codes, which the components forget to number: an empty sheet that they
/// fill later, and a caret that blinks. Only these very texts are let in.
const STYLES: &str = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' \
                      'sha256-KQDhUccuEkZUQDnfbVDeY+ev2LZ+73AQR7ro4JppAY8='";

/// The page that a path asks for: `/sign-in`, `/sign-in/factor-one`.
pub(crate) fn page_of(path: &str) -> Option<(&'static str, &'static str)> {
    let first = path.strip_prefix('/')?.split('/').next()?;
    PORTAL.into_iter().find(|(name, _)| *name == first)
}

/// A page of the portal of `instance`.
pub(crate) async fn serve(
    pages: &Pages,
    world: &Arc<World>,
    instance: &Instance,
    (name, title): (&'static str, &'static str),
    asked: &Asked<'_>,
) -> Result<Response<Body>> {
    if let Some(query) = without_strangers(instance, asked.query) {
        return Ok(elsewhere(asked, &query));
    }
    let now = (world.seeds.clock)().0;
    let scripts = if pages.scripts.has(&COMPONENTS, now).await {
        NEW
    } else if pages.scripts.has(&[("@clerk/clerk-js", "5")], now).await {
        OLD
    } else {
        let advice = include_str!("../../assets/no_scripts.html");
        return Ok(notice(StatusCode::SERVICE_UNAVAILABLE, asked.prefix, title, advice));
    };
    let nonce = format!("{:032x}", (world.seeds.rng)());
    let prefix = escape(asked.prefix);
    let preloads = scripts.split(' ').map(|script| {
        fill(include_str!("../../assets/preload.html"), &[("prefix", &prefix), ("script", script)])
    });
    let preloads: String = preloads.collect();
    let content = match name {
        "unauthorized" => {
            fill(include_str!("../../assets/unauthorized.html"), &[("prefix", &prefix)])
        }
        _ => String::new(),
    };
    let shown: [(&str, &str); 10] = [
        ("prefix", &prefix),
        ("title", title),
        ("page", name),
        ("publishable_key", &escape(&instance.publishable_key())),
        ("frontend_host", &escape(&instance.frontend_host)),
        ("scripts", scripts),
        ("preloads", &preloads),
        ("nonce", &nonce),
        ("origins", &escape(&instance.settings.allowed_origins.join(" "))),
        ("content", &content),
    ];
    let body = fill(include_str!("../../assets/portal.html"), &shown);
    let has_captchas = instance.settings.bot_protection().is_some();
    Ok(page_under(StatusCode::OK, body, &policy(&nonce, has_captchas)))
}

/// The components write their own styles, and are known by a number used once. Captchas, where
/// they are enabled, are a script of others and a frame.
fn policy(nonce: &str, has_captchas: bool) -> String {
    let captchas = if has_captchas { " https://challenges.cloudflare.com" } else { "" };
    let frames = if has_captchas { captchas } else { " 'none'" };
    format!(
        "default-src 'none'; script-src 'self'{captchas}; frame-src{frames}; \
         style-src 'self' 'nonce-{nonce}' {STYLES}; \
         img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

/// The query without addresses that nobody may be sent to; nothing if there are none.
fn without_strangers(instance: &Instance, query: &str) -> Option<String> {
    let allowed = |name: &str, value: &str| {
        !name.ends_with("_url") || value.is_empty() || destinations::is_allowed(instance, value)
    };
    let pairs = || form_urlencoded::parse(query.as_bytes());
    if pairs().all(|(name, value)| allowed(&name, &value)) {
        return None;
    }
    let kept = pairs().filter(|(name, value)| allowed(name, value));
    Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish())
}

/// The same page, asked for without what is not allowed.
fn elsewhere(asked: &Asked<'_>, query: &str) -> Response<Body> {
    let mut place = format!("{}{}", asked.prefix, asked.path);
    if !query.is_empty() {
        place.push('?');
        place.push_str(query);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(place) = HeaderValue::from_str(&place) {
        headers.insert(header::LOCATION, place);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{page_of, policy};

    #[test]
    fn captchas_are_let_in_where_there_are_some() {
        let without = policy("nonce", false);
        assert!(without.contains("script-src 'self'; frame-src 'none'; "), "{without}");
        let with = policy("nonce", true);
        let widget = "https://challenges.cloudflare.com";
        let both = format!("script-src 'self' {widget}; frame-src {widget}; ");
        assert!(with.contains(&both), "{with}");
    }

    #[test]
    fn pages_have_paths_below_them() {
        for path in ["/sign-in", "/sign-in/", "/sign-in/factor-one", "/user/security"] {
            assert!(page_of(path).is_some(), "{path}");
        }
        for path in ["/", "/sign-ins", "/v1/sign-in", "sign-in", "/users"] {
            assert_eq!(page_of(path), None, "{path}");
        }
    }
}
