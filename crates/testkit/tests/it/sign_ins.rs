//! Sign-ins: ways in, and what keeps people out.

use domain::{Settings, settings::Strategy};
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{races, sessions::set};

/// Fields of a form.
type Form<'f> = &'f [(&'f str, &'f str)];

const ADDRESS: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

/// A user with an address, a number, a username and a password.
async fn ada(server: &TestServer) -> String {
    user(server, &json!({})).await
}

async fn user(server: &TestServer, more: &Value) -> String {
    let mut body = json!({
        "email_address": [ADDRESS],
        "first_name": "Ada",
        "password": PASSWORD,
        "skip_user_requirement": true,
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let request = Request::new("POST", "/v1/users").bearer(server.secret_key()).json(&body);
    let made = server.call(request).await;
    assert_eq!(made.status, 200, "{}", made.without_trace());
    text(&made.json()["id"])
}

pub(crate) async fn backend(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
    let done = server.call(request).await;
    assert_eq!(done.status, 200, "{path}: {}", done.without_trace());
    done.json()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

async fn create(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Value {
    let made = browser.post("/v1/client/sign_ins", fields).await;
    assert_eq!(made.status, 200, "{}", made.without_trace());
    made.json()
}

fn path(sign_in: &Value, step: &str) -> String {
    let sign_in = sign_in.get("response").unwrap_or(sign_in);
    format!("/v1/client/sign_ins/{}/{step}", text(&sign_in["id"]))
}

async fn step(
    browser: &mut Browser<'_>,
    sign_in: &Value,
    step: &str,
    fields: &[(&str, &str)],
) -> Value {
    let done = browser.post(&path(sign_in, step), fields).await;
    assert_eq!(done.status, 200, "{step}: {}", done.without_trace());
    done.json()
}

fn said(refused: &Response) -> (u16, String) {
    refused.assert_refusal("sign-in");
    (refused.status, refused.code())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The strategies of some factors.
fn strategies(factors: &Value) -> Vec<String> {
    let factors = factors.as_array().cloned().unwrap_or_default();
    factors.iter().map(|factor| text(&factor["strategy"])).collect()
}

/// The id that a factor of this strategy names.
fn id_of(factors: &Value, strategy: &str, name: &str) -> String {
    let factors = factors.as_array().expect("factors");
    let factor = factors.iter().find(|factor| factor["strategy"] == strategy);
    text(&factor.expect("it is listed")[name])
}

/// The code that was last sent.
pub(crate) async fn code(server: &TestServer) -> String {
    let outbox = server.outbox().await;
    let codes = outbox.iter().rev().find_map(|message| {
        message.data.pointer("/data/otp_code").and_then(Value::as_str).map(str::to_owned)
    });
    codes.expect("a code was sent")
}

/// The secret of the link that was last sent.
pub(crate) async fn link(server: &TestServer) -> String {
    let outbox = server.outbox().await;
    let url = outbox.iter().rev().find_map(|message| {
        message.data.pointer("/data/magic_link").and_then(Value::as_str).map(str::to_owned)
    });
    let url = url.expect("a link was sent");
    url.split_once("/v1/verify?token=").expect("its form").1.to_owned()
}

/// Follows a link from a mail.
pub(crate) async fn follow(browser: &mut Browser<'_>, token: &str) -> Response {
    browser.get(&format!("/v1/verify?token={token}")).await
}

fn assert_complete(sign_in: &Value) -> String {
    let response = &sign_in["response"];
    assert_eq!(response["status"], "complete", "{response}");
    let id = text(&response["created_session_id"]);
    assert_eq!(sign_in["client"]["last_active_session_id"], id.as_str());
    assert_eq!(sign_in["client"]["sessions"][0]["id"], id.as_str());
    assert_eq!(sign_in["client"]["sessions"][0]["status"], "active");
    assert_eq!(sign_in["client"]["sign_in"], Value::Null);
    id
}

/// Changes the settings so that everything is on that there is.
fn everything(settings: &mut Settings) {
    let all = &mut settings.attributes;
    all.email_address.first_factors = vec![Strategy::EmailCode, Strategy::EmailLink];
    for own in [&mut all.phone_number, &mut all.username] {
        (own.enabled, own.used_for_first_factor) = (true, true);
    }
    all.phone_number.used_for_second_factor = true;
    all.phone_number.second_factors = vec![Strategy::PhoneCode];
    for own in [&mut all.authenticator_app, &mut all.backup_code] {
        (own.enabled, own.used_for_second_factor) = (true, true);
    }
}

#[tokio::test]
async fn a_password_lets_in_at_once() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    let mut browser = Browser::open(&server).await;

    let fields = [("identifier", "ADA@example.com"), ("password", PASSWORD)];
    let done = create(&mut browser, &fields).await;

    let session = assert_complete(&done);
    assert_eq!(done["client"]["last_authentication_strategy"], "password");
    assert_eq!(done["response"]["first_factor_verification"]["strategy"], "password");
    assert_eq!(done["response"]["identifier"], "ADA@example.com");
    let me = browser.get("/v1/me").await.json();
    assert_eq!(me["response"]["id"], id.as_str());
    assert_eq!(me["response"]["last_sign_in_at"], server.now().0);
    let touch = format!("/v1/client/sessions/{session}/touch");
    assert_eq!(browser.post(&touch, &[("intent", "select_session")]).await.status, 200);
    assert!(server.events().await.contains(&"session.created".to_owned()));
}

#[tokio::test]
async fn a_password_lets_in_after_the_identifier() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;

    let begun = create(&mut browser, &[("identifier", ADDRESS), ("password", "")]).await;
    let response = &begun["response"];
    assert_eq!(response["status"], "needs_first_factor");
    assert_eq!(response["supported_identifiers"], json!(["email_address"]));
    let factors = &response["supported_first_factors"];
    assert_eq!(strategies(factors), ["password", "email_code", "reset_password_email_code"]);
    assert_eq!(factors[1]["safe_identifier"], ADDRESS);
    assert_eq!(factors[1]["primary"], true);
    assert_eq!(response["user_data"]["first_name"], "Ada");
    assert_eq!(response["supported_second_factors"], Value::Null);
    assert_eq!(begun["client"]["sign_in"], *response);

    let wrong = [("strategy", "password"), ("password", "wrong horse battery")];
    let refused = browser.post(&path(&begun, "attempt_first_factor"), &wrong).await;
    assert_eq!(said(&refused), is(422, "form_password_incorrect"));
    assert_eq!(refused.errors()[0].1, "password");
    let right = [("strategy", "password"), ("password", PASSWORD)];
    assert_complete(&step(&mut browser, &begun, "attempt_first_factor", &right).await);

    // What is done is done.
    for name in ["prepare_first_factor", "attempt_first_factor", "attempt_second_factor"] {
        let refused = browser.post(&path(&begun, name), &right).await;
        assert_eq!(said(&refused), is(400, "verification_already_verified"), "{name}");
    }
    let path = path(&begun, "");
    let shown = browser.get(path.trim_end_matches('/')).await.json();
    assert_eq!(shown["response"]["status"], "complete");
    assert_eq!(shown["client"]["sessions"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_code_lets_in_once() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let begun = create(&mut browser, &[("identifier", ADDRESS)]).await;
    let id = id_of(&begun["response"]["supported_first_factors"], "email_code", "email_address_id");

    let attempt = path(&begun, "attempt_first_factor");
    let early = browser.post(&attempt, &[("strategy", "email_code"), ("code", "123456")]).await;
    assert_eq!(said(&early), is(400, "verification_not_sent"));
    let fields = [("strategy", "email_code"), ("email_address_id", &*id)];
    let sent = step(&mut browser, &begun, "prepare_first_factor", &fields).await;
    let verification = &sent["response"]["first_factor_verification"];
    assert_eq!(verification["status"], "unverified");
    assert_eq!(verification["strategy"], "email_code");
    assert_eq!(verification["expire_at"], server.now().0 + 600_000);
    let code = code(&server).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = browser.post(&attempt, &[("strategy", "email_code"), ("code", wrong)]).await;
    assert_eq!(said(&refused), is(422, "form_code_incorrect"));
    let shown = browser.client().await["sign_in"]["first_factor_verification"].clone();
    assert_eq!((&shown["status"], &shown["attempts"]), (&json!("unverified"), &json!(1)));

    let right = [("strategy", "email_code"), ("code", &*code)];
    let done = step(&mut browser, &begun, "attempt_first_factor", &right).await;
    assert_complete(&done);
    assert_eq!(done["client"]["last_authentication_strategy"], "email_code");
    let again = browser.post(&attempt, &right).await;
    assert_eq!(said(&again), is(400, "verification_already_verified"));
}

#[tokio::test]
async fn a_code_can_be_sent_with_the_identifier() {
    let server = TestServer::start().await;
    set(&server, everything).await;
    user(&server, &json!({"phone_number": ["+12025550123"], "username": "lovelace"})).await;
    for (identifier, strategy) in [(ADDRESS, "email_code"), ("+1 202 555 0123", "phone_code")] {
        let mut browser = Browser::open(&server).await;
        let fields = [("identifier", identifier), ("strategy", strategy)];
        let sent = create(&mut browser, &fields).await;
        let verification = &sent["response"]["first_factor_verification"];
        assert_eq!(verification["strategy"], strategy);
        if strategy == "phone_code" {
            assert_eq!(verification["channel"], "sms");
        }
        // The number is one that tests use.
        let code = if strategy == "phone_code" { "424242".to_owned() } else { code(&server).await };
        let right = [("strategy", strategy), ("code", &*code)];
        assert_complete(&step(&mut browser, &sent, "attempt_first_factor", &right).await);
    }
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", "Lovelace"), ("password", PASSWORD)];
    assert_complete(&create(&mut browser, &fields).await);
}

#[tokio::test]
async fn test_addresses_take_a_known_code_and_get_no_mail() {
    let server = TestServer::start().await;
    user(&server, &json!({"email_address": ["ada+clerk_test@example.com"]})).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", "ada+clerk_test@example.com"), ("strategy", "email_code")];
    let sent = create(&mut browser, &fields).await;
    assert!(!server.events().await.contains(&"email.created".to_owned()));
    let right = [("strategy", "email_code"), ("code", "424242")];
    assert_complete(&step(&mut browser, &sent, "attempt_first_factor", &right).await);
}

#[tokio::test]
async fn who_is_unknown_is_told_so() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let cases: [(Form<'_>, u16, &str, &str); 9] = [
        (&[("identifier", "bob@example.com")], 422, "form_identifier_not_found", "identifier"),
        (
            &[("identifier", "bob@example.com"), ("password", "x")],
            422,
            "form_identifier_not_found",
            "identifier",
        ),
        (&[("identifier", "bob")], 422, "form_param_format_invalid", "identifier"),
        (&[("strategy", "email_code")], 422, "form_param_missing", "identifier"),
        (&[("strategy", "ticket")], 422, "form_param_missing", "ticket"),
        (&[("strategy", "ticket"), ("ticket", "x")], 400, "ticket_invalid_code", "ticket"),
        (&[("strategy", "nonsense")], 422, "form_param_value_invalid", "strategy"),
        (&[("strategy", "oauth_google")], 501, "not_supported_by_server", "strategy"),
        (
            &[("identifier", ADDRESS), ("strategy", "phone_code")],
            400,
            "strategy_for_user_invalid",
            "strategy",
        ),
    ];
    for (fields, status, code, param) in cases {
        let refused = browser.post("/v1/client/sign_ins", fields).await;
        assert_eq!(said(&refused), is(status, code), "{fields:?}");
        assert_eq!(refused.errors()[0].1, param, "{fields:?}");
    }
    let transfer = browser.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
    assert_eq!(said(&transfer), is(422, "external_account_not_found"));
    assert_eq!(browser.client().await["sign_in"], Value::Null);
    let blank = create(&mut browser, &[]).await;
    assert_eq!(blank["response"]["status"], "needs_identifier");
}

#[tokio::test]
async fn pwd_06_who_guesses_is_locked_out_for_a_while() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let wrong = [("identifier", ADDRESS), ("password", "wrong")];
    for number in 0..10 {
        let refused = browser.post("/v1/client/sign_ins", &wrong).await;
        assert_eq!(said(&refused), is(422, "form_password_incorrect"), "{number}");
    }
    let right = [("identifier", ADDRESS), ("password", PASSWORD)];
    let ways: [Form<'_>; 3] = [
        &right,
        &[("identifier", ADDRESS)],
        &[("identifier", ADDRESS), ("strategy", "email_code")],
    ];
    for fields in ways {
        let refused = browser.post("/v1/client/sign_ins", fields).await;
        assert_eq!(said(&refused), is(403, "user_locked"), "{fields:?}");
        let meta = &refused.json()["errors"][0]["meta"];
        assert_eq!(meta["lockout_expires_in_seconds"], 3600);
    }
    server.advance(3_600_000);
    assert_complete(&create(&mut browser, &right).await);

    let mut other = Browser::open(&server).await;
    for _ in 0..10 {
        other.post("/v1/client/sign_ins", &wrong).await;
    }
    assert_eq!(other.post("/v1/client/sign_ins", &right).await.status, 403);
    // pwd_27: whoever was in stays in, and hears of it.
    assert_eq!(browser.get("/v1/me").await.status, 200);
    let mails = server.outbox().await;
    assert_eq!(mails.iter().filter(|mail| mail.data["slug"] == "account_locked").count(), 2);
    backend(&server, &format!("/v1/users/{id}/unlock"), &json!({})).await;
    assert_complete(&create(&mut other, &right).await);
}

#[tokio::test]
async fn pwd_07_failures_of_all_kinds_are_counted_together() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let mut failures = 0;
    while failures < 10 {
        let sent =
            create(&mut browser, &[("identifier", ADDRESS), ("strategy", "email_code")]).await;
        let right = code(&server).await;
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for (strategy, name, value) in
            [("email_code", "code", wrong), ("password", "password", "wrong")]
        {
            let fields = [("strategy", strategy), (name, value)];
            let refused = browser.post(&path(&sent, "attempt_first_factor"), &fields).await;
            assert_eq!(refused.status, 422, "{}", refused.without_trace());
            failures += 1;
        }
    }
    let refused = browser.post("/v1/client/sign_ins", &[("identifier", ADDRESS)]).await;
    assert_eq!(said(&refused), is(403, "user_locked"));
}

#[tokio::test]
async fn pwd_20_who_is_banned_or_locked_gets_in_by_no_way() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    for (action, code_of) in [("ban", "user_banned"), ("lock", "user_locked")] {
        let mut browser = Browser::open(&server).await;
        let token = backend(&server, "/v1/sign_in_tokens", &json!({"user_id": id})).await;
        let sent =
            create(&mut browser, &[("identifier", ADDRESS), ("strategy", "email_code")]).await;
        let code = code(&server).await;
        backend(&server, &format!("/v1/users/{id}/{action}"), &json!({})).await;
        let right = [("identifier", ADDRESS), ("password", PASSWORD)];
        let ticket = text(&token["token"]);
        let attempt = path(&sent, "attempt_first_factor");
        let tries = [
            (attempt.as_str(), vec![("strategy", "email_code"), ("code", &*code)]),
            (attempt.as_str(), vec![("strategy", "password"), ("password", PASSWORD)]),
            ("/v1/client/sign_ins", right.to_vec()),
            ("/v1/client/sign_ins", vec![("strategy", "ticket"), ("ticket", &*ticket)]),
        ];
        for (path, fields) in tries {
            let refused = browser.post(path, &fields).await;
            assert_eq!(said(&refused), is(403, code_of), "{fields:?}");
        }
        assert_eq!(browser.client().await["sessions"], json!([]));
        let undo = if action == "ban" { "unban" } else { "unlock" };
        backend(&server, &format!("/v1/users/{id}/{undo}"), &json!({})).await;
        // A ticket that was refused is not used up.
        let fields = [("strategy", "ticket"), ("ticket", &*ticket)];
        assert_complete(&create(&mut browser, &fields).await);
    }
}

#[tokio::test]
async fn pwd_13_14_22_no_step_is_skipped() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let begun = create(&mut browser, &[("identifier", ADDRESS)]).await;
    let before = server.dump().await;
    let new = [("password", "another horse battery")];
    let cases: [(&str, Form<'_>, u16, &str); 9] = [
        ("reset_password", &new, 400, "bad_request"),
        ("attempt_second_factor", &[("strategy", "totp"), ("code", "1")], 400, "bad_request"),
        ("prepare_second_factor", &[("strategy", "phone_code")], 400, "bad_request"),
        ("attempt_first_factor", &[], 422, "form_param_missing"),
        ("attempt_first_factor", &[("strategy", "password")], 422, "form_param_missing"),
        ("attempt_first_factor", &[("strategy", "email_code")], 422, "form_param_missing"),
        ("attempt_first_factor", &[("strategy", "totp")], 400, "strategy_for_user_invalid"),
        ("prepare_first_factor", &[("strategy", "password")], 400, "strategy_for_user_invalid"),
        ("prepare_first_factor", &[("strategy", "passkey")], 501, "not_supported_by_server"),
    ];
    for (name, fields, status, code) in cases {
        let refused = browser.post(&path(&begun, name), fields).await;
        assert_eq!(said(&refused), is(status, code), "{name} {fields:?}");
    }
    let blank = ["", " "].map(|password| [("strategy", "password"), ("password", password)]);
    let refused = browser.post(&path(&begun, "attempt_first_factor"), &blank[0]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(server.dump().await, before);
    let refused = browser.post(&path(&begun, "attempt_first_factor"), &blank[1]).await;
    assert_eq!(refused.status, 422);
    server.advance(24 * 3600 * 1000);
    let right = [("strategy", "password"), ("password", PASSWORD)];
    let refused = browser.post(&path(&begun, "attempt_first_factor"), &right).await;
    assert_eq!(said(&refused), is(404, "resource_not_found"));
}

#[tokio::test]
async fn pwd_21_sign_ins_of_other_clients_are_nobodys() {
    let server = TestServer::start().await;
    ada(&server).await;
    let (mut hers, mut his) = (Browser::open(&server).await, Browser::open(&server).await);
    let begun = create(&mut hers, &[("identifier", ADDRESS)]).await;
    create(&mut his, &[]).await;
    let right = [("strategy", "password"), ("password", PASSWORD)];
    let steps = ["prepare_first_factor", "attempt_first_factor", "attempt_second_factor"];
    for name in steps.into_iter().chain(["prepare_second_factor", "reset_password"]) {
        let refused = his.post(&path(&begun, name), &right).await;
        assert_eq!(said(&refused), is(404, "resource_not_found"), "{name}");
    }
    let id = text(&begun["response"]["id"]);
    assert_eq!(his.get(&format!("/v1/client/sign_ins/{id}")).await.status, 404);
    assert_eq!(hers.get(&format!("/v1/client/sign_ins/{id}")).await.status, 200);
    // Another one takes its place, and it is over.
    create(&mut hers, &[]).await;
    let refused = hers.post(&path(&begun, "attempt_first_factor"), &right).await;
    assert_eq!(said(&refused), is(404, "resource_not_found"));
}

#[tokio::test]
async fn pwd_15_a_forgotten_password_is_set_anew_and_skips_no_second_factor() {
    let server = TestServer::start().await;
    set(&server, everything).await;
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    for totp in [None, Some(secret)] {
        let address = if totp.is_some() { "bob@example.com" } else { ADDRESS };
        let mut more = json!({"email_address": [address]});
        if let Some(totp) = totp {
            more["totp_secret"] = totp.into();
        }
        user(&server, &more).await;
        let mut other = Browser::open(&server).await;
        let mut browser = Browser::open(&server).await;
        let fields = [("identifier", address), ("strategy", "reset_password_email_code")];
        let sent = create(&mut browser, &fields).await;
        let code = code(&server).await;
        let right = [("strategy", "reset_password_email_code"), ("code", &*code)];
        let due = step(&mut browser, &sent, "attempt_first_factor", &right).await;
        assert_eq!(due["response"]["status"], "needs_new_password");
        assert_eq!(due["client"]["sessions"], json!([]));
        for (password, code) in [
            ("short", "form_password_length_too_short"),
            (address, "form_password_matches_identifier"),
        ] {
            let reset = path(&sent, "reset_password");
            let refused = browser.post(&reset, &[("password", password)]).await;
            assert_eq!(said(&refused), is(422, code));
        }
        let new = [("password", "another horse battery"), ("sign_out_of_other_sessions", "true")];
        let done = step(&mut browser, &sent, "reset_password", &new).await;
        if totp.is_some() {
            assert_eq!(done["response"]["status"], "needs_second_factor");
            assert_eq!(strategies(&done["response"]["supported_second_factors"]), ["totp"]);
            assert_eq!(done["client"]["sessions"], json!([]));
            continue;
        }
        assert_complete(&done);
        let old = [("identifier", address), ("password", PASSWORD)];
        assert_eq!(other.post("/v1/client/sign_ins", &old).await.status, 422);
        let new = [("identifier", address), ("password", "another horse battery")];
        assert_complete(&create(&mut other, &new).await);
    }
}

#[tokio::test]
async fn pwd_16_a_distrusted_password_opens_only_the_way_to_a_new_one() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    backend(&server, &format!("/v1/users/{id}/password/set_compromised"), &json!({})).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    let refused = browser.post("/v1/client/sign_ins", &fields).await;
    assert_eq!(said(&refused), is(422, "form_password_compromised"));
    let sent = create(&mut browser, &[("identifier", ADDRESS), ("strategy", "email_code")]).await;
    let code = code(&server).await;
    let right = [("strategy", "email_code"), ("code", &*code)];
    let due = step(&mut browser, &sent, "attempt_first_factor", &right).await;
    assert_eq!(due["response"]["status"], "needs_new_password");
    let new = [("password", "another horse battery")];
    assert_complete(&step(&mut browser, &sent, "reset_password", &new).await);
}

#[tokio::test]
async fn second_factors_are_asked_for() {
    let server = TestServer::start().await;
    set(&server, everything).await;
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    user(&server, &json!({"totp_secret": secret, "backup_codes": ["aaaa1111"]})).await;
    let totp = domain::totp::Secret::parse(secret).expect("a secret");
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    let begun = create(&mut browser, &fields).await;
    assert_eq!(begun["response"]["status"], "needs_second_factor");
    let factors = strategies(&begun["response"]["supported_second_factors"]);
    assert_eq!(factors, ["totp", "backup_code"]);

    // pwd_25: there is no session anywhere.
    assert_eq!(browser.client().await["sessions"], json!([]));
    assert_eq!(browser.get("/v1/me").await.status, 401);
    let attempt = path(&begun, "attempt_second_factor");
    let email = [("strategy", "email_code"), ("code", "123456")];
    assert_eq!(said(&browser.post(&attempt, &email).await), is(400, "verification_not_sent"));
    let prepared = browser.post(&path(&begun, "prepare_second_factor"), &email).await;
    assert_eq!(said(&prepared), is(400, "strategy_for_user_invalid"));

    let step_now = u64::try_from(server.now().0 / 30_000).expect("late enough");
    let code = totp.code(step_now);
    let wrong = [("strategy", "totp"), ("code", "000000")];
    assert_eq!(said(&browser.post(&attempt, &wrong).await), is(422, "form_code_incorrect"));
    let right = [("strategy", "totp"), ("code", &*code)];
    let done = step(&mut browser, &begun, "attempt_second_factor", &right).await;
    assert_complete(&done);
    let ages = &done["client"]["sessions"][0]["factor_verification_age"];
    assert_eq!(*ages, json!([0, 0]));

    // otp_08, otp_10: a code of either kind is good once.
    let mut other = Browser::open(&server).await;
    let begun = create(&mut other, &fields).await;
    let attempt = path(&begun, "attempt_second_factor");
    assert_eq!(said(&other.post(&attempt, &right).await), is(422, "form_code_incorrect"));
    let backup = [("strategy", "backup_code"), ("code", "aaaa1111")];
    assert_complete(&step(&mut other, &begun, "attempt_second_factor", &backup).await);
    let mut third = Browser::open(&server).await;
    let begun = create(&mut third, &fields).await;
    let refused = third.post(&path(&begun, "attempt_second_factor"), &backup).await;
    assert_eq!(refused.status, 400, "{}", refused.without_trace());
}

#[tokio::test]
async fn pwd_23_a_new_device_proves_more() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.sign_in.client_trust = true).await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    let begun = create(&mut browser, &fields).await;
    assert_eq!(begun["response"]["status"], "needs_client_trust");
    assert_eq!(begun["response"]["client_trust_state"], "new");
    let factors = &begun["response"]["supported_second_factors"];
    assert_eq!(strategies(factors), ["email_code"]);
    let id = id_of(factors, "email_code", "email_address_id");
    let fields_of_code = [("strategy", "email_code"), ("email_address_id", &*id)];
    step(&mut browser, &begun, "prepare_second_factor", &fields_of_code).await;
    let code = code(&server).await;
    let right = [("strategy", "email_code"), ("code", &*code)];
    assert_complete(&step(&mut browser, &begun, "attempt_second_factor", &right).await);

    let mails = server.outbox().await;
    let notices = mails.iter().filter(|mail| mail.data["slug"] == "new_device_sign_in");
    assert_eq!(notices.count(), 1);

    // The device is known from now on.
    browser.delete("/v1/client/sessions").await;
    let done = create(&mut browser, &fields).await;
    assert_complete(&done);
    assert_eq!(done["response"]["client_trust_state"], "known");

    // Older scripts have another word for it.
    let mut older = Browser::open(&server).await;
    older.version = "2025-11-10".to_owned();
    let begun = create(&mut older, &fields).await;
    assert_eq!(begun["response"]["status"], "needs_second_factor");
    assert_eq!(strategies(&begun["response"]["supported_second_factors"]), ["email_code"]);
}

