//! Ways to go on with a sign-in: the settings and what is known of the user in, factors out.

use wire::{
    Timestamp, backend::verifications::VerificationStatus, frontend::sign_ins::SignInFactor,
};

use super::{
    identify::{Identified, hides},
    machine::{Need, Progress},
    row::{Detail, Part, SignInRow},
};
use crate::{
    Settings,
    frontend::client_state::Person,
    identifications::{IdentificationKind, IdentificationRow},
    settings::{Attribute, Strategy},
    users::UserRow,
};

/// How far a sign-in is, from all that is known of it.
pub(super) fn progress(
    settings: &Settings,
    now: Timestamp,
    (row, detail): (&SignInRow, &Detail),
    person: Option<&Person>,
) -> Progress {
    let first = row.verification(Part::First, now);
    let is_verified = |status: &VerificationStatus| *status == VerificationStatus::Verified;
    let strategy = first.as_ref().map(|first| first.strategy.as_str()).unwrap_or_default();
    let is_distrusted = person.is_some_and(|(user, _)| user.password_compromised);
    // Whoever knew only the password before this one has proven nothing.
    let as_of = person.and_then(|(user, _)| user.password_updated_at);
    let is_current = as_of == detail.password_as_of;
    let second = row.verification(Part::Second, now);
    Progress {
        is_abandoned: row.abandon_at <= now || !row.is_open,
        is_complete: row.created_session_id.is_some(),
        is_identified: person.is_some()
            || detail.identified.as_ref().is_some_and(|own| own.is_pretended),
        is_first_proven: first.as_ref().is_some_and(|first| is_verified(&first.status))
            && (strategy != "password" || is_current),
        is_password_due: detail.is_password_due
            || is_distrusted && !matches!(strategy, "password" | "ticket"),
        need: second_factors(settings, (row, detail), person, now).0,
        is_second_proven: second.as_ref().is_some_and(|second| is_verified(&second.status)),
    }
}

/// Ways to prove a first factor.
pub(super) fn first_factors(
    settings: &Settings,
    detail: &Detail,
    person: Option<&Person>,
) -> Vec<SignInFactor> {
    let identified = detail.identified.as_ref();
    match (person, identified) {
        // Nothing of these depends on who it is, nor on whether it is anybody.
        (_, Some(identified)) if hides(settings) => of_identifier(settings, identified),
        (Some(person), _) => of_person(settings, identified, person),
        (None, _) => Vec::new(),
    }
}

fn of_identifier(settings: &Settings, identified: &Identified) -> Vec<SignInFactor> {
    let mut factors = Vec::new();
    let has_password = settings.attributes.password.enabled;
    if has_password {
        factors.push(plain("password"));
    }
    if let (Some(kind), Some(id)) = (identified.kind(), &identified.id) {
        let seen = Seen { id, shown: identified.value.clone(), is_primary: true };
        let attribute = attribute(settings, kind);
        factors.extend(attribute.first_factors.iter().map(|own| seen.factor(kind, own.as_str())));
        if has_password {
            factors.push(seen.factor(kind, reset(kind)));
        }
    }
    factors
}

fn of_person(
    settings: &Settings,
    identified: Option<&Identified>,
    (user, identifications): &Person,
) -> Vec<SignInFactor> {
    let mut factors = Vec::new();
    let has_password = settings.attributes.password.enabled && user.password.is_some();
    if has_password {
        factors.push(plain("password"));
    }
    let ways = ways(settings, user, identifications, identified);
    for (kind, seen) in &ways {
        let own = attribute(settings, *kind);
        if own.used_for_first_factor {
            factors.extend(own.first_factors.iter().map(|own| seen.factor(*kind, own.as_str())));
        }
    }
    if has_password {
        factors.extend(ways.iter().map(|(kind, seen)| seen.factor(*kind, reset(*kind))));
    }
    factors
}

/// What is to be proven beside the first factor, and the ways to do it.
pub(super) fn second_factors(
    settings: &Settings,
    (row, detail): (&SignInRow, &Detail),
    person: Option<&Person>,
    now: Timestamp,
) -> (Need, Vec<SignInFactor>) {
    let Some((user, identifications)) = person else { return (Need::Nothing, Vec::new()) };
    let strategy = row.verification(Part::First, now).map(|first| first.strategy);
    let strategy = strategy.unwrap_or_default();
    // Who hands out tickets vouches for whom they let in.
    if strategy == "ticket" {
        return (Need::Nothing, Vec::new());
    }
    let own = of_second(settings, user, identifications);
    if !own.is_empty() {
        return (Need::SecondFactor, own);
    }
    let asks = settings.sign_in.client_trust && !user.bypass_client_trust;
    if !asks || strategy != "password" || detail.is_known_device {
        return (Need::Nothing, Vec::new());
    }
    let ways = ways(settings, user, identifications, detail.identified.as_ref());
    let factors: Vec<_> = ways
        .iter()
        .flat_map(|(kind, seen)| {
            let own = &attribute(settings, *kind).verifications;
            own.iter().map(move |strategy| seen.factor(*kind, strategy.as_str()))
        })
        .collect();
    let need = if factors.is_empty() { Need::Nothing } else { Need::ClientTrust };
    (need, factors)
}

