//! Versions of packages, in their order.

use std::{cmp::Ordering, fmt};

/// `6.40.0`, or `6.41.0-canary.v20260901`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    /// What stands after the `-` of a version that is yet to come.
    before: Option<String>,
}

impl Version {
    /// Reads an exact version.
    pub fn parse(text: &str) -> Option<Self> {
        let (numbers, before) = match text.split_once('-') {
            Some((numbers, before)) => (numbers, Some(before)),
            None => (text, None),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        if before.is_some_and(|before| before.is_empty() || !before.bytes().all(plain)) {
            return None;
        }
        let mut parts = numbers.split('.').map(number);
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        let before = before.map(str::to_owned);
        parts.next().is_none().then_some(Self { numbers, before })
    }

    /// True if `tag` may mean this version: `6`, `6.40`, the version itself, or any word.
    pub(crate) fn is_meant_by(&self, tag: &str) -> bool {
        if let Some(exact) = Self::parse(tag) {
            return exact == *self;
        }
        let numbers: Option<Vec<_>> = tag.split('.').map(number).collect();
        match numbers {
            Some(numbers) => self.before.is_none() && self.numbers.starts_with(&numbers),
            None if tag == "latest" => self.before.is_none(),
            // `canary`, `snapshot`: whatever is there.
            None => !tag.starts_with(|first: char| first.is_ascii_digit()),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |version: &Self| (version.numbers, version.before.is_none());
        key(self).cmp(&key(other)).then_with(|| self.before.cmp(&other.before))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        self.before.as_ref().map_or(Ok(()), |before| write!(f, "-{before}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_sort_by_their_numbers() {
        let mut versions = ["6.40.0", "6.9.1", "5.128.0", "6.40.0-canary.1"]
            .map(|text| Version::parse(text).expect("a version"));
        versions.sort();
        let texts = versions.map(|version| version.to_string());
        assert_eq!(texts, ["5.128.0", "6.9.1", "6.40.0-canary.1", "6.40.0"]);
        for bad in
            ["6", "6.40", "6.40.0.1", "6.40.x", "6.40.0-", "+6.1.1", "6.40.0-../..", "..", ""]
        {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_means_some_versions() {
        let version = Version::parse("6.40.0").expect("a version");
        for tag in ["6", "6.40", "6.40.0", "latest", "canary", "snapshot"] {
            assert!(version.is_meant_by(tag), "{tag}");
        }
        for tag in ["5", "6.4", "6.40.1", "6.x", "6.40.0.0", "64"] {
            assert!(!version.is_meant_by(tag), "{tag}");
        }
        let canary = Version::parse("6.41.0-canary.1").expect("a version");
        assert!(canary.is_meant_by("6.41.0-canary.1") && !canary.is_meant_by("6"));
    }
}
