//! Limits of heads, bodies and time.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::process::{Place, Running, status};

#[tokio::test]
async fn heads_and_bodies_have_limits() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let key = server.said("secret_key");

    let head =
        format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(200_000));
    let many = format!("GET /healthz HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Many: x\r\n".repeat(150));
    let refused = [
        (head, 431, "request_headers_too_large"),
        (many, 431, "request_headers_too_large"),
        ("GET /healthz HTTP/1.1\r\nno header\r\n\r\n".to_owned(), 400, "bad_request"),
        ("\u{1}\u{2}\u{3} nonsense\r\n\r\n".to_owned(), 400, "bad_request"),
    ];
    for (head, expected, code) in refused {
        let answer = server.raw(&head);
        assert_eq!(status(&answer), Some(expected), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let body: serde_json::Value = serde_json::from_str(body).expect("the error envelope");
        assert_eq!(body["errors"][0]["code"], code, "{answer}");
        let trace = body["clerk_trace_id"].as_str().expect("a trace id");
        assert!(head.contains(&format!("clerk-trace-id: {trace}\r\n")), "{answer}");
    }

    let head = format!(
        "POST /v1/users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n"
    );
    let announced = server.raw(&format!("{head}Content-Length: 2000000\r\n\r\n"));
    assert_eq!(status(&announced), Some(413), "{announced}");
    let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", 1_100_000, "x".repeat(1_100_000));
    let streamed = server.raw(&format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}"));
    assert_eq!(status(&streamed), Some(413), "{streamed}");
    assert!(streamed.contains("request_body_too_large"), "{streamed}");
}

/// Time until the server ends a connection on which `pieces` come, one each second.
#[expect(clippy::disallowed_methods, reason = "measures the server")]
fn patience(address: &str, pieces: &[&str], answered: bool) -> Duration {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(100))).expect("set");
    let began = Instant::now();
    let mut bytes = [0; 4096];
    if answered {
        stream.write_all(pieces.concat().as_bytes()).expect("sent");
        assert!(stream.read(&mut bytes).expect("an answer") > 0);
    } else {
        for piece in pieces {
            if stream.write_all(piece.as_bytes()).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    while matches!(stream.read(&mut bytes), Ok(1..)) {}
    began.elapsed()
}

#[tokio::test]
async fn ovl_03_slow_heads_end_and_others_do_not_notice() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let address = server.address.clone();
    let slow = std::thread::spawn(move || {
        let letters = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: x".split_inclusive("");
        patience(&address, &letters.take(30).collect::<Vec<_>>(), false)
    });
    let address = server.address.clone();
    let silent = std::thread::spawn(move || patience(&address, &[], false));
    assert_eq!(server.get("/healthz", &[]), 200);
    for slow in [slow, silent] {
        let took = slow.join().expect("measured");
        assert!((8..16).contains(&took.as_secs()), "{took:?}");
    }
}

#[tokio::test]
#[ignore = "takes more than a minute"]
async fn ovl_03_a_resting_connection_is_kept_for_75_seconds() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let request = ["GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"];
    let took = patience(&server.address, &request, true);
    assert!((73..80).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn sec_07_health_says_nothing_else() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    for path in ["/healthz", "/readyz"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = server.raw(&request);
        assert!(answer.ends_with("\r\n\r\n{\"status\":\"ok\"}"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("\r\nserver:"), "{answer}");
    }
    for path in ["/metrics", "/debug", "/.env", "/admin"] {
        assert_eq!(server.get(path, &[]), 404, "{path}");
    }
}
