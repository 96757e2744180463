//! Argon2: the hash we write, and those of others.

use argon2::{Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use crate::{Algorithm, Malformed, Memory, text};

/// Blocks of a kibibyte that our own hashes use: 19 MiB.
pub(crate) const OUR_BLOCKS: usize = 19 * 1024;

const OUR_MEMORY_KIB: u32 = 19 * 1024;
const OUR_PASSES: u32 = 2;
const OUR_LANES: u32 = 1;
const OUR_HASH_BYTES: usize = 32;

const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const WORK_KIB_MAX: u32 = 2 * 1024 * 1024;
const LANES_MAX: u32 = 16;

/// A hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Argon {
    id: argon2::Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Argon {
    /// Reads the PHC form; the version may be absent, which means 16.
    pub(crate) fn parse(algorithm: Algorithm, text: &str) -> Result<Self, Malformed> {
        let (id, name) = match algorithm {
            Algorithm::Argon2i => (argon2::Algorithm::Argon2i, "$argon2i$"),
            _ => (argon2::Algorithm::Argon2id, "$argon2id$"),
        };
        let rest = text.strip_prefix(name).ok_or(Malformed)?;
        let (version, rest) = match rest.strip_prefix("v=19$") {
            Some(rest) => (Version::V0x13, rest),
            None => (Version::V0x10, rest.strip_prefix("v=16$").unwrap_or(rest)),
        };
        let [costs, salt, hash] = text::parts(rest, '$')?;
        let salt = base64(salt, 8, 64)?;
        let hash = base64(hash, 16, 64)?;
        Ok(Self { id, version, params: parse_costs(costs, hash.len())?, salt, hash })
    }

    /// Hashes with our parameters.
    pub(crate) fn hash(
        password: &[u8],
        salt: [u8; 16],
        memory: &mut Memory,
    ) -> Result<Self, argon2::Error> {
        let params = Params::new(OUR_MEMORY_KIB, OUR_PASSES, OUR_LANES, Some(OUR_HASH_BYTES))?;
        let mut argon = Self {
            id: argon2::Algorithm::Argon2id,
            version: Version::V0x13,
            params,
            salt: salt.to_vec(),
            hash: Vec::new(),
        };
        argon.hash = argon.derive(password, OUR_HASH_BYTES, memory)?;
        Ok(argon)
    }

    /// The PHC form.
    pub(crate) fn to_text(&self) -> String {
        format!(
            "${}$v={}$m={},t={},p={}${}${}",
            self.id.as_str(),
            u32::from(self.version),
            self.params.m_cost(),
            self.params.t_cost(),
            self.params.p_cost(),
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.hash),
        )
    }

    /// Whether the password gives this hash.
    pub(crate) fn verify(&self, password: &[u8], memory: &mut Memory) -> bool {
        let derived = self.derive(password, self.hash.len(), memory);
        memory.shrink();
        derived.is_ok_and(|derived| text::same(&derived, &self.hash))
    }

    /// Whether it is what we would write today.
    pub(crate) fn is_current(&self) -> bool {
        self.id == argon2::Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.params.m_cost() == OUR_MEMORY_KIB
            && self.params.t_cost() == OUR_PASSES
            && self.params.p_cost() == OUR_LANES
            && self.salt.len() >= 16
            && self.hash.len() == OUR_HASH_BYTES
    }

    fn derive(
        &self,
        password: &[u8],
        bytes: usize,
        memory: &mut Memory,
    ) -> Result<Vec<u8>, argon2::Error> {
        let argon2 = Argon2::new(self.id, self.version, self.params.clone());
        let mut derived = vec![0; bytes];
        let blocks = memory.blocks(self.params.block_count());
        argon2.hash_password_into_with_memory(password, &self.salt, &mut derived, blocks)?;
        Ok(derived)
    }
}

fn parse_costs(text: &str, hash_bytes: usize) -> Result<Params, Malformed> {
    let [memory, passes, lanes] = text::parts(text, ',')?;
    let cost = |text: &str, name, max| {
        let cost = text::decimal(text.strip_prefix(name).ok_or(Malformed)?)?;
        if cost <= max { Ok(cost) } else { Err(Malformed) }
    };
    let memory = cost(memory, "m=", MEMORY_KIB_MAX)?;
    let passes = cost(passes, "t=", PASSES_MAX)?;
    let lanes = cost(lanes, "p=", LANES_MAX)?;
    if memory * passes > WORK_KIB_MAX {
        return Err(Malformed);
    }
    Params::new(memory, passes, lanes, Some(hash_bytes)).map_err(|_| Malformed)
}

fn base64(text: &str, bytes_min: usize, bytes_max: usize) -> Result<Vec<u8>, Malformed> {
    // PHC strings have no padding.
    if text.ends_with('=') { Err(Malformed) } else { text::base64(text, bytes_min, bytes_max) }
}
