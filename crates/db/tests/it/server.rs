//! A PostgreSQL of one's own, for what cannot be asked of one that others use.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A server in a folder, gone when dropped.
pub(crate) struct Server {
    folder: PathBuf,
    /// Ends with the port.
    pub(crate) url: String,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts one; `options` are added to its command line.
    pub(crate) fn start(options: &str) -> Self {
        require_programs();
        let parent = tempfile::tempdir().expect("a folder");
        // Its user is another one than ours.
        open_to_all(parent.path());
        let folder = parent.path().join("postgres");
        let url = run("start", &folder, options);
        Self { folder, url, _folder: parent }
    }

    /// Stops it without a farewell and starts it again.
    pub(crate) fn crash(&self) {
        run("crash", &self.folder, "");
    }

    /// Makes it speak TLS with these two files.
    pub(crate) fn speak_tls(&self, certificate: &Path, key: &Path) {
        let data = self.folder.join("data");
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = data.join(name);
            std::fs::copy(from, &to).expect("copied");
            give(&to, &data);
        }
        let settings = data.join("postgresql.auto.conf");
        let text = std::fs::read_to_string(&settings).unwrap_or_default();
        std::fs::write(&settings, format!("{text}\nssl = on\n")).expect("written");
        // Only who comes by TLS is let in.
        std::fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n")
            .expect("written");
        run("reload", &self.folder, "");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = script("stop", &self.folder, "").output();
    }
}

fn script(command: &str, folder: &Path, options: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres.sh");
    let mut script = Command::new(path);
    script.arg(command).arg(folder).env("POSTGRES_OPTIONS", options);
    script
}

fn run(command: &str, folder: &Path, options: &str) -> String {
    let output = script(command, folder, options).output().expect("the script runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "scripts/postgres.sh {command}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Fails with instructions where PostgreSQL is not installed; installing is not for a test.
fn require_programs() {
    let places = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut places = places.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = places.any(|place| place.join("initdb").exists())
        || std::env::split_paths(&path).any(|place| place.join("initdb").exists());
    assert!(
        found,
        "this test starts a PostgreSQL of its own, and `initdb` is not installed: run \
         `make test-postgres`, which installs it, or install the package `postgresql`"
    );
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, all).expect("opened to all");
}

/// Makes `path` a private file of the owner of `like`.
fn give(path: &Path, like: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let owner = std::fs::metadata(like).expect("there");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("private");
    chown(path, Some(owner.uid()), Some(owner.gid())).expect("given");
}
