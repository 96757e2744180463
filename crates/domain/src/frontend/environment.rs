//! The environment, made of the instance's settings and of nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wire::{
    Tag,
    frontend::environment::{
        Actions, ApiKeysSettings, AttackProtection, Attribute, AuthConfig, BillingSettings,
        CommerceSettings, Disabled, DisplayConfig, EmailLink, Enabled, EnterpriseSso, Environment,
        FraudSettings, GetEnvironment, NativeFraud, NativeSettings, OrganizationActions,
        OrganizationDomains, OrganizationSettings, PasskeySettings, PasswordSettings,
        PayerSettings, ProtectConfig, Required, Restrictions, SecondFactor, SignInSettings,
        SignUpSettings, Social, UpdateEnvironment, UserLockout, UserSettings, UsernameSettings,
    },
};

use crate::{Instance, Operations, Outside, Result, Settings, settings, visitors::own_domain};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(get).offer_visitor_outside(update)
}

async fn get(outside: &Outside, _: GetEnvironment) -> Result<Environment> {
    Ok(environment(outside))
}

async fn update(outside: &Outside, _: UpdateEnvironment) -> Result<Environment> {
    Ok(environment(outside))
}

fn environment(outside: &Outside) -> Environment {
    let instance = &outside.instance;
    let settings = &instance.settings;
    Environment {
        auth_config: auth_config(instance),
        display_config: display_config(instance, &home(outside), &outside.world.public_url),
        user_settings: user_settings(settings),
        organization_settings: organization_settings(settings),
        fraud_settings: FraudSettings {
            object: Tag::new(),
            native: NativeFraud { device_attestation_mode: "disabled".to_owned() },
        },
        commerce_settings: CommerceSettings {
            billing: BillingSettings {
                stripe_publishable_key: None,
                free_trial_requires_payment_method: false,
                user: PayerSettings { enabled: false, has_paid_plans: false },
                organization: PayerSettings { enabled: false, has_paid_plans: false },
            },
        },
        api_keys_settings: ApiKeysSettings {
            enabled: false,
            user_api_keys_enabled: false,
            orgs_api_keys_enabled: false,
        },
        protect_config: ProtectConfig {
            object: Tag::new(),
            id: String::new(),
            loaders: Vec::new(),
        },
        client_debug_mode: false,
        partitioned_cookies: false,
        maintenance_mode: false,
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

/// Attributes by name, in the order that lists of them have.
fn attributes(settings: &Settings) -> [(&'static str, &settings::Attribute); 10] {
    let all = &settings.attributes;
    [
        ("email_address", &all.email_address),
        ("phone_number", &all.phone_number),
        ("username", &all.username),
        ("web3_wallet", &all.web3_wallet),
        ("first_name", &all.first_name),
        ("last_name", &all.last_name),
        ("password", &all.password),
        ("authenticator_app", &all.authenticator_app),
        ("backup_code", &all.backup_code),
        ("passkey", &all.passkey),
    ]
}

/// What an attribute can prove: as a first factor, as a second one, and of itself.
fn strategies(name: &str) -> [&'static [&'static str]; 3] {
    match name {
        "email_address" => [&["email_code"], &[], &["email_code"]],
        "phone_number" => [&["phone_code"], &["phone_code"], &["phone_code"]],
        "web3_wallet" => {
            const WALLETS: &[&str] = &["web3_metamask_signature", "web3_base_signature"];
            [WALLETS, &[], WALLETS]
        }
        "authenticator_app" => [&[], &["totp"], &["totp"]],
        "backup_code" => [&[], &["backup_code"], &[]],
        "passkey" => [&["passkey"], &[], &["passkey"]],
        _ => [&[], &[], &[]],
    }
}

fn attribute(name: &str, attribute: &settings::Attribute) -> Attribute {
    let [first, second, own] = strategies(name);
    let names = |list: &[&str], counts: bool| -> Vec<String> {
        let list = if counts { list } else { &[] };
        list.iter().map(|name| (*name).to_owned()).collect()
    };
    let enabled = attribute.enabled;
    let is_first = enabled && attribute.used_for_first_factor && name != "password";
    let is_first = is_first && !matches!(name, "authenticator_app" | "backup_code");
    let is_second = enabled && !second.is_empty();
    Attribute {
        enabled,
        required: enabled && attribute.required,
        used_for_first_factor: is_first,
        first_factors: names(first, is_first),
        used_for_second_factor: is_second,
        second_factors: names(second, is_second),
        verifications: names(own, enabled),
        verify_at_sign_up: enabled && matches!(name, "email_address" | "phone_number"),
        immutable: false,
        channels: (name == "phone_number").then(|| vec!["sms".to_owned()]),
    }
}

fn auth_config(instance: &Instance) -> AuthConfig {
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
    let shown = || attributes(settings).map(|(name, own)| (name, attribute(name, own)));
    let identifiers = ["email_address", "phone_number", "username", "web3_wallet"];
    let identifiers = shown()
        .into_iter()
        .filter(|(name, own)| identifiers.contains(name) && own.used_for_first_factor)
        .map(|(name, _)| name.to_owned());
    let providers = || settings.oauth_providers.iter().map(|name| format!("oauth_{name}"));
    let mut first_factors: Vec<String> =
        shown().into_iter().flat_map(|(_, own)| own.first_factors).collect();
    if all.password.enabled {
        first_factors.insert(0, "password".to_owned());
    }
    first_factors.extend(providers());
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
        identification_strategies: identifiers.chain(providers()).collect(),
        first_factors,
        second_factors: shown().into_iter().flat_map(|(_, own)| own.second_factors).collect(),
        email_address_verification_strategies: attribute("email_address", &all.email_address)
            .verifications,
        single_session_mode: settings.session.single_session,
        enhanced_email_deliverability: false,
        test_mode: settings.test_mode,
        cookieless_dev: instance.is_development(),
        url_based_session_syncing: instance.is_development(),
        // Whoever runs the server owns the application already.
        claimed_at: Some(wire::Timestamp(0)),
        reverification: true,
        session_minter: false,
        preferred_channels: None,
        native_settings: NativeSettings {
            object: Tag::new(),
            api_enabled: true,
            trusted_device_sign_in_enabled: false,
            trusted_device_enrollment_prompt_after_sign_in_enabled: false,
            trusted_device_enrollment_prompt_after_sign_up_enabled: false,
        },
    }
}

fn display_config(instance: &Instance, home: &str, server: &str) -> DisplayConfig {
    let at_home = || home.to_owned();
    // Pages of the server's own, for apps that have none.
    let page = |name: &str| format!("{server}/{name}");
    let captcha = instance.settings.sign_up.captcha;
    DisplayConfig {
        object: Tag::new(),
        id: own_id(instance, "display_config_"),
        instance_environment_type: instance.environment.clone(),
        application_name: instance.application_name.clone(),
        theme: theme(),
        preferred_sign_in_strategy: "password".to_owned(),
        logo_image_url: None,
        favicon_image_url: None,
        logo_url: None,
        favicon_url: None,
        logo_image: None,
        favicon_image: None,
        home_url: at_home(),
        sign_in_url: page("sign-in"),
        sign_up_url: page("sign-up"),
        user_profile_url: page("user"),
        waitlist_url: page("waitlist"),
        oauth_consent_url: page("oauth-consent"),
        after_sign_in_url: at_home(),
        after_sign_up_url: at_home(),
        after_sign_out_one_url: page("sign-in/choose"),
        after_sign_out_all_url: page("sign-in"),
        after_switch_session_url: at_home(),
        after_join_waitlist_url: at_home(),
        organization_profile_url: page("organization"),
        create_organization_url: page("create-organization"),
        after_leave_organization_url: at_home(),
        after_create_organization_url: at_home(),
        logo_link_url: at_home(),
        support_email: None,
        branded: false,
        experimental_force_oauth_first: false,
        clerk_js_version: Some("6".to_owned()),
        show_devmode_warning: false,
        google_one_tap_client_id: None,
        help_url: None,
        privacy_policy_url: None,
        terms_url: None,
        captcha_public_key: None,
        captcha_widget_type: captcha.then(|| "smart".to_owned()),
        captcha_public_key_invisible: None,
        captcha_provider: captcha.then(|| "turnstile".to_owned()),
        captcha_oauth_bypass: Vec::new(),
        captcha_heartbeat: Some(false),
    }
}

fn theme() -> Value {
    json!({
        "general": {
            "color": "#2f3037",
            "background_color": "#ffffff",
            "font_family": "inherit",
            "font_color": "#151515",
            "label_font_weight": "600",
            "padding": "1em",
            "border_radius": "0.5em",
            "box_shadow": "0 2px 8px rgba(0,0,0,0.2)",
        },
        "buttons": {"font_color": "#ffffff", "font_family": "inherit", "font_weight": "600"},
        "accounts": {"background_color": "#ffffff"},
    })
}

fn user_settings(settings: &Settings) -> UserSettings {
    let mut attributes: BTreeMap<String, Attribute> = attributes(settings)
        .into_iter()
        .map(|(name, own)| (name.to_owned(), attribute(name, own)))
        .collect();
    let ticket = settings::Attribute { used_for_first_factor: false, ..Default::default() };
    attributes.insert("ticket".to_owned(), attribute("ticket", &ticket));
    let second_factor = SecondFactor {
        required: false,
        enabled: attributes.values().any(|own| own.used_for_second_factor),
    };
    let passkey = settings.attributes.passkey.enabled;
    UserSettings {
        attributes,
        social: settings.oauth_providers.iter().map(|name| social(settings, name)).collect(),
        saml: EnterpriseSso { enabled: false, self_serve_sso: false },
        enterprise_sso: EnterpriseSso { enabled: false, self_serve_sso: false },
        sign_in: SignInSettings { second_factor },
        sign_up: SignUpSettings {
            allowlist_only: settings.restrictions.allowlist,
            captcha_enabled: settings.sign_up.captcha,
            captcha_widget_type: "smart".to_owned(),
            custom_action_required: false,
            progressive: settings.sign_up.progressive,
            mode: settings.sign_up.mode.clone(),
            legal_consent_enabled: settings.sign_up.legal_consent,
            mfa: Required { required: false },
        },
        restrictions: restrictions(settings),
        password_settings: password_settings(settings),
        username_settings: UsernameSettings {
            min_length: settings.username.min_length,
            max_length: settings.username.max_length,
            allow_extended_special_characters: false,
            allow_numeric_usernames: settings.username.allow_numeric,
        },
        actions: Actions {
            delete_self: settings.user.delete_self,
            create_organization: settings.user.create_organization,
            create_organizations_limit: settings.user.create_organizations_limit,
        },
        attack_protection: AttackProtection {
            user_lockout: UserLockout {
                enabled: settings.lockout.enabled,
                max_attempts: settings.lockout.max_attempts,
                duration_in_minutes: settings.lockout.duration_minutes,
            },
            pii: Enabled { enabled: true },
            email_link: EmailLink { require_same_client: false },
            enumeration_protection: Enabled { enabled: false },
        },
        passkey_settings: PasskeySettings {
            allow_autofill: passkey,
            show_sign_in_button: passkey,
            satisfies_second_factor: true,
        },
    }
}

fn social(settings: &Settings, name: &str) -> (String, Social) {
    let strategy = format!("oauth_{name}");
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
        enabled: true,
        required: false,
        authenticatable: true,
        block_email_subaddresses: settings.restrictions.block_email_subaddresses,
        strategy: strategy.clone(),
        not_selectable: false,
        deprecated: false,
        name: shown,
        logo_url: None,
    };
    (strategy, social)
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
        disable_hibp: true,
        disable_password_reverification: false,
        min_length: own.min_length,
        max_length: own.max_length,
        require_special_char: own.require_special_char,
        require_numbers: own.require_numbers,
        require_uppercase: own.require_uppercase,
        require_lowercase: own.require_lowercase,
        show_zxcvbn: false,
        min_zxcvbn_strength: 0,
        enforce_hibp_on_sign_in: false,
        allowed_special_characters: "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~".to_owned(),
    }
}

fn organization_settings(settings: &Settings) -> OrganizationSettings {
    let own = &settings.organizations;
    OrganizationSettings {
        enabled: own.enabled,
        max_allowed_memberships: own.max_allowed_memberships,
        force_organization_selection: false,
        actions: OrganizationActions { admin_delete: own.admin_delete_enabled },
        domains: OrganizationDomains {
            enabled: own.domains_enabled,
            enrollment_modes: own.domains_enrollment_modes.clone(),
            default_role: own.domains_default_role.clone(),
        },
        slug: Disabled { disabled: own.slug_disabled },
        organization_creation_defaults: Enabled { enabled: false },
        creator_role: own.creator_role.clone(),
    }
}
