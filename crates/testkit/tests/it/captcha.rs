//! Captchas: shown to pages, asked of whoever signs up, judged by a service that stands in for the
//! one of the widget.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use axum::{Router, http::StatusCode, routing::post};
use db::Mode;
use domain::{
    Settings, root_keys,
    settings::{self, Secret},
};
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{
    sign_ins::{backend, code},
    sign_ups_frontend::{ADDRESS, PASSWORD, path, prepared, refused, response, said, started},
};

const SECRET: &str = "0x4planted-secret-of-the-widget";
const OTHER_SECRET: &str = "0x4planted-secret-of-the-other";

/// A form that was sent to the service.
type Form = HashMap<String, String>;

/// What stands in for Turnstile: it says of a token what the token says.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<Form>>>,
}

impl Service {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/siteverify", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<Form>>> = Arc::default();
        let (seen, spent) = (Arc::clone(&asked), Arc::<Mutex<HashSet<String>>>::default());
        let verify = post(move |body: String| {
            let (seen, spent) = (Arc::clone(&seen), Arc::clone(&spent));
            async move {
                let form = url::form_urlencoded::parse(body.as_bytes()).into_owned();
                let form: Form = form.collect();
                seen.lock().expect("nobody panicked").push(form.clone());
                if form["response"] == "silence" {
                    std::future::pending::<()>().await;
                }
                let token = form["response"].clone();
                judged(&form, spent.lock().expect("nobody panicked").insert(token))
            }
        });
        let router = Router::new().route("/siteverify", verify);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Form> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

fn judged(form: &Form, is_new: bool) -> (StatusCode, String) {
    let bot = |code: &str| json!({ "success": false, "error-codes": [code] }).to_string();
    let human = |action: &str| {
        json!({ "success": true, "error-codes": [], "action": action, "hostname": "a.example" })
            .to_string()
    };
    let (kind, _) = form["response"].split_once('-').unwrap_or((&form["response"], ""));
    let expected = if kind == "invisible" { OTHER_SECRET } else { SECRET };
    let ok = StatusCode::OK;
    match kind {
        _ if form["secret"] != expected => (ok, bot("invalid-input-response")),
        _ if !is_new => (ok, bot("timeout-or-duplicate")),
        "signup" | "invisible" => (ok, human("signup")),
        "signin" => (ok, human("signin")),
        "garbage" => (ok, "<html>success</html>".to_owned()),
        "endless" => (ok, "x".repeat(100_000)),
        "failing" => (StatusCode::BAD_GATEWAY, human("signup")),
        "moved" => (StatusCode::FOUND, human("signup")),
        _ => (ok, bot("invalid-input-response")),
    }
}

/// Changes the settings of the first instance as operators do.
async fn change(server: &TestServer, change: impl FnOnce(&mut Settings)) {
    let id = &server.keys[0].instance_id;
    let before = Box::new(settings::of_instance(&server.world, id).await.expect("settings"));
    let mut after = before.clone();
    change(&mut after);
    let done = Box::pin(settings::replace(&server.world, id, &before, &after)).await;
    assert!(done.expect("changed"), "nobody else changed them");
    server.advance(1001);
}

fn guarded_by(url: &str) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.sign_up.captcha = true;
        settings.captcha.site_key = Some("0x4site".to_owned());
        settings.captcha.secret_key = Some(Secret::from(SECRET));
        url.clone_into(&mut settings.captcha.verify_url);
    }
}

/// A server that asks for captchas, and what judges them.
async fn guarded() -> (TestServer, Service) {
    let (server, service) = (started().await, Service::start().await);
    change(&server, guarded_by(&service.url)).await;
    (server, service)
}

