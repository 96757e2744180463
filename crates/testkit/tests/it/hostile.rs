//! Input that nobody means well by: it is refused, and changes nothing.

use std::fmt::Write as _;

use serde_json::json;
use testkit::{Request, Response, TestServer, escaped};
use wire::Body;

use crate::ask::{Ask, world};

/// Statuses and codes of refusals that concern a body as a whole.
const UNREADABLE: &[(u16, &str)] = &[(400, "request_body_invalid")];

#[tokio::test]
async fn inp_04_bodies_that_are_not_json_objects_are_refused() {
    let server = TestServer::start().await;
    let ids = world(&server).await;
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [(&str, Vec<u8>); 14] = [
        ("half", b"{\"first_name\":".to_vec()),
        ("array", b"[]".to_vec()),
        ("text", b"\"text\"".to_vec()),
        ("number", b"1".to_vec()),
        ("null", b"null".to_vec()),
        ("two", b"{}{}".to_vec()),
        ("deep", deep.into()),
        ("huge number", b"{\"a\":1e400}".to_vec()),
        ("no UTF-8", b"{\"a\":\"\xff\"}".to_vec()),
        ("lone surrogate", br#"{"a":"\ud800"}"#.to_vec()),
        ("raw NUL", b"{\"a\":\"\0\"}".to_vec()),
        ("NUL alone", b"\0".to_vec()),
        ("not a number", b"{\"a\":NaN}".to_vec()),
        ("byte order mark", b"\xef\xbb\xbf{}".to_vec()),
    ];
    for operation in domain::backend_api().0 {
        if operation.meta.body != Body::Fields {
            continue;
        }
        let before = server.dump().await;
        for (what, body) in &bodies {
            let ask = Ask::new(operation.meta, &ids).body("application/json", body.clone());
            let response = ask.send(&server, server.secret_key()).await;
            let of = format!("{what} to {}", operation.meta.name);
            response.assert_refusal(&of);
            let said = (response.status, response.code());
            let fits =
                UNREADABLE.iter().any(|(status, code)| (*status, *code) == (said.0, &*said.1));
            assert!(fits, "{of}: {said:?}");
        }
        assert_eq!(server.dump().await, before, "{}", operation.meta.name);
    }
}

#[tokio::test]
async fn inp_04_a_million_keys_are_refused_in_few_words() {
    let server = TestServer::start().await;
    let mut body = "{".to_owned();
    for number in 0..80_000 {
        let _ = write!(body, "\"k{number}\":1,");
    }
    body.pop();
    let response = post(&server, "application/json", body + "}").await;

    response.assert_refusal("many keys");
    assert_eq!((response.status, response.code().as_str()), (422, "form_param_unknown"));
    assert!(response.body.len() < 20_000, "{}", response.body.len());
}

#[tokio::test]
async fn inp_02_bodies_end_at_a_megabyte() {
    let server = TestServer::start().await;
    let text = "a".repeat(1 << 20);
    let response =
        post(&server, "application/json", format!("{{\"first_name\":\"{text}\"}}")).await;

    response.assert_refusal("large");
    assert_eq!((response.status, response.code().as_str()), (413, "request_body_too_large"));

    // Refused for what it says it is, before any of it is read.
    let announced = Request::new("POST", "/v1/users").bearer(server.secret_key());
    let announced = announced.header("content-type", "application/json");
    let response = server.call(announced.header("content-length", "99999999")).await;
    assert_eq!(response.status, 413);
}

#[tokio::test]
async fn inp_03_compressed_and_foreign_bodies_are_not_read() {
    let server = TestServer::start().await;
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let request = Request::new("POST", "/v1/users")
            .bearer(server.secret_key())
            .header("content-encoding", encoding)
            .json(&json!({}));
        let response = server.call(request).await;
        response.assert_refusal(encoding);
        assert_eq!((response.status, response.code().as_str()), (415, "unsupported_content_type"));
    }
    let foreign = ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "/"];
    for content_type in foreign {
        let response = post(&server, content_type, "{}").await;
        response.assert_refusal(content_type);
        assert_eq!(response.status, 415, "{content_type}");
    }
    assert_eq!(server.events().await, [""; 0]);
}

#[tokio::test]
async fn inp_05_queries_that_are_not_text_are_refused() {
    let server = TestServer::start().await;
    let many = (0..2000).map(|number| format!("k{number}=1")).collect::<Vec<_>>().join("&");
    let queries = [
        "a[b][c]=1",
        "%=1",
        "first_name=",
        "=",
        "limit=10&limit=10",
        "limit",
        "limit=%31%30%",
        "query=%ff",
        "query=%c3%28",
        "query=%00",
        "query=%zz",
        "query=%",
        "order_by=%ff",
        &many,
    ];
    for query in queries {
        let request =
            Request::new("GET", &format!("/v1/users?{query}")).bearer(server.secret_key());
        let response = server.call(request).await;
        let shown: String = query.chars().take(40).collect();
        response.assert_refusal(&shown);
        assert!(matches!(response.status, 400 | 422), "{shown}: {}", response.status);
    }
}

