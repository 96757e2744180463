//! Handshakes: an app's server sends a browser to the Frontend API, and gets it back with cookies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer, somebody};
use wire::backend::users::UserId;

use crate::sessions::set;

const PAGE: &str = "http://localhost:3000/account?tab=1";
const LIVE_PAGE: &str = "https://app.three.example/account";

/// A user of the first, the second or the third instance.
async fn user(server: &TestServer, instance: usize) -> UserId {
    let clients = [&server.backend, &server.neighbour, &server.production];
    clients[instance].send(&somebody()).await.expect("a user is made").id
}

async fn handshake(browser: &mut Browser<'_>, page: &str, more: &str) -> Response {
    let page: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
    browser.get(&format!("/v1/client/handshake?redirect_url={page}{more}")).await
}

/// The value of a parameter of where an answer leads.
fn carried(answer: &Response, name: &str) -> String {
    assert_eq!(answer.status, 307, "{}", answer.without_trace());
    let location = url::Url::parse(answer.header("location").expect("a location")).expect("an URL");
    let found = location.query_pairs().find(|(own, _)| own == name);
    found.unwrap_or_else(|| panic!("{name} in {location}")).1.into_owned()
}

async fn payload(server: &TestServer, key: &str, nonce: &str) -> Response {
    let path = format!("/v1/clients/handshake_payload?nonce={nonce}");
    server.call(Request::new("GET", &path).bearer(key)).await
}

/// Directives, as a browser keeps them.
#[derive(Debug)]
struct Jar {
    lines: Vec<String>,
    values: BTreeMap<String, String>,
}

impl Jar {
    fn of(directives: &Value) -> Self {
        let lines = directives.as_array().expect("a list").iter();
        let lines: Vec<String> =
            lines.map(|line| line.as_str().expect("a text").to_owned()).collect();
        let pairs = lines.iter().map(|line| {
            assert!(line.contains("; Path=/") && line.contains("; SameSite=Lax"), "{line}");
            assert!(line.len() < 4096, "{line}");
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a pair");
            assert!(!value.contains('='), "{line}");
            let value = if line.contains("Max-Age=0") { "gone" } else { value };
            (name.to_owned(), value.to_owned())
        });
        let values = pairs.collect();
        // The official SDK takes the last one for the session.
        let last = lines.iter().rfind(|line| line.starts_with("__session"));
        assert!(last.is_some(), "{lines:?}");
        Self { lines, values }
    }

    async fn of_nonce(server: &TestServer, nonce: &str) -> Self {
        let found = payload(server, server.secret_key(), nonce).await;
        assert_eq!(found.status, 200, "{}", found.without_trace());
        Self::of(&found.json()["directives"])
    }

    fn line(&self, name: &str) -> &str {
        let start = format!("{name}=");
        self.lines.iter().find(|line| line.starts_with(&start)).expect(name)
    }
}

fn claims(token: &str) -> Value {
    Value::Object(jwt::decode_unverified(token).expect("a token").payload)
}

async fn suffix(browser: &Browser<'_>) -> String {
    browser.outside().await.instance.cookie_suffix()
}

#[tokio::test]
async fn a_developers_browser_comes_back_with_a_nonce_for_its_cookies() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&user(&server, 0).await).await;
    let suffix = suffix(&browser).await;
    server.advance(5_000);

    let answer = handshake(&mut browser, PAGE, "&format=nonce&suffixed_cookies=true").await;

    let nonce = carried(&answer, "__clerk_handshake_nonce");
    assert_eq!(carried(&answer, "tab"), "1");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("set-cookie"), None, "it is known by its token alone");
    assert_eq!(answer.body, b"");
    let jar = Jar::of_nonce(&server, &nonce).await;
    let token = &jar.values["__session"];
    assert_eq!(token, &jar.values[&format!("__session_{suffix}")]);
    let told = claims(token);
    assert_eq!(told["sid"], session.as_str());
    assert_eq!(told["azp"], "http://localhost:3000");
    let updated_at: i64 = jar.values["__client_uat"].parse().expect("seconds");
    assert_eq!(jar.values[&format!("__client_uat_{suffix}")], updated_at.to_string());
    assert!((1..=told["iat"].as_i64().expect("seconds")).contains(&updated_at));
    assert_eq!(Some(&jar.values["__clerk_db_jwt"]), browser.dev_browser.as_ref());
    assert!(jar.line(&format!("__refresh_{suffix}")).contains("; HttpOnly"));
    assert!(!jar.line("__session").contains("; HttpOnly"), "scripts read it");
    assert!(jar.lines.iter().all(|line| !line.contains("Domain=") && !line.contains("Secure")));

    // The app's server renews the token by itself from then on.
    server.advance(3_600_000);
    let body = json!({
        "format": "cookie", "expired_token": token, "request_origin": "http://localhost:3000",
        "refresh_token": jar.values[&format!("__refresh_{suffix}")],
    });
    let path = format!("/v1/sessions/{session}/refresh");
    let renewed =
        server.call(Request::new("POST", &path).bearer(server.secret_key()).json(&body)).await;
    assert_eq!(renewed.status, 200, "{}", renewed.without_trace());
}

