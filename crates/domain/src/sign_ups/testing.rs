//! Sign-ups as the Frontend API begins and ends them, for tests of what the Backend API shows.

use db::Record as _;
use wire::backend::{clients::ClientId, sign_ups::SignUpId, users::UserId, verifications};

use super::{SignUpRow, find};
use crate::{Cx, Outside, Result, identifications::IdentificationKind};

/// Begins a sign-up on a client with an address that is yet to be verified.
pub async fn begin(outside: &Outside, client_id: ClientId, address: &str) -> Result<SignUpId> {
    outside.write(insert, (client_id, address.to_owned())).await
}

async fn insert(cx: &mut Cx, (client_id, address): (ClientId, String)) -> Result<SignUpId> {
    let mut row = SignUpRow::new(cx, client_id);
    row.set_value(IdentificationKind::EmailAddress, Some(&address))?;
    row.insert(&mut cx.tx).await?;
    Ok(row.id)
}

/// Notes a verification of a sign-up's address.
pub async fn verify(
    outside: &Outside,
    id: SignUpId,
    verification: verifications::Verification,
) -> Result<()> {
    outside.write(note, (id, verification)).await
}

async fn note(
    cx: &mut Cx,
    (id, verification): (SignUpId, verifications::Verification),
) -> Result<()> {
    let mut row = find(cx, &id).await?;
    row.set_verification(IdentificationKind::EmailAddress, &verification)?;
    row.save(cx).await
}

/// Ends a sign-up in a user.
pub async fn complete(outside: &Outside, id: SignUpId, user_id: UserId) -> Result<()> {
    outside.write(end, (id, user_id)).await
}

async fn end(cx: &mut Cx, (id, user_id): (SignUpId, UserId)) -> Result<()> {
    let mut row = find(cx, &id).await?;
    row.created_user_id = Some(user_id);
    row.save(cx).await
}
