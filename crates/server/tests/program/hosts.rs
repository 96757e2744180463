//! Which API a request means: by its host, or by its credentials.

use serde_json::{Value, json as object};

use crate::process::{Place, Running, ask, json, with};

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
    let host = domain::instances::host_of_publishable_key(&key).expect("a host");
    assert!(host.ends_with(".clerk.accounts.dev"), "{host}");
    assert_eq!(server.get(SHARED, &[&format!("Host: {host}"), KEY]), FRONTEND);
    assert_eq!(server.get(SHARED, &["Host: localhost", KEY]), BACKEND);
}

/// The status of what the server of an app asks for, and the refusal's code and parameter.
fn said(server: &Running, key: &str, path: &str, body: &Value) -> (u16, String) {
    let (status, said) = ask(&server.address, key, "POST", path, body).expect("an answer");
    let error = &said["errors"][0];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let text = format!("{} {}", word(&error["code"]), word(&error["meta"]["param_name"]));
    (status, text.trim().to_owned())
}

#[tokio::test]
async fn the_servers_own_host_is_nobody_elses_even_when_it_is_free() {
    let place = Place::empty().await;
    let public = ["--public-url", "https://clerk.server.test"];
    let create = |url| {
        let words = ["instance", "create", "--json", "--public-url", url];
        json(&with(&words, &place.flags()))["secret_key"].as_str().expect("a key").to_owned()
    };
    let (first, other) = (create(public[1]), create("https://clerk.other.test"));
    let server = Running::serve(&place, &public);
    let change = |key: &str, home: &str| {
        said(&server, key, "/v1/instance/change_domain", &object!({ "home_url": home }))
    };
    let accepted = (202, String::new());
    assert_eq!(change(&first, "https://moved.test"), accepted);

    let taken = |param: &str| (422, format!("home_url_taken {param}"));
    assert_eq!(change(&other, "https://www.server.test"), taken("home_url"));
    for name in ["server.test", "CLERK.server.test"] {
        let satellite = object!({ "name": name, "is_satellite": true });
        assert_eq!(said(&server, &other, "/v1/domains", &satellite), taken("name"), "{name}");
    }
    let satellite = object!({ "name": "app.server.test", "is_satellite": true });
    assert_eq!(said(&server, &other, "/v1/domains", &satellite).0, 200);
    assert_eq!(change(&first, "https://server.test"), accepted, "it is reached there anyway");
}

#[tokio::test]
async fn dur_20_a_name_that_nobody_knows_fails_alone() {
    let place = Place::empty().await;
    let public = ["--public-url", "https://clerk.server.test"];
    let create = [&["instance", "create", "--json"], &public[..]].concat();
    let made = json(&with(&create, &place.flags()));
    let key = made["secret_key"].as_str().expect("a key").to_owned();
    let server = Running::serve(&place, &public);
    // The first is nobody's name; the second leads back to this machine.
    for host in ["proxy.nobody.invalid", "localhost"] {
        std::thread::scope(|scope| {
            let (server, key) = (&server, &key);
            let asking = scope.spawn(move || {
                let proxy = format!("https://{host}/__clerk");
                let satellite =
                    object!({ "name": "a.test", "is_satellite": true, "proxy_url": proxy });
                said(server, key, "/v1/domains", &satellite)
            });
            assert_eq!(server.users(key), 200, "nobody else waits");
            let refused = (422, "invalid_proxy_configuration proxy_url".to_owned());
            assert_eq!(asking.join().expect("answered"), refused, "{host}");
        });
    }
    assert_eq!(server.users(&key), 200);
}
