//! Passwords: tried, and set anew by those who forgot theirs.
//!
//! They are hashed between two transactions. Whoever tries one waits for one hash, whether there is
//! such a user, one with a password, one that is locked, or none.

use wire::{
    Timestamp,
    backend::{sign_ins::SignInId, users::UserId},
    frontend::sign_ins::{AttemptFirstFactor, ResetPassword},
    refusal,
};

use super::{
    Facts, create,
    identify::{hides, identify},
    machine::{State, Step},
    missing, open, proven,
    row::{Attempt, Part},
};
use crate::{
    Cx, Digest, Error, Outside, Result,
    frontend::{client_state::Person, sessions},
    messages, password, users,
};

/// Whose password it is that was right, and as of when; nothing if it was wrong.
type Right = Option<(UserId, Option<Timestamp>)>;

/// Begin to sign in with an identifier and a password.
pub(super) async fn create(
    outside: &Outside,
    identifier: String,
    password: String,
) -> Result<Facts> {
    let stored = outside.read(of_identifier, identifier.clone()).await?;
    let right = compare(outside, stored, password).await?;
    outside.write(created, (identifier, right)).await
}

/// A stored password, and whose it is.
type Stored = Option<(UserId, String, Option<Timestamp>)>;

async fn of_identifier(cx: &mut Cx, identifier: String) -> Result<Stored> {
    sessions::refuse_second(cx, None).await?;
    let (_, person) = identify(cx, &identifier).await?;
    Ok(person.and_then(stored))
}

fn stored((user, _): Person) -> Stored {
    let digest = user.password?;
    Some((user.id, digest, user.password_updated_at))
}

async fn compare(outside: &Outside, stored: Stored, password: String) -> Result<Right> {
    let is_whole = password.len() <= password::BYTES_MAX;
    match stored {
        Some((id, digest, as_of)) if is_whole => {
            let is_right = outside.verify_password(&id, &digest, password).await?;
            Ok(is_right.then_some((id, as_of)))
        }
        _ => {
            outside.verify_nobodys(&password).await?;
            Ok(None)
        }
    }
}

async fn created(cx: &mut Cx, (identifier, right): (String, Right)) -> Result<Facts> {
    let (identified, person) = create::identified(cx, &identifier).await?;
    judge(cx, person.as_ref(), &right).await?;
    let attempt = create::begin(cx, identifier, identified, person).await?;
    accept(cx, attempt).await
}

/// Goes on with a password that was right.
async fn accept(cx: &mut Cx, mut attempt: Attempt) -> Result<Facts> {
    attempt.set_verification(Part::First, &proven("verification_password", "password"))?;
    attempt.detail.password_as_of = attempt.user().and_then(|user| user.password_updated_at);
    attempt.advance(cx).await
}

/// Prove a first factor: the password.
pub(super) async fn attempt(outside: &Outside, request: AttemptFirstFactor) -> Result<Facts> {
    let password = request.password.ok_or_else(|| missing("password"))?;
    let stored = outside.read(of_attempt, request.sign_in_id.clone()).await?;
    let right = compare(outside, stored, password).await?;
    outside.write(attempted, (request.sign_in_id, right)).await
}

async fn of_attempt(cx: &mut Cx, id: SignInId) -> Result<Stored> {
    Ok(open(cx, &id, Step::AttemptFirst).await?.person.and_then(stored))
}

async fn attempted(cx: &mut Cx, (id, right): (SignInId, Right)) -> Result<Facts> {
    let attempt = open(cx, &id, Step::AttemptFirst).await?;
    judge(cx, attempt.person.as_ref(), &right).await?;
    accept(cx, attempt).await
}

