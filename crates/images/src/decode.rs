//! From a file to pixels, suspiciously.

use std::{borrow::Cow, io::Cursor};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, guess_format,
};

use crate::{BYTES_MAX, Format, Image, PIXELS_MAX, Refusal, SIDE_MAX, encode::encode};

const BYTES_PER_PIXEL: u64 = 4;
const MEMORY_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Takes an upload: checks it, decodes it, and writes what is seen of it.
pub fn decode_and_clean(bytes: &[u8]) -> Result<Image, Refusal> {
    let (format, image) = decode(bytes)?;
    let image = if image.width().max(image.height()) > SIDE_MAX {
        image.thumbnail(SIDE_MAX, SIDE_MAX)
    } else {
        image
    };
    encode(&image, format)
}

/// The pixels of a file, the right way up, and the format to write them in.
pub(crate) fn decode(bytes: &[u8]) -> Result<(Format, DynamicImage), Refusal> {
    if bytes.len() > BYTES_MAX {
        return Err(Refusal::TooManyBytes);
    }
    let found = guess_format(bytes).map_err(|_| Refusal::Unsupported)?;
    let format = match found {
        ImageFormat::Jpeg => Format::Jpeg,
        ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP => Format::Png,
        _ => return Err(Refusal::Unsupported),
    };
    if found == ImageFormat::Jpeg && !ends(bytes) {
        return Err(Refusal::Undecodable);
    }
    let bytes = match found {
        ImageFormat::Png => Cow::Owned(without_extras(bytes)),
        _ => Cow::Borrowed(bytes),
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), found);
    reader.limits(limits);
    // This reads the header and no pixel.
    let mut decoder = reader.into_decoder().map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX
        || decoder.total_bytes() > PIXELS_MAX * BYTES_PER_PIXEL
    {
        return Err(Refusal::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(|error| refusal(&error))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error))?;
    image.apply_orientation(orientation);
    Ok((format, image))
}

/// A PNG with nothing but what is seen of it, and which side is up. The rest would be unpacked to
/// be thrown away: a colour profile of a few kilobytes can hold a gigabyte.
fn without_extras(bytes: &[u8]) -> Vec<u8> {
    let (signature, mut rest) = bytes.split_at(bytes.len().min(8));
    let mut kept = signature.to_vec();
    while let Some([a, b, c, d, kind @ ..]) = rest.first_chunk::<8>() {
        // Around its content a chunk has a length, a kind and a checksum.
        let length = (u32::from_be_bytes([*a, *b, *c, *d]) as usize).saturating_add(12);
        let (chunk, after) = rest.split_at(length.min(rest.len()));
        // What a decoder must know begins with a capital.
        if kind[0].is_ascii_uppercase() || matches!(kind, b"tRNS" | b"eXIf") {
            kept.extend_from_slice(chunk);
        }
        rest = after;
    }
    kept
}

/// Whether a JPEG has an end. The decoder would paint what is missing grey.
fn ends(bytes: &[u8]) -> bool {
    let pair = |from: usize, pair: [u8; 2]| {
        bytes.get(from..)?.windows(2).position(|window| window == pair).map(|at| from + at)
    };
    // Each segment says how long it is; an embedded preview hides its own end in one.
    let mut at = 2;
    while let Some([0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            0xDA => return pair(at, [0xFF, 0xD9]).is_some(),
            0xFF => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    false
}

fn refusal(error: &ImageError) -> Refusal {
    match error {
        ImageError::Limits(_) => Refusal::TooManyPixels,
        _ => Refusal::Undecodable,
    }
}
