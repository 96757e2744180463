//! From a request to path, query and body, in the client.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{Body, Endpoint, Meta, Upload};

/// A request ready for any HTTP client.
#[derive(Debug)]
pub struct Encoded {
    /// Path and query.
    pub path: String,
    /// What travels behind the head.
    pub body: EncodedBody,
}

/// What travels behind the head.
#[derive(Debug)]
pub enum EncodedBody {
    /// Nothing.
    None,
    /// JSON text.
    Json(Vec<u8>),
    /// A file and other fields, as a multipart form.
    Upload(Upload, Vec<(String, String)>),
}

/// Spreads the request's fields over path, query and body.
pub fn encode<E: Endpoint>(request: &E) -> Result<Encoded, serde_json::Error> {
    match serde_json::to_value(request)? {
        Value::Object(fields) => encode_fields(&E::META, fields, request.upload()),
        _ => Err(serde::ser::Error::custom("a request is a struct")),
    }
}

fn encode_fields(
    meta: &Meta,
    mut fields: Map<String, Value>,
    upload: Option<&Upload>,
) -> Result<Encoded, serde_json::Error> {
    let mut path = String::new();
    for part in meta.path.split('/').skip(1) {
        path.push('/');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => path.push_str(&path_segment(fields.remove(name))?),
            None => path.push_str(part),
        }
    }
    let mut separator = '?';
    let names: Vec<_> = fields.keys().filter(|name| meta.in_query(name)).cloned().collect();
    for name in names {
        let values = match fields.remove(&name) {
            Some(Value::Array(items)) => items,
            value => value.into_iter().collect(),
        };
        for value in values {
            let _ = write!(path, "{separator}{name}={}", escape(&plain(value)));
            separator = '&';
        }
    }
    let body = match (meta.body, upload) {
        (Body::None, _) => EncodedBody::None,
        (Body::Upload, Some(upload)) => {
            let texts = fields.into_iter().map(|(name, value)| (name, plain(value))).collect();
            EncodedBody::Upload(upload.clone(), texts)
        }
        (Body::Items, _) => {
            let items = fields.remove("items").unwrap_or_else(|| Value::Array(Vec::new()));
            EncodedBody::Json(serde_json::to_vec(&items)?)
        }
        (Body::Fields | Body::Upload, _) => EncodedBody::Json(serde_json::to_vec(&fields)?),
    };
    Ok(Encoded { path, body })
}

/// An id that is empty, `.` or `..` would ask for something else than was meant.
fn path_segment(value: Option<Value>) -> Result<String, serde_json::Error> {
    let text = value.map(plain).unwrap_or_default();
    if matches!(text.as_str(), "" | "." | "..") {
        return Err(serde::ser::Error::custom("a path parameter is empty or made of dots"));
    }
    Ok(escape(&text))
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Percent-encodes all but the characters that are safe in both a path segment and a query.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
