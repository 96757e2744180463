//! The SDK's client: pages, refusals, retries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode};
use sdk::{Client, Error};
use testkit::{TestServer, somebody};
use wire::{
    Limit, Patch,
    backend::users::{CreateUser, DeleteUser, GetUser, GetUserList, UserId},
};

#[tokio::test]
async fn pages_cover_a_list_once() {
    let server = TestServer::start().await;
    for _ in 0..7 {
        server.backend.send(&somebody()).await.expect("created");
    }
    let whole = GetUserList { limit: Some(Limit(500)), ..GetUserList::new() };
    let whole = server.backend.send(&whole).await.expect("listed");
    for (limit, offset) in [(1, 0), (3, 0), (7, 0), (100, 0), (3, 5), (3, 7), (3, 100)] {
        let request =
            GetUserList { limit: Some(Limit(limit)), offset: Some(offset), ..GetUserList::new() };
        let mut pages = server.backend.pages(request);
        let mut ids = Vec::new();
        while let Some(user) = pages.next().await {
            ids.push(user.expect("listed").id);
        }
        let expected: Vec<_> =
            whole.iter().skip(offset as usize).map(|user| user.id.clone()).collect();
        assert_eq!(ids, expected, "limit {limit} offset {offset}");
    }
}

#[tokio::test]
async fn pages_end_after_a_refusal() {
    let server = TestServer::start().await;
    let request = GetUserList { order_by: Some("shoe_size".into()), ..GetUserList::new() };
    let mut pages = server.backend.pages(request);

    assert!(matches!(pages.next().await, Some(Err(Error::Refused(_)))));
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_refusal_tells_status_code_parameter_and_trace() {
    let server = TestServer::start().await;
    let ada = CreateUser { username: Patch::Set("lovelace".into()), ..somebody() };
    server.backend.send(&ada).await.expect("created");

    let refused = server.backend.send(&ada).await.expect_err("taken");

    assert_eq!(refused.status(), Some(422));
    assert_eq!(refused.code(), Some("form_identifier_exists"));
    assert_eq!(refused.param_name(), Some("username"));
    assert!(refused.trace_id().is_some_and(|id| !id.is_empty()));
}

/// A server that answers `status` so often, and then a list of nobody.
async fn failing(status: StatusCode, times: usize) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let router = Router::new().fallback(move || {
        let so_far = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let body = r#"{"errors":[{"code":"too_many_requests","message":"m"}]}"#;
            let refusal = (status, [("retry-after", "0")], body);
            if so_far < times { refusal } else { (StatusCode::OK, [("retry-after", "0")], "[]") }
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("free");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, count)
}

fn client(address: &str) -> sdk::ClientBuilder {
    Client::builder().api_url(address).secret_key("sk_test_x").timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn what_is_safe_is_asked_again_and_the_rest_is_not() {
    let (address, count) = failing(StatusCode::TOO_MANY_REQUESTS, 2).await;
    let client = client(&address).retries(2).build().expect("a client");
    client.send(&GetUserList::new()).await.expect("the third time");
    assert_eq!(count.load(Ordering::SeqCst), 3);

    let (address, count) = failing(StatusCode::SERVICE_UNAVAILABLE, 9).await;
    let client = self::client(&address).retries(2).build().expect("a client");
    let refused = client.send(&somebody()).await.expect_err("refused");
    assert_eq!((count.load(Ordering::SeqCst), refused.status()), (1, Some(503)));
    assert_eq!(refused.retry_after(), Some(0));
    client.send(&DeleteUser::new(UserId::from_text("user_x"))).await.expect_err("refused");
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_answer_of_something_else_is_kept_as_it_came() {
    let router = Router::new().fallback(|| async { (StatusCode::BAD_GATEWAY, "<html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("free");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let client = client(&address).retries(0).build().expect("a client");

    let error = client.send(&GetUserList::new()).await.expect_err("no answer of ours");

    assert!(matches!(error, Error::Decode { status: 502, body, .. } if body == b"<html>"));
}

#[tokio::test]
async fn an_id_of_dots_asks_nobody() {
    let client = client("http://127.0.0.1:1").build().expect("a client");
    for id in ["", ".", ".."] {
        let error = client.send(&GetUser::new(UserId::from_text(id))).await;
        assert!(matches!(error, Err(Error::Encode(_))), "{id}");
    }
}

#[test]
fn a_client_is_not_built_of_what_does_not_fit() {
    let builder = || Client::builder().api_url("https://api.example.com").secret_key("sk_test_x");
    for wrong in [
        Client::builder(),
        builder().secret_key(""),
        builder().secret_key("sk_test_\nx"),
        builder().api_url("ftp://example.com"),
        builder().api_url("example.com"),
    ] {
        assert!(matches!(wrong.build(), Err(Error::Configuration(_))));
    }
    let shown = format!("{:?}", builder().build().expect("a client"));
    assert!(!shown.contains("sk_test"), "{shown}");
}
