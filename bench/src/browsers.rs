//! What pages ask, and people signing in and up, each of them in a browser of their own.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use crate::{
    Result, ceilings, load,
    measure::{Options, Serving, filled, load_of, of_ceiling, row, say, set, write_lines},
    wrk::{self, Run},
};

/// Browsers that are at it at the same time.
const AT_ONCE: u64 = 64;
/// Browsers that are opened at the same time: fewer than the server has room for.
const AT_ONCE_OPENED: usize = 16;
/// People who have signed in, and people who can sign in with a password.
const PEOPLE: usize = 200;
const PASSWORD: &str = "correct horse battery";
const LASTS: Duration = Duration::from_secs(10);
/// More than these cores hash while it lasts.
const HASHED_MAX: usize = 2000;
/// Passwords tried in a second, far more than can be hashed.
const FLOOD: u32 = 200;

/// A browser on a page of an app.
#[derive(Clone)]
struct Browser {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Browser {
    async fn open(http: &reqwest::Client, url: &str) -> Result<Self> {
        let nobody = Self { http: http.clone(), url: url.to_owned(), token: String::new() };
        let made = nobody.post("/v1/dev_browser", String::new()).await?.1;
        let token = made["id"].as_str().ok_or_else(|| format!("no browser: {made}"))?;
        Ok(Self { token: token.to_owned(), ..nobody })
    }

    async fn post(&self, path: &str, form: String) -> Result<(u16, Value)> {
        let asked = "__clerk_api_version=2026-08-20";
        let url = format!("{}{path}?{asked}&__clerk_db_jwt={}", self.url, self.token);
        let request = self.http.post(url).header("Origin", "http://localhost:3000");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await?;
        Ok((answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await?)?))
    }

    /// The same, where anything but success ends the run.
    async fn must(&self, path: &str, form: String) -> Result<Value> {
        let (status, answer) = self.post(path, form).await?;
        if status == 200 { Ok(answer) } else { Err(format!("{path}: {status} {answer}").into()) }
    }
}

/// Tokens, clients, sign-ins, sign-ups, and tokens while passwords are tried without end.
pub(crate) async fn browsers(options: &Options, scratch: &Path) -> Result<()> {
    let folder = options.data.clone().unwrap_or_else(|| scratch.join("large"));
    let paths = scratch.join("paths");
    let (serving, ids) = filled(&folder, options.users, None).await?;
    drop(serving);
    let known = load::load_browsers(&folder, ids.iter().take(PEOPLE)).await?;
    set(&folder, "attributes.password.required", "false")?;
    let (serving, ids) = filled(&folder, options.users, None).await?;
    let names = with_passwords(&serving, ids.iter().skip(PEOPLE).take(PEOPLE)).await?;

    asked_all_the_time(&serving, &paths, &known)?;
    sign_ins(&serving, &names).await?;
    sign_ups(&serving).await?;
    flood(&serving, &paths, &known, &names).await
}

fn asked_all_the_time(serving: &Serving, paths: &Path, known: &[(String, String)]) -> Result<()> {
    let kinds = [("POST", "/v1/client/sessions/{id}/tokens"), ("GET", "/v1/client")];
    for (method, path) in kinds {
        write_lines(paths, cookies(known, path))?;
        let load = load_of(serving, "browser", method, paths, 64);
        let before = ceilings::rsa()?;
        let run = wrk::middle(&load, serving.child.id())?;
        row(&format!("{method} {path}, cookies"), run, 0.0);
        of_ceiling(run, before.and(ceilings::rsa()?).signs, "bare signatures");
    }
    Ok(())
}

fn cookies<'a>(known: &'a [(String, String)], path: &'a str) -> impl Iterator<Item = String> + 'a {
    known.iter().map(move |(token, session)| {
        format!("{} __clerk_db_jwt={token}", path.replace("{id}", session))
    })
}

