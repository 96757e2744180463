//! The user who is signed in.

use wire::frontend::users::{GetMe, User};

use super::{Show, client_state::user_view, sessions};
use crate::{
    Cx, Operations, Outside, Result,
    identifications::IdentificationRow,
    users::{self, UserRow},
};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(get)
}

/// Fetch the user who is signed in.
async fn get(cx: &mut Cx, _: GetMe) -> Result<UserFacts> {
    let session = sessions::current(cx).await?;
    let (user, identifications) = users::load(cx, &session.user_id).await?;
    Ok(UserFacts { user, identifications })
}

/// A user, yet to be shown.
#[derive(Clone, Debug)]
pub(crate) struct UserFacts {
    /// The user.
    pub(crate) user: UserRow,
    /// All that they are known by.
    pub(crate) identifications: Vec<IdentificationRow>,
}

impl Show<User> for UserFacts {
    fn show(self, outside: &Outside) -> Result<User> {
        Ok(user_view(outside, (&self.user, &self.identifications)).into())
    }
}
