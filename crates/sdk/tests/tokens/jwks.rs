//! Key sets: fetched seldom, kept a while, never mixed.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use jwt::{Algorithm, PreparedHeader};
use serde_json::{Value, json};
use vestry_sdk::session_token::{Options, Reason, Verifier};

use crate::world::{Hand, Issuer, Mood, Server, claims, verifier};

fn token() -> String {
    Issuer::first().token_with(&Value::Null)
}

/// A token that stays good while the clock moves.
fn long_token() -> String {
    Issuer::first().token_with(&json!({ "exp": crate::world::NOW + 86_400 }))
}

fn token_of_kid(kid: &str) -> String {
    let header = PreparedHeader::new(Algorithm::Rs256).kid(kid);
    Issuer::first().key.sign(&header, &claims()).expect("signed")
}

async fn reason(verifier: &Verifier, token: &str) -> Reason {
    verifier.verify(token).await.expect_err("refused").reason
}

#[tokio::test]
async fn keys_are_fetched_once_with_the_secret_key() {
    let server = Server::showing(&Issuer::first()).await;
    let verifier = verifier(server.options());
    assert!(verifier.verify_cached(&token()).is_none(), "nothing is known yet");
    for _ in 0..3 {
        assert!(verifier.verify(&token()).await.is_ok());
    }
    assert!(verifier.verify_cached(&token()).is_some_and(|outcome| outcome.is_ok()));
    assert_eq!(server.asked(), 1);
    let request = server.last_request();
    assert!(request.starts_with("get /v1/jwks http/1.1"), "{request}");
    assert!(request.contains("authorization: bearer sk_test_1"), "{request}");
}

#[tokio::test]
async fn a_public_key_set_is_fetched_without_the_secret_key() {
    let server = Server::showing(&Issuer::first()).await;
    let jwks_url = Some(format!("{}/.well-known/jwks.json", server.url));
    let verifier = verifier(Options { jwks_url, ..server.options() });
    assert!(verifier.verify(&token()).await.is_ok());
    let request = server.last_request();
    assert!(request.starts_with("get /.well-known/jwks.json"), "{request}");
    assert!(!request.contains("sk_test"), "{request}");
}

