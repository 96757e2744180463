//! Second factors that need no delivery: time-based codes and backup codes.
//!
//! Pure functions: time, randomness and keys are handed in. A time-based code is RFC 6238 with
//! thirty seconds, six digits and SHA-1, which is what authenticator apps assume. What is stored of
//! a backup code is an HMAC under a key of the server, bound to the user, or the bcrypt digest that
//! was imported.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use passwords::{Algorithm, Digest, Memory, Verdict};

const STEP_SECONDS: u64 = 30;
const DIGITS: usize = 6;
const WINDOW_STEPS: u64 = 1;
const SECRET_BYTES_MAX: usize = 128;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text is not base32: the API's `invalid_totp_secret_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSecret;

/// What server and authenticator app share. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of 160 random bits, as RFC 4226 recommends.
    pub fn new(randomness: [u8; 20]) -> Self {
        Self(randomness.to_vec())
    }

    /// Reads base32 in either case, padded or not.
    ///
    /// The API asks for nothing more, so that secrets of any length can be imported.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim_end_matches('=');
        // These lengths leave a letter that belongs to no byte.
        if matches!(text.len() % 8, 1 | 3 | 6) {
            return Err(InvalidSecret);
        }
        let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
        for letter in text.bytes() {
            let letter = letter.to_ascii_uppercase();
            let value = BASE32.iter().position(|known| *known == letter).ok_or(InvalidSecret)?;
            bits = bits << 5 | u32::try_from(value).map_err(|_| InvalidSecret)?;
            count += 5;
            if count >= 8 {
                count -= 8;
                bytes.extend((bits >> count).to_be_bytes().last());
                bits &= (1 << count) - 1;
            }
        }
        if (1..=SECRET_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(InvalidSecret)
        }
    }

    /// The secret as people type it into an app.
    pub fn to_base32(&self) -> String {
        let letter = |bits: u64, shift: usize| {
            char::from(BASE32[usize::from((bits >> shift).to_be_bytes()[7] & 31)])
        };
        let groups = self.0.chunks(5).flat_map(|chunk| {
            let bits = (0..5).fold(0_u64, |bits, at| {
                bits << 8 | u64::from(chunk.get(at).copied().unwrap_or_default())
            });
            (0..(chunk.len() * 8).div_ceil(5)).map(move |at| letter(bits, 35 - 5 * at))
        });
        groups.collect()
    }

    /// The address that apps read from a QR code.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (percent(issuer), percent(account));
        let secret = self.to_base32();
        format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
    }

    /// The step whose code this is, if it is the present one or a neighbour.
    ///
    /// Steps up to `last_step`, the one that was matched before, are spent: keep what this answers,
    /// and hand it in the next time.
    pub fn verify(&self, code: &str, unix_seconds: u64, last_step: Option<u64>) -> Option<u64> {
        let now = unix_seconds / STEP_SECONDS;
        let steps = now.saturating_sub(WINDOW_STEPS)..=now.saturating_add(WINDOW_STEPS);
        // Every step is computed, whichever matches.
        steps.fold(None, |matched, step| {
            let same = same(self.code(step).as_bytes(), code.as_bytes());
            let fresh = last_step.is_none_or(|last| step > last);
            if same && fresh { matched.or(Some(step)) } else { matched }
        })
    }

    /// The code of a step of thirty seconds since 1970.
    pub fn code(&self, step: u64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = tag.last().map_or(0, |byte| usize::from(byte & 15));
        let word = tag.get(offset..offset + 4).and_then(|word| word.try_into().ok());
        let number = word.map_or(0, u32::from_be_bytes) & 0x7FFF_FFFF;
        format!("{:0DIGITS$}", number % 1_000_000)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl fmt::Display for InvalidSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the TOTP secret is not base32")
    }
}

impl std::error::Error for InvalidSecret {}

