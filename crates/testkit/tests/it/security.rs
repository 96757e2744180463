//! What an attacker would try, each named after what it tries.

use std::{fs, path::Path};

use db::Mode;
use domain::{Hasher, Place, Rate, messages, sessions::testing};
use serde_json::{Value, json};
use testkit::{Request, TestServer, somebody};

use crate::{
    ask::world,
    calls::{made, post, text},
    races::{TASKS, together},
    sessions::set,
};

/// All that is stored: every row as text, and on SQLite every byte of its files as a letter.
async fn stored(server: &TestServer) -> Vec<String> {
    let rows = server.dump().await.into_values().flatten();
    let mut stored = vec![rows.collect::<Vec<_>>().join("\n")];
    if let Some(file) = server.database_url().strip_prefix("sqlite:") {
        let read = |end: &str| fs::read(format!("{file}{end}")).expect("the file is read");
        stored.push(["", "-wal"].map(|end| letters(&read(end))).concat());
    }
    stored
}

/// Each byte as a letter of its own.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The private ends of the signing keys, as no key is in clear where it is kept.
async fn signing_keys(server: &TestServer) -> Vec<String> {
    let rows = server.world.everywhere("stored", Mode::Read, |mut tx| {
        Box::pin(async move {
            let mut keys = Vec::new();
            let sql = "select id, instance_id, sealed from signing_keys";
            for mut row in tx.rows(sql, vec![]).await? {
                keys.push([row.take::<String>()?, row.take()?, row.take()?]);
            }
            Ok(keys)
        })
    });
    let open = |[row, instance, sealed]: [String; 3]| {
        let place =
            Place { table: "signing_keys", row: &row, column: "sealed", instance: &instance };
        let der = server.world.sealer.open(&place, &sealed).expect("it is opened");
        letters(&der[der.len() - 48..])
    };
    rows.await.expect("read").into_iter().map(open).collect()
}

