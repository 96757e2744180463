//! Passwords, whoever is asked for one: how they are compared, what is told by it, and how often.

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::Hasher;
use serde_json::{Value, json};
use testkit::{Browser, Response, SILENT, TestServer};

use crate::{
    calls::{last_code, post},
    sessions::set,
    sign_ups_entry::DIGEST,
};

const ADDRESS: &str = "ada@example.com";
const PASSWORD: &str = "a blue whale sings";

async fn user(server: &TestServer, more: &Value) -> String {
    let mut body = json!({"email_address": [ADDRESS], "skip_password_requirement": true});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let made = post(server, "/v1/users", &body).await;
    assert_eq!(made.status, 200, "{}", made.without_trace());
    made.json()["id"].as_str().expect("an id").to_owned()
}

async fn sign_in(server: &TestServer, identifier: &str, password: &str) -> Response {
    let mut browser = Browser::open(server).await;
    let fields = [("identifier", identifier), ("password", password)];
    browser.post("/v1/client/sign_ins", &fields).await
}

fn said(response: &Response) -> (u16, String) {
    (response.status, response.code())
}

#[tokio::test]
async fn pwd_03_a_password_is_the_same_however_its_letters_are_typed() {
    let server = TestServer::start().await;
    let (composed, apart) = ("caf\u{e9} am see, 8 uhr", "cafe\u{301} am see, 8 uhr");
    user(&server, &json!({"password": composed})).await;
    // What others hashed was hashed as it was typed.
    let digest = json!({
        "email_address": ["bob@example.com"],
        "password_hasher": "sha256",
        "password_digest": "ca5d2c13e32a8d28d3163ebc26bc185db40db4b57d0114055b7bc4ca38050ef9",
    });
    let imported = digest.clone();
    user(&server, &imported).await;
    for password in [composed, apart] {
        let done = sign_in(&server, ADDRESS, password).await;
        assert_eq!(done.status, 200, "{}", done.without_trace());
    }
    for password in [apart, composed] {
        let done = sign_in(&server, "bob@example.com", password).await;
        assert_eq!(done.status, 200, "{password}: {}", done.without_trace());
    }
    let others = [
        "cafe am see, 8 uhr",
        "caf\u{e9} am see, 8 uhr ",
        " caf\u{e9} am see, 8 uhr",
        "Caf\u{e9} am see, 8 uhr",
    ];
    for password in others {
        let refused = sign_in(&server, ADDRESS, password).await;
        assert_eq!(said(&refused), (422, "form_password_incorrect".to_owned()), "{password:?}");
    }
    let refused = sign_in(&server, ADDRESS, "caf\u{e9} am see, 8 uhr\0").await;
    let expected = ("form_param_value_invalid".to_owned(), "password".to_owned());
    assert_eq!((refused.status, refused.errors()), (422, vec![expected]));
}

/// What a server logs, for those who look afterwards.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn pwd_04_who_knows_breached_passwords_keeps_nobody_waiting() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = TestServer::start().await;
    set(&server, |settings| settings.password.hibp = true).await;
    let page = format!("https://api.pwnedpasswords.com/range/{}", &DIGEST[..5]);
    for status in [SILENT, 503] {
        let answer = (status, String::new());
        server.elsewhere.lock().expect("nobody panicked").insert(page.clone(), answer);
        let mut browser = Browser::open(&server).await;
        let fields = [("email_address", ADDRESS), ("password", PASSWORD)];
        let answering = browser.post("/v1/client/sign_ups", &fields);
        let answer = tokio::time::timeout(Duration::from_secs(3), answering).await;
        let answer = answer.expect("a second is added at most");
        assert_eq!(answer.status, 200, "{}", answer.without_trace());
        let fields = [("email_address", ADDRESS), ("password", "password1")];
        let refused = browser.post("/v1/client/sign_ups", &fields).await;
        assert_eq!(said(&refused), (422, "form_password_pwned".to_owned()));
    }
    let logged = String::from_utf8(log.0.lock().expect("nobody panicked").clone()).expect("text");
    assert_eq!(logged.matches("nobody could tell whether a password was breached").count(), 2);
    assert!(!logged.contains(PASSWORD) && !logged.contains(ADDRESS), "{logged}");
}

