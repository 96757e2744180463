//! Allowlist, blocklist, redirect URLs, and what an instance lets in.

use domain::restrictions::{self, Purpose};
use serde_json::{Value, json};
use testkit::{Request, Response, TestServer, somebody};
use wire::{
    Patch,
    backend::{
        allowlist_identifiers::{
            AllowlistIdentifier, CreateAllowlistIdentifier, DeleteAllowlistIdentifier,
            ListAllowlistIdentifiers,
        },
        blocklist_identifiers::{
            CreateBlocklistIdentifier, DeleteBlocklistIdentifier, ListBlocklistIdentifiers,
        },
        email_addresses::CreateEmailAddress,
        phone_numbers::CreatePhoneNumber,
        redirect_urls::{CreateRedirectURL, DeleteRedirectURL, GetRedirectURL, ListRedirectURLs},
        users::{CreateUser, ReplaceUserEmailAddress, UpdateUser},
    },
};

async fn ask(server: &TestServer, method: &str, path: &str, body: &Value) -> Response {
    server.call(Request::new(method, path).bearer(server.secret_key()).json(body)).await
}

async fn restrict(server: &TestServer, switches: Value) {
    let response = ask(server, "PATCH", "/v1/instance/restrictions", &switches).await;
    assert_eq!(response.status, 200, "{}", response.without_trace());
}

async fn allow(server: &TestServer, identifier: &str) -> AllowlistIdentifier {
    let create = CreateAllowlistIdentifier::new(identifier.into());
    server.backend.send(&create).await.expect(identifier)
}

async fn block(server: &TestServer, identifier: &str) {
    let create = CreateBlocklistIdentifier::new(identifier.into());
    server.backend.send(&create).await.expect(identifier);
}

