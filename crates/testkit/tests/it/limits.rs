//! How often visitors may ask, where there are limits: production instances have them.

use domain::Rate;
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{ask::FORM, races, sessions::set};

const PASSWORD: &str = "a blue whale sings";

/// A browser of the production instance.
fn live(server: &TestServer) -> Browser<'_> {
    Browser::new(server, 2)
}

fn limited(refused: &Response) {
    refused.assert_refusal("limit");
    let said = (refused.status, refused.code());
    assert_eq!(said, (429, "too_many_requests".to_owned()), "{}", refused.without_trace());
    let seconds: u64 = refused.header("retry-after").expect("when").parse().expect("a number");
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    let exposed = refused.header("access-control-expose-headers").unwrap_or_default();
    assert!(exposed.contains("Retry-After"), "pages may read it");
}

async fn testing_token(server: &TestServer) -> String {
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    let request = Request::new("POST", "/v1/testing_tokens").bearer(&key).json(&json!({}));
    server.call(request).await.json()["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn pwd_09_production_limits_sign_ins_and_sign_ups_and_what_is_tried() {
    let server = TestServer::start().await;
    let ada = json!({"email_address": ["ada@example.com"], "password": PASSWORD});
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    let made = server.call(Request::new("POST", "/v1/users").bearer(&key).json(&ada)).await;
    assert_eq!(made.status, 200, "{}", made.without_trace());
    let token = testing_token(&server).await;
    let families = [
        ("sign_ins", "identifier", "attempt_first_factor"),
        ("sign_ups", "email_address", "attempt_verification"),
    ];
    for (family, name, attempt) in families {
        let create = format!("/v1/client/{family}");
        let mut browser = live(&server);
        let mut last = Value::Null;
        for number in 0..5 {
            let address = if family == "sign_ins" { "ada".to_owned() } else { number.to_string() };
            let address = format!("{address}@example.com");
            let begun = browser.post(&create, &[(name, &address)]).await;
            assert_eq!(begun.status, 200, "{}", begun.without_trace());
            last = begun.json()["response"]["id"].clone();
        }
        // The same address of the network, whatever identifier it is about.
        limited(&browser.post(&create, &[(name, "another@example.com")]).await);
        let mut testing = live(&server);
        let with_token = format!("{create}?__clerk_testing_token={token}");
        let begun = testing.post(&with_token, &[(name, "ada2@example.com")]).await;
        assert_ne!(begun.status, 429, "{}", begun.without_trace());
        let path = format!("{create}/{}/{attempt}", last.as_str().expect("an id"));
        let code = [("strategy", "email_code"), ("code", "000000")];
        for _ in 0..3 {
            let refused = browser.post(&path, &code).await;
            assert_eq!(refused.code(), "verification_not_sent", "{}", refused.without_trace());
        }
        limited(&browser.post(&path, &code).await);
        let with_token = format!("{path}?__clerk_testing_token={token}");
        assert_eq!(browser.post(&with_token, &code).await.code(), "verification_not_sent");
        server.advance(10_000);
        assert_eq!(browser.post(&path, &code).await.code(), "verification_not_sent");
        assert_ne!(browser.post(&create, &[(name, "another@example.com")]).await.status, 429);
        server.advance(10_000);
    }
}

/// A request that an app's own server forwards for a browser at `address`.
fn forwarded(server: &TestServer, address: &str, identifier: &str) -> Request {
    let key = server.keys[2].secret_key.as_deref().expect("it was just made");
    Request::new("POST", "/v1/client/sign_ins")
        .header("host", &server.keys[2].frontend_host)
        .header("origin", "https://three.example")
        .header("clerk-secret-key", key)
        .header("x-forwarded-for", address)
        .body(FORM, format!("identifier={identifier}"))
}

#[tokio::test]
async fn pwd_09_an_identifier_is_guarded_wherever_one_asks_from() {
    let server = TestServer::start().await;
    for number in 0..5 {
        let address = format!("192.0.2.{number}");
        let refused = server.call(forwarded(&server, &address, "ada%40example.com")).await;
        assert_eq!(refused.code(), "form_identifier_not_found", "{}", refused.without_trace());
    }
    for spelling in ["ada%40example.com", "ADA%40Example.com", "+ada%40example.com"] {
        limited(&server.call(forwarded(&server, "192.0.2.9", spelling)).await);
    }
    let other = server.call(forwarded(&server, "192.0.2.9", "bob%40example.com")).await;
    assert_eq!(other.code(), "form_identifier_not_found");
}

#[tokio::test]
async fn pwd_10_nobody_says_themselves_where_they_are() {
    let server = TestServer::start().await;
    let long = "1.2.3.4, ".repeat(500);
    let said = ["", "a", "203.0.113.7", "203.0.113.8, 10.0.0.1", "::1", "unknown", &long, "\u{e9}"];
    let headers =
        ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip"];
    let mut asked = 0;
    for value in said {
        for name in headers {
            let request = Request::new("POST", "/v1/client/sign_ins")
                .header("host", &server.keys[2].frontend_host)
                .header("origin", "https://three.example")
                .header(name, value)
                .body(FORM, format!("identifier={asked}%40d.test"));
            let refused = server.call(request).await;
            asked += 1;
            if asked <= 5 {
                assert_eq!(refused.code(), "form_identifier_not_found", "{name} {value}");
            } else {
                limited(&refused);
            }
        }
    }
}

#[tokio::test]
async fn otp_04_otp_16_messages_are_limited_by_whom_they_go_to_and_who_asks() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.creates = Rate { requests: 1000, seconds: 10 };
        settings.rate_limits.messages_in_all = Rate { requests: 60, seconds: 3600 };
        let phone = &mut settings.attributes.phone_number;
        (phone.enabled, phone.used_for_first_factor) = (true, true);
        settings.attributes.password.required = false;
    })
    .await;
    let ask = async |name: &str, value: &str| {
        let mut browser = Browser::open(&server).await;
        let begun = browser.post("/v1/client/sign_ups", &[(name, value)]).await;
        assert_eq!(begun.status, 200, "{}", begun.without_trace());
        let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
        let strategy = if name == "phone_number" { "phone_code" } else { "email_code" };
        let path = format!("/v1/client/sign_ups/{id}/prepare_verification");
        browser.post(&path, &[("strategy", strategy)]).await
    };
    // Five to one address; what is refused sends nothing.
    for _ in 0..5 {
        assert_eq!(ask("email_address", "ada@example.com").await.status, 200);
    }
    let sent = server.outbox().await.len();
    limited(&ask("email_address", "ada@example.com").await);
    assert_eq!(server.outbox().await.len(), sent);
    // Twenty that one asks for, to whomever.
    for number in 0..15 {
        let address = format!("person{number}@example.com");
        assert_eq!(ask("email_address", &address).await.status, 200);
    }
    limited(&ask("email_address", "somebody.else@example.com").await);
    // Thirty to the numbers of one range, and so many in all.
    let mut refused = 0;
    for number in 0..40 {
        if number % 15 == 0 {
            server.advance(61_000);
        }
        let answer = ask("phone_number", &format!("+120255512{number:02}")).await;
        if answer.status != 200 {
            limited(&answer);
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
    for number in 0..40 {
        if number % 15 == 0 {
            server.advance(61_000);
        }
        let answer = ask("phone_number", &format!("+1202{}5512", 300 + number)).await;
        refused += u32::from(answer.status == 429);
    }
    assert_eq!(refused, 20);
}

#[tokio::test]
async fn otp_16_codes_of_profiles_and_of_applications_are_limited_together() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.messages = Rate { requests: 2, seconds: 600 };
    })
    .await;
    let backend = async |path: &str, body: Value| {
        server.call(Request::new("POST", path).bearer(server.secret_key()).json(&body)).await
    };
    let ada = backend("/v1/users", json!({ "skip_user_requirement": true })).await.json();
    let ada = ada["id"].as_str().expect("an id").to_owned();
    let body = json!({ "user_id": ada, "email_address": "ada@example.com" });
    let address = backend("/v1/email_addresses", body).await.json();
    let id = address["id"].as_str().expect("an id");
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&ada.into()).await;
    let path = format!("/v1/email_addresses/{id}/prepare_verification");
    let own = format!("/v1/me/email_addresses/{id}/prepare_verification");
    let code = [("strategy", "email_code")];

    assert_eq!(backend(&path, json!({})).await.status, 200);
    server.advance(31_000);
    assert_eq!(browser.post(&own, &code).await.status, 200);
    server.advance(31_000);
    let sent = server.outbox().await.len();
    limited(&browser.post(&own, &code).await);
    let refused = backend(&path, json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(server.outbox().await.len(), sent);
    server.advance(600_000);
    assert_eq!(browser.post(&own, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_15_of_many_who_begin_at_once_as_many_may_as_may() {
    let server = TestServer::start().await;
    let host = server.keys[2].frontend_host.clone();
    let results = races::together(|number| {
        let request = Request::new("POST", "/v1/client/sign_ins")
            .header("host", &host)
            .header("origin", "https://three.example")
            .body(FORM, format!("identifier={number}%40d.test"));
        let address = server.address().to_owned();
        async move { races::answered(request, address).await.status }
    })
    .await;
    assert_eq!(results.iter().filter(|status| **status == 422).count(), 5, "{results:?}");
    assert_eq!(results.iter().filter(|status| **status == 429).count(), 59, "{results:?}");
}
