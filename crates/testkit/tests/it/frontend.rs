//! The Frontend API: who asks, what they may read, what they get.

use serde_json::Value;
use testkit::{Browser, Request, TestServer, somebody};
use wire::backend::users::{DeleteUser, UserId};

use crate::{ask::world, sessions::set};

async fn user(server: &TestServer) -> UserId {
    server.backend.send(&somebody()).await.expect("a user is made").id
}

fn ids(client: &Value) -> Vec<String> {
    let sessions = client["sessions"].as_array().cloned().unwrap_or_default();
    sessions.iter().map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_page_loads_as_official_scripts_load_it() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;

    let environment = browser.patch("/v1/environment", &[]).await;
    let client = browser.client().await;

    assert_eq!(environment.status, 200, "{}", environment.without_trace());
    let environment = environment.json();
    assert_eq!(environment["display_config"]["home_url"], "http://localhost:3000");
    assert_eq!(environment["display_config"]["application_name"], "one.clerk.accounts.dev");
    assert_eq!(environment["user_settings"]["attributes"]["email_address"]["enabled"], true);
    assert_eq!(client["object"], "client");
    assert_eq!(client["sessions"], Value::Array(Vec::new()));
    assert_eq!(client["last_active_session_id"], Value::Null);
}

#[tokio::test]
async fn the_environment_says_what_the_settings_say() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;

    let plain = browser.get("/v1/environment").await.json();

    // Nothing is offered that would fail.
    let is_off = |path: &str| assert_eq!(plain.pointer(path), Some(&Value::Bool(false)), "{path}");
    for name in ["passkey", "web3_wallet", "authenticator_app", "backup_code", "phone_number"] {
        is_off(&format!("/user_settings/attributes/{name}/enabled"));
    }
    for path in [
        "/auth_config/reverification",
        "/organization_settings/enabled",
        "/commerce_settings/billing/user/enabled",
        "/api_keys_settings/enabled",
        "/display_config/branded",
        "/display_config/show_devmode_warning",
    ] {
        is_off(path);
    }
    assert_eq!(plain["user_settings"]["social"], serde_json::json!({}));

    set(&server, |settings| {
        settings.attributes.phone_number.enabled = true;
        settings.attributes.phone_number.used_for_first_factor = true;
        settings.sign_up.mode = "waitlist".to_owned();
        settings.password.min_length = 12;
        settings.attack_protection.enumeration_protection = true;
        settings.display.branded = true;
        let google = settings.social.entry("oauth_google".to_owned()).or_default();
        (google.enabled, google.authenticatable) = (true, true);
        settings.display.application_name = Some("Shop".to_owned());
        settings.display.urls.after_sign_in = Some("https://shop.example/home".to_owned());
    })
    .await;
    let changed = browser.get("/v1/environment").await.json();

    for (path, value) in [
        ("/user_settings/attributes/phone_number/first_factors/0", "phone_code"),
        ("/user_settings/sign_up/mode", "waitlist"),
        ("/display_config/application_name", "Shop"),
        ("/display_config/after_sign_in_url", "https://shop.example/home"),
    ] {
        assert_eq!(changed.pointer(path), Some(&Value::from(value)), "{path}");
    }
    assert_eq!(changed["user_settings"]["password_settings"]["min_length"], 12);
    assert_eq!(changed["display_config"]["branded"], true);
    // Nobody signs in with a provider yet, so no component may offer it.
    let google = &changed["user_settings"]["social"]["oauth_google"];
    assert_eq!((&google["enabled"], &google["authenticatable"]), (&false.into(), &false.into()));
    assert!(!changed["auth_config"].to_string().contains("google"));
    let protection = &changed["user_settings"]["attack_protection"];
    assert_eq!(protection["enumeration_protection"]["enabled"], true);
}

