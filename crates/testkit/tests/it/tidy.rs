//! What no linter knows of the house's rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// Who may use whom, beside what comes from elsewhere.
const ARROWS: &[(&str, &[&str])] = &[
    ("macros", &[]),
    ("wire", &["macros"]),
    ("jwt", &[]),
    ("passwords", &[]),
    ("images", &[]),
    ("sdk", &["jwt", "wire"]),
    ("db", &["wire"]),
    ("domain", &["db", "images", "jwt", "macros", "passwords", "wire"]),
    ("web", &["db", "domain", "wire"]),
    ("server", &["db", "domain", "passwords", "web", "wire"]),
    ("testkit", &["db", "domain", "jwt", "macros", "sdk", "server", "web", "wire"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Files of the repository, by their paths within it.
fn tracked() -> Vec<(String, Vec<u8>)> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let listed = listed.expect("git lists the files").stdout;
    let paths = String::from_utf8(listed).expect("paths are text");
    let paths = paths.split('\0').filter(|path| !path.is_empty());
    paths.filter_map(|path| Some((path.to_owned(), fs::read(root().join(path)).ok()?))).collect()
}

/// Rust files of the crates, but for tests.
fn sources() -> impl Iterator<Item = (String, String)> {
    tracked().into_iter().filter_map(|(path, bytes)| {
        let parts: Vec<_> = path.split('/').collect();
        let is_rust = std::path::Path::new(&path).extension().is_some_and(|end| end == "rs");
        let (["crates", _, "src", ..], true) = (parts.as_slice(), is_rust) else {
            return None;
        };
        Some((path, String::from_utf8(bytes).expect("sources are text")))
    })
}

#[test]
fn each_module_says_what_it_is() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{path} does not begin with //!");
    }
}

#[test]
fn no_file_is_longer_than_one_reads() {
    for (path, text) in sources() {
        let lines = without_tests(&text).lines().count();
        assert!(lines <= LINES_MAX, "{path} has {lines} lines");
    }
}

