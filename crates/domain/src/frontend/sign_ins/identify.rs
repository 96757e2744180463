//! Who an identifier means.

use db::{Record as _, Value};
use serde::{Deserialize, Serialize};
use wire::refusal;

use crate::{
    Cx, Result, Settings,
    frontend::client_state::Person,
    identifications::{IdentificationKind, IdentificationRow},
    restrictions::{self, Purpose},
    seal::digest_of_secret,
    settings::Attribute,
    users::{self, UserRow},
};

/// An identifier as it was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identified {
    /// `email_address`, `phone_number` or `username`.
    pub(super) kind: String,
    /// Normalized.
    pub(super) value: String,
    /// The identification that has it; made up where nobody shall know whether there is one.
    pub(super) id: Option<String>,
    /// Nobody has it, and nobody shall know.
    pub(super) is_pretended: bool,
}

impl Identified {
    /// True for the identification that has it.
    pub(super) fn is_of(&self, row: &IdentificationRow) -> bool {
        (&row.kind, &row.value) == (&self.kind, &self.value)
    }

    /// The kind of identification it is, unless it is a username.
    pub(super) fn kind(&self) -> Option<IdentificationKind> {
        [IdentificationKind::EmailAddress, IdentificationKind::PhoneNumber]
            .into_iter()
            .find(|kind| kind.as_str() == self.kind)
    }
}

/// Kinds of identifiers that one can sign in with.
pub(super) fn supported(settings: &Settings) -> Vec<&'static str> {
    let all = &settings.attributes;
    let kinds: [(&str, &Attribute); 3] = [
        ("email_address", &all.email_address),
        ("phone_number", &all.phone_number),
        ("username", &all.username),
    ];
    let used = kinds.into_iter().filter(|(_, own)| own.enabled && own.used_for_first_factor);
    used.map(|(kind, _)| kind).collect()
}

/// What an identifier is, and who has it.
pub(super) async fn identify(cx: &mut Cx, text: &str) -> Result<(Identified, Option<Person>)> {
    let read = read(&cx.instance.settings, text);
    let (kind, value) = read.ok_or_else(|| {
        let reason = "Identifier is invalid.";
        refusal::form_param_format_invalid().because(reason).param("identifier")
    })?;
    let mut identified = Identified { kind: kind.to_owned(), value, id: None, is_pretended: false };
    let user_id = if let Some(kind) = identified.kind() {
        let values = [kind.as_str(), &identified.value];
        let values = values.map(|text| Value::Text(text.to_owned()));
        let row = IdentificationRow::select(&cx.tx).filter("kind = ? and claim = ?", values);
        let row = row.first(&mut cx.tx).await?;
        identified.id = row.as_ref().map(|row| row.id.clone());
        row.map(|row| row.user_id)
    } else {
        let value = Value::Text(identified.value.clone());
        let row = UserRow::select(&cx.tx).filter("username = ?", [value]);
        row.first(&mut cx.tx).await?.map(|row| row.id)
    };
    let person = match user_id {
        Some(id) => Some(users::load(cx, &id).await?),
        None => None,
    };
    // Of whom nothing is told either, or this would tell.
    if let Some(kind) =
        identified.kind().filter(|_| person.is_some() || hides(&cx.instance.settings))
    {
        restrictions::admit(cx, kind, &identified.value, Purpose::SignIn).await?;
    }
    if hides(&cx.instance.settings) {
        identified.is_pretended = person.is_none();
        // Of everybody: from an id of one's own one reads when it was made.
        identified.id = identified.kind().map(|_| made_up(cx, &identified.value));
    }
    Ok((identified, person))
}

/// True if nobody learns who has an account.
pub(crate) fn hides(settings: &Settings) -> bool {
    settings.attack_protection.enumeration_protection
}

/// What kind of identifier a text can be, and how it is written then.
fn read(settings: &Settings, text: &str) -> Option<(&'static str, String)> {
    supported(settings).into_iter().find_map(|kind| {
        let value = match kind {
            "email_address" => IdentificationKind::EmailAddress.normalize(text).ok(),
            "phone_number" => IdentificationKind::PhoneNumber.normalize(text).ok(),
            _ => {
                let name = text.trim().to_lowercase();
                (!name.is_empty() && name.len() <= 256 && !name.contains('@')).then_some(name)
            }
        };
        value.map(|value| (kind, value))
    })
}

/// An id like any other, always the same for one value.
fn made_up(cx: &Cx, value: &str) -> String {
    let key = &cx.instance.signer.codes;
    let message = format!("made up.{}", digest_of_secret(value));
    let tag = aws_lc_rs::hmac::sign(key, message.as_bytes());
    let bytes = tag.as_ref();
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte))
    };
    // Some second of the two years before the server was made.
    let second = 1_700_000_000 + u32::try_from(number(0..4) % 60_000_000).unwrap_or_default();
    let id: wire::backend::email_addresses::EmailAddressId = wire::Id::new(second, number(4..20));
    id.to_string()
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::Settings;

    #[test]
    fn identifiers_are_what_the_settings_let_them_be() {
        let mut settings = Settings::development();
        let kind = |settings: &Settings, text: &str| read(settings, text).map(|(kind, _)| kind);
        assert_eq!(kind(&settings, " Ada@Example.com"), Some("email_address"));
        assert_eq!(kind(&settings, "+1 201 555 0123"), None);
        assert_eq!(kind(&settings, "lovelace"), None);
        for own in [&mut settings.attributes.phone_number, &mut settings.attributes.username] {
            (own.enabled, own.used_for_first_factor) = (true, true);
        }
        assert_eq!(kind(&settings, "+1 201 555 0123"), Some("phone_number"));
        assert_eq!(read(&settings, "Lovelace"), Some(("username", "lovelace".to_owned())));
        assert_eq!(kind(&settings, "ada@"), None);
    }
}