#[tokio::test]
async fn sec_01_nothing_at_rest_holds_a_secret_in_clear() {
    let server = TestServer::start().await;
    let (password, totp) = ("planted-password-4711", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP");
    let (backup, key) =
        ("planted-backup-1", "planted-signing-key-0123456789abcdef0123456789abcdef");
    let body = json!({
        "email_address": ["ada@example.com"], "password": password, "totp_secret": totp,
        "backup_codes": [backup], "first_name": "Plantedname",
    });
    let user = made(&server, "/v1/users", &body).await;
    let body = json!({
        "name": "own", "claims": {}, "custom_signing_key": true, "signing_algorithm": "HS256",
        "signing_key": key,
    });
    made(&server, "/v1/jwt_templates", &body).await;
    let ticket = made(&server, "/v1/sign_in_tokens", &json!({ "user_id": user["id"] })).await;
    let session = made(&server, "/v1/sessions", &json!({ "user_id": user["id"] })).await;
    let outside = server.outside().await;
    let cookie = testing::client_cookie(&outside, text(&session["client_id"]).as_str().into());
    let cookie = cookie.await.expect("a cookie");
    let claims = jwt::decode_unverified(&cookie).expect("a token").payload;
    let refresh = testing::refresh_token(&outside, text(&session["id"]).as_str().into());
    let path = format!("/v1/email_addresses/{}", text(&user["email_addresses"][0]["id"]));
    made(&server, &format!("{path}/prepare_verification"), &json!({})).await;
    server.advance(1000);
    let sent = messages::recent(&server.world, &server.keys[0].instance_id, None).await;
    let code = sent.expect("read")[0].code.clone().expect("a code");

    let mut secrets = vec![
        password.to_owned(),
        totp.to_owned(),
        backup.to_owned(),
        key.to_owned(),
        text(&ticket["token"]),
        text(&claims["rotating_token"]),
        cookie,
        refresh.await.expect("a token"),
        // Six digits alone are part of many a number.
        format!("\"{code}\""),
        format!("{code} is"),
    ];
    secrets.extend(server.keys.iter().map(|keys| keys.secret_key.clone().expect("shown")));
    secrets.extend(signing_keys(&server).await);
    for stored in stored(&server).await {
        assert!(stored.contains("Plantedname"), "what is no secret is found");
        for secret in &secrets {
            assert!(!stored.contains(secret), "{secret:?} is in clear");
        }
    }
    assert_eq!(secrets.len(), 16);
}

#[tokio::test]
async fn sec_06_what_was_of_a_deleted_user_is_in_no_row() {
    let server = TestServer::start().await;
    let body = json!({
        "email_address": ["planted@example.com"], "phone_number": ["+12025550188"],
        "username": "planted_username", "external_id": "planted-external-id",
        "first_name": "Plantedname", "private_metadata": {"note": "planted-note"},
    });
    let user = made(&server, "/v1/users", &body).await;
    let path = format!("/v1/users/{}", text(&user["id"]));
    let planted = ["planted", "12025550188"];
    let holds = |row: &String| planted.iter().any(|word| row.to_lowercase().contains(word));
    assert!(server.dump().await["users"].iter().any(holds), "what is planted is found");

    let deleted = Request::new("DELETE", &path).bearer(server.secret_key());
    assert_eq!(server.call(deleted).await.status, 200);

    for (table, rows) in server.dump().await {
        // Messages that wait for their delivery say what happened, and go when they are sent.
        assert!(table == "outbox" || !rows.iter().any(holds), "{table}");
    }
    let search = Request::new("GET", "/v1/users?query=planted").bearer(server.secret_key());
    assert_eq!(server.call(search).await.body, b"[]");
}

#[test]
fn sec_12_and_jwt_28_no_crate_is_unsafe_and_none_signs_with_rsa() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("it is there");
    assert!(read("Cargo.toml").contains("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for folder in fs::read_dir(root.join("crates")).expect("there are crates") {
        let path = folder.expect("it is listed").path().join("Cargo.toml");
        let manifest = fs::read_to_string(&path).expect("it is there");
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{}", path.display());
    }
    let lock = read("Cargo.lock");
    for name in ["rsa", "openssl", "openssl-sys"] {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ovl_02_and_ovl_08_a_full_queue_for_hashing_refuses_and_nothing_else_waits() {
    let server = TestServer::start_hashing(Hasher::with_queue(1, 1)).await;
    let user = server.backend.send(&somebody()).await.expect("created");
    let session = made(&server, "/v1/sessions", &json!({ "user_id": user.id })).await;
    let tokens = format!("/v1/sessions/{}/tokens", text(&session["id"]));
    let asked = together(|number| {
        let mints = number % 4 == 0;
        let body = json!({ "password": "correct horse battery", "skip_user_requirement": true });
        let (path, body) = if mints { (&*tokens, json!({})) } else { ("/v1/users", body) };
        let request = Request::new("POST", path).bearer(server.secret_key()).json(&body);
        let address = server.address().to_owned();
        async move { (mints, request.send(&address).await) }
    });

    let (mut made_of_them, mut refused) = (0, 0);
    for (mints, response) in asked.await {
        if response.status == 200 {
            made_of_them += usize::from(!mints);
            continue;
        }
        response.assert_refusal("a full queue");
        assert!(!mints, "tokens need no password");
        let said = (response.status, response.code());
        assert_eq!(said, (429, "too_many_requests".to_owned()));
        assert_eq!(response.header("retry-after"), Some("2"));
        refused += 1;
    }

    assert!(made_of_them >= 2 && refused >= 1, "{made_of_them} made, {refused} refused");
    assert_eq!(server.dump().await["users"].len(), 1 + made_of_them);
    let body = json!({ "password": "correct horse battery", "skip_user_requirement": true });
    made(&server, "/v1/users", &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_15_of_many_at_once_as_many_are_answered_as_may_ask() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.rate_limits.enabled = true;
        settings.rate_limits.backend = Rate { requests: 10, seconds: 10 };
    })
    .await;
    let ask = |path: &'static str| {
        let request = Request::new("GET", path).bearer(server.secret_key());
        let address = server.address().to_owned();
        async move { request.send(&address).await }
    };

    let (answered, refused): (Vec<_>, Vec<_>) =
        together(|_| ask("/v1/users")).await.into_iter().partition(|it| it.status == 200);

    assert_eq!((answered.len(), refused.len()), (10, TASKS - 10));
    for response in refused {
        response.assert_refusal("one too many");
        assert_eq!(response.status, 429);
        assert!(response.header("retry-after").is_some());
    }
    assert_eq!(ask("/v1/jwks").await.status, 200, "without keys nobody verifies anything");
    server.advance(10_000);
    assert_eq!(ask("/v1/users").await.status, 200);
}

#[tokio::test]
async fn ten_09_a_neighbours_ids_in_bodies_are_ids_of_nothing() {
    let server = TestServer::start().await;
    let theirs = world(&server).await;
    let own = server.neighbour.send(&somebody()).await.expect("created");
    let own = format!("/v1/users/{}", own.id);
    let address = json!({ "email_address": "new@example.com" });
    let number = json!({ "phone_number": "+12025550188" });
    let cases = [
        ("POST", "/v1/sessions", "user_id", json!({})),
        ("POST", "/v1/sign_in_tokens", "user_id", json!({})),
        ("POST", "/v1/email_addresses", "user_id", address),
        ("POST", "/v1/phone_numbers", "user_id", number),
        ("POST", "/v1/users/ban", "user_ids", json!({})),
        ("POST", "/v1/users/unban", "user_ids", json!({})),
        ("PATCH", &own, "primary_email_address_id", json!({})),
        ("PATCH", &own, "primary_phone_number_id", json!({})),
        ("PATCH", &own, "primary_web3_wallet_id", json!({})),
    ];
    let before = server.dump().await;
    for (method, path, name, body) in cases {
        let theirs = match name {
            "primary_email_address_id" => &theirs["email_address_id"],
            "primary_phone_number_id" => &theirs["phone_number_id"],
            "primary_web3_wallet_id" => &theirs["web3_wallet_identification_id"],
            _ => &theirs["user_id"],
        };
        let (prefix, rest) = theirs.split_once('_').expect("a prefix");
        let nobodys = format!("{prefix}_{}", "z".repeat(rest.len()));
        let mut said = Vec::new();
        for id in [theirs, &nobodys] {
            let mut body = body.clone();
            body[name] = if name == "user_ids" { json!([id]) } else { json!(id) };
            let request = Request::new(method, path).bearer(server.neighbours_key()).json(&body);
            let response = server.call(request).await;
            response.assert_refusal(name);
            assert!(matches!(response.status, 404 | 422), "{path} {name}: {}", response.status);
            said.push((response.status, response.without_trace().replace(id.as_str(), "…")));
        }
        assert_eq!(said[0], said[1], "{path} {name}");
    }
    assert_eq!(server.dump().await, before);
}

/// An address that tests use, and what became of the code that all of them know.
async fn tried_with_the_known_code(server: &TestServer, key: &str, kind: &str) -> Value {
    let (list, name, value) = match kind {
        "email" => ("email_addresses", "email_address", "ada+clerk_test@example.com"),
        _ => ("phone_numbers", "phone_number", "+12015550123"),
    };
    let call = async |path: &str, body: Value| {
        let response = server.call(Request::new("POST", path).bearer(key).json(&body)).await;
        assert_eq!(response.status, 200, "{path}: {}", response.without_trace());
        response.json()
    };
    let user = call("/v1/users", json!({ "skip_user_requirement": true })).await;
    let made = call(&format!("/v1/{list}"), json!({ "user_id": user["id"], name: value })).await;
    let path = format!("/v1/{list}/{}", text(&made["id"]));
    let sent = call(&format!("{path}/prepare_verification"), json!({})).await;
    let body = json!({ "verification_id": sent["id"], "code": "424242" });
    call(&format!("{path}/attempt_verification"), body).await
}

#[tokio::test]
async fn ten_10_the_known_code_opens_nothing_in_production() {
    let server = TestServer::start().await;
    let production = server.keys[2].secret_key.clone().expect("shown");
    for kind in ["email", "phone"] {
        let known = tried_with_the_known_code(&server, server.secret_key(), kind).await;
        assert_eq!(known["status"], "verified", "development, {kind}");
        let refused = tried_with_the_known_code(&server, &production, kind).await;
        assert_eq!((&refused["status"], &refused["attempts"]), (&json!("unverified"), &json!(1)));
    }
}

#[tokio::test]
async fn otp_21_a_code_ends_with_its_address() {
    let server = TestServer::start().await;
    let user = made(&server, "/v1/users", &json!({ "skip_user_requirement": true })).await;
    let address = "ada+clerk_test@example.com";
    let body = json!({ "user_id": user["id"], "email_address": address });
    let old = text(&made(&server, "/v1/email_addresses", &body).await["id"]);
    let path = format!("/v1/email_addresses/{old}");
    let sent = made(&server, &format!("{path}/prepare_verification"), &json!({})).await;
    let deleted = Request::new("DELETE", &path).bearer(server.secret_key());
    assert_eq!(server.call(deleted).await.status, 200);
    let new = text(&made(&server, "/v1/email_addresses", &body).await["id"]);

    let code = json!({ "verification_id": sent["id"], "code": "424242" });
    for id in [old, new] {
        let path = format!("/v1/email_addresses/{id}/attempt_verification");
        let refused = post(&server, &path, &code).await;
        refused.assert_refusal(&path);
    }
}

#[tokio::test]
async fn inp_19_a_panic_is_one_requests_own() {
    let server = TestServer::start().await;
    let ids = world(&server).await;
    let now = server.now();
    let requests = || {
        [
            Request::new("GET", "/v1/users?limit=1"),
            Request::new("POST", &format!("/v1/sessions/{}/tokens", ids["session_id"])),
            Request::new("POST", "/v1/users").json(&json!({ "skip_user_requirement": true })),
        ]
    };

    server.break_clock();
    for request in requests() {
        let response = server.call(request.bearer(server.secret_key())).await;
        let body = response.json();
        let said = (response.status, response.code());
        assert_eq!(said, (500, "internal_clerk_error".to_owned()), "{body}");
        assert_eq!(body["clerk_trace_id"].as_str(), response.header("clerk-trace-id"), "{body}");
        assert!(!body.to_string().contains("clock"), "what broke is not told: {body}");
    }
    server.set_clock(now);
    for request in requests() {
        let response = server.call(request.bearer(server.secret_key())).await;
        assert_eq!(response.status, 200, "{}", response.without_trace());
    }
}

#[tokio::test]
async fn inp_08_metadata_has_a_size_and_a_depth() {
    let server = TestServer::start().await;
    let user = server.backend.send(&somebody()).await.expect("created");
    let path = format!("/v1/users/{}/metadata", user.id);
    let send = async |method: &str, metadata: &Value| {
        let body = json!({ "private_metadata": metadata });
        let request = Request::new(method, &path).bearer(server.secret_key());
        server.call(request.json(&body)).await
    };
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    let long = |length: usize| json!({ "a": "x".repeat(length - 8) });

    // Names that mean something elsewhere are names here; null removes, another type replaces.
    let first = json!({ "__proto__": {"admin": true}, "constructor": 1, "b": {"c": 1, "d": 2} });
    assert_eq!(send("PATCH", &first).await.json()["private_metadata"], first);
    let merged = send("PATCH", &json!({ "b": {"c": null}, "constructor": null })).await.json();
    let expected = json!({ "__proto__": {"admin": true}, "b": {"d": 2} });
    assert_eq!(merged["private_metadata"], expected);
    let merged = send("PATCH", &json!({ "b": [1], "__proto__": null })).await.json();
    assert_eq!(merged["private_metadata"], json!({ "b": [1] }));

    let before = server.dump().await;
    for (method, metadata) in [
        ("PUT", long(8 * 1024 + 1)),
        ("PATCH", long(8 * 1024)),
        ("PUT", nested(51)),
        ("PATCH", nested(100)),
    ] {
        let response = send(method, &metadata).await;
        response.assert_refusal(method);
        let said = (response.status, response.errors());
        let code = "form_param_exceeds_allowed_size".to_owned();
        assert_eq!(said, (422, vec![(code, "private_metadata".to_owned())]));
    }
    assert_eq!(server.dump().await, before);
    for metadata in [long(8 * 1024), nested(50)] {
        assert_eq!(send("PUT", &metadata).await.status, 200);
    }
}

#[tokio::test]
async fn inp_17_times_are_times_and_within_bounds() {
    let server = TestServer::start().await;
    let malformed = [
        "-1",
        "0",
        "1e20",
        "yesterday",
        "1969-12-31T23:59:59Z",
        "-0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "+10000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+99:00",
    ];
    let malformed = malformed.map(|time| (time, "form_param_invalid_time"));
    let future = ("9999-12-31T23:59:59Z", "form_disallow_future_date");
    for name in ["created_at", "legal_accepted_at"] {
        for (time, code) in malformed.into_iter().chain([future]) {
            let body = json!({ name: time, "skip_user_requirement": true });
            let response = post(&server, "/v1/users", &body).await;
            response.assert_refusal(time);
            let said = (response.status, response.errors());
            assert_eq!(said, (422, vec![(code.to_owned(), name.to_owned())]), "{time}");
        }
    }
    for text in ["-1", "253402300800000", "1e3", "2026-01-01", "99999999999999999999", ""] {
        let path = format!("/v1/users?created_at_after={text}");
        let response = server.call(Request::new("GET", &path).bearer(server.secret_key())).await;
        response.assert_refusal(text);
        assert_eq!(response.status, 422, "{text}");
    }
    assert!(server.dump().await["users"].is_empty());

    let fine = "2012-10-20T07:15:20.902999999Z";
    let body = json!({ "created_at": fine, "skip_user_requirement": true });
    assert_eq!(made(&server, "/v1/users", &body).await["created_at"], 1_350_717_320_902_i64);
}
