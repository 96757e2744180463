//! Answers: what goes back to whoever asked.

use serde::Serialize;

use crate::{Result, frontend::Visit};

/// Status, headers and cookies of an answer, where they are not the usual ones.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status, 200 or 204 unless said.
    pub status: Option<u16>,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Values of `Set-Cookie` headers.
    pub cookies: Vec<String>,
    /// What became of the visitor's client.
    pub(crate) visit: Visit,
}

impl Reply {
    /// Adds what a further transaction said; the last word counts.
    pub(crate) fn add(&mut self, other: Self) {
        self.status = other.status.or(self.status);
        self.headers.extend(other.headers);
        self.cookies.extend(other.cookies);
        self.visit = other.visit;
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Values of `Set-Cookie` headers.
    pub cookies: Vec<String>,
    /// JSON text, or nothing.
    pub body: Vec<u8>,
}

impl Answer {
    /// The answer whose body is `response`; one that is nothing has no body.
    pub(crate) fn json<R: Serialize>(response: &R, reply: Reply) -> Result<Self> {
        let mut body = serde_json::to_vec(response)?;
        // Official clients fail on a literal `null`.
        let usual = if body == b"null" { 204 } else { 200 };
        if usual == 204 {
            body.clear();
        }
        let Reply { status, headers, cookies, .. } = reply;
        Ok(Self { status: status.unwrap_or(usual), headers, cookies, body })
    }
}
