//! Which tokens are believed.

use jwt::{Algorithm, PreparedHeader, SigningKey, category};
use proptest::prelude::*;
use serde_json::{Value, json};
use vestry_sdk::session_token::{Accept, Options, Reason, verify_token};

use crate::world::{Hand, Issuer, KID, NOW, claims_with, verifier};

async fn outcome(options: Options, token: &str) -> Result<String, &'static str> {
    let verified = verifier(options).verify(token).await;
    verified.map(|claims| claims.sub).map_err(|error| error.reason.as_str())
}

async fn outcome_with(options: Options, changes: &Value) -> Result<String, &'static str> {
    outcome(options, &Issuer::first().token_with(changes)).await
}

type Outcome = Result<String, &'static str>;

#[expect(clippy::unnecessary_wraps, reason = "what a good outcome is compared with")]
fn good() -> Outcome {
    Outcome::Ok("user_1".into())
}

#[tokio::test]
async fn a_good_token_gives_its_claims() {
    let token = Issuer::first().token_with(&json!({ "color": "blue", "org_id": 7 }));
    let claims = verifier(Issuer::first().options()).verify(&token).await.expect("good");
    assert_eq!(claims.sid.as_deref(), Some("sess_1"));
    assert_eq!((claims.exp, claims.nbf, claims.iat), (NOW + 60, Some(NOW - 10), Some(NOW)));
    assert_eq!(claims.fva, Some([5, -1]));
    assert_eq!(claims.extra["color"], "blue");
    assert_eq!(claims.extra["org_id"], 7);
    assert_eq!(claims.organization(), None);
}

#[tokio::test]
async fn jwt_06_times_at_the_edges_of_the_skew() {
    let options = || Issuer::first().options();
    for (changes, expected) in [
        (json!({ "exp": NOW - 4 }), good()),
        (json!({ "exp": NOW - 5 }), Err("token-expired")),
        (json!({ "exp": NOW - 3600 }), Err("token-expired")),
        (json!({ "exp": null }), Err("token-verification-failed")),
        (json!({ "exp": "1760000060" }), Err("token-verification-failed")),
        (json!({ "exp": true }), Err("token-verification-failed")),
        (json!({ "exp": 1e30 }), Err("token-verification-failed")),
        (json!({ "exp": i64::MIN }), Err("token-expired")),
        (json!({ "exp": i64::MAX }), good()),
        (json!({ "nbf": NOW + 5 }), good()),
        (json!({ "nbf": NOW + 6 }), Err("token-not-active-yet")),
        (json!({ "nbf": null }), good()),
        (json!({ "nbf": "soon" }), Err("token-verification-failed")),
        (json!({ "nbf": i64::MAX }), Err("token-not-active-yet")),
        (json!({ "iat": NOW + 5 }), good()),
        (json!({ "iat": NOW + 6 }), Err("token-iat-in-the-future")),
        (json!({ "iat": "now" }), Err("token-verification-failed")),
        (json!({ "iat": null }), good()),
    ] {
        assert_eq!(outcome_with(options(), &changes).await, expected, "{changes}");
    }
    let strict = || Options { clock_skew_ms: 0, ..options() };
    assert_eq!(outcome_with(strict(), &json!({ "exp": NOW })).await, Err("token-expired"));
    assert_eq!(outcome_with(strict(), &json!({ "exp": NOW + 1 })).await, good());
    assert_eq!(outcome_with(strict(), &json!({ "nbf": NOW })).await, good());
    assert_eq!(
        outcome_with(strict(), &json!({ "nbf": NOW + 1 })).await,
        Err("token-not-active-yet")
    );
}

#[tokio::test]
async fn a_token_expires_while_the_verifier_lives() {
    let hand = Hand::new();
    let verifier = verifier(Issuer::first().options()).with_clock(hand.clock());
    let token = Issuer::first().token_with(&Value::Null);
    assert!(verifier.verify(&token).await.is_ok());
    hand.advance_ms(64_999);
    assert!(verifier.verify(&token).await.is_ok());
    hand.advance_ms(1);
    let refused = verifier.verify(&token).await.expect_err("expired");
    assert_eq!(refused.reason, Reason::TokenExpired);
    assert!(refused.to_string().ends_with("(reason=token-expired)"), "{refused}");
}

