//! Applications, their instances, and the keys that name one.
//!
//! The only resource that reads across instances: everything else is kept within one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{hkdf, hmac};
use db::{Mode, Record, Tx, Value};
use jwt::{Algorithm, PreparedHeader, SigningKey, VerifyingKey};
use macros::Record;
use wire::{
    Id, Kind, Timestamp,
    backend::{
        instance::{EnvironmentType, Instance as InstanceResource},
        jwks::Jwk,
    },
    refusal,
};

use crate::{Error, Place, Result, Settings, World, domains::DomainRow, seal::digest_of_secret};

/// Id of an instance; also the key id of its first signing key.
pub type InstanceId = Id<InstanceResource>;

/// How long a change of an instance may go unnoticed by a node, in milliseconds.
const STALE_MS: i64 = 1000;
/// The instance that was made before all others.
const FIRST: &str = "select id from instances order by created_at, id limit 1";
/// When an instance was read that has to be read again.
const LONG_AGO: Timestamp = Timestamp(i64::MIN / 2);
/// Instances a node remembers.
const REMEMBERED_MAX: usize = 10_000;

/// An application: what its owner thinks of as one product.
pub struct Application;

impl wire::Object for Application {
    const OBJECT: &'static str = "application";
}

impl Kind for Application {
    const PREFIX: &'static str = "app_";
}

/// An instance with all that its requests need.
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Name of its application.
    pub application_name: String,
    /// Development or production.
    pub environment: EnvironmentType,
    /// Host of its Frontend API, which its publishable key spells.
    pub frontend_host: String,
    /// It was made before all others of this server.
    pub is_first: bool,
    /// Milliseconds by which its clock runs ahead; for tests of one's app.
    pub clock_offset_ms: i64,
    /// Its settings.
    pub settings: Settings,
    /// Signs its tokens.
    pub signer: Arc<Signer>,
    /// The public halves of all its signing keys.
    pub jwks: Vec<Jwk>,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Instance({})", self.id)
    }
}

/// A signing key, ready to sign.
pub struct Signer {
    /// Key id, as in token headers and the JWKS.
    pub kid: String,
    /// The key.
    pub key: SigningKey,
    /// Verifies what the key signed.
    pub verifying: VerifyingKey,
    /// Header of session tokens.
    pub session_header: PreparedHeader,
    /// Header of tokens made from templates.
    pub template_header: PreparedHeader,
    /// Authenticates what the server hands out and wants back; no other key knows it.
    pub(crate) codes: hmac::Key,
    /// Signs tickets, with their header, which names no key: whoever looks one up by its id shall
    /// not take a ticket for a session token.
    pub(crate) tickets: (SigningKey, PreparedHeader),
}

impl Signer {
    fn new(kid: String, der: &[u8]) -> Result<Self> {
        let broken = |error: jwt::KeyError| Error::Broken(error.into());
        let key = SigningKey::from_pkcs8(Algorithm::Rs256, der).map_err(broken)?;
        let header = || PreparedHeader::new(key.algorithm()).kid(&*kid);
        let session_header = header().cat(jwt::category::SESSION);
        let template_header = header().cat(jwt::category::TEMPLATE);
        let verifying = key.verifying_key().map_err(broken)?;
        let codes = hmac::Key::new(hmac::HMAC_SHA256, &derived(b"vestry codes", &kid, der)?);
        let secret = derived(b"vestry tickets", &kid, der)?;
        let tickets = SigningKey::from_secret(Algorithm::Hs256, &secret).map_err(broken)?;
        let tickets = (tickets, PreparedHeader::new(Algorithm::Hs256));
        Ok(Self { kid, key, verifying, session_header, template_header, codes, tickets })
    }
}

/// A symmetric key that is derived from a signing key for one use.
fn derived(label: &[u8], kid: &str, der: &[u8]) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let of_signing_key = hkdf::Salt::new(hkdf::HKDF_SHA256, label).extract(der);
    of_signing_key
        .expand(&[kid.as_bytes()], hmac::HMAC_SHA256)
        .and_then(|derived| derived.fill(&mut key))
        .map_err(|_| Error::Broken("a key cannot be derived".into()))?;
    Ok(key)
}

impl Instance {
    /// True for development instances.
    pub fn is_development(&self) -> bool {
        self.environment == EnvironmentType::Development
    }

