//! Connections: accepted, bounded in number, head and time, and ended in good order.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, http::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use tokio::{net::TcpListener, sync::Semaphore, sync::watch, time::timeout};
use tower_service::Service as _;

use crate::paced::{Paced, Phase};

/// Connections at once; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// How long requests under way may take once the server is to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Serves `router` until told to stop, then finishes what was begun.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
            () = told(&mut stop) => break,
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let (stream, phase) = Paced::new(stream);
        let service = service_fn(move |request| answer(router.clone(), phase.clone(), request));
        let connection = http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _permit = permit;
            // What a client does to its own connection is no news.
            let _ = connection.await;
        });
    }
    drop(listener);
    let _ = timeout(DRAIN_TIME_MAX, graceful.shutdown()).await;
}

/// Waits until told to stop, or until nobody is left who could tell.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn answer(
    mut router: Router,
    phase: Phase,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    phase.begin();
    let answered = router.call(request).await;
    phase.end();
    answered
}
