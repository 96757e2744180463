//! Pictures: cleaned when they come in, kept in the database, resized when they are asked for.

use std::sync::Arc;

use db::{Mode, Record as _, Value};
use images::Fit;
use macros::Record;
use wire::{Id, Kind, Timestamp, Upload, refusal};

use crate::{Cx, Error, Outside, Result, World, users::UserRow};

/// Pixels of a side that one may ask for.
const PIXELS_MAX: u32 = 2048;

/// Where made up pictures are. Official components know one by this word, and do not offer to
/// remove it.
const MADE_UP: &str = "avatar_placeholder/";

/// A picture's kind of id.
pub struct Image;

impl wire::Object for Image {
    const OBJECT: &'static str = "image";
}

impl Kind for Image {
    const PREFIX: &'static str = "img_";
}

/// A row of the table.
#[derive(Clone, Record)]
#[record(table = "images")]
pub(crate) struct ImageRow {
    id: Id<Image>,
    instance_id: String,
    owner_id: String,
    media_type: String,
    bytes: Vec<u8>,
    created_at: Timestamp,
}

/// Where a picture is shown: the one that was uploaded, or one made up for its owner.
pub(crate) fn url(public_url: &str, image_id: Option<&str>, owner_id: &str) -> String {
    match image_id {
        Some(id) => format!("{public_url}/images/{id}"),
        None => format!("{public_url}/images/{MADE_UP}{owner_id}"),
    }
}

/// A picture that was looked into, and is only a picture.
#[derive(Clone)]
pub(crate) struct Cleaned {
    media_type: &'static str,
    bytes: Arc<Vec<u8>>,
}

/// Decodes a file and writes it anew, so that nothing but the picture is left of it.
pub(crate) async fn clean(outside: &Outside, file: Upload) -> Result<Cleaned> {
    let cleaned =
        outside.world.hasher.decoding.run(move || images::decode_and_clean(&file.bytes)).await?;
    let image = cleaned.map_err(|error| match error {
        images::Refusal::TooManyBytes => refusal::image_too_large(),
        other => refusal::request_body_invalid().because(other.to_string()).param("file"),
    })?;
    Ok(Cleaned { media_type: image.format.content_type(), bytes: Arc::new(image.bytes) })
}

/// Gives a user a picture in place of the one they had.
pub(crate) async fn set(cx: &mut Cx, user: &mut UserRow, image: Cleaned) -> Result<()> {
    remove(cx, user.image_id.as_deref()).await?;
    let row = ImageRow {
        id: cx.id(),
        instance_id: cx.instance_id(),
        owner_id: user.id.to_string(),
        media_type: image.media_type.to_owned(),
        bytes: image.bytes.to_vec(),
        created_at: cx.now,
    };
    row.insert(&mut cx.tx).await?;
    user.image_id = Some(row.id.to_string());
    Ok(())
}

/// Gives a user a picture that was uploaded for them before.
pub(crate) async fn adopt(cx: &mut Cx, user: &mut UserRow, id: &str) -> Result<()> {
    let known = ImageRow::select(&cx.tx).filter(
        "id = ? and owner_id = ?",
        [id, user.id.as_str()].map(|text| Value::Text(text.to_owned())),
    );
    if known.count(&mut cx.tx).await? == 0 {
        return Err(refusal::form_resource_not_found().param("profile_image_id").into());
    }
    user.image_id = Some(id.to_owned());
    Ok(())
}

/// Removes a picture.
pub(crate) async fn remove(cx: &mut Cx, id: Option<&str>) -> Result<()> {
    if let Some(id) = id {
        let sql = "delete from images where instance_id = $1 and id = $2";
        let values = vec![Value::Text(cx.instance_id()), Value::Text(id.to_owned())];
        cx.tx.execute(sql, values).await?;
    }
    Ok(())
}

/// A size to show a picture in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
}

impl Wanted {
    /// Reads `width=100&height=100&fit=crop`; what else is said is not minded.
    pub fn parse(query: &str) -> Result<Self> {
        let mut wanted = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let invalid = || refusal::form_param_value_invalid().param(&name);
            let pixels = || match value.parse() {
                Ok(pixels @ 1..=PIXELS_MAX) => Ok(pixels),
                _ => Err(invalid()),
            };
            match &*name {
                "width" => wanted.width = Some(pixels()?),
                "height" => wanted.height = Some(pixels()?),
                "fit" => wanted.fit = value.parse().map_err(|_| invalid())?,
                _ => {}
            }
        }
        Ok(wanted)
    }
}

/// A picture, ready to be shown.
pub struct Picture {
    /// `image/png` and the like.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The picture at `/images/{path}`, for whoever knows that.
pub async fn picture(world: &Arc<World>, path: &str, wanted: Wanted) -> Result<Picture> {
    // They had another name once, and apps may keep addresses.
    let owner = path.strip_prefix(MADE_UP).or_else(|| path.strip_prefix("default/"));
    let original = match owner {
        Some(owner) => {
            let owner = owner.to_owned();
            Original::Placeholder(owner)
        }
        None => Original::Stored(stored(world, path).await?),
    };
    let resized = world.hasher.resizing.run(move || resized(original, wanted)).await?;
    resized.map_err(|error| Error::Broken(error.to_string().into()))
}

enum Original {
    Placeholder(String),
    Stored(ImageRow),
}

fn resized(original: Original, wanted: Wanted) -> std::result::Result<Picture, images::Refusal> {
    let (media_type, bytes) = match original {
        Original::Placeholder(owner) => ("image/png", images::placeholder("", &owner)?.bytes),
        Original::Stored(row) => (media_type(&row.media_type), row.bytes),
    };
    if (wanted.width, wanted.height) == (None, None) {
        return Ok(Picture { media_type, bytes });
    }
    let image = images::resize(&bytes, wanted.width, wanted.height, wanted.fit)?;
    Ok(Picture { media_type: image.format.content_type(), bytes: image.bytes })
}

fn media_type(stored: &str) -> &'static str {
    if stored == "image/jpeg" { "image/jpeg" } else { "image/png" }
}

async fn stored(world: &World, id: &str) -> Result<ImageRow> {
    let id = id.to_owned();
    let row = world.everywhere("picture", Mode::Read, move |mut tx| {
        let id = Id::<Image>::from_text(id.clone());
        Box::pin(async move { Ok(ImageRow::find(&mut tx, &id).await?) })
    });
    Ok(row.await?.ok_or_else(refusal::image_not_found)?)
}