/// A user with this address; none if it is not let in.
async fn comes_in(server: &TestServer, address: &str) -> bool {
    let response = ask(server, "POST", "/v1/users", &json!({"email_address": [address]})).await;
    if response.status == 200 {
        return true;
    }
    response.assert_refusal(address);
    assert_eq!((response.status, response.code().as_str()), (403, "not_allowed_access"));
    let meta = &response.json()["errors"][0]["meta"];
    assert_eq!(meta["identifiers"], json!([address.to_lowercase()]));
    false
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
async fn otp_19_only_those_on_the_allowlist_come_in() {
    let server = TestServer::start().await;
    for identifier in ["ada@example.com", "*@friends.example", "*@*.school.example"] {
        allow(&server, identifier).await;
    }
    assert!(comes_in(&server, "anybody@else.example").await, "the list is not in use yet");
    restrict(&server, json!({"allowlist": true})).await;

    let let_in = ["ADA@example.com", "bob@Friends.Example", "eve@a.b.school.example"];
    for address in let_in {
        assert!(comes_in(&server, address).await, "{address}");
    }
    let kept_out = [
        "bob@example.com",
        "ada@mail.example.com",
        "bob@mail.friends.example",
        "bob@notfriends.example",
        "bob@school.example",
        "bob@friends.example.evil.example",
    ];
    for address in kept_out {
        assert!(!comes_in(&server, address).await, "{address}");
    }
}

#[tokio::test]
async fn otp_19_a_user_is_given_nothing_that_is_kept_out() {
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("created");
    for identifier in ["*@evil.example", "+12015550123"] {
        block(&server, identifier).await;
    }
    restrict(&server, json!({"blocklist": true})).await;
    let before = server.dump().await;

    let email = CreateEmailAddress::new(ada.id.clone(), "ada@Evil.example".into());
    let email = server.backend.send(&email).await.map(drop);
    let phone = CreatePhoneNumber::new(ada.id.clone(), "+1 201 555 0123".into());
    let phone = server.backend.send(&phone).await.map(drop);
    let other = ReplaceUserEmailAddress::new(ada.id.clone(), "ada@evil.example".into());
    let other = server.backend.send(&other).await.map(drop);
    for refused in [email, phone, other] {
        let refused = refused.expect_err("kept out");
        assert_eq!((refused.status(), refused.code()), (Some(403), Some("not_allowed_access")));
    }
    assert_eq!(server.dump().await, before);
    let welcome = CreateEmailAddress::new(ada.id, "ada@good.example".into());
    server.backend.send(&welcome).await.expect("let in");
}

#[tokio::test]
async fn all_that_is_kept_out_is_named_at_once() {
    let server = TestServer::start().await;
    block(&server, "*@evil.example").await;
    block(&server, "0x52908400098527886E0F7030069857D2E4169EE7").await;
    restrict(&server, json!({"blocklist": true})).await;
    let user = json!({
        "email_address": ["ada@good.example", "ada@evil.example"],
        "web3_wallet": ["0x52908400098527886e0f7030069857d2e4169ee7"],
    });

    let refused = ask(&server, "POST", "/v1/users", &user).await;

    assert_eq!(refused.code(), "not_allowed_access");
    let expected = ["ada@evil.example", "0x52908400098527886e0f7030069857d2e4169ee7"];
    assert_eq!(refused.json()["errors"][0]["meta"]["identifiers"], json!(expected));
}

#[tokio::test]
async fn the_allowlist_beats_the_blocklist() {
    let server = TestServer::start().await;
    block(&server, "*@example.com").await;
    allow(&server, "ada@example.com").await;
    restrict(&server, json!({"blocklist": true})).await;
    assert!(!comes_in(&server, "ada@example.com").await, "the allowlist is not in use");
    restrict(&server, json!({"allowlist": true})).await;

    assert!(comes_in(&server, "ada@example.com").await);
    assert!(!comes_in(&server, "bob@example.com").await);
}

#[tokio::test]
async fn ten_02_a_neighbours_lists_are_theirs() {
    let server = TestServer::start().await;
    let theirs = CreateBlocklistIdentifier::new("*@example.com".into());
    server.neighbour.send(&theirs).await.expect("blocked");
    let theirs = CreateAllowlistIdentifier::new("ada@example.com".into());
    server.neighbour.send(&theirs).await.expect("allowed");
    restrict(&server, json!({"blocklist": true})).await;
    assert!(comes_in(&server, "bob@example.com").await);
    restrict(&server, json!({"allowlist": true})).await;
    assert!(!comes_in(&server, "ada@example.com").await);
}

#[tokio::test]
async fn otp_18_subaddresses_are_kept_out() {
    let server = TestServer::start().await;
    restrict(&server, json!({"block_email_subaddresses": true})).await;
    for address in ["ada+a@example.com", "ada=a@example.com", "ada#a@example.com", "a-b@yahoo.fr"] {
        assert!(!comes_in(&server, address).await, "{address}");
    }
    for address in ["ada-a@example.com", "ada@example.com", "ada+clerk_test@example.com"] {
        assert!(comes_in(&server, address).await, "{address}");
    }
}

#[tokio::test]
async fn disposable_addresses_are_kept_out() {
    let server = TestServer::start().await;
    assert!(comes_in(&server, "ada@mailinator.com").await);
    restrict(&server, json!({"block_disposable_email_domains": true})).await;
    for address in ["bob@mailinator.com", "bob@Mx.YopMail.com"] {
        assert!(!comes_in(&server, address).await, "{address}");
    }
    assert!(comes_in(&server, "ada@gmail.com").await);
}

#[tokio::test]
async fn otp_18_dots_make_no_other_mailbox_of_gmail() {
    let server = TestServer::start().await;
    for address in ["a.da@gmail.com", "ada@gmail.com", "a.da@example.com"] {
        assert!(comes_in(&server, address).await, "{address}");
    }
    restrict(&server, json!({"ignore_dots_for_gmail_addresses": true, "blocklist": true})).await;
    block(&server, "b.ob@gmail.com").await;

    assert!(!comes_in(&server, "bo.b@gmail.com").await);
    assert!(comes_in(&server, "ad.a@example.com").await);
    let user = json!({"email_address": ["ad.a@gmail.com"]});
    let refused = ask(&server, "POST", "/v1/users", &user).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "form_identifier_exists"));
}