#[tokio::test]
async fn pwd_04_a_forgotten_password_is_not_replaced_by_a_known_one() {
    let server = TestServer::start().await;
    user(&server, &json!({"password": PASSWORD})).await;
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("strategy", "reset_password_email_code")];
    let begun = browser.post("/v1/client/sign_ins", &fields).await.json();
    let id = begun["response"]["id"].as_str().expect("an id").to_owned();
    let path = |step: &str| format!("/v1/client/sign_ins/{id}/{step}");
    let code = last_code(&server).await;
    let strategy = ("strategy", "reset_password_email_code");
    let known = [strategy, ("code", &*code), ("password", "password1")];
    let refused = browser.post(&path("attempt_first_factor"), &known).await;
    assert_eq!(said(&refused), (422, "form_password_pwned".to_owned()));
    let proven = browser.post(&path("attempt_first_factor"), &[strategy, ("code", &*code)]).await;
    assert_eq!(proven.json()["response"]["status"], "needs_new_password");
    let refused = browser.post(&path("reset_password"), &[("password", "password1")]).await;
    assert_eq!(said(&refused), (422, "form_password_pwned".to_owned()));
    let done = browser.post(&path("reset_password"), &[("password", "two red foxes dance")]).await;
    assert_eq!(done.json()["response"]["status"], "complete", "{}", done.without_trace());
}

#[tokio::test]
async fn pwd_05_pwd_13_no_password_is_right_for_whoever_has_none() {
    let server = TestServer::start().await;
    user(&server, &json!({})).await;
    for password in [" ", "null", "undefined", "-", "a password of nobody"] {
        let refused = sign_in(&server, ADDRESS, password).await;
        refused.assert_refusal(password);
        assert_eq!(said(&refused), (400, "strategy_for_user_invalid".to_owned()), "{password:?}");
    }
    let mut browser = Browser::open(&server).await;
    let fields = [("identifier", ADDRESS), ("strategy", "password")];
    let begun = browser.post("/v1/client/sign_ins", &[fields[0]]).await.json();
    let id = begun["response"]["id"].as_str().expect("an id");
    let path = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    for password in ["", " ", "null"] {
        let refused = browser.post(&path, &[fields[1], ("password", password)]).await;
        refused.assert_refusal(password);
    }
    assert_eq!(browser.client().await["sessions"], json!([]));
}

#[tokio::test]
async fn pwd_12_each_try_is_hashed_once_whoever_it_is() {
    let hasher = Hasher::new(2);
    let server = TestServer::start_hashing(hasher.clone()).await;
    user(&server, &json!({"password": PASSWORD})).await;
    user(&server, &json!({"email_address": ["none@example.com"]})).await;
    let locked = json!({"email_address": ["locked@example.com"], "password": PASSWORD});
    let locked = user(&server, &locked).await;
    post(&server, &format!("/v1/users/{locked}/lock"), &json!({})).await;
    let who = [ADDRESS, "none@example.com", "locked@example.com", "nobody@example.com"];
    for hides in [false, true] {
        set(&server, |settings| settings.attack_protection.enumeration_protection = hides).await;
        // The latter has two spellings.
        for (password, times) in [("wrong", 1), ("wro\u{301}ng", 2)] {
            for identifier in who {
                let before = hasher.hashed();
                let refused = sign_in(&server, identifier, password).await;
                refused.assert_refusal(identifier);
                assert_eq!(hasher.hashed() - before, times, "{identifier}, {hides}");
            }
        }
    }
    // The same in two steps, where nobody shall learn anything.
    for identifier in who {
        let mut browser = Browser::open(&server).await;
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", identifier)]).await;
        let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
        let path = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
        let before = hasher.hashed();
        let refused = browser.post(&path, &[("strategy", "password"), ("password", "wrong")]).await;
        let code = "form_password_or_identifier_incorrect".to_owned();
        assert_eq!(said(&refused), (422, code), "{identifier}");
        assert_eq!(hasher.hashed() - before, 1, "{identifier}");
    }
    // Whoever signs up has one made, whether there is an account or not.
    for identifier in [ADDRESS, "nobody@example.com"] {
        let before = hasher.hashed();
        let mut browser = Browser::open(&server).await;
        let fields = [("email_address", identifier), ("password", PASSWORD)];
        let begun = browser.post("/v1/client/sign_ups", &fields).await;
        assert_eq!(begun.status, 200, "{}", begun.without_trace());
        assert_eq!(hasher.hashed() - before, 1, "{identifier}");
    }
}

