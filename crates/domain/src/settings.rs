//! The settings of an instance: one document, typed, versioned, validated as a whole.
//!
//! The defaults are those of a new application at Clerk. What a stored document does not mention
//! has its default, so that new settings need no migration.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Layout of the document; raised when a stored one has to be rewritten to be understood.
const VERSION: u32 = 1;

/// All settings of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Layout of this document.
    pub version: u32,
    /// Addresses with `+clerk_test` and `+1…55501xx` numbers take the code 424242.
    pub test_mode: bool,
    /// What a user can have, and must have.
    pub attributes: Attributes,
    /// What passwords must be like.
    pub password: PasswordPolicy,
    /// What usernames must be like.
    pub username: UsernamePolicy,
    /// What happens to those who guess.
    pub lockout: Lockout,
    /// How long sessions live.
    pub session: SessionPolicy,
    /// What session tokens say.
    pub token: TokenPolicy,
    /// What people may do to themselves.
    pub user: UserPolicy,
    /// Who may sign up, and how.
    pub sign_up: SignUpPolicy,
    /// Which identifiers are let in.
    pub restrictions: Restrictions,
    /// How often one may ask.
    pub rate_limits: RateLimits,
    /// Organizations.
    pub organizations: OrganizationPolicy,
    /// Origins of browser extensions and native apps, beside the instance's own.
    pub allowed_origins: Vec<String>,
    /// From whom mails come, before the `@`.
    pub from_email_address: String,
    /// Country calling codes, such as `+1`, that messages are not sent to.
    pub blocked_country_codes: Vec<String>,
    /// Social providers that are switched on, such as `google`.
    pub oauth_providers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            test_mode: false,
            attributes: Attributes::default(),
            password: PasswordPolicy::default(),
            username: UsernamePolicy::default(),
            lockout: Lockout::default(),
            session: SessionPolicy::default(),
            token: TokenPolicy::default(),
            user: UserPolicy::default(),
            sign_up: SignUpPolicy::default(),
            restrictions: Restrictions::default(),
            rate_limits: RateLimits::default(),
            organizations: OrganizationPolicy::default(),
            allowed_origins: Vec::new(),
            from_email_address: "notifications".to_owned(),
            blocked_country_codes: Vec::new(),
            oauth_providers: Vec::new(),
        }
    }
}

/// A struct of settings with its defaults.
macro_rules! settings {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)+ }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    )+};
}

