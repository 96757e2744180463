//! What people do with their own account.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};
use wire::{
    Patch,
    backend::users::{CreateUser, GetUser, User},
};

use crate::sessions::set;

const PASSWORD: &str = "correct horse battery";
/// A picture of one red pixel.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAA\
    H/iZk9HQAAAABJRU5ErkJggg==";
const EMAIL: &str = "ada@example.com";

async fn ada(server: &TestServer) -> User {
    let user = CreateUser {
        email_address: vec![EMAIL.to_owned()],
        password: Patch::Set(PASSWORD.to_owned()),
        skip_password_checks: Patch::Set(true),
        first_name: Patch::Set("Ada".to_owned()),
        ..CreateUser::new()
    };
    server.backend.send(&user).await.expect("created")
}

/// A browser where Ada is signed in.
async fn signed_in(server: &TestServer) -> (User, Browser<'_>) {
    let user = ada(server).await;
    let mut browser = Browser::open(server).await;
    browser.sign_in(&user.id).await;
    (user, browser)
}

#[track_caller]
fn refused(response: &Response, status: u16, code: &str, param: &str) {
    response.assert_refusal(code);
    let errors = response.errors();
    assert_eq!(response.status, status, "{}", response.without_trace());
    assert_eq!(errors[0], (code.to_owned(), param.to_owned()), "{}", response.without_trace());
}

#[track_caller]
fn done(response: &Response) -> Value {
    assert_eq!(response.status, 200, "{}", response.without_trace());
    response.json()
}

/// The user as the answer's client tells them.
fn told(answer: &Value) -> &Value {
    &answer["client"]["sessions"][0]["user"]
}

