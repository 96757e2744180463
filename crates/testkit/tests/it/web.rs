//! What stands between a browser and the Frontend API: where it is sent, what it keeps, what it may
//! be made to send.

use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer, escaped, somebody};
use wire::{Body, Method};

use crate::{
    ask::{Ask, FORM, Ids, visited},
    sessions::set,
};

/// Addresses that look like the instance's own to whoever looks at the text.
const FOREIGN: &[&str] = &[
    "https://malice.example/",
    "//malice.example/",
    "/\\malice.example",
    "https://three.example.malice.example/",
    "https://three.example@malice.example/",
    "https://malice.example\\.three.example/",
    "https://malice.example#.three.example",
    "https:malice.example",
    "javascript:alert(document.domain)//malice.example",
    "data:text/html,malice.example",
    "vbscript:malice.example",
    "file:///malice.example",
    "intent://malice.example#Intent;end",
    "https://malice.example%00.three.example/",
    "https://three.example\t@malice.example/",
];

fn named(meta: &wire::Meta) -> String {
    format!("{} {}", meta.method.as_str(), meta.path)
}

/// Operations that are told where somebody shall be sent.
fn sending() -> Vec<wire::Meta> {
    let all = domain::frontend_api().0.into_iter().map(|operation| operation.meta);
    all.filter(|meta| meta.fields.iter().any(|field| field.name == "redirect_url")).collect()
}

#[tokio::test]
async fn web_05_web_06_web_07_nobody_is_sent_to_pages_of_others() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    set(&server, |settings| {
        settings.session.single_session = false;
        settings.attributes.password.required = false;
        let email = &mut settings.attributes.email_address;
        email.first_factors.push(domain::settings::Strategy::EmailLink);
    })
    .await;
    let mut live = Browser::new(&server, 2);
    assert!(sending().len() >= 8, "the table says who is sent");
    for meta in sending() {
        for foreign in FOREIGN {
            for browser in [&mut browser, &mut live] {
                let mut ask = Ask::new(meta, &ids).with("redirect_url", json!(foreign));
                if meta.fields.iter().any(|field| field.name == "strategy") {
                    ask = ask.with("strategy", json!("email_link"));
                }
                if meta.name == "CreateSignIn" {
                    ask = ask.with("identifier", json!("bob@example.com"));
                }
                let answer = browser.ask(ask.form()).await;
                let of = format!("{} {foreign}", named(&meta));
                answer.assert_refusal(&of);
                assert_eq!(answer.header("location"), None, "{of}");
            }
        }
    }
    let kept = format!("{:?} {:?}", server.dump().await, server.outbox().await);
    assert!(!kept.contains("malice"), "it is kept somewhere");
}

#[tokio::test]
async fn otp_12_web_08_links_are_made_of_the_configuration_alone() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let email = domain::settings::Strategy::EmailLink;
    set(&server, |settings| {
        settings.session.single_session = false;
        settings.attributes.email_address.first_factors.push(email);
    })
    .await;
    let forged = [
        ("x-forwarded-host", "malice.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "666"),
        ("forwarded", "host=malice.example;proto=https"),
        ("x-original-host", "malice.example"),
        ("x-host", "malice.example"),
        ("referer", "https://malice.example/"),
        ("clerk-proxy-url", "https://malice.example/"),
    ];
    let fields = "identifier=bob%40example.com&strategy=email_link&redirect_url=\
                  http%3A%2F%2Flocalhost%3A3000%2F";
    let mut request = Request::new("POST", "/v1/client/sign_ins").body(FORM, fields);
    for (name, value) in forged {
        request = request.header(name, value);
    }
    let sent = browser.ask(request).await;
    assert_eq!(sent.status, 200, "{}", sent.without_trace());
    let path = format!("/v1/client/sessions/{}/tokens", ids["session_id"]);
    let mut request = Request::new("POST", &path);
    for (name, value) in forged {
        request = request.header(name, value);
    }
    let token = browser.ask(request).await.json()["jwt"].as_str().expect("a token").to_owned();
    let claims = jwt::decode_unverified(&token).expect("a token").payload;
    assert_eq!(claims["iss"], "https://one.clerk.accounts.dev");
    let outbox = server.outbox().await;
    let link = outbox.iter().rev().find_map(|message| message.data.pointer("/data/magic_link"));
    let link = link.and_then(Value::as_str).expect("a link was sent");
    assert!(link.starts_with(&format!("{}/", server.address())), "{link}");
    let kept = format!("{:?} {outbox:?}", server.dump().await);
    assert!(!kept.contains("malice.example"), "it is kept somewhere");
}