#[tokio::test]
async fn pwd_11_nobody_learns_who_has_an_account() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    ada(&server).await;
    let ways: [Form<'_>; 4] = [
        &[],
        &[("password", "wrong")],
        &[("strategy", "email_code")],
        &[("strategy", "reset_password_email_code")],
    ];
    for fields in ways {
        let mut answers = Vec::new();
        for identifier in ["ada@example.com", "bob@example.com"] {
            let mut browser = Browser::open(&server).await;
            let fields = [&[("identifier", identifier)][..], fields].concat();
            let answer = browser.post("/v1/client/sign_ins", &fields).await;
            let code = answer.code();
            let json = answer.json();
            let mut said = vec![(answer.status, code, shape(&json["response"]))];
            if answer.status == 200 {
                let wrong = [("strategy", "password"), ("password", "wrong")];
                let refused = browser.post(&path(&json, "attempt_first_factor"), &wrong).await;
                said.push((refused.status, refused.code(), Value::Null));
                let id = id_of(
                    &json["response"]["supported_first_factors"],
                    "email_code",
                    "email_address_id",
                );
                let prepare = [("strategy", "email_code"), ("email_address_id", &*id)];
                let sent = browser.post(&path(&json, "prepare_first_factor"), &prepare).await;
                said.push((sent.status, sent.code(), shape(&sent.json()["response"])));
                let wrong = [("strategy", "email_code"), ("code", "000001")];
                let refused = browser.post(&path(&json, "attempt_first_factor"), &wrong).await;
                said.push((refused.status, refused.code(), Value::Null));
            }
            answers.push(said);
        }
        assert_eq!(answers[0], answers[1], "{fields:?}");
    }
    let right = [("identifier", ADDRESS), ("password", PASSWORD)];
    assert_complete(&create(&mut Browser::open(&server).await, &right).await);
}

