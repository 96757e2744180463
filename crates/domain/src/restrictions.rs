//! Who is let in: allowlist, blocklist, and what addresses and numbers may be like.
//!
//! The same rules wherever an identifier enters. The lists are looked up by the identifier itself
//! and by the patterns that could stand for it, each of them an entry of an index.

use std::{collections::HashSet, sync::LazyLock};

use db::Record as _;
use serde_json::json;
use wire::{refusal, unknown_param};

use crate::{
    Cx, Result, Settings,
    identifications::{IdentificationKind, IdentificationRow, dotless},
    listed_identifiers::{List, ListedRow},
    messages, verifications,
};

/// What an identifier is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody wants to become a user, or be known by something else.
    SignUp,
    /// Somebody who was invited wants to become a user: no list need name them.
    Invited,
    /// A user wants to come in.
    SignIn,
    /// A server gives it to a user.
    Backend,
}

/// Refuses an identifier that this instance does not let in; `value` is normalized.
pub async fn admit(
    cx: &mut Cx,
    kind: IdentificationKind,
    value: &str,
    purpose: Purpose,
) -> Result<()> {
    admit_all(cx, &[(kind, value)], purpose).await
}

/// Refuses identifiers of which this instance does not let all in; their values are normalized.
///
/// Where an allowlist is kept, nobody signs up who has none that could be on it.
pub async fn admit_all(
    cx: &mut Cx,
    identifiers: &[(IdentificationKind, &str)],
    purpose: Purpose,
) -> Result<()> {
    let restrictions = cx.instance.settings.restrictions.clone();
    let is_entry = purpose != Purpose::SignIn;
    let has_lists = is_entry || !restrictions.allowlist_blocklist_disabled_on_sign_in;
    let needs_allowing = purpose != Purpose::Invited && restrictions.allowlist;
    let (allow, block) = (has_lists && needs_allowing, has_lists && restrictions.blocklist);
    let ignores_dots = restrictions.ignore_dots_for_gmail_addresses;
    let known: Vec<_> = identifiers
        .iter()
        .filter(|(kind, _)| is_listable(*kind))
        .map(|(kind, value)| (*kind, *value, keys(*kind, value, ignores_dots)))
        .collect();
    let listed = match (allow, block) {
        (false, false) => Vec::new(),
        _ => listed(cx, &known, ignores_dots).await?,
    };
    let is_on = |list: List, keys: &[String]| {
        listed.iter().any(|row| {
            let key = if ignores_dots { &row.dotless } else { &row.identifier };
            row.list == list.as_str() && keys.contains(key)
        })
    };
    let is_refused = |(kind, value, keys): &(IdentificationKind, &str, Vec<String>)| {
        let is_kept_out = match (allow, is_on(List::Allow, keys)) {
            // The allowlist beats the blocklist.
            (true, is_allowed) => !is_allowed,
            (false, _) => block && is_on(List::Block, keys),
        };
        let is_email = *kind == IdentificationKind::EmailAddress;
        let is_subaddress = restrictions.block_email_subaddresses
            && has_subaddress(value)
            && !messages::is_test(cx, value);
        let is_disposable = restrictions.block_disposable_email_domains && is_disposable(value);
        is_kept_out || is_entry && is_email && (is_subaddress || is_disposable)
    };
    let refused: Vec<_> =
        known.iter().filter(|known| is_refused(known)).map(|(_, value, _)| *value).collect();
    if !refused.is_empty() || allow && known.is_empty() && purpose == Purpose::SignUp {
        return Err(not_allowed(&refused).into());
    }
    if matches!(purpose, Purpose::SignUp | Purpose::Invited) {
        let mut numbers =
            known.iter().filter(|(kind, ..)| *kind == IdentificationKind::PhoneNumber);
        numbers.try_for_each(|(_, number, _)| verifications::refuse_blocked(cx, number))?;
    }
    if is_entry && ignores_dots {
        refuse_same_mailbox(cx, identifiers).await?;
    }
    Ok(())
}

/// Refuses parameters of attributes that are switched off, where the instance wants that: they are
/// as unknown as any other.
pub(crate) fn refuse_disabled(settings: &Settings, given: &[(&str, bool)]) -> Result<()> {
    if !settings.user.refuse_disabled_attributes_of_backend {
        return Ok(());
    }
    let attributes = &settings.attributes;
    for (name, _) in given.iter().filter(|(_, is_given)| *is_given) {
        let attribute = match *name {
            "email_address" => &attributes.email_address,
            "phone_number" => &attributes.phone_number,
            "web3_wallet" => &attributes.web3_wallet,
            "username" => &attributes.username,
            "first_name" => &attributes.first_name,
            "last_name" => &attributes.last_name,
            "password" | "password_digest" => &attributes.password,
            "totp_secret" => &attributes.authenticator_app,
            "backup_codes" => &attributes.backup_code,
            _ => continue,
        };
        if !attribute.enabled {
            return Err(unknown_param(name).into());
        }
    }
    Ok(())
}

