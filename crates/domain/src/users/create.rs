//! Creating users.

use db::Record as _;
use serde_json::json;
use wire::{
    Patch, Timestamp,
    backend::users::{CreateUser, IdentificationStatus, User},
    refusal,
};

use super::{COUNTER, SEARCH, UserRow, metadata, update, view};
use crate::{
    Cx, Digest, Event, Outside, Result,
    error::OnTaken as _,
    identifications::{IdentificationKind, IdentificationRow},
    password, second_factors, text,
};

/// Identifications of one kind in one request.
const IDENTIFICATIONS_MAX: usize = 20;

/// A user to be, checked and with everything slow done.
#[derive(Clone)]
pub struct NewUser {
    /// What was asked for.
    pub request: CreateUser,
    /// The password, hashed.
    pub password: Option<Digest>,
    /// The authenticator app's secret, sealed.
    pub totp_secret: Option<String>,
    /// Digests of backup codes, as JSON.
    pub backup_codes: Option<String>,
}

/// Create a user.
pub(super) async fn create(outside: &Outside, mut request: CreateUser) -> Result<User> {
    check(outside, &request)?;
    let password = match (request.password.take(), request.password_digest.take()) {
        (Some(_), Some(_)) => {
            let refusal = refusal::form_conditional_param_disallowed();
            return Err(refusal.param("password_digest").into());
        }
        (Some(password), None) => Some(outside.hash(password).await?),
        (None, Some(digest)) => {
            let hasher = request.password_hasher.as_deref().ok_or_else(|| {
                refusal::form_conditional_param_missing().param("password_hasher")
            })?;
            Some(password::import(hasher, &digest)?)
        }
        (None, None) => None,
    };
    let totp_secret = match request.totp_secret.take() {
        Some(secret) => Some(second_factors::seal_totp(outside, &secret)?),
        None => None,
    };
    let backup_codes = match request.backup_codes.take() {
        Some(codes) if !codes.is_empty() => Some(second_factors::import_backup_codes(&codes)?),
        _ => None,
    };
    outside.write(insert, NewUser { request, password, totp_secret, backup_codes }).await
}

/// What can be refused without looking at the store.
fn check(outside: &Outside, request: &CreateUser) -> Result<()> {
    let settings = &outside.instance.settings;
    if let Patch::Set(password) = &request.password {
        password::check_size(password)?;
        if request.skip_password_checks != Patch::Set(true) {
            let mut identifiers: Vec<&str> =
                request.email_address.iter().map(String::as_str).collect();
            identifiers.extend(request.phone_number.iter().map(String::as_str));
            identifiers.extend(request.username.as_ref().map(String::as_str));
            password::check_policy(&settings.password, password, &identifiers)?;
        }
    }
    let statuses = [
        (
            "email_address_identification_status",
            request.email_address.len(),
            &request.email_address_identification_status,
        ),
        (
            "phone_number_identification_status",
            request.phone_number.len(),
            &request.phone_number_identification_status,
        ),
    ];
    for (name, length, statuses) in statuses {
        if !statuses.is_empty() && statuses.len() != length {
            return Err(refusal::form_param_array_length_mismatch().param(name).into());
        }
        let allowed = [IdentificationStatus::Verified, IdentificationStatus::Reserved];
        if statuses.iter().any(|status| !allowed.contains(status)) {
            return Err(refusal::form_param_value_invalid().param(name).into());
        }
    }
    required(outside, request)
}

