//! Sign-ups, as an app's server sees and marks them.

use domain::sign_ups::testing;
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};
use wire::{
    Timestamp,
    backend::verifications::{Verification, VerificationObject, VerificationStatus},
};

use crate::calls::made;

const DAY_MS: i64 = 24 * 3600 * 1000;

async fn patch(server: &TestServer, id: &str, body: &Value) -> Response {
    let path = format!("/v1/sign_ups/{id}");
    server.call(Request::new("PATCH", &path).bearer(server.secret_key()).json(body)).await
}

async fn get(server: &TestServer, id: &str) -> Value {
    let path = format!("/v1/sign_ups/{id}");
    let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
    assert_eq!(response.status, 200, "{}", response.without_trace());
    response.json()
}

async fn somebody(server: &TestServer) -> String {
    let body = json!({ "skip_user_requirement": true });
    made(server, "/v1/users", &body).await["id"].as_str().expect("an id").to_owned()
}

/// A sign-up of `new@example.com` on a client of its own.
pub(crate) async fn begun(server: &TestServer) -> String {
    let user_id = somebody(server).await;
    let session = made(server, "/v1/sessions", &json!({ "user_id": user_id })).await;
    let client_id = session["client_id"].as_str().expect("a client").into();
    let outside = server.outside().await;
    let begun = testing::begin(&outside, client_id, "New@example.com").await;
    begun.expect("it begins").to_string()
}

fn code(status: VerificationStatus, expire_at: Timestamp) -> Verification {
    let expire_at = Some(expire_at);
    Verification { expire_at, ..Verification::new(VerificationObject::Otp, status, "email_code") }
}

#[tokio::test]
async fn a_sign_up_shows_what_is_missing() {
    let server = TestServer::start().await;
    let id = begun(&server).await;

    let shown = get(&server, &id).await;

    assert_eq!(shown["object"], "sign_up_attempt");
    assert_eq!(shown["status"], "missing_requirements");
    assert_eq!(shown["email_address"], "new@example.com");
    assert_eq!(shown["required_fields"], json!(["email_address", "password"]));
    assert_eq!(shown["missing_fields"], json!(["password"]));
    assert_eq!(shown["unverified_fields"], json!(["email_address"]));
    let email = &shown["verifications"]["email_address"];
    assert_eq!(
        *email,
        json!({ "next_action": "needs_prepare", "supported_strategies": ["email_code"] })
    );
    assert_eq!(
        shown["verifications"]["phone_number"],
        json!({ "next_action": "", "supported_strategies": [] })
    );
    assert_eq!(shown["abandon_at"], server.now().0 + DAY_MS);
}

#[tokio::test]
async fn a_verification_says_what_it_waits_for() {
    let server = TestServer::start().await;
    let id = begun(&server).await;
    let outside = server.outside().await;
    let next = async |status, expire_at| {
        let noted = testing::verify(&outside, id.as_str().into(), code(status, expire_at)).await;
        noted.expect("noted");
        let shown = get(&server, &id).await;
        let action = &shown["verifications"]["email_address"]["next_action"];
        (action.as_str().expect("a text").to_owned(), shown["unverified_fields"].clone())
    };
    let (soon, past) = (Timestamp(server.now().0 + 1), server.now());
    let open = json!(["email_address"]);
    let cases = [
        (VerificationStatus::Unverified, soon, "needs_attempt", &open),
        (VerificationStatus::Unverified, past, "needs_prepare", &open),
        (VerificationStatus::Failed, soon, "needs_prepare", &open),
        (VerificationStatus::Verified, past, "", &json!([])),
    ];
    for (status, expire_at, action, unverified) in cases {
        let (said, left) = next(status.clone(), expire_at).await;
        assert_eq!((said.as_str(), &left), (action, unverified), "{status}");
    }
}

#[tokio::test]
async fn the_apps_server_marks_a_sign_up() {
    let server = TestServer::start().await;
    let id = begun(&server).await;

    let marks = json!({ "external_id": "guest-7", "custom_action": true });
    let marked = patch(&server, &id, &marks).await.json();

    assert_eq!(
        (&marked["external_id"], &marked["custom_action"]),
        (&json!("guest-7"), &json!(true))
    );
    assert_eq!(get(&server, &id).await, marked);
    let kept = patch(&server, &id, &json!({})).await.json();
    assert_eq!(kept["external_id"], "guest-7");
    let cleared = json!({ "external_id": null, "custom_action": null });
    let cleared = patch(&server, &id, &cleared).await.json();
    assert_eq!((&cleared["external_id"], &cleared["custom_action"]), (&json!(null), &json!(false)));
}

#[tokio::test]
async fn an_external_id_that_a_user_has_is_refused() {
    let server = TestServer::start().await;
    let id = begun(&server).await;
    let ada = json!({ "external_id": "ada", "skip_user_requirement": true });
    made(&server, "/v1/users", &ada).await;

    let refused = patch(&server, &id, &json!({ "external_id": "ada" })).await;

    assert_eq!((refused.status, refused.code().as_str()), (422, "form_identifier_exists"));
    let long = patch(&server, &id, &json!({ "external_id": "a".repeat(257) })).await;
    assert_eq!((long.status, long.code().as_str()), (422, "form_param_max_length_exceeded"));
    assert_eq!(get(&server, &id).await["external_id"], Value::Null);
}

#[tokio::test]
async fn what_is_over_is_not_changed() {
    let server = TestServer::start().await;
    let (complete, abandoned) = (begun(&server).await, begun(&server).await);
    let user_id = somebody(&server).await;
    let outside = server.outside().await;
    let done = testing::complete(&outside, complete.as_str().into(), user_id.as_str().into()).await;
    done.expect("it ends");

    let refused = patch(&server, &complete, &json!({ "custom_action": true })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "sign_up_cannot_be_updated"));
    let shown = get(&server, &complete).await;
    assert_eq!(
        (&shown["status"], &shown["created_user_id"]),
        (&json!("complete"), &json!(user_id))
    );

    server.advance(DAY_MS);
    let refused = patch(&server, &abandoned, &json!({ "custom_action": true })).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "sign_up_cannot_be_updated"));
    assert_eq!(get(&server, &abandoned).await["status"], "abandoned");
    assert_eq!(get(&server, &complete).await["status"], "complete");
}

#[tokio::test]
async fn sec_06_a_sign_up_goes_with_its_user() {
    let server = TestServer::start().await;
    let id = begun(&server).await;
    let user_id = somebody(&server).await;
    let outside = server.outside().await;
    let done = testing::complete(&outside, id.as_str().into(), user_id.as_str().into()).await;
    done.expect("it ends");

    let path = format!("/v1/users/{user_id}");
    server.call(Request::new("DELETE", &path).bearer(server.secret_key())).await;

    assert!(server.dump().await["sign_ups"].is_empty());
    let path = format!("/v1/sign_ups/{id}");
    let gone = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "resource_not_found"));
}