/// Refuses unless the password that was right lets the person in. A wrong one counts.
async fn judge(cx: &mut Cx, person: Option<&Person>, right: &Right) -> Result<()> {
    let hides = hides(&cx.instance.settings);
    let wrong = || {
        let (refusal, what) = if hides {
            (refusal::form_password_or_identifier_incorrect(), "Password or identifier")
        } else {
            (refusal::form_password_incorrect(), "Password")
        };
        let reason = format!("{what} is incorrect. Try again, or use another method.");
        refusal.because(reason).param("password")
    };
    let Some((user, _)) = person else { return Err(Error::Kept(wrong())) };
    if let Some(locked) = users::locked(user, cx.now) {
        return Err(if hides { wrong() } else { locked }.into());
    }
    let has_password = user.password.is_some() && cx.instance.settings.attributes.password.enabled;
    if !has_password && !hides {
        return Err(super::no_strategy("password"));
    }
    let is_right = right
        .as_ref()
        .is_some_and(|(id, as_of)| *id == user.id && *as_of == user.password_updated_at);
    if !is_right || !has_password {
        users::failed(cx, &user.id).await?;
        return Err(Error::Kept(wrong()));
    }
    if user.password_compromised {
        let reason = "Your password may be compromised. Sign in in another way, and choose a new \
                      one.";
        return Err(refusal::form_password_compromised().because(reason).param("password").into());
    }
    Ok(())
}

/// Set the password that is due.
pub(super) async fn reset(outside: &Outside, request: ResetPassword) -> Result<Facts> {
    outside.read(is_due, request.sign_in_id.clone()).await?;
    let new = ready(outside, &request.sign_in_id, &request.password).await?;
    outside.write(set_due, (request, new)).await
}

async fn is_due(cx: &mut Cx, id: SignInId) -> Result<()> {
    open(cx, &id, Step::ResetPassword).await.map(drop)
}

async fn set_due(cx: &mut Cx, (request, new): (ResetPassword, Digest)) -> Result<Facts> {
    let mut attempt = open(cx, &request.sign_in_id, Step::ResetPassword).await?;
    set(cx, &mut attempt, new).await?;
    if let (Some(true), Some(user)) = (request.sign_out_of_other_sessions, attempt.user()) {
        let id = user.id.clone();
        crate::sessions::end_all(cx, &id).await?;
    }
    attempt.advance(cx).await
}

/// A new password, if it is one that the user can have, hashed.
pub(super) async fn ready(outside: &Outside, id: &SignInId, new: &str) -> Result<Digest> {
    password::check_size(new)?;
    let values = outside.read(known_by, id.clone()).await?;
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    password::check(outside, new, &values).await?;
    outside.hash(new.to_owned()).await
}

/// What the user is known by: no password is one of these. Before anything is proven, that is what
/// they said themselves; the rest is nothing to find out by trying passwords.
async fn known_by(cx: &mut Cx, id: SignInId) -> Result<Vec<String>> {
    let attempt = Attempt::own(cx, &id).await?;
    match attempt.state(cx) {
        State::NeedsNewPassword => Ok(names(&attempt)),
        _ => Ok(attempt.detail.identified.map(|own| own.value).into_iter().collect()),
    }
}

fn names(attempt: &Attempt) -> Vec<String> {
    let Some((user, identifications)) = &attempt.person else { return Vec::new() };
    let values = identifications.iter().map(|row| &row.value);
    values.chain(&user.username).cloned().collect()
}

/// Refuses a password that is a name of the user, who has proven who they are by now.
pub(super) fn refuse_names(cx: &Cx, attempt: &Attempt, new: &str) -> Result<()> {
    let names = names(attempt);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    password::check_policy(&cx.instance.settings.password, new, &names)
}

/// Gives the user another password, and tells them.
pub(super) async fn set(cx: &mut Cx, attempt: &mut Attempt, new: Digest) -> Result<()> {
    attempt.detail.is_password_due = false;
    let Some((user, identifications)) = &mut attempt.person else { return Ok(()) };
    user.set_password(new, cx.now);
    users::save(cx, user, identifications).await?;
    if let Some(address) = users::primary_address(user, identifications) {
        messages::password_changed(cx, address).await?;
    }
    Ok(())
}
