//! Creating users.

use db::Record as _;
use serde_json::json;
use wire::{
    Patch, Timestamp,
    backend::users::{CreateUser, IdentificationStatus, User, UserId},
    refusal,
};

use super::{
    COUNTER, SEARCH, UserRow,
    credentials::{Credentials, Given},
    metadata, update, view,
};
use crate::{
    Cx, Event, Outside, Result,
    error::OnTaken as _,
    identifications::{IdentificationKind, IdentificationRow},
    password,
    restrictions::{self, Purpose},
    text,
};

/// Identifications of one kind in one request.
const IDENTIFICATIONS_MAX: usize = 20;

/// A user to be, checked and with everything slow done.
#[derive(Clone)]
pub struct NewUser {
    /// The id they will have; what is sealed for them is bound to it.
    pub id: UserId,
    /// What was asked for.
    pub request: CreateUser,
    /// Password and second factors, which are no longer in the request.
    pub credentials: Credentials,
}

impl NewUser {
    /// A user without a password, as imports and tests make them.
    pub fn without_password(id: UserId, request: CreateUser) -> Self {
        Self { id, request, credentials: Credentials::default() }
    }
}

/// Create a user.
pub(super) async fn create(outside: &Outside, mut request: CreateUser) -> Result<User> {
    check(outside, &request).await?;
    let id = outside.id();
    let given = Given {
        password: request.password.take(),
        password_digest: request.password_digest.take(),
        password_hasher: request.password_hasher.take(),
        totp_secret: request.totp_secret.take(),
        backup_codes: request.backup_codes.take(),
    };
    let credentials = given.ready(outside, &id).await?;
    outside.write(admit, NewUser { id, request, credentials }).await
}

/// Creates a user whom no restriction keeps out.
async fn admit(cx: &mut Cx, new: NewUser) -> Result<User> {
    let kinds = [
        (IdentificationKind::EmailAddress, &new.request.email_address),
        (IdentificationKind::PhoneNumber, &new.request.phone_number),
        (IdentificationKind::Web3Wallet, &new.request.web3_wallet),
    ];
    let mut identifiers = Vec::new();
    for (kind, values) in kinds {
        for value in values.iter().take(IDENTIFICATIONS_MAX) {
            identifiers.push((kind, kind.normalize(value)?));
        }
    }
    let identifiers: Vec<_> =
        identifiers.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
    restrictions::admit_all(cx, &identifiers, Purpose::Backend).await?;
    insert(cx, new).await
}

/// What can be refused without looking at the store.
async fn check(outside: &Outside, request: &CreateUser) -> Result<()> {
    let given = [
        ("email_address", !request.email_address.is_empty()),
        ("phone_number", !request.phone_number.is_empty()),
        ("web3_wallet", !request.web3_wallet.is_empty()),
        ("username", update::gives(&request.username)),
        ("first_name", update::gives(&request.first_name)),
        ("last_name", update::gives(&request.last_name)),
    ];
    restrictions::refuse_disabled(&outside.instance.settings, &given)?;
    if let Patch::Set(password) = &request.password {
        password::check_size(password)?;
        if request.skip_password_checks != Patch::Set(true) {
            let mut identifiers: Vec<&str> =
                request.email_address.iter().map(String::as_str).collect();
            identifiers.extend(request.phone_number.iter().map(String::as_str));
            identifiers.extend(request.username.as_ref().map(String::as_str));
            password::check(outside, password, &identifiers).await?;
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
        && request.username.as_ref().is_none_or(String::is_empty);
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
    let NewUser { id, request, credentials } = new;
    let created_at = match request.created_at.as_ref() {
        Some(text) => text::past("created_at", text, cx.now)?,
        None => cx.now,
    };
    let mut row = blank(cx, id, created_at);
    credentials.apply(cx, &mut row);
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

pub(super) type Identified = Vec<(IdentificationKind, IdentificationRow)>;

/// Adds a user with all that they are known by.
pub(super) async fn store(cx: &mut Cx, mut row: UserRow, identified: Identified) -> Result<User> {
    let rows: Vec<_> = identified.iter().map(|(_, row)| row.clone()).collect();
    row.settle_primaries(&rows);
    row.settle_name();
    row.settle_second_factors(&rows, cx.now);
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
    // Ids of one second are in no order, and these have only their ids to keep theirs.
    let mut ids: Vec<_> = identified.iter().map(|(_, row)| row.id.clone()).collect();
    ids.sort_unstable();
    for ((_, row), id) in identified.iter_mut().zip(ids) {
        row.id = id;
    }
    Ok(identified)
}

/// A user of whom nothing is known.
pub(super) fn blank(cx: &Cx, id: UserId, created_at: Timestamp) -> UserRow {
    UserRow {
        id,
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
