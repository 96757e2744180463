//! A new root key for data that are in use.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json as object};

use crate::process::{Place, ROOT_KEY, Running, failure, json, run, vestry, with};

const URL: &str = "https://auth.example.com";
const NEW_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
/// More than one step of a rotation takes.
const USERS: usize = 250;

async fn post(address: &str, key: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("http://{address}/v1/{path}"));
    let request = request.bearer_auth(key).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.expect("answered");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a whole answer");
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn made(address: &str, key: &str, path: &str, body: Value) -> Value {
    let (status, answer) = post(address, key, path, &body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn user() -> Value {
    object!({
        "skip_user_requirement": true, "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "backup_codes": ["first-backup-code", "second-backup-code"],
    })
}

/// Asks for what takes sealed keys, until told to stop; answers how often.
async fn use_it(address: String, key: String, session: String, stop: Arc<AtomicBool>) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let user = made(&address, &key, "users", user()).await;
        let verify = format!("users/{}/verify_totp", user["id"].as_str().expect("an id"));
        let code = object!({ "code": "first-backup-code" });
        assert_eq!(made(&address, &key, &verify, code).await["verified"], true);
        let token = format!("sessions/{session}/tokens/own");
        made(&address, &key, &token, object!({})).await;
        count += 1;
    }
    count
}

/// Begins a rotation, and kills it once it has sealed something.
fn begin_and_kill(flags: &[String]) {
    let mut command = vestry(&with(&["--log", "info", "root-key", "rotate"], flags));
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    // It may find nothing to do, and end.
    lines.map_while(Result::ok).find(|line| line.contains("sealed again"));
    child.kill().expect("killed");
    child.wait().expect("gone");
}

/// What `vestry root-key check` finds, whatever it makes of it.
fn checked(flags: &[String]) -> (Option<i32>, Value) {
    let output = run(&with(&["root-key", "check", "--json"], flags));
    let report = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    (output.status.code(), report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_04_the_root_key_is_rotated_beside_servers_that_run() {
    let place = Place::empty().await;
    let flags = place.flags();
    let create = ["instance", "create", "--public-url", URL, "--json"];
    let create = [create.as_slice(), &["--environment", "development"]].concat();
    let instance = json(&with(&create, &flags));
    let key = instance["secret_key"].as_str().expect("shown").to_owned();
    let serve = || Running::serve(&place, &["--public-url", URL]);
    let file = place.path("root.key");

    let server = serve();
    for _ in 0..USERS {
        made(&server.address, &key, "users", user()).await;
    }
    let ada = made(&server.address, &key, "users", user()).await;
    let session = made(&server.address, &key, "sessions", object!({ "user_id": ada["id"] })).await;
    let template = object!({
        "name": "own", "claims": {}, "custom_signing_key": true, "signing_algorithm": "HS256",
        "signing_key": "a-signing-key-0123456789abcdef0123456789abcdef",
    });
    made(&server.address, &key, "jwt_templates", template).await;
    server.stop();

    std::fs::write(&file, format!("{NEW_KEY}\n{ROOT_KEY}\n")).expect("written");
    let server = serve();
    let second = place.database_url.is_some().then(serve);
    let stop = Arc::new(AtomicBool::new(false));
    let users: Vec<_> = [Some(&server), second.as_ref()]
        .into_iter()
        .flatten()
        .map(|server| {
            let (key, session) = (key.clone(), session["id"].as_str().expect("an id").to_owned());
            tokio::spawn(use_it(server.address.clone(), key, session, Arc::clone(&stop)))
        })
        .collect();
    let (code, before) = checked(&flags);
    assert_eq!(code, Some(1), "{before}");
    assert!(before["left"].as_u64().expect("a number") > 2 * USERS as u64, "{before}");
    for _ in 0..4 {
        begin_and_kill(&flags);
        let (code, report) = checked(&flags);
        assert_eq!((code == Some(0), &report["broken"]), (report["left"] == 0, &object!([])));
        assert!(report["left"].as_u64() < before["left"].as_u64(), "{report}");
    }
    let rotated = json(&with(&["root-key", "rotate", "--json"], &flags));
    assert_eq!((&rotated["left"], &rotated["broken"]), (&object!(0), &object!([])));
    stop.store(true, Ordering::Relaxed);
    for asking in users {
        assert!(asking.await.expect("all was answered") > 0);
    }
    assert_eq!(checked(&flags).0, Some(0));
    for server in [Some(server), second].into_iter().flatten() {
        server.stop();
    }

    std::fs::write(&file, ROOT_KEY).expect("written");
    let (code, text) = failure(&with(&["keys"], &flags));
    assert_eq!(code, Some(1));
    assert!(text.contains("the root key is not the one"), "{text}");

    std::fs::write(&file, NEW_KEY).expect("written");
    assert_eq!(json(&with(&["keys", "--json"], &flags))["secret_key"], key);
    let server = serve();
    let verify = format!("users/{}/verify_totp", ada["id"].as_str().expect("an id"));
    let code = object!({ "code": "second-backup-code" });
    assert_eq!(made(&server.address, &key, &verify, code).await["verified"], true);
    let token = format!("sessions/{}/tokens/own", session["id"].as_str().expect("an id"));
    made(&server.address, &key, &token, object!({})).await;
    let log = server.stop();
    assert!(!log.contains("ERROR"), "{log}");
}