/// The code that was sent last.
async fn code(server: &TestServer, kind: &str) -> String {
    let outbox = server.outbox().await;
    let sent = outbox.iter().rfind(|message| message.kind == kind).expect("it was sent");
    sent.data["data"]["otp_code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn names_are_ones_own() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.username.enabled = true).await;
    let (user, mut browser) = signed_in(&server).await;

    let fields = [
        ("first_name", "Augusta"),
        ("last_name", "Lovelace"),
        ("username", "Countess"),
        ("unsafe_metadata", r#"{"theme":{"dark":true}}"#),
    ];
    let answer = done(&browser.patch("/v1/me", &fields).await);

    for shown in [&answer["response"], told(&answer)] {
        assert_eq!(shown["first_name"], "Augusta");
        assert_eq!(shown["username"], "countess");
        assert_eq!(shown["unsafe_metadata"], json!({ "theme": { "dark": true } }));
        assert_eq!(shown.get("private_metadata"), None);
    }
    assert_eq!(server.events().await.last().map(String::as_str), Some("user.updated"));
    // What is empty goes; what is not said stays.
    let answer = done(&browser.patch("/v1/me", &[("last_name", ""), ("username", "")]).await);
    assert_eq!(answer["response"]["last_name"], Value::Null);
    assert_eq!(answer["response"]["username"], Value::Null);
    assert_eq!(answer["response"]["first_name"], "Augusta");
    let merged = [("unsafe_metadata", r#"{"theme":{"dark":null,"size":2}}"#)];
    let answer = done(&browser.patch("/v1/me/metadata", &merged).await);
    assert_eq!(answer["response"]["unsafe_metadata"], json!({ "theme": { "size": 2 } }));
    let read = done(&browser.get("/v1/me").await);
    assert_eq!(
        (&read["response"]["id"], &read["client"]),
        (&user.id.as_str().into(), &Value::Null)
    );
}

#[tokio::test]
async fn sec_what_is_the_owners_stays_the_owners() {
    let server = TestServer::start().await;
    let (user, mut browser) = signed_in(&server).await;
    let fields = [
        ("public_metadata", r#"{"role":"admin"}"#),
        ("private_metadata", r#"{"role":"admin"}"#),
        ("external_id", "1"),
        ("banned", "true"),
        ("locked", "false"),
        ("password", "another password"),
        ("delete_self_enabled", "true"),
        ("create_organizations_limit", "0"),
        ("user_id", "user_other"),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("legal_accepted_at", "2020-01-01T00:00:00Z"),
        ("bypass_client_trust", "true"),
    ];
    done(&browser.patch("/v1/me", &fields).await);
    done(&browser.patch("/v1/me/metadata", &fields).await);
    let after = server.backend.send(&GetUser::new(user.id.clone())).await.expect("there");
    assert_eq!(
        User { updated_at: user.updated_at, ..after.clone() },
        User {
            last_sign_in_at: after.last_sign_in_at,
            last_active_at: after.last_active_at,
            ..user
        }
    );
}

#[tokio::test]
async fn what_an_instance_does_not_have_or_keeps_is_refused() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attributes.first_name.required = true;
        settings.attributes.last_name.enabled = false;
        settings.attributes.username.enabled = true;
        settings.attributes.username.immutable = true;
        settings.attributes.email_address.immutable = true;
    })
    .await;
    let (_, mut browser) = signed_in(&server).await;

    refused(
        &browser.patch("/v1/me", &[("first_name", "")]).await,
        422,
        "form_param_nil",
        "first_name",
    );
    let answer = browser.patch("/v1/me", &[("last_name", "Lovelace")]).await;
    refused(&answer, 422, "form_param_unknown", "last_name");
    done(&browser.patch("/v1/me", &[("last_name", "")]).await);
    done(&browser.patch("/v1/me", &[("username", "countess")]).await);
    done(&browser.patch("/v1/me", &[("username", "countess")]).await);
    let code = "immutable_attribute_modification_not_allowed";
    refused(&browser.patch("/v1/me", &[("username", "lovelace")]).await, 403, code, "username");
    refused(&browser.patch("/v1/me", &[("username", "")]).await, 403, code, "username");
    let address = [("email_address", "other@example.com")];
    let answer = browser.post("/v1/me/email_addresses", &address).await;
    refused(&answer, 403, code, "email_address");
    let id = browser.get("/v1/me/email_addresses").await.json()[0]["id"].clone();
    let path = format!("/v1/me/email_addresses/{}", id.as_str().expect("an id"));
    refused(&browser.delete(&path).await, 403, code, "email_address");
    let answer = browser.post("/v1/me/phone_numbers", &[("phone_number", "+12025550100")]).await;
    refused(&answer, 422, "form_param_unknown", "phone_number");
}

#[tokio::test]
async fn usernames_are_checked_and_unique() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.username.enabled = true).await;
    let taken = CreateUser {
        username: Patch::Set("countess".to_owned()),
        skip_user_requirement: Patch::Set(true),
        ..CreateUser::new()
    };
    server.backend.send(&taken).await.expect("created");
    let (_, mut browser) = signed_in(&server).await;
    for (name, code) in [
        ("Countess", "form_identifier_exists"),
        ("a", "form_username_invalid_length"),
        ("a b c d e", "form_username_invalid_character"),
        ("1234567", "form_username_needs_non_number_char"),
    ] {
        refused(&browser.patch("/v1/me", &[("username", name)]).await, 422, code, "username");
    }
}

#[tokio::test]
async fn an_address_is_added_proven_made_primary_and_the_old_one_given_up() {
    let server = TestServer::start().await;
    let (user, mut browser) = signed_in(&server).await;
    let old = user.primary_email_address_id.clone().expect("one");

    let fields = [("email_address", "Countess@Example.com")];
    let added = done(&browser.post("/v1/me/email_addresses/", &fields).await);
    assert_eq!(added["response"]["verification"], Value::Null);
    assert_eq!(told(&added)["email_addresses"].as_array().map(Vec::len), Some(2));
    let id = added["response"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/me/email_addresses/{id}");
    let primary = [("primary_email_address_id", id.as_str())];
    let answer = browser.patch("/v1/me", &primary).await;
    refused(&answer, 422, "form_verification_needed", "primary_email_address_id");
    let attempt = format!("{path}/attempt_verification");
    let answer = browser.post(&attempt, &[("code", "123456")]).await;
    refused(&answer, 400, "verification_not_sent", "");

    let prepare = format!("{path}/prepare_verification");
    let prepared = done(&browser.post(&prepare, &[("strategy", "email_code")]).await);
    assert_eq!(prepared["response"]["verification"]["status"], "unverified");
    assert_eq!(prepared["response"]["verification"]["strategy"], "email_code");
    let code = code(&server, "email.created").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let answer = browser.post(&attempt, &[("code", wrong)]).await;
    refused(&answer, 422, "form_code_incorrect", "code");
    let shown = done(&browser.get(&path).await);
    assert_eq!(shown["response"]["verification"]["attempts"], 1);
    let proven = done(&browser.post(&attempt, &[("code", &code)]).await);
    assert_eq!(proven["response"]["verification"]["status"], "verified");
    assert_eq!(told(&proven)["email_addresses"][1]["verification"]["status"], "verified");
    let again = browser.post(&attempt, &[("code", &code)]).await;
    refused(&again, 400, "verification_already_verified", "");

    let answer = done(&browser.patch("/v1/me", &primary).await);
    assert_eq!(told(&answer)["primary_email_address_id"], id.as_str());
    let gone = done(&browser.delete(&format!("/v1/me/email_addresses/{old}")).await);
    assert_eq!(
        gone["response"],
        json!({
            "object": "email_address", "id": old, "deleted": true,
        })
    );
    assert_eq!(told(&gone)["email_addresses"].as_array().map(Vec::len), Some(1));
    let last = browser.delete(&path).await;
    refused(&last, 400, &last.code(), "");
    let list = browser.get("/v1/me/email_addresses").await.json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn otp_03_a_third_wrong_code_ends_it_and_ten_minutes_do() {
    let server = TestServer::start().await;
    let (_, mut browser) = signed_in(&server).await;
    let added = browser.post("/v1/me/email_addresses", &[("email_address", "b@example.com")]).await;
    let id = done(&added)["response"]["id"].as_str().expect("an id").to_owned();
    let prepare = format!("/v1/me/email_addresses/{id}/prepare_verification");
    let attempt = format!("/v1/me/email_addresses/{id}/attempt_verification");
    let answer = browser.post(&prepare, &[("strategy", "email_link")]).await;
    refused(&answer, 400, "verification_strategy_invalid", "strategy");
    done(&browser.post(&prepare, &[("strategy", "email_code")]).await);
    let right = code(&server, "email.created").await;
    let early = browser.post(&prepare, &[("strategy", "email_code")]).await;
    refused(&early, 429, "verification_code_too_many_requests", "");
    assert!(early.header("retry-after").is_some());
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for code in ["12345", "１２３４５６", " 123456"] {
        let answer = browser.post(&attempt, &[("code", code)]).await;
        refused(&answer, 422, "form_code_incorrect", "code");
    }
    for _ in 0..3 {
        let answer = browser.post(&attempt, &[("code", wrong)]).await;
        refused(&answer, 422, "form_code_incorrect", "code");
    }
    let answer = browser.post(&attempt, &[("code", &right)]).await;
    refused(&answer, 400, "verification_failed", "code");

    server.advance(31_000);
    done(&browser.post(&prepare, &[("strategy", "email_code")]).await);
    let right = code(&server, "email.created").await;
    server.advance(600_000);
    let answer = browser.post(&attempt, &[("code", &right)]).await;
    refused(&answer, 400, "verification_expired", "code");
}

#[tokio::test]
async fn a_code_proves_something_to_who_asked_alone() {
    let server = TestServer::start().await;
    let (user, mut browser) = signed_in(&server).await;
    let mut elsewhere = Browser::open(&server).await;
    elsewhere.sign_in(&user.id).await;
    let added = browser.post("/v1/me/email_addresses", &[("email_address", "b@example.com")]).await;
    let id = done(&added)["response"]["id"].as_str().expect("an id").to_owned();
    let own = format!("/v1/me/email_addresses/{id}");
    let (prepare, attempt) =
        (format!("{own}/prepare_verification"), format!("{own}/attempt_verification"));
    let app = async |step: &str, body: Value| {
        let path = format!("/v1/email_addresses/{id}/{step}_verification");
        server.call(Request::new("POST", &path).bearer(server.secret_key()).json(&body)).await
    };

    let strategy = [("strategy", "email_code")];
    done(&browser.post(&prepare, &strategy).await);
    let right = code(&server, "email.created").await;
    let stolen = elsewhere.post(&attempt, &[("code", &right)]).await;
    refused(&stolen, 400, "verification_not_sent", "");
    let body = json!({ "verification_id": "ver_none", "code": right });
    refused(&app("attempt", body).await, 400, "verification_not_sent", "");

    // A new one ends the one before, whoever asks.
    server.advance(31_000);
    let sent = done(&app("prepare", json!({})).await);
    let right = code(&server, "email.created").await;
    let stolen = browser.post(&attempt, &[("code", &right)]).await;
    refused(&stolen, 400, "verification_not_sent", "");
    let early = elsewhere.post(&prepare, &strategy).await;
    refused(&early, 429, "verification_code_too_many_requests", "");
    server.advance(31_000);
    done(&elsewhere.post(&prepare, &strategy).await);
    let body = json!({ "verification_id": sent["id"], "code": right });
    refused(&app("attempt", body).await, 400, "verification_not_sent", "");
    let right = code(&server, "email.created").await;
    let proven = done(&elsewhere.post(&attempt, &[("code", &right)]).await);
    assert_eq!(proven["response"]["verification"]["status"], "verified");
}

#[tokio::test]
async fn ten_03_addresses_and_numbers_of_others_are_nobodys() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.phone_number.enabled = true).await;
    let (_, mut browser) = signed_in(&server).await;
    let bob = CreateUser {
        email_address: vec!["bob@example.com".to_owned()],
        phone_number: vec!["+12025550101".to_owned()],
        skip_password_requirement: Patch::Set(true),
        ..CreateUser::new()
    };
    let bob = server.backend.send(&bob).await.expect("created");
    let before = server.dump().await;
    let (email, phone) =
        (bob.email_addresses[0].id.to_string(), bob.phone_numbers[0].id.to_string());
    // Of the other kind it is nobody's either.
    for (kind, id) in [
        ("email_addresses", &email),
        ("phone_numbers", &phone),
        ("email_addresses", &phone),
        ("phone_numbers", &email),
    ] {
        let path = format!("/v1/me/{kind}/{id}");
        let strategy = [("strategy", "email_code"), ("code", "424242")];
        for answer in [
            browser.get(&path).await,
            browser.delete(&path).await,
            browser.post(&format!("{path}/prepare_verification"), &strategy).await,
            browser.post(&format!("{path}/attempt_verification"), &strategy).await,
        ] {
            refused(&answer, 404, "resource_not_found", "");
        }
    }
    let path = format!("/v1/me/phone_numbers/{phone}");
    let answer = browser.patch(&path, &[("reserved_for_second_factor", "true")]).await;
    refused(&answer, 404, "resource_not_found", "");
    let answer = browser.patch("/v1/me", &[("primary_email_address_id", &email)]).await;
    refused(&answer, 404, "resource_not_found", "primary_email_address_id");
    let taken =
        browser.post("/v1/me/email_addresses", &[("email_address", "Bob@example.com")]).await;
    refused(&taken, 422, "form_identifier_exists", "email_address");
    let own = browser.post("/v1/me/email_addresses", &[("email_address", EMAIL)]).await;
    refused(&own, 422, "form_identifier_exists", "email_address");
    let none = browser.post("/v1/me/email_addresses", &[("email_address", "nothing")]).await;
    refused(&none, 422, "form_param_format_invalid", "email_address");
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn new_addresses_go_by_the_lists_and_do_not_heap_up() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.restrictions.blocklist = true;
        settings.restrictions.block_email_subaddresses = true;
    })
    .await;
    let body = json!({ "identifier": "*@evil.example" });
    let listed = Request::new("POST", "/v1/blocklist_identifiers").json(&body);
    assert_eq!(server.call(listed.bearer(server.secret_key())).await.status, 200);
    let (_, mut browser) = signed_in(&server).await;
    for address in ["bob@evil.example", "ada+news@example.com"] {
        let answer = browser.post("/v1/me/email_addresses", &[("email_address", address)]).await;
        assert_eq!(answer.status, 403, "{}", answer.without_trace());
    }
    for number in 0..10 {
        let address = format!("ada{number}@example.com");
        done(&browser.post("/v1/me/email_addresses", &[("email_address", &address)]).await);
    }
    let answer =
        browser.post("/v1/me/email_addresses", &[("email_address", "b@example.com")]).await;
    refused(&answer, 400, "too_many_unverified_identifications", "");
}

