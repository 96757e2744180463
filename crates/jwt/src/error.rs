//! Why a key or a token is refused.

use std::fmt;

use crate::Algorithm;

/// Why something is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The text or bytes hold no key at all.
    Malformed,
    /// There is a key, and it is of another kind than the algorithm needs.
    WrongKind(Algorithm),
    /// The secret is shorter than the digest of the algorithm.
    TooShort {
        /// How many bytes it must have.
        bytes_min: usize,
    },
    /// An RSA modulus under 2048 or over 8192 bits.
    ModulusSize,
    /// The key names an algorithm that is not supported.
    UnknownAlgorithm,
    /// The generator failed.
    Generation,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the key cannot be read"),
            Self::WrongKind(algorithm) => write!(f, "the key is not one for {algorithm}"),
            Self::TooShort { bytes_min } => {
                write!(f, "the secret must have at least {bytes_min} bytes")
            }
            Self::ModulusSize => f.write_str("an RSA key must have 2048 to 8192 bits"),
            Self::UnknownAlgorithm => f.write_str("the key's algorithm is not supported"),
            Self::Generation => f.write_str("no key could be generated"),
        }
    }
}

impl std::error::Error for KeyError {}

/// Why there is no token.
#[derive(Debug)]
pub enum SignError {
    /// The header was prepared for another algorithm.
    HeaderAlgorithm,
    /// The claims are no JSON.
    Claims(serde_json::Error),
    /// The library refused to sign.
    Signing,
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderAlgorithm => f.write_str("the header names another algorithm than the key"),
            Self::Claims(error) => write!(f, "the claims cannot be written: {error}"),
            Self::Signing => f.write_str("signing failed"),
        }
    }
}

impl std::error::Error for SignError {}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Not three parts separated by dots, or longer than any token.
    Form,
    /// A part is not base64url, or the header is no JSON object.
    Encoding,
    /// The header asks for an extension that is not understood.
    Extension,
    /// `alg` is not the algorithm of the key.
    Algorithm,
    /// The signature does not belong to the text.
    Signature,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a token consists of three parts separated by dots",
            Self::Encoding => "the token could not be decoded",
            Self::Extension => "the token asks for an extension that is not understood",
            Self::Algorithm => "the token names another algorithm than the key",
            Self::Signature => "the signature is invalid",
        })
    }
}

impl std::error::Error for TokenError {}
