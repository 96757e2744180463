//! Sign-ups in the browser.

use domain::Settings;
use serde_json::{Value, json};
use testkit::{Browser, Response, TestServer};

use crate::sessions::set;

pub(crate) const ADDRESS: &str = "ada+clerk_test@example.com";
pub(crate) const CODE: &str = "424242";
pub(crate) const PASSWORD: &str = "a blue whale sings";

/// A server whose users need no password.
pub(crate) async fn started() -> TestServer {
    let server = TestServer::start().await;
    with(&server, |_| {}).await;
    server
}

pub(crate) async fn with(server: &TestServer, change: impl FnOnce(&mut Settings)) {
    set(server, |settings| {
        settings.attributes.password.required = false;
        change(settings);
    })
    .await;
}

/// The part of an answer that it is about.
pub(crate) fn response(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.without_trace());
    answer.json()["response"].clone()
}

pub(crate) async fn begun(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Value {
    response(&browser.post("/v1/client/sign_ups", fields).await)
}

pub(crate) fn path(sign_up: &Value, end: &str) -> String {
    format!("/v1/client/sign_ups/{}{end}", sign_up["id"].as_str().expect("an id"))
}

pub(crate) async fn prepared(browser: &mut Browser<'_>, sign_up: &Value, strategy: &str) -> Value {
    let path = path(sign_up, "/prepare_verification");
    response(&browser.post(&path, &[("strategy", strategy)]).await)
}

pub(crate) async fn attempt(
    browser: &mut Browser<'_>,
    sign_up: &Value,
    (strategy, code): (&str, &str),
) -> Response {
    let path = path(sign_up, "/attempt_verification");
    browser.post(&path, &[("strategy", strategy), ("code", code)]).await
}

pub(crate) fn said(answer: &Response) -> (u16, String) {
    (answer.status, answer.code())
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn an_address_a_password_and_a_code_make_a_user() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    // Inputs that nobody touched are sent as well.
    let fields = [
        ("email_address", " Ada+clerk_test@Example.com"),
        ("password", PASSWORD),
        ("username", ""),
        ("first_name", ""),
        ("locale", "en-US"),
        ("timezone", "Europe/Berlin"),
        ("unsafe_metadata", "{\"plan\":\"free\"}"),
    ];
    let answer = browser.post("/v1/client/sign_ups", &fields).await;
    let sign_up = response(&answer);
    assert_eq!(answer.json()["client"]["sign_up"], sign_up);
    assert_eq!(sign_up["object"], "sign_up_attempt");
    assert_eq!(sign_up["status"], "missing_requirements");
    assert_eq!(sign_up["missing_fields"], json!([]));
    assert_eq!(sign_up["unverified_fields"], json!(["email_address"]));
    assert_eq!(sign_up["email_address"], ADDRESS);
    assert_eq!(sign_up["has_password"], true);
    // Official scripts take a status for a code that was sent.
    let unprepared =
        json!({ "next_action": "needs_prepare", "supported_strategies": ["email_code"] });
    assert_eq!(sign_up["verifications"]["email_address"], unprepared);
    assert_eq!(sign_up["verifications"]["phone_number"], Value::Null);

    let sign_up = prepared(&mut browser, &sign_up, "email_code").await;
    let verification = &sign_up["verifications"]["email_address"];
    assert_eq!(verification["status"], "unverified");
    assert_eq!(verification["strategy"], "email_code");
    assert_eq!(verification["next_action"], "needs_attempt");
    assert_eq!(verification["expire_at"], server.now().0 + 600_000);

    let answer = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    let complete = response(&answer);
    assert_eq!(complete["status"], "complete");
    assert_eq!(complete["unverified_fields"], json!([]));
    let client = &answer.json()["client"];
    assert_eq!(client["sign_up"], Value::Null);
    assert_eq!(client["last_active_session_id"], complete["created_session_id"]);
    assert_eq!(client["last_authentication_strategy"], "email_code");
    let user = &client["sessions"][0]["user"];
    assert_eq!(user["id"], complete["created_user_id"]);
    assert_eq!(user["password_enabled"], true);
    assert_eq!(user["unsafe_metadata"], json!({ "plan": "free" }));
    let address = &user["email_addresses"][0];
    assert_eq!(address["email_address"], ADDRESS);
    assert_eq!(address["verification"]["status"], "verified");
    assert_eq!(address["verification"]["strategy"], "email_code");
    assert_eq!(user["primary_email_address_id"], address["id"]);
    assert!(client["sessions"][0]["last_active_token"]["jwt"].is_string());
    let me = browser.get("/v1/me").await;
    assert_eq!(me.json()["response"]["id"], complete["created_user_id"]);
    let again = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(again["status"], "complete");
    let events = server.events().await;
    assert_eq!(events, ["user.created", "session.created", "user.updated"]);
    let digests: Vec<_> = server.dump().await["sign_ups"].clone();
    assert!(!format!("{digests:?}").contains("argon2"), "the digest is the user's alone");
}

#[tokio::test]
async fn a_code_travels_by_mail() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", "ada@example.com")]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    server.advance(1000);
    let sent = domain::messages::recent(&server.world, &server.keys[0].instance_id, None).await;
    let sent = sent.expect("messages are read");
    assert_eq!((sent.len(), &*sent[0].to), (1, "ada@example.com"));
    let code = sent[0].code.clone().expect("a code");
    let complete = attempt(&mut browser, &sign_up, ("email_code", &code)).await;
    assert_eq!(response(&complete)["status"], "complete");
}

