//! What is made of settings, and what is said of wrong ones.

use std::{io::Write as _, path::PathBuf};

use super::{Given, KNOWN, PREFIX, Serve, Store};
use crate::{data::Folder, failure::Failure};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn serve(
    flags: &[(&'static str, &str)],
    file: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<Serve, Vec<String>> {
    let own = |text: &str| text.to_owned();
    let mut folder = tempfile::NamedTempFile::new().expect("a file is made");
    let config = file.map(|text| {
        folder.write_all(text.as_bytes()).expect("the file is written");
        PathBuf::from(folder.path())
    });
    let flags = flags.iter().map(|(name, text)| (*name, Some(own(text)))).collect();
    let variables = variables.iter().map(|(name, text)| (own(name), own(text)));
    Given::gather(flags, config, variables).serve().map_err(|failure| match failure {
        Failure::Settings(problems) => problems,
        Failure::Other(text) => vec![text],
    })
}

#[track_caller]
fn refused(
    flags: &[(&'static str, &str)],
    file: Option<&str>,
    variables: &[(&str, &str)],
    parts: &[&str],
) {
    let Err(problems) = serve(flags, file, variables) else { panic!("nothing is refused") };
    let all = problems.join("\n");
    for part in parts {
        assert!(all.contains(part), "{part:?} is not in:\n{all}");
    }
    assert_eq!(problems.len(), parts.len(), "{all}");
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    refused(
        &[],
        None,
        &[],
        &["listen is missing", "data or database_url", "public_url is missing"],
    );
}

#[test]
fn flags_win_over_variables_and_those_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\npublic_url = \"https://file.example.com\"\ndata = \"f\"";
    let variables =
        [("VESTRY_LISTEN", "127.0.0.1:2"), ("VESTRY_PUBLIC_URL", "https://variable.example.com")];
    let Ok(serve) = serve(&[("listen", "127.0.0.1:3")], Some(file), &variables) else {
        panic!("refused");
    };
    assert_eq!(serve.listen.port(), 3);
    assert_eq!(serve.public_url.host_str(), Some("variable.example.com"));
    assert_eq!(serve.store, Store::Folder(Folder("f".into())));
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    let flags =
        [("listen", "127.0.0.1:0"), ("data", "d"), ("public_url", "https://auth.example.com")];
    let parts = ["publik_url", "did you mean public_url?"];
    let Err(problems) = serve(&flags, Some("publik_url = \"x\""), &[]) else { panic!("taken") };
    assert!(parts.iter().all(|part| problems[0].contains(part)), "{problems:?}");
    refused(&flags, None, &[("VESTRY_LISTN", "x")], &["did you mean VESTRY_LISTEN?"]);
    refused(&flags, Some("root_key = \"x\""), &[], &["root_key_file"]);
    assert!(serve_ok(&flags, &[("VESTRY_PORT_8787_TCP", "x"), ("VESTRY_SERVICE_HOST", "x")]));
}

fn serve_ok(flags: &[(&'static str, &str)], variables: &[(&str, &str)]) -> bool {
    serve(flags, None, variables).is_ok()
}

#[test]
fn contradictions_are_named_at_once_and_secrets_are_not() {
    let flags = [
        ("listen", "here"),
        ("data", "d"),
        ("database_url", "postgres://u:hunter2@h/d"),
        ("public_url", "http://auth.example.com"),
        ("api_url", "https://api"),
        ("proxy_path", "clerk"),
        ("stop_delay_seconds", "soon"),
        ("trusted_proxies", "the one in front"),
        ("log", "loud=very"),
        ("root_key_file", "nowhere"),
    ];
    let variables = [("VESTRY_ROOT_KEY", KEY)];
    let parts = [
        "listen (--listen)",
        "data (--data) and database_url (--database-url)",
        "begin with https://",
        "must have a dot",
        "proxy_path",
        "stop_delay_seconds",
        "trusted_proxies (--trusted-proxies)",
        "log (--log)",
        "VESTRY_ROOT_KEY and root_key_file",
    ];
    refused(&flags, None, &variables, &parts);
    let Err(problems) = serve(&flags, None, &variables) else { panic!("taken") };
    assert!(!problems.iter().any(|text| text.contains("hunter2") || text.contains(KEY)));
}

#[test]
fn a_database_of_many_servers_needs_its_key_named() {
    let flags = [
        ("listen", "127.0.0.1:0"),
        ("database_url", "postgres://h/d"),
        ("public_url", "https://auth.example.com"),
    ];
    refused(&flags, None, &[], &["root_key_file is missing"]);
    refused(&flags, None, &[("VESTRY_ROOT_KEY", "short")], &["32 bytes"]);
    assert!(serve_ok(&flags, &[("VESTRY_ROOT_KEY", KEY)]));
}

#[test]
fn a_public_url_is_a_host_and_no_more() {
    let with =
        |url| serve_ok(&[("listen", "127.0.0.1:0"), ("data", "d"), ("public_url", url)], &[]);
    for url in ["https://auth.example.com", "https://a.b:8443/", "http://auth.localhost:8787"] {
        assert!(with(url), "{url}");
    }
    for url in
        ["https://localhost", "https://a.b/c", "https://u@a.b", "ftp://a.b", "a.b", "https://a.b?c"]
    {
        assert!(!with(url), "{url}");
    }
}

#[test]
fn the_readme_names_every_setting() {
    const README: &str = include_str!("../../../README.md");
    // Where a stand-in for Cognito is concerns tests alone.
    for name in KNOWN.iter().map(|known| known.name).filter(|name| *name != "cognito_url") {
        let variable = format!("{PREFIX}{}", name.to_ascii_uppercase());
        assert!(README.contains(&format!("`{name}`")) || README.contains(&variable), "{name}");
    }
}