/// Begins a sign-up with what a page says of its captcha.
async fn sign_up(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Response {
    let fields = [&[("email_address", ADDRESS)], fields].concat();
    browser.post("/v1/client/sign_ups", &fields).await
}

async fn with_token(browser: &mut Browser<'_>, token: &str) -> Response {
    sign_up(browser, &[("captcha_token", token), ("captcha_widget_type", "smart")]).await
}

fn unknown() -> (u16, String) {
    refused(503, "service_unavailable")
}

#[tokio::test]
async fn pages_are_told_of_captchas_where_there_are_any() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let told = async |browser: &mut Browser<'_>| {
        let environment = browser.get("/v1/environment").await.json();
        let display = &environment["display_config"];
        let names = ["public_key", "public_key_invisible", "widget_type", "provider"];
        let mut told: Vec<Value> =
            names.map(|name| display[format!("captcha_{name}")].clone()).into();
        told.push(display["captcha_oauth_bypass"].clone());
        told.push(display["captcha_heartbeat"].clone());
        told.push(environment["user_settings"]["sign_up"]["captcha_enabled"].clone());
        Value::Array(told)
    };
    let off = json!([null, null, null, null, [], false, false]);
    assert_eq!(told(&mut browser).await, off);

    change(&server, guarded_by("https://verify.example/")).await;
    let providers = json!(["oauth_google", "oauth_microsoft", "oauth_apple"]);
    let on = json!(["0x4site", "0x4site", "smart", "turnstile", providers, false, true]);
    assert_eq!(told(&mut browser).await, on);
    let environment = browser.get("/v1/environment").await;
    assert!(!String::from_utf8_lossy(&environment.body).contains("planted"));

    change(&server, |settings| {
        settings.sign_up.captcha_widget_type = "invisible".to_owned();
        settings.captcha.invisible_site_key = Some("0x4unseen".to_owned());
        settings.captcha.invisible_secret_key = Some(Secret::from(OTHER_SECRET));
        settings.captcha.oauth_bypass = vec![];
    })
    .await;
    let both = json!(["0x4site", "0x4unseen", "invisible", "turnstile", [], false, true]);
    assert_eq!(told(&mut browser).await, both);

    change(&server, |settings| settings.sign_up.captcha = false).await;
    assert_eq!(told(&mut browser).await, off);
}

