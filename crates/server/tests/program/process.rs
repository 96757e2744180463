//! The program as a process, and what it is asked over the network.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread::JoinHandle,
    time::Duration,
};

use db::Db;
use serde_json::Value;
use tempfile::TempDir;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A root key for tests.
pub(crate) const ROOT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The program, without the settings of whoever runs the tests.
pub(crate) fn vestry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestry"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VESTRY_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a short command.
pub(crate) fn run(arguments: &[&str]) -> Output {
    vestry(arguments).output().expect("the program runs")
}

/// What a short command printed as JSON.
pub(crate) fn json(arguments: &[&str]) -> Value {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

/// Why a command failed, and with which code.
pub(crate) fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Where a server keeps its data: a folder, and the PostgreSQL that the tests run on, if any.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) database_url: Option<String>,
}

impl Place {
    /// A place without data.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder is made");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let database_url = match std::env::var("TEST_DATABASE_URL") {
            Err(_) => None,
            Ok(server) => {
                let url = format!("{server}/program_{}_{number}", std::process::id());
                Db::wipe(&url).await.expect("an empty database is made");
                Some(url)
            }
        };
        Self { folder, database_url }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The flags of `vestry dev`.
    pub(crate) fn dev(&self) -> Vec<String> {
        let mut flags = vec!["--data".to_owned(), self.path("data")];
        if let Some(url) = &self.database_url {
            flags.extend(["--database-url".to_owned(), url.clone()]);
        }
        flags
    }

    /// The flags of everything else.
    pub(crate) fn flags(&self) -> Vec<String> {
        let key = self.path("root.key");
        if !std::path::Path::new(&key).exists() {
            std::fs::write(&key, ROOT_KEY).expect("the key is written");
        }
        let store = match &self.database_url {
            Some(url) => ["--database-url".to_owned(), url.clone()],
            None => ["--data".to_owned(), self.path("data")],
        };
        [store.as_slice(), &["--root-key-file".to_owned(), key]].concat()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(url) = self.database_url.take() else { return };
        // A server stopped by force may still have connections; then it stays behind.
        let _ = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(Db::remove(&url)))
        })
        .join();
    }
}

/// `words` and `more` as arguments.
pub(crate) fn with<'a>(words: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    words.iter().copied().chain(more.iter().map(String::as_str)).collect()
}

/// A server that runs.
pub(crate) struct Running {
    child: Child,
    log: Option<JoinHandle<String>>,
    /// What it printed as it became ready; of `serve`, what its log said.
    pub(crate) ready: Value,
    /// `127.0.0.1:…`
    pub(crate) address: String,
}

impl Running {
    /// `vestry dev` at `place`.
    pub(crate) fn dev(place: &Place, more: &[&str]) -> Self {
        let flags = place.dev();
        let mut arguments = with(&["dev", "--listen", "127.0.0.1:0", "--json"], &flags);
        arguments.extend(more);
        Self::start(&mut vestry(&arguments))
    }

    /// `vestry serve` at `place`.
    pub(crate) fn serve(place: &Place, more: &[&str]) -> Self {
        let flags = place.flags();
        let mut arguments = with(&["serve", "--listen", "127.0.0.1:0"], &flags);
        arguments.extend(more);
        Self::start(&mut vestry(&arguments))
    }

    /// Waits until `command` says that it is ready.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::attempt(command).unwrap_or_else(|log| panic!("not ready: {log}"))
    }

    /// The same, if it becomes ready; else what it said instead.
    pub(crate) fn attempt(command: &mut Command) -> Result<Self, String> {
        let is_dev = command.get_args().any(|word| word == "dev");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut head = String::new();
        let ready = if is_dev {
            let mut line = String::new();
            let mut output = BufReader::new(child.stdout.take().expect("piped"));
            output.read_line(&mut line).expect("a line");
            serde_json::from_str(&line).ok()
        } else {
            loop {
                let mut line = String::new();
                let bytes = errors.read_line(&mut line).expect("a line");
                head.push_str(&line);
                let event: Option<Value> = serde_json::from_str(&line).ok();
                match event {
                    Some(event) if event["message"] == "ready" => break Some(event),
                    _ if bytes == 0 => break None,
                    _ => {}
                }
            }
        };
        let log = std::thread::spawn(move || {
            let _ = errors.read_to_string(&mut head);
            head
        });
        let Some(ready) = ready else {
            let _ = child.wait();
            return Err(log.join().expect("the log is read"));
        };
        let address = ready["address"].as_str().or(ready["api_url"].as_str()).expect("an address");
        let address = address.trim_start_matches("http://").to_owned();
        Ok(Self { child, log: Some(log), ready, address })
    }

    /// Its number among processes.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The text that it said as it became ready.
    pub(crate) fn said(&self, name: &str) -> String {
        self.ready[name].as_str().expect("a text").to_owned()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end; answers how it ended, and its log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it ends");
        let log = self.log.take().expect("once").join().expect("the log is read");
        (status, log)
    }

    /// Tells it to stop; answers its log.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// Sends `text` as it is; answers all that comes back until the connection ends.
    pub(crate) fn raw(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        stream.write_all(text.as_bytes()).expect("sent");
        let mut answer = String::new();
        // A reset after the answer takes nothing of it away.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// The status of `GET path` with these headers.
    pub(crate) fn get(&self, path: &str, headers: &[&str]) -> u16 {
        let headers = headers.iter().flat_map(|header| [header, "\r\n"]).collect::<String>();
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        let answer =
            self.raw(&format!("GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n"));
        status(&answer).unwrap_or_else(|| panic!("no status: {answer:?}"))
    }

    /// The status of `GET /v1/users` with this secret key.
    pub(crate) fn users(&self, key: &str) -> u16 {
        self.get("/v1/users", &[&format!("Authorization: Bearer {key}")])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks as the server of an app does; answers status and body, or nothing if nobody answers.
pub(crate) fn ask(
    address: &str,
    key: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Option<(u16, Value)> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).ok()?;
    let mut answer = String::new();
    // A reset after the answer takes nothing of it away.
    let _ = stream.read_to_string(&mut answer);
    let (_, text) = answer.split_once("\r\n\r\n")?;
    Some((status(&answer)?, serde_json::from_str(text).unwrap_or_default()))
}

/// The status of an answer.
pub(crate) fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}
