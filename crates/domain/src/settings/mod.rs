//! The settings of an instance: one document, typed, versioned, validated as a whole.
//!
//! The defaults are those of a new application at Clerk; what belongs to a feature that is not
//! built yet is off. What a stored document does not mention has its default, at any depth, so
//! that new settings need no migration.

use std::sync::LazyLock;

use serde_json::{Map, Value};

/// A struct of settings with its defaults.
macro_rules! settings {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)+ }
    )+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, schemars::JsonSchema, serde::Serialize, serde::Deserialize,
        )]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    )+};
}

mod access;
mod attributes;
mod captcha;
mod change;
mod contradictions;
mod display;
mod features;
mod secrets;

pub use access::{
    AttackProtection, Lockout, PasskeyPolicy, PasswordPolicy, Restrictions, SignInPolicy,
    SignUpPolicy, UserPolicy, UsernamePolicy,
};
pub use attributes::{Attribute, Attributes, Strategy};
pub use captcha::Captcha;
pub use change::{Edit, change, of_instance, replace};
pub use contradictions::Contradiction;
pub use display::{ButtonTheme, Display, GeneralTheme, PageTheme, Theme, Urls};
pub use features::{
    ApiKeys, Commerce, EnterpriseSso, Native, OAuthApplicationPolicy, OrganizationPolicy, Protect,
    SocialProvider, SocialProviders,
};
pub use secrets::Secret;
pub(crate) use secrets::secret;

/// Layout of the document; raised when a stored one has to be rewritten to be understood.
const VERSION: u32 = 2;

/// The defaults, for whatever a stored document leaves out.
static DEFAULTS: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(Settings::default()).unwrap_or_default());

