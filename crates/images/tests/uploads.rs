//! Uploads, honest and not.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use images::{BYTES_MAX, Fit, Format, Image, Refusal, decode_and_clean, placeholder, resize};
use proptest::prelude::*;

/// Red on the left, blue on the right, with some texture.
fn picture(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        let texture = u8::try_from((x * 7 + y * 13) % 32).expect("below 32");
        if x < width / 2 { Rgb([220, texture, texture]) } else { Rgb([texture, texture, 220]) }
    }))
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

fn read(image: &Image) -> DynamicImage {
    let format = match image.format {
        Format::Jpeg => ImageFormat::Jpeg,
        Format::Png => ImageFormat::Png,
    };
    let read = image::load_from_memory_with_format(&image.bytes, format).expect("readable");
    assert_eq!((read.width(), read.height()), (image.width, image.height));
    read
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn is_red(pixel: Rgb<u8>) -> bool {
    pixel[0] > 150 && pixel[2] < 100
}

/// EXIF of a camera held sideways, with a place in its GPS directory.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    tiff.extend([0, 2]);
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    tiff.extend([0, 0, 0, 0]);
    tiff.extend([0, 1]);
    tiff.extend([0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0]);
    tiff.extend([0, 0, 0, 0]);
    tiff.extend(b"GPS 52.5200 13.4050");
    tiff
}

fn jpeg_with_metadata(orientation: u8) -> Vec<u8> {
    let plain = written(&picture(64, 32), ImageFormat::Jpeg);
    let mut bytes = plain[..2].to_vec();
    let mut segment = |marker: u8, payload: &[u8]| {
        bytes.extend([0xFF, marker]);
        bytes.extend(u16::try_from(payload.len() + 2).expect("short").to_be_bytes());
        bytes.extend(payload);
    };
    segment(0xE1, &[b"Exif\0\0", exif(orientation).as_slice()].concat());
    segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SECRET-XMP</x:xmpmeta>");
    segment(0xFE, b"SECRET-COMMENT \xff\xd9 with an end that is none");
    bytes.extend(&plain[2..]);
    bytes.extend(b"<script>SECRET-TRAILER</script>");
    bytes
}

fn png_chunk(kind: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut crc = 0xFFFF_FFFF_u32;
    for byte in kind.iter().chain(payload) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length, kind.as_slice(), payload, &(!crc).to_be_bytes()].concat()
}

fn png_header(width: u32, height: u32, bits: u8) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [size.as_slice(), &[bits, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &png_chunk(*b"IHDR", &header)].concat()
}

#[test]
fn every_format_is_written_anew() {
    for (format, expected) in [
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Gif, Format::Png),
        (ImageFormat::WebP, Format::Png),
    ] {
        let image = decode_and_clean(&written(&picture(64, 32), format)).expect("an image");
        assert_eq!((image.format, image.width, image.height), (expected, 64, 32));
        assert!(is_red(*read(&image).to_rgb8().get_pixel(5, 5)), "{format:?}");
        assert!(image.format.content_type().starts_with("image/"));
    }
}

#[test]
fn transparency_and_grey_stay() {
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(8, 8, image::Rgba([9, 8, 7, 0])));
    let image = decode_and_clean(&written(&clear, ImageFormat::WebP)).expect("an image");
    assert_eq!(read(&image).to_rgba8().get_pixel(3, 3).0[3], 0);
    let grey = DynamicImage::ImageLuma16(picture(8, 8).to_luma16());
    let image = decode_and_clean(&written(&grey, ImageFormat::Png)).expect("an image");
    assert_eq!(read(&image).color(), image::ColorType::L8);
}

#[test]
fn metadata_goes_and_orientation_stays() {
    let bytes = jpeg_with_metadata(6);
    assert!(contains(&bytes, b"GPS 52.5200"));
    let image = decode_and_clean(&bytes).expect("an image");
    assert_eq!((image.width, image.height), (32, 64), "turned");
    let pixels = read(&image).to_rgb8();
    assert!(is_red(*pixels.get_pixel(16, 5)), "left has become top");
    assert!(!is_red(*pixels.get_pixel(16, 60)));
    for secret in [b"GPS".as_slice(), b"Exif", b"SECRET", b"xmpmeta", b"<script"] {
        assert!(!contains(&image.bytes, secret));
    }
    let upright = decode_and_clean(&jpeg_with_metadata(1)).expect("an image");
    assert_eq!((upright.width, upright.height), (64, 32));
}

#[test]
fn metadata_of_png_goes_too() {
    let plain = written(&picture(64, 32), ImageFormat::Png);
    let (header, rest) = plain.split_at(33);
    let chunks = [png_chunk(*b"eXIf", &exif(6)), png_chunk(*b"tEXt", b"Comment\0SECRET")].concat();
    let image = decode_and_clean(&[header, &chunks, rest, b"SECRET"].concat()).expect("an image");
    assert_eq!((image.width, image.height), (32, 64));
    assert!(!contains(&image.bytes, b"SECRET") && !contains(&image.bytes, b"GPS"));
}

