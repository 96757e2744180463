//! Disks that fail, a process that dies while it writes, a clock that is moved, a damaged file,
//! few descriptors. A library between program and system makes what the system will not.

use std::{
    collections::BTreeSet,
    net::TcpStream,
    path::PathBuf,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Place, Running, ask, vestry, with};

/// Faults that can be switched on while the program runs.
struct Faults {
    folder: TempDir,
    library: PathBuf,
}

impl Faults {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder is made");
        let library = folder.path().join("faults.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/faults.c");
        let mut compiler = Command::new("cc");
        let made = compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        assert!(made.status().expect("a C compiler").success(), "the library is made");
        Self { folder, library }
    }

    fn set(&self, name: &str, text: &str) {
        // At once, or the program could read half of it.
        let path = self.folder.path().join(name);
        let draft = path.with_extension("draft");
        std::fs::write(&draft, text).expect("written");
        std::fs::rename(draft, path).expect("renamed");
    }

    fn clear(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).expect("removed");
    }

    /// `vestry dev` at `place`, which suffers them.
    fn dev(&self, place: &Place) -> Running {
        let flags = place.dev();
        let mut command = vestry(&with(&["dev", "--listen", "127.0.0.1:0", "--json"], &flags));
        command.env("LD_PRELOAD", &self.library).env("FAULTS", self.folder.path());
        Running::start(&mut command)
    }
}

/// Asks for a user that is known by `name`.
fn create(address: &str, key: &str, name: &str) -> Option<(u16, Value)> {
    let body = json!({ "external_id": name, "email_address": [format!("{name}@example.com")] });
    ask(address, key, "POST", "/v1/users", &body)
}

/// The users there are, by the names they were made with; none of them is there by half.
fn users(address: &str, key: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for page in 0.. {
        let path = format!("/v1/users?limit=500&offset={}", page * 500);
        let (status, users) = ask(address, key, "GET", &path, &Value::Null).expect("an answer");
        assert_eq!(status, 200, "{users}");
        let users = users.as_array().expect("a list");
        for user in users {
            let name = user["external_id"].as_str().expect("a name").to_owned();
            let address = &user["email_addresses"][0]["email_address"];
            assert_eq!(address, &json!(format!("{name}@example.com")), "{user}");
            found.insert(name);
        }
        if users.len() < 500 {
            break;
        }
    }
    let count = ask(address, key, "GET", "/v1/users/count", &Value::Null).expect("an answer");
    assert_eq!(count.1["total_count"], json!(found.len()), "counters go with their rows");
    found
}

#[tokio::test]
async fn dur_05_a_disk_that_fails_is_told_and_loses_nothing_acknowledged() {
    let place = Place::empty().await;
    // PostgreSQL's disk is not the program's.
    if place.database_url.is_some() {
        return;
    }
    let faults = Faults::new();
    let server = faults.dev(&place);
    let (address, key) = (server.address.clone(), server.said("secret_key"));
    let made = |name: &str| create(&address, &key, name).expect("an answer");
    let mut acknowledged = BTreeSet::new();
    for number in 0..5 {
        assert_eq!(made(&format!("before{number}")).0, 200);
        acknowledged.insert(format!("before{number}"));
    }

    faults.set("eio", "");
    std::thread::scope(|scope| {
        for client in 0..6 {
            let made = &made;
            scope.spawn(move || {
                for number in 0..5 {
                    let (status, body) = made(&format!("failed{client}x{number}"));
                    assert_eq!(status, 503, "{body}");
                    assert_eq!(body["errors"][0]["code"], "service_unavailable", "{body}");
                    assert!(body["clerk_trace_id"].is_string(), "{body}");
                }
            });
        }
    });
    assert_eq!(users(&address, &key), acknowledged, "what is there can be read");
    let health = ask(&address, &key, "GET", "/healthz", &Value::Null).expect("an answer");
    assert_eq!(health.0, 200);

    faults.clear("eio");
    for number in 0..5 {
        let (status, body) = made(&format!("after{number}"));
        assert_eq!(status, 200, "it heals by itself: {body}");
        acknowledged.insert(format!("after{number}"));
    }
    server.signal("KILL");
    server.wait();
    let server = Running::dev(&place, &[]);
    assert_eq!(users(&server.address, &key), acknowledged);
    let log = server.stop();
    assert!(!log.contains("damage"), "{log}");
}

