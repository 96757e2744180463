//! Password digests: every format that users can be imported with, and the one we write.
//!
//! Pure functions: no clock, no randomness (salts are handed in), no waiting for the network. What
//! is written is Argon2id (19 MiB, two passes, one lane); everything else is only verified.
//!
//! A digest comes from outside and chooses its own price, so each parser refuses what would cost
//! more than a few seconds of a core or 256 MiB:
//!
//! | family | bound |
//! |---|---|
//! | any | 2,048 bytes of text; passwords over 1,024 bytes never match |
//! | bcrypt | cost 4 to 15 |
//! | Argon2 | 256 MiB, 16 passes, 2 GiB of memory times passes, 16 lanes |
//! | PBKDF2 | 5,000,000 iterations, times the blocks of the key |
//! | scrypt | N·r·p at most 2^20 (so at most 128 MiB) |
//! | phpass | 2^22 rounds |
//! | Symfony | 5,000,000 iterations |

mod algorithm;
mod argon;
mod blowfish;
mod cognito;
mod common;
mod digest;
mod memory;
mod pbkdf;
mod phpass;
mod scrypts;
mod single;
mod strength;
mod text;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use cognito::Cognito;
pub use common::is_common;
pub use digest::{Digest, Malformed, TooLong, Verdict, hash};
pub use memory::{Lease, Memory, MemoryPool};
pub use strength::{Strength, strength};

/// No password longer than this is hashed or matched, so that length cannot buy processor time.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// No digest longer than this is read.
pub const DIGEST_BYTES_MAX: usize = 2048;
