//! Domains of an instance, its proxies, and the page that old SDKs show.

use std::sync::PoisonError;

use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};
use wire::backend::interstitial::GetPublicInterstitial;

use crate::{calls::text, races};

const PROXY: &str = "https://proxy.three.example/__clerk";

fn key_of(server: &TestServer, instance: usize) -> String {
    server.keys[instance].secret_key.clone().expect("it was just made")
}

/// A call of the production instance.
async fn call(server: &TestServer, method: &str, path: &str, body: Option<Value>) -> Response {
    let request = Request::new(method, path).bearer(&key_of(server, 2));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    server.call(request).await
}

async fn post(server: &TestServer, path: &str, body: Value) -> Response {
    call(server, "POST", path, Some(body)).await
}

async fn patch(server: &TestServer, id: &str, body: Value) -> Response {
    call(server, "PATCH", &format!("/v1/domains/{id}"), Some(body)).await
}

async fn list(server: &TestServer, instance: usize) -> Value {
    let request = Request::new("GET", "/v1/domains").bearer(&key_of(server, instance));
    let response = server.call(request).await;
    assert_eq!(response.status, 200, "{}", response.without_trace());
    response.json()
}

/// The id of the one primary domain.
async fn primary(server: &TestServer, instance: usize) -> String {
    let listed = list(server, instance).await;
    let data = listed["data"].as_array().expect("a list");
    let primary = data.iter().find(|domain| domain["is_satellite"] == false);
    text(&primary.expect("there is one")["id"])
}

fn refused(response: &Response, status: u16, code: &str, param: &str) {
    let expected = vec![(code.to_owned(), param.to_owned())];
    assert_eq!((response.status, response.errors()), (status, expected));
}

/// Lets a proxy answer.
fn answer(server: &TestServer, proxy: &str, status: u16, body: &str) {
    let mut pages = server.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
    pages.insert(format!("{proxy}/v1/proxy-health"), (status, body.to_owned()));
}

#[tokio::test]
async fn an_instance_begins_with_a_primary_domain() {
    let server = TestServer::start().await;

    let production = list(&server, 2).await;

    assert_eq!(production["total_count"], 1);
    let domain = &production["data"][0];
    assert_eq!((&domain["object"], &domain["name"]), (&json!("domain"), &json!("three.example")));
    assert_eq!(domain["frontend_api_url"], "https://clerk.three.example");
    assert_eq!(domain["accounts_portal_url"], "https://accounts.three.example");
    let targets = domain["cname_targets"].as_array().expect("a list");
    let hosts: Vec<_> = targets.iter().map(|target| text(&target["host"])).collect();
    assert_eq!(hosts, ["clerk.three.example", "accounts.three.example"]);

    let development = list(&server, 0).await["data"][0].clone();
    assert_eq!(development["frontend_api_url"], "https://one.clerk.accounts.dev");
    assert_eq!(development["accounts_portal_url"], "https://one.accounts.dev");
    assert_eq!(development["cname_targets"], json!([]));
}

#[tokio::test]
async fn satellites_come_and_go() {
    let server = TestServer::start().await;
    let body = json!({ "name": "Satellite.test", "is_satellite": true });
    let added = post(&server, "/v1/domains", body).await.json();
    assert_eq!((&added["name"], &added["is_satellite"]), (&json!("satellite.test"), &json!(true)));
    assert_eq!(added["frontend_api_url"], "https://clerk.satellite.test");
    assert_eq!(added["accounts_portal_url"], Value::Null);
    let id = text(&added["id"]);
    assert_eq!(list(&server, 2).await["data"][0]["id"], added["id"], "the newest first");

    let renamed = patch(&server, &id, json!({ "name": "moon.test" })).await.json();
    assert_eq!((&renamed["name"], &renamed["id"]), (&json!("moon.test"), &added["id"]));

    let deleted = call(&server, "DELETE", &format!("/v1/domains/{id}"), None).await.json();
    assert_eq!(deleted, json!({ "object": "domain", "id": id, "deleted": true }));
    let again = call(&server, "DELETE", &format!("/v1/domains/{id}"), None).await;
    refused(&again, 404, "resource_not_found", "");
    let primary = primary(&server, 2).await;
    let kept = call(&server, "DELETE", &format!("/v1/domains/{primary}"), None).await;
    refused(&kept, 403, "operation_not_allowed_on_primary_domain", "");
}

#[tokio::test]
async fn one_of_many_gets_a_name_at_once() {
    let server = TestServer::start().await;
    let outcomes = races::together(|_| {
        let body = json!({ "name": "localhost:3001", "is_satellite": true });
        let request = Request::new("POST", "/v1/domains").bearer(server.secret_key()).json(&body);
        let address = server.address().to_owned();
        async move {
            loop {
                let response = request.clone().send(&address).await;
                if response.status != 503 {
                    return response.code();
                }
            }
        }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|code| code.is_empty()).count(), 1);
    let others = outcomes.iter().filter(|code| *code == "home_url_taken").count();
    assert_eq!(others, races::TASKS - 1, "{outcomes:?}");
    assert_eq!(list(&server, 0).await["total_count"], 2);
}

