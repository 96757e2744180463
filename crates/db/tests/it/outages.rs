//! What is promised while the server or the disk is away.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use db::{BoxFuture, Db, Error, Limits, Mode, Record, Result, Tx};

use crate::{
    fixture::{Place, on_postgres},
    server::Server,
    units::{MIGRATIONS, Thing, names, put, unit},
};

#[expect(clippy::disallowed_methods, reason = "measures")]
fn now() -> Instant {
    Instant::now()
}

/// Writers and readers at work, and what they saw.
#[derive(Clone, Default)]
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    /// Acknowledged writes since the list was last emptied, by when.
    answered: Arc<Mutex<Vec<Instant>>>,
    refused: Arc<Mutex<Vec<Error>>>,
}

impl Load {
    fn start(&self, db: &Db, writers: i64) -> Vec<tokio::task::JoinHandle<()>> {
        (0..writers)
            .map(|writer| {
                let (load, db) = (self.clone(), db.clone());
                tokio::spawn(async move { load.work(&db, writer).await })
            })
            .collect()
    }

    async fn work(&self, db: &Db, writer: i64) {
        let mut number = 0;
        while !self.stop.load(Ordering::Relaxed) {
            number += 1;
            let name: &'static str = format!("{writer} {number}").leak();
            match put(db, name, writer * 1_000_000 + number).await {
                Ok(()) => {
                    self.acknowledged.lock().expect("noted").insert(name.to_owned());
                    self.answered.lock().expect("noted").push(now());
                }
                Err(error) => self.refused.lock().expect("noted").push(error),
            }
            let find = db.run(unit("find", Mode::Read), |mut tx| -> BoxFuture<Result<_>> {
                Box::pin(async move { Thing::find(&mut tx, &"0 1".to_owned()).await })
            });
            if let Err(error) = find.await {
                self.refused.lock().expect("noted").push(error);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_under_load_loses_nothing_acknowledged() {
    if !on_postgres() {
        return;
    }
    let server = Server::start("-c fsync=on -c synchronous_commit=on -c full_page_writes=on");
    let db = Db::open(&format!("{}/postgres", server.url), MIGRATIONS).await.expect("opened");
    let load = Load::default();
    let working = load.start(&db, 16);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!load.answered.lock().expect("noted").is_empty());

    let server = tokio::task::spawn_blocking(move || {
        server.crash();
        server
    });
    let server = server.await.expect("crashed and started again");
    let back = now();
    load.answered.lock().expect("noted").clear();
    tokio::time::sleep(Duration::from_secs(5)).await;
    load.stop.store(true, Ordering::Relaxed);
    for worker in working {
        worker.await.expect("joined");
    }

    let healed = load.answered.lock().expect("noted").first().copied().expect("healed");
    assert!(healed.saturating_duration_since(back) < Duration::from_secs(5));
    let refused = std::mem::take(&mut *load.refused.lock().expect("noted"));
    for error in &refused {
        assert!(matches!(error, Error::Unavailable(_) | Error::Lost(_)), "{error:?}");
    }
    let kept: BTreeSet<_> = names(&db).await.into_iter().collect();
    let acknowledged = load.acknowledged.lock().expect("noted");
    let lost: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());
    drop(server);
}

/// A disk of few megabytes, gone when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    fn mount() -> std::result::Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        mount(folder.path(), "size=3m")?;
        Ok(Self(folder))
    }

    fn grow(&self) {
        mount(self.0.path(), "remount,size=30m").expect("grown");
    }
}

fn mount(folder: &Path, options: &str) -> std::result::Result<(), String> {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder);
    let output = mount.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

/// Fifty kilobytes in one unit.
async fn put_much(db: &Db, number: usize) -> Result<()> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move {
            let sql = "insert into parts (picture) values ($1)";
            let bytes = vec![u8::try_from(number % 250).unwrap_or(0); 50_000];
            tx.execute(sql, vec![db::Value::Bytes(bytes)]).await
        })
    };
    db.run(unit("put much", Mode::Write), work).await
}

async fn parts(db: &Db) -> usize {
    let work = |mut tx: Tx| -> BoxFuture<Result<usize>> {
        Box::pin(async move {
            let rows = tx.rows("select picture is null from parts", vec![]).await?;
            Ok(rows.len())
        })
    };
    db.run(unit("parts", Mode::Scan), work).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "says why it proves nothing here")]
async fn a_full_disk_is_told_and_forgotten_once_there_is_room() {
    if on_postgres() {
        return;
    }
    let disk = match Disk::mount() {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("SKIPPED: a small disk needs root and `mount`: {reason}");
            return;
        }
    };
    let url = format!("sqlite:{}", disk.0.path().join("store").display());
    let db = Db::open(&url, MIGRATIONS).await.expect("opened");
    put(&db, "ada", 1).await.expect("put");
    let mut kept = 0;
    let full = loop {
        match put_much(&db, kept).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100, "the disk never fills");
    };
    assert!(matches!(full, Error::Unavailable(_)), "{full:?}");
    assert!(kept > 5, "{kept}");
    for number in 0..5 {
        let again = put_much(&db, number).await;
        assert!(matches!(again, Err(Error::Unavailable(_))), "{again:?}");
        assert_eq!(parts(&db).await, kept);
        assert_eq!(names(&db).await, ["ada"]);
    }

    disk.grow();

    put_much(&db, kept).await.expect("put");
    put(&db, "bob", 2).await.expect("put");
    assert_eq!(parts(&db).await, kept + 1);
    db.close().await;
    let db = Db::open(&url, MIGRATIONS).await.expect("opened again");
    assert_eq!(parts(&db).await, kept + 1);
    assert_eq!(names(&db).await, ["ada", "bob"]);
    db.close().await;
}