/// Kills the program `kills` times at a sync of its own while three clients make users.
fn kill_at_syncs(place: &Place, kills: u64) {
    let faults = Faults::new();
    let mut acknowledged = BTreeSet::new();
    let tried = AtomicU64::new(0);
    let mut dice = u64::from(std::process::id());
    for round in 0..kills {
        let server = faults.dev(place);
        let (address, key) = (server.address.clone(), server.said("secret_key"));
        let kept = users(&address, &key);
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} of {}", acknowledged.len());
        assert!(kept.len() as u64 <= tried.load(Ordering::Relaxed), "round {round}");

        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        faults.set("kill", &(1 + (dice >> 33) % 20).to_string());
        let told = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for client in 0..3 {
                let (address, key, told, tried) = (&address, &key, &told, &tried);
                scope.spawn(move || {
                    for number in 0.. {
                        let name = format!("r{round}c{client}n{number}");
                        tried.fetch_add(1, Ordering::Relaxed);
                        match create(address, key, &name) {
                            Some((200, _)) => told.lock().expect("noted").push(name),
                            Some((429 | 503, _)) => {}
                            Some(other) => panic!("{other:?}"),
                            None => break,
                        }
                    }
                });
            }
        });
        acknowledged.extend(told.into_inner().expect("noted"));
        let (status, log) = server.wait();
        assert_eq!(status.code(), None, "it was killed: {log}");
        faults.clear("kill");
    }
    assert!(!acknowledged.is_empty());
    let server = faults.dev(place);
    let kept = users(&server.address, &server.said("secret_key"));
    assert_eq!(acknowledged.difference(&kept).count(), 0);
}

#[tokio::test]
async fn dur_06_killed_at_a_sync_it_keeps_its_word() {
    let place = Place::empty().await;
    if place.database_url.is_none() {
        kill_at_syncs(&place, 8);
    }
}

#[tokio::test]
#[ignore = "kills 150 times, which takes minutes"]
async fn dur_06_killed_at_a_sync_many_times_it_keeps_its_word() {
    let place = Place::empty().await;
    if place.database_url.is_none() {
        kill_at_syncs(&place, 150);
    }
}

/// What time it is here.
#[expect(clippy::disallowed_methods, reason = "is compared with the server's clock")]
fn milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not so far")
}

#[tokio::test]
async fn dur_16_a_clock_that_is_moved_ends_no_session_and_stops_nothing() {
    let place = Place::empty().await;
    let faults = Faults::new();
    let server = faults.dev(&place);
    let (address, key) = (server.address.clone(), server.said("secret_key"));
    let post =
        |path: &str, body: Value| ask(&address, &key, "POST", path, &body).expect("answered");
    let (status, user) = create(&address, &key, "first").expect("answered");
    assert_eq!(status, 200, "{user}");
    let (status, session) = post("/v1/sessions", json!({ "user_id": user["id"] }));
    assert_eq!(status, 200, "{session}");
    let path = format!("/v1/sessions/{}", session["id"].as_str().expect("an id"));
    // Seconds off: as clocks of machines are, an hour back, a day ahead, and as it was.
    for (number, seconds) in ["-5", "5", "-60", "60", "-3600", "86400", "0"].iter().enumerate() {
        faults.set("clock", seconds);
        let (status, seen) = ask(&address, &key, "GET", &path, &Value::Null).expect("answered");
        assert_eq!((status, &seen["status"]), (200, &json!("active")), "{seconds}: {seen}");
        let (status, token) = post(&format!("{path}/tokens"), json!({}));
        assert_eq!((status, token["jwt"].is_string()), (200, true), "{seconds}: {token}");
        let (status, user) = create(&address, &key, &format!("at{number}")).expect("answered");
        assert_eq!(status, 200, "{seconds}: {user}");
        let (made, here) = (user["created_at"].as_i64().expect("a time"), milliseconds());
        let off = (made - here) / 1000 - seconds.parse::<i64>().expect("a number");
        assert!(off.abs() < 20, "{seconds}: its clock was moved, {made} {here}");
        let (status, session) = post("/v1/sessions", json!({ "user_id": user["id"] }));
        assert_eq!((status, &session["status"]), (200, &json!("active")), "{seconds}: {session}");
    }
    assert_eq!(users(&address, &key).len(), 8);
    faults.clear("clock");
    server.stop();
}

/// Bytes of a page of the file.
const PAGE: usize = 4096;

