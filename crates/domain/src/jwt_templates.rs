//! JWT templates: tokens of one's own making.
//!
//! A template's claims are in the language of [`shortcodes`]; what is always in a token (`sub`,
//! `exp` and their like) is written over them. A template may have a signing key of its own, which
//! is kept under the root key and shown to nobody.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use db::{Column as _, Record};
use jwt::{Algorithm, PreparedHeader, SigningKey, category};
use macros::Record;
use serde_json::Value;
use wire::{
    Deleted, Listing, Metadata, Page, Paging, Patch, Refusal, Tag, Timestamp,
    backend::{
        jwt_templates::{
            CreateJWTTemplate, CreateSessionTokenFromTemplate, DeleteJWTTemplate, GetJWTTemplate,
            JwtTemplate, JwtTemplateId, ListJWTTemplates, UpdateJWTTemplate,
        },
        sessions::{SessionId, Token},
    },
    refusal,
};

use crate::{
    Cx, Error, Operations, Outside, Place, Result,
    error::OnTaken as _,
    session_tokens::{self, Category, Subject},
    shortcodes::{self, TemplateError},
    text,
};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 128;
/// Seconds that a token lives, unless said.
const LIFETIME_SECONDS: i64 = 60;
/// Seconds by which clocks may differ, unless said.
const CLOCK_SKEW_SECONDS: i64 = 5;
/// Characters of a signing key; an RSA key of 8192 bits in PEM has less than half.
const KEY_CHARS_MAX: usize = 16 * 1024;
/// Keys of templates that a node keeps parsed.
const KEYS_MAX: usize = 256;

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer(list)
        .offer_outside(create)
        .offer(get)
        .offer_outside(update)
        .offer(delete)
        .offer_outside(make_token)
}

/// List JWT templates, newest first.
async fn list(cx: &mut Cx, request: ListJWTTemplates) -> Result<Listing<JwtTemplate>> {
    let paging = Paging::new(request.limit, request.offset);
    let rows = JwtTemplateRow::select(&cx.tx).order("position desc");
    let Page { data, total_count } = rows.page(&mut cx.tx, paging).await?;
    let data = data.into_iter().map(view).collect::<Result<_>>()?;
    Ok(Listing::new(Page { data, total_count }, request.paginated))
}

/// Create a JWT template.
async fn create(outside: &Outside, request: CreateJWTTemplate) -> Result<JwtTemplate> {
    check_name(&request.name)?;
    let mut row = JwtTemplateRow {
        id: outside.id(),
        instance_id: outside.instance.id.to_string(),
        position: 0,
        name: request.name,
        claims: checked(request.claims)?,
        lifetime: request.lifetime.as_ref().map_or(LIFETIME_SECONDS, |seconds| seconds.0.into()),
        allowed_clock_skew: request
            .allowed_clock_skew
            .as_ref()
            .map_or(CLOCK_SKEW_SECONDS, |seconds| seconds.0.into()),
        signing_algorithm: None,
        signing_key: None,
        created_at: outside.now,
        updated_at: outside.now,
    };
    let asked = AskedKey {
        is_custom: request.custom_signing_key,
        algorithm: given(request.signing_algorithm),
        key: given(request.signing_key),
    };
    let key = settle_key(outside, &row, asked).await?;
    row.set_key(key);
    outside.write(insert, row).await
}

async fn insert(cx: &mut Cx, mut row: JwtTemplateRow) -> Result<JwtTemplate> {
    row.position = cx.position(cx.now);
    row.insert(&mut cx.tx).await.taken("name", || taken(&row.name))?;
    view(row)
}

/// Fetch one JWT template.
async fn get(cx: &mut Cx, request: GetJWTTemplate) -> Result<JwtTemplate> {
    view(find(cx, request.template_id).await?)
}

#[derive(Clone)]
struct Change {
    template_id: JwtTemplateId,
    name: String,
    claims: String,
    lifetime: Option<i64>,
    allowed_clock_skew: Option<i64>,
    key: KeyChange,
}

