//! More than the server can do: it says so at once, and what it can do goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use db::{BoxFuture, EngineKind, Limits, Mode};
use domain::Rate;
use serde_json::json;
use testkit::{Request, Response, TestServer};
use tokio::task::JoinHandle;

use crate::{races::together_of, sessions::set};

/// Units that each keep their place until it is dropped.
struct Occupied {
    released: Arc<AtomicBool>,
    units: Vec<JoinHandle<domain::Result<()>>>,
}

impl Occupied {
    async fn new(server: &TestServer, mode: Mode, count: usize) -> Self {
        let (released, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let waits = server.engine() == EngineKind::Postgres;
        let units = (0..count).map(|_| {
            let (world, released) = (Arc::clone(&server.world), Arc::clone(&released));
            let begun = Arc::clone(&begun);
            let work = move |mut tx: db::Tx| -> BoxFuture<domain::Result<()>> {
                let (released, begun) = (Arc::clone(&released), Arc::clone(&begun));
                Box::pin(async move {
                    tx.execute("select name from migrations", vec![]).await?;
                    begun.fetch_add(1, Ordering::Relaxed);
                    while !released.load(Ordering::Relaxed) {
                        let pause = Duration::from_millis(5);
                        // On SQLite a unit has its thread to itself.
                        if waits {
                            tokio::time::sleep(pause).await;
                        } else {
                            std::thread::sleep(pause);
                        }
                    }
                    Ok(())
                })
            };
            tokio::spawn(async move { world.everywhere("occupy", mode, work).await })
        });
        let units = units.collect();
        while begun.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { released, units }
    }

    async fn release(self) {
        self.released.store(true, Ordering::Relaxed);
        for unit in self.units {
            unit.await.expect("joined").expect("done");
        }
    }
}

fn ask(server: &TestServer, request: Request) -> JoinHandle<Response> {
    let (request, address) = (request.bearer(server.secret_key()), server.address().to_owned());
    tokio::spawn(async move { request.send(&address).await })
}

/// Fills a queue of two with `request`, sees that one more is refused, and that all else goes on.
async fn fill(server: &TestServer, occupied: Occupied, request: &Request, else_: &Request) {
    let depth = || {
        let depths = server.world.db.depths();
        depths.writes + depths.scans + depths.connections
    };
    let waiting = [ask(server, request.clone()), ask(server, request.clone())];
    for _ in 0..1000 {
        if depth() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(depth(), 2, "two wait");
    for _ in 0..10 {
        let refused = ask(server, request.clone()).await.expect("answered");
        refused.assert_refusal("a full queue");
        assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
        assert!(refused.header("retry-after").is_some());
        assert_eq!(depth(), 2, "it does not grow");
    }
    assert_eq!(ask(server, else_.clone()).await.expect("answered").status, 200, "all else goes on");

    occupied.release().await;

    for waiter in waiting {
        assert_eq!(waiter.await.expect("answered").status, 200, "whoever waits gets its turn");
    }
    assert_eq!(ask(server, request.clone()).await.expect("answered").status, 200);
    assert_eq!(depth(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ovl_08_a_full_queue_of_writers_refuses_over_http() {
    let limits =
        Limits { writes_waiting: 2, connections: 1, connections_waiting: 2, ..Limits::default() };
    let server = TestServer::start_limited(limits).await;
    let create = Request::new("POST", "/v1/users").json(&json!({ "skip_user_requirement": true }));
    let jwks = Request::new("GET", "/v1/jwks");
    assert_eq!(ask(&server, jwks.clone()).await.expect("answered").status, 200);
    let occupied = Occupied::new(&server, Mode::Write, 1).await;
    fill(&server, occupied, &create, &jwks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ovl_08_a_full_queue_of_scans_refuses_over_http() {
    let limits = Limits {
        scans: 1,
        scans_waiting: 2,
        connections: 1,
        connections_waiting: 2,
        ..Limits::default()
    };
    let server = TestServer::start_limited(limits).await;
    let list = Request::new("GET", "/v1/sessions?limit=1");
    let jwks = Request::new("GET", "/v1/jwks");
    assert_eq!(ask(&server, jwks.clone()).await.expect("answered").status, 200);
    let occupied = Occupied::new(&server, Mode::Scan, 1).await;
    fill(&server, occupied, &list, &jwks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ovl_05_a_loud_instance_uses_up_its_own_limit_alone() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.backend = Rate { requests: 10, seconds: 10 };
    })
    .await;
    let answers = together_of(96, |number| {
        let is_loud = number % 3 > 0;
        let key = if is_loud { server.secret_key() } else { server.neighbours_key() };
        let request = Request::new("GET", "/v1/users?limit=1").bearer(key);
        let address = server.address().to_owned();
        async move { (is_loud, request.send(&address).await.status) }
    })
    .await;
    let count = |loud, status| answers.iter().filter(|answer| **answer == (loud, status)).count();
    assert_eq!((count(true, 200), count(true, 429)), (10, 54), "{answers:?}");
    assert_eq!(count(false, 200), 32, "{answers:?}");
}

/// Fair means: while many ask for one instance without a pause, whoever asks for another waits for
/// about as many answers as there are askers, and not for all that will ever be asked.
#[tokio::test(flavor = "multi_thread")]
async fn ovl_05_a_neighbour_of_a_loud_instance_gets_its_turn() {
    const LOUD: usize = 32;
    const QUIET: usize = 40;
    let server = TestServer::start().await;
    let (ends, given) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let loud: Vec<_> = (0..LOUD)
        .map(|number| {
            let request = match number % 2 {
                0 => Request::new("GET", "/v1/users?limit=10"),
                _ => Request::new("POST", "/v1/users")
                    .json(&json!({ "skip_user_requirement": true })),
            };
            let request = request.bearer(server.secret_key());
            let (ends, given) = (Arc::clone(&ends), Arc::clone(&given));
            let address = server.address().to_owned();
            tokio::spawn(async move {
                while !ends.load(Ordering::Relaxed) {
                    assert!(request.send(&address).await.status < 500);
                    given.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while given.load(Ordering::Relaxed) < LOUD {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut waited = Vec::new();
    for number in 0..QUIET {
        let request = match number % 2 {
            0 => Request::new("GET", "/v1/users?limit=10"),
            _ => Request::new("POST", "/v1/users").json(&json!({ "skip_user_requirement": true })),
        };
        let before = given.load(Ordering::Relaxed);
        let response = server.call(request.bearer(server.neighbours_key())).await;
        assert_eq!(response.status, 200, "{}", response.without_trace());
        waited.push(given.load(Ordering::Relaxed) - before);
    }
    ends.store(true, Ordering::Relaxed);
    for one in loud {
        one.await.expect("it does not panic");
    }
    waited.sort_unstable();
    assert!(waited[QUIET / 2] <= 4 * LOUD, "half of them: {waited:?}");
    assert!(waited[QUIET - 1] <= 16 * LOUD, "the slowest: {waited:?}");
}

#[expect(clippy::disallowed_methods, reason = "measures the server")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Ten times as many ask as may wait: who cannot be served is told at once, who is taken is
/// served, what needs no writer goes on, and once it is over it is over.
#[tokio::test(flavor = "multi_thread")]
async fn ovl_01_ten_times_the_load_is_shed() {
    const WAITING: usize = 16;
    let limits = Limits {
        writes_waiting: WAITING,
        connections: 4,
        connections_waiting: WAITING,
        ..Limits::default()
    };
    let server = TestServer::start_limited(limits).await;
    let create = Request::new("POST", "/v1/users").json(&json!({ "skip_user_requirement": true }));
    let jwks = Request::new("GET", "/v1/jwks");
    assert_eq!(ask(&server, jwks.clone()).await.expect("answered").status, 200);
    let answers = together_of(10 * WAITING, |number| {
        let request = if number % 10 == 0 { jwks.clone() } else { create.clone() };
        let request = request.bearer(server.secret_key());
        let address = server.address().to_owned();
        async move {
            let mut answers = Vec::new();
            for _ in 0..3 {
                let began = now();
                let response = request.send(&address).await;
                answers.push((number % 10 == 0, response, began.elapsed()));
            }
            answers
        }
    })
    .await;
    let (mut served, mut shed) = (Vec::new(), 0);
    for (is_jwks, response, took) in answers.into_iter().flatten() {
        match response.status {
            200 => served.push(took),
            429 | 503 if !is_jwks => {
                assert!(response.header("retry-after").is_some(), "{}", response.without_trace());
                shed += 1;
            }
            _ => panic!("{is_jwks}: {} {}", response.status, response.without_trace()),
        }
    }
    served.sort_unstable();
    assert!(shed > 0, "{} were served", served.len());
    assert!(served.len() > WAITING, "{} were served, {shed} shed", served.len());
    let slow = served[served.len() * 99 / 100];
    assert!(slow < Duration::from_secs(10), "99 of 100 are served within {slow:?}");
    for _ in 0..20 {
        assert_eq!(ask(&server, create.clone()).await.expect("answered").status, 200, "it is over");
    }
}

/// Clients that know no patience make nothing worse: once the cause is gone, all are served soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ovl_06_who_tries_again_at_once_is_served_once_the_cause_is_gone() {
    const CLIENTS: usize = 32;
    let limits =
        Limits { writes_waiting: 2, connections: 1, connections_waiting: 2, ..Limits::default() };
    let server = TestServer::start_limited(limits).await;
    let jwks = Request::new("GET", "/v1/jwks");
    assert_eq!(ask(&server, jwks).await.expect("answered").status, 200);
    let occupied = Occupied::new(&server, Mode::Write, 1).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let create =
                Request::new("POST", "/v1/users").json(&json!({ "skip_user_requirement": true }));
            let request = create.bearer(server.secret_key());
            let (address, refused) = (server.address().to_owned(), Arc::clone(&refused));
            tokio::spawn(async move {
                loop {
                    let response = request.send(&address).await;
                    match response.status {
                        200 => return now(),
                        429 | 503 => assert!(response.header("retry-after").is_some()),
                        _ => panic!("{}", response.without_trace()),
                    }
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while refused.load(Ordering::Relaxed) < 4 * CLIENTS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let gone = now();
    occupied.release().await;
    for client in clients {
        let took = client.await.expect("served").saturating_duration_since(gone);
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
    let depths = server.world.db.depths();
    assert_eq!(depths.writes + depths.connections, 0);
}

/// A database in which no user can be written for a while: tokens and keys are given out meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dur_10_tokens_are_minted_while_writers_hang() {
    const ASKED: usize = 150;
    let server = TestServer::start().await;
    let create = Request::new("POST", "/v1/users")
        .json(&json!({ "email_address": ["ada@example.com"], "skip_password_requirement": true }));
    let user = ask(&server, create).await.expect("answered").json();
    let begin = Request::new("POST", "/v1/sessions").json(&json!({ "user_id": user["id"] }));
    let session = ask(&server, begin).await.expect("answered").json();
    let path = format!("/v1/sessions/{}/tokens", session["id"].as_str().expect("an id"));
    let mint = Request::new("POST", &path).json(&json!({}));
    assert_eq!(ask(&server, mint.clone()).await.expect("answered").status, 200);

    let stalled = stall(&server).await;
    let create = Request::new("POST", "/v1/users").json(&json!({
        "email_address": ["bob@example.com"], "skip_password_requirement": true
    }));
    let hanging = ask(&server, create.clone());
    let mut waits = Vec::new();
    for number in 0..ASKED {
        let request = match number % 3 {
            0 => Request::new("GET", "/v1/jwks"),
            _ => mint.clone(),
        };
        let began = now();
        let response = ask(&server, request).await.expect("answered");
        assert_eq!(response.status, 200, "{}", response.without_trace());
        waits.push(began.elapsed());
    }
    assert!(!hanging.is_finished(), "whoever writes waits");
    waits.sort_unstable();
    let slow = waits[ASKED * 99 / 100 - 1];
    assert!(slow < Duration::from_secs(1), "99 of 100 within {slow:?}");
    stalled.release().await;
    let later = hanging.await.expect("answered");
    assert!(matches!(later.status, 200 | 429 | 503), "{}", later.without_trace());
    let last = ask(&server, create).await.expect("answered").status;
    assert_eq!(last, if later.status == 200 { 422 } else { 200 });
}

/// Keeps everybody from writing identifications: the one writer of SQLite, a lock of PostgreSQL.
async fn stall(server: &TestServer) -> Occupied {
    if server.engine() == EngineKind::Sqlite {
        return Occupied::new(server, Mode::Write, 1).await;
    }
    let (released, held) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (world, release, begun) =
        (Arc::clone(&server.world), Arc::clone(&released), Arc::clone(&held));
    let work = move |mut tx: db::Tx| -> BoxFuture<domain::Result<()>> {
        let (release, begun) = (Arc::clone(&release), Arc::clone(&begun));
        Box::pin(async move {
            tx.execute("lock table identifications in access exclusive mode", vec![]).await?;
            begun.store(true, Ordering::Relaxed);
            while !release.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        })
    };
    let unit = tokio::spawn(async move { world.everywhere("stall", Mode::Write, work).await });
    while !held.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Occupied { released, units: vec![unit] }
}
