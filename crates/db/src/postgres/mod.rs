//! PostgreSQL: who gets which connection, and units that are tried again.

mod connect;
mod migrate;
mod session;
mod values;

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use migrate::remove;
pub(crate) use session::Session;

use crate::{
    BoxFuture, Depths, Error, Limits, Migration, Mode, Result, Tx, Unit, UnitError,
    counters::FOLD,
    db::Opening,
    error::stays,
    limits::{Waiting, elapsed, warn_if_slow},
    tx::Open,
    unit::{lock, run_async},
};
use connect::Server;
use session::{Connection, State};
use values::{is_conflict, is_gone};

/// How often a unit looks for a server that does not answer. Whoever only meets others goes on for
/// as long as a unit may take.
const KNOCKS_MAX: u32 = 12;
/// From then on it waits its turn: one of those that were unlucky runs at a time.
const PATIENCE: u32 = 3;

const WRITE: &str = "begin isolation level serializable";
const READ: &str = "begin isolation level repeatable read read only";
/// A generic plan for `like` reads the whole table.
const SCAN: &str = "begin isolation level repeatable read read only;
    set local plan_cache_mode = force_custom_plan";
/// For upkeep in one statement, which then stands in no unit's way.
const UPKEEP: &str = "begin isolation level read committed";

/// A database server.
pub(crate) struct Postgres {
    server: Server,
    limits: Limits,
    resting: Mutex<Vec<Arc<Connection>>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    unlucky: tokio::sync::Mutex<()>,
    shared: Vec<tokio::sync::Mutex<Option<Arc<Connection>>>>,
    turn: AtomicUsize,
    /// Names of reading units known to need more than one statement, hence a snapshot.
    snapshots: Mutex<HashSet<&'static str>>,
}

impl Postgres {
    pub(crate) async fn open(
        url: &str,
        migrations: &[Migration],
        limits: Limits,
        opening: Opening,
    ) -> Result<Self> {
        let server = Server::new(url, &limits)?;
        migrate::bring_up_to_date(&server, migrations, opening).await?;
        Ok(Self {
            server,
            resting: Mutex::default(),
            permits: Arc::new(Semaphore::new(limits.connections)),
            waiting: AtomicUsize::new(0),
            unlucky: tokio::sync::Mutex::default(),
            shared: (0..limits.connections_shared.max(1))
                .map(|_| tokio::sync::Mutex::default())
                .collect(),
            turn: AtomicUsize::new(0),
            snapshots: Mutex::default(),
            limits,
        })
    }

