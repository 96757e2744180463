//! Connections: accepted, bounded in number, head and time, and ended in good order.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Response, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::TokioIo,
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tower_service::Service as _;
use web::{App, Peer};

use crate::{
    heads::Refusing,
    paced::{Paced, Phase},
    proxies::Proxies,
    tls::Tls,
};

/// Connections at once; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// How long requests under way may take once the server is to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// Where requests come from.
pub(crate) struct From {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) proxies: Arc<Proxies>,
}

/// Serves `app` until told to stop, then finishes what was begun.
pub(crate) async fn serve(from: From, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let From { listener, tls, proxies } = from;
    let router = web::router(&app);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => (stream, Peer(address.ip())),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
            () = told(&mut stop) => break,
        };
        let _ = stream.set_nodelay(true);
        let (watcher, tls) = (graceful.watcher(), tls.clone());
        let (router, app, stop) = (router.clone(), Arc::clone(&app), stop.clone());
        let proxies = Arc::clone(&proxies);
        tokio::spawn(async move {
            let _permit = permit;
            let phase = Phase::default();
            let answers = Answers { router, app, peer, proxies, phase, is_strict: false };
            meet(stream, tls, answers, watcher, stop).await;
        });
    }
    drop(listener);
    let _ = timeout(DRAIN_TIME_MAX, graceful.shutdown()).await;
}

/// Serves one connection, encrypted or not.
async fn meet(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    mut answers: Answers,
    watcher: Watcher,
    mut stop: watch::Receiver<bool>,
) {
    let wanted = match &tls {
        Some(tls) => tokio::select! {
            wanted = tls.is_wanted(&stream) => wanted,
            () = told(&mut stop) => return,
        },
        None => false,
    };
    let stream = Paced::new(stream, &answers.phase);
    let Some(tls) = tls.filter(|_| wanted) else {
        return converse(stream, answers, watcher).await;
    };
    answers.is_strict = tls.is_strict();
    let encrypted = tokio::select! {
        encrypted = tls.acceptor().accept(stream) => encrypted,
        () = told(&mut stop) => return,
    };
    // Who cannot agree with the server on how to talk is no news.
    if let Ok(stream) = encrypted {
        converse(stream, answers, watcher).await;
    }
}

async fn converse<S>(stream: S, answers: Answers, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = Refusing::new(stream, Arc::clone(&answers.app));
    let service = service_fn(move |request| answer(answers.clone(), request));
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // What a client does to its own connection is no news.
    let _ = watcher.watch(connection).await;
}

/// Waits until told to stop, or until nobody is left who could tell.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What answers the requests of one connection.
#[derive(Clone)]
struct Answers {
    router: Router,
    /// Who is at the other end.
    peer: Peer,
    proxies: Arc<Proxies>,
    app: Arc<App>,
    phase: Phase,
    /// Browsers are told to come back with TLS only.
    is_strict: bool,
}

async fn answer(
    mut answers: Answers,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    answers.phase.begin();
    let asking = answers.proxies.asking(answers.peer.0, request.headers());
    request.extensions_mut().insert(Peer(asking));
    let mut answered = answers.router.call(request).await;
    answers.phase.end();
    if let (true, Ok(response)) = (answers.is_strict, &mut answered) {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    answered
}
