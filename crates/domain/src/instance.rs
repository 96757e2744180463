//! The instance as its own servers see it, and the settings that they may change.
//!
//! In every change `null` says as little as leaving the parameter out, and an empty text takes a
//! text away.

use wire::{
    NoContent, Patch, Refusal, Tag,
    backend::{
        instance::{
            EnvironmentType, GetInstance, GetInstanceCommunication,
            GetInstanceOAuthApplicationSettings, GetInstanceOrganizationSettings,
            GetInstanceProtect, Instance, InstanceCommunication, InstanceProtect,
            InstanceRestrictions, InstanceSettings, OAuthApplicationSettings, OrganizationSettings,
            UpdateInstance, UpdateInstanceAuthConfig, UpdateInstanceCommunication,
            UpdateInstanceOAuthApplicationSettings, UpdateInstanceOrganizationSettings,
            UpdateInstanceProtect, UpdateInstanceRestrictions,
        },
        organization_domains::OrganizationEnrollmentMode,
    },
    refusal,
};

use crate::{
    Operations, Outside, Result, Settings, countries, identifications::IdentificationKind,
    settings::change, text,
};

/// Origins of one instance.
const ORIGINS_MAX: usize = 100;
/// Countries that nothing is sent to.
const COUNTRIES_MAX: usize = 250;
/// Scopes of an OAuth client that names none.
const SCOPES_MAX: usize = 100;
/// Letters before the `@` of an address.
const LOCAL_PART_MAX: usize = 64;
/// Letters of a scope, a version, an address.
const TEXT_MAX: usize = 256;

/// What the Backend API offers about it.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(get)
        .offer_outside(update)
        .offer_outside(update_restrictions)
        .offer_outside(get_organizations)
        .offer_outside(update_organizations)
        .offer_outside(get_communication)
        .offer_outside(update_communication)
        .offer_outside(get_protect)
        .offer_outside(update_protect)
        .offer_outside(get_oauth_applications)
        .offer_outside(update_oauth_applications)
        .offer_outside(update_auth_config)
}

/// Fetch the instance that the secret key belongs to.
async fn get(outside: &Outside, _request: GetInstance) -> Result<Instance> {
    let instance = &outside.instance;
    let origins = &instance.settings.allowed_origins;
    Ok(Instance {
        id: instance.id.clone(),
        object: Tag::new(),
        environment_type: instance.environment.clone(),
        allowed_origins: (!origins.is_empty()).then(|| origins.clone()),
        workspace_id: None,
    })
}

/// Change settings of the instance.
async fn update(outside: &Outside, request: UpdateInstance) -> Result<NoContent> {
    if outside.instance.environment == EnvironmentType::Production {
        let syncing = &request.url_based_session_syncing;
        let of_development = [
            ("cookieless_dev", request.cookieless_dev == Patch::Set(true)),
            ("url_based_session_syncing", *syncing == Patch::Set(true)),
            (
                "development_origin",
                request.development_origin.as_ref().is_some_and(|text| !text.is_empty()),
            ),
        ];
        if let Some((name, _)) = of_development.iter().find(|(_, asked)| *asked) {
            let reason = format!("{name} is for development instances.");
            let refusal = refusal::request_invalid_for_environment().because(reason);
            return Err(refusal.param(name).into());
        }
    }
    change(outside, apply, request).await?;
    Ok(NoContent)
}

