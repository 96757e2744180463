//! Tickets of actors and agents, devices that are trusted, and cookies that wait for a server.

use std::sync::Arc;

use domain::{
    Caller, Outside, actor_tokens, agent_tasks, handshakes, instances,
    trusted_devices::{self, NewTrustedDevice},
};
use jwt::decode_unverified;
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};
use wire::backend::trusted_devices::DevicePlatform;

use crate::{
    calls::{made, post, text},
    races,
};

const HOUR_MS: i64 = 3600 * 1000;

async fn get(server: &TestServer, path: &str) -> Response {
    server.call(Request::new("GET", path).bearer(server.secret_key())).await
}

async fn user(server: &TestServer, body: Value) -> String {
    text(&made(server, "/v1/users", &body).await["id"])
}

async fn somebody(server: &TestServer) -> String {
    user(server, json!({ "skip_user_requirement": true })).await
}

fn refused(response: &Response, status: u16, code: &str) {
    assert_eq!((response.status, response.code().as_str()), (status, code));
}

/// What a redemption refused with, or `ok`.
fn outcome<T>(result: domain::Result<T>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.into_refusal().code().to_owned(),
    }
}

async fn actor_token(server: &TestServer, user_id: &str) -> Value {
    let body = json!({ "user_id": user_id, "actor": { "sub": "user_support", "reason": "call" } });
    made(server, "/v1/actor_tokens", &body).await
}

#[tokio::test]
async fn an_actor_token_is_a_ticket_that_names_both() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;

    let token = actor_token(&server, &user_id).await;

    assert_eq!((&token["status"], &token["user_id"]), (&json!("pending"), &json!(user_id)));
    assert_eq!(token["actor"], json!({ "sub": "user_support", "reason": "call" }));
    let ticket = text(&token["token"]);
    assert_eq!(
        token["url"],
        json!(format!("{}/v1/tickets/accept?ticket={ticket}", server.address()))
    );
    let claims = decode_unverified(&ticket).expect("a token").payload;
    assert_eq!((&claims["st"], &claims["sid"]), (&json!("actor_token"), &token["id"]));
    assert_eq!(claims["eis"], 3600);

    let outside = server.outside().await;
    let taken = outside.write(actor_tokens::redeem, ticket.clone()).await.expect("it is good");
    assert_eq!(taken.user_id.as_str(), user_id);
    assert_eq!(
        (&taken.actor["sub"], taken.session_lifetime_seconds),
        (&json!("user_support"), 1800)
    );
    let again = outside.write(actor_tokens::redeem, ticket).await;
    assert_eq!(outcome(again), "actor_token_already_used_code");
    let path = format!("/v1/actor_tokens/{}/revoke", text(&token["id"]));
    refused(&post(&server, &path, &json!({})).await, 400, "actor_token_cannot_be_revoked_code");
}

#[tokio::test]
async fn an_actor_token_lives_as_long_as_is_said() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;
    let body = json!({
        "user_id": user_id, "actor": { "sub": "a" }, "expires_in_seconds": 60,
        "session_max_duration_in_seconds": 90,
    });
    let (one, other) = (
        made(&server, "/v1/actor_tokens", &body).await,
        made(&server, "/v1/actor_tokens", &body).await,
    );

    server.advance(59_999);
    let outside = server.outside().await;
    let taken = outside.write(actor_tokens::redeem, text(&one["token"])).await.expect("in time");
    assert_eq!(taken.session_lifetime_seconds, 90);

    server.advance(1);
    let outside = server.outside().await;
    let late = outside.write(actor_tokens::redeem, text(&other["token"])).await;
    assert_eq!(outcome(late), "ticket_expired_code");
    let path = format!("/v1/actor_tokens/{}/revoke", text(&other["id"]));
    refused(&post(&server, &path, &json!({})).await, 400, "actor_token_cannot_be_revoked_code");
}