settings! {
    /// All settings of an instance.
    Settings {
        /// Layout of this document.
        version: u32 = VERSION,
        /// Addresses with `+clerk_test` and `+1…55501xx` numbers take the code 424242.
        test_mode: bool = false,
        /// What a user can have, and must have.
        attributes: Attributes = Attributes::default(),
        /// What passwords must be like.
        password: PasswordPolicy = PasswordPolicy::default(),
        /// What usernames must be like.
        username: UsernamePolicy = UsernamePolicy::default(),
        /// How passkeys are offered.
        passkey: PasskeyPolicy = PasskeyPolicy::default(),
        /// What happens to those who guess.
        lockout: Lockout = Lockout::default(),
        /// What is kept from those who look around.
        attack_protection: AttackProtection = AttackProtection::default(),
        /// How long sessions live.
        session: SessionPolicy = SessionPolicy::default(),
        /// What session tokens say.
        token: TokenPolicy = TokenPolicy::default(),
        /// What people may do to themselves.
        user: UserPolicy = UserPolicy::default(),
        /// How people sign in.
        sign_in: SignInPolicy = SignInPolicy::default(),
        /// Who may sign up, and how.
        sign_up: SignUpPolicy = SignUpPolicy::default(),
        /// Captchas.
        captcha: Captcha = Captcha::default(),
        /// Which identifiers are let in.
        restrictions: Restrictions = Restrictions::default(),
        /// How often one may ask.
        rate_limits: RateLimits = RateLimits::default(),
        /// What the app looks like, and where its pages are.
        display: Display = Display::default(),
        /// Organizations.
        organizations: OrganizationPolicy = OrganizationPolicy::default(),
        /// OAuth clients of the instance.
        oauth_applications: OAuthApplicationPolicy = OAuthApplicationPolicy::default(),
        /// Single sign-on with companies.
        enterprise_sso: EnterpriseSso = EnterpriseSso::default(),
        /// Social providers as sign-in and profile show them.
        social: SocialProviders = SocialProviders::new(),
        /// Social providers whose tokens the Backend API is asked for, such as `google`.
        oauth_providers: Vec<String> = Vec::new(),
        /// Billing.
        commerce: Commerce = Commerce::default(),
        /// API keys that people make.
        api_keys: ApiKeys = ApiKeys::default(),
        /// Apps that are no pages.
        native: Native = Native::default(),
        /// The protection against attacks as a service.
        protect: Protect = Protect::default(),
        /// Where a development instance's app runs.
        development_origin: Option<String> = None,
        /// Origins of browser extensions and native apps, beside the instance's own.
        allowed_origins: Vec<String> = Vec::new(),
        /// A development instance's sessions travel in URLs, where cookies are blocked.
        url_based_session_syncing: bool = true,
        /// Cookies are of the page that embeds the app.
        partitioned_cookies: bool = false,
        /// People are told that something is being mended.
        maintenance_mode: bool = false,
        /// Pages log what they do.
        client_debug_mode: bool = false,
        /// Mails leave by a path that is trusted more. There is one path, so nothing reads it.
        enhanced_email_deliverability: bool = false,
        /// From whom mails come, before the `@`.
        from_email_address: String = "notifications".to_owned(),
        /// Countries that messages are not sent to, such as `DE`.
        blocked_country_codes: Vec<String> = Vec::new(),
        /// How codes reach a phone.
        phone_channels: Vec<String> = vec!["sms".to_owned()],
    }

    /// How long sessions live.
    SessionPolicy {
        /// From the sign-in, in seconds.
        lifetime_seconds: u32 = 7 * 24 * 3600,
        /// From the last activity, in seconds; 0 means for ever.
        inactivity_seconds: u32 = 0,
        /// Until a session that nobody uses is given up, in seconds.
        abandon_seconds: u32 = 30 * 24 * 3600,
        /// A client has at most one session.
        single_session: bool = true,
        /// Whoever does something grave proves again who they are.
        reverification: bool = false,
        /// Pages send their last token along when they want the next.
        minter: bool = false,
    }

    /// What session tokens say.
    TokenPolicy {
        /// Version of the claims, 1 or 2.
        claims_version: u8 = 2,
        /// Lifetime in seconds.
        lifetime_seconds: u32 = 60,
        /// Claims of one's own, in the language of JWT templates.
        claims: Map<String, Value> = Map::new(),
    }

    /// So many requests in so many seconds; none at all means without limit.
    Rate {
        /// Requests.
        requests: u32 = 0,
        /// Seconds.
        seconds: u32 = 10,
    }

    /// How often one may ask.
    RateLimits {
        /// Whether there are limits.
        enabled: bool = false,
        /// Requests of the Backend API.
        backend: Rate = Rate { requests: 1000, seconds: 10 },
        /// Changes of one user.
        update_user: Rate = Rate { requests: 10, seconds: 10 },
        /// Invitations.
        invitations: Rate = Rate { requests: 100, seconds: 3600 },
        /// Sign-ins and sign-ups that are begun, each from an address and of an identifier.
        creates: Rate = Rate { requests: 5, seconds: 10 },
        /// Passwords and codes that are tried, each from an address and in a sign-in or sign-up.
        attempts: Rate = Rate { requests: 3, seconds: 10 },
        /// Messages with codes or links, to one address or number.
        messages: Rate = Rate { requests: 5, seconds: 60 },
        /// The same within a day.
        daily_messages: Rate = Rate { requests: 30, seconds: 24 * 3600 },
        /// The same that one address of the network asks for, to whomever.
        messages_asked: Rate = Rate { requests: 20, seconds: 60 },
        /// Text messages to numbers that differ in their last four digits only.
        messages_to_range: Rate = Rate { requests: 30, seconds: 600 },
        /// Text messages in all; 0 is no limit.
        messages_in_all: Rate = Rate { requests: 0, seconds: 3600 },
    }
}

impl Settings {
    /// For a development instance: test identities work, nothing is limited, and one provider's
    /// tokens may be asked for.
    pub fn development() -> Self {
        let oauth_providers = vec!["google".to_owned()];
        Self { test_mode: true, oauth_providers, ..Self::default() }
    }

    /// For a production instance.
    pub fn production() -> Self {
        let rate_limits = RateLimits { enabled: true, ..RateLimits::default() };
        Self { rate_limits, url_based_session_syncing: false, ..Self::default() }
    }

