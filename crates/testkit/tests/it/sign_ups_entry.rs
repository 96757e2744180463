//! Who may sign up, with what password, and who wins where many try.

use domain::Settings;
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{
    races::{TASKS, answered, rounds, together},
    sessions::set,
    sign_ups_frontend::{
        ADDRESS, CODE, PASSWORD, attempt, begun, path, prepared, refused, response, said, started,
        with,
    },
};

const INVITED: &str = "grace@example.com";
/// SHA-1 of the password.
pub(crate) const DIGEST: &str = "4729021B5CD85ED783356BAE1D6DC3795DC98CA1";

async fn made(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
    let response = server.call(request).await;
    assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
    response.json()
}

/// The ticket of a new invitation.
async fn ticket(server: &TestServer, body: &Value) -> String {
    let invitation = made(server, "/v1/invitations", body).await;
    ticket_of(invitation["url"].as_str().expect("a link"))
}

fn ticket_of(url: &str) -> String {
    url.split_once("ticket=").expect("a ticket").1.to_owned()
}

fn restricted(settings: &mut Settings) {
    "restricted".clone_into(&mut settings.sign_up.mode);
}

#[tokio::test]
async fn who_is_invited_signs_up_where_nobody_else_may() {
    let server = TestServer::start().await;
    let body = json!({ "email_address": INVITED, "public_metadata": { "plan": "gold" } });
    let ticket = ticket(&server, &body).await;
    set(&server, restricted).await;
    let mut browser = Browser::open(&server).await;
    let by_ticket = [("strategy", "ticket"), ("ticket", &*ticket)];
    let sign_up = begun(&mut browser, &by_ticket).await;
    assert_eq!(sign_up["email_address"], INVITED);
    let verification = &sign_up["verifications"]["email_address"];
    assert_eq!(verification["status"], "verified");
    assert_eq!(verification["strategy"], "ticket");
    assert_eq!(sign_up["missing_fields"], json!(["password"]));
    assert_eq!(sign_up["unverified_fields"], json!([]));
    // The invitation is for whom it names.
    let other = browser.patch(&path(&sign_up, ""), &[("email_address", ADDRESS)]).await;
    assert_eq!(said(&other), refused(422, "form_param_value_conflict"));
    // Whoever reloads the page in the middle begins again.
    let mut again = Browser::open(&server).await;
    let sign_up = begun(&mut again, &by_ticket).await;
    let answer = again.patch(&path(&sign_up, ""), &[("password", PASSWORD)]).await;
    assert_eq!(response(&answer)["status"], "complete");
    let client = &answer.json()["client"];
    assert_eq!(client["sessions"][0]["user"]["public_metadata"], json!({ "plan": "gold" }));
    assert_eq!(client["last_authentication_strategy"], "ticket");

    let late = browser.post("/v1/client/sign_ups", &by_ticket).await;
    assert_eq!(said(&late), refused(400, "invitation_already_accepted"));
    let request = Request::new("GET", "/v1/invitations?status=accepted");
    let listed = server.call(request.bearer(server.secret_key())).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_link_of_an_invitation_leads_to_the_app_and_takes_nothing() {
    let server = started().await;
    let away = "https://app.example/in?x=1#/here";
    let sign_up = format!("{}/sign-up?", server.address());
    let home = format!("{}/welcome?", server.address());
    for (body, front, end) in [
        (json!({ "email_address": "a@example.com" }), &*sign_up, ""),
        (
            json!({ "email_address": "b@example.com", "redirect_url": away }),
            "https://app.example/in?x=1&",
            "#/here",
        ),
        (json!({ "email_address": "c@example.com", "redirect_url": "/welcome" }), &*home, ""),
    ] {
        let ticket = ticket(&server, &body).await;
        for _ in 0..2 {
            let mut browser = Browser::new(&server, 0);
            browser.origin = None;
            let answer = browser.get(&format!("/v1/tickets/accept?ticket={ticket}")).await;
            let expected = format!("{front}__clerk_ticket={ticket}&__clerk_status=sign_up{end}");
            assert_eq!((answer.status, answer.header("location")), (303, Some(&*expected)));
        }
    }
    let mut browser = Browser::new(&server, 0);
    let nonsense = browser.get("/v1/tickets/accept?ticket=nonsense").await;
    assert_eq!(said(&nonsense), refused(400, "ticket_invalid_code"));
    // Whoever is a user by now signs in.
    let ticket = ticket(&server, &json!({ "email_address": INVITED })).await;
    let body = json!({ "email_address": [INVITED], "password": PASSWORD });
    made(&server, "/v1/users", &body).await;
    let answer = browser.get(&format!("/v1/tickets/accept?ticket={ticket}")).await;
    let place = answer.header("location").unwrap_or_default();
    assert!(place.ends_with("__clerk_status=sign_in"), "{place}");
    browser.load().await;
    let by_ticket = [("strategy", "ticket"), ("ticket", &*ticket)];
    let answer = browser.post("/v1/client/sign_ups", &by_ticket).await;
    assert_eq!(said(&answer), refused(400, "invitation_account_exists"));
    // The ticket says who they are, and proves nothing.
    let sign_in = browser.post("/v1/client/sign_ins", &by_ticket).await.json();
    assert_eq!(sign_in["response"]["status"], "needs_first_factor");
    assert_eq!(sign_in["response"]["identifier"], INVITED);
    assert_eq!(sign_in["response"]["first_factor_verification"], Value::Null);
    assert_eq!(sign_in["client"]["sessions"], json!([]));
}

#[tokio::test]
async fn ses_21_other_tickets_sign_nobody_up() {
    let server = started().await;
    let body = json!({ "email_address": ["ada@example.com"], "password": PASSWORD });
    let user = made(&server, "/v1/users", &body).await;
    let token = made(&server, "/v1/sign_in_tokens", &json!({ "user_id": user["id"] })).await;
    let token = token["token"].as_str().expect("a token");
    let mut browser = Browser::open(&server).await;
    let by_ticket = [("strategy", "ticket"), ("ticket", token)];
    let answer = browser.post("/v1/client/sign_ups", &by_ticket).await;
    assert_eq!(said(&answer), refused(400, "ticket_invalid_code"));
    let answer = browser.get(&format!("/v1/tickets/accept?ticket={token}")).await;
    let place = answer.header("location").unwrap_or_default();
    assert!(place.ends_with("&__clerk_status=sign_in"), "{place}");
}

#[tokio::test]
async fn one_waits_to_be_let_in() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let join = [("email_address", "Grace@example.com")];
    let closed = browser.post("/v1/waitlist", &join).await;
    assert_eq!(said(&closed), refused(403, "feature_not_enabled"));
    with(&server, |settings| settings.sign_up.mode = "waitlist".to_owned()).await;
    let joined = browser.post("/v1/waitlist", &join).await;
    assert_eq!(joined.status, 200, "{}", joined.without_trace());
    assert_eq!(joined.json()["object"], "waitlist_entry");
    assert_eq!(browser.post("/v1/waitlist", &join).await.json()["id"], joined.json()["id"]);
    let wrong = browser.post("/v1/waitlist", &[("email_address", "grace")]).await;
    assert_eq!(said(&wrong), refused(422, "form_param_format_invalid"));

    let id = joined.json()["id"].as_str().expect("an id").to_owned();
    let invited = made(&server, &format!("/v1/waitlist_entries/{id}/invite"), &json!({})).await;
    let ticket = ticket_of(invited["invitation"]["url"].as_str().expect("a link"));
    let sign_up = begun(&mut browser, &[("strategy", "ticket"), ("ticket", &*ticket)]).await;
    assert_eq!(sign_up["status"], "complete");
    let entries = Request::new("GET", "/v1/waitlist_entries?status=completed");
    let entries = server.call(entries.bearer(server.secret_key())).await.json();
    assert_eq!(entries["total_count"], 1);
}

