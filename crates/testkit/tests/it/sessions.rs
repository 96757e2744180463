//! Sessions, their tokens, and the clients that hold them.

use std::sync::Arc;

use db::{Mode, Scope, Unit, Value as Column};
use domain::{Outside, Settings, sessions::testing, testing_tokens};
use jwt::decode_unverified;
use serde_json::{Map, Value, json};
use testkit::{Request, Response, TestServer};

use crate::{
    calls::{made, post, text},
    races,
};

const ORIGIN: &str = "https://app.example.com";
const DAY_MS: i64 = 24 * 3600 * 1000;

async fn get(server: &TestServer, path: &str) -> Value {
    let response = server.call(Request::new("GET", path).bearer(server.secret_key())).await;
    assert_eq!(response.status, 200, "{path}: {}", String::from_utf8_lossy(&response.body));
    response.json()
}

async fn user(server: &TestServer) -> String {
    let body = json!({ "first_name": "Ada", "skip_user_requirement": true });
    text(&made(server, "/v1/users", &body).await["id"])
}

async fn session(server: &TestServer, user_id: &str) -> Value {
    made(server, "/v1/sessions", &json!({ "user_id": user_id })).await
}

/// A session of a user of its own.
async fn begun(server: &TestServer) -> (String, String) {
    let user_id = user(server).await;
    let session = session(server, &user_id).await;
    (user_id, text(&session["id"]))
}

async fn token(server: &TestServer, session_id: &str) -> Response {
    post(server, &format!("/v1/sessions/{session_id}/tokens"), &json!({})).await
}

fn claims(jwt: &str) -> Map<String, Value> {
    decode_unverified(jwt).expect("a token").payload
}

/// Events of one kind.
async fn count(server: &TestServer, kind: &str) -> usize {
    server.events().await.iter().filter(|event| *event == kind).count()
}

/// Changes the settings of the first instance, and waits until they are noticed.
pub(crate) async fn set(server: &TestServer, change: impl FnOnce(&mut Settings)) {
    let mut settings = Settings::development();
    change(&mut settings);
    settings.validate().expect("valid");
    let settings = serde_json::to_string(&settings).expect("JSON");
    let id = server.keys[0].instance_id.to_string();
    let unit = Unit { name: "test", mode: Mode::Write, scope: Scope::Server };
    let written = server.world.db.run(unit, move |mut tx| {
        let values = vec![Column::Text(settings.clone()), Column::Text(id.clone())];
        let sql = "update instances set settings = $1 where id = $2";
        Box::pin(async move { tx.execute(sql, values).await })
    });
    written.await.expect("written");
    server.advance(1001);
}

#[tokio::test]
async fn ses_04_a_revoked_session_has_no_tokens() {
    let server = TestServer::start().await;
    let (_, id) = begun(&server).await;
    assert_eq!(token(&server, &id).await.status, 200);

    let path = format!("/v1/sessions/{id}/revoke");
    let revoked = made(&server, &path, &json!({})).await;

    assert_eq!(revoked["status"], "revoked");
    let refused = token(&server, &id).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "authentication_invalid"));
    let client = get(&server, &format!("/v1/clients/{}", text(&revoked["client_id"]))).await;
    assert_eq!(client["sessions"], json!([]));
    assert_eq!(client["last_active_session_id"], Value::Null);
    assert_eq!(made(&server, &path, &json!({})).await, revoked, "once is enough");
    assert_eq!(count(&server, "session.revoked").await, 1);
}

