//! How a database is opened, brought up to date, held and shared.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use db::{Db, EngineKind, Error, Migration, Mode, Unit};

use crate::{
    fixture::{Place, Store, on_postgres},
    units::{self, names, put, unit},
};

const TAGS: Migration = Migration::new("0002_tags", "create table tags (name text primary key);");

/// What the units' store has, and one step more.
fn newer() -> Vec<Migration> {
    [units::MIGRATIONS, &[TAGS]].concat()
}

async fn applied(db: &Db) -> Vec<String> {
    let unit = Unit { scope: db::Scope::Server, ..unit("applied", Mode::Scan) };
    let found = db.run(unit, |mut tx| -> db::BoxFuture<db::Result<Vec<String>>> {
        Box::pin(async move {
            let mut rows = tx.rows("select name from migrations order by name", vec![]).await?;
            rows.iter_mut().map(db::Row::take).collect()
        })
    });
    found.await.expect("listed")
}

fn refusal(opened: db::Result<Db>) -> String {
    match opened {
        Ok(_) => "opened".to_owned(),
        Err(error @ (Error::Schema(_) | Error::Open(_))) => error.to_string(),
        Err(error) => panic!("another error: {error:?}"),
    }
}

#[tokio::test]
async fn an_edited_migration_is_refused_by_name() {
    let place = Place::new().await;
    Db::open(&place.url, &newer()).await.expect("opened").close().await;
    let edited = Migration::new("0002_tags", "create table tags (label text primary key);");
    let edited = [units::MIGRATIONS, &[edited]].concat();
    let text = "the database has another 0002_tags than this program";
    assert_eq!(refusal(Db::open(&place.url, &edited).await), text);
    assert_eq!(refusal(Db::attach(&place.url, &edited).await), text);
    // Line ends are not an edit.
    let windows = Migration::new("0002_tags", "create table tags (name text primary key);\r");
    let windows = [units::MIGRATIONS, &[windows]].concat();
    Db::open(&place.url, &windows).await.expect("opened");
}

#[tokio::test]
async fn a_newer_database_is_refused_by_name() {
    let place = Place::new().await;
    Db::open(&place.url, &newer()).await.expect("opened").close().await;
    let text = "the database is newer than this program: it has 0002_tags";
    assert_eq!(refusal(Db::open(&place.url, units::MIGRATIONS).await), text);
    assert_eq!(refusal(Db::attach(&place.url, units::MIGRATIONS).await), text);
}

#[tokio::test]
async fn attaching_changes_no_schema() {
    let place = Place::new().await;
    let missing = Db::attach(&place.url, units::MIGRATIONS).await;
    if !on_postgres() {
        let path = place.url.trim_start_matches("sqlite:");
        assert_eq!(refusal(missing), format!("there is no database at {path}"));
        assert!(!std::path::Path::new(path).exists());
    }
    let db = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    let text = "the database is older than this program: it lacks 0002_tags; start the server \
                first";
    assert_eq!(refusal(Db::attach(&place.url, &newer()).await), text);
    assert!(!applied(&db).await.contains(&"0002_tags".to_owned()));
}

