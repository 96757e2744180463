//! Applications, their instances, and the keys that name one.
//!
//! The only resource that reads across instances: everything else is kept within one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use db::{Mode, Record, Tx, Value};
use jwt::SigningKey;
use macros::Record;
use wire::{
    Id, Kind, Timestamp,
    backend::{
        instance::{EnvironmentType, Instance as InstanceResource},
        jwks::Jwk,
    },
    refusal,
};

use crate::{Error, Result, Settings, World, seal::digest_of_secret};

/// Id of an instance; also the key id of its first signing key.
pub type InstanceId = Id<InstanceResource>;

/// How long a change of an instance may go unnoticed by a node, in milliseconds.
const STALE_MS: i64 = 1000;
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
    /// Development or production.
    pub environment: EnvironmentType,
    /// Host of its Frontend API, which its publishable key spells.
    pub frontend_host: String,
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
pub struct Instances(Mutex<HashMap<String, (Arc<Instance>, Timestamp)>>);

impl Instances {
    fn get(&self, key: &str) -> Option<(Arc<Instance>, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: &str, instance: Option<Arc<Instance>>, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match instance {
            Some(instance) if known.len() < REMEMBERED_MAX || known.contains_key(key) => {
                known.insert(key.to_owned(), (instance, now));
            }
            Some(_) => known.clear(),
            None => drop(known.remove(key)),
        }
    }
}
