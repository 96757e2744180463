//! Codes from their making to their use, read where a development server reads them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use db::{Db, Mode};
use domain::{
    Caller, Hasher, Instance, MIGRATIONS, Outside, RootKey, Sealer, Seeds, World, instances,
    messages,
};
use serde_json::{Value, json};
use wire::{Decode, Payload, Timestamp, backend::instance::EnvironmentType};

struct Scene {
    world: Arc<World>,
    instance: Arc<Instance>,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("store").display());
        let db = Db::open(&url, MIGRATIONS).await.expect("opened");
        let clock = Arc::new(AtomicI64::new(1_800_000_000_000));
        let (time, count) = (Arc::clone(&clock), AtomicU64::new(1));
        let seeds = Seeds {
            clock: Arc::new(move || Timestamp(time.load(Ordering::Relaxed))),
            rng: Arc::new(move || u128::from(count.fetch_add(1, Ordering::Relaxed)) * 123_457),
        };
        let sealer = Sealer::new(&RootKey::generate().expect("a key")).expect("a sealer");
        let world = World::new(db, seeds, Hasher::new(1), sealer, "http://127.0.0.1:1");
        let world = Arc::new(world);
        let new = instances::NewInstance {
            application: "Test".to_owned(),
            environment: EnvironmentType::Development,
            frontend_host: "one-two-3.clerk.accounts.dev".to_owned(),
        };
        let keys = instances::create(&world, new).await.expect("made");
        let key = keys.secret_key.expect("shown");
        let instance = instances::by_secret_key(&world, &key).await.expect("read").expect("there");
        Self { world, instance, clock, _folder: folder }
    }

    fn advance(&self, milliseconds: i64) {
        self.clock.fetch_add(milliseconds, Ordering::Relaxed);
    }

    async fn call(&self, name: &str, id: &str, body: Value) -> Result<Value, String> {
        let operations = domain::backend_api().0;
        let operation = operations.iter().find(|one| one.meta.name == name).expect("offered");
        let path = ["email_address_id", "phone_number_id", "user_id"]
            .into_iter()
            .filter(|name| operation.meta.in_path(name))
            .map(|name| (name.to_owned(), id.to_owned()));
        let parts = Decode {
            path: path.collect(),
            payload: Payload::Json(body.to_string().into_bytes()),
            ..Decode::default()
        };
        let (world, instance) = (Arc::clone(&self.world), Arc::clone(&self.instance));
        let outside = Outside::new(world, operation.meta.name, instance, Caller::Instance);
        match operation.run(outside, parts).await {
            Ok(answer) => Ok(serde_json::from_slice(&answer.body).expect("JSON")),
            Err(error) => Err(error.into_refusal().code().to_owned()),
        }
    }

    /// A user's address, not proven, and the id of its user.
    async fn address(&self) -> String {
        let user = json!({ "username": "ada_l", "skip_password_requirement": true });
        let user = self.call("CreateUser", "", user).await.expect("made");
        let address = json!({ "user_id": user["id"], "email_address": "ada@example.com" });
        let address = self.call("CreateEmailAddress", "", address).await.expect("made");
        address["id"].as_str().expect("an id").to_owned()
    }

    async fn prepare(&self, id: &str) -> String {
        let prepared = self.call("PrepareEmailAddressVerification", id, json!({})).await;
        prepared.expect("sent")["id"].as_str().expect("an id").to_owned()
    }

    async fn attempt(&self, id: &str, verification: &str, code: &str) -> Result<Value, String> {
        let body = json!({ "verification_id": verification, "code": code });
        self.call("AttemptEmailAddressVerification", id, body).await
    }

    async fn recent(&self) -> Vec<messages::Sent> {
        self.advance(1000);
        messages::recent(&self.world, &self.instance.id, None).await.expect("read")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_read_from_its_message_and_taken_once() {
    let scene = Scene::new().await;
    let address = scene.address().await;
    let verification = scene.prepare(&address).await;

    let sent = scene.recent().await;

    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].to.as_str(), sent[0].kind.as_str()), ("ada@example.com", "email.created"));
    let code = sent[0].code.clone().expect("a code");
    assert!(sent[0].body.contains(&code));
    let right = scene.attempt(&address, &verification, &code).await.expect("answered");
    assert_eq!((&right["status"], &right["attempts"]), (&json!("verified"), &json!(1)));
    let again = scene.attempt(&address, &verification, &code).await;
    assert_eq!(again, Err("verification_already_verified".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_02_and_04_codes_end_with_time_and_with_the_next_one() {
    let scene = Scene::new().await;
    let address = scene.address().await;
    let first = scene.prepare(&address).await;
    let code = scene.recent().await[0].code.clone().expect("a code");
    let early = scene.call("PrepareEmailAddressVerification", &address, json!({})).await;
    assert_eq!(early, Err("verification_code_too_many_requests".to_owned()));
    scene.advance(600_000);
    let late = scene.attempt(&address, &first, &code).await.expect("answered");
    assert_eq!(late["status"], "expired");

    let second = scene.prepare(&address).await;

    assert_eq!(scene.attempt(&address, &first, &code).await, Err("resource_not_found".to_owned()));
    let sent = scene.recent().await;
    let next = sent[1].code.clone().expect("a code");
    assert_ne!(next, code);
    let old = scene.attempt(&address, &second, &code).await.expect("answered");
    assert_eq!(old["status"], "unverified");
    let new = scene.attempt(&address, &second, &next).await.expect("answered");
    assert_eq!(new["status"], "verified");
    let after = messages::recent(&scene.world, &scene.instance.id, Some(&sent[0].id)).await;
    let after: Vec<_> = after.expect("read").into_iter().map(|sent| sent.id).collect();
    assert_eq!(after, [sent[1].id.clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_04_there_are_thirty_codes_a_day_and_two_in_a_minute() {
    const MINUTE: i64 = 60_000;
    let scene = Scene::new().await;
    let address = scene.address().await;
    let prepare = async || scene.call("PrepareEmailAddressVerification", &address, json!({})).await;
    let refused = Err("verification_code_too_many_requests".to_owned());
    for _ in 0..30 {
        prepare().await.expect("sent");
        scene.advance(MINUTE / 2 - 1);
        assert_eq!(prepare().await, refused);
        scene.advance(1);
    }
    assert_eq!(prepare().await, refused);
    scene.advance(24 * 60 * MINUTE - 15 * MINUTE - 1);
    assert_eq!(prepare().await, refused);
    scene.advance(1);
    prepare().await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_at_rest_holds_a_code() {
    let scene = Scene::new().await;
    let address = scene.address().await;
    scene.prepare(&address).await;
    let code = scene.recent().await[0].code.clone().expect("a code");
    let stored = scene.world.everywhere("stored", Mode::Read, |mut tx| {
        Box::pin(async move {
            let mut texts = Vec::new();
            for sql in ["select payload from outbox", "select mark from proofs"] {
                for mut row in tx.rows(sql, vec![]).await? {
                    texts.push(row.take::<String>()?);
                }
            }
            Ok(texts)
        })
    });
    let stored = stored.await.expect("read");
    assert!(stored.len() >= 2 && stored.iter().all(|text| !text.contains(&format!("\"{code}"))));
    let sealed = stored.iter().filter(|text| text.starts_with("v1.")).count();
    assert_eq!(sealed, 2, "the message and the mark");
}