    /// `pk_test_…` or `pk_live_…`: the frontend host in base 64.
    pub fn publishable_key(&self) -> String {
        publishable_key(&self.environment, &self.frontend_host)
    }

    /// What tells its cookies from those of other instances on the same host: as the official
    /// SDK has it (`getCookieSuffix`), the start of a digest of the publishable key.
    pub fn cookie_suffix(&self) -> String {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        use base64::{Engine as _, engine::general_purpose::URL_SAFE};
        let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.publishable_key().as_bytes());
        URL_SAFE.encode(&digest.as_ref()[..6])
    }

    /// True if its browsers are known by a token instead of a cookie: official scripts decide so by
    /// the host in the publishable key.
    pub fn has_dev_browsers(&self) -> bool {
        const DEVELOPERS: &[&str] = &[
            ".lcl.dev",
            ".stg.dev",
            ".lclstage.dev",
            ".stgstage.dev",
            ".dev.lclclerk.com",
            ".stg.lclclerk.com",
            ".accounts.lclclerk.com",
            "accountsstage.dev",
            "accounts.dev",
        ];
        let host = &self.frontend_host;
        self.is_development() && DEVELOPERS.iter().any(|end| host.ends_with(end))
    }

    /// Where its Frontend API is reached, without a slash at the end: for links, and so from what
    /// is configured, whatever host was asked. `server` is where the server itself is reached.
    pub fn url(&self, server: &str) -> String {
        let host = &self.frontend_host;
        if self.is_development() {
            // Whoever names no instance means the first one.
            return if self.is_first { server.to_owned() } else { format!("{server}/_/{host}") };
        }
        let own = url::Url::parse(server).ok();
        if own.is_some_and(|own| own.host_str() == Some(host)) {
            return server.to_owned();
        }
        let is_plain = !server.starts_with("https:") && host.ends_with("localhost");
        format!("{}://{host}", if is_plain { "http" } else { "https" })
    }

    /// Issuer of its tokens.
    pub fn issuer(&self) -> String {
        format!("https://{}", self.frontend_host)
    }
}

/// `pk_test_…` or `pk_live_…`.
pub fn publishable_key(environment: &EnvironmentType, host: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let kind = if *environment == EnvironmentType::Production { "live" } else { "test" };
    format!("pk_{kind}_{}", STANDARD.encode(format!("{host}$")))
}

#[derive(Record)]
#[record(table = "applications")]
struct ApplicationRow {
    id: Id<Application>,
    name: String,
    created_at: Timestamp,
}

#[derive(Record, Clone)]
#[record(table = "instances")]
struct InstanceRow {
    id: InstanceId,
    application_id: Id<Application>,
    environment: String,
    frontend_host: String,
    settings: String,
    clock_offset_ms: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Record)]
#[record(table = "secret_keys")]
struct SecretKeyRow {
    id: String,
    instance_id: String,
    digest: String,
    /// The key itself under the root key; development instances alone keep it.
    sealed: Option<String>,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

#[derive(Record)]
#[record(table = "signing_keys")]
struct SigningKeyRow {
    id: String,
    instance_id: String,
    /// PKCS#8, under the root key.
    sealed: String,
    /// The public half, as a JWK.
    jwk: String,
    created_at: Timestamp,
    retired_at: Option<Timestamp>,
}

/// Instances that were in use of late, by the digest of the secret key or by host.
#[derive(Default)]
pub struct Instances(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_key: HashMap<String, (Arc<Instance>, Timestamp)>,
    /// When this process changed an instance: what was read before is outdated.
    changed: HashMap<InstanceId, Timestamp>,
}

impl Instances {
    fn get(&self, key: &str) -> Option<(Arc<Instance>, Timestamp)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_key.get(key).cloned()
    }

    /// Remembers what was read after `now`.
    fn put(&self, key: &str, instance: Option<Arc<Instance>>, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = instance.as_ref().and_then(|instance| known.changed.get(&instance.id));
        let is_outdated = |changed: &Timestamp| (changed.0 - STALE_MS..=changed.0).contains(&now.0);
        let loaded = if changed.is_some_and(is_outdated) { LONG_AGO } else { now };
        let known = &mut known.by_key;
        match instance {
            Some(instance) if known.len() < REMEMBERED_MAX || known.contains_key(key) => {
                known.insert(key.to_owned(), (instance, loaded));
            }
            Some(_) => known.clear(),
            None => drop(known.remove(key)),
        }
    }

