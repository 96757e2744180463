//! Connections, and the statements on them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, ToSql,
    ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE},
    types::{ToSqlOutput, ValueRef},
};

use super::lock;
use crate::{
    Error, Result, Row, Value,
    limits::{elapsed, nanos},
    search::{Change, Entry},
};

/// Instructions of SQLite between two looks at the clock.
const STEPS: i32 = 8192;

/// A connection, lent to one unit at a time.
pub(crate) struct Session(Mutex<State>);

struct State {
    connection: Connection,
    /// The statement that begins the transaction, until it has.
    begin: Option<&'static str>,
    /// A statement failed; those after it do too.
    failed: bool,
    /// It failed because the unit must draw another position.
    again: bool,
    unit: &'static str,
    unit_ends: Duration,
    statement_limit: Duration,
    /// When SQLite is to give up, in nanoseconds.
    deadline: Arc<AtomicU64>,
    /// Changes of search indexes: those of this unit, and those of the group so far.
    changes: Vec<Change>,
    grouped: BTreeMap<(&'static str, i64), Option<Entry>>,
}

impl Session {
    pub(super) fn new(
        mut connection: Connection,
        begin: Option<&'static str>,
        statement_limit: Duration,
    ) -> Result<Self> {
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let watched = Arc::clone(&deadline);
        let watch = move || {
            let deadline = watched.load(Ordering::Relaxed);
            deadline != u64::MAX && nanos(elapsed()) > deadline
        };
        connection.progress_handler(STEPS, Some(watch))?;
        Ok(Self(Mutex::new(State {
            connection,
            begin,
            failed: false,
            again: false,
            unit: "",
            unit_ends: Duration::MAX,
            statement_limit,
            deadline,
            changes: Vec::new(),
            grouped: BTreeMap::new(),
        })))
    }

    /// Lends the connection to a unit, until then.
    pub(super) fn enter(&self, unit: &'static str, ends: Duration) {
        let mut state = lock(&self.0);
        state.unit = unit;
        state.unit_ends = ends;
        state.failed = false;
        state.again = false;
        state.changes.clear();
    }

    /// A statement of the unit.
    pub(crate) fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let mut state = lock(&self.0);
        if state.failed {
            return Err(Error::Unit("a statement after one that failed".to_owned()));
        }
        let rows = state.rows(sql, values);
        state.failed = rows.is_err();
        state.again = rows.as_ref().is_err_and(Error::is_position);
        rows
    }

    /// Notes that the unit asked for what is refused.
    pub(crate) fn fail(&self) {
        lock(&self.0).failed = true;
    }

    /// Notes a change of a search index: written when the group ends, as each savepoint would
    /// otherwise make a segment of its own.
    pub(crate) fn change_search(&self, change: Change) -> Result<()> {
        let mut state = lock(&self.0);
        if state.failed {
            return Err(Error::Unit("a statement after one that failed".to_owned()));
        }
        if state.begin.is_some() || state.connection.is_autocommit() {
            state.failed = true;
            return Err(Error::Unit(format!("{} only reads", state.unit)));
        }
        state.changes.push(change);
        Ok(())
    }

    /// A statement around the units.
    pub(super) fn control(&self, sql: &str) -> Result<()> {
        let state = lock(&self.0);
        state.deadline.store(u64::MAX, Ordering::Relaxed);
        run(&state.connection, sql)
    }

    /// Ends a unit; true if a statement failed.
    pub(super) fn leave(&self, stays: bool) -> bool {
        let mut state = lock(&self.0);
        let changes = std::mem::take(&mut state.changes);
        if stays && !state.failed {
            let changes = changes.into_iter();
            state.grouped.extend(changes.map(|to| ((to.index, to.key), to.entry)));
        }
        std::mem::take(&mut state.failed)
    }

    /// True if the unit that just ended must draw another position.
    pub(super) fn take_again(&self) -> bool {
        std::mem::take(&mut lock(&self.0).again)
    }

    /// Writes the changes of search indexes of the whole group, in the order of their keys.
    pub(super) fn flush_search(&self) -> Result<()> {
        let mut state = lock(&self.0);
        state.deadline.store(u64::MAX, Ordering::Relaxed);
        for ((index, key), entry) in std::mem::take(&mut state.grouped) {
            match entry {
                Some(entry) => index_entry(&state.connection, index, key, entry)?,
                None => remove_entry(&state.connection, index, key)?,
            }
        }
        Ok(())
    }

