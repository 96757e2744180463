//! Fills a database with users, past the network, through the domain's own operation.

use std::{path::Path, sync::Arc, time::SystemTime};

use db::Db;
use domain::{
    Caller, Cx, Hasher, Outside, RootKey, Sealer, Seeds, World, instances,
    users::{self, NewUser},
};
use serde_json::json;
use wire::{Patch, Timestamp, backend::users::CreateUser};

use crate::Result;

/// Users made in one transaction.
const AT_ONCE: u64 = 100;
/// Ids kept for requests to choose from.
const IDS_KEPT: u64 = 20_000;
const FIRST: [&str; 16] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Katherine",
    "Linus",
    "Margaret",
    "Dennis",
    "Radia",
    "Tim",
    "Hedy",
    "Claude",
    "Frances",
    "John",
];
const LAST: [&str; 16] = [
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Johnson", "Torvalds",
    "Hamilton", "Ritchie", "Perlman", "Berners", "Lamarr", "Shannon", "Allen", "McCarthy",
];

/// Adds `count` users to the first instance kept in `folder`; answers some of their ids.
pub(crate) async fn load(folder: &Path, count: u64, url: Option<&str>) -> Result<Vec<String>> {
    let database = format!("sqlite:{}", folder.join("vestry.db").display());
    let db = Db::open(url.unwrap_or(&database), domain::MIGRATIONS).await?;
    let seeds = Seeds { clock: Arc::new(now), rng: Arc::new(random) };
    let sealer = Sealer::new(&RootKey::from_file(&std::fs::read(folder.join("root.key"))?)?)?;
    let world =
        Arc::new(World::new(db, seeds, Hasher::new(2), sealer, "http://127.0.0.1".to_owned()));
    let keys = instances::list(&world).await?;
    let key = keys.into_iter().find_map(|keys| keys.secret_key).ok_or("no instance")?;
    let instance = instances::by_secret_key(&world, &key).await?.ok_or("no instance")?;
    let mut ids = Vec::new();
    for start in (0..count).step_by(usize::try_from(AT_ONCE)?) {
        let outside =
            Outside::new(Arc::clone(&world), "load", Arc::clone(&instance), Caller::Instance);
        let end = count.min(start + AT_ONCE);
        let made: Vec<String> = outside.write(insert, (start..end).collect::<Vec<_>>()).await?;
        ids.extend(made.into_iter().step_by(usize::try_from((count / IDS_KEPT).clamp(1, 100))?));
    }
    world.db.fold_counters().await?;
    world.db.close().await;
    Ok(ids)
}

async fn insert(cx: &mut Cx, numbers: Vec<u64>) -> domain::Result<Vec<String>> {
    let mut ids = Vec::with_capacity(numbers.len());
    for number in numbers {
        let user = users::insert(cx, NewUser::without_password(cx.id(), request(number))).await?;
        ids.push(user.id.to_string());
    }
    Ok(ids)
}

/// Two e-mail addresses, a phone number, and some 500 bytes of metadata.
fn request(number: u64) -> CreateUser {
    let pick = |names: [&'static str; 16], shift: u32| -> String {
        names
            .into_iter()
            .nth(usize::try_from((number >> shift) % 16).unwrap_or_default())
            .unwrap_or_default()
            .to_owned()
    };
    let (first, last) = (pick(FIRST, 0), pick(LAST, 4));
    let metadata = json!({"plan": "pro", "note": "m".repeat(460), "number": number});
    CreateUser {
        username: Patch::Set(format!("{}{number}", first.to_lowercase())),
        email_address: vec![
            format!("{}.{}{number}@example.com", first.to_lowercase(), last.to_lowercase()),
            format!("user{number}@example.org"),
        ],
        phone_number: vec![format!("+1{:010}", 2_000_000_000 + number)],
        first_name: Patch::Set(first),
        last_name: Patch::Set(last),
        public_metadata: match metadata {
            serde_json::Value::Object(metadata) => Patch::Set(metadata),
            _ => Patch::Keep,
        },
        ..CreateUser::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has no other clock")]
fn now() -> Timestamp {
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    u128::from_ne_bytes(bytes)
}
