//! Sessions, their tokens and clients, and what the SDK makes of them.

use std::sync::Arc;

use sdk::session_token::{Options, Reason, Verifier};
use testkit::{Request, TestServer, somebody};
use wire::{
    Limit,
    backend::{
        clients::{GetClient, GetClientList},
        sessions::{
            CreateSession, CreateSessionToken, GetSession, GetSessionList, RevokeSession, Session,
            SessionStatus,
        },
        users::{BanUser, DeleteUser},
    },
};

/// A session of somebody.
async fn begun(server: &TestServer) -> Session {
    let user = server.backend.send(&somebody()).await.expect("created");
    server.backend.send(&CreateSession::new(user.id)).await.expect("begun")
}

async fn token(server: &TestServer, session: &Session) -> String {
    let token = server.backend.send(&CreateSessionToken::new(session.id.clone())).await;
    token.expect("made").jwt
}

/// Verifies with the keys that `key`'s instance publishes, by the server's clock.
fn verifier(server: &TestServer, key: &str) -> Verifier {
    let options = Options {
        secret_key: Some(key.to_owned()),
        api_url: server.address().to_owned(),
        ..Options::default()
    };
    let clock = Arc::clone(&server.world.seeds.clock);
    let verifier = Verifier::new(options).expect("a verifier");
    verifier.with_clock(Arc::new(move || clock().0))
}

#[tokio::test]
async fn a_token_names_user_and_session_for_a_minute() {
    let server = TestServer::start().await;
    let session = begun(&server).await;
    let token = token(&server, &session).await;
    let verifier = verifier(&server, server.secret_key());

    let claims = verifier.verify(&token).await.expect("it is good");

    assert_eq!(claims.sub, session.user_id.to_string());
    assert_eq!(claims.sid, Some(session.id.to_string()));
    assert_eq!(claims.iss.as_deref(), Some("https://one.clerk.accounts.dev"));
    assert_eq!(claims.exp * 1000, server.now().0 + 60_000);
    server.advance(70_000);
    let refused = verifier.verify(&token).await.expect_err("it is old");
    assert_eq!(refused.reason, Reason::TokenExpired);
}

#[tokio::test]
async fn ten_07_a_token_of_a_neighbour_is_nobodys() {
    let server = TestServer::start().await;
    let session = begun(&server).await;
    let token = token(&server, &session).await;

    let refused = verifier(&server, server.neighbours_key()).verify(&token).await;

    refused.expect_err("another instance's key");
    let keys = |key| server.call(Request::new("GET", "/v1/jwks").bearer(key));
    let (ours, theirs) = (keys(server.secret_key()).await, keys(server.neighbours_key()).await);
    let name = |keys: &testkit::Response| keys.json()["keys"][0]["n"].to_string();
    assert_ne!(name(&ours), name(&theirs));
}

#[tokio::test]
async fn a_revoked_session_makes_no_tokens() {
    let server = TestServer::start().await;
    let session = begun(&server).await;

    let revoked = server.backend.send(&RevokeSession::new(session.id.clone())).await;

    assert_eq!(revoked.expect("revoked").status, SessionStatus::Revoked);
    let refused = server.backend.send(&CreateSessionToken::new(session.id.clone())).await;
    refused.expect_err("it ended");
    let read = server.backend.send(&GetSession::new(session.id)).await.expect("still known");
    assert_eq!(read.status, SessionStatus::Revoked);
    assert!(server.events().await.contains(&"session.revoked".to_owned()));
}

#[tokio::test]
async fn sessions_end_with_their_user() {
    let server = TestServer::start().await;
    let session = begun(&server).await;
    server.backend.send(&BanUser::new(session.user_id.clone())).await.expect("banned");
    let refused = server.backend.send(&CreateSessionToken::new(session.id.clone())).await;
    refused.expect_err("the user is banned");

    server.backend.send(&DeleteUser::new(session.user_id)).await.expect("deleted");

    let token = server.backend.send(&CreateSessionToken::new(session.id)).await;
    token.expect_err("the user is gone");
}

#[tokio::test]
async fn ten_10_sessions_of_production_begin_with_a_sign_in() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("created");

    let refused = server.production.send(&CreateSession::new(user.id)).await.expect_err("refused");

    assert_eq!(refused.code(), Some("request_invalid_for_environment"));
}

#[tokio::test]
async fn lists_narrow_by_user_and_client() {
    let server = TestServer::start().await;
    let (one, two) = (begun(&server).await, begun(&server).await);
    let list = GetSessionList {
        user_id: Some(one.user_id.clone()),
        limit: Some(Limit(10)),
        ..GetSessionList::new()
    };
    let of_user = server.backend.send(&list).await.expect("listed").into_items();
    let list = GetSessionList { client_id: Some(two.client_id.clone()), ..GetSessionList::new() };
    let of_client = server.backend.send(&list).await.expect("listed").into_items();

    assert_eq!(of_user.iter().map(|session| &session.id).collect::<Vec<_>>(), [&one.id]);
    assert_eq!(of_client.iter().map(|session| &session.id).collect::<Vec<_>>(), [&two.id]);
    let client = server.backend.send(&GetClient::new(one.client_id)).await.expect("there");
    assert_eq!(client.sessions.len(), 1);
    let clients = server.backend.send(&GetClientList::new()).await.expect("listed");
    assert_eq!(clients.into_items().len(), 2);
}
