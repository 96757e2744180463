//! The folder that keeps everything: its database and its root key, for its owner only.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use domain::{RootKey, RootKeys};

use crate::failure::{Failure, Result};

/// A folder with data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// Makes the folder if there is none; only its owner may look into it.
    pub(crate) fn make(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| cannot("make", &self.0, &error))
    }

    /// Where its database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("vestry.db")
    }

    /// The same as a URL.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    /// Where its root keys are.
    pub(crate) fn root_key_file(&self) -> PathBuf {
        self.0.join("root.key")
    }

    /// Why its data cannot be read, if their key is gone.
    pub(crate) fn lost_root_key(&self) -> Option<String> {
        let (path, database) = (self.root_key_file(), self.database());
        (database.exists() && !path.exists()).then(|| {
            format!(
                "the root key {} is missing, and {} can only be read with it; put it back, or \
                 name it by root_key_file. Nothing was changed",
                path.display(),
                database.display()
            )
        })
    }

    /// Its root keys; a new one if there are no data yet.
    pub(crate) fn root_keys(&self) -> Result<RootKeys> {
        let path = self.root_key_file();
        if path.exists() {
            return read_root_keys(&path);
        }
        if let Some(lost) = self.lost_root_key() {
            return Err(Failure::Other(lost));
        }
        self.make()?;
        make_root_key(&self.0, &path)
    }
}

/// Reads root keys.
pub(crate) fn read_root_keys(path: &Path) -> Result<RootKeys> {
    let contents = fs::read(path).map_err(|error| cannot("read", path, &error))?;
    let open = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0);
    if open {
        tracing::warn!("everybody on this machine can read the root key: chmod 600 its file");
    }
    RootKeys::from_file(&contents)
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}

/// Writes a new key, whole or not at all; who comes second takes the first one's.
fn make_root_key(folder: &Path, path: &Path) -> Result<RootKeys> {
    let key = RootKey::generate().map_err(|error| Failure::new(error.to_string()))?;
    let writing = |error| cannot("write", path, &error);
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(writing)?;
    file.write_all(key.to_base64().as_bytes()).map_err(writing)?;
    file.as_file().sync_all().map_err(writing)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(_) if path.exists() => return read_root_keys(path),
        Err(error) => return Err(writing(error.error)),
    }
    let folder = fs::File::open(folder).map_err(writing)?;
    folder.sync_all().map_err(writing)?;
    Ok(key.into())
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("cannot {verb} {}: {error}", path.display()))
}

/// Keeps keys out of files that a crash would leave behind.
pub(crate) fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Where it is not allowed, the server is worth more than this.
    let _ = setrlimit(Resource::Core, none);
}
