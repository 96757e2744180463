//! The environment: all that the components need to know of an instance before anybody signs in.

use std::collections::BTreeMap;

use macros::endpoint;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, backend::instance::EnvironmentType, id::object};

/// The settings that browsers may know.
#[endpoint(GET "/v1/environment" -> Environment, api = Frontend, auth = Public, answer = Bare)]
pub struct GetEnvironment {}

/// The same; development instances are asked so, and learn where their app is.
#[endpoint(PATCH "/v1/environment" -> Environment, api = Frontend, auth = Public, answer = Bare)]
pub struct UpdateEnvironment {}

/// A struct of the environment.
macro_rules! parts {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)+ }
    )+};
}

object!(AuthConfig, "auth_config");
object!(DisplayConfig, "display_config");
object!(FraudSettings, "fraud_settings");
object!(NativeSettings, "native_settings");
object!(ProtectConfig, "protect_config");

parts! {
    /// All of it.
    Environment {
        auth_config: AuthConfig,
        display_config: DisplayConfig,
        user_settings: UserSettings,
        organization_settings: OrganizationSettings,
        fraud_settings: FraudSettings,
        commerce_settings: CommerceSettings,
        api_keys_settings: ApiKeysSettings,
        protect_config: ProtectConfig,
        client_debug_mode: bool,
        partitioned_cookies: bool,
        maintenance_mode: bool,
    }

    /// How people sign in, most of it for older components.
    AuthConfig {
        object: crate::Tag<AuthConfig>,
        id: String,
        first_name: String,
        last_name: String,
        email_address: String,
        phone_number: String,
        username: String,
        password: String,
        identification_requirements: Vec<Vec<String>>,
        identification_strategies: Vec<String>,
        first_factors: Vec<String>,
        second_factors: Vec<String>,
        email_address_verification_strategies: Vec<String>,
        single_session_mode: bool,
        enhanced_email_deliverability: bool,
        test_mode: bool,
        cookieless_dev: bool,
        url_based_session_syncing: bool,
        claimed_at: Option<Timestamp>,
        reverification: bool,
        session_minter: bool,
        preferred_channels: Option<BTreeMap<String, String>>,
        native_settings: NativeSettings,
    }

    /// What native apps may do.
    NativeSettings {
        object: crate::Tag<NativeSettings>,
        api_enabled: bool,
        trusted_device_sign_in_enabled: bool,
        trusted_device_enrollment_prompt_after_sign_in_enabled: bool,
        trusted_device_enrollment_prompt_after_sign_up_enabled: bool,
    }

    /// How the components look, and where they lead.
    DisplayConfig {
        object: crate::Tag<DisplayConfig>,
        id: String,
        instance_environment_type: EnvironmentType,
        application_name: String,
        theme: serde_json::Value,
        preferred_sign_in_strategy: String,
        logo_image_url: Option<String>,
        favicon_image_url: Option<String>,
        logo_url: Option<String>,
        favicon_url: Option<String>,
        logo_image: Option<serde_json::Value>,
        favicon_image: Option<serde_json::Value>,
        home_url: String,
        sign_in_url: String,
        sign_up_url: String,
        user_profile_url: String,
        waitlist_url: String,
        oauth_consent_url: String,
        after_sign_in_url: String,
        after_sign_up_url: String,
        after_sign_out_one_url: String,
        after_sign_out_all_url: String,
        after_switch_session_url: String,
        after_join_waitlist_url: String,
        organization_profile_url: String,
        create_organization_url: String,
        after_leave_organization_url: String,
        after_create_organization_url: String,
        logo_link_url: String,
        support_email: Option<String>,
        branded: bool,
        experimental_force_oauth_first: bool,
        clerk_js_version: Option<String>,
        show_devmode_warning: bool,
        google_one_tap_client_id: Option<String>,
        help_url: Option<String>,
        privacy_policy_url: Option<String>,
        terms_url: Option<String>,
        captcha_public_key: Option<String>,
        captcha_widget_type: Option<String>,
        captcha_public_key_invisible: Option<String>,
        captcha_provider: Option<String>,
        captcha_oauth_bypass: Vec<String>,
        captcha_heartbeat: Option<bool>,
    }

    /// What users have, and how they get in.
    UserSettings {
        attributes: BTreeMap<String, Attribute>,
        social: BTreeMap<String, Social>,
        saml: EnterpriseSso,
        enterprise_sso: EnterpriseSso,
        sign_in: SignInSettings,
        sign_up: SignUpSettings,
        restrictions: Restrictions,
        password_settings: PasswordSettings,
        username_settings: UsernameSettings,
        actions: Actions,
        attack_protection: AttackProtection,
        passkey_settings: PasskeySettings,
    }

    /// Something that users have.
    Attribute {
        enabled: bool,
        required: bool,
        used_for_first_factor: bool,
        first_factors: Vec<String>,
        used_for_second_factor: bool,
        second_factors: Vec<String>,
        verifications: Vec<String>,
        verify_at_sign_up: bool,
        immutable: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<String>>,
    }

    /// A social provider.
    Social {
        enabled: bool,
        required: bool,
        authenticatable: bool,
        block_email_subaddresses: bool,
        strategy: String,
        not_selectable: bool,
        deprecated: bool,
        name: String,
        logo_url: Option<String>,
    }

    /// Whether companies sign in their own people.
    EnterpriseSso {
        enabled: bool,
        self_serve_sso: bool,
    }

    /// Rules of signing in.
    SignInSettings {
        second_factor: SecondFactor,
    }

    /// Whether a second factor may be, or must be.
    SecondFactor {
        required: bool,
        enabled: bool,
    }

    /// Rules of signing up.
    SignUpSettings {
        allowlist_only: bool,
        captcha_enabled: bool,
        captcha_widget_type: String,
        custom_action_required: bool,
        progressive: bool,
        mode: String,
        legal_consent_enabled: bool,
        mfa: Required,
    }

    /// Whether something must be.
    Required {
        required: bool,
    }

    /// Whether something is switched on.
    Enabled {
        enabled: bool,
    }

    /// Which identifiers are let in.
    Restrictions {
        allowlist: Enabled,
        blocklist: Enabled,
        allowlist_blocklist_disabled_on_sign_in: Enabled,
        block_email_subaddresses: Enabled,
        block_disposable_email_domains: Enabled,
    }

    /// What passwords must be like.
    PasswordSettings {
        disable_hibp: bool,
        disable_password_reverification: bool,
        min_length: u32,
        max_length: u32,
        require_special_char: bool,
        require_numbers: bool,
        require_uppercase: bool,
        require_lowercase: bool,
        show_zxcvbn: bool,
        min_zxcvbn_strength: u32,
        enforce_hibp_on_sign_in: bool,
        allowed_special_characters: String,
    }

    /// What usernames must be like.
    UsernameSettings {
        min_length: u32,
        max_length: u32,
        allow_extended_special_characters: bool,
        allow_numeric_usernames: bool,
    }

    /// What people may do.
    Actions {
        delete_self: bool,
        create_organization: bool,
        create_organizations_limit: Option<u32>,
    }

    /// What is done against those who guess.
    AttackProtection {
        user_lockout: UserLockout,
        pii: Enabled,
        email_link: EmailLink,
        enumeration_protection: Enabled,
    }

    /// When users are locked.
    UserLockout {
        enabled: bool,
        max_attempts: u32,
        duration_in_minutes: u32,
    }

    /// Rules of links in e-mails.
    EmailLink {
        require_same_client: bool,
    }

    /// Rules of passkeys.
    PasskeySettings {
        allow_autofill: bool,
        show_sign_in_button: bool,
        satisfies_second_factor: bool,
    }

    /// Rules of organizations.
    OrganizationSettings {
        enabled: bool,
        max_allowed_memberships: u32,
        force_organization_selection: bool,
        actions: OrganizationActions,
        domains: OrganizationDomains,
        slug: Disabled,
        organization_creation_defaults: Enabled,
        creator_role: String,
    }

    /// What admins may do.
    OrganizationActions {
        admin_delete: bool,
    }

    /// Domains of organizations.
    OrganizationDomains {
        enabled: bool,
        enrollment_modes: Vec<String>,
        default_role: String,
    }

    /// Whether something is switched off.
    Disabled {
        disabled: bool,
    }

    /// What native apps must prove.
    FraudSettings {
        object: crate::Tag<FraudSettings>,
        native: NativeFraud,
    }

    /// How devices are attested.
    NativeFraud {
        device_attestation_mode: String,
    }

    /// Billing; the official parser stops at one that is not whole.
    CommerceSettings {
        billing: BillingSettings,
    }

    /// Who can be billed.
    BillingSettings {
        stripe_publishable_key: Option<String>,
        free_trial_requires_payment_method: bool,
        user: PayerSettings,
        organization: PayerSettings,
    }

    /// Whether these can be billed.
    PayerSettings {
        enabled: bool,
        has_paid_plans: bool,
    }

    /// Who can have API keys.
    ApiKeysSettings {
        enabled: bool,
        user_api_keys_enabled: bool,
        orgs_api_keys_enabled: bool,
    }

    /// Scripts against bots.
    ProtectConfig {
        object: crate::Tag<ProtectConfig>,
        id: String,
        loaders: Vec<serde_json::Value>,
    }
}