fn same(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

fn percent(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// How many backup codes a user gets.
pub const BACKUP_CODES: usize = 10;

const CODE_LETTERS: usize = 12;
const IMPORTED_BYTES_MAX: usize = 64;

// Without those that are taken for each other: 32 letters, so five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The text is no backup code that could be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBackupCode;

/// Ten codes of sixty random bits, to be shown once.
pub fn backup_codes(randomness: &[[u8; CODE_LETTERS]; BACKUP_CODES]) -> [String; BACKUP_CODES] {
    randomness.map(|bytes| {
        bytes.into_iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
    })
}

/// What to store of codes: of plain ones, and of bcrypt digests of plain ones.
pub struct BackupCodes<'a> {
    key: hmac::Key,
    user_id: &'a str,
}

impl<'a> BackupCodes<'a> {
    /// The codes of one user, under a key of the server.
    pub fn new(key: &[u8; 32], user_id: &'a str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), user_id }
    }

    /// The storable form of a code, generated or imported, or of an imported bcrypt digest.
    pub fn store(&self, code: &str) -> Result<String, InvalidBackupCode> {
        if let Ok(digest) = Digest::parse(Algorithm::Bcrypt, code) {
            return Ok(digest.to_text());
        }
        // What looks like a digest and is none would be a code that nobody can type.
        let plain = (1..=IMPORTED_BYTES_MAX).contains(&code.len())
            && !code.starts_with("$2")
            && !code.chars().any(char::is_control);
        if !plain {
            return Err(InvalidBackupCode);
        }
        Ok(format!("hmac:{}", STANDARD_NO_PAD.encode(self.tag(code))))
    }

    /// Which of the stored codes this is, exactly as it was shown. The caller removes it.
    ///
    /// Imported bcrypt digests take as long as they take: not for async code.
    pub fn find(&self, code: &str, stored: &[String]) -> Option<usize> {
        let tag = format!("hmac:{}", STANDARD_NO_PAD.encode(self.tag(code)));
        // All are compared, so that time does not tell which one it was.
        let found = stored.iter().enumerate().fold(None, |found, (index, stored)| {
            if same(stored.as_bytes(), tag.as_bytes()) { found.or(Some(index)) } else { found }
        });
        found.or_else(|| stored.iter().position(|stored| matches_bcrypt(code, stored)))
    }

    fn tag(&self, code: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        // The lengths are told apart: no user id contains a zero.
        context.update(b"backup_code\0");
        context.update(self.user_id.as_bytes());
        context.update(b"\0");
        context.update(code.as_bytes());
        context.sign()
    }
}

fn matches_bcrypt(code: &str, stored: &str) -> bool {
    Digest::from_text(stored).is_ok_and(|digest| {
        digest.algorithm() == Algorithm::Bcrypt
            && digest.verify(code.as_bytes(), &mut Memory::new()) == Verdict::Match
    })
}

impl fmt::Display for InvalidBackupCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("neither a backup code nor its bcrypt digest")
    }
}

