//! Visitors who guess, who ask too often, and who wait for what others undo.

use std::time::Duration;

use db::{Mode, Scope, Unit, Value as Column};
use domain::{Hasher, Rate, frontend, settings::Strategy};
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{sessions::set, sign_ins::backend};

const ADDRESS: &str = "ada@example.com";
const PASSWORD: &str = "a blue whale sings";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const DAY_MS: i64 = 24 * 3600 * 1000;

async fn ada(server: &TestServer, more: Value) -> String {
    let mut body = json!({
        "email_address": [ADDRESS], "password": PASSWORD, "skip_user_requirement": true,
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let user = backend(server, "/v1/users", &body).await;
    user["id"].as_str().expect("an id").to_owned()
}

fn said(answer: &Response) -> (u16, String) {
    let code = if answer.status == 200 { String::new() } else { answer.code() };
    (answer.status, code)
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Begins a sign-in; tells the path of its steps.
async fn begun(browser: &mut Browser<'_>, identifier: &str) -> String {
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", identifier)]).await;
    assert_eq!(begun.status, 200, "{}", begun.without_trace());
    format!("/v1/client/sign_ins/{}", begun.json()["response"]["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn pwd_11_limits_of_messages_tell_nobody_who_has_an_account() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attack_protection.enumeration_protection = true;
        settings.rate_limits.enabled = true;
        settings.rate_limits.creates = Rate { requests: 1000, seconds: 10 };
        settings.blocked_country_codes = vec!["DE".to_owned()];
        let phone = &mut settings.attributes.phone_number;
        (phone.enabled, phone.used_for_first_factor) = (true, true);
    })
    .await;
    ada(&server, json!({"phone_number": ["+12025550101", "+4930123456"]})).await;
    let asked = [
        ("email_code", ADDRESS, "bob@example.com"),
        ("phone_code", "+12025550101", "+12125550101"),
        ("phone_code", "+4930123456", "+4930123457"),
    ];
    for (strategy, known, unknown) in asked {
        let mut answers = Vec::new();
        for identifier in [known, unknown] {
            let mut browser = Browser::open(&server).await;
            let path = format!("{}/prepare_first_factor", begun(&mut browser, identifier).await);
            let mut own = Vec::new();
            for _ in 0..7 {
                own.push(said(&browser.post(&path, &[("strategy", strategy)]).await));
            }
            answers.push(own);
        }
        assert_eq!(answers[0], answers[1], "{strategy} {known}");
        assert_ne!(answers[0][6].0, 200, "{strategy} {known}: it has a limit");
    }
}

#[tokio::test]
async fn pwd_11_what_is_given_up_and_what_it_is_called_tell_nobody_who_has_an_account() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let id = ada(&server, json!({"first_name": "Ada"})).await;
    let user = Request::new("GET", &format!("/v1/users/{id}")).bearer(server.secret_key());
    let own = server.call(user).await.json()["email_addresses"][0]["id"].clone();
    let mut browser = Browser::open(&server).await;
    let path = begun(&mut browser, ADDRESS).await;
    let shown = browser.get(&path).await.json();
    // An id says when it was made: of those whom nobody has it could only be made up.
    let factors = shown["response"]["supported_first_factors"].to_string();
    assert!(factors.contains("idn_") && !factors.contains(text(&own)), "{factors}");
    let id = text(&shown["response"]["supported_first_factors"][1]["email_address_id"]).to_owned();
    let fields = [("strategy", "email_code"), ("email_address_id", &*id)];
    let sent = browser.post(&format!("{path}/prepare_first_factor"), &fields).await;
    assert_eq!(sent.status, 200, "{}", sent.without_trace());
    begun(&mut browser, "bob@example.com").await;
    let given_up = browser.get(&path).await.json();
    assert_eq!(given_up["response"]["status"], "abandoned");
    assert_eq!(given_up["response"]["user_data"], Value::Null, "{given_up}");
}

#[tokio::test]
async fn pwd_11_a_lock_tells_nobody_who_has_an_account() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let id = ada(&server, json!({})).await;
    backend(&server, &format!("/v1/users/{id}/lock"), &json!({})).await;
    let mut answers = Vec::new();
    for identifier in [ADDRESS, "bob@example.com"] {
        let mut browser = Browser::open(&server).await;
        let path = begun(&mut browser, identifier).await;
        let strategy = ("strategy", "email_code");
        browser.post(&format!("{path}/prepare_first_factor"), &[strategy]).await;
        let path = format!("{path}/attempt_first_factor");
        let mut own = Vec::new();
        for _ in 0..5 {
            own.push(said(&browser.post(&path, &[strategy, ("code", "000001")]).await));
        }
        answers.push(own);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn pwd_11_no_password_tells_what_a_user_is_known_by() {
    let server = TestServer::start().await;
    for hides in [false, true] {
        set(&server, |settings| {
            settings.attack_protection.enumeration_protection = hides;
            settings.attributes.username.enabled = true;
        })
        .await;
        let address = if hides { "eve@example.com" } else { ADDRESS };
        let username = if hides { "evelynrules" } else { "lovelace1815" };
        ada(&server, json!({"email_address": [address], "username": username})).await;
        let mut answers = Vec::new();
        for identifier in [address, "bob@example.com"] {
            if identifier != address && !hides {
                continue;
            }
            let mut browser = Browser::open(&server).await;
            let path = begun(&mut browser, identifier).await;
            let strategy = ("strategy", "reset_password_email_code");
            browser.post(&format!("{path}/prepare_first_factor"), &[strategy]).await;
            let path = format!("{path}/attempt_first_factor");
            for guess in [username, identifier] {
                let fields = [strategy, ("code", "000001"), ("password", guess)];
                answers.push(said(&browser.post(&path, &fields).await));
            }
        }
        // Nobody has proven anything: what they said themselves is all that is compared.
        let once = [is(422, "form_code_incorrect"), is(422, "form_password_matches_identifier")];
        let expected = if hides { [once.clone(), once].concat() } else { once.to_vec() };
        assert_eq!(answers, expected, "{hides}");
    }
}

#[tokio::test]
async fn pwd_15_who_has_proven_it_learns_that_a_name_is_no_password() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.username.enabled = true).await;
    ada(&server, json!({"username": "lovelace1815"})).await;
    let mut browser = Browser::open(&server).await;
    let path = begun(&mut browser, ADDRESS).await;
    let strategy = ("strategy", "reset_password_email_code");
    browser.post(&format!("{path}/prepare_first_factor"), &[strategy]).await;
    let outbox = server.outbox().await;
    let sent = outbox.iter().rev().find_map(|message| message.data.pointer("/data/otp_code"));
    let code = sent.and_then(Value::as_str).expect("a code was sent").to_owned();
    let path = format!("{path}/attempt_first_factor");
    let fields = [strategy, ("code", &*code), ("password", "lovelace1815")];
    let refused = browser.post(&path, &fields).await;
    assert_eq!(said(&refused), is(422, "form_password_matches_identifier"));
    // The code is not spent on that.
    let fields = [strategy, ("code", &*code), ("password", "another blue whale")];
    let done = browser.post(&path, &fields).await;
    assert_eq!(done.json()["response"]["status"], "complete", "{}", done.without_trace());
}

/// A request that an app's own server forwards for a visitor at `address`.
fn forwarded(server: &TestServer, address: &str, identifier: &str) -> Request {
    let key = server.keys[2].secret_key.as_deref().expect("it was just made");
    let identifier: String = url::form_urlencoded::byte_serialize(identifier.as_bytes()).collect();
    Request::new("POST", "/v1/client/sign_ins")
        .header("host", &server.keys[2].frontend_host)
        .header("origin", "https://three.example")
        .header("clerk-secret-key", key)
        .header("x-forwarded-for", address)
        .body("application/x-www-form-urlencoded", format!("identifier={identifier}"))
}

#[tokio::test]
async fn pwd_09_no_spelling_leads_around_a_limit() {
    let server = TestServer::start().await;
    let spellings = [
        "+12025550101",
        "+1 202 555 0101",
        "+1 (202) 555-0101",
        "+1-202-555-0101",
        "+1 2025550101",
        "+12 025550101",
        "+120 25550101",
    ];
    let mut limited = 0;
    for (number, spelling) in spellings.into_iter().enumerate() {
        let answer = server.call(forwarded(&server, &format!("192.0.2.{number}"), spelling)).await;
        limited += usize::from(answer.status == 429);
    }
    assert_eq!(limited, 2, "an identifier is one, however it is written");
    server.advance(10_001);
    let mut limited = 0;
    for number in 0..7 {
        let (address, whom) = (format!("2001:db8:1:2::{number:x}"), format!("p{number}@d.test"));
        let answer = server.call(forwarded(&server, &address, &whom)).await;
        limited += usize::from(answer.status == 429);
    }
    assert_eq!(limited, 2, "who has one address of a network has all of them");
    let other = server.call(forwarded(&server, "2001:db8:1:3::1", "somebody@d.test")).await;
    assert_ne!(other.status, 429);
}

#[tokio::test]
async fn pwd_09_whatever_has_a_password_hashed_is_limited() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.rate_limits.enabled = true).await;
    let mut browser = Browser::open(&server).await;
    let path = begun_sign_up(&mut browser).await;
    let mut limited = 0;
    for _ in 0..7 {
        let answer = browser.patch(&path, &[("password", PASSWORD)]).await;
        limited += usize::from(answer.status == 429);
    }
    assert_eq!(limited, 2, "passwords of sign-ups");
    let id = ada(&server, json!({})).await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&id.as_str().into()).await;
    let fields = [("current_password", "wrong"), ("new_password", "another blue whale")];
    let mut limited = 0;
    for path in ["change_password", "remove_password"].repeat(3) {
        let answer = browser.post(&format!("/v1/me/{path}"), &fields).await;
        limited += usize::from(answer.status == 429);
    }
    assert_eq!(limited, 3, "passwords of users");
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_14_of_many_guesses_at_once_no_more_count_than_one_by_one() {
    // One password at a time, in the order in which they are asked about.
    let server = TestServer::start_hashing(Hasher::new(1)).await;
    let id = ada(&server, json!({})).await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&id.as_str().into()).await;
    let token = browser.dev_browser.clone().expect("a token");
    let request = |current: &str| {
        Request::new("POST", &format!("/v1/me/change_password?__clerk_db_jwt={token}"))
            .header("host", &server.keys[0].frontend_host)
            .header("origin", "http://localhost:3000")
            .body(
                "application/x-www-form-urlencoded",
                format!("new_password=another+blue+whale&current_password={current}"),
            )
    };
    let wrong: Vec<_> = (0..20)
        .map(|_| {
            let (request, address) = (request("wrong"), server.address().to_owned());
            tokio::spawn(async move { request.send(&address).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    let right = request("a+blue+whale+sings").send(server.address()).await;
    for task in wrong {
        let refused = task.await.expect("it does not panic");
        assert_ne!(refused.status, 200, "{}", refused.without_trace());
    }
    assert_eq!(said(&right), is(403, "user_locked"));
}

#[tokio::test]
async fn pwd_22_who_knew_an_older_password_has_proven_nothing() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        let own = &mut settings.attributes.authenticator_app;
        (own.enabled, own.used_for_second_factor) = (true, true);
        own.second_factors = vec![Strategy::Totp];
    })
    .await;
    let id = ada(&server, json!({"totp_secret": SECRET})).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    let begun = browser.post("/v1/client/sign_ins", &fields).await.json();
    assert_eq!(begun["response"]["status"], "needs_second_factor");
    let path = format!("/v1/client/sign_ins/{}", begun["response"]["id"].as_str().expect("an id"));
    server.advance(60_000);
    let change = Request::new("PATCH", &format!("/v1/users/{id}"))
        .bearer(server.secret_key())
        .json(&json!({"password": "another blue whale"}));
    assert_eq!(server.call(change).await.status, 200);

    let secret = domain::totp::Secret::parse(SECRET).expect("a secret");
    let code = secret.code(u64::try_from(server.now().0 / 30_000).expect("late enough"));
    let fields = [("strategy", "totp"), ("code", &*code)];
    let refused = browser.post(&format!("{path}/attempt_second_factor"), &fields).await;

    assert_eq!(said(&refused), is(400, "bad_request"));
    assert_eq!(browser.client().await["sign_in"]["status"], "needs_first_factor");
    let fields = [("strategy", "password"), ("password", "another blue whale")];
    let proven = browser.post(&format!("{path}/attempt_first_factor"), &fields).await;
    assert_eq!(proven.json()["response"]["status"], "needs_second_factor");
}