#[tokio::test]
async fn a_domain_is_refused_for_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let cases = [
        (
            json!({ "name": "a.test", "is_satellite": false }),
            "primary_domain_already_exists",
            "is_satellite",
        ),
        (
            json!({ "name": "https://a.test", "is_satellite": true }),
            "form_param_format_invalid",
            "name",
        ),
        (
            json!({ "name": "a.test:3000", "is_satellite": true }),
            "form_param_format_invalid",
            "name",
        ),
        (json!({ "name": "127.0.0.1", "is_satellite": true }), "form_param_format_invalid", "name"),
        (
            json!({ "name": "mine.vercel.app", "is_satellite": true }),
            "known_hosting_domain",
            "name",
        ),
        (json!({ "name": "mine.accounts.dev", "is_satellite": true }), "reserved_domain", "name"),
        (json!({ "name": "clerk.a.test", "is_satellite": true }), "reserved_subdomain", "name"),
        (json!({ "name": "co.uk", "is_satellite": true }), "reserved_domain", "name"),
        (json!({ "name": "blogspot.com", "is_satellite": true }), "known_hosting_domain", "name"),
        (json!({ "name": "three.example", "is_satellite": true }), "home_url_taken", "name"),
        (
            json!({ "name": "a.test", "is_satellite": true, "proxy_url": "http://a.test/__clerk" }),
            "insecure_url",
            "proxy_url",
        ),
        (
            json!({ "name": "a.test", "is_satellite": true, "proxy_url": "a.test/__clerk" }),
            "form_param_format_invalid",
            "proxy_url",
        ),
        (
            json!({ "name": "a.test", "is_satellite": true, "proxy_url": PROXY }),
            "invalid_proxy_configuration",
            "proxy_url",
        ),
    ];
    for (body, code, param) in cases {
        refused(&post(&server, "/v1/domains", body).await, 422, code, param);
    }
    assert_eq!(list(&server, 2).await["total_count"], 1);
    let primary = primary(&server, 2).await;
    for (name, code) in [("co.uk", "reserved_domain"), ("github.io", "known_hosting_domain")] {
        refused(&patch(&server, &primary, json!({ "name": name })).await, 422, code, "name");
    }
}

#[tokio::test]
async fn in_development_names_have_ports_and_no_proxies() {
    let server = TestServer::start().await;
    let ask = |method: &str, path: &str, body: Value| {
        server.call(Request::new(method, path).bearer(server.secret_key()).json(&body))
    };
    let body = json!({ "name": "localhost:3001", "is_satellite": true });
    let added = ask("POST", "/v1/domains", body).await.json();
    assert_eq!(added["name"], "localhost:3001");
    assert_eq!(added["frontend_api_url"], "https://one.clerk.accounts.dev");

    let shared = ask("POST", "/v1/domains", json!({ "name": "co.uk:80", "is_satellite": true }));
    refused(&shared.await, 422, "reserved_domain", "name");

    let path = format!("/v1/domains/{}", text(&added["id"]));
    let proxied = ask("PATCH", &path, json!({ "proxy_url": PROXY })).await;
    refused(&proxied, 400, "domain_update_forbidden", "");
    let path = format!("/v1/domains/{}", primary(&server, 0).await);
    let renamed = ask("PATCH", &path, json!({ "name": "localhost:3000" })).await;
    refused(&renamed, 400, "domain_update_forbidden", "");
    for (method, path) in [
        ("POST", "/v1/instance/change_domain"),
        ("PUT", "/v1/beta_features/domain"),
        ("POST", "/v1/beta_features/change_domain"),
    ] {
        let moved = ask(method, path, json!({ "home_url": "https://www.new.test" })).await;
        refused(&moved, 400, "request_invalid_for_environment", "");
    }
}

