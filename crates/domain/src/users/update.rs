//! Changing users.

use wire::{
    Patch, Refusal,
    backend::users::{UpdateUser, User, UserId},
    refusal,
};

use super::{
    UserRow,
    credentials::{Credentials, Given},
    load, metadata, save,
};
use crate::{
    Cx, Error, Outside, Result, UsernamePolicy, email_addresses,
    identifications::{IdentificationKind, IdentificationRow},
    password, restrictions, sessions, text,
};

/// A change, checked and with everything slow done.
#[derive(Clone)]
struct Change {
    request: UpdateUser,
    credentials: Credentials,
}

/// Change a user's attributes.
pub(super) async fn update(outside: &Outside, mut request: UpdateUser) -> Result<User> {
    check(outside, &request).await?;
    let given = Given {
        password: request.password.take(),
        password_digest: request.password_digest.take(),
        password_hasher: request.password_hasher.take(),
        totp_secret: request.totp_secret.take(),
        backup_codes: request.backup_codes.take(),
    };
    let credentials = given.ready(outside, &request.user_id).await?;
    outside.write(apply, Change { request, credentials }).await
}

/// The same of what needs nothing slow: no password, no second factor.
pub(crate) async fn change(cx: &mut Cx, request: UpdateUser) -> Result<User> {
    apply(cx, Change { request, credentials: Credentials::default() }).await
}

