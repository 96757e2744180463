//! More than comes on an ordinary day: a start under load, ten thousand slow connections.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::process::{Place, Running, ask, vestry, with};

#[expect(clippy::disallowed_methods, reason = "measures the server")]
fn now() -> Instant {
    Instant::now()
}

/// When something was answered, with which status, and after how long.
type Answered = (Instant, u16, Duration);

/// Asks without a pause until told to stop; what nobody answers is asked again after a while.
fn hammer(
    address: &str,
    key: &str,
    session: &str,
    ends: &AtomicBool,
    noted: &Mutex<Vec<Answered>>,
) {
    let path = format!("/v1/sessions/{session}/tokens");
    for number in 0.. {
        if ends.load(Ordering::Relaxed) {
            break;
        }
        let began = now();
        let answer = match number % 3 {
            0 => ask(address, key, "POST", &path, &json!({})),
            1 => ask(address, key, "GET", "/v1/jwks", &Value::Null),
            _ => ask(address, key, "GET", "/v1/users?limit=10", &Value::Null),
        };
        match answer {
            Some((status, _)) => {
                noted.lock().expect("noted").push((now(), status, began.elapsed()));
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

#[tokio::test]
async fn ovl_07_a_start_under_load_is_soon_as_before() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let (address, key) = (server.address.clone(), server.said("secret_key"));
    let user = json!({ "skip_user_requirement": true });
    let (_, user) = ask(&address, &key, "POST", "/v1/users", &user).expect("answered");
    let session = json!({ "user_id": user["id"] });
    let (_, session) = ask(&address, &key, "POST", "/v1/sessions", &session).expect("answered");
    let session = session["id"].as_str().expect("an id").to_owned();

    let (ends, noted) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let ready = std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| hammer(&address, &key, &session, &ends, &noted));
        }
        std::thread::sleep(Duration::from_millis(500));
        server.signal("KILL");
        server.wait();
        let flags = place.dev();
        let arguments = with(&["dev", "--listen", &address, "--json"], &flags);
        let again = Running::start(&mut vestry(&arguments));
        let ready = now();
        std::thread::sleep(Duration::from_secs(4));
        ends.store(true, Ordering::Relaxed);
        // Whoever asks last is still answered.
        std::thread::sleep(Duration::from_secs(2));
        again.stop();
        ready
    });
    let noted = noted.into_inner().expect("noted");
    let count = |status| noted.iter().filter(|(_, other, _)| *other == status).count();
    let known = count(200) + count(429) + count(503);
    assert_eq!(known, noted.len(), "{:?}", noted.iter().map(|one| one.1).collect::<Vec<_>>());
    let mut later: Vec<_> = noted
        .iter()
        .filter(|(when, status, _)| {
            *status == 200 && when.saturating_duration_since(ready) > Duration::from_secs(2)
        })
        .map(|(.., took)| *took)
        .collect();
    later.sort_unstable();
    assert!(later.len() > 100, "{}", later.len());
    let slow = later[later.len() * 99 / 100];
    assert!(slow < Duration::from_secs(2), "99 of 100 are answered within {slow:?}");
}

/// Reads until the server ends the connection; answers how long that took.
fn until_ended(mut stream: TcpStream, began: Instant) -> Duration {
    stream.set_read_timeout(Some(Duration::from_secs(100))).expect("set");
    let mut bytes = [0; 4096];
    while matches!(stream.read(&mut bytes), Ok(1..)) {}
    began.elapsed()
}

#[tokio::test]
#[ignore = "opens ten thousand connections"]
async fn ovl_03_ten_thousand_slow_heads_do_not_hold_up_others() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const SLOW: usize = 9_900;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let enough = Rlimit { current: Some(maximum.unwrap_or(20_000).min(20_000)), maximum };
    setrlimit(Resource::Nofile, enough).expect("more descriptors are allowed");
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let key = server.said("secret_key");
    let began = now();
    let slow: Vec<_> = (0..SLOW)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).expect("connected");
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ").expect("sent");
            stream
        })
        .collect();
    let mut waits = Vec::new();
    for path in ["/healthz", "/v1/jwks", "/v1/users?limit=10"].iter().cycle().take(30) {
        let asked = now();
        let (status, body) =
            ask(&server.address, &key, "GET", path, &Value::Null).expect("answered");
        assert_eq!(status, 200, "{path}: {body}");
        waits.push(asked.elapsed());
    }
    waits.sort_unstable();
    assert!(waits[waits.len() - 2] < Duration::from_secs(1), "{waits:?}");
    for stream in slow {
        let took = until_ended(stream, began);
        assert!(took < Duration::from_mins(1), "a slow head ends: {took:?}");
    }
    assert_eq!(server.get("/healthz", &[]), 200);
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn ovl_03_slow_bodies_end() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let key = server.said("secret_key");
    let began = now();
    let mut stream = TcpStream::connect(&server.address).expect("connected");
    let head = format!(
        "POST /v1/users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut writer = stream.try_clone().expect("a second handle");
    let slow = std::thread::spawn(move || {
        while writer.write_all(b" ").is_ok() && began.elapsed() < Duration::from_secs(90) {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let took = until_ended(stream, began);
    assert!((25..45).contains(&took.as_secs()), "{took:?}");
    assert_eq!(server.users(&key), 200);
    slow.join().expect("it ends");
}
