//! Verifying session tokens, with a PEM key or with the key set of the instance.
//!
//! Reasons are the words of the official JavaScript SDK. Claims are looked at after the signature,
//! so a forged token always fails the same way.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, alphabet, engine};
use jwt::{Algorithm, Header, Token, VerifyingKey, category};

use crate::{
    claims::Claims,
    jwks::{Cached, Jwks},
};

/// What time it is, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

const DEFAULT_API_URL: &str = "https://api.clerk.com";
const DEFAULT_CLOCK_SKEW_MS: i64 = 5_000;
const DEFAULT_JWKS_TIMEOUT: Duration = Duration::from_secs(2);
/// How many key sets [`verify_token`] remembers.
const SHARED_MAX: usize = 64;

/// Why a token is refused; the texts are those of the official JavaScript SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `exp` is over.
    TokenExpired,
    /// Not a token, or one of another class.
    TokenInvalid,
    /// Not signed as the key signs.
    TokenInvalidAlgorithm,
    /// `azp` is not among the authorized parties.
    TokenInvalidAuthorizedParties,
    /// `iss` is another issuer.
    TokenInvalidIssuer,
    /// The signature is wrong.
    TokenInvalidSignature,
    /// `nbf` lies ahead.
    TokenNotActiveYet,
    /// `iat` lies ahead.
    TokenIatInTheFuture,
    /// A claim is missing or of the wrong type, or the audience is another.
    TokenVerificationFailed,
    /// The server does not know the secret key.
    SecretKeyInvalid,
    /// The publishable key cannot be read.
    PublishableKeyInvalid,
    /// The PEM holds no key.
    JwkLocalMissing,
    /// Neither a PEM nor a secret key was given.
    JwkFailedToResolve,
    /// The key set could not be fetched.
    JwkRemoteFailedToLoad,
    /// The key set has no key of the name in the token.
    JwkKidMismatch,
}

impl Reason {
    /// The reason as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token-expired",
            Self::TokenInvalid => "token-invalid",
            Self::TokenInvalidAlgorithm => "token-invalid-algorithm",
            Self::TokenInvalidAuthorizedParties => "token-invalid-authorized-parties",
            Self::TokenInvalidIssuer => "token-invalid-issuer",
            Self::TokenInvalidSignature => "token-invalid-signature",
            Self::TokenNotActiveYet => "token-not-active-yet",
            Self::TokenIatInTheFuture => "token-iat-in-the-future",
            Self::TokenVerificationFailed => "token-verification-failed",
            Self::SecretKeyInvalid => "secret-key-invalid",
            Self::PublishableKeyInvalid => "publishable-key-invalid",
            Self::JwkLocalMissing => "jwk-local-missing",
            Self::JwkFailedToResolve => "jwk-failed-to-resolve",
            Self::JwkRemoteFailedToLoad => "jwk-remote-failed-to-load",
            Self::JwkKidMismatch => "jwk-kid-mismatch",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// What can be done about it.
    pub action: Option<&'static str>,
}

impl TokenError {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), action: None }
    }

    pub(crate) fn action(self, action: &'static str) -> Self {
        Self { action: Some(action), ..self }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.message)?;
        if let Some(action) = self.action {
            write!(f, "{action} ")?;
        }
        write!(f, "(reason={})", self.reason)
    }
}

impl std::error::Error for TokenError {}

impl From<jwt::TokenError> for TokenError {
    fn from(error: jwt::TokenError) -> Self {
        let reason = match error {
            jwt::TokenError::Form | jwt::TokenError::Encoding | jwt::TokenError::Extension => {
                Reason::TokenInvalid
            }
            jwt::TokenError::Algorithm => Reason::TokenInvalidAlgorithm,
            jwt::TokenError::Signature => Reason::TokenInvalidSignature,
        };
        Self::new(reason, format!("Invalid JWT: {error}."))
    }
}

/// Which classes of token are accepted; each class refuses all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// Session tokens.
    #[default]
    Session,
    /// Session tokens, and what an instance makes from templates for the same users.
    SessionAndTemplate,
    /// Tokens of one machine for another.
    Machine,
    /// Access tokens of OAuth applications (`typ` is `at+jwt`).
    OAuthAccess,
}

