//! Fast hashes, with or without a salt: MD5, SHA-256, salted SHA-1, Symfony's SHA-512.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::{Malformed, text};

const SALT_BYTES_MAX: usize = 256;
const ITERATIONS_MAX: u32 = 5_000_000;

/// A hash that one call computes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Single {
    Md5([u8; 16]),
    Md5Salted { salt: String, hash: [u8; 16] },
    Sha256([u8; 32]),
    Sha256Salted { salt: String, hash: [u8; 32] },
    Ssha { salt: Vec<u8>, hash: [u8; 20] },
    Symfony { iterations: u32, salt: String, hash: Vec<u8> },
}

impl Single {
    /// Reads 32 hexadecimal digits.
    pub(crate) fn parse_md5(text: &str) -> Result<Self, Malformed> {
        Ok(Self::Md5(text::hex_of(text)?))
    }

    /// Reads `salt$` and 32 hexadecimal digits.
    pub(crate) fn parse_md5_salted(text: &str) -> Result<Self, Malformed> {
        let (salt, hash) = salted(text)?;
        Ok(Self::Md5Salted { salt, hash: text::hex_of(hash)? })
    }

    /// Reads 64 hexadecimal digits.
    pub(crate) fn parse_sha256(text: &str) -> Result<Self, Malformed> {
        Ok(Self::Sha256(text::hex_of(text)?))
    }

    /// Reads `salt$` and 64 hexadecimal digits.
    pub(crate) fn parse_sha256_salted(text: &str) -> Result<Self, Malformed> {
        let (salt, hash) = salted(text)?;
        Ok(Self::Sha256Salted { salt, hash: text::hex_of(hash)? })
    }

    /// Reads `{SSHA}` and the base64 of the SHA-1 followed by its salt.
    pub(crate) fn parse_ssha(text: &str) -> Result<Self, Malformed> {
        let encoded = text.strip_prefix("{SSHA}").ok_or(Malformed)?;
        let bytes = text::base64(encoded, 21, 20 + SALT_BYTES_MAX)?;
        let (hash, salt) = bytes.split_first_chunk().ok_or(Malformed)?;
        Ok(Self::Ssha { salt: salt.to_vec(), hash: *hash })
    }

    /// Reads `sha512_symfony$iterations$salt$base64hash`.
    pub(crate) fn parse_symfony(text: &str) -> Result<Self, Malformed> {
        let [name, iterations, salt, hash] = text::parts(text, '$')?;
        let iterations = text::decimal(iterations)?;
        // Symfony itself refuses salts with the braces it puts around them.
        let salt_fits = salt.len() <= SALT_BYTES_MAX && !salt.contains(['{', '}']);
        if name != "sha512_symfony" || !(1..=ITERATIONS_MAX).contains(&iterations) || !salt_fits {
            return Err(Malformed);
        }
        Ok(Self::Symfony { iterations, salt: salt.to_owned(), hash: text::base64(hash, 64, 64)? })
    }

    /// Whether the password gives this hash.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Md5(hash) => text::same(&Md5::digest(password), hash),
            Self::Md5Salted { salt, hash } => either_order::<Md5>(password, salt, hash),
            Self::Sha256(hash) => text::same(&Sha256::digest(password), hash),
            Self::Sha256Salted { salt, hash } => either_order::<Sha256>(password, salt, hash),
            Self::Ssha { salt, hash } => {
                let derived = Sha1::new().chain_update(password).chain_update(salt).finalize();
                text::same(&derived, hash)
            }
            Self::Symfony { iterations, salt, hash } => {
                text::same(&symfony(password, salt, *iterations), hash)
            }
        }
    }
}

/// Salt and hash; the salt may contain the separator.
fn salted(text: &str) -> Result<(String, &str), Malformed> {
    let (salt, hash) = text.rsplit_once('$').ok_or(Malformed)?;
    if (1..=SALT_BYTES_MAX).contains(&salt.len()) {
        Ok((salt.to_owned(), hash))
    } else {
        Err(Malformed)
    }
}

/// The API's documents leave open on which side of the password the salt was; exporters do both.
fn either_order<D: Digest>(password: &[u8], salt: &str, hash: &[u8]) -> bool {
    let before = D::new().chain_update(salt).chain_update(password).finalize();
    let after = D::new().chain_update(password).chain_update(salt).finalize();
    text::same(&before, hash) | text::same(&after, hash)
}

fn symfony(password: &[u8], salt: &str, iterations: u32) -> Vec<u8> {
    let mut salted = password.to_vec();
    if !salt.is_empty() {
        salted.extend(format!("{{{salt}}}").into_bytes());
    }
    let mut hash = Sha512::digest(&salted);
    for _ in 1..iterations {
        hash = Sha512::new().chain_update(hash).chain_update(&salted).finalize();
    }
    hash.to_vec()
}
