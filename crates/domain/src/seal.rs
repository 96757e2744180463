//! Secrets at rest: sealed under a root key and bound to the place they are kept in.
//!
//! May touch: the cryptographic library. Must not touch: files, the environment, the database.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, Salt},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;

/// The key that every stored secret is sealed under.
pub struct RootKey {
    bytes: [u8; KEY_BYTES],
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

/// Why a secret stays closed, or a key is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealError {
    /// A root key is 32 bytes, raw or in base64.
    NoRootKey,
    /// The text was not written by [`Sealer::seal`].
    Form,
    /// The text was sealed under a key that is not at hand.
    OtherKey {
        /// The key that is needed.
        needed: String,
        /// The keys that were given.
        given: Vec<String>,
    },
    /// The text was changed, or belongs to another place.
    Tampered,
    /// The library failed.
    Library,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRootKey => f.write_str("a root key is 32 bytes, raw or in base64"),
            Self::Form => f.write_str("the stored secret is not in a form this version writes"),
            Self::OtherKey { needed, given } => write!(
                f,
                "the stored secret is sealed under root key {needed}, given was {}",
                given.join(", ")
            ),
            Self::Tampered => {
                f.write_str("the stored secret was changed or moved from another place")
            }
            Self::Library => f.write_str("the secret could not be sealed"),
        }
    }
}

impl std::error::Error for SealError {}

impl RootKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Library)?;
        Ok(Self { bytes })
    }

    /// A key from a variable.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::NoRootKey)?;
        Ok(Self { bytes: bytes.try_into().map_err(|_| SealError::NoRootKey)? })
    }

    /// The text to keep; whoever has it can open every secret.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.bytes)
    }

    /// The name of the key, which tells nothing about it.
    pub fn id(&self) -> String {
        hex(&digest(&SHA256, &self.bytes).as_ref()[..4])
    }
}

/// The root keys that a program is given: the first seals, while keys are rotated others open too.
#[derive(Debug)]
pub struct RootKeys {
    current: RootKey,
    others: Vec<RootKey>,
}

impl RootKeys {
    /// Keys from a variable, in base64, with commas or spaces between them.
    pub fn from_base64(text: &str) -> Result<Self, SealError> {
        let parts = text.split(|letter: char| letter == ',' || letter.is_whitespace());
        let mut keys = parts.filter(|part| !part.is_empty()).map(RootKey::from_base64);
        let current = keys.next().ok_or(SealError::NoRootKey)??;
        Ok(Self { current, others: keys.collect::<Result<_, _>>()? })
    }

    /// Keys from what a file holds: the bytes of one, or lines in base64.
    pub fn from_file(contents: &[u8]) -> Result<Self, SealError> {
        if let Ok(bytes) = contents.try_into() {
            return Ok(RootKey { bytes }.into());
        }
        Self::from_base64(std::str::from_utf8(contents).map_err(|_| SealError::NoRootKey)?)
    }
}

impl From<RootKey> for RootKeys {
    fn from(current: RootKey) -> Self {
        Self { current, others: Vec::new() }
    }
}

/// Where a secret is kept; it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The instance the row belongs to.
    pub instance: &'a str,
    /// The table.
    pub table: &'a str,
    /// The row.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

impl Place<'_> {
    /// Lengths keep two places from having the same text.
    fn text(&self) -> String {
        [self.instance, self.table, self.row, self.column]
            .iter()
            .fold(VERSION.to_owned(), |text, part| format!("{text}.{}:{part}", part.len()))
    }
}

/// Seals under the current root key, and opens under others that were given too.
pub struct Sealer {
    current: Key,
    others: Vec<Key>,
}

struct Key {
    id: String,
    aead: RandomizedNonceKey,
    mac: hmac::Key,
}

impl Key {
    fn new(root: &RootKey) -> Result<Self, SealError> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, &root.bytes);
        // A key for another purpose is another key.
        let mac = Salt::new(HKDF_SHA256, &[]).extract(&root.bytes);
        let mac = mac.expand(&[b"marks"], hmac::HMAC_SHA256).map_err(|_| SealError::Library)?;
        let aead = aead.map_err(|_| SealError::Library)?;
        Ok(Self { id: root.id(), aead, mac: mac.into() })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.current.id)
    }
}

impl Sealer {
    /// A sealer under `root`.
    pub fn new(root: &RootKey) -> Result<Self, SealError> {
        Ok(Self { current: Key::new(root)?, others: Vec::new() })
    }

    /// A sealer under the first of `keys`, which opens under all of them.
    pub fn with(keys: &RootKeys) -> Result<Self, SealError> {
        keys.others.iter().try_fold(Self::new(&keys.current)?, Self::and_other)
    }

    /// The same, opening what was sealed under `root` as well.
    pub fn and_other(mut self, root: &RootKey) -> Result<Self, SealError> {
        self.others.push(Key::new(root)?);
        Ok(self)
    }