#[tokio::test]
async fn web_09_answers_are_what_they_say_they_are() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    for operation in domain::frontend_api().0 {
        let answer = browser.ask(Ask::new(operation.meta, &ids).form()).await;
        let of = named(&operation.meta);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{of}");
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(name), None, "{of}");
        }
    }
    let backend = Request::new("GET", "/v1/users").bearer(server.secret_key());
    let answer = server.call(backend).await;
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn web_11_requests_that_no_page_makes_are_refused() {
    let server = TestServer::start().await;
    let (mut browser, _) = visited(&server).await;
    let before = server.dump().await;
    for method in ["TRACE", "BREW", "HEAD", "PROPFIND", "get"] {
        for path in ["/v1/client", "/v1/me", "/v1/verify?token=x"] {
            let answer = browser.ask(Request::new(method, path)).await;
            assert!((400..500).contains(&answer.status), "{method} {path}: {}", answer.status);
        }
    }
    let targets = [
        "http://ada:secret@one.clerk.accounts.dev/v1/me",
        "https://malice.example/v1/me",
        "*",
        "/v1/me#x",
        "/v1/me\\..",
    ];
    for target in targets {
        let request = Request::new("GET", target).header("host", &browser.host);
        let answer = server.call(request).await;
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.status);
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn web_14_bodies_are_forms_or_json_and_nothing_else() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let before = server.dump().await;
    for operation in domain::frontend_api().0 {
        let meta = operation.meta;
        if meta.body != Body::Fields {
            continue;
        }
        for content_type in
            ["text/plain", "text/html", "application/xml", "", "multipart/form-data"]
        {
            let request = Ask::new(meta, &ids).body(content_type, "a=b").request();
            let refused = browser.ask(request).await;
            refused.assert_refusal(&named(&meta));
            let said = (refused.status, refused.code());
            let expected = (415, "unsupported_content_type".to_owned());
            assert_eq!(said, expected, "{} {content_type}", named(&meta));
        }
        let mut request = Ask::new(meta, &ids).body("", "a=b").request();
        request.headers.clear();
        assert_eq!(browser.ask(request).await.status, 415, "{}", named(&meta));
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn web_20_no_spelling_of_a_path_leads_around_who_asks() {
    let server = TestServer::start().await;
    let mut nobody = Browser::open(&server).await;
    let (mut known, _) = visited(&server).await;
    let paths = [
        "/v1//me",
        "//v1/me/",
        "/v1/%6de",
        "/v1/me;x",
        "/v1/me%2f",
        "/v1/Me",
        "/V1/me",
        "/v1/./me",
        "/v1/client/../me",
        "/v1/client/%2e%2e/me",
        "/v1/me%00",
        "/_/one.clerk.accounts.dev/v1/me",
        "/v1/me/",
    ];
    for path in paths {
        let refused = nobody.get(path).await;
        refused.assert_refusal(path);
        assert!(matches!(refused.status, 401 | 404), "{path}: {}", refused.status);
        let answer = known.get(path).await;
        let is_same = answer.status == 200 && refused.status == 401;
        assert!(is_same || answer.status == 404, "{path}: {} {}", refused.status, answer.status);
    }
}

/// What a `Set-Cookie` line says.
fn attributes(line: &str) -> (String, String, Vec<String>) {
    let mut parts = line.split("; ").map(str::to_owned);
    let (name, value) =
        parts.next().and_then(|pair| pair.split_once('=').map(own)).expect("a pair");
    (name, value, parts.collect())
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

fn cookies(answer: &Response) -> Vec<(String, String, Vec<String>)> {
    let lines = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let lines: Vec<_> = lines.collect();
    for (_, line) in &lines {
        assert!(line.len() < 4096, "{} bytes", line.len());
    }
    lines.into_iter().map(|(_, line)| attributes(line)).collect()
}

#[tokio::test]
async fn ses_01_ses_03_cookies_of_every_flow_are_guarded_and_old_ones_are_nothing() {
    let server = TestServer::start().await;
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    let ada = json!({"email_address": ["ada@example.com"], "password": "a blue whale sings"});
    server.call(Request::new("POST", "/v1/users").bearer(&key).json(&ada)).await;
    let mut browser = Browser::new(&server, 2);
    let fields = [("identifier", "ada@example.com"), ("password", "a blue whale sings")];
    let mut answers = vec![browser.submit(Some("PUT"), "/v1/client", &[]).await];
    let before = browser.cookies["__client"].clone();
    let begun = browser.post("/v1/client/sign_ins", &fields).await;
    let session = begun.json()["response"]["created_session_id"].as_str().expect("in").to_owned();
    let during = browser.cookies["__client"].clone();
    answers.push(begun);
    let path = |step: &str| format!("/v1/client/sessions/{session}/{step}");
    answers.push(browser.post(&path("touch"), &[]).await);
    answers.push(browser.post(&path("tokens"), &[]).await);
    for page in ["handshake?format=nonce&redirect_url=", "touch?redirect_url="] {
        let page = format!("/v1/client/{page}https%3A%2F%2Fthree.example%2F");
        answers.push(browser.get(&page).await);
    }
    answers.push(browser.post(&path("remove"), &[]).await);
    let fields = [("email_address", "bob@example.com"), ("password", "two red foxes dance")];
    answers.push(browser.post("/v1/client/sign_ups", &fields).await);
    answers.push(browser.delete("/v1/client").await);
    let mut seen = std::collections::BTreeSet::new();
    for answer in &answers {
        assert!(answer.status < 400, "{}", answer.without_trace());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        for (name, _, attributes) in cookies(answer) {
            let has = |attribute: &str| attributes.iter().any(|own| own == attribute);
            assert!(has("Path=/") && has("SameSite=Lax"), "{name} {attributes:?}");
            let is_secret = name == "__client" || name.starts_with("__clerk_handshake");
            assert_eq!(has("HttpOnly"), is_secret, "{name} {attributes:?}");
            let is_shared = attributes.iter().any(|own| own.starts_with("Domain="));
            // The client's cookie is the host's alone.
            assert_eq!(is_shared, name != "__client", "{name} {attributes:?}");
            seen.insert(name.split("_uat").next().unwrap_or_default().to_owned());
        }
    }
    assert!(seen.contains("__client") && seen.contains("__clerk_handshake_nonce"), "{seen:?}");
    for old in [before, during] {
        let mut other = Browser::new(&server, 2);
        other.cookies.insert("__client".to_owned(), old);
        assert_eq!(other.client().await, Value::Null);
        assert_eq!(other.get("/v1/me").await.status, 401);
    }
}

#[tokio::test]
async fn ses_04_ses_05_what_is_ended_in_any_way_has_no_tokens() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.session.single_session = false).await;
    let user = server.backend.send(&somebody()).await.expect("a user is made").id;
    for way in ["end", "remove", "revoke", "sign out", "forget", "backend"] {
        let (mut here, mut there) = (Browser::open(&server).await, Browser::open(&server).await);
        let (ends, stays) = (here.sign_in(&user).await, there.sign_in(&user).await);
        let before = server.events().await.len();
        let done = match way {
            "end" | "remove" => here.post(&format!("/v1/client/sessions/{ends}/{way}"), &[]).await,
            "revoke" => there.post(&format!("/v1/me/sessions/{ends}/revoke"), &[]).await,
            "sign out" => here.delete("/v1/client/sessions").await,
            "forget" => here.delete("/v1/client").await,
            _ => {
                let path = format!("/v1/sessions/{ends}/revoke");
                let request = Request::new("POST", &path).bearer(server.secret_key());
                server.call(request.json(&json!({}))).await
            }
        };
        assert!(done.status < 300, "{way}: {}", done.without_trace());
        let events = server.events().await.split_off(before);
        let kinds = ["session.ended", "session.removed", "session.revoked"];
        let ended = events.iter().filter(|kind| kinds.contains(&kind.as_str()));
        assert_eq!(ended.count(), 1, "{way}: {events:?}");
        for path in ["tokens", "touch", "tokens/none"] {
            let refused = here.post(&format!("/v1/client/sessions/{ends}/{path}"), &[]).await;
            refused.assert_refusal(way);
            assert!(matches!(refused.status, 401 | 404), "{way}: {}", refused.status);
        }
        assert_eq!(here.get("/v1/me").await.status, 401, "{way}");
        let token = there.post(&format!("/v1/client/sessions/{stays}/tokens"), &[]).await;
        assert_eq!(token.status, 200, "{way}");
    }
}

#[tokio::test]
async fn ses_05_a_ban_ends_fifty_sessions_each_once() {
    let server = TestServer::start().await;
    let user = server.backend.send(&somebody()).await.expect("a user is made").id;
    let mut browsers = Vec::new();
    for _ in 0..50 {
        let mut browser = Browser::open(&server).await;
        let session = browser.sign_in(&user).await;
        browsers.push((browser, session));
    }
    let request = Request::new("POST", &format!("/v1/users/{user}/ban"));
    let banned = server.call(request.bearer(server.secret_key()).json(&json!({}))).await;
    assert_eq!(banned.status, 200);
    for (browser, session) in &mut browsers {
        let refused = browser.post(&format!("/v1/client/sessions/{session}/tokens"), &[]).await;
        assert!(matches!(refused.status, 401 | 403), "{}", refused.without_trace());
    }
    let events = server.events().await;
    assert_eq!(events.iter().filter(|kind| *kind == "session.revoked").count(), 50);
}

#[tokio::test]
async fn ses_17_a_native_app_has_no_cookies_and_no_origin() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("a user is made").id;
    let mut browser = Browser::new(&server, 2);
    browser.sign_in(&user).await;
    let both = browser.get("/v1/me?_is_native=1").await;
    let said = (both.status, both.code());
    assert_eq!(said, (400, "origin_authorization_headers_conflict".to_owned()));
    // Cookies are nothing to whoever says that it is an app.
    browser.origin = None;
    let cookie = browser.get("/v1/me?_is_native=1").await;
    assert_eq!((cookie.status, cookie.code().as_str()), (401, "authentication_invalid"));
    // Nor is the header anything to a page.
    let token = browser.cookies["__client"].clone();
    let mut page = Browser::new(&server, 2);
    let request = Request::new("GET", "/v1/me").header("authorization", &token);
    assert_eq!(page.ask(request).await.status, 401);
}

