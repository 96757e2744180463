//! Where people are signed in, as far as a database of places tells.

use domain::Places;
use serde_json::json;
use testkit::{Browser, Request, TestServer, somebody};

/// What begins the last part of such a file.
const METADATA: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// Kinds of values, as they stand in the first three bits; and those that stand in a second byte.
const TEXT: u8 = 2 << 5;
const SHORT: u8 = 5 << 5;
const LONG: u8 = 6 << 5;
const MAP: u8 = 7 << 5;
const HUGE: u8 = 2;
const LIST: u8 = 4;

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short one");
    [&[TEXT | length], text.as_bytes()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let count = u8::try_from(entries.len()).expect("few");
    let content = entries.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
    std::iter::once(MAP | count).chain(content).collect()
}

fn short(number: u16) -> Vec<u8> {
    [&[SHORT | 2], number.to_be_bytes().as_slice()].concat()
}

/// A file that knows where 127.0.0.0/8 is, and nothing else.
fn file() -> Vec<u8> {
    const BITS: u32 = 8;
    let node = |number: u32| number.to_be_bytes()[1..].to_vec();
    let branches = (0..BITS).map(|depth| {
        let next = if depth + 1 == BITS { BITS + 16 } else { depth + 1 };
        let is_set = 127_u8 & (0x80 >> depth) != 0;
        let (left, right) = if is_set { (BITS, next) } else { (next, BITS) };
        [node(left), node(right)].concat()
    });
    let entry = map(&[
        ("city", map(&[("names", map(&[("de", text("Mailand")), ("en", text("Milan"))]))])),
        ("country", map(&[("iso_code", text("IT")), ("names", map(&[("en", text("Italy"))]))])),
    ]);
    let metadata = map(&[
        ("binary_format_major_version", short(2)),
        ("binary_format_minor_version", short(0)),
        ("build_epoch", [&[8, HUGE], 1_800_000_000_u64.to_be_bytes().as_slice()].concat()),
        ("database_type", text("Test-City")),
        ("description", map(&[("en", text("One place"))])),
        ("ip_version", short(4)),
        ("languages", [vec![1, LIST], text("en")].concat()),
        ("node_count", [&[LONG | 4], BITS.to_be_bytes().as_slice()].concat()),
        ("record_size", short(24)),
    ]);
    let tree: Vec<u8> = branches.flatten().collect();
    [tree, vec![0; 16], entry, METADATA.to_vec(), metadata].concat()
}

#[tokio::test]
async fn a_device_is_where_its_address_is() {
    let places = Places::read(file()).expect("it is one");
    let server = TestServer::start_among(places).await;
    let ada = server.backend.send(&somebody()).await.expect("a user is made");
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&ada.id).await;
    server.advance(6_000);
    let used = browser.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await;
    assert_eq!(used.status, 200);
    let place = |activity: &serde_json::Value| json!([activity["city"], activity["country"]]);
    let devices = browser.get("/v1/me/sessions/active").await.json();
    assert_eq!(place(&devices[0]["latest_activity"]), json!(["Milan", "IT"]));
    let path = format!("/v1/sessions/{session}");
    let request = Request::new("GET", &path).bearer(server.secret_key());
    let seen = server.call(request).await.json();
    assert_eq!(place(&seen["latest_activity"]), json!(["Milan", "IT"]));
}

#[tokio::test]
async fn without_a_file_nobody_knows() {
    for wrong in [Vec::new(), b"PK\x03\x04".to_vec(), METADATA.to_vec()] {
        assert!(Places::read(wrong).is_err());
    }
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("a user is made");
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&ada.id).await;
    server.advance(6_000);
    browser.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await;
    let devices = browser.get("/v1/me/sessions/active").await.json();
    let activity = &devices[0]["latest_activity"];
    assert_eq!(activity["ip_address"], "127.0.0.1");
    assert_eq!(json!([activity["city"], activity["country"]]), json!([null, null]));
}
