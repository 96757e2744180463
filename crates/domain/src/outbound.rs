//! Pages of others that an operation has to look at, fetched within bounds by whoever runs the
//! server.

use std::sync::Arc;

use db::BoxFuture;
use tokio::sync::Semaphore;
use url::Url;
use wire::refusal;

use crate::{Outside, Result, password::RemoteError};

/// At most this many pages are fetched at a time.
const FETCHES_MAX: usize = 16;

/// A page that is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Errand {
    /// Where it is.
    pub url: Url,
    /// A form that is sent to it; without one it is fetched.
    pub form: Option<String>,
}

impl std::fmt::Debug for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Errand(..)")
    }
}

impl From<Url> for Errand {
    fn from(url: Url) -> Self {
        Self { url, form: None }
    }
}

/// A page, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Fetches a page without credentials but those of a form, without following redirects, within bounds of time and
/// size, and never from addresses that are private to the server unless its operator allows it.
pub type Fetch =
    dyn Fn(Errand) -> BoxFuture<std::result::Result<Fetched, RemoteError>> + Send + Sync;

/// The way out, for what must be fetched.
pub struct Outbound {
    fetch: Option<Arc<Fetch>>,
    fetching: Semaphore,
}

impl Default for Outbound {
    fn default() -> Self {
        Self { fetch: None, fetching: Semaphore::new(FETCHES_MAX) }
    }
}

impl Outbound {
    /// Through `fetch`.
    pub fn through(fetch: Arc<Fetch>) -> Self {
        Self { fetch: Some(fetch), ..Self::default() }
    }
}

impl Outside {
    /// The page that is asked for; none if it cannot be had, for whatever reason.
    pub(crate) async fn fetch(&self, errand: impl Into<Errand>) -> Result<Option<Fetched>> {
        let outbound = &self.world.outbound;
        let full = |_| refusal::too_many_requests().retry_after(2);
        let _permit = outbound.fetching.try_acquire().map_err(full)?;
        match &outbound.fetch {
            Some(fetch) => Ok(fetch(errand.into()).await.ok()),
            None => Ok(None),
        }
    }
}
