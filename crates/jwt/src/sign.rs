//! Signing: a key that is parsed once and kept.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::{Algorithm, Jwk, KeyError, SignError, VerifyingKey, pem};

/// The secret half of a key, bound to one algorithm.
///
/// Parsing an RSA key costs as much as signing with it, so keep the value.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret(Box<hmac::Key>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm)
    }
}

impl SigningKey {
    /// A fresh RS256 key, and its PKCS#8 form to be stored.
    pub fn generate_rsa_2048() -> Result<(Self, Vec<u8>), KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generation)?;
        let der = der.as_ref().to_vec();
        Ok((Self { algorithm: Algorithm::Rs256, pair: Pair::Rsa(pair) }, der))
    }

    /// A key in PKCS#8.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(algorithm, der)
    }

    /// A key in PEM: PKCS#8, PKCS#1 (RSA) or SEC1 (elliptic curves).
    pub fn from_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(text)?;
        if label.is_some_and(|label| !label.ends_with("PRIVATE KEY")) {
            return Err(KeyError::WrongKind(algorithm));
        }
        Self::from_der(algorithm, &der)
    }

    /// A shared secret, as long as the digest at least.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let key = hmac_key(algorithm, secret)?;
        Ok(Self { algorithm, pair: Pair::Secret(Box::new(key)) })
    }

    /// A key as an administrator types it: a secret for the symmetric algorithms, else PEM.
    pub fn from_text(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        if algorithm.is_symmetric() {
            Self::from_secret(algorithm, text.as_bytes())
        } else {
            Self::from_pem(algorithm, text)
        }
    }

    fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => {
                Pair::Rsa(rsa(der).ok_or_else(|| refusal(algorithm, der))?)
            }
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
                Pair::Ec(ec(algorithm, der).ok_or_else(|| refusal(algorithm, der))?)
            }
            Algorithm::EdDsa => Pair::Ed(ed(der).ok_or_else(|| refusal(algorithm, der))?),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                return Err(KeyError::WrongKind(algorithm));
            }
        };
        Ok(Self { algorithm, pair })
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs `claims` under `header`.
    ///
    /// # Examples
    /// ```
    /// let key = jwt::SigningKey::from_secret(jwt::Algorithm::Hs256, &[7; 32]).expect("a key");
    /// let header = jwt::PreparedHeader::new(jwt::Algorithm::Hs256);
    /// let token = key.sign(&header, &serde_json::json!({ "sub": "user_1" })).expect("a token");
    /// assert_eq!(token.split('.').count(), 3);
    /// ```
    pub fn sign(
        &self,
        header: &PreparedHeader,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let claims = serde_json::to_vec(claims).map_err(SignError::Claims)?;
        self.sign_json(header, &claims)
    }

    /// Signs claims that are JSON already.
    pub fn sign_json(&self, header: &PreparedHeader, claims: &[u8]) -> Result<String, SignError> {
        if header.algorithm != self.algorithm {
            return Err(SignError::HeaderAlgorithm);
        }
        // Room for the claims in base64 and the longest usual signature.
        let mut token = String::with_capacity(header.text.len() + claims.len() * 4 / 3 + 360);
        token.push_str(&header.text);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding = match self.algorithm {
                    Algorithm::Rs384 => &RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(|_| SignError::Signing)?;
                Ok(signature)
            }
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignError::Signing),
            Pair::Ed(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignError::Signing),
            Pair::Secret(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
        }
    }

    /// The public half, without a `kid`; a shared secret has none.
    pub fn jwk(&self) -> Option<Jwk> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                Some(Jwk::rsa(
                    self.algorithm,
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                ))
            }
            Pair::Ec(pair) => Some(Jwk::ec(self.algorithm, pair.public_key().as_ref())),
            Pair::Ed(pair) => Some(Jwk::ed25519(pair.public_key().as_ref())),
            Pair::Secret(_) => None,
        }
    }

    /// What verifies the tokens of this key.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        match &self.pair {
            Pair::Secret(key) => Ok(VerifyingKey::from_hmac(self.algorithm, hmac::Key::clone(key))),
            _ => VerifyingKey::from_jwk(&self.jwk().ok_or(KeyError::Malformed)?),
        }
    }
}

pub(crate) fn hmac_key(algorithm: Algorithm, secret: &[u8]) -> Result<hmac::Key, KeyError> {
    let digest = match algorithm {
        Algorithm::Hs256 => hmac::HMAC_SHA256,
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        _ => return Err(KeyError::WrongKind(algorithm)),
    };
    // RFC 7518 3.2: a key of the size of the digest or larger must be used.
    let bytes_min = digest.tag_len();
    if secret.len() < bytes_min {
        return Err(KeyError::TooShort { bytes_min });
    }
    Ok(hmac::Key::new(digest, secret))
}

fn rsa(der: &[u8]) -> Option<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()
}

fn ec(algorithm: Algorithm, der: &[u8]) -> Option<EcdsaKeyPair> {
    let curve: &'static EcdsaSigningAlgorithm = match algorithm {
        Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    };
    EcdsaKeyPair::from_private_key_der(curve, der).ok()
}

fn ed(der: &[u8]) -> Option<Ed25519KeyPair> {
    // OpenSSL writes the first version of PKCS#8, which does not repeat the public half.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()
}

/// Tells a key of another kind from something that is no key.
fn refusal(algorithm: Algorithm, der: &[u8]) -> KeyError {
    let other = rsa(der).is_some()
        || ed(der).is_some()
        || [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512]
            .into_iter()
            .any(|curve| ec(curve, der).is_some());
    if other { KeyError::WrongKind(algorithm) } else { KeyError::Malformed }
}

/// A header written once and put before many tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedHeader {
    algorithm: Algorithm,
    text: String,
    members: Members,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Members {
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    typ: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<String>,
}

impl PreparedHeader {
    /// A header with `alg` and `typ: JWT`.
    pub fn new(algorithm: Algorithm) -> Self {
        let members = Members { alg: algorithm.as_str(), kid: None, typ: "JWT".into(), cat: None };
        Self { algorithm, text: String::new(), members }.prepared()
    }

    /// The same header naming its key.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.members.kid = Some(kid.into());
        self.prepared()
    }

    /// The same header with another media type.
    #[must_use]
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.members.typ = typ.into();
        self.prepared()
    }

    /// The same header naming the class of the token.
    #[must_use]
    pub fn cat(mut self, cat: impl Into<String>) -> Self {
        self.members.cat = Some(cat.into());
        self.prepared()
    }

    fn prepared(mut self) -> Self {
        let json = serde_json::to_vec(&self.members).expect("four texts are always JSON");
        self.text = URL_SAFE_NO_PAD.encode(json);
        self
    }
}
