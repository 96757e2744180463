//! What a reading unit of two selects costs: a user of forty columns and three identifications.
//!
//! `cargo run --release -p db --example read`.
#![expect(clippy::print_stdout, reason = "prints figures")]
#![expect(clippy::disallowed_methods, reason = "measures time")]

use std::time::Instant;

use db::{BoxFuture, Db, Migration, Mode, Record, Result, Scope, Tx, Unit, Value};
use macros::Record;

const MIGRATIONS: &[Migration] = &[Migration::new(
    "0001_users",
    "create table users (
         id text primary key, instance_id text not null, position bigint not null,
         a0 text, a1 text, a2 text, a3 text, a4 text, a5 text, a6 text, a7 text, a8 text, a9 text,
         b0 text, b1 text, b2 text, b3 text, b4 text, b5 text, b6 text, b7 text, b8 text, b9 text,
         c0 bigint, c1 bigint, c2 bigint, c3 bigint, c4 bigint, c5 bigint, c6 bigint, c7 bigint,
         c8 bigint, c9 bigint, metadata text not null
     );
     create unique index users_position on users (instance_id, position);
     create table identifications (
         id text primary key, instance_id text not null, user_id text not null, value text,
         kind text, d0 text, d1 text, d2 text, d3 text, d4 bigint, d5 bigint
     );
     create index identifications_user on identifications (instance_id, user_id, id);",
)];

#[derive(Record)]
#[record(table = "users")]
#[rustfmt::skip]
struct User {
    id: String, instance_id: String, position: i64,
    a0: Option<String>, a1: Option<String>, a2: Option<String>, a3: Option<String>,
    a4: Option<String>, a5: Option<String>, a6: Option<String>, a7: Option<String>,
    a8: Option<String>, a9: Option<String>, b0: Option<String>, b1: Option<String>,
    b2: Option<String>, b3: Option<String>, b4: Option<String>, b5: Option<String>,
    b6: Option<String>, b7: Option<String>, b8: Option<String>, b9: Option<String>,
    c0: Option<i64>, c1: Option<i64>, c2: Option<i64>, c3: Option<i64>, c4: Option<i64>,
    c5: Option<i64>, c6: Option<i64>, c7: Option<i64>, c8: Option<i64>, c9: Option<i64>,
    metadata: String,
}

#[derive(Record)]
#[record(table = "identifications")]
#[rustfmt::skip]
struct Identification {
    id: String, instance_id: String, user_id: String, value: Option<String>,
    kind: Option<String>, d0: Option<String>, d1: Option<String>, d2: Option<String>,
    d3: Option<String>, d4: Option<i64>, d5: Option<i64>,
}

const USERS: u64 = 20_000;

fn unit(mode: Mode) -> Unit {
    Unit { name: "read", mode, scope: Scope::Instance("ins_one".to_owned()) }
}

async fn fill(db: &Db) {
    let work = |mut tx: Tx| -> BoxFuture<Result<()>> {
        Box::pin(async move {
            for number in 0..USERS {
                let sql = "insert into users (id, instance_id, position, a0, a1, a2, a3, c0, c1,
                    metadata) values ($1, 'ins_one', $2, 'ada', 'lovelace', 'ada', 'idn', 1, 2, $3)";
                let id = Value::Text(format!("user_{number:027}"));
                let metadata = Value::Text("m".repeat(500));
                tx.execute(sql, vec![id.clone(), Value::Int(number.cast_signed()), metadata])
                    .await?;
                for kind in 0..3 {
                    let sql = "insert into identifications (id, instance_id, user_id, value, kind,
                        d0) values ($1, 'ins_one', $2, 'ada@example.com', 'email', 'verified')";
                    let own = Value::Text(format!("idn_{number:020}_{kind}"));
                    tx.execute(sql, vec![own, id.clone()]).await?;
                }
            }
            Ok(())
        })
    };
    db.run(unit(Mode::Write), work).await.expect("filled");
}

async fn read(db: &Db, number: u64) -> Result<(Vec<User>, Vec<Identification>)> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<(Vec<User>, Vec<Identification>)>> {
        Box::pin(async move {
            let id = || Value::Text(format!("user_{number:027}"));
            let user = User::select(&tx).filter("id = ?", [id()]);
            let known_by = Identification::select(&tx).filter("user_id = ?", [id()]).order("id");
            tx.both(user, known_by).await
        })
    };
    db.run(unit(Mode::Read), work).await
}

#[tokio::main(worker_threads = 1)]
async fn main() {
    let folder = tempfile::tempdir().expect("folder");
    let url = format!("sqlite:{}", folder.path().join("read.db").display());
    let limits = db::Limits { unit: std::time::Duration::from_mins(1), ..db::Limits::default() };
    let db = Db::open_with(&url, MIGRATIONS, limits).await.expect("opened");
    fill(&db).await;
    for _ in 0..5 {
        let began = Instant::now();
        for turn in 0..50_000_u64 {
            let found = read(&db, turn * 7919 % USERS).await.expect("read");
            assert_eq!((found.0.len(), found.1.len()), (1, 3));
        }
        println!("{:.2?} each", began.elapsed() / 50_000);
    }
}
