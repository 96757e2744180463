//! Looks behind the scenes: what is in the store, row by row.

use std::collections::{BTreeMap, BTreeSet};

use db::{Column, Db, EngineKind, Mode, Row, Scope, Unit, Value};

use crate::TestServer;

/// Something that waits for delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The webhook's type.
    pub kind: String,
    /// The webhook's `data`.
    pub data: serde_json::Value,
}

/// A column of whatever type.
struct Any(Value);

impl Column for Any {
    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn from_value(value: Value) -> db::Result<Self> {
        Ok(Self(value))
    }
}

impl TestServer {
    /// What waits to be delivered for the first instance, oldest first.
    pub async fn outbox(&self) -> Vec<Message> {
        let sql = "select id, kind, payload, is_sealed from outbox where instance_id = $1
                   order by happened_at, id";
        let instance = self.keys[0].instance_id.as_str();
        let rows = query(&self.world.db, sql, vec![Value::Text(instance.to_owned())]).await;
        let message = |mut row: Row| {
            let columns = (row.take()?, row.take()?, row.take()?, row.take()?);
            let (id, kind, payload, is_sealed): (String, String, String, bool) = columns;
            let place = domain::Place { table: "outbox", row: &id, column: "payload", instance };
            let data = if is_sealed {
                serde_json::from_slice(
                    &self.world.sealer.open(&place, &payload).expect("it is opened"),
                )
            } else {
                serde_json::from_str(&payload)
            };
            Ok::<_, db::Error>(Message { kind, data: data.expect("data is JSON") })
        };
        rows.into_iter().map(message).collect::<Result<_, _>>().expect("messages are read")
    }

    /// The types of what waits, oldest first.
    pub async fn events(&self) -> Vec<String> {
        self.outbox().await.into_iter().map(|message| message.kind).collect()
    }

    /// Every row of every table, to see that nothing changed.
    pub async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        dump(&self.world.db).await
    }
}

/// The rows of a query over all instances.
pub(crate) async fn query(db: &Db, sql: &'static str, values: Vec<Value>) -> Vec<Row> {
    rows(db, sql.to_owned(), values).await
}

async fn rows(db: &Db, sql: String, values: Vec<Value>) -> Vec<Row> {
    let unit = Unit { name: "test", mode: Mode::Read, scope: Scope::Server };
    let rows = db.run(unit, move |mut tx| {
        let (sql, values) = (sql.clone(), values.clone());
        Box::pin(async move { tx.rows(&sql, values).await })
    });
    rows.await.expect("the store is read")
}

/// Names of the domain's tables, as the migrations have left them.
fn tables() -> BTreeSet<&'static str> {
    let mut tables = BTreeSet::new();
    for line in domain::MIGRATIONS.iter().flat_map(|migration| migration.sql.lines()) {
        let words: Vec<_> = line.trim().split([' ', '(', ';']).collect();
        match words[..] {
            ["create", "table", name, ..] => {
                tables.insert(name);
            }
            ["drop", "table", name, ..] => {
                tables.remove(name);
            }
            ["alter", "table", old, "rename", "to", new, ..] => {
                tables.remove(old);
                tables.insert(new);
            }
            _ => {}
        }
    }
    tables
}

async fn dump(db: &Db) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    let mut queries: Vec<_> =
        tables().iter().map(|table| (*table, format!("select * from {table}"))).collect();
    // What was appended and not folded yet is part of a counter all the same.
    let counters = match db.engine() {
        EngineKind::Sqlite => "select instance_id, name, value from counters",
        EngineKind::Postgres => {
            "select instance_id, name, sum(value)::bigint from (
                 select * from counters union all select * from counter_deltas
             ) as parts group by instance_id, name"
        }
    };
    queries.push(("counters", counters.to_owned()));
    for (table, query) in queries {
        let found = rows(db, query, Vec::new()).await;
        let mut texts: Vec<_> = found.into_iter().map(text).collect();
        texts.sort();
        all.insert(table.to_owned(), texts);
    }
    all
}

fn text(mut row: Row) -> String {
    let mut columns = Vec::new();
    while let Ok(Any(value)) = row.take() {
        columns.push(value);
    }
    format!("{columns:?}")
}
