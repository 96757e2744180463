//! What somebody says of themselves in one request.

use db::{Column as _, Record as _};
use wire::{
    Metadata, Patch,
    frontend::sign_ups::{CreateSignUp, UpdateSignUp},
    refusal,
};

use crate::{
    Cx, Digest, Outside, Result,
    frontend::sign_ins,
    identifications::{self, IdentificationKind},
    password,
    restrictions::{self, Purpose},
    settings::Attribute,
    sign_ups::{SignUpRow, must_be_proven},
    text,
    users::{self, UserRow},
};

/// All of it; what is absent is not spoken of.
#[derive(Clone, Default)]
pub(super) struct Said {
    pub(super) strategy: Option<String>,
    pub(super) redirect_url: Option<String>,
    pub(super) password: Option<String>,
    digest: Option<Digest>,
    email_address: Option<String>,
    phone_number: Option<String>,
    web3_wallet: Option<String>,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    unsafe_metadata: Option<Metadata>,
    legal_accepted: Option<bool>,
    locale: Option<String>,
}

/// Both requests say the same, by the same names.
macro_rules! from {
    ($request:ident) => {
        impl From<$request> for Said {
            fn from(request: $request) -> Self {
                let (email_address, phone_number) = either(request.email_address_or_phone_number);
                Self {
                    strategy: request.strategy,
                    redirect_url: request.redirect_url,
                    password: request.password,
                    digest: None,
                    email_address: request.email_address.or(email_address),
                    phone_number: request.phone_number.or(phone_number),
                    web3_wallet: request.web3_wallet,
                    username: request.username,
                    first_name: request.first_name,
                    last_name: request.last_name,
                    unsafe_metadata: request.unsafe_metadata,
                    legal_accepted: request.legal_accepted,
                    locale: request.locale,
                }
            }
        }
    };
}

from!(CreateSignUp);
from!(UpdateSignUp);

/// An address if there is an `@` in it, or else a number.
fn either(text: Option<String>) -> (Option<String>, Option<String>) {
    match text {
        Some(text) if text.contains('@') => (Some(text), None),
        text => (None, text),
    }
}

impl Said {
    /// Checks the password, and hashes it: it is not in here afterwards.
    pub(super) async fn hash(
        &mut self,
        outside: &Outside,
        known: Option<&SignUpRow>,
    ) -> Result<()> {
        let Some(given) = self.password.take() else { return Ok(()) };
        let settings = &outside.instance.settings;
        refuse_off("password", &settings.attributes.password)?;
        let own = [&self.email_address, &self.phone_number, &self.username];
        let mut identifiers: Vec<String> = own.into_iter().flatten().cloned().collect();
        if let Some(row) = known {
            let rows = [&row.email_address, &row.phone_number, &row.username];
            identifiers.extend(rows.into_iter().flatten().cloned());
        }
        password::check_size(&given)?;
        let identifiers: Vec<_> = identifiers.iter().map(String::as_str).collect();
        password::check(outside, &given, &identifiers).await?;
        self.digest = Some(outside.hash(given).await?);
        Ok(())
    }

    /// Notes all of it on a sign-up.
    pub(super) async fn apply(self, cx: &mut Cx, row: &mut SignUpRow) -> Result<()> {
        let settings = &cx.instance.settings;
        let attributes = settings.attributes.clone();
        let identifiers = [
            (IdentificationKind::EmailAddress, &self.email_address, &attributes.email_address),
            (IdentificationKind::PhoneNumber, &self.phone_number, &attributes.phone_number),
            (IdentificationKind::Web3Wallet, &self.web3_wallet, &attributes.web3_wallet),
        ];
        for (kind, value, attribute) in identifiers {
            if let Some(value) = value {
                refuse_off(kind.as_str(), attribute)?;
                identify(cx, row, kind, value).await?;
            }
        }
        if let Some(name) = self.username {
            refuse_off("username", &attributes.username)?;
            users::check_username(&cx.instance.settings.username, &name)?;
            let name = name.to_lowercase();
            let taken = UserRow::select(&cx.tx).filter("username = ?", [name.to_value()]);
            if taken.exists(&mut cx.tx).await? {
                return Err(users::taken_name("username", "username").into());
            }
            row.username = Some(name);
        }
        let names = [
            ("first_name", self.first_name, &attributes.first_name, &mut row.first_name),
            ("last_name", self.last_name, &attributes.last_name, &mut row.last_name),
        ];
        for (name, value, attribute, field) in names {
            if let Some(value) = value {
                refuse_off(name, attribute)?;
                text::optional(name, Patch::Set(value))?.apply(field);
            }
        }
        if let Some(Digest(digest)) = self.digest {
            row.password = Some(digest);
        }
        if let Some(metadata) = self.unsafe_metadata {
            row.unsafe_metadata = users::written("unsafe_metadata", metadata)?;
        }
        match self.legal_accepted {
            Some(true) => row.legal_accepted_at = row.legal_accepted_at.or(Some(cx.now)),
            Some(false) => row.legal_accepted_at = None,
            None => {}
        }
        // What the browser says it speaks is no reason to keep anybody out.
        if let Some(locale) = self.locale.filter(|locale| text::locale(locale).is_ok()) {
            row.locale = Some(locale);
        }
        Ok(())
    }
}

/// Notes another address, number or wallet.
async fn identify(
    cx: &mut Cx,
    row: &mut SignUpRow,
    kind: IdentificationKind,
    value: &str,
) -> Result<()> {
    let value = kind.normalize(value)?;
    if row.value(kind) == Some(&*value) {
        return Ok(());
    }
    if kind == IdentificationKind::EmailAddress && row.invitation_id.is_some() {
        let reason = "This invitation is for another address.";
        let refusal = refusal::form_param_value_conflict().because(reason);
        return Err(refusal.param(kind.as_str()).into());
    }
    restrictions::admit(cx, kind, &value, Purpose::SignUp).await?;
    // Whoever cannot prove it does not learn that somebody has it.
    let settings = &cx.instance.settings;
    let is_hidden = sign_ins::hides(settings) && must_be_proven(settings, kind);
    if !is_hidden && is_taken(cx, kind, &value).await? {
        return Err(kind.taken().into());
    }
    row.set_value(kind, Some(&value))
}

/// True if a user has it.
pub(super) async fn is_taken(cx: &mut Cx, kind: IdentificationKind, value: &str) -> Result<bool> {
    let claimed = identifications::claimed(cx, kind, &[value.to_owned()]);
    Ok(claimed.exists(&mut cx.tx).await?)
}

/// Refuses what users of this instance do not have.
fn refuse_off(name: &str, attribute: &Attribute) -> Result<()> {
    if attribute.enabled {
        return Ok(());
    }
    let reason = format!("{name} is not a valid parameter for this request.");
    Err(refusal::form_param_unknown().because(reason).param(name).into())
}
