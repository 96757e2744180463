//! Invitations: made, listed, revoked, deleted, and what is refused.

use db::EngineKind;
use domain::{Rate, Settings};
use jwt::decode_unverified;
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};

use crate::{
    calls::{made, post, text},
    races::{TASKS, together},
    sessions::set,
};

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn get(server: &TestServer, path: &str) -> Value {
    let response = server.call(Request::new("GET", path).bearer(server.secret_key())).await;
    assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
    response.json()
}

async fn invited(server: &TestServer, email_address: &str) -> Value {
    made(server, "/v1/invitations", &json!({ "email_address": email_address })).await
}

async fn refused(server: &TestServer, path: &str, body: &Value, said: (u16, &str, &str)) {
    let before = server.dump().await;
    let response = post(server, path, body).await;
    response.assert_refusal(path);
    let (code, param) = response.errors().remove(0);
    assert_eq!((response.status, &*code, &*param), said, "{body}");
    assert_eq!(server.dump().await, before, "{body} changed something");
}

async fn addresses(server: &TestServer, query: &str) -> Vec<String> {
    let list = get(server, &format!("/v1/invitations?{query}")).await;
    let list = list.as_array().expect("a list").iter();
    list.map(|one| text(&one["email_address"]).replace("@example.com", "")).collect()
}

async fn total(server: &TestServer, query: &str) -> u64 {
    let path = format!("/v1/invitations?paginated=true&limit=1&{query}");
    get(server, &path).await["total_count"].as_u64().expect("a number")
}

fn id(value: &Value) -> String {
    text(&value["id"])
}

#[tokio::test]
async fn an_invitation_is_a_ticket_in_a_mail() {
    let server = TestServer::start().await;
    let body = json!({
        "email_address": "Ada@Example.com",
        "public_metadata": { "plan": "pro" },
        "redirect_url": "https://app.example.com/welcome?a=1",
        "expires_in_days": 7,
    });
    let invitation = made(&server, "/v1/invitations", &body).await;
    assert_eq!(invitation["object"], "invitation");
    assert_eq!(invitation["email_address"], "ada@example.com");
    assert_eq!(invitation["public_metadata"], json!({ "plan": "pro" }));
    assert_eq!((&invitation["status"], &invitation["revoked"]), (&json!("pending"), &json!(false)));
    let expires_at = server.now().0 + 7 * DAY_MS;
    assert_eq!(invitation["expires_at"], expires_at);
    let url = text(&invitation["url"]);
    let (place, ticket) = url.split_once("?ticket=").expect("a ticket");
    assert_eq!(place, format!("{}/v1/tickets/accept", server.address()));
    let claims = json!({
        "eis": 7 * 24 * 3600,
        "exp": expires_at / 1000,
        "iid": server.keys[0].instance_id.as_str(),
        "rurl": "https://app.example.com/welcome?a=1",
        "sid": id(&invitation),
        "st": "invitation",
    });
    let token = decode_unverified(ticket).expect("a token");
    assert_eq!(Value::Object(token.payload), claims);

    let outbox = server.outbox().await;
    assert_eq!(outbox.len(), 1);
    let mail = &outbox[0].data;
    assert_eq!((&*outbox[0].kind, &mail["slug"]), ("email.created", &json!("invitation")));
    assert_eq!(mail["to_email_address"], "ada@example.com");
    assert_eq!(mail["data"]["action_url"], url);
    assert!(text(&mail["body_plain"]).contains(&url));
}

#[tokio::test]
async fn a_mail_is_sent_unless_one_says_no() {
    let server = TestServer::start().await;
    let cases = [
        (json!({ "email_address": "a@example.com", "notify": false }), None),
        (
            json!({ "email_address": "b@example.com", "notify": null, "redirect_url": "/welcome" }),
            Some("invitation"),
        ),
        (
            json!({ "email_address": "c@example.com", "template_slug": "waitlist_invitation" }),
            Some("waitlist_invitation"),
        ),
        (json!({ "email_address": "d+clerk_test@example.com" }), None),
    ];
    for (body, slug) in cases {
        let before = server.outbox().await.len();
        made(&server, "/v1/invitations", &body).await;
        let outbox = server.outbox().await;
        let sent = outbox.len() - before;
        assert_eq!(sent, usize::from(slug.is_some()), "{body}");
        if let Some(slug) = slug {
            let said = |one: &testkit::Message| {
                one.data["slug"] == slug && one.data["to_email_address"] == body["email_address"]
            };
            assert!(outbox.iter().any(said), "{body}");
        }
    }
}

