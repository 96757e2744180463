//! Codes and tickets of visitors: each is for one thing, and of many who use it at once one has it.

use domain::settings::Strategy;
use serde_json::{Value, json};
use testkit::{Browser, Request, TestServer};

use crate::{
    races::{TASKS, answered, rounds, together},
    sessions::set,
};

const PASSWORD: &str = "a blue whale sings";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// What a code is sent for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Purpose {
    SignIn,
    Reset,
    Device,
    SignUp,
    Address,
    Number,
    SignInByPhone,
}

const PURPOSES: [Purpose; 7] = [
    Purpose::SignIn,
    Purpose::Reset,
    Purpose::Device,
    Purpose::SignUp,
    Purpose::Address,
    Purpose::Number,
    Purpose::SignInByPhone,
];

/// Where a code is to be tried, and how that is called.
struct Asked<'s> {
    browser: Browser<'s>,
    path: String,
    strategy: &'static str,
    code: String,
}

async fn backend(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
    let done = server.call(request).await;
    assert_eq!(done.status, 200, "{path}: {}", done.without_trace());
    done.json()
}

async fn last_code(server: &TestServer) -> String {
    let outbox = server.outbox().await;
    let code = outbox.iter().rev().find_map(|message| {
        message.data.pointer("/data/otp_code").and_then(Value::as_str).map(str::to_owned)
    });
    code.expect("a code was sent")
}

/// Has a code sent for `purpose`, to the same person wherever that can be.
async fn asked<'s>(server: &'s TestServer, user: &str, purpose: Purpose) -> Asked<'s> {
    let mut browser = Browser::open(server).await;
    let ada = ("identifier", "ada@example.com");
    let (path, strategy, fields): (&str, &str, Vec<(&str, &str)>) = match purpose {
        Purpose::SignIn => ("sign_ins", "email_code", vec![ada, ("strategy", "email_code")]),
        Purpose::Reset => {
            let strategy = "reset_password_email_code";
            ("sign_ins", strategy, vec![ada, ("strategy", strategy)])
        }
        Purpose::Device => ("sign_ins", "email_code", vec![ada, ("password", PASSWORD)]),
        Purpose::SignInByPhone => {
            let number = ("identifier", "+12025557123");
            ("sign_ins", "phone_code", vec![number, ("strategy", "phone_code")])
        }
        Purpose::SignUp => ("sign_ups", "email_code", vec![("email_address", "new@example.com")]),
        Purpose::Address => {
            ("email_addresses", "email_code", vec![("email_address", "new@example.com")])
        }
        Purpose::Number => ("phone_numbers", "phone_code", vec![("phone_number", "+12025557124")]),
    };
    let is_own = matches!(purpose, Purpose::Address | Purpose::Number);
    if is_own {
        browser.sign_in(&user.into()).await;
    }
    let family = if is_own { format!("/v1/me/{path}") } else { format!("/v1/client/{path}") };
    let begun = browser.post(&family, &fields).await;
    assert_eq!(begun.status, 200, "{purpose:?}: {}", begun.without_trace());
    let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
    let steps = match purpose {
        Purpose::Device => ("prepare_second_factor", "attempt_second_factor"),
        Purpose::SignUp | Purpose::Address | Purpose::Number => {
            ("prepare_verification", "attempt_verification")
        }
        _ => ("", "attempt_first_factor"),
    };
    if !steps.0.is_empty() {
        let prepare = format!("{family}/{id}/{}", steps.0);
        let sent = browser.post(&prepare, &[("strategy", strategy)]).await;
        assert_eq!(sent.status, 200, "{purpose:?}: {}", sent.without_trace());
    }
    let path = format!("{family}/{id}/{}", steps.1);
    let code = last_code(server).await;
    Asked { browser, path, strategy, code }
}

