//! What a verified session token says, in both versions of the claims.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The claims of a token.
///
/// A claim this library does not know, or of a type it must not have, is in `extra`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims {
    /// The user, or the machine.
    pub sub: String,
    /// The session.
    pub sid: Option<String>,
    /// The origin that asked for the token.
    pub azp: Option<String>,
    /// Who made the token.
    pub iss: Option<String>,
    /// Whom it is for.
    pub aud: Vec<String>,
    /// When it was made, in seconds.
    pub iat: Option<i64>,
    /// From when on it is good, in seconds.
    pub nbf: Option<i64>,
    /// Until when it is good, in seconds.
    pub exp: i64,
    /// The name of the token.
    pub jti: Option<String>,
    /// Minutes since the first and the second factor; -1 is never.
    pub fva: Option<[i64; 2]>,
    /// `active` or `pending`.
    pub sts: Option<String>,
    /// Who acts in the user's name.
    pub act: Option<Value>,
    /// The version of the claims; absent before the second.
    pub v: Option<i64>,
    /// The plans, each with its scope.
    pub pla: Option<String>,
    /// The features, each with its scope.
    pub fea: Option<String>,
    /// The active organization, version 2; one that cannot be read spoils the token.
    pub o: Option<OrganizationClaim>,
    /// The active organization, version 1.
    pub org_id: Option<String>,
    /// The role in it, version 1.
    pub org_role: Option<String>,
    /// Its slug, version 1.
    pub org_slug: Option<String>,
    /// The custom permissions in it, version 1.
    pub org_permissions: Vec<String>,
    /// Every other claim.
    pub extra: Map<String, Value>,
}

/// The claim `o` as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationClaim {
    /// The organization.
    pub id: String,
    /// Its slug.
    pub slg: Option<String>,
    /// The role, without `org:`.
    pub rol: Option<String>,
    /// The names of permissions.
    pub per: Option<String>,
    /// For each feature a map of its permissions.
    pub fpm: Option<String>,
}

/// The active organization, whatever the version of the claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Organization {
    /// The organization.
    pub id: String,
    /// Its slug.
    pub slug: Option<String>,
    /// The user's role, with `org:`.
    pub role: Option<String>,
    /// The user's custom permissions, with `org:`.
    pub permissions: Vec<String>,
}

/// What a session must have; everything that is asked for must hold.
///
/// # Examples
/// ```
/// use vestry_sdk::claims::{Check, Claims};
///
/// let claims = Claims::default();
/// assert!(!claims.has(&Check { role: Some("admin".into()), ..Check::default() }));
/// assert!(!claims.has(&Check::default()), "asking for nothing grants nothing");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// A role in the active organization, with or without `org:`.
    pub role: Option<String>,
    /// A permission in the active organization, with or without `org:`.
    pub permission: Option<String>,
    /// A feature, of anybody or with a scope: `user:articles`, `org:articles`.
    pub feature: Option<String>,
    /// A plan, of anybody or with a scope.
    pub plan: Option<String>,
    /// How fresh the factors must be.
    pub reverification: Option<Reverification>,
    /// Whether a session with outstanding tasks may pass.
    pub allow_pending: bool,
}

/// How fresh which factors must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reverification {
    /// The age in minutes that is too old.
    pub after_minutes: i64,
    /// Which factors.
    pub level: Level,
}

/// Which factors a reverification asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The first.
    FirstFactor,
    /// The second, or the first of a user who has no second.
    SecondFactor,
    /// Both, or the first of a user who has no second.
    MultiFactor,
}

impl Reverification {
    /// Both factors within 10 minutes.
    pub const STRICT_MFA: Self = Self { after_minutes: 10, level: Level::MultiFactor };
    /// The second factor within 10 minutes.
    pub const STRICT: Self = Self { after_minutes: 10, level: Level::SecondFactor };
    /// The second factor within an hour.
    pub const MODERATE: Self = Self { after_minutes: 60, level: Level::SecondFactor };
    /// The second factor within a day.
    pub const LAX: Self = Self { after_minutes: 1440, level: Level::SecondFactor };

