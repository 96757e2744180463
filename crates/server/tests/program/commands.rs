//! Keys and instances, beside a server that runs.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
    time::Duration,
};

use crate::process::{Place, Running, failure, json, run, vestry, with};

const URL: &str = "https://auth.example.com";

#[tokio::test]
async fn a_development_instance_is_kept_with_its_keys() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let first = server.ready.clone();
    assert_eq!(server.users(&server.said("secret_key")), 200);
    assert!(server.said("publishable_key").starts_with("pk_test_"));

    // Beside it: the same, with the port it really has.
    let shown = json(&with(&["keys", "--json"], &keys_flags(&place)));
    assert_eq!(shown, first);
    if place.database_url.is_none() {
        let (code, text) = failure(&with(&["dev", "--listen", "127.0.0.1:0"], &place.dev()));
        assert_eq!(code, Some(1));
        assert!(text.contains("another server has"), "{text}");
    }
    server.stop();

    let again = Running::dev(&place, &[]);
    for name in ["publishable_key", "secret_key", "instance_id"] {
        assert_eq!(again.ready[name], first[name], "{name}");
    }
    assert_eq!(again.users(&again.said("secret_key")), 200);
    again.stop();
}

/// The flags of `vestry keys` on data of `vestry dev`.
pub(crate) fn keys_flags(place: &Place) -> Vec<String> {
    match &place.database_url {
        None => place.dev(),
        Some(url) => ["--database-url", url, "--root-key-file", &place.path("data/root.key")]
            .map(str::to_owned)
            .to_vec(),
    }
}

#[tokio::test]
async fn what_is_printed_for_people_has_the_environment_of_an_app() {
    let place = Place::empty().await;
    let flags = place.dev();
    let mut command = crate::process::vestry(&with(&["dev", "--listen", "127.0.0.1:0"], &flags));
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let mut text = String::new();
    while !text.contains("VITE_CLERK_PROXY_URL=") {
        text += &lines.next().expect("more lines").expect("a line");
        text.push('\n');
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    for line in [
        "CLERK_PUBLISHABLE_KEY=pk_test_",
        "CLERK_SECRET_KEY=sk_test_",
        "CLERK_API_URL=http://127.0.0.1:",
        "NEXT_PUBLIC_CLERK_PROXY_URL=http://localhost:",
        "VITE_CLERK_PUBLISHABLE_KEY=pk_test_",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
}

#[tokio::test]
async fn the_secret_key_of_production_is_shown_once() {
    let place = Place::empty().await;
    let flags = place.flags();
    let create = with(&["instance", "create", "--public-url", URL, "--json"], &flags);
    let made = json(&create);
    let secret = made["secret_key"].as_str().expect("shown");
    assert!(secret.starts_with("sk_live_"));
    assert_eq!(made["api_url"], URL);

    let (code, text) = failure(&create);
    assert_eq!(code, Some(1));
    assert!(text.contains("there is an instance at auth.example.com already"), "{text}");

    let server = Running::serve(&place, &["--public-url", URL]);
    assert_eq!(server.users(secret), 200);
    let shown = json(&with(&["keys", "--json"], &flags));
    assert!(shown["secret_key"].is_null());
    for name in ["publishable_key", "instance_id", "api_url", "frontend_api_url"] {
        assert_eq!(shown[name], made[name], "{name}");
    }
    let listed = json(&with(&["instance", "list", "--json"], &flags));
    assert_eq!(listed["frontend_host"], "auth.example.com");
    server.stop();
}

#[tokio::test]
async fn a_rotated_key_ends_within_a_second_in_every_process() {
    let place = Place::empty().await;
    let flags = place.flags();
    let made = json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let old = made["secret_key"].as_str().expect("shown");
    let server = Running::serve(&place, &["--public-url", URL]);
    // A second process on the same database, where there can be one.
    let second =
        place.database_url.as_ref().map(|_| Running::serve(&place, &["--public-url", URL]));
    let servers: Vec<_> = [Some(&server), second.as_ref()].into_iter().flatten().collect();
    for server in &servers {
        assert_eq!(server.users(old), 200);
    }

    let rotated = json(&with(&["instance", "rotate-key", "--json"], &flags));
    std::thread::sleep(Duration::from_secs(1));

    let new = rotated["secret_key"].as_str().expect("shown");
    for server in servers {
        assert_eq!((server.users(old), server.users(new)), (401, 200));
    }
}

#[tokio::test]
async fn dur_23_another_root_key_is_refused_and_changes_nothing() {
    let place = Place::empty().await;
    let flags = place.flags();
    let made = json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let key = place.path("root.key");
    let right = std::fs::read(&key).expect("read");
    std::fs::write(&key, "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=").expect("written");

    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", URL];
    for words in [serve.as_slice(), &["keys"], &["instance", "rotate-key"]] {
        let (code, text) = failure(&with(words, &flags));
        assert_eq!(code, Some(1), "{words:?}");
        assert!(text.contains("the root key is not the one"), "{text}");
    }
    std::fs::write(&key, right).expect("written");

    let server = Running::serve(&place, &["--public-url", URL]);
    assert_eq!(server.users(made["secret_key"].as_str().expect("shown")), 200);
}

#[test]
fn dur_23_a_lost_root_key_is_not_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let flags = ["--data".to_owned(), data.clone()];
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));
    let key = std::path::Path::new(&data).join("root.key");
    std::fs::remove_file(&key).expect("removed");

    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", URL];
    for words in [serve.as_slice(), &["dev", "--listen", "127.0.0.1:0"]] {
        let (_, text) = failure(&with(words, &flags));
        assert!(text.contains("root.key is missing"), "{text}");
        assert!(!key.exists());
    }
}

#[test]
fn sec_05_only_the_owner_can_read_the_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("deep/data");
    let flags = ["--data".to_owned(), data.display().to_string()];
    json(&with(&["instance", "create", "--public-url", URL, "--json"], &flags));

    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&data), 0o700);
    for file in std::fs::read_dir(&data).expect("listed") {
        let path = file.expect("a file").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// Where it would listen, whether or not something else has that port.
#[test]
fn sec_10_dev_listens_on_loopback_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let mut child = vestry(&["dev", "--json", "--data", &data])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("read");
    let _ = child.kill();
    let output = child.wait_with_output().expect("gone");
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("127.0.0.1:8787"), "{said}");

    let (code, text) = failure(&["serve", "--data", &data, "--public-url", URL]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("listen is missing"), "a server says where it listens: {text}");
}

#[test]
fn help_has_examples_and_shells_their_completions() {
    for words in [&["--help"][..], &["dev", "--help"], &["serve", "--help"], &["keys", "--help"]] {
        let text = String::from_utf8(run(words).stdout).expect("text");
        assert!(text.contains("Examples:\n  vestry "), "{text}");
    }
    assert!(String::from_utf8_lossy(&run(&["--version"]).stdout).starts_with("vestry 0."));
    for shell in ["bash", "zsh", "fish"] {
        let text = run(&["completions", shell]).stdout;
        assert!(String::from_utf8_lossy(&text).contains("rotate-key"), "{shell}");
    }
    assert_eq!(run(&["nonsense"]).status.code(), Some(2));
}
