//! Sign-ups beside their codes and links: limits, transfers, what they wait for, how they end.

use domain::{Error, Settings, frontend, settings};
use serde_json::{Value, json};
use testkit::{Browser, Request, TestServer};

use crate::{
    sessions::set,
    sign_ins::{backend, code},
    sign_ups_frontend::{
        ADDRESS, CODE, PASSWORD, attempt, begun, path, prepared, refused, response, said, started,
        with,
    },
};

const DAY_MS: i64 = 24 * 3_600_000;

fn limited(settings: &mut Settings) {
    settings.rate_limits.enabled = true;
}

#[tokio::test]
async fn pwd_09_who_signs_up_too_often_waits() {
    let server = started().await;
    with(&server, limited).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("email_address", "ada@example.com")];
    let too_many = refused(429, "too_many_requests");
    for _ in 0..5 {
        begun(&mut browser, &fields).await;
    }
    let answer = browser.post("/v1/client/sign_ups", &fields).await;
    assert_eq!(said(&answer), too_many);
    assert_eq!(answer.header("retry-after"), Some("10"));
    // ses_24: a testing token lifts limits of its instance.
    let token = backend(&server, "/v1/testing_tokens", &json!({})).await;
    let token = token["token"].as_str().expect("a token").to_owned();
    let testing = format!("__clerk_testing_token={token}");
    let answer = browser.post(&format!("/v1/client/sign_ups?{testing}"), &fields).await;
    let sign_up = response(&answer);

    let prepare = path(&sign_up, "/prepare_verification");
    let by_code = [("strategy", "email_code")];
    for _ in 0..5 {
        response(&browser.post(&prepare, &by_code).await);
    }
    assert_eq!(said(&browser.post(&prepare, &by_code).await), too_many);
    response(&browser.post(&format!("{prepare}?{testing}"), &by_code).await);
    let right = code(&server).await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        let answer = attempt(&mut browser, &sign_up, ("email_code", wrong)).await;
        assert_eq!(said(&answer), refused(422, "form_code_incorrect"));
    }
    let answer = attempt(&mut browser, &sign_up, ("email_code", &right)).await;
    assert_eq!(said(&answer), too_many);
    server.advance(60_000);
    response(&browser.post(&prepare, &by_code).await);
    let right = code(&server).await;
    let answer = attempt(&mut browser, &sign_up, ("email_code", &right)).await;
    assert_eq!(response(&answer)["status"], "complete");
}

#[tokio::test]
async fn who_asks_to_be_let_in_too_often_waits() {
    let server = started().await;
    with(&server, |settings| {
        limited(settings);
        settings.sign_up.mode = "waitlist".to_owned();
    })
    .await;
    let mut browser = Browser::open(&server).await;
    let join = [("email_address", "grace@example.com")];
    for number in 0..6 {
        let answer = browser.post("/v1/waitlist", &join).await;
        assert_eq!(answer.status, if number < 5 { 200 } else { 429 }, "{number}");
    }
    // Five others from the same place are too many as well.
    server.advance(10_000);
    for number in 0..6 {
        let address = format!("grace{number}@example.com");
        let answer = browser.post("/v1/waitlist", &[("email_address", &address)]).await;
        assert_eq!(answer.status, if number < 5 { 200 } else { 429 }, "{number}");
    }
}

#[tokio::test]
async fn what_was_proven_on_the_way_in_signs_up() {
    let server = started().await;
    with(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let mut browser = Browser::open(&server).await;
    let nothing = browser.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(said(&nothing), refused(400, "account_transfer_invalid"));
    let fields = [
        ("identifier", "bob@example.com"),
        ("sign_up_if_missing", "true"),
        ("strategy", "email_code"),
    ];
    let sign_in = response(&browser.post("/v1/client/sign_ins", &fields).await);
    // What is not proven yet goes nowhere.
    let early = browser.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(said(&early), refused(400, "account_transfer_invalid"));
    let right = code(&server).await;
    let id = sign_in["id"].as_str().expect("an id");
    let path = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    let fields = [("strategy", "email_code"), ("code", &*right)];
    let proven = response(&browser.post(&path, &fields).await);
    assert_eq!(proven["first_factor_verification"]["status"], "transferable");

    let answer = browser.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    let complete = response(&answer);
    assert_eq!(complete["status"], "complete", "{complete}");
    assert_eq!(complete["email_address"], "bob@example.com");
    let client = &answer.json()["client"];
    assert_eq!((&client["sign_in"], &client["sign_up"]), (&Value::Null, &Value::Null));
    let user = &client["sessions"][0]["user"];
    assert_eq!(user["email_addresses"][0]["verification"]["status"], "verified");
    assert_eq!(client["last_authentication_strategy"], "email_code");
}

#[tokio::test]
async fn what_was_proven_on_the_way_in_may_lack_more() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let mut browser = Browser::open(&server).await;
    let fields =
        [("identifier", ADDRESS), ("sign_up_if_missing", "true"), ("strategy", "email_code")];
    let sign_in = response(&browser.post("/v1/client/sign_ins", &fields).await);
    let id = sign_in["id"].as_str().expect("an id");
    let attempt = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    response(&browser.post(&attempt, &[("strategy", "email_code"), ("code", CODE)]).await);
    let sign_up = begun(&mut browser, &[("transfer", "true")]).await;
    assert_eq!(sign_up["missing_fields"], json!(["password"]));
    assert_eq!(sign_up["unverified_fields"], json!([]));
    let done = browser.patch(&path(&sign_up, ""), &[("password", PASSWORD)]).await;
    assert_eq!(response(&done)["status"], "complete");
}