    fn holds(self, ages: Option<[i64; 2]>) -> bool {
        let Some([first, second]) = ages else { return false };
        let fresh = |age: i64| age >= 0 && age < self.after_minutes;
        match self.level {
            Level::FirstFactor => fresh(first),
            // Whoever has no second factor cannot be asked for it.
            Level::SecondFactor | Level::MultiFactor if second == -1 => fresh(first),
            Level::SecondFactor => fresh(second),
            Level::MultiFactor => fresh(first) && fresh(second),
        }
    }
}

impl Claims {
    /// Reads JSON; checking all of it for UTF-8 at once is cheaper than text by text.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_str(std::str::from_utf8(json).ok()?).ok()
    }

    /// Whether the session still has tasks, so that the user counts as signed out.
    pub fn is_pending(&self) -> bool {
        self.sts.as_deref() == Some("pending")
    }

    /// The active organization.
    pub fn organization(&self) -> Option<Organization> {
        if self.v == Some(2) {
            let claim = self.o.as_ref()?;
            return Some(Organization {
                id: claim.id.clone(),
                slug: claim.slg.clone(),
                role: claim.rol.as_deref().map(prefixed),
                permissions: permissions(self.fea.as_deref(), claim),
            });
        }
        Some(Organization {
            id: self.org_id.clone()?,
            slug: self.org_slug.clone(),
            role: self.org_role.as_deref().map(prefixed),
            permissions: self.org_permissions.iter().map(|each| prefixed(each)).collect(),
        })
    }

    /// Whether everything that `check` asks for holds; asking for nothing is refused.
    pub fn has(&self, check: &Check) -> bool {
        if self.sub.is_empty() || (self.is_pending() && !check.allow_pending) {
            return false;
        }
        let answers = [
            check.role.as_deref().map(|role| self.has_role(role)),
            check.permission.as_deref().map(|permission| self.has_permission(permission)),
            check.feature.as_deref().map(|feature| includes(self.fea.as_deref(), feature)),
            check.plan.as_deref().map(|plan| includes(self.pla.as_deref(), plan)),
            check.reverification.map(|wanted| wanted.holds(self.fva)),
        ];
        answers.iter().any(Option::is_some) && answers.iter().flatten().all(|holds| *holds)
    }

    fn has_role(&self, role: &str) -> bool {
        let organization = self.organization().unwrap_or_default();
        !role.is_empty() && organization.role.is_some_and(|own| own == prefixed(role))
    }

    fn has_permission(&self, permission: &str) -> bool {
        let organization = self.organization().unwrap_or_default();
        !permission.is_empty() && organization.permissions.contains(&prefixed(permission))
    }
}

/// With exactly one `org:`. Old tokens carry roles without it.
fn prefixed(name: &str) -> String {
    format!("org:{}", name.strip_prefix("org:").unwrap_or(name))
}

/// The entries of a list like `o:pro,u:free` with their scopes.
fn scoped(list: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    list.unwrap_or_default().split(',').filter_map(|entry| entry.trim().split_once(':'))
}

/// Whether a list of plans or features has `wanted`, which may name a scope.
fn includes(list: Option<&str>, wanted: &str) -> bool {
    let (scope, slug) = match wanted.split_once(':') {
        None => (None, wanted),
        Some(("o" | "org" | "organization", slug)) => (Some('o'), slug),
        Some(("u" | "user", slug)) => (Some('u'), slug),
        Some(_) => return false,
    };
    !slug.is_empty()
        && scoped(list).any(|(scopes, own)| {
            own == slug && scope.map_or(scopes.contains(['o', 'u']), |one| scopes.contains(one))
        })
}

