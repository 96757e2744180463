//! Pictures that people upload: accepted by content, decoded, and written anew.
//!
//! Nothing of the file survives but its pixels: no EXIF, no comments, no colour profile, nothing
//! behind the end. Orientation is applied before it is lost. Of an animation the first frame is
//! kept. JPEG stays JPEG; PNG, GIF and WebP become PNG. What is larger than 2,048 pixels is scaled
//! down to that, since nothing larger is ever served.
//!
//! Decoding 50 megapixels may take 600 MiB and seconds of a core: not for async code, and not for
//! many threads at a time. No clock, no network.

mod decode;
mod encode;
mod placeholder;
mod resize;

use std::fmt;

pub use decode::decode_and_clean;
pub use placeholder::placeholder;
pub use resize::{Fit, UnknownFit, resize};

/// No file larger than this is read.
pub const BYTES_MAX: usize = 10 * 1024 * 1024;

/// No picture with more pixels than this is decoded.
pub const PIXELS_MAX: u64 = 50_000_000;

/// No picture with a longer side than this is written.
pub const SIDE_MAX: u32 = 2048;

/// What we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JPEG, at quality 90.
    Jpeg,
    /// PNG, with eight bits per channel.
    Png,
}

/// A picture that we wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// How it is written.
    pub format: Format,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Why a file is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More than [`BYTES_MAX`].
    TooManyBytes,
    /// More than [`PIXELS_MAX`], or so many channels that it comes to the same.
    TooManyPixels,
    /// Not JPEG, PNG, GIF or WebP, whatever its name says.
    Unsupported,
    /// Damaged, or cut off.
    Undecodable,
    /// A side outside of 1 to [`SIDE_MAX`] was asked for.
    BadSize,
}

impl Format {
    /// The content type to serve it with.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, width, height, bytes } = self;
        write!(formatter, "Image({format:?}, {width}x{height}, {} bytes)", bytes.len())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooManyBytes => "the image is larger than 10 MB",
            Self::TooManyPixels => "the image has too many pixels",
            Self::Unsupported => "the image must be JPEG, PNG, GIF or WebP",
            Self::Undecodable => "the image cannot be decoded",
            Self::BadSize => "width and height must be between 1 and 2048",
        })
    }
}

impl std::error::Error for Refusal {}