/// Gives users a password; answers the names they sign in with.
async fn with_passwords(
    serving: &Serving,
    ids: impl Iterator<Item = &String>,
) -> Result<Arc<[String]>> {
    let http = reqwest::Client::new();
    let mut names = Vec::new();
    for id in ids {
        let request = http.patch(format!("{}/v1/users/{id}", serving.url));
        let request = request.bearer_auth(&serving.key).header("Content-Type", "application/json");
        let answer = request.body(format!(r#"{{"password":"{PASSWORD}"}}"#)).send().await?;
        // Who was guessed at in the run before is locked for an hour.
        let unlock = http.post(format!("{}/v1/users/{id}/unlock", serving.url));
        unlock.bearer_auth(&serving.key).send().await?.error_for_status()?;
        let user: Value = serde_json::from_slice(&answer.bytes().await?)?;
        let address = user["email_addresses"][0]["email_address"].as_str();
        names.push(address.ok_or_else(|| format!("no address: {user}"))?.to_owned());
    }
    Ok(names.into())
}

async fn sign_ins(serving: &Serving, names: &Arc<[String]>) -> Result<()> {
    let before = ceilings::hashes(PASSWORD)?;
    let names = Arc::clone(names);
    let http = reqwest::Client::new();
    // Getting a browser is no part of signing in.
    let opened = stream::iter(0..HASHED_MAX).map(|_| Browser::open(&http, &serving.url));
    let opened = opened.buffer_unordered(AT_ONCE_OPENED);
    let browsers: Vec<_> = opened.try_collect().await?;
    let run = flows(serving, async move |number| {
        let number = usize::try_from(number)?;
        let browser = browsers.get(number).ok_or("more sign-ins than browsers")?;
        let name = &names[number % names.len()];
        let form = format!("strategy=password&identifier={}&password={PASSWORD}", plus(name));
        let answer = browser.must("/v1/client/sign_ins", form).await?;
        is_complete(&answer)
    })
    .await?;
    row("sign-in with a password", run, 0.0);
    let hashes = f64::midpoint(before, ceilings::hashes(PASSWORD)?);
    of_ceiling(run, hashes, "bare hashes");
    Ok(())
}

async fn sign_ups(serving: &Serving) -> Result<()> {
    // Another one for each run: a database that was kept has the people of the run before.
    let (run, http) = (std::process::id(), reqwest::Client::new());
    let run = flows(serving, async |number| {
        let browser = Browser::open(&http, &serving.url).await?;
        let address = format!("new{number}.{run}@example.com");
        let form = format!("email_address={}", plus(&address));
        let made = browser.must("/v1/client/sign_ups", form).await?;
        let id = made["response"]["id"].as_str().ok_or("no sign-up")?.to_owned();
        let path = format!("/v1/client/sign_ups/{id}/prepare_verification");
        browser.must(&path, "strategy=email_code".to_owned()).await?;
        let inbox = format!("{}/dev/inbox?to={}&wait=5s", browser.url, plus(&address));
        let inbox = browser.http.get(inbox).send().await?.bytes().await?;
        let inbox: Value = serde_json::from_slice(&inbox)?;
        let code = inbox["data"][0]["code"].as_str().ok_or("no code")?;
        let path = format!("/v1/client/sign_ups/{id}/attempt_verification");
        let answer = browser.must(&path, format!("strategy=email_code&code={code}")).await?;
        is_complete(&answer)
    })
    .await?;
    row("complete sign-up: browser, create, prepare, code from the inbox, attempt", run, 0.0);
    Ok(())
}

fn is_complete(answer: &Value) -> Result<()> {
    let status = answer["response"]["status"].as_str();
    if status == Some("complete") { Ok(()) } else { Err(format!("not complete: {answer}").into()) }
}

/// A form's way to write an address.
fn plus(address: &str) -> String {
    address.replace('@', "%40").replace('+', "%2B")
}

/// Goes through a flow again and again.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn flows<F>(serving: &Serving, flow: F) -> Result<Run>
where
    F: AsyncFn(u64) -> Result<()>,
{
    let pid = serving.child.id();
    let (before, began) = (wrk::cpu_seconds(pid)?, Instant::now());
    let numbers = AtomicU64::new(0);
    let people = (0..AT_ONCE).map(async |_| -> Result<Vec<f64>> {
        let mut taken = Vec::new();
        while began.elapsed() < LASTS {
            let began = Instant::now();
            flow(numbers.fetch_add(1, Ordering::Relaxed)).await?;
            taken.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(taken)
    });
    let taken = futures_util::future::try_join_all(people).await?.concat();
    Ok(Run::of(taken, began.elapsed(), wrk::cpu_seconds(pid)? - before))
}

/// Session tokens while passwords are tried that nobody could hash as fast.
async fn flood(
    serving: &Serving,
    paths: &Path,
    known: &[(String, String)],
    names: &Arc<[String]>,
) -> Result<()> {
    write_lines(paths, cookies(known, "/v1/client/sessions/{id}/tokens"))?;
    let browser = Browser::open(&reqwest::Client::new(), &serving.url).await?;
    let counts = Arc::new([const { AtomicU64::new(0) }; 2]);
    let flood = tokio::spawn(tries(browser, Arc::clone(names), Arc::clone(&counts)));
    let load = load_of(serving, "browser", "POST", paths, 8);
    let pid = serving.child.id();
    let run = tokio::task::block_in_place(|| wrk::middle(&load, pid))?;
    flood.abort();
    row(&format!("tokens, 8 connections, {FLOOD} passwords a second tried meanwhile"), run, 0.0);
    let [tried, turned_away] = [0, 1].map(|place| counts[place].load(Ordering::Relaxed));
    say(&format!(
        "passwords answered, and turned away for want of room | {tried} | {turned_away} | | | |"
    ));
    Ok(())
}

/// Tries passwords at a steady rate, whatever becomes of them.
async fn tries(browser: Browser, names: Arc<[String]>, counts: Arc<[AtomicU64; 2]>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / FLOOD);
    for name in names.iter().cycle() {
        ticks.tick().await;
        let (browser, counts) = (browser.clone(), Arc::clone(&counts));
        let form = format!("strategy=password&identifier={}&password=wrong-horse", plus(name));
        tokio::spawn(async move {
            if let Ok((status, _)) = browser.post("/v1/client/sign_ins", form).await {
                let is_turned_away = matches!(status, 429 | 503);
                counts[usize::from(is_turned_away)].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}