#[tokio::test]
async fn ses_05_a_ban_revokes_all_sessions_and_a_deletion_ends_them() {
    let server = TestServer::start().await;
    let (banned, deleted) = (user(&server).await, user(&server).await);
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(text(&session(&server, &banned).await["id"]));
        ids.push(text(&session(&server, &deleted).await["id"]));
    }

    made(&server, &format!("/v1/users/{banned}/ban"), &json!({})).await;
    let path = format!("/v1/users/{deleted}");
    server.call(Request::new("DELETE", &path).bearer(server.secret_key())).await;

    for id in &ids {
        let refused = token(&server, id).await;
        assert!([401, 404].contains(&refused.status), "{}", refused.status);
    }
    assert_eq!(count(&server, "session.revoked").await, 50);
    assert_eq!(count(&server, "session.ended").await, 50);
    let left = get(&server, "/v1/sessions?paginated=true&limit=500").await;
    assert_eq!(left["total_count"], 50);
    assert!(left["data"].as_array().expect("a list").iter().all(|one| one["status"] == "revoked"));
    let refused = post(&server, "/v1/sessions", &json!({ "user_id": banned })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "user_banned"));
}

#[tokio::test]
async fn ses_06_a_session_expires_and_is_abandoned_at_the_second() {
    let server = TestServer::start().await;
    let (_, expiring) = begun(&server).await;
    set(&server, |settings| settings.session.inactivity_seconds = 3600).await;
    let (_, idle) = begun(&server).await;
    let status =
        async |id: &str| get(&server, &format!("/v1/sessions/{id}")).await["status"].clone();
    let listed = async |status: &str| {
        let path = format!("/v1/sessions?paginated=true&status={status}");
        let page = get(&server, &path).await;
        let ids: Vec<_> =
            page["data"].as_array().expect("a list").iter().map(|one| text(&one["id"])).collect();
        assert_eq!(page["total_count"], ids.len());
        ids
    };

    server.advance(3600 * 1000 - 1);
    assert_eq!(status(&idle).await, "active");
    assert_eq!(token(&server, &idle).await.status, 200);
    server.advance(1);
    assert_eq!(status(&idle).await, "abandoned");
    assert_eq!(token(&server, &idle).await.status, 401);
    assert_eq!(listed("abandoned").await, std::slice::from_ref(&idle));
    assert_eq!(listed("active").await, std::slice::from_ref(&expiring));

    server.advance(7 * DAY_MS - 3600 * 1000 - 1001 - 1);
    assert_eq!(status(&expiring).await, "active");
    server.advance(1);
    assert_eq!(status(&expiring).await, "expired");
    assert_eq!(token(&server, &expiring).await.status, 401);
    assert_eq!(listed("expired").await, std::slice::from_ref(&expiring));
    assert_eq!(listed("abandoned").await, [idle]);
    assert!(listed("active").await.is_empty());
    let revoked = made(&server, &format!("/v1/sessions/{expiring}/revoke"), &json!({})).await;
    assert_eq!(revoked["status"], "expired", "what is over stays what it is");
}

#[tokio::test]
async fn ses_07_a_token_says_exactly_this() {
    let server = TestServer::start().await;
    let (user_id, id) = begun(&server).await;
    server.advance(5 * 60_000);
    let iat = server.now().0 / 1000;
    let jwt = text(&token(&server, &id).await.json()["jwt"]);
    let mut said = claims(&jwt);
    let jti = text(&said.remove("jti").expect("an id"));
    let expected = json!({
        "exp": iat + 60, "fva": [5, -1], "iat": iat, "iss": "https://one.clerk.accounts.dev",
        "nbf": iat - 10, "sid": id, "sts": "active", "sub": user_id, "v": 2,
    });
    assert_eq!(Value::Object(said), expected);
    let next = claims(&text(&token(&server, &id).await.json()["jwt"]));
    assert_ne!(text(&next["jti"]), jti);
    let header = Value::Object(decode_unverified(&jwt).expect("a token").header);
    let kid = server.keys[0].instance_id.to_string();
    let expected = json!({ "alg": "RS256", "kid": kid, "typ": "JWT", "cat": "cl_B7d4PD111AAA" });
    assert_eq!(header, expected);
    let asked = testing::session_token(&server.outside().await, id.as_str().into(), ORIGIN).await;
    assert_eq!(claims(&asked.expect("a token"))["azp"], ORIGIN);
    assert_eq!(token(&server, "sess_none").await.status, 404);
}

