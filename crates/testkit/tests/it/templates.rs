//! JWT templates, and tickets to sign in with.

use serde_json::{Value, json};
use testkit::{TestServer, somebody};
use wire::{
    Metadata,
    backend::{
        jwt_templates::{
            CreateJWTTemplate, CreateSessionTokenFromTemplate, DeleteJWTTemplate, GetJWTTemplate,
        },
        sessions::CreateSession,
        sign_in_tokens::{CreateSignInToken, RevokeSignInToken, SignInTokenStatus},
        users::UserId,
    },
};

fn claims(value: &Value) -> Metadata {
    value.as_object().cloned().expect("an object")
}

#[tokio::test]
async fn a_template_shapes_a_token() {
    let server = TestServer::start().await;
    let user = server.backend.send(&somebody()).await.expect("created");
    let session = server.backend.send(&CreateSession::new(user.id)).await.expect("begun");
    let template = claims(&json!({"who": "{{user.id}}", "role": "reader"}));
    let template = CreateJWTTemplate::new("mine".into(), template);
    server.backend.send(&template).await.expect("created");

    let request = CreateSessionTokenFromTemplate::new(session.id.clone(), "mine".into());
    let token = server.backend.send(&request).await.expect("made").jwt;

    assert_eq!(token.split('.').count(), 3);
    let unknown = CreateSessionTokenFromTemplate::new(session.id, "nobodys".into());
    let refused = server.backend.send(&unknown).await.expect_err("no such template");
    assert_eq!(refused.status(), Some(404));
}

#[tokio::test]
async fn reserved_claims_and_taken_names_are_refused() {
    let server = TestServer::start().await;
    let reserved = CreateJWTTemplate::new("mine".into(), claims(&json!({"iss": "me"})));
    let refused = server.backend.send(&reserved).await.expect_err("reserved");
    assert_eq!(refused.code(), Some("jwt_template_reserved_claim"));

    let template = CreateJWTTemplate::new("mine".into(), claims(&json!({})));
    let created = server.backend.send(&template).await.expect("created");
    let refused = server.backend.send(&template).await.expect_err("taken");
    assert_eq!(refused.param_name(), Some("name"));

    server.backend.send(&DeleteJWTTemplate::new(created.id.clone())).await.expect("deleted");
    let refused = server.backend.send(&GetJWTTemplate::new(created.id)).await.expect_err("gone");
    assert_eq!(refused.status(), Some(404));
}

#[tokio::test]
async fn a_ticket_is_revoked_once() {
    let server = TestServer::start().await;
    let user = server.backend.send(&somebody()).await.expect("created");
    let ticket = server.backend.send(&CreateSignInToken::new(user.id)).await.expect("created");
    assert_eq!(ticket.status, SignInTokenStatus::Pending);

    let revoke = RevokeSignInToken::new(ticket.id);
    let revoked = server.backend.send(&revoke).await.expect("revoked");

    assert_eq!(revoked.status, SignInTokenStatus::Revoked);
    server.backend.send(&revoke).await.expect_err("already");
    let nobody = CreateSignInToken::new(UserId::from_text("user_nobody"));
    server.backend.send(&nobody).await.expect_err("nobody");
}
