//! `vestry keys`, and how keys are shown.

use std::sync::Arc;

use domain::{
    RootKeys, World,
    instances::{self, Keys},
    server_facts::{self, Addresses},
};
use serde::Serialize;
use web::pages::environment::script_urls;
use wire::backend::instance::EnvironmentType;

use crate::{
    cli,
    config::{Given, Store},
    data::Folder,
    failure::{Failure, Result},
    logging,
    world::{self, Opening},
};

/// Where `vestry dev` keeps everything, if not told otherwise.
const DEV_FOLDER: &str = ".vestry";

/// The keys of an instance, and where it is reached.
#[derive(Serialize)]
pub(crate) struct Shown {
    publishable_key: String,
    secret_key: Option<String>,
    api_url: String,
    frontend_api_url: String,
    instance_id: String,
    /// What to trust, if the server made a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_authority: Option<String>,
}

impl Shown {
    /// Shows `keys` with the addresses of a server.
    pub(crate) fn new(keys: Keys, addresses: Addresses) -> Self {
        Self {
            publishable_key: keys.publishable_key,
            secret_key: keys.secret_key,
            api_url: addresses.api_url,
            frontend_api_url: addresses.frontend_api_url,
            instance_id: keys.instance_id.to_string(),
            tls_authority: None,
        }
    }

    /// The same, with the file of what to trust.
    pub(crate) fn trusting(self, authority: Option<&std::path::Path>) -> Self {
        let tls_authority = authority.map(|path| path.display().to_string());
        Self { tls_authority, ..self }
    }

    /// Where browsers reach the server.
    pub(crate) fn frontend_api_url(&self) -> &str {
        &self.frontend_api_url
    }

    /// Prints it as one line of JSON.
    #[expect(clippy::print_stdout, reason = "what was asked for")]
    pub(crate) fn print_json(&self) -> Result<()> {
        let line = serde_json::to_string(self).map_err(|error| Failure::new(error.to_string()))?;
        println!("{line}");
        Ok(())
    }

    /// Prints it for people.
    #[expect(clippy::print_stdout, reason = "what was asked for")]
    pub(crate) fn print(&self) {
        let secret_key = self.secret_key.as_deref().unwrap_or("(shown once, when it was made)");
        println!("Instance          {}", self.instance_id);
        println!("Publishable key   {}", self.publishable_key);
        println!("Secret key        {secret_key}");
        println!("API URL           {}", self.api_url);
        println!("Frontend API URL  {}", self.frontend_api_url);
    }

    /// Prints the variables that an app wants.
    #[expect(clippy::print_stdout, reason = "what was asked for")]
    pub(crate) fn print_environment(&self) {
        let Self { publishable_key, api_url, frontend_api_url, .. } = self;
        println!("CLERK_PUBLISHABLE_KEY={publishable_key}");
        println!("CLERK_SECRET_KEY={}", self.secret_key.as_deref().unwrap_or_default());
        println!("CLERK_API_URL={api_url}");
        println!("CLERK_TELEMETRY_DISABLED=1");
        let [js_url, ui_url] = script_urls(frontend_api_url);
        for framework in ["NEXT_PUBLIC", "VITE"] {
            println!("{framework}_CLERK_PUBLISHABLE_KEY={publishable_key}");
            println!("{framework}_CLERK_PROXY_URL={frontend_api_url}");
            println!("{framework}_CLERK_JS_URL={js_url}");
            println!("{framework}_CLERK_UI_URL={ui_url}");
        }
    }
}

/// Shows the keys of an instance.
pub(crate) async fn run(arguments: cli::Keys, log: Option<String>) -> Result<()> {
    logging::start_simply(log, "warn")?;
    let world = attach(arguments.storage).await?;
    let keys = choose(instances::list(&world).await?, arguments.instance.as_deref())?;
    let addresses = addresses(&world, &keys).await?;
    world.db.close().await;
    let shown = Shown::new(keys, addresses);
    if arguments.json {
        return shown.print_json();
    }
    if arguments.env {
        shown.print_environment();
        return Ok(());
    }
    shown.print();
    Ok(())
}

/// Opens the data that `flags` and variables name, also while a server runs on them.
pub(crate) async fn attach(flags: cli::Storage) -> Result<Arc<World>> {
    let config = flags.config.clone();
    let mut given = Given::gather(flags.settings(), config, std::env::vars());
    let (url, key) = place(&mut given)?;
    world::open(&url, &key, String::new(), Opening::Attach).await
}

/// Where data are, and their root keys.
pub(crate) fn place(given: &mut Given) -> Result<(String, RootKeys)> {
    let (store, key) = (given.store(), given.root_keys());
    given.finish()?;
    let folder = match &store {
        Some(Store::Folder(folder)) => folder.clone(),
        _ => Folder(DEV_FOLDER.into()),
    };
    let url = match store {
        Some(Store::Postgres(url)) => url,
        _ => folder.database_url(),
    };
    let key = match key {
        Some(key) => key,
        None if folder.root_key_file().exists() => folder.root_keys()?,
        None => {
            let path = folder.root_key_file();
            return Err(Failure::Other(format!(
                "there is no root key at {}; is there an instance yet? Name another folder by \
                 --data, or the key by --root-key-file",
                path.display()
            )));
        }
    };
    Ok((url, key))
}

/// The instance that was asked for, or the oldest one.
pub(crate) fn choose(all: Vec<Keys>, id: Option<&str>) -> Result<Keys> {
    let mut all = all.into_iter();
    let found = match id {
        Some(id) => all.find(|keys| keys.instance_id.as_str() == id),
        None => all.next(),
    };
    found.ok_or_else(|| match id {
        Some(id) => Failure::Other(format!("there is no instance {id}: vestry instance list")),
        None => Failure::new("there is no instance yet: vestry instance create"),
    })
}

/// Where the instance of `keys` is reached.
pub(crate) async fn addresses(world: &Arc<World>, keys: &Keys) -> Result<Addresses> {
    let own = format!("https://{}", keys.frontend_host);
    let known = server_facts::addresses(world).await?;
    let Addresses { api_url, frontend_api_url } =
        known.unwrap_or_else(|| Addresses { api_url: own.clone(), frontend_api_url: own.clone() });
    let production = keys.environment == EnvironmentType::Production;
    // A production instance is found under its own name; a development one through the server's.
    let frontend_api_url = if production && !frontend_api_url.ends_with(&keys.frontend_host) {
        own
    } else {
        frontend_api_url
    };
    Ok(Addresses { api_url, frontend_api_url })
}
