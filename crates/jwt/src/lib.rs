//! JSON Web Tokens in compact form: signing and strict verification with keys parsed once.
//!
//! May touch: the cryptographic library. Must not touch: the clock, the network, what claims mean.
//! A caller reads claims only from [`Verified`], so that nothing unsigned is ever believed; the one
//! way around it says so in its name, [`decode_unverified`].

mod algorithm;
mod error;
mod header;
mod jwk;
mod pem;
mod sign;
mod token;
mod verify;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use error::{KeyError, SignError, TokenError};
pub use header::Header;
pub use jwk::Jwk;
pub use sign::{PreparedHeader, SigningKey};
pub use token::{MAX_BYTES, Token, Unverified, decode_unverified};
pub use verify::{Verified, VerifyingKey};

/// What the `cat` member of a header says about the class of a token.
pub mod category {
    /// A session token, or the token of a handshake.
    pub const SESSION: &str = "cl_B7d4PD111AAA";
    /// A token made from a template.
    pub const TEMPLATE: &str = "cl_B7d4PD222AAA";
    /// A machine's token for another machine.
    pub const MACHINE: &str = "cl_B7d4PD333AAA";
    /// Says nothing about the class and is accepted everywhere.
    pub const IGNORE: &str = "cl_I7d4PD111III";
}
