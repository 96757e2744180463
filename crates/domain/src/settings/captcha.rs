//! How bots are kept out of sign-ups.

use url::{Host, Url};

use super::{Secret, Settings};

/// Bounds what is kept of a key.
const KEY_CHARS_MAX: usize = 200;
/// Bounds a list of providers.
const PROVIDERS_MAX: usize = 100;

settings! {
    /// Captchas of Cloudflare Turnstile, by keys of one's own. `sign_up.captcha` switches them on.
    Captcha {
        /// The site key of the widget, which pages are told.
        site_key: Option<String> = None,
        /// Its secret key. It is written; what is read says `sealed`.
        secret_key: Option<Secret> = None,
        /// The site key of another widget, of the invisible kind, for pages without a place for
        /// one. Without it the first one serves there as well.
        invisible_site_key: Option<String> = None,
        /// Its secret key, as the other one.
        invisible_secret_key: Option<Secret> = None,
        /// Providers that keep bots out themselves, such as `oauth_google`.
        oauth_bypass: Vec<String> =
            ["oauth_google", "oauth_microsoft", "oauth_apple"].map(str::to_owned).to_vec(),
        /// Where the server asks whether a captcha was solved.
        verify_url: String =
            "https://challenges.cloudflare.com/turnstile/v0/siteverify".to_owned(),
    }
}

impl Captcha {
    /// True if captchas can be shown and verified: a widget has both its keys, and so has the
    /// invisible one if there is one.
    pub(super) fn has_keys(&self) -> bool {
        let has_widget = self.site_key.is_some() && self.secret_key.is_some();
        has_widget && self.invisible_site_key.is_some() == self.invisible_secret_key.is_some()
    }

    /// The site key where no widget is seen.
    pub(crate) fn site_key_of_invisible(&self) -> Option<&String> {
        self.invisible_site_key.as_ref().or(self.site_key.as_ref())
    }

    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        let brought =
            |secret: &Option<Secret>| secret.as_ref().and_then(Secret::brought).map(str::to_owned);
        for (name, key) in [
            ("site_key", self.site_key.clone()),
            ("secret_key", brought(&self.secret_key)),
            ("invisible_site_key", self.invisible_site_key.clone()),
            ("invisible_secret_key", brought(&self.invisible_secret_key)),
        ] {
            if key.is_some_and(|key| !is_key(&key)) {
                wrong.push(format!("captcha.{name} is no key of a widget"));
            }
        }
        let is_provider = |name: &String| name.strip_prefix("oauth_").is_some_and(is_key);
        let providers = &self.oauth_bypass;
        super::rules(
            wrong,
            &[
                (
                    providers.len() <= PROVIDERS_MAX && providers.iter().all(is_provider),
                    "captcha.oauth_bypass must be a list of names such as oauth_google",
                ),
                (
                    is_asked_safely(&self.verify_url),
                    "captcha.verify_url must be an https URL, or an http one of this machine",
                ),
            ],
        );
    }
}

impl Settings {
    /// How bots are kept out of sign-ups; nothing if they are not.
    ///
    /// Without keys nobody could sign up. Such settings are refused; some were stored before they
    /// were, and keep nobody out.
    pub fn bot_protection(&self) -> Option<&Captcha> {
        Some(&self.captcha).filter(|captcha| self.sign_up.captcha && captcha.has_keys())
    }
}

fn is_key(text: &str) -> bool {
    (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The secret key goes there: by TLS, or not farther than to this machine.
fn is_asked_safely(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let is_whole = url.username().is_empty() && url.password().is_none();
    is_whole && (url.scheme() == "https" || url.scheme() == "http" && is_near)
}

#[cfg(test)]
mod tests {
    use super::{Captcha, is_asked_safely};

    #[test]
    fn the_secret_key_goes_by_tls_or_nowhere_else() {
        for url in ["https://verify.example/x", "http://127.0.0.1:9/", "http://localhost/v"] {
            assert!(is_asked_safely(url), "{url}");
        }
        for url in ["http://verify.example/", "http://127.0.0.1.example/", "ftp://localhost/"] {
            assert!(!is_asked_safely(url), "{url}");
        }
        for url in ["https://user:pass@verify.example/", "verify.example", "file:///etc", ""] {
            assert!(!is_asked_safely(url), "{url}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_by_its_name() {
        let captcha = Captcha {
            site_key: Some("a key".to_owned()),
            invisible_secret_key: Some("".into()),
            oauth_bypass: vec!["email_code".to_owned()],
            ..Captcha::default()
        };
        let mut wrong = Vec::new();
        captcha.validate(&mut wrong);
        let wrong = wrong.join("; ");
        for name in ["captcha.site_key", "captcha.invisible_secret_key", "oauth_bypass"] {
            assert!(wrong.contains(name), "{name}: {wrong}");
        }
        let mut wrong = Vec::new();
        Captcha::default().validate(&mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
    }
}
