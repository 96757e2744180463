//! Allowlist, blocklist, redirect URLs, and what an instance lets in.

use serde_json::{Value, json};
use testkit::{Request, Response, TestServer};
use wire::backend::{
    allowlist_identifiers::{
        AllowlistIdentifier, CreateAllowlistIdentifier, DeleteAllowlistIdentifier,
        ListAllowlistIdentifiers,
    },
    blocklist_identifiers::{
        CreateBlocklistIdentifier, DeleteBlocklistIdentifier, ListBlocklistIdentifiers,
    },
    redirect_urls::{CreateRedirectURL, DeleteRedirectURL, GetRedirectURL, ListRedirectURLs},
};

async fn ask(server: &TestServer, method: &str, path: &str, body: &Value) -> Response {
    server.call(Request::new(method, path).bearer(server.secret_key()).json(body)).await
}

async fn allow(server: &TestServer, identifier: &str) -> AllowlistIdentifier {
    let create = CreateAllowlistIdentifier::new(identifier.into());
    server.backend.send(&create).await.expect(identifier)
}

async fn block(server: &TestServer, identifier: &str) {
    let create = CreateBlocklistIdentifier::new(identifier.into());
    server.backend.send(&create).await.expect(identifier);
}

#[tokio::test]
async fn an_identifier_is_listed_and_taken_off() {
    let server = TestServer::start().await;
    let made = allow(&server, "Ada@Example.com").await;
    assert_eq!(made.identifier, "ada@example.com");
    assert_eq!(made.identifier_type.as_str(), "email_address");
    assert_eq!(made.instance_id.as_ref(), Some(&server.keys[0].instance_id));
    let others = ["*@example.com", "+12015550123", "0x52908400098527886E0F7030069857D2E4169EE7"];
    for identifier in others {
        allow(&server, identifier).await;
        block(&server, identifier).await;
    }

    let bare = server.backend.send(&ListAllowlistIdentifiers::new()).await.expect("listed");
    let types: Vec<_> =
        bare.into_items().iter().map(|item| item.identifier_type.to_string()).collect();
    assert_eq!(types, ["web3_wallet", "phone_number", "email_address", "email_address"]);

    let page = ask(
        &server,
        "GET",
        "/v1/allowlist_identifiers?paginated=true&limit=1&offset=3",
        &Value::Null,
    );
    let page = page.await.json();
    assert_eq!((&page["total_count"], &page["data"][0]["id"]), (&json!(4), &json!(made.id)));

    server.backend.send(&DeleteAllowlistIdentifier::new(made.id.clone())).await.expect("off");
    let again = server.backend.send(&DeleteAllowlistIdentifier::new(made.id)).await;
    assert_eq!(again.expect_err("gone").status(), Some(404));
    let blocked = server.backend.send(&ListBlocklistIdentifiers::new()).await.expect("listed");
    assert_eq!((blocked.total_count, blocked.data.len()), (3, 3));
    let first = blocked.data[0].id.clone();
    server.backend.send(&DeleteBlocklistIdentifier::new(first)).await.expect("off");
    let left = server.backend.send(&ListBlocklistIdentifiers::new()).await.expect("listed");
    assert_eq!((left.total_count, left.data.len()), (2, 2));
    assert_eq!(server.events().await, [""; 0]);
}

#[tokio::test]
async fn what_is_no_identifier_or_listed_already_is_refused() {
    let server = TestServer::start().await;
    let long = format!("{}@example.com", "a".repeat(400));
    let cases = [
        ("", "form_param_format_invalid"),
        ("example.com", "form_param_format_invalid"),
        ("*", "form_param_format_invalid"),
        ("*@", "form_param_format_invalid"),
        ("*@*.*.com", "form_param_format_invalid"),
        ("ada@", "form_param_format_invalid"),
        ("+1", "form_param_format_invalid"),
        ("0x12", "form_param_format_invalid"),
        ("ada@example.com\nbob@example.com", "form_param_format_invalid"),
        (&long, "form_param_max_length_exceeded"),
    ];
    for path in ["/v1/allowlist_identifiers", "/v1/blocklist_identifiers"] {
        for (identifier, code) in cases {
            let refused = ask(&server, "POST", path, &json!({"identifier": identifier})).await;
            refused.assert_refusal(identifier);
            assert_eq!(refused.errors(), [(code.to_owned(), "identifier".to_owned())]);
        }
        for identifier in ["ada@example.com", "*@example.com"] {
            let made = ask(&server, "POST", path, &json!({"identifier": identifier})).await;
            assert_eq!(made.status, 200);
            let twice = json!({"identifier": identifier.to_uppercase()});
            let refused = ask(&server, "POST", path, &twice).await;
            refused.assert_refusal(identifier);
            assert_eq!((refused.status, refused.code().as_str()), (400, "duplicate_record"));
        }
    }
}

