//! Sessions.

use wire::backend::users::UserId;

use crate::{Cx, Result};

/// Signs a user out everywhere.
pub(crate) async fn end_all(_cx: &mut Cx, _user_id: &UserId) -> Result<()> {
    Ok(())
}

/// Revokes all sessions of a user.
pub(crate) async fn revoke_all(_cx: &mut Cx, _user_id: &UserId) -> Result<()> {
    Ok(())
}

/// What the Backend API offers about sessions.
pub(crate) fn operations(all: crate::Operations) -> crate::Operations {
    all
}
