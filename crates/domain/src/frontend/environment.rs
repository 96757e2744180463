//! The environment, made of the instance's settings and of nothing else.

use wire::{
    Tag, Timestamp,
    frontend::environment::{
        Actions, ApiKeysSettings, AttackProtection, Attribute, AuthConfig, BillingSettings,
        CommerceSettings, Disabled, DisplayConfig, EmailLink, Enabled, EnterpriseSso, Environment,
        FraudSettings, GetEnvironment, NativeFraud, NativeSettings, OrganizationActions,
        OrganizationDomains, OrganizationSettings, PasskeySettings, PasswordSettings,
        PayerSettings, ProtectConfig, Required, Restrictions, SecondFactor, SignInSettings,
        SignUpSettings, Social, UpdateEnvironment, UserLockout, UserSettings, UsernameSettings,
    },
};

use crate::{
    Instance, Operations, Outside, Result, Settings, accountless_applications,
    settings::{self, Strategy},
    visitors::own_domain,
};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(get).offer_visitor_outside(update)
}

async fn get(outside: &Outside, _: GetEnvironment) -> Result<Environment> {
    environment(outside).await
}

async fn update(outside: &Outside, _: UpdateEnvironment) -> Result<Environment> {
    environment(outside).await
}

async fn environment(outside: &Outside) -> Result<Environment> {
    let instance = &outside.instance;
    let settings = &instance.settings;
    // Nobody makes others without an account.
    let claimed_at = if instance.is_development() {
        outside.read(accountless_applications::claimed_at, ()).await?
    } else {
        Some(Timestamp(0))
    };
    Ok(Environment {
        auth_config: auth_config(instance, claimed_at),
        display_config: display(outside),
        user_settings: user_settings(settings),
        organization_settings: organization_settings(settings),
        fraud_settings: FraudSettings {
            object: Tag::new(),
            native: NativeFraud {
                device_attestation_mode: settings.native.device_attestation_mode.clone(),
            },
        },
        commerce_settings: commerce_settings(settings),
        api_keys_settings: ApiKeysSettings {
            enabled: settings.api_keys.users || settings.api_keys.organizations,
            user_api_keys_enabled: settings.api_keys.users,
            orgs_api_keys_enabled: settings.api_keys.organizations,
        },
        protect_config: ProtectConfig {
            object: Tag::new(),
            id: String::new(),
            loaders: Vec::new(),
        },
        client_debug_mode: settings.client_debug_mode,
        partitioned_cookies: settings.partitioned_cookies,
        maintenance_mode: settings.maintenance_mode,
    })
}

/// What the app looks like, and where its pages are.
pub(super) fn display(outside: &Outside) -> DisplayConfig {
    let instance = &outside.instance;
    display_config(instance, &home(outside), &instance.url(&outside.world.public_url))
}

fn commerce_settings(settings: &Settings) -> CommerceSettings {
    let own = &settings.commerce;
    let payer = |enabled| PayerSettings { enabled, has_paid_plans: false };
    CommerceSettings {
        billing: BillingSettings {
            stripe_publishable_key: None,
            free_trial_requires_payment_method: own.free_trial_requires_payment_method,
            user: payer(own.users),
            organization: payer(own.organizations),
        },
    }
}

/// Where the app is: in development wherever the asking page is.
fn home(outside: &Outside) -> String {
    let instance = &outside.instance;
    let origin = outside.caller.visitor().and_then(|visitor| visitor.origin.clone());
    match origin.filter(|_| instance.is_development()) {
        Some(origin) => origin,
        None if instance.is_development() => outside.world.public_url.clone(),
        None => format!("https://{}", own_domain(&instance.frontend_host)),
    }
}

/// An id of something there is one of in each instance.
fn own_id(instance: &Instance, prefix: &str) -> String {
    instance.id.as_str().replacen("ins_", prefix, 1)
}

