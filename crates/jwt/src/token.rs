//! A token cut into its parts, before anything is believed.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::{Header, TokenError};

/// A longer text is refused before it is looked at.
pub const MAX_BYTES: usize = 64 * 1024;

/// The three parts of a token as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    /// Cuts `text` at its two dots.
    pub fn split(text: &'a str) -> Result<Self, TokenError> {
        if text.len() > MAX_BYTES {
            return Err(TokenError::Form);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Form)?;
        if payload.contains('.') || header.is_empty() || payload.is_empty() || signature.is_empty()
        {
            return Err(TokenError::Form);
        }
        Ok(Self { signed, header, payload, signature })
    }

    /// The header as it stands in the text.
    pub fn header_text(&self) -> &'a str {
        self.header
    }

    /// The header, of which nothing is proven: good for choosing a key, and nothing else.
    pub fn header_unverified(&self) -> Result<Header, TokenError> {
        Header::parse(&decode(self.header)?)
    }

    /// What the signature covers.
    pub(crate) fn signed(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, TokenError> {
        decode(self.payload)
    }

    /// Decodes the signature into `buffer` when it fits there.
    pub(crate) fn signature<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], TokenError> {
        // The decoder panics where there is no room.
        if self.signature.len() / 4 * 3 + 2 > buffer.len() {
            return Err(TokenError::Encoding);
        }
        URL_SAFE_NO_PAD
            .decode(self.signature.as_bytes(), Out::from_slice(buffer))
            .map(|bytes| &*bytes)
            .map_err(|_| TokenError::Encoding)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| TokenError::Encoding)
}

/// What a token claims, with nothing proven.
#[derive(Clone, Debug, PartialEq)]
pub struct Unverified {
    /// The header.
    pub header: Map<String, Value>,
    /// The claims.
    pub payload: Map<String, Value>,
    /// The signature, of unknown worth.
    pub signature: Vec<u8>,
}

/// Reads a token without looking at its signature; never decide anything on the result.
///
/// # Examples
/// ```
/// assert!(jwt::decode_unverified("abc").is_err());
/// ```
pub fn decode_unverified(text: &str) -> Result<Unverified, TokenError> {
    let token = Token::split(text)?;
    let loose = |part: &str| decode(part.trim_end_matches('='));
    let object =
        |part: &str| serde_json::from_slice(&loose(part)?).map_err(|_| TokenError::Encoding);
    Ok(Unverified {
        header: object(token.header)?,
        payload: object(token.payload)?,
        signature: loose(token.signature)?,
    })
}