    /// Has an instance read again by whoever needs it next, since it was changed by `now`.
    pub(crate) fn refresh(&self, id: &InstanceId, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.changed.retain(|_, changed| now.0 - changed.0 < STALE_MS);
        known.changed.insert(id.clone(), now);
        let outdated = known.by_key.values_mut().filter(|(instance, _)| instance.id == *id);
        // They stay for their signing keys, which need not be opened again.
        outdated.for_each(|(_, loaded)| *loaded = LONG_AGO);
    }
}

/// The instance whose secret key this is; none if the key is unknown or was revoked.
pub async fn by_secret_key(world: &Arc<World>, key: &str) -> Result<Option<Arc<Instance>>> {
    let digest = digest_of_secret(key);
    let own = "select instance_id from secret_keys where digest = ? and revoked_at is null";
    remembered(world, digest.clone(), own, Some(digest)).await
}

/// The instance with this id.
pub async fn by_id(world: &Arc<World>, id: &InstanceId) -> Result<Option<Arc<Instance>>> {
    let own = "select id from instances where id = ?";
    remembered(world, format!("id@{id}"), own, Some(id.to_string())).await
}

/// The instance whose Frontend API is at this host, which its publishable key spells.
pub async fn by_frontend_host(world: &Arc<World>, host: &str) -> Result<Option<Arc<Instance>>> {
    // No digest has an `@`.
    let own = "select id from instances where frontend_host = ?";
    remembered(world, format!("@{host}"), own, Some(host.to_owned())).await
}

/// The instance whose Frontend API is at this host; if there is none, the server's first one.
pub async fn by_host(world: &Arc<World>, host: &str) -> Result<Option<Arc<Instance>>> {
    let host: String = host.chars().take(255).collect::<String>().to_ascii_lowercase();
    // That a host is nobody's is remembered as well: it is `localhost` as a rule.
    let key = format!("any@{host}");
    let now = (world.seeds.clock)();
    if let Some((instance, loaded)) = world.instances.get(&key)
        && (loaded.0..loaded.0 + STALE_MS).contains(&now.0)
    {
        return Ok(Some(instance));
    }
    if let Some(instance) = by_frontend_host(world, &host).await? {
        return Ok(Some(instance));
    }
    let domain = host.strip_prefix("clerk.").or_else(|| host.strip_prefix("accounts."));
    if let Some(domain) = domain
        && let Some(instance) = by_domain(world, domain).await?
    {
        return Ok(Some(instance));
    }
    let first = first(world).await?;
    world.instances.put(&key, first.clone(), now);
    Ok(first)
}

/// The production instance that has this domain, as its primary one or as a satellite.
async fn by_domain(world: &Arc<World>, name: &str) -> Result<Option<Arc<Instance>>> {
    let own = "select instance_id from domains where claim = ?";
    remembered(world, format!("domain@{name}"), own, Some(name.to_owned())).await
}

/// The instance that was made first.
pub async fn first(world: &Arc<World>) -> Result<Option<Arc<Instance>>> {
    remembered(world, "first".to_owned(), FIRST, None).await
}

/// The host that a publishable key spells.
pub fn host_of_publishable_key(key: &str) -> Result<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let encoded = key.strip_prefix("pk_test_").or_else(|| key.strip_prefix("pk_live_"));
    let encoded = encoded.map(|encoded| encoded.trim_end_matches('='));
    let bytes = encoded.and_then(|encoded| STANDARD_NO_PAD.decode(encoded).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let host = text.as_deref().and_then(|text| text.strip_suffix('$'));
    let host = host.filter(|host| !host.is_empty() && !host.contains(['$', '/', '\0']));
    let host = host.ok_or_else(|| {
        let reason = "The publishable key must be pk_test_ or pk_live_ and a host in base 64.";
        refusal::malformed_publishable_key().because(reason)
    });
    Ok(host?.to_owned())
}