/// An attribute as browsers are told of it; of one that is off, nothing else counts.
fn attribute(settings: &Settings, name: &str, own: &settings::Attribute) -> Attribute {
    let enabled = own.enabled;
    let names = |list: &[Strategy], counts: bool| -> Vec<String> {
        let list = if counts { list } else { &[] };
        list.iter().map(|strategy| strategy.as_str().to_owned()).collect()
    };
    let is_first = enabled && own.used_for_first_factor;
    let is_second = enabled && own.used_for_second_factor;
    Attribute {
        enabled,
        required: enabled && own.required,
        used_for_first_factor: is_first,
        first_factors: names(&own.first_factors, is_first),
        used_for_second_factor: is_second,
        second_factors: names(&own.second_factors, is_second),
        verifications: names(&own.verifications, enabled),
        verify_at_sign_up: enabled && own.verify_at_sign_up,
        immutable: own.immutable,
        channels: (name == "phone_number").then(|| settings.phone_channels.clone()),
    }
}

fn auth_config(instance: &Instance, claimed_at: Option<Timestamp>) -> AuthConfig {
    let settings = &instance.settings;
    let all = &settings.attributes;
    let state = |attribute: &settings::Attribute| {
        let state = match (attribute.enabled, attribute.required) {
            (false, _) => "off",
            (true, false) => "on",
            (true, true) => "required",
        };
        state.to_owned()
    };
    let shown = || all.named().map(|(name, own)| (name, attribute(settings, name, own)));
    let identifiers = ["email_address", "phone_number", "username", "web3_wallet"];
    let identifiers = shown()
        .into_iter()
        .filter(|(name, own)| identifiers.contains(name) && own.used_for_first_factor)
        .map(|(name, _)| name.to_owned());
    let mut first_factors: Vec<String> =
        shown().into_iter().flat_map(|(_, own)| own.first_factors).collect();
    if all.password.enabled {
        first_factors.insert(0, "password".to_owned());
    }
    first_factors.push("ticket".to_owned());
    let required = |names: &[&str]| -> Vec<String> {
        let required =
            shown().into_iter().filter(|(name, own)| names.contains(name) && own.required);
        required.map(|(name, _)| name.to_owned()).collect()
    };
    AuthConfig {
        object: Tag::new(),
        id: own_id(instance, "aconf_"),
        first_name: state(&all.first_name),
        last_name: state(&all.last_name),
        email_address: state(&all.email_address),
        phone_number: state(&all.phone_number),
        username: state(&all.username),
        password: state(&all.password),
        identification_requirements: vec![
            required(&["email_address", "phone_number"]),
            required(&["username"]),
        ],
        identification_strategies: identifiers.collect(),
        first_factors,
        second_factors: shown().into_iter().flat_map(|(_, own)| own.second_factors).collect(),
        email_address_verification_strategies: attribute(
            settings,
            "email_address",
            &all.email_address,
        )
        .verifications,
        single_session_mode: settings.session.single_session,
        enhanced_email_deliverability: settings.enhanced_email_deliverability,
        test_mode: settings.test_mode,
        cookieless_dev: instance.is_development(),
        url_based_session_syncing: settings.url_based_session_syncing,
        claimed_at,
        reverification: settings.session.reverification,
        session_minter: settings.session.minter,
        preferred_channels: None,
        native_settings: native_settings(settings),
    }
}

fn native_settings(settings: &Settings) -> NativeSettings {
    let own = &settings.native;
    NativeSettings {
        object: Tag::new(),
        api_enabled: own.api_enabled,
        trusted_device_sign_in_enabled: own.trusted_device_sign_in,
        trusted_device_enrollment_prompt_after_sign_in_enabled: own
            .trusted_device_prompt_after_sign_in,
        trusted_device_enrollment_prompt_after_sign_up_enabled: own
            .trusted_device_prompt_after_sign_up,
    }
}

