//! First factors that are sent: codes and links.

use wire::{
    backend::{sign_ins::SignInId, verifications::VerificationStatus},
    frontend::sign_ins::{AttemptFirstFactor, PrepareFirstFactor, SignInFactor},
    refusal,
};

use super::{
    Facts,
    factors::first_factors,
    machine::Step,
    missing, no_strategy, open, password,
    row::{Attempt, Part},
};
use crate::{
    Cx, Digest, Error, Outside, Result,
    frontend::limits,
    identifications::IdentificationKind,
    messages::Recipient,
    proofs::{self, Subject},
    users, verifications,
};

/// Get ready to prove a first factor.
pub(super) async fn prepare(cx: &mut Cx, request: PrepareFirstFactor) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::PrepareFirst).await?;
    let PrepareFirstFactor { strategy, email_address_id, phone_number_id, redirect_url, .. } =
        request;
    let asked = Asked { strategy, id: email_address_id.or(phone_number_id), redirect_url };
    send(cx, &mut attempt, asked).await?;
    attempt.save(cx).await?;
    Ok(attempt.into())
}

/// What is to be sent, and where.
pub(super) struct Asked {
    pub(super) strategy: String,
    /// The identification; the first one will do if none is named.
    pub(super) id: Option<String>,
    pub(super) redirect_url: Option<String>,
}

/// Sends a code or a link for the first factor.
pub(super) async fn send(cx: &mut Cx, attempt: &mut Attempt, asked: Asked) -> Result<()> {
    let factors = first_factors(&cx.instance.settings, &attempt.detail, attempt.person.as_ref());
    let id = choose(&factors, &asked)?;
    send_to(cx, attempt, Part::First, (id, asked)).await
}

/// The identification that a factor is sent to.
pub(super) fn choose(factors: &[SignInFactor], asked: &Asked) -> Result<String> {
    let Asked { strategy, id, .. } = asked;
    let ids: Vec<&String> = factors
        .iter()
        .filter(|factor| factor.strategy == *strategy)
        .filter_map(|factor| factor.email_address_id.as_ref().or(factor.phone_number_id.as_ref()))
        .collect();
    if ids.is_empty() {
        return Err(no_strategy(strategy));
    }
    let chosen = ids.into_iter().find(|own| id.as_ref().is_none_or(|id| id == *own));
    chosen.cloned().ok_or_else(|| {
        let reason = "There is no such way to go on with this sign-in.";
        refusal::resource_not_found().because(reason).into()
    })
}

/// Sends a code or a link to an identification of whoever signs in.
pub(super) async fn send_to(
    cx: &mut Cx,
    attempt: &mut Attempt,
    part: Part,
    (id, asked): (String, Asked),
) -> Result<()> {
    let identification = attempt.identification(&id).cloned();
    let value = attempt.detail.identified.as_ref().map(|identified| identified.value.clone());
    let to = match (&identification, &value) {
        (Some(identification), _) => Some(Recipient::from(identification)),
        (None, Some(value)) if attempt.detail.sign_up_if_missing => {
            Some(Recipient::from(value.as_str()))
        }
        _ => None,
    };
    let is_nobodys = to.is_none();
    let id = identification.as_ref().map_or(id, |row| row.id.clone());
    let owner_id = attempt.row.id.to_string();
    let (strategy, redirect_url) = (asked.strategy.as_str(), asked.redirect_url);
    let subject = subject(&owner_id, attempt, part);
    let wanted = proofs::Wanted { subject, strategy, to, redirect_url };
    let proof = proofs::send(cx, wanted).await?;
    attempt.set_verification(part, &proof.view(cx.now))?;
    match part {
        Part::First => attempt.row.first_factor_id = Some(id),
        Part::Second => attempt.row.second_factor_id = Some(id),
    }
    // What is sent to nobody is refused all the same where it would be, or this would tell.
    if let Some(value) = value.filter(|_| is_nobodys) {
        if proofs::kind_of(&asked.strategy) == IdentificationKind::PhoneNumber {
            verifications::refuse_blocked(cx, &value)?;
        }
        limits::count_message(cx, &value).await?;
    }
    Ok(())
}

