//! How an address or a number of a sign-up is proven.

use db::Record as _;
use wire::{
    backend::{clients::ClientId, sign_ups::SignUpId},
    refusal,
};

use super::{
    complete,
    machine::{self, Progress, State, Step},
};
use crate::{
    Cx, Error, Result,
    identifications::IdentificationKind,
    messages::Recipient,
    proofs::{self, Opened, ProofRow, Subject},
    sign_ups::{SignUpRow, requirements, supported_strategies},
    text,
};

/// How far a sign-up is.
pub(super) fn state(cx: &Cx, row: &SignUpRow) -> State {
    let settings = &cx.instance.settings;
    let requirements = requirements(settings, row);
    machine::state(Progress {
        is_complete: row.created_user_id.is_some(),
        is_abandoned: cx.now >= row.abandon_at,
        is_missing_fields: !requirements.missing.is_empty(),
        is_unproven: !requirements.unverified.is_empty(),
        is_waiting: settings.sign_up.custom_action_required && !row.custom_action,
    })
}

/// Refuses what cannot be done about one kind now; false if the sign-up can end.
fn permit(cx: &Cx, row: &SignUpRow, kind: IdentificationKind, step: Step) -> Result<bool> {
    let verification = row.verification(kind);
    let proof = machine::proof(row.value(kind).is_some(), verification.as_ref(), cx.now);
    Ok(machine::permit(state(cx, row), proof, step)?)
}

/// What a strategy proves.
fn proves(strategy: &str) -> Result<IdentificationKind> {
    match strategy {
        "email_code" | "email_link" => Ok(IdentificationKind::EmailAddress),
        "phone_code" => Ok(IdentificationKind::PhoneNumber),
        _ => Err(invalid(strategy)),
    }
}

fn invalid(strategy: &str) -> Error {
    let shown = text::shown(strategy);
    let reason = format!("{shown} proves nothing of this sign-up.");
    refusal::verification_strategy_invalid().because(reason).param("strategy").into()
}

fn subject(row: &SignUpRow, kind: IdentificationKind) -> Subject<'_> {
    Subject { owner_id: row.id.as_str(), part: kind.as_str(), client_id: Some(&row.client_id) }
}

/// Sends a new code or link, unless there is nothing left to prove.
pub(super) async fn prepare(
    cx: &mut Cx,
    row: &mut SignUpRow,
    strategy: &str,
    redirect_url: Option<&str>,
) -> Result<()> {
    let kind = proves(strategy)?;
    if !permit(cx, row, kind, Step::Prepare)? {
        return Ok(());
    }
    let supported = supported_strategies(&cx.instance.settings, row, kind);
    let Some(value) = row.value(kind).filter(|_| supported.iter().any(|one| one == strategy))
    else {
        return Err(invalid(strategy));
    };
    let wanted = proofs::Wanted {
        subject: subject(row, kind),
        strategy,
        to: Some(Recipient::from(value)),
        redirect_url: redirect_url.map(str::to_owned),
    };
    let proof = proofs::send(cx, wanted).await?;
    row.set_verification(kind, &proof.view(cx.now))
}

/// Tries a code. A wrong one counts.
pub(super) async fn attempt(
    cx: &mut Cx,
    row: &mut SignUpRow,
    strategy: &str,
    code: Option<String>,
) -> Result<()> {
    let kind = proves(strategy)?;
    if strategy == "email_link" {
        return Err(invalid(strategy));
    }
    permit(cx, row, kind, Step::Attempt)?;
    let code = code.ok_or_else(|| {
        let reason = "code must be given.";
        refusal::form_param_missing().because(reason).param("code")
    })?;
    let tried = proofs::attempt(cx, subject(row, kind), strategy, &code).await?;
    row.set_verification(kind, &tried.verification)?;
    if tried.is_right {
        return Ok(());
    }
    row.save(cx).await?;
    Err(Error::Kept(proofs::wrong_code()))
}

/// Notes that the link of a sign-up was followed by `opener`, as far as that one is known.
///
/// Where it is the one that began the sign-up, the session begins here if nothing is missing. Else
/// whoever began it comes for it: nobody gets a session by following a link.
pub(crate) async fn opened(
    cx: &mut Cx,
    proof: &ProofRow,
    opener: Option<ClientId>,
) -> Result<Opened> {
    let kind = IdentificationKind::EmailAddress;
    let row = SignUpRow::find(&mut cx.tx, &SignUpId::from_text(&proof.owner_id)).await?;
    let Some(mut row) = row.filter(|row| permit(cx, row, kind, Step::Follow).is_ok()) else {
        return Ok(Opened::with("failed"));
    };
    let verification = proof.followed(cx.now, opener.as_ref());
    row.set_verification(kind, &verification)?;
    if opener.as_ref() == Some(&row.client_id) && state(cx, &row) == State::Ready {
        complete::complete(cx, &mut row).await?;
    }
    row.save(cx).await?;
    Ok(Opened { status: "verified", session_id: row.created_session_id })
}
