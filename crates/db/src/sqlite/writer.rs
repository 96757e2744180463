//! The one thread that writes to SQLite: many units, one commit, one sync of the disk.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use super::{Session, writing};
use crate::{
    BoxFuture, Error, Limits, Result, Tx, Unit, UnitError,
    error::stays,
    limits::{elapsed, warn_if_slow},
    tx::Open,
    unit::{lock, run_now},
};

/// A unit that draws the position of another this often gives up.
const ATTEMPTS_MAX: u32 = 12;

type Queue = mpsc::Receiver<Box<dyn Waiting>>;

/// The way to the writing thread.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Waiting>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A unit whose caller waits, its types erased.
trait Waiting: Send {
    fn unit(&self) -> &Unit;
    /// When it was asked.
    fn asked(&self) -> Duration;
    /// Runs the unit; true if what it wrote stays.
    fn run(&mut self, session: &Arc<Session>) -> Result<bool>;
    /// Lets the caller go on: what the unit did is durable, or lost.
    fn answer(self: Box<Self>, fate: Result<()>);
}

impl Writer {
    pub(super) fn start(session: Session, path: PathBuf, limits: Limits) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(limits.writes_waiting.max(1));
        let mut group = Group { session: Arc::new(session), path, limits, done: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("sqlite writer".to_owned())
            .spawn(move || group.work(waiting))
            .map_err(|error| Error::Driver(error.into()))?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn run<T, E>(
        &self,
        unit: Unit,
        work: impl FnMut(Tx) -> BoxFuture<std::result::Result<T, E>> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: UnitError,
    {
        let (caller, answered) = oneshot::channel();
        let job = Box::new(Job { unit, work, asked: elapsed(), answer: None, caller });
        self.queue()?.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Error::Closed,
        })?;
        answered.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn queue(&self) -> Result<mpsc::Sender<Box<dyn Waiting>>> {
        lock(&self.queue).clone().ok_or(Error::Closed)
    }

    /// How many units wait.
    pub(super) fn depth(&self) -> usize {
        lock(&self.queue).as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    /// Waits until all that was queued is durable and answered.
    pub(super) async fn close(&self) {
        drop(lock(&self.queue).take());
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

struct Job<T, E, W> {
    unit: Unit,
    work: W,
    asked: Duration,
    answer: Option<std::result::Result<T, E>>,
    caller: oneshot::Sender<std::result::Result<T, E>>,
}

impl<T, E, W> Waiting for Job<T, E, W>
where
    T: Send,
    E: UnitError,
    W: FnMut(Tx) -> BoxFuture<std::result::Result<T, E>> + Send,
{
    fn unit(&self) -> &Unit {
        &self.unit
    }

    fn asked(&self) -> Duration {
        self.asked
    }

    fn run(&mut self, session: &Arc<Session>) -> Result<bool> {
        let tx = Tx::new(&self.unit.scope, Open::Sqlite(Arc::clone(session)));
        let answer = run_now(self.unit.name, || (self.work)(tx))?;
        let stays = stays(&answer);
        self.answer = Some(answer);
        Ok(stays)
    }

    fn answer(self: Box<Self>, fate: Result<()>) {
        let answer = match (fate, self.answer) {
            (Ok(()), Some(answer)) => answer,
            (Ok(()), None) => Err(Error::Closed.into()),
            (Err(error), _) => Err(error.into()),
        };
        // A caller that went away has had its unit done all the same.
        let _ = self.caller.send(answer);
    }
}

/// What the thread works with.
struct Group {
    session: Arc<Session>,
    path: PathBuf,
    limits: Limits,
    /// The units of this transaction, and what is to be said of each if it commits.
    done: Vec<(Box<dyn Waiting>, Result<()>)>,
}

impl Group {
    fn work(&mut self, mut queue: Queue) {
        let mut again = VecDeque::new();
        loop {
            let next = again.pop_front().or_else(|| queue.blocking_recv());
            let Some(first) = next else { return };
            match self.session.control("begin immediate") {
                Ok(()) => {
                    self.fill(first, &mut again, &mut queue);
                    self.commit();
                }
                Err(error) => first.answer(Err(unavailable(&error))),
            }
        }
    }

    /// Runs units until none waits, or the group is large or old enough.
    fn fill(
        &mut self,
        first: Box<dyn Waiting>,
        again: &mut VecDeque<Box<dyn Waiting>>,
        queue: &mut Queue,
    ) {
        let ends = elapsed() + self.limits.group_time;
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let fate = self.perform(&mut *job);
            if !self.session.in_transaction() {
                // SQLite took back the whole group, as it does when it is interrupted or the
                // disk is full: the others run again, without this one.
                job.answer(fate);
                self.session.drop_search();
                for (job, _) in self.done.drain(..).rev() {
                    again.push_front(job);
                }
                return;
            }
            self.done.push((job, fate));
            if self.done.len() < self.limits.group_units && elapsed() < ends {
                next = again.pop_front().or_else(|| queue.try_recv().ok());
            }
        }
    }

    /// Runs one unit of the group so that it can fail alone.
    fn perform(&self, job: &mut dyn Waiting) -> Result<()> {
        let (name, began) = (job.unit().name, elapsed());
        if began > job.asked() + self.limits.unit {
            return Err(Error::TimedOut(name));
        }
        for _ in 0..ATTEMPTS_MAX {
            self.session.control("savepoint unit")?;
            self.session.enter(name, began + self.limits.unit);
            let stays = job.run(&self.session);
            let failed = self.session.leave(matches!(stays, Ok(true)));
            warn_if_slow(name, elapsed().saturating_sub(began), self.limits.slow_write);
            if !self.session.in_transaction() {
                return match stays {
                    Ok(true) => Err(Error::Unavailable("the transaction ended".to_owned())),
                    stays => stays.map(drop),
                };
            }
            if !matches!(stays, Ok(true)) || failed {
                self.session.control("rollback to unit")?;
            }
            self.session.control("release unit")?;
            if self.session.take_again() {
                continue;
            }
            if stays? && failed {
                return Err(Error::Unit("a unit would keep what failed".to_owned()));
            }
            return Ok(());
        }
        Err(Error::Conflict)
    }

    fn commit(&mut self) {
        if self.done.is_empty() {
            return;
        }
        let flushed = self.session.flush_search();
        let committed = flushed.and_then(|()| self.session.control("commit"));
        self.session.drop_search();
        if self.session.in_transaction() {
            let _ = self.session.control("rollback");
        }
        let broken = committed.as_ref().is_err_and(|error| matches!(error, Error::Unavailable(_)));
        for (job, fate) in self.done.drain(..) {
            job.answer(match &committed {
                Ok(()) => fate,
                Err(error) => Err(unavailable(error)),
            });
        }
        if broken {
            self.reopen();
        }
    }

    /// After the disk failed, what the connection has in memory may differ from what is on it.
    fn reopen(&mut self) {
        match writing(&self.path, &self.limits) {
            Ok(session) => self.session = Arc::new(session),
            Err(error) => tracing::error!(%error, "cannot open the database again"),
        }
    }
}

/// What all callers hear when their transaction did not begin or did not commit.
fn unavailable(error: &Error) -> Error {
    match error {
        Error::Unavailable(reason) => Error::Unavailable(reason.clone()),
        error => Error::Lost(error.to_string()),
    }
}