#[tokio::test]
async fn a_session_is_shown_with_its_user_and_a_token() {
    let server = TestServer::start().await;
    let ids_of = world(&server).await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&ids_of["user_id"].as_str().into()).await;

    let client = browser.client().await;

    assert_eq!(client["last_active_session_id"], session.as_str());
    assert_eq!(client["last_authentication_strategy"], "password");
    let shown = &client["sessions"][0];
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["user"]["email_addresses"][0]["email_address"], "ada@example.com");
    assert_eq!(shown["public_user_data"]["identifier"], "ada@example.com");
    assert_eq!(shown["factor_verification_age"], serde_json::json!([0, -1]));
    assert_eq!(shown["user"]["private_metadata"], Value::Null);
    let token = shown["last_active_token"]["jwt"].as_str().expect("a token").to_owned();
    assert_eq!(claims(&token)["azp"], "http://localhost:3000");
    assert_eq!(claims(&token)["iss"], "https://one.clerk.accounts.dev");

    // A young token is told again; one that is asked for is made.
    let again = browser.client().await;
    assert_eq!(again["sessions"][0]["last_active_token"]["jwt"], token.as_str());
    let path = format!("/v1/client/sessions/{session}/tokens");
    let made = browser.post(&path, &[("organization_id", "")]).await;
    assert_eq!((made.status, &made.json()["object"]), (200, &"token".into()));
    assert_ne!(made.json()["jwt"], token.as_str());
    server.advance(31_000);
    let later = browser.client().await;
    assert_ne!(later["sessions"][0]["last_active_token"]["jwt"], token.as_str());
}

#[tokio::test]
async fn a_token_names_the_origin_of_a_page_behind_its_own_server() {
    let server = TestServer::start().await;
    let ids_of = world(&server).await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&ids_of["user_id"].as_str().into()).await;
    browser.origin = None;
    let path = format!("/v1/client?__clerk_db_jwt={}", browser.dev_browser.clone().expect("one"));

    for (site, page, expected) in [
        // Browsers do not say the origin where a page reads from its own.
        ("same-origin", "http://localhost:5173/account?tab=1", Some("http://localhost:5173")),
        ("same-origin", "no page", None),
        ("cross-site", "http://localhost:5173/", None),
        ("none", "http://localhost:5173/", None),
    ] {
        let asked = Request::new("GET", &path).header("sec-fetch-site", site);
        let client = browser.send(asked.header("referer", page)).await.json();
        let token = client["response"]["sessions"][0]["last_active_token"]["jwt"].as_str();
        let claims = claims(token.expect("a token"));
        assert_eq!(claims["azp"].as_str(), expected, "{site} {page}");
    }
}

fn claims(token: &str) -> Value {
    Value::Object(jwt::decode_unverified(token).expect("a token").payload)
}

#[tokio::test]
async fn several_sessions_live_on_one_client() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.session.single_session = false).await;
    let (ada, bob) = (user(&server).await, user(&server).await);
    let mut browser = Browser::open(&server).await;
    let first = browser.sign_in(&ada).await;
    server.advance(10_000);
    let second = browser.sign_in(&bob).await;

    let client = browser.client().await;
    assert_eq!(ids(&client), [second.as_str(), first.as_str()]);
    assert_eq!(client["last_active_session_id"], second.as_str());

    // To look at a page does not switch; to choose does.
    for (intent, last) in [("focus", &second), ("select_session", &first)] {
        server.advance(10_000);
        let path = format!("/v1/client/sessions/{first}/touch");
        let touched = browser.post(&path, &[("intent", intent)]).await;
        assert_eq!(touched.status, 200, "{}", touched.without_trace());
        let touched = touched.json();
        assert_eq!(touched["response"]["id"], first.as_str());
        assert!(touched["response"]["last_active_token"]["jwt"].is_string());
        assert_eq!(touched["client"]["last_active_session_id"], last.as_str(), "{intent}");
    }

    // Whoever acts is named, or was last in use.
    browser.session = Some(second.to_string());
    assert_eq!(browser.get("/v1/me").await.json()["response"]["id"], bob.as_str());
    browser.session = None;
    assert_eq!(browser.get("/v1/me").await.json()["response"]["id"], ada.as_str());

    let removed = browser.post(&format!("/v1/client/sessions/{first}/remove"), &[]).await.json();
    assert_eq!(removed["response"]["status"], "removed");
    assert_eq!(removed["response"]["last_active_token"], Value::Null);
    assert_eq!(ids(&removed["client"]), [second.as_str()]);
    let all = browser.delete("/v1/client/sessions").await.json();
    assert_eq!((ids(&all["response"]), ids(&all["client"])), (vec![], vec![]));
    assert_eq!(all["response"]["id"], client["id"]);
}