fn subject<'a>(owner_id: &'a str, attempt: &'a Attempt, part: Part) -> Subject<'a> {
    Subject { owner_id, part: part.as_str(), client_id: Some(&attempt.row.client_id) }
}

/// Says why a strategy proves nothing; that a sign-in is nobody's or over comes before.
pub(super) async fn refuse(
    cx: &mut Cx,
    (id, step, strategy): (SignInId, Step, String),
) -> Result<Facts> {
    open(cx, &id, step).await?;
    Err(no_strategy(&strategy))
}

/// Prove a first factor.
pub(super) async fn attempt(outside: &Outside, request: AttemptFirstFactor) -> Result<Facts> {
    let rate = &outside.instance.settings.rate_limits.attempts;
    let id = request.sign_in_id.to_string();
    limits::admit(outside, "sign-in attempts", rate, Some(&id)).await?;
    match request.strategy.as_str() {
        "password" => password::attempt(outside, request).await,
        "email_code" | "phone_code" => outside.write(attempt_code, (request, None)).await,
        "reset_password_email_code" | "reset_password_phone_code" => {
            let new = match &request.password {
                Some(new) => Some(password::ready(outside, &request.sign_in_id, new).await?),
                None => None,
            };
            outside.write(attempt_code, (request, new)).await
        }
        _ => outside.read(refuse, (request.sign_in_id, Step::AttemptFirst, request.strategy)).await,
    }
}

async fn attempt_code(
    cx: &mut Cx,
    (request, new): (AttemptFirstFactor, Option<Digest>),
) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::AttemptFirst).await?;
    try_code(cx, &mut attempt, Part::First, (&request.strategy, request.code)).await?;
    if attempt.detail.identified.as_ref().is_some_and(|own| own.is_pretended) {
        return hand_over(cx, attempt).await;
    }
    if request.strategy.starts_with("reset_password") {
        attempt.detail.is_password_due = true;
        if let (Some(new), Some(password)) = (new, &request.password) {
            password::refuse_names(cx, &attempt, password)?;
            password::set(cx, &mut attempt, new).await?;
        }
    }
    let proven = attempt.row.first_factor_id.clone();
    attempt.note_proven(cx, proven.as_deref()).await?;
    attempt.advance(cx).await
}

/// Tries a code. A wrong one counts, whatever else becomes of the sign-in.
pub(super) async fn try_code(
    cx: &mut Cx,
    attempt: &mut Attempt,
    part: Part,
    (strategy, code): (&str, Option<String>),
) -> Result<()> {
    let code = code.ok_or_else(|| missing("code"))?;
    let is_locked = attempt.user().is_some_and(|user| users::locked(user, cx.now).is_some());
    let owner_id = attempt.row.id.to_string();
    let tried = proofs::attempt(cx, subject(&owner_id, attempt, part), strategy, &code).await?;
    if tried.is_right && is_locked {
        return Err(proofs::wrong_code().into());
    }
    attempt.set_verification(part, &tried.verification)?;
    if tried.is_right {
        return Ok(());
    }
    attempt.save(cx).await?;
    let user_id = attempt.user().map(|user| user.id.clone());
    if let Some(id) = user_id {
        users::failed(cx, &id).await?;
    }
    Err(Error::Kept(proofs::wrong_code()))
}

/// Somebody proved an address or a number that nobody has: they may sign up with it.
async fn hand_over(cx: &mut Cx, mut attempt: Attempt) -> Result<Facts> {
    if let Some(mut verification) = attempt.row.verification(Part::First, cx.now) {
        verification.status = VerificationStatus::Transferable;
        attempt.set_verification(Part::First, &verification)?;
    }
    attempt.save(cx).await?;
    Ok(attempt.into())
}
