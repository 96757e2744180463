//! All that is sealed under a root key, and how it comes under another one.
//!
//! A rotation remembers nothing: what is under the current key is done. So one that was killed is
//! begun again, and servers that know both keys work all the while.

use std::{collections::BTreeMap, sync::Arc};

use db::{BoxFuture, Mode, Statement, Tx, Value};

use crate::{Place, Result, SealError, World, seal::id_of, server_facts};

/// Rows that are looked at in one step, which is one transaction if any of them changes.
const ROWS_MAX: usize = 200;
/// Secrets that do not open are named up to here.
const BROKEN_MAX: usize = 20;

/// A column of what is sealed. Its table has an `id` and an `instance_id`.
#[derive(Clone, Copy)]
struct Sealed {
    table: &'static str,
    column: &'static str,
    form: Form,
}

/// How a column holds what is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing else, or null.
    Whole,
    /// Nothing else in rows where `is_sealed` says so.
    Flagged,
    /// As `key` of a JSON object.
    Key,
}

/// Every column of what is sealed; what is not here would be lost with the older key.
const SEALED: [Sealed; 8] = [
    sealed("signing_keys", "sealed", Form::Whole),
    sealed("secret_keys", "sealed", Form::Whole),
    sealed("jwt_templates", "signing_key", Form::Whole),
    sealed("users", "totp_secret", Form::Whole),
    sealed("users", "backup_codes", Form::Key),
    sealed("outbox", "payload", Form::Flagged),
    sealed("handshakes", "directives", Form::Whole),
    sealed("instance_secrets", "sealed", Form::Whole),
];

const fn sealed(table: &'static str, column: &'static str, form: Form) -> Sealed {
    Sealed { table, column, form }
}

/// What is sealed under which root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name of the key that seals.
    pub current: String,
    /// How many secrets there are under each key, by its name.
    pub secrets: BTreeMap<String, u64>,
    /// How many came under the current key.
    pub sealed_again: u64,
    /// Secrets that do not open, some of them, and why.
    pub broken: Vec<String>,
}

impl Report {
    fn new(world: &World) -> Self {
        let current = world.sealer.key_id().to_owned();
        Self { current, secrets: BTreeMap::new(), sealed_again: 0, broken: Vec::new() }
    }

    /// How many secrets are under other keys than the current one.
    pub fn left(&self) -> u64 {
        self.secrets.iter().filter(|(id, _)| **id != self.current).map(|(_, count)| count).sum()
    }

    fn count(&mut self, sealed: &str) {
        let id = id_of(sealed).unwrap_or("none").to_owned();
        *self.secrets.entry(id).or_default() += 1;
    }

    fn note(&mut self, column: Sealed, row: &SealedRow, error: &SealError) {
        if self.broken.len() < BROKEN_MAX {
            let Sealed { table, column, .. } = column;
            self.broken.push(format!("{column} of {} in {table}: {error}", row.id));
        }
    }
}

/// True if the database takes the current key for its own.
pub async fn is_current(world: &World) -> Result<bool> {
    let lock = server_facts::lock(world).await?;
    Ok(lock.is_none_or(|lock| world.sealer.is_current(&lock)))
}

/// Counts what is sealed under which key, and opens all of it.
pub async fn check(world: &Arc<World>) -> Result<Report> {
    let mut report = Report::new(world);
    for column in SEALED {
        let mut after = String::new();
        while let Some(rows) = step(world, column, &mut after).await? {
            for row in rows {
                let Some(sealed) = row.sealed(column.form)? else { continue };
                report.count(&sealed);
                if let Err(error) = world.sealer.open(&row.place(column), &sealed) {
                    report.note(column, &row, &error);
                }
            }
        }
    }
    if let Some(lock) = server_facts::lock(world).await? {
        report.count(&lock);
    }
    Ok(report)
}

