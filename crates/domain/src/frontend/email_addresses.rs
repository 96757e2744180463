//! The user's own e-mail addresses.

use wire::{
    Deleted,
    backend::{
        email_addresses::{DeleteEmailAddress, EmailAddress},
        verifications::VerificationStatus,
    },
    frontend::email_addresses::{
        AttemptMyEmailAddress, CreateMyEmailAddress, DeleteMyEmailAddress, GetMyEmailAddress,
        ListMyEmailAddresses, PrepareMyEmailAddress,
    },
};

use super::identifications;
use crate::{
    Cx, Operations, Outside, Result, email_addresses, identifications::IdentificationKind,
    users::email_address,
};

const KIND: IdentificationKind = IdentificationKind::EmailAddress;

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(list)
        .offer_visitor(create)
        .offer_visitor(get)
        .offer_visitor(prepare)
        .offer_visitor_outside(attempt)
        .offer_visitor(delete)
}

/// List one's e-mail addresses.
async fn list(cx: &mut Cx, _: ListMyEmailAddresses) -> Result<Vec<EmailAddress>> {
    Ok(identifications::list(cx, KIND).await?.iter().map(email_address).collect())
}

/// Add an e-mail address, yet to be verified.
async fn create(cx: &mut Cx, request: CreateMyEmailAddress) -> Result<EmailAddress> {
    Ok(email_address(&identifications::add(cx, KIND, &request.email_address).await?))
}

/// Fetch one e-mail address, as those do who wait for a link to be followed.
async fn get(cx: &mut Cx, request: GetMyEmailAddress) -> Result<EmailAddress> {
    let mut shown =
        email_address(&identifications::own(cx, KIND, request.email_id.as_str()).await?);
    if let Some(verification) = &mut shown.verification {
        let is_late = verification.expire_at.is_some_and(|end| end <= cx.now);
        if is_late && verification.status == VerificationStatus::Unverified {
            verification.status = VerificationStatus::Expired;
        }
    }
    Ok(shown)
}

/// Have a code or a link sent to an e-mail address.
async fn prepare(cx: &mut Cx, request: PrepareMyEmailAddress) -> Result<EmailAddress> {
    let (id, how) = (request.email_id.as_str(), (&*request.strategy, request.redirect_url));
    Ok(email_address(&identifications::prepare(cx, KIND, id, how).await?))
}

/// Try a code that was sent to an e-mail address.
async fn attempt(outside: &Outside, request: AttemptMyEmailAddress) -> Result<EmailAddress> {
    let tried = (request.email_id.to_string(), request.code);
    Ok(email_address(&identifications::attempt(outside, KIND, tried).await?))
}

/// Give up an e-mail address.
async fn delete(cx: &mut Cx, request: DeleteMyEmailAddress) -> Result<Deleted<EmailAddress>> {
    identifications::refuse_kept(cx, KIND, request.email_id.as_str()).await?;
    email_addresses::delete(cx, DeleteEmailAddress::new(request.email_id)).await
}
