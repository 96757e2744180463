//! A browser, as far as the Frontend API sees it: cookies, the token of a developer's browser,
//! forms, and the query that official scripts add to everything.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use domain::{Caller, Credentials, Outside, Visitor, frontend::testing, instances};
use serde_json::Value;
use wire::backend::{sessions::SessionId, users::UserId};

use crate::{Request, Response, TestServer};

/// A browser with a page of an app.
pub struct Browser<'s> {
    server: &'s TestServer,
    /// Host of the instance.
    pub host: String,
    /// Where the page is from.
    pub origin: Option<String>,
    /// What the server had it keep.
    pub cookies: BTreeMap<String, String>,
    /// The token of a developer's browser.
    pub dev_browser: Option<String>,
    /// The session the page acts in, if it says so.
    pub session: Option<String>,
    /// The API version that the scripts on the page speak.
    pub version: String,
}

impl<'s> Browser<'s> {
    /// One that was nowhere yet: of the first, the second, or the third instance.
    pub fn new(server: &'s TestServer, instance: usize) -> Self {
        let host = server.keys[instance].frontend_host.clone();
        let origin = match host.strip_prefix("clerk.") {
            Some(domain) => format!("https://{domain}"),
            None => "http://localhost:3000".to_owned(),
        };
        Self {
            server,
            host,
            origin: Some(origin),
            cookies: BTreeMap::new(),
            dev_browser: None,
            session: None,
            version: "2026-08-20".to_owned(),
        }
    }

    /// One that has loaded a page of the first instance.
    pub async fn open(server: &'s TestServer) -> Self {
        let mut browser = Self::new(server, 0);
        browser.load().await;
        browser
    }

    /// Gets the token of a developer's browser.
    pub async fn load(&mut self) {
        let made = self.post("/v1/dev_browser", &[]).await;
        assert_eq!(made.status, 200, "{}", made.without_trace());
        self.dev_browser = made.json()["id"].as_str().map(str::to_owned);
    }

    /// Asks.
    pub async fn get(&mut self, path: &str) -> Response {
        let request = Request::new("GET", &self.path(path, None));
        self.send(request).await
    }

    /// Submits a form.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.submit(None, path, fields).await
    }

    /// Submits a form that is meant as a `PATCH`.
    pub async fn patch(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.submit(Some("PATCH"), path, fields).await
    }

    /// Submits a form that is meant as a `DELETE`.
    pub async fn delete(&mut self, path: &str) -> Response {
        self.submit(Some("DELETE"), path, &[]).await
    }

    /// Submits a form that is meant as something else than a `POST`.
    pub async fn submit(
        &mut self,
        method: Option<&str>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Response {
        let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let body = fields.collect::<Vec<_>>().join("&");
        let request = Request::new("POST", &self.path(path, method));
        self.send(request.body("application/x-www-form-urlencoded", body)).await
    }

    /// Sends a request as a script on the page does, with what scripts add to every address.
    pub async fn ask(&mut self, mut request: Request) -> Response {
        request.path = self.path(&request.path, None);
        self.send(request).await
    }

    /// Sends a request with all that a browser adds, and keeps what it is told to keep.
    pub async fn send(&mut self, request: Request) -> Response {
        let mut request = request.header("host", &self.host);
        if let Some(origin) = &self.origin {
            request = request.header("origin", origin);
        }
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", &pairs.collect::<Vec<_>>().join("; "));
        }
        let response = self.server.call(request).await;
        for (_, line) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(line);
        }
        response
    }

    /// What the client is now.
    pub async fn client(&mut self) -> Value {
        let response = self.get("/v1/client").await;
        assert_eq!(response.status, 200, "{}", response.without_trace());
        response.json()["response"].clone()
    }

    /// Signs a user in on this browser without asking them anything.
    pub async fn sign_in(&mut self, user_id: &UserId) -> SessionId {
        let outside = self.outside().await;
        let (id, cookies) =
            testing::sign_in(&outside, user_id.clone()).await.expect("nothing is in the way");
        for line in &cookies {
            self.keep(line);
        }
        id
    }

    /// What the server sees of this browser.
    pub async fn outside(&self) -> Outside {
        let instance = instances::by_host(&self.server.world, &self.host).await;
        let instance = instance.expect("it is read").expect("there is one");
        let credentials = Credentials {
            dev_browser: self.dev_browser.clone(),
            client: self.cookies.get("__client").cloned(),
        };
        let visitor = Visitor { origin: self.origin.clone(), ..Visitor::default() };
        let visitor = Arc::new(visitor.recognize(&instance, &credentials));
        Outside::new(Arc::clone(&self.server.world), "test", instance, Caller::Visitor(visitor))
    }

    fn keep(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once('=') else { return };
        let value = rest.split(';').next().unwrap_or_default();
        if rest.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    fn path(&self, path: &str, method: Option<&str>) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut path = format!("{path}{mark}__clerk_api_version={}", self.version);
        let more = [
            ("_method", method),
            ("__clerk_db_jwt", self.dev_browser.as_deref()),
            ("_clerk_session_id", self.session.as_deref()),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                let _ = write!(path, "&{name}={}", escaped(value));
            }
        }
        path
    }
}

/// Percent-encodes whatever is not plain.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