#[tokio::test]
async fn jwt_07_authorized_parties() {
    let parties = |list: &[&str]| Options {
        authorized_parties: list.iter().map(|&each| each.to_owned()).collect(),
        ..Issuer::first().options()
    };
    let app = ["", "https://app.example.com"];
    assert_eq!(outcome_with(parties(&app), &json!({})).await, good());
    for azp in [
        Value::Null,
        json!(""),
        json!("https://other.example.com"),
        json!("https://app.example.com.evil.com"),
        json!("https://app.example.co"),
        json!("HTTPS://APP.EXAMPLE.COM"),
        json!(["https://app.example.com"]),
    ] {
        assert_eq!(
            outcome_with(parties(&app), &json!({ "azp": azp })).await,
            Err("token-invalid-authorized-parties"),
            "{azp}"
        );
    }
    assert_eq!(outcome_with(parties(&[]), &json!({ "azp": null })).await, good());
    assert_eq!(outcome_with(parties(&[]), &json!({ "azp": "anything" })).await, good());
    assert_eq!(outcome_with(parties(&[""]), &json!({ "azp": null })).await, good());
}

#[tokio::test]
async fn jwt_08_audiences() {
    let audience = |list: &[&str]| Options {
        audience: list.iter().map(|&each| each.to_owned()).collect(),
        ..Issuer::first().options()
    };
    for (wanted, aud, expected) in [
        (&["a"][..], json!("a"), good()),
        (&["a", "b"], json!(["c", "b"]), good()),
        (&["a"], Value::Null, good()),
        (&["a"], json!([]), good()),
        (&[], json!("x"), good()),
        (&["a"], json!("ab"), Err("token-verification-failed")),
        (&["ab"], json!("a"), Err("token-verification-failed")),
        (&["a"], json!(["b", "c"]), Err("token-verification-failed")),
        (&["a"], json!({ "a": 1 }), Err("token-verification-failed")),
        (&["a"], json!(["a", 1]), Err("token-verification-failed")),
    ] {
        let changes = json!({ "aud": aud });
        assert_eq!(outcome_with(audience(wanted), &changes).await, expected, "{wanted:?} {aud}");
    }
    let access = |list: &[&str]| Options { accept: Accept::OAuthAccess, ..audience(list) };
    let header = PreparedHeader::new(Algorithm::Rs256).kid(KID).typ("at+jwt");
    let token = |aud: Value| {
        let changes =
            json!({ "aud": aud, "jti": "oat_1", "client_id": "c_1", "sid": null, "v": null });
        Issuer::first().key.sign(&header, &claims_with(&changes)).expect("signed")
    };
    assert_eq!(outcome(access(&["a"]), &token(json!(["a"]))).await, good());
    for aud in [Value::Null, json!([]), json!("b"), json!(["b"])] {
        assert_eq!(
            outcome(access(&["a"]), &token(aud)).await,
            Err("token-verification-failed"),
            "an access token is always for somebody"
        );
    }
}

#[tokio::test]
async fn jwt_09_another_issuer_is_refused() {
    // clerk.example.com
    let publishable_key = Some("pk_live_Y2xlcmsuZXhhbXBsZS5jb20k".to_owned());
    let options =
        || Options { publishable_key: publishable_key.clone(), ..Issuer::first().options() };
    assert_eq!(outcome_with(options(), &json!({})).await, good());
    for iss in [
        Value::Null,
        json!("https://clerk.example.com/"),
        json!("http://clerk.example.com"),
        json!("https://clerk.example.org"),
        json!(["https://clerk.example.com"]),
    ] {
        assert_eq!(
            outcome_with(options(), &json!({ "iss": iss })).await,
            Err("token-invalid-issuer"),
            "{iss}"
        );
    }
    let foreign = Issuer::second().token_with(&Value::Null);
    assert_eq!(outcome(options(), &foreign).await, Err("token-invalid-signature"));
    for key in ["", "pk_test_", "pk_live_!", "sk_test_Y2xlcmsuZXhhbXBsZS5jb20k", "pk_test_YWJjJA"] {
        let options = Options { publishable_key: Some(key.into()), ..Issuer::first().options() };
        let refused = verify_token("a.b.c", &options).await.expect_err("no key");
        assert_eq!(refused.reason, Reason::PublishableKeyInvalid, "{key}");
    }
}