#[tokio::test]
async fn what_is_no_invitation_is_refused_by_name() {
    let server = TestServer::start().await;
    let long = format!("https://example.com/{}", "a".repeat(2048));
    let cases = [
        ("email_address", json!("ada"), "form_param_format_invalid"),
        (
            "email_address",
            json!("ada@example.com\r\nbcc: eve@example.com"),
            "form_param_format_invalid",
        ),
        ("redirect_url", json!("welcome"), "form_param_format_invalid"),
        ("redirect_url", json!("//evil.example"), "form_param_format_invalid"),
        ("redirect_url", json!("/\\evil.example"), "form_param_format_invalid"),
        ("redirect_url", json!("javascript:alert(1)"), "form_param_format_invalid"),
        ("redirect_url", json!("data:text/html,hello"), "form_param_format_invalid"),
        ("redirect_url", json!("https://ada:secret@example.com"), "form_param_format_invalid"),
        ("redirect_url", json!(""), "form_param_format_invalid"),
        ("redirect_url", json!(long), "form_param_max_length_exceeded"),
        ("template_slug", json!("newsletter"), "form_param_value_invalid"),
        ("expires_in_days", json!(0), "form_param_value_invalid"),
        ("expires_in_days", json!(366), "form_param_value_too_large"),
        ("public_metadata", json!({ "a": "x".repeat(8192) }), "form_param_exceeds_allowed_size"),
    ];
    for (name, value, code) in cases {
        let mut body = json!({ "email_address": "ada@example.com" });
        body[name] = value;
        refused(&server, "/v1/invitations", &body, (422, code, name)).await;
    }
    for query in ["status=shy", "order_by=shoe_size", "limit=0", "limit=501"] {
        let path = format!("/v1/invitations?{query}");
        let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
        assert_eq!(response.status, 422, "{query}");
    }
}

#[tokio::test]
async fn an_address_that_is_invited_or_a_users_is_refused_unless_one_insists() {
    let server = TestServer::start().await;
    let user = json!({ "email_address": ["user@example.com"] });
    made(&server, "/v1/users", &user).await;
    let body = json!({ "email_address": "User@example.com" });
    let exists = (422, "form_identifier_exists", "email_address");
    refused(&server, "/v1/invitations", &body, exists).await;
    let insisting = json!({ "email_address": "user@example.com", "ignore_existing": true });
    made(&server, "/v1/invitations", &insisting).await;

    invited(&server, "ada@example.com").await;
    let body = json!({ "email_address": "Ada@example.com" });
    refused(&server, "/v1/invitations", &body, (400, "duplicate_record", "")).await;
    let response = post(&server, "/v1/invitations", &body).await;
    assert_eq!(response.json()["errors"][0]["meta"]["email_addresses"], json!(["ada@example.com"]));
    let insisting = json!({ "email_address": "ada@example.com", "ignore_existing": true });
    made(&server, "/v1/invitations", &insisting).await;
    assert_eq!(addresses(&server, "query=ada").await, ["ada", "ada"]);
}

#[tokio::test]
async fn an_address_is_free_when_the_last_invitation_has_ended() {
    let server = TestServer::start().await;
    let body = json!({ "email_address": "ada@example.com" });
    let first = id(&invited(&server, "ada@example.com").await);
    let insisting = json!({ "email_address": "ada@example.com", "ignore_existing": true });
    let second = id(&made(&server, "/v1/invitations", &insisting).await);
    let duplicate = (400, "duplicate_record", "");
    for (id, ending) in [(first, "revoke"), (second, "delete")] {
        refused(&server, "/v1/invitations", &body, duplicate).await;
        let path = format!("/v1/invitations/{id}");
        if ending == "revoke" {
            made(&server, &format!("{path}/revoke"), &json!({})).await;
        } else {
            let request = Request::new("DELETE", &path).bearer(server.secret_key());
            assert_eq!(server.call(request).await.status, 200);
        }
    }
    let short = json!({ "email_address": "ada@example.com", "expires_in_days": 1 });
    made(&server, "/v1/invitations", &short).await;
    let long = json!({ "email_address": "ada@example.com", "ignore_existing": true });
    made(&server, "/v1/invitations", &long).await;
    server.advance(DAY_MS);
    refused(&server, "/v1/invitations", &body, duplicate).await;
    server.advance(30 * DAY_MS);
    made(&server, "/v1/invitations", &body).await;
    refused(&server, "/v1/invitations", &body, duplicate).await;
}

