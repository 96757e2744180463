//! The user's own password: given, changed, given up.
//!
//! It is hashed between two transactions. Whoever has a password shows it first, and a wrong one
//! counts as a failed attempt to be the user: a session that was found open is no way to guess.

use db::Column as _;
use wire::{
    backend::sessions::{SessionId, SessionStatus},
    frontend::users::{ChangeMyPassword, RemoveMyPassword},
    refusal,
};

use super::{client_state::Person, identifications::me, limits, sessions, users::UserFacts};
use crate::{
    Cx, Digest, Error, Operations, Outside, Result, messages, password,
    sessions::{finish, live},
    users::{self, UserRow},
};

/// What the Frontend API offers about it.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor_outside(change).offer_visitor_outside(remove)
}

/// Give oneself another password, or a first one.
async fn change(outside: &Outside, request: ChangeMyPassword) -> Result<UserFacts> {
    if !outside.instance.settings.attributes.password.enabled {
        let reason = "Passwords are not enabled for this instance.";
        return Err(refusal::password_disabled().because(reason).into());
    }
    let ChangeMyPassword { new_password, current_password, sign_out_of_other_sessions } = request;
    let known = outside.read(known, ()).await?;
    admit(outside, &known.0).await?;
    check(outside, &known, &new_password).await.map_err(of_new)?;
    prove(outside, &known.0, current_password).await?;
    if let Some(stored) = &known.0.password
        && outside.verify_password(&known.0.id, stored, new_password.clone()).await?
    {
        let reason = "Choose another password than the one you have.";
        let refusal = refusal::form_new_password_matches_current().because(reason);
        return Err(refusal.param("new_password").into());
    }
    let new = outside.hash(new_password).await?;
    let signs_out = sign_out_of_other_sessions == Some(true);
    outside.write(store, Change { before: known.0, new: Some(new), signs_out }).await
}

/// Do without a password from now on.
async fn remove(outside: &Outside, request: RemoveMyPassword) -> Result<UserFacts> {
    let (user, all) = outside.read(known, ()).await?;
    admit(outside, &user).await?;
    if user.password.is_none() {
        let reason = "This user does not have a password set.";
        return Err(refusal::no_password_set().because(reason).into());
    }
    // With nothing that a code could be sent to, nobody would come in any more.
    let is_needed = outside.instance.settings.attributes.password.required
        || !all.iter().any(crate::identifications::IdentificationRow::is_verified);
    if is_needed {
        let reason = "You cannot do without a password.";
        return Err(refusal::password_required().because(reason).into());
    }
    prove(outside, &user, request.current_password).await?;
    outside.write(store, Change { before: user, new: None, signs_out: false }).await
}

/// Counts a try.
async fn admit(outside: &Outside, user: &UserRow) -> Result<()> {
    let rate = &outside.instance.settings.rate_limits.attempts;
    limits::admit(outside, "passwords of users", rate, Some(user.id.as_str())).await
}

async fn known(cx: &mut Cx, (): ()) -> Result<Person> {
    me(cx).await
}

async fn check(outside: &Outside, (user, all): &Person, new: &str) -> Result<()> {
    let values = all.iter().map(|row| row.value.as_str());
    let names: Vec<&str> = values.chain(user.username.as_deref()).collect();
    password::check_size(new)?;
    password::check(outside, new, &names).await
}

/// The rules speak of `password`; here it is the new one.
fn of_new(error: Error) -> Error {
    match error {
        Error::Refused(mut refusal) => {
            for error in &mut refusal.errors {
                error.meta.insert("param_name".to_owned(), "new_password".into());
            }
            refusal.into()
        }
        other => other,
    }
}

/// Refuses unless this is the password that the user has, if they have one.
async fn prove(outside: &Outside, user: &UserRow, current: Option<String>) -> Result<()> {
    let Some(stored) = &user.password else { return Ok(()) };
    let Some(current) = current else {
        let reason = "Enter your current password.";
        return Err(refusal::form_param_missing().because(reason).param("current_password").into());
    };
    if let Some(locked) = users::locked(user, outside.now) {
        return Err(locked.into());
    }
    // No hasher takes more; what is cut off must not count as right.
    let is_whole = password::check_size(&current).is_ok();
    if is_whole && outside.verify_password(&user.id, stored, current).await? {
        return Ok(());
    }
    outside.write(count, user.clone()).await?;
    let reason = "Password is incorrect. Try again.";
    let refusal = refusal::form_password_validation_failed().because(reason);
    Err(refusal.param("current_password").into())
}

async fn count(cx: &mut Cx, user: UserRow) -> Result<()> {
    users::failed(cx, &user.id).await
}

#[derive(Clone)]
struct Change {
    /// The user as they were when the current password was looked at.
    before: UserRow,
    /// Nothing if they do without one.
    new: Option<Digest>,
    signs_out: bool,
}

async fn store(cx: &mut Cx, change: Change) -> Result<UserFacts> {
    let session = sessions::current(cx).await?;
    let (mut user, identifications) = users::load(cx, &session.user_id).await?;
    // Others may have failed meanwhile: of many guesses at once no more count than one by one.
    if let Some(locked) = users::locked(&user, cx.now).filter(|_| user.password.is_some()) {
        return Err(locked.into());
    }
    let before = &change.before;
    let is_same = (&user.id, user.password_updated_at, user.password.is_some())
        == (&before.id, before.password_updated_at, before.password.is_some());
    if !is_same {
        let reason = "Your password was changed in the meantime. Try again.";
        let refusal = refusal::form_password_validation_failed().because(reason);
        return Err(refusal.param("current_password").into());
    }
    if let Some(new) = change.new {
        user.set_password(new, cx.now);
    } else {
        (user.password, user.password_updated_at) = (None, None);
        user.password_compromised = false;
    }
    if change.signs_out {
        end_others(cx, &user, &session.id).await?;
    }
    users::save(cx, &mut user, &identifications).await?;
    if let Some(address) = users::primary_address(&user, &identifications) {
        messages::password_changed(cx, address).await?;
    }
    Ok(UserFacts { user, identifications })
}

/// Ends all sessions of the user but one.
async fn end_others(cx: &mut Cx, user: &UserRow, kept: &SessionId) -> Result<()> {
    let values = [user.id.to_value(), kept.to_value()];
    let others = live(cx).filter("user_id = ? and id <> ?", values);
    for mut row in others.order("position desc").all(&mut cx.tx).await? {
        finish(cx, &mut row, SessionStatus::Revoked).await?;
    }
    Ok(())
}
