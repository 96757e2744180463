//! Readers of what strangers write, with text by chance: each has an answer, and none panics.
//!
//! `PROPTEST_CASES` has them try longer, as `make soak` does; a failure prints what failed.

use domain::{IdentificationKind, instances, totp};
use proptest::prelude::*;
use testkit::BEGINNING;
use wire::{
    Decode, Endpoint, Payload, Version,
    backend::{
        sessions::GetSessionList,
        users::{CreateUser, GetUserList, UpdateUserMetadata},
    },
    decode,
    frontend::sign_ins::CreateSignIn,
};

/// Decodes parts of a request as one; says only that there is an answer.
fn decoded<E: Endpoint>(query: &str, payload: Payload) {
    let parts = Decode {
        path: vec![("user_id".to_owned(), query.chars().take(40).collect())],
        query: query.to_owned(),
        payload,
        version: Version::default(),
    };
    let _ = decode::<E>(parts);
}

/// JSON, or nearly.
fn nearly_json() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(":".to_owned()),
        Just(",".to_owned()),
        Just("\"email_address\"".to_owned()),
        Just("\"first_name\"".to_owned()),
        Just("\"public_metadata\"".to_owned()),
        Just("null".to_owned()),
        Just("1e400".to_owned()),
        Just("-9223372036854775809".to_owned()),
        "\"(\\\\u[0-9a-fA-F]{4}|\\PC){0,5}\"",
        "[0-9eE.+-]{1,6}",
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn sec_11_any_query_is_decoded_or_refused(
        query in "([a-z_]{1,16}(%5B%5D|\\[\\])?=[^ ]{0,20}&?){0,6}|\\PC{0,60}|(%[0-9a-fA-F]{0,2}){0,20}",
    ) {
        decoded::<GetUserList>(&query, Payload::Empty);
        decoded::<GetSessionList>(&query, Payload::Empty);
    }

    #[test]
    fn sec_11_any_body_is_decoded_or_refused(
        body in prop_oneof![any::<Vec<u8>>(), nearly_json().prop_map(String::into_bytes)],
    ) {
        decoded::<CreateUser>("", Payload::Json(body.clone()));
        decoded::<UpdateUserMetadata>("", Payload::Json(body.clone()));
        decoded::<CreateSignIn>("", Payload::Form(body));
    }

    #[test]
    fn sec_11_any_identifier_has_one_spelling_or_none(
        text in "\\PC{0,80}|[a-zA-Z0-9.+_-]{0,70}@[a-zA-Z0-9.-]{0,70}|\\+?[0-9 ()-]{0,20}|0x[0-9a-fA-F]{0,44}|(xn--)?\\PC{0,20}@xn--[a-z0-9-]{0,20}",
    ) {
        for kind in [
            IdentificationKind::EmailAddress,
            IdentificationKind::PhoneNumber,
            IdentificationKind::Web3Wallet,
        ] {
            if let Ok(normal) = kind.normalize(&text) {
                let again = kind.normalize(&normal).ok();
                prop_assert_eq!(again.as_deref(), Some(normal.as_str()), "{} {:?}", kind.as_str(), text);
            }
        }
    }

    #[test]
    fn sec_11_any_publishable_key_is_read_or_refused(
        key in "pk_(test|live)_[A-Za-z0-9+/=_-]{0,80}|\\PC{0,60}",
    ) {
        if let Ok(host) = instances::host_of_publishable_key(&key) {
            prop_assert!(!host.is_empty() && !host.contains(['$', '/', '\0']));
        }
    }

    #[test]
    fn sec_11_any_secret_of_an_authenticator_is_read_or_refused(
        text in "[A-Za-z2-7= ]{0,64}|\\PC{0,64}", code in "[0-9]{0,8}|\\PC{0,8}",
    ) {
        let now = u64::try_from(BEGINNING.0 / 1000).expect("after 1970");
        if let Ok(secret) = totp::Secret::parse(&text) {
            let _ = secret.verify(&code, now, None);
            let _ = secret.uri(&text, &code);
            let again = totp::Secret::parse(&secret.to_base32()).expect("what it wrote");
            prop_assert_eq!(again.to_base32(), secret.to_base32());
        }
    }
}
