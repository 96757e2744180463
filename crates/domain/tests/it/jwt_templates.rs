//! Templates: what they may say, whose key signs, what comes out.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jwt::{Algorithm, SigningKey};
use serde_json::{Value, json};
use wire::backend::users::UserId;

use crate::stage::Stage;

const LONG_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

fn rsa_pem() -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("generated");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("written");
    pem(der.as_ref())
}

fn ec_pem(curve: &'static EcdsaSigningAlgorithm) -> String {
    pem(EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).expect("generated").as_ref())
}

/// A key that fits.
fn key_for(algorithm: Algorithm) -> String {
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => LONG_SECRET.to_owned(),
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => rsa_pem(),
        Algorithm::Es256 => ec_pem(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => ec_pem(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => ec_pem(&ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("generated");
            pem(pair.as_ref())
        }
    }
}

async fn create(stage: &Stage, name: &str, given: Value) -> Value {
    let mut body = json!({ "name": name, "claims": {} });
    merge(&mut body, given);
    stage.call("CreateJWTTemplate", &[], body).await.expect("created")
}

fn merge(body: &mut Value, given: Value) {
    if let (Value::Object(body), Value::Object(given)) = (body, given) {
        body.extend(given);
    }
}

async fn token(stage: &Stage, user: &UserId, template: &str) -> String {
    let session = stage.call("CreateSession", &[], json!({ "user_id": user })).await;
    let session = session.expect("begun")["id"].as_str().expect("an id").to_owned();
    let answer = stage
        .call("CreateSessionTokenFromTemplate", &[&session, template], Value::Null)
        .await
        .expect("made");
    answer["jwt"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn every_algorithm_signs_with_a_key_of_the_template() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    for algorithm in Algorithm::ALL {
        let key = key_for(algorithm);
        let name = algorithm.as_str();
        let given = json!({
            "custom_signing_key": true, "signing_algorithm": name, "signing_key": key,
        });
        let made = create(&stage, name, given).await;
        assert_eq!(made["custom_signing_key"], json!(true));
        assert_eq!(made["signing_algorithm"], json!(name));
        assert!(!made.to_string().contains(&key) && made.get("signing_key").is_none());

        let public = SigningKey::from_text(algorithm, &key).expect("a key").verifying_key();
        let public = public.expect("a public half");
        // The second one is signed with the key that is remembered.
        for _ in 0..2 {
            let verified = public.verify(&token(&stage, &user, name).await).expect("good");
            assert_eq!(verified.header.cat.as_deref(), Some(jwt::category::TEMPLATE));
            assert_eq!(verified.header.kid, None);
        }
    }
    let stored = stage.peek("select signing_key from jwt_templates where name = 'HS256'").await;
    let stored = stored.expect("stored");
    assert!(stored.starts_with("v1.") && !stored.contains(LONG_SECRET), "sealed");
}

#[tokio::test]
async fn jwt_26_what_is_out_of_bounds_or_unfit_is_refused() {
    let stage = Stage::new().await;
    let own = |algorithm: &str, key: &str| json!({ "custom_signing_key": true, "signing_algorithm": algorithm, "signing_key": key });
    let (rsa, ec) = (rsa_pem(), ec_pem(&ECDSA_P256_SHA256_FIXED_SIGNING));
    let cases = [
        (json!({ "lifetime": 29 }), "form_param_value_invalid", "lifetime"),
        (json!({ "lifetime": 315_360_001 }), "form_param_value_too_large", "lifetime"),
        (json!({ "allowed_clock_skew": 301 }), "form_param_value_too_large", "allowed_clock_skew"),
        (json!({ "allowed_clock_skew": -1 }), "form_param_value_invalid", "allowed_clock_skew"),
        (own("HS256", "8 bytes."), "form_param_value_invalid", "signing_key"),
        (own("HS512", &LONG_SECRET[1..]), "form_param_value_invalid", "signing_key"),
        (own("RS256", &ec), "form_param_value_invalid", "signing_key"),
        (own("ES384", &ec), "form_param_value_invalid", "signing_key"),
        (own("ES256", &rsa), "form_param_value_invalid", "signing_key"),
        (own("EdDSA", &rsa), "form_param_value_invalid", "signing_key"),
        (own("RS256", "garbage"), "form_param_value_invalid", "signing_key"),
        (own("HS256", &"x".repeat(20_000)), "form_param_max_length_exceeded", "signing_key"),
        (own("none", LONG_SECRET), "form_param_value_invalid", "signing_algorithm"),
        (own("HS256", ""), "form_conditional_param_missing", "signing_key"),
        (own("", LONG_SECRET), "form_conditional_param_missing", "signing_algorithm"),
        (json!({ "signing_key": LONG_SECRET }), "form_conditional_param_disallowed", "signing_key"),
        (
            json!({ "custom_signing_key": false, "signing_algorithm": "HS256" }),
            "form_conditional_param_disallowed",
            "signing_algorithm",
        ),
        (json!({ "name": "a b" }), "form_param_format_invalid", "name"),
        (json!({ "name": "" }), "form_param_format_invalid", "name"),
        (json!({ "name": "../x" }), "form_param_format_invalid", "name"),
        (json!({ "name": "x".repeat(129) }), "form_param_max_length_exceeded", "name"),
        (json!({ "claims": { "a": "{{user." } }), "form_param_value_invalid", "claims"),
        (
            json!({ "claims": { "a": "x".repeat(20_000) } }),
            "form_param_exceeds_allowed_size",
            "claims",
        ),
    ];
    for (given, code, param) in cases {
        let mut body = json!({ "name": "refused", "claims": {} });
        merge(&mut body, given.clone());
        let refused = stage.refusal("CreateJWTTemplate", &[], body).await;
        let found = (refused.status, refused.code(), refused.param_name());
        assert_eq!(found, (422, code, Some(param)), "{given}");
    }
}

#[tokio::test]
async fn jwt_25_a_reserved_claim_is_refused_by_its_name() {
    let stage = Stage::new().await;
    for claim in ["iss", "sub", "exp", "iat", "nbf", "jti", "azp", "sid", "v"] {
        let body = json!({ "name": "reserved", "claims": { claim: "x" } });
        let refused = stage.refusal("CreateJWTTemplate", &[], body).await;
        assert_eq!((refused.status, refused.code()), (400, "jwt_template_reserved_claim"));
        assert_eq!(refused.errors[0].meta["claim"], json!(claim));
    }
}

#[tokio::test]
async fn inp_14_what_users_write_is_printed_as_it_stands() {
    let stage = Stage::new().await;
    let name = "{{user.private_metadata}}";
    let user = stage.user(name).await;
    let claims = json!({
        "name": "{{user.first_name}}",
        "greeting": "Dear {{user.first_name}}",
        "private": "{{user.private_metadata}}",
        "secret": "{{user.private_metadata.secret}}",
        "org": "{{org.id}} {{org_membership.public_metadata}}",
        "plan": "{{user.public_metadata.plan}}",
    });
    create(&stage, "literal", json!({ "claims": claims })).await;
    let text = token(&stage, &user, "literal").await;
    let payload = jwt::decode_unverified(&text).expect("a token").payload;
    assert_eq!(payload["name"], json!(name));
    assert_eq!(payload["greeting"], json!(format!("Dear {name}")));
    assert_eq!(payload["plan"], json!("pro"));
    assert_eq!(payload["org"], json!("null null"));
    assert_eq!((&payload["private"], &payload["secret"]), (&Value::Null, &Value::Null));
    assert_eq!(payload["sub"], json!(user));
    assert!(["azp", "sid", "v"].iter().all(|claim| !payload.contains_key(*claim)));
}

#[tokio::test]
async fn a_change_keeps_replaces_or_drops_the_key() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    let own = json!({
        "custom_signing_key": true, "signing_algorithm": "HS256", "signing_key": LONG_SECRET,
    });
    let made = create(&stage, "changing", own).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let change = async |given: Value| {
        let mut body = json!({ "name": "changing", "claims": {} });
        merge(&mut body, given);
        stage.call("UpdateJWTTemplate", &[&id], body).await
    };
    let verifies = async |algorithm: Algorithm, key: &str| {
        let public = SigningKey::from_text(algorithm, key).expect("a key").verifying_key();
        let text = token(&stage, &user, "changing").await;
        public.expect("a public half").verify(&text).is_ok()
    };

    change(json!({ "lifetime": 300 })).await.expect("changed");
    change(json!({ "custom_signing_key": true })).await.expect("changed");
    assert!(verifies(Algorithm::Hs256, LONG_SECRET).await, "kept");

    let refused = change(json!({ "signing_algorithm": "HS512" })).await.expect_err("no key");
    assert_eq!(refused.code(), "form_conditional_param_missing");
    let other = LONG_SECRET.replace('0', "z");
    change(json!({ "signing_key": other })).await.expect("changed");
    assert!(verifies(Algorithm::Hs256, &other).await, "replaced");

    let changed = change(json!({ "custom_signing_key": false, "lifetime": null })).await;
    let changed = changed.expect("changed");
    assert_eq!(changed["custom_signing_key"], json!(false));
    assert_eq!(
        (&changed["signing_algorithm"], &changed["lifetime"]),
        (&json!("RS256"), &json!(60))
    );
    let text = token(&stage, &user, "changing").await;
    let public = stage.instance.signer.key.verifying_key().expect("a public half");
    let verified = public.verify(&text).expect("signed by the instance");
    assert_eq!(verified.header.kid.as_deref(), Some(stage.instance.signer.kid.as_str()));
}

#[tokio::test]
async fn names_are_taken_within_an_instance_only() {
    let stage = Stage::new().await;
    let first = create(&stage, "first", json!({})).await;
    let second = create(&stage, "second", json!({})).await;
    let body = json!({ "name": "first", "claims": {} });
    let id = second["id"].as_str().expect("an id");
    let refused = stage.refusal("UpdateJWTTemplate", &[id], body.clone()).await;
    let found = (refused.status, refused.code(), refused.param_name());
    assert_eq!(found, (422, "form_already_exists", Some("name")));

    stage.call_of(&stage.neighbour, "CreateJWTTemplate", &[], body).await.expect("created");
    let id = first["id"].as_str().expect("an id");
    for name in ["GetJWTTemplate", "DeleteJWTTemplate"] {
        let refused = stage.call_of(&stage.neighbour, name, &[id], Value::Null).await;
        assert_eq!(refused.expect_err("not theirs").status, 404);
    }
    let list = stage.call("ListJWTTemplates", &[], Value::Null).await.expect("listed");
    let names: Vec<_> = list.as_array().expect("bare").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["second", "first"]);
}

#[tokio::test]
async fn a_session_that_is_over_gets_no_token() {
    let stage = Stage::new().await;
    let user = stage.user("Ada").await;
    create(&stage, "mine", json!({})).await;
    let session = stage.call("CreateSession", &[], json!({ "user_id": user })).await;
    let session = session.expect("begun")["id"].as_str().expect("an id").to_owned();
    let make = async |template: &str| {
        stage.call("CreateSessionTokenFromTemplate", &[&session, template], Value::Null).await
    };
    make("mine").await.expect("made");
    assert_eq!(make("unknown").await.expect_err("refused").status, 404);
    stage.call("RevokeSession", &[&session], Value::Null).await.expect("revoked");
    assert_eq!(make("mine").await.expect_err("refused").status, 401);
    let unknown = ["sess_none", "mine"];
    let refused = stage.refusal("CreateSessionTokenFromTemplate", &unknown, Value::Null).await;
    assert_eq!(refused.status, 404);
}
