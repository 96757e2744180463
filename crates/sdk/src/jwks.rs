//! The public keys of an issuer, fetched seldom and kept a while.
//!
//! One value per source, so a key of one instance never verifies a token of another, even where
//! both give their keys the same name.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jwt::{Jwk, Token, VerifyingKey};
use serde::Deserialize;

use crate::session_token::{Clock, Reason, TokenError};

/// How long a fetched key is good.
const TTL_MS: i64 = 5 * 60 * 1000;
/// A name nobody knows makes the keys be fetched again, but not more often than this.
const UNKNOWN_KID_PAUSE_MS: i64 = 30 * 1000;
/// After a failure the next caller waits this long, then twice as long each time.
const FAILURE_PAUSE_MS: i64 = 1000;
const FAILURE_PAUSE_DOUBLINGS_MAX: u32 = 4;
const BODY_BYTES_MAX: usize = 1024 * 1024;
const KEYS_MAX: usize = 64;
const TRIES_MAX: u32 = 5;
const FIRST_DELAY_MS: u64 = 125;

/// A key set and where it comes from.
pub(crate) struct Jwks {
    url: String,
    secret_key: Option<String>,
    http: reqwest::Client,
    timeout: Duration,
    loaded: RwLock<Option<Loaded>>,
    /// Whoever holds it fetches; the others wait, then find the keys.
    attempts: tokio::sync::Mutex<Attempts>,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<[Named]>,
    at_ms: i64,
}

struct Named {
    kid: String,
    key: Arc<VerifyingKey>,
}

#[derive(Default)]
struct Attempts {
    last_at_ms: Option<i64>,
    failures: u32,
    last_error: Option<TokenError>,
}

/// What is known without asking anybody.
pub(crate) enum Cached {
    Key(Arc<VerifyingKey>),
    /// The keys are fresh, and the token names another.
    UnknownKid,
    /// There are no keys, or they are too old.
    Absent,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Jwks {
    pub(crate) fn new(
        url: String,
        secret_key: Option<String>,
        timeout: Duration,
    ) -> Result<Self, TokenError> {
        // A key set that moved is one that somebody moved.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(format!("No connection can be made: {error}")))?;
        let (loaded, attempts) = (RwLock::default(), tokio::sync::Mutex::default());
        Ok(Self { url, secret_key, http, timeout, loaded, attempts })
    }

    /// The key of `token`, if it is at hand.
    pub(crate) fn cached(&self, token: &Token<'_>, now_ms: i64) -> Cached {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let Some(loaded) = loaded.as_ref() else { return Cached::Absent };
        // A clock that was set back must not make keys live longer.
        if !(loaded.at_ms..loaded.at_ms.saturating_add(TTL_MS)).contains(&now_ms) {
            return Cached::Absent;
        }
        let known = loaded.keys.iter().find(|named| named.key.knows_header(token.header_text()));
        let named = known.or_else(|| {
            let kid = token.header_unverified().ok()?.kid?;
            loaded.keys.iter().find(|named| named.kid == kid)
        });
        named.map_or(Cached::UnknownKid, |named| Cached::Key(Arc::clone(&named.key)))
    }

    /// The key of `token`, fetched if need be and allowed.
    pub(crate) async fn key(
        &self,
        token: &Token<'_>,
        clock: &Clock,
        skip_cache: bool,
    ) -> Result<Arc<VerifyingKey>, TokenError> {
        if !skip_cache && let Cached::Key(key) = self.cached(token, clock()) {
            return Ok(key);
        }
        let mut attempts = self.attempts.lock().await;
        let now_ms = clock();
        if !skip_cache {
            match self.cached(token, now_ms) {
                Cached::Key(key) => return Ok(key),
                Cached::UnknownKid if attempts.rests(now_ms, UNKNOWN_KID_PAUSE_MS) => {
                    return Err(unknown_kid());
                }
                Cached::Absent if attempts.rests(now_ms, attempts.pause_ms()) => {
                    return Err(attempts.refusal());
                }
                Cached::UnknownKid | Cached::Absent => {}
            }
        }
        // Counted before it is made, because a caller may give up in the middle.
        attempts.last_at_ms = Some(now_ms);
        attempts.failures = attempts.failures.saturating_add(1);
        match self.fetch().await {
            Ok(keys) => {
                *attempts = Attempts { last_at_ms: Some(now_ms), ..Attempts::default() };
                let loaded = Loaded { keys, at_ms: now_ms };
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded);
            }
            Err(error) => {
                attempts.last_error = Some(error.clone());
                return Err(error);
            }
        }
        match self.cached(token, now_ms) {
            Cached::Key(key) => Ok(key),
            Cached::UnknownKid | Cached::Absent => Err(unknown_kid()),
        }
    }

