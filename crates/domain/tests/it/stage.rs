//! Two instances on an empty database, and a clock that moves when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use db::{Db, Mode};
use domain::{
    Caller, Hasher, Instance, Outside, RootKey, Sealer, Seeds, World,
    instances::{self, NewInstance},
};
use serde_json::{Value, json};
use wire::{
    Decode, Payload, Refusal, Timestamp,
    backend::{instance::EnvironmentType, users::UserId},
};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Where operations are played.
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) instance: Arc<Instance>,
    pub(crate) neighbour: Arc<Instance>,
    clock: Arc<AtomicI64>,
    url: String,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let name =
            format!("domain_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let url = std::env::var("TEST_DATABASE_URL").map_or_else(
            |_| format!("sqlite:{}", folder.path().join(&name).display()),
            |server| format!("{server}/{name}"),
        );
        Db::wipe(&url).await.expect("an empty database is made");
        let clock = Arc::new(AtomicI64::new(1_800_000_000_123));
        let count = AtomicU64::new(1);
        let seeds = Seeds {
            clock: {
                let clock = Arc::clone(&clock);
                Arc::new(move || Timestamp(clock.load(Ordering::Relaxed)))
            },
            rng: Arc::new(move || u128::from(count.fetch_add(1, Ordering::Relaxed)) << 64),
        };
        let root = RootKey::generate().expect("a root key");
        let db = Db::open(&url, domain::MIGRATIONS).await.expect("the database opens");
        let sealer = Sealer::new(&root).expect("a sealer");
        let world =
            Arc::new(World::new(db, seeds, Hasher::new(2), sealer, "http://127.0.0.1:8787"));
        let instance = new_instance(&world, "one.clerk.accounts.dev").await;
        let neighbour = new_instance(&world, "two.clerk.accounts.dev").await;
        Self { world, instance, neighbour, clock, url, _folder: folder }
    }

    /// A request of the first instance.
    pub(crate) fn outside(&self) -> Outside {
        self.outside_of(&self.instance)
    }

    /// A request of an instance.
    pub(crate) fn outside_of(&self, instance: &Arc<Instance>) -> Outside {
        Outside::new(Arc::clone(&self.world), "test", Arc::clone(instance), Caller::Instance)
    }

    /// What an operation answers the first instance.
    pub(crate) async fn call(
        &self,
        name: &str,
        path: &[&str],
        body: Value,
    ) -> Result<Value, Refusal> {
        self.call_of(&self.instance, name, path, body).await
    }

    /// What an operation answers an instance; `path` has the values of its placeholders.
    pub(crate) async fn call_of(
        &self,
        instance: &Arc<Instance>,
        name: &str,
        path: &[&str],
        body: Value,
    ) -> Result<Value, Refusal> {
        let operation = domain::backend_api().0.into_iter().find(|one| one.meta.name == name);
        let operation = operation.expect("an operation of that name");
        let placeholders = operation
            .meta
            .path
            .split('/')
            .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned()));
        let parts = Decode {
            path: placeholders.zip(path.iter().map(ToString::to_string)).collect(),
            payload: match body {
                Value::Null => Payload::Empty,
                body => Payload::Json(body.to_string().into_bytes()),
            },
            ..Decode::default()
        };
        match operation.run(self.outside_of(instance), parts).await {
            Ok(answer) => Ok(serde_json::from_slice(&answer.body).unwrap_or_default()),
            Err(domain::Error::Broken(cause)) => panic!("{name}: {cause}"),
            Err(error) => Err(error.into_refusal()),
        }
    }

    /// The code that an operation is refused with.
    pub(crate) async fn refusal(&self, name: &str, path: &[&str], body: Value) -> Refusal {
        self.call(name, path, body).await.expect_err("refused")
    }

    /// A user who is called `first_name`.
    pub(crate) async fn user(&self, first_name: &str) -> UserId {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let body = json!({
            "email_address": [format!("person{number}@example.com")],
            "first_name": first_name,
            "public_metadata": { "plan": "pro" },
            "private_metadata": { "secret": 1 },
        });
        let user = self.call("CreateUser", &[], body).await.expect("created");
        UserId::from_text(user["id"].as_str().expect("an id"))
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// One text out of the database, whatever instance it belongs to.
    pub(crate) async fn peek(&self, sql: &'static str) -> Option<String> {
        let peek = self.world.everywhere("peek", Mode::Read, move |mut tx| {
            Box::pin(async move {
                let rows = tx.rows(sql, Vec::new()).await?;
                let text = rows.into_iter().next().map(|mut row| row.take()).transpose()?;
                Ok(text)
            })
        });
        peek.await.expect("read")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let url = self.url.clone();
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("built").block_on(Db::remove(&url))
        });
        let _ = removing.join();
    }
}

async fn new_instance(world: &Arc<World>, host: &str) -> Arc<Instance> {
    let new = NewInstance {
        application: "Test".to_owned(),
        environment: EnvironmentType::Development,
        frontend_host: host.to_owned(),
    };
    let keys = instances::create(world, new).await.expect("created");
    let secret = keys.secret_key.expect("shown once");
    instances::by_secret_key(world, &secret).await.expect("read").expect("known")
}
