//! What browsers open on a development server, and what strangers do not see.

use std::{fs, path::Path};

use serde_json::Value;

use crate::process::{Place, Running, failure, status, vestry, with};

/// The body of an answer.
fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn get(server: &Running, path: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().flat_map(|header| [header, "\r\n"]).collect();
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    server.raw(&format!("GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n"))
}

#[tokio::test]
async fn answers_about_codes_may_be_delayed() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &["--verification-delay", "700ms"]);
    let ask = |path: &str| {
        #[expect(clippy::disallowed_methods, reason = "how long the answer takes")]
        let started = std::time::Instant::now();
        let head = "HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close";
        let answer = server.raw(&format!("POST {path} {head}\r\n\r\n"));
        assert!(status(&answer).is_some(), "{answer}");
        started.elapsed() >= std::time::Duration::from_millis(700)
    };
    for path in ["sign_ins/sia_1/prepare_first_factor", "sign_ups/sua_1/attempt_verification"] {
        assert!(ask(&format!("/v1/client/{path}")), "{path}");
    }
    // Slow machines may be late with anything once.
    assert!((0..5).any(|_| !ask("/v1/dev_browser")), "everything is delayed");
    for wrong in ["0.3", "300", "ms", "21s", "-1ms"] {
        let (code, text) = failure(&["dev", &format!("--verification-delay={wrong}")]);
        assert_eq!(code, Some(2), "{wrong}: {text}");
        assert!(text.contains("a time is like 300ms or 2s"), "{text}");
    }
}

/// A folder with one version, as `vestry ui add` leaves it.
fn installed(folder: &Path, package: &str, version: &str, files: &[(&str, &str)]) {
    let dist = folder.join(package).join(version).join("dist");
    fs::create_dir_all(&dist).expect("made");
    for (name, text) in files {
        fs::write(dist.join(name), text).expect("written");
    }
}

#[tokio::test]
async fn scripts_are_found_by_tag_and_by_version() {
    let place = Place::empty().await;
    let ui = place.folder.path().join("ui");
    installed(&ui, "@clerk/clerk-js", "6.9.0", &[("clerk.browser.js", "old")]);
    let files = [("clerk.browser.js", "new"), ("clerk.browser.js.gz", "zip"), ("chunk_1.js", "c")];
    installed(&ui, "@clerk/clerk-js", "6.40.0", &files);
    fs::write(ui.join("secret.js"), "secret").expect("written");
    let server = Running::dev(&place, &["--ui-dir", &ui.display().to_string()]);

    for prefix in ["", "/__clerk"] {
        for tag in ["@6", "@6.40", "@6.40.0", "@latest", ""] {
            let path = format!("{prefix}/npm/@clerk/clerk-js{tag}/dist/clerk.browser.js");
            let answer = get(&server, &path, &["Origin: https://app.example"]);
            assert_eq!((status(&answer), body(&answer)), (Some(200), "new"), "{path}");
            assert!(answer.contains("access-control-allow-origin: *\r\n"), "{answer}");
            assert!(
                answer.contains("content-type: text/javascript; charset=utf-8\r\n"),
                "{answer}"
            );
            assert_eq!(answer.contains("immutable"), tag == "@6.40.0", "{answer}");
        }
    }
    let zipped =
        get(&server, "/npm/@clerk/clerk-js@6/dist/clerk.browser.js", &["Accept-Encoding: gzip"]);
    assert!(zipped.contains("content-encoding: gzip\r\n") && body(&zipped) == "zip", "{zipped}");
    let known = ["If-None-Match: \"6.40.0\""];
    let same = get(&server, "/npm/@clerk/clerk-js@6/dist/clerk.browser.js", &known);
    assert_eq!((status(&same), body(&same)), (Some(304), ""));
    let old = get(&server, "/npm/@clerk/clerk-js@6.9.0/dist/clerk.browser.js", &[]);
    assert_eq!(body(&old), "old");
    server.stop();
}