/// The second factors that a user has set up. Backup codes stand in for another one.
fn of_second(
    settings: &Settings,
    user: &UserRow,
    identifications: &[IdentificationRow],
) -> Vec<SignInFactor> {
    let all = &settings.attributes;
    let is_used = |own: &Attribute, strategy: Strategy| {
        own.enabled && own.used_for_second_factor && own.second_factors.contains(&strategy)
    };
    let mut factors = Vec::new();
    if user.totp_secret.is_some() && is_used(&all.authenticator_app, Strategy::Totp) {
        factors.push(plain("totp"));
    }
    if is_used(&all.phone_number, Strategy::PhoneCode) {
        let phones = identifications.iter().filter(|row| {
            row.is(IdentificationKind::PhoneNumber)
                && row.is_verified()
                && row.reserved_for_second_factor
        });
        factors.extend(phones.map(|row| {
            let shown = shown(settings, row, None);
            let is_primary = is_primary(user, row);
            let factor = Seen { id: &row.id, shown, is_primary }
                .factor(IdentificationKind::PhoneNumber, "phone_code");
            SignInFactor { default: Some(row.default_second_factor), ..factor }
        }));
    }
    let has_other = !factors.is_empty();
    if has_other && user.backup_codes.is_some() && is_used(&all.backup_code, Strategy::BackupCode) {
        factors.push(plain("backup_code"));
    }
    factors
}

/// An address or a number as those see it who are not signed in yet.
struct Seen<'a> {
    id: &'a str,
    shown: String,
    is_primary: bool,
}

impl Seen<'_> {
    fn factor(&self, kind: IdentificationKind, strategy: &str) -> SignInFactor {
        let is_phone = kind == IdentificationKind::PhoneNumber;
        let id = Some(self.id.to_owned());
        SignInFactor {
            safe_identifier: Some(self.shown.clone()),
            email_address_id: id.clone().filter(|_| !is_phone),
            phone_number_id: id.filter(|_| is_phone),
            primary: Some(self.is_primary),
            default: is_phone.then_some(false),
            ..plain(strategy)
        }
    }
}

/// Addresses and numbers by which a user can prove that it is them: the one they were named by,
/// then the primary ones, then others. Numbers that are a second factor are no first one.
fn ways<'a>(
    settings: &Settings,
    user: &UserRow,
    identifications: &'a [IdentificationRow],
    identified: Option<&Identified>,
) -> Vec<(IdentificationKind, Seen<'a>)> {
    let mut ways: Vec<_> = [IdentificationKind::EmailAddress, IdentificationKind::PhoneNumber]
        .into_iter()
        .filter(|kind| attribute(settings, *kind).enabled)
        .flat_map(|kind| {
            let own = identifications.iter().filter(move |row| {
                row.is(kind) && row.claim.is_some() && !row.reserved_for_second_factor
            });
            own.map(move |row| (kind, row))
        })
        .collect();
    let is_named = |row: &IdentificationRow| identified.is_some_and(|own| own.is_of(row));
    ways.sort_by_key(|(_, row)| (!is_named(row), !is_primary(user, row)));
    let see = |row: &'a IdentificationRow| Seen {
        id: &row.id,
        shown: shown(settings, row, identified),
        is_primary: is_primary(user, row),
    };
    ways.into_iter().map(|(kind, row)| (kind, see(row))).collect()
}

fn is_primary(user: &UserRow, row: &IdentificationRow) -> bool {
    let ids = [
        user.primary_email_address_id.as_ref().map(wire::Id::as_str),
        user.primary_phone_number_id.as_ref().map(wire::Id::as_str),
    ];
    ids.contains(&Some(row.id.as_str()))
}

/// What is told of a value: all of the one that was typed, little of others.
fn shown(settings: &Settings, row: &IdentificationRow, identified: Option<&Identified>) -> String {
    let is_typed = identified.is_some_and(|own| own.value == row.value);
    if is_typed || !settings.attack_protection.pii {
        return row.value.clone();
    }
    masked(&row.value)
}

fn masked(value: &str) -> String {
    if let Some((local, domain)) = value.rsplit_once('@') {
        let first: String = local.chars().take(1).collect();
        return format!("{first}*****@{domain}");
    }
    let head: String = value.chars().take(2).collect();
    let length = value.chars().count();
    let tail: String = value.chars().skip(length.saturating_sub(2)).collect();
    format!("{head}*******{tail}")
}

fn attribute(settings: &Settings, kind: IdentificationKind) -> &Attribute {
    match kind {
        IdentificationKind::PhoneNumber => &settings.attributes.phone_number,
        _ => &settings.attributes.email_address,
    }
}

fn reset(kind: IdentificationKind) -> &'static str {
    match kind {
        IdentificationKind::PhoneNumber => "reset_password_phone_code",
        _ => "reset_password_email_code",
    }
}

fn plain(strategy: &str) -> SignInFactor {
    SignInFactor { strategy: strategy.to_owned(), ..SignInFactor::default() }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn little_is_told_of_a_value() {
        assert_eq!(masked("ada@example.com"), "a*****@example.com");
        assert_eq!(masked("+12015550123"), "+1*******23");
    }
}
