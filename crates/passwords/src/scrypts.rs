//! scrypt as Werkzeug writes it, and as Firebase bends it.

use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher};
use ctr::Ctr128BE;
use scrypt::Params;

use crate::{Malformed, text};

/// N·r·p; at 128 bytes each this is also at most 128 MiB.
const WORK_MAX: u64 = 1 << 20;
const SALT_BYTES_MAX: usize = 256;
const KEY_BYTES_MIN: usize = 16;
const KEY_BYTES_MAX: usize = 64;

fn params(log_n: u32, r: u32, p: u32) -> Result<Params, Malformed> {
    let n = 1_u64.checked_shl(log_n).ok_or(Malformed)?;
    let work = n.checked_mul(r.into()).and_then(|work| work.checked_mul(p.into()));
    if log_n == 0 || work.is_none_or(|work| work > WORK_MAX) {
        return Err(Malformed);
    }
    let log_n = u8::try_from(log_n).map_err(|_| Malformed)?;
    Params::new(log_n, r, p, Params::RECOMMENDED_LEN).map_err(|_| Malformed)
}

/// `scrypt:N:r:p$salt$hexhash`.
#[derive(Clone)]
pub(crate) struct Werkzeug {
    params: Params,
    salt: String,
    key: Vec<u8>,
}

impl Werkzeug {
    /// Reads Werkzeug's form.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let [costs, salt, key] = text::parts(text, '$')?;
        let [name, n, r, p] = text::parts(costs, ':')?;
        let n = text::decimal(n)?;
        let key = text::hex(key)?;
        let bounded = name == "scrypt"
            && n.is_power_of_two()
            && (1..=SALT_BYTES_MAX).contains(&salt.len())
            && (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len());
        if !bounded {
            return Err(Malformed);
        }
        let params = params(n.ilog2(), text::decimal(r)?, text::decimal(p)?)?;
        Ok(Self { params, salt: salt.to_owned(), key })
    }

    /// Whether the password gives this key.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut derived = vec![0; self.key.len()];
        scrypt::scrypt(password, self.salt.as_bytes(), &self.params, &mut derived).is_ok()
            && text::same(&derived, &self.key)
    }
}

/// `hash$salt$signerKey$saltSeparator$rounds$memoryCost`, the first four in base64.
///
/// The hash is the project's signer key, encrypted under what scrypt makes of the password.
#[derive(Clone)]
pub(crate) struct Firebase {
    params: Params,
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    hash: Vec<u8>,
}

impl Firebase {
    /// Reads Firebase's six parameters.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let [hash, salt, signer_key, separator, rounds, memory_cost] = text::parts(text, '$')?;
        let hash = text::base64(hash, KEY_BYTES_MIN, 128)?;
        let signer_key = text::base64(signer_key, KEY_BYTES_MIN, 128)?;
        if hash.len() != signer_key.len() {
            return Err(Malformed);
        }
        let mut salt = text::base64(salt, 1, SALT_BYTES_MAX)?;
        salt.extend(text::base64(separator, 0, SALT_BYTES_MAX)?);
        let params = params(text::decimal(memory_cost)?, text::decimal(rounds)?, 1)?;
        Ok(Self { params, salt, signer_key, hash })
    }

    /// Whether the password encrypts the signer key to this hash.
    pub(crate) fn verify(&self, password: &[u8]) -> bool {
        let mut key = [0; 32];
        if scrypt::scrypt(password, &self.salt, &self.params, &mut key).is_err() {
            return false;
        }
        let mut encrypted = self.signer_key.clone();
        // Firebase starts the counter at zero; each key is used once.
        Ctr128BE::<Aes256>::new(&key.into(), &[0; 16].into()).apply_keystream(&mut encrypted);
        text::same(&encrypted, &self.hash)
    }
}
