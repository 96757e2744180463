//! The picture of those who have none: a gradient of two colours of their own.

use image::{DynamicImage, Rgb, RgbImage};

use crate::{Format, Image, Refusal, encode::encode};

const SIDE: u32 = 256;

/// A gradient of 256 by 256 pixels, the same for the same initials and seed.
pub fn placeholder(initials: &str, seed: &str) -> Result<Image, Refusal> {
    let hash = [initials, "\0", seed].iter().flat_map(|part| part.bytes()).fold(
        // FNV-1a: it need only spread, and stay the same for ever.
        0xcbf2_9ce4_8422_2325_u64,
        |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3),
    );
    let hue = (hash >> 32) % 360;
    let from = color(hue);
    let to = color((hue + 40 + (hash >> 16) % 80) % 360);
    let pixels = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let part = x + y;
        let whole = 2 * (SIDE - 1);
        let mix = |from: u8, to: u8| {
            let mixed = (u32::from(from) * (whole - part) + u32::from(to) * part) / whole;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Rgb([mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])])
    });
    encode(&DynamicImage::ImageRgb8(pixels), Format::Png)
}

/// A hue in degrees as red, green and blue, neither dark nor glaring.
fn color(hue: u64) -> [u8; 3] {
    const LOW: u64 = 96;
    const HIGH: u64 = 224;
    let rising = LOW + (HIGH - LOW) * (hue % 60) / 60;
    let falling = LOW + HIGH - rising;
    let [red, green, blue] = match hue / 60 {
        0 => [HIGH, rising, LOW],
        1 => [falling, HIGH, LOW],
        2 => [LOW, HIGH, rising],
        3 => [LOW, falling, HIGH],
        4 => [rising, LOW, HIGH],
        _ => [HIGH, LOW, falling],
    };
    [red, green, blue].map(|channel| u8::try_from(channel).unwrap_or(u8::MAX))
}
