//! Switches of whole features. What is not built yet is off.

use std::collections::BTreeMap;

settings! {
    /// A social provider as sign-in and profile show it.
    SocialProvider {
        /// People can connect an account of it.
        enabled: bool = false,
        /// They must.
        required: bool = false,
        /// They can sign in with it.
        authenticatable: bool = false,
        /// No `ada+news@example.com` from it.
        block_email_subaddresses: bool = false,
        /// It is not offered, though it works.
        not_selectable: bool = false,
        /// It is going away.
        deprecated: bool = false,
    }

    /// Single sign-on with companies.
    EnterpriseSso {
        /// Connections made of SAML alone.
        saml: bool = false,
        /// Connections of any kind.
        enabled: bool = false,
        /// Companies set theirs up themselves.
        self_serve_sso: bool = false,
    }

    /// Organizations.
    OrganizationPolicy {
        /// Whether there are any.
        enabled: bool = false,
        /// Members of one, at most; 0 is without limit.
        max_allowed_memberships: u32 = 5,
        /// Roles of the instance, at most.
        max_allowed_roles: u32 = 10,
        /// Sets of roles, at most.
        max_role_sets_allowed: u32 = 10,
        /// Domains of one organization, at most.
        max_allowed_domains: u32 = 10,
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
        /// The set of roles of new ones.
        initial_role_set_key: Option<String> = None,
        /// Name and logo of a new one are suggested.
        creation_defaults: bool = false,
        /// Nobody works outside of one.
        force_organization_selection: bool = false,
    }

    /// OAuth clients of the instance.
    OAuthApplicationPolicy {
        /// Clients may register themselves.
        dynamic_oauth_client_registration: bool = false,
        /// Scopes of a client that names none; without these they are the server's.
        default_scopes: Option<Vec<String>> = None,
        /// Access tokens are JWTs.
        oauth_jwt_access_tokens: bool = false,
        /// Clients may be documents at an address.
        client_id_metadata_documents_advertised: bool = false,
        /// Of those, only clients that are known already.
        client_id_metadata_documents_only_allow_pre_registered_clients: bool = false,
        /// Of those, none that nobody allowed.
        client_id_metadata_documents_block_implicitly_allowed_clients: bool = false,
    }

    /// The protection against attacks as a service. Nothing reads its switches yet.
    Protect {
        /// Rules of one's own.
        rules_enabled: bool = false,
        /// Signals of browsers.
        specter_enabled: bool = false,
        /// Nobody checks whether it can work.
        checks_bypassed: bool = false,
    }

    /// Billing.
    Commerce {
        /// Users pay.
        users: bool = false,
        /// Organizations pay.
        organizations: bool = false,
        /// A trial needs a way to pay.
        free_trial_requires_payment_method: bool = true,
    }

    /// API keys that people make.
    ApiKeys {
        /// For themselves.
        users: bool = false,
        /// For their organizations.
        organizations: bool = false,
    }

    /// Apps that are no pages.
    Native {
        /// They may use the Frontend API.
        api_enabled: bool = false,
        /// They sign in by the device itself.
        trusted_device_sign_in: bool = false,
        /// They offer that after a sign-in.
        trusted_device_prompt_after_sign_in: bool = false,
        /// They offer that after a sign-up.
        trusted_device_prompt_after_sign_up: bool = false,
        /// `disabled`, `onboarding` or `enforced`.
        device_attestation_mode: String = "disabled".to_owned(),
    }
}

/// Social providers by their strategies, `oauth_google`.
pub type SocialProviders = BTreeMap<String, SocialProvider>;

impl OrganizationPolicy {
    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        let known = ["manual_invitation", "automatic_invitation", "automatic_suggestion"];
        let modes = &self.domains_enrollment_modes;
        super::rules(
            wrong,
            &[
                (
                    modes.iter().all(|mode| known.contains(&mode.as_str())),
                    "organizations.domains_enrollment_modes has a mode that does not exist",
                ),
                (
                    self.enabled || !self.force_organization_selection,
                    "organizations.force_organization_selection needs organizations",
                ),
            ],
        );
    }
}

impl Native {
    pub(super) fn validate(&self, wrong: &mut Vec<String>) {
        super::rules(
            wrong,
            &[(
                matches!(&*self.device_attestation_mode, "disabled" | "onboarding" | "enforced"),
                "native.device_attestation_mode must be disabled, onboarding or enforced",
            )],
        );
    }
}
