//! `vestry serve`: production.

use std::{collections::HashSet, sync::Arc};

use domain::{
    instances, root_keys,
    server_facts::{self, Addresses},
};
use server::{Options, ServerConfig, Tls};

use crate::{
    cli,
    config::{Given, Serve, Store, host_of, text_of},
    dev::listen,
    failure::{Failure, Result},
    logging,
    signals::Signals,
    world::{self, Opening},
};

/// Serves what is configured until told to stop.
pub(crate) async fn run(arguments: cli::Serve, log: Option<String>) -> Result<()> {
    let config = arguments.storage.config.clone();
    let mut flags = arguments.storage.settings();
    flags.extend([
        ("listen", arguments.listen),
        ("public_url", arguments.public_url),
        ("api_url", arguments.api_url),
        ("proxy_path", arguments.proxy_path),
        ("ui_dir", arguments.ui_dir),
        ("geoip_file", arguments.geoip_file),
        ("tls_cert", arguments.tls_cert),
        ("tls_key", arguments.tls_key),
        ("trusted_proxies", arguments.trusted_proxies),
        ("log", log),
        ("stop_delay_seconds", arguments.stop_delay_seconds),
    ]);
    serve(Given::gather(flags, config, std::env::vars()).serve()?).await
}

async fn serve(serve: Serve) -> Result<()> {
    logging::start(serve.log);
    let mut signals = Signals::listen()?;
    let listener = listen(serve.listen).await?;
    let beside = match &serve.store {
        Store::Folder(folder) => Some(folder.0.join("ui")),
        Store::Postgres(_) => None,
    };
    let ui_folder = serve.ui_dir.or(beside);
    let tls = serve.tls.map(|(certificate, key)| Tls::open(certificate, key, false));
    let tls = tls.transpose().map_err(Failure::Other)?;
    let (url, key) = match (serve.store, serve.root_keys) {
        (Store::Postgres(url), Some(key)) => (url, key),
        (Store::Postgres(_), None) => return Err(Failure::new("the root key is missing")),
        (Store::Folder(folder), key) => {
            folder.make()?;
            (folder.database_url(), key.map_or_else(|| folder.root_keys(), Ok)?)
        }
    };
    let public_url = text_of(&serve.public_url);
    let (cognito_url, reach, accountless) = (serve.cognito_url, serve.reach, serve.accountless);
    let places = world::places(serve.geoip_file.as_deref())?;
    let opening = Opening::Serve { cognito_url, reach, accountless, places };
    let world = world::open(&url, &key, public_url.clone(), opening).await?;
    if !root_keys::is_current(&world).await? {
        tracing::warn!("secrets are under another root key than the first: vestry root-key rotate");
    }
    let api_url = serve.api_url.as_ref().map_or_else(|| public_url.clone(), text_of);
    let addresses = Addresses { api_url, frontend_api_url: public_url };
    server_facts::remember(&world, addresses).await?;
    let known = instances::list(&world).await?;
    if known.is_empty() {
        tracing::warn!("there is no instance yet: vestry instance create");
    }
    // With one host for both APIs the credentials decide, so it is nobody's own.
    let frontend_hosts = serve.api_url.as_ref().map_or_else(HashSet::new, |_| {
        let hosts = known.into_iter().map(|keys| keys.frontend_host);
        hosts.chain([host_of(&serve.public_url)]).collect()
    });
    let config = ServerConfig {
        world: Arc::into_inner(world).ok_or_else(|| Failure::new("the world is shared"))?,
        listener,
        backend_host: serve.api_url.as_ref().map(host_of),
        frontend_hosts,
    };
    let options = Options {
        proxy_path: serve.proxy_path,
        stop_delay: serve.stop_delay,
        ui_folder,
        development: false,
        tls,
        proxies: serve.trusted_proxies,
        ..Options::default()
    };
    let server = server::start_with(config, options).await?;
    tracing::info!(address = %server.address, "ready");
    signals.stop(server).await;
    Ok(())
}
