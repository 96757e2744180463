//! HTTPS: a certificate made for development, and files of one's own.

use std::{fs, path::Path, process::Command};

use crate::process::{Place, Running, failure, with};

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("this test makes certificates with `openssl`: install the package `openssl`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A client that trusts `authority` alone, and finds `host` here.
fn trusting(authority: &str, host: &str, server: &Running) -> reqwest::Client {
    let pem = fs::read(authority).expect("there is an authority");
    let authority = reqwest::Certificate::from_pem(&pem).expect("PEM");
    let address = server.address.parse().expect("an address");
    reqwest::Client::builder()
        .tls_certs_only([authority])
        .resolve(host, address)
        .build()
        .expect("a client")
}

fn port(server: &Running) -> &str {
    server.address.rsplit_once(':').expect("a port").1
}

#[tokio::test]
async fn one_port_speaks_https_and_http_in_development() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &["--tls"]);
    let authority = server.said("tls_authority");
    let key = server.said("publishable_key");
    let host = domain::instances::host_of_publishable_key(&key).expect("a host");
    for name in ["localhost", &host] {
        let client = trusting(&authority, name, &server);
        let answer = client.get(format!("https://{name}:{}/healthz", port(&server))).send().await;
        assert_eq!(answer.expect("trusted").status(), 200, "{name}");
    }
    assert_eq!(server.get("/healthz", &[]), 200);
    let foreign = trusting(&authority, "other.example", &server);
    let refused =
        foreign.get(format!("https://other.example:{}/healthz", port(&server))).send().await;
    assert!(refused.is_err(), "the certificate is of no other name");
    let made = fs::read(&authority).expect("there");
    server.stop();

    let again = Running::dev(&place, &["--tls"]);
    assert_eq!(fs::read(again.said("tls_authority")).expect("there"), made, "trusted once for all");
    // Whoever says nothing does not hold the end up.
    let _silent = std::net::TcpStream::connect(&again.address).expect("connected");
    #[expect(clippy::disallowed_methods, reason = "how long the end takes")]
    let began = std::time::Instant::now();
    again.stop();
    assert!(began.elapsed().as_secs() < 5);
    assert!(!Path::new(&place.path("data/tls/authority.key")).exists());
}

#[tokio::test]
async fn production_takes_a_certificate_of_ones_own_and_nothing_else() {
    let place = Place::empty().await;
    openssl(
        place.folder.path(),
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=auth.example.com -keyout key.pem \
         -out cert.pem -addext subjectAltName=DNS:auth.example.com",
    );
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    let url = ["--public-url", "https://auth.example.com"];
    let more = [url.as_slice(), &["--tls-cert", &cert, "--tls-key", &key]].concat();
    let server = Running::serve(&place, &more);
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .resolve("auth.example.com", server.address.parse().expect("an address"))
        .build()
        .expect("a client");
    let answer =
        client.get(format!("https://auth.example.com:{}/healthz", port(&server))).send().await;
    let answer = answer.expect("answered");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let plain = server.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(!plain.starts_with("HTTP/1.1 200"), "{plain}");
    server.stop();

    let flags = place.flags();
    let serve = |tls: &[&str]| {
        let words = [&["serve", "--listen", "127.0.0.1:0"], url.as_slice(), tls].concat();
        failure(&with(&words, &flags))
    };
    let (code, text) = serve(&["--tls-cert", &cert]);
    assert_eq!(code, Some(2));
    assert!(text.contains("tls_key is missing"), "{text}");
    let (code, text) = serve(&["--tls-cert", &cert, "--tls-key", &cert]);
    assert_eq!(code, Some(1));
    assert!(text.contains("cert.pem"), "{text}");
}