    pub(super) fn drop_search(&self) {
        lock(&self.0).grouped.clear();
    }

    /// False if SQLite gave the transaction up, as it does when the disk is full.
    pub(super) fn in_transaction(&self) -> bool {
        !lock(&self.0).connection.is_autocommit()
    }

    pub(super) fn finish_reading(&self) -> Result<()> {
        let mut state = lock(&self.0);
        state.failed = false;
        if state.begin.replace("begin").is_none() && !state.connection.is_autocommit() {
            state.deadline.store(u64::MAX, Ordering::Relaxed);
            run(&state.connection, "commit")?;
        }
        Ok(())
    }
}

impl State {
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let now = elapsed();
        if now > self.unit_ends {
            return Err(Error::TimedOut(self.unit));
        }
        let ends = self.unit_ends.min(now + self.statement_limit);
        self.deadline.store(nanos(ends), Ordering::Relaxed);
        self.begin.take().map_or(Ok(()), |begin| run(&self.connection, begin))?;
        query(&self.connection, sql, values).map_err(|error| match error {
            Error::Driver(error) if is_interrupt(&*error) => Error::TimedOut(self.unit),
            error => error,
        })
    }
}

fn is_interrupt(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    let error = error.downcast_ref::<rusqlite::Error>();
    error.and_then(rusqlite::Error::sqlite_error_code) == Some(ErrorCode::OperationInterrupted)
}

/// Writes an entry; one that says what it said, as most changes of a row leave it, is not written
/// again: its words would have to be merged once more.
fn index_entry(connection: &Connection, index: &str, key: i64, entry: Entry) -> Result<()> {
    let text = format!(
        "insert into search_{index}_text (key, words) values ($1, $2) on conflict (key)
         do update set words = excluded.words where words <> excluded.words returning key"
    );
    if query(connection, &text, &[Value::Int(key), Value::Text(entry.text)])?.is_empty() {
        return Ok(());
    }
    for (suffix, words) in [("", entry.long), ("_short", entry.short)] {
        let sql =
            format!("insert or replace into search_{index}{suffix} (rowid, words) values ($1, $2)");
        query(connection, &sql, &[Value::Int(key), Value::Text(words)])?;
    }
    Ok(())
}

fn remove_entry(connection: &Connection, index: &str, key: i64) -> Result<()> {
    for (suffix, column) in [("_text", "key"), ("", "rowid"), ("_short", "rowid")] {
        let sql = format!("delete from search_{index}{suffix} where {column} = $1");
        query(connection, &sql, &[Value::Int(key)])?;
    }
    Ok(())
}

fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

pub(super) fn query(connection: &Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    for index in 1..=statement.parameter_count() {
        // To SQLite `$2` is a name, numbered by where it first stands.
        let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
        let number = name.and_then(|name| name.parse::<usize>().ok()).unwrap_or_default();
        let value = values.get(number.wrapping_sub(1)).ok_or(Error::Column("bound"))?;
        statement.raw_bind_parameter(index, value)?;
    }
    let count = statement.column_count();
    let (mut found, mut rows) = (statement.raw_query(), Vec::new());
    while let Some(row) = found.next()? {
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            values.push(read(row.get_ref(index)?));
        }
        rows.push(Row(values.into_iter()));
    }
    Ok(rows)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Real(value) => Value::Text(value.to_string()), // No column of ours is one.
        ValueRef::Text(value) => Value::Text(text(value)),
        ValueRef::Blob(value) => Value::Bytes(value.to_vec()),
    }
}

/// Nothing but UTF-8 was ever written.
fn text(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes);
    text.map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return Self::Driver(error.into());
        };
        let unique =
            [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_ROWID];
        match (code.code, message) {
            (_, Some(message)) if unique.contains(&code.extended_code) => taken(message),
            (
                ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseBusy,
                _,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Driver(error.into()),
        }
    }
}

/// The last column of `UNIQUE constraint failed: users.instance_id, users.username`.
fn taken(message: &str) -> Error {
    let last = message.rsplit(' ').next().unwrap_or_default();
    let (table, column) = last.split_once('.').unwrap_or(("", last));
    Error::Taken { table: table.to_owned(), column: column.to_owned() }
}