#[tokio::test]
async fn a_number_is_proven_and_becomes_a_second_factor() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attributes.phone_number.enabled = true;
        let phone = &mut settings.attributes.phone_number;
        phone.used_for_second_factor = true;
        phone.second_factors = phone.first_factors.clone();
    })
    .await;
    let (_, mut browser) = signed_in(&server).await;
    let mut ids = Vec::new();
    for number in ["+12025550100", "+4915112345678"] {
        let added = browser.post("/v1/me/phone_numbers/", &[("phone_number", number)]).await;
        let id = done(&added)["response"]["id"].as_str().expect("an id").to_owned();
        let path = format!("/v1/me/phone_numbers/{id}");
        let reserve = [("reserved_for_second_factor", "true")];
        let early = browser.patch(&path, &reserve).await;
        assert_eq!(early.code(), "identification_update_second_factor_unverified");
        let fields = [("strategy", "phone_code"), ("channel", "sms")];
        done(&browser.post(&format!("{path}/prepare_verification"), &fields).await);
        // That of tests has the code of tests.
        let code = if number.starts_with("+1202555") {
            "424242".to_owned()
        } else {
            code(&server, "sms.created").await
        };
        let fields = [("code", code.as_str())];
        let proven = browser.post(&format!("{path}/attempt_verification"), &fields).await;
        assert_eq!(done(&proven)["response"]["verification"]["status"], "verified");
        let reserved = done(&browser.patch(&path, &reserve).await);
        assert_eq!(reserved["response"]["reserved_for_second_factor"], true);
        assert_eq!(told(&reserved)["two_factor_enabled"], true);
        ids.push(id);
    }
    let path = format!("/v1/me/phone_numbers/{}", ids[1]);
    let answer = done(&browser.patch(&path, &[("default_second_factor", "true")]).await);
    assert_eq!(answer["response"]["default_second_factor"], true);
    let numbers = browser.get("/v1/me/phone_numbers").await.json();
    assert_eq!(numbers[0]["default_second_factor"], false);
    done(&browser.delete(&path).await);
    let numbers = browser.get("/v1/me/phone_numbers").await.json();
    assert_eq!(
        (numbers.as_array().map(Vec::len), &numbers[0]["default_second_factor"]),
        (Some(1), &true.into())
    );
}

