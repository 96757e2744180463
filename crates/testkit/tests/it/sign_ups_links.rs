//! Links that prove an address: of those who sign up, and of users in their profile.

use domain::{Settings, settings::Strategy};
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};
use wire::Id;

use crate::{
    races::{answered, rounds, together},
    sessions::set,
    sign_ins::{backend, follow, link},
    sign_ups_frontend::{PASSWORD, attempt, begun, path, refused, response, said},
};

const ADDRESS: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000/sign-up#/verify";

/// Addresses are proven by links as well, and nobody needs a password.
fn by_link(settings: &mut Settings) {
    settings.attributes.password.required = false;
    let address = &mut settings.attributes.email_address;
    address.verifications = vec![Strategy::EmailCode, Strategy::EmailLink];
}

async fn started() -> TestServer {
    let server = TestServer::start().await;
    set(&server, by_link).await;
    server
}

/// Has a link sent.
async fn sent(browser: &mut Browser<'_>, sign_up: &Value) -> Value {
    let fields = [("strategy", "email_link"), ("redirect_url", PAGE)];
    response(&browser.post(&path(sign_up, "/prepare_verification"), &fields).await)
}

/// Begins to sign up, and has a link sent.
async fn under_way(browser: &mut Browser<'_>) -> Value {
    let sign_up = begun(browser, &[("email_address", ADDRESS)]).await;
    sent(browser, &sign_up).await
}

/// What the page is told that the link leads to.
#[track_caller]
fn told(followed: &Response) -> (String, Option<String>) {
    assert_eq!(followed.status, 303, "{}", followed.without_trace());
    let location = followed.header("location").expect("a location");
    let query = location.strip_prefix("http://localhost:3000/sign-up?").expect("the page");
    let query = query.strip_suffix("#/verify").expect("its fragment");
    let mut parameters = query.split('&').map(|pair| pair.split_once('=').expect("a pair"));
    let (name, status) = parameters.next().expect("a status");
    assert_eq!(name, "__clerk_status");
    let session = parameters.next();
    assert!(session.is_none_or(|(name, _)| name == "__clerk_created_session"), "{location}");
    (status.to_owned(), session.map(|(_, id)| id.to_owned()))
}

fn only(status: &str) -> (String, Option<String>) {
    (status.to_owned(), None)
}

#[tokio::test]
async fn otp_11_a_link_completes_a_sign_up_where_it_was_asked_for() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = under_way(&mut browser).await;
    let verification = &sign_up["verifications"]["email_address"];
    assert_eq!(verification["object"], "verification_email_link");
    assert_eq!(verification["status"], "unverified");
    assert_eq!(verification["next_action"], "needs_attempt");
    assert_eq!(verification["supported_strategies"], json!(["email_code", "email_link"]));
    let mail = server.outbox().await.pop().expect("a mail");
    assert_eq!(mail.data["slug"], "magic_link_sign_up");
    // A code it is not.
    let token = link(&server).await;
    let guess = attempt(&mut browser, &sign_up, ("email_link", &token)).await;
    assert_eq!(said(&guess), refused(400, "verification_strategy_invalid"));

    let (status, session) = told(&follow(&mut browser, &token).await);
    assert_eq!(status, "verified");
    let answer = browser.get(&path(&sign_up, "")).await;
    let complete = response(&answer);
    assert_eq!(complete["status"], "complete");
    assert_eq!(complete["created_session_id"].as_str(), session.as_deref());
    let client = &answer.json()["client"];
    assert_eq!(client["last_active_session_id"], complete["created_session_id"]);
    assert_eq!(client["sign_up"], Value::Null);
    let proven = &complete["verifications"]["email_address"];
    assert_eq!(proven["status"], "verified");
    assert_eq!(proven["verified_at_client"], client["id"]);
    let address = &client["sessions"][0]["user"]["email_addresses"][0];
    assert_eq!(address["verification"]["strategy"], "email_link");
    assert_eq!(told(&follow(&mut browser, &token).await), only("failed"));
}

