//! Starting and stopping a server.

use std::{collections::HashSet, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use domain::World;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use web::{Api, App, Hosts, Routes, pages::Pages};

use crate::{proxies::Proxies, tls::Tls};

/// How often counters are folded and indexes merged.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// One round of so many sweeps.
const SWEEP_EVERY: u64 = 60;

/// What a server is started with.
pub struct ServerConfig {
    /// Everything its requests share.
    pub world: World,
    /// A socket that listens already.
    pub listener: TcpListener,
    /// Host that serves the Backend API alone, if it has one of its own.
    pub backend_host: Option<String>,
    /// Hosts that serve a Frontend API.
    pub frontend_hosts: HashSet<String>,
}

/// What a server does in its own way if it is asked to.
pub struct Options {
    /// Path under which an app's own server may forward the Frontend API.
    pub proxy_path: String,
    /// How long connections are still accepted after `/healthz` says that the server stops.
    pub stop_delay: Duration,
    /// Folder with the scripts of the official components.
    pub ui_folder: Option<PathBuf>,
    /// Has a start page and an inbox, for whoever reaches it.
    pub development: bool,
    /// How connections are encrypted, if not by a proxy.
    pub tls: Option<Tls>,
    /// Proxies that are believed in whom they forward for.
    pub proxies: Proxies,
    /// How much later requests that prepare or attempt a verification are answered.
    pub verification_delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            proxy_path: "/__clerk".to_owned(),
            stop_delay: Duration::ZERO,
            ui_folder: None,
            development: false,
            tls: None,
            proxies: Proxies::default(),
            verification_delay: Duration::ZERO,
        }
    }
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its requests share.
    pub world: Arc<World>,
    app: Arc<App>,
    stop_delay: Duration,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    tidying: JoinHandle<()>,
}

/// Starts to serve.
pub async fn start(config: ServerConfig) -> std::io::Result<Server> {
    start_with(config, Options::default()).await
}

/// Starts to serve, with options.
pub async fn start_with(config: ServerConfig, options: Options) -> std::io::Result<Server> {
    let ServerConfig { world, listener, backend_host, frontend_hosts } = config;
    let address = listener.local_addr()?;
    let world = Arc::new(world);
    let served =
        vec![(Api::Backend, domain::backend_api()), (Api::Frontend, domain::frontend_api())];
    let hosts = Hosts::new(backend_host, frontend_hosts, options.proxy_path);
    let routes = Routes::new(served, wire::published::all());
    let pages = Pages::new(options.ui_folder, options.development);
    let app = App::new(Arc::clone(&world), routes, hosts)
        .with_pages(pages)
        .delaying_verifications(options.verification_delay);
    let app = Arc::new(app);
    let (stop, told) = watch::channel(false);
    let tls = options.tls.map(Arc::new);
    if let Some(tls) = &tls {
        tokio::spawn(Arc::clone(tls).renew(told.clone()));
    }
    let from = crate::connections::From { listener, tls, proxies: Arc::new(options.proxies) };
    let serving = tokio::spawn(crate::connections::serve(from, Arc::clone(&app), told.clone()));
    let tidying = tokio::spawn(tidy(Arc::clone(&world), told));
    Ok(Server { address, world, app, stop_delay: options.stop_delay, stop, serving, tidying })
}

impl Server {
    /// Answers what has been asked, makes it last, and ends.
    pub async fn stop(self) {
        self.app.announce_stop();
        tokio::time::sleep(self.stop_delay).await;
        let _ = self.stop.send(true);
        let _ = self.serving.await;
        let _ = self.tidying.await;
        self.world.db.close().await;
    }
}

/// Deletes what nobody came back for, until the server stops.
async fn sweep(world: &World, stop: &watch::Receiver<bool>) {
    while !*stop.borrow() {
        match domain::frontend::sweep(world).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "what was given up is still there");
                return;
            }
        }
    }
}

/// Keeps what the store puts off from piling up, in small steps.
async fn tidy(world: Arc<World>, mut stop: watch::Receiver<bool>) {
    for round in 1_u64.. {
        tokio::select! {
            () = tokio::time::sleep(TIDY_EVERY) => {}
            () = crate::connections::told(&mut stop) => return,
        }
        let steps = async {
            while world.db.fold_counters().await? {}
            while world.db.tidy().await? {}
            Ok::<_, db::Error>(())
        };
        if let Err(error) = steps.await {
            tracing::warn!(%error, "the store was not tidied");
        }
        if round.is_multiple_of(SWEEP_EVERY) {
            sweep(&world, &stop).await;
        }
    }
}
