//! Settings of an instance, read and changed beside a server that runs.

use std::fs;

use serde_json::Value;

use crate::process::{Place, Running, failure, run, with};

const URL: &str = "https://auth.example.com";

fn said(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn config<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["config"], words].concat()
}

#[tokio::test]
async fn a_setting_is_read_and_changed_while_a_server_runs() {
    let place = Place::empty().await;
    let flags = place.flags();
    said(&with(&["instance", "create", "--public-url", URL], &flags));
    let server = Running::serve(&place, &["--public-url", URL]);

    assert_eq!(said(&with(&config(&["get", "sign_up.mode"]), &flags)), "public\n");
    let change = config(&["set", "sign_up.mode", "waitlist", "--yes"]);
    let shown = said(&with(&change, &flags));
    assert!(
        shown.contains("- sign_up.mode = \"public\"\n+ sign_up.mode = \"waitlist\"\n"),
        "{shown}"
    );
    assert_eq!(said(&with(&config(&["get", "sign_up.mode"]), &flags)), "waitlist\n");
    assert!(said(&with(&change, &flags)).contains("Nothing changes."));
    let seconds = said(&with(&config(&["get", "session", "--json"]), &flags));
    let session: Value = serde_json::from_str(&seconds).expect("JSON");
    assert_eq!(session["lifetime_seconds"], 604_800);
    server.stop();
}

#[tokio::test]
async fn a_document_is_pulled_edited_and_applied() {
    let place = Place::empty().await;
    let flags = place.flags();
    said(&with(&["instance", "create", "--public-url", URL], &flags));
    for name in ["settings.toml", "settings.json"] {
        let file = place.path(name);
        said(&with(&["config", "pull", &file], &flags));
        assert!(said(&with(&["config", "apply", &file], &flags)).contains("Nothing changes."));
    }
    let file = place.path("part.toml");
    fs::write(&file, "[password]\nmin_length = 12\nrequire_numbers = true\n").expect("written");
    // Nobody is there to agree.
    let (code, text) = failure(&with(&["config", "apply", &file], &flags));
    assert_eq!(code, Some(2), "{text}");
    assert_eq!(said(&with(&["config", "get", "password.min_length"], &flags)), "8\n");
    let shown = said(&with(&["config", "apply", &file, "--yes"], &flags));
    assert!(shown.contains("+ password.min_length = 12\n"), "{shown}");
    assert_eq!(said(&with(&["config", "get", "password.max_length"], &flags)), "72\n");
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let place = Place::empty().await;
    let flags = place.flags();
    said(&with(&["instance", "create", "--public-url", URL], &flags));
    for (words, part) in [
        (["sign_up.mode", "secret"], "sign_up.mode"),
        (["sign_up.moode", "public"], "moode"),
        (["password.min_length", "many"], "invalid type"),
        (["lockout", "1"], "invalid type"),
    ] {
        let set = [&["config", "set"], words.as_slice(), &["--yes"]].concat();
        let (code, text) = failure(&with(&set, &flags));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(part), "{text}");
    }
    for words in [
        &["restrictions.allowlist_blocklist_disabled_on_sign_in", "true"],
        &["organizations.domains_enrollment_modes", "[\"automatic_invitation\"]"],
    ] {
        let set = [&["config", "set"], words.as_slice(), &["--yes"]].concat();
        let (code, text) = failure(&with(&set, &flags));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words[0]), "{text}");
    }
    // Whichever of the two comes second is refused.
    let (allowlist, mode) = (["restrictions.allowlist", "true"], ["sign_up.mode", "restricted"]);
    for (first, undo, second) in [
        (allowlist, ["restrictions.allowlist", "false"], mode),
        (mode, ["sign_up.mode", "public"], allowlist),
    ] {
        let set = |words: [&'static str; 2]| {
            with(&[&["config", "set"], words.as_slice(), &["--yes"]].concat(), &flags)
        };
        said(&set(first));
        let (code, text) = failure(&set(second));
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("restrictions.allowlist cannot be enabled"), "{text}");
        said(&set(undo));
    }
    let (_, text) = failure(&with(&["config", "get", "sign_up.moode"], &flags));
    assert!(text.contains("did you mean sign_up.mode?"), "{text}");
}

#[tokio::test]
async fn a_secret_is_written_and_never_told() {
    let place = Place::empty().await;
    let flags = place.flags();
    said(&with(&["instance", "create", "--public-url", URL], &flags));
    let file = place.path("captcha.toml");
    let text = "[captcha]\nsite_key = \"0x4site\"\nsecret_key = \"0x4planted\"\n\n\
                [sign_up]\ncaptcha = true\n";
    fs::write(&file, text).expect("written");
    let shown = said(&with(&["config", "apply", &file, "--yes"], &flags));
    assert!(shown.contains("+ captcha.secret_key = \"sealed\"\n"), "{shown}");
    let pulled = place.path("pulled.json");
    said(&with(&["config", "pull", &pulled], &flags));
    let told = [
        shown,
        said(&with(&["config", "get", "--json"], &flags)),
        said(&with(&["config", "get", "captcha"], &flags)),
        fs::read_to_string(&pulled).expect("written"),
    ];
    assert!(told.iter().all(|text| !text.contains("planted")), "{told:?}");
    // What was pulled says that there is one, and leaves it alone.
    assert_eq!(said(&with(&["config", "get", "captcha.secret_key"], &flags)), "sealed\n");
    assert!(said(&with(&["config", "apply", &pulled], &flags)).contains("Nothing changes."));
    let another = ["config", "set", "captcha.secret_key", "0x4planted-anew", "--yes"];
    let shown = said(&with(&another, &flags));
    assert_eq!(shown.lines().next(), Some("+ captcha.secret_key = another one"));

    let (code, text) =
        failure(&with(&["config", "set", "captcha.secret_key", "null", "--yes"], &flags));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("sign_up.captcha cannot be enabled without"), "{text}");
    let elsewhere = Place::empty().await;
    said(&with(&["instance", "create", "--public-url", URL], &elsewhere.flags()));
    let (code, text) = failure(&with(&["config", "apply", &pulled, "--yes"], &elsewhere.flags()));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("captcha.secret_key is not kept here"), "{text}");
}

#[test]
fn the_schema_describes_every_setting() {
    let schema: Value = serde_json::from_str(&said(&["config", "schema"])).expect("JSON");
    let properties = schema["properties"].as_object().expect("properties");
    assert!(properties.contains_key("sign_up") && properties.contains_key("session"));
    for (name, property) in properties {
        assert!(property["description"].is_string() || property["$ref"].is_string(), "{name}");
    }
}
