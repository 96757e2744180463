//! Settings that cannot be used.

use crate::process::{failure, vestry};

#[test]
fn half_configured_it_does_not_start_and_says_all_that_is_missing() {
    let (code, text) = failure(&["serve"]);
    assert_eq!(code, Some(2));
    for name in ["listen is missing", "data or database_url is missing", "public_url is missing"] {
        assert!(text.contains(name), "{name} is not in:\n{text}");
    }
}

#[test]
fn an_unknown_setting_is_refused_with_a_suggestion() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vestry.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\npublc_url = \"https://a.b\"\n")
        .expect("written");
    let output = vestry(&["serve"])
        .env("VESTRY_CONFIG", &file)
        .env("VESTRY_DATABSE_URL", "postgres://u:hunter2@h/d")
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("did you mean public_url?"), "{text}");
    assert!(text.contains("did you mean VESTRY_DATABASE_URL?"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
