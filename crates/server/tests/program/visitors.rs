//! Visitors of production servers: limits that servers share, cookies, requests that may be two.

use crate::process::{Place, Running, json, status, with};

const URL: &str = "https://clerk.example.com";

/// Two servers on one database, or one where a database has one server.
fn servers(place: &Place, count: usize) -> Vec<Running> {
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &place.flags()));
    let count = if place.database_url.is_some() { count } else { 1 };
    (0..count).map(|_| Running::serve(place, &["--public-url", URL])).collect()
}

/// The answer to a form of a page of the app.
fn post(server: &Running, path: &str, body: &str) -> String {
    post_with(server, path, "", body)
}

/// The same, with more lines in its head.
fn post_with(server: &Running, path: &str, head: &str, body: &str) -> String {
    server.raw(&format!(
        "POST {path} HTTP/1.1\r\nHost: clerk.example.com\r\nOrigin: https://example.com\r\n\
         {head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// A header's value.
fn header<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let lines = answer.split("\r\n\r\n").next().unwrap_or_default().lines();
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn pwd_09_servers_of_one_database_count_together() {
    let place = Place::empty().await;
    let servers = servers(&place, 2);
    for path in ["/v1/client/sign_ins", "/v1/client/sign_ups"] {
        let name = if path.ends_with("ins") { "identifier" } else { "email_address" };
        let mut answers = Vec::new();
        for number in 0..12 {
            let server = &servers[number % servers.len()];
            answers.push(post(server, path, &format!("{name}=person{number}%40example.com")));
        }
        let refused: Vec<_> = answers.iter().filter(|answer| status(answer) == Some(429)).collect();
        // The window may end meanwhile, and then there is another one.
        assert!((2..=7).contains(&refused.len()), "{path}: {answers:?}");
        assert_ne!(status(&answers[4]), Some(429), "{path}: {answers:?}");
        assert_eq!(status(&answers[5]), Some(429), "{path}: {answers:?}");
        for answer in refused {
            let seconds: u64 = header(answer, "retry-after")[0].parse().expect("a number");
            assert!((1..=10).contains(&seconds), "{answer}");
        }
    }
}

/// How many of twelve sign-ins are begun; `said` is what the proxy says of each visitor.
fn begun(server: &Running, path: &str, said: impl Fn(usize) -> String) -> usize {
    let answers = (0..12).map(|number| {
        let body = format!("identifier=person{number}%40example.com");
        let head = format!("X-Forwarded-For: {}\r\n", said(number));
        post_with(server, path, &head, &body)
    });
    answers.filter(|answer| status(answer) != Some(429)).count()
}

#[tokio::test]
async fn pwd_10_visitors_behind_a_trusted_proxy_are_told_apart() {
    let place = Place::empty().await;
    let trusting = ["--public-url", URL, "--trusted-proxies", "10.0.0.0/8,127.0.0.1"];
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &place.flags()));
    let server = Running::serve(&place, &trusting);
    let path = "/v1/client/sign_ins";
    assert_eq!(begun(&server, path, |number| format!("203.0.113.{number}")), 12);
    let through = |number| format!("203.0.113.{}, 10.1.2.3", 100 + number);
    assert_eq!(begun(&server, path, through), 12);
    // What a visitor said before the proxy did is not believed.
    let forged = |number| format!("192.0.2.{number}, 198.51.100.7");
    assert!((5..=10).contains(&begun(&server, path, forged)));
    // Nor are visitors told apart by what they have in plenty.
    let many = |number| format!("2001:db8:1:2::{number:x}");
    assert!((5..=10).contains(&begun(&server, path, many)));
}

#[tokio::test]
async fn ses_01_cookies_of_a_server_behind_tls_are_secure() {
    let place = Place::empty().await;
    let servers = servers(&place, 1);
    let answer = post(&servers[0], "/v1/client?_method=PUT", "");
    let cookies = header(&answer, "set-cookie");
    assert!(cookies.iter().any(|line| line.starts_with("__client=")), "{answer}");
    for line in cookies {
        assert!(line.contains("; Secure") && line.contains("; SameSite=Lax"), "{line}");
        let is_client = line.starts_with("__client=");
        assert_eq!(line.contains("; HttpOnly"), is_client, "{line}");
        assert_eq!(line.contains("Domain=example.com"), !is_client, "{line}");
        assert!(line.len() < 4096, "{line}");
    }
}

#[tokio::test]
async fn web_12_a_request_that_may_be_two_is_answered_once() {
    let place = Place::empty().await;
    let servers = servers(&place, 1);
    let inner = "GET /v1/environment HTTP/1.1\r\nHost: clerk.example.com\r\n\r\n";
    let head = "POST /v1/client HTTP/1.1\r\nHost: clerk.example.com\r\n\
                Origin: https://example.com\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    let length = inner.len() + 5;
    let requests = [
        format!(
            "{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"
        ),
        format!("{head}Content-Length: 0\r\nContent-Length: {}\r\n\r\n{inner}", inner.len()),
        format!("{head}Content-Length: 0, {}\r\n\r\n{inner}", inner.len()),
        format!("{head}Content-Length: +0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{inner}"),
        format!("{head}X-Folded: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}"),
    ];
    for request in requests {
        let answer = servers[0].raw(&request);
        let answers = answer.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "{request:?}\n{answer}");
        assert_ne!(status(&answer), Some(500), "{request:?}\n{answer}");
        assert!(!answer.contains("auth_config"), "{request:?}\n{answer}");
    }
    // Lines that end too early, and extensions of chunks, mean nothing else.
    let bare = "GET /v1/environment HTTP/1.1\nHost: clerk.example.com\nConnection: close\n\n";
    let answer = servers[0].raw(bare);
    assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{answer}");
    let chunked =
        format!("{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n0;a=b\r\n\r\n");
    let answer = servers[0].raw(&chunked);
    assert!(matches!(status(&answer), Some(200 | 400)), "{answer}");
}
