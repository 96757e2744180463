//! Being told to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Result;

/// The exit code of a process that a signal ended.
const BY_SIGNAL: i32 = 128;

/// What tells the process to end.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one; answers its number.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }

    /// Waits for a signal, then stops `server`; a second signal ends the process as it is, which
    /// loses nothing that was acknowledged.
    pub(crate) async fn stop(&mut self, server: server::Server) {
        let _ = self.next().await;
        tracing::info!("stopping");
        tokio::select! {
            () = server.stop() => tracing::info!("stopped"),
            number = self.next() => std::process::exit(BY_SIGNAL + number),
        }
    }
}
