//! What a domain may be called.

use psl::{List, Psl as _, Type};
use url::{Host, Url};
use wire::{Refusal, refusal};

use crate::{Instance, Outside, Result};

/// Characters of a domain name.
const NAME_CHARS_MAX: usize = 253;
/// Characters of an URL.
const URL_CHARS_MAX: usize = 2048;

/// Names that never lead to an app on the internet, and those that development instances live
/// under.
const RESERVED: [&str; 13] = [
    "accounts.dev",
    "accountsstage.dev",
    "arpa",
    "clerk.com",
    "clerk.dev",
    "internal",
    "invalid",
    "lcl.dev",
    "lclclerk.com",
    "local",
    "localhost",
    "onion",
    "stg.dev",
];

/// First labels of hosts that the instance itself has on its domain.
const RESERVED_LABELS: [&str; 5] = ["accounts", "clerk", "clk", "clk2", "clkmail"];

/// Names under which everybody's apps live: whoever had one would set cookies for the others.
const HOSTING: [&str; 31] = [
    "amplifyapp.com",
    "appspot.com",
    "azurestaticapps.net",
    "azurewebsites.net",
    "cloudfront.net",
    "deno.dev",
    "edgeone.app",
    "firebaseapp.com",
    "fly.dev",
    "github.dev",
    "github.io",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "koyeb.app",
    "lovable.app",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "now.sh",
    "onrender.com",
    "pages.dev",
    "railway.app",
    "render.com",
    "replit.app",
    "replit.dev",
    "surge.sh",
    "vercel.app",
    "web.app",
    "workers.dev",
];

/// The one way to write a domain's name; `param` is where it came from.
pub(super) fn checked(outside: &Outside, param: &str, text: &str) -> Result<String> {
    let instance = &outside.instance;
    let text = text.trim_matches(' ');
    if text.len() > NAME_CHARS_MAX {
        let reason = format!("{param} must be at most {NAME_CHARS_MAX} characters long.");
        return Err(refusal::form_param_max_length_exceeded().because(reason).param(param).into());
    }
    let name = if instance.is_development() { with_port(text) } else { public(text) };
    let malformed = || {
        let reason =
            format!("{param} must be a domain name without a scheme, such as example.com.");
        refusal::form_param_format_invalid().because(reason)
    };
    let refused = match &name {
        None => Some(malformed()),
        Some(name) if instance.is_development() => {
            shared(name.split(':').next().unwrap_or_default())
        }
        Some(name) if is_servers(outside, name) => Some(super::taken_home()),
        Some(name) => refused(name).or_else(|| shared(name)),
    };
    let Some(refused) = refused else { return Ok(name.unwrap_or_default()) };
    Err(refused.param(param).into())
}

/// True for a name whose hosts are those of the server itself. Only the instances that are reached
/// there anyway may have it.
fn is_servers(outside: &Outside, name: &str) -> bool {
    let server = Url::parse(&outside.world.public_url).ok();
    let Some(host) = server.as_ref().and_then(Url::host_str) else {
        return false;
    };
    let instance = &outside.instance;
    let domain = ["clerk.", "accounts."].iter().find_map(|label| host.strip_prefix(label));
    let is_own = instance.is_first || instance.frontend_host == host;
    !is_own && (name == host || Some(name) == domain)
}

/// Why nobody may have a name under which others have theirs: whoever had it would set cookies for
/// all of them.
fn shared(name: &str) -> Option<Refusal> {
    let suffix = List.suffix(name.as_bytes()).filter(|suffix| suffix.as_bytes() == name.as_bytes());
    match suffix?.typ()? {
        Type::Private => Some(refusal::known_hosting_domain()),
        Type::Icann => Some(refusal::reserved_domain()),
    }
}

