//! The settings of an instance, and what changes them.

use db::{Mode, Scope, Unit, Value as Column};
use domain::{Settings, instances};
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};

use crate::{races::together_of, sessions::set};

const RESTRICTIONS: &str = "/v1/instance/restrictions";
const ORGANIZATIONS: &str = "/v1/instance/organization_settings";
const COMMUNICATION: &str = "/v1/instance/communication";
const PROTECT: &str = "/v1/instance/protect";
const OAUTH: &str = "/v1/instance/oauth_application_settings";
const BETA: &str = "/v1/beta_features/instance_settings";

async fn patch(server: &TestServer, path: &str, body: &Value) -> Response {
    patch_as(server, server.secret_key(), path, body).await
}

async fn patch_as(server: &TestServer, key: &str, path: &str, body: &Value) -> Response {
    server.call(Request::new("PATCH", path).bearer(key).json(body)).await
}

async fn get(server: &TestServer, path: &str) -> Value {
    let response = server.call(Request::new("GET", path).bearer(server.secret_key())).await;
    assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
    response.json()
}

async fn patched(server: &TestServer, path: &str, body: &Value) -> Value {
    let response = patch(server, path, body).await;
    assert_eq!(response.status, 200, "{path} {body}: {}", response.without_trace());
    response.json()
}

/// The settings of the first instance as this process goes by them.
async fn settings(server: &TestServer) -> Settings {
    server.outside().await.instance.settings.clone()
}

#[track_caller]
fn assert_refused(response: &Response, status: u16, code: &str, param: &str) {
    response.assert_refusal(code);
    let said = (response.status, response.errors());
    assert_eq!(said, (status, vec![(code.to_owned(), param.to_owned())]));
}

#[tokio::test]
async fn what_is_changed_is_seen_at_once() {
    let server = TestServer::start().await;
    let asked = json!({
        "test_mode": false, "hibp": true, "support_email": "Help@Example.com",
        "clerk_js_version": "5.128.0", "development_origin": "http://localhost:3000",
        "allowed_origins": ["https://app.example.com", "chrome-extension://abcdefgh"],
        "url_based_session_syncing": false, "enhanced_email_deliverability": true,
        "preferred_sign_in_strategy_when_password_required": "otp",
    });
    let answer = patch(&server, "/v1/instance", &asked).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));

    let now = settings(&server).await;
    assert!(!now.test_mode && now.password.hibp && now.enhanced_email_deliverability);
    assert!(!now.url_based_session_syncing);
    assert_eq!(now.display.support_email.as_deref(), Some("help@example.com"));
    assert_eq!(now.display.clerk_js_version.as_deref(), Some("5.128.0"));
    assert_eq!(now.display.preferred_sign_in_strategy.as_deref(), Some("otp"));
    assert_eq!(now.development_origin.as_deref(), Some("http://localhost:3000"));
    assert_eq!(get(&server, "/v1/instance").await["allowed_origins"], asked["allowed_origins"]);

    let cleared = json!({
        "support_email": "", "clerk_js_version": "", "development_origin": "",
        "allowed_origins": [], "preferred_sign_in_strategy_when_password_required": "",
        "cookieless_dev": true,
    });
    assert_eq!(patch(&server, "/v1/instance", &cleared).await.status, 204);
    let now = settings(&server).await;
    assert_eq!(now.display, domain::settings::Display::default());
    assert!(now.url_based_session_syncing && now.development_origin.is_none());
    assert_eq!(get(&server, "/v1/instance").await["allowed_origins"], Value::Null);
}

