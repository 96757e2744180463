//! Many at once.

use std::{future::Future, sync::Arc, time::Duration};

use domain::{Error, sign_in_tokens::redeem, totp};
use sdk::Client;
use serde_json::{Map, Value, json};
use testkit::{Request, Response, TestServer, somebody};
use tokio::sync::Barrier;
use wire::{
    Patch,
    backend::users::{CreateUser, DeleteUser, GetUser, UpdateUserMetadata},
};

pub(crate) const TASKS: usize = 64;

/// How often a race is run anew: `VESTRY_RACE_ROUNDS` times, as `make soak` has it, else a few.
pub(crate) fn rounds() -> usize {
    let given = std::env::var("VESTRY_RACE_ROUNDS").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(3)
}

/// What `ask` gives in as many tasks, all let go at once.
pub(crate) async fn together_of<T, F>(tasks: usize, ask: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks));
    let tasks: Vec<_> = (0..tasks)
        .map(|number| {
            let (barrier, asking) = (Arc::clone(&barrier), ask(number));
            tokio::spawn(async move {
                barrier.wait().await;
                asking.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("it does not panic"));
    }
    results
}

/// The same in the usual number of tasks.
pub(crate) async fn together<T, F>(ask: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    together_of(TASKS, ask).await
}

/// The answer, from a server that may be too busy to give it at first.
pub(crate) async fn answered(request: Request, address: String) -> Response {
    loop {
        let response = request.send(&address).await;
        if response.status != 503 {
            return response;
        }
        response.header("retry-after").expect("it says when to come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A client that comes back when the server is busy.
fn patient(server: &TestServer) -> Client {
    let client = Client::builder().api_url(server.address()).secret_key(server.secret_key());
    client.retries(20).retry_posts(true).build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_09_an_identifier_is_one_users() {
    let server = TestServer::start().await;
    let identifiers = [
        ("username", json!("lovelace")),
        ("external_id", json!("ext")),
        ("email_address", json!(["ada@example.com"])),
        ("phone_number", json!(["+12015550123"])),
        ("web3_wallet", json!(["0x52908400098527886E0F7030069857D2E4169EE7"])),
    ];
    for (name, value) in identifiers {
        let results = together(|_| {
            let body = json!({ name: value, "skip_user_requirement": true });
            let request = Request::new("POST", "/v1/users").bearer(server.secret_key()).json(&body);
            let address = server.address().to_owned();
            answered(request, address)
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.status == 200);
        assert_eq!(won.len(), 1, "{name}");
        for refused in lost {
            refused.assert_refusal(name);
            let said = (refused.status, refused.errors());
            let expected = ("form_identifier_exists".to_owned(), name.to_owned());
            assert_eq!(said, (422, vec![expected]));
        }
    }
    let users = server.dump().await["users"].len();
    assert_eq!(users, 5);
    assert_eq!(server.events().await, ["user.created"; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_09_what_there_is_one_of_is_made_once() {
    let server = TestServer::start().await;
    let mut users = Vec::new();
    for _ in 0..TASKS {
        users.push(server.backend.send(&somebody()).await.expect("created").id);
    }
    let races = [
        ("/v1/allowlist_identifiers", json!({"identifier": "*@example.com"}), "duplicate_record"),
        ("/v1/blocklist_identifiers", json!({"identifier": "*@example.com"}), "duplicate_record"),
        ("/v1/redirect_urls", json!({"url": "my-app://callback"}), "duplicate_record"),
        (
            "/v1/email_addresses",
            json!({"email_address": "ada@example.com", "verified": true}),
            "form_identifier_exists",
        ),
    ];
    for (path, body, code) in races {
        let results = together(|number| {
            let mut body = body.clone();
            if path == "/v1/email_addresses" {
                body["user_id"] = json!(users[number]);
            }
            let request = Request::new("POST", path).bearer(server.secret_key()).json(&body);
            answered(request, server.address().to_owned())
        })
        .await;
        let won = results.iter().filter(|result| result.status == 200).count();
        assert_eq!(won, 1, "{path}");
        for refused in results.iter().filter(|result| result.status != 200) {
            refused.assert_refusal(path);
            assert_eq!(refused.code(), code, "{path}");
        }
        if path != "/v1/email_addresses" {
            let list = Request::new("GET", &format!("{path}?limit=500"));
            let list = server.call(list.bearer(server.secret_key())).await.json();
            let items = list.as_array().or(list["data"].as_array()).map(Vec::len);
            assert_eq!(items, Some(1), "{path}");
        }
    }
    let dump = server.dump().await;
    for counter in ["allowlist_identifiers", "blocklist_identifiers", "redirect_urls"] {
        let counts = dump["counters"].iter().filter(|row| row.contains(counter));
        let counts: Vec<_> = counts.filter(|row| row.ends_with("Int(1)]")).collect();
        assert_eq!(counts.len(), 1, "{counter}: {:?}", dump["counters"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_16_metadata_of_different_keys_is_all_kept() {
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("created");
    let results = together(|number| {
        // Nobody is sent away: whoever meets others waits for a turn.
        let (client, id) = (server.backend.clone(), ada.id.clone());
        async move {
            let mine = Map::from_iter([(format!("key{number}"), Value::from(number))]);
            let update = UpdateUserMetadata {
                public_metadata: Patch::Set(mine),
                ..UpdateUserMetadata::new(id)
            };
            client.send(&update).await.map(drop)
        }
    })
    .await;
    for result in results {
        result.expect("merged");
    }
    let ada = server.backend.send(&GetUser::new(ada.id)).await.expect("there");
    assert_eq!(ada.public_metadata.len(), TASKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_17_nothing_of_a_deleted_user_is_left() {
    let server = TestServer::start().await;
    let ada = CreateUser { email_address: vec!["ada@example.com".into()], ..somebody() };
    let ada = server.backend.send(&ada).await.expect("created");
    let statuses = together(|number| {
        let (client, id) = (patient(&server), ada.id.clone());
        let address = server.address().to_owned();
        let bearer = server.secret_key().to_owned();
        async move {
            if number == TASKS / 2 {
                client.send(&DeleteUser::new(id)).await.expect("deleted");
                return 200;
            }
            let (path, body) = match number % 3 {
                0 => ("/v1/sessions".to_owned(), json!({"user_id": id})),
                1 => {
                    let address = format!("ada{number}@example.com");
                    let body = json!({"user_id": id, "email_address": address});
                    ("/v1/email_addresses".to_owned(), body)
                }
                _ => (format!("/v1/users/{id}/ban"), json!({})),
            };
            let request = Request::new("POST", &path).bearer(&bearer).json(&body);
            answered(request, address).await.status
        }
    })
    .await;
    assert!(statuses.iter().all(|status| matches!(status, 200 | 403 | 404 | 422)), "{statuses:?}");
    for (table, rows) in server.dump().await {
        let of_ada = rows.iter().filter(|row| row.contains(ada.id.as_str()));
        if table != "outbox" {
            assert_eq!(of_ada.count(), 0, "{table}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_18_no_token_is_made_after_a_session_ended() {
    let server = TestServer::start().await;
    let ada = server.backend.send(&somebody()).await.expect("created");
    let key = server.secret_key();
    let request =
        Request::new("POST", "/v1/sessions").bearer(key).json(&json!({"user_id": ada.id}));
    let begun = server.call(request).await;
    let session = begun.json()["id"].as_str().expect("a session").to_owned();
    let post = |path: String| Request::new("POST", &path).bearer(key).json(&json!({}));
    together(|number| {
        let action = if number == TASKS / 2 { "revoke" } else { "tokens" };
        let request = post(format!("/v1/sessions/{session}/{action}"));
        let address = server.address().to_owned();
        async move { answered(request, address).await.status }
    })
    .await;

    let late = server.call(post(format!("/v1/sessions/{session}/tokens"))).await;

    late.assert_refusal("a token of an ended session");
}

/// How many of the usual number of tasks are told `won` for the same request.
async fn winners(server: &TestServer, path: &str, body: &Value, won: fn(&Value) -> bool) -> usize {
    let responses = together(|_| {
        let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
        let address = server.address().to_owned();
        async move { request.send(&address).await }
    });
    let mut winners = 0;
    for response in responses.await {
        if response.status == 200 && won(&response.json()) {
            winners += 1;
        } else if response.status != 200 {
            response.assert_refusal(path);
            assert!(response.status < 429, "{path}: {}", response.without_trace());
        }
    }
    winners
}

async fn made(server: &TestServer, path: &str, body: Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(&body);
    let response = server.call(request).await;
    assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
    response.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_03_a_code_verifies_once() {
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        let ada = server.backend.send(&somebody()).await.expect("created");
        let cases = [
            ("email_addresses", json!({"email_address": "ada+clerk_test@example.com"})),
            ("phone_numbers", json!({"phone_number": "+12015550123"})),
        ];
        for (list, mut body) in cases {
            body["user_id"] = json!(ada.id);
            let one = made(&server, &format!("/v1/{list}"), body).await;
            let path = format!("/v1/{list}/{}", one["id"].as_str().expect("an id"));
            let sent = made(&server, &format!("{path}/prepare_verification"), json!({})).await;
            let body = json!({"verification_id": sent["id"], "code": "424242"});
            let path = format!("{path}/attempt_verification");
            let won = |answer: &Value| answer["status"] == "verified";
            assert_eq!(winners(&server, &path, &body, won).await, 1, "{list}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_04_and_rac_05_a_second_factor_is_taken_once() {
    const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        let body = json!({
            "skip_user_requirement": true, "totp_secret": SECRET,
            "backup_codes": ["first-backup-code", "second-backup-code"],
        });
        let user = made(&server, "/v1/users", body).await;
        let path = format!("/v1/users/{}/verify_totp", user["id"].as_str().expect("an id"));
        let secret = totp::Secret::parse(SECRET).expect("base32");
        let step = u64::try_from(server.now().0 / 1000 / 30).expect("after 1970");
        let won = |answer: &Value| answer["verified"] == true;
        for code in [secret.code(step), "first-backup-code".into(), "second-backup-code".into()] {
            let body = json!({ "code": code });
            assert_eq!(winners(&server, &path, &body, won).await, 1, "{code}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_06_a_sign_in_token_lets_in_once() {
    for _ in 0..rounds() {
        let server = TestServer::start().await;
        let ada = server.backend.send(&somebody()).await.expect("created");
        let token = made(&server, "/v1/sign_in_tokens", json!({ "user_id": ada.id })).await;
        let ticket = token["token"].as_str().expect("a ticket").to_owned();
        let outside = server.outside().await;
        let let_in = together(|_| {
            let (outside, ticket) = (outside.clone(), ticket.clone());
            async move { outside.write(redeem, ticket).await.map_err(Error::into_refusal) }
        })
        .await;
        let refused = let_in.iter().filter_map(|one| one.as_ref().err());
        let codes: Vec<_> = refused.map(|refusal| refusal.code().to_owned()).collect();
        assert_eq!(codes, vec!["sign_in_token_already_used_code"; TASKS - 1]);
    }
}