#[tokio::test]
async fn inp_06_long_heads_are_refused() {
    let server = TestServer::start().await;
    let request = || Request::new("GET", "/v1/users").bearer(server.secret_key());
    let long = request().header("x-long", &"a".repeat(64 << 10));
    let many = (0..1000).fold(request(), |request, n| request.header(&format!("x-{n}"), "a"));
    for (what, request) in [("long", long), ("many", many)] {
        let response = server.call(request).await;
        response.assert_refusal(what);
        let said = (response.status, response.code());
        assert_eq!(said, (431, "request_headers_too_large".to_owned()), "{what}");
    }
    let path = format!("/v1/users/{}", "a".repeat(10 << 10));
    let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
    assert!(matches!(response.status, 404 | 414), "{}", response.status);
}

#[tokio::test]
async fn inp_07_forms_that_make_no_sense_are_refused() {
    let server = TestServer::start().await;
    let ids = world(&server).await;
    let operations = domain::backend_api().0;
    let Some(upload) = operations.iter().find(|operation| operation.meta.body == Body::Upload)
    else {
        return;
    };
    let part = "--b\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n1\r\n";
    let evil = "--b\r\ncontent-disposition: form-data; name=\"file\"; \
                filename=\"../../etc/passwd\"\r\n\r\nnot a picture\r\n--b--\r\n";
    let bodies = [
        ("multipart/form-data", "--b--\r\n".to_owned()),
        ("multipart/form-data; boundary=b", String::new()),
        ("multipart/form-data; boundary=b", "no part at all".to_owned()),
        ("multipart/form-data; boundary=b", "--b--\r\n".to_owned()),
        ("multipart/form-data; boundary=b", part.to_owned()),
        ("multipart/form-data; boundary=b", part.repeat(10_000) + "--b--\r\n"),
        ("multipart/form-data; boundary=b", evil.to_owned()),
        ("multipart/mixed; boundary=b", evil.to_owned()),
        ("application/json", "{}".to_owned()),
    ];
    let before = server.dump().await;
    for (content_type, body) in bodies {
        let shown: String = body.chars().take(60).collect();
        let ask = Ask::new(upload.meta, &ids).body(content_type, body);
        let response = ask.send(&server, server.secret_key()).await;
        response.assert_refusal(&format!("{content_type} {shown}"));
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn inp_11_bounds_of_pages_are_kept() {
    let server = TestServer::start().await;
    for (query, code) in [
        ("limit=0", "form_param_value_invalid"),
        ("limit=-1", "form_param_value_invalid"),
        ("limit=501", "form_param_value_too_large"),
        ("limit=1000000000000000000", "form_param_value_too_large"),
        ("offset=-1", "form_param_value_invalid"),
        ("offset=1000000000000000000", "form_param_value_too_large"),
    ] {
        let request =
            Request::new("GET", &format!("/v1/users?{query}")).bearer(server.secret_key());
        let response = server.call(request).await;
        response.assert_refusal(query);
        assert_eq!((response.status, response.code().as_str()), (422, code), "{query}");
    }
}

#[tokio::test]
async fn inp_12_what_means_something_to_databases_means_nothing_here() {
    let server = TestServer::start().await;
    world(&server).await;
    let texts = [
        "%",
        "_",
        "a%a",
        "' or 1=1 --",
        "\\",
        "a\\%",
        "\"",
        "*",
        "NEAR(ada byron)",
        "ada*",
        "-ada",
    ];
    let names =
        ["query", "name_query", "username_query", "email_address_query", "phone_number_query"];
    for name in names {
        for text in texts {
            // Ids and external ids hold these to the letter.
            if name == "query" && ["_", "-ada"].contains(&text) {
                continue;
            }
            let path = format!("/v1/users?{name}={}", escaped(text));
            let response =
                server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
            let found = String::from_utf8_lossy(&response.body);
            assert_eq!((response.status, &*found), (200, "[]"), "{name} {text}");
        }
    }
    for order in
        ["id", "created_at;--", "+-created_at", "password", "created_at desc", "(select 1)"]
    {
        let path = format!("/v1/users?order_by={}", escaped(order));
        let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
        response.assert_refusal(order);
    }
}

#[tokio::test]
async fn inp_18_ids_are_only_text() {
    let server = TestServer::start().await;
    let ids =
        ["..%2f..%2fetc", "%2e%2e", "%F0%9F%98%80", "null", "*", "%27%20or%201=1", "a%0d%0ab"];
    for id in ids {
        let path = format!("/v1/users/{id}");
        let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
        response.assert_refusal(id);
        assert_eq!(
            (response.status, response.code().as_str()),
            (404, "resource_not_found"),
            "{id}"
        );
    }
}

#[tokio::test]
async fn the_version_asked_for_must_be_one() {
    let server = TestServer::start().await;
    let request =
        |query: &str| Request::new("GET", &format!("/v1/users{query}")).bearer(server.secret_key());
    for version in ["", "2020-01-01", "latest", "2026-13-01", "9999-99-99"] {
        let response = server.call(request("").header("clerk-api-version", version)).await;
        response.assert_refusal(version);
        assert_eq!((response.status, response.code().as_str()), (400, "api_version_invalid"));
    }
    for version in
        ["2021-02-05", "2024-10-01", "2025-04-10", "2025-11-10", "2026-05-12", "2030-01-01"]
    {
        let header = server.call(request("").header("clerk-api-version", version)).await;
        let query = server.call(request(&format!("?__clerk_api_version={version}"))).await;
        assert_eq!((header.status, query.status), (200, 200), "{version}");
    }
}

async fn post(server: &TestServer, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    let request = Request::new("POST", "/v1/users").bearer(server.secret_key());
    server.call(request.body(content_type, body)).await
}