    async fn fetch(&self) -> Result<Arc<[Named]>, TokenError> {
        tokio::time::timeout(self.timeout, self.fetch_patiently())
            .await
            .unwrap_or_else(|_| Err(failed("The key set did not arrive in time.")))
    }

    async fn fetch_patiently(&self) -> Result<Arc<[Named]>, TokenError> {
        let mut tries = 0;
        loop {
            match self.fetch_once().await {
                Err(Failure::Passing(error)) => {
                    tries += 1;
                    if tries == TRIES_MAX {
                        return Err(error);
                    }
                    let delay = Duration::from_millis(FIRST_DELAY_MS << (tries - 1));
                    tokio::time::sleep(delay).await;
                }
                Err(Failure::Lasting(error)) => return Err(error),
                Ok(keys) => return Ok(keys),
            }
        }
    }

    async fn fetch_once(&self) -> Result<Arc<[Named]>, Failure> {
        let mut request = self
            .http
            .get(&self.url)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("user-agent", concat!("vestry-sdk/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = &self.secret_key {
            request = request.bearer_auth(key);
        }
        let unreachable = |_| Failure::Passing(failed("The key set cannot be reached."));
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(Failure::Lasting(failed("The key set is too large.")));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return keys(&body).map_err(Failure::Lasting);
        }
        let error = refusal(status.as_u16(), &body);
        let passing = status.is_server_error() || status.as_u16() == 429;
        Err(if passing { Failure::Passing(error) } else { Failure::Lasting(error) })
    }
}

enum Failure {
    /// Worth another try.
    Passing(TokenError),
    Lasting(TokenError),
}

impl Attempts {
    fn rests(&self, now_ms: i64, pause_ms: i64) -> bool {
        self.last_at_ms.is_some_and(|at| (at..at.saturating_add(pause_ms)).contains(&now_ms))
    }

    /// None after a success: the keys were simply too old.
    fn pause_ms(&self) -> i64 {
        match self.failures {
            0 => 0,
            failures => FAILURE_PAUSE_MS << (failures - 1).min(FAILURE_PAUSE_DOUBLINGS_MAX),
        }
    }

    fn refusal(&self) -> TokenError {
        self.last_error.clone().unwrap_or_else(|| failed("The key set cannot be reached."))
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

fn keys(body: &[u8]) -> Result<Arc<[Named]>, TokenError> {
    let set: KeySet =
        serde_json::from_slice(body).map_err(|_| failed("The answer is no key set."))?;
    // Keys of kinds to come are no reason to refuse those we know.
    let keys: Arc<[Named]> = set.keys.into_iter().take(KEYS_MAX).filter_map(named).collect();
    if keys.is_empty() { Err(failed("The key set holds no key.")) } else { Ok(keys) }
}

fn named(value: serde_json::Value) -> Option<Named> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let key = VerifyingKey::from_jwk(&jwk).ok()?;
    Some(Named { kid: jwk.kid?, key: Arc::new(key) })
}

fn refusal(status: u16, body: &[u8]) -> TokenError {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if body["errors"][0]["code"] == "clerk_key_invalid" {
        return TokenError::new(Reason::SecretKeyInvalid, "The secret key is invalid.")
            .action("Copy the secret key of the instance again.");
    }
    failed(format!("The key set was refused with status {status}."))
}

fn failed(message: impl Into<String>) -> TokenError {
    TokenError::new(Reason::JwkRemoteFailedToLoad, message)
        .action("Check the API URL and the secret key, or hand in the PEM of the key.")
}

/// Names no other key: who asks may be a stranger.
fn unknown_kid() -> TokenError {
    TokenError::new(Reason::JwkKidMismatch, "No key of the instance has the name in the token.")
        .action("Check that the keys are those of the instance the token comes from.")
}