#[tokio::test]
async fn one_session_replaces_the_other_where_there_is_one() {
    let server = TestServer::start().await;
    let (ada, bob) = (user(&server).await, user(&server).await);
    let mut browser = Browser::open(&server).await;
    let first = browser.sign_in(&ada).await;
    let second = browser.sign_in(&bob).await;

    assert_eq!(ids(&browser.client().await), [second.as_str()]);
    let shown = browser.get(&format!("/v1/client/sessions/{first}")).await;
    assert_eq!(shown.json()["response"]["status"], "replaced");
}

#[tokio::test]
async fn what_is_revoked_vanishes_and_has_no_tokens() {
    let server = TestServer::start().await;
    let ada = user(&server).await;
    let (mut here, mut there) = (Browser::open(&server).await, Browser::open(&server).await);
    let (stays, goes) = (here.sign_in(&ada).await, there.sign_in(&ada).await);

    let active = here.get("/v1/me/sessions/active").await.json();
    assert_eq!(active.as_array().map(Vec::len), Some(2));
    assert_eq!(active[0]["latest_activity"]["object"], "session_activity");
    let revoked = here.post(&format!("/v1/me/sessions/{goes}/revoke"), &[]).await.json();

    assert_eq!(revoked["response"]["status"], "revoked");
    assert_eq!(ids(&revoked["client"]), [stays.as_str()]);
    assert_eq!(ids(&there.client().await), [""; 0]);
    let refused = there.post(&format!("/v1/client/sessions/{goes}/tokens"), &[]).await;
    refused.assert_refusal("tokens");
    assert_eq!((refused.status, refused.code().as_str()), (401, "authentication_invalid"));
    let refused = there.get("/v1/me").await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "authentication_invalid"));
}

#[tokio::test]
async fn whoever_is_deleted_hears_that_the_session_is_over() {
    let server = TestServer::start().await;
    let ada = user(&server).await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&ada).await;
    server.backend.send(&DeleteUser::new(ada)).await.expect("she goes");
    for path in ["tokens", "tokens/any", "touch"] {
        let refused = browser.post(&format!("/v1/client/sessions/{session}/{path}"), &[]).await;
        refused.assert_refusal(path);
        assert_eq!((refused.status, refused.code().as_str()), (401, "authentication_invalid"));
    }
    assert_eq!(ids(&browser.client().await), [""; 0]);
}

#[tokio::test]
async fn sessions_of_others_are_nobodys() {
    let server = TestServer::start().await;
    let ada = user(&server).await;
    let (mut hers, mut his) = (Browser::open(&server).await, Browser::open(&server).await);
    let session = hers.sign_in(&ada).await;
    his.sign_in(&user(&server).await).await;
    let paths = ["touch", "end", "remove", "tokens", "tokens/any"];
    for path in paths {
        let refused = his.post(&format!("/v1/client/sessions/{session}/{path}"), &[]).await;
        refused.assert_refusal(path);
        // What is used is over, as far as this browser goes; its script then looks after the client.
        let status = if path == "end" || path == "remove" { 404 } else { 401 };
        assert_eq!(refused.status, status, "{path}");
    }
    let refused = his.post(&format!("/v1/me/sessions/{session}/revoke"), &[]).await;
    assert_eq!(refused.status, 404);
    his.session = Some(session.to_string());
    assert_eq!(his.get("/v1/me").await.status, 401);
    assert_eq!(ids(&hers.client().await), [session.as_str()]);
}

