//! No instance sees, or changes, anything of another.

use testkit::{Request, TestServer};

use crate::ask::{Ask, anonymous, nobodys, world};

#[tokio::test]
async fn ten_02_a_neighbours_ids_are_like_ids_of_nothing() {
    let server = TestServer::start().await;
    let theirs = world(&server).await;
    let nobodys = nobodys(&theirs);
    let before = server.dump().await;
    let mut wrong = Vec::new();
    for operation in domain::backend_api().0 {
        let meta = operation.meta;
        if !meta.path.contains('{') {
            continue;
        }
        let key = server.neighbours_key();
        let foreign = Ask::new(meta, &theirs).send(&server, key).await;
        let unknown = Ask::new(meta, &nobodys).send(&server, key).await;
        let of = format!("{} {}", meta.method.as_str(), meta.path);
        foreign.assert_refusal(&of);
        // What renews a session is looked at before the session is.
        let is_found_out = foreign.status == 404 || meta.path.ends_with("/refresh");
        if !is_found_out || anonymous(&foreign, &theirs) != anonymous(&unknown, &nobodys) {
            let (foreign, unknown) = (foreign.without_trace(), unknown.without_trace());
            wrong.push(format!("{of}\n  foreign {foreign}\n  unknown {unknown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn ten_08_filters_by_foreign_ids_find_nothing() {
    let server = TestServer::start().await;
    let ids = world(&server).await;
    let paths = [
        format!("/v1/users?user_id={}", ids["user_id"]),
        "/v1/users?email_address=ada%40example.com".to_owned(),
        "/v1/users?username=lovelace".to_owned(),
        "/v1/users?external_id=ext-ada".to_owned(),
        "/v1/users?query=ada".to_owned(),
        format!("/v1/sessions?user_id={}", ids["user_id"]),
        "/v1/invitations".to_owned(),
        "/v1/invitations?query=bob".to_owned(),
        "/v1/users".to_owned(),
    ];
    for path in paths {
        let ask = |key| server.call(Request::new("GET", &path).bearer(key));
        let theirs = ask(server.neighbours_key()).await;
        assert_eq!((theirs.status, theirs.body.as_slice()), (200, &b"[]"[..]), "{path}");
        assert_ne!(ask(server.secret_key()).await.body, b"[]", "{path}");
    }
    let count = Request::new("GET", "/v1/users/count").bearer(server.neighbours_key());
    assert_eq!(server.call(count).await.json()["total_count"], 0);
}

#[tokio::test]
async fn a_neighbour_may_take_the_same_names() {
    let server = TestServer::start().await;
    world(&server).await;
    let ada = serde_json::json!({
        "username": "lovelace", "external_id": "ext-ada", "email_address": ["ada@example.com"],
        "password": "correct horse battery",
    });
    let request = |key| Request::new("POST", "/v1/users").bearer(key).json(&ada);

    let theirs = server.call(request(server.neighbours_key())).await;
    let ours = server.call(request(server.secret_key())).await;

    assert_eq!(theirs.status, 200, "{}", theirs.without_trace());
    assert_eq!((ours.status, ours.code().as_str()), (422, "form_identifier_exists"));
}