fn display_config(instance: &Instance, home: &str, server: &str) -> DisplayConfig {
    let own = &instance.settings.display;
    let captcha = instance.settings.bot_protection();
    let widget_type = &instance.settings.sign_up.captcha_widget_type;
    let urls = &own.urls;
    let home = urls.home.as_deref().unwrap_or(home);
    let or_home = |url: &Option<String>| url.clone().unwrap_or_else(|| home.to_owned());
    // Pages of the server's own, for apps that have none.
    let or_page = |url: &Option<String>, name: &str| {
        url.clone().unwrap_or_else(|| format!("{server}/{name}"))
    };
    let name = own.application_name.as_ref().unwrap_or(&instance.application_name);
    let preferred = own.preferred_sign_in_strategy.as_deref().unwrap_or("password");
    DisplayConfig {
        object: Tag::new(),
        id: own_id(instance, "display_config_"),
        instance_environment_type: instance.environment.clone(),
        application_name: name.clone(),
        theme: serde_json::to_value(&own.theme).unwrap_or_default(),
        preferred_sign_in_strategy: preferred.to_owned(),
        logo_image_url: own.logo_image_url.clone(),
        favicon_image_url: own.favicon_image_url.clone(),
        logo_url: own.logo_image_url.clone(),
        favicon_url: own.favicon_image_url.clone(),
        logo_image: None,
        favicon_image: None,
        home_url: home.to_owned(),
        sign_in_url: or_page(&urls.sign_in, "sign-in"),
        sign_up_url: or_page(&urls.sign_up, "sign-up"),
        user_profile_url: or_page(&urls.user_profile, "user"),
        waitlist_url: or_page(&urls.waitlist, "waitlist"),
        oauth_consent_url: or_page(&urls.oauth_consent, "oauth-consent"),
        after_sign_in_url: or_home(&urls.after_sign_in),
        after_sign_up_url: or_home(&urls.after_sign_up),
        after_sign_out_one_url: or_page(&urls.after_sign_out_one, "sign-in/choose"),
        after_sign_out_all_url: or_page(&urls.after_sign_out_all, "sign-in"),
        after_switch_session_url: or_home(&urls.after_switch_session),
        after_join_waitlist_url: or_home(&urls.after_join_waitlist),
        organization_profile_url: or_page(&urls.organization_profile, "organization"),
        create_organization_url: or_page(&urls.create_organization, "create-organization"),
        after_leave_organization_url: or_home(&urls.after_leave_organization),
        after_create_organization_url: or_home(&urls.after_create_organization),
        logo_link_url: or_home(&own.logo_link_url),
        support_email: own.support_email.clone(),
        branded: own.branded,
        experimental_force_oauth_first: own.experimental_force_oauth_first,
        clerk_js_version: own.clerk_js_version.clone().or_else(|| Some("6".to_owned())),
        show_devmode_warning: own.show_devmode_warning,
        google_one_tap_client_id: own.google_one_tap_client_id.clone(),
        help_url: own.help_url.clone(),
        privacy_policy_url: own.privacy_policy_url.clone(),
        terms_url: own.terms_url.clone(),
        captcha_public_key: captcha.and_then(|own| own.site_key.clone()),
        captcha_widget_type: captcha.map(|_| widget_type.clone()),
        captcha_public_key_invisible: captcha.and_then(|own| own.site_key_of_invisible().cloned()),
        captcha_provider: captcha.map(|_| "turnstile".to_owned()),
        captcha_oauth_bypass: captcha.map(|own| own.oauth_bypass.clone()).unwrap_or_default(),
        captcha_heartbeat: Some(false),
    }
}

fn user_settings(settings: &Settings) -> UserSettings {
    let attributes = settings.attributes.named();
    let attributes = attributes
        .into_iter()
        .map(|(name, own)| (name.to_owned(), attribute(settings, name, own)))
        .collect();
    let (sign_in, enterprise) = (&settings.sign_in, &settings.enterprise_sso);
    UserSettings {
        attributes,
        social: settings.social.iter().map(social).collect(),
        saml: EnterpriseSso { enabled: enterprise.saml, self_serve_sso: false },
        enterprise_sso: EnterpriseSso {
            enabled: enterprise.enabled,
            self_serve_sso: enterprise.self_serve_sso,
        },
        sign_in: SignInSettings {
            second_factor: SecondFactor {
                required: sign_in.second_factor_required,
                enabled: sign_in.second_factor_enabled,
            },
        },
        sign_up: sign_up_settings(settings),
        restrictions: restrictions(settings),
        password_settings: password_settings(settings),
        username_settings: UsernameSettings {
            min_length: settings.username.min_length,
            max_length: settings.username.max_length,
            allow_extended_special_characters: settings.username.allow_extended_special_characters,
            allow_numeric_usernames: settings.username.allow_numeric,
        },
        actions: Actions {
            delete_self: settings.user.delete_self,
            create_organization: settings.user.create_organization,
            create_organizations_limit: settings.user.create_organizations_limit,
        },
        attack_protection: attack_protection(settings),
        passkey_settings: PasskeySettings {
            allow_autofill: settings.passkey.allow_autofill,
            show_sign_in_button: settings.passkey.show_sign_in_button,
            satisfies_second_factor: settings.passkey.satisfies_second_factor,
        },
    }
}