#[tokio::test]
async fn many_callers_at_once_make_one_fetch() {
    let mood = Mood::SaysAfter(100, Issuer::first().key_set().to_string());
    let server = Server::start(mood).await;
    let verifier = Arc::new(verifier(server.options()));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move { verifier.verify(&token()).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.expect("no panic"));
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn jwt_05_ten_thousand_unknown_names_make_one_fetch() {
    let server = Server::showing(&Issuer::first()).await;
    let hand = Hand::new();
    let verifier = verifier(server.options()).with_clock(hand.clock());
    assert!(verifier.verify(&long_token()).await.is_ok());
    hand.advance_ms(30_000);
    let stranger = token_of_kid("ins_x");
    let (_, rest) = stranger.split_once('.').expect("a dot");
    for number in 0..10_000 {
        use base64::Engine as _;
        let header = json!({ "alg": "RS256", "kid": format!("ins_{number}x") }).to_string();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        assert_eq!(reason(&verifier, &format!("{header}.{rest}")).await, Reason::JwkKidMismatch);
    }
    assert_eq!(server.asked(), 2, "the first, and one for all the unknown names");
    assert!(verifier.verify(&long_token()).await.is_ok());

    // A key that is new is found after the pause.
    let mut set = Issuer::first().key_set();
    set["keys"][0]["kid"] = json!("ins_x");
    server.mood(Mood::Says(200, set.to_string()));
    assert_eq!(reason(&verifier, &stranger).await, Reason::JwkKidMismatch);
    hand.advance_ms(30_000);
    assert!(verifier.verify(&stranger).await.is_ok());
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn what_can_never_be_accepted_causes_no_fetch() {
    let server = Server::showing(&Issuer::first()).await;
    let verifier = verifier(server.options());
    let key = Issuer::first().key;
    for header in [
        PreparedHeader::new(Algorithm::Rs256).kid("k").cat(jwt::category::MACHINE),
        PreparedHeader::new(Algorithm::Rs256).kid("k").typ("at+jwt"),
    ] {
        let token = key.sign(&header, &claims()).expect("signed");
        assert_eq!(reason(&verifier, &token).await, Reason::TokenInvalid);
    }
    assert_eq!(reason(&verifier, "a.b.c").await, Reason::TokenInvalid);
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn jwt_09_two_instances_with_the_same_name_of_key() {
    let (first, second) = (Issuer::first(), Issuer::second());
    let (one, two) = (Server::showing(&first).await, Server::showing(&second).await);
    let (at_one, at_two) = (verifier(one.options()), verifier(two.options()));
    let (of_one, of_two) = (first.token_with(&Value::Null), second.token_with(&Value::Null));
    assert!(at_one.verify(&of_one).await.is_ok());
    assert!(at_two.verify(&of_two).await.is_ok());
    assert_eq!(reason(&at_one, &of_two).await, Reason::TokenInvalidSignature);
    assert_eq!(reason(&at_two, &of_one).await, Reason::TokenInvalidSignature);
}

#[tokio::test]
async fn jwt_20_keys_stay_good_for_five_minutes_and_no_longer() {
    let server = Server::showing(&Issuer::first()).await;
    let hand = Hand::new();
    let verifier = verifier(server.options()).with_clock(hand.clock());
    assert!(verifier.verify(&long_token()).await.is_ok());
    server.mood(Mood::Says(404, "gone".into()));
    hand.advance_ms(299_999);
    assert!(verifier.verify(&long_token()).await.is_ok());
    assert_eq!(reason(&verifier, &token_of_kid("other")).await, Reason::JwkRemoteFailedToLoad);
    assert!(verifier.verify(&long_token()).await.is_ok(), "a failed fetch takes no key away");
    hand.advance_ms(1);
    assert_eq!(reason(&verifier, &long_token()).await, Reason::JwkRemoteFailedToLoad);

    server.mood(Mood::Says(200, Issuer::first().key_set().to_string()));
    assert_eq!(reason(&verifier, &long_token()).await, Reason::JwkRemoteFailedToLoad);
    hand.advance_ms(2_000);
    assert!(verifier.verify(&long_token()).await.is_ok(), "after a short rest it is asked again");
}

#[tokio::test]
async fn jwt_20_a_clock_that_was_set_back_does_not_keep_keys() {
    let server = Server::showing(&Issuer::first()).await;
    let hand = Hand::new();
    let verifier = verifier(server.options()).with_clock(hand.clock());
    assert!(verifier.verify(&token()).await.is_ok());
    hand.advance_ms(-4_000);
    assert!(verifier.verify(&token()).await.is_ok());
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn jwt_20_bad_answers_close_the_door() {
    let elsewhere = Server::showing(&Issuer::first()).await;
    for mood in [
        Mood::Says(200, "<html></html>".into()),
        Mood::Says(200, "{}".into()),
        Mood::Says(200, r#"{"keys":[]}"#.into()),
        Mood::Says(200, r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"ins_1"}]}"#.into()),
        Mood::Says(500, "{}".into()),
        Mood::Says(401, r#"{"errors":[{"code":"other"}]}"#.into()),
        Mood::Moved(format!("{}/v1/jwks", elsewhere.url)),
        Mood::Drips,
    ] {
        let server = Server::start(mood).await;
        let options = Options { jwks_timeout: Duration::from_millis(400), ..server.options() };
        assert_eq!(reason(&verifier(options), &token()).await, Reason::JwkRemoteFailedToLoad);
    }
    assert_eq!(elsewhere.asked(), 0);

    let body = r#"{"errors":[{"code":"clerk_key_invalid","message":"x"}]}"#;
    let server = Server::start(Mood::Says(401, body.into())).await;
    assert_eq!(reason(&verifier(server.options()), &token()).await, Reason::SecretKeyInvalid);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "what is measured is the time of the machine")]
async fn jwt_20_a_hanging_server_costs_two_seconds_once() {
    let server = Server::start(Mood::Hangs).await;
    let verifier = verifier(server.options());
    let before = SystemTime::now();
    assert_eq!(reason(&verifier, &token()).await, Reason::JwkRemoteFailedToLoad);
    for _ in 0..10 {
        assert_eq!(reason(&verifier, &token()).await, Reason::JwkRemoteFailedToLoad);
    }
    let took = before.elapsed().expect("forwards");
    assert!(took < Duration::from_millis(3_500), "{took:?}");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    let server = Server::start(Mood::Says(503, String::new())).await;
    let verifier = Arc::new(verifier(server.options()));
    let waiting = Arc::clone(&verifier);
    let call = tokio::spawn(async move { waiting.verify(&token()).await.is_ok() });
    while server.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.mood(Mood::Says(200, Issuer::first().key_set().to_string()));
    assert!(call.await.expect("no panic"));
}

#[tokio::test]
async fn skipping_the_cache_asks_every_time() {
    let server = Server::showing(&Issuer::first()).await;
    let verifier = verifier(Options { skip_jwks_cache: true, ..server.options() });
    for _ in 0..3 {
        assert!(verifier.verify(&token()).await.is_ok());
    }
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn the_cache_is_bounded() {
    let mut set = Issuer::first().key_set();
    let key = set["keys"][0].clone();
    let keys = set["keys"].as_array_mut().expect("a list");
    keys.clear();
    for number in 0..100 {
        let mut key = key.clone();
        key["kid"] = json!(format!("k{number}"));
        keys.push(key);
    }
    let server = Server::start(Mood::Says(200, set.to_string())).await;
    let verifier = verifier(server.options());
    assert!(verifier.verify(&token_of_kid("k63")).await.is_ok());
    assert_eq!(reason(&verifier, &token_of_kid("k64")).await, Reason::JwkKidMismatch);
}
