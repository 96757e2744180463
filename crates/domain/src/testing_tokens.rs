//! Testing tokens: they let tests past bot protection for an hour.
//!
//! Nothing is stored: a token is its end and a code over it, which only its instance can make.

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use wire::{
    Tag, Timestamp,
    backend::testing_tokens::{CreateTestingToken, TestingToken},
};

use crate::{Instance, Operations, Outside, Result, cx::base62};

/// How long a token lives, in seconds.
const LIFETIME_SECONDS: i64 = 3600;
/// Tells these codes from others of the same key.
const PURPOSE: &str = "testing_token";

/// What the Backend API offers about them.
pub(crate) fn operations(all: Operations) -> Operations {
    all.offer_outside(create)
}

/// Make a testing token.
async fn create(outside: &Outside, _request: CreateTestingToken) -> Result<TestingToken> {
    let expires_at = outside.now.0.div_euclid(1000) + LIFETIME_SECONDS;
    let token = token(&outside.instance, expires_at);
    Ok(TestingToken { object: Tag::new(), token, expires_at })
}

/// Whether `text` is a testing token of the instance that has not ended at `now`.
///
/// A new signing key of the instance ends those that were made before.
pub fn is_valid(instance: &Instance, text: &str, now: Timestamp) -> bool {
    let expires_at = text.split_once('-').and_then(|(seconds, _)| seconds.parse().ok());
    expires_at.is_some_and(|expires_at: i64| {
        let expected = token(instance, expires_at);
        let same = verify_slices_are_equal(expected.as_bytes(), text.as_bytes()).is_ok();
        same && now.0.div_euclid(1000) < expires_at
    })
}

fn token(instance: &Instance, expires_at: i64) -> String {
    let message = format!("{PURPOSE}.{}.{expires_at}", instance.id);
    let code = hmac::sign(&instance.signer.codes, message.as_bytes());
    let (first, second) = code.as_ref().split_at(16);
    let halves = [first, second]
        .map(|half| half.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte)));
    format!("{expires_at}-c_{}", base62(halves))
}