#[tokio::test]
async fn null_says_nothing_and_nothing_changes_nothing() {
    let server = TestServer::start().await;
    let asked = json!({"support_email": "a@example.com", "hibp": true, "test_mode": true});
    assert_eq!(patch(&server, "/v1/instance", &asked).await.status, 204);
    patched(&server, RESTRICTIONS, &json!({"blocklist": true})).await;
    let before = server.dump().await;

    let nulls = json!({
        "support_email": null, "hibp": null, "test_mode": null, "clerk_js_version": null,
        "development_origin": null, "cookieless_dev": null, "url_based_session_syncing": null,
        "preferred_sign_in_strategy_when_password_required": null,
    });
    assert_eq!(patch(&server, "/v1/instance", &nulls).await.status, 204);
    assert_eq!(patch(&server, "/v1/instance", &json!({})).await.status, 204);
    let same = patched(&server, RESTRICTIONS, &json!({"blocklist": null})).await;
    assert_eq!(same["blocklist"], true);
    for path in [RESTRICTIONS, ORGANIZATIONS, COMMUNICATION, PROTECT, OAUTH, BETA] {
        patched(&server, path, &json!({})).await;
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name() {
    let server = TestServer::start().await;
    let before = server.dump().await;
    let origins = |origins: Value| json!({ "allowed_origins": origins });
    let many: Vec<_> = (0..101).map(|number| format!("https://{number}.example.com")).collect();
    let same = json!(["https://a.example", "https://A.example"]);
    let strategy = "preferred_sign_in_strategy_when_password_required";
    let invalid = "form_param_value_invalid";
    let format = "form_param_format_invalid";
    let twice = "form_param_duplicate";
    let size = "form_param_array_size_exceeded";
    let long = "a".repeat(65);
    let cases = [
        (
            "/v1/instance",
            origins(json!(["app.example.com"])),
            "form_invalid_origin",
            "allowed_origins",
        ),
        (
            "/v1/instance",
            origins(json!(["https://a.example/x"])),
            "form_invalid_origin",
            "allowed_origins",
        ),
        ("/v1/instance", origins(json!([""])), "form_invalid_origin", "allowed_origins"),
        ("/v1/instance", origins(json!(many)), size, "allowed_origins"),
        ("/v1/instance", origins(same), twice, "allowed_origins"),
        (
            "/v1/instance",
            json!({"development_origin": "capacitor://localhost"}),
            "form_invalid_origin",
            "development_origin",
        ),
        ("/v1/instance", json!({"support_email": "nobody"}), format, "support_email"),
        ("/v1/instance", json!({"clerk_js_version": "../../x"}), format, "clerk_js_version"),
        ("/v1/instance", json!({ strategy: "email_code" }), invalid, strategy),
        (
            "/v1/instance",
            json!({"cookieless_dev": true, "url_based_session_syncing": false}),
            "form_param_value_conflict",
            "cookieless_dev",
        ),
        (
            RESTRICTIONS,
            json!({"allowlist_blocklist_disabled_on_sign_in": true}),
            "disabled_instance_restriction",
            "allowlist_blocklist_disabled_on_sign_in",
        ),
        (
            ORGANIZATIONS,
            json!({"domains_enabled": true, "domains_enrollment_modes": ["enterprise_sso"]}),
            invalid,
            "domains_enrollment_modes",
        ),
        (
            ORGANIZATIONS,
            json!({"domains_enabled": true, "domains_enrollment_modes": ["automatic_invitation", "automatic_invitation"]}),
            twice,
            "domains_enrollment_modes",
        ),
        (ORGANIZATIONS, json!({"max_allowed_memberships": -1}), invalid, "max_allowed_memberships"),
        (COMMUNICATION, json!({"blocked_country_codes": ["de"]}), invalid, "blocked_country_codes"),
        (
            COMMUNICATION,
            json!({"blocked_country_codes": ["+49"]}),
            invalid,
            "blocked_country_codes",
        ),
        (
            COMMUNICATION,
            json!({"blocked_country_codes": ["DE", "DE"]}),
            twice,
            "blocked_country_codes",
        ),
        (
            COMMUNICATION,
            json!({"blocked_country_codes": vec!["DE"; 251]}),
            size,
            "blocked_country_codes",
        ),
        (OAUTH, json!({"default_scopes": ["profile", "profile"]}), twice, "default_scopes"),
        (OAUTH, json!({"default_scopes": ["two words"]}), invalid, "default_scopes"),
        (OAUTH, json!({"default_scopes": [""]}), invalid, "default_scopes"),
        (OAUTH, json!({"default_scopes": vec!["a"; 101]}), size, "default_scopes"),
        (BETA, json!({"from_email_address": "no-reply"}), format, "from_email_address"),
        (BETA, json!({"from_email_address": ""}), format, "from_email_address"),
        (
            BETA,
            json!({ "from_email_address": long }),
            "form_param_max_length_exceeded",
            "from_email_address",
        ),
    ];
    for (path, body, code, param) in cases {
        let response = patch(&server, path, &body).await;
        let said = (response.status, response.errors());
        assert_eq!(said, (422, vec![(code.to_owned(), param.to_owned())]), "{path} {body}");
        response.assert_refusal(path);
    }
    let domains = json!({"domains_enrollment_modes": ["automatic_invitation"]});
    let refused = patch(&server, ORGANIZATIONS, &domains).await;
    assert_refused(&refused, 403, "organization_domains_not_enabled", "domains_enrollment_modes");
    for name in ["creator_role_id", "domains_default_role_id"] {
        let refused = patch(&server, ORGANIZATIONS, &json!({ name: "role_2abc" })).await;
        assert_refused(&refused, 404, "resource_not_found", name);
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn production_has_none_of_developments_switches() {
    let server = TestServer::start().await;
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    for (name, value) in [
        ("cookieless_dev", json!(true)),
        ("url_based_session_syncing", json!(true)),
        ("development_origin", json!("http://localhost:3000")),
    ] {
        let refused = patch_as(&server, &key, "/v1/instance", &json!({ name: value })).await;
        assert_refused(&refused, 400, "request_invalid_for_environment", name);
    }
    let off = json!({"url_based_session_syncing": false, "development_origin": ""});
    assert_eq!(patch_as(&server, &key, "/v1/instance", &off).await.status, 204);
}

#[tokio::test]
async fn restrictions_are_switched_one_by_one() {
    let server = TestServer::start().await;
    let names = [
        "allowlist",
        "blocklist",
        "allowlist_blocklist_disabled_on_sign_in",
        "block_email_subaddresses",
        "block_disposable_email_domains",
        "ignore_dots_for_gmail_addresses",
    ];
    let mut expected = json!({
        "object": "instance_restrictions", "id": server.keys[0].instance_id.as_str(),
    });
    for name in names {
        expected[name] = json!(false);
    }
    for value in [true, false] {
        for name in names {
            expected[name] = json!(value);
            assert_eq!(patched(&server, RESTRICTIONS, &json!({ name: value })).await, expected);
        }
    }
}

#[tokio::test]
async fn nobody_is_on_a_list_while_sign_ups_are_restricted() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.sign_up.mode = "restricted".to_owned()).await;
    let code = "sign_up_mode_restricted_invalid_value";
    let refused = patch(&server, RESTRICTIONS, &json!({"allowlist": true})).await;
    assert_refused(&refused, 422, code, "allowlist");
    let refused = patch(&server, BETA, &json!({"restricted_to_allowlist": true})).await;
    assert_refused(&refused, 422, code, "restricted_to_allowlist");
    patched(&server, RESTRICTIONS, &json!({"allowlist": false, "blocklist": true})).await;
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.organizations.enabled = true;
        settings.organizations.force_organization_selection = true;
    })
    .await;
    let refused = patch(&server, ORGANIZATIONS, &json!({"enabled": false})).await;
    assert_refused(&refused, 400, "breaks_instance_invariant", "");
    assert!(settings(&server).await.organizations.enabled);
}