/// The instance that is remembered under `key`, or the one whose id is `own` of `value`.
async fn remembered(
    world: &Arc<World>,
    key: String,
    own: &'static str,
    value: Option<String>,
) -> Result<Option<Arc<Instance>>> {
    let now = (world.seeds.clock)();
    let known = world.instances.get(&key);
    if let Some((instance, loaded)) = &known
        && (loaded.0..loaded.0 + STALE_MS).contains(&now.0)
    {
        return Ok(Some(Arc::clone(instance)));
    }
    let rows = world.everywhere("load_instance", Mode::Read, move |mut tx| {
        let value = value.clone().map(Value::Text);
        Box::pin(async move {
            let instances =
                InstanceRow::select(&tx).filter(&format!("id in ({own})"), value.clone());
            let signing = SigningKeyRow::select(&tx)
                .filter(&format!("instance_id in ({own})"), value.clone())
                .order("created_at desc, id desc");
            let of_own =
                format!("id in (select application_id from instances where id in ({own}))");
            let applications = ApplicationRow::select(&tx).filter(&of_own, value);
            let first = tx.rows(FIRST, Vec::new()).await?.into_iter().next();
            let first: Option<InstanceId> = first.map(|mut row| row.take()).transpose()?;
            Ok((tx.three(instances, signing, applications).await?, first))
        })
    });
    let known = known.map(|(instance, _)| instance);
    let ((instances, keys, applications), first) = rows.await?;
    let instance = match (instances.into_iter().next(), applications.into_iter().next()) {
        (Some(row), Some(application)) => {
            let is_first = first.is_some_and(|first| first == row.id);
            Some(open(world, (row, is_first), &keys, application.name, known.as_deref())?)
        }
        _ => None,
    };
    world.instances.put(&key, instance.clone(), now);
    Ok(instance)
}

/// Makes an instance of its rows; a signing key that is open already is not opened again.
fn open(
    world: &World,
    (row, is_first): (InstanceRow, bool),
    keys: &[SigningKeyRow],
    application_name: String,
    known: Option<&Instance>,
) -> Result<Arc<Instance>> {
    let newest = keys.iter().find(|key| key.retired_at.is_none());
    let newest = newest.ok_or_else(|| Error::Broken("an instance has no signing key".into()))?;
    let signer = match known.map(|known| &known.signer).filter(|known| known.kid == newest.id) {
        Some(signer) => Arc::clone(signer),
        None => Arc::new(open_signer(world, newest)?),
    };
    let jwks =
        keys.iter().map(|key| serde_json::from_str(&key.jwk)).collect::<serde_json::Result<_>>()?;
    let settings = Settings::parse(&row.settings)
        .map_err(|error| Error::Broken(format!("settings of {}: {error}", row.id).into()))?;
    Ok(Arc::new(Instance {
        id: row.id,
        application_name,
        environment: row.environment.as_str().into(),
        frontend_host: row.frontend_host,
        is_first,
        clock_offset_ms: row.clock_offset_ms,
        settings,
        signer,
        jwks,
    }))
}

fn open_signer(world: &World, row: &SigningKeyRow) -> Result<Signer> {
    let der = world.sealer.open(&place_of_signing_key(row), &row.sealed)?;
    Signer::new(row.id.clone(), &der)
}

fn place_of_signing_key(row: &SigningKeyRow) -> Place<'_> {
    Place { table: "signing_keys", row: &row.id, column: "sealed", instance: &row.instance_id }
}

fn place_of_secret_key(row: &SecretKeyRow) -> Place<'_> {
    Place { table: "secret_keys", row: &row.id, column: "sealed", instance: &row.instance_id }
}

/// An instance to be made.
#[derive(Clone, Debug)]
pub struct NewInstance {
    /// Name of the application it belongs to.
    pub application: String,
    /// Development or production.
    pub environment: EnvironmentType,
    /// Host of its Frontend API.
    pub frontend_host: String,
}

/// The keys that an app needs to use an instance.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The application.
    pub application_id: Id<Application>,
    /// The instance.
    pub instance_id: InstanceId,
    /// Development or production.
    pub environment: EnvironmentType,
    /// Host of its Frontend API.
    pub frontend_host: String,
    /// `pk_…`
    pub publishable_key: String,
    /// `sk_…`; known when it was just made, and to development instances later on.
    pub secret_key: Option<String>,
}

/// Makes an application with one instance.
pub async fn create(world: &Arc<World>, new: NewInstance) -> Result<Keys> {
    let generated = tokio::task::spawn_blocking(SigningKey::generate_rsa_2048).await;
    let generated = generated.map_err(|error| Error::Broken(error.into()))?;
    let (_, der) = generated.map_err(|error| Error::Broken(error.into()))?;
    create_with_key(world, new, &der).await
}

