//! How long things may take and how many may wait, and the clock that measures it.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// How long statements and units may take, and how many of them may wait.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest time of a statement.
    pub statement: Duration,
    /// Longest time of a unit, waiting for its connection included.
    pub unit: Duration,
    /// Longest wait for a row that another transaction holds (PostgreSQL).
    pub lock: Duration,
    /// Longest rest of a transaction between two statements (PostgreSQL).
    pub idle: Duration,
    /// Longest time to reach the server (PostgreSQL).
    pub connect: Duration,
    /// At most this many units share a commit (SQLite).
    pub group_units: usize,
    /// No further unit joins a commit once so much time was spent (SQLite).
    pub group_time: Duration,
    /// At most this many writing units wait (SQLite).
    pub writes_waiting: usize,
    /// At most this many scans run at once (SQLite).
    pub scans: usize,
    /// At most this many scans wait (SQLite).
    pub scans_waiting: usize,
    /// Connections with transactions of their own (PostgreSQL).
    pub connections: usize,
    /// Connections that all single statements share (PostgreSQL).
    pub connections_shared: usize,
    /// At most this many units wait for a connection (PostgreSQL).
    pub connections_waiting: usize,
    /// A reading unit that takes longer is named in the log.
    pub slow_read: Duration,
    /// A scan that takes longer is named in the log.
    pub slow_scan: Duration,
    /// A writing unit that takes longer is named in the log, without its commit on SQLite.
    pub slow_write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(5),
            unit: Duration::from_secs(10),
            lock: Duration::from_secs(2),
            idle: Duration::from_secs(10),
            connect: Duration::from_secs(2),
            group_units: 256,
            group_time: Duration::from_millis(10),
            writes_waiting: 1024,
            scans: std::thread::available_parallelism().map_or(2, Into::into),
            scans_waiting: 64,
            connections: 16,
            connections_shared: 4,
            connections_waiting: 256,
            slow_read: Duration::from_millis(20),
            slow_scan: Duration::from_millis(200),
            slow_write: Duration::from_millis(10),
        }
    }
}

/// How many units wait, at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// For the writing thread (SQLite).
    pub writes: usize,
    /// For a place to scan (SQLite).
    pub scans: usize,
    /// For a connection (PostgreSQL).
    pub connections: usize,
}

/// One more in a queue, until dropped.
pub(crate) struct Waiting<'q>(&'q AtomicUsize);

impl<'q> Waiting<'q> {
    pub(crate) fn enter(queue: &'q AtomicUsize, max: usize) -> Result<Self> {
        let waiting = Self(queue);
        if queue.fetch_add(1, Ordering::Relaxed) >= max {
            return Err(Error::Overloaded);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Time since the program began to look, which never goes back.
pub(crate) fn elapsed() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "measures durations, which no test sets")]
    fn now() -> Instant {
        Instant::now()
    }
    static START: LazyLock<Instant> = LazyLock::new(now);
    let start = *START;
    now().saturating_duration_since(start)
}

/// Nanoseconds, as far as they fit.
pub(crate) fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// Names a unit that took too long for others to like it.
pub(crate) fn warn_if_slow(unit: &'static str, took: Duration, threshold: Duration) {
    if took > threshold {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(unit, milliseconds, "slow unit of work");
    }
}
