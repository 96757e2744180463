//! The user who is signed in.

use wire::{
    Deleted, Patch,
    backend::{
        self,
        users::{DeleteUser, UpdateUser, UpdateUserMetadata},
    },
    frontend::users::{
        DeleteMe, DeleteMyProfileImage, GetMe, Image, SetMyProfileImage, UpdateMe,
        UpdateMyMetadata, User,
    },
    refusal,
};

use super::{
    Show,
    client_state::{permitted, user_view},
    identifications::{disabled, immutable, me},
    sessions,
};
use crate::{
    Attribute, Cx, Operations, Outside, Result,
    identifications::IdentificationRow,
    images::{self, Cleaned},
    users::{self, UserRow},
};

/// What the Frontend API offers about them.
pub(super) fn operations(all: Operations) -> Operations {
    all.offer_visitor(get)
        .offer_visitor(update)
        .offer_visitor(update_metadata)
        .offer_visitor(delete)
        .offer_visitor_outside(set_image)
        .offer_visitor(delete_image)
}

/// Fetch the user who is signed in.
async fn get(cx: &mut Cx, _: GetMe) -> Result<UserFacts> {
    let (user, identifications) = me(cx).await?;
    Ok(UserFacts { user, identifications })
}

/// Change the user who is signed in.
async fn update(cx: &mut Cx, request: UpdateMe) -> Result<User> {
    let (user, _) = me(cx).await?;
    let attributes = &cx.instance.settings.attributes;
    let fields = [
        ("username", &request.username, &user.username, &attributes.username),
        ("first_name", &request.first_name, &user.first_name, &attributes.first_name),
        ("last_name", &request.last_name, &user.last_name, &attributes.last_name),
    ];
    for (name, asked, present, attribute) in fields {
        may_change(name, asked, present.as_deref(), attribute)?;
    }
    let change = UpdateUser {
        username: request.username,
        first_name: request.first_name,
        last_name: request.last_name,
        primary_email_address_id: request.primary_email_address_id,
        notify_primary_email_address_changed: Patch::Set(true),
        primary_phone_number_id: request.primary_phone_number_id,
        primary_web3_wallet_id: request.primary_web3_wallet_id,
        unsafe_metadata: request.unsafe_metadata,
        ..UpdateUser::new(user.id)
    };
    let changed = users::change(cx, change).await?;
    Ok(permitted(&cx.instance.settings, changed).into())
}

/// Refuses a change of what the instance does not have, or does not let go, or keeps as it is.
fn may_change(
    name: &'static str,
    asked: &Patch<String>,
    present: Option<&str>,
    attribute: &Attribute,
) -> Result<()> {
    let wanted = match asked {
        Patch::Keep => return Ok(()),
        Patch::Set(text) if !text.trim().is_empty() => Some(text.as_str()),
        Patch::Set(_) | Patch::Clear => None,
    };
    if wanted == present {
        return Ok(());
    }
    if !attribute.enabled {
        return Err(disabled(name).into());
    }
    if attribute.immutable && present.is_some() {
        return Err(immutable(name).into());
    }
    if attribute.required && wanted.is_none() {
        let reason = format!("Enter {}.", name.replace('_', " "));
        return Err(refusal::form_param_nil().because(reason).param(name).into());
    }
    Ok(())
}

/// Merge metadata into what the user may write themselves.
async fn update_metadata(cx: &mut Cx, request: UpdateMyMetadata) -> Result<User> {
    let user_id = sessions::current(cx).await?.user_id;
    let unsafe_metadata = request.unsafe_metadata;
    let change = UpdateUserMetadata { unsafe_metadata, ..UpdateUserMetadata::new(user_id) };
    let changed = users::merge_metadata(cx, change).await?;
    Ok(permitted(&cx.instance.settings, changed).into())
}

/// Delete the user who is signed in, as they wish.
async fn delete(cx: &mut Cx, _: DeleteMe) -> Result<Deleted<backend::users::User>> {
    let (user, _) = me(cx).await?;
    if !user.delete_self_enabled || !cx.instance.settings.user.delete_self {
        let reason = "You may not delete your account yourself.";
        return Err(refusal::user_delete_self_not_enabled().because(reason).into());
    }
    users::delete(cx, DeleteUser::new(user.id)).await
}

/// Set one's picture.
async fn set_image(outside: &Outside, request: SetMyProfileImage) -> Result<Image> {
    // No picture is looked into for nobody.
    sessions::must_be_signed_in(outside).await?;
    let image = images::clean(outside, request.file).await?;
    let (id, public_url) = outside.write(store_image, image).await?;
    Ok(Image { object: wire::Tag::new(), name: id.clone(), id: id.as_str().into(), public_url })
}

async fn store_image(cx: &mut Cx, image: Cleaned) -> Result<(String, String)> {
    let (mut user, identifications) = me(cx).await?;
    images::set(cx, &mut user, image).await?;
    let user = users::save(cx, &mut user, &identifications).await.map(|shown| (user, shown))?;
    let id = user.0.image_id.unwrap_or_default();
    Ok((id, user.1.image_url))
}

/// Remove one's picture.
async fn delete_image(cx: &mut Cx, _: DeleteMyProfileImage) -> Result<Deleted<Image>> {
    let (mut user, identifications) = me(cx).await?;
    let Some(id) = user.image_id.take() else {
        return Err(refusal::image_not_found().into());
    };
    images::remove(cx, Some(&id)).await?;
    users::save(cx, &mut user, &identifications).await?;
    Ok(Deleted::new(id.as_str().into()))
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
