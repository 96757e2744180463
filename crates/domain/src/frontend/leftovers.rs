//! Sign-ins, sign-ups and proofs that nobody came back for, and clients on which nobody ever
//! signed in.
//!
//! They are given up after a day, and shown as that for a week more. Then they are deleted, a few at
//! a time; so are sign-ins that came to a session. Sign-ups that came to a user stay with that one.
//! A client is anybody's for the asking: one that is as old, and has nothing of these, goes too.
//!
//! Ids sort by the wall clock, so that the oldest come by the primary key, and clocks that
//! developers move make nothing older than it is.

use std::collections::BTreeMap;

use db::{Column as _, Mode, Tx, Value};
use wire::{
    Id,
    backend::{clients::ClientId, sign_ins::SignInId, sign_ups::SignUpId},
};

use super::dev_browsers;
use crate::{Result, World, clients, proofs::ProofRow};

/// How old a row is that is deleted, in seconds.
const KEPT_SECONDS: i64 = 8 * 24 * 3600;
/// Rows of a table that are deleted at once.
const AT_ONCE_MAX: usize = 200;

/// Clients that never had a session, and have nothing under way.
const IDLE: &str = "select id from clients where id < $1 and last_active_session_id is null
    and not exists (select 1 from sign_ins where sign_ins.client_id = clients.id)
    and not exists (select 1 from sign_ups where sign_ups.client_id = clients.id)
    order by id";

/// Deletes some of the oldest; true if there may be more.
pub async fn sweep(world: &World) -> Result<bool> {
    let now = (world.seeds.clock)().0.div_euclid(1000);
    let end = u32::try_from(now - KEPT_SECONDS).unwrap_or_default();
    let clients = ClientId::new(end, 0);
    let ends = [
        ("sign_ins", "true", SignInId::new(end, 0).to_value()),
        ("sign_ups", "created_user_id is null", SignUpId::new(end, 0).to_value()),
        ("proofs", "true", Id::<ProofRow>::new(end, 0).to_value()),
        ("dev_browsers", "client_id is null", dev_browsers::id_of(&clients).to_value()),
    ];
    let mut is_more = false;
    for (table, which, end) in ends {
        let oldest = format!("select id from {table} where id < $1 and {which} order by id");
        let look = format!("{oldest} limit 1");
        if run(world, Mode::Read, look, end.clone()).await? == 0 {
            continue;
        }
        let delete =
            format!("delete from {table} where id in ({oldest} limit {AT_ONCE_MAX}) returning id");
        is_more |= run(world, Mode::Write, delete, end).await? >= AT_ONCE_MAX;
    }
    Ok(is_more | sweep_clients(world, clients.to_value()).await?)
}

async fn sweep_clients(world: &World, end: Value) -> Result<bool> {
    if run(world, Mode::Read, format!("{IDLE} limit 1"), end.clone()).await? == 0 {
        return Ok(false);
    }
    let delete = format!(
        "delete from clients where id in ({IDLE} limit {AT_ONCE_MAX}) returning instance_id"
    );
    let work = move |mut tx: Tx| -> db::BoxFuture<Result<bool>> {
        let (delete, end) = (delete.clone(), end.clone());
        Box::pin(async move {
            let deleted = tx.rows(&delete, vec![end]).await?;
            let is_more = deleted.len() >= AT_ONCE_MAX;
            let mut counts: BTreeMap<String, i64> = BTreeMap::new();
            for mut row in deleted {
                *counts.entry(row.take()?).or_default() += 1;
            }
            for (instance, count) in counts {
                tx.add_of(&instance, clients::COUNTER, -count).await?;
            }
            Ok(is_more)
        })
    };
    world.everywhere("sweep", Mode::Write, work).await
}

/// How many rows a statement answers.
async fn run(world: &World, mode: Mode, sql: String, end: Value) -> Result<usize> {
    let work = move |mut tx: Tx| -> db::BoxFuture<Result<usize>> {
        let (sql, end) = (sql.clone(), end.clone());
        Box::pin(async move { Ok(tx.rows(&sql, vec![end]).await?.len()) })
    };
    world.everywhere("sweep", mode, work).await
}
