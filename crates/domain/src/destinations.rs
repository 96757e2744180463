//! Where people may be sent: addresses that somebody else gave, compared part by part.

use url::{Host, Url};

use crate::{Instance, visitors};

/// True if a page of the instance may send people to `text`, a path of the server's own or a URL.
///
/// Of production that is wherever pages may use it. Of development it is this machine and its
/// network, the app's own origin and those its owner allowed: the token that browsers are known by
/// travels along.
pub fn is_allowed(instance: &Instance, text: &str) -> bool {
    let url = match read(text) {
        Some(Destination::Here) => return true,
        Some(Destination::Elsewhere(url)) => url,
        None => return false,
    };
    let origin = url.origin().ascii_serialization();
    let settings = &instance.settings;
    if settings.allowed_origins.contains(&origin) {
        return true;
    }
    if instance.is_development() {
        return settings.development_origin.as_ref() == Some(&origin) || is_near(&url);
    }
    visitors::is_allowed(instance, &origin)
}

enum Destination {
    /// A path of the server's own.
    Here,
    Elsewhere(Url),
}

fn read(text: &str) -> Option<Destination> {
    // Browsers mend such, each in its own way.
    if text.contains(|letter: char| letter.is_control() || matches!(letter, ' ' | '\\')) {
        return None;
    }
    if text.starts_with('/') {
        return (!text.starts_with("//")).then_some(Destination::Here);
    }
    let url = Url::parse(text).ok()?;
    let is_full = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    let is_bare = url.username().is_empty() && url.password().is_none();
    (is_full && is_bare && url.has_host()).then_some(Destination::Elsewhere(url))
}

/// True for addresses, and for names that no stranger can own.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        Some(Host::Domain(name)) => {
            let reserved = [".localhost", ".internal", ".test"];
            !name.contains('.') || reserved.iter().any(|end| name.ends_with(end))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Destination, is_near, read};

    #[test]
    fn web_07_a_destination_is_compared_by_its_parts() {
        assert!(matches!(read("/user?a=b"), Some(Destination::Here)));
        let near = [
            "http://localhost:3000/x?y",
            "https://app.localhost",
            "http://127.0.0.1:1",
            "http://[::1]:3000",
            "http://192.168.1.5:3000",
            "http://app:3000",
        ];
        for text in near {
            assert!(
                matches!(read(text), Some(Destination::Elsewhere(url)) if is_near(&url)),
                "{text}"
            );
        }
        let far = [
            "https://localhost.evil.example",
            "https://evil.example/localhost",
            "http://8.8.8.8",
            "https://127.0.0.1.evil.example",
            "https://evil.example#localhost",
        ];
        for text in far {
            assert!(
                matches!(read(text), Some(Destination::Elsewhere(url)) if !is_near(&url)),
                "{text}"
            );
        }
        let refused = [
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "intent://x",
            "file:///etc/passwd",
            "https:evil.example",
            "http:/evil.example",
            "https://localhost@evil.example",
            "https://u:p@localhost",
            "https://localhost\u{0}.evil.example",
            "ht\ntps://localhost",
            " https://localhost",
            "/\t/evil.example",
            "localhost:3000",
            "evil.example",
            "",
            "https://",
            "HTTPS:localhost",
        ];
        for text in refused {
            assert!(read(text).is_none(), "{text:?}");
        }
    }
}