/// The kinds of token an instance signs, and which acceptor is theirs.
fn kinds() -> Vec<(&'static str, String, Option<Accept>)> {
    let key = Issuer::first().key;
    let bare = || PreparedHeader::new(Algorithm::Rs256).kid(KID);
    let sign = |header: PreparedHeader, changes: Value| {
        key.sign(&header, &claims_with(&changes)).expect("signed")
    };
    let machine = json!({ "sub": "mch_1", "jti": "mt_1", "aud": ["mch_2"], "scopes": "mch_2",
        "sid": null, "v": null, "azp": null, "nbf": null, "fva": null, "sts": null });
    let access = json!({ "client_id": "c_1", "jti": "oat_1", "scope": "email", "sid": null,
        "v": null, "azp": null, "fva": null, "sts": null });
    let identity = json!({ "aud": "c_1", "nonce": "n", "sid": null, "v": null, "azp": null });
    let template = json!({ "sid": null, "v": null, "fva": null, "sts": null });
    let handshake = json!({ "handshake": ["__session=x"] });
    let ticket = json!({ "st": "sign_in_token", "sid": "sit_1", "iid": KID, "exp": NOW + 60 });
    vec![
        ("session", sign(bare().cat(category::SESSION), json!({})), Some(Accept::Session)),
        ("template", sign(bare().cat(category::TEMPLATE), template), None),
        ("machine", sign(bare().cat(category::MACHINE), machine), Some(Accept::Machine)),
        ("access", sign(bare().typ("at+jwt"), access), Some(Accept::OAuthAccess)),
        ("identity", sign(bare(), identity), None),
        ("handshake", key.sign(&bare().cat(category::SESSION), &handshake).expect("signed"), None),
        (
            "ticket",
            key.sign(&PreparedHeader::new(Algorithm::Rs256), &ticket).expect("signed"),
            None,
        ),
    ]
}

#[tokio::test]
async fn jwt_10_no_kind_of_token_passes_for_another() {
    for accept in [Accept::Session, Accept::Machine, Accept::OAuthAccess] {
        for (name, token, own) in kinds() {
            let options = Options { accept, ..Issuer::first().options() };
            let passed = outcome(options, &token).await.is_ok();
            assert_eq!(passed, own == Some(accept), "{name} as {accept:?}");
        }
    }
    for (name, token, _) in kinds() {
        let accept = Accept::SessionAndTemplate;
        let passed = outcome(Options { accept, ..Issuer::first().options() }, &token).await.is_ok();
        assert_eq!(passed, ["session", "template"].contains(&name), "{name}");
    }
}

#[tokio::test]
async fn a_token_without_class_or_told_to_ignore_it_is_a_session_token_by_its_claims() {
    let key = Issuer::first().key;
    let bare = PreparedHeader::new(Algorithm::Rs256);
    for header in [bare.clone(), bare.clone().cat(category::IGNORE)] {
        let token = key.sign(&header, &claims_with(&json!({}))).expect("signed");
        assert_eq!(outcome(Issuer::first().options(), &token).await, good());
    }
    for header in [
        bare.clone().cat("cl_unknown"),
        bare.clone().cat(category::MACHINE),
        bare.clone().typ("jwt"),
        bare.typ("at+jwt"),
    ] {
        let token = key.sign(&header, &claims_with(&json!({}))).expect("signed");
        assert_eq!(outcome(Issuer::first().options(), &token).await, Err("token-invalid"));
    }
}