fn sign_up_settings(settings: &Settings) -> SignUpSettings {
    let own = &settings.sign_up;
    SignUpSettings {
        allowlist_only: settings.restrictions.allowlist,
        captcha_enabled: settings.bot_protection().is_some(),
        captcha_widget_type: own.captcha_widget_type.clone(),
        custom_action_required: own.custom_action_required,
        progressive: own.progressive,
        mode: own.mode.clone(),
        legal_consent_enabled: own.legal_consent,
        mfa: Required { required: own.mfa_required },
    }
}

fn attack_protection(settings: &Settings) -> AttackProtection {
    let own = &settings.attack_protection;
    AttackProtection {
        user_lockout: UserLockout {
            enabled: settings.lockout.enabled,
            max_attempts: settings.lockout.max_attempts,
            duration_in_minutes: settings.lockout.duration_minutes,
        },
        pii: Enabled { enabled: own.pii },
        email_link: EmailLink { require_same_client: own.email_link_require_same_client },
        enumeration_protection: Enabled { enabled: own.enumeration_protection },
    }
}

fn social((strategy, own): (&String, &settings::SocialProvider)) -> (String, Social) {
    let name = strategy.strip_prefix("oauth_").unwrap_or(strategy);
    let mut letters = name.chars();
    let shown = match name {
        "github" => "GitHub".to_owned(),
        "gitlab" => "GitLab".to_owned(),
        "linkedin_oidc" => "LinkedIn".to_owned(),
        _ => letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()),
    };
    let social = Social {
        // Nobody signs in with a provider yet. Components would show a button that fails, with a
        // picture from a host of their makers.
        enabled: false,
        required: own.required,
        authenticatable: false,
        block_email_subaddresses: own.block_email_subaddresses,
        strategy: strategy.clone(),
        not_selectable: own.not_selectable,
        deprecated: own.deprecated,
        name: shown,
        logo_url: None,
    };
    (strategy.clone(), social)
}

fn restrictions(settings: &Settings) -> Restrictions {
    let own = &settings.restrictions;
    let enabled = |enabled| Enabled { enabled };
    Restrictions {
        allowlist: enabled(own.allowlist),
        blocklist: enabled(own.blocklist),
        allowlist_blocklist_disabled_on_sign_in: enabled(
            own.allowlist_blocklist_disabled_on_sign_in,
        ),
        block_email_subaddresses: enabled(own.block_email_subaddresses),
        block_disposable_email_domains: enabled(own.block_disposable_email_domains),
    }
}

fn password_settings(settings: &Settings) -> PasswordSettings {
    let own = &settings.password;
    PasswordSettings {
        disable_hibp: !own.hibp,
        disable_password_reverification: own.disable_password_reverification,
        min_length: own.min_length,
        max_length: own.max_length,
        require_special_char: own.require_special_char,
        require_numbers: own.require_numbers,
        require_uppercase: own.require_uppercase,
        require_lowercase: own.require_lowercase,
        show_zxcvbn: own.show_zxcvbn,
        min_zxcvbn_strength: own.min_zxcvbn_strength.into(),
        enforce_hibp_on_sign_in: own.enforce_hibp_on_sign_in,
        allowed_special_characters: "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~".to_owned(),
    }
}

fn organization_settings(settings: &Settings) -> OrganizationSettings {
    let own = &settings.organizations;
    OrganizationSettings {
        enabled: own.enabled,
        max_allowed_memberships: own.max_allowed_memberships,
        force_organization_selection: own.force_organization_selection,
        actions: OrganizationActions { admin_delete: own.admin_delete_enabled },
        domains: OrganizationDomains {
            enabled: own.domains_enabled,
            enrollment_modes: own.domains_enrollment_modes.clone(),
            default_role: own.domains_default_role.clone(),
        },
        slug: Disabled { disabled: own.slug_disabled },
        organization_creation_defaults: Enabled { enabled: own.creation_defaults },
        creator_role: own.creator_role.clone(),
    }
}