#[tokio::test]
async fn many_are_invited_or_none() {
    let server = TestServer::start().await;
    let one = |name: &str| json!({ "email_address": format!("{name}@example.com") });
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let bulk = Value::Array(names.iter().map(|name| one(name)).collect());
    let list = made(&server, "/v1/invitations/bulk", &bulk).await;
    let list = list.as_array().expect("a list");
    let said: Vec<_> = list.iter().map(|one| text(&one["email_address"])).collect();
    assert_eq!(said, names.map(|name| format!("{name}@example.com")));
    assert_eq!(server.outbox().await.len(), 10);
    assert_eq!(total(&server, "").await, 10);

    made(&server, "/v1/users", &json!({ "email_address": ["user@example.com"] })).await;
    let path = "/v1/invitations/bulk";
    let duplicate = (400, "duplicate_record", "");
    refused(&server, path, &json!([one("x"), one("a")]), duplicate).await;
    refused(&server, path, &json!([one("x"), one("X")]), duplicate).await;
    let mut user = one("user");
    user["ignore_existing"] = json!(true);
    let exists = (422, "form_identifier_exists", "email_address");
    refused(&server, path, &json!([one("x"), user]), exists).await;
    refused(&server, path, &json!([]), (422, "form_param_value_invalid", "items")).await;
    let eleven = Value::Array((0..11).map(|number| one(&format!("n{number}"))).collect());
    refused(&server, path, &eleven, (400, "bulk_size_exceeded", "items")).await;
    let unknown = json!([{ "email_address": "x@example.com", "colour": "red" }]);
    refused(&server, path, &unknown, (422, "form_param_unknown", "colour")).await;
    refused(&server, path, &json!([{}]), (422, "form_param_missing", "email_address")).await;
    refused(&server, path, &json!({}), (400, "request_body_invalid", "")).await;
    let both = post(&server, path, &json!([one("a"), one("x"), one("b")])).await;
    let meta = &both.json()["errors"][0]["meta"]["email_addresses"];
    assert_eq!(*meta, json!(["a@example.com", "b@example.com"]));
    let mut again = one("a");
    again["ignore_existing"] = json!(true);
    made(&server, path, &json!([again, one("x")])).await;
}

#[tokio::test]
async fn lists_have_states_orders_and_searches() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for (name, days) in [("carol", 20), ("alice", 40), ("bob", 1), ("dave", 30)] {
        let body =
            json!({ "email_address": format!("{name}@example.com"), "expires_in_days": days });
        ids.push(id(&made(&server, "/v1/invitations", &body).await));
        server.advance(1);
    }
    made(&server, &format!("/v1/invitations/{}/revoke", ids[3]), &json!({})).await;
    server.advance(DAY_MS);
    let cases = [
        ("", vec!["bob", "alice", "carol"]),
        ("status=pending", vec!["alice", "carol"]),
        ("status=expired", vec!["bob"]),
        ("status=revoked", vec!["dave"]),
        ("status=accepted", vec![]),
        ("order_by=created_at", vec!["carol", "alice", "bob"]),
        ("order_by=-created_at", vec!["bob", "alice", "carol"]),
        ("order_by=%2Bemail_address", vec!["alice", "bob", "carol"]),
        ("order_by=+email_address", vec!["alice", "bob", "carol"]),
        ("order_by=-email_address", vec!["carol", "bob", "alice"]),
        ("order_by=expires_at", vec!["bob", "carol", "alice"]),
        ("order_by=-expires_at", vec!["alice", "carol", "bob"]),
        ("query=CAR", vec!["carol"]),
        ("query=o", vec!["bob", "alice", "carol"]),
        ("query=ol%40example", vec!["carol"]),
        ("query=%25", vec![]),
        ("query=dave", vec![]),
        ("query=dave&status=revoked", vec!["dave"]),
        ("query=o&order_by=email_address", vec!["alice", "bob", "carol"]),
        ("limit=1&offset=1", vec!["alice"]),
        ("offset=3", vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(addresses(&server, query).await, expected, "{query}");
        if !query.contains("offset") {
            assert_eq!(total(&server, query).await, expected.len() as u64, "{query}");
        }
    }
    assert_eq!(addresses(&server, &format!("query={}", ids[0])).await, ["carol"]);
    let expired = get(&server, "/v1/invitations?status=expired").await;
    assert!(expired[0].get("url").is_none(), "{expired}");
    let pending = get(&server, &format!("/v1/invitations?query={}", ids[0])).await;
    assert!(text(&pending[0]["url"]).contains("ticket="));
}

#[tokio::test]
async fn an_invitation_is_revoked_once() {
    let server = TestServer::start().await;
    let invitation = invited(&server, "ada@example.com").await;
    let path = format!("/v1/invitations/{}/revoke", id(&invitation));
    server.advance(5);
    let revoked = made(&server, &path, &json!({})).await;
    assert_eq!((&revoked["status"], &revoked["revoked"]), (&json!("revoked"), &json!(true)));
    assert!(revoked.get("url").is_none());
    assert_eq!(revoked["updated_at"], server.now().0);
    refused(&server, &path, &json!({}), (400, "invitation_already_revoked", "")).await;
    let missing = "/v1/invitations/inv_none/revoke";
    refused(&server, missing, &json!({}), (404, "resource_not_found", "")).await;
}