settings! {
    /// Whether an attribute is in use.
    Attribute {
        /// It exists.
        enabled: bool = true,
        /// Nobody signs up without it.
        required: bool = false,
        /// One can sign in with it.
        used_for_first_factor: bool = true,
    }

    /// What a user can have, and must have.
    Attributes {
        /// E-mail addresses.
        email_address: Attribute = Attribute { required: true, ..Attribute::default() },
        /// Phone numbers.
        phone_number: Attribute = Attribute::default(),
        /// Usernames.
        username: Attribute = Attribute::default(),
        /// Web3 wallets.
        web3_wallet: Attribute = Attribute::default(),
        /// First names.
        first_name: Attribute = Attribute { used_for_first_factor: false, ..Attribute::default() },
        /// Last names.
        last_name: Attribute = Attribute { used_for_first_factor: false, ..Attribute::default() },
        /// Passwords.
        password: Attribute = Attribute::default(),
        /// Passkeys.
        passkey: Attribute = Attribute::default(),
        /// Authenticator apps, as a second factor.
        authenticator_app: Attribute = Attribute::default(),
        /// Backup codes, as a second factor.
        backup_code: Attribute = Attribute::default(),
    }

    /// What passwords must be like.
    PasswordPolicy {
        /// Characters, at least.
        min_length: u32 = 8,
        /// Characters, at most; 72 bytes in any case.
        max_length: u32 = 72,
        /// A special character must be there.
        require_special_char: bool = false,
        /// A digit must be there.
        require_numbers: bool = false,
        /// An uppercase letter must be there.
        require_uppercase: bool = false,
        /// A lowercase letter must be there.
        require_lowercase: bool = false,
    }

    /// What usernames must be like.
    UsernamePolicy {
        /// Characters, at least.
        min_length: u32 = 4,
        /// Characters, at most.
        max_length: u32 = 64,
        /// Digits alone are a username.
        allow_numeric: bool = false,
    }

    /// What happens to those who guess.
    Lockout {
        /// Whether users are locked at all.
        enabled: bool = true,
        /// Failed attempts until a user is locked.
        max_attempts: u32 = 10,
        /// How long a user stays locked, in minutes.
        duration_minutes: u32 = 60,
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

    /// What people may do to themselves.
    UserPolicy {
        /// They may delete themselves.
        delete_self: bool = true,
        /// They may create organizations.
        create_organization: bool = true,
        /// So many of them; none is without limit.
        create_organizations_limit: Option<u32> = None,
        /// The Backend API too makes no user without a password where passwords are required.
        require_password_of_backend: bool = false,
    }

    /// Who may sign up, and how.
    SignUpPolicy {
        /// `public`, `restricted` or `waitlist`.
        mode: String = "public".to_owned(),
        /// Sign-ups may be completed step by step.
        progressive: bool = true,
        /// The terms must be accepted.
        legal_consent: bool = false,
        /// Bots are kept out.
        captcha: bool = false,
    }

    /// Which identifiers are let in.
    Restrictions {
        /// Only those on the allowlist.
        allowlist: bool = false,
        /// None on the blocklist.
        blocklist: bool = false,
        /// Both count for sign-ups alone.
        allowlist_blocklist_disabled_on_sign_in: bool = false,
        /// No `ada+news@example.com`.
        block_email_subaddresses: bool = false,
        /// No throw-away addresses.
        block_disposable_email_domains: bool = false,
        /// `a.da@gmail.com` is `ada@gmail.com`.
        ignore_dots_for_gmail_addresses: bool = false,
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
    }

    /// Organizations.
    OrganizationPolicy {
        /// Whether there are any.
        enabled: bool = false,
        /// Members of one, at most.
        max_allowed_memberships: u32 = 5,
        /// Role of whoever creates one.
        creator_role: String = "org:admin".to_owned(),
        /// Admins may delete theirs.
        admin_delete_enabled: bool = true,
        /// Domains of organizations.
        domains_enabled: bool = false,
        /// How people of a domain get in.
        domains_enrollment_modes: Vec<String> = vec!["manual_invitation".to_owned()],
        /// Role of those who do.
        domains_default_role: String = "org:member".to_owned(),
        /// Organizations have no slugs.
        slug_disabled: bool = false,
    }
}

impl Settings {
    /// For a development instance: test identities work, nothing is limited, and one provider is
    /// switched on.
    pub fn development() -> Self {
        let oauth_providers = vec!["google".to_owned()];
        Self { test_mode: true, oauth_providers, ..Self::default() }
    }

    /// For a production instance.
    pub fn production() -> Self {
        let rate_limits = RateLimits { enabled: true, ..RateLimits::default() };
        Self { rate_limits, ..Self::default() }
    }

    /// Reads a stored document.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        settings.validate()?;
        Ok(settings)
    }

    /// What is contradictory or out of bounds, all at once.
    pub fn validate(&self) -> Result<(), String> {
        let Self { password, username, session, token, lockout, sign_up, .. } = self;
        let rules = [
            (self.version == VERSION, "version is not one this program knows"),
            ((1..=72).contains(&password.min_length), "password.min_length must be 1 to 72"),
            (password.min_length <= password.max_length, "password.min_length exceeds max_length"),
            (username.min_length >= 1, "username.min_length must be at least 1"),
            (username.min_length <= username.max_length, "username.min_length exceeds max_length"),
            (username.max_length <= 64, "username.max_length must be at most 64"),
            (lockout.max_attempts >= 5, "lockout.max_attempts must be at least 5"),
            ((300..=315_360_000).contains(&session.lifetime_seconds), "session.lifetime_seconds"),
            (matches!(token.claims_version, 1 | 2), "token.claims_version must be 1 or 2"),
            ((30..=3600).contains(&token.lifetime_seconds), "token.lifetime_seconds"),
            (
                matches!(&*sign_up.mode, "public" | "restricted" | "waitlist"),
                "sign_up.mode must be public, restricted or waitlist",
            ),
        ];
        let wrong: Vec<_> = rules.iter().filter(|rule| !rule.0).map(|rule| rule.1).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
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
    fn a_document_is_refused_for_all_that_is_wrong_with_it() {
        let text = r#"{"password": {"min_length": 80}, "token": {"claims_version": 3}}"#;
        let refused = Settings::parse(text).expect_err("wrong");
        assert!(refused.contains("min_length") && refused.contains("claims_version"), "{refused}");
        assert!(Settings::parse(r#"{"pasword": {}}"#).is_err());
    }
}