#[tokio::test]
async fn older_sdks_get_the_cookies_in_a_token() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&user(&server, 0).await).await;
    for more in ["", "&format=token", "&format=else&organization_id=&satellite_fapi=x"] {
        let answer = handshake(&mut browser, PAGE, more).await;
        let token =
            jwt::decode_unverified(&carried(&answer, "__clerk_handshake")).expect("a token");
        assert_eq!(token.header["cat"], jwt::category::SESSION);
        let jar = Jar::of(&token.payload["handshake"]);
        assert_eq!(claims(&jar.values["__session"])["sid"], session.as_str());
    }
}

#[tokio::test]
async fn a_browser_that_is_new_or_unknown_gets_a_token_of_its_own() {
    let server = TestServer::start().await;
    let ada = user(&server, 0).await;
    let mut known = Browser::open(&server).await;
    known.sign_in(&ada).await;
    let mut browser = Browser::new(&server, 0);
    for token in [None, Some("dvb_nobodys".to_owned())] {
        browser.dev_browser = token.clone();
        let answer = handshake(&mut browser, PAGE, "&format=nonce").await;
        let nonce = carried(&answer, "__clerk_handshake_nonce");
        let jar = Jar::of_nonce(&server, &nonce).await;
        let given = jar.values["__clerk_db_jwt"].clone();
        assert!(given.starts_with("dvb_") && Some(&given) != token.as_ref());
        assert_eq!(jar.values["__client_uat"], "0");
        assert_eq!(jar.values["__session"], "gone");
        browser.dev_browser = Some(given);
        assert_eq!(browser.client().await["sessions"], json!([]));
        browser.sign_in(&ada).await;
        assert_eq!(browser.client().await["sessions"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn web_02_a_cookie_alone_tells_no_page_who_a_developer_is() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&user(&server, 0).await).await;
    let token = browser.dev_browser.take().expect("it has one");
    browser.cookies.insert("__clerk_db_jwt".to_owned(), token.clone());
    assert_eq!(browser.client().await["sessions"].as_array().map(Vec::len), Some(1));

    let answer = handshake(&mut browser, "http://localhost:4000/", "").await;

    let told = claims(&carried(&answer, "__clerk_handshake"));
    let jar = Jar::of(&told["handshake"]);
    assert_eq!(jar.values["__session"], "gone");
    assert_ne!(jar.values["__clerk_db_jwt"], token);
}

#[tokio::test]
async fn ses_04_who_is_signed_out_or_banned_is_told_so() {
    let server = TestServer::start().await;
    let ada = user(&server, 0).await;
    let mut browser = Browser::open(&server).await;
    let session = browser.sign_in(&ada).await;
    browser.post(&format!("/v1/client/sessions/{session}/remove"), &[]).await;
    let mut nonces = Vec::new();
    let mut ask = async |browser: &mut Browser<'_>| {
        let answer = handshake(browser, PAGE, "&format=nonce").await;
        nonces.push(carried(&answer, "__clerk_handshake_nonce"));
    };
    ask(&mut browser).await;
    browser.sign_in(&ada).await;
    let ban = Request::new("POST", &format!("/v1/users/{ada}/ban")).bearer(server.secret_key());
    assert_eq!(server.call(ban).await.status, 200);
    ask(&mut browser).await;
    browser.delete("/v1/client").await;
    ask(&mut browser).await;
    let suffix = suffix(&browser).await;
    for nonce in nonces {
        let jar = Jar::of_nonce(&server, &nonce).await;
        assert_eq!(jar.values["__client_uat"], "0");
        for name in ["__session".to_owned(), format!("__session_{suffix}")] {
            assert_eq!(jar.values[&name], "gone");
        }
        assert_eq!(jar.values[&format!("__refresh_{suffix}")], "gone");
    }
}

#[tokio::test]
async fn the_session_that_was_last_in_use_is_the_one() {
    let server = TestServer::start().await;
    set(&server, |settings| settings.session.single_session = false).await;
    let mut browser = Browser::open(&server).await;
    let first = browser.sign_in(&user(&server, 0).await).await;
    let second = browser.sign_in(&user(&server, 0).await).await;
    for wanted in [second, first] {
        let path = format!("/v1/client/sessions/{wanted}/touch");
        browser.post(&path, &[("intent", "select_session")]).await;
        let answer = handshake(&mut browser, PAGE, "").await;
        let told = claims(&carried(&answer, "__clerk_handshake"));
        let jar = Jar::of(&told["handshake"]);
        assert_eq!(claims(&jar.values["__session"])["sid"], wanted.as_str());
    }
}

#[tokio::test]
async fn in_production_a_cookie_carries_it() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    let session = browser.sign_in(&user(&server, 2).await).await;
    let suffix = suffix(&browser).await;
    let key = server.keys[2].secret_key.clone().expect("it was just made");

    let answer = handshake(&mut browser, LIVE_PAGE, "&format=nonce").await;

    assert_eq!((answer.status, answer.header("location")), (307, Some(LIVE_PAGE)));
    let line = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in ["; Domain=three.example", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
        assert!(line.contains(part), "{line}");
    }
    let nonce = &browser.cookies["__clerk_handshake_nonce"];
    let jar = Jar::of(&payload(&server, &key, nonce).await.json()["directives"]);
    assert_eq!(claims(&jar.values["__session"])["sid"], session.as_str());
    assert_eq!(claims(&jar.values["__session"])["azp"], "https://app.three.example");
    for name in ["__clerk_handshake_nonce", "__clerk_handshake"] {
        // Or the app's server would resolve it again with each request.
        assert_eq!(jar.values[name], "gone");
        assert!(jar.line(name).contains("; Domain=three.example; HttpOnly"), "{name}");
    }
    for name in ["__client_uat".to_owned(), format!("__client_uat_{suffix}")] {
        assert!(jar.line(&name).contains("; Domain=three.example"), "{name}");
    }
    assert!(!jar.line("__session").contains("Domain="), "it is the app's own");
    assert!(jar.lines.iter().all(|line| line.contains("; Secure")), "{jar:?}");
    assert!(!jar.values.contains_key("__clerk_db_jwt"));

    // Older SDKs have one cookie for all, which has room for what they go by.
    let name = ["__session".to_owned(), format!("__session_{suffix}")];
    for (more, name) in ["", "&suffixed_cookies=true"].into_iter().zip(name) {
        handshake(&mut browser, LIVE_PAGE, more).await;
        let token = browser.cookies["__clerk_handshake"].clone();
        assert!(token.len() < 3_500, "{}", token.len());
        let jar = Jar::of(&claims(&token)["handshake"]);
        assert_eq!(jar.values.keys().filter(|own| own.starts_with("__session")).count(), 1);
        assert_eq!(claims(&jar.values[&name])["sid"], session.as_str());
    }

    browser.cookies.clear();
    let answer = handshake(&mut browser, LIVE_PAGE, "").await;
    assert_eq!(answer.status, 307);
    let jar = Jar::of(&claims(&browser.cookies["__clerk_handshake"])["handshake"]);
    assert_eq!((&*jar.values["__client_uat"], &*jar.values["__session"]), ("0", "gone"));
}

