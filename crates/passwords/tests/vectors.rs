//! One digest of every algorithm that something else computed, with what must not match it.
//!
//! Sources are named at each vector. "Computed" means with the standard library of Python 3.11
//! (`hashlib`, and `crypt` over libxcrypt), from the formula that the format's documents give.

use passwords::{Algorithm, Digest, Malformed, Memory, Verdict};

fn digest(algorithm: &str, text: &str) -> Digest {
    let algorithm: Algorithm = algorithm.parse().expect("a known algorithm");
    Digest::parse(algorithm, text).expect("a well-formed digest")
}

fn refused(algorithm: &str, text: &str) {
    let algorithm: Algorithm = algorithm.parse().expect("a known algorithm");
    assert_eq!(Digest::parse(algorithm, text).err(), Some(Malformed), "{algorithm} {text}");
}

/// The password matches; a longer, a shorter and an empty one do not; the stored form reads back.
fn vector(algorithm: &str, text: &str, password: &str) {
    let memory = &mut Memory::new();
    let digest = digest(algorithm, text);
    assert_eq!(digest.text(), text);
    let digest = Digest::from_text(&digest.to_text()).expect("what was stored");
    assert_eq!(digest.algorithm().as_str(), algorithm);
    assert_eq!(digest.verify(password.as_bytes(), memory), Verdict::Match, "{text}");
    let wrong = format!("{password}x");
    assert_eq!(digest.verify(wrong.as_bytes(), memory), Verdict::Mismatch, "{text}");
    let shorter = password.split_at(password.len() - 1).0;
    assert_eq!(digest.verify(shorter.as_bytes(), memory), Verdict::Mismatch, "{text}");
    assert_eq!(digest.verify(b"", memory), Verdict::Mismatch, "{text}");
    assert!(!digest.is_current());
}

#[test]
fn argon2_of_the_reference_implementation() {
    // Test program of the reference implementation: 64 MiB, and an old version.
    vector(
        "argon2id",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "password",
    );
    vector(
        "argon2i",
        "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
        "password",
    );
    vector(
        "argon2i",
        "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "password",
    );
}

#[test]
fn argon2_examples_of_the_api_are_read() {
    digest(
        "argon2i",
        "$argon2i$v=19$m=4096,t=3,p=1$4t6CL3P7YiHBtwESXawI8Hm20zJj4cs7/4/G3c187e0$m7RQFczcKr5bIR0IIxbpO2P0tyrLjf3eUW3M3QSwnLc",
    );
    digest(
        "argon2id",
        "$argon2id$v=19$m=64,t=4,p=8$Z2liZXJyaXNo$iGXEpMBTDYQ8G/71tF0qGjxRHEmR3gpGULcE93zUJVU",
    );
}

#[test]
fn argon2_that_is_not_or_costs_too_much() {
    let hash = "c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let with = |costs: &str| format!("$argon2id$v=19${costs}${hash}");
    digest("argon2id", &with("m=262144,t=8,p=1"));
    for costs in [
        "m=262145,t=1,p=1",
        "m=262144,t=9,p=1",
        "m=8,t=17,p=1",
        "m=1024,t=1,p=17",
        "m=8,t=1,p=2",
        "m=4294967295,t=4294967295,p=1",
        "m=+64,t=1,p=1",
        "m=65536,t=0,p=1",
        "m=65536,p=1,t=2",
        "m=65536,t=2,p=1,keyid=AAAA",
        "",
    ] {
        refused("argon2id", &with(costs));
    }
    refused("argon2i", &with("m=65536,t=2,p=1"));
    refused("argon2id", &with("m=65536,t=2,p=1").replace("v=19", "v=18"));
    refused("argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29t$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8");
    refused("argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$");
}

#[test]
fn bcrypt_of_openwall_and_django() {
    // The first two are of crypt_blowfish's own test program.
    let (a, b) = ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.", "$2a$05$XXXXXXXXXXXXXXXXXXXXXO");
    vector("bcrypt", &format!("{a}E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"), "U*U");
    vector("bcrypt", &format!("{b}AcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"), "U*U*U");
    // Computed.
    let y = "$2y$04$abcdefghijklmnopqrstuuMCu.k1vM/ywQwiONaEn3oEMlZoCVBd6";
    vector("bcrypt", y, &"a".repeat(71));
    vector(
        "bcrypt_sha256_django",
        "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq",
        "correct horse",
    );
    // Written by Django.
    vector(
        "bcrypt_sha256_django",
        "bcrypt_sha256$$2b$12$VADBCPlCt0wMa2zjUgaXl.jnrvoNt/kgjtRY7i./fo0V2IEp1l6f2",
        "password",
    );
}