#[tokio::test]
async fn web_04_links_that_others_made_sign_nobody_in() {
    let server = TestServer::start().await;
    let attacker = server.backend.send(&somebody()).await.expect("a user is made").id;
    let token = Request::new("POST", "/v1/sign_in_tokens").bearer(server.secret_key());
    let token = server.call(token.json(&json!({"user_id": attacker}))).await.json();
    let ticket = token["token"].as_str().expect("a ticket");
    let mut victim = Browser::open(&server).await;
    let before = server.dump().await;
    let url = format!("/v1/tickets/accept?ticket={}", escaped(ticket));
    for _ in 0..2 {
        let sent = victim.get(&url).await;
        assert_eq!(sent.status, 303, "{}", sent.without_trace());
        assert!(cookies(&sent).is_empty());
    }
    let sign_in = format!("/v1/client/sign_ins?strategy=ticket&ticket={}", escaped(ticket));
    assert_eq!(victim.get(&sign_in).await.status, 405);
    assert_eq!(server.dump().await, before, "to look at a link spends nothing");
    assert_eq!(victim.client().await["sessions"], json!([]));
    // A form of another page, which a browser sends with its origin or with what site it is of.
    victim.origin = Some("null".to_owned());
    let body = format!("strategy=ticket&ticket={}", escaped(ticket));
    let forged = victim.ask(Request::new("POST", "/v1/client/sign_ins").body(FORM, body)).await;
    assert_eq!(forged.code(), "origin_invalid");
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn otp_17_nobody_says_of_their_own_address_that_it_is_proven() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let more = [
        ("verified", "true"),
        ("verification", "{\"status\":\"verified\"}"),
        ("status", "verified"),
        ("identification_status", "verified"),
        ("email_address_identification_status", "verified"),
        ("primary", "true"),
        ("reserved", "true"),
    ];
    let fields = [&[("email_address", "third@example.com")][..], &more].concat();
    let added = browser.post("/v1/me/email_addresses", &fields).await.json();
    assert_eq!(added["response"]["verification"], Value::Null);
    assert_eq!(added["response"]["reserved"], false);
    let fields = [&[("email_address", "fourth@example.com")][..], &more].concat();
    let begun = browser.post("/v1/client/sign_ups", &fields).await.json();
    assert_eq!(begun["response"]["unverified_fields"], json!(["email_address"]));
    let path = format!("/v1/me/email_addresses/{}", ids["email_id"]);
    let refused = browser.patch(&path, &more).await;
    refused.assert_refusal("there is no such operation");
    assert_eq!(browser.get(&path).await.json()["response"]["verification"], Value::Null);
}