#[tokio::test]
async fn otp_19_lists_keep_people_out() {
    let server = started().await;
    let keep_out = |settings: &mut Settings| {
        settings.restrictions.blocklist = true;
        settings.restrictions.block_email_subaddresses = true;
        settings.restrictions.block_disposable_email_domains = true;
    };
    with(&server, keep_out).await;
    let body = json!({ "identifier": "*@evil.example" });
    made(&server, "/v1/blocklist_identifiers", &body).await;
    let mut browser = Browser::open(&server).await;
    for address in ["eve@EVIL.example", "ada+news@example.com", "ada@mailinator.com"] {
        let answer = browser.post("/v1/client/sign_ups", &[("email_address", address)]).await;
        assert_eq!(said(&answer), refused(403, "not_allowed_access"), "{address}");
    }
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    let answer = browser.patch(&path(&sign_up, ""), &[("email_address", "a@evil.example")]).await;
    assert_eq!(said(&answer), refused(403, "not_allowed_access"));

    with(&server, |settings| settings.restrictions.allowlist = true).await;
    let answer = browser.post("/v1/client/sign_ups", &[("email_address", "a@example.com")]).await;
    assert_eq!(said(&answer), refused(403, "not_allowed_access"));
    // What was let in before the list was kept is refused at the end.
    prepared(&mut browser, &sign_up, "email_code").await;
    let late = attempt(&mut browser, &sign_up, ("email_code", CODE)).await;
    assert_eq!(said(&late), refused(403, "not_allowed_access"));
}