/// The i-th number of `fpm` belongs to the i-th feature of the organization; its bit k says whether
/// the k-th name of `per` applies.
fn permissions(features: Option<&str>, claim: &OrganizationClaim) -> Vec<String> {
    let (Some(names), Some(maps)) = (claim.per.as_deref(), claim.fpm.as_deref()) else {
        return Vec::new();
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    scoped(features)
        .filter(|(scopes, _)| scopes.contains('o'))
        .zip(maps.split(','))
        .flat_map(|((_, feature), map)| {
            let bits = bits(map.trim(), names.len());
            let held = names.iter().zip(bits).filter(|(name, bit)| *bit && !name.is_empty());
            held.map(|(name, _)| format!("org:{feature}:{name}")).collect::<Vec<_>>()
        })
        .collect()
}

/// The lowest `count` bits of a decimal number of any length; of anything else, none is set.
fn bits(decimal: &str, count: usize) -> Vec<bool> {
    if !decimal.bytes().all(|digit| digit.is_ascii_digit()) {
        return Vec::new();
    }
    let mut bits = Vec::with_capacity(count);
    let mut digits: Vec<u8> = decimal.bytes().map(|digit| digit - b'0').collect();
    // Halving a number written in decimal, as often as there are names for its bits.
    while bits.len() < count && !digits.is_empty() {
        let mut rest = 0;
        for digit in &mut digits {
            let whole = rest * 10 + *digit;
            *digit = whole / 2;
            rest = whole % 2;
        }
        bits.push(rest == 1);
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
    }
    bits
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

// By hand, because a flattened map would copy every claim once more on the way of each request.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if name.as_str() == "o" {
                claims.o = map.next_value()?;
            } else if let Err(other) = claims.take(name.as_str(), map.next_value()?) {
                claims.extra.insert(name.as_str().to_owned(), other);
            }
        }
        Ok(claims)
    }
}

impl Claims {
    /// Takes a claim that is known and of its type, or gives it back.
    fn take(&mut self, name: &str, value: Value) -> Result<(), Value> {
        match name {
            "sub" => self.sub = text(value)?.ok_or(Value::Null)?,
            "exp" => self.exp = seconds(value)?,
            "iat" => self.iat = Some(seconds(value)?),
            "nbf" => self.nbf = Some(seconds(value)?),
            "sid" => self.sid = text(value)?,
            "azp" => self.azp = text(value)?,
            "iss" => self.iss = text(value)?,
            "jti" => self.jti = text(value)?,
            "sts" => self.sts = text(value)?,
            "pla" => self.pla = text(value)?,
            "fea" => self.fea = text(value)?,
            "aud" => self.aud = texts(value)?,
            "v" => self.v = Some(value.as_i64().ok_or(value)?),
            "fva" => self.fva = Some(ages(&value).ok_or(value)?),
            "act" => self.act = Some(value),
            "org_id" => self.org_id = text(value)?,
            "org_role" => self.org_role = text(value)?,
            "org_slug" => self.org_slug = text(value)?,
            "org_permissions" => self.org_permissions = texts(value)?,
            _ => return Err(value),
        }
        Ok(())
    }
}

fn text(value: Value) -> Result<Option<String>, Value> {
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        other => Err(other),
    }
}

/// One text or a list of them.
fn texts(value: Value) -> Result<Vec<String>, Value> {
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Null => Ok(Vec::new()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            Ok(items.into_iter().filter_map(|item| text(item).ok().flatten()).collect())
        }
        other => Err(other),
    }
}

/// Whole seconds; a fraction counts as the second it began in.
fn seconds(value: Value) -> Result<i64, Value> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if let Some(whole) = value.as_i64() {
        return Ok(whole);
    }
    match value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Some(fraction) if fraction.abs() < EXACT_MAX => Ok(fraction.floor() as i64),
        _ => Err(value),
    }
}

fn ages(value: &Value) -> Option<[i64; 2]> {
    let [first, second] = value.as_array()?.as_slice() else { return None };
    Some([first.as_i64()?, second.as_i64()?])
}

impl<'de> Deserialize<'de> for OrganizationClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrganizationMembers)
    }
}

struct OrganizationMembers;

impl<'de> Visitor<'de> for OrganizationMembers {
    type Value = OrganizationClaim;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object about an organization")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrganizationClaim, A::Error> {
        let mut claim = OrganizationClaim::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            // A member of a wrong type says nothing.
            let member = text(map.next_value()?).unwrap_or(None);
            match name.as_str() {
                "id" => claim.id = member.unwrap_or_default(),
                "slg" => claim.slg = member,
                "rol" => claim.rol = member,
                "per" => claim.per = member,
                "fpm" => claim.fpm = member,
                _ => {}
            }
        }
        if claim.id.is_empty() { Err(A::Error::missing_field("id")) } else { Ok(claim) }
    }
}

/// The name of a claim, borrowed from the text where it holds no escapes.
enum Name<'de> {
    Borrowed(&'de str),
    Owned(String),
}

impl Name<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(name) => name,
            Self::Owned(name) => name,
        }
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name::Borrowed(name))
            }
            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name::Owned(name.to_owned()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
