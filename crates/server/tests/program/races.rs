//! Many at once, at two servers on one database.

use std::sync::Arc;

use serde_json::{Value, json as object};
use tokio::sync::Barrier;

use crate::process::{Place, Running, json, with};

const URL: &str = "https://auth.example.com";
const TASKS: usize = 64;

/// Sends it until the server is not too busy; answers status and body.
async fn post(http: &reqwest::Client, url: String, key: &str, body: &Value) -> (u16, Value) {
    loop {
        let request = http.post(&url).bearer_auth(key).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.expect("answered");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a whole answer");
        if status != 503 && status != 429 {
            return (status, serde_json::from_str(&text).expect("JSON"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rac_09_of_two_servers_one_makes_what_there_is_one_of() {
    let place = Place::empty().await;
    if place.database_url.is_none() {
        // A SQLite database has one server.
        return;
    }
    let flags = place.flags();
    let made = json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let key = made["secret_key"].as_str().expect("a key").to_owned();
    let servers = [(); 2].map(|()| Running::serve(&place, &["--public-url", URL]));
    let races = [
        ("users", object!({"email_address": ["ada@example.com"], "password": "correct horse 11"})),
        ("allowlist_identifiers", object!({"identifier": "ada@example.com"})),
        ("blocklist_identifiers", object!({"identifier": "*@example.com"})),
        ("redirect_urls", object!({"url": "my-app://callback"})),
        ("invitations", object!({"email_address": "bob@example.com"})),
    ];
    let http = reqwest::Client::new();
    for (path, body) in races {
        let barrier = Arc::new(Barrier::new(TASKS));
        let tasks = (0..TASKS).map(|task| {
            let (http, key, body) = (http.clone(), key.clone(), body.clone());
            let url = format!("http://{}/v1/{path}", servers[task % 2].address);
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                barrier.wait().await;
                post(&http, url, &key, &body).await
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut won = 0;
        for task in tasks {
            let (status, answer) = task.await.expect("the client ends");
            let code = if path == "users" { "form_identifier_exists" } else { "duplicate_record" };
            match status {
                200 => won += 1,
                _ => assert_eq!(answer["errors"][0]["code"], code, "{path}: {answer}"),
            }
        }
        assert_eq!(won, 1, "{path}");
        for server in &servers {
            let url = format!("http://{}/v1/{path}?limit=500", server.address);
            let answer = http.get(url).bearer_auth(&key).send().await.expect("answered");
            let text = answer.text().await.expect("a whole answer");
            let list: Value = serde_json::from_str(&text).expect("JSON");
            let items = list.as_array().or(list["data"].as_array()).map(Vec::len);
            assert_eq!(items, Some(1), "{path}: {list}");
        }
    }
    for server in servers {
        server.stop();
    }
}