/// What two answers have in common.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let told = |name: &String| {
                matches!(name.as_str(), "status" | "strategy" | "object" | "primary")
            };
            let fields = fields.iter().map(|(name, value)| {
                (name.clone(), if told(name) { value.clone() } else { shape(value) })
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!(0),
        other => other.clone(),
    }
}

#[tokio::test]
async fn who_is_unknown_may_prove_an_address_and_go_on_to_sign_up() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attack_protection.enumeration_protection = true).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", "bob@example.com"), ("sign_up_if_missing", "true")];
    let begun = create(&mut browser, &fields).await;
    let fields = [("strategy", "email_code")];
    step(&mut browser, &begun, "prepare_first_factor", &fields).await;
    let code = code(&server).await;
    let right = [("strategy", "email_code"), ("code", &*code)];
    let proven = step(&mut browser, &begun, "attempt_first_factor", &right).await;
    let verification = &proven["response"]["first_factor_verification"];
    assert_eq!(verification["status"], "transferable");
    assert_eq!(proven["client"]["sign_in"]["id"], begun["response"]["id"]);
    assert_eq!(proven["client"]["sessions"], json!([]));
}

#[tokio::test]
async fn who_is_in_is_told_so() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&id.as_str().into()).await;
    for fields in [vec![], vec![("identifier", ADDRESS), ("password", PASSWORD)]] {
        let refused = browser.post("/v1/client/sign_ins", &fields).await;
        assert_eq!(said(&refused), is(400, "session_exists"));
        assert_eq!(refused.json()["meta"]["client"]["sessions"][0]["id"], session.as_str());
    }

    set(&server, |settings| settings.session.single_session = false).await;
    let refused = browser.post("/v1/client/sign_ins", &[("identifier", ADDRESS)]).await;
    assert_eq!(said(&refused), is(400, "identifier_already_signed_in"));
    let body = refused.json();
    assert_eq!(body["errors"][0]["meta"]["session_id"], session.as_str());
    assert_eq!(body["meta"]["client"]["sessions"][0]["id"], session.as_str());
    user(&server, &json!({"email_address": ["bob@example.com"]})).await;
    let fields = [("identifier", "bob@example.com"), ("password", PASSWORD)];
    let done = create(&mut browser, &fields).await;
    assert_complete(&done);
    assert_eq!(done["client"]["sessions"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn where_there_is_one_session_the_later_one_stays() {
    let server = TestServer::start().await;
    let ada = ada(&server).await;
    user(&server, &json!({"email_address": ["bob@example.com"]})).await;
    let mut browser = Browser::open(&server).await;
    let begun = create(&mut browser, &[("identifier", "bob@example.com")]).await;
    // Meanwhile, in another tab.
    let first = browser.sign_in(&ada.as_str().into()).await;
    let right = [("strategy", "password"), ("password", PASSWORD)];
    let second = assert_complete(&step(&mut browser, &begun, "attempt_first_factor", &right).await);
    let client = browser.client().await;
    assert_eq!(client["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(client["sessions"][0]["id"], second.as_str());
    let shown = browser.get(&format!("/v1/client/sessions/{first}")).await.json();
    assert_eq!(shown["response"]["status"], "replaced");
}

#[tokio::test]
async fn ses_20_21_22_tickets_let_in_whom_they_name_once() {
    let server = TestServer::start().await;
    let id = ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let token = backend(&server, "/v1/sign_in_tokens", &json!({"user_id": id})).await;
    let ticket = text(&token["token"]);
    let fields = [("strategy", "ticket"), ("ticket", &*ticket)];
    let done = create(&mut browser, &fields).await;
    assert_complete(&done);
    assert_eq!(done["client"]["last_authentication_strategy"], "ticket");
    let mut other = Browser::open(&server).await;
    let refused = other.post("/v1/client/sign_ins", &fields).await;
    assert_eq!(said(&refused), is(400, "sign_in_token_already_used_code"));

    let invitation =
        backend(&server, "/v1/invitations", &json!({"email_address": "eve@example.com"})).await;
    let url = text(&invitation["url"]);
    let ticket = url.split_once("ticket=").expect("a ticket").1;
    let refused =
        other.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", ticket)]).await;
    assert_eq!(said(&refused), is(400, "invitation_account_not_exists"));

    let body = json!({"user_id": id, "actor": {"sub": "somebody"}});
    let token = backend(&server, "/v1/actor_tokens", &body).await;
    let ticket = text(&token["token"]);
    let done = create(&mut other, &[("strategy", "ticket"), ("ticket", &*ticket)]).await;
    assert_complete(&done);
    let session = &done["client"]["sessions"][0];
    assert_eq!(session["actor"]["sub"], "somebody");
    assert_eq!(session["expire_at"], server.now().0 + 1_800_000);
    assert_eq!(session["abandon_at"], server.now().0 + 600_000);
}

#[tokio::test]
async fn otp_02_03_04_codes_end() {
    let server = TestServer::start().await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("strategy", "email_code")];
    let sent = create(&mut browser, &fields).await;
    let attempt = path(&sent, "attempt_first_factor");
    let late = code(&server).await;
    server.advance(601_000);
    let right = [("strategy", "email_code"), ("code", &*late)];
    assert_eq!(said(&browser.post(&attempt, &right).await), is(400, "verification_expired"));
    let shown = browser.client().await["sign_in"]["first_factor_verification"].clone();
    assert_eq!(shown["status"], "expired");

    let prepare = [("strategy", "email_code")];
    step(&mut browser, &sent, "prepare_first_factor", &prepare).await;
    let first = code(&server).await;
    server.advance(1000);
    step(&mut browser, &sent, "prepare_first_factor", &prepare).await;
    let second = code(&server).await;
    let old = [("strategy", "email_code"), ("code", &*first)];
    assert_eq!(said(&browser.post(&attempt, &old).await), is(422, "form_code_incorrect"));
    let other = if second == "000000" { "000001" } else { "000000" };
    let wrong = [("strategy", "email_code"), ("code", other)];
    for _ in 0..2 {
        assert_eq!(said(&browser.post(&attempt, &wrong).await), is(422, "form_code_incorrect"));
    }
    let right = [("strategy", "email_code"), ("code", &*second)];
    assert_eq!(said(&browser.post(&attempt, &right).await), is(400, "verification_failed"));
    // otp_05: a code of one purpose is none of another.
    step(&mut browser, &sent, "prepare_first_factor", &prepare).await;
    let code = code(&server).await;
    let reset = [("strategy", "reset_password_email_code"), ("code", &*code)];
    assert_eq!(said(&browser.post(&attempt, &reset).await), is(400, "verification_not_sent"));
    // otp_07: nothing is sent to what is not the user's.
    let mails = server.outbox().await.len();
    let foreign =
        [("strategy", "email_code"), ("email_address_id", "idn_2aaaaaaaaaaaaaaaaaaaaaaa")];
    let refused = browser.post(&path(&sent, "prepare_first_factor"), &foreign).await;
    assert_eq!(said(&refused), is(404, "resource_not_found"));
    assert_eq!(server.outbox().await.len(), mails);
}

#[tokio::test]
async fn otp_11_a_link_lets_in_where_it_was_asked_for() {
    let server = TestServer::start().await;
    set(&server, everything).await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let fields = [
        ("identifier", ADDRESS),
        ("strategy", "email_link"),
        ("redirect_url", "http://localhost:3000/sign-in?a=b#/verify"),
    ];
    let sent = create(&mut browser, &fields).await;
    let verification = &sent["response"]["first_factor_verification"];
    assert_eq!(verification["object"], "verification_email_link");
    let token = link(&server).await;
    let followed = follow(&mut browser, &token).await;
    assert_eq!(followed.status, 303, "{}", followed.without_trace());
    let location = followed.header("location").expect("a location").to_owned();
    let begin = "http://localhost:3000/sign-in?a=b&__clerk_status=verified\
                 &__clerk_created_session=sess_";
    assert!(location.starts_with(begin) && location.ends_with("#/verify"), "{location}");
    let id = text(&sent["response"]["id"]);
    let polled = browser.get(&format!("/v1/client/sign_ins/{id}")).await.json();
    assert_complete(&polled);
    let own = &polled["client"]["id"];
    assert_eq!(polled["response"]["first_factor_verification"]["verified_at_client"], *own);
    let again = follow(&mut browser, &token).await;
    let location = again.header("location").expect("a location");
    assert!(location.contains("__clerk_status=failed"), "{location}");
    let unknown = follow(&mut browser, "nonsense").await;
    assert_eq!(said(&unknown), is(400, "verification_link_token_invalid"));
}

#[tokio::test]
async fn web_04_a_link_gives_nobody_else_a_session() {
    let server = TestServer::start().await;
    ada(&server).await;
    for same_only in [false, true] {
        set(&server, |settings| {
            everything(settings);
            settings.attack_protection.email_link_require_same_client = same_only;
        })
        .await;
        let mut browser = Browser::open(&server).await;
        let mut phone = Browser::open(&server).await;
        let mut nobody = Browser::new(&server, 0);
        let fields = [
            ("identifier", ADDRESS),
            ("strategy", "email_link"),
            ("redirect_url", "http://localhost:3000/sign-in#/verify"),
        ];
        let sent = create(&mut browser, &fields).await;
        let id = text(&sent["response"]["id"]);
        let token = link(&server).await;
        let opener = if same_only { &mut phone } else { &mut nobody };
        let followed = follow(opener, &token).await;
        let location = followed.header("location").expect("a location").to_owned();
        assert!(!location.contains("created_session"), "{location}");
        assert_eq!(phone.client().await["sessions"], json!([]));
        let polled = browser.get(&format!("/v1/client/sign_ins/{id}")).await.json();
        if same_only {
            assert!(location.contains("__clerk_status=client_mismatch"), "{location}");
            assert_eq!(polled["response"]["status"], "needs_first_factor");
            let followed = follow(&mut browser, &token).await;
            let location = followed.header("location").expect("a location");
            assert!(location.contains("__clerk_status=verified"), "{location}");
        } else {
            assert!(location.contains("__clerk_status=verified"), "{location}");
            assert_complete(&polled);
        }
    }
}

#[tokio::test]
async fn a_link_ends_with_its_time_and_leads_nowhere_else() {
    let server = TestServer::start().await;
    set(&server, everything).await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let begun = create(&mut browser, &[("identifier", ADDRESS)]).await;
    let prepare = path(&begun, "prepare_first_factor");
    for url in [
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example",
        "http://localhost@evil.example/",
        "/sign-in",
        "data:text/html,x",
    ] {
        let fields = [("strategy", "email_link"), ("redirect_url", url)];
        let refused = browser.post(&prepare, &fields).await;
        assert_eq!(said(&refused), is(422, "invalid_redirect_url"), "{url}");
    }
    let refused = browser.post(&prepare, &[("strategy", "email_link")]).await;
    assert_eq!(said(&refused), is(422, "form_param_missing"));
    let fields = [("strategy", "email_link"), ("redirect_url", "http://localhost:3000/x")];
    step(&mut browser, &begun, "prepare_first_factor", &fields).await;
    let token = link(&server).await;
    // A code it is not.
    let guess = [("strategy", "email_link"), ("code", &*token)];
    assert_eq!(browser.post(&path(&begun, "attempt_first_factor"), &guess).await.status, 400);
    let head = browser.send(Request::new("HEAD", &format!("/v1/verify?token={token}"))).await;
    assert_ne!(head.status, 303);
    server.advance(600_000);
    let followed = follow(&mut browser, &token).await;
    let location = followed.header("location").expect("a location");
    assert_eq!(location, "http://localhost:3000/x?__clerk_status=expired");
}

#[tokio::test]
async fn ses_02_production_gives_whoever_signs_in_another_cookie() {
    let server = TestServer::start().await;
    let body = json!({"email_address": [ADDRESS], "password": PASSWORD});
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    let request = Request::new("POST", "/v1/users").bearer(&key).json(&body);
    assert_eq!(server.call(request).await.status, 200);
    let mut browser = Browser::new(&server, 2);
    create(&mut browser, &[]).await;
    let planted = browser.cookies["__client"].clone();
    server.advance(10_000);
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    assert_complete(&create(&mut browser, &fields).await);
    assert_ne!(browser.cookies["__client"], planted);
    assert_eq!(browser.cookies["__client_uat"], (server.now().0 / 1000).to_string());
    let mut attacker = Browser::new(&server, 2);
    attacker.cookies.insert("__client".to_owned(), planted);
    assert_eq!(attacker.client().await, Value::Null);
}

#[tokio::test]
async fn pwd_09_who_asks_too_often_waits() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.rate_limits.enabled = true).await;
    ada(&server).await;
    let mut browser = Browser::open(&server).await;
    let begun = create(&mut browser, &[("identifier", ADDRESS)]).await;
    let attempt = path(&begun, "attempt_first_factor");
    for _ in 0..4 {
        create(&mut browser, &[("identifier", ADDRESS)]).await;
    }
    let refused = browser.post("/v1/client/sign_ins", &[("identifier", ADDRESS)]).await;
    assert_eq!(said(&refused), is(429, "too_many_requests"));
    assert_eq!(refused.header("retry-after"), Some("10"));
    let wrong = [("strategy", "password"), ("password", "wrong")];
    for number in 0..4 {
        let refused = browser.post(&attempt, &wrong).await;
        assert_eq!(refused.status, if number < 3 { 404 } else { 429 }, "{number}");
    }
    // ses_24: a testing token is for those who test, and for nothing else.
    let token = backend(&server, "/v1/testing_tokens", &json!({})).await;
    let path = format!("/v1/client/sign_ins?__clerk_testing_token={}", text(&token["token"]));
    let fields = [("identifier", ADDRESS), ("password", "wrong")];
    assert_eq!(said(&browser.post(&path, &fields).await), is(422, "form_password_incorrect"));
    server.advance(10_000);
    create(&mut browser, &[("identifier", ADDRESS)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_03_of_many_right_codes_at_once_one_lets_in() {
    for _ in 0..races::rounds() {
        let server = TestServer::start().await;
        set(&server, |settings| settings.session.single_session = false).await;
        ada(&server).await;
        let mut browser = Browser::open(&server).await;
        let fields = [("identifier", ADDRESS), ("strategy", "email_code")];
        let sent = create(&mut browser, &fields).await;
        let code = code(&server).await;
        let token = browser.dev_browser.clone().expect("a token");
        let path = format!("{}?__clerk_db_jwt={token}", path(&sent, "attempt_first_factor"));
        let body = format!("strategy=email_code&code={code}");
        let results = races::together(|_| {
            let request = Request::new("POST", &path)
                .header("host", &server.keys[0].frontend_host)
                .header("origin", "http://localhost:3000")
                .body("application/x-www-form-urlencoded", body.clone());
            let address = server.address().to_owned();
            async move { races::answered(request, address).await.status }
        })
        .await;
        assert_eq!(results.iter().filter(|status| **status == 200).count(), 1, "{results:?}");
        assert_eq!(browser.client().await["sessions"].as_array().map(Vec::len), Some(1));
        let begun = server.events().await.into_iter().filter(|kind| kind == "session.created");
        assert_eq!(begun.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_03_no_guess_goes_uncounted() {
    for _ in 0..races::rounds() {
        let server = TestServer::start().await;
        ada(&server).await;
        let mut browser = Browser::open(&server).await;
        let fields = [("identifier", ADDRESS), ("strategy", "email_code")];
        let sent = create(&mut browser, &fields).await;
        let right = code(&server).await;
        let token = browser.dev_browser.clone().expect("a token");
        let path = format!("{}?__clerk_db_jwt={token}", path(&sent, "attempt_first_factor"));
        let wrong = if right == "000000" { "000001" } else { "000000" };
        let codes = races::together(|_| {
            let request = Request::new("POST", &path)
                .header("host", &server.keys[0].frontend_host)
                .header("origin", "http://localhost:3000")
                .body(
                    "application/x-www-form-urlencoded",
                    format!("strategy=email_code&code={wrong}"),
                );
            let address = server.address().to_owned();
            async move { races::answered(request, address).await.code() }
        })
        .await;
        let wrong = codes.iter().filter(|code| *code == "form_code_incorrect").count();
        assert_eq!(wrong, 3, "{codes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_08_a_link_lets_in_once() {
    for _ in 0..races::rounds() {
        let server = TestServer::start().await;
        set(&server, everything).await;
        ada(&server).await;
        let mut browser = Browser::open(&server).await;
        let fields = [
            ("identifier", ADDRESS),
            ("strategy", "email_link"),
            ("redirect_url", "http://localhost:3000/"),
        ];
        create(&mut browser, &fields).await;
        let token = link(&server).await;
        let known = browser.dev_browser.clone().expect("a token");
        let path = format!("/v1/verify?token={token}&__clerk_db_jwt={known}");
        let locations = races::together(|_| {
            let request = Request::new("GET", &path).header("host", &server.keys[0].frontend_host);
            let address = server.address().to_owned();
            async move {
                let followed = races::answered(request, address).await;
                followed.header("location").unwrap_or_default().to_owned()
            }
        })
        .await;
        let verified = locations.iter().filter(|to| to.contains("__clerk_status=verified")).count();
        assert_eq!(verified, 1, "{locations:?}");
        assert_eq!(browser.client().await["sessions"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_14_a_storm_of_wrong_passwords_locks_after_ten() {
    for _ in 0..races::rounds() {
        let server = TestServer::start().await;
        ada(&server).await;
        let mut browser = Browser::open(&server).await;
        let begun = create(&mut browser, &[("identifier", ADDRESS)]).await;
        let token = browser.dev_browser.clone().expect("a token");
        let path = format!("{}?__clerk_db_jwt={token}", path(&begun, "attempt_first_factor"));
        let codes = races::together(|_| {
            let request = Request::new("POST", &path)
                .header("host", &server.keys[0].frontend_host)
                .header("origin", "http://localhost:3000")
                .body("application/x-www-form-urlencoded", "strategy=password&password=wrong");
            let address = server.address().to_owned();
            async move { races::answered(request, address).await.code() }
        })
        .await;
        let count = |code: &str| codes.iter().filter(|own| *own == code).count();
        assert_eq!(count("form_password_incorrect"), 10, "{codes:?}");
        assert_eq!(count("user_locked") + count("too_many_requests"), 54, "{codes:?}");
        let right = [("strategy", "password"), ("password", PASSWORD)];
        let attempt = crate::sign_ins::path(&begun, "attempt_first_factor");
        assert_eq!(said(&browser.post(&attempt, &right).await), is(403, "user_locked"));
    }
}

#[tokio::test]
async fn restrictions_hold_at_sign_in() {
    let server = TestServer::start().await;
    ada(&server).await;
    set(&server, |settings| settings.restrictions.blocklist = true).await;
    backend(&server, "/v1/blocklist_identifiers", &json!({"identifier": "*@example.com"})).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("password", PASSWORD)];
    let refused = browser.post("/v1/client/sign_ins", &fields).await;
    assert_eq!(refused.status, 403, "{}", refused.without_trace());
}