#[tokio::test]
async fn pwd_05_a_password_changes_for_those_who_know_it() {
    let server = TestServer::start().await;
    let (user, mut browser) = signed_in(&server).await;
    let mut elsewhere = Browser::open(&server).await;
    elsewhere.sign_in(&user.id).await;
    let path = "/v1/me/change_password";
    let with = |current: &'static str, new: &'static str| {
        [("current_password", current), ("new_password", new)]
    };
    let cases = [
        (with(PASSWORD, "short"), "form_password_length_too_short", "new_password"),
        (with(PASSWORD, EMAIL), "form_password_matches_identifier", "new_password"),
        (with(PASSWORD, PASSWORD), "form_new_password_matches_current", "new_password"),
        (with("wrong", "quite another one"), "form_password_validation_failed", "current_password"),
        (with("", "quite another one"), "form_param_missing", "current_password"),
        (with(PASSWORD, ""), "form_param_nil", "new_password"),
    ];
    for (fields, code, param) in cases {
        refused(&browser.post(path, &fields).await, 422, code, param);
    }

    let keeps = with(PASSWORD, "quite another one");
    let changed = done(&browser.post(path, &keeps).await);
    assert_eq!(changed["response"]["password_enabled"], true);
    assert_eq!(elsewhere.get("/v1/me").await.status, 200, "others go on unless they shall not");
    let [current, new] = with("quite another one", "and a third of them");
    let fields = [current, new, ("sign_out_of_other_sessions", "true")];
    done(&browser.post(path, &fields).await);
    assert_eq!(browser.get("/v1/me").await.status, 200);
    assert_eq!(elsewhere.get("/v1/me").await.status, 401);
    let body = json!({ "password": "and a third of them" });
    let verify = Request::new("POST", &format!("/v1/users/{}/verify_password", user.id));
    let verify = server.call(verify.bearer(server.secret_key()).json(&body)).await;
    assert_eq!(verify.status, 200, "{}", verify.without_trace());
    let text = format!("{:?}", server.dump().await);
    assert!(!text.contains("and a third of them"));
}

