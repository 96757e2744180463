//! `vestry dev`: a development instance without any configuration.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{
    RootKeys, World,
    instances::{self, Keys, NewInstance},
    server_facts::{self, Addresses},
};
use server::{Options, ServerConfig, Tls, outbound::Reach};
use tokio::net::TcpListener;
use wire::{Timestamp, backend::instance::EnvironmentType};

use crate::{
    cli,
    data::Folder,
    dev_certificate,
    failure::{Failure, Result},
    keys::Shown,
    logging, mailbox, names,
    signals::Signals,
    world::{self, Opening},
};

/// Serves a development instance until told to stop.
pub(crate) async fn run(dev: cli::Dev, log: Option<String>) -> Result<()> {
    logging::start_simply(log, if logging::is_terminal() { "info" } else { "warn" })?;
    let mut signals = Signals::listen()?;
    let place = cli::UiPlace { data: dev.data.clone(), ui_dir: dev.ui_dir };
    let ui_folder = Some(place.folder());
    let temporary = dev.ephemeral.then(tempfile::tempdir).transpose()?;
    let folder = temporary.as_ref().map_or(dev.data, |folder| folder.path().to_owned());
    let folder = Folder(folder);
    let listener = listen(dev.listen).await?;
    let addresses = addresses(listener.local_addr()?);
    let (url, key) = storage(&folder, dev.database_url).await?;
    let cognito_url = std::env::var("VESTRY_COGNITO_URL").ok();
    // Its apps, and whatever stands before them, are on the same machine.
    let places = world::places(dev.geoip_file.as_deref())?;
    let opening = Opening::Serve { cognito_url, reach: Reach::Private, accountless: true, places };
    let world = world::open(&url, &key, addresses.frontend_api_url.clone(), opening).await?;
    let keys = instance(&world).await?;
    server_facts::remember(&world, addresses.clone()).await?;
    let now = (world.seeds.clock)();
    let config = ServerConfig {
        world: Arc::into_inner(world).ok_or_else(|| Failure::new("the world is shared"))?,
        listener,
        backend_host: None,
        frontend_hosts: HashSet::from([keys.frontend_host.clone()]),
    };
    let (tls, authority) =
        encryption(dev.tls, dev.tls_cert.zip(dev.tls_key), &folder, &keys.frontend_host, now)?;
    let options = Options {
        ui_folder,
        development: true,
        tls,
        verification_delay: dev.verification_delay.map(Duration::from).unwrap_or_default(),
        ..Options::default()
    };
    let server = server::start_with(config, options).await?;
    let mailbox = mailbox::print(Arc::clone(&server.world), keys.instance_id.clone());
    let host = keys.frontend_host.clone();
    announce(&Shown::new(keys, addresses).trusting(authority.as_deref()), dev.json)?;
    if let (Some(authority), false) = (authority, dev.json) {
        announce_tls(&authority, &host, server.address);
    }
    if !server.address.ip().is_loopback() {
        tracing::warn!("a development instance is reached by other machines; it guards nothing");
    }
    // A program that reads one line of JSON gets no more than that.
    let mailbox = (!dev.json).then(|| tokio::spawn(mailbox));
    signals.stop(server).await;
    if let Some(mailbox) = mailbox {
        mailbox.abort();
    }
    Ok(())
}

/// How connections are encrypted, if that was asked for; and what to trust then.
fn encryption(
    makes_one: bool,
    own: Option<(PathBuf, PathBuf)>,
    folder: &Folder,
    host: &str,
    now: Timestamp,
) -> Result<(Option<Tls>, Option<PathBuf>)> {
    let (certificate, key, authority) = match own {
        Some((certificate, key)) => (certificate, key, None),
        None if makes_one => {
            let made = dev_certificate::of(&folder.0.join("tls"), host, now.0)?;
            (made.certificate, made.key, Some(made.authority))
        }
        None => return Ok((None, None)),
    };
    let tls = Tls::open(certificate, key, true).map_err(Failure::Other)?;
    Ok((Some(tls), authority))
}

/// Says how machines come to trust the certificate, and apps to find the server by their key.
#[expect(clippy::print_stdout, reason = "what was asked for")]
fn announce_tls(authority: &Path, host: &str, address: SocketAddr) {
    let file = std::fs::canonicalize(authority).unwrap_or_else(|_| authority.to_owned());
    let (file, port) = (file.display(), address.port());
    println!("HTTPS on the same port: https://localhost:{port}. To be trusted is {file};");
    println!("its own key is gone, so it vouches for this one certificate alone.\n");
    println!("  Node.js    export NODE_EXTRA_CA_CERTS={file}");
    println!(
        "  Debian     sudo cp {file} /usr/local/share/ca-certificates/vestry.crt && sudo update-ca-certificates"
    );
    println!("  Chromium   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n vestry -i {file}\n");
    println!(
        "Apps that take nothing but the key find the server on port 443, with this line in /etc/hosts:\n"
    );
    println!("  127.0.0.1 {host}\n");
}

/// Where data are, and their root key, which stays in the folder in any case.
async fn storage(folder: &Folder, database_url: Option<String>) -> Result<(String, RootKeys)> {
    folder.make()?;
    let url = match database_url {
        None => folder.database_url(),
        Some(url) => {
            let path = folder.root_key_file();
            if !path.exists() && !world::is_empty(&url).await {
                return Err(Failure::Other(format!(
                    "the database has data, and their root key {} is missing; name the folder it \
                     is in by --data",
                    path.display()
                )));
            }
            return Ok((url, folder.root_keys()?));
        }
    };
    Ok((url, folder.root_keys()?))
}

/// Listens on an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::Other(format!("cannot listen on {address}: {error}; choose another by --listen"))
    })
}

/// Where apps on this machine reach a server that listens on `address`.
fn addresses(address: SocketAddr) -> Addresses {
    let port = address.port();
    let (api, browser) = match address.ip() {
        ip if ip.is_unspecified() => ("127.0.0.1".to_owned(), "localhost".to_owned()),
        // Pages of http://localhost and the server are then of one site, as cookies need it.
        ip if ip.is_loopback() && ip.is_ipv4() => (ip.to_string(), "localhost".to_owned()),
        ip => {
            let host = SocketAddr::new(ip, 0).to_string();
            let host = host.trim_end_matches(":0").to_owned();
            (host.clone(), host)
        }
    };
    Addresses {
        api_url: format!("http://{api}:{port}"),
        frontend_api_url: format!("http://{browser}:{port}"),
    }
}

/// The development instance; makes the first one.
async fn instance(world: &Arc<World>) -> Result<Keys> {
    let all = instances::list(world).await?;
    if all.is_empty() {
        let new = NewInstance {
            application: "My application".to_owned(),
            environment: EnvironmentType::Development,
            frontend_host: names::development_host((world.seeds.rng)()),
        };
        return Ok(instances::create(world, new).await?);
    }
    let own = all.into_iter().find(|keys| keys.environment == EnvironmentType::Development);
    own.ok_or_else(|| {
        Failure::new("these data are of a production server: vestry serve, or another --data")
    })
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn announce(shown: &Shown, json: bool) -> Result<()> {
    if json {
        return shown.print_json();
    }
    println!("Vestry {} serves a development instance.\n", env!("CARGO_PKG_VERSION"));
    shown.print();
    println!("\nFor the environment of your app:\n");
    shown.print_environment();
    println!("\nFor other frameworks, and to see it at work: {}/\n", shown.frontend_api_url());
    Ok(())
}
