//! The portable hashes of phpass: MD5, iterated, in an alphabet of their own.

use md5::{Digest as _, Md5};

use crate::{Malformed, text};

const LOG_ROUNDS_MIN: u32 = 7;
const LOG_ROUNDS_MAX: u32 = 22;

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `$P$`, one character of rounds, eight of salt, 22 of hash. phpBB writes `$H$`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Phpass {
    rounds: u32,
    salt: String,
    hash: String,
    md5_first: bool,
}

impl Phpass {
    /// Reads the form; `md5_first` if the application hashed the MD5 of the password.
    pub(crate) fn parse(text: &str, md5_first: bool) -> Result<Self, Malformed> {
        let rest = text.strip_prefix("$P$").or_else(|| text.strip_prefix("$H$"));
        let rest = rest.filter(|rest| rest.len() == 31).ok_or(Malformed)?;
        if !rest.bytes().all(|byte| ALPHABET.contains(&byte)) {
            return Err(Malformed);
        }
        let position = ALPHABET.iter().position(|letter| *letter == rest.as_bytes()[0]);
        let log_rounds = position.and_then(|position| u32::try_from(position).ok());
        let log_rounds = log_rounds
            .filter(|log| (LOG_ROUNDS_MIN..=LOG_ROUNDS_MAX).contains(log))
            .ok_or(Malformed)?;
        let (salt, hash) = rest[1..].split_at(8);
        Ok(Self { rounds: 1 << log_rounds, salt: salt.into(), hash: hash.into(), md5_first })
    }

    /// Whether the password gives this hash.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let md5;
        let mut password = password;
        if self.md5_first {
            md5 = text::to_hex(&Md5::digest(password));
            password = md5.as_bytes();
        }
        let mut hash = Md5::new().chain_update(&self.salt).chain_update(password).finalize();
        for _ in 0..self.rounds {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize();
        }
        text::same(encode(&hash).as_bytes(), self.hash.as_bytes())
    }
}

/// Three bytes to four letters, the lowest six bits first.
fn encode(bytes: &[u8]) -> String {
    let letters = bytes.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().rev().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        (0..=chunk.len())
            .map(move |index| char::from(ALPHABET[(bits >> (6 * index)) as usize & 63]))
    });
    letters.collect()
}