#[tokio::test]
async fn pwd_05_pwd_08_guesses_at_the_current_password_lock_the_user() {
    let server = TestServer::start().await;
    let (_, mut browser) = signed_in(&server).await;
    let fields = [("current_password", "wrong"), ("new_password", "quite another one")];
    for _ in 0..10 {
        let answer = browser.post("/v1/me/change_password", &fields).await;
        refused(&answer, 422, "form_password_validation_failed", "current_password");
    }
    let fields = [("current_password", PASSWORD), ("new_password", "quite another one")];
    for path in ["/v1/me/change_password", "/v1/me/remove_password"] {
        let answer = browser.post(path, &fields).await;
        assert_eq!(
            answer.code(),
            if path.contains("change") { "user_locked" } else { "password_required" }
        );
    }
    assert_eq!(browser.get("/v1/me").await.status, 200, "who is in stays in");
}

#[tokio::test]
async fn a_password_is_given_up_by_those_who_come_in_without_one() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.attributes.password.required = false).await;
    let (_, mut browser) = signed_in(&server).await;
    let path = "/v1/me/remove_password";
    let wrong = browser.post(path, &[("current_password", "wrong")]).await;
    refused(&wrong, 422, "form_password_validation_failed", "current_password");
    let removed = done(&browser.post(path, &[("current_password", PASSWORD)]).await);
    assert_eq!(removed["response"]["password_enabled"], false);
    assert_eq!(told(&removed)["password_enabled"], false);
    refused(&browser.post(path, &[]).await, 400, "no_password_set", "");
    // A first one needs no other before it.
    let first = done(&browser.post("/v1/me/change_password", &[("new_password", PASSWORD)]).await);
    assert_eq!(first["response"]["password_enabled"], true);
    set(&server, |settings| settings.attributes.password.enabled = false).await;
    let answer = browser.post("/v1/me/change_password", &[("new_password", PASSWORD)]).await;
    refused(&answer, 403, "password_disabled", "");
}

