//! The bcrypt family.
//!
//! bcrypt reads 72 bytes. Where the password alone is longer we answer "no" instead of ignoring
//! the rest: two passwords with the same beginning are two passwords. Where an application appended
//! its pepper, the sum is cut as that application's library cut it.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest as _, Sha256};

use crate::{Malformed, text};

const COST_MIN: u32 = 4;
const COST_MAX: u32 = 15;
const PEPPER_BYTES_MAX: usize = 1024;
const READ_BYTES: usize = 72;

// The last characters carry two and four bits too many, which some libraries leave set.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What is done to the password before bcrypt reads it.
#[derive(Clone, PartialEq, Eq)]
enum Before {
    Nothing,
    Sha256,
    Pepper(String),
}

/// A hash of bcrypt: `$2b$12$` and 53 characters of salt and hash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
    before: Before,
}

impl Bcrypt {
    /// Reads plain bcrypt.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse_after(text, Before::Nothing)
    }

    /// Reads Django's `bcrypt_sha256$$2b$12$…`.
    pub(crate) fn parse_sha256_django(text: &str) -> Result<Self, Malformed> {
        Self::parse_after(text.strip_prefix("bcrypt_sha256$").ok_or(Malformed)?, Before::Sha256)
    }

    /// Reads bcrypt followed by `$` and the pepper.
    pub(crate) fn parse_peppered(text: &str) -> Result<Self, Malformed> {
        let (hash, pepper) = text.split_at_checked(60).ok_or(Malformed)?;
        let pepper = pepper.strip_prefix('$').ok_or(Malformed)?;
        if pepper.is_empty() || pepper.len() > PEPPER_BYTES_MAX {
            return Err(Malformed);
        }
        Self::parse_after(hash, Before::Pepper(pepper.to_owned()))
    }

    fn parse_after(text: &str, before: Before) -> Result<Self, Malformed> {
        let [empty, version, cost, hash] = text::parts(text, '$')?;
        let cost_given = cost.len() == 2 && matches!(version, "2a" | "2b" | "2y");
        let cost = text::decimal(cost)?;
        if !empty.is_empty() || !cost_given || !(COST_MIN..=COST_MAX).contains(&cost) {
            return Err(Malformed);
        }
        let (salt, hash) = hash.split_at_checked(22).ok_or(Malformed)?;
        Ok(Self { cost, salt: base64(salt)?, hash: base64(hash)?, before })
    }

    /// Whether the password gives this hash.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut input = match &self.before {
            Before::Nothing | Before::Pepper(_) if password.len() > READ_BYTES => return false,
            Before::Nothing => password.to_vec(),
            Before::Sha256 => text::to_hex(&Sha256::digest(password)).into_bytes(),
            Before::Pepper(pepper) => [password, pepper.as_bytes()].concat(),
        };
        // C strings end with a zero, and bcrypt reads it if it comes before the limit.
        input.push(0);
        input.truncate(READ_BYTES);
        let derived = bcrypt::bcrypt(self.cost, self.salt, &input);
        text::same(&derived[..23], &self.hash)
    }
}

fn base64<const N: usize>(text: &str) -> Result<[u8; N], Malformed> {
    BASE64.decode(text).map_err(|_| Malformed)?.try_into().map_err(|_| Malformed)
}