#[tokio::test]
async fn a_proxy_is_set_once_it_answers() {
    let server = TestServer::start().await;
    let id = primary(&server, 2).await;
    let set = || patch(&server, &id, json!({ "proxy_url": format!("{PROXY}/") }));
    refused(&set().await, 422, "invalid_proxy_configuration", "proxy_url");
    for (status, body) in
        [(200, "<html>"), (200, r#"{"status":"unhealthy"}"#), (503, r#"{"status":"healthy"}"#)]
    {
        answer(&server, PROXY, status, body);
        refused(&set().await, 422, "invalid_proxy_configuration", "proxy_url");
    }
    answer(&server, PROXY, 200, r#"{"status":"healthy"}"#);

    let changed = set().await.json();

    assert_eq!(
        (&changed["proxy_url"], &changed["frontend_api_url"]),
        (&json!(PROXY), &json!(PROXY))
    );
    assert_eq!(changed["cname_targets"][0]["required"], false);
    let cleared = patch(&server, &id, json!({ "proxy_url": null })).await.json();
    assert_eq!(
        (cleared.get("proxy_url"), &cleared["cname_targets"][0]["required"]),
        (None, &json!(true))
    );
}

#[tokio::test]
async fn a_proxy_check_is_kept_for_each_proxy_of_a_domain() {
    let server = TestServer::start().await;
    let id = primary(&server, 2).await;
    let check = |proxy: &str| {
        post(&server, "/v1/proxy_checks", json!({ "domain_id": id, "proxy_url": proxy }))
    };
    let first = check(PROXY).await.json();
    assert_eq!((&first["object"], &first["successful"]), (&json!("proxy_check"), &json!(false)));
    answer(&server, PROXY, 200, r#"{"status":"healthy","x_forwarded_for":"1.1.1.1"}"#);
    server.advance(1000);

    let second = check(PROXY).await.json();

    assert_eq!((&second["id"], &second["successful"]), (&first["id"], &json!(true)));
    assert_eq!(
        (&second["last_run_at"], &second["created_at"]),
        (&json!(server.now()), &first["created_at"])
    );
    assert_ne!(check("https://other.test/__clerk").await.json()["id"], first["id"]);
    let unknown = json!({ "domain_id": "dmn_none", "proxy_url": PROXY });
    refused(&post(&server, "/v1/proxy_checks", unknown).await, 404, "resource_not_found", "");
    refused(&check("http://a.test").await, 422, "insecure_url", "proxy_url");
    refused(&check("https://a:b@a.test").await, 422, "form_param_format_invalid", "proxy_url");
    refused(&check("file:///etc/passwd").await, 422, "form_param_format_invalid", "proxy_url");
}

#[tokio::test]
async fn a_change_of_domain_moves_the_frontend_and_signs_everybody_out() {
    let server = TestServer::start().await;
    let ways = [
        ("POST", "/v1/instance/change_domain", "https://www.first.test", None, "first.test"),
        (
            "PUT",
            "/v1/beta_features/domain",
            "https://www.second.test/",
            Some(true),
            "www.second.test",
        ),
        ("POST", "/v1/beta_features/change_domain", "https://app.third.test", None, "third.test"),
    ];
    for (method, path, home, is_secondary, name) in ways {
        let mut body = json!({ "home_url": home });
        if let Some(flag) = is_secondary {
            body["is_secondary"] = json!(flag);
        }
        let moved = call(&server, method, path, Some(body)).await;
        assert_eq!((moved.status, moved.body.len()), (202, 0), "{path}");
        server.advance(1001);
        let domain = list(&server, 2).await["data"][0].clone();
        assert_eq!(
            (&domain["name"], domain["frontend_api_url"].as_str()),
            (&json!(name), Some(&*format!("https://clerk.{name}")))
        );
    }
    let bad = [
        (json!({ "home_url": "http://new.test" }), "insecure_url"),
        (json!({ "home_url": "new.test" }), "form_param_format_invalid"),
        (json!({ "home_url": "https://127.0.0.1" }), "form_param_format_invalid"),
        (json!({ "home_url": "https://mine.netlify.app" }), "known_hosting_domain"),
        (json!({ "home_url": "https://clerk.com" }), "reserved_domain"),
        (
            json!({ "home_url": "https://accounts.new.test", "is_secondary": true }),
            "reserved_subdomain",
        ),
        (json!({ "home_url": "https://co.uk" }), "reserved_domain"),
        (json!({ "home_url": "https://github.io" }), "known_hosting_domain"),
        (json!({}), "form_param_missing"),
    ];
    for (body, code) in bad {
        refused(&post(&server, "/v1/instance/change_domain", body).await, 422, code, "home_url");
    }
}

#[tokio::test]
async fn a_name_that_another_instance_has_is_taken() {
    let server = TestServer::start().await;
    let sql = "update instances set frontend_host = 'clerk.mine.test' where id = $1";
    let id = server.keys[1].instance_id.to_string();
    let unit = db::Unit { name: "test", mode: db::Mode::Write, scope: db::Scope::Server };
    let written = server.world.db.run(unit, move |mut tx| {
        let values = vec![db::Value::Text(id.clone())];
        Box::pin(async move { tx.execute(sql, values).await })
    });
    written.await.expect("written");

    let body = json!({ "home_url": "https://mine.test" });
    let taken = post(&server, "/v1/instance/change_domain", body).await;

    refused(&taken, 422, "home_url_taken", "home_url");
    assert_eq!(list(&server, 2).await["data"][0]["name"], "three.example", "nothing changed");
}

#[tokio::test]
async fn a_new_name_of_the_primary_domain_ends_sessions() {
    let server = TestServer::start().await;
    let user = post(&server, "/v1/users", json!({ "skip_user_requirement": true })).await.json();
    let key = key_of(&server, 2);
    let instance = domain::instances::by_secret_key(&server.world, &key).await.expect("read");
    let outside = domain::Outside::new(
        std::sync::Arc::clone(&server.world),
        "test",
        instance.expect("the key is known"),
        domain::Caller::Instance,
    );
    let user_id: wire::backend::users::UserId = text(&user["id"]).into();
    for _ in 0..101 {
        outside.write(begin, user_id.clone()).await.expect("it begins");
    }
    let id = primary(&server, 2).await;

    let renamed = patch(&server, &id, json!({ "name": "new.test" })).await;

    assert_eq!(renamed.json()["frontend_api_url"], "https://clerk.new.test");
    let active = call(&server, "GET", "/v1/sessions?status=active&limit=1", None).await;
    assert_eq!(active.json(), json!([]));
    let outbox = &server.dump().await["outbox"];
    let revoked = outbox.iter().filter(|row| row.contains("session.revoked")).count();
    assert_eq!(revoked, 101);
}

async fn begin(cx: &mut domain::Cx, user_id: wire::backend::users::UserId) -> domain::Result<()> {
    domain::sessions::begin(cx, user_id, None).await.map(drop)
}

/// A page for whoever asks, without a key.
async fn interstitial(server: &TestServer, query: &str) -> Response {
    server.call(Request::new("GET", &format!("/v1/public/interstitial?{query}"))).await
}

#[tokio::test]
async fn the_interstitial_is_for_everybody() {
    let server = TestServer::start().await;
    let key = &server.keys[0].publishable_key;

    let page = interstitial(&server, &format!("publishable_key={key}")).await;

    let text = String::from_utf8(page.body.clone()).expect("text");
    assert_eq!(page.status, 200, "{text}");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(policy.contains(&format!("{};", server.address())), "{policy}");
    assert!(text.contains(&format!("data-publishable-key=\"{key}\"")), "{text}");
    let script = format!("data-script=\"{}/npm/", server.address());
    assert!(text.contains(&script), "{text}");
    let request = GetPublicInterstitial {
        publishable_key: Some(key.clone()),
        ..GetPublicInterstitial::new()
    };
    assert_eq!(server.backend.send(&request).await.expect("a page").0, text);
    for query in ["frontend_api=one.clerk.accounts.dev", "frontendApi=one.clerk.accounts.dev"] {
        assert_eq!(interstitial(&server, query).await.body, page.body);
    }
}

#[tokio::test]
async fn the_interstitial_is_refused_for_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let body = json!({ "name": "localhost:3001", "is_satellite": true });
    let add = Request::new("POST", "/v1/domains").bearer(server.secret_key()).json(&body);
    assert_eq!(server.call(add).await.status, 200);
    let key = &server.keys[0].publishable_key;
    let loops = "domain=localhost%3A3001&sign_in_url=http%3A%2F%2Flocalhost%3A3001%2Fsign-in";
    let cases = [
        (String::new(), 400, "missing_query_parameter"),
        ("publishable_key=pk_test_".to_owned(), 400, "malformed_publishable_key"),
        ("publishable_key=sk_test_YQ".to_owned(), 400, "malformed_publishable_key"),
        ("publishable_key=pk_test_YQ%3D%3D".to_owned(), 400, "malformed_publishable_key"),
        ("frontend_api=nobody.example".to_owned(), 404, "resource_not_found"),
        (format!("publishable_key={key}&surprise=1"), 422, "form_param_unknown"),
        (format!("publishable_key={key}&domain=evil.example"), 404, "resource_not_found"),
        (
            format!("publishable_key={key}&proxy_url=https%3A%2F%2Fevil.example"),
            422,
            "form_param_value_invalid",
        ),
        (
            format!("publishable_key={key}&sign_in_url=javascript%3Aalert(1)"),
            422,
            "form_param_format_invalid",
        ),
        (format!("publishable_key={key}&{loops}"), 500, "infinite_redirect_loop"),
    ];
    for (query, status, code) in cases {
        let response = interstitial(&server, &query).await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{query}");
    }
}

#[tokio::test]
async fn web_18_what_the_interstitial_is_told_stays_text() {
    let server = TestServer::start().await;
    let key = &server.keys[0].publishable_key;
    let query =
        format!("publishable_key={key}&sign_in_url=%2F%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E");

    let page = interstitial(&server, &query).await;

    let text = String::from_utf8(page.body).expect("text");
    assert_eq!(text.matches("<script>").count(), 1, "{text}");
    assert!(text.contains("data-sign-in-url=\"/&quot;&gt;&lt;script&gt;alert(1)"), "{text}");
}
