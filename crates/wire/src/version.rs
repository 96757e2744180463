//! API versions, which are dates.

/// Every published version, oldest first.
pub const VERSIONS: &[&str] =
    &["2021-02-05", "2024-10-01", "2025-04-10", "2025-11-10", "2026-05-12"];

/// The version the types of this crate speak.
pub const NEWEST: Version = Version(VERSIONS[VERSIONS.len() - 1]);

/// A version that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(&'static str);

impl Version {
    /// Reads `2026-05-12`. A date after the newest is served as the newest, since current
    /// official components send such ones; any other unknown date is nothing we know.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(known) = VERSIONS.iter().find(|known| **known == text) {
            return Some(Self(known));
        }
        match text {
            // An early cut of what became the next version.
            "2025-03-12" => Some(Self("2025-04-10")),
            _ if is_date(text) && text > NEWEST.0 => Some(NEWEST),
            _ => None,
        }
    }

    /// As written in a header.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// True if this version came with `date` or after it.
    pub fn is_since(self, date: &str) -> bool {
        self.0 >= date
    }
}

impl Default for Version {
    fn default() -> Self {
        NEWEST
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && ("01"..="12").contains(&&text[5..7])
        && ("01"..="31").contains(&&text[8..])
}

#[cfg(test)]
mod tests {
    use super::{NEWEST, Version};

    #[test]
    fn known_newer_and_unknown_dates_are_told_apart() {
        assert_eq!(Version::parse("2024-10-01").map(Version::as_str), Some("2024-10-01"));
        assert_eq!(Version::parse("2025-03-12").map(Version::as_str), Some("2025-04-10"));
        assert_eq!(Version::parse("2099-01-31"), Some(NEWEST));
        for text in ["", "2023-01-01", "2099-13-01", "9", "v1", "2026-05-1a"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
