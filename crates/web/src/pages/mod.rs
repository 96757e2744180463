//! What browsers open on the server itself: the official scripts, the account portal, and on a
//! development server the start page and the inbox.

mod claim;
pub mod environment;
mod html;
mod inbox;
mod portal;
mod scripts;
mod start;
mod version;

use std::{path::PathBuf, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, Response},
};
use domain::{
    Result, World,
    instances::{self, Keys},
};
use tokio::sync::Semaphore;
use wire::backend::instance::EnvironmentType;

pub use scripts::PACKAGES;
pub use version::Version;

use crate::authenticate::host;
use scripts::Scripts;

/// What the components of the newest SDKs are made of.
const COMPONENTS: [(&str, &str); 2] = [("@clerk/clerk-js", "6"), ("@clerk/ui", "1")];
/// Requests that wait for a message at once.
const WAITING_MAX: usize = 256;

/// What a server has for browsers.
pub struct Pages {
    scripts: Scripts,
    /// Start page and inbox, which show secrets to whoever reaches them.
    development: bool,
    waiting: Semaphore,
}

impl Pages {
    /// Scripts are those in `folder`; a `development` server has a start page and an inbox.
    pub fn new(folder: Option<PathBuf>, development: bool) -> Self {
        Self { scripts: Scripts::new(folder), development, waiting: Semaphore::new(WAITING_MAX) }
    }
}

/// A request for something to look at.
pub(crate) struct Asked<'a> {
    /// The path, without what proxies put before it.
    pub(crate) path: &'a str,
    /// What a proxy put before it.
    pub(crate) prefix: &'a str,
    /// The host that names the instance, if the path does.
    pub(crate) host: Option<&'a str>,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    /// A form was sent.
    pub(crate) posts: bool,
    /// The server is about to stop.
    pub(crate) stopping: &'a (dyn Fn() -> bool + Sync),
}

/// True for what browsers may ask for with this method.
pub(crate) fn is_asked(method: &str, path: &str) -> bool {
    matches!(method, "GET" | "HEAD") || method == "POST" && path == claim::PATH
}

/// What belongs to neither API and is for browsers; nothing if it is something else.
///
/// `trace` takes the name of what was asked for.
pub(crate) async fn serve(
    pages: &Pages,
    world: &Arc<World>,
    asked: &Asked<'_>,
    trace: &mut &'static str,
) -> Option<Result<Response<Body>>> {
    let now = (world.seeds.clock)().0;
    let (name, answer) = match asked.path {
        path if path.starts_with("/npm/") => {
            let answer = pages.scripts.serve(&path["/npm/".len()..], asked.headers, now).await;
            ("GetScript", answer)
        }
        path if path.starts_with("/assets/") => {
            ("GetAsset", Ok(html::asset(&path["/assets/".len()..], asked.headers)?))
        }
        path if path.starts_with("/apps/") => {
            ("GetApplicationPage", claim::serve(world, asked).await)
        }
        "/" | "/inbox" | "/dev/inbox" if pages.development => {
            if !html::is_named_locally(asked.headers) {
                return Some(Ok(html::elsewhere()));
            }
            let keys = match development(world, asked).await {
                Ok(keys) => keys?,
                Err(error) => return Some(Err(error)),
            };
            of_development(pages, world, &keys, asked).await
        }
        path => {
            let page = portal::page_of(path)?;
            let instance = match instances::by_host(world, named(asked)).await {
                Ok(instance) => instance?,
                Err(error) => return Some(Err(error)),
            };
            ("GetPortalPage", portal::serve(pages, world, &instance, page, asked).await)
        }
    };
    *trace = name;
    Some(answer)
}

/// The host that names the instance.
fn named<'a>(asked: &Asked<'a>) -> &'a str {
    asked.host.or_else(|| host(asked.headers)).unwrap_or_default()
}

/// The development instance that is asked, or else the first one there is. Codes and secrets of
/// people are shown of no other kind.
async fn development(world: &Arc<World>, asked: &Asked<'_>) -> Result<Option<Keys>> {
    let asked = instances::by_host(world, named(asked)).await?;
    let all = instances::list(world).await?;
    let mut all: Vec<_> =
        all.into_iter().filter(|keys| keys.environment == EnvironmentType::Development).collect();
    let own =
        all.iter().position(|keys| asked.as_ref().is_some_and(|it| it.id == keys.instance_id));
    Ok((!all.is_empty()).then(|| all.swap_remove(own.unwrap_or(0))))
}

async fn of_development(
    pages: &Pages,
    world: &Arc<World>,
    keys: &Keys,
    asked: &Asked<'_>,
) -> (&'static str, Result<Response<Body>>) {
    match asked.path {
        "/" => ("GetStartPage", start::serve(pages, world, keys, asked).await),
        "/inbox" => ("GetInboxPage", inbox::page_of(world, &keys.instance_id, asked).await),
        _ => {
            let waiting = &pages.waiting;
            ("GetInbox", inbox::messages(waiting, world, &keys.instance_id, asked).await)
        }
    }
}