#[tokio::test]
async fn a_browser_that_nobody_made_is_told_so() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 0);
    for token in [None, Some("dvb_nobodys".to_owned())] {
        browser.dev_browser = token;
        for refused in
            [browser.get("/v1/client").await, browser.submit(Some("PUT"), "/v1/client", &[]).await]
        {
            refused.assert_refusal("client");
            let said = (refused.status, refused.code());
            assert_eq!(said, (401, "dev_browser_unauthenticated".to_owned()));
        }
    }
    // The token of another instance is as unknown.
    let mut neighbour = Browser::new(&server, 1);
    neighbour.load().await;
    browser.dev_browser.clone_from(&neighbour.dev_browser);
    assert_eq!(browser.get("/v1/client").await.status, 401);
    assert_eq!(neighbour.get("/v1/client").await.status, 200);
}

#[tokio::test]
async fn production_knows_browsers_by_a_cookie_that_changes() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("a user is made");
    let mut browser = Browser::new(&server, 2);

    assert_eq!(browser.client().await, Value::Null);
    let made = browser.submit(Some("PUT"), "/v1/client", &[]).await;
    let line = made.header("set-cookie").expect("a cookie").to_owned();
    let planted = browser.cookies["__client"].clone();
    assert!(line.contains("HttpOnly") && line.contains("SameSite=Lax"), "{line}");
    assert_eq!(browser.cookies["__client_uat"], "0");

    let session = browser.sign_in(&user.id).await;
    assert_ne!(browser.cookies["__client"], planted);
    let touched = browser.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await;
    assert_eq!(touched.status, 200, "{}", touched.without_trace());
    assert_eq!(browser.cookies["__client_uat"], (server.now().0 / 1000).to_string());
    assert!(touched.headers.iter().any(|(_, line)| line.contains("Domain=three.example")));
    let client = browser.client().await;
    assert!(client["cookie_expires_at"].as_i64() > Some(server.now().0));

    // Whoever had planted the first cookie has nothing.
    let mut attacker = Browser::new(&server, 2);
    attacker.cookies.insert("__client".to_owned(), planted);
    assert_eq!(attacker.client().await, Value::Null);

    let gone = browser.delete("/v1/client").await;
    assert_eq!(gone.json()["client"], Value::Null);
    assert!(!browser.cookies.contains_key("__client"));
    assert_eq!(browser.cookies["__client_uat"], "0");
}

#[tokio::test]
async fn apps_have_a_header_instead_of_cookies() {
    let server = TestServer::start().await;
    let host = server.keys[2].frontend_host.clone();
    let request = |token: &str| {
        Request::new("POST", "/v1/client?_is_native=1&_method=PUT")
            .header("host", &host)
            .header("authorization", token)
    };
    let made = server.call(request("")).await;
    let token = made.header("authorization").expect("a token").to_owned();
    let again = server.call(request(&token)).await;

    assert_eq!(made.json()["client"]["id"], again.json()["client"]["id"]);
    assert_eq!(again.header("authorization"), Some(&*token));
    assert_eq!(again.header("set-cookie"), None);
    let both = server.call(request(&token).header("origin", "https://three.example")).await;
    assert_eq!((both.status, both.code().as_str()), (400, "origin_authorization_headers_conflict"));
}