/// Change a JWT template.
async fn update(outside: &Outside, request: UpdateJWTTemplate) -> Result<JwtTemplate> {
    check_name(&request.name)?;
    let claims = checked(request.claims)?;
    let row = outside.read(find, request.template_id).await?;
    let asked = AskedKey {
        is_custom: request.custom_signing_key,
        algorithm: given(request.signing_algorithm),
        key: given(request.signing_key),
    };
    let key = settle_key(outside, &row, asked).await?;
    let lifetime = match request.lifetime {
        Patch::Keep => None,
        Patch::Clear => Some(LIFETIME_SECONDS),
        Patch::Set(seconds) => Some(seconds.0.into()),
    };
    let allowed_clock_skew = match request.allowed_clock_skew {
        Patch::Keep => None,
        Patch::Clear => Some(CLOCK_SKEW_SECONDS),
        Patch::Set(seconds) => Some(seconds.0.into()),
    };
    let template_id = row.id;
    let name = request.name;
    let change = Change { template_id, name, claims, lifetime, allowed_clock_skew, key };
    outside.write(apply, change).await
}

async fn apply(cx: &mut Cx, change: Change) -> Result<JwtTemplate> {
    let mut row = find(cx, change.template_id).await?;
    (row.name, row.claims) = (change.name, change.claims);
    row.lifetime = change.lifetime.unwrap_or(row.lifetime);
    row.allowed_clock_skew = change.allowed_clock_skew.unwrap_or(row.allowed_clock_skew);
    row.set_key(change.key);
    row.updated_at = cx.now;
    row.update(&mut cx.tx).await.taken("name", || taken(&row.name))?;
    view(row)
}

/// Delete a JWT template.
async fn delete(cx: &mut Cx, request: DeleteJWTTemplate) -> Result<Deleted<JwtTemplate>> {
    let row = find(cx, request.template_id).await?;
    let deleted = Deleted::new(row.id.clone());
    row.delete(&mut cx.tx).await?;
    Ok(deleted)
}

/// Make a token for a session as a template says.
pub(crate) async fn make_token(
    outside: &Outside,
    request: CreateSessionTokenFromTemplate,
) -> Result<Token> {
    let wanted = (request.session_id, request.template_name);
    let (row, subject) = outside.read(load, wanted).await?;
    let lifetime = request.expires_in_seconds.as_ref();
    let lifetime = lifetime.map_or(row.lifetime, |seconds| seconds.0.into());
    let claims = claims(outside, &row, &subject, lifetime)?;
    let jwt = match own_key(outside, &row).await? {
        None => session_tokens::sign(outside, Category::Template, &claims)?,
        Some(own) => {
            // The largest keys take a hundred times as long as the instance's.
            let signed = if own.key.algorithm().is_symmetric() {
                own.key.sign(&own.header, &claims)
            } else {
                outside.world.hasher.run(move |_| own.key.sign(&own.header, &claims)).await?
            };
            signed.map_err(|error| Error::Broken(error.into()))?
        }
    };
    Ok(Token { object: Tag::new(), jwt })
}

/// A template, and whom a token made from it is about.
async fn load(
    cx: &mut Cx,
    (session_id, name): (SessionId, String),
) -> Result<(JwtTemplateRow, Subject)> {
    let subject = session_tokens::subject(cx, session_id).await?;
    let row = JwtTemplateRow::select(&cx.tx).filter("name = ?", [name.to_value()]);
    let row = row.first(&mut cx.tx).await?;
    Ok((row.ok_or_else(|| not_found("name", &name))?, subject))
}

/// All that a token says.
fn claims(
    outside: &Outside,
    row: &JwtTemplateRow,
    subject: &Subject,
    lifetime: i64,
) -> Result<Metadata> {
    let template: Metadata = serde_json::from_str(&row.claims)?;
    let Subject { session, user } = subject;
    let lookup = |path: &str| session_tokens::value_of(session, user.as_deref()?, path);
    let mut claims = shortcodes::render(&template, &lookup).map_err(|error| {
        let reason = format!("The claims of this template for this user: {error}.");
        refusal::form_param_exceeds_allowed_size().because(reason)
    })?;
    let iat = outside.now.0.div_euclid(1000);
    // A stored template cannot set these; if one does all the same, it has no effect.
    let always: [(&str, Value); 6] = [
        ("exp", (iat + lifetime).into()),
        ("iat", iat.into()),
        ("iss", outside.instance.issuer().into()),
        ("jti", session_tokens::jti(outside).into()),
        ("nbf", (iat - row.allowed_clock_skew).into()),
        ("sub", session.user_id.as_str().into()),
    ];
    claims.extend(always.map(|(name, value)| (name.to_owned(), value)));
    Ok(claims)
}