    pub(crate) async fn run<T, E: UnitError>(
        self: &Arc<Self>,
        unit: Unit,
        mut work: impl FnMut(Tx) -> BoxFuture<std::result::Result<T, E>> + Send,
    ) -> std::result::Result<T, E> {
        let began = elapsed();
        let mut last = Error::Conflict;
        for attempt in 0.. {
            let left = (began + self.limits.unit).saturating_sub(elapsed());
            let gives_up = attempt >= KNOCKS_MAX && !matches!(last, Error::Conflict);
            if gives_up || left.is_zero() {
                break;
            }
            let once = self.attempt(&unit, &mut work, attempt, left);
            let (state, answer) = match once.await {
                Ok(once) => once,
                Err(Error::Unavailable(reason)) => {
                    // Nothing was sent, so it is safe to knock again: servers restart.
                    last = Error::Unavailable(reason);
                    tokio::time::sleep(pause(attempt + 3)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match state {
                State::Again => {
                    last = Error::Conflict;
                    tokio::time::sleep(pause(attempt)).await;
                }
                State::Gone => {
                    last = Error::Unavailable("the connection was lost".to_owned());
                    tokio::time::sleep(pause(attempt)).await;
                }
                State::Snapshot => drop(lock(&self.snapshots).insert(unit.name)),
                State::Fresh | State::Begun | State::Failed => {
                    warn_if_slow(unit.name, elapsed().saturating_sub(began), self.slow(unit.mode));
                    return answer?;
                }
            }
        }
        Err(last.into())
    }

    /// Runs the unit once; says in which state that left it.
    async fn attempt<T, E: UnitError>(
        self: &Arc<Self>,
        unit: &Unit,
        work: &mut (impl FnMut(Tx) -> BoxFuture<std::result::Result<T, E>> + Send),
        attempt: u32,
        left: Duration,
    ) -> Result<(State, Result<std::result::Result<T, E>>)> {
        let doing = async {
            let turn = match attempt {
                PATIENCE.. => Some(self.unlucky.lock().await),
                _ => None,
            };
            let loan = self.lend(unit).await?;
            let session = Arc::clone(&loan.session);
            let tx = Tx::new(&unit.scope, Open::Postgres(session));
            let answer = run_async(unit.name, || work(tx)).await;
            Ok::<_, Error>((turn, loan, answer))
        };
        // A loan that is given up closes its connection, which undoes the transaction.
        let done = tokio::time::timeout(left, doing).await;
        let (_turn, loan, answer) = done.map_err(|_| Error::TimedOut(unit.name))??;
        let keep = unit.mode == Mode::Write && answer.as_ref().is_ok_and(stays);
        let state = self.take_back(loan, keep).await?;
        if state == State::Failed && keep {
            return Err(Error::Unit("a unit would keep what failed".to_owned()));
        }
        Ok((state, answer))
    }

    fn slow(&self, mode: Mode) -> Duration {
        match mode {
            Mode::Read => self.limits.slow_read,
            Mode::Scan => self.limits.slow_scan,
            // A commit waits for the disk and for others.
            Mode::Write => self.limits.slow_write * 10,
        }
    }

    async fn lend(self: &Arc<Self>, unit: &Unit) -> Result<Loan> {
        let begin = match unit.mode {
            Mode::Write => WRITE,
            Mode::Scan => SCAN,
            Mode::Read if lock(&self.snapshots).contains(unit.name) => READ,
            Mode::Read => {
                let connection = self.shared().await?;
                let session = Session::shared(connection, unit.name, Arc::clone(self));
                return Ok(Loan { session, permit: None });
            }
        };
        let (connection, permit) = self.borrow().await?;
        Ok(Loan { session: Session::lent(connection, unit.name, begin), permit: Some(permit) })
    }

    /// A connection of one's own.
    async fn borrow(&self) -> Result<(Arc<Connection>, OwnedSemaphorePermit)> {
        let permit = if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            permit
        } else {
            let _waiting = Waiting::enter(&self.waiting, self.limits.connections_waiting)?;
            let permit = Arc::clone(&self.permits).acquire_owned().await;
            permit.map_err(|_| Error::Closed)?
        };
        loop {
            let resting = lock(&self.resting).pop();
            match resting {
                Some(connection) if connection.client.is_closed() => {}
                Some(connection) => return Ok((connection, permit)),
                None => return Ok((self.server.connect().await?, permit)),
            }
        }
    }

    /// Ends the transaction. A loan that is dropped instead closes its connection.
    async fn take_back(&self, loan: Loan, keep: bool) -> Result<State> {
        let state = loan.session.state();
        if loan.permit.is_none() || state == State::Fresh {
            self.rest(&loan);
            return Ok(state);
        }
        let client = &loan.session.connection.client;
        let state = match (state, keep) {
            (State::Begun, true) => {
                let commit = client.batch_execute("commit");
                match tokio::time::timeout(self.limits.unit, commit).await {
                    Err(_) => return Err(Error::Lost("no answer to it".to_owned())),
                    Ok(Ok(())) => state,
                    Ok(Err(error)) if is_conflict(&error) => State::Again,
                    Ok(Err(error)) if is_gone(&error) || error.as_db_error().is_none() => {
                        return Err(Error::Lost(error.to_string()));
                    }
                    Ok(Err(error)) => {
                        self.rest(&loan);
                        return Err(Error::Lost(error.to_string()));
                    }
                }
            }
            (State::Again | State::Gone, _) if client.is_closed() => return Ok(state),
            _ => {
                // Sent, not waited for: the next unit's statements queue behind it.
                let mut context = Context::from_waker(Waker::noop());
                let _ = pin!(client.batch_execute("rollback")).poll(&mut context);
                state
            }
        };
        self.rest(&loan);
        Ok(state)
    }

    fn rest(&self, loan: &Loan) {
        if loan.permit.is_some() {
            lock(&self.resting).push(Arc::clone(&loan.session.connection));
        }
    }

    async fn shared(&self) -> Result<Arc<Connection>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.shared.len();
        let mut place = self.shared[turn].lock().await;
        match &*place {
            Some(connection) if !connection.client.is_closed() => Ok(Arc::clone(connection)),
            _ if self.permits.is_closed() => Err(Error::Closed),
            _ => {
                let connection = self.server.connect().await?;
                connection.client.batch_execute("set default_transaction_read_only = on").await?;
                *place = Some(Arc::clone(&connection));
                Ok(connection)
            }
        }
    }

    pub(crate) fn depths(&self) -> Depths {
        Depths { connections: self.waiting.load(Ordering::Relaxed), ..Depths::default() }
    }

    /// Moves a part of the deltas into their counters.
    pub(crate) async fn fold_counters(&self) -> Result<bool> {
        let (connection, permit) = self.borrow().await?;
        let session = Session::lent(connection, "fold counters", UPKEEP);
        let loan = Loan { session: Arc::clone(&session), permit: Some(permit) };
        let folded = session.rows(FOLD, &[]).await;
        self.take_back(loan, folded.is_ok()).await?;
        Ok(!folded?.is_empty())
    }

    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        let _all = self.permits.acquire_many(all).await;
        self.permits.close();
        lock(&self.resting).clear();
    }
}

struct Loan {
    session: Arc<Session>,
    permit: Option<OwnedSemaphorePermit>,
}

/// Half a millisecond, doubled each time up to 64, and by chance up to twice that.
fn pause(attempt: u32) -> Duration {
    let micros = 500_u64 << attempt.min(7);
    Duration::from_micros(micros + RandomState::new().hash_one(attempt) % micros)
}