#[tokio::test]
async fn an_actor_token_is_revoked_once() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;
    let token = actor_token(&server, &user_id).await;
    let path = format!("/v1/actor_tokens/{}/revoke", text(&token["id"]));

    assert_eq!(made(&server, &path, &json!({})).await["status"], "revoked");

    refused(&post(&server, &path, &json!({})).await, 400, "actor_token_cannot_be_revoked_code");
    let outside = server.outside().await;
    let late = outside.write(actor_tokens::redeem, text(&token["token"])).await;
    assert_eq!(outcome(late), "actor_token_revoked_code");
    refused(
        &post(&server, "/v1/actor_tokens/act_none/revoke", &json!({})).await,
        404,
        "resource_not_found",
    );
}

#[tokio::test]
async fn an_actor_token_is_refused_for_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let (user_id, banned) = (somebody(&server).await, somebody(&server).await);
    made(&server, &format!("/v1/users/{banned}/ban"), &json!({})).await;
    let long = json!({ "sub": "a", "note": "a".repeat(2048) });
    let cases = [
        (json!({ "user_id": user_id, "actor": {} }), 422, "form_param_missing"),
        (json!({ "user_id": user_id, "actor": { "sub": 1 } }), 422, "form_param_value_invalid"),
        (json!({ "user_id": user_id, "actor": { "sub": "" } }), 422, "form_param_value_invalid"),
        (json!({ "user_id": user_id, "actor": long }), 422, "form_param_exceeds_allowed_size"),
        (json!({ "user_id": "user_none", "actor": { "sub": "a" } }), 404, "resource_not_found"),
        (json!({ "user_id": banned, "actor": { "sub": "a" } }), 403, "user_banned"),
    ];
    for (body, status, code) in cases {
        refused(&post(&server, "/v1/actor_tokens", &body).await, status, code);
    }
    assert!(server.dump().await["actor_tokens"].is_empty());
}

#[tokio::test]
async fn nobody_acts_as_a_user_who_was_banned_since() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;
    let ticket = text(&actor_token(&server, &user_id).await["token"]);
    made(&server, &format!("/v1/users/{user_id}/ban"), &json!({})).await;

    let outside = server.outside().await;
    assert_eq!(outcome(outside.write(actor_tokens::redeem, ticket.clone()).await), "user_banned");
    made(&server, &format!("/v1/users/{user_id}/unban"), &json!({})).await;
    assert_eq!(outcome(outside.write(actor_tokens::redeem, ticket).await), "ok");
}

#[tokio::test]
async fn one_of_many_who_come_with_an_actors_ticket_is_let_in() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;
    let ticket = text(&actor_token(&server, &user_id).await["token"]);
    let outside = server.outside().await;
    let outcomes = races::together(|_| {
        let (outside, ticket) = (outside.clone(), ticket.clone());
        async move {
            loop {
                let said = outcome(outside.write(actor_tokens::redeem, ticket.clone()).await);
                if said != "service_unavailable" {
                    return said;
                }
            }
        }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|said| *said == "ok").count(), 1);
    let others = outcomes.iter().filter(|said| *said == "actor_token_already_used_code");
    assert_eq!(others.count(), races::TASKS - 1);
}

fn task(who: &Value) -> Value {
    json!({
        "on_behalf_of": who, "permissions": "*", "agent_name": "tester",
        "task_description": "Look at the page", "redirect_url": "http://localhost:3000/home",
    })
}

#[tokio::test]
async fn an_agent_task_is_a_link_that_is_shown_once() {
    let server = TestServer::start().await;
    let body = json!({
        "email_address": ["ada@example.com"], "phone_number": ["+12015550123"],
        "username": "lovelace", "password": "correct horse battery",
    });
    let user_id = user(&server, body).await;
    let mut agents = Vec::new();
    let names = [
        json!({ "user_id": user_id }),
        json!({ "identifier": "Ada@example.com" }),
        json!({ "identifier": "+12015550123" }),
        json!({ "identifier": "Lovelace" }),
    ];
    for who in names {
        let created = made(&server, "/v1/agents/tasks", &task(&who)).await;
        assert_eq!(created["task_id"], created["agent_task_id"]);
        agents.push(text(&created["agent_id"]));
        let url = text(&created["url"]);
        let ticket = url.split_once("/v1/agents/tasks?ticket=").expect("a ticket").1.to_owned();
        let outside = server.outside().await;
        let taken = outside.write(agent_tasks::redeem, ticket.clone()).await.expect("it is good");
        assert_eq!((taken.user_id.as_str(), taken.session_lifetime_seconds), (&*user_id, 1800));
        assert_eq!(taken.redirect_url, "http://localhost:3000/home");
        let again = outside.write(agent_tasks::redeem, ticket).await;
        assert_eq!(outcome(again), "agent_task_already_used");
    }
    agents.dedup();
    assert_eq!(agents.len(), 1, "one agent for one name");

    let other = json!({ "user_id": user_id });
    let created = made(&server, "/v1/agents/tasks", &task(&other)).await;
    let path = format!("/v1/agents/tasks/{}/revoke", text(&created["agent_task_id"]));
    let revoked = made(&server, &path, &json!({})).await;
    assert_eq!((&revoked["agent_task_id"], revoked.get("url")), (&created["agent_task_id"], None));
    refused(&post(&server, &path, &json!({})).await, 400, "agent_task_cannot_be_revoked");
    let path = "/v1/agents/tasks/agent_task_none/revoke";
    refused(&post(&server, path, &json!({})).await, 404, "agent_task_not_found");
}