#[tokio::test]
async fn web_01_pages_of_foreign_origins_read_nothing() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    let foreign = [
        "https://evil.example",
        "https://three.example.evil.example",
        "https://evilthree.example",
        "http://three.example",
        "https://three.example:8443.evil.example",
        "https://THREE.example",
        "https://three.example/",
        "null",
        "",
        "file://",
    ];
    for origin in foreign {
        browser.origin = Some(origin.to_owned());
        for refused in [browser.get("/v1/environment").await, browser.post("/v1/client", &[]).await]
        {
            refused.assert_refusal(origin);
            assert_eq!((refused.status, refused.code().as_str()), (403, "origin_invalid"));
            assert_eq!(refused.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(refused.header("vary"), Some("Origin"), "{origin}");
            assert_eq!(refused.header("set-cookie"), None, "{origin}");
        }
    }
    for origin in ["https://three.example", "https://app.three.example"] {
        browser.origin = Some(origin.to_owned());
        let read = browser.get("/v1/environment").await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (200, Some(origin)));
        assert_eq!(read.header("access-control-allow-credentials"), Some("true"));
    }
}

#[tokio::test]
async fn pages_read_refusals_too_and_ask_beforehand() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    for path in ["/v1/me", "/v1/nothing", "/v1/me/billing/statements", "/v1/client/sessions/x/end"]
    {
        let refused = browser.post(path, &[]).await;
        refused.assert_refusal(path);
        let allowed = refused.header("access-control-allow-origin");
        assert_eq!(allowed, Some("http://localhost:3000"), "{path}");
        let exposed = refused.header("access-control-expose-headers").unwrap_or_default();
        assert!(exposed.contains("Clerk-Db-Jwt"), "{exposed}");
    }
    let asked = Request::new("OPTIONS", "/v1/client")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let answer = browser.send(asked).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let allowed = answer.header("access-control-allow-headers");
    assert_eq!(allowed, Some("authorization,content-type"));
}

#[tokio::test]
async fn web_02_forms_of_other_pages_bring_cookies_in_vain() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("a user is made");
    let mut browser = Browser::new(&server, 2);
    let session = browser.sign_in(&user.id).await;
    let before = server.dump().await;
    let path = format!("/v1/client/sessions/{session}/remove");

    browser.origin = Some("https://evil.example".to_owned());
    assert_eq!(browser.post(&path, &[]).await.code(), "origin_invalid");
    // A browser that sends no origin says at least from where the form is.
    browser.origin = None;
    for site in ["cross-site", "same-site", "nonsense"] {
        let request = Request::new("POST", &path).header("sec-fetch-site", site);
        assert_eq!(browser.send(request).await.status, 401, "{site}");
    }
    assert_eq!(browser.send(Request::new("POST", &path)).await.status, 401);
    assert_eq!(server.dump().await, before);

    let own = Request::new("POST", &path).header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(own).await.status, 200);
}

#[tokio::test]
async fn paths_and_bodies_are_read_as_browsers_write_them() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&user(&server).await).await;
    let path = format!("//__clerk//v1/client/sessions/{session}/touch/");
    let touched = browser.post(&path, &[("intent", ""), ("surprise", "1")]).await;
    assert_eq!(touched.status, 200, "{}", touched.without_trace());

    let json = Request::new("PATCH", "/v1/environment").json(&serde_json::json!({"surprise": 1}));
    assert_eq!(browser.send(json).await.status, 200);
    let array = Request::new("PATCH", "/v1/environment").json(&serde_json::json!([]));
    assert_eq!(browser.send(array).await.code(), "request_body_invalid");
    browser.version = "2099-01-01".to_owned();
    assert_eq!(browser.get("/v1/client").await.status, 200);
    browser.version = "1999-01-01".to_owned();
    assert_eq!(browser.get("/v1/client").await.code(), "api_version_invalid");
}

