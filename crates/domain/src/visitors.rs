//! Visitors: browsers and apps, as they are seen at the edge. Plain data; whether a visitor is
//! known, and who is signed in, is looked up within the unit that needs it.

use std::net::{IpAddr, Ipv6Addr};

use url::Url;
use wire::{Auth, Refusal, backend::sessions::SessionId, refusal};

use crate::{Instance, clients::Cookie, seal::digest_of_secret};

/// What a visitor shows to be recognized.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The token of a developer's browser.
    pub dev_browser: Option<String>,
    /// The client's token: of its cookie, or of the header of a native app.
    pub client: Option<String>,
}

/// A browser or an app.
#[derive(Clone, Default)]
pub struct Visitor {
    /// Where the page is from.
    pub origin: Option<String>,
    /// The host that was asked, without its port.
    pub host: String,
    /// What the browser says it is.
    pub user_agent: Option<String>,
    /// Where it is in the network.
    pub address: Option<String>,
    /// The session that it acts in, if it says so.
    pub session_id: Option<SessionId>,
    /// An app of its own, which has a header instead of cookies.
    pub is_native: bool,
    /// It showed a testing token: limits are not for it.
    pub is_testing: bool,
    /// The token of a developer's browser, where the address has it. Other pages can make a browser
    /// ask, and bring its cookies, but they do not know this.
    pub dev_browser: Option<String>,
    /// By what its client is found, once it is recognized.
    pub key: Option<ClientKey>,
    /// The token that it showed.
    pub token: Option<String>,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Visitor(..)")
    }
}

/// By what a client is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// Digest of the token of a developer's browser.
    DevBrowser(String),
    /// Id, and digest of the secret.
    Secret(String, String),
}

impl Visitor {
    /// Notes by what the visitor's client is found. A token of another instance is none.
    #[must_use]
    pub fn recognize(mut self, instance: &Instance, credentials: &Credentials) -> Self {
        let by_token = !self.is_native && instance.has_dev_browsers();
        self.key = match credentials {
            Credentials { dev_browser: Some(token), .. } if by_token => {
                Some(ClientKey::DevBrowser(digest_of_secret(token)))
            }
            Credentials { client: Some(token), .. } if !by_token => {
                let cookie = Cookie::read(instance, token);
                cookie.map(|cookie| ClientKey::Secret(cookie.id.to_string(), cookie.digest()))
            }
            _ => None,
        };
        self.token.clone_from(&credentials.client);
        self
    }

    /// The network it asks from, by which visitors are told apart: whoever has one address of IPv6
    /// has 64 bits of them.
    pub fn network(&self) -> Option<String> {
        let address = self.address.as_deref()?;
        Some(match address.parse().map(|address: IpAddr| address.to_canonical()) {
            Ok(IpAddr::V6(own)) => Ipv6Addr::from_bits(own.to_bits() >> 64 << 64).to_string(),
            Ok(IpAddr::V4(own)) => own.to_string(),
            Err(_) => address.to_owned(),
        })
    }

    /// Refuses a developer's browser that shows no token, where one is needed.
    pub fn admit(&self, instance: &Instance, auth: Auth) -> Result<(), Refusal> {
        let must_be_known = matches!(auth, Auth::Client | Auth::Session);
        if must_be_known && instance.has_dev_browsers() && !self.is_native && self.key.is_none() {
            return Err(refusal::dev_browser_unauthenticated());
        }
        Ok(())
    }
}

/// True if pages of `origin` may use the instance.
///
/// To a development instance every page may be under development. A production instance has its
/// own domain, with all below it, and the origins its owner allowed.
pub fn is_allowed(instance: &Instance, origin: &str) -> bool {
    if instance.settings.allowed_origins.iter().any(|allowed| allowed == origin) {
        return true;
    }
    let Some(url) = Url::parse(origin).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == origin
    }) else {
        return false;
    };
    if instance.is_development() {
        return true;
    }
    let (domain, host) = (own_domain(&instance.frontend_host), url.host_str().unwrap_or_default());
    let is_own = host == domain
        || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.') && front.len() > 1);
    is_own && (url.scheme() == "https" || domain == "localhost")
}

/// The origin of the page at `address`, if its pages may use the instance.
pub fn origin_of_page(instance: &Instance, address: &str) -> Option<String> {
    let origin = Url::parse(address).ok()?.origin().ascii_serialization();
    is_allowed(instance, &origin).then_some(origin)
}

/// The domain of the app whose Frontend API is at `host`: `example.com` of `clerk.example.com`.
pub(crate) fn own_domain(host: &str) -> &str {
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    host.strip_prefix("clerk.").unwrap_or(host)
}

/// What makes a cookie that `host` sets one of all hosts of the app; nothing in development, where
/// apps are anywhere, and for hosts of other domains.
pub(crate) fn shared(instance: &Instance, host: &str) -> String {
    let domain = own_domain(&instance.frontend_host);
    let is_own = domain.contains('.') && is_within(host, domain);
    let is_shared = is_own && !instance.is_development();
    if is_shared { format!("; Domain={domain}") } else { String::new() }
}

/// True if a host is the domain, or below it.
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}