#[tokio::test]
async fn pwd_11_nobody_learns_who_has_an_address_by_signing_up_or_by_adding_it() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attack_protection.enumeration_protection = true;
        settings.attributes.phone_number.enabled = true;
    })
    .await;
    let ada = json!({"phone_number": ["+12025550123"], "password": PASSWORD});
    user(&server, &ada).await;
    let eve = user(&server, &json!({"email_address": ["eve@example.com"]})).await;
    let mut answers = Vec::new();
    for (address, number) in [(ADDRESS, "+12025550123"), ("bob@example.com", "+12025550124")] {
        let mut browser = Browser::open(&server).await;
        let fields = [("email_address", address), ("password", PASSWORD)];
        let begun = browser.post("/v1/client/sign_ups", &fields).await;
        let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
        let path = |step: &str| format!("/v1/client/sign_ups/{id}{step}");
        let code = [("strategy", "email_code"), ("code", "000001")];
        let mut said = vec![
            anonymous(&begun),
            anonymous(&browser.post(&path("/prepare_verification"), &code[..1]).await),
            anonymous(&browser.post(&path("/attempt_verification"), &code).await),
            anonymous(&browser.patch(&path(""), &[("email_address", address)]).await),
        ];
        let mut known = Browser::open(&server).await;
        known.sign_in(&eve.as_str().into()).await;
        for (kind, name, value) in [
            ("email_addresses", "email_address", address),
            ("phone_numbers", "phone_number", number),
        ] {
            let added = known.post(&format!("/v1/me/{kind}"), &[(name, value)]).await;
            let id = added.json()["response"]["id"].as_str().expect("an id").to_owned();
            let path = |step: &str| format!("/v1/me/{kind}/{id}{step}");
            let strategy = if name == "phone_number" { "phone_code" } else { "email_code" };
            let prepare = path("/prepare_verification");
            said.push(anonymous(&added));
            said.push(anonymous(&known.post(&prepare, &[("strategy", strategy)]).await));
            let attempt = path("/attempt_verification");
            said.push(anonymous(&known.post(&attempt, &[("code", "000001")]).await));
            known.delete(&path("")).await;
        }
        answers.push(said);
    }
    for (known, unknown) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(known, unknown);
    }
    // Its owner hears of it, and whoever can read their mail learns that there is an account.
    let mut browser = Browser::open(&server).await;
    let begun = browser.post("/v1/client/sign_ups", &[("email_address", ADDRESS)]).await;
    let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
    let path = |step: &str| format!("/v1/client/sign_ups/{id}/{step}");
    browser.post(&path("prepare_verification"), &[("strategy", "email_code")]).await;
    let code = last_code(&server).await;
    browser.patch(&format!("/v1/client/sign_ups/{id}"), &[("password", PASSWORD)]).await;
    let right = [("strategy", "email_code"), ("code", &*code)];
    let told = browser.post(&path("attempt_verification"), &right).await;
    assert_eq!(said(&told), (422, "form_identifier_exists".to_owned()), "{}", told.without_trace());
    assert_eq!(browser.client().await["sessions"], json!([]));
}

/// What two answers have in common: status, codes, keys, headers, and how long texts are not.
fn anonymous(response: &Response) -> (u16, Vec<String>, Value) {
    let names = response.headers.iter().map(|(name, _)| name.clone());
    let names = names.filter(|name| name != "content-length").collect();
    (response.status, names, shape("", &response.json()))
}

fn shape(name: &str, value: &Value) -> Value {
    let is_told = ["status", "strategy", "object", "code", "message", "param_name", "next_action"];
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), shape(name, value)));
            Value::Object(fields.collect())
        }
        // Whoever is signed in is not what this is about.
        Value::Array(_) if name == "sessions" => json!([]),
        Value::Array(items) => items.iter().map(|item| shape(name, item)).collect(),
        Value::String(_) if !is_told.contains(&name) => json!("text"),
        Value::Number(_) => json!(0),
        other => other.clone(),
    }
}

#[tokio::test]
async fn pwd_19_a_username_has_one_spelling() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attributes.username.enabled = true;
        settings.attributes.username.used_for_first_factor = true;
    })
    .await;
    user(&server, &json!({"username": "lovelace", "password": PASSWORD})).await;
    for name in ["LOVELACE", "Lovelace", " lovelace "] {
        let done = sign_in(&server, name, PASSWORD).await;
        assert_eq!(done.status, 200, "{name}: {}", done.without_trace());
    }
    let others = [
        ("LoveLace", "form_identifier_exists"),
        ("lov\u{435}lace", "form_username_invalid_character"),
        ("love\u{200b}lace", "form_username_invalid_character"),
        ("\u{ff4c}ovelace", "form_username_invalid_character"),
        ("lovelac\u{e9}", "form_username_invalid_character"),
        ("love\u{202e}lace", "form_username_invalid_character"),
    ];
    for (name, code) in others {
        let mut browser = Browser::open(&server).await;
        let refused = browser.post("/v1/client/sign_ups", &[("username", name)]).await;
        assert_eq!(said(&refused), (422, code.to_owned()), "{name:?}");
        let body = json!({"username": name, "skip_user_requirement": true});
        assert_eq!(post(&server, "/v1/users", &body).await.code(), code, "{name:?}");
    }
}
