//! Answers and refusals as HTTP.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use domain::{Answer, Error, Told};
use wire::Refusal;

/// Media type of every JSON answer. Official clients compare it to the letter, so no charset.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer.
pub(crate) fn answer(answer: Answer, trace_id: &str) -> Response<Body> {
    let Answer { status, headers, cookies, body } = answer;
    let mut response = json(status, body, trace_id);
    add(&mut response, headers, cookies);
    response
}

/// What an operation did not do, and why.
pub(crate) fn error(error: Error, trace_id: &str) -> Response<Body> {
    match error {
        Error::Told(told) => {
            let Told { refusal: said, headers, cookies } = *told;
            let mut response = refusal(&said, trace_id);
            add(&mut response, headers, cookies);
            response
        }
        error => refusal(&error.into_refusal(), trace_id),
    }
}

fn add(response: &mut Response<Body>, headers: Vec<(&'static str, String)>, cookies: Vec<String>) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// A refusal, in the API's error envelope.
pub(crate) fn refusal(refusal: &Refusal, trace_id: &str) -> Response<Body> {
    let (status, retry_after) = (refusal.status, refusal.retry_after);
    let mut response = json(status, envelope(refusal, trace_id).into(), trace_id);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A refusal as it goes over the wire, where there is no request to answer. The connection ends.
pub(crate) fn raw_refusal(refusal: &Refusal, trace_id: &str) -> Vec<u8> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = envelope(refusal, trace_id);
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nclerk-trace-id: {trace_id}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn envelope(refusal: &Refusal, trace_id: &str) -> String {
    let Refusal { errors, client, .. } = refusal;
    let meta = client
        .as_ref()
        .map_or_else(|| serde_json::json!({}), |client| serde_json::json!({ "client": client }));
    serde_json::json!({ "errors": errors, "meta": meta, "clerk_trace_id": trace_id }).to_string()
}

fn json(status: u16, body: Vec<u8>, trace_id: &str) -> Response<Body> {
    let has_body = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, JSON);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(trace_id) {
        headers.insert("clerk-trace-id", value);
    }
    response
}
