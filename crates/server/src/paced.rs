//! A connection that does not wait for ever: neither for a head, nor for the next request, nor
//! for a peer that does not read.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// A head that takes longer is not waited for.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// A connection without a request under way is kept so long.
const REST_TIME_MAX: Duration = Duration::from_secs(75);
/// A peer that takes in nothing for so long is given up.
const STALL_TIME_MAX: Duration = Duration::from_secs(30);

/// Nothing is under way.
const RESTING: u8 = 0;
/// Some of a head is there.
const HEAD: u8 = 1;
/// A request is being answered, which has its own limit.
const BUSY: u8 = 2;
/// Not looked at yet.
const UNSEEN: u8 = 3;

/// What a connection is at, told by the one who answers.
#[derive(Clone)]
pub(crate) struct Phase(Arc<AtomicU8>);

impl Default for Phase {
    /// Who connects and says nothing has begun a head.
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(HEAD)))
    }
}

impl Phase {
    /// A head was read.
    pub(crate) fn begin(&self) {
        self.0.store(BUSY, Ordering::Relaxed);
    }

    /// The request was answered.
    pub(crate) fn end(&self) {
        self.0.store(RESTING, Ordering::Relaxed);
    }
}

/// A stream with limits of time.
pub(crate) struct Paced {
    stream: TcpStream,
    phase: Arc<AtomicU8>,
    seen: u8,
    patience: Pin<Box<Sleep>>,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    /// Limits `stream`; its phase is to be told.
    pub(crate) fn new(stream: TcpStream, phase: &Phase) -> Self {
        let (phase, patience) = (Arc::clone(&phase.0), Box::pin(sleep(HEAD_TIME_MAX)));
        Self { stream, phase, seen: UNSEEN, patience, stalled: None }
    }

    /// What became of waiting for bytes that are not there yet.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let phase = self.phase.load(Ordering::Relaxed);
        let changed = self.seen != phase;
        self.seen = phase;
        let limit = match phase {
            BUSY => return Poll::Pending,
            HEAD => HEAD_TIME_MAX,
            _ => REST_TIME_MAX,
        };
        if changed {
            self.patience.as_mut().reset(Instant::now() + limit);
        }
        ready!(self.patience.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Passes on what became of writing, unless it stands still for too long.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL_TIME_MAX)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut me.stream).poll_read(context, buffer);
        if read.is_pending() {
            return me.wait(context);
        }
        if buffer.filled().len() > before {
            let (now, then) = (Ordering::Relaxed, Ordering::Relaxed);
            // Only a rest ends so; what comes while busy is a body.
            let _ = me.phase.compare_exchange(RESTING, HEAD, now, then);
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let written = Pin::new(&mut me.stream).poll_write(context, bytes);
        me.written(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let written = Pin::new(&mut me.stream).poll_write_vectored(context, slices);
        me.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
