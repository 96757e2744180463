//! SQLite: readers run where they are asked, one thread writes.

mod open;
mod session;
mod writer;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use open::remove;
pub(crate) use session::Session;

use crate::{
    BoxFuture, Depths, Error, Limits, Migration, Mode, Result, Scope, Tx, Unit, UnitError,
    db::Opening,
    limits::{Waiting, elapsed, warn_if_slow},
    tx::Open,
    unit::{lock, run_now},
};
use writer::Writer;

/// A database file.
pub(crate) struct Sqlite {
    path: PathBuf,
    limits: Limits,
    /// Readers at rest. A unit never waits while it holds one, so there are never more than
    /// threads that run units.
    readers: Mutex<Vec<Arc<Session>>>,
    scans: Arc<Semaphore>,
    scans_waiting: AtomicUsize,
    writer: Writer,
    /// Held as long as this process serves the file.
    lock: Mutex<Option<File>>,
}

impl Sqlite {
    pub(crate) fn open(
        path: PathBuf,
        migrations: &[Migration],
        limits: Limits,
        opening: Opening,
    ) -> Result<Self> {
        let lock = open::prepare(&path, opening)?;
        open::bring_up_to_date(&mut open::connect(&path)?, migrations, opening)?;
        Ok(Self {
            writer: Writer::start(writing(&path, &limits)?, path.clone(), limits.clone())?,
            path,
            readers: Mutex::default(),
            scans: Arc::new(Semaphore::new(limits.scans)),
            scans_waiting: AtomicUsize::new(0),
            limits,
            lock: Mutex::new(lock),
        })
    }

    pub(crate) async fn run<T, E>(
        self: &Arc<Self>,
        unit: Unit,
        mut work: impl FnMut(Tx) -> BoxFuture<std::result::Result<T, E>> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        match unit.mode {
            Mode::Read => self.read(&unit, work)?,
            Mode::Scan => {
                let permit = self.scan_permit().await?;
                let me = Arc::clone(self);
                let scan = tokio::task::spawn_blocking(move || {
                    let _permit = permit;
                    me.read(&unit, work)
                });
                scan.await.map_err(|_| Error::Closed)??
            }
            Mode::Write => self.writer.run(unit, move |tx| work(tx)).await,
        }
    }

    async fn scan_permit(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.scans).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::enter(&self.scans_waiting, self.limits.scans_waiting)?;
        let permit = Arc::clone(&self.scans).acquire_owned();
        match tokio::time::timeout(self.limits.unit, permit).await {
            Ok(permit) => permit.map_err(|_| Error::Closed),
            Err(_) => Err(Error::Overloaded),
        }
    }

    /// Runs `work` on this thread, in a snapshot of its own.
    fn read<T>(&self, unit: &Unit, work: impl FnOnce(Tx) -> BoxFuture<T>) -> Result<T> {
        let began = elapsed();
        let resting = lock(&self.readers).pop();
        let session = match resting {
            Some(session) => session,
            None => Arc::new(self.reader()?),
        };
        session.enter(unit.name, began + self.limits.unit);
        let tx = Tx::new(&unit.scope, Open::Sqlite(Arc::clone(&session)));
        let answer = run_now(unit.name, || work(tx));
        session.finish_reading()?;
        lock(&self.readers).push(session);
        let slow =
            if unit.mode == Mode::Scan { self.limits.slow_scan } else { self.limits.slow_read };
        warn_if_slow(unit.name, elapsed().saturating_sub(began), slow);
        answer
    }

    fn reader(&self) -> Result<Session> {
        let connection = open::connect(&self.path)?;
        connection.execute_batch("pragma query_only = on")?;
        Session::new(connection, Some("begin"), self.limits.statement)
    }

    pub(crate) fn depths(&self) -> Depths {
        Depths {
            writes: self.writer.depth(),
            scans: self.scans_waiting.load(Ordering::Relaxed),
            ..Depths::default()
        }
    }

    /// Merges a few pages of each search index.
    pub(crate) async fn tidy(self: &Arc<Self>) -> Result<bool> {
        // Each commit merges as much as it must; the rest is for when nobody waits.
        if self.writer.depth() > 0 {
            return Ok(false);
        }
        let unit = Unit { name: "tidy", mode: Mode::Write, scope: Scope::Server };
        self.run(unit, |tx| Box::pin(merge(tx))).await
    }

    pub(crate) async fn close(&self) {
        self.writer.close().await;
        lock(&self.readers).clear();
        drop(lock(&self.lock).take());
    }
}

/// About a megabyte of index at a time, so that no writer waits long.
const MERGE_PAGES: u32 = 64;

async fn merge(mut tx: Tx) -> Result<bool> {
    let names = tx.rows("select name from search_indexes order by name", vec![]).await?;
    let before = total_changes(&mut tx).await?;
    let mut steps = 0;
    for mut row in names {
        let name: String = row.take()?;
        for table in [format!("search_{name}"), format!("search_{name}_short")] {
            let sql =
                format!("insert into {table} ({table}, rank) values ('merge', {MERGE_PAGES})");
            tx.execute(&sql, vec![]).await?;
            steps += 1;
        }
    }
    // The command itself counts as a change.
    Ok(total_changes(&mut tx).await? - before > steps)
}

async fn total_changes(tx: &mut Tx) -> Result<i64> {
    tx.rows("select total_changes()", vec![]).await?.pop().map_or(Ok(0), |mut row| row.take())
}

/// The connection of the writing thread.
fn writing(path: &Path, limits: &Limits) -> Result<Session> {
    Session::new(open::connect(path)?, None, limits.statement)
}