/// Makes an application with one instance that signs with an RSA key of the caller's, in PKCS#8.
pub async fn create_with_key(world: &Arc<World>, new: NewInstance, der: &[u8]) -> Result<Keys> {
    let (rows, keys) = NewRows::prepare(world, new, der)?;
    let rows = Arc::new(rows);
    world
        .everywhere("create_instance", Mode::Write, move |mut tx| {
            let rows = Arc::clone(&rows);
            Box::pin(async move { rows.insert(&mut tx).await })
        })
        .await?;
    Ok(keys)
}

/// The rows of an application with one instance.
pub(crate) struct NewRows {
    application: ApplicationRow,
    instance: InstanceRow,
    signing_key: SigningKeyRow,
    secret_key: SecretKeyRow,
    domain: DomainRow,
}

impl NewRows {
    /// Rows that are in no table yet, and the keys of the instance.
    pub(crate) fn prepare(world: &World, new: NewInstance, der: &[u8]) -> Result<(Self, Keys)> {
        let now = (world.seeds.clock)();
        let production = new.environment == EnvironmentType::Production;
        let settings = if production { Settings::production() } else { Settings::development() };
        let application =
            ApplicationRow { id: world.id(now), name: new.application, created_at: now };
        let instance = InstanceRow {
            id: world.id(now),
            application_id: application.id.clone(),
            environment: new.environment.to_string(),
            frontend_host: new.frontend_host,
            settings: serde_json::to_string(&settings)?,
            clock_offset_ms: 0,
            created_at: now,
            updated_at: now,
        };
        let signing_key = new_signing_key(world, instance.id.as_str(), now, der)?;
        let (secret_key, secret) = new_secret_key(world, &instance, now)?;
        let keys = keys_of(&instance, Some(secret));
        let owner = (&instance.id, &new.environment);
        let domain = DomainRow::of_instance(world.id(now), owner, &instance.frontend_host, now);
        Ok((Self { application, instance, signing_key, secret_key, domain }, keys))
    }

    /// Adds them to their tables.
    pub(crate) async fn insert(&self, tx: &mut Tx) -> Result<()> {
        self.application.insert(tx).await?;
        self.instance.insert(tx).await?;
        self.signing_key.insert(tx).await?;
        self.secret_key.insert(tx).await?;
        Ok(self.domain.insert(tx).await?)
    }
}

/// All instances, oldest first, with the keys that may be shown.
pub async fn list(world: &Arc<World>) -> Result<Vec<Keys>> {
    let (instances, keys) = world
        .everywhere("list_instances", Mode::Read, |mut tx| {
            Box::pin(async move {
                let instances = InstanceRow::select(&tx).order("created_at, id");
                let keys = SecretKeyRow::select(&tx)
                    .filter("revoked_at is null", [])
                    .order("created_at desc, id desc");
                Ok(tx.both(instances, keys).await?)
            })
        })
        .await?;
    let shown = instances.iter().map(|instance| {
        let newest = keys.iter().find(|key| key.instance_id == instance.id.as_str());
        let secret = newest.and_then(|key| {
            let sealed = key.sealed.as_deref()?;
            Some(world.sealer.open(&place_of_secret_key(key), sealed))
        });
        let secret = secret.transpose()?.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(keys_of(instance, secret))
    });
    shown.collect()
}

/// Gives an instance a new secret key; the ones before it are worth nothing from then on.
pub async fn rotate_key(world: &Arc<World>, id: &InstanceId) -> Result<Keys> {
    let now = (world.seeds.clock)();
    let wanted = id.clone();
    let instance = world.everywhere("rotate_key", Mode::Read, move |mut tx| {
        let wanted = wanted.clone();
        Box::pin(async move { Ok(InstanceRow::find(&mut tx, &wanted).await?) })
    });
    let instance = instance.await?.ok_or_else(|| {
        refusal::resource_not_found().because(format!("No instance was found with id {id}"))
    })?;
    let (key, secret) = new_secret_key(world, &instance, now)?;
    let keys = keys_of(&instance, Some(secret));
    let key = Arc::new(key);
    world
        .everywhere("rotate_key", Mode::Write, move |mut tx| {
            let key = Arc::clone(&key);
            Box::pin(async move { replace_key(&mut tx, &key).await })
        })
        .await?;
    Ok(keys)
}

/// What becomes of the clock of a development instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// It runs ahead by so many milliseconds more.
    Advance(i64),
    /// It goes with the server's again.
    Reset,
}

/// By how much the clock may run ahead: ten years.
const CLOCK_OFFSET_MAX: i64 = 10 * 366 * 24 * 3600 * 1000;

