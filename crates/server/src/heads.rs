//! Heads that cannot be read: hyper refuses them in few words of its own, and they are answered
//! in the API's words instead.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use web::App;

/// A stream over which hyper serves an app.
pub(crate) struct Refusing<S> {
    stream: S,
    app: Arc<App>,
    instead: Option<Instead>,
}

/// What is sent instead of what hyper says.
struct Instead {
    bytes: Vec<u8>,
    sent: usize,
}

impl<S: AsyncWrite + Unpin> Refusing<S> {
    /// `stream`, over which `app` is served.
    pub(crate) fn new(stream: S, app: Arc<App>) -> Self {
        Self { stream, app, instead: None }
    }

    /// Sends what the app says in place of `refusal`, which then counts as sent.
    fn write_instead(
        &mut self,
        context: &mut Context<'_>,
        refusal: &[u8],
        status: u16,
    ) -> Poll<io::Result<usize>> {
        let new = || Instead { bytes: self.app.refuse_head(status), sent: 0 };
        let instead = self.instead.get_or_insert_with(new);
        while let Some(rest) = instead.bytes.get(instead.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => instead.sent += count,
            }
        }
        self.instead = None;
        Poll::Ready(Ok(refusal.len()))
    }
}

/// The status, if this is what hyper says of a head that it cannot read: a head without a body.
/// Whatever the app says has a trace id.
fn refused(bytes: &[u8]) -> Option<u16> {
    /// Longer than what hyper says.
    const BYTES_MAX: usize = 256;
    if bytes.len() > BYTES_MAX || !bytes.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (!head.contains("clerk-trace-id")).then_some(status)
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusing<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Refusing<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        match refused(bytes) {
            Some(status) => me.write_instead(context, bytes, status),
            None => Pin::new(&mut me.stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        if let [head] = slices
            && let Some(status) = refused(head)
        {
            return me.write_instead(context, head, status);
        }
        Pin::new(&mut me.stream).poll_write_vectored(context, slices)
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