#[tokio::test]
async fn a_picture_comes_as_a_file_or_as_a_text() {
    let server = TestServer::start().await;
    let (_, mut browser) = signed_in(&server).await;
    let token = browser.dev_browser.clone().expect("it has one");
    let path = format!("/v1/me/profile_image?__clerk_db_jwt={token}");
    refused(&browser.delete("/v1/me/profile_image").await, 404, "image_not_found", "");
    let png = STANDARD.decode(PICTURE).expect("base 64");
    let form = [
        b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
            .as_slice(),
        png.as_slice(),
        b"\r\n--x--\r\n",
    ]
    .concat();
    let text = format!("data:image/png;base64,{PICTURE}");
    for (media_type, body) in [
        ("multipart/form-data; boundary=x", form),
        ("application/octet-stream", text.into_bytes()),
        ("application/octet-stream", png),
    ] {
        let answer = browser.send(Request::new("POST", &path).body(media_type, body)).await;
        let answer = done(&answer);
        let url = answer["response"]["public_url"].as_str().expect("an address");
        assert_eq!(answer["response"]["object"], "image");
        assert_eq!(told(&answer)["image_url"], url);
        assert_eq!(told(&answer)["has_image"], true);
        let picture = url.strip_prefix(server.address()).expect("here");
        let shown = server.call(Request::new("GET", picture)).await;
        assert_eq!(shown.status, 200);
        // Official components read pictures as pages of the app do.
        assert_eq!(shown.header("access-control-allow-origin"), Some("*"));
    }
    let nonsense = "data:image/png;base64,AAAA";
    for body in [nonsense, "data:image/png;base64,%%%", "hello", "<svg onload=alert(1)>"] {
        let request = Request::new("POST", &path).body("application/octet-stream", body);
        refused(&browser.send(request).await, 400, "request_body_invalid", "file");
    }
    let gone = done(&browser.delete("/v1/me/profile_image").await);
    assert_eq!(gone["response"]["deleted"], true);
    assert_eq!(told(&gone)["has_image"], false);
}

