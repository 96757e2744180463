//! Who gets in, and how: sign-up, sign-in, identifiers, guessers, passwords.

settings! {
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
        /// Passwords are judged by how easily they are guessed.
        show_zxcvbn: bool = false,
        /// The least they must reach of 4, if they are judged.
        min_zxcvbn_strength: u8 = 0,
        /// New passwords that were found in breaches are refused, as far as `api.pwnedpasswords.com`
        /// tells within a second.
        hibp: bool = false,
        /// At sign-in as well. Nobody looks then yet, so it cannot be switched on.
        enforce_hibp_on_sign_in: bool = false,
        /// A new password needs no step-up.
        disable_password_reverification: bool = false,
    }

    /// What usernames must be like.
    UsernamePolicy {
        /// Characters, at least.
        min_length: u32 = 4,
        /// Characters, at most.
        max_length: u32 = 64,
        /// Digits alone are a username.
        allow_numeric: bool = false,
        /// More than letters, digits, `_` and `-`.
        allow_extended_special_characters: bool = false,
    }

    /// How passkeys are offered.
    PasskeyPolicy {
        /// By the browser, while somebody types.
        allow_autofill: bool = true,
        /// By a button.
        show_sign_in_button: bool = true,
        /// They count as two factors.
        satisfies_second_factor: bool = true,
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

    /// What is kept from those who look around.
    AttackProtection {
        /// Nobody learns from a sign-in or a sign-up who has an account.
        enumeration_protection: bool = false,
        /// Parts of addresses are hidden before a sign-in is complete.
        pii: bool = true,
        /// Links from mails only work where they were asked for.
        email_link_require_same_client: bool = false,
    }

    /// How people sign in.
    SignInPolicy {
        /// Two factors are available.
        second_factor_enabled: bool = false,
        /// Nobody gets in without two factors. Whoever has but one still does, so it cannot be
        /// switched on.
        second_factor_required: bool = false,
        /// Whoever comes with a password alone, from a device they were never on, proves more.
        client_trust: bool = false,
    }

    /// Who may sign up, and how.
    SignUpPolicy {
        /// `public`, `restricted` or `waitlist`.
        mode: String = "public".to_owned(),
        /// Sign-ups may be completed step by step.
        progressive: bool = true,
        /// The terms must be accepted.
        legal_consent: bool = false,
        /// Bots are kept out, by what `captcha` says.
        captcha: bool = false,
        /// How: `smart` or `invisible`.
        captcha_widget_type: String = "smart".to_owned(),
        /// A sign-up waits until the app's own server sets its `custom_action`.
        custom_action_required: bool = false,
        /// Whoever signs up sets up a second factor. Nothing asks for it yet, so it cannot be
        /// switched on.
        mfa_required: bool = false,
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
        /// The Backend API gives users nothing that `attributes` has disabled: its parameter is
        /// unknown then, as it is at Clerk. Off, the Backend API may give what people may not.
        refuse_disabled_attributes_of_backend: bool = false,
    }
}

impl PasswordPolicy {
    /// What was off `before` and asks for what this server does not do.
    pub(super) fn refuse_unserved(&self, before: &Self, wrong: &mut Vec<String>) {
        let hibp = "password.enforce_hibp_on_sign_in cannot be switched on: this server asks for \
                    breaches when a password is chosen";
        let is_same = !self.enforce_hibp_on_sign_in || before.enforce_hibp_on_sign_in;
        super::rules(wrong, &[(is_same, hibp)]);
    }

    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        super::rules(
            wrong,
            &[
                ((1..=72).contains(&self.min_length), "password.min_length must be 1 to 72"),
                (self.max_length <= 72, "password.max_length must be at most 72"),
                (self.min_length <= self.max_length, "password.min_length exceeds max_length"),
                (self.min_zxcvbn_strength <= 4, "password.min_zxcvbn_strength must be 0 to 4"),
            ],
        );
    }
}

impl UsernamePolicy {
    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        super::rules(
            wrong,
            &[
                (self.min_length >= 1, "username.min_length must be at least 1"),
                (self.min_length <= self.max_length, "username.min_length exceeds max_length"),
                (self.max_length <= 64, "username.max_length must be at most 64"),
            ],
        );
    }
}

impl SignInPolicy {
    /// What was off `before` and asks for what this server does not do.
    pub(super) fn refuse_unserved(&self, before: &Self, wrong: &mut Vec<String>) {
        let second = "sign_in.second_factor_required cannot be switched on: this server asks only \
                      those for a second factor who have one";
        let is_same = !self.second_factor_required || before.second_factor_required;
        super::rules(wrong, &[(is_same, second)]);
    }
}

impl SignUpPolicy {
    /// What was off `before` and asks for what this server does not do, and must not be thought to.
    pub(super) fn refuse_unserved(&self, before: &Self, wrong: &mut Vec<String>) {
        let mfa = "sign_up.mfa_required cannot be switched on: this server does not ask whoever \
                   signs up for a second factor";
        super::rules(wrong, &[(!self.mfa_required || before.mfa_required, mfa)]);
    }

    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        super::rules(
            wrong,
            &[
                (
                    matches!(&*self.mode, "public" | "restricted" | "waitlist"),
                    "sign_up.mode must be public, restricted or waitlist",
                ),
                (
                    matches!(&*self.captcha_widget_type, "smart" | "invisible"),
                    "sign_up.captcha_widget_type must be smart or invisible",
                ),
            ],
        );
    }
}
