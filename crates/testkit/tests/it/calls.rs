//! Calls of the first instance's own server, as most tests make them.

use serde_json::Value;
use testkit::{Request, Response, TestServer};

/// The answer to a `POST`.
pub(crate) async fn post(server: &TestServer, path: &str, body: &Value) -> Response {
    server.call(Request::new("POST", path).bearer(server.secret_key()).json(body)).await
}

/// What a `POST` that succeeds answers.
pub(crate) async fn made(server: &TestServer, path: &str, body: &Value) -> Value {
    let response = post(server, path, body).await;
    assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
    response.json()
}

/// The code that was last sent, whoever asked for it.
pub(crate) async fn last_code(server: &TestServer) -> String {
    let outbox = server.outbox().await;
    let codes = outbox.iter().rev().find_map(|message| message.data.pointer("/data/otp_code"));
    text(codes.expect("a code was sent"))
}

/// A text that must be one.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}