fn apply(settings: &mut Settings, request: &UpdateInstance) -> Result<()> {
    let syncing = match (request.url_based_session_syncing, request.cookieless_dev) {
        (Patch::Set(new), Patch::Set(old)) if new != old => {
            let reason = "cookieless_dev is the former name of url_based_session_syncing.";
            let conflict = refusal::form_param_value_conflict().because(reason);
            return Err(conflict.param("cookieless_dev").into());
        }
        (Patch::Set(new), _) => Patch::Set(new),
        (_, old) => old,
    };
    set(&mut settings.url_based_session_syncing, &syncing);
    set(&mut settings.test_mode, &request.test_mode);
    set(&mut settings.password.hibp, &request.hibp);
    set(&mut settings.enhanced_email_deliverability, &request.enhanced_email_deliverability);
    let display = &mut settings.display;
    put(&mut display.support_email, &request.support_email, |text| {
        let address = IdentificationKind::EmailAddress.normalize(text);
        address.map_err(|_| refusal::form_param_format_invalid().param("support_email"))
    })?;
    put(&mut display.clerk_js_version, &request.clerk_js_version, script_version)?;
    let strategy = &request.preferred_sign_in_strategy_when_password_required;
    put(&mut display.preferred_sign_in_strategy, strategy, |text| match text {
        "password" | "otp" => Ok(text.to_owned()),
        _ => Err(refusal::form_param_value_invalid()
            .because("must be password, otp or empty.")
            .param("preferred_sign_in_strategy_when_password_required")),
    })?;
    put(&mut settings.development_origin, &request.development_origin, |text| {
        let found = origin(text).filter(|origin| origin.starts_with("http"));
        found.ok_or_else(|| not_an_origin("development_origin", text))
    })?;
    if let Some(texts) = &request.allowed_origins {
        settings.allowed_origins = origins(texts)?;
    }
    Ok(())
}

/// A major version, a full one or a tag.
fn script_version(text: &str) -> std::result::Result<String, Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    if text.len() <= LOCAL_PART_MAX && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let reason = "must be a version or a tag, such as 6, 5.128.0 or latest.";
    Err(refusal::form_param_format_invalid().because(reason).param("clerk_js_version"))
}

fn origins(texts: &[String]) -> Result<Vec<String>> {
    const NAME: &str = "allowed_origins";
    if texts.len() > ORIGINS_MAX {
        return Err(refusal::form_param_array_size_exceeded().param(NAME).into());
    }
    let mut origins = Vec::with_capacity(texts.len());
    for text in texts {
        let origin = origin(text).ok_or_else(|| not_an_origin(NAME, text))?;
        if origins.contains(&origin) {
            return Err(refusal::form_param_duplicate().param(NAME).into());
        }
        origins.push(origin);
    }
    Ok(origins)
}

fn not_an_origin(name: &str, text: &str) -> Refusal {
    let shown = text::shown(text);
    let reason = format!("{shown} is not an origin, such as https://app.example.com.");
    refusal::form_invalid_origin().because(reason).param(name)
}

/// Scheme, host and port as browsers write them in `Origin`; nothing more may be said.
fn origin(text: &str) -> Option<String> {
    if text.len() > TEXT_MAX || text.ends_with('/') || text.contains(['*', '?', '#', '@', '\\']) {
        return None;
    }
    let url = url::Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    match url.scheme() {
        "http" | "https" => (url.path() == "/").then(|| url.origin().ascii_serialization()),
        // They never are the origin of a page that has one.
        "about" | "blob" | "data" | "file" | "ftp" | "javascript" | "ws" | "wss" => None,
        scheme if url.path().is_empty() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{scheme}://{host}{port}"))
        }
        _ => None,
    }
}

