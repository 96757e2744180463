//! What a database tells of the servers on it: where they are reached, and which root key it wants.

use std::sync::Arc;

use db::{BoxFuture, Column as _, Mode, Record, Tx, Value};
use macros::Record;

use crate::{Place, Result, World};

/// A text only the right root key opens.
const ROOT_KEY: &str = "root_key";
const PLACE: Place<'static> =
    Place { instance: "", table: "server_facts", row: ROOT_KEY, column: "value" };
const API_URL: &str = "api_url";
const FRONTEND_API_URL: &str = "frontend_api_url";

#[derive(Record)]
#[record(table = "server_facts")]
struct FactRow {
    name: String,
    value: String,
}

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Of the Backend API.
    pub api_url: String,
    /// Of the Frontend API.
    pub frontend_api_url: String,
}

/// True if the root key is the one that the secrets in the database are sealed under.
///
/// A database that has none yet takes the given key, unless it is only looked at.
pub async fn unlock(world: &Arc<World>, mode: Mode) -> Result<bool> {
    let place = PLACE;
    let value = match fact(world, ROOT_KEY).await? {
        Some(value) => value,
        None if mode == Mode::Write => {
            let value = world.sealer.seal(&place, ROOT_KEY.as_bytes())?;
            first(world, FactRow { name: ROOT_KEY.to_owned(), value }).await?
        }
        None => return Ok(true),
    };
    Ok(world.sealer.open(&place, &value).is_ok())
}

/// The text that only the right root key opens, if the database has one yet.
pub(crate) async fn lock(world: &World) -> Result<Option<String>> {
    fact(world, ROOT_KEY).await
}

/// Takes the current root key for the right one; the others are none from then on.
pub(crate) async fn lock_again(world: &World) -> Result<()> {
    let Some(old) = lock(world).await? else { return Ok(()) };
    let Some(new) = world.sealer.seal_again(&PLACE, &old)? else { return Ok(()) };
    let sql = "update server_facts set value = $1 where name = $2 and value = $3";
    let values = [new, ROOT_KEY.to_owned(), old].map(Value::Text).to_vec();
    let work = move |mut tx: Tx| -> BoxFuture<Result<()>> {
        let values = values.clone();
        Box::pin(async move { Ok(tx.execute(sql, values).await?) })
    };
    world.everywhere("lock_again", Mode::Write, work).await
}

/// Remembers where the server is reached, for commands beside it.
pub async fn remember(world: &Arc<World>, addresses: Addresses) -> Result<()> {
    if self::addresses(world).await?.as_ref() == Some(&addresses) {
        return Ok(());
    }
    let Addresses { api_url, frontend_api_url } = addresses;
    let pairs = [(API_URL, api_url), (FRONTEND_API_URL, frontend_api_url)];
    world
        .everywhere("remember_addresses", Mode::Write, move |mut tx| {
            let pairs = pairs.clone();
            Box::pin(async move {
                for (name, value) in pairs {
                    let sql = "insert into server_facts (name, value) values ($1, $2)
                               on conflict (name) do update set value = excluded.value";
                    tx.execute(sql, vec![name.to_owned().to_value(), value.to_value()]).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Where the last server was reached, if one ever ran.
pub async fn addresses(world: &Arc<World>) -> Result<Option<Addresses>> {
    let api_url = fact(world, API_URL).await?;
    let frontend_api_url = fact(world, FRONTEND_API_URL).await?;
    let both = api_url.zip(frontend_api_url);
    Ok(both.map(|(api_url, frontend_api_url)| Addresses { api_url, frontend_api_url }))
}

async fn fact(world: &World, name: &'static str) -> Result<Option<String>> {
    let found = world.everywhere("server_fact", Mode::Read, move |mut tx| {
        Box::pin(async move { Ok(FactRow::find(&mut tx, &name.to_owned()).await?) })
    });
    Ok(found.await?.map(|fact| fact.value))
}

/// Writes a fact unless there is one; answers the one there is.
async fn first(world: &World, fact: FactRow) -> Result<String> {
    let fact = Arc::new(fact);
    let work = move |mut tx: Tx| -> BoxFuture<Result<String>> {
        let fact = Arc::clone(&fact);
        Box::pin(async move {
            if let Some(there) = FactRow::find(&mut tx, &fact.name).await? {
                return Ok(there.value);
            }
            fact.insert(&mut tx).await?;
            Ok(fact.value.clone())
        })
    };
    world.everywhere("first_fact", Mode::Write, work).await
}