#[tokio::test]
async fn otp_01_a_code_is_taken_once() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    let early = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&early), refused(400, "verification_not_sent"));
    prepared(&mut browser, &sign_up, "email_code").await;
    response(&attempt(&mut browser, &sign_up, ("email_code", CODE)).await);
    let again = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&again), refused(400, "verification_already_verified"));
    let later = browser.patch(&path(&sign_up, ""), &[("first_name", "Ada")]).await;
    assert_eq!(said(&later), refused(403, "sign_up_cannot_be_updated"));
}

#[tokio::test]
async fn otp_02_otp_03_codes_end() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    for attempts in 1..=3 {
        let wrong = attempt(&mut browser, &sign_up, ("email_code", "000000")).await;
        assert_eq!(said(&wrong), refused(422, "form_code_incorrect"));
        let shown = response(&browser.get(&path(&sign_up, "")).await);
        let verification = &shown["verifications"]["email_address"];
        assert_eq!(verification["attempts"], attempts);
        let status = if attempts == 3 { "failed" } else { "unverified" };
        assert_eq!(verification["status"], status);
    }
    let right = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&right), refused(400, "verification_failed"));

    prepared(&mut browser, &sign_up, "email_code").await;
    server.advance(600_000);
    let late = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&late), refused(400, "verification_expired"));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["verifications"]["email_address"]["status"], "expired");

    prepared(&mut browser, &sign_up, "email_code").await;
    server.advance(599_000);
    let right = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(response(&right)["status"], "complete");
}

#[tokio::test]
async fn otp_06_a_code_is_six_digits() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    for code in ["42424", "4242424", " 424242", "４２４２４２", "[424242]"] {
        let answer = attempt(&mut browser, &sign_up, ("email_code", code)).await;
        assert_eq!(said(&answer), refused(422, "form_code_incorrect"), "{code:?}");
    }
    let answer = attempt(&mut browser, &sign_up, ("email_code", "")).await;
    assert_eq!(said(&answer), refused(422, "form_param_missing"));
    let answer = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(response(&answer)["status"], "complete");
}

#[tokio::test]
async fn a_sign_up_grows_step_by_step() {
    let server = started().await;
    with(&server, |settings| {
        for attribute in [&mut settings.attributes.username, &mut settings.attributes.phone_number]
        {
            (attribute.enabled, attribute.required) = (true, true);
        }
        settings.attributes.password.required = true;
        settings.sign_up.legal_consent = true;
    })
    .await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[]).await;
    let missing =
        json!(["email_address", "phone_number", "username", "password", "legal_accepted"]);
    assert_eq!(sign_up["missing_fields"], missing);
    let steps: [(&str, &str, &[&str]); 6] = [
        ("email_address", ADDRESS, &["phone_number", "username", "password", "legal_accepted"]),
        ("phone_number", "+1 (201) 555-0100", &["username", "password", "legal_accepted"]),
        ("username", "Lovelace", &["password", "legal_accepted"]),
        ("password", PASSWORD, &["legal_accepted"]),
        ("legal_accepted", "true", &[]),
        ("first_name", "Ada", &[]),
    ];
    for (name, value, missing) in steps {
        let sign_up = response(&browser.patch(&path(&sign_up, ""), &[(name, value)]).await);
        assert_eq!(sign_up["missing_fields"], json!(missing), "{name}");
        assert_eq!(sign_up["status"], "missing_requirements");
    }
    assert_eq!(browser.client().await["sign_up"]["legal_accepted_at"], server.now().0);
    prepared(&mut browser, &sign_up, "phone_code").await;
    let half = response(&attempt(&mut browser, &sign_up, ("phone_code", CODE)).await);
    assert_eq!(half["unverified_fields"], json!(["email_address"]));
    assert_eq!(half["verifications"]["phone_number"]["channel"], "sms");
    prepared(&mut browser, &sign_up, "email_code").await;
    let complete = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(response(&complete)["status"], "complete");
    let user = &complete.json()["client"]["sessions"][0]["user"];
    assert_eq!(user["username"], "lovelace");
    assert_eq!(user["first_name"], "Ada");
    assert_eq!(user["phone_numbers"][0]["phone_number"], "+12015550100");
    assert_eq!(user["legal_accepted_at"], server.now().0);
}

