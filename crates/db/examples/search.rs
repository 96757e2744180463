//! How fast substring search is on a file of a million users, and what its upkeep costs.
//!
//! `cargo run --release -p db --example search -- [USERS] [INSERTS] [FOLDER]`. A folder that
//! already holds the users is used as it is, so that one load serves several runs.
#![expect(clippy::print_stdout, reason = "prints a table")]
#![expect(clippy::disallowed_methods, reason = "measures time")]
#![expect(clippy::cast_precision_loss, reason = "prints figures")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use db::{BoxFuture, Db, Migration, Mode, Record, Result, Scope, Tx, Unit};
use macros::Record;

const MIGRATIONS: &[Migration] = &[Migration::new(
    "0001_users",
    "create table users (
         id text primary key, instance_id text not null, position bigint not null,
         known_by text not null
     );
     create unique index users_position on users (instance_id, position);
     create search index users;",
)];

#[derive(Clone, Record)]
#[record(table = "users")]
struct User {
    id: String,
    instance_id: String,
    position: i64,
    known_by: String,
}

/// Searches of each kind in a round.
const SEARCHES: usize = 400;
const READERS: usize = 8;
const FIRST: &[&str] = &[
    "ada",
    "grace",
    "alan",
    "edsger",
    "barbara",
    "donald",
    "john",
    "mary",
    "james",
    "patricia",
    "robert",
    "jennifer",
    "michael",
    "linda",
    "david",
    "elizabeth",
    "william",
    "susan",
    "richard",
    "jessica",
    "joseph",
    "sarah",
    "thomas",
    "karen",
    "charles",
    "lisa",
    "christopher",
    "nancy",
    "daniel",
    "betty",
    "matthew",
    "sandra",
    "anthony",
    "margaret",
    "mark",
    "ashley",
    "søren",
    "zoë",
    "josé",
    "françois",
];
const LAST: &[&str] = &[
    "lovelace",
    "hopper",
    "turing",
    "dijkstra",
    "liskov",
    "knuth",
    "smith",
    "johnson",
    "williams",
    "brown",
    "jones",
    "garcia",
    "miller",
    "davis",
    "rodriguez",
    "martinez",
    "hernandez",
    "lopez",
    "gonzalez",
    "wilson",
    "anderson",
    "thomas",
    "taylor",
    "moore",
    "jackson",
    "martin",
    "lee",
    "perez",
    "thompson",
    "white",
    "harris",
    "sanchez",
    "clark",
    "ramirez",
    "lewis",
    "robinson",
    "walker",
    "young",
    "allen",
    "king",
    "wright",
    "scott",
    "torres",
    "nguyen",
    "hill",
    "flores",
];
const HOSTS: &[&str] =
    &["example.com", "mail.example.org", "example.net", "corp.example", "school.example.edu"];

/// A small generator: the same users in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

fn user(number: u64) -> User {
    let mut dice = Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let (first, last) = (dice.pick(FIRST), dice.pick(LAST));
    let letters = "0123456789abcdefghijklmnopqrstuvwxyz".as_bytes();
    let tail: String = (0..21).map(|_| char::from(letters[dice.roll(letters.len())])).collect();
    let id = format!("user_2x{:04}{tail}", number / 1000 % 10_000);
    let known_by = format!(
        "{first} {last}\n{first}{}\n{id}\n{first}.{last}{}@{}\n{last}{}@{}\n+1{}{:07}",
        dice.roll(10_000),
        dice.roll(1000),
        dice.pick(HOSTS),
        dice.roll(100_000),
        dice.pick(HOSTS),
        201 + dice.roll(700),
        dice.roll(10_000_000),
    );
    let milliseconds = 1_700_000_000_000 + i64::try_from(number).unwrap_or(0) * 2 / 3;
    let position = (milliseconds << 20) + i64::try_from(number % (1 << 20)).unwrap_or(0);
    User { id, instance_id: "ins_one".to_owned(), position, known_by }
}

fn unit(name: &'static str, mode: Mode) -> Unit {
    Unit { name, mode, scope: Scope::Instance("ins_one".to_owned()) }
}

async fn put(db: &Db, numbers: std::ops::Range<u64>) -> Result<()> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
        let numbers = numbers.clone();
        Box::pin(async move {
            for user in numbers.map(user) {
                tx.search_put("users", user.position, &user.known_by).await?;
                user.insert(&mut tx).await?;
            }
            Ok(())
        })
    };
    db.run(unit("put", Mode::Write), work).await
}

async fn find(db: &Db, needle: &'static str) -> Result<usize> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<Vec<User>>> {
        Box::pin(async move {
            let users = User::select(&tx).matching("users", "position", needle);
            users.order("position desc").limit(10).all(&mut tx).await
        })
    };
    let found = db.run(unit("find", Mode::Scan), work).await?;
    assert!(found.iter().all(|user| user.known_by.contains(needle)), "{needle}");
    assert!(found.is_sorted_by(|a, b| a.position > b.position), "{needle}");
    Ok(found.len())
}