#[tokio::test]
async fn clients_of_visitors_who_never_signed_in_are_deleted_in_the_end() {
    let server = TestServer::start().await;
    let id = ada(&server, json!({})).await;
    for _ in 0..5 {
        let mut passing = Browser::new(&server, 2);
        assert_eq!(passing.post("/v1/client", &[]).await.status, 200);
        Browser::open(&server).await;
    }
    let mut known = Browser::open(&server).await;
    known.sign_in(&id.as_str().into()).await;
    let session = known.client().await["sessions"][0]["id"].clone();
    let removed = known.post(&format!("/v1/client/sessions/{}/end", text(&session)), &[]).await;
    assert_eq!(removed.status, 200);
    let count = async || {
        let dump = server.dump().await;
        ["clients", "dev_browsers"].map(|table| dump[table].len())
    };
    assert_eq!(count().await, [11, 6]);
    server.advance(7 * DAY_MS);
    let mut young = Browser::new(&server, 2);
    let begun = begun_sign_up(&mut young).await;
    assert!(!frontend::sweep(&server.world).await.expect("swept"));
    assert_eq!(count().await, [12, 6], "a week is not long");

    server.advance(2 * DAY_MS);
    assert!(!frontend::sweep(&server.world).await.expect("swept"));
    assert!(!frontend::sweep(&server.world).await.expect("swept"));

    assert_eq!(count().await, [2, 1]);
    assert_eq!(young.get(&begun).await.status, 200);
    // Who comes with a token that is no more is told to get another one.
    let list = Request::new("GET", "/v1/clients?paginated=true").bearer(server.secret_key());
    assert_eq!(server.call(list).await.json()["total_count"], 1);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

async fn begun_sign_up(browser: &mut Browser<'_>) -> String {
    let begun = browser.post("/v1/client/sign_ups", &[("first_name", "Bob")]).await;
    assert_eq!(begun.status, 200, "{}", begun.without_trace());
    format!("/v1/client/sign_ups/{}", text(&begun.json()["response"]["id"]))
}

#[tokio::test]
async fn inp_07_no_file_is_received_from_those_who_are_not_signed_in() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    assert_eq!(browser.post("/v1/client", &[]).await.status, 200);
    for content_type in ["application/octet-stream", "multipart/form-data; boundary=b"] {
        // The head alone: whoever waits for the rest of it waits in vain.
        let request = Request::new("POST", "/v1/me/profile_image")
            .header("content-type", content_type)
            .header("content-length", "10000000");
        let asking = tokio::time::timeout(Duration::from_secs(15), browser.send(request));
        let refused = asking.await.expect("it is answered before it is received");
        assert_eq!(said(&refused), is(401, "authentication_invalid"));
    }
}