async fn with_password(server: &TestServer, password: &str) -> Response {
    let mut browser = Browser::open(server).await;
    let fields = [("email_address", "lovelace@example.com"), ("password", password)];
    browser.post("/v1/client/sign_ups", &fields).await
}

#[tokio::test]
async fn pwd_01_pwd_02_pwd_18_passwords_are_what_the_policy_says() {
    let server = TestServer::start().await;
    let long = "a".repeat(73);
    let cases = [
        ("short77", "form_password_length_too_short"),
        (&*long, "form_password_size_in_bytes_exceeded"),
        ("lovelace@example.com", "form_password_matches_identifier"),
        ("me-Lovelace@example.com!", "form_password_matches_identifier"),
    ];
    for (password, code) in cases {
        let answer = with_password(&server, password).await;
        let expected = vec![(code.to_owned(), "password".to_owned())];
        assert_eq!((answer.status, answer.errors()), (422, expected), "{password}");
    }
    for password in [&*"é".repeat(36), " spaces count ", "\u{1F40B} sings at dawn"] {
        assert_eq!(with_password(&server, password).await.status, 200, "{password}");
    }
    set(&server, |settings| {
        settings.password.require_numbers = true;
        settings.password.require_uppercase = true;
    })
    .await;
    let answer = with_password(&server, PASSWORD).await;
    let codes: Vec<_> = answer.errors().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["form_password_no_uppercase", "form_password_no_number"]);
}

#[tokio::test]
async fn pwd_04_known_passwords_are_refused_whether_or_not_anybody_can_be_asked() {
    let server = TestServer::start().await;
    let pwned = || refused(422, "form_password_pwned");
    for password in ["password1", "Password1", "1q2w3e4r5t"] {
        let answer = with_password(&server, password).await;
        let expected = vec![("form_password_pwned".to_owned(), "password".to_owned())];
        assert_eq!((answer.status, answer.errors()), (422, expected), "{password}");
    }
    let ask = async |method: &str, path: &str, body: Value| {
        let request = Request::new(method, path).bearer(server.secret_key()).json(&body);
        server.call(request).await
    };
    let body = json!({ "email_address": ["a@example.com"], "password": "password1" });
    assert_eq!(said(&ask("POST", "/v1/users", body.clone()).await), pwned());
    let mut unchecked = body;
    unchecked["skip_password_checks"] = json!(true);
    let user = ask("POST", "/v1/users", unchecked).await;
    assert_eq!(user.status, 200);
    let path = format!("/v1/users/{}", user.json()["id"].as_str().expect("an id"));
    let changed = ask("PATCH", &path, json!({ "password": "1q2w3e4r5t" })).await;
    assert_eq!(said(&changed), pwned());

    let (front, rest) = DIGEST.split_at(5);
    let url = format!("https://api.pwnedpasswords.com/range/{front}");
    let answer = |count: u32| {
        let page = format!("0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n{rest}:{count}\r\n");
        let mut pages = server.elsewhere.lock().expect("nobody panicked");
        pages.insert(url.clone(), (200, page));
    };
    answer(3);
    assert_eq!(with_password(&server, PASSWORD).await.status, 200, "nobody is asked");
    set(&server, |settings| settings.password.hibp = true).await;
    assert_eq!(said(&with_password(&server, PASSWORD).await), pwned());
    answer(0);
    assert_eq!(with_password(&server, PASSWORD).await.status, 200, "padding is no hit");
    server.elsewhere.lock().expect("nobody panicked").clear();
    assert_eq!(with_password(&server, PASSWORD).await.status, 200, "nobody answers");
    assert_eq!(said(&with_password(&server, "password1").await), pwned());
}

