//! Counts that are kept beside what they count, so that no list has to count its table.
//!
//! SQLite has one writer and changes the number in place. On PostgreSQL all creates of an
//! instance would meet at that row: there a unit appends what it adds, and a job folds.

use crate::{EngineKind, Result, Statement, Tx, Value};

const READ_SQLITE: &str = "select value from counters where instance_id = $1 and name = $2";
const READ_POSTGRES: &str = "select (
    coalesce((select value from counters where instance_id = $1 and name = $2), 0)
    + coalesce((select sum(value) from counter_deltas where instance_id = $1 and name = $2), 0)
    )::bigint";
const ADD_SQLITE: &str = "insert into counters (instance_id, name, value) values ($1, $2, $3)
    on conflict (instance_id, name) do update set value = value + excluded.value";
const ADD_POSTGRES: &str =
    "insert into counter_deltas (instance_id, name, value) values ($1, $2, $3)";

/// Moves some deltas into their counters, in one statement that others need not wait for.
pub(crate) const FOLD: &str = "with taken as (
        delete from counter_deltas where ctid = any (array(
            select ctid from counter_deltas limit 20000 for update skip locked))
        returning instance_id, name, value
    )
    insert into counters (instance_id, name, value)
    select instance_id, name, sum(value)::bigint from taken
    group by instance_id, name order by instance_id, name
    on conflict (instance_id, name) do update set value = counters.value + excluded.value
    returning name";

impl Tx {
    /// Adds to a counter of the scope.
    pub async fn add(&mut self, counter: &str, delta: i64) -> Result<()> {
        let instance = self.instance().unwrap_or_default().to_owned();
        self.add_of(&instance, counter, delta).await
    }

    /// Adds to a counter of an instance, for jobs that are about all of them.
    pub async fn add_of(&mut self, instance: &str, counter: &str, delta: i64) -> Result<()> {
        let sql = match self.engine() {
            EngineKind::Sqlite => ADD_SQLITE,
            EngineKind::Postgres => ADD_POSTGRES,
        };
        let [instance, counter] = [instance, counter].map(|text| Value::Text(text.to_owned()));
        let values = vec![instance, counter, Value::Int(delta)];
        self.execute(sql, values).await
    }

    /// A counter of the scope; zero if nothing was ever added.
    pub async fn counter(&mut self, counter: &str) -> Result<u64> {
        let Statement { sql, values } = self.counter_statement(counter);
        let mut rows = self.rows(&sql, values).await?;
        let value: i64 = rows.pop().map_or(Ok(0), |mut row| row.take())?;
        Ok(value.try_into().unwrap_or(0))
    }

    /// The query behind [`Tx::counter`], for a batch: one bigint, or no row for zero.
    pub fn counter_statement(&self, counter: &str) -> Statement {
        let sql = match self.engine() {
            EngineKind::Sqlite => READ_SQLITE,
            EngineKind::Postgres => READ_POSTGRES,
        };
        Statement::new(sql, self.counter_key(counter))
    }

    fn counter_key(&self, counter: &str) -> Vec<Value> {
        let instance = self.instance().unwrap_or_default();
        vec![Value::Text(instance.to_owned()), Value::Text(counter.to_owned())]
    }
}
