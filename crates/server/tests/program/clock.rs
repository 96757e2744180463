//! What belongs to developing alone: a clock that moves, keys for whoever has none.

use std::time::Duration;

use serde_json::Value;

use crate::{
    commands::keys_flags,
    process::{Place, Running, failure, json, status, with},
};

const URL: &str = "https://auth.example.com";
const HOUR: i64 = 3_600_000;

/// The answer to a `POST`, its status and its body.
fn post(server: &Running, path: &str, headers: &str, body: &str) -> (Option<u16>, Value) {
    let answer = server.raw(&format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let (_, json) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (status(&answer), serde_json::from_str(json).unwrap_or_default())
}

/// When a user that is made now was made.
fn now(server: &Running) -> i64 {
    let key = format!("Authorization: Bearer {}\r\n", server.said("secret_key"));
    let (status, user) = post(server, "/v1/users", &key, r#"{"skip_user_requirement": true}"#);
    assert_eq!(status, Some(200), "{user}");
    user["created_at"].as_i64().expect("a time")
}

#[tokio::test]
async fn a_development_instances_clock_moves_within_a_second() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let flags = keys_flags(&place);
    let id = server.said("instance_id");
    let clock = |more: &[&str]| {
        json(&with(&[&["instance", "clock", &id, "--json"], more].concat(), &flags))
    };
    assert_eq!(clock(&[])["offset_ms"], 0);
    let before = now(&server);

    assert_eq!(clock(&["--advance", "1h30m"])["offset_ms"], HOUR * 3 / 2);
    assert_eq!(clock(&["--advance", "30m"])["offset_ms"], HOUR * 2);
    std::thread::sleep(Duration::from_secs(1));
    let later = now(&server) - before;
    assert!((HOUR * 2..HOUR * 2 + 60_000).contains(&later), "{later}");

    assert_eq!(clock(&["--reset"])["offset_ms"], 0);
    std::thread::sleep(Duration::from_secs(1));
    let again = now(&server) - before;
    assert!((0..60_000).contains(&again), "{again}");

    for (more, said) in [
        (["--advance", "soon"], "a time is like 90s"),
        (["--advance", "2"], "a time is like 90s"),
        (["--advance", "9999d"], "ten years"),
    ] {
        let (code, text) =
            failure(&with(&[&["instance", "clock", &id], &more[..]].concat(), &flags));
        assert_ne!(code, Some(0));
        assert!(text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn the_clock_of_production_is_left_alone() {
    let place = Place::empty().await;
    let flags = place.flags();
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let (code, text) = failure(&with(&["instance", "clock", "--advance", "1h"], &flags));
    assert_eq!(code, Some(1));
    assert!(text.contains("development"), "{text}");
    assert_eq!(json(&with(&["instance", "clock", "--json"], &flags))["offset_ms"], 0);
}

#[tokio::test]
async fn keys_without_an_account_are_for_development_servers() {
    const PATH: &str = "/v1/accountless_applications";
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let (status, made) = post(&server, PATH, "", "");
    assert_eq!(status, Some(200), "{made}");
    assert_eq!(server.users(made["secret_key"].as_str().expect("a key")), 200);
    server.stop();

    let place = Place::empty().await;
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &place.flags()));
    let server = Running::serve(&place, &["--public-url", URL]);
    let (status, refused) = post(&server, PATH, "", "");
    assert_eq!((status, &refused["errors"][0]["code"]), (Some(403), &"feature_not_enabled".into()));
}