#[tokio::test]
async fn organizations_have_settings_before_they_exist() {
    let server = TestServer::start().await;
    let first = get(&server, ORGANIZATIONS).await;
    assert_eq!(first["enabled"], false);
    assert_eq!(first["max_allowed_memberships"], 5);
    assert_eq!(first["creator_role"], "org:admin");
    assert_eq!(first["domains_default_role"], "org:member");
    assert_eq!(first.get("id"), None);
    let asked = json!({
        "enabled": true, "max_allowed_memberships": 0, "admin_delete_enabled": false,
        "domains_enabled": true, "slug_disabled": true,
        "domains_enrollment_modes": ["automatic_invitation", "automatic_suggestion"],
    });
    let changed = patched(&server, ORGANIZATIONS, &asked).await;
    for (name, value) in asked.as_object().expect("an object") {
        assert_eq!(&changed[name], value, "{name}");
    }
    assert_eq!(get(&server, ORGANIZATIONS).await, changed);
    let ask = |version| {
        let request = Request::new("GET", ORGANIZATIONS).bearer(server.secret_key());
        server.call(request.header("clerk-api-version", version))
    };
    for (version, has_id) in
        [("2021-02-05", true), ("2025-04-10", true), ("2025-11-10", false), ("2026-05-12", false)]
    {
        let answer = ask(version).await.json();
        assert_eq!(answer.get("id").is_some_and(Value::is_string), has_id, "{version}");
    }
}