#[tokio::test]
async fn dur_13_a_damaged_page_is_never_served() {
    let place = Place::empty().await;
    if place.database_url.is_some() {
        return;
    }
    let server = Running::dev(&place, &[]);
    let key = server.said("secret_key");
    let names: Vec<_> = (0..150).map(|number| format!("user{number}")).collect();
    let mut ids = Vec::new();
    for name in &names {
        let (status, user) = create(&server.address, &key, name).expect("an answer");
        assert_eq!(status, 200, "{user}");
        ids.push((user["id"].as_str().expect("an id").to_owned(), name));
    }
    server.stop();
    let file = std::fs::read_dir(place.path("data")).expect("a folder").find_map(|entry| {
        let path = entry.expect("an entry").path();
        let is_store =
            std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"));
        is_store.then_some(path)
    });
    let file = file.expect("the database");
    let whole = std::fs::read(&file).expect("read");
    let pages = whole.len() / PAGE;
    let (mut noticed, mut step) = (0, pages / 14);
    step = step.max(1);
    for page in (0..pages).step_by(step) {
        let mut damaged = whole.clone();
        damaged[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        std::fs::write(&file, &damaged).expect("written");
        let flags = place.dev();
        let arguments = with(&["dev", "--listen", "127.0.0.1:0", "--json"], &flags);
        let Ok(server) = Running::attempt(&mut vestry(&arguments)) else {
            noticed += 1;
            continue;
        };
        let mut failed = 0;
        for (id, name) in ids.iter().step_by(5) {
            let path = format!("/v1/users/{id}");
            let answer = ask(&server.address, &key, "GET", &path, &Value::Null);
            let (status, user) = answer.expect("it does not crash");
            if status == 200 {
                assert_eq!(user["external_id"], json!(name), "page {page}");
            } else {
                assert!(user["errors"][0]["code"].is_string(), "page {page}: {status} {user}");
                failed += 1;
            }
        }
        noticed += usize::from(failed > 0);
        // Whether it can still end in good order is not asked.
        server.signal("KILL");
        server.wait();
        for more in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{more}", file.display()));
        }
    }
    assert!(noticed > 0, "no damage was noticed on {pages} pages");
    std::fs::write(&file, &whole).expect("written");
    let server = Running::dev(&place, &[]);
    assert_eq!(users(&server.address, &key).len(), names.len());
}

#[tokio::test]
async fn dur_18_with_few_descriptors_it_waits_and_goes_on() {
    let place = Place::empty().await;
    let flags = place.dev();
    let arguments = with(&["dev", "--listen", "127.0.0.1:0", "--json"], &flags);
    let mut shell = vestry(&[]);
    let program = shell.get_program().to_owned();
    shell = {
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(program).args(arguments);
        for (name, _) in shell.get_envs() {
            limited.env_remove(name);
        }
        limited
    };
    let server = Running::start(&mut shell);
    let (address, key) = (server.address.clone(), server.said("secret_key"));
    assert_eq!(create(&address, &key, "before").expect("answered").0, 200);
    for _ in 0..3 {
        let idle: Vec<_> =
            (0..200).map(|_| TcpStream::connect(&address).expect("taken or queued")).collect();
        std::thread::sleep(Duration::from_millis(300));
        drop(idle);
        let ended = AtomicBool::new(false);
        for _ in 0..100 {
            let health = ask(&address, &key, "GET", "/healthz", &Value::Null);
            if health.is_some_and(|(status, _)| status == 200) {
                ended.store(true, Ordering::Relaxed);
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(ended.load(Ordering::Relaxed), "it answers again");
    }
    assert_eq!(create(&address, &key, "after").expect("answered").0, 200);
    assert_eq!(users(&address, &key).len(), 2);
    server.stop();
}

#[tokio::test]
async fn sec_05_a_crash_leaves_no_memory_and_arguments_no_key() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let of_process = |name: &str| {
        let path = format!("/proc/{}/{name}", server.pid());
        String::from_utf8_lossy(&std::fs::read(path).expect("it runs")).into_owned()
    };
    let limits = of_process("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    let words: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{core}");
    let arguments = of_process("cmdline");
    let key = server.said("secret_key");
    assert!(!arguments.contains(&key) && !arguments.contains("sk_"), "{arguments}");
    // Whoever crashes leaves nothing behind.
    let folder = place.path("data");
    server.signal("ABRT");
    server.wait();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(!name.to_string_lossy().contains("core"), "{name:?}");
    }
}
