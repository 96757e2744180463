//! The schema: brought up to date by one process at a time.
//!
//! The lock is a row with an owner and a lease, which every SQL server has. Its clock is the
//! server's. Who finds the lease run out takes over; who lost it cannot commit.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};

use super::{connect::Server, session::Connection};
use crate::{
    Column, EngineKind, Error, Limits, Migration, Result, Row, Statement, Value,
    db::Opening,
    migrate::{self, replace_word},
    search::{Trigrams, expand, has_index},
};

const LEASE_MILLISECONDS: i64 = 10_000;
const NOW: &str = "(extract(epoch from clock_timestamp()) * 1000)::bigint";
const LOCK_TABLE: &str =
    "create table if not exists migration_lock (id bigint primary key, owner text, lease bigint)";

pub(super) async fn bring_up_to_date(
    server: &Server,
    migrations: &[Migration],
    opening: Opening,
) -> Result<()> {
    let connection = server.connect().await?;
    let missing = missing(&connection, migrations).await?;
    if missing.is_empty() {
        return Ok(());
    }
    if opening == Opening::Attach {
        return migrate::require_all(&missing);
    }
    let owner = format!("{}-{:016x}", std::process::id(), RandomState::new().hash_one(0));
    acquire(&connection, &owner).await?;
    let renewing = tokio::spawn(renew(server.connect().await?, owner.clone()));
    let applied = apply(&connection, migrations, &owner).await;
    renewing.abort();
    if applied.is_err() {
        let _ = connection.client.batch_execute("rollback").await;
        let _ =
            connection.one("delete from migration_lock where owner = $1", &[text(&owner)]).await;
    }
    applied
}

/// What is still to be applied, without changing anything.
async fn missing(connection: &Arc<Connection>, known: &[Migration]) -> Result<Vec<Migration>> {
    let table = connection.one("select to_regclass('migrations')::text", &[]).await?;
    let there: Option<String> = table.into_iter().next().map_or(Ok(None), |mut row| row.take())?;
    let applied = match there {
        Some(_) => connection.one(migrate::APPLIED, &[]).await?,
        None => Vec::new(),
    };
    migrate::missing(applied, known, EngineKind::Postgres)
}

/// Waits until the lock is ours.
async fn acquire(connection: &Arc<Connection>, owner: &str) -> Result<()> {
    // Two that make a table at the same moment collide although each says `if not exists`.
    let mut made = connection.client.batch_execute(LOCK_TABLE).await;
    for _ in 0..10 {
        if made.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        made = connection.client.batch_execute(LOCK_TABLE).await;
    }
    made?;
    let sql = format!(
        "insert into migration_lock (id, owner, lease) values (1, $1, {NOW} + $2)
         on conflict (id) do update set owner = excluded.owner, lease = excluded.lease
         where migration_lock.lease < {NOW} returning owner"
    );
    loop {
        let mine = connection.one(&sql, &[text(owner), Value::Int(LEASE_MILLISECONDS)]).await;
        match mine {
            Ok(rows) if !rows.is_empty() => return Ok(()),
            // Held by another, for as long as its transaction lasts.
            Ok(_) | Err(Error::Conflict | Error::TimedOut(_)) => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Keeps the lease from running out.
async fn renew(connection: Arc<Connection>, owner: String) {
    let sql = format!("update migration_lock set lease = {NOW} + $2 where owner = $1");
    let third = Duration::from_millis(LEASE_MILLISECONDS.unsigned_abs() / 3);
    loop {
        tokio::time::sleep(third).await;
        if connection.one(&sql, &[text(&owner), Value::Int(LEASE_MILLISECONDS)]).await.is_err() {
            return;
        }
    }
}

async fn apply(connection: &Arc<Connection>, known: &[Migration], owner: &str) -> Result<()> {
    let client = &connection.client;
    let steps = missing(connection, known).await?;
    let searched = steps.iter().any(|step| has_index(step.sql));
    let trigrams = if searched { trigrams(connection).await? } else { Trigrams::None };
    client.batch_execute("begin; set local statement_timeout = 0").await?;
    client.batch_execute(migrate::TABLE).await?;
    for migration in &steps {
        let sql = expand(migration.sql, EngineKind::Postgres, trigrams);
        // Bytes compare and sort alike everywhere, and as in SQLite.
        client.batch_execute(&collate(&sql)).await?;
        connection.one(migrate::RECORD, &migrate::record(migration)).await?;
    }
    let released = "delete from migration_lock where owner = $1 returning owner";
    if connection.one(released, &[text(owner)]).await?.is_empty() {
        return Err(Error::Schema("another process took over the migrations".to_owned()));
    }
    Ok(client.batch_execute("commit").await?)
}

/// Says of each column of type text how it sorts.
fn collate(sql: &str) -> String {
    replace_word(sql, "text", "text collate \"C\"")
}

/// What the server can index texts by, its owner permitting.
async fn trigrams(connection: &Arc<Connection>) -> Result<Trigrams> {
    for extension in ["pg_trgm", "btree_gin"] {
        let sql = format!("create extension if not exists {extension}");
        let _ = connection.client.batch_execute(&sql).await;
    }
    let sql = "select extname::text from pg_extension where extname in ('pg_trgm', 'btree_gin')
        order by extname";
    let found = connection.one(sql, &[]).await?;
    let names: Vec<String> = found.into_iter().map(|mut row| row.take()).collect::<Result<_>>()?;
    Ok(match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["btree_gin", "pg_trgm"] => Trigrams::Apart,
        ["pg_trgm"] => Trigrams::Together,
        _ => Trigrams::None,
    })
}

fn text(text: &str) -> Value {
    text.to_owned().to_value()
}

impl Connection {
    /// A statement outside units.
    async fn one(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let statement = Statement::new(sql, values.to_vec());
        let mut rows = self.pipeline(None, &[statement], None).await?;
        Ok(rows.pop().unwrap_or_default())
    }
}

/// Drops the database, and makes it again, empty.
pub(crate) async fn remove(url: &str, again: bool) -> Result<()> {
    let mut server = Server::new(url, &Limits::default())?;
    let name = server.config.get_dbname().unwrap_or_default().to_owned();
    server.config.dbname("postgres");
    let connection = server.connect().await?;
    connection.client.batch_execute("set statement_timeout = 0").await?;
    let drop = format!("drop database if exists \"{name}\" with (force)");
    connection.client.batch_execute(&drop).await?;
    if again {
        connection.client.batch_execute(&format!("create database \"{name}\"")).await?;
    }
    Ok(())
}
