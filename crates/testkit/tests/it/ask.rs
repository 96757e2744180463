//! Requests made of declarations alone, so that tests can ask every operation.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use testkit::{Browser, Request, Response, TestServer, escaped};
use wire::{Body, Field, Meta, Shape};

/// The least of a picture: one transparent pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9c, 0x63, 0xf8, 0xff, 0xff, 0xff, 0x7f, 0, 0x09, 0xfb, 0x03, 0xfd, 0x05, 0x43, 0x45,
    0xca, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
/// How browsers send what belongs into a body.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const BOUNDARY: &str = "part-of-a-test";

/// Ids by the names that paths have for them.
pub(crate) type Ids = BTreeMap<String, String>;

/// A request of one operation, before it is written down.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) meta: Meta,
    pub(crate) ids: Ids,
    pub(crate) fields: Map<String, Value>,
    /// Written behind the query as it is.
    pub(crate) query: String,
    /// Sent instead of the fields that belong into the body.
    pub(crate) body: Option<(String, Vec<u8>)>,
}

impl Ask {
    /// With the parameters that must be there, and plausible ones at that.
    pub(crate) fn new(meta: Meta, ids: &Ids) -> Self {
        let required = meta.fields.iter().filter(|field| field.required);
        let fields = required
            .filter(|field| !meta.in_path(field.name))
            .map(|field| (field.name.to_owned(), sample(field.name, &field.shape)));
        let (ids, fields) = (ids.clone(), fields.collect());
        Self { meta, ids, fields, query: String::new(), body: None }
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some((content_type.to_owned(), body.into()));
        self
    }