#[tokio::test]
async fn what_changes_is_proven_anew() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    prepared(&mut browser, &sign_up, "email_code").await;
    let other = [("email_address", "bob+clerk_test@example.com")];
    let changed = response(&browser.patch(&path(&sign_up, ""), &other).await);
    assert_eq!(changed["verifications"]["email_address"]["next_action"], "needs_prepare");
    let answer = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&answer), refused(400, "verification_not_sent"));
    // The same in another spelling is no change.
    prepared(&mut browser, &sign_up, "email_code").await;
    let same = [("email_address", "BOB+clerk_test@example.com")];
    let same = response(&browser.patch(&path(&sign_up, ""), &same).await);
    assert_eq!(same["verifications"]["email_address"]["next_action"], "needs_attempt");
}

#[tokio::test]
async fn one_begins_anew_and_comes_back() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let first = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    assert_eq!(browser.client().await["sign_up"]["id"], first["id"]);
    let second = begun(&mut browser, &[]).await;
    assert_eq!(browser.client().await["sign_up"]["id"], second["id"]);
    // Another tab may be in the middle of the one before.
    prepared(&mut browser, &first, "email_code").await;
    let complete = attempt(&mut browser, &first, ("email_code", CODE)).await;
    assert_eq!(response(&complete)["status"], "complete");
    assert_eq!(browser.client().await["sign_up"], Value::Null);

    let more = browser.post("/v1/client/sign_ups", &[]).await;
    assert_eq!(said(&more), refused(400, "session_exists"));
    assert_eq!(more.json()["meta"]["client"]["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_nobody_finishes_is_given_up() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    server.advance(24 * 3_600_000);
    assert_eq!(browser.client().await["sign_up"], Value::Null);
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["status"], "abandoned");
    let path = path(&sign_up, "/prepare_verification");
    let late = browser.post(&path, &[("strategy", "email_code")]).await;
    assert_eq!(said(&late), refused(403, "sign_up_cannot_be_updated"));
}

