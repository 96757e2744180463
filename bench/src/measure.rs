//! The table.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sdk::session_token::{Options as VerifyOptions, Verifier};

use crate::{
    Result, browsers, ceilings, load,
    wrk::{self, Load, Run},
};

/// What to measure.
pub(crate) struct Options {
    pub(crate) users: u64,
    invitations: u64,
    /// One part of the table, or all of it.
    only: Option<String>,
    database_url: Option<String>,
    /// Where the large database is kept from run to run; else it goes with the run.
    pub(crate) data: Option<PathBuf>,
}

impl Options {
    /// Reads `--users N`, `--invitations N`, `--only PART`, `--database-url URL` and
    /// `--data FOLDER`.
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let (users, invitations) = (1_000_000, 1_000_000);
        let mut options = Self { users, invitations, only: None, database_url: None, data: None };
        for pair in words.chunks(2) {
            match pair {
                ["--users", number] => options.users = number.parse()?,
                ["--invitations", number] => options.invitations = number.parse()?,
                ["--only", part @ ("users" | "invitations" | "browsers")] => {
                    options.only = Some((*part).to_owned());
                }
                ["--data", folder] => options.data = Some(PathBuf::from(folder)),
                ["--database-url", url] => options.database_url = Some((*url).to_owned()),
                _ => return Err(format!("what is {pair:?}?").into()),
            }
        }
        Ok(options)
    }
}

/// A program of this build that serves.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) key: String,
    ready: Duration,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// Measures what is asked for and prints the table.
pub(crate) async fn measure(options: &Options) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    say("work | rate/s | of ceiling | p50 ms | p99 ms | server CPU us | refused");
    say("--- | --- | --- | --- | --- | --- | ---");
    let hello = hello()?;
    row("axum hello, 64 connections", hello, 1.0);
    let is_asked_for = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if is_asked_for("users") {
        users(options, scratch.path(), hello).await?;
    }
    if is_asked_for("invitations") {
        invitations(options, scratch.path(), hello).await?;
    }
    if is_asked_for("browsers") {
        browsers::browsers(options, scratch.path()).await?;
    }
    let bytes = std::fs::metadata(program("vestry")?)?.len();
    say(&format!("release binary | {} MB | | | | |", bytes >> 20));
    Ok(())
}

async fn users(options: &Options, scratch: &Path, hello: Run) -> Result<()> {
    let small = scratch.join("small");
    let large = options.data.clone().unwrap_or_else(|| scratch.join("large"));
    let url = options.database_url.as_deref();
    let list_of_few = if url.is_none() {
        let (serving, _) = filled(&small, 1000, None).await?;
        Some(lists(&serving)?.rate)
    } else {
        None
    };
    let (serving, ids) = filled(&large, options.users, url).await?;
    let pid = serving.child.id();
    say(&format!(
        "start to first healthy answer | {} ms | | | | |  \nidle memory | {:.0} MB | | | | |",
        serving.ready.as_millis(),
        wrk::memory_mb(pid)?
    ));
    let paths = scratch.join("paths");
    write_lines(&paths, ids.iter().map(|id| format!("/v1/users/{id}")))?;
    let get = wrk::middle(&load_of(&serving, "get", "", &paths, 64), pid)?;
    row("GET /v1/users/{id}", get, hello.rate);
    let list = lists(&serving)?;
    row("GET /v1/users?limit=10", list, hello.rate);
    if let Some(few) = list_of_few {
        say(&format!("the same, of its rate with 1,000 users | | {:.2} | | | |", list.rate / few));
    }
    write_lines(&paths, ["/v1/users/count".to_owned()])?;
    row(
        "GET /v1/users/count",
        wrk::middle(&load_of(&serving, "get", "", &paths, 64), pid)?,
        hello.rate,
    );
    searches(&serving, &paths, "")?;
    tokens(&serving, &ids, &paths).await?;
    creates(&serving, &paths)?;
    searches(&serving, &paths, ", after the creates")
}

