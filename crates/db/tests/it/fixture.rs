//! A database of one's own, gone when the test ends.

use std::{
    ops::Deref,
    sync::atomic::{AtomicU64, Ordering},
};

use db::{Db, Limits, Migration};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// An open database.
pub(crate) struct Store {
    db: Db,
    pub(crate) url: String,
    _place: Place,
}

/// Where a database may be made; nothing is left of it.
pub(crate) struct Place {
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

pub(crate) fn on_postgres() -> bool {
    std::env::var("TEST_DATABASE_URL").is_ok()
}

impl Place {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let name =
            format!("store_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let url = std::env::var("TEST_DATABASE_URL").map_or_else(
            |_| format!("sqlite:{}", folder.path().join(&name).display()),
            |server| format!("{server}/{name}"),
        );
        Db::wipe(&url).await.expect("an empty database is made");
        Self { url, _folder: folder }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let url = self.url.clone();
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("built").block_on(Db::remove(&url))
        });
        let _ = removing.join();
    }
}

impl Store {
    pub(crate) async fn open(migrations: &[Migration]) -> Self {
        Self::open_with(migrations, Limits::default()).await
    }

    pub(crate) async fn open_with(migrations: &[Migration], limits: Limits) -> Self {
        let place = Place::new().await;
        let db = Db::open_with(&place.url, migrations, limits).await.expect("opened");
        Self { db, url: place.url.clone(), _place: place }
    }
}

impl Deref for Store {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}