/// How tokens are verified.
#[derive(Clone)]
pub struct Options {
    /// The public key in PEM, so that nothing is fetched.
    pub jwt_key: Option<String>,
    /// The secret key the key set is fetched with.
    pub secret_key: Option<String>,
    /// Where the Backend API is.
    pub api_url: String,
    /// Where the key set is, if not at the Backend API; it is fetched without the secret key.
    pub jwks_url: Option<String>,
    /// Names the instance, whose tokens alone are accepted then.
    pub publishable_key: Option<String>,
    /// Fetches the keys for every token.
    pub skip_jwks_cache: bool,
    /// How long the key set may take in all.
    pub jwks_timeout: Duration,
    /// How far clocks may differ, in milliseconds.
    pub clock_skew_ms: i64,
    /// A token with audiences must have one of these; empty accepts all.
    pub audience: Vec<String>,
    /// A token must come from one of these origins; empty accepts all.
    pub authorized_parties: Vec<String>,
    /// A token must be made by one of these; empty accepts all.
    pub issuer: Vec<String>,
    /// Which classes of token are accepted.
    pub accept: Accept,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jwt_key: None,
            secret_key: None,
            api_url: DEFAULT_API_URL.to_owned(),
            jwks_url: None,
            publishable_key: None,
            skip_jwks_cache: false,
            jwks_timeout: DEFAULT_JWKS_TIMEOUT,
            clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
            audience: Vec::new(),
            authorized_parties: Vec::new(),
            issuer: Vec::new(),
            accept: Accept::Session,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// Verifies tokens; keep it, because it keeps the keys.
///
/// # Examples
/// ```
/// use vestry_sdk::session_token::{Options, Reason, Verifier};
///
/// # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
/// let options = Options { secret_key: Some("sk_test_…".into()), ..Options::default() };
/// let verifier = Verifier::new(options).expect("a verifier");
/// let refused = verifier.verify("no token").await.expect_err("refused");
/// assert_eq!(refused.reason, Reason::TokenInvalid);
/// # });
/// ```
pub struct Verifier {
    options: Options,
    source: Source,
    clock: Clock,
}

enum Source {
    Local(Arc<VerifyingKey>),
    Remote(Arc<Jwks>),
    Nowhere,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Verifies one token; key sets are remembered from call to call, PEM keys are not.
pub async fn verify_token(token: &str, options: &Options) -> Result<Claims, TokenError> {
    Verifier::build(options.clone(), shared)?.verify(token).await
}

/// The clock of the machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the one place where the SDK asks")]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

impl Verifier {
    /// A verifier with a cache of its own.
    pub fn new(options: Options) -> Result<Self, TokenError> {
        Self::build(options, |url, secret_key, timeout| {
            Jwks::new(url, secret_key, timeout).map(Arc::new)
        })
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    fn build(
        mut options: Options,
        jwks: impl FnOnce(String, Option<String>, Duration) -> Result<Arc<Jwks>, TokenError>,
    ) -> Result<Self, TokenError> {
        if let Some(key) = &options.publishable_key {
            let host = frontend_host(key).ok_or_else(|| {
                TokenError::new(Reason::PublishableKeyInvalid, "The publishable key is invalid.")
            })?;
            options.issuer.push(format!("https://{host}"));
        }
        for list in [&mut options.issuer, &mut options.audience, &mut options.authorized_parties] {
            // An unset variable must not stand for an accepted value.
            list.retain(|entry| !entry.is_empty());
        }
        let timeout = options.jwks_timeout;
        let source = if let Some(pem) = &options.jwt_key {
            let key = VerifyingKey::from_rsa_pem(Algorithm::Rs256, pem).map_err(|error| {
                TokenError::new(Reason::JwkLocalMissing, format!("The PEM is unusable: {error}."))
            })?;
            Source::Local(Arc::new(key))
        } else if let Some(url) = options.jwks_url.clone() {
            Source::Remote(jwks(url, None, timeout)?)
        } else if let Some(key) = options.secret_key.clone() {
            let url = format!("{}/v1/jwks", options.api_url.trim_end_matches('/'));
            Source::Remote(jwks(url, Some(key), timeout)?)
        } else {
            Source::Nowhere
        };
        Ok(Self { options, source, clock: system_clock() })
    }

    /// Verifies `token`, fetching keys where they are missing.
    pub async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        if let Some(outcome) = self.verify_cached(token) {
            return outcome;
        }
        let Source::Remote(jwks) = &self.source else { return Err(no_source()) };
        let token = Token::split(token)?;
        let key = jwks.key(&token, &self.clock, self.options.skip_jwks_cache).await?;
        self.verify_with(&key, &token)
    }