#[tokio::test]
async fn otp_05_a_code_is_for_what_it_was_sent_for() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.lockout.enabled = false;
        settings.sign_in.client_trust = true;
        let phone = &mut settings.attributes.phone_number;
        (phone.enabled, phone.used_for_first_factor) = (true, true);
        phone.first_factors = vec![Strategy::PhoneCode];
    })
    .await;
    let ada = json!({
        "email_address": ["ada@example.com"], "phone_number": ["+12025557123"],
        "password": PASSWORD, "skip_password_checks": true,
    });
    let user = backend(&server, "/v1/users", &ada).await["id"].as_str().expect("an id").to_owned();
    for sent_for in PURPOSES {
        for used_for in PURPOSES {
            if sent_for == used_for {
                continue;
            }
            let foreign = asked(&server, &user, sent_for).await;
            server.advance(31_000);
            let mut own = asked(&server, &user, used_for).await;
            if foreign.code == own.code {
                continue;
            }
            let fields = [("strategy", own.strategy), ("code", &*foreign.code)];
            let refused = own.browser.post(&own.path, &fields).await;
            let of = format!("{sent_for:?} for {used_for:?}");
            refused.assert_refusal(&of);
            assert_eq!(refused.code(), "form_code_incorrect", "{of}");
            let fields = [("strategy", own.strategy), ("code", &*own.code)];
            let right = own.browser.post(&own.path, &fields).await;
            assert_eq!(right.status, 200, "{of}: {}", right.without_trace());
            forget(&server, &user).await;
        }
    }
}

/// Takes away what the tries have added, so that the next ones can add it again.
async fn forget(server: &TestServer, user: &str) {
    let request = Request::new("GET", &format!("/v1/users/{user}")).bearer(server.secret_key());
    let user = server.call(request).await.json();
    for (list, kept) in [("email_addresses", "ada@example.com"), ("phone_numbers", "+12025557123")]
    {
        let value = if list == "phone_numbers" { "phone_number" } else { "email_address" };
        for one in user[list].as_array().into_iter().flatten().filter(|one| one[value] != kept) {
            let path = format!("/v1/{list}/{}", one["id"].as_str().expect("an id"));
            let request = Request::new("DELETE", &path).bearer(server.secret_key());
            assert_eq!(server.call(request).await.status, 200);
        }
    }
}

/// A form that a browser of its own submits.
async fn form(server: &TestServer, path: &str, body: &str) -> Request {
    let browser = Browser::open(server).await;
    of(&browser, path, body)
}