#[tokio::test]
async fn at_sign_in_the_lists_count_unless_they_are_told_not_to() {
    use domain::{Cx, IdentificationKind::EmailAddress, Result};
    async fn admit(cx: &mut Cx, (address, purpose): (&'static str, Purpose)) -> Result<()> {
        restrictions::admit(cx, EmailAddress, address, purpose).await
    }
    async fn nobody(cx: &mut Cx, purpose: Purpose) -> Result<()> {
        restrictions::admit_all(cx, &[], purpose).await
    }
    let server = TestServer::start().await;
    block(&server, "ada@example.com").await;
    let switches = json!({"blocklist": true, "block_email_subaddresses": true});
    restrict(&server, switches).await;
    let ask = async |address, purpose| {
        server.outside().await.read(admit, (address, purpose)).await.is_ok()
    };
    assert!(!ask("ada@example.com", Purpose::SignIn).await);
    assert!(!ask("ada@example.com", Purpose::SignUp).await);
    assert!(ask("bob+a@example.com", Purpose::SignIn).await, "who is in stays in");
    assert!(!ask("bob+a@example.com", Purpose::SignUp).await);

    restrict(&server, json!({"allowlist_blocklist_disabled_on_sign_in": true})).await;
    assert!(ask("ada@example.com", Purpose::SignIn).await);
    assert!(!ask("ada@example.com", Purpose::SignUp).await);

    restrict(&server, json!({"allowlist": true})).await;
    let nameless = async |purpose| server.outside().await.read(nobody, purpose).await.is_ok();
    assert!(!nameless(Purpose::SignUp).await, "a list of names is no way in without one");
    assert!(nameless(Purpose::Backend).await);
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

/// What a user can be given, each by a parameter of its own.
fn attributes() -> [(&'static str, Value); 10] {
    [
        ("email_address", json!(["ada@example.com"])),
        ("phone_number", json!(["+12015550123"])),
        ("web3_wallet", json!(["0x52908400098527886E0F7030069857D2E4169EE7"])),
        ("username", json!("lovelace")),
        ("first_name", json!("Ada")),
        ("last_name", json!("Lovelace")),
        ("password", json!("correct horse battery")),
        ("password_digest", json!("$2y$10$x")),
        ("totp_secret", json!("JBSWY3DPEHPK3PXP")),
        ("backup_codes", json!(["one"])),
    ]
}

/// Switches all of them off, for servers as well if they are to be `refused`.
async fn switch_off(server: &TestServer, refused: bool) {
    crate::sessions::set(server, |settings| {
        settings.user.refuse_disabled_attributes_of_backend = refused;
        let attributes = &mut settings.attributes;
        for attribute in [
            &mut attributes.email_address,
            &mut attributes.phone_number,
            &mut attributes.web3_wallet,
            &mut attributes.username,
            &mut attributes.first_name,
            &mut attributes.last_name,
            &mut attributes.password,
            &mut attributes.authenticator_app,
            &mut attributes.backup_code,
        ] {
            *attribute = domain::Attribute::default();
        }
    })
    .await;
}

#[tokio::test]
async fn servers_may_give_what_is_switched_off_unless_that_is_refused() {
    let server = TestServer::start().await;
    switch_off(&server, false).await;
    for (name, value) in attributes() {
        if name != "password_digest" {
            let user = json!({ name: value, "skip_user_requirement": true });
            let created = ask(&server, "POST", "/v1/users", &user).await;
            assert_eq!(created.status, 200, "{name}: {}", created.without_trace());
        }
    }
}

#[tokio::test]
async fn a_switched_off_attribute_is_an_unknown_parameter_where_that_is_wanted() {
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("created");
    switch_off(&server, true).await;
    let before = server.dump().await;
    for (name, value) in attributes() {
        let user = json!({ name: value, "skip_user_requirement": true });
        let mut refused = vec![ask(&server, "POST", "/v1/users", &user).await];
        if !value.is_array() || name == "backup_codes" {
            let path = format!("/v1/users/{}", ada.id);
            refused.push(ask(&server, "PATCH", &path, &json!({ name: value })).await);
        }
        for refused in refused {
            refused.assert_refusal(name);
            let expected = ("form_param_unknown".to_owned(), name.to_owned());
            assert_eq!((refused.status, refused.errors()), (422, vec![expected]));
        }
    }
    let email = CreateEmailAddress::new(ada.id.clone(), "ada@example.com".into());
    let email = server.backend.send(&email).await.expect_err("unknown");
    assert_eq!(email.param_name(), Some("email_address"));
    let phone = CreatePhoneNumber::new(ada.id.clone(), "+12015550123".into());
    let phone = server.backend.send(&phone).await.expect_err("unknown");
    assert_eq!(phone.code(), Some("form_param_unknown"));
    assert_eq!(server.dump().await, before);
    let clear = UpdateUser { username: Patch::Clear, ..UpdateUser::new(ada.id) };
    server.backend.send(&clear).await.expect("what one has not one may give away");
    let plain = CreateUser { external_id: Patch::Set("ext".into()), ..somebody() };
    server.backend.send(&plain).await.expect("created");
}
