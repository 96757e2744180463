//! Session tokens: what they say, and who signs them.

use std::sync::LazyLock;

use db::{Column as _, Record as _, Value};
use jwt::category;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use wire::{
    Metadata, Patch, Tag, Timestamp,
    backend::{
        sessions::{CreateSessionToken, Session, SessionId, Token, VerifySession},
        users::User,
        verifications::{Verification, VerificationStatus},
    },
    refusal,
};

use crate::{
    Cx, Error, Instance, Operations, Outside, Result,
    frontend::clients::Whose,
    jwks,
    sessions::{self, SessionRow},
    shortcodes, users,
};

/// How far a token's `nbf` lies before its `iat`, in seconds, for clocks that are slow.
const EARLY_SECONDS: i64 = 10;
/// How long a token is taken after its end, in seconds, for clocks that are fast.
const SKEW_SECONDS: i64 = 5;

/// A session, and whether its user is banned, in one statement.
static SUBJECT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<_> = SessionRow::COLUMNS.iter().map(|name| format!("s.{name}")).collect();
    format!(
        "select {}, u.banned from sessions s join users u on u.id = s.user_id
         where s.instance_id = $1 and u.instance_id = $1 and s.id = $2",
        columns.join(", ")
    )
});

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(create).offer_outside(verify)
}

/// Make a session token.
async fn create(outside: &Outside, request: CreateSessionToken) -> Result<Token> {
    let subject = outside.read(subject_of_token, request.session_id).await?;
    let lifetime = match request.expires_in_seconds {
        Patch::Set(lifetime) => lifetime.0,
        Patch::Keep | Patch::Clear => outside.instance.settings.token.lifetime_seconds,
    };
    let jwt = mint(outside, &subject, lifetime, None)?;
    Ok(Token { object: Tag::new(), jwt })
}

/// Fetch the session that a token belongs to.
async fn verify(outside: &Outside, request: VerifySession) -> Result<Session> {
    let session = outside.read(sessions::get_row, request.session_id).await?;
    let claims = read(&outside.instance, &request.token).filter(|claims| {
        claims.sid.as_deref() == Some(session.id.as_str())
            && claims.exp.is_some_and(|exp| exp + SKEW_SECONDS > outside.now.0 / 1000)
    });
    if claims.is_none() {
        return Err(refusal::invalid_session_token().into());
    }
    if !session.is_live(outside.now) {
        return Err(inactive(&session.id));
    }
    Ok(sessions::view(&session, outside.now))
}

/// Classes of tokens that the instance's own key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    /// Session tokens.
    Session,
    /// Tokens made from templates.
    Template,
}

/// Signs `claims` with the key of the instance.
///
/// Takes some 0.7 milliseconds of the thread it is called on: less than it costs to wake another.
pub(crate) fn sign(
    outside: &Outside,
    category: Category,
    claims: &impl Serialize,
) -> Result<String> {
    let signer = &outside.instance.signer;
    let header = match category {
        Category::Session => &signer.session_header,
        Category::Template => &signer.template_header,
    };
    signer.key.sign(header, claims).map_err(|error| Error::Broken(error.into()))
}

/// Whom a token is about: a session that may have one, and its user where claims need them.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The session.
    pub(crate) session: SessionRow,
    /// The user, if they were asked for.
    pub(crate) user: Option<Box<User>>,
}

/// The session with this id and its user, as templates want them. Refuses if it may not have
/// tokens: it is over, or its user is banned.
pub(crate) async fn subject(cx: &mut Cx, id: SessionId) -> Result<Subject> {
    let session = sessions::get_row(cx, id).await?;
    let (row, identifications) = users::load(cx, &session.user_id).await?;
    check(&session, row.banned, cx.now)?;
    let user = users::view(cx, &row, &identifications);
    Ok(Subject { session, user: Some(Box::new(user)) })
}