#[test]
fn bcrypt_never_ignores_the_end_of_a_password() {
    // Computed: 72 times "a".
    let text = "$2y$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
    let memory = &mut Memory::new();
    let digest = digest("bcrypt", text);
    assert_eq!(digest.verify("a".repeat(72).as_bytes(), memory), Verdict::Match);
    assert_eq!(digest.verify("a".repeat(73).as_bytes(), memory), Verdict::Mismatch);
    assert_eq!(digest.verify("a".repeat(71).as_bytes(), memory), Verdict::Mismatch);
}

#[test]
fn bcrypt_with_a_pepper() {
    // Computed: bcrypt of password and pepper in one.
    let short = "$2a$04$abcdefghijklmnopqrstuusKbocMrJJJhzIyupIo5BNyJMCbe4oFO$salt and pepper";
    vector("bcrypt_peppered", short, "correct horse");
    // Devise's peppers are 128 digits, of which bcrypt reads what fits.
    let long = "$2a$04$abcdefghijklmnopqrstuu4nnJGF46YKLIsxpmAx.NqKUYqXW4gI6";
    vector("bcrypt_peppered", &format!("{long}${}", "5f".repeat(64)), "correct horse");
    refused("bcrypt_peppered", long);
    refused("bcrypt_peppered", &format!("{long}$"));
    refused("bcrypt", short);
}

#[test]
fn bcrypt_that_is_not_or_costs_too_much() {
    let hash = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    digest("bcrypt", &format!("$2b$15${hash}"));
    for head in
        ["$2b$16$", "$2b$31$", "$2b$03$", "$2x$05$", "$2$05$", "$2b$5$", "$2b$+5$", "2b$05$"]
    {
        refused("bcrypt", &format!("{head}{hash}"));
    }
    refused("bcrypt", &format!("$2b$05${}", &hash[1..]));
    refused("bcrypt", &format!("$2b$05${hash}="));
    refused("bcrypt", &format!("$2b$05${}!", &hash[1..]));
    refused("bcrypt", &format!(" $2b$05${hash}"));
    refused("bcrypt_sha256_django", &format!("$2b$05${hash}"));
    refused("bcrypt_sha256_django", &format!("bcrypt_sha256$2b$05${hash}"));
}

#[test]
fn pbkdf2_sha1_of_rfc_6070() {
    let text = "pbkdf2_sha1$4096$salt$4b007901b765489abead49d926f721d065a429c1";
    vector("pbkdf2_sha1", text, "password");
    let text = "pbkdf2_sha1$2$salt$ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957";
    vector("pbkdf2_sha1", text, "password");
    // The salt in hexadecimal, with the length of the key.
    let text = "pbkdf2_sha1$4096$73616c7453414c5473616c7453414c5473616c7453414c5473616c7453414c5473616c74\
                $3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038$25";
    vector("pbkdf2_sha1", text, "passwordPASSWORDpassword");
}

#[test]
fn pbkdf2_sha1_reads_an_ambiguous_salt_in_both_ways() {
    // Computed.
    let raw = "8cef74c58fb87dbb121008c87e8489fdab819c27";
    let hex = "2c1c91586301209239741e138ab74de9bf7c48903865175bf4d19a2990d262fb";
    vector("pbkdf2_sha1", &format!("pbkdf2_sha1$1000$deadbeef${raw}"), "correct horse");
    vector("pbkdf2_sha1", &format!("pbkdf2_sha1$1000$deadbeef${hex}"), "correct horse");
    vector("pbkdf2_sha1", &format!("pbkdf2_sha1$1000$deadbeef${hex}$32"), "correct horse");
    refused("pbkdf2_sha1", &format!("pbkdf2_sha1$1000$deadbeef${hex}$31"));
}

#[test]
fn pbkdf2_sha256_of_rfc_7914() {
    let key =
        "VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw==";
    vector("pbkdf2_sha256", &format!("pbkdf2_sha256$1$c2FsdA==${key}"), "passwd");
    vector("pbkdf2_sha256", &format!("pbkdf2_sha256$1$c2FsdA${}", &key[..86]), "passwd");
    refused("pbkdf2_sha256", &format!("pbkdf2_sha256$1$so!t${key}"));
}

#[test]
fn pbkdf2_sha256_of_django_tests() {
    // `test_hashers.py` of Django 1.5 and 1.9.
    vector(
        "pbkdf2_sha256_django",
        "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=",
        "lètmein",
    );
    vector(
        "pbkdf2_sha256_django",
        "pbkdf2_sha256$24000$seasalt$V9DfCAVoweeLwxC/L2mb+7swhzF0XYdyQMqmusZqiTc=",
        "lètmein",
    );
}