fn of(browser: &Browser<'_>, path: &str, body: &str) -> Request {
    let token = browser.dev_browser.as_deref().expect("it is loaded");
    let mark = if path.contains('?') { '&' } else { '?' };
    Request::new("POST", &format!("{path}{mark}__clerk_db_jwt={token}"))
        .header("host", &browser.host)
        .header("origin", browser.origin.as_deref().unwrap_or_default())
        .body("application/x-www-form-urlencoded", body)
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_06_a_ticket_lets_one_browser_of_many_in() {
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        let user = backend(&server, "/v1/users", &json!({"skip_user_requirement": true})).await;
        for (family, body) in [
            ("sign_in_tokens", json!({"user_id": user["id"]})),
            ("actor_tokens", json!({"user_id": user["id"], "actor": {"sub": "somebody"}})),
        ] {
            let made = backend(&server, &format!("/v1/{family}"), &body).await;
            let ticket = made["token"].as_str().expect("a ticket").to_owned();
            let mut requests = Vec::new();
            for _ in 0..TASKS {
                let body = format!("strategy=ticket&ticket={ticket}");
                requests.push(form(&server, "/v1/client/sign_ins", &body).await);
            }
            let statuses = together(|number| {
                let (request, address) = (requests[number].clone(), server.address().to_owned());
                async move { answered(request, address).await.status }
            })
            .await;
            let won = statuses.iter().filter(|status| **status == 200).count();
            assert_eq!(won, 1, "{family}: {statuses:?}");
        }
        let begun = server.events().await.into_iter().filter(|kind| kind == "session.created");
        assert_eq!(begun.count(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_05_a_code_of_an_app_lets_one_browser_of_many_in() {
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        set(&server, |settings| {
            settings.lockout.enabled = false;
            settings.attributes.authenticator_app.enabled = true;
            settings.attributes.authenticator_app.used_for_second_factor = true;
        })
        .await;
        let ada = json!({
            "email_address": ["ada+clerk_test@example.com"], "password": PASSWORD,
            "totp_secret": SECRET,
        });
        backend(&server, "/v1/users", &ada).await;
        let secret = domain::totp::Secret::parse(SECRET).expect("a secret");
        let code = secret.code(u64::try_from(server.now().0 / 30_000).expect("late enough"));
        let mut requests = Vec::new();
        for _ in 0..TASKS {
            let mut browser = Browser::open(&server).await;
            let strategy = ("strategy", "email_code");
            let fields = [("identifier", "ada+clerk_test@example.com"), strategy];
            let begun = browser.post("/v1/client/sign_ins", &fields).await.json();
            let id = begun["response"]["id"].as_str().expect("an id").to_owned();
            let path = format!("/v1/client/sign_ins/{id}");
            let first = format!("{path}/attempt_first_factor");
            let proven = browser.post(&first, &[strategy, ("code", "424242")]).await;
            assert_eq!(proven.json()["response"]["status"], "needs_second_factor");
            let second = format!("{path}/attempt_second_factor");
            requests.push(of(&browser, &second, &format!("strategy=totp&code={code}")));
        }
        let statuses = together(|number| {
            let (request, address) = (requests[number].clone(), server.address().to_owned());
            async move { answered(request, address).await.status }
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        let begun = server.events().await.into_iter().filter(|kind| kind == "session.created");
        assert_eq!(begun.count(), 1, "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_03_a_code_of_a_profile_is_taken_once_and_no_guess_is_free() {
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        let ada = json!({
            "email_address": ["ada@example.com"], "skip_password_requirement": true,
        });
        let user =
            backend(&server, "/v1/users", &ada).await["id"].as_str().expect("an id").to_owned();
        for is_right in [true, false] {
            let sent = asked(&server, &user, Purpose::Address).await;
            let wrong = if sent.code == "000000" { "000001" } else { "000000" };
            let body = format!("code={}", if is_right { &*sent.code } else { wrong });
            let request = of(&sent.browser, &sent.path, &body);
            let codes = together(|_| {
                let (request, address) = (request.clone(), server.address().to_owned());
                async move { answered(request, address).await.code() }
            })
            .await;
            let count = |code: &str| codes.iter().filter(|own| *own == code).count();
            let (first, rest) = if is_right {
                (count(""), count("verification_already_verified"))
            } else {
                (count("form_code_incorrect"), count("verification_failed"))
            };
            let expected = if is_right { 1 } else { 3 };
            assert_eq!((first, rest), (expected, codes.len() - expected), "{codes:?}");
            forget(&server, &user).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_17_nobody_signs_in_as_a_user_who_is_deleted_meanwhile() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.lockout.enabled = false).await;
    for round in 0..rounds() {
        let address = format!("person{round}+clerk_test@example.com");
        let body = json!({"email_address": [address], "skip_password_requirement": true});
        let user = backend(&server, "/v1/users", &body).await;
        let user = user["id"].as_str().expect("an id").to_owned();
        let mut requests = Vec::new();
        for _ in 1..TASKS {
            let mut browser = Browser::open(&server).await;
            let fields = [("identifier", &*address), ("strategy", "email_code")];
            let begun = browser.post("/v1/client/sign_ins", &fields).await.json();
            let id = begun["response"]["id"].as_str().expect("an id").to_owned();
            let path = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
            requests.push(of(&browser, &path, "strategy=email_code&code=424242"));
        }
        let delete = Request::new("DELETE", &format!("/v1/users/{user}"));
        requests.insert(TASKS / 2, delete.bearer(server.secret_key()));
        let statuses = together(|number| {
            let (request, address) = (requests[number].clone(), server.address().to_owned());
            async move { answered(request, address).await.status }
        })
        .await;
        assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
        let dump = server.dump().await;
        for table in ["sessions", "identifications", "users"] {
            assert!(!format!("{:?}", dump[table]).contains(&user), "{table} of a deleted user");
        }
    }
}