/// Change who may sign up.
async fn update_restrictions(
    outside: &Outside,
    request: UpdateInstanceRestrictions,
) -> Result<InstanceRestrictions> {
    let settings = change(outside, restrict, request).await?.restrictions;
    Ok(InstanceRestrictions {
        object: Tag::new(),
        id: Some(outside.instance.id.clone()),
        allowlist: settings.allowlist,
        blocklist: settings.blocklist,
        allowlist_blocklist_disabled_on_sign_in: settings.allowlist_blocklist_disabled_on_sign_in,
        block_email_subaddresses: settings.block_email_subaddresses,
        block_disposable_email_domains: settings.block_disposable_email_domains,
        ignore_dots_for_gmail_addresses: settings.ignore_dots_for_gmail_addresses,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of several changes")]
fn restrict(settings: &mut Settings, request: &UpdateInstanceRestrictions) -> Result<()> {
    let restrictions = &mut settings.restrictions;
    set(&mut restrictions.allowlist, &request.allowlist);
    set(&mut restrictions.blocklist, &request.blocklist);
    set(
        &mut restrictions.allowlist_blocklist_disabled_on_sign_in,
        &request.allowlist_blocklist_disabled_on_sign_in,
    );
    set(&mut restrictions.block_email_subaddresses, &request.block_email_subaddresses);
    set(&mut restrictions.block_disposable_email_domains, &request.block_disposable_email_domains);
    set(
        &mut restrictions.ignore_dots_for_gmail_addresses,
        &request.ignore_dots_for_gmail_addresses,
    );
    Ok(())
}

/// Fetch the settings of all organizations.
async fn get_organizations(
    outside: &Outside,
    _request: GetInstanceOrganizationSettings,
) -> Result<OrganizationSettings> {
    Ok(organizations_of(&outside.instance.settings))
}

/// Change the settings of all organizations.
async fn update_organizations(
    outside: &Outside,
    request: UpdateInstanceOrganizationSettings,
) -> Result<OrganizationSettings> {
    Ok(organizations_of(&change(outside, organize, request).await?))
}

fn organize(settings: &mut Settings, request: &UpdateInstanceOrganizationSettings) -> Result<()> {
    for (name, id) in [
        ("creator_role_id", &request.creator_role_id),
        ("domains_default_role_id", &request.domains_default_role_id),
    ] {
        // Roles are not built yet, so no id is one of theirs.
        if let Patch::Set(id) = id {
            let shown = text::shown(id);
            let reason = format!("No role was found with id {shown}.");
            return Err(refusal::resource_not_found().because(reason).param(name).into());
        }
    }
    let policy = &mut settings.organizations;
    set(&mut policy.enabled, &request.enabled);
    set(&mut policy.max_allowed_memberships, &request.max_allowed_memberships);
    set(&mut policy.admin_delete_enabled, &request.admin_delete_enabled);
    set(&mut policy.slug_disabled, &request.slug_disabled);
    set(&mut policy.domains_enabled, &request.domains_enabled);
    if let Some(modes) = &request.domains_enrollment_modes {
        const NAME: &str = "domains_enrollment_modes";
        if !policy.domains_enabled && !modes.is_empty() {
            let reason = "Domains of organizations have to be enabled first.";
            let refusal = refusal::organization_domains_not_enabled().because(reason);
            return Err(refusal.param(NAME).into());
        }
        let mut chosen = Vec::with_capacity(modes.len());
        for mode in modes {
            let mode = match mode {
                OrganizationEnrollmentMode::ManualInvitation
                | OrganizationEnrollmentMode::AutomaticInvitation
                | OrganizationEnrollmentMode::AutomaticSuggestion => mode.as_str().to_owned(),
                _ => return Err(refusal::form_param_value_invalid().param(NAME).into()),
            };
            if chosen.contains(&mode) {
                return Err(refusal::form_param_duplicate().param(NAME).into());
            }
            chosen.push(mode);
        }
        policy.domains_enrollment_modes = chosen;
    }
    Ok(())
}

fn organizations_of(settings: &Settings) -> OrganizationSettings {
    let policy = &settings.organizations;
    let modes = policy.domains_enrollment_modes.iter();
    OrganizationSettings {
        object: Tag::new(),
        id: None,
        enabled: policy.enabled,
        max_allowed_memberships: policy.max_allowed_memberships.into(),
        max_allowed_roles: policy.max_allowed_roles.into(),
        max_role_sets_allowed: Some(policy.max_role_sets_allowed.into()),
        max_allowed_domains: policy.max_allowed_domains.into(),
        // There is no limit any more; older clients demand a number.
        max_allowed_permissions: Some(1000),
        creator_role: policy.creator_role.clone(),
        admin_delete_enabled: policy.admin_delete_enabled,
        domains_enabled: policy.domains_enabled,
        slug_disabled: policy.slug_disabled,
        domains_enrollment_modes: modes.map(|mode| mode.as_str().into()).collect(),
        domains_default_role: policy.domains_default_role.clone(),
        initial_role_set_key: policy.initial_role_set_key.clone(),
    }
}

/// Fetch the settings of the messages to users.
async fn get_communication(
    outside: &Outside,
    _request: GetInstanceCommunication,
) -> Result<InstanceCommunication> {
    Ok(communication_of(&outside.instance.settings))
}

/// Change the settings of the messages to users.
async fn update_communication(
    outside: &Outside,
    request: UpdateInstanceCommunication,
) -> Result<InstanceCommunication> {
    Ok(communication_of(&change(outside, communicate, request).await?))
}

fn communicate(settings: &mut Settings, request: &UpdateInstanceCommunication) -> Result<()> {
    const NAME: &str = "blocked_country_codes";
    let Patch::Set(codes) = &request.blocked_country_codes else {
        return Ok(());
    };
    if codes.len() > COUNTRIES_MAX {
        return Err(refusal::form_param_array_size_exceeded().param(NAME).into());
    }
    for (at, code) in codes.iter().enumerate() {
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let reason = "must hold codes of countries in two capital letters.";
            return Err(refusal::form_param_value_invalid().because(reason).param(NAME).into());
        }
        if codes[..at].contains(code) {
            return Err(refusal::form_param_duplicate().param(NAME).into());
        }
    }
    settings.blocked_country_codes =
        codes.iter().filter(|code| countries::is_known(code)).cloned().collect();
    Ok(())
}

fn communication_of(settings: &Settings) -> InstanceCommunication {
    let blocked_country_codes = settings.blocked_country_codes.clone();
    InstanceCommunication { object: Tag::new(), blocked_country_codes }
}

/// Fetch the settings of the protection against attacks.
async fn get_protect(outside: &Outside, _request: GetInstanceProtect) -> Result<InstanceProtect> {
    Ok(protect_of(&outside.instance.settings))
}

/// Change the settings of the protection against attacks.
async fn update_protect(
    outside: &Outside,
    request: UpdateInstanceProtect,
) -> Result<InstanceProtect> {
    Ok(protect_of(&change(outside, protect, request).await?))
}

#[expect(clippy::unnecessary_wraps, reason = "it is one of several changes")]
fn protect(settings: &mut Settings, request: &UpdateInstanceProtect) -> Result<()> {
    set(&mut settings.protect.rules_enabled, &request.rules_enabled);
    set(&mut settings.protect.specter_enabled, &request.specter_enabled);
    Ok(())
}

fn protect_of(settings: &Settings) -> InstanceProtect {
    InstanceProtect {
        object: Tag::new(),
        rules_enabled: settings.protect.rules_enabled,
        specter_enabled: settings.protect.specter_enabled,
        checks_bypassed: settings.protect.checks_bypassed,
    }
}

/// Fetch the settings of all OAuth applications.
async fn get_oauth_applications(
    outside: &Outside,
    _request: GetInstanceOAuthApplicationSettings,
) -> Result<OAuthApplicationSettings> {
    Ok(oauth_applications_of(&outside.instance.settings))
}

/// Change the settings of all OAuth applications.
async fn update_oauth_applications(
    outside: &Outside,
    request: UpdateInstanceOAuthApplicationSettings,
) -> Result<OAuthApplicationSettings> {
    Ok(oauth_applications_of(&change(outside, authorize, request).await?))
}

fn authorize(
    settings: &mut Settings,
    request: &UpdateInstanceOAuthApplicationSettings,
) -> Result<()> {
    let policy = &mut settings.oauth_applications;
    for (switch, asked) in [
        (&mut policy.dynamic_oauth_client_registration, request.dynamic_oauth_client_registration),
        (&mut policy.oauth_jwt_access_tokens, request.oauth_jwt_access_tokens),
        (
            &mut policy.client_id_metadata_documents_advertised,
            request.client_id_metadata_documents_advertised,
        ),
        (
            &mut policy.client_id_metadata_documents_only_allow_pre_registered_clients,
            request.client_id_metadata_documents_only_allow_pre_registered_clients,
        ),
        (
            &mut policy.client_id_metadata_documents_block_implicitly_allowed_clients,
            request.client_id_metadata_documents_block_implicitly_allowed_clients,
        ),
    ] {
        set(switch, &asked);
    }
    match &request.default_scopes {
        Patch::Keep => {}
        Patch::Clear => policy.default_scopes = None,
        Patch::Set(scopes) => policy.default_scopes = Some(checked_scopes(scopes)?),
    }
    Ok(())
}

fn checked_scopes(scopes: &[String]) -> Result<Vec<String>> {
    const NAME: &str = "default_scopes";
    if scopes.len() > SCOPES_MAX {
        return Err(refusal::form_param_array_size_exceeded().param(NAME).into());
    }
    // RFC 6749, 3.3.
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    for (at, scope) in scopes.iter().enumerate() {
        if scope.is_empty() || scope.len() > TEXT_MAX || !scope.bytes().all(plain) {
            let reason = "must hold scopes without spaces and quotes.";
            return Err(refusal::form_param_value_invalid().because(reason).param(NAME).into());
        }
        if scopes[..at].contains(scope) {
            return Err(refusal::form_param_duplicate().param(NAME).into());
        }
    }
    Ok(scopes.to_vec())
}

fn oauth_applications_of(settings: &Settings) -> OAuthApplicationSettings {
    let policy = settings.oauth_applications.clone();
    OAuthApplicationSettings {
        object: Tag::new(),
        dynamic_oauth_client_registration: policy.dynamic_oauth_client_registration,
        default_scopes: policy.default_scopes,
        oauth_jwt_access_tokens: policy.oauth_jwt_access_tokens,
        client_id_metadata_documents_advertised: policy.client_id_metadata_documents_advertised,
        client_id_metadata_documents_only_allow_pre_registered_clients: policy
            .client_id_metadata_documents_only_allow_pre_registered_clients,
        client_id_metadata_documents_block_implicitly_allowed_clients: policy
            .client_id_metadata_documents_block_implicitly_allowed_clients,
    }
}

/// Change settings of sign-up and e-mail.
async fn update_auth_config(
    outside: &Outside,
    request: UpdateInstanceAuthConfig,
) -> Result<InstanceSettings> {
    let settings = change(outside, configure, request).await?;
    Ok(InstanceSettings {
        object: Tag::new(),
        id: outside.instance.id.clone(),
        restricted_to_allowlist: settings.restrictions.allowlist,
        from_email_address: settings.from_email_address,
        progressive_sign_up: settings.sign_up.progressive,
        enhanced_email_deliverability: settings.enhanced_email_deliverability,
    })
}

fn configure(settings: &mut Settings, request: &UpdateInstanceAuthConfig) -> Result<()> {
    let before = settings.clone();
    set(&mut settings.restrictions.allowlist, &request.restricted_to_allowlist);
    // Here the setting has another name.
    if let Some(found) = settings.contradictions(&before).first() {
        return Err(found.refusal("restricted_to_allowlist").into());
    }
    set(&mut settings.sign_up.progressive, &request.progressive_sign_up);
    set(&mut settings.test_mode, &request.test_mode);
    if let Patch::Set(local) = &request.from_email_address {
        const NAME: &str = "from_email_address";
        if local.len() > LOCAL_PART_MAX {
            return Err(refusal::form_param_max_length_exceeded().param(NAME).into());
        }
        if local.is_empty() || !local.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let reason = "must be letters and digits, what stands before the @ of an address.";
            return Err(refusal::form_param_format_invalid().because(reason).param(NAME).into());
        }
        settings.from_email_address.clone_from(local);
    }
    Ok(())
}

/// Sets a switch that was mentioned.
fn set<T: Clone>(field: &mut T, asked: &Patch<T>) {
    if let Patch::Set(value) = asked {
        field.clone_from(value);
    }
}

/// Sets a text that was mentioned to what `check` makes of it, or takes it away.
fn put(
    field: &mut Option<String>,
    asked: &Patch<String>,
    check: impl FnOnce(&str) -> std::result::Result<String, Refusal>,
) -> Result<()> {
    if let Patch::Set(text) = asked {
        *field = if text.is_empty() { None } else { Some(check(text)?) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, expected) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://App.Example.com:443", "https://app.example.com"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "null",
            "*",
            "localhost:3000",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example?x",
            "https://a.example#x",
            "https://ada@a.example",
            "javascript:alert(1)",
            "https://*.example.com",
            "file:///etc",
            "data:text/html,x",
            "capacitor://localhost/x",
        ] {
            assert_eq!(origin(text), None, "{text}");
        }
    }
}