#[tokio::test]
async fn a_script_that_is_missing_comes_with_advice() {
    let place = Place::empty().await;
    let ui = place.folder.path().join("ui");
    let server = Running::dev(&place, &["--ui-dir", &ui.display().to_string()]);
    let ask = |path: &str| get(&server, path, &[]);
    let answer = ask("/npm/@clerk/clerk-js@6/dist/clerk.browser.js");
    assert_eq!(status(&answer), Some(404));
    assert!(body(&answer).contains("vestry ui add @clerk/clerk-js@6\n"), "{answer}");

    // Also while it runs.
    installed(&ui, "@clerk/ui", "1.36.0", &[("ui.browser.js", "ui")]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(body(&ask("/npm/@clerk/ui@1/dist/ui.browser.js")), "ui");
    server.stop();
}

#[tokio::test]
async fn web_20_no_path_leads_out_of_the_packages() {
    let place = Place::empty().await;
    let ui = place.folder.path().join("ui");
    installed(&ui, "@clerk/ui", "1.36.0", &[("ui.browser.js", "ui")]);
    fs::write(ui.join("secret.js"), "secret").expect("written");
    let server = Running::dev(&place, &["--ui-dir", &ui.display().to_string()]);
    for path in [
        "/npm/@clerk/ui@1/dist/../../../../secret.js",
        "/npm/@clerk/ui@1/dist/..%2f..%2f..%2f..%2fsecret.js",
        "/npm/@clerk/ui@1.36.0/dist/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret.js",
        "/npm/@clerk/ui@../../dist/secret.js",
        "/npm/@clerk/ui@../..//dist/secret.js",
        "/npm/../secret.js",
        "/npm/@clerk/ui@1/package.json",
        "/npm/@clerk/ui@1/dist/",
        "/npm/@clerk/ui@1/dist",
        "/npm/",
        "/assets/../../Cargo.toml",
    ] {
        let answer = get(&server, path, &[]);
        assert_eq!(status(&answer), Some(404), "{path}");
        assert!(!body(&answer).contains("secret"), "{answer}");
    }
    server.stop();
}

#[tokio::test]
async fn the_start_page_shows_keys_to_whoever_is_here() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let page = get(&server, "/", &[]);
    assert_eq!(status(&page), Some(200));
    for name in ["publishable_key", "secret_key", "api_url", "frontend_api_url"] {
        assert!(page.contains(&server.said(name)), "{name}");
    }
    assert!(page.contains("vestry ui add"), "the components are missing");
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-frame-options: DENY",
        "x-content-type-options: nosniff",
        "referrer-policy:",
        "cache-control: no-store",
        "cross-origin-opener-policy: same-origin",
    ] {
        assert!(page.contains(header), "{header}");
    }
    assert!(!page.contains("<script>") && !page.contains(" style="), "the policy would block it");
    // A name that a page of somebody else's can point here shows nothing.
    for path in ["/", "/inbox", "/dev/inbox"] {
        let page = get(&server, path, &["Host: rebound.example:8787"]);
        assert_eq!(status(&page), Some(403), "{path}");
        assert!(!page.contains("sk_test_"));
    }
    server.stop();
}

#[tokio::test]
async fn production_has_neither_start_page_nor_inbox() {
    let place = Place::empty().await;
    let server = Running::serve(&place, &["--public-url", "https://auth.example.com"]);
    for path in ["/", "/inbox", "/dev/inbox", "/dev/inbox?wait=10s", "/__clerk/inbox"] {
        assert_eq!(server.get(path, &["Host: auth.example.com"]), 404, "{path}");
        assert_eq!(server.get(path, &[]), 404, "{path}");
    }
    server.stop();
}