#[tokio::test]
async fn a_command_works_beside_the_server() {
    let server = Store::open(units::MIGRATIONS).await;
    let command = Db::attach(&server.url, units::MIGRATIONS).await.expect("attached");
    put(&server, "ada", 1).await.expect("put");
    put(&command, "bob", 2).await.expect("put");
    assert_eq!(names(&command).await, ["ada", "bob"]);
    command.close().await;
    put(&server, "eve", 3).await.expect("put");
    assert_eq!(names(&server).await, ["ada", "bob", "eve"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn openers_at_once_migrate_once() {
    let place = Place::new().await;
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = place.url.clone();
            tokio::spawn(async move { Db::open(&url, &newer()).await })
        })
        .collect();
    let mut opened = Vec::new();
    for opener in opening {
        match opener.await.expect("joined") {
            Ok(db) => opened.push(db),
            // A file has one server; the others are told so.
            Err(Error::Open(text)) if !on_postgres() => {
                assert!(text.starts_with("another server has "), "{text}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(opened.len(), if on_postgres() { 6 } else { 1 });
    let known = [db::MIGRATIONS, units::MIGRATIONS, &[TAGS]].concat();
    let engine = if on_postgres() { EngineKind::Postgres } else { EngineKind::Sqlite };
    let meant = known.iter().filter(|step| step.engine.is_none_or(|only| only == engine));
    let mut expected: Vec<_> = meant.map(|step| step.name.to_owned()).collect();
    expected.sort();
    assert_eq!(applied(&opened[0]).await, expected);
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let place = Place::new().await;
    let broken = Migration::new("0003_broken", "create table half (a text); insert into nothing;");
    let broken = [newer(), vec![broken]].concat();
    assert!(Db::open(&place.url, &broken).await.is_err());
    let db = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    assert!(!applied(&db).await.contains(&"0002_tags".to_owned()));
    db.close().await;
    Db::open(&place.url, &newer()).await.expect("opened");
}

#[tokio::test]
async fn a_file_has_one_server() {
    if on_postgres() {
        return;
    }
    let place = Place::new().await;
    let first = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    let path = place.url.trim_start_matches("sqlite:");
    let text = format!("another server has {path} open");
    assert_eq!(refusal(Db::open(&place.url, units::MIGRATIONS).await), text);
    put(&first, "ada", 1).await.expect("put");
    first.close().await;
    let second = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    assert_eq!(names(&second).await, ["ada"]);
}

#[tokio::test]
async fn a_file_of_another_program_is_refused() {
    if on_postgres() {
        return;
    }
    let place = Place::new().await;
    let path = place.url.trim_start_matches("sqlite:").to_owned();
    std::fs::write(&path, "a letter to a friend, longer than the header of a database\n".repeat(9))
        .expect("written");
    let error = Db::open(&place.url, units::MIGRATIONS).await.err().expect("refused");
    assert!(error.to_string().contains("not a database"), "{error}");
    let letter = std::fs::read_to_string(&path).expect("read");
    assert!(letter.starts_with("a letter to a friend"));
}

/// The other half of the next test: serves the file until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
#[expect(clippy::print_stdout, reason = "says that it is ready")]
async fn serves_until_killed() {
    // Whoever runs all tests that are ignored did not mean this one.
    let Ok(url) = std::env::var("SERVED_URL") else { return };
    let db = Db::open(&url, units::MIGRATIONS).await.expect("opened");
    put(&db, "ada", 1).await.expect("put");
    println!("\nserving");
    std::thread::sleep(std::time::Duration::from_mins(1));
}

#[tokio::test]
async fn the_lock_of_a_killed_server_does_not_outlive_it() {
    if on_postgres() {
        return;
    }
    let place = Place::new().await;
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "opening::serves_until_killed", "--ignored", "--nocapture"])
        .env("SERVED_URL", &place.url)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "serving")));
    let text = refusal(Db::open(&place.url, units::MIGRATIONS).await);
    assert!(text.starts_with("another server has "), "{text}");

    server.kill().expect("killed");
    server.wait().expect("gone");

    let lock = format!("{}.lock", place.url.trim_start_matches("sqlite:"));
    assert!(std::path::Path::new(&lock).exists());
    let db = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    assert_eq!(names(&db).await, ["ada"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    if on_postgres() {
        return;
    }
    let db = Store::open(units::MIGRATIONS).await;
    put(&db, "ada", 1).await.expect("put");
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let path = format!("{}{suffix}", db.url.trim_start_matches("sqlite:"));
        let mode = std::fs::metadata(&path).expect(&path).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn dur_12_every_commit_is_on_disk_before_it_is_answered() {
    if on_postgres() {
        return; // What a server there is set to is its owner's business.
    }
    let db = Store::open(units::MIGRATIONS).await;
    let work = |mut tx: db::Tx| -> db::BoxFuture<db::Result<(i64, String)>> {
        Box::pin(async move {
            let synchronous = tx.rows("pragma synchronous", vec![]).await?;
            let journal = tx.rows("pragma journal_mode", vec![]).await?;
            let [mut synchronous, mut journal] =
                [synchronous, journal].map(|rows| rows.into_iter().next().expect("a row"));
            Ok((synchronous.take()?, journal.take()?))
        })
    };
    let found = db.run(unit("settings", Mode::Write), work).await.expect("read");
    assert_eq!(found, (2, "wal".to_owned()), "full, and a log ahead of the file");
}

/// A step of the schema that does something at first, and then takes long.
fn endless() -> Vec<Migration> {
    let (sql, engine) = if on_postgres() {
        ("create table tags (name text primary key); select pg_sleep(3);", EngineKind::Postgres)
    } else {
        let sql = "create table tags (name text primary key);
            insert into tags with recursive n (i) as (
                select 1 union all select i + 1 from n where i < 100000000000
            ) select i from n;";
        (sql, EngineKind::Sqlite)
    };
    let step = Migration { name: "0002_tags", sql, engine: Some(engine) };
    [units::MIGRATIONS, &[step]].concat()
}

/// The other half of the next test: is killed in the middle of its migrations.
#[tokio::test]
#[ignore = "started by another test"]
#[expect(clippy::print_stdout, reason = "says that it begins")]
async fn migrates_until_killed() {
    let Ok(url) = std::env::var("SERVED_URL") else { return };
    println!("\nmigrating");
    let _ = Db::open(&url, &endless()).await;
}

#[tokio::test]
async fn dur_15_who_is_killed_in_a_migration_leaves_nothing() {
    let place = Place::new().await;
    let db = Db::open(&place.url, units::MIGRATIONS).await.expect("opened");
    put(&db, "ada", 1).await.expect("put");
    db.close().await;
    for milliseconds in [300, 700] {
        let mut opener = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "opening::migrates_until_killed", "--ignored", "--nocapture"])
            .env("SERVED_URL", &place.url)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(opener.stdout.take().expect("piped")).lines();
        assert!(lines.any(|line| line.is_ok_and(|line| line == "migrating")));
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        assert!(opener.try_wait().expect("asked").is_none(), "it is still at it");
        opener.kill().expect("killed");
        opener.wait().expect("gone");
    }

    // The lease of a killed process ends by itself.
    let db = Db::open(&place.url, &newer()).await.expect("opened");

    assert_eq!(names(&db).await, ["ada"]);
    assert!(applied(&db).await.contains(&"0002_tags".to_owned()));
    let work = |mut tx: db::Tx| -> db::BoxFuture<db::Result<usize>> {
        Box::pin(async move { Ok(tx.rows("select name from tags", vec![]).await?.len()) })
    };
    assert_eq!(db.run(unit("tags", Mode::Scan), work).await.expect("read"), 0);
}
