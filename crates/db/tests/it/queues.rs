//! What happens when too much is asked, or what takes too long.

use std::{
    collections::HashSet,
    fmt::Debug,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use db::{BoxFuture, Db, Error, Limits, Mode, Result, Tx, Value};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    fixture::{Store, on_postgres},
    units::{MIGRATIONS, hold, names, put, unit},
};

const A_MOMENT: Duration = Duration::from_millis(100);

/// Counts for minutes.
const LONG: &str = "with recursive n (i) as (
        select cast(1 as bigint) union all select i + 1 from n where i < 100000000000
    ) select count(*) from n";

fn name(count: i64) -> &'static str {
    format!("thing {count:03}").leak()
}

/// Fills the queue behind units that `release` lets go: at most `places` may wait.
async fn fill(db: &Db, places: usize) -> Vec<tokio::task::JoinHandle<Result<()>>> {
    let mut waiting = Vec::new();
    for count in 0..i64::try_from(places).expect("few") {
        let db = db.clone();
        waiting.push(tokio::spawn(async move { put(&db, name(count), count).await }));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    waiting
}

#[expect(clippy::disallowed_methods, reason = "measures")]
fn now() -> Instant {
    Instant::now()
}

/// Refused because too many wait, and at once.
async fn refused<T: Debug>(work: impl Future<Output = Result<T>>) {
    let began = now();
    let answer = work.await;
    assert!(matches!(answer, Err(Error::Overloaded)), "{answer:?}");
    assert!(began.elapsed() < A_MOMENT, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_of_writers_refuses_at_once_and_recovers() {
    if on_postgres() {
        return;
    }
    let limits = Limits { writes_waiting: 4, ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    let (release, holding) = hold(&db);
    tokio::time::sleep(A_MOMENT).await;
    let waiting = fill(&db, 4).await;
    assert_eq!(db.depths().writes, 4);
    for count in 100..120 {
        refused(put(&db, name(count), count)).await;
    }
    assert!(names(&db).await.is_empty(), "reading goes on");

    drop(release);

    holding.await.expect("joined").expect("held");
    for waiter in waiting {
        waiter.await.expect("joined").expect("put");
    }
    put(&db, "late", 200).await.expect("put");
    assert_eq!(names(&db).await.len(), 5);
    assert_eq!(db.depths().writes, 0);
}

/// Lets units go when it is dropped.
struct Release(Arc<AtomicBool>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Units that each keep their place until they are released.
fn occupy(db: &Db, mode: Mode, places: usize) -> (Release, Vec<Occupant>) {
    let released = Arc::new(AtomicBool::new(false));
    let occupants = (0..places).map(|_| {
        let (db, released) = (db.clone(), Arc::clone(&released));
        tokio::spawn(async move {
            let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
                let released = Arc::clone(&released);
                Box::pin(async move {
                    tx.execute("select name from things", vec![]).await?;
                    while !released.load(Ordering::Relaxed) {
                        let pause = Duration::from_millis(5);
                        if on_postgres() {
                            tokio::time::sleep(pause).await;
                        } else {
                            std::thread::sleep(pause);
                        }
                    }
                    Ok(())
                })
            };
            db.run(unit("occupy", mode), work).await
        })
    });
    let occupants = occupants.collect();
    (Release(released), occupants)
}

type Occupant = tokio::task::JoinHandle<Result<()>>;

async fn scan(db: &Db) -> Result<()> {
    let work = |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move { tx.execute("select name from things", vec![]).await })
    };
    db.run(unit("scan", Mode::Scan), work).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_of_scans_refuses_at_once_and_recovers() {
    if on_postgres() {
        return;
    }
    let limits = Limits { scans: 1, scans_waiting: 2, ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    let (release, occupants) = occupy(&db, Mode::Scan, 1);
    tokio::time::sleep(A_MOMENT).await;
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { scan(&db).await })
        })
        .collect();
    tokio::time::sleep(A_MOMENT).await;
    assert_eq!(db.depths().scans, 2);
    for _ in 0..20 {
        refused(scan(&db)).await;
    }
    put(&db, "ada", 1).await.expect("writing goes on");

    drop(release);

    for waiter in occupants.into_iter().chain(waiting) {
        waiter.await.expect("joined").expect("scanned");
    }
    scan(&db).await.expect("scanned");
    assert_eq!(db.depths().scans, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_for_connections_refuses_at_once_and_recovers() {
    if !on_postgres() {
        return;
    }
    let limits = Limits { connections: 2, connections_waiting: 3, ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    let (release, occupants) = occupy(&db, Mode::Write, 2);
    tokio::time::sleep(A_MOMENT * 3).await;
    let waiting = fill(&db, 3).await;
    assert_eq!(db.depths().connections, 3);
    for count in 100..120 {
        refused(put(&db, name(count), count)).await;
    }

    drop(release);

    for waiter in occupants.into_iter().chain(waiting) {
        waiter.await.expect("joined").expect("done");
    }
    put(&db, "late", 200).await.expect("put");
    assert_eq!(names(&db).await.len(), 4);
    assert_eq!(db.depths().connections, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_for_a_place_is_told() {
    if on_postgres() {
        return; // There the one that holds the place runs out of time first.
    }
    let limits = Limits { unit: Duration::from_millis(300), scans: 1, ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    let (release, mut occupants) = occupy(&db, Mode::Scan, 1);
    tokio::time::sleep(A_MOMENT).await;
    let late = scan(&db).await;
    assert!(matches!(late, Err(Error::Overloaded)), "{late:?}");
    drop(release);
    let _ = occupants.pop().expect("one").await;
    scan(&db).await.expect("scanned");
}

async fn take_long(db: &Db, mode: Mode, sql: &'static str) -> Result<()> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move { tx.execute(sql, vec![]).await })
    };
    db.run(unit("take long", mode), work).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_takes_too_long_ends_alone() {
    const LONG_WRITE: &str = "insert into things (name, instance_id, count)
        with recursive n (i) as (
            select cast(1 as bigint) union all select i + 1 from n where i < 100000000000
        ) select 'lost', 'ins_one', count(*) from n";
    let limits = Limits {
        statement: Duration::from_millis(400),
        group_time: Duration::from_mins(1),
        ..Limits::default()
    };
    let db = Store::open_with(MIGRATIONS, limits).await;
    put(&db, "ada", 1).await.expect("put");
    for (count, (mode, sql)) in (10..).step_by(2).zip([
        (Mode::Read, LONG),
        (Mode::Scan, LONG),
        (Mode::Write, LONG),
        (Mode::Write, LONG_WRITE),
    ]) {
        let began = now();
        let (long, before, after) = tokio::join!(
            take_long(&db, mode, sql),
            put(&db, name(count), count),
            put(&db, name(count + 1), count + 1)
        );
        assert!(matches!(long, Err(Error::TimedOut("take long"))), "{mode:?}: {long:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        before.expect("put");
        after.expect("put");
    }
    assert_eq!(names(&db).await.len(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_unit_of_many_statements_ends_in_time() {
    let limits = Limits { unit: Duration::from_millis(400), ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    for mode in [Mode::Read, Mode::Scan, Mode::Write] {
        let began = now();
        let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
            Box::pin(async move {
                if mode == Mode::Write {
                    let sql = "insert into things (name, instance_id, count)
                        values ('lost', 'ins_one', 1)";
                    tx.execute(sql, vec![]).await?;
                }
                loop {
                    tx.execute("select name from things where count = $1", vec![Value::Int(7)])
                        .await?;
                }
            })
        };
        let endless = db.run(unit("endless", mode), work).await;
        assert!(matches!(endless, Err(Error::TimedOut("endless"))), "{mode:?}: {endless:?}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(names(&db).await.is_empty());
    }
    put(&db, "ada", 1).await.expect("put");
}

/// Names of units that were warned of in this process.
static WARNED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Heard);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Heard;

impl Visit for Heard {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "unit" {
            WARNED.lock().expect("heard").insert(value.to_owned());
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_unit_is_named() {
    let _ = tracing::subscriber::set_global_default(Listener);
    let at_once = Duration::ZERO;
    let limits =
        Limits { slow_read: at_once, slow_scan: at_once, slow_write: at_once, ..Limits::default() };
    let db = Store::open_with(MIGRATIONS, limits).await;
    let quick = Store::open_with(
        MIGRATIONS,
        Limits {
            slow_read: Duration::from_mins(1),
            slow_scan: Duration::from_mins(1),
            slow_write: Duration::from_mins(1),
            ..Limits::default()
        },
    )
    .await;
    let named = [
        ("slow read", "quick read", Mode::Read),
        ("slow scan", "quick scan", Mode::Scan),
        ("slow write", "quick write", Mode::Write),
    ];
    for (slow, fast, mode) in named {
        let work = |mut tx: Tx| -> BoxFuture<Result<()>> {
            Box::pin(async move { tx.execute("select name from things", vec![]).await })
        };
        db.run(unit(slow, mode), work).await.expect("run");
        quick.run(unit(fast, mode), work).await.expect("run");
        let warned = WARNED.lock().expect("heard");
        assert!(warned.contains(slow) && !warned.contains(fast), "{warned:?}");
    }
}
