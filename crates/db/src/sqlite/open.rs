//! Files: how one is made, checked, held and brought up to date.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::session::query;
use crate::{
    EngineKind, Error, Migration, Result,
    db::Opening,
    migrate,
    search::{Trigrams, expand},
};

/// The oldest SQLite without the fault that could damage a file in WAL mode.
const VERSION_MIN: i32 = 3_051_003;
/// What marks a file as ours.
const APPLICATION_ID: i64 = 0x5673_7472;

/// Makes the file if there is none, and holds it if it is to be served.
pub(super) fn prepare(path: &Path, opening: Opening) -> Result<Option<File>> {
    require(rusqlite::version_number())?;
    if opening == Opening::Attach {
        return if path.exists() {
            Ok(None)
        } else {
            Err(Error::Open(format!("there is no database at {}", path.display())))
        };
    }
    let lock = private(&sibling(path, ".lock"), false)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!("another server has {} open", path.display());
            return Err(Error::Open(text));
        }
        Err(TryLockError::Error(error)) => return Err(cannot(path, &error)),
    }
    match private(path, true) {
        Ok(_) => {
            // Else a power cut may take the file's name along.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let folder = File::open(parent.unwrap_or(Path::new(".")));
            folder.and_then(|folder| folder.sync_all()).map_err(|error| cannot(path, &error))?;
        }
        Err(_) if path.exists() => {}
        Err(error) => return Err(error),
    }
    Ok(Some(lock))
}

/// Refuses a version of SQLite that may damage a file, `3_051_002`.
fn require(version: i32) -> Result<()> {
    if version >= VERSION_MIN {
        return Ok(());
    }
    let text = |version: i32| {
        format!("{}.{}.{}", version / 1_000_000, version / 1000 % 1000, version % 1000)
    };
    let (old, least) = (text(version), text(VERSION_MIN));
    Err(Error::Open(format!("SQLite {old} is too old: it must be {least} or newer")))
}

/// Opens a file that only its owner can read.
fn private(path: &Path, fresh: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).create_new(fresh);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    Error::Open(format!("cannot open {}: {error}", path.display()))
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(1024);
    // Else a statement may be prepared anew for each value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // `like` tells case apart, as in PostgreSQL; what is searched is stored in lower case.
    // `full`: every commit is on disk before it is answered; a group of them costs one sync.
    connection.execute_batch(
        "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full;
         pragma foreign_keys = on; pragma wal_autocheckpoint = 4000;
         pragma journal_size_limit = 67108864; pragma cell_size_check = on;
         pragma trusted_schema = off; pragma mmap_size = 0; pragma cache_size = -32000;
         pragma case_sensitive_like = on; pragma temp_store = memory",
    )?;
    Ok(connection)
}

pub(super) fn bring_up_to_date(
    connection: &mut Connection,
    migrations: &[Migration],
    opening: Opening,
) -> Result<()> {
    check_owner(connection, opening)?;
    if opening == Opening::Attach {
        let applied = query(connection, migrate::APPLIED, &[])?;
        return migrate::require_all(&migrate::missing(applied, migrations, EngineKind::Sqlite)?);
    }
    // Rebuilding a table needs this off; it cannot be changed inside a transaction.
    connection.execute_batch("pragma foreign_keys = off; begin immediate")?;
    connection.execute_batch(&format!("pragma application_id = {APPLICATION_ID}"))?;
    connection.execute_batch(migrate::TABLE)?;
    let applied = query(connection, migrate::APPLIED, &[])?;
    let missing = migrate::missing(applied, migrations, EngineKind::Sqlite)?;
    for migration in &missing {
        let sql = expand(migration.sql, EngineKind::Sqlite, Trigrams::None);
        connection.execute_batch(&migrate::replace_word(&sql, "bytea", "blob"))?;
        query(connection, migrate::RECORD, &migrate::record(migration))?;
    }
    // The check reads every row that refers to another.
    if !missing.is_empty() && !query(connection, "pragma foreign_key_check", &[])?.is_empty() {
        return Err(Error::Schema("the migrations leave dangling references".to_owned()));
    }
    Ok(connection.execute_batch("commit")?)
}

/// Refuses a file that another program made.
fn check_owner(connection: &Connection, opening: Opening) -> Result<()> {
    let mut found = query(connection, "pragma application_id", &[])?;
    let id: i64 = found.pop().map_or(Ok(0), |mut row| row.take())?;
    let mut found = query(connection, "select count(*) from sqlite_schema", &[])?;
    let tables: i64 = found.pop().map_or(Ok(0), |mut row| row.take())?;
    let fresh = opening == Opening::Serve && id == 0 && tables == 0;
    if id == APPLICATION_ID || fresh {
        return Ok(());
    }
    let path = connection.path().unwrap_or_default();
    Err(Error::Open(format!("{path} is a database of another program")))
}

pub(crate) fn remove(path: &str) -> Result<()> {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        match std::fs::remove_file(format!("{path}{suffix}")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::Driver(error.into()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::require;

    #[test]
    fn dur_12_an_old_sqlite_is_refused() {
        let text = "SQLite 3.51.2 is too old: it must be 3.51.3 or newer";
        assert_eq!(require(3_051_002).expect_err("refused").to_string(), text);
        assert!(require(3_007_000).is_err());
        for version in [3_051_003, 3_053_000, rusqlite::version_number()] {
            require(version).expect("new enough");
        }
    }
}