    /// The fields that travel in the body, as an object.
    pub(crate) fn object(&self) -> Map<String, Value> {
        let in_body = self.fields.iter().filter(|(name, _)| !self.meta.in_query(name));
        in_body.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Names and values of the path.
    pub(crate) fn path(&self) -> String {
        let parts = self.meta.path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            name.map_or_else(|| part.to_owned(), |name| self.id(name))
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn id(&self, name: &str) -> String {
        self.ids.get(name).cloned().unwrap_or_else(|| "none_2aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned())
    }

    pub(crate) fn request(&self) -> Request {
        let mut query = self.query.clone();
        for (name, value) in self.fields.iter().filter(|(name, _)| self.meta.in_query(name)) {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                query = format!("{name}={}&{query}", escaped(&text));
            }
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{mark}{}", self.path(), query.trim_end_matches('&'));
        let request = Request::new(self.meta.method.as_str(), &path);
        match (&self.body, self.meta.body) {
            (Some((content_type, body)), _) => request.body(content_type, body.clone()),
            (None, Body::None) => request,
            (None, Body::Fields) => request.json(&Value::Object(self.object())),
            (None, Body::Items) => {
                request.json(self.fields.get("items").unwrap_or(&Value::Array(Vec::new())))
            }
            (None, Body::Upload) => {
                let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
                request.body(&content_type, multipart())
            }
        }
    }

    /// The same as browsers send it: what belongs into the body is a form.
    pub(crate) fn form(&self) -> Request {
        if self.body.is_some() || self.meta.body != Body::Fields {
            return self.request();
        }
        let mut pairs = Vec::new();
        for (name, value) in self.object() {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                pairs.push(format!("{name}={}", escaped(&text)));
            }
        }
        self.clone().body(FORM, pairs.join("&")).request()
    }

    /// Sends it with a key.
    pub(crate) async fn send(&self, server: &TestServer, key: &str) -> Response {
        server.call(self.request().bearer(key)).await
    }
}

fn multipart() -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
         content-type: image/png\r\n\r\n"
    );
    [head.as_bytes(), PNG, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

/// A value that fits.
pub(crate) fn sample(name: &str, shape: &Shape) -> Value {
    match (name, shape) {
        ("email_address", Shape::Text) => json!("someone.else@example.com"),
        ("phone_number", Shape::Text) => json!("+12015550177"),
        ("strategy", Shape::Text) => json!("email_code"),
        ("code", Shape::Text) => json!("424242"),
        ("identifier", Shape::Text) => json!("someone@mail.example.com"),
        ("url", Shape::Text) => json!("https://example.com/another"),
        (_, Shape::Text | Shape::Any) => json!("text"),
        (_, Shape::Integer { min, max }) => json!(1.clamp(*min, *max)),
        (_, Shape::Number) => json!(1.5),
        (_, Shape::Boolean) => json!(true),
        (_, Shape::Object) => json!({}),
        (_, Shape::List(items)) => json!([sample(name, items)]),
        (_, Shape::Fields(fields)) => Value::Object(required(fields)),
    }
}

fn required(fields: &[Field]) -> Map<String, Value> {
    let required = fields.iter().filter(|field| field.required);
    required.map(|field| (field.name.to_owned(), sample(field.name, &field.shape))).collect()
}

/// One of everything that can be made, in the first instance.
pub(crate) async fn world(server: &TestServer) -> Ids {
    let mut ids = Ids::new();
    let key = server.secret_key();
    let user = json!({
        "email_address": ["ada@example.com"],
        "phone_number": ["+12015550123"],
        "web3_wallet": ["0x52908400098527886E0F7030069857D2E4169EE7"],
        "username": "lovelace",
        "external_id": "ext-ada",
        "first_name": "Ada",
        "password": "correct horse battery",
    });
    let user = make(server, key, "/v1/users", &user).await;
    let of = |pointer: &str| user.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let made = [
        ("user_id", "/id"),
        ("email_address_id", "/email_addresses/0/id"),
        ("phone_number_id", "/phone_numbers/0/id"),
        ("web3_wallet_identification_id", "/web3_wallets/0/id"),
    ];
    for (name, pointer) in made {
        ids.insert(name.to_owned(), of(pointer).expect("it was asked for"));
    }
    let user_id = ids["user_id"].clone();
    let others = [
        ("/v1/sessions", json!({"user_id": user_id}), "session_id", "/id"),
        ("/v1/sessions", json!({"user_id": user_id}), "client_id", "/client_id"),
        ("/v1/jwt_templates", json!({"name": "mine", "claims": {}}), "template_id", "/id"),
        ("/v1/sign_in_tokens", json!({"user_id": user_id}), "sign_in_token_id", "/id"),
        ("/v1/invitations", json!({"email_address": "bob@example.com"}), "invitation_id", "/id"),
        (
            "/v1/waitlist_entries",
            json!({"email_address": "eve@example.com"}),
            "waitlist_entry_id",
            "/id",
        ),
        (
            "/v1/actor_tokens",
            json!({"user_id": user_id, "actor": {"sub": "somebody"}}),
            "actor_token_id",
            "/id",
        ),
        (
            "/v1/agents/tasks",
            json!({
                "on_behalf_of": {"user_id": user_id}, "permissions": "*", "agent_name": "agent",
                "task_description": "task", "redirect_url": "https://example.com/",
            }),
            "agent_task_id",
            "/agent_task_id",
        ),
        (
            "/v1/domains",
            json!({"name": "localhost:3001", "is_satellite": true}),
            "domain_id",
            "/id",
        ),
        (
            "/v1/allowlist_identifiers",
            json!({"identifier": "*@example.com"}),
            "allowlist_identifier_id",
            "/id",
        ),
        (
            "/v1/blocklist_identifiers",
            json!({"identifier": "*@evil.example"}),
            "blocklist_identifier_id",
            "/id",
        ),
        ("/v1/redirect_urls", json!({"url": "my-app://callback"}), "redirect_url_id", "/id"),
    ];
    for (path, body, name, pointer) in others {
        let made = make(server, key, path, &body).await;
        let id = made.pointer(pointer).and_then(Value::as_str);
        ids.insert(name.to_owned(), id.expect("what is made has an id").to_owned());
    }
    let device = crate::tickets::device(server, &user_id).await;
    ids.insert("trusted_device_id".to_owned(), device);
    ids.insert("sign_up_id".to_owned(), crate::sign_ups::begun(server).await);
    ids.insert("template_name".to_owned(), "mine".to_owned());
    ids.insert("provider".to_owned(), "oauth_google".to_owned());
    ids
}

/// One of everything that a browser can name: it is signed in, and somebody else is on their way in
/// and another one on their way to become a user.
pub(crate) async fn visited(server: &TestServer) -> (Browser<'_>, Ids) {
    let mut ids = world(server).await;
    let bob = json!({"email_address": ["bob@example.com"], "password": "correct horse battery"});
    make(server, server.secret_key(), "/v1/users", &bob).await;
    crate::sessions::set(server, |settings| {
        settings.session.single_session = false;
        settings.attributes.phone_number.enabled = true;
        settings.attributes.username.enabled = true;
    })
    .await;
    let mut browser = Browser::open(server).await;
    let session = browser.sign_in(&ids["user_id"].as_str().into()).await;
    ids.insert("session_id".to_owned(), session.to_string());
    let made: [(&str, &str, (&str, &str)); 4] = [
        ("sign_in_id", "/v1/client/sign_ins", ("identifier", "bob@example.com")),
        ("sign_up_id", "/v1/client/sign_ups", ("email_address", "new@example.com")),
        ("email_id", "/v1/me/email_addresses", ("email_address", "other@example.com")),
        ("phone_number_id", "/v1/me/phone_numbers", ("phone_number", "+12015550124")),
    ];
    for (name, path, field) in made {
        let answer = browser.post(path, &[field]).await;
        assert_eq!(answer.status, 200, "POST {path}: {}", answer.without_trace());
        let id = answer.json()["response"]["id"].as_str().expect("an id").to_owned();
        ids.insert(name.to_owned(), id);
    }
    (browser, ids)
}

/// Makes something.
async fn make(server: &TestServer, key: &str, path: &str, body: &Value) -> Value {
    let response = server.call(Request::new("POST", path).bearer(key).json(body)).await;
    assert_eq!(response.status, 200, "POST {path}: {}", response.without_trace());
    response.json()
}

/// The answer with the ids it was asked for taken out.
pub(crate) fn anonymous(response: &Response, ids: &Ids) -> (u16, String) {
    let text = ids.values().fold(response.without_trace(), |text, id| text.replace(id, "…"));
    (response.status, text)
}

/// Ids of the same forms that nobody has.
pub(crate) fn nobodys(ids: &Ids) -> Ids {
    let random = |id: &String| {
        let (prefix, rest) = id.split_once('_').unwrap_or(("none", id));
        format!("{prefix}_{}", rest.chars().map(|_| 'z').collect::<String>())
    };
    ids.iter().map(|(name, id)| (name.clone(), random(id))).collect()
}
