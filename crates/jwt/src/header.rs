//! The header of a token, read strictly.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::TokenError;

/// More members than this are an attack on whoever reads them.
const MEMBERS_MAX: usize = 32;

/// What a header says; keys it brings along (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The algorithm as written; empty where there is none, which no key is bound to.
    pub alg: String,
    /// Which key of the issuer.
    pub kid: Option<String>,
    /// The media type, `JWT` or `at+jwt`.
    pub typ: Option<String>,
    /// The class of the token, see [`crate::category`].
    pub cat: Option<String>,
    extended: bool,
}

impl Header {
    /// Reads the JSON of a header.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, TokenError> {
        let header: Self = serde_json::from_slice(json).map_err(|_| TokenError::Encoding)?;
        if header.extended { Err(TokenError::Extension) } else { Ok(header) }
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            // Two readers that pick different twins would verify different tokens.
            if seen.contains(&name) || seen.len() == MEMBERS_MAX {
                return Err(A::Error::custom("repeated or too many members"));
            }
            match name.as_str() {
                "alg" => header.alg = map.next_value()?,
                "kid" => header.kid = Some(map.next_value()?),
                "typ" => header.typ = Some(map.next_value()?),
                "cat" => header.cat = Some(map.next_value()?),
                // No extension is understood, so none may be critical.
                "crit" => {
                    map.next_value::<IgnoredAny>()?;
                    header.extended = true;
                }
                "b64" => header.extended |= !map.next_value::<bool>()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            seen.push(name);
        }
        Ok(header)
    }
}
