//! What was acknowledged survives SIGKILL, and nothing is there by half.
//!
//! Starts the real program, lets eight writers loose on it, kills it at some moment, starts it
//! again and compares all it holds with what the writers wrote down. `VESTRY_KILL_SEED` repeats
//! a run's choices, `VESTRY_KILL_CYCLES` sets how often, `VESTRY_BIN` names another program.
//! Users stand for what is changed and deleted, their sessions for what hangs on something else,
//! invitations for what is made many at once or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use db::{Db, EngineKind, Mode, Scope, Unit};
use sdk::{Client, Error};
use serde_json::Value;
use testkit::Database;
use wire::{
    Limit, Patch,
    backend::{
        invitations::{CreateBulkInvitations, CreateInvitation, ListInvitations},
        sessions::{CreateSession, GetSessionList},
        users::{CreateUser, DeleteUser, GetUserList, GetUsersCount, UpdateUser, User, UserId},
    },
};

const WRITERS: u64 = 8;
const CYCLES: u64 = 40;
/// Kills of a long soak.
const SOAK_CYCLES: u64 = 2000;
/// Invitations asked for at once.
const AT_ONCE: usize = 3;

/// One user, as its writer knows it.
#[derive(Debug)]
struct Entry {
    name: String,
    /// Known once the creation was acknowledged.
    id: Option<UserId>,
    /// The last change that was asked for, and the last that was acknowledged.
    tried: u64,
    acknowledged: u64,
    /// Sessions that were asked for, and those that were acknowledged.
    sessions_tried: u64,
    sessions_acknowledged: u64,
    deleting: bool,
    deleted: bool,
    /// Whether friends were invited.
    friends: Friends,
    /// Asked about since the last check.
    touched: bool,
}

/// What became of the invitations of a user's friends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Friends {
    Unknown,
    Tried,
    Invited,
}

/// Numbers that differ from run to run, and not within a run of the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

fn setting(name: &str, usual: impl FnOnce() -> u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or_else(usual)
}

/// The program, built as these tests were, so that it is never an old one.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("VESTRY_BIN") {
        return path.into();
    }
    let tests = std::env::current_exe().expect("tests are a file");
    let folder = tests.parent().and_then(|deps| deps.parent()).expect("a target folder");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--package", "vestry", "--bin", "vestry"]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().expect("cargo runs").success(), "the program is built");
    folder.join("vestry")
}

/// A server that is killed when nobody needs it any more.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Place {
    program: PathBuf,
    folder: tempfile::TempDir,
    /// Of PostgreSQL; on SQLite the folder holds everything.
    database: Option<Database>,
}