#[tokio::test]
async fn a_redirect_url_is_listed_once_and_deleted() {
    let server = TestServer::start().await;
    let url = "https://Example.com/callback";
    let made = server.backend.send(&CreateRedirectURL::new(url.into())).await.expect("made");
    assert_eq!(made.url, url);
    let read = server.backend.send(&GetRedirectURL::new(made.id.clone())).await.expect("read");
    assert_eq!(read, made);
    for same in [url, "https://example.com:443/callback", "https://example.com/a/../callback"] {
        let refused = server.backend.send(&CreateRedirectURL::new(same.into())).await;
        let refused = refused.expect_err("there already");
        assert_eq!((refused.status(), refused.code()), (Some(400), Some("duplicate_record")));
    }
    let other = CreateRedirectURL::new("my-app://oauth-callback".into());
    server.backend.send(&other).await.expect("made");

    let page = ask(&server, "GET", "/v1/redirect_urls?paginated=true&limit=1", &Value::Null);
    let page = page.await.json();
    assert_eq!(page["total_count"], 2);
    assert_eq!(page["data"][0]["url"], "my-app://oauth-callback");
    server.backend.send(&DeleteRedirectURL::new(made.id.clone())).await.expect("deleted");
    let gone = server.backend.send(&GetRedirectURL::new(made.id)).await.expect_err("gone");
    assert_eq!((gone.status(), gone.code()), (Some(404), Some("resource_not_found")));
    let left = server.backend.send(&ListRedirectURLs::new()).await.expect("listed").into_items();
    assert_eq!(left.len(), 1);
    assert_eq!(server.events().await, [""; 0]);
}

#[tokio::test]
async fn web_06_redirect_urls_go_where_one_may_go() {
    let server = TestServer::start().await;
    let long = format!("https://example.com/{}", "a".repeat(2048));
    let cases = [
        ("example.com", "form_param_format_invalid"),
        ("javascript:alert(1)", "form_param_format_invalid"),
        ("data:text/html,x", "form_param_format_invalid"),
        ("https://a@evil.example/", "form_param_format_invalid"),
        ("http://example.com/", "insecure_url"),
        (&long, "form_param_max_length_exceeded"),
    ];
    for (url, code) in cases {
        let refused = ask(&server, "POST", "/v1/redirect_urls", &json!({ "url": url })).await;
        refused.assert_refusal(url);
        assert_eq!(refused.status, 422);
        assert_eq!(refused.errors(), [(code.to_owned(), "url".to_owned())]);
    }
}

#[tokio::test]
async fn oau_06_every_part_of_a_redirect_url_counts() {
    use domain::{Cx, Result, redirect_urls};
    async fn listed(cx: &mut Cx, url: &'static str) -> Result<bool> {
        redirect_urls::is_listed(cx, url).await
    }
    let server = TestServer::start().await;
    let urls = [
        "https://example.com/callback",
        "my-app://callback",
        "http://127.0.0.1/callback",
        "http://localhost:3000/callback",
    ];
    for url in urls {
        server.backend.send(&CreateRedirectURL::new(url.into())).await.expect(url);
    }
    let outside = server.outside().await;
    let is_listed = async |url| outside.read(listed, url).await.expect("looked up");
    for url in urls.into_iter().chain([
        "HTTPS://EXAMPLE.COM:443/callback",
        "http://127.0.0.1:51004/callback",
        "http://127.0.0.1:8080/callback",
    ]) {
        assert!(is_listed(url).await, "{url}");
    }
    let others = [
        "http://example.com/callback",
        "https://exampleXcom/callback",
        "https://evil.example/callback",
        "https://example.com.evil.example/callback",
        "https://example.com@evil.example/callback",
        "https://example.com:444/callback",
        "https://example.com/callback/",
        "https://example.com/Callback",
        "https://example.com/callback/more",
        "https://example.com/callback?next=x",
        "https://example.com/callback#x",
        "https://example.com",
        "my-app://callback/more",
        "your-app://callback",
        "http://localhost:3001/callback",
        "http://127.0.0.2:8080/callback",
        "http://127.0.0.1:8080/other",
        "callback",
        "",
    ];
    for url in others {
        assert!(!is_listed(url).await, "{url}");
    }
}

#[tokio::test]
async fn who_is_allowed_is_told_so_when_asked() {
    let server = TestServer::start().await;
    let create = |identifier: &str| CreateAllowlistIdentifier {
        notify: Some(true),
        ..CreateAllowlistIdentifier::new(identifier.into())
    };
    let ada = server.backend.send(&create("ada@example.com")).await.expect("allowed");
    let domain = server.backend.send(&create("*@example.com")).await.expect("allowed");
    let phone = server.backend.send(&create("+12015550123")).await.expect("allowed");

    assert!(domain.invitation_id.is_none() && phone.invitation_id.is_none());
    let sent = server.outbox().await;
    assert_eq!((sent.len(), sent[0].kind.as_str()), (1, "email.created"));
    assert_eq!(sent[0].data["to_email_address"], "ada@example.com");
    let invitations = ask(&server, "GET", "/v1/invitations", &Value::Null).await.json();
    assert_eq!(invitations.as_array().map(Vec::len), Some(1));
    assert_eq!(invitations[0]["id"], json!(ada.invitation_id));
    let before = server.dump().await;
    server.backend.send(&create("ada@example.com")).await.expect_err("there already");
    assert_eq!(server.dump().await, before);
}