#[tokio::test]
async fn communication_protection_and_oauth_keep_what_they_are_told() {
    let server = TestServer::start().await;
    let codes = json!({"blocked_country_codes": ["DE", "ZZ", "CA"]});
    let blocked = patched(&server, COMMUNICATION, &codes).await;
    let expected =
        json!({"object": "instance_communication", "blocked_country_codes": ["DE", "CA"]});
    assert_eq!(blocked, expected, "an unknown country is dropped");
    let kept = patched(&server, COMMUNICATION, &json!({"blocked_country_codes": null})).await;
    assert_eq!(kept, expected);
    assert_eq!(get(&server, COMMUNICATION).await, expected);

    let protect = patched(&server, PROTECT, &json!({"rules_enabled": true})).await;
    let expected = json!({
        "object": "instance_protect", "rules_enabled": true, "specter_enabled": false,
        "checks_bypassed": false,
    });
    assert_eq!(protect, expected);
    assert_eq!(get(&server, PROTECT).await, expected);

    assert_eq!(get(&server, OAUTH).await["default_scopes"], Value::Null);
    let asked = json!({
        "dynamic_oauth_client_registration": true, "default_scopes": ["profile", "email"],
        "oauth_jwt_access_tokens": true, "client_id_metadata_documents_advertised": true,
        "client_id_metadata_documents_only_allow_pre_registered_clients": true,
        "client_id_metadata_documents_block_implicitly_allowed_clients": true,
    });
    let mut expected = asked.clone();
    expected["object"] = json!("oauth_application_settings");
    assert_eq!(patched(&server, OAUTH, &asked).await, expected);
    assert_eq!(get(&server, OAUTH).await, expected);
    expected["default_scopes"] = Value::Null;
    assert_eq!(patched(&server, OAUTH, &json!({"default_scopes": null})).await, expected);
}

#[tokio::test]
async fn the_older_way_changes_the_same_settings() {
    let server = TestServer::start().await;
    let asked = json!({
        "restricted_to_allowlist": true, "from_email_address": "Hello7",
        "progressive_sign_up": false, "test_mode": false,
    });
    let expected = json!({
        "object": "instance_settings", "id": server.keys[0].instance_id.as_str(),
        "restricted_to_allowlist": true, "from_email_address": "Hello7",
        "progressive_sign_up": false, "enhanced_email_deliverability": false,
    });
    assert_eq!(patched(&server, BETA, &asked).await, expected);
    let now = settings(&server).await;
    assert!(now.restrictions.allowlist && !now.test_mode);
    assert_eq!(patched(&server, RESTRICTIONS, &json!({})).await["allowlist"], true);
}

#[tokio::test]
async fn blocked_countries_get_no_messages() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.test_mode = false).await;
    let user = json!({
        "phone_number": ["+14165550123"], "skip_user_requirement": true,
        "phone_number_identification_status": ["reserved"],
    });
    let made = Request::new("POST", "/v1/users").bearer(server.secret_key()).json(&user);
    let made = server.call(made).await.json();
    let id = made["phone_numbers"][0]["id"].as_str().expect("a number").to_owned();
    let path = format!("/v1/phone_numbers/{id}/prepare_verification");
    let prepare = || {
        let body = json!({"strategy": "phone_code"});
        server.call(Request::new("POST", &path).bearer(server.secret_key()).json(&body))
    };
    patched(&server, COMMUNICATION, &json!({"blocked_country_codes": ["CA"]})).await;
    let refused = prepare().await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "unsupported_country_code"));
    patched(&server, COMMUNICATION, &json!({"blocked_country_codes": ["US"]})).await;
    let sent = prepare().await;
    assert_ne!(sent.code(), "unsupported_country_code", "{}", sent.without_trace());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_changes_at_once_none_is_lost() {
    const SWITCHES: [(&str, &str); 12] = [
        (RESTRICTIONS, "allowlist"),
        (RESTRICTIONS, "blocklist"),
        (RESTRICTIONS, "block_email_subaddresses"),
        (RESTRICTIONS, "block_disposable_email_domains"),
        (RESTRICTIONS, "ignore_dots_for_gmail_addresses"),
        (ORGANIZATIONS, "enabled"),
        (ORGANIZATIONS, "slug_disabled"),
        (ORGANIZATIONS, "domains_enabled"),
        (PROTECT, "rules_enabled"),
        (PROTECT, "specter_enabled"),
        (OAUTH, "dynamic_oauth_client_registration"),
        (OAUTH, "oauth_jwt_access_tokens"),
    ];
    let server = TestServer::start().await;
    together_of(SWITCHES.len(), |number| {
        let (path, name) = SWITCHES[number];
        let body = json!({ name: true });
        let request = Request::new("PATCH", path).bearer(server.secret_key()).json(&body);
        let address = server.address().to_owned();
        async move {
            loop {
                let answer = request.send(&address).await;
                if answer.status == 200 {
                    return;
                }
                assert_eq!(answer.status, 503, "{name}: {}", answer.without_trace());
            }
        }
    })
    .await;
    for (path, name) in SWITCHES {
        assert_eq!(patched(&server, path, &json!({})).await[name], true, "{name}");
    }
}