/// True if there is a text; an empty one takes a text away.
pub(super) fn gives(text: &Patch<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

async fn check(outside: &Outside, request: &UpdateUser) -> Result<()> {
    let given = [
        ("username", gives(&request.username)),
        ("first_name", gives(&request.first_name)),
        ("last_name", gives(&request.last_name)),
    ];
    restrictions::refuse_disabled(&outside.instance.settings, &given)?;
    let has_password = request.password.is_set() || request.password_digest.is_set();
    let only_with_password = [
        ("skip_password_checks", &request.skip_password_checks),
        ("sign_out_of_other_sessions", &request.sign_out_of_other_sessions),
    ];
    for (name, asked) in only_with_password {
        if *asked == Patch::Set(true) && !has_password {
            let refusal = refusal::form_conditional_param_disallowed();
            return Err(refusal.because("Only together with password.").param(name).into());
        }
    }
    if let Patch::Set(password) = &request.password {
        password::check_size(password)?;
        if request.skip_password_checks != Patch::Set(true) {
            let mut names = outside.read(known_as, request.user_id.clone()).await?;
            names.extend(request.username.as_ref().cloned());
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            password::check(outside, password, &names).await?;
        }
    }
    Ok(())
}

/// What a user is known as, which must not be their password.
async fn known_as(cx: &mut Cx, id: UserId) -> Result<Vec<String>> {
    let (row, identifications) = load(cx, &id).await?;
    let values = identifications.into_iter().map(|identification| identification.value);
    Ok(row.username.into_iter().chain(values).collect())
}

async fn apply(cx: &mut Cx, change: Change) -> Result<User> {
    let Change { request, credentials } = change;
    let (mut row, identifications) = load(cx, &request.user_id).await?;
    let (new_password, was_named) = (credentials.password.is_some(), row.username.is_some());
    let primary = email_addresses::primary(&row, &identifications);
    credentials.apply(cx, &mut row);
    if new_password && request.sign_out_of_other_sessions == Patch::Set(true) {
        sessions::revoke_all(cx, &row.id).await?;
    }
    set_primaries(&mut row, &request, &identifications)?;
    if let Patch::Set(id) = &request.profile_image_id {
        crate::images::adopt(cx, &mut row, id).await?;
    }
    if let Patch::Set(text) = &request.created_at {
        let created_at = text::past("created_at", text, cx.now)?;
        cx.tx.search_remove(super::SEARCH, row.position).await?;
        row.created_at = created_at;
        row.position = cx.position(created_at);
    }
    let limit = request.create_organizations_limit;
    match limit {
        Patch::Keep => {}
        Patch::Clear => row.create_organizations_limit = None,
        Patch::Set(limit) => row.create_organizations_limit = Some(limit.into()),
    }
    let flags = [
        (&mut row.delete_self_enabled, request.delete_self_enabled),
        (&mut row.create_organization_enabled, request.create_organization_enabled),
        (&mut row.bypass_client_trust, request.bypass_client_trust),
    ];
    for (field, asked) in flags {
        *field = asked.as_ref().copied().unwrap_or(*field);
    }
    let names = Names {
        external_id: request.external_id,
        username: request.username,
        first_name: request.first_name,
        last_name: request.last_name,
        locale: request.locale,
        legal_accepted_at: request.legal_accepted_at,
    };
    set_names(cx, &mut row, names)?;
    let (public, private) = (request.public_metadata, request.private_metadata);
    metadata::set_all(&mut row, public, private, request.unsafe_metadata)?;
    let anonymous = row.username.is_none() && identifications.iter().all(|row| row.claim.is_none());
    if was_named && anonymous {
        return Err(refusal::identification_deletion_failed().param("username").into());
    }
    let user = save(cx, &mut row, &identifications).await?;
    let asked = request.notify_primary_email_address_changed;
    email_addresses::notify(cx, &row, primary, asked).await?;
    Ok(user)
}

fn set_primaries(
    row: &mut UserRow,
    request: &UpdateUser,
    identifications: &[IdentificationRow],
) -> Result<()> {
    let verified = |kind: IdentificationKind, id: &str, name: &str| match identifications
        .iter()
        .find(|row| row.is(kind) && row.id == id)
    {
        None => Err(Error::from(refusal::resource_not_found().param(name))),
        Some(row) if !row.is_verified() => {
            Err(refusal::form_verification_needed().param(name).into())
        }
        Some(_) => Ok(()),
    };
    let cleared = [
        ("primary_email_address_id", request.primary_email_address_id == Patch::Clear),
        ("primary_phone_number_id", request.primary_phone_number_id == Patch::Clear),
        ("primary_web3_wallet_id", request.primary_web3_wallet_id == Patch::Clear),
    ];
    if let Some((name, _)) = cleared.iter().find(|(_, cleared)| *cleared) {
        return Err(refusal::form_param_nil().param(name).into());
    }
    if let Patch::Set(id) = &request.primary_email_address_id {
        verified(IdentificationKind::EmailAddress, id.as_str(), "primary_email_address_id")?;
        row.primary_email_address_id = Some(id.clone());
    }
    if let Patch::Set(id) = &request.primary_phone_number_id {
        verified(IdentificationKind::PhoneNumber, id.as_str(), "primary_phone_number_id")?;
        row.primary_phone_number_id = Some(id.clone());
    }
    if let Patch::Set(id) = &request.primary_web3_wallet_id {
        verified(IdentificationKind::Web3Wallet, id.as_str(), "primary_web3_wallet_id")?;
        row.primary_web3_wallet_id = Some(id.clone());
    }
    Ok(())
}

/// What creating and changing a user have in common.
pub(super) struct Names {
    pub(super) external_id: Patch<String>,
    pub(super) username: Patch<String>,
    pub(super) first_name: Patch<String>,
    pub(super) last_name: Patch<String>,
    pub(super) locale: Patch<String>,
    pub(super) legal_accepted_at: Patch<String>,
}

pub(super) fn set_names(cx: &Cx, row: &mut UserRow, names: Names) -> Result<()> {
    text::optional("external_id", names.external_id)?.apply(&mut row.external_id);
    text::optional("first_name", names.first_name)?.apply(&mut row.first_name);
    text::optional("last_name", names.last_name)?.apply(&mut row.last_name);
    match text::optional("username", names.username)? {
        Patch::Set(name) => {
            check_username(&cx.instance.settings.username, &name)?;
            row.username = Some(name.to_lowercase());
        }
        Patch::Clear => row.username = None,
        Patch::Keep => {}
    }
    if let Patch::Set(tag) = &names.locale {
        text::locale(tag)?;
    }
    names.locale.apply(&mut row.locale);
    match names.legal_accepted_at {
        Patch::Set(text) => {
            row.legal_accepted_at = Some(text::past("legal_accepted_at", &text, cx.now)?);
        }
        Patch::Clear => row.legal_accepted_at = None,
        Patch::Keep => {}
    }
    Ok(())
}

/// Refuses what is no username here.
pub(crate) fn check_username(policy: &UsernamePolicy, name: &str) -> Result<()> {
    let length = name.chars().count();
    let (min, max) = (policy.min_length, policy.max_length);
    let refusal = if !(min as usize..=max as usize).contains(&length) {
        let reason = format!("Username must be between {min} and {max} characters long.");
        refusal::form_username_invalid_length().because(reason)
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        let reason = "Username can only contain latin letters, numbers, '_' and '-'.";
        refusal::form_username_invalid_character().because(reason)
    } else if !policy.allow_numeric && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let reason = "Username must contain one character that is not a number.";
        refusal::form_username_needs_non_number_char().because(reason)
    } else {
        return Ok(());
    };
    Err(refusal.param("username").into())
}

/// Somebody has this external id.
pub(crate) fn taken_external_id() -> Refusal {
    taken_name("external_id", "external ID")
}

/// Somebody has this name.
pub(crate) fn taken_name(column: &str, words: &str) -> Refusal {
    let reason = format!("That {words} is taken. Please try another.");
    refusal::form_identifier_exists().because(reason).param(column)
}

/// Says which value of a user somebody else has.
pub(super) fn taken(error: db::Error) -> Error {
    let name = |column: &str| match column {
        "username" => Some(taken_name(column, "username")),
        "external_id" => Some(taken_external_id()),
        _ => None,
    };
    match &error {
        db::Error::Taken { column, .. } => match name(column) {
            Some(refusal) => refusal.into(),
            None => error.into(),
        },
        _ => error.into(),
    }
}
