//! Every kind of key, in every shape it is written in.

use aws_lc_rs::{
    encoding::{AsDer as _, EcPrivateKeyRfc5915Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jwt::{Algorithm, Jwk, KeyError, PreparedHeader, SignError, SigningKey, VerifyingKey};
use serde_json::json;

/// PKCS#8 puts so many bytes before the PKCS#1 structure of a 2048-bit key.
const PKCS8_PREFIX_BYTES: usize = 26;

fn pem(label: &str, der: &[u8]) -> String {
    let lines: Vec<String> = STANDARD
        .encode(der)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn survives_a_round(key: &SigningKey) {
    let header = PreparedHeader::new(key.algorithm()).kid("ins_1").cat(jwt::category::SESSION);
    let token = key.sign(&header, &json!({ "sub": "user_1" })).expect("signed");
    let verified = key.verifying_key().expect("public").verify(&token).expect("good");
    assert_eq!(verified.payload, br#"{"sub":"user_1"}"#);
    assert_eq!(verified.header.kid.as_deref(), Some("ins_1"));
    assert_eq!(verified.header.cat.as_deref(), Some(jwt::category::SESSION));
}

#[test]
fn an_rsa_key_is_read_from_pkcs8_and_pkcs1_for_each_digest() {
    let (_, der) = SigningKey::generate_rsa_2048().expect("generated");
    let pkcs8 = pem("PRIVATE KEY", &der);
    let pkcs1 = pem("RSA PRIVATE KEY", &der[PKCS8_PREFIX_BYTES..]);

    for algorithm in [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512] {
        survives_a_round(&SigningKey::from_pkcs8(algorithm, &der).expect("pkcs8"));
        survives_a_round(&SigningKey::from_pem(algorithm, &pkcs8).expect("pkcs8 pem"));
        survives_a_round(&SigningKey::from_pem(algorithm, &pkcs1).expect("pkcs1 pem"));
        let flat = pkcs8.replace('\n', "\\n");
        survives_a_round(&SigningKey::from_text(algorithm, &flat).expect("escaped lines"));
    }
}

#[test]
fn an_elliptic_key_is_read_from_pkcs8_and_sec1() {
    let curves: [(Algorithm, &'static EcdsaSigningAlgorithm); 3] = [
        (Algorithm::Es256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::Es384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        (Algorithm::Es512, &ECDSA_P521_SHA512_FIXED_SIGNING),
    ];
    for (algorithm, curve) in curves {
        let pair = EcdsaKeyPair::generate(curve).expect("generated");
        let pkcs8 = pair.to_pkcs8v1().expect("pkcs8");
        survives_a_round(&SigningKey::from_pkcs8(algorithm, pkcs8.as_ref()).expect("a key"));
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().expect("sec1");
        let text = pem("EC PRIVATE KEY", sec1.as_ref());
        survives_a_round(&SigningKey::from_pem(algorithm, &text).expect("a key"));
    }
}

#[test]
fn an_ed25519_key_is_read_from_both_versions_of_pkcs8() {
    let random = SystemRandom::new();
    let first = Ed25519KeyPair::generate_pkcs8v1(&random).expect("generated");
    let second = Ed25519KeyPair::generate_pkcs8(&random).expect("generated");
    for der in [first, second] {
        survives_a_round(&SigningKey::from_pkcs8(Algorithm::EdDsa, der.as_ref()).expect("a key"));
    }
}

#[test]
fn a_public_key_is_read_from_every_shape_of_pem() {
    let (key, der) = SigningKey::generate_rsa_2048().expect("generated");
    let token = key.sign(&PreparedHeader::new(Algorithm::Rs256), &json!({})).expect("signed");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("a pair");
    let pkcs1 = pair.public_key().as_ref().to_vec();
    let spki = pair.public_key().as_der().expect("spki");
    let whole = pem("PUBLIC KEY", spki.as_ref());
    let bare = STANDARD.encode(spki.as_ref());

    for text in [
        whole.clone(),
        whole.replace('\n', "\r\n"),
        whole.replace('\n', ""),
        whole.replace('\n', "\\n"),
        whole.replace('\n', " "),
        bare.clone(),
        format!("-----BEGIN PUBLIC KEY-----{bare}-----END PUBLIC KEY-----"),
        pem("RSA PUBLIC KEY", &pkcs1),
    ] {
        let key = VerifyingKey::from_rsa_pem(Algorithm::Rs256, &text).expect("a key");
        assert!(key.verify(&token).is_ok(), "{text}");
    }
    for text in ["", "-----BEGIN PUBLIC KEY-----", "-----BEGIN", "AAAA", &bare[..100]] {
        assert_eq!(
            VerifyingKey::from_rsa_pem(Algorithm::Rs256, text).expect_err("no key"),
            KeyError::Malformed,
            "{text}"
        );
    }
    assert_eq!(
        VerifyingKey::from_rsa_pem(Algorithm::Rs256, &pem("PRIVATE KEY", &der)).expect_err("no"),
        KeyError::WrongKind(Algorithm::Rs256)
    );
}

/// JWT-26: a weak or foreign key is refused by name.
#[test]
fn jwt_26_weak_and_foreign_keys_are_refused() {
    for (algorithm, bytes_min) in
        [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)]
    {
        for short in [&[1_u8; 8][..], &vec![1; bytes_min - 1]] {
            assert_eq!(
                SigningKey::from_secret(algorithm, short).expect_err("too short"),
                KeyError::TooShort { bytes_min }
            );
        }
        survives_a_round(&SigningKey::from_secret(algorithm, &vec![1; bytes_min]).expect("long"));
    }
    let elliptic = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("generated");
    let elliptic = elliptic.to_pkcs8v1().expect("pkcs8");
    let (_, rsa) = SigningKey::generate_rsa_2048().expect("generated");
    for (algorithm, der) in [
        (Algorithm::Rs256, elliptic.as_ref()),
        (Algorithm::Es384, elliptic.as_ref()),
        (Algorithm::EdDsa, elliptic.as_ref()),
        (Algorithm::Es256, rsa.as_slice()),
        (Algorithm::EdDsa, rsa.as_slice()),
        (Algorithm::Hs256, rsa.as_slice()),
    ] {
        assert_eq!(
            SigningKey::from_pkcs8(algorithm, der).expect_err("another kind"),
            KeyError::WrongKind(algorithm)
        );
    }
    assert_eq!(
        SigningKey::from_pkcs8(Algorithm::Rs256, b"nothing").expect_err("no key"),
        KeyError::Malformed
    );
    assert_eq!(
        VerifyingKey::from_rsa_components(Algorithm::Rs256, &[0xff; 128], &[1, 0, 1])
            .expect_err("1024 bits"),
        KeyError::ModulusSize
    );
}

#[test]
fn a_shared_secret_in_a_key_set_is_no_key() {
    for kty in ["oct", "RSA", "EC", "OKP", ""] {
        let key = Jwk { kty: kty.into(), alg: Some("HS256".into()), ..Jwk::default() };
        assert!(VerifyingKey::from_jwk(&key).is_err(), "{kty}");
    }
    assert!(SigningKey::from_secret(Algorithm::Hs256, &[1; 32]).expect("a key").jwk().is_none());
}

#[test]
fn a_header_of_another_algorithm_is_not_signed() {
    let key = SigningKey::from_secret(Algorithm::Hs256, &[1; 32]).expect("a key");
    let refused = key.sign(&PreparedHeader::new(Algorithm::Hs512), &json!({}));
    assert!(matches!(refused, Err(SignError::HeaderAlgorithm)));
    assert_eq!(format!("{key:?}"), "SigningKey(HS256)");
}