#[tokio::test]
async fn web_04_a_link_followed_elsewhere_completes_a_sign_up_where_it_began() {
    for same_only in [false, true] {
        let server = TestServer::start().await;
        set(&server, |settings| {
            by_link(settings);
            settings.attack_protection.email_link_require_same_client = same_only;
        })
        .await;
        let (mut browser, mut phone) = (Browser::open(&server).await, Browser::open(&server).await);
        let sign_up = under_way(&mut browser).await;
        let token = link(&server).await;
        phone.post("/v1/client", &[]).await;
        let followed = follow(&mut phone, &token).await;
        assert_eq!(phone.client().await["sessions"], json!([]));
        if same_only {
            assert_eq!(told(&followed), only("client_mismatch"));
            let shown = response(&browser.get(&path(&sign_up, "")).await);
            assert_eq!(shown["unverified_fields"], json!(["email_address"]));
            assert_eq!(told(&follow(&mut browser, &token).await).0, "verified");
            continue;
        }
        assert_eq!(told(&followed), only("verified"));
        // What was said so far lacks nothing; nobody but who began it comes for the session.
        assert_eq!(browser.client().await["sign_up"]["unverified_fields"], json!([]));
        assert_eq!(server.dump().await["users"].len(), 0);
        let stolen = phone.get(&path(&sign_up, "")).await;
        assert_eq!(said(&stolen), refused(404, "resource_not_found"));
        let answer = browser.get(&path(&sign_up, "")).await;
        let complete = response(&answer);
        assert_eq!(complete["status"], "complete");
        let client = &answer.json()["client"];
        assert_eq!(client["sessions"].as_array().map(Vec::len), Some(1));
        let proven = &complete["verifications"]["email_address"];
        assert_ne!(proven["verified_at_client"], client["id"]);
        assert!(proven["verified_at_client"].is_string());
    }
}

#[tokio::test]
async fn who_reloads_the_page_after_a_link_was_followed_elsewhere_gets_on() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = under_way(&mut browser).await;
    let token = link(&server).await;
    assert_eq!(told(&follow(&mut Browser::new(&server, 0), &token).await), only("verified"));
    assert_eq!(sent(&mut browser, &sign_up).await["status"], "complete");
    assert_eq!(server.outbox().await.iter().filter(|row| row.kind == "email.created").count(), 1);
}

#[tokio::test]
async fn a_link_proves_the_address_of_whom_is_missing_more() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        by_link(settings);
        settings.attributes.password.required = true;
    })
    .await;
    let mut browser = Browser::open(&server).await;
    let sign_up = under_way(&mut browser).await;
    let token = link(&server).await;
    assert_eq!(told(&follow(&mut browser, &token).await), only("verified"));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["status"], "missing_requirements");
    assert_eq!(shown["missing_fields"], json!(["password"]));
    assert_eq!(shown["unverified_fields"], json!([]));
    let done = browser.patch(&path(&sign_up, ""), &[("password", PASSWORD)]).await;
    assert_eq!(response(&done)["status"], "complete");
}

#[tokio::test]
async fn a_link_ends_with_its_time_its_address_and_the_next_one() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = under_way(&mut browser).await;
    let first = link(&server).await;
    sent(&mut browser, &sign_up).await;
    let second = link(&server).await;
    let invalid = refused(400, "verification_link_token_invalid");
    assert_eq!(said(&follow(&mut browser, &first).await), invalid);
    server.advance(600_000);
    assert_eq!(told(&follow(&mut browser, &second).await), only("expired"));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["verifications"]["email_address"]["status"], "expired");

    sent(&mut browser, &sign_up).await;
    let token = link(&server).await;
    for address in ["bob@example.com", ADDRESS] {
        let fields = [("email_address", address)];
        response(&browser.patch(&path(&sign_up, ""), &fields).await);
    }
    assert_eq!(told(&follow(&mut browser, &token).await), only("failed"));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["unverified_fields"], json!(["email_address"]));
    // Of a code and a link the later one counts.
    sent(&mut browser, &sign_up).await;
    let token = link(&server).await;
    let fields = [("strategy", "email_code")];
    response(&browser.post(&path(&sign_up, "/prepare_verification"), &fields).await);
    assert_eq!(said(&follow(&mut browser, &token).await), invalid);
}

#[tokio::test]
async fn a_link_leads_to_pages_of_the_app_alone() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = begun(&mut browser, &[("email_address", ADDRESS)]).await;
    let prepare = path(&sign_up, "/prepare_verification");
    for url in ["https://evil.example/", "javascript:alert(1)", "//evil.example", "/sign-up"] {
        let fields = [("strategy", "email_link"), ("redirect_url", url)];
        let answer = browser.post(&prepare, &fields).await;
        assert_eq!(said(&answer), refused(422, "invalid_redirect_url"), "{url}");
    }
    let answer = browser.post(&prepare, &[("strategy", "email_link")]).await;
    assert_eq!(said(&answer), refused(422, "form_param_missing"));
    set(&server, |settings| {
        by_link(settings);
        settings.attributes.email_address.verifications = vec![Strategy::EmailCode];
    })
    .await;
    let fields = [("strategy", "email_link"), ("redirect_url", PAGE)];
    let answer = browser.post(&prepare, &fields).await;
    assert_eq!(said(&answer), refused(400, "verification_strategy_invalid"));
}

