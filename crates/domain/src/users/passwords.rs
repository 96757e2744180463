//! Passwords that users have: checked, taken away, distrusted.

use wire::{
    Patch,
    backend::users::{
        RemoveUserPassword, SetUserPasswordCompromised, UnsetUserPasswordCompromised, User, UserId,
        Verified, VerifyPassword,
    },
    refusal,
};

use super::{find, load, save, view};
use crate::{Cx, Outside, Result, sessions};

/// Check a password.
pub(super) async fn verify(outside: &Outside, request: VerifyPassword) -> Result<Verified> {
    let VerifyPassword { user_id, password } = request;
    let stored = outside.read(digest, user_id.clone()).await?;
    let stored = stored.ok_or_else(|| {
        refusal::no_password_set().because("This user does not have a password set.")
    })?;
    if !outside.verify_password(&user_id, &stored, password).await? {
        let reason = "The provided password is incorrect.";
        return Err(refusal::incorrect_password().because(reason).param("password").into());
    }
    Ok(Verified { verified: true, code_type: None })
}

async fn digest(cx: &mut Cx, id: UserId) -> Result<Option<String>> {
    Ok(find(cx, &id).await?.password)
}

/// Take a user's password away.
pub(super) async fn remove(cx: &mut Cx, request: RemoveUserPassword) -> Result<User> {
    let (mut row, identifications) = load(cx, &request.user_id).await?;
    if row.password.take().is_none() {
        return Ok(view(cx, &row, &identifications));
    }
    (row.password_updated_at, row.password_compromised) = (None, false);
    if request.sign_out_of_other_sessions == Patch::Set(true) {
        sessions::revoke_all(cx, &row.id).await?;
    }
    save(cx, &mut row, &identifications).await
}

/// Demand a new password at the next sign-in.
pub(super) async fn distrust(cx: &mut Cx, request: SetUserPasswordCompromised) -> Result<User> {
    let user = set_compromised(cx, &request.user_id, true).await?;
    if request.revoke_all_sessions == Patch::Set(true) {
        sessions::revoke_all(cx, &request.user_id).await?;
    }
    Ok(user)
}

/// Trust a user's password again.
pub(super) async fn trust(cx: &mut Cx, request: UnsetUserPasswordCompromised) -> Result<User> {
    set_compromised(cx, &request.user_id, false).await
}

async fn set_compromised(cx: &mut Cx, id: &UserId, compromised: bool) -> Result<User> {
    if !cx.instance.settings.attributes.password.enabled {
        let reason = "Passwords are not enabled for this instance.";
        return Err(refusal::password_disabled().because(reason).into());
    }
    let (mut row, identifications) = load(cx, id).await?;
    if row.password_compromised == compromised {
        return Ok(view(cx, &row, &identifications));
    }
    row.password_compromised = compromised;
    save(cx, &mut row, &identifications).await
}