#[tokio::test]
async fn an_agent_task_is_refused_for_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let user_id = somebody(&server).await;
    let with = |name: &str, value: Value| {
        let mut body = task(&json!({ "user_id": user_id }));
        body[name] = value;
        body
    };
    let cases = [
        (with("permissions", json!("read")), 422, "form_param_value_invalid"),
        (with("agent_name", json!(" ")), 422, "form_param_missing"),
        (with("agent_name", json!("a".repeat(257))), 422, "form_param_max_length_exceeded"),
        (with("task_description", json!("a".repeat(1025))), 422, "form_param_max_length_exceeded"),
        (with("redirect_url", json!("javascript:alert(1)")), 422, "form_param_format_invalid"),
        (with("redirect_url", json!("/home")), 422, "form_param_format_invalid"),
        (with("redirect_url", json!("https://a@example.com")), 422, "form_param_format_invalid"),
        (with("on_behalf_of", json!({})), 422, "form_param_missing"),
        (
            with("on_behalf_of", json!({ "user_id": user_id, "identifier": "a" })),
            422,
            "form_conditional_param_disallowed",
        ),
        (with("on_behalf_of", json!({ "user_id": "u" })), 404, "agent_task_subject_not_found"),
        (
            with("on_behalf_of", json!({ "identifier": "nobody@example.com" })),
            404,
            "agent_task_subject_not_found",
        ),
    ];
    for (body, status, code) in cases {
        refused(&post(&server, "/v1/agents/tasks", &body).await, status, code);
    }
    let tables = server.dump().await;
    assert!(tables["agent_tasks"].is_empty() && tables["agents"].is_empty());
}

#[tokio::test]
async fn web_05_an_agent_is_sent_to_the_instances_own_pages() {
    let server = TestServer::start().await;
    let key = server.keys[2].secret_key.as_deref().expect("it was just made");
    let ask = |path: &'static str, body: Value| {
        server.call(Request::new("POST", path).bearer(key).json(&body))
    };
    let user = json!({ "skip_user_requirement": true });
    let user_id = text(&ask("/v1/users", user).await.json()["id"]);
    let mut body = task(&json!({ "user_id": user_id }));
    refused(&ask("/v1/agents/tasks", body.clone()).await, 422, "insecure_url");

    let instance = instances::by_secret_key(&server.world, key).await.expect("read");
    let instance = instance.expect("the key is known");
    let outside = Outside::new(Arc::clone(&server.world), "test", instance, Caller::Instance);
    let cases = [
        ("https://three.example/home", "ok"),
        ("https://app.three.example/home", "ok"),
        ("https://evil-three.example/home", "redirect_url_domain_mismatch"),
        ("https://three.example.evil.example/", "redirect_url_domain_mismatch"),
    ];
    for (url, expected) in cases {
        body["redirect_url"] = json!(url);
        let created = ask("/v1/agents/tasks", body.clone()).await.json();
        let url_of_task = text(&created["url"]);
        let ticket = url_of_task.split_once("ticket=").expect("a ticket").1.to_owned();
        assert_eq!(outcome(outside.write(agent_tasks::redeem, ticket).await), expected, "{url}");
    }
}