#[tokio::test]
async fn one_deletes_oneself_where_one_may() {
    let server = TestServer::start().await;
    let (user, mut browser) = signed_in(&server).await;
    set(&server, |settings| settings.user.delete_self = false).await;
    refused(&browser.delete("/v1/me").await, 403, "user_delete_self_not_enabled", "");
    // Nor is it offered, wherever the user is shown.
    let named = done(&browser.patch("/v1/me", &[("first_name", "Ada")]).await);
    assert_eq!(named["response"]["delete_self_enabled"], false);
    assert_eq!(told(&named)["delete_self_enabled"], false);
    assert_eq!(done(&browser.get("/v1/me").await)["response"]["delete_self_enabled"], false);
    set(&server, |_| {}).await;
    let gone = done(&browser.delete("/v1/me").await);
    assert_eq!(gone["response"], json!({ "object": "user", "id": user.id, "deleted": true }));
    assert_eq!(gone["client"]["sessions"], json!([]));
    assert_eq!(server.events().await.last().map(String::as_str), Some("user.deleted"));
    assert_eq!(browser.get("/v1/me").await.status, 401);
    assert!(server.backend.send(&GetUser::new(user.id)).await.is_err());
}

#[tokio::test]
async fn organizations_are_none_and_what_is_not_built_says_so() {
    let server = TestServer::start().await;
    let (_, mut browser) = signed_in(&server).await;
    for list in ["memberships", "invitations?status=pending", "suggestions?status=pending"] {
        let path = format!("/v1/me/organization_{list}");
        let answer = done(&browser.get(&path).await);
        assert_eq!(answer["response"], json!({ "data": [], "total_count": 0 }), "{path}");
    }
    for path in ["passkeys", "totp", "backup_codes", "external_accounts", "web3_wallets"] {
        let answer = browser.post(&format!("/v1/me/{path}"), &[]).await;
        assert_eq!(answer.status, 501, "{path}");
    }
}
