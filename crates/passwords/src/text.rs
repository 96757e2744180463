//! The small encodings that digests are written in.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use subtle::ConstantTimeEq;

use crate::Malformed;

/// Base64 with or without padding, as the many exporters write it.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What base64 stands for, if its length is between the bounds.
pub(crate) fn base64(text: &str, bytes_min: usize, bytes_max: usize) -> Result<Vec<u8>, Malformed> {
    let bytes = BASE64.decode(text).map_err(|_| Malformed)?;
    if (bytes_min..=bytes_max).contains(&bytes.len()) { Ok(bytes) } else { Err(Malformed) }
}

/// What hexadecimal in either case stands for.
pub(crate) fn hex(text: &str) -> Result<Vec<u8>, Malformed> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Malformed);
    }
    pairs.iter().map(|[high, low]| Ok(nibble(*high)? << 4 | nibble(*low)?)).collect()
}

/// What hexadecimal of a fixed length stands for.
pub(crate) fn hex_of<const N: usize>(text: &str) -> Result<[u8; N], Malformed> {
    hex(text)?.try_into().map_err(|_| Malformed)
}

fn nibble(digit: u8) -> Result<u8, Malformed> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(Malformed),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// A whole number without sign or blanks.
pub(crate) fn decimal(text: &str) -> Result<u32, Malformed> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| Malformed)
    } else {
        Err(Malformed)
    }
}

/// Exactly `N` parts between the separators.
pub(crate) fn parts<const N: usize>(text: &str, separator: char) -> Result<[&str; N], Malformed> {
    text.split(separator).collect::<Vec<_>>().try_into().map_err(|_| Malformed)
}

/// Compares in a time that does not depend on where the difference is.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
