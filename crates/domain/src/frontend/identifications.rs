//! What the user who is signed in is known by: added, proven and given up by themselves.

use db::{Record as _, Value};
use wire::{
    Refusal,
    backend::{clients::ClientId, users::IdentificationStatus, verifications::Verification},
    refusal,
};

use super::{clients, limits, sessions};
use crate::{
    Attribute, Cx, Error, Outside, Result,
    identifications::{self, IdentificationKind, IdentificationRow},
    proofs::{self, Opened, ProofRow},
    restrictions::Purpose,
    users::{self, UserRow},
    verifications::{self, Asked},
};

/// Identifications of a user that nobody has proven: to each of them codes can be sent.
const UNPROVEN_MAX: usize = 10;

/// The user who is signed in, with all that they are known by.
pub(super) async fn me(cx: &mut Cx) -> Result<(UserRow, Vec<IdentificationRow>)> {
    let session = sessions::current(cx).await?;
    users::load(cx, &session.user_id).await
}

/// All of one kind.
pub(super) async fn list(cx: &mut Cx, kind: IdentificationKind) -> Result<Vec<IdentificationRow>> {
    let (_, mut all) = me(cx).await?;
    all.retain(|row| row.is(kind));
    Ok(all)
}

/// The one with this id, if it is the user's own.
pub(super) async fn own(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
) -> Result<IdentificationRow> {
    let found = list(cx, kind).await?.into_iter().find(|row| row.id == id);
    Ok(found.ok_or_else(|| identifications::not_found(kind, id))?)
}

/// Adds one that is not proven yet.
pub(super) async fn add(
    cx: &mut Cx,
    kind: IdentificationKind,
    value: &str,
) -> Result<IdentificationRow> {
    let (mut user, mut all) = me(cx).await?;
    let attribute = attribute(cx, kind);
    if !attribute.enabled {
        return Err(disabled(kind.as_str()).into());
    }
    if attribute.immutable && all.iter().any(|row| row.is(kind)) {
        return Err(immutable(kind.as_str()).into());
    }
    if all.iter().filter(|row| row.claim.is_none()).count() >= UNPROVEN_MAX {
        let reason = "Verify one of those you have added, or remove one, before you add another.";
        return Err(refusal::too_many_unverified_identifications().because(reason).into());
    }
    let status = IdentificationStatus::Unverified;
    let wanted = (value, Purpose::SignUp);
    let row = identifications::another_for(cx, kind, (&user.id, &all), wanted, &status).await?;
    row.add(cx, kind).await?;
    all.push(row.clone());
    users::save(cx, &mut user, &all).await?;
    Ok(row)
}

/// Has a code sent, or a link.
pub(super) async fn prepare(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
    (strategy, redirect_url): (&str, Option<String>),
) -> Result<IdentificationRow> {
    let mut row = own(cx, kind, id).await?;
    if row.is_verified() {
        return Err(refusal::verification_already_verified().into());
    }
    let is_served = matches!(strategy, "email_code" | "email_link" | "phone_code");
    let offered = &attribute(cx, kind).verifications;
    if !is_served || !offered.iter().any(|one| one.as_str() == strategy) {
        let reason = "This cannot be verified in that way.";
        let refusal = refusal::verification_strategy_invalid().because(reason);
        return Err(refusal.param("strategy").into());
    }
    let client_id = client_id(cx).await?;
    let asked = Asked { strategy, redirect_url, client_id: Some(&client_id) };
    let proof = verifications::send(cx, &row, asked).await?;
    note(cx, kind, &mut row, &proof.view(cx.now)).await?;
    Ok(row)
}

/// The visitor's own client: what it asked for proves nothing to others.
async fn client_id(cx: &mut Cx) -> Result<ClientId> {
    let client = clients::find(cx).await?;
    Ok(client.ok_or_else(refusal::authentication_invalid)?.id)
}

/// Notes that the link to an identification was followed by `opener`, as far as that one is known.
pub(super) async fn opened(
    cx: &mut Cx,
    proof: &ProofRow,
    opener: Option<ClientId>,
) -> Result<Opened> {
    let id = Value::Text(proof.owner_id.clone());
    let row = IdentificationRow::select(&cx.tx).filter("id = ?", [id]).first(&mut cx.tx).await?;
    let Some(mut row) = row.filter(|row| !row.is_verified()) else {
        return Ok(Opened::with("failed"));
    };
    let outcome = proof.followed(cx.now, opener.as_ref());
    verifications::prove(cx, &mut row, &outcome).await?;
    Ok(Opened::with("verified"))
}

/// Tries the code that was sent last. A wrong one counts.
pub(super) async fn attempt(
    outside: &Outside,
    kind: IdentificationKind,
    (id, code): (String, String),
) -> Result<IdentificationRow> {
    // Nothing is counted for nobody.
    sessions::must_be_signed_in(outside).await?;
    let rate = &outside.instance.settings.rate_limits.attempts;
    limits::admit(outside, "profile attempts", rate, Some(&id)).await?;
    outside.write(try_code, (kind, id, code)).await
}

async fn try_code(
    cx: &mut Cx,
    (kind, id, code): (IdentificationKind, String, String),
) -> Result<IdentificationRow> {
    let mut row = own(cx, kind, &id).await?;
    let client_id = client_id(cx).await?;
    let subject = verifications::subject(&row, Some(&client_id));
    let tried = proofs::attempt(cx, subject, verifications::code_strategy(kind), &code).await?;
    if tried.is_right {
        if !row.is_verified() {
            verifications::prove(cx, &mut row, &tried.verification).await?;
        }
        return Ok(row);
    }
    if !row.is_verified() {
        note(cx, kind, &mut row, &tried.verification).await?;
    }
    Err(Error::Kept(proofs::wrong_code()))
}

/// Shows on an identification how far its verification is.
async fn note(
    cx: &mut Cx,
    kind: IdentificationKind,
    row: &mut IdentificationRow,
    verification: &Verification,
) -> Result<()> {
    row.verification = Some(serde_json::to_string(verification)?);
    row.save(cx, kind).await
}

/// Refuses to give up what whoever has it keeps.
pub(super) async fn refuse_kept(cx: &mut Cx, kind: IdentificationKind, id: &str) -> Result<()> {
    let row = own(cx, kind, id).await?;
    if attribute(cx, kind).immutable && row.is_verified() {
        return Err(immutable(kind.as_str()).into());
    }
    Ok(())
}

fn attribute(cx: &Cx, kind: IdentificationKind) -> Attribute {
    let attributes = &cx.instance.settings.attributes;
    match kind {
        IdentificationKind::EmailAddress => attributes.email_address.clone(),
        IdentificationKind::PhoneNumber => attributes.phone_number.clone(),
        IdentificationKind::Web3Wallet => attributes.web3_wallet.clone(),
        IdentificationKind::Passkey => attributes.passkey.clone(),
        IdentificationKind::ExternalAccount => Attribute::default(),
    }
}

/// That the instance knows no such attribute.
pub(super) fn disabled(name: &str) -> Refusal {
    let reason = format!("{name} is not a valid parameter for this request.");
    refusal::form_param_unknown().because(reason).param(name)
}

/// That whoever has the attribute keeps it.
pub(super) fn immutable(name: &str) -> Refusal {
    let reason = format!("{} cannot be changed.", name.replace('_', " "));
    refusal::immutable_attribute_modification_not_allowed().because(reason).param(name)
}
