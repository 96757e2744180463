//! How a user's address or number is proven: in their profile, or to the application, which asks
//! through the Backend API. What is sent is a proof, and proves something to who asked alone.

use db::Record as _;
use wire::{
    backend::{
        clients::ClientId,
        verifications::{Verification, VerificationStatus},
    },
    refusal,
};

use crate::{
    Cx, Rate, Result, countries,
    error::OnTaken as _,
    frontend::limits,
    identifications::{self, IdentificationKind, IdentificationRow},
    messages::Recipient,
    proofs::{self, ProofRow, Subject},
    users,
};

/// How long to wait before something is sent again.
const RESENT: Rate = Rate { requests: 1, seconds: 30 };
/// Codes of a day. With three guesses each that is less than one chance in 10,000.
const DAILY: Rate = Rate { requests: 30, seconds: 24 * 3600 };

/// How an identification is to be proven.
pub(crate) struct Asked<'a> {
    /// `email_code` and the like.
    pub(crate) strategy: &'a str,
    /// Where a link leads.
    pub(crate) redirect_url: Option<String>,
    /// Who asks; nobody where the Backend API does.
    pub(crate) client_id: Option<&'a ClientId>,
}

/// The strategy by which codes prove identifications of a kind.
pub(crate) fn code_strategy(kind: IdentificationKind) -> &'static str {
    if kind == IdentificationKind::PhoneNumber { "phone_code" } else { "email_code" }
}

/// What is proven of an identification, and to whom.
pub(crate) fn subject<'a>(
    row: &'a IdentificationRow,
    client_id: Option<&'a ClientId>,
) -> Subject<'a> {
    Subject { owner_id: &row.id, part: &row.kind, client_id }
}

/// Sends a code or a link to an identification, unless that was done a moment ago.
pub(crate) async fn send(
    cx: &mut Cx,
    row: &IdentificationRow,
    asked: Asked<'_>,
) -> Result<ProofRow> {
    let Asked { strategy, redirect_url, client_id } = asked;
    for (what, rate) in [("codes", RESENT), ("daily codes", DAILY)] {
        let wait = limits::count(cx, limits::name(what, "to", &row.id), &rate).await?;
        if let Some(seconds) = wait {
            return Err(refusal::verification_code_too_many_requests().retry_after(seconds).into());
        }
    }
    let to = Some(Recipient::from(row));
    let wanted = proofs::Wanted { subject: subject(row, client_id), strategy, to, redirect_url };
    proofs::send(cx, wanted).await
}

/// Sends a new code, for the Backend API.
pub(crate) async fn prepare(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
) -> Result<Verification> {
    let row = identifications::find(cx, kind, id).await?;
    let asked = Asked { strategy: code_strategy(kind), redirect_url: None, client_id: None };
    let proof = send(cx, &row, asked).await?;
    Ok(shown(cx, &proof))
}

/// Tries a code, for the Backend API. A wrong one is an answer and counts.
///
/// The whole attempt is one unit, so of many at a time one wins, and no guess goes uncounted.
pub(crate) async fn attempt(
    cx: &mut Cx,
    kind: IdentificationKind,
    id: &str,
    (verification_id, code): (&str, &str),
) -> Result<Verification> {
    let mut row = identifications::find(cx, kind, id).await?;
    let proof = proofs::find(cx, subject(&row, None)).await?;
    let mut proof = proof.ok_or_else(refusal::verification_not_sent)?;
    if proof.id.as_str() != verification_id {
        let reason = "No verification with this id is under way here";
        return Err(refusal::resource_not_found().because(reason).into());
    }
    match proof.status(cx.now) {
        VerificationStatus::Unverified => {}
        VerificationStatus::Verified => {
            return Err(refusal::verification_already_verified().into());
        }
        _ => return Ok(shown(cx, &proof)),
    }
    if !proofs::is_code(code) {
        let reason = "code must be six digits.";
        return Err(refusal::form_param_format_invalid().because(reason).param("code").into());
    }
    if proofs::try_code(cx, &mut proof, code).await? && !row.is_verified() {
        prove(cx, &mut row, &proof.view(cx.now)).await?;
    }
    Ok(shown(cx, &proof))
}

/// A proof as it is shown to those who know its id.
fn shown(cx: &Cx, proof: &ProofRow) -> Verification {
    Verification { id: Some(proof.id.to_string()), ..proof.view(cx.now) }
}

/// Notes that an identification is its user's; that it is another's by now is refused.
pub(crate) async fn prove(
    cx: &mut Cx,
    identification: &mut IdentificationRow,
    outcome: &Verification,
) -> Result<()> {
    identification.set_verified(outcome)?;
    identification.updated_at = cx.now;
    let claimed = identification.update(&mut cx.tx).await;
    claimed.taken("claim", refusal::identification_claimed)?;
    let (mut user, all) = users::load(cx, &identification.user_id).await?;
    users::save(cx, &mut user, &all).await?;
    Ok(())
}

/// Refuses numbers of countries that the instance sends nothing to.
pub(crate) fn refuse_blocked(cx: &Cx, number: &str) -> Result<()> {
    let blocked = &cx.instance.settings.blocked_country_codes;
    if countries::is_of(number, blocked) {
        return Err(refusal::unsupported_country_code().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn otp_03_a_day_of_guesses_is_less_than_one_in_ten_thousand() {
        assert!(i64::from(DAILY.requests) * proofs::ATTEMPTS_MAX < 100, "of a million codes");
    }
}
