//! Passwords that everybody tries first.
//!
//! The list holds what is commonest among the passwords of known breaches (Pwned Passwords), as
//! Royce Williams compiled it and Django ships it under the BSD licence beside it; those shorter
//! than eight characters are left out, since hardly any instance takes them.

use std::{collections::HashSet, sync::LazyLock};

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../data/common.txt").lines().collect());

/// True for one of the commonest passwords of breaches, in whatever case it is written.
pub fn is_common(password: &str) -> bool {
    COMMON.contains(password.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::is_common;

    #[test]
    fn the_commonest_are_known_in_any_case() {
        assert!(["password1", "Password1", "12345678", "1q2w3e4r"].into_iter().all(is_common));
        assert!(!["", "password1 ", "a blue whale sings"].into_iter().any(is_common));
    }
}