/// Searches by several readers at once, each with all the kinds in turn.
async fn measure(db: &Db, title: &str, needles: &[(&'static str, &'static str)], readers: usize) {
    println!("{title}, {readers} reader(s)");
    for (kind, needle) in needles {
        let tasks: Vec<_> = (0..readers)
            .map(|_| {
                let (db, needle) = (db.clone(), *needle);
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    let mut found = 0;
                    for _ in 0..SEARCHES / readers {
                        let began = Instant::now();
                        found = find(&db, needle).await.expect("found");
                        took.push(began.elapsed());
                    }
                    (found, took)
                })
            })
            .collect();
        let (mut found, mut all) = (0, Vec::new());
        for task in tasks {
            let (count, took) = task.await.expect("joined");
            found = count;
            all.extend(took);
        }
        all.sort();
        let at = |percent: usize| all[(all.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        let (p50, p99) = (at(50), at(99));
        println!(
            "  {kind:<28} {needle:<22} {found:>3} found  p50 {p50:>8.2} ms  p99 {p99:>8.2} ms"
        );
    }
}

const NEEDLES: &[(&str, &str)] = &[
    ("common name", "smith"),
    ("common, in every row", "example"),
    ("common mail", "@example.com"),
    ("rare: one user", "user_2x0123"),
    ("rare: number", "+12015551"),
    ("two names", "ada lovelace"),
    ("mail of one", "grace.hopper77@"),
    ("absent letters", "zqxjk"),
    ("absent, of common parts", "anderlace"),
    ("absent, of common parts", "smithson.johnsmith"),
    ("absent, of common parts", "example.comple"),
    ("absent, digits", "1234567890123"),
    ("absent word", "vestry"),
    ("three letters", "son"),
    ("two letters", "ad"),
    ("two letters, every row", "ex"),
    ("two letters, rare", "zk"),
    ("two letters, absent", "é%"),
    ("one letter", "a"),
    ("one letter, absent", "%"),
];

fn size(path: &PathBuf) -> f64 {
    std::fs::metadata(path).map_or(0.0, |file| file.len() as f64 / 1e6)
}

async fn load(db: &Db, users: u64, path: &PathBuf) {
    let began = Instant::now();
    for first in (0..users).step_by(1000) {
        put(db, first..(first + 1000).min(users)).await.expect("put");
        if first % 20_000 == 0 {
            while db.tidy().await.expect("tidied") {}
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!("loaded {users} in {took:.1} s, {:.0}/s, {:.0} MB", users as f64 / took, size(path));
}

/// Single inserts of 64 connections, while the server's upkeep runs as it does.
async fn insert(db: &Db, first: u64, count: u64) {
    let next = Arc::new(AtomicU64::new(first));
    let done = Arc::new(AtomicBool::new(false));
    let (tidy_db, tidy_done) = (db.clone(), Arc::clone(&done));
    let tidying = tokio::spawn(async move {
        let (mut steps, mut longest, mut all) = (0, Duration::ZERO, Duration::ZERO);
        while !tidy_done.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            loop {
                let began = Instant::now();
                let more = tidy_db.tidy().await.expect("tidied");
                steps += 1;
                longest = longest.max(began.elapsed());
                all += began.elapsed();
                if !more {
                    break;
                }
            }
        }
        (steps, longest, all)
    });
    let began = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (db, next) = (db.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut took = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= first + count {
                        return took;
                    }
                    let began = Instant::now();
                    put(&db, number..number + 1).await.expect("put");
                    took.push(began.elapsed());
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("joined"));
    }
    let took = began.elapsed().as_secs_f64();
    done.store(true, Ordering::Relaxed);
    all.sort();
    let (p50, p99) = (all[all.len() / 2], all[all.len() * 99 / 100]);
    println!(
        "{count} single inserts, 64 at once: {:.0}/s, p50 {p50:?}, p99 {p99:?}",
        count as f64 / took
    );
    let (steps, longest, spent) = tidying.await.expect("joined");
    println!("  upkeep: {steps} steps in {spent:?}, longest {longest:?}");
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let users = args.next().map_or(1_000_000, |text| text.parse().expect("users"));
    let inserts = args.next().map_or(50_000, |text| text.parse().expect("inserts"));
    let temporary = tempfile::tempdir().expect("folder");
    let folder = args.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let path = folder.join("search.db");
    let fresh = !path.exists();
    let db = Db::open(&format!("sqlite:{}", path.display()), MIGRATIONS).await.expect("opened");
    if fresh {
        load(&db, users, &path).await;
        measure(&db, "after the load", NEEDLES, 1).await;
        measure(&db, "after the load", NEEDLES, READERS).await;
    }
    if inserts > 0 {
        insert(&db, 2 * users, inserts).await;
    }
    measure(&db, "now", NEEDLES, 1).await;
    measure(&db, "now", NEEDLES, READERS).await;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmRSS:"));
    println!("{:.0} MB of file, memory {}", size(&path), memory.unwrap_or("unknown"));
    db.close().await;
}
