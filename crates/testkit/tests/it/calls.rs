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

/// A text that must be one.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