#[tokio::test]
async fn a_sign_up_waits_for_the_apps_own_server() {
    let server = started().await;
    with(&server, |settings| settings.sign_up.custom_action_required = true).await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    let waits = response(&attempt(&mut browser, &sign_up, ("email_code", CODE)).await);
    assert_eq!(waits["status"], "missing_requirements");
    assert_eq!((&waits["missing_fields"], &waits["unverified_fields"]), (&json!([]), &json!([])));
    let still = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(still["status"], "missing_requirements");
    let id = sign_up["id"].as_str().expect("an id");
    let request = Request::new("PATCH", &format!("/v1/sign_ups/{id}"));
    let body = json!({ "custom_action": true });
    let answer = server.call(request.bearer(server.secret_key()).json(&body)).await;
    assert_eq!(answer.json()["custom_action"], true, "{}", answer.without_trace());
    let complete = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(complete["status"], "complete");
}

#[tokio::test]
async fn what_nobody_does_cannot_be_switched_on() {
    let server = TestServer::start().await;
    let id = server.keys[0].instance_id.clone();
    let before = settings::of_instance(&server.world, &id).await.expect("settings");
    let mut after = before.clone();
    after.sign_up.mfa_required = true;
    let refused = settings::replace(&server.world, &id, &before, &after).await;
    let refusal = refused.expect_err("it is refused").into_refusal();
    let said = refusal.errors[0].long_message.clone();
    assert_eq!(refusal.code(), "breaks_instance_invariant");
    assert!(said.contains("sign_up.mfa_required cannot be switched on"), "{said}");
    // Where it was on before there were such rules, all else can be changed.
    let mut later = after.clone();
    later.sign_up.legal_consent = true;
    assert_eq!(later.validate_change(&after), Ok(()));
}

#[tokio::test]
async fn who_is_refused_at_first_sight_keeps_the_client_that_was_made() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    let outside = browser.outside().await;
    let refused = frontend::testing::refuse_newcomer(&outside).await;
    let Error::Told(told) = refused else { panic!("{refused}") };
    assert_eq!(told.refusal.code(), "form_code_incorrect");
    let client = told.refusal.client.as_ref().expect("the client is told");
    let line = told.cookies.iter().find(|line| line.starts_with("__client=")).expect("a cookie");
    assert!(line.contains("; HttpOnly"), "{line}");
    let value = line["__client=".len()..].split(';').next().expect("a value");
    browser.cookies.insert("__client".to_owned(), value.to_owned());
    assert_eq!(browser.client().await["id"], client["id"]);

    let mut developer = Browser::open(&server).await;
    let outside = developer.outside().await;
    let refused = frontend::testing::refuse_newcomer(&outside).await;
    let client = refused.into_refusal().client.expect("the client is told");
    assert_eq!(developer.client().await["id"], client["id"]);
}

#[tokio::test]
async fn what_nobody_comes_back_for_is_deleted_in_the_end() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    for _ in 0..3 {
        response(&browser.post("/v1/client/sign_ins", &[]).await);
    }
    let mut another = Browser::open(&server).await;
    let complete = begun(&mut another, &[("email_address", "bob+clerk_test@example.com")]).await;
    prepared(&mut another, &complete, "email_code").await;
    response(&attempt(&mut another, &complete, ("email_code", CODE)).await);

    server.advance(2 * DAY_MS);
    assert!(!frontend::sweep(&server.world).await.expect("swept"));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["status"], "abandoned");
    let (id, key) = (complete["id"].as_str().expect("an id"), server.secret_key());
    server.advance(6 * DAY_MS);
    let young = begun(&mut browser, &[]).await;
    server.advance(DAY_MS);
    assert!(!frontend::sweep(&server.world).await.expect("swept"));
    let answer = browser.get(&path(&sign_up, "")).await;
    assert_eq!(said(&answer), refused(404, "resource_not_found"));
    response(&browser.get(&path(&young, "")).await);
    let dump = server.dump().await;
    let rows = ["sign_ins", "sign_ups", "proofs"].map(|table| dump[table].len());
    assert_eq!(rows, [0, 2, 0]);
    // What came to a user stays for the app's own server.
    let request = Request::new("GET", &format!("/v1/sign_ups/{id}")).bearer(key);
    assert_eq!(server.call(request).await.json()["status"], "complete");
}