#[tokio::test]
async fn weak_passwords_come_back_with_advice() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        (settings.password.show_zxcvbn, settings.password.min_zxcvbn_strength) = (true, 3);
    })
    .await;
    let answer = with_password(&server, "abcabcabcabc").await;
    let expected = vec![("form_password_not_strong_enough".to_owned(), "password".to_owned())];
    assert_eq!((answer.status, answer.errors()), (422, expected));
    let suggestions = answer.json()["errors"][0]["meta"]["zxcvbn"]["suggestions"].clone();
    let has = |code: &str| {
        let list = suggestions.as_array().expect("a list");
        list.iter().any(|one| one["code"] == code && one["message"].is_string())
    };
    assert!(has("repeated"), "{suggestions}");
    assert_eq!(with_password(&server, PASSWORD).await.status, 200);
}

/// A form as `browser` submits it, for a task of its own.
fn form(browser: &Browser<'_>, path: &str, body: &str) -> Request {
    let token = browser.dev_browser.as_deref().expect("it is loaded");
    let path = format!("{path}?__clerk_api_version={}&__clerk_db_jwt={token}", browser.version);
    let request = Request::new("POST", &path).header("host", &browser.host);
    let request = request.header("origin", browser.origin.as_deref().unwrap_or_default());
    request.body("application/x-www-form-urlencoded", body)
}

/// Lets all requests go at once: one is answered, the others are refused like this.
async fn one_wins(server: &TestServer, requests: Vec<Request>, expected: (u16, String)) {
    let send = |number: usize| {
        let (request, address) = (requests[number].clone(), server.address().to_owned());
        answered(request, address)
    };
    let results = together(send).await;
    let (won, lost): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.status == 200);
    for result in &lost {
        assert_eq!(said(result), expected);
    }
    assert_eq!((won.len(), lost.len()), (1, TASKS - 1));
    let dump = server.dump().await;
    let made = ["users", "sessions", "identifications"].map(|table| dump[table].len());
    assert_eq!(made, [1; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_03_of_many_with_one_code_one_wins() {
    for _ in 0..rounds() {
        let server = started().await;
        let mut browser = Browser::open(&server).await;
        let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
        prepared(&mut browser, &sign_up, "email_code").await;
        let body = format!("strategy=email_code&code={CODE}");
        let request = form(&browser, &path(&sign_up, "/attempt_verification"), &body);
        let already = refused(400, "verification_already_verified");
        one_wins(&server, vec![request; TASKS], already).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_09_of_many_who_prove_one_address_one_has_it() {
    for _ in 0..rounds() {
        let server = started().await;
        let mut requests = Vec::new();
        for _ in 0..TASKS {
            let mut browser = Browser::open(&server).await;
            let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
            prepared(&mut browser, &sign_up, "email_code").await;
            let body = format!("strategy=email_code&code={CODE}");
            requests.push(form(&browser, &path(&sign_up, "/attempt_verification"), &body));
        }
        one_wins(&server, requests, refused(422, "form_identifier_exists")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_07_an_invitation_makes_one_user() {
    for _ in 0..rounds() {
        let server = started().await;
        let ticket = ticket(&server, &json!({ "email_address": INVITED })).await;
        let mut requests = Vec::new();
        for _ in 0..TASKS {
            let browser = Browser::open(&server).await;
            let body = format!("strategy=ticket&ticket={ticket}");
            requests.push(form(&browser, "/v1/client/sign_ups", &body));
        }
        one_wins(&server, requests, refused(400, "invitation_already_accepted")).await;
    }
}