impl Place {
    fn start(&self) -> Running {
        let mut command = Command::new(&self.program);
        command
            .args(["dev", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(self.folder.path());
        if let Some(database) = &self.database {
            command.args(["--database-url", &database.url]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Running(command.spawn().expect("the program starts"))
    }

    /// Waits until it says that it is ready.
    fn client(server: &mut Running) -> Client {
        let mut line = String::new();
        let said = server.0.stdout.as_mut().expect("its words are read");
        BufReader::new(said).read_line(&mut line).expect("it says something");
        let keys: Value = serde_json::from_str(&line).expect("one line of JSON");
        let text = |name: &str| keys[name].as_str().expect("it is there").to_owned();
        let client = Client::builder().api_url(text("api_url")).secret_key(text("secret_key"));
        client.retries(0).timeout(Duration::from_secs(20)).build().expect("a client")
    }

    async fn open(&self) -> Db {
        let file = || format!("sqlite:{}", self.folder.path().join("vestry.db").display());
        let url = self.database.as_ref().map_or_else(file, |database| database.url.clone());
        Db::attach(&url, domain::MIGRATIONS).await.expect("the store opens beside its server")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_server_keeps_its_word() {
    kill_again_and_again(setting("VESTRY_KILL_CYCLES", || CYCLES)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes an hour: make soak"]
async fn killed_thousands_of_times_the_server_keeps_its_word() {
    kill_again_and_again(setting("VESTRY_SOAK_CYCLES", || SOAK_CYCLES)).await;
}

async fn kill_again_and_again(cycles: u64) {
    let seed = setting("VESTRY_KILL_SEED", || u64::from(std::process::id()));
    let postgres = std::env::var_os("TEST_DATABASE_URL").is_some();
    let place = Place {
        program: program(),
        folder: tempfile::tempdir().expect("a folder is made"),
        database: if postgres { Some(Database::empty().await) } else { None },
    };
    let mut books: Vec<Vec<Entry>> = (0..WRITERS).map(|_| Vec::new()).collect();
    let mut dice = Dice(seed);
    for cycle in 0..=cycles {
        let of = format!("seed {seed} cycle {cycle}");
        if cycle % 8 == 7 {
            // Sometimes it dies before it is up.
            let _server = place.start();
            tokio::time::sleep(Duration::from_millis(dice.roll(300))).await;
        }
        let mut server = place.start();
        let client = Place::client(&mut server);
        check(&client, &place, &mut books, &of).await;
        if cycle == cycles {
            break;
        }
        let writers: Vec<_> = (0_u64..)
            .zip(books.drain(..))
            .map(|(number, book)| {
                let dice = Dice(dice.roll(u64::MAX));
                tokio::spawn(write(client.clone(), number, cycle, book, dice))
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(150 + dice.roll(500))).await;
        drop(server);
        for writer in writers {
            books.push(writer.await.expect("a writer does not panic"));
        }
    }
    let known = books.iter().flatten().filter(|entry| entry.id.is_some()).count();
    assert!(known as u64 > cycles, "only {known} users were made: this shows nothing");
}

/// Asks for one thing after the other until nobody answers.
async fn write(
    client: Client,
    writer: u64,
    cycle: u64,
    mut book: Vec<Entry>,
    mut dice: Dice,
) -> Vec<Entry> {
    loop {
        let live: Vec<_> = (0..book.len()).filter(|at| book[*at].is_live()).collect();
        let any = usize::try_from(dice.roll(live.len().max(1) as u64)).unwrap_or_default();
        let asked = match (live.get(any), dice.roll(6)) {
            (Some(at), 0) => update(&client, &mut book[*at]).await,
            (Some(at), 1) => delete(&client, &mut book[*at]).await,
            (Some(at), 2) => begin_session(&client, &mut book[*at]).await,
            (Some(at), 3) if book[*at].friends == Friends::Unknown => {
                invite_friends(&client, &mut book[*at]).await
            }
            _ => {
                book.push(Entry::new(format!("w{writer}c{cycle}n{}", book.len())));
                let entry = book.last_mut().expect("it was just written");
                create(&client, entry).await
            }
        };
        match asked {
            Ok(()) => {}
            Err(Error::Refused(refusal)) => {
                assert!(matches!(refusal.status, 429 | 503), "{refusal}");
            }
            Err(_) => return book,
        }
    }
}

impl Entry {
    fn new(name: String) -> Self {
        Self {
            name,
            id: None,
            tried: 0,
            acknowledged: 0,
            sessions_tried: 0,
            sessions_acknowledged: 0,
            deleting: false,
            deleted: false,
            friends: Friends::Unknown,
            touched: true,
        }
    }

    fn is_live(&self) -> bool {
        self.id.is_some() && !self.deleting
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }
}

async fn create(client: &Client, entry: &mut Entry) -> Result<(), Error> {
    let request = CreateUser {
        external_id: Patch::Set(entry.name.clone()),
        username: Patch::Set(format!("name_{}", entry.name)),
        email_address: vec![entry.email()],
        first_name: Patch::Set("0".to_owned()),
        last_name: Patch::Set("0".to_owned()),
        ..CreateUser::new()
    };
    entry.id = Some(client.send(&request).await?.id);
    Ok(())
}

/// Two columns that always say the same.
async fn update(client: &Client, entry: &mut Entry) -> Result<(), Error> {
    entry.tried += 1;
    entry.touched = true;
    let id = entry.id.clone().expect("only what is known is changed");
    let request = UpdateUser {
        first_name: Patch::Set(entry.tried.to_string()),
        last_name: Patch::Set(entry.tried.to_string()),
        ..UpdateUser::new(id)
    };
    client.send(&request).await?;
    entry.acknowledged = entry.tried;
    Ok(())
}

async fn begin_session(client: &Client, entry: &mut Entry) -> Result<(), Error> {
    entry.sessions_tried += 1;
    entry.touched = true;
    let id = entry.id.clone().expect("only who is known has sessions");
    client.send(&CreateSession::new(id)).await?;
    entry.sessions_acknowledged += 1;
    Ok(())
}

async fn invite_friends(client: &Client, entry: &mut Entry) -> Result<(), Error> {
    entry.friends = Friends::Tried;
    entry.touched = true;
    let address = |number| format!("friend{number}.of.{}@example.com", entry.name);
    let invite = |number| CreateInvitation::new(address(number));
    client.send(&CreateBulkInvitations { items: (0..AT_ONCE).map(invite).collect() }).await?;
    entry.friends = Friends::Invited;
    Ok(())
}

async fn delete(client: &Client, entry: &mut Entry) -> Result<(), Error> {
    entry.deleting = true;
    entry.touched = true;
    let id = entry.id.clone().expect("only what is known is deleted");
    client.send(&DeleteUser::new(id)).await?;
    entry.deleted = true;
    Ok(())
}

/// Compares what is there with what was written down, and learns what became of the rest.
async fn check(client: &Client, place: &Place, books: &mut [Vec<Entry>], of: &str) {
    let mut users = BTreeMap::new();
    let mut pages = client.pages(GetUserList { limit: Some(Limit(500)), ..GetUserList::new() });
    while let Some(user) = pages.next().await {
        let user = user.expect("users are listed");
        let name = user.external_id.clone().expect("all have one");
        assert!(users.insert(name, user).is_none(), "{of}: a user is there twice");
    }
    let count = client.send(&GetUsersCount::new()).await.expect("users are counted");
    assert_eq!(count.total_count, users.len() as u64, "{of}: the counter");
    check_store(place, &users, of).await;
    let events = events(place).await;
    for entry in books.iter_mut().flatten() {
        let found = users.remove(&entry.name);
        check_entry(entry, found.as_ref(), of);
        if std::mem::take(&mut entry.touched) {
            check_search(client, entry, found.is_some(), of).await;
            check_sessions(client, entry, of).await;
            check_friends(client, entry, of).await;
        }
        check_events(entry, &events, of);
    }
    let strangers: Vec<_> = users.keys().collect();
    assert!(strangers.is_empty(), "{of}: nobody asked for {strangers:?}");
}

fn check_entry(entry: &mut Entry, found: Option<&User>, of: &str) {
    let Some(user) = found else {
        let may_be_gone = entry.id.is_none() || entry.deleting;
        assert!(may_be_gone, "{of}: lost {entry:?}");
        entry.deleting = true;
        entry.deleted = true;
        return;
    };
    assert!(!entry.deleted, "{of}: back again {entry:?}");
    let emails: Vec<_> = user.email_addresses.iter().map(|email| &email.email_address).collect();
    assert_eq!(emails, [&entry.email()], "{of}: half of {entry:?}");
    assert_eq!(user.primary_email_address_id.as_ref(), Some(&user.email_addresses[0].id));
    assert_eq!(user.username, Some(format!("name_{}", entry.name)), "{of}");
    assert!(entry.id.as_ref().is_none_or(|id| *id == user.id), "{of}: another {entry:?}");
    assert_eq!(user.first_name, user.last_name, "{of}: half a change of {entry:?}");
    let count = user.first_name.as_ref().and_then(|name| name.parse().ok());
    let count: u64 = count.expect("a number was written");
    let within = entry.acknowledged..=entry.tried;
    assert!(within.contains(&count), "{of}: {count} of {entry:?}");
    entry.id = Some(user.id.clone());
    (entry.tried, entry.acknowledged, entry.deleting) = (count, count, false);
}

/// By user, how often each type of event waits.
type Events = BTreeMap<String, BTreeMap<String, u64>>;

fn check_events(entry: &Entry, events: &Events, of: &str) {
    let Some(id) = &entry.id else { return };
    let count = |kind: &str| {
        events.get(id.as_str()).and_then(|kinds| kinds.get(kind)).copied().unwrap_or(0)
    };
    assert_eq!(count("user.created"), 1, "{of}: {entry:?}");
    assert_eq!(count("user.deleted"), u64::from(entry.deleted), "{of}: {entry:?}");
    let updates = count("user.updated");
    // Whoever signs in is changed by that too. What was tried last before a deletion may or may
    // not have come first.
    let fits = if entry.deleted {
        let acknowledged = entry.acknowledged + entry.sessions_acknowledged;
        (acknowledged..=entry.tried + entry.sessions_tried).contains(&updates)
    } else {
        updates == entry.tried + entry.sessions_tried
    };
    assert!(fits, "{of}: {updates} events of {entry:?}");
}

async fn check_search(client: &Client, entry: &Entry, there: bool, of: &str) {
    let query = Some(format!("name_{}", entry.name));
    let search = GetUserList { query, limit: Some(Limit(500)), ..GetUserList::new() };
    let found = client.send(&search).await.expect("users are found");
    let found = found.iter().filter(|user| user.external_id.as_ref() == Some(&entry.name)).count();
    assert_eq!(found, usize::from(there), "{of}: the search for {entry:?}");
}

async fn check_sessions(client: &Client, entry: &mut Entry, of: &str) {
    let Some(id) = &entry.id else { return };
    let user_id = Some(id.clone());
    let list = GetSessionList { user_id, limit: Some(Limit(500)), ..GetSessionList::new() };
    let found = client.send(&list).await.expect("sessions are listed");
    let count = found.into_items().len() as u64;
    if entry.deleted {
        assert_eq!(count, 0, "{of}: sessions of nobody {entry:?}");
        return;
    }
    let within = entry.sessions_acknowledged..=entry.sessions_tried;
    assert!(within.contains(&count), "{of}: {count} sessions of {entry:?}");
    (entry.sessions_tried, entry.sessions_acknowledged) = (count, count);
}

/// All of them are invited, or none.
async fn check_friends(client: &Client, entry: &mut Entry, of: &str) {
    if entry.friends == Friends::Unknown {
        return;
    }
    let query = Some(format!(".of.{}@", entry.name));
    let list = ListInvitations { query, ..ListInvitations::new() };
    let found = client.send(&list).await.expect("invitations are listed").into_items().len();
    let fits = found == AT_ONCE || (found == 0 && entry.friends == Friends::Tried);
    assert!(fits, "{of}: {found} friends of {entry:?}");
    entry.friends = if found == 0 { Friends::Unknown } else { Friends::Invited };
}

async fn rows(place: &Place, sql: &'static str, columns: usize) -> Vec<Vec<String>> {
    let unit = Unit { name: "kill", mode: Mode::Read, scope: Scope::Server };
    let db = place.open().await;
    let rows = db.run(unit, move |mut tx| {
        Box::pin(async move {
            let rows = tx.rows(sql, Vec::new()).await?;
            let read = |mut row: db::Row| (0..columns).map(|_| row.take()).collect();
            rows.into_iter().map(read).collect::<db::Result<Vec<Vec<String>>>>()
        })
    });
    let rows = rows.await.expect("the store is read");
    db.close().await;
    rows
}

async fn check_store(place: &Place, users: &BTreeMap<String, User>, of: &str) {
    if place.open().await.engine() == EngineKind::Sqlite {
        assert_eq!(rows(place, "pragma integrity_check", 1).await, [["ok"]], "{of}");
    }
    let ids: BTreeSet<_> = users.values().map(|user| user.id.as_str().to_owned()).collect();
    let owners = rows(place, "select user_id from identifications", 1).await;
    let owners: Vec<_> = owners.into_iter().flatten().collect();
    assert_eq!(owners.len(), ids.len(), "{of}: identifications");
    assert_eq!(owners.into_iter().collect::<BTreeSet<_>>(), ids, "{of}: identifications");
}

async fn events(place: &Place) -> Events {
    let mut events = Events::new();
    for row in rows(place, "select kind, payload from outbox where not is_sealed", 2).await {
        let data: Value = serde_json::from_str(&row[1]).expect("data is JSON");
        let id = data["id"].as_str().unwrap_or_default().to_owned();
        *events.entry(id).or_default().entry(row[0].clone()).or_default() += 1;
    }
    events
}