#[tokio::test]
async fn the_host_of_the_backend_api_has_no_pages() {
    let place = Place::empty().await;
    let (public, api) = ("https://auth.example.com", "https://api.example.com");
    let server = Running::serve(&place, &["--public-url", public, "--api-url", api]);
    for path in ["/assets/portal.css", "/npm/@clerk/ui@1/dist/ui.browser.js"] {
        let with_text = |host: &str| {
            let answer = get(&server, path, &[&format!("Host: {host}")]);
            !answer.contains("content-type: application/json")
        };
        assert!(with_text("auth.example.com"), "{path}");
        assert!(!with_text("api.example.com"), "{path}");
    }
    server.stop();
}

#[tokio::test]
async fn the_inbox_tells_the_next_message() {
    let place = Place::empty().await;
    let server = Running::dev(&place, &[]);
    let inbox = |query: &str| -> Value {
        let answer = get(&server, &format!("/dev/inbox?{query}"), &[]);
        assert_eq!(status(&answer), Some(200), "{answer}");
        serde_json::from_str(body(&answer)).expect("JSON")
    };
    assert_eq!(inbox("")["data"], serde_json::json!([]));
    for bad in ["wait=11s", "wait=soon", "kind=fax", "whom=ada"] {
        let answer = get(&server, &format!("/dev/inbox?{bad}"), &[]);
        assert!(matches!(status(&answer), Some(422 | 400)), "{bad}: {answer}");
    }
    change_primary_address(&server);

    let sent = inbox("to=ADA@example.com&wait=10s");
    assert_eq!(sent["data"][0]["to"], "ada@example.com");
    assert_eq!(sent["data"][0]["kind"], "email");
    assert_eq!(sent["data"][0]["slug"], "primary_email_address_changed");
    assert_eq!(inbox("to=grace@example.com")["data"], serde_json::json!([]));
    assert_eq!(inbox("kind=sms")["data"], serde_json::json!([]));
    let last = sent["data"][0]["id"].as_str().expect("an id");
    assert_eq!(inbox(&format!("after={last}&wait=200ms"))["data"], serde_json::json!([]));
    let page = get(&server, "/inbox", &[]);
    assert!(page.contains("ada@example.com"), "{page}");
    server.stop();
}

/// Has the server tell Ada's old address that it is no longer her primary one.
fn change_primary_address(server: &Running) {
    let key = server.said("secret_key");
    let send = |method: &str, path: &str, json: &str| -> Value {
        let length = json.len();
        let answer = server.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{json}"
        ));
        assert_eq!(status(&answer), Some(200), "{answer}");
        serde_json::from_str(body(&answer)).expect("JSON")
    };
    let user = send(
        "POST",
        "/v1/users",
        r#"{"email_address": ["ada@example.com"], "password": "a rather long one 7"}"#,
    );
    let id = user["id"].as_str().expect("an id");
    let new = format!(
        r#"{{"user_id": "{id}", "email_address": "new@example.com", "verified": true, "primary": true,
            "notify_primary_email_address_changed": true}}"#
    );
    send("POST", "/v1/email_addresses", &new);
}

#[tokio::test]
async fn only_what_was_published_is_installed() {
    let place = Place::empty().await;
    let ui = place.path("ui");
    let file = place.path("forged.tgz");
    fs::write(&file, "forged").expect("written");
    let add = |more: &[&str]| failure(&[&["ui", "add", "--ui-dir", &ui], more].concat());
    let (code, text) = add(&["--file", &file]);
    assert_eq!(code, Some(1));
    assert!(text.contains("--integrity") && text.contains("sha512-"), "{text}");
    let (code, text) = add(&["--file", &file, "--integrity", "sha512-other"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("nothing was installed"), "{text}");
    let (code, text) = add(&["left-pad@1.3.0"]);
    assert_eq!(code, Some(2), "{text}");
    // Without npm there is advice.
    let words = with(&["ui", "add", "@clerk/ui@1.0.0", "--ui-dir", &ui], &[]);
    let output = vestry(&words).env("PATH", "").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("npm cannot be started"), "{text}");
    assert!(!Path::new(&ui).join("@clerk").exists());
}
