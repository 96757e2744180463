//! A few threads for what takes long, behind a queue that is never long.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wire::refusal;

use crate::{Error, Result};

/// So many pieces of work at a time, and so many that wait; one more is refused at once.
#[derive(Clone)]
pub(crate) struct Threads {
    room: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl Threads {
    /// `count` at a time, `waiting` behind them.
    pub(crate) fn new(count: usize, waiting: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(count + waiting)),
            at_work: Arc::new(Semaphore::new(count)),
        }
    }

    /// Does `work` once it is its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let full = |_| refusal::too_many_requests().retry_after(2);
        let broken = |error: &dyn std::error::Error| Error::Broken(error.to_string().into());
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(full)?;
        let turn = Arc::clone(&self.at_work).acquire_owned().await.map_err(|e| broken(&e))?;
        // Whoever asked may leave; the work goes on, and keeps its place until it is done.
        let working = tokio::task::spawn_blocking(move || {
            let _permits = (room, turn);
            work()
        });
        working.await.map_err(|e| broken(&e))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::Threads;
    use crate::Error;

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_refused_at_once() {
        let threads = Threads::new(1, 1);
        let (go, gate) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run(move || gate.recv().is_ok()).await }
        });
        while threads.at_work.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let threads = threads.clone();
            async move { threads.run(|| true).await }
        });
        while threads.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = threads.run(|| true).await.expect_err("full");
        let Error::Refused(refusal) = refused else { panic!("refused") };
        assert_eq!(refusal.to_string(), "429 too_many_requests");
        assert!(refusal.retry_after.is_some());
        go.send(()).expect("waited for");
        assert!(busy.await.expect("ends").expect("done"));
        assert!(waiting.await.expect("ends").expect("done"));
        assert!(threads.run(|| true).await.expect("done"));
    }
}
