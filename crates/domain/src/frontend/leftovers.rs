//! Sign-ins, sign-ups and proofs that nobody came back for.
//!
//! They are given up after a day, and shown as that for a week more. Then they are deleted, a few at
//! a time; so are sign-ins that came to a session. Sign-ups that came to a user stay with that one.
//!
//! Ids sort by the wall clock, so that the oldest come by the primary key, and clocks that
//! developers move make nothing older than it is.

use db::{Column as _, Mode, Tx, Value};
use wire::{
    Id,
    backend::{sign_ins::SignInId, sign_ups::SignUpId},
};

use super::proofs::ProofRow;
use crate::{Result, World};

/// How old a row is that is deleted, in seconds.
const KEPT_SECONDS: i64 = 8 * 24 * 3600;
/// Rows of a table that are deleted at once.
const AT_ONCE_MAX: usize = 200;

/// Deletes some of the oldest; true if there may be more.
pub async fn sweep(world: &World) -> Result<bool> {
    let now = (world.seeds.clock)().0.div_euclid(1000);
    let end = u32::try_from(now - KEPT_SECONDS).unwrap_or_default();
    let ends = [
        ("sign_ins", "true", SignInId::new(end, 0).to_value()),
        ("sign_ups", "created_user_id is null", SignUpId::new(end, 0).to_value()),
        ("proofs", "true", Id::<ProofRow>::new(end, 0).to_value()),
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
    Ok(is_more)
}

/// How many rows a statement answers.
async fn run(world: &World, mode: Mode, sql: String, end: Value) -> Result<usize> {
    let work = move |mut tx: Tx| -> db::BoxFuture<Result<usize>> {
        let (sql, end) = (sql.clone(), end.clone());
        Box::pin(async move { Ok(tx.rows(&sql, vec![end]).await?.len()) })
    };
    world.everywhere("sweep", mode, work).await
}