#[tokio::test]
async fn the_instance_is_named_by_host_by_key_or_by_path() {
    let server = TestServer::start().await;
    let name = |response: testkit::Response| {
        response.json()["display_config"]["application_name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let ask = |path: &str| Request::new("GET", path);
    let first = server.call(ask("/v1/environment")).await;
    assert_eq!(name(first), "one.clerk.accounts.dev");
    let second = ask("/v1/environment").header("host", "two.clerk.accounts.dev:8443");
    let second = server.call(second).await;
    let sign_in = second.json()["display_config"]["sign_in_url"].as_str().map(str::to_owned);
    let sign_in = sign_in.expect("its own page");
    assert!(sign_in.ends_with("/_/two.clerk.accounts.dev/sign-in"), "{sign_in}");
    assert_eq!(name(second), "two.clerk.accounts.dev");
    let second = ask("/v1/environment").header("clerk-secret-key", server.neighbours_key());
    assert_eq!(name(server.call(second).await), "two.clerk.accounts.dev");
    let unknown = ask("/v1/environment").header("clerk-secret-key", "sk_test_nobodys");
    assert_eq!(server.call(unknown).await.code(), "clerk_key_invalid");
    let third = server.call(ask("/_/clerk.three.example/v1/environment")).await;
    assert_eq!(name(third), "clerk.three.example");
    // Who may say where browsers are from has the key of this very instance.
    let foreign = ask("/_/clerk.three.example/v1/environment");
    let foreign = foreign.header("clerk-secret-key", server.neighbours_key());
    assert_eq!(server.call(foreign).await.code(), "clerk_key_invalid");
    let twice = ask("/v1/environment").header("host", "one.clerk.accounts.dev");
    let twice = server.call(twice.header("host", "two.clerk.accounts.dev")).await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn keys_and_health_are_for_everybody() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    browser.origin = None;
    let keys = browser.get("/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["kid"], server.keys[2].instance_id.as_str());
    assert_eq!(browser.get("/v1/health").await.json()["status"], "healthy");
    assert_eq!(browser.get("/v1/proxy-health").await.json()["x_forwarded_for"], "127.0.0.1");
}

#[tokio::test]
async fn older_scripts_do_not_hear_of_pending_sessions() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&user(&server).await).await;
    browser.version = "2024-10-01".to_owned();
    let session = browser.client().await["sessions"][0].clone();
    assert!(session.get("tasks").is_none() && session["status"] == "active", "{session}");
}

#[tokio::test]
async fn each_operation_is_published_once() {
    let mut seen = std::collections::BTreeSet::new();
    for operation in domain::frontend_api().0 {
        let (method, path) = (operation.meta.method.as_str(), operation.meta.path);
        assert_eq!(operation.meta.api, wire::Api::Frontend, "{path}");
        assert!(seen.insert((method, path)), "{method} {path} is offered twice");
        let known = wire::published::all().any(|published| {
            published.api == wire::Api::Frontend
                && published.method == operation.meta.method
                && published.path == path
        });
        assert!(known, "{method} {path} is no part of the API");
    }
}

#[tokio::test]
async fn nothing_is_told_without_a_client() {
    let server = TestServer::start().await;
    for operation in domain::frontend_api().0 {
        let meta = operation.meta;
        if matches!(meta.auth, wire::Auth::Public | wire::Auth::Visitor) {
            continue;
        }
        let path = meta.path.replace(['{', '}'], "");
        let request = Request::new(meta.method.as_str(), &path);
        let request = request.header("host", &server.keys[0].frontend_host);
        let response = server.call(request).await;
        response.assert_refusal(&path);
        let said = (response.status, response.code());
        assert_eq!(said, (401, "dev_browser_unauthenticated".to_owned()), "{path}");
        if meta.auth == wire::Auth::Session {
            let request = Request::new(meta.method.as_str(), &path);
            let request = request.header("host", &server.keys[2].frontend_host);
            let response = server.call(request).await;
            // What a request lacks is told to anybody.
            let lacks = |field: &wire::Field| field.required && !meta.in_path(field.name);
            if meta.body == wire::Body::Upload || meta.fields.iter().any(lacks) {
                response.assert_refusal(&path);
                continue;
            }
            let said = (response.status, response.code());
            assert_eq!(said, (401, "authentication_invalid".to_owned()), "{path}");
        }
    }
}