#[tokio::test]
async fn another_process_sees_a_change_within_a_second() {
    let server = TestServer::start().await;
    let before = settings(&server).await;
    assert!(!before.restrictions.blocklist);
    // As another process would: behind this one's back.
    let mut changed = before;
    changed.restrictions.blocklist = true;
    let text = serde_json::to_string(&changed).expect("JSON");
    let id = server.keys[0].instance_id.to_string();
    let unit = Unit { name: "test", mode: Mode::Write, scope: Scope::Server };
    let written = server.world.db.run(unit, move |mut tx| {
        let values = vec![Column::Text(text.clone()), Column::Text(id.clone())];
        let sql = "update instances set settings = $1 where id = $2";
        Box::pin(async move { tx.execute(sql, values).await })
    });
    written.await.expect("written");
    server.advance(1001);
    assert!(settings(&server).await.restrictions.blocklist);
    let known = instances::by_secret_key(&server.world, server.neighbours_key()).await;
    let neighbour = known.expect("read").expect("known");
    assert!(!neighbour.settings.restrictions.blocklist);
}

const ACCOUNTLESS: &str = "/v1/accountless_applications";

async fn accountless(server: &TestServer) -> Response {
    server.call(Request::new("POST", &format!("{ACCOUNTLESS}?source=nextjs"))).await
}

#[tokio::test]
async fn an_application_without_an_account_is_a_development_instance_of_its_own() {
    let server = TestServer::start().await;
    let made = accountless(&server).await;
    assert_eq!(made.status, 200, "{}", made.without_trace());
    let made = made.json();
    assert_eq!(made["object"], "accountless_application");
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    assert!(text("publishable_key").starts_with("pk_test_"));
    let claim = format!("{}/apps/claim?token=", server.address());
    let token = text("claim_url").strip_prefix(&claim).expect("the claim page").to_owned();
    assert_eq!(token.len(), 27 + 43);
    assert!(text("api_keys_url").starts_with(server.address()));
    for url in ["claim_url", "api_keys_url"].map(text) {
        let html = application_page(&server, "GET", &url).await;
        assert!(!html.contains(&token) && !html.contains("sk_test_"), "it shows no secret");
    }

    let key = text("secret_key");
    let instance = server.call(Request::new("GET", "/v1/instance").bearer(&key)).await.json();
    assert_eq!(instance["environment_type"], "development");
    assert_ne!(instance["id"], server.keys[0].instance_id.as_str());

    let complete = |key: &str| {
        server.call(Request::new("POST", &format!("{ACCOUNTLESS}/complete")).bearer(key))
    };
    let completed = complete(&key).await;
    assert_eq!((completed.status, completed.json()), (200, made.clone()));
    assert_eq!(complete(&key).await.json(), made, "once is enough");
    let other = complete(server.secret_key()).await;
    other.assert_refusal("complete");
    assert_eq!((other.status, other.code().as_str()), (404, "resource_not_found"));
    assert!(!application_page(&server, "GET", &text("claim_url")).await.contains("<form"));
    let nobody = server.call(Request::new("POST", &format!("{ACCOUNTLESS}/complete"))).await;
    assert_eq!(nobody.status, 401);
}

