//! Phone numbers of users, which can be second factors.

use db::Record as _;
use wire::{
    Deleted, Patch,
    backend::{
        phone_numbers::{
            AttemptPhoneNumberVerification, CreatePhoneNumber, DeletePhoneNumber, GetPhoneNumber,
            PhoneNumber, PreparePhoneNumberVerification, UpdatePhoneNumber,
        },
        users::{IdentificationStatus, ReplaceUserPhoneNumber},
        verifications::Verification,
    },
    refusal,
};

use crate::{
    Cx, Operations, Result,
    identifications::{self, IdentificationKind, IdentificationRow},
    users::{self, UserRow},
    verifications,
};

const KIND: IdentificationKind = IdentificationKind::PhoneNumber;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(create)
        .offer(get)
        .offer(update)
        .offer(delete)
        .offer(prepare_verification)
        .offer(attempt_verification)
        .offer(replace)
}

/// Give a user another phone number.
async fn create(cx: &mut Cx, request: CreatePhoneNumber) -> Result<PhoneNumber> {
    let (mut user, mut all) = users::load(cx, &request.user_id).await?;
    let status = identifications::status(request.verified);
    let owner = (&user.id, all.as_slice());
    let mut row = identifications::another(cx, KIND, owner, &request.phone_number, &status).await?;
    if request.reserved_for_second_factor == Patch::Set(true) {
        if !row.is_verified() {
            return Err(refusal::identification_create_second_factor_unverified().into());
        }
        reserve(&mut row, &all);
    }
    row.add(cx, KIND).await?;
    all.push(row.clone());
    identifications::make_primary(&mut user, &row, request.primary)?;
    users::save(cx, &mut user, &all).await?;
    Ok(users::phone_number(&row))
}

/// Fetch one phone number.
async fn get(cx: &mut Cx, request: GetPhoneNumber) -> Result<PhoneNumber> {
    let id = request.phone_number_id.as_str();
    Ok(users::phone_number(&identifications::find(cx, KIND, id).await?))
}

/// Verify a phone number on one's word, make it primary or a second factor.
pub(crate) async fn update(cx: &mut Cx, request: UpdatePhoneNumber) -> Result<PhoneNumber> {
    let mut row = identifications::find(cx, KIND, request.phone_number_id.as_str()).await?;
    let (mut user, mut all) = users::load(cx, &row.user_id).await?;
    match request.verified {
        Patch::Set(true) if !row.is_verified() => {
            row.set_status(&IdentificationStatus::Verified)?;
        }
        Patch::Set(false) if row.is_verified() => {
            release(&mut row)?;
            row.set_status(&IdentificationStatus::Unverified)?;
            // Another one that is verified takes its place.
            user.primary_phone_number_id.take_if(|id| id.as_str() == row.id);
        }
        _ => {}
    }
    match request.reserved_for_second_factor {
        Patch::Set(true) if !row.is_verified() => {
            return Err(refusal::identification_update_second_factor_unverified().into());
        }
        Patch::Set(true) => reserve(&mut row, &all),
        Patch::Set(false) => release(&mut row)?,
        Patch::Keep | Patch::Clear => {}
    }
    identifications::make_primary(&mut user, &row, request.primary)?;
    row.save(cx, KIND).await?;
    identifications::put(&mut all, &row);
    users::save(cx, &mut user, &all).await?;
    Ok(users::phone_number(&row))
}

/// Take a phone number away from its user.
pub(crate) async fn delete(
    cx: &mut Cx,
    request: DeletePhoneNumber,
) -> Result<Deleted<PhoneNumber>> {
    let row = identifications::find(cx, KIND, request.phone_number_id.as_str()).await?;
    let (mut user, mut all) = users::load(cx, &row.user_id).await?;
    identifications::refuse_needed(cx, &user, &all, &row)?;
    all.retain(|other| other.id != row.id);
    promote(cx, &mut all).await?;
    forget_backup_codes(&mut user, std::slice::from_ref(&row), &all);
    row.delete(&mut cx.tx).await?;
    users::save(cx, &mut user, &all).await?;
    Ok(Deleted::new(request.phone_number_id))
}

/// Send a code to a phone number.
async fn prepare_verification(
    cx: &mut Cx,
    request: PreparePhoneNumberVerification,
) -> Result<Verification> {
    verifications::prepare(cx, KIND, request.phone_number_id.as_str()).await
}

/// Check a code that was sent to a phone number.
async fn attempt_verification(
    cx: &mut Cx,
    request: AttemptPhoneNumberVerification,
) -> Result<Verification> {
    let attempt = (request.verification_id.as_str(), request.code.as_str());
    verifications::attempt(cx, KIND, request.phone_number_id.as_str(), attempt).await
}

/// Make a phone number the only one of a user. It is no second factor.
async fn replace(cx: &mut Cx, request: ReplaceUserPhoneNumber) -> Result<PhoneNumber> {
    let (mut user, mut all) = users::load(cx, &request.user_id).await?;
    let gone = identifications::remove_all(cx, KIND, &mut all).await?;
    forget_backup_codes(&mut user, &gone, &all);
    let status = request.identification_status.unwrap_or(IdentificationStatus::Verified);
    let owner = (&user.id, all.as_slice());
    let row = identifications::another(cx, KIND, owner, &request.phone_number, &status).await?;
    row.add(cx, KIND).await?;
    all.push(row.clone());
    user.primary_phone_number_id = Some(row.id.as_str().into());
    users::save(cx, &mut user, &all).await?;
    Ok(users::phone_number(&row))
}

/// Makes the number a second factor, the default one if it is the first.
fn reserve(row: &mut IdentificationRow, all: &[IdentificationRow]) {
    row.reserved_for_second_factor = true;
    let other = |other: &&IdentificationRow| other.id != row.id && other.default_second_factor;
    row.default_second_factor = !all.iter().any(|row| other(&row));
}

/// Makes the number no second factor; the default one has to stay.
fn release(row: &mut IdentificationRow) -> Result<()> {
    if row.default_second_factor {
        let refusal = refusal::form_disable_default_second_factor_not_allowed();
        return Err(refusal.param("reserved_for_second_factor").into());
    }
    row.reserved_for_second_factor = false;
    Ok(())
}

/// Where the default second factor is gone, the oldest one that is left becomes it.
async fn promote(cx: &mut Cx, all: &mut [IdentificationRow]) -> Result<()> {
    if all.iter().any(|row| row.default_second_factor) {
        return Ok(());
    }
    if let Some(row) = all.iter_mut().find(|row| row.is(KIND) && row.reserved_for_second_factor) {
        row.default_second_factor = true;
        row.save(cx, KIND).await?;
    }
    Ok(())
}

/// Backup codes stand in for a second factor: with the last one they go.
fn forget_backup_codes(user: &mut UserRow, gone: &[IdentificationRow], all: &[IdentificationRow]) {
    let is_factor = |row: &IdentificationRow| row.reserved_for_second_factor;
    if user.totp_secret.is_none() && gone.iter().any(is_factor) && !all.iter().any(is_factor) {
        user.backup_codes = None;
    }
}