/// What a user of this instance must have.
fn required(outside: &Outside, request: &CreateUser) -> Result<()> {
    let settings = &outside.instance.settings;
    let mut missing = Vec::new();
    let anonymous = request.email_address.is_empty()
        && request.phone_number.is_empty()
        && request.web3_wallet.is_empty()
        && request.username.as_ref().is_none_or(|name| name.is_empty());
    if anonymous && request.skip_user_requirement != Patch::Set(true) {
        missing.push("email_address");
    }
    let has_password = request.password.is_set() || request.password_digest.is_set();
    let wants_password = settings.user.require_password_of_backend
        && settings.attributes.password.required
        && request.skip_password_requirement != Patch::Set(true);
    if wants_password && !has_password {
        missing.push("password");
    }
    if settings.sign_up.legal_consent
        && request.skip_legal_checks != Patch::Set(true)
        && !request.legal_accepted_at.is_set()
    {
        missing.push("legal_accepted_at");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let reason = format!("{} must be given for a user of this instance.", missing.join(", "));
    Err(refusal::form_data_missing().because(reason).meta("param_names", json!(missing)).into())
}

/// Create a user whose password is hashed.
pub async fn insert(cx: &mut Cx, new: NewUser) -> Result<User> {
    let NewUser { request, password, totp_secret, backup_codes } = new;
    let created_at = match request.created_at.as_ref() {
        Some(text) => text::past("created_at", text, cx.now)?,
        None => cx.now,
    };
    let mut row = blank(cx, created_at);
    row.password_updated_at = password.as_ref().map(|_| cx.now);
    row.password = password.map(|digest| digest.0);
    row.mfa_enabled_at = totp_secret.as_ref().map(|_| cx.now);
    (row.totp_secret, row.backup_codes) = (totp_secret, backup_codes);
    row.banned = request.banned == Patch::Set(true);
    if request.locked == Patch::Set(true) {
        row.locked_until = Some(super::standing::lock_end(cx)?);
    }
    let limit = request.create_organizations_limit.as_ref().copied();
    row.create_organizations_limit = limit.map(i64::from);
    let user = &cx.instance.settings.user;
    let flags = [
        (&mut row.delete_self_enabled, &request.delete_self_enabled, user.delete_self),
        (
            &mut row.create_organization_enabled,
            &request.create_organization_enabled,
            user.create_organization,
        ),
        (&mut row.bypass_client_trust, &request.bypass_client_trust, false),
    ];
    for (field, asked, default) in flags {
        *field = asked.as_ref().copied().unwrap_or(default);
    }
    let identified = identified(cx, &row, &request)?;
    update::set_names(
        cx,
        &mut row,
        update::Names {
            external_id: request.external_id,
            username: request.username,
            first_name: request.first_name,
            last_name: request.last_name,
            locale: request.locale,
            legal_accepted_at: request.legal_accepted_at,
        },
    )?;
    let (public, private) = (request.public_metadata, request.private_metadata);
    metadata::set_all(&mut row, public, private, request.unsafe_metadata)?;
    store(cx, row, identified).await
}

type Identified = Vec<(IdentificationKind, IdentificationRow)>;

async fn store(cx: &mut Cx, mut row: UserRow, identified: Identified) -> Result<User> {
    let rows: Vec<_> = identified.iter().map(|(_, row)| row.clone()).collect();
    row.settle_primaries(&rows);
    row.settle_name();
    row.insert(&mut cx.tx).await.map_err(update::taken)?;
    for (kind, identification) in &identified {
        identification.insert(&mut cx.tx).await.taken("claim", || kind.taken())?;
    }
    cx.tx.add(COUNTER, 1).await?;
    cx.tx.search_put(SEARCH, row.position, &row.searched(&rows)).await?;
    let user = view(cx, &row, &rows);
    cx.emit(Event::UserCreated(&user)).await?;
    Ok(user)
}

/// The identifications asked for, the first of each kind first.
fn identified(cx: &Cx, row: &UserRow, request: &CreateUser) -> Result<Identified> {
    let kinds = [
        (
            IdentificationKind::EmailAddress,
            &request.email_address,
            request.email_address_identification_status.as_slice(),
        ),
        (
            IdentificationKind::PhoneNumber,
            &request.phone_number,
            request.phone_number_identification_status.as_slice(),
        ),
        (IdentificationKind::Web3Wallet, &request.web3_wallet, &[]),
    ];
    let mut identified: Identified = Vec::new();
    for (kind, values, statuses) in kinds {
        if values.len() > IDENTIFICATIONS_MAX {
            return Err(refusal::form_param_array_size_exceeded().param(kind.as_str()).into());
        }
        for (index, value) in values.iter().enumerate() {
            let value = kind.normalize(value)?;
            if identified.iter().any(|(other, row)| *other == kind && row.value == value) {
                return Err(refusal::form_param_duplicate().param(kind.as_str()).into());
            }
            let status = statuses.get(index).unwrap_or(&IdentificationStatus::Verified);
            let row = IdentificationRow::new(cx, &row.id, kind, value, status)?;
            identified.push((kind, row));
        }
    }
    Ok(identified)
}

/// A user of whom nothing is known.
fn blank(cx: &Cx, created_at: Timestamp) -> UserRow {
    UserRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        position: cx.position(created_at),
        external_id: None,
        username: None,
        first_name: None,
        last_name: None,
        name_key: String::new(),
        image_id: None,
        primary_email_address_id: None,
        primary_phone_number_id: None,
        primary_web3_wallet_id: None,
        primary_email_address: None,
        primary_phone_number: None,
        primary_web3_wallet: None,
        password: None,
        password_updated_at: None,
        password_compromised: false,
        totp_secret: None,
        totp_used_step: None,
        backup_codes: None,
        mfa_enabled_at: None,
        mfa_disabled_at: None,
        public_metadata: "{}".to_owned(),
        private_metadata: "{}".to_owned(),
        unsafe_metadata: "{}".to_owned(),
        banned: false,
        failed_attempts: 0,
        locked_until: None,
        delete_self_enabled: true,
        create_organization_enabled: true,
        create_organizations_limit: None,
        bypass_client_trust: false,
        locale: None,
        legal_accepted_at: None,
        last_sign_in_at: None,
        last_active_at: None,
        created_at,
        updated_at: cx.now,
    }
}
