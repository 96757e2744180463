//! What holds for every password, and for every text that claims to be a digest.

use passwords::{
    Algorithm, DIGEST_BYTES_MAX, Digest, Malformed, Memory, MemoryPool, PASSWORD_BYTES_MAX,
    TooLong, Verdict, hash,
};
use proptest::prelude::*;

#[test]
fn what_we_hash_is_current_and_matches() {
    let pool = MemoryPool::new(1);
    let digest = hash("correct horse".as_bytes(), [7; 16], &mut pool.take()).expect("short");
    assert!(digest.is_current());
    assert!(digest.text().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", digest.text());
    assert_eq!(format!("{digest:?}"), "Digest(argon2id, …)");
    let digest = Digest::from_text(&digest.to_text()).expect("what we wrote");
    assert!(digest.is_current());
    assert_eq!(digest.verify(b"correct horse", &mut pool.take()), Verdict::Match);
    assert_eq!(digest.verify(b"correct horsf", &mut pool.take()), Verdict::Mismatch);
    let salted = hash(b"correct horse", [8; 16], &mut pool.take()).expect("short");
    assert_ne!(salted.text(), digest.text());
}

#[test]
fn used_memory_leaves_no_trace_in_the_next_hash() {
    let mut used = Memory::new();
    hash(b"something else", [1; 16], &mut used).expect("short");
    let again = hash(b"correct horse", [7; 16], &mut used).expect("short");
    let fresh = hash(b"correct horse", [7; 16], &mut Memory::new()).expect("short");
    assert_eq!(again.text(), fresh.text());
}

#[test]
fn length_has_a_limit_but_bcrypts_is_not_ours() {
    let memory = &mut Memory::new();
    let long = vec![b'a'; PASSWORD_BYTES_MAX];
    let digest = hash(&long, [7; 16], memory).expect("just short enough");
    assert_eq!(digest.verify(&long, memory), Verdict::Match);
    assert_eq!(digest.verify(&long[1..], memory), Verdict::Mismatch);
    let longer = vec![b'a'; PASSWORD_BYTES_MAX + 1];
    assert_eq!(hash(&longer, [7; 16], memory).err(), Some(TooLong));
    assert_eq!(digest.verify(&longer, memory), Verdict::Mismatch);
}

#[test]
fn other_parameters_are_not_current() {
    for text in [
        "$argon2id$v=19$m=19456,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        let digest = Digest::parse(Algorithm::Argon2id, text).expect("well-formed");
        assert!(!digest.is_current(), "{text}");
    }
}

#[test]
fn no_digest_is_endless() {
    let pepper = "p".repeat(DIGEST_BYTES_MAX);
    let text = format!("$2a$04$abcdefghijklmnopqrstuusKbocMrJJJhzIyupIo5BNyJMCbe4oFO${pepper}");
    assert_eq!(Digest::parse(Algorithm::BcryptPeppered, &text).err(), Some(Malformed));
}

/// Texts that come close to being digests.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$".to_owned()),
        Just("$2b$04$abcdefghijklmnopqrstuusKbocMrJJJhzIyupIo5BNyJMCbe4oFO".to_owned()),
        Just("bcrypt_sha256$".to_owned()),
        Just("pbkdf2_sha1$1$salt$".to_owned()),
        Just("pbkdf2_sha256$1$c2FsdA==$".to_owned()),
        Just("pbkdf2_sha512_hex$1$00$".to_owned()),
        Just("$P$7".to_owned()),
        Just("scrypt:2:1:1$salt$".to_owned()),
        Just("{SSHA}".to_owned()),
        Just("awscognito#eu-west-1_a#b#".to_owned()),
        Just("sha512_symfony$1$salt$".to_owned()),
        "[0-9a-f]{0,130}",
        "[A-Za-z0-9+/]{0,90}={0,2}",
        "[$:#=,.é\u{0}]{0,4}",
    ];
    proptest::collection::vec(word, 0..6).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), nearly()]) {
        for algorithm in Algorithm::all() {
            if let Ok(digest) = Digest::parse(algorithm, &text) {
                let stored = Digest::from_text(&digest.to_text()).expect("what was stored");
                prop_assert_eq!(stored.text(), text.as_str());
            }
        }
        let _ = Digest::from_text(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_password_has_a_verdict(password in any::<Vec<u8>>()) {
        let memory = &mut Memory::new();
        for (algorithm, text) in [
            ("argon2id", "$argon2id$v=19$m=64,t=1,p=8$Z2liZXJyaXNo$iGXEpMBTDYQ8G/71tF0qGjxRHEmR3gpGULcE93zUJVU"),
            ("bcrypt", "$2b$04$abcdefghijklmnopqrstuusKbocMrJJJhzIyupIo5BNyJMCbe4oFO"),
            ("md5_phpass", "$P$5abcdEFGHvN4a8qOGGlkYyGqu.6XBj1"),
            ("sha512_symfony", "sha512_symfony$2$a$j0tf6XFzsuTUUWw5wiZ8xERpjvye++2RhMLobpWNXDWRHtizi/RivSlpx2tEMlNht3oDgOiCtUpc9nBB5MmijQ=="),
        ] {
            let algorithm = algorithm.parse().expect("a known algorithm");
            let digest = Digest::parse(algorithm, text).expect("well-formed");
            prop_assert_eq!(digest.verify(&password, memory), Verdict::Mismatch);
        }
    }
}
