//! Links that were followed.

use db::Record as _;
use wire::backend::{clients::ClientId, sign_ins::SignInId, verifications::VerificationStatus};

use super::{
    machine::{State, Step, permit},
    row::{Attempt, Part, SignInRow},
};
use crate::{
    Cx, Result,
    proofs::{Opened, ProofRow},
    users,
};

/// Notes that the link of a sign-in was followed by `opener`, as far as that one is known.
///
/// Where it is the one that began the sign-in, the session begins here. Else whoever began it
/// comes for it: nobody gets a session by following a link.
pub(crate) async fn opened(
    cx: &mut Cx,
    proof: &ProofRow,
    opener: Option<ClientId>,
) -> Result<Opened> {
    let id = SignInId::from_text(&proof.owner_id);
    let row = SignInRow::find(&mut cx.tx, &id).await?;
    let Some(row) = row else { return Ok(Opened::with("failed")) };
    let mut attempt = Attempt::of(cx, row).await?;
    let (part, step) = match proof.part.as_str() {
        "second_factor" => (Part::Second, Step::AttemptSecond),
        _ => (Part::First, Step::AttemptFirst),
    };
    let may = permit(attempt.state(cx), step).is_ok();
    let is_kept_out =
        attempt.user().is_some_and(|user| user.banned || users::locked(user, cx.now).is_some());
    if !may || is_kept_out {
        return Ok(Opened::with("failed"));
    }
    let mut verification = proof.followed(cx.now, opener.as_ref());
    let is_pretended = attempt.detail.identified.as_ref().is_some_and(|own| own.is_pretended);
    if is_pretended {
        verification.status = VerificationStatus::Transferable;
    }
    attempt.set_verification(part, &verification)?;
    if part == Part::First && !is_pretended {
        let proven = attempt.row.first_factor_id.clone();
        attempt.note_proven(cx, proven.as_deref()).await?;
    }
    if opener.as_ref() != Some(&attempt.row.client_id) || attempt.state(cx) != State::Ready {
        attempt.save(cx).await?;
        return Ok(Opened::with(if is_pretended { "transferable" } else { "verified" }));
    }
    let facts = attempt.advance(cx).await?;
    Ok(Opened { status: "verified", session_id: facts.row.created_session_id })
}
