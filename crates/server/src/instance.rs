//! `vestry instance`: make instances and look after them.

use std::sync::Arc;

use domain::{
    Places, World,
    instances::{self, NewInstance},
    server_facts::{self, Addresses},
};
use server::outbound::Reach;
use wire::backend::instance::EnvironmentType;

use crate::{
    cli::{self, Environment, InstanceCommand},
    config::{Given, Store, host_of, text_of},
    failure::{Failure, Result},
    keys::{self, Shown},
    logging, names,
    world::{self, Opening},
};

/// Does what was asked.
pub(crate) async fn run(command: InstanceCommand, log: Option<String>) -> Result<()> {
    logging::start_simply(log, "warn")?;
    match command {
        InstanceCommand::Create(create) => self::create(create).await,
        InstanceCommand::List { storage, json } => list(storage, json).await,
        InstanceCommand::RotateKey(keys) => rotate_key(keys).await,
        InstanceCommand::Clock(clock) => self::clock(clock).await,
    }
}

async fn create(create: cli::Create) -> Result<()> {
    let config = create.storage.config.clone();
    let mut flags = create.storage.settings();
    flags.push(("public_url", create.public_url));
    let mut given = Given::gather(flags, config, std::env::vars());
    let public_url = given.public_url("public_url");
    let api_url = given.public_url("api_url");
    let (store, key) = (given.store(), given.root_keys());
    given.finish()?;
    let production = create.environment == Environment::Production;
    if production && public_url.is_none() {
        let text = "public_url is missing: --public-url URL, VESTRY_PUBLIC_URL, or public_url in \
                    the configuration file";
        return Err(Failure::Settings(vec![text.to_owned()]));
    }
    let (url, key) = match (store, key) {
        (None, _) => {
            let text = "data or database_url is missing: --data DIR or --database-url URL";
            return Err(Failure::Settings(vec![text.to_owned()]));
        }
        (Some(Store::Postgres(_)), None) => {
            let text = "root_key_file is missing: --root-key-file FILE, VESTRY_ROOT_KEY_FILE, or \
                        VESTRY_ROOT_KEY";
            return Err(Failure::Settings(vec![text.to_owned()]));
        }
        (Some(Store::Postgres(url)), Some(key)) => (url, key),
        (Some(Store::Folder(folder)), key) => {
            folder.make()?;
            let key = key.map_or_else(|| folder.root_keys(), Ok)?;
            (folder.database_url(), key)
        }
    };
    // Before the first start there is nothing to attach to.
    let opening = if world::is_empty(&url).await {
        Opening::Serve {
            cognito_url: None,
            reach: Reach::Public,
            accountless: false,
            places: Places::default(),
        }
    } else {
        Opening::Attach
    };
    let world = world::open(&url, &key, String::new(), opening).await?;
    let frontend_host = match &public_url {
        Some(url) if production => host_of(url),
        _ => names::development_host((world.seeds.rng)()),
    };
    let made = make(&world, create.name, create.environment, frontend_host).await?;
    if let Some(frontend) = public_url.as_ref().map(text_of)
        && server_facts::addresses(&world).await?.is_none()
    {
        let api_url = api_url.as_ref().map_or_else(|| frontend.clone(), text_of);
        let addresses = Addresses { api_url, frontend_api_url: frontend };
        server_facts::remember(&world, addresses).await?;
    }
    let addresses = keys::addresses(&world, &made).await?;
    world.db.close().await;
    let shown = Shown::new(made, addresses);
    if create.json {
        return shown.print_json();
    }
    shown.print();
    if production {
        note("Keep the secret key: it is shown this once.");
    }
    Ok(())
}

async fn make(
    world: &Arc<World>,
    application: String,
    environment: Environment,
    frontend_host: String,
) -> Result<instances::Keys> {
    let environment = match environment {
        Environment::Production => EnvironmentType::Production,
        Environment::Development => EnvironmentType::Development,
    };
    let new = NewInstance { application, environment, frontend_host: frontend_host.clone() };
    instances::create(world, new).await.map_err(|error| match error {
        domain::Error::Taken { column, .. } if column == "frontend_host" => Failure::Other(
            format!("there is an instance at {frontend_host} already: vestry instance list"),
        ),
        error => error.into(),
    })
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
async fn list(storage: cli::Storage, json: bool) -> Result<()> {
    let world = keys::attach(storage).await?;
    let all = instances::list(&world).await?;
    world.db.close().await;
    for keys in all {
        let (id, environment) = (&keys.instance_id, &keys.environment);
        let (host, key) = (&keys.frontend_host, &keys.publishable_key);
        if json {
            let line = serde_json::json!({
                "instance_id": id,
                "environment": environment,
                "frontend_host": host,
                "publishable_key": key,
            });
            println!("{line}");
        } else {
            println!("{id}  {environment}  {host}  {key}");
        }
    }
    Ok(())
}

async fn rotate_key(arguments: cli::Keys) -> Result<()> {
    let world = keys::attach(arguments.storage).await?;
    let chosen = keys::choose(instances::list(&world).await?, arguments.instance.as_deref())?;
    let rotated = instances::rotate_key(&world, &chosen.instance_id).await?;
    let addresses = keys::addresses(&world, &rotated).await?;
    world.db.close().await;
    let shown = Shown::new(rotated, addresses);
    if arguments.json {
        return shown.print_json();
    }
    shown.print();
    note("The former secret key ends within a second.");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
async fn clock(arguments: cli::Clock) -> Result<()> {
    let world = keys::attach(arguments.storage).await?;
    let all = instances::list(&world).await?;
    let chosen = keys::choose(all, arguments.instance.as_deref())?.instance_id;
    let change = match (arguments.reset, arguments.advance) {
        (true, _) => Some(instances::ClockChange::Reset),
        (false, Some(by)) => Some(instances::ClockChange::Advance(by.0)),
        (false, None) => None,
    };
    let offset_ms = instances::clock(&world, &chosen, change).await?;
    let now = (world.seeds.clock)().0.saturating_add(offset_ms);
    world.db.close().await;
    if arguments.json {
        let line = serde_json::json!({
            "instance_id": chosen, "offset_ms": offset_ms, "now_ms": now,
        });
        println!("{line}");
    } else if offset_ms == 0 {
        println!("The clock of {chosen} goes with the server's.");
    } else {
        println!("The clock of {chosen} is {} ahead of the server's.", cli::spelled(offset_ms));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn note(text: &str) {
    println!("\n{text}");
}
