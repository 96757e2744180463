//! What a picture may cost, alone in its process so that nothing else is counted.

#![cfg(target_os = "linux")]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};
use images::decode_and_clean;

/// What the profile unpacks to: more than may be spent on it, and less than its limit.
const PROFILE_BYTES: usize = 256 << 20;
const GROWTH_MAX_KB: u64 = 64 << 10;

/// A zlib stream of so many zeros: one literal, then copies of 258 each, in fixed codes.
fn packed_zeros(bytes: usize) -> Vec<u8> {
    let (mut packed, mut waiting, mut count) = (vec![0x78, 0x9c], 0_u32, 0_u32);
    let mut put = |code: u32, length: u32| {
        for bit in (0..length).rev() {
            waiting |= (code >> bit & 1) << count;
            count += 1;
            if count == 8 {
                packed.push(u8::try_from(waiting).expect("eight bits"));
                (waiting, count) = (0, 0);
            }
        }
    };
    put(0b110, 3);
    put(0b0011_0000, 8);
    for _ in 0..bytes / 258 {
        put(0b1100_0101, 8);
        put(0, 5);
    }
    put(0, 7);
    put(0, 7);
    // Their checksum: one, and a count of them.
    let count = u32::try_from((bytes / 258 * 258 + 1) % 65_521).expect("few");
    packed.extend((count << 16 | 1).to_be_bytes());
    packed
}

fn chunk(kind: [u8; 4], payload: &[u8]) -> Vec<u8> {
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

/// The most memory this process has had, in kilobytes.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("it is told");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn inp_07_a_colour_profile_is_not_unpacked() {
    let mut plain = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageRgb8(RgbImage::new(8, 8));
    picture.write_to(&mut plain, ImageFormat::Png).expect("written");
    let (header, rest) = plain.get_ref().split_at(33);
    let zeros = packed_zeros(PROFILE_BYTES);
    let bombs = [*b"iCCP", *b"zTXt"].map(|kind| chunk(kind, &[b"a\0\0", &*zeros].concat()));
    let text = chunk(*b"iTXt", &[b"a\0\x01\0\0\0", &*zeros].concat());
    let bytes = [header, &bombs[0], &bombs[1], &text, rest].concat();
    let before = peak_kb();

    let image = decode_and_clean(&bytes).expect("its pixels are fine");

    assert_eq!((image.width, image.height), (8, 8));
    let growth = peak_kb() - before;
    assert!(growth < GROWTH_MAX_KB, "{growth} kB");
}