/// Why nobody may have this name.
fn refused(name: &str) -> Option<Refusal> {
    let under = |parent: &&str| {
        name.strip_suffix(*parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let first = name.split('.').next().unwrap_or_default();
    if RESERVED.iter().any(under) {
        Some(refusal::reserved_domain())
    } else if HOSTING.iter().any(under) {
        Some(refusal::known_hosting_domain())
    } else if RESERVED_LABELS.contains(&first) {
        Some(refusal::reserved_subdomain())
    } else {
        None
    }
}

/// A name of the domain name system with at least two labels, in ASCII.
fn public(text: &str) -> Option<String> {
    let name = idna::domain_to_ascii_strict(text).ok()?;
    let last = name.rsplit_once('.')?.1;
    let is_name = last.len() > 1 && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    (is_name && !name.starts_with('.')).then_some(name)
}

/// A host of a development machine, maybe with a port.
fn with_port(text: &str) -> Option<String> {
    let url = Url::parse(&format!("http://{text}")).ok()?;
    let is_bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains('/');
    let host = url.host_str().filter(|_| is_bare)?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The name of the domain that an app's address is on.
///
/// That is what somebody registered, unless the app is one of several on the domain: then the whole
/// host counts.
pub(super) fn of_home(outside: &Outside, home_url: &str, is_secondary: bool) -> Result<String> {
    const PARAM: &str = "home_url";
    let url = Url::parse(home_url).ok();
    let Some(host) = url.as_ref().and_then(|url| match url.host() {
        Some(Host::Domain(host)) if matches!(url.scheme(), "http" | "https") => Some(host),
        _ => None,
    }) else {
        let reason = "home_url must be an absolute URL, such as https://www.example.com.";
        return Err(refusal::form_param_format_invalid().because(reason).param(PARAM).into());
    };
    if url.as_ref().is_some_and(|url| url.scheme() != "https") {
        let reason = "home_url must have an https scheme.";
        return Err(refusal::insecure_url().because(reason).param(PARAM).into());
    }
    let registered = List.domain(host.as_bytes()).filter(|_| !is_secondary);
    let registered = registered.and_then(|name| str::from_utf8(name.as_bytes()).ok());
    checked(outside, PARAM, registered.unwrap_or(host))
}

/// The one way to write a proxy's URL: no slash at its end, nothing but host and path.
pub(crate) fn proxy_url(instance: &Instance, text: &str) -> Result<String> {
    const PARAM: &str = "proxy_url";
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && text.len() <= URL_CHARS_MAX
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    let Some(url) = url else {
        let reason = "proxy_url must be an absolute URL, such as https://example.com/__clerk.";
        return Err(refusal::form_param_format_invalid().because(reason).param(PARAM).into());
    };
    if url.scheme() != "https" && !instance.is_development() {
        let reason = "proxy_url must have an https scheme in production.";
        return Err(refusal::insecure_url().because(reason).param(PARAM).into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::{public, refused, shared, with_port};

    #[test]
    fn names_are_public_or_refused() {
        let cases = [
            ("Example.COM", Some("example.com")),
            ("bücher.de", Some("xn--bcher-kva.de")),
            ("example", None),
            ("https://example.com", None),
            ("example.com/path", None),
            ("example.com:443", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            (".example.com", None),
            ("exa mple.com", None),
            ("example.com.", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(public(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_of_others_are_refused() {
        let code = |name| refused(name).map(|refusal| refusal.code().to_owned());
        let cases = [
            ("example.com", None),
            ("app.example.com", None),
            ("myvercel.app", None),
            ("vercel.app", Some("known_hosting_domain")),
            ("mine.vercel.app", Some("known_hosting_domain")),
            ("one.clerk.accounts.dev", Some("reserved_domain")),
            ("intranet.local", Some("reserved_domain")),
            ("clerk.example.com", Some("reserved_subdomain")),
        ];
        for (name, expected) in cases {
            assert_eq!(code(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_of_all_are_nobodys() {
        let code = |name| shared(name).map(|refusal| refusal.code().to_owned());
        let cases = [
            ("com", Some("reserved_domain")),
            ("co.uk", Some("reserved_domain")),
            ("any.ck", Some("reserved_domain")),
            ("www.ck", None),
            ("xn--55qx5d.cn", Some("reserved_domain")),
            ("github.io", Some("known_hosting_domain")),
            ("s3.amazonaws.com", Some("known_hosting_domain")),
            ("example.co.uk", None),
            ("mine.uk.com", None),
            ("localhost", None),
            ("nobody.test", None),
        ];
        for (name, expected) in cases {
            assert_eq!(code(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn development_names_may_have_ports() {
        let cases = [
            ("localhost:3000", Some("localhost:3000")),
            ("MyHost:3000", Some("myhost:3000")),
            ("myhost", Some("myhost")),
            ("http://localhost", None),
            ("localhost/path", None),
            ("a@localhost", None),
            ("localhost?a", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(with_port(text).as_deref(), expected, "{text}");
        }
    }
}
