//! E-mail addresses of users.

use db::Record as _;
use wire::{
    Deleted, Patch,
    backend::{
        email_addresses::{
            AttemptEmailAddressVerification, CreateEmailAddress, DeleteEmailAddress, EmailAddress,
            GetEmailAddress, PrepareEmailAddressVerification, UpdateEmailAddress,
        },
        users::{IdentificationStatus, ReplaceUserEmailAddress},
        verifications::Verification,
    },
};

use crate::{
    Cx, Operations, Result,
    identifications::{self, IdentificationKind, IdentificationRow},
    messages,
    users::{self, UserRow},
    verifications,
};

const KIND: IdentificationKind = IdentificationKind::EmailAddress;

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

/// Give a user another e-mail address.
async fn create(cx: &mut Cx, request: CreateEmailAddress) -> Result<EmailAddress> {
    let (mut user, mut all) = users::load(cx, &request.user_id).await?;
    let status = identifications::status(request.verified);
    let owner = (&user.id, all.as_slice());
    let row = identifications::another(cx, KIND, owner, &request.email_address, &status).await?;
    row.add(cx, KIND).await?;
    let before = primary(&user, &all);
    all.push(row.clone());
    identifications::make_primary(&mut user, &row, request.primary)?;
    users::save(cx, &mut user, &all).await?;
    notify(cx, &user, before, request.notify_primary_email_address_changed).await?;
    Ok(users::email_address(&row))
}

/// Fetch one e-mail address.
async fn get(cx: &mut Cx, request: GetEmailAddress) -> Result<EmailAddress> {
    let id = request.email_address_id.as_str();
    Ok(users::email_address(&identifications::find(cx, KIND, id).await?))
}

/// Verify an e-mail address on one's word, or make it primary.
async fn update(cx: &mut Cx, request: UpdateEmailAddress) -> Result<EmailAddress> {
    let mut row = identifications::find(cx, KIND, request.email_address_id.as_str()).await?;
    let (mut user, mut all) = users::load(cx, &row.user_id).await?;
    let before = primary(&user, &all);
    match request.verified {
        Patch::Set(true) if !row.is_verified() => {
            row.set_status(&IdentificationStatus::Verified)?;
        }
        Patch::Set(false) if row.is_verified() => {
            row.set_status(&IdentificationStatus::Unverified)?;
            // Another one that is verified takes its place.
            user.primary_email_address_id.take_if(|id| id.as_str() == row.id);
        }
        _ => {}
    }
    identifications::make_primary(&mut user, &row, request.primary)?;
    row.save(cx, KIND).await?;
    identifications::put(&mut all, &row);
    users::save(cx, &mut user, &all).await?;
    notify(cx, &user, before, request.notify_primary_email_address_changed).await?;
    Ok(users::email_address(&row))
}

/// Take an e-mail address away from its user.
pub(crate) async fn delete(
    cx: &mut Cx,
    request: DeleteEmailAddress,
) -> Result<Deleted<EmailAddress>> {
    let row = identifications::find(cx, KIND, request.email_address_id.as_str()).await?;
    let (mut user, mut all) = users::load(cx, &row.user_id).await?;
    identifications::refuse_needed(cx, &user, &all, &row)?;
    all.retain(|other| other.id != row.id);
    row.delete(&mut cx.tx).await?;
    users::save(cx, &mut user, &all).await?;
    Ok(Deleted::new(request.email_address_id))
}

/// Send a code to an e-mail address.
async fn prepare_verification(
    cx: &mut Cx,
    request: PrepareEmailAddressVerification,
) -> Result<Verification> {
    verifications::prepare(cx, KIND, request.email_address_id.as_str()).await
}

/// Check a code that was sent to an e-mail address.
async fn attempt_verification(
    cx: &mut Cx,
    request: AttemptEmailAddressVerification,
) -> Result<Verification> {
    let attempt = (request.verification_id.as_str(), request.code.as_str());
    verifications::attempt(cx, KIND, request.email_address_id.as_str(), attempt).await
}

/// Make an e-mail address the only one of a user.
async fn replace(cx: &mut Cx, request: ReplaceUserEmailAddress) -> Result<EmailAddress> {
    let (mut user, mut all) = users::load(cx, &request.user_id).await?;
    let before = primary(&user, &all);
    identifications::remove_all(cx, KIND, &mut all).await?;
    let status = request.identification_status.unwrap_or(IdentificationStatus::Verified);
    let owner = (&user.id, all.as_slice());
    let row = identifications::another(cx, KIND, owner, &request.email_address, &status).await?;
    row.add(cx, KIND).await?;
    all.push(row.clone());
    user.primary_email_address_id = Some(row.id.as_str().into());
    users::save(cx, &mut user, &all).await?;
    notify(cx, &user, before, request.notify_primary_email_address_changed).await?;
    Ok(users::email_address(&row))
}

pub(crate) fn primary(user: &UserRow, all: &[IdentificationRow]) -> Option<IdentificationRow> {
    let id = user.primary_email_address_id.as_ref()?.as_str();
    all.iter().find(|row| row.id == id).cloned()
}

/// Tells the address that was the primary one before, if that was asked for.
pub(crate) async fn notify(
    cx: &mut Cx,
    user: &UserRow,
    before: Option<IdentificationRow>,
    asked: Patch<bool>,
) -> Result<()> {
    match (before, &user.primary_email_address) {
        (Some(before), Some(now)) if asked == Patch::Set(true) && before.value != *now => {
            messages::primary_email_address_changed(cx, &before, now).await
        }
        _ => Ok(()),
    }
}
