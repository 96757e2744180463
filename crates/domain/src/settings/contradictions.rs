//! What settings cannot say together.

use wire::{Refusal, refusal};

use super::Settings;

/// A setting that another one stands in the way of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// Nobody on the allowlist could sign up where nobody does without an invitation.
    AllowlistWhileRestricted,
    /// No list is kept that sign-ins could be spared.
    SparedByNoList,
    /// Domains of organizations are off, so nobody gets in by one.
    EnrollmentWithoutDomains,
    /// Without keys there are no captchas, and nobody could sign up.
    CaptchaWithoutKeys,
}

use Contradiction::{
    AllowlistWhileRestricted, CaptchaWithoutKeys, EnrollmentWithoutDomains, SparedByNoList,
};

impl Contradiction {
    /// Path of the setting in the document.
    pub fn path(self) -> &'static str {
        match self {
            AllowlistWhileRestricted => "restrictions.allowlist",
            SparedByNoList => "restrictions.allowlist_blocklist_disabled_on_sign_in",
            EnrollmentWithoutDomains => "organizations.domains_enrollment_modes",
            CaptchaWithoutKeys => "sign_up.captcha",
        }
    }

    /// Why it cannot be, to stand after the setting's name.
    pub fn reason(self) -> &'static str {
        match self {
            AllowlistWhileRestricted => "cannot be enabled while sign-ups are restricted",
            SparedByNoList => "cannot be enabled while neither allowlist nor blocklist is",
            EnrollmentWithoutDomains => "cannot be set while domains of organizations are disabled",
            CaptchaWithoutKeys => {
                "cannot be enabled without captcha.site_key and captcha.secret_key, nor with one \
                 key alone of the invisible widget"
            }
        }
    }

    /// How the API says so; `param` asked for it.
    pub(crate) fn refusal(self, param: &str) -> Refusal {
        let refusal = match self {
            AllowlistWhileRestricted => refusal::sign_up_mode_restricted_invalid_value(),
            SparedByNoList => refusal::disabled_instance_restriction(),
            EnrollmentWithoutDomains => refusal::organization_domains_not_enabled(),
            CaptchaWithoutKeys => refusal::breaks_instance_invariant(),
        };
        refusal.because(format!("{param} {}.", self.reason())).param(param)
    }

    /// The parameter that is called as the setting is.
    pub(super) fn param(self) -> &'static str {
        self.path().rsplit('.').next().unwrap_or_default()
    }
}

impl Settings {
    /// What a change of `before` into these would have them say that they cannot.
    ///
    /// What stood there before may stay, so that it can be sent back as it was.
    pub fn contradictions(&self, before: &Self) -> Vec<Contradiction> {
        let is_closed = |all: &Self| all.restrictions.allowlist && all.sign_up.mode == "restricted";
        let has_lists = self.restrictions.allowlist || self.restrictions.blocklist;
        let is_spared = |all: &Self| all.restrictions.allowlist_blocklist_disabled_on_sign_in;
        let modes = &self.organizations.domains_enrollment_modes;
        let chooses = *modes != before.organizations.domains_enrollment_modes && !modes.is_empty();
        let is_keyless = |all: &Self| all.sign_up.captcha && !all.captcha.has_keys();
        let found = [
            (AllowlistWhileRestricted, is_closed(self) && !is_closed(before)),
            (SparedByNoList, is_spared(self) && !is_spared(before) && !has_lists),
            (EnrollmentWithoutDomains, chooses && !self.organizations.domains_enabled),
            (CaptchaWithoutKeys, is_keyless(self) && !is_keyless(before)),
        ];
        found.into_iter().filter(|(_, is_there)| *is_there).map(|(one, _)| one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Contradiction, Settings};

    #[test]
    fn what_stood_there_before_may_stay() {
        let open = Settings::default();
        let mut closed = Settings::default();
        closed.restrictions.allowlist = true;
        closed.sign_up.mode = "restricted".to_owned();
        assert_eq!(closed.contradictions(&open), [Contradiction::AllowlistWhileRestricted]);
        assert_eq!(closed.contradictions(&closed), []);
        assert_eq!(open.contradictions(&closed), []);

        let mut spared = Settings::default();
        spared.restrictions.allowlist_blocklist_disabled_on_sign_in = true;
        spared.organizations.domains_enrollment_modes = vec!["automatic_invitation".to_owned()];
        let found = spared.contradictions(&open);
        assert_eq!(
            found.iter().map(|one| one.param()).collect::<Vec<_>>(),
            ["allowlist_blocklist_disabled_on_sign_in", "domains_enrollment_modes"]
        );
        spared.restrictions.blocklist = true;
        spared.organizations.domains_enabled = true;
        assert_eq!(spared.contradictions(&open), []);
    }

    #[test]
    fn captchas_need_both_keys_of_each_widget() {
        let off = Settings::default();
        let mut on = Settings::default();
        on.sign_up.captcha = true;
        on.captcha.site_key = Some("site".to_owned());
        assert_eq!(on.contradictions(&off), [Contradiction::CaptchaWithoutKeys]);
        assert_eq!((on.contradictions(&on), on.bot_protection()), (vec![], None));
        on.captcha.secret_key = Some("secret".into());
        assert_eq!(on.contradictions(&off), []);
        assert_eq!(on.bot_protection(), Some(&on.captcha));
        let mut half = on.clone();
        half.captcha.invisible_site_key = Some("other".to_owned());
        assert_eq!(half.contradictions(&on), [Contradiction::CaptchaWithoutKeys]);
    }
}