    /// Verifies `token` without waiting for anything; `None` where keys have to be fetched first.
    pub fn verify_cached(&self, token: &str) -> Option<Result<Claims, TokenError>> {
        let token = match Token::split(token) {
            Ok(token) => token,
            Err(error) => return Some(Err(error.into())),
        };
        match &self.source {
            Source::Local(key) => Some(self.verify_with(key, &token)),
            Source::Remote(jwks) => {
                if !self.options.skip_jwks_cache
                    && let Cached::Key(key) = jwks.cached(&token, (self.clock)())
                {
                    return Some(self.verify_with(&key, &token));
                }
                // What can never be accepted is not worth a fetch.
                let header = token.header_unverified().map_err(TokenError::from);
                header.and_then(|header| self.check_header(&header)).err().map(Err)
            }
            Source::Nowhere => Some(Err(no_source())),
        }
    }

    fn verify_with(&self, key: &VerifyingKey, token: &Token<'_>) -> Result<Claims, TokenError> {
        if !key.knows_header(token.header_text()) {
            self.check_header(&token.header_unverified()?)?;
        }
        let verified = key.verify_token(token)?;
        // Another verifier of the same keys may have accepted this header by other rules.
        self.check_header(&verified.header)?;
        let claims = Claims::parse(&verified.payload).ok_or_else(|| {
            TokenError::new(Reason::TokenInvalid, "The claims of the JWT could not be decoded.")
        })?;
        self.check_class(&verified.header, &claims)?;
        self.check_claims(&claims)?;
        Ok(claims)
    }

    /// Class, type and algorithm, in this order.
    fn check_header(&self, header: &Header) -> Result<(), TokenError> {
        let invalid = |message: &str| Err(TokenError::new(Reason::TokenInvalid, message));
        let class_fits = match header.cat.as_deref() {
            None | Some(category::IGNORE) => true,
            Some(category::SESSION) => {
                matches!(self.options.accept, Accept::Session | Accept::SessionAndTemplate)
            }
            Some(category::TEMPLATE) => self.options.accept == Accept::SessionAndTemplate,
            Some(category::MACHINE) => self.options.accept == Accept::Machine,
            Some(_) => false,
        };
        if !class_fits {
            return invalid("The JWT is of a class that is not accepted here.");
        }
        let type_fits = match (self.options.accept, header.typ.as_deref()) {
            (Accept::OAuthAccess, typ) => {
                matches!(typ, Some("at+jwt" | "application/at+jwt"))
            }
            (_, typ) => matches!(typ, None | Some("JWT")),
        };
        if !type_fits {
            return invalid("The JWT is of a type that is not accepted here.");
        }
        match header.alg.parse::<Algorithm>() {
            Ok(algorithm) if algorithm.is_rsa() => Ok(()),
            _ => Err(TokenError::new(
                Reason::TokenInvalidAlgorithm,
                "The algorithm of the JWT is not supported.",
            )),
        }
    }

    /// What tells the classes apart where the header does not.
    fn check_class(&self, header: &Header, claims: &Claims) -> Result<(), TokenError> {
        let named = |id: &Option<String>, prefix: &str| {
            id.as_deref().is_some_and(|id| id.starts_with(prefix))
        };
        let fits = match self.options.accept {
            Accept::Session => claims.sid.is_some(),
            Accept::SessionAndTemplate => {
                claims.sid.is_some() || header.cat.as_deref() == Some(category::TEMPLATE)
            }
            Accept::Machine => claims.sub.starts_with("mch_") && claims.sid.is_none(),
            Accept::OAuthAccess => {
                named(&claims.jti, "oat_") && claims.extra.contains_key("client_id")
            }
        };
        if fits || claims.sub.is_empty() {
            return Ok(());
        }
        Err(TokenError::new(
            Reason::TokenInvalid,
            "The JWT is of a class that is not accepted here.",
        ))
    }