/// What browsers are shown at an address that the server handed out.
async fn application_page(server: &TestServer, method: &str, url: &str) -> String {
    let path = url.strip_prefix(server.address()).expect("of this server").to_owned();
    let page = server.call(Request::new(method, &path)).await;
    let html = String::from_utf8(page.body.clone()).expect("text");
    assert_eq!(page.status, 200, "{html}");
    assert!(html.contains("vestry keys"), "{html}");
    html
}

#[tokio::test]
async fn an_application_is_claimed_by_whoever_has_its_link_and_says_so() {
    const BUTTON: &str = "Claim the application";
    let server = TestServer::start().await;
    let made = accountless(&server).await.json();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    let (url, key) = (text("claim_url"), text("publishable_key"));
    let host = domain::instances::host_of_publishable_key(&key).expect("a host");
    let claimed_at = |host: String| {
        let path = format!("/_/{host}/v1/environment");
        let asked = server.call(Request::new("GET", &path));
        async { asked.await.json()["auth_config"]["claimed_at"].clone() }
    };
    assert_eq!(claimed_at(host.clone()).await, Value::Null);
    assert_eq!(claimed_at("one.clerk.accounts.dev".to_owned()).await, 0, "its operator's");

    let before = server.dump().await;
    let bare = url.trim_end_matches(char::is_alphanumeric);
    for wrong in ["x", "", "\u{e9}"].map(|token| format!("{bare}{token}")) {
        for method in ["GET", "POST"] {
            assert!(!application_page(&server, method, &wrong).await.contains(BUTTON));
        }
    }
    let mut forged = url.clone();
    let last = forged.pop().expect("a token");
    forged.push(if last == 'A' { 'B' } else { 'A' });
    assert!(!application_page(&server, "POST", &forged).await.contains(BUTTON));
    assert!(application_page(&server, "GET", &url).await.contains(BUTTON), "looking is no claim");
    assert_eq!(server.dump().await, before);

    let asked = format!("{url}&framework=nextjs&return_url=http%3A%2F%2Flocalhost%3A3000");
    for _ in 0..2 {
        let page = application_page(&server, "POST", &asked).await;
        assert!(page.contains("is yours") && !page.contains(BUTTON), "{page}");
        server.advance(1000);
    }
    assert!(!application_page(&server, "GET", &url).await.contains(BUTTON));
    assert_eq!(claimed_at(host).await, testkit::BEGINNING.0, "the first time counts");
}

#[tokio::test]
async fn applications_without_an_account_are_few() {
    let server = TestServer::start().await;
    for _ in 0..10 {
        assert_eq!(accountless(&server).await.status, 200);
    }
    let before = server.dump().await;
    let refused = accountless(&server).await;
    refused.assert_refusal("one too many");
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_requests"));
    assert_eq!(refused.header("retry-after"), Some("600"));
    assert_eq!(server.dump().await, before);
    server.advance(600_001);
    assert_eq!(accountless(&server).await.status, 200);
}

#[tokio::test]
async fn the_clock_of_a_development_instance_moves_and_that_of_production_does_not() {
    use instances::{ClockChange, clock};
    let server = TestServer::start().await;
    let (ours, theirs, production) =
        (&server.keys[0].instance_id, &server.keys[1].instance_id, &server.keys[2].instance_id);
    let hour = Some(ClockChange::Advance(3_600_000));
    assert_eq!(clock(&server.world, ours, hour).await.expect("moved"), 3_600_000);
    assert_eq!(clock(&server.world, ours, hour).await.expect("moved"), 7_200_000);
    let outside = server.outside().await;
    assert_eq!(outside.now.0 - outside.wall.0, 7_200_000);
    assert_eq!(clock(&server.world, theirs, None).await.expect("told"), 0);
    for (id, change) in [
        (production, ClockChange::Advance(1)),
        (ours, ClockChange::Advance(i64::MAX)),
        (ours, ClockChange::Advance(-7_200_001)),
    ] {
        assert!(clock(&server.world, id, Some(change)).await.is_err(), "{change:?}");
    }
    assert_eq!(clock(&server.world, ours, Some(ClockChange::Reset)).await.expect("reset"), 0);
    let outside = server.outside().await;
    assert_eq!(outside.now, outside.wall);
}
