//! Public keys as JSON.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{Algorithm, KeyError};

/// A public key as a key set shows it (RFC 7517).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// What it is for: `sig`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// `RSA`, `EC` or `OKP`.
    pub kty: String,
    /// The name that headers give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithm it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The curve of an elliptic key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The first coordinate, or the whole of an Ed25519 key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
}

impl Jwk {
    fn signing(kty: &str, algorithm: Algorithm) -> Self {
        Self {
            usage: Some("sig".into()),
            kty: kty.into(),
            alg: Some(algorithm.as_str().into()),
            ..Self::default()
        }
    }

    pub(crate) fn rsa(algorithm: Algorithm, n: &[u8], e: &[u8]) -> Self {
        Self { n: Some(encode(n)), e: Some(encode(e)), ..Self::signing("RSA", algorithm) }
    }

    /// `point` is uncompressed: a 4 and both coordinates.
    pub(crate) fn ec(algorithm: Algorithm, point: &[u8]) -> Self {
        let (x, y) = point[1..].split_at(point.len() / 2);
        Self {
            crv: curve(algorithm).map(|(name, _)| name.into()),
            x: Some(encode(x)),
            y: Some(encode(y)),
            ..Self::signing("EC", algorithm)
        }
    }

    pub(crate) fn ed25519(public: &[u8]) -> Self {
        Self {
            crv: Some("Ed25519".into()),
            x: Some(encode(public)),
            ..Self::signing("OKP", Algorithm::EdDsa)
        }
    }

    /// The algorithm: named, or the only one the key can have.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, KeyError> {
        if let Some(name) = &self.alg {
            return name.parse().map_err(|_| KeyError::UnknownAlgorithm);
        }
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Ok(Algorithm::Rs256),
            ("EC", Some("P-256")) => Ok(Algorithm::Es256),
            ("EC", Some("P-384")) => Ok(Algorithm::Es384),
            ("EC", Some("P-521")) => Ok(Algorithm::Es512),
            ("OKP", Some("Ed25519")) => Ok(Algorithm::EdDsa),
            _ => Err(KeyError::UnknownAlgorithm),
        }
    }

    /// The key as the bytes of an uncompressed point.
    pub(crate) fn point(&self, algorithm: Algorithm) -> Result<Vec<u8>, KeyError> {
        let (name, bytes) = curve(algorithm).ok_or(KeyError::WrongKind(algorithm))?;
        if self.crv.as_deref() != Some(name) {
            return Err(KeyError::WrongKind(algorithm));
        }
        let (x, y) = (decode(self.x.as_deref())?, decode(self.y.as_deref())?);
        if x.len() != bytes || y.len() != bytes {
            return Err(KeyError::Malformed);
        }
        Ok([&[4], x.as_slice(), y.as_slice()].concat())
    }
}

/// Name and width of the coordinates.
fn curve(algorithm: Algorithm) -> Option<(&'static str, usize)> {
    match algorithm {
        Algorithm::Es256 => Some(("P-256", 32)),
        Algorithm::Es384 => Some(("P-384", 48)),
        Algorithm::Es512 => Some(("P-521", 66)),
        _ => None,
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: Option<&str>) -> Result<Vec<u8>, KeyError> {
    // Some issuers pad what the standard leaves bare.
    let bare = text.ok_or(KeyError::Malformed)?.trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(bare).map_err(|_| KeyError::Malformed)
}