#[tokio::test]
async fn a_link_to_an_address_that_is_anothers_by_now_makes_nobody() {
    let server = started().await;
    let mut browser = Browser::open(&server).await;
    let sign_up = under_way(&mut browser).await;
    let token = link(&server).await;
    let body = json!({ "email_address": [ADDRESS], "password": PASSWORD });
    backend(&server, "/v1/users", &body).await;
    assert_eq!(told(&follow(&mut browser, &token).await), only("failed"));
    assert_eq!(browser.client().await["sessions"], json!([]));
    let shown = response(&browser.get(&path(&sign_up, "")).await);
    assert_eq!(shown["status"], "missing_requirements");
    // Followed elsewhere, it proves the address; that is of no use any more.
    assert_eq!(told(&follow(&mut Browser::new(&server, 0), &token).await), only("verified"));
    let answer = browser.get(&path(&sign_up, "")).await;
    assert_eq!(said(&answer), refused(422, "form_identifier_exists"));
    assert_eq!(server.dump().await["users"].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_08_a_link_makes_one_user() {
    for _ in 0..rounds() {
        let server = started().await;
        let mut browser = Browser::open(&server).await;
        under_way(&mut browser).await;
        let token = link(&server).await;
        let known = browser.dev_browser.clone().expect("a token");
        let path = format!("/v1/verify?token={token}&__clerk_db_jwt={known}");
        let locations = together(|_| {
            let request = Request::new("GET", &path).header("host", &server.keys[0].frontend_host);
            let address = server.address().to_owned();
            async move { told(&answered(request, address).await) }
        })
        .await;
        let verified = locations.iter().filter(|(status, _)| status == "verified").count();
        assert_eq!(verified, 1, "{locations:?}");
        let dump = server.dump().await;
        assert_eq!(["users", "sessions"].map(|table| dump[table].len()), [1; 2]);
    }
}

#[tokio::test]
async fn a_user_proves_another_address_by_a_link() {
    let server = started().await;
    let body = json!({ "email_address": [ADDRESS], "password": PASSWORD });
    let user = backend(&server, "/v1/users", &body).await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&Id::from_text(user["id"].as_str().expect("an id"))).await;
    let added =
        browser.post("/v1/me/email_addresses", &[("email_address", "new@example.com")]).await;
    let id = response(&added)["id"].as_str().expect("an id").to_owned();
    let own = format!("/v1/me/email_addresses/{id}");
    let prepare = format!("{own}/prepare_verification");
    let missing = browser.post(&prepare, &[("strategy", "email_link")]).await;
    assert_eq!(said(&missing), refused(422, "form_param_missing"));
    let fields = [("strategy", "email_link"), ("redirect_url", PAGE)];
    let prepared = response(&browser.post(&prepare, &fields).await);
    assert_eq!(prepared["verification"]["object"], "verification_email_link");
    assert_eq!(prepared["verification"]["status"], "unverified");
    let mail = server.outbox().await.pop().expect("a mail");
    assert_eq!(mail.data["slug"], "magic_link_user_profile");
    let code = [("code", "123456")];
    let code = browser.post(&format!("{own}/attempt_verification"), &code).await;
    assert_eq!(said(&code), refused(400, "verification_not_sent"));
    server.advance(600_000);
    assert_eq!(response(&browser.get(&own).await)["verification"]["status"], "expired");
    let late = link(&server).await;
    assert_eq!(told(&follow(&mut browser, &late).await), only("expired"));

    response(&browser.post(&prepare, &fields).await);
    let token = link(&server).await;
    assert_eq!(told(&follow(&mut Browser::new(&server, 0), &token).await), only("verified"));
    let answer = browser.get(&own).await;
    let verification = &response(&answer)["verification"];
    assert_eq!(verification["status"], "verified");
    assert_eq!(verification["strategy"], "email_link");
    let user = &answer.json()["client"]["sessions"][0]["user"];
    assert_eq!(user["email_addresses"][1]["verification"]["status"], "verified");
    assert_eq!(told(&follow(&mut browser, &token).await), only("failed"));
    let events = server.events().await;
    assert_eq!(events.last().map(String::as_str), Some("user.updated"));
}
