//! The names of `password_hasher`.

use std::{fmt, str::FromStr};

/// How a password was hashed, by the API's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Argon2i.
    Argon2i,
    /// Argon2id; with our parameters, the one we write.
    Argon2id,
    /// Not a hash: the password is still with Amazon Cognito.
    AwsCognito,
    /// bcrypt.
    Bcrypt,
    /// bcrypt over the password and a secret that follows it, as Devise does.
    BcryptPeppered,
    /// bcrypt over the hexadecimal SHA-256 of the password, as Django does.
    BcryptSha256Django,
    /// Salted SHA-1 of LDAP directories.
    LdapSsha,
    /// A single MD5.
    Md5,
    /// phpass over the hexadecimal MD5 of the password.
    Md5Phpass,
    /// A single MD5 with a salt.
    Md5Salted,
    /// PBKDF2 with HMAC-SHA-1.
    Pbkdf2Sha1,
    /// PBKDF2 with HMAC-SHA-256, salt in base64.
    Pbkdf2Sha256,
    /// PBKDF2 with HMAC-SHA-256, salt as it stands, as Django does.
    Pbkdf2Sha256Django,
    /// PBKDF2 with HMAC-SHA-512, salt as it stands.
    Pbkdf2Sha512,
    /// PBKDF2 with HMAC-SHA-512, salt in hexadecimal.
    Pbkdf2Sha512Hex,
    /// The portable hashes of PHP applications.
    Phpass,
    /// Firebase's scrypt, which encrypts a key of the project.
    ScryptFirebase,
    /// scrypt as Werkzeug writes it.
    ScryptWerkzeug,
    /// A single SHA-256.
    Sha256,
    /// A single SHA-256 with a salt.
    Sha256Salted,
    /// Iterated SHA-512 of Symfony's legacy encoder.
    Sha512Symfony,
}

/// Every algorithm and its name, in the order of the API's list.
const NAMES: [(Algorithm, &str); 21] = [
    (Algorithm::Argon2i, "argon2i"),
    (Algorithm::Argon2id, "argon2id"),
    (Algorithm::AwsCognito, "awscognito"),
    (Algorithm::Bcrypt, "bcrypt"),
    (Algorithm::BcryptPeppered, "bcrypt_peppered"),
    (Algorithm::BcryptSha256Django, "bcrypt_sha256_django"),
    (Algorithm::LdapSsha, "ldap_ssha"),
    (Algorithm::Md5, "md5"),
    (Algorithm::Md5Phpass, "md5_phpass"),
    (Algorithm::Md5Salted, "md5_salted"),
    (Algorithm::Pbkdf2Sha1, "pbkdf2_sha1"),
    (Algorithm::Pbkdf2Sha256, "pbkdf2_sha256"),
    (Algorithm::Pbkdf2Sha256Django, "pbkdf2_sha256_django"),
    (Algorithm::Pbkdf2Sha512, "pbkdf2_sha512"),
    (Algorithm::Pbkdf2Sha512Hex, "pbkdf2_sha512_hex"),
    (Algorithm::Phpass, "phpass"),
    (Algorithm::ScryptFirebase, "scrypt_firebase"),
    (Algorithm::ScryptWerkzeug, "scrypt_werkzeug"),
    (Algorithm::Sha256, "sha256"),
    (Algorithm::Sha256Salted, "sha256_salted"),
    (Algorithm::Sha512Symfony, "sha512_symfony"),
];

/// The text names no algorithm that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// Every algorithm.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(algorithm, _)| *algorithm)
    }

    /// The API's name.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(algorithm, _)| *algorithm == self).map_or("", |(_, name)| name)
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(algorithm, _)| *algorithm)
            .ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no such password hasher")
    }
}

impl std::error::Error for UnknownAlgorithm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_its_name() {
        for algorithm in Algorithm::all() {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            assert!(!algorithm.as_str().contains(':'), "to_text relies on it");
        }
        assert_eq!("BCRYPT".parse::<Algorithm>(), Err(UnknownAlgorithm));
        assert_eq!("".parse::<Algorithm>(), Err(UnknownAlgorithm));
    }
}