/// Writes `count` times while somebody else reads from the same file and does not end, and as often
/// afterwards: what grew meanwhile is used again, and made shorter where it grew long.
async fn write_beside_a_reader(count: usize, bytes_max: u64) {
    if on_postgres() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let db = Db::open(&format!("sqlite:{}", path.display()), MIGRATIONS).await.expect("opened");
    put(&db, "ada", 1).await.expect("put");
    let log = || std::fs::metadata(path.with_file_name("store-wal"));
    let length = || log().expect("there is a log").len();
    let reader = rusqlite::Connection::open(&path).expect("opened beside it");
    let read = || reader.query_row("select count(*) from parts", [], |row| row.get::<_, i64>(0));
    reader.execute_batch("begin").expect("begun");
    assert_eq!(read().expect("read"), 0);
    for number in 0..count {
        put_much(&db, number).await.expect("a reader is in nobody's way");
    }
    let grown = length();
    assert!(grown > 40_000 * count as u64, "{grown}: nothing could be given back");
    assert_eq!(read().expect("read"), 0, "it sees what it saw");
    reader.execute_batch("commit").expect("ended");
    for number in 0..count {
        put_much(&db, number).await.expect("put");
    }
    let later = length();
    assert!(later <= grown.min(bytes_max) + (32 << 20), "{grown} {later}");
    assert!(later < grown + grown / 2, "{grown} {later}");
    assert_eq!(parts(&db).await, 2 * count);
    db.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dur_14_a_long_reader_keeps_nobody_and_its_log_is_used_again() {
    write_beside_a_reader(500, u64::MAX).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes half a gigabyte"]
async fn dur_14_a_log_that_grew_long_is_made_shorter() {
    write_beside_a_reader(4_000, 64 << 20).await;
}

/// A way to a server on which everything may get lost.
struct Way {
    port: u16,
    swallows: Arc<AtomicBool>,
}

impl Way {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it has an address").port();
        let swallows = Arc::new(AtomicBool::new(false));
        let swallowing = Arc::clone(&swallows);
        std::thread::spawn(move || {
            for here in listener.incoming().map_while(std::result::Result::ok) {
                let Ok(there) = TcpStream::connect(&server) else { continue };
                let ends = [(&here, &there), (&there, &here)];
                for (from, to) in ends {
                    let (from, to) = (from.try_clone(), to.try_clone());
                    let swallowing = Arc::clone(&swallowing);
                    std::thread::spawn(move || carry(from.ok()?, to.ok()?, &swallowing));
                }
            }
        });
        Self { port, swallows }
    }
}

/// Carries bytes; of a connection on which some got lost, nothing ever comes through again.
fn carry(mut from: TcpStream, mut to: TcpStream, swallows: &AtomicBool) -> Option<()> {
    let (mut bytes, mut is_dead) = ([0; 8192], false);
    loop {
        let count = from.read(&mut bytes).ok().filter(|count| *count > 0);
        is_dead |= swallows.load(Ordering::Relaxed);
        match count {
            Some(count) if !is_dead => to.write_all(&bytes[..count]).ok()?,
            Some(_) => {}
            None => return to.shutdown(Shutdown::Both).ok(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dur_22_a_network_that_swallows_everything_is_told_and_forgotten() {
    if !on_postgres() {
        return;
    }
    let place = Place::new().await;
    let (start, rest) = place.url.split_once("@127.0.0.1:").expect("on this machine");
    let (port, database) = rest.split_once('/').expect("a database");
    let way = Way::to(format!("127.0.0.1:{port}"));
    let url = format!("{start}@127.0.0.1:{}/{database}", way.port);
    let limits = Limits {
        statement: Duration::from_secs(1),
        unit: Duration::from_secs(2),
        idle: Duration::from_secs(2),
        ..Limits::default()
    };
    let db = Db::open_with(&url, MIGRATIONS, limits).await.expect("opened");
    let load = Load::default();
    let working = load.start(&db, 8);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!load.answered.lock().expect("noted").is_empty());

    way.swallows.store(true, Ordering::Relaxed);
    let began = now();
    let told = put(&db, "lost", 0).await.expect_err("nobody answers");
    assert!(began.elapsed() < Duration::from_secs(6), "{told:?} after {:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    load.refused.lock().expect("noted").clear();
    way.swallows.store(false, Ordering::Relaxed);
    let back = now();
    load.answered.lock().expect("noted").clear();
    tokio::time::sleep(Duration::from_secs(10)).await;
    load.stop.store(true, Ordering::Relaxed);
    for worker in working {
        worker.await.expect("joined");
    }

    let healed = load.answered.lock().expect("noted").first().copied().expect("healed");
    assert!(healed.saturating_duration_since(back) < Duration::from_secs(10));
    put(&db, "found", -1).await.expect("as before");
    let kept: BTreeSet<_> = names(&db).await.into_iter().collect();
    let acknowledged = std::mem::take(&mut *load.acknowledged.lock().expect("noted"));
    assert_eq!(acknowledged.difference(&kept).count(), 0, "of {}", acknowledged.len());
    db.close().await;
}
