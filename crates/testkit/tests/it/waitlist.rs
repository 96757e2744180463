//! The waitlist: who waits, who is invited, who is rejected.

use domain::waitlist_entries;
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};
use wire::{Timestamp, backend::waitlist_entries::WaitlistEntryId};

use crate::{
    calls::{made, text},
    races::together,
};

const PATH: &str = "/v1/waitlist_entries";

async fn ask(server: &TestServer, method: &str, path: &str, body: Option<&Value>) -> Response {
    let request = Request::new(method, path).bearer(server.secret_key());
    server
        .call(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
}

async fn waiting(server: &TestServer, email_address: &str) -> Value {
    made(server, PATH, &json!({ "email_address": email_address, "notify": false })).await
}

async fn refused(
    server: &TestServer,
    (method, path): (&str, &str),
    body: &Value,
    said: (u16, &str, &str),
) {
    let before = server.dump().await;
    let body = (method != "DELETE").then_some(body);
    let response = ask(server, method, path, body).await;
    response.assert_refusal(path);
    let (code, param) = response.errors().remove(0);
    assert_eq!((response.status, &*code, &*param), said, "{method} {path}");
    assert_eq!(server.dump().await, before, "{method} {path} changed something");
}

async fn listed(server: &TestServer, query: &str) -> (Vec<String>, u64) {
    let response = ask(server, "GET", &format!("{PATH}?{query}"), None).await;
    assert_eq!(response.status, 200, "{query}: {}", response.without_trace());
    let page = response.json();
    let name = |one: &Value| text(&one["email_address"]).replace("@example.com", "");
    let names = page["data"].as_array().expect("a list").iter().map(name).collect();
    (names, page["total_count"].as_u64().expect("a number"))
}

async fn events(server: &TestServer) -> Vec<(String, Value)> {
    let outbox = server.outbox().await.into_iter();
    let of_entries = outbox.filter(|one| one.kind.starts_with("waitlistEntry."));
    of_entries.map(|one| (one.kind, one.data)).collect()
}

fn path_of(entry: &Value, action: &str) -> String {
    format!("{PATH}/{}{action}", text(&entry["id"]))
}

#[tokio::test]
async fn whoever_asks_waits_and_whoever_asks_again_waits_as_before() {
    let server = TestServer::start().await;
    let entry = made(&server, PATH, &json!({ "email_address": "Ada@Example.com" })).await;
    assert_eq!((&entry["object"], &entry["status"]), (&json!("waitlist_entry"), &json!("pending")));
    assert_eq!((&entry["invitation"], &entry["is_locked"]), (&Value::Null, &json!(false)));
    assert_eq!(entry["email_address"], "ada@example.com");
    let outbox = server.outbox().await;
    let slugs: Vec<_> = outbox.iter().filter_map(|one| one.data["slug"].as_str()).collect();
    assert_eq!(slugs, ["waitlist_confirmation"]);
    assert_eq!(events(&server).await, [("waitlistEntry.created".to_owned(), entry.clone())]);

    let before = server.dump().await;
    let again = made(&server, PATH, &json!({ "email_address": "ada@example.com" })).await;
    assert_eq!(again, entry);
    assert_eq!(server.dump().await, before);
    let quiet = json!({ "email_address": "bob@example.com", "notify": false });
    made(&server, PATH, &quiet).await;
    assert_eq!(server.events().await.iter().filter(|kind| *kind == "email.created").count(), 1);
    let wrong = json!({ "email_address": "ada" });
    let said = (422, "form_param_format_invalid", "email_address");
    refused(&server, ("POST", PATH), &wrong, said).await;
}

#[tokio::test]
async fn many_are_put_on_the_list_at_once() {
    let server = TestServer::start().await;
    let known = waiting(&server, "n3@example.com").await;
    let one = |number: u32| json!({ "email_address": format!("n{number}@example.com") });
    let path = format!("{PATH}/bulk");
    let fifty = Value::Array((0..50).map(one).collect());
    let entries = made(&server, &path, &fifty).await;
    assert_eq!(entries.as_array().map(Vec::len), Some(50));
    assert_eq!(entries[3], known);
    assert_eq!(listed(&server, "").await.1, 50);
    assert_eq!(listed(&server, "status=pending").await.1, 50);

    let too_many = Value::Array((0..51).map(one).collect());
    let said = (400, "bulk_size_exceeded", "items");
    refused(&server, ("POST", &path), &too_many, said).await;
    let said = (422, "form_param_value_invalid", "items");
    refused(&server, ("POST", &path), &json!([]), said).await;
    let twice = json!([one(60), { "email_address": "N60@example.com" }]);
    let said = (422, "form_param_duplicate", "email_address");
    refused(&server, ("POST", &path), &twice, said).await;
    let wrong = json!([one(60), { "email_address": "ada" }]);
    let said = (422, "form_param_format_invalid", "email_address");
    refused(&server, ("POST", &path), &wrong, said).await;
}

#[tokio::test]
async fn an_invited_entry_has_an_invitation() {
    let server = TestServer::start().await;
    let entry = waiting(&server, "ada@example.com").await;
    server.advance(5);
    let invited = made(&server, &path_of(&entry, "/invite"), &json!({})).await;
    assert_eq!(invited["status"], "invited");
    assert_eq!(invited["updated_at"], server.now().0);
    let invitation = &invited["invitation"];
    assert_eq!(
        (&invitation["status"], &invitation["object"]),
        (&json!("pending"), &json!("invitation"))
    );
    let url = text(&invitation["url"]);
    let outbox = server.outbox().await;
    let mail = outbox.iter().find(|one| one.data["slug"] == "waitlist_invitation");
    assert_eq!(mail.expect("a mail").data["data"]["action_url"], url);
    let (kind, data) = events(&server).await.pop().expect("an event");
    assert_eq!((&*kind, &data["status"]), ("waitlistEntry.updated", &json!("invited")));
    assert_eq!(data["invitation"]["id"], invitation["id"]);
    assert!(data["invitation"].get("url").is_none(), "events let nobody in");
    let list = ask(&server, "GET", &format!("{PATH}?status=invited"), None).await.json();
    assert_eq!(list["data"][0], invited);
    assert_eq!(listed(&server, "status=pending").await, (vec![], 0));
    for (method, action) in [("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")] {
        let path = path_of(&entry, action);
        let said = (409, "waitlist_entry_already_invited", "");
        refused(&server, (method, &path), &json!({}), said).await;
    }
}

#[tokio::test]
async fn an_entry_is_invited_again_when_its_invitation_came_to_nothing() {
    let server = TestServer::start().await;
    let entry = waiting(&server, "ada@example.com").await;
    let path = path_of(&entry, "/invite");
    let first = made(&server, &path, &json!({})).await;
    let revoke = format!("/v1/invitations/{}/revoke", text(&first["invitation"]["id"]));
    made(&server, &revoke, &json!({})).await;
    let second = made(&server, &path, &json!({})).await;
    assert_ne!(second["invitation"]["id"], first["invitation"]["id"]);
    let delete = format!("/v1/invitations/{}", text(&second["invitation"]["id"]));
    assert_eq!(ask(&server, "DELETE", &delete, None).await.status, 200);
    made(&server, &path, &json!({})).await;
    server.advance(31 * 24 * 3600 * 1000);
    made(&server, &path, &json!({})).await;
    assert_eq!(listed(&server, "status=invited").await.1, 1);
}

#[tokio::test]
async fn whoever_is_known_is_not_invited_unless_one_insists() {
    let server = TestServer::start().await;
    let body = json!({ "email_address": ["user@example.com"] });
    made(&server, "/v1/users", &body).await;
    made(&server, "/v1/invitations", &json!({ "email_address": "ada@example.com" })).await;
    let user = path_of(&waiting(&server, "user@example.com").await, "/invite");
    let ada = path_of(&waiting(&server, "ada@example.com").await, "/invite");
    let said = (422, "form_identifier_exists", "email_address");
    refused(&server, ("POST", &user), &json!({}), said).await;
    refused(&server, ("POST", &ada), &json!({}), (400, "duplicate_record", "")).await;
    for path in [user, ada] {
        let entry = made(&server, &path, &json!({ "ignore_existing": true })).await;
        assert_eq!(entry["status"], "invited");
    }
}

#[tokio::test]
async fn a_rejected_entry_stays_and_a_deleted_one_goes() {
    let server = TestServer::start().await;
    let entry = waiting(&server, "ada@example.com").await;
    let rejected = made(&server, &path_of(&entry, "/reject"), &json!({})).await;
    assert_eq!(rejected["status"], "rejected");
    let (kind, data) = events(&server).await.pop().expect("an event");
    assert_eq!((&*kind, data), ("waitlistEntry.updated", rejected));
    for (method, action) in [("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")] {
        let path = path_of(&entry, action);
        let said = (409, "waitlist_entry_already_rejected", "");
        refused(&server, (method, &path), &json!({}), said).await;
    }
    let other = waiting(&server, "bob@example.com").await;
    let deleted = ask(&server, "DELETE", &path_of(&other, ""), None).await;
    let expected = json!({ "object": "waitlist_entry", "id": other["id"], "deleted": true });
    assert_eq!((deleted.status, deleted.json()), (200, expected));
    let gone = (404, "resource_not_found", "");
    for (method, action) in [("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")] {
        refused(&server, (method, &path_of(&other, action)), &json!({}), gone).await;
    }
    assert_eq!(listed(&server, "").await, (vec!["ada".to_owned()], 1));
    assert_eq!(listed(&server, "query=bob").await, (vec![], 0));
    assert_eq!(waiting(&server, "ada@example.com").await["status"], "rejected");
    assert_eq!(waiting(&server, "bob@example.com").await["status"], "pending");
}

#[tokio::test]
async fn a_locked_entry_waits_for_what_works_on_it() {
    let server = TestServer::start().await;
    let entry = waiting(&server, "ada@example.com").await;
    let id: WaitlistEntryId = text(&entry["id"]).into();
    let outside = server.outside().await;
    let until = Timestamp(server.now().0 + 60_000);
    let lock = (id.clone(), Some(until));
    let locked = outside.write(waitlist_entries::lock, lock.clone()).await.expect("locked");
    assert!(locked.is_locked);
    outside.write(waitlist_entries::lock, lock.clone()).await.expect_err("it is locked");
    for (method, action) in [("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")] {
        let path = path_of(&entry, action);
        refused(&server, (method, &path), &json!({}), (409, "waitlist_entry_locked", "")).await;
    }
    let freed = outside.write(waitlist_entries::lock, (id, None)).await.expect("freed");
    assert!(!freed.is_locked);
    outside.write(waitlist_entries::lock, lock).await.expect("locked");
    server.advance(60_000);
    made(&server, &path_of(&entry, "/invite"), &json!({})).await;
}

#[tokio::test]
async fn lists_have_states_orders_and_searches() {
    let server = TestServer::start().await;
    let mut entries = Vec::new();
    for name in ["carol", "alice", "bob", "dave"] {
        entries.push(waiting(&server, &format!("{name}@example.com")).await);
        server.advance(1);
    }
    for place in [1, 0] {
        made(&server, &path_of(&entries[place], "/invite"), &json!({})).await;
        server.advance(1);
    }
    made(&server, &path_of(&entries[3], "/reject"), &json!({})).await;
    let cases = [
        ("", vec!["dave", "bob", "alice", "carol"]),
        ("status=pending", vec!["bob"]),
        ("status=invited", vec!["alice", "carol"]),
        ("status=rejected", vec!["dave"]),
        ("status=completed", vec![]),
        ("order_by=created_at", vec!["carol", "alice", "bob", "dave"]),
        ("order_by=email_address", vec!["alice", "bob", "carol", "dave"]),
        ("order_by=-email_address", vec!["dave", "carol", "bob", "alice"]),
        ("order_by=-invited_at", vec!["carol", "alice", "dave", "bob"]),
        ("order_by=%2Binvited_at&status=invited", vec!["alice", "carol"]),
        ("query=AL", vec!["alice"]),
        ("query=ob%40", vec!["bob"]),
        ("query=a&status=invited", vec!["alice", "carol"]),
        ("query=nobody", vec![]),
    ];
    for (query, expected) in cases {
        let (names, total) = listed(&server, query).await;
        assert_eq!(
            (&names, total),
            (&expected.iter().map(ToString::to_string).collect(), expected.len() as u64),
            "{query}"
        );
    }
    let (names, total) = listed(&server, "limit=2&offset=1").await;
    assert_eq!((names, total), (vec!["bob".to_owned(), "alice".to_owned()], 4));
    let by_id = format!("query={}", text(&entries[2]["id"]));
    assert_eq!(listed(&server, &by_id).await, (vec!["bob".to_owned()], 1));
    for query in ["status=shy", "order_by=shoe_size", "limit=501"] {
        let response = ask(&server, "GET", &format!("{PATH}?{query}"), None).await;
        assert_eq!(response.status, 422, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_for_an_address_all_get_the_same_entry() {
    let server = TestServer::start().await;
    let answers = together(|_| {
        let body = json!({ "email_address": "ada@example.com" });
        let request = Request::new("POST", PATH).bearer(server.secret_key()).json(&body);
        let address = server.address().to_owned();
        async move { request.send(&address).await }
    })
    .await;
    let (fine, busy): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 200);
    assert!(busy.iter().all(|one| one.status == 503));
    let first = fine.first().expect("one of them").json();
    assert!(fine.iter().all(|one| one.json() == first));
    assert_eq!(listed(&server, "").await.1, 1);
    assert_eq!(events(&server).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_invite_an_entry_one_does() {
    let server = TestServer::start().await;
    let entry = waiting(&server, "ada@example.com").await;
    let answers = together(|number| {
        let action = if number % 4 == 3 { "/reject" } else { "/invite" };
        let path = path_of(&entry, action);
        let request = Request::new("POST", &path).bearer(server.secret_key()).json(&json!({}));
        let address = server.address().to_owned();
        async move { request.send(&address).await }
    })
    .await;
    let won = answers.iter().filter(|one| one.status == 200).count();
    assert_eq!(won, 1);
    for refused in answers.iter().filter(|one| one.status != 200) {
        let code = refused.code();
        let fits = code.starts_with("waitlist_entry_already_") || code == "service_unavailable";
        assert!(fits, "{code}");
    }
    assert!(server.dump().await["invitations"].len() <= 1);
}