#[tokio::test]
async fn a_shared_cache_of_keys_keeps_each_verifiers_rules() {
    let server = crate::world::Server::showing(&Issuer::first()).await;
    let open = Options { accept: Accept::SessionAndTemplate, ..server.options() };
    let (_, token, _) = kinds().remove(1);
    // The times of the token are not those of the machine: both calls fail, for their own reason.
    let first = verify_token(&token, &open).await.expect_err("expired");
    let second = verify_token(&token, &server.options()).await.expect_err("class");
    assert_eq!((first.reason, second.reason), (Reason::TokenExpired, Reason::TokenInvalid));
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn jwt_01_and_02_and_03_algorithms() {
    let claims = claims_with(&json!({}));
    let options = || Issuer::first().options();
    let hmac = SigningKey::from_secret(Algorithm::Hs256, Issuer::first().pem().as_bytes());
    let header = PreparedHeader::new(Algorithm::Hs256).kid(KID);
    let token = hmac.expect("a key").sign(&header, &claims).expect("signed");
    assert_eq!(outcome(options(), &token).await, Err("token-invalid-algorithm"));

    let other = SigningKey::from_pkcs8(Algorithm::Rs512, Issuer::first().der).expect("a key");
    let header = PreparedHeader::new(Algorithm::Rs512).kid(KID);
    let token = other.sign(&header, &claims).expect("signed");
    assert_eq!(outcome(options(), &token).await, Err("token-invalid-algorithm"));

    let (_, rest) = token.split_once('.').expect("a dot");
    for (header, reason) in [
        ("eyJhbGciOiJub25lIn0", "token-invalid-algorithm"),
        ("eyJhbGciOiJyYW5kb20ifQ", "token-invalid-algorithm"),
        ("e30", "token-invalid-algorithm"),
        ("eyJhbGciOm51bGx9", "token-invalid"),
    ] {
        let token = format!("{header}.{rest}");
        assert_eq!(outcome(options(), &token).await, Err(reason), "{header}");
    }
}

#[tokio::test]
async fn jwt_11_a_pending_session_is_signed_out_unless_opted_in() {
    use vestry_sdk::claims::Check;
    let token = Issuer::first().token_with(&json!({ "sts": "pending", "pla": "u:pro" }));
    let claims = verifier(Issuer::first().options()).verify(&token).await.expect("good");
    assert!(claims.is_pending());
    let check = Check { plan: Some("pro".into()), ..Check::default() };
    assert!(!claims.has(&check));
    assert!(claims.has(&Check { allow_pending: true, ..check }));
}

#[tokio::test]
async fn jwt_12_what_is_no_token_is_refused() {
    for text in ["", "abc", "1", "a.b", "a.b.c", "...", "e30.e30.", &"a.".repeat(100_000)] {
        assert_eq!(outcome(Issuer::first().options(), text).await, Err("token-invalid"), "{text}");
    }
    let token = Issuer::first().token(&json!(["no", "object"]));
    assert_eq!(outcome(Issuer::first().options(), &token).await, Err("token-invalid"));
    for sub in [json!(7), json!(""), json!(["user_1"]), Value::Null] {
        let token = Issuer::first().token_with(&json!({ "sub": sub }));
        assert_eq!(
            outcome(Issuer::first().options(), &token).await,
            Err("token-verification-failed")
        );
    }
}

#[tokio::test]
async fn jwt_13_a_forged_token_fails_by_its_signature_whatever_it_claims() {
    for changes in [json!({ "exp": 1 }), json!({ "azp": "x" }), json!({ "sub": 1 }), json!({})] {
        let options = Options {
            authorized_parties: vec!["https://app.example.com".into()],
            ..Issuer::first().options()
        };
        let forged = Issuer::second().token_with(&changes);
        assert_eq!(outcome(options, &forged).await, Err("token-invalid-signature"));
    }
}

#[tokio::test]
async fn without_a_usable_key_nothing_is_believed() {
    let token = Issuer::first().token_with(&Value::Null);
    let refused = verify_token(&token, &Options::default()).await.expect_err("no key");
    assert_eq!(refused.reason, Reason::JwkFailedToResolve);
    for pem in ["", "-----BEGIN PUBLIC KEY-----", "AAAA"] {
        let options = Options { jwt_key: Some(pem.into()), ..Options::default() };
        let refused = verify_token(&token, &options).await.expect_err("no key");
        assert_eq!(refused.reason, Reason::JwkLocalMissing, "{pem}");
    }
}

proptest! {
    #[test]
    fn no_claims_make_the_verifier_panic(
        name in "sub|exp|nbf|iat|aud|azp|iss|sid|fva|o|v|fea|pla|act|org_permissions|x",
        value in prop_oneof![
            Just("null".to_owned()), Just("[]".to_owned()), Just("{}".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
            Just(r#"{"id":"a","per":",","fpm":"-1,,9"}"#.to_owned()),
            Just(r#"[[1],{"a":null}]"#.to_owned()), Just(r#""\u0000""#.to_owned()),
        ],
    ) {
        let value: Value = serde_json::from_str(&value).expect("json");
        let claims = claims_with(&json!({}));
        let mut claims = claims.as_object().expect("an object").clone();
        claims.insert(name, value);
        if let Ok(claims) = serde_json::from_value::<vestry_sdk::claims::Claims>(claims.into()) {
            let _ = claims.organization();
        }
    }
}
