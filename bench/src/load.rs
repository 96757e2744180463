//! Fills a database, past the network, through the domain's own operations.

use std::{path::Path, sync::Arc, time::SystemTime};

use db::Db;
use domain::{
    Caller, Credentials, Cx, Hasher, Instance, Outside, RootKeys, Sealer, Seeds, Visitor, World,
    frontend, instances, invitations,
    users::{self, NewUser},
    waitlist_entries,
};
use serde_json::json;
use wire::{
    Decode, Patch, Timestamp,
    backend::{
        invitations::CreateInvitation, users::CreateUser, waitlist_entries::CreateWaitlistEntry,
    },
};

use crate::Result;

/// Rows made in one transaction.
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

/// Where rows are put.
struct Target {
    world: Arc<World>,
    instance: Arc<Instance>,
}

impl Target {
    /// The first instance kept in `folder`.
    async fn open(folder: &Path, url: Option<&str>) -> Result<Self> {
        let database = format!("sqlite:{}", folder.join("vestry.db").display());
        let db = Db::open(url.unwrap_or(&database), domain::MIGRATIONS).await?;
        let seeds = Seeds { clock: Arc::new(now), rng: Arc::new(random) };
        let sealer = Sealer::with(&RootKeys::from_file(&std::fs::read(folder.join("root.key"))?)?)?;
        let public_url = "http://127.0.0.1".to_owned();
        let world = Arc::new(World::new(db, seeds, Hasher::new(2), sealer, public_url));
        let keys = instances::list(&world).await?;
        let key = keys.into_iter().find_map(|keys| keys.secret_key).ok_or("no instance")?;
        let instance = instances::by_secret_key(&world, &key).await?.ok_or("no instance")?;
        Ok(Self { world, instance })
    }

    fn outside(&self) -> Outside {
        self.outside_of(Caller::Instance)
    }

    fn outside_of(&self, caller: Caller) -> Outside {
        let (world, instance) = (Arc::clone(&self.world), Arc::clone(&self.instance));
        Outside::new(world, "load", instance, caller)
    }

    async fn close(self) -> Result<()> {
        self.world.db.fold_counters().await?;
        self.world.db.close().await;
        Ok(())
    }
}

/// The numbers up to `count`, as many at a time as one transaction makes rows of.
fn portions(count: u64) -> impl Iterator<Item = Vec<u64>> {
    let starts = (0..count.div_ceil(AT_ONCE)).map(|portion| portion * AT_ONCE);
    starts.map(move |start| (start..count.min(start + AT_ONCE)).collect())
}

/// Adds `count` users to the first instance kept in `folder`; answers some of their ids.
pub(crate) async fn load(folder: &Path, count: u64, url: Option<&str>) -> Result<Vec<String>> {
    let target = Target::open(folder, url).await?;
    let mut ids = Vec::new();
    for numbers in portions(count) {
        let made: Vec<String> = target.outside().write(insert, numbers).await?;
        ids.extend(made.into_iter().step_by(usize::try_from((count / IDS_KEPT).clamp(1, 100))?));
    }
    target.close().await?;
    Ok(ids)
}

/// Signs each of these users in, in a browser of their own; answers its token and the session.
pub(crate) async fn load_browsers(
    folder: &Path,
    users: impl Iterator<Item = &String>,
) -> Result<Vec<(String, String)>> {
    let target = Target::open(folder, None).await?;
    let operations = domain::frontend_api().0;
    let make = operations.iter().find(|operation| operation.meta.name == "CreateDevBrowser");
    let make = make.ok_or("no operation makes browsers")?;
    let mut browsers = Vec::new();
    for user in users {
        let visitor = Caller::Visitor(Arc::new(Visitor::default()));
        let answer = make.run(target.outside_of(visitor), Decode::default()).await?;
        let made: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let token = made["id"].as_str().ok_or("no token")?.to_owned();
        let credentials = Credentials { dev_browser: Some(token.clone()), client: None };
        let visitor = Visitor::default().recognize(&target.instance, &credentials);
        let outside = target.outside_of(Caller::Visitor(Arc::new(visitor)));
        let (session, _) = frontend::testing::sign_in(&outside, user.clone().into()).await?;
        browsers.push((token, session.to_string()));
    }
    target.close().await?;
    Ok(browsers)
}

/// Adds `count` invitations, and as many entries to the waitlist.
pub(crate) async fn load_invitations(folder: &Path, count: u64, url: Option<&str>) -> Result<()> {
    let target = Target::open(folder, url).await?;
    for numbers in portions(count) {
        target.outside().write(insert_invitations, numbers.clone()).await?;
        target.outside().write(insert_entries, numbers).await?;
    }
    target.close().await
}

async fn insert_invitations(cx: &mut Cx, numbers: Vec<u64>) -> domain::Result<()> {
    for number in numbers {
        let invitation = CreateInvitation {
            notify: Patch::Set(false),
            ..CreateInvitation::new(address(number))
        };
        invitations::create(cx, invitation).await?;
    }
    Ok(())
}

async fn insert_entries(cx: &mut Cx, numbers: Vec<u64>) -> domain::Result<()> {
    for number in numbers {
        let entry = CreateWaitlistEntry {
            notify: Patch::Set(false),
            ..CreateWaitlistEntry::new(address(number))
        };
        waitlist_entries::create(cx, entry).await?;
    }
    Ok(())
}

/// An address of nobody's.
fn address(number: u64) -> String {
    let (first, last) = (pick(FIRST, number), pick(LAST, number >> 4));
    format!("{}.{}{number}@example.net", first.to_lowercase(), last.to_lowercase())
}

fn pick(names: [&'static str; 16], number: u64) -> &'static str {
    names.into_iter().nth(usize::try_from(number % 16).unwrap_or_default()).unwrap_or_default()
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
    let (first, last) = (pick(FIRST, number), pick(LAST, number >> 4));
    let metadata = json!({"plan": "pro", "note": "m".repeat(460), "number": number});
    CreateUser {
        username: Patch::Set(format!("{}{number}", first.to_lowercase())),
        email_address: vec![
            format!("{}.{}{number}@example.com", first.to_lowercase(), last.to_lowercase()),
            format!("user{number}@example.org"),
        ],
        phone_number: vec![format!("+1{:010}", 2_000_000_000 + number)],
        first_name: Patch::Set(first.to_owned()),
        last_name: Patch::Set(last.to_owned()),
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
