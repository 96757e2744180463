//! The interstitial: a page that loads the browser's SDK, for servers of old SDKs that cannot tell
//! whether somebody is signed in.
//!
//! It runs scripts on the server's own origin, so it loads them from the instance's own hosts only,
//! whatever the query says.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::Url;
use wire::{Html, Refusal, backend::interstitial::GetPublicInterstitial, refusal};

use crate::{
    Cx, Operations, Result,
    domains::{self, DomainRow},
    instances, messages,
};

/// Reads what the page's body says, and starts the SDK. A page that loaded once is asked for again,
/// with the cookies that the SDK has set.
const SCRIPT: &str = "(() => {
  const said = document.body.dataset;
  const script = document.createElement('script');
  script.async = true;
  script.crossOrigin = 'anonymous';
  script.setAttribute('data-clerk-publishable-key', said.publishableKey);
  if (said.proxyUrl) script.setAttribute('data-clerk-proxy-url', said.proxyUrl);
  if (said.domain) script.setAttribute('data-clerk-domain', said.domain);
  script.addEventListener('load', async () => {
    const options = { isInterstitial: true, isSatellite: Boolean(said.domain) };
    if (said.signInUrl) options.signInUrl = said.signInUrl;
    await window.Clerk.load(options);
    window.location.reload();
  });
  script.src = said.script;
  document.body.append(script);
})();";

/// Where the Frontend API has the browser's SDK.
const SCRIPT_PATH: &str = "/npm/@clerk/clerk-js@5/dist/clerk.browser.js";

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(get)
}

/// The page for an instance.
async fn get(cx: &mut Cx, request: GetPublicInterstitial) -> Result<Html> {
    check_instance(cx, &request)?;
    let domain = match &request.domain {
        Some(name) => Some(known_domain(cx, name).await?),
        None => None,
    };
    if let Some(url) = &request.proxy_url {
        check_proxy(cx, url).await?;
    }
    if let Some(url) = &request.sign_in_url {
        check_sign_in_url(url, domain.as_ref())?;
    }
    let home = match (&request.proxy_url, &domain) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(domain))
            if request.use_domain_for_script == Some(true) && !cx.instance.is_development() =>
        {
            format!("https://clerk.{}", domain.name)
        }
        (None, _) => cx.own_url(),
    };
    cx.reply.headers = headers(&home);
    let data = [
        ("publishable-key", Some(cx.instance.publishable_key())),
        ("proxy-url", request.proxy_url),
        ("domain", domain.map(|domain| domain.name)),
        ("sign-in-url", request.sign_in_url),
        ("script", Some(format!("{home}{SCRIPT_PATH}"))),
    ];
    Ok(Html(page(data)))
}

/// Refuses a query that does not name the instance.
fn check_instance(cx: &Cx, request: &GetPublicInterstitial) -> Result<()> {
    let host = match (&request.publishable_key, &request.frontend_api, &request.frontendApi) {
        (Some(key), _, _) => instances::host_of_publishable_key(key)?,
        (None, Some(host), _) | (None, None, Some(host)) => host.clone(),
        (None, None, None) => return Err(unnamed().into()),
    };
    if host != cx.instance.frontend_host {
        return Err(unknown().into());
    }
    Ok(())
}

/// The frontend host that a query names, before anything else of it is looked at.
pub fn frontend_host(query: &str) -> Result<String> {
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    if let Some(key) = value("publishable_key") {
        return instances::host_of_publishable_key(&key);
    }
    let host = value("frontend_api").or_else(|| value("frontendApi"));
    Ok(host.ok_or_else(unnamed)?)
}

/// Nothing in the query names an instance.
fn unnamed() -> Refusal {
    let reason = "Either publishable_key or frontend_api must be included.";
    refusal::missing_query_parameter().because(reason).param("publishable_key")
}

/// No instance has what the query names.
pub fn unknown() -> Refusal {
    refusal::resource_not_found().because("No instance was found for this key.")
}

async fn known_domain(cx: &mut Cx, name: &str) -> Result<DomainRow> {
    let row = domains::named(cx, name).await?;
    Ok(row.ok_or_else(|| refusal::resource_not_found().because("No domain has this name."))?)
}

/// Refuses a proxy that is not the instance's own: the page would run its scripts.
async fn check_proxy(cx: &mut Cx, text: &str) -> Result<()> {
    let asked = domains::proxy_url(&cx.instance, text)?;
    let is_local = |url: &Url| {
        let own = Url::parse(&cx.world.public_url).ok();
        cx.instance.is_development()
            && (matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
                || own.is_some_and(|own| own.host() == url.host()))
    };
    if Url::parse(&asked).is_ok_and(|url| is_local(&url)) {
        return Ok(());
    }
    if domains::has_proxy(cx, &asked).await? {
        return Ok(());
    }
    let reason = "proxy_url must be the proxy of one of the instance's domains.";
    Err(refusal::form_param_value_invalid().because(reason).param("proxy_url").into())
}

/// Refuses what is no page to sign in on, and one on the satellite itself, where the browser would
/// be sent back and forth for ever.
fn check_sign_in_url(text: &str, satellite: Option<&DomainRow>) -> Result<()> {
    let is_clean = !text.contains(|c: char| c.is_control() || c == '\\');
    let is_path = is_clean && text.starts_with('/') && !text.starts_with("//");
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() && !is_path {
        let reason = "sign_in_url must be an absolute URL or a path.";
        let refusal = refusal::form_param_format_invalid().because(reason);
        return Err(refusal.param("sign_in_url").into());
    }
    let Some(satellite) = satellite.filter(|domain| domain.is_satellite) else {
        return Ok(());
    };
    let host = url.as_ref().and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
    });
    if host.is_none_or(|host| host == satellite.name) {
        let reason = "sign_in_url must be on another origin than the satellite domain.";
        return Err(refusal::infinite_redirect_loop().because(reason).into());
    }
    Ok(())
}

/// Nobody else's script runs here, and nobody keeps or frames the page.
fn headers(home: &str) -> Vec<(&'static str, String)> {
    let hash = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
    let origin = Url::parse(home).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}' {origin}; connect-src {origin}; \
         worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    vec![
        ("content-security-policy", policy),
        ("referrer-policy", "no-referrer".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-frame-options", "DENY".to_owned()),
    ]
}

fn page(data: [(&str, Option<String>); 5]) -> String {
    let mut body = String::new();
    for (name, value) in data {
        if let Some(value) = value {
            let _ = write!(body, " data-{name}=\"{}\"", messages::escape(&value));
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title></title></head>\n\
         <body{body}>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}