#[test]
fn pbkdf2_sha512_in_two_spellings() {
    // Computed; the first is also a widely published vector.
    let key = "afe6c5530785b6cc6b1c6453384731bd5ee432ee549fd42fb6695779ad8a1c5b\
               f59de69c48f774efc4007d5298f9033c0241d5ab69305e7b64eceeb8d834cfec";
    vector("pbkdf2_sha512", &format!("pbkdf2_sha512$1000$salt${key}"), "password");
    vector("pbkdf2_sha512_hex", &format!("pbkdf2_sha512_hex$1000$73616c74${key}"), "password");
    let key = "eed3e51e3f53297264d5b0b59f5362052ab151ff426c82b2d56a24c160eae3d7\
               a1fa0ce0a25f08b09e1af077e3e254952d16a23a6f0cb7b97553f3c39aafc2be";
    vector("pbkdf2_sha512_hex", &format!("pbkdf2_sha512$1000$00FF10ab${key}"), "correct horse");
    refused("pbkdf2_sha512_hex", &format!("pbkdf2_sha512_hex$1000$salt${key}"));
    refused("pbkdf2_sha512", &format!("pbkdf2_sha512_hex$1000$salt${key}"));
}

#[test]
fn pbkdf2_that_is_not_or_costs_too_much() {
    let key = "4b007901b765489abead49d926f721d065a429c1";
    digest("pbkdf2_sha1", &format!("pbkdf2_sha1$5000000$salt${key}"));
    for fields in ["5000001$salt", "0$salt", "-1$salt", "$salt", "4294967296$salt", "1$"] {
        refused("pbkdf2_sha1", &format!("pbkdf2_sha1${fields}${key}"));
    }
    refused("pbkdf2_sha1", &format!("pbkdf2_sha1$2500001$salt${key}00"));
    refused("pbkdf2_sha1", &format!("pbkdf2_sha256$1$salt${key}"));
    refused("pbkdf2_sha1", "pbkdf2_sha1$1$salt$4b00");
    refused("pbkdf2_sha1", "pbkdf2_sha1$1$salt$");
    refused("pbkdf2_sha1", &format!("pbkdf2_sha1$1$salt${key}$20$1"));
}