/// The same with no more of the user than the instance's session tokens tell.
pub(crate) async fn subject_of_token(cx: &mut Cx, id: SessionId) -> Result<Subject> {
    if !cx.instance.settings.token.claims.is_empty() {
        return subject(cx, id).await;
    }
    let values = vec![Value::Text(cx.instance_id()), id.to_value()];
    let mut row =
        cx.tx.rows(&SUBJECT, values).await?.pop().ok_or_else(|| sessions::not_found(&id))?;
    let session = SessionRow::read(&mut row)?;
    check(&session, row.take()?, cx.now)?;
    Ok(Subject { session, user: None })
}

/// The same of a session that the visitor's client holds; nothing if there is no such session, or
/// if it may not have tokens.
pub(crate) async fn subject_of_client(
    cx: &mut Cx,
    id: &SessionId,
    whose: Whose,
) -> Result<Option<Subject>> {
    let sql = format!("{} and s.client_id = {}", *SUBJECT, whose.numbered(2));
    let mut values = vec![Value::Text(cx.instance_id()), id.to_value()];
    values.extend(whose.values);
    let Some(mut row) = cx.tx.rows(&sql, values).await?.pop() else { return Ok(None) };
    let session = SessionRow::read(&mut row)?;
    if check(&session, row.take()?, cx.now).is_err() {
        return Ok(None);
    }
    let user = if cx.instance.settings.token.claims.is_empty() {
        None
    } else {
        let (row, identifications) = users::load(cx, &session.user_id).await?;
        Some(Box::new(users::view(cx, &row, &identifications)))
    };
    Ok(Some(Subject { session, user }))
}

fn check(session: &SessionRow, banned: bool, now: Timestamp) -> Result<()> {
    if banned || !session.is_live(now) { Err(inactive(&session.id)) } else { Ok(()) }
}

fn inactive(id: &SessionId) -> Error {
    let reason = format!("The session {id} is not active.");
    refusal::authentication_invalid().because(reason).into()
}

/// What a session token says.
#[derive(Serialize)]
struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<&'a str>,
    exp: i64,
    fva: [i64; 2],
    iat: i64,
    iss: String,
    jti: String,
    nbf: i64,
    sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sts: Option<String>,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<u8>,
    #[serde(flatten)]
    custom: Map<String, Json>,
}

/// A session token of `subject`; `azp` is the origin of the browser that asked for it.
pub(crate) fn mint(
    outside: &Outside,
    subject: &Subject,
    lifetime_seconds: u32,
    azp: Option<&str>,
) -> Result<String> {
    let Subject { session, user } = subject;
    let policy = &outside.instance.settings.token;
    let iat = outside.now.0.div_euclid(1000);
    let is_second = policy.claims_version == 2;
    let mut custom = match user {
        Some(user) if !policy.claims.is_empty() => {
            let lookup = |path: &str| value_of(session, user, path);
            shortcodes::render(&policy.claims, &lookup).map_err(|error| {
                let reason = format!("The custom claims of this instance: {error}.");
                refusal::request_invalid_for_instance().because(reason)
            })?
        }
        _ => Map::new(),
    };
    custom.retain(|name, _| !shortcodes::RESERVED.contains(&name.as_str()));
    let claims = Claims {
        act: session.actor(),
        azp,
        exp: iat + i64::from(lifetime_seconds),
        fva: [session.first_factor_verified_at, session.second_factor_verified_at]
            .map(|at| at.map_or(-1, |at| (outside.now.0 - at.0).max(0) / 60_000)),
        iat,
        iss: outside.instance.issuer(),
        jti: jti(outside),
        nbf: iat - EARLY_SECONDS,
        sid: session.id.as_str(),
        sts: is_second.then(|| session.status(outside.now).to_string()),
        sub: session.user_id.as_str(),
        v: is_second.then_some(2),
        custom,
    };
    sign(outside, Category::Session, &claims)
}

/// A new id of a token: 80 random bits.
pub(crate) fn jti(outside: &Outside) -> String {
    format!("{:020x}", (outside.world.seeds.rng)() & ((1 << 80) - 1))
}

