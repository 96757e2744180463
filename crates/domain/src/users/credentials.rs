//! Passwords and second factors that a request brings: checked, hashed and sealed before
//! anything is written.

use wire::{Patch, backend::users::UserId, refusal};

use super::UserRow;
use crate::{Cx, Digest, Outside, Result, password, restrictions, second_factors};

/// What is asked for.
pub(super) struct Given {
    pub(super) password: Option<String>,
    pub(super) password_digest: Option<String>,
    pub(super) password_hasher: Option<String>,
    pub(super) totp_secret: Option<String>,
    pub(super) backup_codes: Option<Vec<String>>,
}

/// What to store of it.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The password, hashed.
    pub password: Option<Digest>,
    /// The authenticator app's secret, sealed for its user.
    pub totp_secret: Option<String>,
    /// Digests of backup codes, as JSON.
    pub backup_codes: Patch<String>,
}

impl Given {
    /// Does what is slow.
    pub(super) async fn ready(self, outside: &Outside, user_id: &UserId) -> Result<Credentials> {
        // What can be refused is, before a core is kept busy.
        let given = [
            ("password", self.password.is_some()),
            ("password_digest", self.password_digest.is_some()),
            ("totp_secret", self.totp_secret.is_some()),
            ("backup_codes", self.backup_codes.as_ref().is_some_and(|codes| !codes.is_empty())),
        ];
        restrictions::refuse_disabled(&outside.instance.settings, &given)?;
        let seal = |secret: String| second_factors::seal_totp(outside, user_id, &secret);
        let totp_secret = self.totp_secret.map(seal).transpose()?;
        let import =
            |codes: Vec<String>| second_factors::import_backup_codes(outside, user_id, &codes);
        let backup_codes = match self.backup_codes.map(import).transpose()? {
            Some(Some(codes)) => Patch::Set(codes),
            Some(None) => Patch::Clear,
            None => Patch::Keep,
        };
        let password = match (self.password, self.password_digest) {
            (Some(_), Some(_)) => {
                let refusal = refusal::form_conditional_param_disallowed();
                return Err(refusal.param("password_digest").into());
            }
            (Some(_) | None, None) if self.password_hasher.is_some() => {
                let refusal = refusal::form_conditional_param_missing();
                return Err(refusal.param("password_digest").into());
            }
            (Some(password), None) => Some(outside.hash(password).await?),
            (None, Some(digest)) => {
                let hasher = self.password_hasher.ok_or_else(|| {
                    refusal::form_conditional_param_missing().param("password_hasher")
                })?;
                Some(password::import(&hasher, &digest)?)
            }
            (None, None) => None,
        };
        Ok(Credentials { password, totp_secret, backup_codes })
    }
}

impl Credentials {
    /// Gives them to a user.
    pub(super) fn apply(self, cx: &Cx, row: &mut UserRow) {
        if let Some(digest) = self.password {
            row.set_password(digest, cx.now);
        }
        if self.totp_secret.is_some() {
            row.totp_secret = self.totp_secret;
            row.totp_used_step = None;
        }
        self.backup_codes.apply(&mut row.backup_codes);
    }
}