    fn check_claims(&self, claims: &Claims) -> Result<(), TokenError> {
        let failed = |message: &str| Err(TokenError::new(Reason::TokenVerificationFailed, message));
        // A claim of a wrong type is left over in `extra`.
        let broken = |name: &str| claims.extra.contains_key(name);
        if claims.sub.is_empty() {
            return failed("The subject claim (sub) must be a text.");
        }
        self.check_audience(claims)?;
        let parties = &self.options.authorized_parties;
        if !parties.is_empty() && !claims.azp.as_ref().is_some_and(|azp| parties.contains(azp)) {
            return Err(TokenError::new(
                Reason::TokenInvalidAuthorizedParties,
                "The authorized party claim (azp) is none of the authorized parties.",
            ));
        }
        let issuers = &self.options.issuer;
        if !issuers.is_empty() && !claims.iss.as_ref().is_some_and(|iss| issuers.contains(iss)) {
            return Err(TokenError::new(
                Reason::TokenInvalidIssuer,
                "The issuer claim (iss) is another issuer.",
            ));
        }
        if broken("exp") || claims.exp == 0 {
            return failed("The expiry claim (exp) must be a number.");
        }
        if broken("nbf") {
            return failed("The not before claim (nbf) must be a number.");
        }
        if broken("iat") {
            return failed("The issued at claim (iat) must be a number.");
        }
        self.check_times(claims)
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        let wanted = &self.options.audience;
        if wanted.is_empty() {
            return Ok(());
        }
        // Session tokens seldom have an audience; an access token is always for somebody.
        let may_lack = self.options.accept != Accept::OAuthAccess;
        let has_any = claims.aud.iter().any(|audience| !audience.is_empty());
        let lacks = !has_any && !claims.extra.contains_key("aud");
        if (lacks && may_lack) || claims.aud.iter().any(|audience| wanted.contains(audience)) {
            return Ok(());
        }
        Err(TokenError::new(
            Reason::TokenVerificationFailed,
            "The audience claim (aud) is none of the expected audiences.",
        ))
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenError> {
        let now_ms = (self.clock)();
        let skew_ms = self.options.clock_skew_ms.max(0);
        let ahead = |seconds: Option<i64>| {
            seconds.is_some_and(|at| at.saturating_mul(1000) > now_ms.saturating_add(skew_ms))
        };
        if claims.exp.saturating_mul(1000) <= now_ms.saturating_sub(skew_ms) {
            return Err(TokenError::new(
                Reason::TokenExpired,
                format!("The JWT expired at {} and it is {}.", claims.exp, now_ms / 1000),
            ));
        }
        if ahead(claims.nbf) {
            return Err(TokenError::new(
                Reason::TokenNotActiveYet,
                "The JWT cannot be used before its not before date (nbf).",
            ));
        }
        if ahead(claims.iat) {
            return Err(TokenError::new(
                Reason::TokenIatInTheFuture,
                "The JWT was issued in the future (iat).",
            ));
        }
        Ok(())
    }
}

fn no_source() -> TokenError {
    TokenError::new(Reason::JwkFailedToResolve, "There is no key to verify the JWT with.")
        .action("Set the secret key, or the PEM of the public key.")
}

/// The host inside a publishable key.
fn frontend_host(key: &str) -> Option<String> {
    const EITHER: engine::GeneralPurpose = engine::GeneralPurpose::new(
        &alphabet::STANDARD,
        engine::GeneralPurposeConfig::new()
            .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
    );
    let encoded = key.strip_prefix("pk_test_").or_else(|| key.strip_prefix("pk_live_"))?;
    let text = String::from_utf8(EITHER.decode(encoded).ok()?).ok()?;
    let host = text.strip_suffix('$')?;
    (host.contains('.') && !host.contains('$')).then(|| host.to_owned())
}

/// The key sets of [`verify_token`], the least recently made first.
static SHARED: Mutex<Vec<(SharedId, Arc<Jwks>)>> = Mutex::new(Vec::new());

type SharedId = (String, Option<String>);

fn shared(
    url: String,
    secret_key: Option<String>,
    timeout: Duration,
) -> Result<Arc<Jwks>, TokenError> {
    let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let id = (url.clone(), secret_key.clone());
    if let Some((_, jwks)) = all.iter().find(|(other, _)| *other == id) {
        return Ok(Arc::clone(jwks));
    }
    let jwks = Arc::new(Jwks::new(url, secret_key, timeout)?);
    if all.len() == SHARED_MAX {
        all.remove(0);
    }
    all.push((id, Arc::clone(&jwks)));
    Ok(jwks)
}
