//! Verifying: a public key that is parsed once, and the strict way a token has to take.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, RsaSubjectPublicKey,
        VerificationAlgorithm,
    },
};

use crate::{Algorithm, Header, Jwk, KeyError, Token, TokenError, jwk, pem, sign::hmac_key};

/// The longest signature, RSA with 8192 bits, and what rounding may ask for beyond.
const SIGNATURE_BYTES_MAX: usize = 1024 + 2;

/// The public half of a key, bound to one algorithm.
pub struct VerifyingKey {
    algorithm: Algorithm,
    public: Public,
    /// The header of the last good token. Issuers write the same one for hours.
    last: RwLock<Option<Accepted>>,
}

enum Public {
    Asymmetric(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

#[derive(Clone)]
struct Accepted {
    text: Arc<str>,
    header: Arc<Header>,
}

/// A token whose signature is good.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Its header.
    pub header: Arc<Header>,
    /// The bytes of its claims.
    pub payload: Vec<u8>,
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm)
    }
}

impl VerifyingKey {
    /// A key of a key set.
    pub fn from_jwk(key: &Jwk) -> Result<Self, KeyError> {
        if key.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(KeyError::UnknownAlgorithm);
        }
        let algorithm = key.algorithm()?;
        match (key.kty.as_str(), algorithm) {
            ("RSA", _) if algorithm.is_rsa() => {
                let (n, e) = (jwk::decode(key.n.as_deref())?, jwk::decode(key.e.as_deref())?);
                Self::from_rsa_components(algorithm, &n, &e)
            }
            ("EC", Algorithm::Es256) => {
                Self::parsed(algorithm, &ECDSA_P256_SHA256_FIXED, &key.point(algorithm)?)
            }
            ("EC", Algorithm::Es384) => {
                Self::parsed(algorithm, &ECDSA_P384_SHA384_FIXED, &key.point(algorithm)?)
            }
            ("EC", Algorithm::Es512) => {
                Self::parsed(algorithm, &ECDSA_P521_SHA512_FIXED, &key.point(algorithm)?)
            }
            ("OKP", Algorithm::EdDsa) => {
                Self::parsed(algorithm, &ED25519, &jwk::decode(key.x.as_deref())?)
            }
            // A secret in a public key set is a mistake, not a key.
            _ => Err(KeyError::WrongKind(algorithm)),
        }
    }

    /// An RSA key in PEM (SPKI or PKCS#1), also without lines, header or footer.
    pub fn from_rsa_pem(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(text)?;
        if label.is_some_and(|label| !label.ends_with("PUBLIC KEY")) {
            return Err(KeyError::WrongKind(algorithm));
        }
        let public = RsaSubjectPublicKey::from_der(&der).map_err(|_| KeyError::Malformed)?;
        let (n, e) = (public.modulus(), public.exponent());
        Self::from_rsa_components(
            algorithm,
            n.big_endian_without_leading_zero(),
            e.big_endian_without_leading_zero(),
        )
    }

    /// An RSA key from modulus and exponent, big-endian.
    pub fn from_rsa_components(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let parameters: &'static RsaParameters = match algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            _ => return Err(KeyError::WrongKind(algorithm)),
        };
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        // 2048 bits have their first bit in the first of 256 bytes.
        if n.len() < 256 || n.len() > 1024 || (n.len() == 256 && n[0] < 0x80) {
            return Err(KeyError::ModulusSize);
        }
        let key = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyError::Malformed)?;
        Ok(Self::new(algorithm, Public::Asymmetric(key)))
    }

    /// A shared secret.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::from_hmac(algorithm, hmac_key(algorithm, secret)?))
    }

    pub(crate) fn from_hmac(algorithm: Algorithm, key: hmac::Key) -> Self {
        Self::new(algorithm, Public::Secret(Box::new(key)))
    }

    fn parsed(
        algorithm: Algorithm,
        verification: &'static dyn VerificationAlgorithm,
        bytes: &[u8],
    ) -> Result<Self, KeyError> {
        let key = ParsedPublicKey::new(verification, bytes).map_err(|_| KeyError::Malformed)?;
        Ok(Self::new(algorithm, Public::Asymmetric(key)))
    }

    fn new(algorithm: Algorithm, public: Public) -> Self {
        Self { algorithm, public, last: RwLock::new(None) }
    }

    /// The one algorithm whose tokens it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the last good token had this very header, so that there is no need to read it.
    pub fn knows_header(&self, text: &str) -> bool {
        self.last
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|accepted| *accepted.text == *text)
    }

    /// Verifies the form, the header and the signature of `text`; then only are claims decoded.
    pub fn verify(&self, text: &str) -> Result<Verified, TokenError> {
        self.verify_token(&Token::split(text)?)
    }

    /// Verifies a token that is cut already.
    pub fn verify_token(&self, token: &Token<'_>) -> Result<Verified, TokenError> {
        let known = self.known(token.header_text());
        let header = match &known {
            Some(header) => Arc::clone(header),
            None => Arc::new(token.header_unverified()?),
        };
        if header.alg != self.algorithm.as_str() {
            return Err(TokenError::Algorithm);
        }
        let mut buffer = [0; SIGNATURE_BYTES_MAX];
        let signature = token.signature(&mut buffer)?;
        self.check(token.signed(), signature)?;
        let payload = token.payload()?;
        if known.is_none() {
            self.remember(token.header_text(), &header);
        }
        Ok(Verified { header, payload })
    }

    fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        match &self.public {
            Public::Asymmetric(key) => key.verify_sig(message, signature),
            Public::Secret(key) => hmac::verify(key, message, signature),
        }
        .map_err(|_| TokenError::Signature)
    }

    fn known(&self, text: &str) -> Option<Arc<Header>> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref()
            .filter(|accepted| *accepted.text == *text)
            .map(|accepted| Arc::clone(&accepted.header))
    }

    fn remember(&self, text: &str, header: &Arc<Header>) {
        let accepted = Accepted { text: text.into(), header: Arc::clone(header) };
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(accepted);
    }
}

fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}
