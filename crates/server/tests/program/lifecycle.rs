//! Stopping, and what is left in the log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::process::{Place, Running, json, with};

const URL: &str = "https://auth.example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dur_03_a_stop_under_load_fails_nothing_in_flight() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let key = server.said("secret_key");
    let url = format!("http://{}/v1/users", server.address);
    let stopping = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicUsize::new(0));
    let clients = (0..8).map(|client| {
        let (key, url, stopping) = (key.clone(), url.clone(), Arc::clone(&stopping));
        let count = Arc::clone(&count);
        tokio::spawn(async move {
            let http = reqwest::Client::new();
            let mut made = Vec::new();
            for number in 0.. {
                let id = format!("{client}-{number}");
                let body = serde_json::json!({
                    "external_id": id,
                    "email_address": [format!("{id}@example.com")],
                });
                let sent = http
                    .post(&url)
                    .bearer_auth(&key)
                    .header("content-type", "application/json")
                    .body(body.to_string())
                    .send()
                    .await;
                match sent {
                    Ok(answer) => {
                        let status = answer.status().as_u16();
                        let text = answer.text().await.expect("a whole answer");
                        match status {
                            200 => {
                                count.fetch_add(1, Ordering::SeqCst);
                                made.push(id);
                            }
                            // A busy machine may say so; nothing is made then.
                            429 | 503 => {}
                            _ => panic!("{status} {text}"),
                        }
                    }
                    // Not taken any more; what was taken is counted below.
                    Err(error) => {
                        assert!(stopping.load(Ordering::SeqCst), "{error:?}");
                        assert!(error.is_connect() || error.is_request(), "{error:?}");
                        break;
                    }
                }
            }
            made
        })
    });
    let clients: Vec<_> = clients.collect();
    while count.load(Ordering::SeqCst) < 40 && !clients.iter().any(JoinHandle::is_finished) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stopping.store(true, Ordering::SeqCst);
    server.stop();
    let mut made = Vec::new();
    for client in clients {
        made.extend(client.await.expect("the client ends"));
    }
    assert!(made.len() >= 40, "{}", made.len());

    // What was acknowledged is there, and what is there was acknowledged.
    let again = Running::dev(&place, &[]);
    let http = reqwest::Client::new();
    let url = format!("http://{}/v1/users/count", again.address);
    let answer = http.get(url).bearer_auth(&key).send().await.expect("answered");
    let count: serde_json::Value =
        serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
    assert_eq!(count["total_count"], made.len());
    for part in made.chunks(50) {
        let query: Vec<_> = part.iter().map(|id| format!("external_id={id}")).collect();
        let url = format!("http://{}/v1/users?limit=500&{}", again.address, query.join("&"));
        let answer = http.get(url).bearer_auth(&key).send().await.expect("answered");
        let users: serde_json::Value =
            serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
        assert_eq!(users.as_array().map(Vec::len), Some(part.len()), "{users}");
    }
    again.stop();
}

#[tokio::test]
async fn health_says_that_the_server_stops_and_a_second_signal_means_now() {
    let place = Place::empty().await;
    let flags = place.flags();
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let server = Running::serve(&place, &["--public-url", URL, "--stop-delay-seconds", "60"]);
    assert_eq!(server.get("/healthz", &[]), 200);
    assert_eq!(server.get("/readyz", &[]), 200);

    server.signal("TERM");
    let mut health = 200;
    for _ in 0..50 {
        health = server.get("/healthz", &[]);
        if health == 503 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(health, 503);
    assert_eq!(server.get("/readyz", &[]), 503);
    assert_eq!(server.get("/v1/users", &[]), 401, "requests are still answered");

    server.signal("INT");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(130), "{log}");
}

#[tokio::test]
async fn sec_02_no_log_line_tells_a_secret_or_a_person() {
    const SECRETS: [&str; 6] = [
        "plantedpassword",
        "planted.person",
        "Plantedname",
        "plantedmetadata",
        "sk_test_planted",
        "plantedquery",
    ];
    let place = Place::empty().await;
    let server = Running::dev(&place, &["--log", "trace"]);
    let key = server.said("secret_key");
    let url = format!("http://{}/v1/users", server.address);
    let http = reqwest::Client::new();
    let body = r#"{"email_address":["planted.person@example.com"],"first_name":"Plantedname",
        "password":"plantedpassword-4711","private_metadata":{"a":"plantedmetadata"}}"#;
    for (key, body) in [
        (key.as_str(), body),
        (&key, body),
        ("sk_test_planted", body),
        (&key, "{\"first_name\": \"Plantedname\", plantedmetadata"),
        (&key, r#"{"first_name": 3, "password": "plantedpassword", "plantedquery": 1}"#),
    ] {
        let request = http.post(&url).bearer_auth(key).header("content-type", "application/json");
        let answer = request.body(body).send().await.expect("answered");
        let (status, text) = (answer.status(), answer.text().await.expect("read"));
        if !status.is_success() {
            for secret in &SECRETS[..4] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
    let found = http.get(format!("{url}?query=plantedquery&__clerk_ticket=plantedquery"));
    found.bearer_auth(&key).send().await.expect("answered");
    http.get(format!("{url}/planted.person")).bearer_auth(&key).send().await.expect("answered");

    let log = server.stop();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .filter(|line: &serde_json::Value| line["message"] == "request")
        .collect();
    assert!(lines.len() >= 7, "{log}");
    for name in ["trace_id", "operation", "status", "duration_us"] {
        assert!(lines.iter().all(|line| !line[name].is_null()), "{name}");
    }
    for secret in SECRETS.iter().chain([&&*key]) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