impl std::error::Error for InvalidBackupCode {}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new(*b"12345678901234567890")
    }

    #[test]
    fn codes_of_rfc_6238() {
        // Appendix B, the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret().code(seconds / 30), code);
            assert_eq!(secret().verify(code, seconds, None), Some(seconds / 30));
        }
    }

    #[test]
    fn codes_of_rfc_4226() {
        for (code, step) in ["755224", "287082", "359152", "969429"].into_iter().zip(0_u64..) {
            assert_eq!(secret().code(step), code);
        }
    }

    #[test]
    fn neighbouring_steps_match_and_no_others() {
        let now = 1_111_111_111;
        let step = now / 30;
        for near in [step - 1, step, step + 1] {
            assert_eq!(secret().verify(&secret().code(near), now, None), Some(near));
        }
        for far in [step - 2, step + 2] {
            assert_eq!(secret().verify(&secret().code(far), now, None), None);
        }
        assert_eq!(secret().verify(&secret().code(0), 0, None), Some(0));
        assert_eq!(secret().verify("000000", u64::MAX, None), None);
    }

    #[test]
    fn code_is_spent_with_its_step() {
        let now = 1_111_111_111;
        let step = secret().verify("050471", now, None).expect("right");
        assert_eq!(secret().verify("050471", now, Some(step)), None);
        assert_eq!(secret().verify("050471", now, Some(step - 1)), Some(step));
        let next = secret().code(step + 1);
        assert_eq!(secret().verify(&next, now, Some(step)), Some(step + 1));
        assert_eq!(secret().verify("050471", now, Some(step + 1)), None, "nor an older one");
    }

    #[test]
    fn code_is_exactly_six_digits() {
        for code in ["", "50471", "0050471", " 050471", "050 471", "０５０４７１", "050471\0"]
        {
            assert_eq!(secret().verify(code, 1_111_111_111, None), None, "{code:?}");
        }
    }

    #[test]
    fn secrets_are_base32() {
        // RFC 4648, chapter 10.
        for (text, bytes) in [
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("mzxw6ytboi", "foobar"),
        ] {
            let secret = Secret::parse(text).expect("base32");
            assert_eq!(secret.0, bytes.as_bytes());
            assert_eq!(secret.to_base32(), text.trim_end_matches('=').to_uppercase());
        }
        assert_eq!(Secret::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), Ok(secret()));
        for text in ["", "====", "M", "MZX", "MZXW6Y", "MZXW 6YTB", "MZXW1", "MZ=W", "é", "0189"] {
            assert_eq!(Secret::parse(text), Err(InvalidSecret), "{text:?}");
        }
        assert_eq!(Secret::parse(&"A".repeat(1000)), Err(InvalidSecret));
        assert_eq!(format!("{:?}", secret()), "Secret(…)");
    }

    #[test]
    fn uri_is_encoded() {
        assert_eq!(
            secret().uri("Ada & Co", "ada@example.com"),
            "otpauth://totp/Ada%20%26%20Co:ada%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ada%20%26%20Co"
        );
    }

    #[test]
    fn backup_codes_are_found_as_they_were_shown() {
        let mut randomness = [[0; CODE_LETTERS]; BACKUP_CODES];
        for (index, byte) in randomness.iter_mut().flatten().enumerate() {
            *byte = u8::try_from(index * 37 % 256).expect("a byte");
        }
        let codes = backup_codes(&randomness);
        let ours = BackupCodes::new(&[1; 32], "user_1");
        let store = |code: &String| ours.store(code).expect("a code");
        let mut stored: Vec<_> = codes.iter().map(store).collect();
        assert!(codes.iter().all(|code| code.len() == CODE_LETTERS));
        assert!(stored.iter().zip(&codes).all(|(stored, code)| !stored.contains(code.as_str())));
        assert_eq!(ours.find(&codes[7], &stored), Some(7));
        assert_eq!(ours.find(&codes[7].to_uppercase(), &stored), None);
        assert_eq!(ours.find(&format!("{} ", codes[7]), &stored), None);
        assert_eq!(ours.find("", &stored), None);
        assert_eq!(ours.find(&stored[7], &stored), None, "what is stored is no code");
        assert_eq!(BackupCodes::new(&[1; 32], "user_2").find(&codes[7], &stored), None);
        assert_eq!(BackupCodes::new(&[2; 32], "user_1").find(&codes[7], &stored), None);
        stored.remove(7);
        assert_eq!(ours.find(&codes[7], &stored), None);
    }

    #[test]
    fn imported_codes_are_plain_or_bcrypt() {
        let ours = BackupCodes::new(&[1; 32], "user_1");
        // bcrypt of "U*U", by the test program of crypt_blowfish.
        let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        let stored: Vec<_> =
            ["12345678", bcrypt].iter().map(|code| ours.store(code).expect("a code")).collect();
        assert_eq!(ours.find("12345678", &stored), Some(0));
        assert_eq!(ours.find("U*U", &stored), Some(1));
        assert_eq!(ours.find(bcrypt, &stored), None);
        let long = "1".repeat(65);
        for code in ["", "$2b$99$broken", "1234\n", long.as_str()] {
            assert_eq!(ours.store(code), Err(InvalidBackupCode), "{code:?}");
        }
    }
}