#[test]
fn first_frame_of_an_animation_is_kept() {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    let blue = RgbImage::from_pixel(64, 32, Rgb([0, 0, 220]));
    for frame in [picture(64, 32).to_rgba8(), DynamicImage::ImageRgb8(blue).to_rgba8()] {
        encoder.encode_frame(image::Frame::new(frame)).expect("written");
    }
    drop(encoder);
    let image = decode_and_clean(&bytes).expect("an image");
    assert!(is_red(*read(&image).to_rgb8().get_pixel(5, 5)));
}

#[test]
fn truncated_files_are_refused() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let bytes = written(&picture(64, 48), format);
        for part in [20, 40, 60, 80, 95] {
            let cut = &bytes[..bytes.len() * part / 100];
            assert!(decode_and_clean(cut).is_err(), "{format:?} {part} %");
        }
    }
    let with_preview = jpeg_with_metadata(1);
    assert!(decode_and_clean(&with_preview[..with_preview.len() - 100]).is_err());
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(65_535, 65_535), (50_001, 1_000), (u32::MAX >> 1, u32::MAX >> 1)] {
        let bytes = [png_header(width, height, 8), png_chunk(*b"IDAT", b"\x78\x9c")].concat();
        assert_eq!(decode_and_clean(&bytes), Err(Refusal::TooManyPixels), "{width}x{height}");
    }
    let deep = [png_header(7_000, 7_000, 16), png_chunk(*b"IDAT", b"\x78\x9c")].concat();
    assert_eq!(decode_and_clean(&deep), Err(Refusal::TooManyPixels));
    let gif = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;";
    assert_eq!(decode_and_clean(gif), Err(Refusal::TooManyPixels));
    let mut jpeg = written(&picture(8, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a frame");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    assert_eq!(decode_and_clean(&jpeg), Err(Refusal::TooManyPixels));
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"GIF",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0",
        b"%PDF-1.7",
        b"II\x2a\0\x08\0\0\0",
    ] {
        assert_eq!(decode_and_clean(bytes), Err(Refusal::Unsupported));
    }
    assert_eq!(decode_and_clean(&vec![0xFF; BYTES_MAX + 1]), Err(Refusal::TooManyBytes));
    let script = b"GIF89a/*\0\0\0\0\0*/=1;alert(document.domain)//";
    assert!(decode_and_clean(script).is_err(), "a GIF in name only");
}

#[test]
fn polyglot_keeps_only_its_pixels() {
    let mut bytes = written(&picture(8, 8), ImageFormat::Gif);
    bytes.extend(b"/*<script>alert(1)</script>*/PK\x03\x04");
    let image = decode_and_clean(&bytes).expect("an image");
    assert_eq!(image.format, Format::Png);
    assert!(!contains(&image.bytes, b"script"));
}

#[test]
fn large_pictures_are_scaled_down() {
    let image = decode_and_clean(&written(&picture(4096, 1024), ImageFormat::Jpeg));
    let image = image.expect("an image");
    assert_eq!((image.width, image.height), (2048, 512));
}

#[test]
fn resize_fits() {
    let bytes = written(&picture(64, 32), ImageFormat::Png);
    let size = |width, height, fit| {
        let image = resize(&bytes, width, height, fit).expect("an image");
        read(&image);
        (image.width, image.height)
    };
    assert_eq!(size(Some(16), Some(16), Fit::ScaleDown), (16, 8));
    assert_eq!(size(Some(128), Some(128), Fit::ScaleDown), (64, 32));
    assert_eq!(size(Some(128), Some(128), Fit::Contain), (128, 64));
    assert_eq!(size(Some(128), Some(128), Fit::Cover), (128, 128));
    assert_eq!(size(Some(128), Some(128), Fit::Crop), (64, 32));
    assert_eq!(size(Some(16), Some(16), Fit::Crop), (16, 16));
    assert_eq!(size(Some(32), None, Fit::Crop), (32, 16));
    assert_eq!(size(None, Some(8), Fit::Cover), (16, 8));
    assert_eq!(size(None, None, Fit::ScaleDown), (64, 32));
    for side in [0, 2049, u32::MAX] {
        assert_eq!(resize(&bytes, Some(side), None, Fit::Crop), Err(Refusal::BadSize));
        assert_eq!(resize(&bytes, Some(1), Some(side), Fit::Crop), Err(Refusal::BadSize));
    }
    let line = written(&picture(2000, 1), ImageFormat::Png);
    let image = resize(&line, None, Some(2048), Fit::Cover).expect("an image");
    assert_eq!((image.width, image.height), (2048, 2048));
    assert_eq!("scale-down".parse(), Ok(Fit::ScaleDown));
    assert!("stretch".parse::<Fit>().is_err());
}

#[test]
fn placeholder_is_one_for_each() {
    let first = placeholder("AL", "user_1").expect("a picture");
    assert_eq!((first.format, first.width, first.height), (Format::Png, 256, 256));
    assert_eq!(first, placeholder("AL", "user_1").expect("a picture"));
    assert_ne!(first, placeholder("AL", "user_2").expect("a picture"));
    read(&first);
    assert!(first.bytes.len() < 100_000, "{first:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_have_an_answer(
        kind in 0_usize..4,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<proptest::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let format =
            [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP][kind];
        let mut bytes = written(&picture(16, 8), format);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = decode_and_clean(&bytes);
    }

    #[test]
    fn any_noise_has_an_answer(bytes in any::<Vec<u8>>()) {
        let _ = decode_and_clean(&bytes);
    }
}
