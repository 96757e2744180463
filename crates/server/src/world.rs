//! What requests and commands work on, made of the system's clock and randomness.

use std::{path::Path, sync::Arc, time::SystemTime};

use db::{Db, Mode};
use domain::{Hasher, Outbound, Places, RootKeys, Sealer, Seeds, World, server_facts};
use server::outbound::Reach;
use wire::Timestamp;

use crate::failure::{Failure, Result};

/// How a database is opened.
pub(crate) enum Opening {
    /// By its server: made and brought up to date if need be.
    Serve {
        /// Where Amazon Cognito is asked about passwords it still keeps, if not at its own URLs.
        cognito_url: Option<String>,
        /// Which addresses URLs that users of the API name may lead to.
        reach: Reach,
        /// Whether anybody may have a development instance without asking.
        accountless: bool,
        /// Where addresses are.
        places: Places,
    },
    /// Beside its server: as it is.
    Attach,
}

/// Opens the database at `url`; refuses root keys that are not its own, before anything is written.
pub(crate) async fn open(
    url: &str,
    keys: &RootKeys,
    public_url: String,
    opening: Opening,
) -> Result<Arc<World>> {
    let cores = std::thread::available_parallelism().map_or(2, Into::into);
    let hasher = Hasher::new(cores);
    let (mut is_for_development, mut known_places) = (false, Places::default());
    let (db, hasher, outbound, mode) = match opening {
        Opening::Serve { cognito_url, reach, accountless, places } => {
            (is_for_development, known_places) = (accountless, places);
            let cognito = server::cognito::remote_check(cognito_url);
            let cognito = cognito.map_err(|error| Failure::new(error.to_string()))?;
            let db = Db::open(url, domain::MIGRATIONS).await?;
            let fetch = server::outbound::fetch(reach);
            let fetch = fetch.map_err(|error| Failure::new(error.to_string()))?;
            (db, hasher.asking(cognito), Outbound::through(fetch), Mode::Write)
        }
        Opening::Attach => {
            let db = Db::attach(url, domain::MIGRATIONS).await?;
            (db, hasher, Outbound::default(), Mode::Read)
        }
    };
    let sealer = Sealer::with(keys).map_err(|error| Failure::new(error.to_string()))?;
    let world = World::new(db, seeds(), hasher, sealer, public_url).reaching(outbound);
    let world = Arc::new(World { is_for_development, places: known_places, ..world });
    if server_facts::unlock(&world, mode).await? {
        return Ok(world);
    }
    world.db.close().await;
    Err(Failure::new(
        "the root key is not the one that the data are sealed under; nothing was changed. \
         Give the key that the data were made with",
    ))
}

/// Reads the file that tells where addresses are, if there is one.
pub(crate) fn places(file: Option<&Path>) -> Result<Places> {
    let Some(file) = file else { return Ok(Places::default()) };
    let content = std::fs::read(file).map_err(|error| error.to_string());
    content.and_then(Places::read).map_err(|error| {
        Failure::Other(format!("cannot read {} as a database of places: {error}", file.display()))
    })
}

/// True if the database at `url` was never used.
pub(crate) async fn is_empty(url: &str) -> bool {
    let first = db::MIGRATIONS.first().map_or("", |step| step.name);
    if let Some(path) = url.strip_prefix("sqlite:") {
        return !std::path::Path::new(path).exists();
    }
    match Db::attach(url, &[]).await {
        // What it lacks is the very first step.
        Err(db::Error::Schema(text)) => text.contains(first),
        _ => false,
    }
}

/// The system's clock and randomness.
pub(crate) fn seeds() -> Seeds {
    Seeds { clock: Arc::new(now), rng: Arc::new(random) }
}

#[expect(clippy::disallowed_methods, reason = "the one clock")]
fn now() -> Timestamp {
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    // Without randomness nothing here is secret: better no server than such a one.
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    u128::from_ne_bytes(bytes)
}
