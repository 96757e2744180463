//! PBKDF2 in its five spellings.

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::{Malformed, text};

const ITERATIONS_MAX: u32 = 5_000_000;
const SALT_BYTES_MAX: usize = 256;
const KEY_BYTES_MIN: usize = 16;
const KEY_BYTES_MAX: usize = 128;

/// The function that is iterated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

/// A key derived from the password; more than one salt if the text can be read in two ways.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pbkdf2 {
    function: Function,
    iterations: u32,
    salts: Vec<Vec<u8>>,
    key: Vec<u8>,
}

impl Pbkdf2 {
    /// Reads `pbkdf2_sha1$iterations$salt$hexhash`, perhaps with `$keylen`.
    ///
    /// Clerk takes the salt for hexadecimal if it can be (`packages/backend`, `passwordHasher`).
    /// Where no length marks the text as that form, a salt such as `deadbeef` may as well stand for
    /// itself, and both readings are tried.
    pub(crate) fn parse_sha1(text: &str) -> Result<Self, Malformed> {
        let (text, bytes) = match text.split('$').count() {
            5 => {
                let (text, bytes) = text.rsplit_once('$').ok_or(Malformed)?;
                (text, Some(text::decimal(bytes)?))
            }
            _ => (text, None),
        };
        let [iterations, salt, key] = fields(text, &["pbkdf2_sha1"])?;
        let key = text::hex(key)?;
        if bytes.is_some_and(|bytes| usize::try_from(bytes) != Ok(key.len())) {
            return Err(Malformed);
        }
        let raw = salt.as_bytes().to_vec();
        let salts = match text::hex(salt) {
            Ok(salt) if bytes.is_some() => vec![salt],
            Ok(salt) => vec![salt, raw],
            Err(Malformed) => vec![raw],
        };
        Self::new(Function::Sha1, iterations, salts, key)
    }

    /// Reads `pbkdf2_sha256$iterations$base64salt$base64hash`.
    pub(crate) fn parse_sha256(text: &str) -> Result<Self, Malformed> {
        let [iterations, salt, key] = fields(text, &["pbkdf2_sha256"])?;
        let salt = text::base64(salt, 1, SALT_BYTES_MAX)?;
        let key = text::base64(key, KEY_BYTES_MIN, KEY_BYTES_MAX)?;
        Self::new(Function::Sha256, iterations, vec![salt], key)
    }

    /// Reads `pbkdf2_sha256$iterations$salt$base64hash`.
    pub(crate) fn parse_sha256_django(text: &str) -> Result<Self, Malformed> {
        let [iterations, salt, key] = fields(text, &["pbkdf2_sha256"])?;
        let key = text::base64(key, KEY_BYTES_MIN, KEY_BYTES_MAX)?;
        Self::new(Function::Sha256, iterations, vec![salt.as_bytes().to_vec()], key)
    }

    /// Reads `pbkdf2_sha512$iterations$salt$hexhash`.
    pub(crate) fn parse_sha512(text: &str) -> Result<Self, Malformed> {
        let [iterations, salt, key] = fields(text, &["pbkdf2_sha512"])?;
        let salt = salt.as_bytes().to_vec();
        Self::new(Function::Sha512, iterations, vec![salt], text::hex(key)?)
    }

    /// Reads `pbkdf2_sha512_hex$iterations$hexsalt$hexhash`.
    pub(crate) fn parse_sha512_hex(text: &str) -> Result<Self, Malformed> {
        let [iterations, salt, key] = fields(text, &["pbkdf2_sha512_hex", "pbkdf2_sha512"])?;
        let salt = text::hex(salt)?;
        Self::new(Function::Sha512, iterations, vec![salt], text::hex(key)?)
    }

    fn new(
        function: Function,
        iterations: &str,
        salts: Vec<Vec<u8>>,
        key: Vec<u8>,
    ) -> Result<Self, Malformed> {
        let iterations = text::decimal(iterations)?;
        let blocks = key.len().div_ceil(match function {
            Function::Sha1 => 20,
            Function::Sha256 => 32,
            Function::Sha512 => 64,
        });
        let blocks = u32::try_from(blocks).map_err(|_| Malformed)?;
        let bounded = iterations >= 1
            && iterations.checked_mul(blocks).is_some_and(|work| work <= ITERATIONS_MAX)
            && (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len())
            && salts.iter().all(|salt| (1..=SALT_BYTES_MAX).contains(&salt.len()));
        if bounded { Ok(Self { function, iterations, salts, key }) } else { Err(Malformed) }
    }

    /// Whether the password gives this key.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut derived = vec![0; self.key.len()];
        self.salts.iter().any(|salt| {
            match self.function {
                Function::Sha1 => {
                    pbkdf2_hmac::<Sha1>(password, salt, self.iterations, &mut derived);
                }
                Function::Sha256 => {
                    pbkdf2_hmac::<Sha256>(password, salt, self.iterations, &mut derived);
                }
                Function::Sha512 => {
                    pbkdf2_hmac::<Sha512>(password, salt, self.iterations, &mut derived);
                }
            }
            text::same(&derived, &self.key)
        })
    }
}

/// Iterations, salt and hash after one of the prefixes.
fn fields<'a>(text: &'a str, prefixes: &[&str]) -> Result<[&'a str; 3], Malformed> {
    let [prefix, iterations, salt, hash] = text::parts(text, '$')?;
    if prefixes.contains(&prefix) { Ok([iterations, salt, hash]) } else { Err(Malformed) }
}
