//! Bans and locks.

use std::collections::HashSet;

use wire::{
    Timestamp,
    backend::users::{
        BanUser, LockUser, UnbanUser, UnlockUser, User, UserId, UsersBan, UsersUnban,
    },
    refusal,
};

use super::{load, save};
use crate::{Cx, Result, sessions};

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