#[tokio::test]
async fn web_05_nobody_is_sent_to_pages_of_others() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    browser.sign_in(&user(&server, 2).await).await;
    let before = server.dump().await;
    let foreign = [
        "https://evil.example/",
        "https://three.example.evil.example/",
        "https://evilthree.example/",
        "https://three.example@evil.example/",
        "https://evil.example\\.three.example/",
        "https://evil.example/?https://three.example/",
        "https://evil.example#.three.example",
        "//evil.example/",
        "/account",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://three.example/",
        "https://three.example:8443@evil.example/",
        "not an address",
    ];
    for page in foreign {
        for path in ["handshake", "touch"] {
            let page: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
            let refused = browser.get(&format!("/v1/client/{path}?redirect_url={page}")).await;
            refused.assert_refusal(&page);
            let said = (refused.status, refused.code());
            assert_eq!(said, (422, "invalid_redirect_url".to_owned()), "{page}");
            assert_eq!(refused.header("location"), None);
            assert_eq!(refused.header("set-cookie"), None);
        }
    }
    for path in ["/v1/client/handshake", "/v1/client/touch?redirect_url="] {
        let refused = browser.get(path).await;
        refused.assert_refusal(path);
        assert_eq!(refused.errors()[0].1, "redirect_url");
    }
    assert_eq!(server.dump().await, before);

    let mut developers = Browser::open(&server).await;
    for page in ["https://evil.example/", "https://localhost.evil.example/", "/account"] {
        let refused = handshake(&mut developers, page, "").await;
        assert_eq!((refused.status, refused.code().as_str()), (422, "invalid_redirect_url"));
    }
}

