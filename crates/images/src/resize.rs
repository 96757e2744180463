//! A stored picture in the size that a page asks for.

use std::{fmt, str::FromStr};

use image::{DynamicImage, imageops::FilterType};

use crate::{Image, Refusal, SIDE_MAX, decode::decode, encode::encode};

/// What to do when the sides asked for are not in the picture's proportion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// All of it, inside the sides, never enlarged.
    ScaleDown,
    /// Fill the sides and cut off the rest, never enlarged.
    #[default]
    Crop,
    /// Fill the sides and cut off the rest.
    Cover,
    /// All of it, as large as the sides allow.
    Contain,
}

/// The text names no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFit;

impl FromStr for Fit {
    type Err = UnknownFit;

    fn from_str(text: &str) -> Result<Self, UnknownFit> {
        match text {
            "scale-down" => Ok(Self::ScaleDown),
            "crop" => Ok(Self::Crop),
            "cover" => Ok(Self::Cover),
            "contain" => Ok(Self::Contain),
            _ => Err(UnknownFit),
        }
    }
}

impl fmt::Display for UnknownFit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("fit must be scale-down, crop, cover or contain")
    }
}

impl std::error::Error for UnknownFit {}

/// Scales a picture; a side that is not given follows from the other.
pub fn resize(
    bytes: &[u8],
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
) -> Result<Image, Refusal> {
    if [width, height].into_iter().flatten().any(|side| !(1..=SIDE_MAX).contains(&side)) {
        return Err(Refusal::BadSize);
    }
    let (format, image) = decode(bytes)?;
    encode(&scale(&image, width, height, fit), format)
}

fn scale(image: &DynamicImage, width: Option<u32>, height: Option<u32>, fit: Fit) -> DynamicImage {
    let (full_width, full_height) = (image.width(), image.height());
    let filter = FilterType::CatmullRom;
    let (width, height) = match (width, height) {
        (Some(width), Some(height)) => (width, height),
        // The other side gives way, so that nothing is cut off.
        (Some(width), None) => (width, follow(full_height, full_width, width)),
        (None, Some(height)) => (follow(full_width, full_height, height), height),
        (None, None) => (full_width.min(SIDE_MAX), full_height.min(SIDE_MAX)),
    };
    let never_enlarged = (width.min(full_width), height.min(full_height));
    match fit {
        Fit::ScaleDown if full_width <= width && full_height <= height => image.clone(),
        Fit::ScaleDown | Fit::Contain => image.resize(width, height, filter),
        Fit::Cover => fill(image, width, height, filter),
        Fit::Crop if never_enlarged == (full_width, full_height) => image.clone(),
        Fit::Crop => fill(image, never_enlarged.0, never_enlarged.1, filter),
    }
}

/// Cuts the middle out in the proportion asked for, then scales.
///
/// The other way round, a picture of one line would pass through billions of pixels.
fn fill(image: &DynamicImage, width: u32, height: u32, filter: FilterType) -> DynamicImage {
    let (full_width, full_height) = (image.width(), image.height());
    let cut_width = proportional(width, height, full_height).clamp(1, full_width);
    let cut_height = proportional(height, width, full_width).clamp(1, full_height);
    let (x, y) = ((full_width - cut_width) / 2, (full_height - cut_height) / 2);
    image.crop_imm(x, y, cut_width, cut_height).resize_exact(width, height, filter)
}

/// The side that keeps the proportion, within bounds.
fn follow(side: u32, other: u32, other_scaled: u32) -> u32 {
    proportional(side, other, other_scaled).clamp(1, SIDE_MAX)
}

fn proportional(side: u32, other: u32, other_scaled: u32) -> u32 {
    let scaled = u64::from(side) * u64::from(other_scaled) / u64::from(other.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}