    /// The name of the key it seals under.
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// Whether `sealed` is under the current key, so that it need not be sealed again.
    pub fn is_current(&self, sealed: &str) -> bool {
        id_of(sealed) == Some(&self.current.id)
    }

    /// The same secret under the current key; nothing if it is already.
    pub fn seal_again(&self, place: &Place<'_>, sealed: &str) -> Result<Option<String>, SealError> {
        if self.is_current(sealed) {
            return Ok(None);
        }
        self.seal(place, &self.open(place, sealed)?).map(Some)
    }

    /// Seals `secret` for `place`.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Result<String, SealError> {
        let mut text = secret.to_vec();
        let nonce = self
            .current
            .aead
            .seal_in_place_append_tag(Aad::from(place.text()), &mut text)
            .map_err(|_| SealError::Library)?;
        let whole = [nonce.as_ref(), text.as_slice()].concat();
        Ok(format!("{VERSION}.{}.{}", self.current.id, STANDARD.encode(whole)))
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &Place<'_>, sealed: &str) -> Result<Vec<u8>, SealError> {
        let mut parts = sealed.split('.');
        let (Some(VERSION), Some(id), Some(body), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError::Form);
        };
        let key = self.key(id)?;
        let body = STANDARD.decode(body).map_err(|_| SealError::Form)?;
        let (nonce, text) = body.split_at_checked(NONCE_LEN).ok_or(SealError::Form)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Form)?;
        let mut text = text.to_vec();
        let length = key
            .aead
            .open_in_place(nonce, Aad::from(place.text()), &mut text)
            .map_err(|_| SealError::Tampered)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// What to store of a short secret, such as a code, that only has to be recognised in `place`.
    ///
    /// Whoever has the database but not the root key cannot try all codes.
    pub fn mark(&self, place: &Place<'_>, secret: &str) -> String {
        let tag = hmac::sign(&self.current.mac, marked(place, secret).as_bytes());
        format!("{VERSION}.{}.{}", self.current.id, STANDARD.encode(tag))
    }

    /// Whether `mark` was made of this secret for `place`. Takes as long for any wrong one.
    ///
    /// A mark cannot be made again under another key: once its own is gone, it is of no secret.
    pub fn is_marked(
        &self,
        place: &Place<'_>,
        secret: &str,
        mark: &str,
    ) -> Result<bool, SealError> {
        let mut parts = mark.split('.');
        let (Some(VERSION), Some(id), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SealError::Form);
        };
        let Ok(key) = self.key(id) else { return Ok(false) };
        let tag = STANDARD.decode(tag).map_err(|_| SealError::Form)?;
        Ok(hmac::verify(&key.mac, marked(place, secret).as_bytes(), &tag).is_ok())
    }

    fn key(&self, id: &str) -> Result<&Key, SealError> {
        let mut keys = std::iter::once(&self.current).chain(&self.others);
        keys.clone().find(|key| key.id == id).ok_or_else(|| SealError::OtherKey {
            needed: id.to_owned(),
            given: keys.by_ref().map(|key| key.id.clone()).collect(),
        })
    }
}

/// The name of the key that something was sealed under.
pub(crate) fn id_of(sealed: &str) -> Option<&str> {
    let mut parts = sealed.split('.');
    parts.next().filter(|version| *version == VERSION)?;
    parts.next()
}

/// The text of a place tells its parts apart, so that what follows it cannot be taken for one.
fn marked(place: &Place<'_>, secret: &str) -> String {
    format!("{}.{secret}", place.text())
}