#[tokio::test]
async fn who_signs_up_solves_a_captcha() {
    let (server, service) = guarded().await;
    let mut browser = Browser::open(&server).await;
    let missing = refused(400, "captcha_missing_token");
    assert_eq!(said(&sign_up(&mut browser, &[]).await), missing);
    assert_eq!(said(&sign_up(&mut browser, &[("captcha_token", "")]).await), missing);
    // A widget that did not load proves nothing.
    let failed = [("captcha_error", "captcha_script_failed_to_load")];
    assert_eq!(said(&sign_up(&mut browser, &failed).await), missing);
    assert_eq!(service.asked().len(), 0);
    assert_eq!(browser.client().await["sign_up"], Value::Null);

    let begun = response(&with_token(&mut browser, "signup-1").await);
    assert_eq!(begun["email_address"], ADDRESS);
    let asked = service.asked().remove(0);
    assert_eq!((&*asked["secret"], &*asked["response"]), (SECRET, "signup-1"));
    assert_eq!(asked["remoteip"], "127.0.0.1");
    // The rest of the way asks for none.
    prepared(&mut browser, &begun, "email_code").await;
    let named = browser.patch(&path(&begun, ""), &[("first_name", "Ada")]).await;
    assert_eq!(response(&named)["first_name"], "Ada");
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn what_solves_no_captcha_is_refused() {
    let (server, service) = guarded().await;
    let mut browser = Browser::open(&server).await;
    let invalid = refused(400, "captcha_invalid");
    assert_eq!(said(&with_token(&mut browser, "bot").await), invalid);
    response(&with_token(&mut browser, "signup-1").await);
    assert_eq!(said(&with_token(&mut browser, "signup-1").await), invalid, "it is good once");
    // Of another form of the same site.
    assert_eq!(said(&with_token(&mut browser, "signin-1").await), invalid);
    let asked = service.asked().len();
    assert_eq!(said(&with_token(&mut browser, &"x".repeat(2049)).await), invalid);
    assert_eq!(service.asked().len(), asked, "no widget gives such a token");
}

#[tokio::test]
async fn without_a_word_of_the_service_nobody_signs_up() {
    let (server, service) = guarded().await;
    let mut browser = Browser::open(&server).await;
    for token in ["garbage", "endless", "failing", "moved", "silence"] {
        let answer = with_token(&mut browser, token).await;
        assert_eq!(said(&answer), unknown(), "{token}");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    assert_eq!(service.asked().len(), 5);
    change(&server, |settings| "http://127.0.0.1:1/".clone_into(&mut settings.captcha.verify_url))
        .await;
    assert_eq!(said(&with_token(&mut browser, "signup-1").await), unknown());
    change(&server, |settings| {
        "https://nobody.example/".clone_into(&mut settings.captcha.verify_url);
    })
    .await;
    assert_eq!(said(&with_token(&mut browser, "signup-1").await), unknown());
    assert_eq!(browser.client().await["sign_up"], Value::Null);
}

#[tokio::test]
async fn a_token_is_judged_by_the_key_of_its_widget() {
    let (server, service) = guarded().await;
    let mut browser = Browser::open(&server).await;
    let unseen = async |browser: &mut Browser<'_>, token: &str| {
        let fields = [("captcha_token", token), ("captcha_widget_type", "invisible")];
        sign_up(browser, &fields).await
    };
    // One widget serves for both, until there is another.
    response(&unseen(&mut browser, "signup-1").await);
    change(&server, |settings| {
        settings.captcha.invisible_site_key = Some("0x4unseen".to_owned());
        settings.captcha.invisible_secret_key = Some(Secret::from(OTHER_SECRET));
    })
    .await;
    response(&unseen(&mut browser, "invisible-1").await);
    response(&with_token(&mut browser, "signup-2").await);
    let invalid = refused(400, "captcha_invalid");
    assert_eq!(said(&with_token(&mut browser, "invisible-2").await), invalid);
    assert_eq!(said(&unseen(&mut browser, "signup-3").await), invalid);
    assert_eq!(service.asked().len(), 5);
}

#[tokio::test]
async fn a_testing_token_stands_for_a_captcha() {
    let (server, service) = guarded().await;
    let mut browser = Browser::open(&server).await;
    let made = backend(&server, "/v1/testing_tokens", &json!({})).await;
    let token = format!("__clerk_testing_token={}", made["token"].as_str().expect("a token"));
    let fields = [("email_address", ADDRESS)];
    let answer = browser.post(&format!("/v1/client/sign_ups?{token}"), &fields).await;
    response(&answer);
    assert_eq!(answer.json()["client"]["captcha_bypass"], true);
    let client = browser.get(&format!("/v1/client?{token}")).await.json();
    assert_eq!(client["response"]["captcha_bypass"], true);
    assert_eq!(browser.client().await["captcha_bypass"], false);
    assert_eq!(service.asked().len(), 0);
    let wrong = token.replace("-c_", "-c_x");
    let answer = browser.post(&format!("/v1/client/sign_ups?{wrong}"), &fields).await;
    assert_eq!(said(&answer), refused(400, "captcha_missing_token"));
}

#[tokio::test]
async fn apps_and_invited_people_are_asked_as_well() {
    let (server, _service) = guarded().await;
    let missing = refused(400, "captcha_missing_token");
    let request = Request::new("POST", "/v1/client/sign_ups?_is_native=1")
        .header("host", &server.keys[0].frontend_host)
        .body("application/x-www-form-urlencoded", format!("email_address={ADDRESS}"));
    assert_eq!(said(&server.call(request).await), missing);
    let mut browser = Browser::open(&server).await;
    // What a provider would spare somebody leads nowhere as long as there are no providers.
    let spared = sign_up(&mut browser, &[("strategy", "oauth_google")]).await;
    assert_eq!(said(&spared), refused(400, "verification_strategy_invalid"));
    let asked = sign_up(&mut browser, &[("strategy", "oauth_github")]).await;
    assert_eq!(said(&asked), missing);
    let invited = backend(&server, "/v1/invitations", &json!({ "email_address": ADDRESS })).await;
    let url = url::Url::parse(invited["url"].as_str().expect("a link")).expect("an URL");
    let ticket = url.query_pairs().find(|(name, _)| name.ends_with("ticket")).expect("a ticket").1;
    let fields = [("strategy", "ticket"), ("ticket", &*ticket)];
    assert_eq!(said(&browser.post("/v1/client/sign_ups", &fields).await), missing);
    let fields = [&fields[..], &[("captcha_token", "signup-1")]].concat();
    response(&browser.post("/v1/client/sign_ups", &fields).await);
}

#[tokio::test]
async fn who_may_go_on_to_sign_up_solves_it_when_they_sign_in() {
    let (server, service) = guarded().await;
    change(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", "bob@example.com"), ("strategy", "email_code")];
    // Who only signs in is asked for nothing.
    response(&browser.post("/v1/client/sign_ins", &fields).await);
    let fields = [&fields[..], &[("sign_up_if_missing", "true")]].concat();
    let answer = browser.post("/v1/client/sign_ins", &fields).await;
    assert_eq!(said(&answer), refused(400, "captcha_missing_token"));
    let of_sign_up = [&fields[..], &[("captcha_token", "signup-1")]].concat();
    let answer = browser.post("/v1/client/sign_ins", &of_sign_up).await;
    assert_eq!(said(&answer), refused(400, "captcha_invalid"));
    let fields = [&fields[..], &[("captcha_token", "signin-1")]].concat();
    let sign_in = response(&browser.post("/v1/client/sign_ins", &fields).await);
    assert_eq!(service.asked().len(), 2);

    // Until it is proven, nothing is spared.
    let transfer = [("transfer", "true")];
    let early = browser.post("/v1/client/sign_ups", &transfer).await;
    assert_eq!(said(&early), refused(400, "account_transfer_invalid"));
    let right = code(&server).await;
    let id = sign_in["id"].as_str().expect("an id");
    let attempt = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    response(&browser.post(&attempt, &[("strategy", "email_code"), ("code", &right)]).await);
    let complete = response(&browser.post("/v1/client/sign_ups", &transfer).await);
    assert_eq!(complete["status"], "complete", "{complete}");
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn who_is_refused_in_any_case_spends_no_captcha() {
    let (server, service) = guarded().await;
    change(&server, |settings| settings.sign_up.mode = "restricted".to_owned()).await;
    let mut browser = Browser::open(&server).await;
    let answer = with_token(&mut browser, "signup-1").await;
    assert_eq!(said(&answer), refused(403, "sign_up_mode_restricted"));
    assert_eq!(service.asked().len(), 0);
    change(&server, |settings| settings.sign_up.captcha = false).await;
    // A page that was loaded before hears of it, and reads its settings again.
    let answer = with_token(&mut browser, "signup-1").await;
    assert_eq!(said(&answer), refused(400, "captcha_not_enabled"));
    // Before a password is hashed.
    change(&server, |settings| {
        settings.sign_up.mode = "public".to_owned();
        settings.sign_up.captcha = true;
    })
    .await;
    let answer = sign_up(&mut browser, &[("password", PASSWORD)]).await;
    assert_eq!(said(&answer), refused(400, "captcha_missing_token"));
}

#[tokio::test]
async fn captchas_need_keys_of_their_own() {
    let server = started().await;
    let id = &server.keys[0].instance_id;
    let before = settings::of_instance(&server.world, id).await.expect("settings");
    let mut after = before.clone();
    after.sign_up.captcha = true;
    after.captcha.site_key = Some("0x4site".to_owned());
    let replaced = settings::replace(&server.world, id, &before, &after).await;
    let refusal = replaced.expect_err("there is no secret key").into_refusal();
    assert_eq!(refusal.code(), "breaks_instance_invariant");
    let text = &refusal.errors[0].long_message;
    assert!(text.contains("without captcha.site_key and captcha.secret_key"), "{text}");
    // As in a document of another instance.
    after.captcha.secret_key = Some(Secret::from("sealed"));
    let replaced = settings::replace(&server.world, id, &before, &after).await;
    let text = replaced.expect_err("it is not kept").into_refusal().errors[0].long_message.clone();
    assert!(text.contains("captcha.secret_key is not kept here"), "{text}");
    let mut browser = Browser::open(&server).await;
    response(&sign_up(&mut browser, &[]).await);
}

#[tokio::test]
async fn sec_01_secret_keys_of_captchas_are_kept_sealed_and_apart() {
    let (server, _service) = guarded().await;
    let id = &server.keys[0].instance_id;
    let kept = async || -> Vec<String> {
        server.dump().await.remove("instance_secrets").unwrap_or_default()
    };
    let stored = server.dump().await;
    assert!(stored.values().flatten().all(|row| !row.contains("planted")), "nothing in clear");
    assert_eq!(kept().await.len(), 1);
    let read = settings::of_instance(&server.world, id).await.expect("settings");
    assert_eq!(read.captcha.secret_key, Some(Secret::from("sealed")));

    // Another one takes its place; what is not there any more is forgotten.
    change(&server, |settings| settings.captcha.secret_key = Some(Secret::from("another"))).await;
    assert_eq!(kept().await.len(), 1);
    let mut browser = Browser::open(&server).await;
    let answer = with_token(&mut browser, "signup-1").await;
    assert_eq!(said(&answer), refused(400, "captcha_invalid"), "the service knows the older key");
    change(&server, |settings| settings.captcha.secret_key = Some(Secret::from(SECRET))).await;
    response(&with_token(&mut browser, "signup-2").await);

    // sec_04: it is among what comes under another root key.
    let world = &server.world;
    assert!(domain::server_facts::unlock(world, Mode::Write).await.expect("written"));
    let report = root_keys::check(world).await.expect("checked");
    assert_eq!(report.broken, Vec::<String>::new());
    let secrets = report.secrets[&server.root_keys[0].id()];
    change(&server, |settings| {
        settings.sign_up.captcha = false;
        settings.captcha.secret_key = None;
    })
    .await;
    assert_eq!(kept().await, Vec::<String>::new());
    let report = root_keys::check(world).await.expect("checked");
    assert_eq!(report.secrets[&server.root_keys[0].id()], secrets - 1);
}