#[tokio::test]
async fn web_09_no_token_in_an_address_becomes_more_than_a_cookies_value() {
    let server = TestServer::start().await;
    let (id, host) = (server.keys[0].instance_id.to_string(), "dev.one.example");
    let unit = Unit { name: "test", mode: Mode::Write, scope: Scope::Server };
    let written = server.world.db.run(unit, move |mut tx| {
        let values = vec![Column::Text(host.to_owned()), Column::Text(id.clone())];
        let sql = "update instances set frontend_host = $1 where id = $2";
        Box::pin(async move { tx.execute(sql, values).await })
    });
    written.await.expect("written");
    server.advance(1001);
    for (token, is_kept) in [("dvb_abc", true), ("x; Domain=example; Secure", false)] {
        let mut browser = Browser::new(&server, 0);
        browser.host = host.to_owned();
        browser.dev_browser = Some(token.to_owned());
        let path = "/v1/client/handshake?format=nonce&redirect_url=http%3A%2F%2Flocalhost%3A3000";
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 307, "{}", answer.without_trace());
        let nonce =
            answer.header("location").expect("a location").split_once("nonce=").expect("one").1;
        let path = format!("/v1/clients/handshake_payload?nonce={nonce}");
        let payload = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
        let directives = payload.json()["directives"].to_string();
        assert!(directives.contains("__clerk_db_jwt=dvb_"), "{directives}");
        assert_eq!(directives.contains(token), is_kept, "{directives}");
    }
}
