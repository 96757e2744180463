//! Pictures of users.

use wire::backend::users::{DeleteUserProfileImage, SetUserProfileImage, User, UserId};

use super::{find, load, save, view};
use crate::{
    Cx, Outside, Result,
    images::{self, Cleaned},
};

/// Set a user's picture.
pub(super) async fn set(outside: &Outside, request: SetUserProfileImage) -> Result<User> {
    let SetUserProfileImage { user_id, file } = request;
    // No picture is looked into for nobody.
    outside.read(known, user_id.clone()).await?;
    let image = images::clean(outside, file).await?;
    outside.write(store, (user_id, image)).await
}

async fn known(cx: &mut Cx, id: UserId) -> Result<()> {
    find(cx, &id).await.map(drop)
}

async fn store(cx: &mut Cx, (id, image): (UserId, Cleaned)) -> Result<User> {
    let (mut row, identifications) = load(cx, &id).await?;
    images::set(cx, &mut row, image).await?;
    save(cx, &mut row, &identifications).await
}

/// Remove a user's picture.
pub(super) async fn remove(cx: &mut Cx, request: DeleteUserProfileImage) -> Result<User> {
    let (mut row, identifications) = load(cx, &request.user_id).await?;
    let Some(id) = row.image_id.take() else {
        return Ok(view(cx, &row, &identifications));
    };
    images::remove(cx, Some(&id)).await?;
    save(cx, &mut row, &identifications).await
}