/// Lists of invitations and of the waitlist, and invitations in bulk.
async fn invitations(options: &Options, scratch: &Path, hello: Run) -> Result<()> {
    let folder = options.data.clone().unwrap_or_else(|| scratch.join("large"));
    let (filled, paths) = (folder.join("invitations"), scratch.join("paths"));
    let url = options.database_url.as_deref();
    if !filled.exists() {
        drop(start(&folder, url)?);
        load::load_invitations(&folder, options.invitations, url).await?;
        write_lines(&filled, [options.invitations.to_string()])?;
    }
    let serving = start(&folder, url)?;
    let pid = serving.child.id();
    let lists = [
        ("/v1/invitations?limit=10&paginated=true", 64),
        ("/v1/waitlist_entries?limit=10", 64),
        ("/v1/invitations?limit=10&paginated=true&order_by=email_address", 64),
        ("/v1/waitlist_entries?limit=10&order_by=email_address", 64),
        ("/v1/invitations?limit=10&paginated=true&status=pending", 8),
        ("/v1/waitlist_entries?limit=10&status=pending", 8),
        ("/v1/invitations?limit=10&query=lovelace", 8),
        ("/v1/waitlist_entries?limit=10&query=lovelace43", 8),
    ];
    for (path, connections) in lists {
        write_lines(&paths, [path.to_owned()])?;
        let list = wrk::middle(&load_of(&serving, "get", "", &paths, connections), pid)?;
        row(&format!("GET {path}, {connections} connections"), list, hello.rate);
    }
    let mut runs = Vec::new();
    for run in 1..4 {
        runs.push(wrk::run(&load_of(&serving, "invite", &run.to_string(), &paths, 64), pid)?);
    }
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    row("POST /v1/invitations/bulk, 10 addresses, durable, 64 connections", runs[1], 0.0);
    say(&format!("the same, addresses | {:.0} | | | | |", runs[1].rate * 10.0));
    Ok(())
}

fn searches(serving: &Serving, paths: &Path, when: &str) -> Result<()> {
    let words =
        [("common", "love"), ("rare", "lovelace4321"), ("absent", "zzqqxx"), ("two letters", "ad")];
    for (what, word) in words {
        write_lines(paths, [format!("/v1/users?limit=10&query={word}")])?;
        let load = load_of(serving, "get", "", paths, 8);
        row(
            &format!("search, {what}{when}, 8 connections"),
            wrk::middle(&load, serving.child.id())?,
            0.0,
        );
    }
    Ok(())
}

/// Sessions are made over HTTP, then their tokens are minted.
async fn tokens(serving: &Serving, ids: &[String], paths: &Path) -> Result<()> {
    let before = ceilings::rsa()?;
    let mut sessions = Vec::new();
    for id in ids.iter().take(200) {
        let body = format!("{{\"user_id\":\"{id}\"}}");
        let output = Command::new("curl")
            .args(["-s", "-H", &format!("Authorization: Bearer {}", serving.key)])
            .args(["-H", "Content-Type: application/json", "-d", &body])
            .arg(format!("{}/v1/sessions", serving.url))
            .output()?;
        let session: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let id = session["id"].as_str().ok_or_else(|| format!("no session: {session}"))?;
        sessions.push(format!("/v1/sessions/{id}/tokens"));
    }
    write_lines(paths, sessions)?;
    let pid = serving.child.id();
    let mint = wrk::middle(&load_of(serving, "post", "", paths, 64), pid)?;
    row("POST /v1/sessions/{id}/tokens", mint, 0.0);
    let verify = verify_rate(serving, paths).await?;
    let ceilings::Rsa { signs, verifies } = before.and(ceilings::rsa()?);
    of_ceiling(mint, signs, "bare signatures");
    say(&format!(
        "SDK verify_token, of {verifies:.0} bare verifications | {verify:.0} | {:.2} | | | |",
        verify / verifies
    ));
    Ok(())
}

async fn verify_rate(serving: &Serving, paths: &Path) -> Result<f64> {
    let path = std::fs::read_to_string(paths)?;
    let path = path.lines().next().unwrap_or_default();
    let output = Command::new("curl")
        .args(["-s", "-X", "POST", "-H", &format!("Authorization: Bearer {}", serving.key)])
        .arg(format!("{}{path}", serving.url))
        .output()?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let token = answer["jwt"].as_str().ok_or("no token")?;
    let verifier = Verifier::new(VerifyOptions {
        secret_key: Some(serving.key.clone()),
        api_url: serving.url.clone(),
        ..VerifyOptions::default()
    })?;
    verifier.verify(token).await?;
    ceilings::per_second(|| verifier.verify_cached(token).is_some_and(|claims| claims.is_ok()))
}

