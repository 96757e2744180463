//! Which API a request means: by its host, or by its credentials.

use crate::process::{Place, Running, json, with};

/// A pair of method and path that both APIs have.
const SHARED: &str = "/v1/organizations/org_1";
const KEY: &str = "Authorization: Bearer sk_live_nobodys";
const MACHINE_KEY: &str = "Authorization: Bearer ak_nobodys";
const SESSION: &str = "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.e30";

/// The Backend API asks for a key before anything else.
const BACKEND: u16 = 401;
/// The Frontend API has no organizations yet.
const FRONTEND: u16 = 501;

#[tokio::test]
async fn on_one_host_the_credentials_decide() {
    let place = Place::empty().await;
    let public = ["--public-url", "https://auth.example.com"];
    let create = [&["instance", "create", "--json"], &public[..]].concat();
    json(&with(&create, &place.flags()));
    let server = Running::serve(&place, &public);
    for host in ["auth.example.com", "AUTH.example.com:443", "127.0.0.1", "[::1]:8787"] {
        let host = format!("Host: {host}");
        for path in [SHARED, "/organizations/org_1", "/__clerk/v1/organizations/org_1"] {
            assert_eq!(server.get(path, &[&host, KEY]), BACKEND, "{host} {path}");
            assert_eq!(server.get(path, &[&host, MACHINE_KEY]), BACKEND, "{host} {path}");
            assert_eq!(server.get(path, &[&host]), FRONTEND, "{host} {path}");
            assert_eq!(server.get(path, &[&host, SESSION]), FRONTEND, "{host} {path}");
        }
        assert_eq!(server.get("/v1/users", &[&host]), BACKEND, "only the Backend API has it");
        assert_eq!(server.get("/v1/client", &[&host]), 200, "only the Frontend API has it");
        assert_eq!(server.get("//__clerk//v1//client", &[&host]), 200);
    }
}

#[tokio::test]
async fn on_separate_hosts_the_host_decides() {
    let place = Place::empty().await;
    let (public, api) = ("https://clerk.example.com", "https://api.example.com");
    json(&with(&["instance", "create", "--public-url", public, "--json"], &place.flags()));
    let flags = ["--public-url", public, "--api-url", api, "--proxy-path", "/auth/"];
    let server = Running::serve(&place, &flags);
    for path in [SHARED, "/auth/v1/organizations/org_1"] {
        for headers in [&[KEY][..], &[SESSION], &[]] {
            let with = |host| {
                let headers: Vec<_> = [host].iter().chain(headers).copied().collect();
                server.get(path, &headers)
            };
            assert_eq!(with("Host: api.example.com"), BACKEND, "{path} {headers:?}");
            assert_eq!(with("Host: Api.Example.com:443"), BACKEND, "{path} {headers:?}");
            assert_eq!(with("Host: clerk.example.com"), FRONTEND, "{path} {headers:?}");
        }
        // A name that is nobody's own.
        assert_eq!(server.get(path, &["Host: 10.0.0.7:8787", KEY]), BACKEND);
        assert_eq!(server.get(path, &["Host: 10.0.0.7:8787"]), FRONTEND);
    }
}

#[tokio::test]
async fn the_host_of_a_development_instance_has_the_frontend_api() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let key = server.said("publishable_key");
    let host = host_of_key(&key);
    assert!(host.ends_with(".clerk.accounts.dev"), "{host}");
    assert_eq!(server.get(SHARED, &[&format!("Host: {host}"), KEY]), FRONTEND);
    assert_eq!(server.get(SHARED, &["Host: localhost", KEY]), BACKEND);
}

/// The host that a publishable key spells.
pub(crate) fn host_of_key(key: &str) -> String {
    let digits = key.trim_start_matches("pk_test_").trim_end_matches('=').bytes();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = digits
        .map(|digit| alphabet.iter().position(|letter| *letter == digit).expect("base64"))
        .collect::<Vec<_>>();
    let bytes = values.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - four.len()));
        let whole = four.len() - 1;
        [bits >> 16, bits >> 8, bits]
            .into_iter()
            .take(whole)
            .map(|byte| char::from(u8::try_from(byte & 0xff).expect("a byte")))
    });
    bytes.collect::<String>().trim_end_matches('$').to_owned()
}