#[tokio::test]
async fn otp_13_addresses_that_mean_two_get_no_mail() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.password.required = false).await;
    let (mut browser, _) = visited(&server).await;
    let before = server.outbox().await.len();
    let addresses = [
        "a@x.example,b@y.example",
        "a@x.example b@y.example",
        "\"a@x.example\"@y.example",
        "a@x.example\r\nBcc: b@y.example",
        "a@x.example\nb@y.example",
        "<a@x.example>",
        "Ada <a@x.example>",
        "a(comment)@x.example",
        "a@x.example>",
        "a@x.example;b@y.example",
        "a@x.example%0aBcc:b@y.example",
        "a@[127.0.0.1]",
        "a@localhost\u{0}",
    ];
    for address in addresses {
        let tries = [
            ("/v1/client/sign_ups", "email_address"),
            ("/v1/me/email_addresses", "email_address"),
            ("/v1/client/sign_ins", "identifier"),
        ];
        for (path, name) in tries {
            let fields = [(name, address), ("strategy", "email_code")];
            let refused = browser.post(path, &fields).await;
            refused.assert_refusal(address);
            assert_eq!(refused.status, 422, "{path} {address:?}: {}", refused.without_trace());
        }
    }
    assert_eq!(server.outbox().await.len(), before);
}

#[tokio::test]
async fn web_03_a_method_in_the_address_counts_after_the_origin() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("a user is made").id;
    let mut browser = Browser::new(&server, 2);
    browser.sign_in(&user).await;
    browser.origin = Some("https://malice.example".to_owned());
    for meta in domain::frontend_api().0.into_iter().map(|operation| operation.meta) {
        if !matches!(meta.method, Method::PATCH | Method::PUT | Method::DELETE) {
            continue;
        }
        let path = Ask::new(meta, &Ids::new()).path();
        let refused = browser.submit(Some(meta.method.as_str()), &path, &[]).await;
        assert_eq!(refused.code(), "origin_invalid", "{}", named(&meta));
    }
    browser.origin = Some("https://three.example".to_owned());
    assert_eq!(browser.client().await["sessions"].as_array().map(Vec::len), Some(1));
}
