//! A world with one instance, on an empty database.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use db::Db;
use domain::{
    Caller, Hasher, Instances, Outside, RootKey, Sealer, Seeds, World,
    instances::{self, NewInstance},
};
use wire::{Timestamp, backend::instance::EnvironmentType};

/// A request of the only instance, and the folder that its data goes with.
pub(crate) async fn outside() -> (Outside, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("vestry.db").display());
    let count = Arc::new(AtomicU64::new(1));
    let seeds = Seeds {
        clock: Arc::new(|| Timestamp(1_800_000_000_000)),
        rng: Arc::new(move || u128::from(count.fetch_add(1, Ordering::Relaxed))),
    };
    let world = Arc::new(World {
        db: Db::open(&url, domain::MIGRATIONS).await.expect("the database opens"),
        seeds,
        hasher: Hasher::new(1),
        sealer: Sealer::new(&RootKey::generate().expect("a key")).expect("a sealer"),
        instances: Instances::default(),
        public_url: "http://localhost".to_owned(),
        sequence: AtomicU64::new(0),
    });
    let new = NewInstance {
        application: "Test".to_owned(),
        environment: EnvironmentType::Development,
        frontend_host: "quiet-harbor-1.clerk.accounts.dev".to_owned(),
    };
    let keys = instances::create(&world, new).await.expect("an instance");
    let key = keys.secret_key.expect("a key");
    let instance = instances::by_secret_key(&world, &key).await.expect("read").expect("known");
    (Outside::new(world, "test", instance, Caller::Instance), folder)
}