fn creates(serving: &Serving, paths: &Path) -> Result<()> {
    let pid = serving.child.id();
    let mut syncs = Command::new("strace")
        .args(["-f", "-c", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(paths.with_extension("strace"))
        .args(["-p", &pid.to_string()])
        .stderr(Stdio::null())
        .spawn()?;
    std::thread::sleep(Duration::from_millis(500));
    // A database that was kept has the people of the run before.
    let own = |run: u32| (std::process::id() * 10 + run).to_string();
    let counted = wrk::run(&load_of(serving, "create", &own(1), paths, 64), pid)?;
    let _ = Command::new("kill").args(["-INT", &syncs.id().to_string()]).status();
    syncs.wait()?;
    let summary = std::fs::read_to_string(paths.with_extension("strace"))?;
    let calls: f64 = summary
        .lines()
        .filter(|line| line.ends_with("fsync") || line.ends_with("fdatasync"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok())
        .sum();
    let created = counted.rate * 6.0;
    say(&format!("creates for each fsync | {:.0} | | | | |", created / calls.max(1.0)));
    let mut runs = Vec::new();
    for run in 2..5 {
        runs.push(wrk::run(&load_of(serving, "create", &own(run), paths, 64), pid)?);
    }
    runs.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    row("POST /v1/users, durable, 64 connections", runs[1], 0.0);
    Ok(())
}

fn lists(serving: &Serving) -> Result<Run> {
    let paths = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
    write_lines(&paths, ["/v1/users?limit=10".to_owned()])?;
    let run = wrk::middle(&load_of(serving, "get", "", &paths, 64), serving.child.id());
    std::fs::remove_file(&paths)?;
    run
}

pub(crate) fn load_of<'a>(
    serving: &Serving,
    script: &'a str,
    run: &str,
    paths: &Path,
    connections: u32,
) -> Load<'a> {
    let environment = HashMap::from([
        ("KEY", serving.key.clone()),
        ("IDS", paths.display().to_string()),
        ("RUN", run.to_owned()),
    ]);
    Load { url: serving.url.clone(), script: Some(script), environment, connections, seconds: 6 }
}

pub(crate) async fn filled(
    folder: &Path,
    users: u64,
    url: Option<&str>,
) -> Result<(Serving, Vec<String>)> {
    let ids = folder.join("ids");
    if !ids.exists() {
        drop(start(folder, url)?);
        write_lines(&ids, load::load(folder, users, url).await?)?;
    }
    let ids = std::fs::read_to_string(ids)?.lines().map(str::to_owned).collect();
    Ok((start(folder, url)?, ids))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn start(folder: &Path, url: Option<&str>) -> Result<Serving> {
    let began = Instant::now();
    let mut command = Command::new(program("vestry")?);
    command.args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
    if let Some(url) = url {
        command.args(["--database-url", url]);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    let output = child.stdout.take().ok_or("no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let said: serde_json::Value = serde_json::from_str(&line)?;
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let (url, key) = (text("api_url"), text("secret_key"));
    let healthy = Command::new("curl").args(["-s", "-f", &format!("{url}/healthz")]).output()?;
    assert!(healthy.status.success(), "the server is healthy");
    Ok(Serving { child, url, key, ready: began.elapsed() })
}

/// Changes one setting of what is kept in a folder.
pub(crate) fn set(folder: &Path, path: &str, value: &str) -> Result<()> {
    let mut command = Command::new(program("vestry")?);
    command.args(["config", "set", path, value, "--yes", "--data"]).arg(folder);
    let output = command.stdin(Stdio::null()).output()?;
    let said = || String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said().into()) }
}

fn hello() -> Result<Run> {
    let address = "127.0.0.1:18799";
    let mut child = Command::new(program("bench")?).args(["hello", address]).spawn()?;
    std::thread::sleep(Duration::from_millis(300));
    let load = Load {
        url: format!("http://{address}/"),
        script: None,
        environment: HashMap::new(),
        connections: 64,
        seconds: 6,
    };
    let run = wrk::middle(&load, child.id());
    child.kill()?;
    child.wait()?;
    run
}

fn program(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

pub(crate) fn write_lines(path: &Path, lines: impl IntoIterator<Item = String>) -> Result<()> {
    Ok(std::fs::write(path, lines.into_iter().collect::<Vec<_>>().join("\n"))?)
}

pub(crate) fn row(what: &str, run: Run, ceiling: f64) {
    let ratio = if ceiling > 1.0 { format!("{:.2}", run.rate / ceiling) } else { String::new() };
    say(&format!(
        "{what} | {:.0} | {ratio} | {:.1} | {:.1} | {:.0} | {}",
        run.rate, run.p50_ms, run.p99_ms, run.cpu_us, run.refused
    ));
}

/// How often a CPU-second of the server did what the machine can do at all so often.
pub(crate) fn of_ceiling(run: Run, ceiling: f64, of: &str) {
    let per_cpu = 1e6 / run.cpu_us.max(0.001);
    say(&format!(
        "the same, per CPU-second of the server, of {ceiling:.0} {of} | {per_cpu:.0} | {:.2} | | | |",
        per_cpu / ceiling
    ));
}

#[expect(clippy::print_stdout, reason = "the table is what was asked for")]
pub(crate) fn say(line: &str) {
    println!("| {line} |");
}