#[tokio::test]
async fn ses_09_a_nonce_is_good_for_a_minute_and_for_its_own_instance() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&user(&server, 0).await).await;
    let answer = handshake(&mut browser, PAGE, "&format=nonce").await;
    let nonce = carried(&answer, "__clerk_handshake_nonce");
    assert_eq!(payload(&server, server.neighbours_key(), &nonce).await.status, 404);
    // A page that loads has several requests.
    assert_eq!(payload(&server, server.secret_key(), &nonce).await.status, 200);
    assert_eq!(payload(&server, server.secret_key(), &nonce).await.status, 200);
    server.advance(61_000);
    assert_eq!(payload(&server, server.secret_key(), &nonce).await.status, 404);
}

#[tokio::test]
async fn ses_18_a_neighbours_browser_is_nobody_here() {
    let server = TestServer::start().await;
    let mut theirs = Browser::new(&server, 1);
    theirs.load().await;
    theirs.sign_in(&user(&server, 1).await).await;
    let mut here = Browser::new(&server, 0);
    here.dev_browser.clone_from(&theirs.dev_browser);
    let answer = handshake(&mut here, PAGE, "&format=nonce").await;
    let jar = Jar::of_nonce(&server, &carried(&answer, "__clerk_handshake_nonce")).await;
    assert_eq!(jar.values["__session"], "gone");
    assert_ne!(Some(&jar.values["__clerk_db_jwt"]), theirs.dev_browser.as_ref());

    // Nor is a cookie of one instance anything to another.
    let mut live = Browser::new(&server, 2);
    live.dev_browser.clone_from(&theirs.dev_browser);
    handshake(&mut live, LIVE_PAGE, "").await;
    let jar = Jar::of(&claims(&live.cookies["__clerk_handshake"])["handshake"]);
    assert_eq!(jar.values["__session"], "gone");
}

#[tokio::test]
async fn refresh_tokens_do_not_heap_up() {
    let server = TestServer::start().await;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&user(&server, 0).await).await;
    for _ in 0..25 {
        server.advance(1_000);
        handshake(&mut browser, PAGE, "").await;
    }
    assert_eq!(server.dump().await["refresh_tokens"].len(), 20);
}

#[tokio::test]
async fn a_cookie_that_is_about_to_end_is_renewed_on_the_way() {
    let server = TestServer::start().await;
    let mut browser = Browser::new(&server, 2);
    browser.sign_in(&user(&server, 2).await).await;
    let end = browser.client().await["cookie_expires_at"].as_i64().expect("an end");
    let token = browser.cookies["__client"].clone();
    server.advance(24 * 3_600_000);
    let path = format!("/v1/client/touch?redirect_url={LIVE_PAGE}");

    let answer = browser.get(&path).await;

    assert_eq!((answer.status, answer.header("location")), (307, Some(LIVE_PAGE)));
    let line = answer.header("set-cookie").expect("a cookie");
    assert!(line.starts_with(&format!("__client={token};")), "{line}");
    assert!(line.contains("; HttpOnly") && line.contains("Max-Age=31536000"), "{line}");
    let later = browser.client().await["cookie_expires_at"].as_i64().expect("an end");
    assert_eq!(later - end, 24 * 3_600_000);

    browser.cookies.insert("__client".to_owned(), format!("{token}x"));
    let answer = browser.get(&path).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (307, None));
    let mut developers = Browser::open(&server).await;
    let answer = developers.get(&format!("/v1/client/touch?redirect_url={PAGE}")).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (307, None));
}