/// What a shortcode means for a session and its user; private metadata means nothing.
pub(crate) fn value_of(session: &SessionRow, user: &User, path: &str) -> Option<Json> {
    let (resource, path) = path.split_once('.')?;
    match (resource, path) {
        ("user", path) => of_user(user, path),
        ("session", "actor") => session.actor().map(Json::Object),
        // There are no organizations yet.
        _ => None,
    }
}

fn of_user(user: &User, path: &str) -> Option<Json> {
    if let Some((name, path)) = path.split_once('.') {
        let mut values = match name {
            "public_metadata" => &user.public_metadata,
            "unsafe_metadata" => &user.unsafe_metadata,
            _ => return None,
        };
        let (parents, last) = path.rsplit_once('.').map_or((None, path), |(p, l)| (Some(p), l));
        for parent in parents.into_iter().flat_map(|path| path.split('.')) {
            values = values.get(parent)?.as_object()?;
        }
        return values.get(last).cloned();
    }
    let time = |time: Option<Timestamp>| time.map(|time| Json::from(time.0));
    let email = || {
        let primary = user.primary_email_address_id.as_ref()?;
        user.email_addresses.iter().find(|address| address.id == *primary)
    };
    let phone = || {
        let primary = user.primary_phone_number_id.as_ref()?;
        user.phone_numbers.iter().find(|number| number.id == *primary)
    };
    let wallet = || {
        let primary = user.primary_web3_wallet_id.as_ref()?;
        user.web3_wallets.iter().find(|wallet| wallet.id == *primary)
    };
    match path {
        "id" => Some(user.id.as_str().into()),
        "first_name" => user.first_name.clone().map(Json::from),
        "last_name" => user.last_name.clone().map(Json::from),
        "full_name" => {
            let names = [&user.first_name, &user.last_name].into_iter().flatten();
            let names: Vec<_> = names.map(String::as_str).collect();
            (!names.is_empty()).then(|| names.join(" ").into())
        }
        "username" => user.username.clone().map(Json::from),
        "external_id" => user.external_id.clone().map(Json::from),
        "primary_email_address" => Some(email()?.email_address.as_str().into()),
        "primary_phone_number" => Some(phone()?.phone_number.as_str().into()),
        "primary_web3_wallet" => Some(wallet()?.web3_wallet.as_str().into()),
        "email_verified" => {
            Some(email().is_some_and(|one| is_verified(one.verification.as_ref())).into())
        }
        "phone_number_verified" => {
            Some(phone().is_some_and(|one| is_verified(one.verification.as_ref())).into())
        }
        "two_factor_enabled" => Some(user.two_factor_enabled.into()),
        "image_url" => Some(user.image_url.as_str().into()),
        "has_image" => Some(user.has_image.into()),
        "created_at" => time(Some(user.created_at)),
        "updated_at" => time(Some(user.updated_at)),
        "last_sign_in_at" => time(user.last_sign_in_at),
        "public_metadata" => Some(Json::Object(user.public_metadata.clone())),
        "unsafe_metadata" => Some(Json::Object(user.unsafe_metadata.clone())),
        "organizations" => Some(Json::Object(Map::new())),
        _ => None,
    }
}

fn is_verified(verification: Option<&Verification>) -> bool {
    verification.is_some_and(|one| one.status == VerificationStatus::Verified)
}

/// What a session token that was signed here claims; its end may be past.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Claimed {
    iss: String,
    /// The user.
    pub(crate) sub: Option<String>,
    /// The session.
    pub(crate) sid: Option<String>,
    /// The origin it was made for.
    pub(crate) azp: Option<String>,
    /// When it was made.
    pub(crate) iat: Option<i64>,
    /// When it ends.
    pub(crate) exp: Option<i64>,
    /// Its own id.
    pub(crate) jti: Option<String>,
}

/// Reads a session token of the instance, and no token of another kind or of another instance.
pub(crate) fn read(instance: &Instance, token: &str) -> Option<Claimed> {
    let verified = jwks::verify(instance, token)?;
    if verified.header.cat.as_deref() != Some(category::SESSION) {
        return None;
    }
    let claimed: Claimed = serde_json::from_slice(&verified.payload).ok()?;
    (claimed.iss == instance.issuer()).then_some(claimed)
}