#[test]
fn phpass_of_its_author() {
    // phpass's own test program, and passlib's tests.
    vector("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345");
    vector("phpass", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345");
    vector("phpass", "$P$FiS0N5L672xzQx1rt1vgdJQRYKnQM9/", "compL3X!");
    // Computed.
    vector("md5_phpass", "$P$8abcdEFGHvN4a8qOGGlkYyGqu.6XBj1", "correct horse");
    refused("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r!L0");
    refused("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L");
    refused("phpass", "$P$4IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0");
    refused("phpass", "$P$LIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0");
    refused("phpass", "$P$zIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0");
    digest("phpass", "$P$KIQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0");
}

const SIGNER_KEY: &str =
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";

#[test]
fn scrypt_of_the_firebase_readme() {
    let hash =
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";
    let with = |costs: &str| format!("{hash}$42xEC+ixf3L2lw==${SIGNER_KEY}$Bw==${costs}");
    vector("scrypt_firebase", &with("8$14"), "user1password");
    digest("scrypt_firebase", &with("8$17"));
    for costs in ["8$18", "16$17", "0$14", "8$0", "8$64", "8$99999", "4294967295$1", "8", "8$14$"] {
        refused("scrypt_firebase", &with(costs));
    }
    refused("scrypt_firebase", &format!("AAAA$42xEC+ixf3L2lw==${SIGNER_KEY}$Bw==$8$14"));
}

#[test]
fn scrypt_of_rfc_7914_as_werkzeug_writes_it() {
    let key = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
               d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887";
    let with = |costs: &str| format!("{costs}$SodiumChloride${key}");
    vector("scrypt_werkzeug", &with("scrypt:16384:8:1"), "pleaseletmein");
    // Written by Werkzeug 3.
    vector(
        "scrypt_werkzeug",
        "scrypt:1024:8:1$EnALM5EYnuBOrULV$a856b8637c8eb8b7d671138aafcd1f3febd94c87b3386335ef7e30c2b8610c32d25f59643bda7acc0c80d2bdce9d1beb2472d321c4e1a73abfb5a83d7bbb3d42",
        "correct horse",
    );
    digest("scrypt_werkzeug", &with("scrypt:131072:8:1"));
    for costs in [
        "scrypt:131072:8:2",
        "scrypt:16383:8:1",
        "scrypt:0:8:1",
        "scrypt:1:8:1",
        "scrypt:16384:0:1",
        "scrypt:16384:8:0",
        "scrypt:2:4294967295:4294967295",
        "scrypt:16384:8",
        "pbkdf2:sha256:1000",
    ] {
        refused("scrypt_werkzeug", &with(costs));
    }
    refused("scrypt_werkzeug", &format!("scrypt:16384:8:1$${key}"));
}

#[test]
fn ldap_ssha_computed() {
    vector("ldap_ssha", "{SSHA}ytky6/nI4d/RTqM70cmuUGkvkykBAgME//79/A==", "correct horse");
    refused("ldap_ssha", "ytky6/nI4d/RTqM70cmuUGkvkykBAgME//79/A==");
    refused("ldap_ssha", "{SHA}ytky6/nI4d/RTqM70cmuUGkvkyk=");
    refused("ldap_ssha", "{SSHA}ytky6/nI4d/RTqM70cmuUGkvkyk=");
    refused("ldap_ssha", "{SSHA}");
}

#[test]
fn single_hashes() {
    // The API's documents.
    vector("md5", "5f4dcc3b5aa765d61d8327deb882cf99", "password");
    vector("md5", "5F4DCC3B5AA765D61D8327DEB882CF99", "password");
    vector("sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "test");
    // Django's tests for salted MD5, and computed.
    vector("md5_salted", "seasalt$3f86d0d3d465b7b458c231bf3555c0e3", "lètmein");
    let before = "e0327e0c88846ec7f85601380e86c72a5242e3455a1ae0f736f349858f126eb9";
    let after = "31bef6c2888780a6503672c21e2e0fece6ac2fab6187edb255fad15e48f78859";
    vector("sha256_salted", &format!("seasalt${before}"), "lètmein");
    vector("sha256_salted", &format!("seasalt${after}"), "lètmein");
    refused("md5", "5f4dcc3b5aa765d61d8327deb882cf9");
    refused("md5", "5f4dcc3b5aa765d61d8327deb882cf9g");
    refused("md5", "");
    refused("sha256", "5f4dcc3b5aa765d61d8327deb882cf99");
    refused("md5_salted", "$3f86d0d3d465b7b458c231bf3555c0e3");
    refused("md5_salted", "3f86d0d3d465b7b458c231bf3555c0e3");
    refused("sha256_salted", "seasalt$3f86d0d3d465b7b458c231bf3555c0e3");
}

#[test]
fn sha512_of_symfony() {
    // Computed from the rules of `MessageDigestPasswordEncoder`, whose tests cover the second.
    let salted =
        "UhhZAmKjmRFrIpZzgkF7Nl4O0LiNq24T23Tlx2IWV5XKt8RjyVwFJ0mnnUH3KhNDmrv+F79DjQauffBMsbrpuw==";
    vector("sha512_symfony", &format!("sha512_symfony$5000$abcd1234${salted}"), "correct horse");
    let twice =
        "j0tf6XFzsuTUUWw5wiZ8xERpjvye++2RhMLobpWNXDWRHtizi/RivSlpx2tEMlNht3oDgOiCtUpc9nBB5MmijQ==";
    vector("sha512_symfony", &format!("sha512_symfony$2$${twice}"), "password");
    refused("sha512_symfony", &format!("sha512_symfony$0$abcd1234${salted}"));
    refused("sha512_symfony", &format!("sha512_symfony$5000001$abcd1234${salted}"));
    refused("sha512_symfony", &format!("sha512_symfony$1$a{{b}}${salted}"));
    refused("sha512_symfony", "sha512_symfony$1$salt$AAAA");
}

#[test]
fn cognito_is_asked_elsewhere() {
    let text = "awscognito#eu-central-1_aB3dE5#7abc123def#ada#1@example.com";
    let digest = digest("awscognito", text);
    let Verdict::Remote(cognito) = digest.verify(b"password", &mut Memory::new()) else {
        panic!("only Cognito knows");
    };
    assert_eq!(cognito.region(), "eu-central-1");
    assert_eq!(cognito.user_pool_id, "eu-central-1_aB3dE5");
    assert_eq!(cognito.client_id, "7abc123def");
    assert_eq!(cognito.identifier, "ada#1@example.com");
    assert_eq!(Digest::from_text(&digest.to_text()).expect("stored").text(), text);
    for pool in ["evil.example/x-1-1_a", "eu-central-1", "a.b-c-1_x", "_aB3dE5", "--_a", "eu-c-1_"]
    {
        refused("awscognito", &format!("awscognito#{pool}#client#ada"));
    }
    refused("awscognito", "awscognito#eu-central-1_aB3dE5#client");
    refused("awscognito", "awscognito#eu-central-1_aB3dE5#client#");
    refused("awscognito", "cognito#eu-central-1_aB3dE5#client#ada");
}
