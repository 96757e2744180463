//! Requests as no proper client would write them, and answers to the letter.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A request, byte by byte.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Path and query, not changed in any way.
    pub path: String,
    /// Header lines.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Without credentials and body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    /// With a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a key.
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// Sends it to `http://host:port`.
    pub async fn send(&self, address: &str) -> Response {
        let host = address.trim_start_matches("http://");
        let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            let _ = write!(head, "host: {host}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        let mut stream = TcpStream::connect(host).await.expect("the server listens");
        stream.write_all(format!("{head}\r\n").as_bytes()).await.expect("it reads the head");
        // Whoever is refused early may find that nobody reads on.
        let _ = stream.write_all(self.body.as_deref().unwrap_or_default()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Response::read(&bytes)
            .unwrap_or_else(|| panic!("no answer to {} {}", self.method, self.path))
    }
}

impl Response {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Some(Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() })
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Code of the first error.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Code and parameter of each error.
    pub fn errors(&self) -> Vec<(String, String)> {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let errors = json["errors"].as_array().into_iter().flatten();
        errors.map(|error| (text(&error["code"]), text(&error["meta"]["param_name"]))).collect()
    }

    /// The body without the trace id, which no two answers share.
    pub fn without_trace(&self) -> String {
        let mut json = self.json();
        if let Some(fields) = json.as_object_mut() {
            fields.remove("clerk_trace_id");
        }
        json.to_string()
    }

    /// Fails unless this is a refusal in the form that all refusals have.
    #[track_caller]
    pub fn assert_refusal(&self, of: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert!(
            (400..500).contains(&self.status) || self.status == 501,
            "{of}: {} {text}",
            self.status
        );
        assert_eq!(self.header("content-type"), Some("application/json"), "{of}: {text}");
        let json = self.json();
        let trace = json["clerk_trace_id"].as_str().unwrap_or_else(|| panic!("{of}: {text}"));
        assert!(!trace.is_empty(), "{of}: {text}");
        assert_eq!(self.header("clerk-trace-id"), Some(trace), "{of}: {text}");
        let errors = json["errors"].as_array().unwrap_or_else(|| panic!("{of}: {text}"));
        assert!(!errors.is_empty(), "{of}: {text}");
        for error in errors {
            let code = error["code"].as_str().unwrap_or_default();
            let known = wire::refusal::CATALOGUE.iter().any(|(known, _, _)| *known == code);
            assert!(known, "{of}: {text}");
            let said = |name: &str| error[name].as_str().is_some_and(|said| !said.is_empty());
            assert!(said("message") && said("long_message"), "{of}: {text}");
        }
    }
}