/// Brings all that is sealed under the current key; tells after each step how much that was.
///
/// The database takes the current key for its own once nothing else is left under another one.
pub async fn rotate(world: &Arc<World>, mut tell: impl FnMut(u64)) -> Result<Report> {
    let mut sealed_again = 0;
    for column in SEALED {
        let mut after = String::new();
        while let Some(rows) = step(world, column, &mut after).await? {
            let changes = changes(world, column, &rows)?;
            if changes.is_empty() {
                continue;
            }
            sealed_again += write(world, changes).await?;
            tell(sealed_again);
        }
    }
    let mut report = check(world).await?;
    if report.left() == 1 && !is_current(world).await? {
        server_facts::lock_again(world).await?;
        sealed_again += 1;
        report = check(world).await?;
    }
    Ok(Report { sealed_again, ..report })
}

/// A row, and what its column holds.
struct SealedRow {
    id: String,
    instance_id: String,
    value: Option<String>,
}

impl SealedRow {
    fn place(&self, column: Sealed) -> Place<'_> {
        let Sealed { table, column, .. } = column;
        Place { instance: &self.instance_id, table, row: &self.id, column }
    }

    /// What is sealed in it.
    fn sealed(&self, form: Form) -> Result<Option<String>> {
        let Some(value) = &self.value else { return Ok(None) };
        if form != Form::Key {
            return Ok(Some(value.clone()));
        }
        let object: serde_json::Value = serde_json::from_str(value)?;
        Ok(object["key"].as_str().map(str::to_owned))
    }

    /// The same value with `sealed` in it.
    fn with(&self, form: Form, sealed: String) -> Result<String> {
        let Some(value) = self.value.as_ref().filter(|_| form == Form::Key) else {
            return Ok(sealed);
        };
        let mut object: serde_json::Value = serde_json::from_str(value)?;
        object["key"] = sealed.into();
        Ok(object.to_string())
    }
}

/// The next rows after an id, which moves on; nothing at the end of the table.
async fn step(world: &World, column: Sealed, after: &mut String) -> Result<Option<Vec<SealedRow>>> {
    let Sealed { table, column, form } = column;
    let value = match form {
        Form::Flagged => format!("case when is_sealed then {column} end"),
        Form::Whole | Form::Key => column.to_owned(),
    };
    // Rows without a secret count as well: a step has its bounds however rare secrets are.
    let sql = format!(
        "select id, instance_id, {value} from {table} where id > $1 order by id limit {ROWS_MAX}"
    );
    let values = vec![Value::Text(after.clone())];
    let work = move |mut tx: Tx| -> BoxFuture<Result<Vec<SealedRow>>> {
        let (sql, values) = (sql.clone(), values.clone());
        Box::pin(async move {
            let rows = tx.rows(&sql, values).await?;
            let read = |mut row: db::Row| {
                let (id, instance_id, value) = (row.take()?, row.take()?, row.take()?);
                Ok(SealedRow { id, instance_id, value })
            };
            rows.into_iter().map(read).collect()
        })
    };
    let rows = world.everywhere("sealed_rows", Mode::Read, work).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    after.clone_from(&last.id);
    Ok(Some(rows))
}

/// What has to be written for `rows` to be under the current key.
///
/// What changed since it was read is left to the next time. What does not open stays as it is.
fn changes(world: &World, column: Sealed, rows: &[SealedRow]) -> Result<Vec<Statement>> {
    let Sealed { table, column: name, form } = column;
    let sql = format!(
        "update {table} set {name} = $1 where instance_id = $2 and id = $3 and {name} = $4
         returning id"
    );
    let mut changes = Vec::new();
    for row in rows {
        let (Some(old), Some(value)) = (row.sealed(form)?, &row.value) else { continue };
        let Ok(Some(new)) = world.sealer.seal_again(&row.place(column), &old) else { continue };
        let values = [&row.with(form, new)?, &row.instance_id, &row.id, value];
        let values = values.map(|text| Value::Text(text.clone())).to_vec();
        changes.push(Statement::new(&sql, values));
    }
    Ok(changes)
}

/// Writes them in one transaction; answers how many were still as they had been.
async fn write(world: &World, changes: Vec<Statement>) -> Result<u64> {
    let work = move |mut tx: Tx| -> BoxFuture<Result<u64>> {
        let changes = changes.clone();
        Box::pin(async move {
            let changed = tx.batch(changes).await?;
            Ok(changed.iter().map(|rows| rows.len() as u64).sum())
        })
    };
    world.everywhere("seal_again", Mode::Write, work).await
}
