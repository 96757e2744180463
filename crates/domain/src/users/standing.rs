//! Bans and locks.

use std::collections::HashSet;

use db::{Column as _, Value};
use wire::{
    Refusal, Timestamp,
    backend::users::{
        BanUser, LockUser, UnbanUser, UnlockUser, User, UserId, UsersBan, UsersUnban,
    },
    refusal,
};

use super::{UserRow, load, save};
use crate::{
    Cx, Result,
    identifications::{IdentificationKind, IdentificationRow},
    messages, sessions,
};

/// Users in one request.
const USERS_MAX: usize = 100;

/// Ban a user: all sessions end, and none begins.
pub(super) async fn ban(cx: &mut Cx, request: BanUser) -> Result<User> {
    set_banned(cx, &request.user_id, true).await
}

/// Let a banned user in again.
pub(super) async fn unban(cx: &mut Cx, request: UnbanUser) -> Result<User> {
    set_banned(cx, &request.user_id, false).await
}

/// Ban many users.
pub(super) async fn ban_many(cx: &mut Cx, request: UsersBan) -> Result<Vec<User>> {
    set_all_banned(cx, &request.user_ids, true).await
}

/// Let many banned users in again.
pub(super) async fn unban_many(cx: &mut Cx, request: UsersUnban) -> Result<Vec<User>> {
    set_all_banned(cx, &request.user_ids, false).await
}

async fn set_all_banned(cx: &mut Cx, ids: &[UserId], banned: bool) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Err(refusal::form_param_missing().param("user_ids").into());
    }
    if ids.len() > USERS_MAX {
        return Err(refusal::form_param_array_size_exceeded().param("user_ids").into());
    }
    let mut seen = HashSet::new();
    if !ids.iter().all(|id| seen.insert(id)) {
        return Err(refusal::form_param_duplicate().param("user_ids").into());
    }
    let mut users = Vec::with_capacity(ids.len());
    for id in ids {
        users.push(set_banned(cx, id, banned).await?);
    }
    Ok(users)
}

async fn set_banned(cx: &mut Cx, id: &UserId, banned: bool) -> Result<User> {
    let (mut row, identifications) = load(cx, id).await?;
    row.banned = banned;
    if banned {
        sessions::revoke_all(cx, id).await?;
    }
    save(cx, &mut row, &identifications).await
}

/// Lock a user: nobody signs in as them for a while.
pub(super) async fn lock(cx: &mut Cx, request: LockUser) -> Result<User> {
    let until = lock_end(cx)?;
    let (mut row, identifications) = load(cx, &request.user_id).await?;
    row.locked_until = Some(until);
    save(cx, &mut row, &identifications).await
}

/// Unlock a user, and forget failed attempts.
pub(super) async fn unlock(cx: &mut Cx, request: UnlockUser) -> Result<User> {
    lock_end(cx)?;
    let (mut row, identifications) = load(cx, &request.user_id).await?;
    (row.locked_until, row.failed_attempts) = (None, 0);
    save(cx, &mut row, &identifications).await
}

/// When a lock that begins now ends; there is none where locking is switched off.
pub(super) fn lock_end(cx: &Cx) -> Result<Timestamp> {
    let lockout = &cx.instance.settings.lockout;
    if !lockout.enabled {
        let reason = "User lockout is not enabled for this instance.";
        return Err(refusal::feature_not_enabled().because(reason).into());
    }
    Ok(Timestamp(cx.now.0 + i64::from(lockout.duration_minutes) * 60_000))
}

/// Why nobody signs in as a user now, if they are locked.
pub(crate) fn locked(row: &UserRow, now: Timestamp) -> Option<Refusal> {
    let until = row.locked_until.filter(|until| now < *until)?;
    let seconds = (until.0 - now.0).unsigned_abs().div_ceil(1000);
    let reason = format!(
        "Your account is locked. You will be able to try again in {}. \
         For more information, please contact support.",
        minutes(seconds)
    );
    Some(refusal::user_locked().because(reason).meta("lockout_expires_in_seconds", seconds))
}

fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        1 => "1 minute".to_owned(),
        60 => "1 hour".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Counts a failed attempt to be a user; too many of them lock the user for a while. A lock that
/// is over counts from the beginning.
pub(crate) async fn failed(cx: &mut Cx, id: &UserId) -> Result<()> {
    let sql = "update users set locked_until = null, failed_attempts =
                   case when locked_until is null then failed_attempts + 1 else 1 end
               where instance_id = $1 and id = $2 and (locked_until is null or locked_until <= $3)
               returning failed_attempts";
    let values = vec![Value::Text(cx.instance_id()), id.to_value(), cx.now.to_value()];
    let Some(mut row) = cx.tx.rows(sql, values).await?.pop() else { return Ok(()) };
    let (lockout, attempts): (_, i64) = (&cx.instance.settings.lockout, row.take()?);
    if !lockout.enabled || attempts < i64::from(lockout.max_attempts) {
        return Ok(());
    }
    let until = lock_end(cx)?;
    let (mut row, identifications) = load(cx, id).await?;
    row.locked_until = Some(until);
    save(cx, &mut row, &identifications).await?;
    if let Some(address) = primary_address(&row, &identifications) {
        messages::account_locked(cx, address).await?;
    }
    Ok(())
}

/// Forgets failed attempts, as the user has come in.
pub(crate) async fn succeeded(cx: &mut Cx, id: &UserId) -> Result<()> {
    let sql = "update users set failed_attempts = 0, locked_until = null
               where instance_id = $1 and id = $2 and failed_attempts <> 0";
    Ok(cx.tx.execute(sql, vec![Value::Text(cx.instance_id()), id.to_value()]).await?)
}

/// Where a user is told about their account.
pub(crate) fn primary_address<'a>(
    row: &UserRow,
    identifications: &'a [IdentificationRow],
) -> Option<&'a IdentificationRow> {
    let id = row.primary_email_address_id.as_ref()?.as_str();
    let own = identifications.iter().find(|own| own.id == id)?;
    (own.is(IdentificationKind::EmailAddress) && own.is_verified()).then_some(own)
}
