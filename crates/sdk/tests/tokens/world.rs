//! An issuer with a key, a clock that stands still, and a server that shows keys or misbehaves.

use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use jwt::{Algorithm, PreparedHeader, SigningKey, category};
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use vestry_sdk::session_token::{Clock, Options, Verifier};

/// When everything happens, in seconds.
pub(crate) const NOW: i64 = 1_760_000_000;
/// The name of every issuer's key.
pub(crate) const KID: &str = "ins_1";

/// Keys are expensive to make without optimization.
static KEYS: LazyLock<[(SigningKey, Vec<u8>); 2]> =
    LazyLock::new(|| [0, 1].map(|_| SigningKey::generate_rsa_2048().expect("generated")));

/// One instance.
pub(crate) struct Issuer {
    pub(crate) key: &'static SigningKey,
    pub(crate) der: &'static [u8],
}

impl Issuer {
    pub(crate) fn first() -> Self {
        Self { key: &KEYS[0].0, der: &KEYS[0].1 }
    }

    pub(crate) fn second() -> Self {
        Self { key: &KEYS[1].0, der: &KEYS[1].1 }
    }

    pub(crate) fn header() -> PreparedHeader {
        PreparedHeader::new(Algorithm::Rs256).kid(KID).cat(category::SESSION)
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.key.sign(&Self::header(), claims).expect("signed")
    }

    /// The usual claims with some others; null takes one away.
    pub(crate) fn token_with(&self, changes: &Value) -> String {
        self.token(&claims_with(changes))
    }

    pub(crate) fn key_set(&self) -> Value {
        let mut key = self.key.jwk().expect("public");
        key.kid = Some(KID.into());
        json!({ "keys": [key] })
    }

    pub(crate) fn pem(&self) -> String {
        use aws_lc_rs::{encoding::AsDer as _, signature::KeyPair as _};
        use base64::Engine as _;
        let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(self.der).expect("a pair");
        let spki = pair.public_key().as_der().expect("spki");
        base64::engine::general_purpose::STANDARD.encode(spki.as_ref())
    }

    pub(crate) fn options(&self) -> Options {
        Options { jwt_key: Some(self.pem()), ..Options::default() }
    }
}

pub(crate) fn claims() -> Value {
    json!({
        "azp": "https://app.example.com", "exp": NOW + 60, "fva": [5, -1], "iat": NOW,
        "iss": "https://clerk.example.com", "jti": "0f3b5b0f8d2c4e6a9b1c", "nbf": NOW - 10,
        "sid": "sess_1", "sub": "user_1", "sts": "active", "v": 2
    })
}

pub(crate) fn claims_with(changes: &Value) -> Value {
    let mut all = claims().as_object().expect("an object").clone();
    for (name, value) in changes.as_object().unwrap_or(&Map::new()) {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Value::Object(all)
}

/// A clock that others can move.
#[derive(Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW * 1000)))
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hand = self.clone();
        Arc::new(move || hand.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn verifier(options: Options) -> Verifier {
    Verifier::new(options).expect("a verifier").with_clock(Hand::new().clock())
}

/// How the server answers.
#[derive(Clone)]
pub(crate) enum Mood {
    Says(u16, String),
    SaysAfter(u64, String),
    Hangs,
    Moved(String),
    Drips,
}

/// A server of key sets.
pub(crate) struct Server {
    pub(crate) url: String,
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
    last_request: Arc<Mutex<String>>,
}

impl Server {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self {
            url,
            mood: Arc::new(Mutex::new(mood)),
            asked: Arc::default(),
            last_request: Arc::default(),
        };
        let (mood, asked) = (Arc::clone(&server.mood), Arc::clone(&server.asked));
        let last_request = Arc::clone(&server.last_request);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mood = mood.lock().expect("a mood").clone();
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, mood, Arc::clone(&last_request)));
            }
        });
        server
    }

    pub(crate) async fn showing(issuer: &Issuer) -> Self {
        Self::start(Mood::Says(200, issuer.key_set().to_string())).await
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *self.mood.lock().expect("a mood") = mood;
    }

    /// How often it was asked; every request comes on a connection of its own.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn last_request(&self) -> String {
        self.last_request.lock().expect("a request").clone()
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            secret_key: Some("sk_test_1".into()),
            api_url: self.url.clone(),
            ..Options::default()
        }
    }
}

async fn answer(mut stream: TcpStream, mood: Mood, last_request: Arc<Mutex<String>>) {
    let mut request = vec![0; 4096];
    let length = stream.read(&mut request).await.unwrap_or(0);
    *last_request.lock().expect("a request") =
        String::from_utf8_lossy(&request[..length]).to_lowercase();
    let said = |status: u16, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    };
    let text = match mood {
        Mood::Says(status, body) => said(status, &body),
        Mood::SaysAfter(ms, body) => {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            said(200, &body)
        }
        Mood::Hangs => {
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            return;
        }
        Mood::Moved(to) => format!(
            "HTTP/1.1 302 X\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
        Mood::Drips => {
            let head = "HTTP/1.1 200 X\r\ncontent-length: 104857600\r\nconnection: close\r\n\r\n";
            let mut open = stream.write_all(head.as_bytes()).await.is_ok();
            while open {
                open = stream.write_all(&[b' '; 8192]).await.is_ok();
            }
            return;
        }
    };
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}