#[tokio::test]
async fn claims_of_version_1_and_of_ones_own() {
    let server = TestServer::start().await;
    let (_, id) = begun(&server).await;
    set(&server, |settings| {
        settings.token.claims_version = 1;
        settings.token.lifetime_seconds = 90;
        let own = json!({
            "name": "{{user.full_name}}", "mail": "{{user.primary_email_address || 'none'}}",
            "plan": "{{user.public_metadata.plan.name}}", "secret": "{{user.private_metadata}}",
            "sub": "user_other",
        });
        settings.token.claims = own.as_object().expect("an object").clone();
    })
    .await;
    let said = claims(&text(&token(&server, &id).await.json()["jwt"]));
    for absent in ["v", "sts", "o", "pla", "fea"] {
        assert!(!said.contains_key(absent), "{absent}");
    }
    assert_eq!((said["name"].clone(), said["mail"].clone()), (json!("Ada"), json!("none")));
    assert_eq!((&said["plan"], &said["secret"]), (&Value::Null, &Value::Null));
    assert_ne!(said["sub"], "user_other");
    assert_eq!(
        said["exp"].as_i64().zip(said["iat"].as_i64()).map(|(exp, iat)| exp - iat),
        Some(90)
    );
}

/// What a refresh needs: session, token with an origin, refresh token.
async fn refreshable(server: &TestServer) -> (String, String, String) {
    let (_, id) = begun(server).await;
    let outside = server.outside().await;
    let expired = testing::session_token(&outside, id.as_str().into(), ORIGIN).await;
    let refresh = testing::refresh_token(&outside, id.as_str().into()).await;
    (id, expired.expect("a token"), refresh.expect("a refresh token"))
}

async fn refresh(server: &TestServer, id: &str, expired: &str, refresh: &str) -> Response {
    let body =
        json!({ "expired_token": expired, "refresh_token": refresh, "request_origin": ORIGIN });
    post(server, &format!("/v1/sessions/{id}/refresh"), &body).await
}

fn signed(outside: &Outside, claims: &Value) -> String {
    testing::sign(outside, claims.as_object().expect("an object")).expect("a token")
}

#[tokio::test]
async fn ses_08_a_refresh_names_what_is_wrong_in_order() {
    let server = TestServer::start().await;
    let (id, expired, known) = refreshable(&server).await;
    let (other, others, _) = refreshable(&server).await;
    let outside = server.outside().await;
    let iat = server.now().0 / 1000;
    let whole = Value::Object(claims(&expired));
    let with = |change: Value| {
        let mut claims = whole.as_object().expect("an object").clone();
        claims.extend(change.as_object().expect("an object").clone());
        claims.retain(|_, value| !value.is_null());
        signed(&outside, &Value::Object(claims))
    };
    let tampered = format!("{}AAAA", &expired[..expired.len() - 4]);
    let cases = [
        (&*id, "garbage".to_owned(), "", "expired_session_token_invalid"),
        (&id, tampered, "", "expired_session_token_invalid"),
        (
            &id,
            with(json!({ "iss": "https://two.clerk.accounts.dev" })),
            "",
            "expired_session_token_invalid",
        ),
        (&id, with(json!({ "azp": null })), "", "expired_session_token_missing_azp"),
        (
            &id,
            with(json!({ "azp": "https://evil.example" })),
            "",
            "refresh_request_origin_azp_mismatch",
        ),
        ("sess_none", expired.clone(), "", "session_refresh_session_not_found"),
        (&id, with(json!({ "sid": null })), "", "expired_session_token_missing_sid"),
        (&id, others, "", "refresh_sid_mismatch"),
        (&id, expired.clone(), "nothing", "refresh_token_not_found"),
        (
            &id,
            with(json!({ "iat": iat - 86_401 })),
            &known,
            "session_refresh_expired_session_token_too_old",
        ),
        (
            &id,
            with(json!({ "iat": null })),
            &known,
            "session_refresh_expired_session_token_missing_iat",
        ),
        (&id, with(json!({ "jti": null })), &known, "session_refresh_session_token_ineligible"),
        (
            &id,
            with(json!({ "sub": "user_other", "jti": "x" })),
            &known,
            "session_refresh_session_token_ineligible",
        ),
    ];
    for (path, token, refresh_token, code) in cases {
        let refused = refresh(&server, path, &token, refresh_token).await;
        refused.assert_refusal(code);
        assert_eq!((refused.status, refused.code().as_str()), (401, code));
    }
    let path = format!("/v1/sessions/{id}/refresh");
    for origin in [
        "no origin",
        "",
        "null",
        "https://app.example.com/path",
        "file:///etc",
        "HTTPS://app.example.com",
    ] {
        let body =
            json!({ "expired_token": expired, "refresh_token": known, "request_origin": origin });
        let refused = post(&server, &path, &body).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (401, "refresh_request_origin_invalid")
        );
    }
    server.advance(3600 * 1000);
    let renewed = refresh(&server, &id, &expired, &known).await;
    assert_eq!(renewed.status, 200);
    let said = claims(&text(&renewed.json()["jwt"]));
    assert_eq!((said["sid"].clone(), said["azp"].clone()), (json!(id), json!(ORIGIN)));
    let again = refresh(&server, &id, &expired, &known).await;
    assert_eq!(again.code(), "session_refresh_expired_session_token_consumed");
    made(&server, &format!("/v1/sessions/{other}/revoke"), &json!({})).await;
    let over = refresh(&server, &other, &expired, &known).await;
    assert_eq!(over.code(), "session_refresh_inactive_session");
}