/// What of `identifiers` is on either list, or stands under a pattern that is.
async fn listed(
    cx: &mut Cx,
    identifiers: &[(IdentificationKind, &str, Vec<String>)],
    ignores_dots: bool,
) -> Result<Vec<ListedRow>> {
    let keys: Vec<_> = identifiers.iter().flat_map(|(_, _, keys)| keys.clone()).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let column = if ignores_dots { "dotless" } else { "identifier" };
    let rows = ListedRow::select(&cx.tx)
        .filter_in("list", &[List::Allow, List::Block].map(|list| list.as_str().to_owned()))
        .filter_in(column, &keys);
    Ok(rows.all(&mut cx.tx).await?)
}

/// Refuses an address of Gmail that is another user's but for the dots.
async fn refuse_same_mailbox(
    cx: &mut Cx,
    identifiers: &[(IdentificationKind, &str)],
) -> Result<()> {
    let addresses =
        identifiers.iter().filter(|(kind, _)| *kind == IdentificationKind::EmailAddress);
    let keys: Vec<_> = addresses.filter_map(|(_, address)| dotless(address)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let same = IdentificationRow::select(&cx.tx)
        .filter("claim is not null", [])
        .filter_in("dotless", &keys);
    if same.exists(&mut cx.tx).await? {
        return Err(IdentificationKind::EmailAddress.taken().into());
    }
    Ok(())
}

/// True for what the lists can hold.
fn is_listable(kind: IdentificationKind) -> bool {
    match kind {
        IdentificationKind::EmailAddress
        | IdentificationKind::PhoneNumber
        | IdentificationKind::Web3Wallet => true,
        IdentificationKind::Passkey | IdentificationKind::ExternalAccount => false,
    }
}

/// All entries of a list that would mean this identifier.
fn keys(kind: IdentificationKind, value: &str, ignores_dots: bool) -> Vec<String> {
    let exact = if ignores_dots { dotless(value) } else { None };
    let mut keys = vec![exact.unwrap_or_else(|| value.to_owned())];
    if kind == IdentificationKind::EmailAddress
        && let Some((_, domain)) = value.rsplit_once('@')
    {
        keys.push(format!("*@{domain}"));
        keys.extend(parents(domain).map(|parent| format!("*@*.{parent}")));
    }
    keys
}

/// The domains that a domain is part of.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..])
}

/// True if the address is one of many that its owner has by adding to it.
fn has_subaddress(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_yahoo = domain.starts_with("yahoo.") || matches!(domain, "ymail.com" | "rocketmail.com");
    local.contains(['+', '=', '#']) || is_yahoo && local.contains('-')
}

/// Domains that hand out addresses to be thrown away.
static DISPOSABLE: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| mailchecker::blacklist().into_iter().collect());

/// True if the address is of such a domain, or of one below it.
fn is_disposable(address: &str) -> bool {
    let Some((_, domain)) = address.rsplit_once('@') else {
        return false;
    };
    DISPOSABLE.contains(domain) || parents(domain).any(|parent| DISPOSABLE.contains(parent))
}

fn not_allowed(identifiers: &[&str]) -> wire::Refusal {
    let reason = match identifiers {
        [] => "You are not allowed to access this application.".to_owned(),
        [one] => format!("{one} is not allowed to access this application."),
        many => format!("{} are not allowed to access this application.", many.join(", ")),
    };
    refusal::not_allowed_access().because(reason).meta("identifiers", json!(identifiers))
}

#[cfg(test)]
mod tests {
    use super::{IdentificationKind, has_subaddress, is_disposable, keys};

    #[test]
    fn otp_18_subaddresses_are_told_by_their_separators() {
        let refused = [
            "ada+news@example.com",
            "ada=news@example.com",
            "ada#news@example.com",
            "ada-news@yahoo.com",
            "ada-news@yahoo.co.uk",
            "ada-news@ymail.com",
            "+@example.com",
        ];
        assert_eq!(refused.map(has_subaddress), [true; 7]);
        let let_in = [
            "ada-news@example.com",
            "ada.news@gmail.com",
            "ada@yahoo.com",
            "ada-news@notyahoo.com",
            "ada@my-yahoo.com",
        ];
        assert_eq!(let_in.map(has_subaddress), [false; 5]);
    }

    #[test]
    fn disposable_domains_are_known_with_all_below_them() {
        assert!(is_disposable("ada@mailinator.com") && is_disposable("ada@mx.yopmail.com"));
        let kept = ["ada@gmail.com", "ada@outlook.com", "ada@proton.me", "ada@example.com"];
        assert_eq!(kept.map(is_disposable), [false; 4]);
    }

    #[test]
    fn otp_19_an_address_stands_under_its_domains() {
        let keys = |value| keys(IdentificationKind::EmailAddress, value, true);
        assert_eq!(
            keys("a.da@mail.example.com"),
            ["a.da@mail.example.com", "*@mail.example.com", "*@*.example.com", "*@*.com"]
        );
        assert_eq!(keys("a.da@gmail.com")[0], "ada@gmail.com");
    }
}