    /// Reads a stored document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stored: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut whole = DEFAULTS.clone();
        overlay(&mut whole, Value::Object(upgraded(stored)));
        let settings: Self = serde_json::from_value(whole).map_err(|error| error.to_string())?;
        settings.validate()?;
        Ok(settings)
    }

    /// The JSON Schema of the document.
    pub fn schema() -> Value {
        schemars::schema_for!(Self).to_value()
    }

    /// What is wrong about coming to this from `before`, all at once. Documents that were stored
    /// when more was taken are still read.
    pub fn validate_change(&self, before: &Self) -> Result<(), String> {
        self.validate()?;
        let mut wrong = Vec::new();
        self.sign_up.refuse_unserved(&before.sign_up, &mut wrong);
        self.sign_in.refuse_unserved(&before.sign_in, &mut wrong);
        self.password.refuse_unserved(&before.password, &mut wrong);
        self.refuse_missing_secrets(before, &mut wrong);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// What is contradictory or out of bounds, all at once.
    pub fn validate(&self) -> Result<(), String> {
        let mut wrong = Vec::new();
        let Self { session, token, lockout, .. } = self;
        rules(
            &mut wrong,
            &[
                (self.version == VERSION, "version is not one this program knows"),
                (lockout.max_attempts >= 5, "lockout.max_attempts must be at least 5"),
                (
                    (300..=315_360_000).contains(&session.lifetime_seconds),
                    "session.lifetime_seconds must be 5 minutes to 10 years",
                ),
                (matches!(token.claims_version, 1 | 2), "token.claims_version must be 1 or 2"),
                (
                    (30..=3600).contains(&token.lifetime_seconds),
                    "token.lifetime_seconds must be 30 to 3600",
                ),
            ],
        );
        self.attributes.validate(&mut wrong);
        self.password.validate(&mut wrong);
        self.username.validate(&mut wrong);
        self.sign_up.validate(&mut wrong);
        self.captcha.validate(&mut wrong);
        self.display.validate(&mut wrong);
        self.organizations.validate(&mut wrong);
        self.native.validate(&mut wrong);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// Notes what does not hold.
fn rules(wrong: &mut Vec<String>, rules: &[(bool, &str)]) {
    wrong.extend(rules.iter().filter(|(holds, _)| !holds).map(|(_, text)| (*text).to_owned()));
}

/// A document of an older layout as one of this.
fn upgraded(mut stored: Map<String, Value>) -> Map<String, Value> {
    if stored.get("version").and_then(Value::as_u64) == Some(1) {
        // Nothing could change these, and they meant something else.
        for name in ["attributes", "blocked_country_codes"] {
            stored.remove(name);
        }
        stored.insert("version".to_owned(), VERSION.into());
    }
    stored
}

/// Writes what `given` says over `whole`; objects are entered, all else is replaced.
fn overlay(whole: &mut Value, given: Value) {
    match (whole, given) {
        (Value::Object(whole), Value::Object(given)) => {
            for (name, value) in given {
                overlay(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, given) => *whole = given,
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn an_empty_document_has_the_defaults() {
        assert_eq!(Settings::parse("{}"), Ok(Settings::default()));
    }

    #[test]
    fn a_document_says_only_what_differs() {
        let text = r#"{"attributes": {"email_address": {"required": false}}}"#;
        let mut expected = Settings::default();
        expected.attributes.email_address.required = false;
        assert_eq!(Settings::parse(text), Ok(expected));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for settings in [Settings::development(), Settings::production()] {
            let text = serde_json::to_string(&settings).expect("JSON");
            assert_eq!(Settings::parse(&text), Ok(settings));
        }
    }

    #[test]
    fn the_first_layout_is_understood() {
        let text = r#"{
            "version": 1, "test_mode": true, "blocked_country_codes": ["+49"],
            "attributes": {"phone_number": {"enabled": true, "used_for_first_factor": true}}
        }"#;
        let expected = Settings { test_mode: true, ..Settings::default() };
        assert_eq!(Settings::parse(text), Ok(expected));
        assert!(Settings::parse(r#"{"version": 3}"#).is_err());
    }

    #[test]
    fn what_nothing_here_does_is_not_switched_on() {
        let before = Settings::default();
        let mut after = before.clone();
        after.sign_in.second_factor_required = true;
        after.password.enforce_hibp_on_sign_in = true;
        let refused = after.validate_change(&before).expect_err("wrong");
        for path in ["sign_in.second_factor_required", "password.enforce_hibp_on_sign_in"] {
            assert!(refused.contains(&format!("{path} cannot be switched on")), "{refused}");
        }
        // What was on before there was this rule keeps nobody from changing the rest.
        assert_eq!(after.validate_change(&after), Ok(()));
    }

    #[test]
    fn a_document_is_refused_for_all_that_is_wrong_with_it() {
        let text = r#"{
            "password": {"min_length": 80}, "token": {"claims_version": 3},
            "sign_up": {"mode": "private"}, "display": {"urls": {"home": "javascript:alert(1)"}},
            "attributes": {
                "username": {"verify_at_sign_up": true}, "passkey": {"first_factors": ["totp"]}
            }
        }"#;
        let refused = Settings::parse(text).expect_err("wrong");
        let said =
            ["min_length", "claims_version", "sign_up.mode", "urls.home", "username", "totp"];
        for said in said {
            assert!(refused.contains(said), "{said}: {refused}");
        }
        assert!(Settings::parse(r#"{"pasword": {}}"#).is_err());
        assert!(Settings::parse(r#"{"password": {"long": true}}"#).is_err());
    }
}