#[tokio::test]
async fn pwd_21_sign_ups_of_others_are_nobodys() {
    let server = started().await;
    let (mut hers, mut his) = (Browser::open(&server).await, Browser::open(&server).await);
    let sign_up = begun(&mut hers, &[("email_address", ADDRESS)]).await;
    prepared(&mut hers, &sign_up, "email_code").await;
    let fields = [("strategy", "email_code"), ("code", CODE), ("first_name", "Eve")];
    for refusal in [
        his.get(&path(&sign_up, "")).await,
        his.patch(&path(&sign_up, ""), &fields).await,
        his.post(&path(&sign_up, "/prepare_verification"), &fields).await,
        his.post(&path(&sign_up, "/attempt_verification"), &fields).await,
    ] {
        assert_eq!(said(&refusal), refused(404, "resource_not_found"));
    }
    let complete = attempt(&mut hers, &sign_up, ("email_code", CODE)).await;
    assert_eq!(response(&complete)["status"], "complete");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field() {
    let server = started().await;
    with(&server, |settings| {
        settings.attributes.username.enabled = true;
        settings.attributes.phone_number.enabled = false;
        settings.attributes.last_name.enabled = false;
    })
    .await;
    let mut browser = Browser::open(&server).await;
    let cases = [
        ("email_address", "ada", "form_param_format_invalid"),
        ("email_address", "a@x.com,b@y.com", "form_param_format_invalid"),
        ("phone_number", "+12015550100", "form_param_unknown"),
        ("last_name", "Lovelace", "form_param_unknown"),
        ("username", "ad", "form_username_invalid_length"),
        ("username", "ada lovelace", "form_username_invalid_character"),
        ("username", "аdaa", "form_username_invalid_character"),
        ("password", "short", "form_password_length_too_short"),
        ("unsafe_metadata", "[]", "form_param_value_invalid"),
        ("legal_accepted", "maybe", "form_param_value_invalid"),
        ("transfer", "maybe", "form_param_value_invalid"),
    ];
    for (name, value, code) in cases {
        let answer = browser.post("/v1/client/sign_ups", &[(name, value)]).await;
        assert_eq!(
            (answer.status, answer.errors()),
            (422, vec![(code.into(), name.into())]),
            "{name} {value}"
        );
    }
    assert_eq!(browser.client().await["sign_up"], Value::Null);
    let nothing = browser.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(said(&nothing), refused(400, "account_transfer_invalid"));
    // What only the server can say is left alone.
    let fields = [
        ("email_address", ADDRESS),
        ("verified", "true"),
        ("verification", "{\"status\":\"verified\"}"),
        ("status", "complete"),
        ("public_metadata", "{\"admin\":true}"),
        ("external_id", "1"),
        ("created_user_id", "user_1"),
    ];
    let sign_up = begun(&mut browser, &fields).await;
    assert_eq!(sign_up["unverified_fields"], json!(["email_address"]));
    assert_eq!((&sign_up["public_metadata"], &sign_up["external_id"]), (&json!({}), &Value::Null));
    for strategy in ["password", "ticket", "web3_metamask_signature", "oauth_google", "phone_code"]
    {
        let path = path(&sign_up, "/prepare_verification");
        let answer = browser.post(&path, &[("strategy", strategy)]).await;
        assert_eq!(said(&answer), refused(400, "verification_strategy_invalid"), "{strategy}");
        let answer = attempt(&mut browser, &sign_up, (strategy, CODE)).await;
        assert_eq!(answer.status, 400, "{strategy}");
    }
}

#[tokio::test]
async fn names_that_users_have_are_taken() {
    let server = started().await;
    with(&server, |settings| {
        settings.attributes.username.enabled = true;
        settings.attributes.phone_number.enabled = true;
    })
    .await;
    let body = json!({
        "email_address": ["ada@example.com"],
        "phone_number": ["+12015550100"],
        "username": "lovelace",
    });
    let request = testkit::Request::new("POST", "/v1/users").bearer(server.secret_key());
    assert_eq!(server.call(request.json(&body)).await.status, 200);
    let mut browser = Browser::open(&server).await;
    let taken = [
        ("email_address", "ADA@example.com"),
        ("phone_number", "+1 201 5550100"),
        ("username", "LoveLace"),
    ];
    for (name, value) in taken {
        let answer = browser.post("/v1/client/sign_ups", &[(name, value)]).await;
        let expected = vec![("form_identifier_exists".to_owned(), name.to_owned())];
        assert_eq!((answer.status, answer.errors()), (422, expected));
    }
}

#[tokio::test]
async fn an_address_that_is_taken_meanwhile_is_refused_at_the_end() {
    let server = started().await;
    let (mut hers, mut his) = (Browser::open(&server).await, Browser::open(&server).await);
    let hers_up = begun(&mut hers, &[("email_address", ADDRESS)]).await;
    let his_up = begun(&mut his, &[("email_address", ADDRESS)]).await;
    prepared(&mut hers, &hers_up, "email_code").await;
    prepared(&mut his, &his_up, "email_code").await;
    response(&attempt(&mut hers, &hers_up, ("email_code", CODE)).await);
    let late = attempt(&mut his, &his_up, ("email_code", CODE)).await;
    assert_eq!(said(&late), refused(422, "form_identifier_exists"));
    let other = [("email_address", "bob+clerk_test@example.com")];
    response(&his.patch(&path(&his_up, ""), &other).await);
    prepared(&mut his, &his_up, "email_code").await;
    let complete = attempt(&mut his, &his_up, ("email_code", CODE)).await;
    assert_eq!(response(&complete)["status"], "complete");
}

#[tokio::test]
async fn closed_instances_let_nobody_in() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    for (mode, code) in
        [("restricted", "sign_up_mode_restricted"), ("waitlist", "sign_up_restricted_waitlist")]
    {
        with(&server, |settings| settings.sign_up.mode = mode.to_owned()).await;
        for fields in [vec![], vec![("email_address", ADDRESS), ("password", PASSWORD)]] {
            let answer = browser.post("/v1/client/sign_ups", &fields).await;
            assert_eq!(said(&answer), refused(403, code));
        }
        let without = browser.post("/v1/client/sign_ups", &[("strategy", "ticket")]).await;
        assert_eq!(said(&without), refused(422, "form_param_missing"));
        let nonsense = [("strategy", "ticket"), ("ticket", "nonsense")];
        let answer = browser.post("/v1/client/sign_ups", &nonsense).await;
        assert_eq!(said(&answer), refused(400, "ticket_invalid_code"));
        let nonsense = [("ticket", "nonsense")];
        assert_eq!(browser.post("/v1/client/sign_ups", &nonsense).await.status, 400);
    }
}