#[tokio::test]
async fn a_deleted_invitation_leaves_nothing() {
    let server = TestServer::start().await;
    let empty = server.dump().await;
    let body = json!({ "email_address": "ada@example.com", "notify": false });
    let ended = [false, true];
    for revoked in ended {
        let id = id(&made(&server, "/v1/invitations", &body).await);
        if revoked {
            made(&server, &format!("/v1/invitations/{id}/revoke"), &json!({})).await;
        }
        let path = format!("/v1/invitations/{id}");
        let delete = || server.call(Request::new("DELETE", &path).bearer(server.secret_key()));
        let deleted = delete().await;
        let expected = json!({ "object": "invitation", "id": id, "deleted": true });
        assert_eq!((deleted.status, deleted.json()), (200, expected));
        assert_eq!(delete().await.status, 404);
        for status in ["pending", "revoked", "accepted", "expired"] {
            assert_eq!(total(&server, &format!("status={status}")).await, 0);
        }
    }
    assert_eq!(server.dump().await["invitations"], empty["invitations"]);
    assert_eq!(addresses(&server, "query=ada").await, [""; 0]);
}

#[tokio::test]
async fn an_instance_without_mail_invites_nobody() {
    let server = TestServer::start().await;
    set(&server, |settings: &mut Settings| settings.attributes.email_address.enabled = false).await;
    let one = json!({ "email_address": "ada@example.com" });
    let said = (400, "invitations_not_supported", "");
    refused(&server, "/v1/invitations", &one, said).await;
    refused(&server, "/v1/invitations/bulk", &json!([one]), said).await;
}

#[tokio::test]
async fn invitations_are_limited_where_limits_are_on() {
    let server = TestServer::start().await;
    set(&server, |settings: &mut Settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.invitations = Rate { requests: 4, seconds: 3600 };
    })
    .await;
    for number in 0..4 {
        invited(&server, &format!("one{number}@example.com")).await;
    }
    let one = json!({ "email_address": "ada@example.com" });
    let limited = post(&server, "/v1/invitations", &one).await;
    assert_eq!((limited.status, &*limited.code()), (429, "too_many_requests"));
    assert!(limited.header("retry-after").is_some());
    made(&server, "/v1/invitations/bulk", &json!([one])).await;
    let limited = post(&server, "/v1/invitations/bulk", &json!([one])).await;
    assert_eq!(limited.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_07_an_address_is_invited_once() {
    let server = TestServer::start().await;
    let results = together(|number| {
        let one = json!({ "email_address": "ada@example.com", "notify": number % 2 == 0 });
        let (path, body) = match number % 3 {
            0 => ("/v1/invitations", one),
            1 => ("/v1/invitations/bulk", json!([one])),
            _ => {
                let other = json!({ "email_address": format!("other{number}@example.com") });
                ("/v1/invitations/bulk", json!([other, one]))
            }
        };
        let request = Request::new("POST", path).bearer(server.secret_key()).json(&body);
        let address = server.address().to_owned();
        async move { request.send(&address).await }
    })
    .await;
    let won = results.iter().filter(|result| result.status == 200).count();
    for refused in results.iter().filter(|result| result.status != 200) {
        refused_or_busy(refused);
    }
    assert_eq!(won, 1);
    assert_eq!(results.len(), TASKS);
    assert_eq!(addresses(&server, "query=ada").await, ["ada"]);
    let rows = server.dump().await["invitations"].len() as u64;
    assert_eq!(total(&server, "").await, rows);
}

/// On PostgreSQL somebody who was in the way too often is asked to come back.
fn refused_or_busy(response: &Response) {
    let said = (response.status, response.code());
    let busy = said == (503, "service_unavailable".to_owned());
    assert!(busy || said == (400, "duplicate_record".to_owned()), "{said:?}");
}

#[tokio::test]
async fn tickets_are_stored_as_digests() {
    let server = TestServer::start().await;
    let invitation = invited(&server, "ada@example.com").await;
    let url = text(&invitation["url"]);
    let ticket = url.split_once("?ticket=").expect("a ticket").1;
    let signature = ticket.rsplit_once('.').expect("a signature").1;
    for (table, rows) in server.dump().await {
        assert!(rows.iter().all(|row| !row.contains(signature)), "{table}");
    }
    assert!(matches!(server.engine(), EngineKind::Sqlite | EngineKind::Postgres));
}