#[test]
fn no_function_is_longer_than_a_page() {
    let mut long = Vec::new();
    for (path, text) in sources() {
        let mut begun: Option<(String, usize, usize)> = None;
        for (number, line) in without_tests(&text).lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match &begun {
                None if is_function(line) && !line.trim_end().ends_with([';', '}']) => {
                    begun = Some((line.trim().to_owned(), indent, number));
                }
                Some((name, within, first)) if indent == *within && line.trim() == "}" => {
                    let lines = number - first + 1;
                    if lines > FUNCTION_LINES_MAX {
                        long.push(format!("{path}:{}: {lines} lines: {name}", first + 1));
                    }
                    begun = None;
                }
                // A declaration without a body.
                Some((_, within, _)) if indent == *within && line.trim_end().ends_with(';') => {
                    begun = None;
                }
                _ => {}
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

fn is_function(line: &str) -> bool {
    let is_modifier = |word: &str| matches!(word, "async" | "const") || word.starts_with("pub");
    line.split_whitespace().find(|word| !is_modifier(word)) == Some("fn")
}

#[test]
fn functions_are_known_by_any_visibility() {
    for line in ["fn a() {", "    pub(crate) fn a(", "pub(super) async fn a<T>(", "const fn a("] {
        assert!(is_function(line), "{line}");
    }
    for line in ["let a = fn_of(b);", "// fn a()", "struct A(fn(u8));", "pub mod a;"] {
        assert!(!is_function(line), "{line}");
    }
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn crates_use_only_those_below_them() {
    let members = ARROWS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for folder in fs::read_dir(root().join("crates")).expect("there are crates") {
        let folder = folder.expect("it is listed").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let allowed =
            arrows.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no place yet"));
        let dependencies = manifest.split("\n[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let fits = !members.contains(&used) || allowed.contains(&used);
            assert!(fits, "{name} must not use {used}");
        }
    }
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    // Written so that this file does not name them either.
    let places =
        [["/wo", "rk/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]].map(|two| two.concat());
    for (path, bytes) in tracked() {
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        for place in &places {
            let named = text.match_indices(place.as_str()).any(|(at, _)| {
                // Part of a longer path or an address is something else.
                let before = text[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}".contains(letter))
            });
            assert!(!named, "{path} names {place}");
        }
    }
}

#[test]
fn the_table_of_what_is_served_is_current() {
    let written = fs::read_to_string(root().join("COMPATIBILITY.md")).expect("it is there");
    let stale = "stale: cargo run -p testkit --example compatibility";
    assert!(written == testkit::compatibility::render(), "{stale}");
}

/// Names whose values tell something if comparing them takes longer the more of them is right.
///
/// One-time codes are compared by their marks; `code` alone is mostly that of an error.
const SECRETS: &[&str] =
    &["secret", "token", "digest", "mark", "mac", "signature", "password", "ticket"];

#[test]
fn jwt_27_secrets_are_not_compared_letter_by_letter() {
    let is_secret = |name: &str| {
        let name = name.trim_matches(|c: char| !c.is_alphanumeric());
        SECRETS.iter().any(|secret| name == *secret || name.ends_with(&format!("_{secret}")))
    };
    for (path, text) in sources() {
        for (number, line) in without_tests(&text).lines().enumerate() {
            for operator in [" == ", " != "] {
                let Some((left, right)) = line.split_once(operator) else { continue };
                // A word that stands in the source is no secret.
                if left.ends_with('"') || right.starts_with('"') {
                    continue;
                }
                let left = left.rsplit([' ', '.', '(', '|', '*', '&']).next();
                let right =
                    right.split([' ', ')', ',']).next().and_then(|it| it.rsplit('.').next());
                let found = [left, right].into_iter().flatten().any(is_secret);
                assert!(!found, "{path}:{}: {}", number + 1, line.trim());
            }
        }
    }
}

#[test]
fn sec_09_no_key_is_committed() {
    let is_key = |letter: char| letter.is_ascii_alphanumeric() || "+/=_-".contains(letter);
    for (path, bytes) in tracked() {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (at, start) in text.match_indices("PRIVATE KEY-----") {
            // Code that writes such a file has no key behind these words.
            let behind = &text[at + start.len()..];
            let key: String = behind.trim_start().chars().take_while(|it| is_key(*it)).collect();
            assert!(key.len() < 40, "{path} holds a private key");
        }
        for prefix in ["sk_live_", "sk_test_", "whsec_"] {
            for (at, _) in text.match_indices(prefix) {
                let key = text[at + prefix.len()..].chars().take_while(char::is_ascii_alphanumeric);
                let letters: BTreeSet<_> = key.clone().collect();
                // What stands for a key in a text repeats itself, counts or says so.
                let counts = key.clone().collect::<String>().starts_with("0123456789");
                let random = key.count() >= 32 && letters.len() > 12 && !counts;
                assert!(!random, "{path} holds a key: {prefix}…");
            }
        }
    }
}

/// Crates with a known fault that nothing mends, or that would bring a second TLS along.
const BANNED: [&str; 5] = ["native-tls", "openssl", "openssl-sys", "rsa", "sodiumoxide"];

#[test]
fn sec_08_dependencies_come_from_the_registry_and_none_is_banned() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the versions are fixed");
    let (mut names, mut wrong) = (0, Vec::new());
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
            line.map(|value| value.trim_end_matches('"').to_owned())
        };
        let name = field("name").expect("a name");
        names += 1;
        let source = field("source");
        let is_ours = source.is_none();
        let is_registry = source.is_some_and(|source| source.starts_with("registry+"));
        if !is_ours && (!is_registry || field("checksum").is_none()) {
            wrong.push(format!("{name} is from elsewhere, or has no checksum"));
        }
        if BANNED.contains(&name.as_str()) {
            wrong.push(format!("{name} is banned"));
        }
    }
    assert!(names > 100 && wrong.is_empty(), "{wrong:?} of {names}");
}

#[test]
fn the_tests_that_security_names_are_there() {
    let table = fs::read_to_string(root().join("SECURITY.md")).expect("it is there");
    let (mut found, mut missing) = (0, Vec::new());
    for row in table.lines().filter(|line| line.starts_with("| ")) {
        let mut file = String::new();
        // Names stand between backticks, titles between quotes or backticks.
        for name in row.split(['`', '"']).skip(1).step_by(2) {
            if [".rs", ".mjs", ".py"].iter().any(|end| name.ends_with(end)) {
                file = test_file(name);
                if file.is_empty() {
                    missing.push(name);
                }
                continue;
            }
            let is_function = name.matches('_').count() > 1 && !name.contains(' ');
            let is_title = name.contains(' ') && !name.starts_with("make ");
            let has = match (is_function, is_title) {
                (true, _) => file.contains(&format!("fn {name}(")),
                (_, true) => file.contains(name),
                _ => continue,
            };
            found += u32::from(has);
            if !has {
                missing.push(name);
            }
        }
    }
    assert!(found > 200 && missing.is_empty(), "{found} are there, not {missing:#?}");
}

/// The content of a file of tests, by the name that `SECURITY.md` has for it.
fn test_file(name: &str) -> String {
    let short = [("it/", "testkit/tests/it/"), ("prog/", "server/tests/program/")];
    let short = short.iter().find_map(|(short, long)| Some((long, name.strip_prefix(short)?)));
    let name = short.map_or_else(|| name.to_owned(), |(long, rest)| format!("{long}{rest}"));
    let folders = ["crates", "conformance", "."].map(|folder| root().join(folder).join(&name));
    folders.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default()
}
