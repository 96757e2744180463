//! Tokens nobody signed, or signed otherwise than they say.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jwt::{
    Algorithm, MAX_BYTES, PreparedHeader, SigningKey, Token, TokenError, VerifyingKey,
    decode_unverified,
};
use proptest::prelude::*;
use serde_json::{Value, json};

static KEY: LazyLock<(SigningKey, Vec<u8>)> =
    LazyLock::new(|| SigningKey::generate_rsa_2048().expect("generated"));

fn public() -> VerifyingKey {
    KEY.0.verifying_key().expect("public")
}

fn good() -> String {
    let header = PreparedHeader::new(Algorithm::Rs256).kid("ins_1");
    KEY.0.sign(&header, &json!({ "sub": "user_1" })).expect("signed")
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs any header text with the real key, as no honest issuer would.
fn signed_under(header: &str) -> String {
    let der = &KEY.1;
    let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(der).expect("a pair");
    let signed = format!("{}.{}", b64(header), b64(r#"{"sub":"user_1"}"#));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(
        &aws_lc_rs::signature::RSA_PKCS1_SHA256,
        &aws_lc_rs::rand::SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("signed");
    format!("{signed}.{}", b64(signature))
}

fn refusal(token: &str) -> TokenError {
    public().verify(token).expect_err(token)
}

/// JWT-01: no spelling of `none`, and nothing but a text, is an algorithm.
#[test]
fn jwt_01_alg_none_in_any_spelling() {
    for alg in [json!("none"), json!("None"), json!("NONE"), json!("nOnE"), json!("")] {
        let header = json!({ "alg": alg, "typ": "JWT" }).to_string();
        let bare = format!("{}.{}.", b64(&header), b64("{}"));
        assert_eq!(refusal(&bare), TokenError::Form);
        assert!(public().verify(&signed_under(&header)).is_err());
    }
    for alg in [Value::Null, json!(["RS256"]), json!({ "alg": "RS256" }), json!(1), json!(true)] {
        let header = json!({ "alg": alg }).to_string();
        assert_eq!(refusal(&signed_under(&header)), TokenError::Encoding);
    }
    for header in [r#"{"typ":"JWT"}"#, "{}", "[]", "null", r#""RS256""#, ""] {
        assert!(public().verify(&signed_under(header)).is_err(), "{header}");
    }
}

/// JWT-02: the public key is no secret.
#[test]
fn jwt_02_hmac_with_the_public_key_as_secret() {
    let jwk = serde_json::to_string(&KEY.0.jwk().expect("public")).expect("json");
    let modulus = KEY.0.jwk().and_then(|key| key.n).expect("a modulus");
    for secret in [jwk.as_bytes(), modulus.as_bytes(), &KEY.1] {
        let forger = SigningKey::from_secret(Algorithm::Hs256, secret).expect("long enough");
        let header = PreparedHeader::new(Algorithm::Hs256).kid("ins_1");
        let token = forger.sign(&header, &json!({ "sub": "user_1" })).expect("signed");
        assert_eq!(refusal(&token), TokenError::Algorithm);
        let (_, rest) = token.split_once('.').expect("a dot");
        let renamed = format!("{}.{rest}", b64(r#"{"alg":"RS256"}"#));
        assert_eq!(refusal(&renamed), TokenError::Signature);
    }
}

/// JWT-03: a key verifies its own algorithm only.
#[test]
fn jwt_03_header_algorithm_is_not_the_keys() {
    for alg in ["PS256", "RS384", "RS512", "ES256", "EdDSA", "rs256", "RS256 "] {
        let token = signed_under(&json!({ "alg": alg }).to_string());
        assert_eq!(refusal(&token), TokenError::Algorithm, "{alg}");
    }
    let other = SigningKey::from_pkcs8(Algorithm::Rs512, &KEY.1).expect("a key");
    let token = other.sign(&PreparedHeader::new(Algorithm::Rs512), &json!({})).expect("signed");
    assert_eq!(refusal(&token), TokenError::Algorithm);
}

/// JWT-04: keys that travel in a header are not looked at, extensions are refused.
#[test]
fn jwt_04_embedded_keys_and_extensions() {
    let (stranger, _) = SigningKey::generate_rsa_2048().expect("generated");
    for member in ["jwk", "jku", "x5u", "x5c"] {
        let header = json!({ "alg": "RS256", member: stranger.jwk() }).to_string();
        assert!(public().verify(&signed_under(&header)).is_ok(), "{member} is ignored");
        let token =
            stranger.sign(&PreparedHeader::new(Algorithm::Rs256), &json!({})).expect("signed");
        let (_, rest) = token.split_once('.').expect("a dot");
        assert_eq!(refusal(&format!("{}.{rest}", b64(&header))), TokenError::Signature);
    }
    for header in [
        r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"RS256","crit":[]}"#,
        r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","b64":false}"#,
    ] {
        assert_eq!(refusal(&signed_under(header)), TokenError::Extension, "{header}");
    }
    for header in [
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"RS256","x":1,"x":2}"#,
        r#"{"alg":"RS256","b64":"no"}"#,
    ] {
        assert_eq!(refusal(&signed_under(header)), TokenError::Encoding, "{header}");
    }
}

/// JWT-12: whatever is not exactly a token is refused, without a panic.
#[test]
fn jwt_12_malformed_tokens() {
    let good = good();
    assert!(public().verify(&good).is_ok());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);

    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{good}.{signature}.{signature}"),
        "a".repeat(1024 * 1024),
        format!("{header}.{}.{signature}", "A".repeat(MAX_BYTES)),
    ] {
        assert_eq!(refusal(&token), TokenError::Form);
    }
    for token in [
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("{good}="),
        format!("{good}=="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{signature}\u{e9}"),
        format!("{header}\n.{payload}.{signature}"),
        format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")),
        format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
        format!("{}.{payload}.{signature}", &header[..header.len() - 1]),
        format!("{header}.{}.{signature}", &payload[..payload.len() - 1]),
        format!("{header}.{payload}.{}", "A".repeat(4096)),
        "\0.\0.\0".into(),
    ] {
        let error = refusal(&token);
        assert!(matches!(error, TokenError::Encoding | TokenError::Signature), "{error:?}");
    }
}

/// JWT-12: the last letter of a signature has bits that no byte needs; one spelling is right.
#[test]
fn jwt_12_a_signature_has_one_spelling() {
    let good = good();
    let (rest, last) = good.split_at(good.len() - 1);
    let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
    let accepted: Vec<char> =
        letters.filter(|letter| public().verify(&format!("{rest}{letter}")).is_ok()).collect();
    assert_eq!(accepted, last.chars().collect::<Vec<_>>());
}

/// JWT-13: claims of a token that is not signed are not even decoded.
#[test]
fn jwt_13_claims_are_read_after_the_signature() {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    for payload in [b64(r#"{"exp":1}"#), b64("no json"), "!!!".into(), b64(r#"{"azp":"x"}"#)] {
        let token = format!("{}.{payload}.{}", parts[0], parts[2]);
        assert_eq!(refusal(&token), TokenError::Signature);
    }
}

#[test]
fn a_known_header_is_not_a_free_pass() {
    let key = public();
    let good = good();
    let header = Token::split(&good).expect("parts").header_text();
    assert!(!key.knows_header(header));
    assert!(key.verify(&good).is_ok());
    assert!(key.knows_header(header));

    let forged = format!("{header}.{}.{}", b64(r#"{"sub":"user_2"}"#), b64([1; 256]));
    assert_eq!(key.verify(&forged).expect_err("refused"), TokenError::Signature);
    let (stranger, _) = SigningKey::generate_rsa_2048().expect("generated");
    let foreign =
        stranger.sign(&PreparedHeader::new(Algorithm::Rs256), &json!({})).expect("signed");
    assert!(key.verify(&foreign).is_err());
    assert!(key.knows_header(header), "a bad token does not displace a good header");
}

#[test]
fn decoding_without_verification_refuses_garbage() {
    for text in ["", "abc", "1", "a.b", "a.b.c", "e30.e30", "bnVsbA.e30.AA", "W10.e30.AA"] {
        assert!(decode_unverified(text).is_err(), "{text}");
    }
    assert!(decode_unverified("e30=.e30.AA==").is_ok());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[A-Za-z0-9_.=-]{0,400}") {
        prop_assert!(public_once().verify(&text).is_err());
        let _ = decode_unverified(&text);
    }

    #[test]
    fn no_header_makes_the_reader_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        let token = format!("{}.{}.{}", b64(header), b64(payload), b64([0; 256]));
        prop_assert!(public_once().verify(&token).is_err());
        let _ = decode_unverified(&token);
    }

    #[test]
    fn one_changed_letter_spoils_a_token(at in 0_usize..400, letter in "[A-Za-z0-9_-]") {
        let good = GOOD.as_str();
        let at = at % good.len();
        let changed = format!("{}{letter}{}", &good[..at], &good[at + 1..]);
        prop_assume!(changed != *good);
        prop_assert!(public_once().verify(&changed).is_err());
    }
}

static GOOD: LazyLock<String> = LazyLock::new(good);

fn public_once() -> &'static VerifyingKey {
    static PUBLIC: LazyLock<VerifyingKey> = LazyLock::new(public);
    &PUBLIC
}