#[tokio::test]
async fn ses_01_a_refresh_in_cookies_carries_its_flags_and_the_next_refresh_token() {
    let server = TestServer::start().await;
    let (id, expired, known) = refreshable(&server).await;
    let suffix = server.outside().await.instance.cookie_suffix();
    let body = json!({
        "expired_token": expired, "refresh_token": known, "request_origin": ORIGIN,
        "format": "cookie", "request_headers": { "host": ["app"] }, "request_originating_ip": null,
    });
    let path = format!("/v1/sessions/{id}/refresh?suffixed_cookies=true");
    let renewed = made(&server, &path, &body).await;

    assert_eq!(renewed["object"], "cookies");
    let cookies: Vec<_> = renewed["cookies"].as_array().expect("a list").iter().map(text).collect();
    let names: Vec<_> = cookies.iter().filter_map(|one| one.split('=').next()).collect();
    let expected = [
        "__client_uat".to_owned(),
        "__session".to_owned(),
        format!("__client_uat_{suffix}"),
        format!("__session_{suffix}"),
        format!("__refresh_{suffix}"),
    ];
    assert_eq!(names, expected);
    for cookie in &cookies {
        assert!(cookie.len() < 4096);
        assert!(cookie.contains("; Path=/") && cookie.contains("; SameSite=Lax"), "{cookie}");
        assert!(cookie.contains("; Secure"), "{cookie}");
        assert_eq!(cookie.contains("; HttpOnly"), cookie.starts_with("__refresh"), "{cookie}");
    }
    let value = |index: usize| cookies[index].split([';', '=']).nth(1).expect("a value").to_owned();
    let renewed = value(1);
    assert!(claims(&renewed)["iat"].as_i64() >= value(0).parse().ok());

    // The refresh token went with its use; the next one came in its cookie.
    let used = refresh(&server, &id, &renewed, &known).await;
    assert_eq!(used.code(), "refresh_token_not_found");
    assert_eq!(refresh(&server, &id, &renewed, &value(4)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_02_a_token_is_refreshed_once() {
    let server = Arc::new(TestServer::start().await);
    for format in ["token", "cookie"] {
        let (id, expired, known) = refreshable(&server).await;
        let body = json!({
            "expired_token": expired, "refresh_token": known, "request_origin": ORIGIN,
            "format": format,
        });
        let results = races::together_of(32, |_| {
            let (server, body) = (Arc::clone(&server), body.clone());
            let path = format!("/v1/sessions/{id}/refresh");
            async move { post(&server, &path, &body).await }
        })
        .await;
        let won = results.iter().filter(|result| result.status == 200).count();
        assert_eq!(won, 1, "{format}");
        assert!(results.iter().all(|result| [200, 401].contains(&result.status)), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_17_no_session_outlives_its_user() {
    let server = Arc::new(TestServer::start().await);
    for _ in 0..8 {
        let user_id = user(&server).await;
        races::together_of(9, |number| {
            let (server, user_id) = (Arc::clone(&server), user_id.clone());
            async move {
                if number == 4 {
                    let path = format!("/v1/users/{user_id}");
                    let request = Request::new("DELETE", &path).bearer(server.secret_key());
                    // A store that many contend for may ask to come again.
                    while server.call(request.clone()).await.status == 503 {}
                } else {
                    let body = json!({ "user_id": user_id });
                    let status = post(&server, "/v1/sessions", &body).await.status;
                    assert!([200, 404, 503].contains(&status), "{status}");
                }
            }
        })
        .await;
    }
    let left = get(&server, "/v1/sessions?paginated=true").await;
    assert_eq!(left, json!({ "data": [], "total_count": 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_18_no_token_follows_a_revocation() {
    let server = Arc::new(TestServer::start().await);
    for _ in 0..8 {
        let (_, id) = begun(&server).await;
        let revoked = Arc::new(std::sync::atomic::AtomicBool::new(false));
        races::together_of(9, |number| {
            let (server, id, revoked) = (Arc::clone(&server), id.clone(), Arc::clone(&revoked));
            async move {
                if number == 4 {
                    made(&server, &format!("/v1/sessions/{id}/revoke"), &json!({})).await;
                    revoked.store(true, std::sync::atomic::Ordering::SeqCst);
                } else {
                    for _ in 0..4 {
                        let was = revoked.load(std::sync::atomic::Ordering::SeqCst);
                        let minted = token(&server, &id).await.status;
                        assert!(!was || minted == 401, "{minted} after the revocation");
                    }
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn ten_07_a_token_is_worth_nothing_at_another_instance() {
    let server = TestServer::start().await;
    let (id, expired, known) = refreshable(&server).await;
    let client = text(&get(&server, &format!("/v1/sessions/{id}")).await["client_id"]);
    let cookie = testing::client_cookie(&server.outside().await, client.as_str().into()).await;
    let cookie = cookie.expect("a cookie");
    let user = json!({ "skip_user_requirement": true });
    let theirs = |path: String, body: Value| {
        server.call(Request::new("POST", &path).bearer(server.neighbours_key()).json(&body))
    };
    let user = theirs("/v1/users".into(), user).await.json();
    let session = theirs("/v1/sessions".into(), json!({ "user_id": user["id"] })).await.json();
    let session = text(&session["id"]);

    let body =
        json!({ "expired_token": expired, "refresh_token": known, "request_origin": ORIGIN });
    let refused = theirs(format!("/v1/sessions/{session}/refresh"), body).await;
    assert_eq!(refused.code(), "expired_session_token_invalid");
    let refused =
        theirs(format!("/v1/sessions/{session}/verify"), json!({ "token": expired })).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_session_token"));
    let refused = theirs(format!("/v1/sessions/{id}/verify"), json!({ "token": expired })).await;
    assert_eq!(refused.status, 404);
    let refused = theirs("/v1/clients/verify".into(), json!({ "token": cookie })).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "cookie_invalid"));
    let keys = server.call(Request::new("GET", "/v1/jwks").bearer(server.neighbours_key())).await;
    let ours = get(&server, "/v1/jwks").await;
    assert_ne!(keys.json()["keys"][0]["n"], ours["keys"][0]["n"]);
    for filter in ["client_id", "user_id"] {
        let found = get(&server, &format!("/v1/sessions?paginated=true&{filter}={session}")).await;
        assert_eq!(found, json!({ "data": [], "total_count": 0 }), "TEN-08");
    }
}

#[tokio::test]
async fn ten_10_production_makes_no_sessions_by_hand() {
    let server = TestServer::start().await;
    let key = server.keys[2].secret_key.clone().expect("it was just made");
    let ask = async |path: &str, body: Value| {
        server.call(Request::new("POST", path).bearer(&key).json(&body)).await
    };
    let user = ask("/v1/users", json!({ "skip_user_requirement": true })).await.json();
    let refused = ask("/v1/sessions", json!({ "user_id": user["id"] })).await;
    let expected = (400, "request_invalid_for_environment");
    assert_eq!((refused.status, refused.code().as_str()), expected);
}

#[tokio::test]
async fn ses_03_a_client_is_known_by_its_newest_cookie() {
    let server = TestServer::start().await;
    let (id, jwt, _) = refreshable(&server).await;
    let client = text(&get(&server, &format!("/v1/sessions/{id}")).await["client_id"]);
    let outside = server.outside().await;
    let cookie =
        async || testing::client_cookie(&outside, client.as_str().into()).await.expect("a cookie");
    let (first, second) = (cookie().await, cookie().await);

    let verified = made(&server, "/v1/clients/verify", &json!({ "token": second })).await;
    assert_eq!(verified["id"], json!(client));
    assert_eq!(verified["session_ids"], json!([id]));
    let old = post(&server, "/v1/clients/verify", &json!({ "token": first })).await;
    assert_eq!((old.status, old.code().as_str()), (400, "cookie_invalid"));
    // JWT-10: neither is taken for the other, nor a session token that says the same.
    let copy = signed(&outside, &Value::Object(claims(&second)));
    for token in [&jwt, &copy, "garbage", ""] {
        let refused = post(&server, "/v1/clients/verify", &json!({ "token": token })).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "cookie_invalid"));
    }
    let path = format!("/v1/sessions/{id}/verify");
    let refused = post(&server, &path, &json!({ "token": second })).await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_session_token"));
    assert_eq!(made(&server, &path, &json!({ "token": jwt })).await["id"], json!(id));
    server.advance(66_000);
    assert_eq!(post(&server, &path, &json!({ "token": jwt })).await.status, 400);
}

#[tokio::test]
async fn lists_are_bare_unless_pages_are_asked_for() {
    let server = TestServer::start().await;
    let user_id = user(&server).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, session(&server, &user_id).await["id"].clone());
    }
    let bare = get(&server, "/v1/sessions?limit=2&offset=1").await;
    let found: Vec<_> =
        bare.as_array().expect("bare").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(found, ids[1..3]);
    let page =
        get(&server, &format!("/v1/sessions?paginated=true&limit=2&user_id={user_id}")).await;
    assert_eq!(
        (page["total_count"].clone(), page["data"].as_array().map(Vec::len)),
        (json!(5), Some(2))
    );
    let clients = get(&server, "/v1/clients?paginated=true&limit=2").await;
    assert_eq!(clients["total_count"], 5);
    assert_eq!(clients["data"][0]["session_ids"], json!([ids[0]]));
}

#[tokio::test]
async fn a_testing_token_is_its_instances_for_an_hour() {
    let server = TestServer::start().await;
    let made = made(&server, "/v1/testing_tokens", &json!({})).await;
    let token = text(&made["token"]);
    let ours = server.outside().await.instance;
    let end = server.now().0 / 1000 + 3600;
    assert_eq!(made["expires_at"], end);
    assert!(testing_tokens::is_valid(&ours, &token, server.now()));
    let later = token.replace(&end.to_string(), &(end + 1).to_string());
    for wrong in [&*later, &format!("{token}0"), "", "-", "x-c_x"] {
        assert!(!testing_tokens::is_valid(&ours, wrong, server.now()), "{wrong}");
    }
    let key = server.neighbours_key();
    let theirs = domain::instances::by_secret_key(&server.world, key).await;
    let theirs = theirs.expect("read").expect("known");
    assert!(!testing_tokens::is_valid(&theirs, &token, server.now()));
    server.advance(3_600_000);
    assert!(!testing_tokens::is_valid(&ours, &token, server.now()));
}
