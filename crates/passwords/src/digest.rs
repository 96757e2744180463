//! A digest, whatever made it.

use std::fmt;

use crate::{
    Algorithm, Cognito, DIGEST_BYTES_MAX, Memory, PASSWORD_BYTES_MAX, argon::Argon,
    blowfish::Bcrypt, pbkdf::Pbkdf2, phpass::Phpass, scrypts::Firebase, scrypts::Werkzeug,
    single::Single,
};

/// The text is no digest of its algorithm, or one that would cost too much to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The password is longer than [`PASSWORD_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What a digest says to a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Match,
    /// It is not.
    Mismatch,
    /// Only Cognito knows.
    Remote(Cognito),
}

/// A password, hashed. It never prints itself.
#[derive(Clone)]
pub struct Digest {
    algorithm: Algorithm,
    text: String,
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    Argon(Argon),
    Bcrypt(Bcrypt),
    Cognito(Cognito),
    Firebase(Firebase),
    Pbkdf2(Pbkdf2),
    Phpass(Phpass),
    Single(Single),
    Werkzeug(Werkzeug),
}

/// Hashes a password the way we keep passwords: Argon2id, some 20 milliseconds of a core.
pub fn hash(password: &[u8], salt: [u8; 16], memory: &mut Memory) -> Result<Digest, TooLong> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(TooLong);
    }
    // The parameters are constants, so the length is all the library could object to.
    let argon = Argon::hash(password, salt, memory).map_err(|_| TooLong)?;
    Ok(Digest {
        algorithm: Algorithm::Argon2id,
        text: argon.to_text(),
        parsed: Parsed::Argon(argon),
    })
}

impl Digest {
    /// Reads what an import hands in as `password_digest`.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, Malformed> {
        if text.len() > DIGEST_BYTES_MAX || text.contains('\0') {
            return Err(Malformed);
        }
        let parsed = match algorithm {
            Algorithm::Argon2i | Algorithm::Argon2id => {
                Parsed::Argon(Argon::parse(algorithm, text)?)
            }
            Algorithm::AwsCognito => Parsed::Cognito(Cognito::parse(text)?),
            Algorithm::Bcrypt => Parsed::Bcrypt(Bcrypt::parse(text)?),
            Algorithm::BcryptPeppered => Parsed::Bcrypt(Bcrypt::parse_peppered(text)?),
            Algorithm::BcryptSha256Django => Parsed::Bcrypt(Bcrypt::parse_sha256_django(text)?),
            Algorithm::LdapSsha => Parsed::Single(Single::parse_ssha(text)?),
            Algorithm::Md5 => Parsed::Single(Single::parse_md5(text)?),
            Algorithm::Md5Phpass => Parsed::Phpass(Phpass::parse(text, true)?),
            Algorithm::Md5Salted => Parsed::Single(Single::parse_md5_salted(text)?),
            Algorithm::Pbkdf2Sha1 => Parsed::Pbkdf2(Pbkdf2::parse_sha1(text)?),
            Algorithm::Pbkdf2Sha256 => Parsed::Pbkdf2(Pbkdf2::parse_sha256(text)?),
            Algorithm::Pbkdf2Sha256Django => Parsed::Pbkdf2(Pbkdf2::parse_sha256_django(text)?),
            Algorithm::Pbkdf2Sha512 => Parsed::Pbkdf2(Pbkdf2::parse_sha512(text)?),
            Algorithm::Pbkdf2Sha512Hex => Parsed::Pbkdf2(Pbkdf2::parse_sha512_hex(text)?),
            Algorithm::Phpass => Parsed::Phpass(Phpass::parse(text, false)?),
            Algorithm::ScryptFirebase => Parsed::Firebase(Firebase::parse(text)?),
            Algorithm::ScryptWerkzeug => Parsed::Werkzeug(Werkzeug::parse(text)?),
            Algorithm::Sha256 => Parsed::Single(Single::parse_sha256(text)?),
            Algorithm::Sha256Salted => Parsed::Single(Single::parse_sha256_salted(text)?),
            Algorithm::Sha512Symfony => Parsed::Single(Single::parse_symfony(text)?),
        };
        Ok(Self { algorithm, text: text.to_owned(), parsed })
    }

    /// Reads what [`Digest::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, Malformed> {
        let (algorithm, text) = text.split_once(':').ok_or(Malformed)?;
        Self::parse(algorithm.parse().map_err(|_| Malformed)?, text)
    }

    /// A form to store that says which algorithm it is: `argon2id:$argon2id$…`.
    pub fn to_text(&self) -> String {
        format!("{}:{}", self.algorithm, self.text)
    }

    /// The digest as it was handed in, or in PHC form if we made it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What made it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether a password is the one. It may take seconds of a core: not for async code.
    pub fn verify(&self, password: &[u8], memory: &mut Memory) -> Verdict {
        if let Parsed::Cognito(cognito) = &self.parsed {
            return Verdict::Remote(cognito.clone());
        }
        let matches = password.len() <= PASSWORD_BYTES_MAX
            && match &self.parsed {
                Parsed::Argon(argon) => argon.verify(password, memory),
                Parsed::Bcrypt(bcrypt) => bcrypt.verify(password),
                Parsed::Firebase(firebase) => firebase.verify(password),
                Parsed::Pbkdf2(pbkdf2) => pbkdf2.verify(password),
                Parsed::Phpass(phpass) => phpass.verify(password),
                Parsed::Single(single) => single.verify(password),
                Parsed::Werkzeug(werkzeug) => werkzeug.verify(password),
                Parsed::Cognito(_) => false,
            };
        if matches { Verdict::Match } else { Verdict::Mismatch }
    }

    /// Whether it is what [`hash`] would write today; if not, a successful sign-in may replace it.
    pub fn is_current(&self) -> bool {
        matches!(&self.parsed, Parsed::Argon(argon) if argon.is_current())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({}, …)", self.algorithm)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no password digest of this algorithm")
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the password is too long to hash")
    }
}

impl std::error::Error for Malformed {}
impl std::error::Error for TooLong {}