/// What a request says about signing.
struct AskedKey {
    is_custom: Option<bool>,
    algorithm: Option<String>,
    key: Option<String>,
}

/// A text that says something.
fn given(text: Patch<String>) -> Option<String> {
    match text {
        Patch::Set(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// What becomes of a template's signing key.
#[derive(Clone)]
enum KeyChange {
    /// As it was.
    Keep,
    /// The instance's.
    Instance,
    /// Its own, sealed.
    Own(Algorithm, String),
}

/// Checks that what is asked for fits together, with what `row` has, and that the key is one.
async fn settle_key(outside: &Outside, row: &JwtTemplateRow, asked: AskedKey) -> Result<KeyChange> {
    if !asked.is_custom.unwrap_or(row.signing_key.is_some()) {
        let instance = Algorithm::Rs256.as_str();
        let param = match (&asked.key, &asked.algorithm) {
            (Some(_), _) => "signing_key",
            (None, Some(name)) if name != instance => "signing_algorithm",
            _ if asked.is_custom == Some(false) => return Ok(KeyChange::Instance),
            _ => return Ok(KeyChange::Keep),
        };
        let reason = format!("{param} is taken only where custom_signing_key is true.");
        let refusal = refusal::form_conditional_param_disallowed();
        return Err(refusal.because(reason).param(param).into());
    }
    let missing = |param: &str| {
        let reason = format!("{param} must be included when custom_signing_key is true.");
        refusal::form_conditional_param_missing().because(reason).param(param)
    };
    let name = asked.algorithm.as_ref().or(row.signing_algorithm.as_ref());
    let name = name.ok_or_else(|| missing("signing_algorithm"))?;
    let algorithm: Algorithm = name.parse().map_err(|_| {
        let reason = format!("signing_algorithm must be one of {}.", algorithms());
        refusal::form_param_value_invalid().because(reason).param("signing_algorithm")
    })?;
    let Some(key) = asked.key else {
        let is_same = row.signing_algorithm.as_deref() == Some(algorithm.as_str());
        return if is_same { Ok(KeyChange::Keep) } else { Err(missing("signing_key").into()) };
    };
    text::at_most("signing_key", &key, KEY_CHARS_MAX)?;
    let (key, parsed) = outside
        .world
        .hasher
        .run(move |_| {
            let parsed = SigningKey::from_text(algorithm, &key);
            (key, parsed)
        })
        .await?;
    parsed.map_err(|error| {
        let reason = format!("signing_key is unfit for {algorithm}: {error}.");
        refusal::form_param_value_invalid().because(reason).param("signing_key")
    })?;
    let sealed = outside.world.sealer.seal(&row.place(), key.as_bytes())?;
    Ok(KeyChange::Own(algorithm, sealed))
}

fn algorithms() -> String {
    Algorithm::ALL.map(Algorithm::as_str).join(", ")
}

/// A template's own key, ready to sign.
struct OwnKey {
    /// As it is stored: another text is another key.
    sealed: String,
    key: SigningKey,
    header: PreparedHeader,
}

/// Signing keys of templates that were in use of late.
#[derive(Default)]
pub struct TemplateKeys(Mutex<HashMap<JwtTemplateId, Arc<OwnKey>>>);

impl TemplateKeys {
    fn get(&self, id: &JwtTemplateId, sealed: &str) -> Option<Arc<OwnKey>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id).filter(|key| key.sealed == sealed).cloned()
    }

    fn put(&self, id: JwtTemplateId, key: Arc<OwnKey>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX && !known.contains_key(&id) {
            known.clear();
        }
        known.insert(id, key);
    }
}

/// The key of a template that has its own.
async fn own_key(outside: &Outside, row: &JwtTemplateRow) -> Result<Option<Arc<OwnKey>>> {
    let (Some(algorithm), Some(sealed)) = (&row.signing_algorithm, &row.signing_key) else {
        return Ok(None);
    };
    let keys = &outside.world.template_keys;
    if let Some(key) = keys.get(&row.id, sealed) {
        return Ok(Some(key));
    }
    let broken = |error: String| Error::Broken(format!("key of {}: {error}", row.id).into());
    let algorithm: Algorithm =
        algorithm.parse().map_err(|error: jwt::UnknownAlgorithm| broken(error.to_string()))?;
    let text = outside.world.sealer.open(&row.place(), sealed)?;
    let text = String::from_utf8(text).map_err(|error| broken(error.to_string()))?;
    let parsed = outside.world.hasher.run(move |_| SigningKey::from_text(algorithm, &text)).await?;
    let key = Arc::new(OwnKey {
        sealed: sealed.clone(),
        key: parsed.map_err(|error| broken(error.to_string()))?,
        header: PreparedHeader::new(algorithm).cat(category::TEMPLATE),
    });
    keys.put(row.id.clone(), Arc::clone(&key));
    Ok(Some(key))
}

/// Letters, digits, `-` and `_`, since the name stands in a path.
fn check_name(name: &str) -> Result<()> {
    text::at_most("name", name, NAME_CHARS_MAX)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(fits) {
        let reason = "name must consist of letters, digits, hyphens and underscores.";
        return Err(refusal::form_param_format_invalid().because(reason).param("name").into());
    }
    Ok(())
}

/// Claims as they are stored, if they may be.
fn checked(claims: Metadata) -> Result<String> {
    shortcodes::check(&claims).map_err(|error| match error {
        TemplateError::ReservedClaim(claim) => {
            let reason = format!("You can't use the reserved claim: `{claim}`.");
            let refusal = refusal::jwt_template_reserved_claim().because(reason);
            refusal.param("claims").meta("claim", claim)
        }
        TemplateError::Malformed(_) => {
            refusal::form_param_value_invalid().because(format!("{error}.")).param("claims")
        }
        TemplateError::TooLarge => {
            refusal::form_param_exceeds_allowed_size().because(format!("{error}.")).param("claims")
        }
    })?;
    Ok(Value::Object(claims).to_string())
}

fn taken(name: &str) -> Refusal {
    let reason = format!("A JWT template named {name} exists already.");
    refusal::form_already_exists().because(reason).param("name")
}

fn not_found(key: &str, value: &str) -> Refusal {
    let shown = text::shown(value);
    refusal::resource_not_found().because(format!("No JWT template was found with {key} {shown}"))
}

async fn find(cx: &mut Cx, id: JwtTemplateId) -> Result<JwtTemplateRow> {
    let row = JwtTemplateRow::find(&mut cx.tx, &id).await?;
    Ok(row.ok_or_else(|| not_found("id", id.as_str()))?)
}

/// A row of the table.
#[derive(Clone, Record)]
#[record(table = "jwt_templates")]
struct JwtTemplateRow {
    id: JwtTemplateId,
    instance_id: String,
    position: i64,
    name: String,
    /// JSON object.
    claims: String,
    /// Seconds.
    lifetime: i64,
    /// Seconds.
    allowed_clock_skew: i64,
    /// Of its own key.
    signing_algorithm: Option<String>,
    /// Its own key, sealed.
    signing_key: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl JwtTemplateRow {
    /// Where its key is kept.
    fn place(&self) -> Place<'_> {
        Place {
            instance: &self.instance_id,
            table: Self::TABLE,
            row: self.id.as_str(),
            column: "signing_key",
        }
    }

    fn set_key(&mut self, change: KeyChange) {
        (self.signing_algorithm, self.signing_key) = match change {
            KeyChange::Keep => return,
            KeyChange::Instance => (None, None),
            KeyChange::Own(algorithm, sealed) => {
                (Some(algorithm.as_str().to_owned()), Some(sealed))
            }
        };
    }
}

fn view(row: JwtTemplateRow) -> Result<JwtTemplate> {
    let algorithm = row.signing_algorithm;
    Ok(JwtTemplate {
        id: row.id,
        object: Tag::new(),
        name: row.name,
        claims: serde_json::from_str(&row.claims)?,
        lifetime: row.lifetime,
        allowed_clock_skew: row.allowed_clock_skew,
        custom_signing_key: row.signing_key.is_some(),
        signing_algorithm: algorithm.unwrap_or_else(|| Algorithm::Rs256.as_str().to_owned()),
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
