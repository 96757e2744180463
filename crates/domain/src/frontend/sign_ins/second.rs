//! Second factors, and proofs that a device is the user's.

use wire::frontend::sign_ins::{AttemptSecondFactor, PrepareSecondFactor, SignInFactor};

use super::{
    Facts,
    factors::second_factors,
    first::{self, Asked},
    machine::Step,
    missing, no_strategy, open, proven,
    row::{Attempt, Part},
};
use crate::{
    Cx, Error, Outside, Result,
    frontend::limits,
    proofs, second_factors,
    users::{self, UserRow},
};

/// Get ready to prove a second factor.
pub(super) async fn prepare(cx: &mut Cx, request: PrepareSecondFactor) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::PrepareSecond).await?;
    let PrepareSecondFactor { strategy, email_address_id, phone_number_id, redirect_url, .. } =
        request;
    let asked = Asked { strategy, id: email_address_id.or(phone_number_id), redirect_url };
    let id = first::choose(&ways(cx, &attempt), &asked)?;
    first::send_to(cx, &mut attempt, Part::Second, (id, asked)).await?;
    attempt.save(cx).await?;
    Ok(attempt.into())
}

fn ways(cx: &Cx, attempt: &Attempt) -> Vec<SignInFactor> {
    let Attempt { row, detail, person } = attempt;
    second_factors(&cx.instance.settings, (row, detail), person.as_ref(), cx.now).1
}

/// Prove a second factor.
pub(super) async fn attempt(outside: &Outside, request: AttemptSecondFactor) -> Result<Facts> {
    let rate = &outside.instance.settings.rate_limits.attempts;
    let id = request.sign_in_id.to_string();
    limits::admit(outside, "sign-in attempts", rate, Some(&id)).await?;
    match request.strategy.as_str() {
        "email_code" | "phone_code" => outside.write(attempt_code, request).await,
        "totp" | "backup_code" => attempt_own(outside, request).await,
        _ => {
            let refused = (request.sign_in_id, Step::AttemptSecond, request.strategy);
            outside.read(first::refuse, refused).await
        }
    }
}

async fn attempt_code(cx: &mut Cx, request: AttemptSecondFactor) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::AttemptSecond).await?;
    first::try_code(cx, &mut attempt, Part::Second, (&request.strategy, request.code)).await?;
    attempt.advance(cx).await
}

/// A code that the user has without being sent one.
async fn attempt_own(outside: &Outside, request: AttemptSecondFactor) -> Result<Facts> {
    let user = outside.read(user_of, request.clone()).await?;
    let code = request.code.clone().ok_or_else(|| missing("code"))?;
    // The code is spent before its effect: were this the end, another code is needed.
    let is_right = match request.strategy.as_str() {
        "totp" => second_factors::is_totp(outside, &user, &code).await?,
        _ => second_factors::is_backup_code(outside, &user, &code).await?,
    };
    outside.write(settle, (request, is_right)).await
}

/// Whoever signs in, if they have this second factor.
async fn user_of(cx: &mut Cx, request: AttemptSecondFactor) -> Result<UserRow> {
    let attempt = open(cx, &request.sign_in_id, Step::AttemptSecond).await?;
    let is_way = ways(cx, &attempt).iter().any(|factor| factor.strategy == request.strategy);
    let user = attempt.person.map(|(user, _)| user).filter(|_| is_way);
    let user = user.ok_or_else(|| no_strategy(&request.strategy))?;
    match users::locked(&user, cx.now) {
        Some(_) => Err(proofs::wrong_code().into()),
        None => Ok(user),
    }
}

async fn settle(cx: &mut Cx, (request, is_right): (AttemptSecondFactor, bool)) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::AttemptSecond).await?;
    // Others may have failed meanwhile: of many guesses at once no more count than one by one.
    let is_locked = attempt.user().is_some_and(|user| users::locked(user, cx.now).is_some());
    if !is_right || is_locked {
        let id = attempt.user().map(|user| user.id.clone());
        if let Some(id) = id {
            users::failed(cx, &id).await?;
        }
        return Err(Error::Kept(proofs::wrong_code()));
    }
    let object = format!("verification_{}", request.strategy);
    attempt.set_verification(Part::Second, &proven(&object, &request.strategy))?;
    attempt.advance(cx).await
}
