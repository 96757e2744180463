//! Keys as text, in all the shapes that environment variables leave of them.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::KeyError;

const MAX_BYTES: usize = 64 * 1024;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The label (`RSA PRIVATE KEY`, or none) and the bytes of the first block in `text`.
///
/// Lines may be missing or written as `\n`, and so may the header and footer.
pub(crate) fn decode(text: &str) -> Result<(Option<&str>, Vec<u8>), KeyError> {
    if text.len() > MAX_BYTES {
        return Err(KeyError::Malformed);
    }
    let (label, body) = match text.split_once("-----BEGIN ") {
        Some((_, rest)) => {
            let (label, rest) = rest.split_once("-----").ok_or(KeyError::Malformed)?;
            (Some(label), rest.split_once("-----END").map_or(rest, |(body, _)| body))
        }
        None => (None, text.split_once("-----END").map_or(text, |(body, _)| body)),
    };
    let body: String = body
        .replace("\\n", "")
        .replace("\\r", "")
        .chars()
        .filter(|each| !each.is_ascii_whitespace())
        .collect();
    let bytes = LENIENT.decode(body).map_err(|_| KeyError::Malformed)?;
    if bytes.is_empty() { Err(KeyError::Malformed) } else { Ok((label, bytes)) }
}