/// By how many milliseconds the clock of an instance runs ahead, after `change`.
pub async fn clock(
    world: &Arc<World>,
    id: &InstanceId,
    change: Option<ClockChange>,
) -> Result<i64> {
    let (wanted, now) = (id.clone(), (world.seeds.clock)());
    let mode = if change.is_some() { Mode::Write } else { Mode::Read };
    let offset = world.everywhere("instance_clock", mode, move |mut tx| {
        let wanted = wanted.clone();
        Box::pin(async move {
            let row = InstanceRow::find(&mut tx, &wanted).await?;
            let mut row = row.ok_or_else(|| {
                refusal::resource_not_found()
                    .because(format!("No instance was found with id {wanted}"))
            })?;
            let Some(change) = change else {
                return Ok(row.clock_offset_ms);
            };
            if row.environment != EnvironmentType::Development.as_str() {
                let reason = "Only the clock of a development instance can be moved.";
                return Err(refusal::request_invalid_for_environment().because(reason).into());
            }
            row.clock_offset_ms = match change {
                ClockChange::Advance(by) => row.clock_offset_ms.saturating_add(by),
                ClockChange::Reset => 0,
            };
            if !(0..=CLOCK_OFFSET_MAX).contains(&row.clock_offset_ms) {
                let reason = "A clock runs ahead by ten years at most, and never behind.";
                return Err(refusal::form_param_value_invalid().because(reason).into());
            }
            row.updated_at = now;
            row.update(&mut tx).await?;
            Ok(row.clock_offset_ms)
        })
    });
    let offset = offset.await?;
    world.instances.refresh(id, (world.seeds.clock)());
    Ok(offset)
}

async fn replace_key(tx: &mut Tx, key: &SecretKeyRow) -> Result<()> {
    let sql = "update secret_keys set revoked_at = $1, sealed = null
               where instance_id = $2 and revoked_at is null";
    let values = vec![Value::Int(key.created_at.0), Value::Text(key.instance_id.clone())];
    tx.execute(sql, values).await?;
    Ok(key.insert(tx).await?)
}

fn keys_of(instance: &InstanceRow, secret_key: Option<String>) -> Keys {
    let environment = EnvironmentType::from(instance.environment.as_str());
    Keys {
        application_id: instance.application_id.clone(),
        instance_id: instance.id.clone(),
        publishable_key: publishable_key(&environment, &instance.frontend_host),
        environment,
        frontend_host: instance.frontend_host.clone(),
        secret_key,
    }
}

fn new_secret_key(
    world: &World,
    instance: &InstanceRow,
    now: Timestamp,
) -> Result<(SecretKeyRow, String)> {
    let development = instance.environment == EnvironmentType::Development.as_str();
    let prefix = if development { "sk_test_" } else { "sk_live_" };
    let secret = format!("{prefix}{}", world.secret());
    let id: Id<Application> = world.id(now);
    let mut row = SecretKeyRow {
        id: id.as_str().replacen("app_", "key_", 1),
        instance_id: instance.id.to_string(),
        digest: digest_of_secret(&secret),
        sealed: None,
        created_at: now,
        revoked_at: None,
    };
    if development {
        row.sealed = Some(world.sealer.seal(&place_of_secret_key(&row), secret.as_bytes())?);
    }
    Ok((row, secret))
}

fn new_signing_key(
    world: &World,
    instance_id: &str,
    now: Timestamp,
    der: &[u8],
) -> Result<SigningKeyRow> {
    let key = SigningKey::from_pkcs8(Algorithm::Rs256, der)
        .map_err(|error| Error::Broken(error.into()))?;
    let jwk = key.jwk().ok_or_else(|| Error::Broken("a key without a public half".into()))?;
    let jwk = Jwk {
        r#use: "sig".to_owned(),
        kty: jwk.kty,
        kid: instance_id.to_owned(),
        alg: jwk.alg.unwrap_or_default(),
        n: jwk.n,
        e: jwk.e,
        crv: None,
        x: None,
        y: None,
        x5c: None,
        x5t: None,
        x5u: None,
    };
    let mut row = SigningKeyRow {
        id: instance_id.to_owned(),
        instance_id: instance_id.to_owned(),
        sealed: String::new(),
        jwk: serde_json::to_string(&jwk)?,
        created_at: now,
        retired_at: None,
    };
    row.sealed = world.sealer.seal(&place_of_signing_key(&row), der)?;
    Ok(row)
}