/// A device of a user.
pub(crate) async fn device(server: &TestServer, user_id: &str) -> String {
    let new = NewTrustedDevice {
        user_id: user_id.into(),
        platform: DevicePlatform::Ios,
        app_identifier: "com.example.app".to_owned(),
        name: Some("Phone".to_owned()),
        public_key: "key".to_owned(),
    };
    let outside = server.outside().await;
    outside.write(trusted_devices::insert, new).await.expect("it is trusted").id.to_string()
}

#[tokio::test]
async fn a_trusted_device_is_listed_until_it_is_revoked() {
    let server = TestServer::start().await;
    let (user_id, other) = (somebody(&server).await, somebody(&server).await);
    let (first, second) = (device(&server, &user_id).await, device(&server, &user_id).await);
    let path = format!("/v1/users/{user_id}/trusted_devices");

    let listed = get(&server, &path).await.json();

    assert_eq!((&listed["total_count"], &listed["data"][0]["id"]), (&json!(2), &json!(second)));
    assert_eq!(listed["data"][1]["algorithm"], "ES256");
    assert!(!listed.to_string().contains("\"key\""), "its key is nobody's business");

    let remove = |user_id: &str, id: &str| {
        let path = format!("/v1/users/{user_id}/trusted_devices/{id}");
        server.call(Request::new("DELETE", &path).bearer(server.secret_key()))
    };
    refused(&remove(&other, &first).await, 404, "resource_not_found");
    refused(&remove(&user_id, "td_none").await, 404, "resource_not_found");
    let revoked = remove(&user_id, &first).await.json();
    assert_eq!(
        (&revoked["status"], &revoked["revoked_at"]),
        (&json!("revoked"), &json!(server.now()))
    );
    server.advance(1);
    assert_eq!(remove(&user_id, &first).await.json(), revoked, "once is enough");
    assert_eq!(get(&server, &path).await.json()["total_count"], 1);
    refused(&get(&server, "/v1/users/user_none/trusted_devices").await, 404, "resource_not_found");
}

async fn payload(server: &TestServer, nonce: &str) -> Response {
    get(server, &format!("/v1/clients/handshake_payload?nonce={nonce}")).await
}

#[tokio::test]
async fn a_handshake_is_fetched_by_its_nonce_for_a_short_time() {
    let server = TestServer::start().await;
    let outside = server.outside().await;
    let directives = vec!["__session=secret-token; Path=/".to_owned(), "__client_uat=1".to_owned()];
    let keep = || outside.write(handshakes::keep, directives.clone());
    let (used, unused) = (keep().await.expect("kept"), keep().await.expect("kept"));
    let stored = format!("{:?}", server.dump().await["handshakes"]);
    assert!(!stored.contains("secret-token") && !stored.contains(&used), "it is sealed");

    let first = payload(&server, &used).await;
    assert_eq!(first.json()["directives"], json!(directives));
    assert_eq!(first.json()["nonce"], json!(used));
    server.advance(9_999);
    assert_eq!(payload(&server, &used).await.json()["directives"], json!(directives));
    server.advance(1);
    refused(&payload(&server, &used).await, 404, "resource_not_found");

    server.advance(49_999);
    assert_eq!(payload(&server, &unused).await.status, 200);
    server.advance(HOUR_MS);
    refused(&payload(&server, &unused).await, 404, "resource_not_found");
    refused(&payload(&server, "nothing").await, 404, "resource_not_found");

    outside.write(handshakes::keep, Vec::new()).await.expect("kept");
    let outside = server.outside().await;
    outside.write(handshakes::keep, Vec::new()).await.expect("kept");
    assert_eq!(server.dump().await["handshakes"].len(), 1, "what is over goes");
}

#[tokio::test]
async fn ten_02_a_neighbour_fetches_no_cookies_of_others() {
    let server = TestServer::start().await;
    let outside = server.outside().await;
    let nonce = outside.write(handshakes::keep, vec!["a=b".to_owned()]).await.expect("kept");
    let path = format!("/v1/clients/handshake_payload?nonce={nonce}");

    let theirs = server.call(Request::new("GET", &path).bearer(server.neighbours_key())).await;

    refused(&theirs, 404, "resource_not_found");
    assert_eq!(payload(&server, &nonce).await.status, 200);
}