/// What is stored of a secret that only has to be recognised: SHA-256 in hex.
///
/// Only for secrets of 128 random bits and more; what people choose goes to a password hash.
pub(crate) fn digest_of_secret(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(DIGITS[usize::from(half)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> =
        Place { instance: "ins_a", table: "signing_keys", row: "ins_a", column: "secret" };

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&RootKey { bytes: [byte; 32] }).expect("a sealer")
    }

    #[test]
    fn what_is_sealed_opens_in_its_place() {
        let sealed = sealer(1).seal(&PLACE, b"secret").expect("sealed");
        assert!(sealed.starts_with("v1.72cd6e84."), "{sealed}");
        assert!(!sealed.contains("secret"));
        assert_eq!(sealer(1).open(&PLACE, &sealed).expect("opened"), b"secret");
        assert_ne!(sealed, sealer(1).seal(&PLACE, b"secret").expect("sealed"), "a fresh nonce");
    }

    #[test]
    fn sec_03_swapped_rows_do_not_open() {
        let vault = sealer(1);
        let sealed = vault.seal(&PLACE, b"secret").expect("sealed");
        for other in [
            Place { instance: "ins_b", ..PLACE },
            Place { table: "jwt_templates", ..PLACE },
            Place { row: "ins_b", ..PLACE },
            Place { column: "secret_2", ..PLACE },
            Place { table: "signing_keysi", row: "ns_a", ..PLACE },
            Place { instance: "", ..PLACE },
        ] {
            assert_eq!(vault.open(&other, &sealed), Err(SealError::Tampered), "{other:?}");
        }
    }

    #[test]
    fn a_wrong_key_is_named() {
        let sealed = sealer(1).seal(&PLACE, b"secret").expect("sealed");
        let other = sealer(2);
        let refused = other.open(&PLACE, &sealed).expect_err("refused");
        assert!(refused.to_string().contains("72cd6e84"), "{refused}");
        assert!(refused.to_string().contains(other.key_id()), "{refused}");

        let lying = sealed.replace("72cd6e84", other.key_id());
        assert_eq!(other.open(&PLACE, &lying), Err(SealError::Tampered));
    }

    #[test]
    fn an_older_key_still_opens() {
        let sealed = sealer(1).seal(&PLACE, b"secret").expect("sealed");
        let rotated = sealer(2).and_other(&RootKey { bytes: [1; 32] }).expect("a sealer");
        assert_eq!(rotated.open(&PLACE, &sealed).expect("opened"), b"secret");
        assert!(!rotated.is_current(&sealed));
        assert!(rotated.is_current(&rotated.seal(&PLACE, b"").expect("sealed")));
        let again = rotated.seal_again(&PLACE, &sealed).expect("opened").expect("sealed");
        assert_eq!(sealer(2).open(&PLACE, &again).expect("opened"), b"secret");
        assert_eq!(rotated.seal_again(&PLACE, &again), Ok(None));
        assert!(sealer(3).seal_again(&PLACE, &again).is_err());
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let vault = sealer(1);
        let sealed = vault.seal(&PLACE, b"secret").expect("sealed");
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ascii");
            assert!(vault.open(&PLACE, &changed).is_err(), "{changed}");
        }
        for text in ["", "v1", "v1..", "v2.72cd6e84.AAAA", "v1.72cd6e84.AAAA", "v1.72cd6e84.!"] {
            assert!(vault.open(&PLACE, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mark_is_of_its_secret_place_and_key() {
        let ours = sealer(1);
        let mark = ours.mark(&PLACE, "424242");
        let is = |sealer: &Sealer, place, code| sealer.is_marked(place, code, &mark);
        assert!(mark.starts_with("v1.72cd6e84.") && !mark.contains("424242"), "{mark}");
        assert_eq!(is(&ours, &PLACE, "424242"), Ok(true));
        for code in ["424243", "", "4242421", "042424"] {
            assert_eq!(is(&ours, &PLACE, code), Ok(false), "{code}");
        }
        assert_eq!(is(&ours, &Place { row: "ins_b", ..PLACE }, "424242"), Ok(false));
        assert_eq!(is(&sealer(2), &PLACE, "424242"), Ok(false), "its key is gone");
        let rotated = sealer(2).and_other(&RootKey { bytes: [1; 32] }).expect("a sealer");
        assert_eq!(is(&rotated, &PLACE, "424242"), Ok(true));
        for text in ["", "v1", "v1.72cd6e84.!", "v2.72cd6e84.AAAA"] {
            assert!(ours.is_marked(&PLACE, "424242", text).is_err(), "{text}");
        }
        assert_eq!(ours.is_marked(&PLACE, "424242", "v1.72cd6e84.AAAA"), Ok(false));
    }

    #[test]
    fn a_root_key_is_32_bytes_and_never_shown() {
        let key = RootKey::generate().expect("a key");
        let again = RootKey::from_base64(&format!("{}\n", key.to_base64())).expect("a key");
        assert_eq!(again.id(), key.id());
        let file = RootKeys::from_file(&key.bytes).expect("raw");
        assert_eq!(file.current.id(), key.id());
        let file = RootKeys::from_file(format!("{}\n", key.to_base64()).as_bytes());
        assert_eq!(file.expect("text").current.id(), key.id());
        assert_eq!(format!("{key:?}"), "RootKey(..)");
        for text in ["", "AAAA", "not base64", &STANDARD.encode([0; 31])] {
            assert_eq!(RootKey::from_base64(text).expect_err("no key"), SealError::NoRootKey);
            assert_eq!(RootKeys::from_file(text.as_bytes()).expect_err("no"), SealError::NoRootKey);
        }
    }

    #[test]
    fn sec_04_the_first_of_several_keys_seals_and_all_open() {
        let [one, two] = [1, 2].map(|byte| STANDARD.encode([byte; 32]));
        for text in [format!("{two}\n{one}\n"), format!("{two},{one}"), format!(" {two}  {one}")] {
            let keys = RootKeys::from_file(text.as_bytes()).expect("keys");
            let both = Sealer::with(&keys).expect("a sealer");
            assert_eq!(both.key_id(), sealer(2).key_id());
            let older = sealer(1).seal(&PLACE, b"secret").expect("sealed");
            assert_eq!(both.open(&PLACE, &older).expect("opened"), b"secret");
            assert!(!format!("{keys:?}").contains(&one), "no key is shown");
        }
        for text in ["", "\n", &format!("{one}\nAAAA"), &format!("AAAA\n{one}")] {
            assert!(RootKeys::from_base64(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_digest_is_sha_256() {
        assert_eq!(
            digest_of_secret("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
