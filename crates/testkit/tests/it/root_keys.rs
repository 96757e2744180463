//! Rotation of the root key, while a server that knows both keys runs.

use std::sync::Arc;

use db::Mode;
use domain::{
    Hasher, RootKey, Sealer, World, handshakes, messages,
    root_keys::{check, rotate},
    server_facts::unlock,
    totp,
};
use serde_json::{Value, json};
use testkit::{Request, TestServer};

use crate::{
    ask::world,
    calls::{made, text},
    races::{TASKS, together},
};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// The same database, for a process with these root keys.
fn knowing(server: &TestServer, first: &RootKey, other: Option<&RootKey>) -> Arc<World> {
    let sealer = Sealer::new(first).expect("a sealer");
    let sealer = other.into_iter().try_fold(sealer, Sealer::and_other).expect("a sealer");
    let (db, seeds) = (server.world.db.clone(), server.world.seeds.clone());
    Arc::new(World::new(db, seeds, Hasher::new(1), sealer, server.address()))
}

/// A user with a second factor; answers the path to verify it.
async fn second_factor(server: &TestServer) -> String {
    let body = json!({
        "skip_user_requirement": true, "totp_secret": SECRET,
        "backup_codes": ["first-backup-code", "second-backup-code"],
    });
    let user = made(server, "/v1/users", &body).await;
    format!("/v1/users/{}/verify_totp", text(&user["id"]))
}

/// A template with its own key; answers the path to a token of it.
async fn template(server: &TestServer, session: &str) -> String {
    let body = json!({
        "name": "own", "claims": {}, "custom_signing_key": true, "signing_algorithm": "HS256",
        "signing_key": "a-signing-key-0123456789abcdef0123456789abcdef",
    });
    made(server, "/v1/jwt_templates", &body).await;
    format!("/v1/sessions/{session}/tokens/own")
}

fn totp_of(server: &TestServer) -> Value {
    let step = u64::try_from(server.now().0 / 1000 / 30).expect("after 1970");
    json!({ "code": totp::Secret::parse(SECRET).expect("base32").code(step) })
}

/// What is stored under the key of this name: how many marks of codes, and what else.
async fn under(server: &TestServer, id: &str) -> (usize, Vec<String>) {
    /// HMAC-SHA-256 in base64.
    const MARK: usize = 44;
    let rows: Vec<_> = server.dump().await.into_values().flatten().collect();
    let begin = format!("v1.{id}.");
    let found = rows.iter().flat_map(|row| {
        row.split(&begin).skip(1).map(move |rest| {
            let end = |letter: char| !letter.is_ascii_alphanumeric() && !"+/=".contains(letter);
            (rest.find(end).unwrap_or(rest.len()), row)
        })
    });
    let (marks, others): (Vec<_>, Vec<_>) = found.partition(|(length, _)| *length == MARK);
    (marks.len(), others.into_iter().map(|(_, row)| row.clone()).collect())
}

#[tokio::test]
async fn sec_04_all_that_is_sealed_comes_under_another_root_key() {
    let server = TestServer::start().await;
    let [old, new] = &server.root_keys;
    assert!(unlock(&server.world, Mode::Write).await.expect("written"), "as servers begin");
    let ids = world(&server).await;
    let factor = second_factor(&server).await;
    let token = template(&server, &ids["session_id"]).await;
    let outside = server.outside().await;
    outside.write(handshakes::keep, vec!["a=b".to_owned()]).await.expect("kept");
    let address = format!("/v1/email_addresses/{}", ids["email_address_id"]);
    let sent = made(&server, &format!("{address}/prepare_verification"), &json!({})).await;
    server.advance(1000);
    let inbox = messages::recent(&server.world, &server.keys[0].instance_id, None).await;
    let code = inbox.expect("read").into_iter().find_map(|message| message.code);

    let rotating = knowing(&server, new, Some(old));
    let before = check(&rotating).await.expect("checked");
    assert_eq!((before.left(), &before.broken), (before.secrets[&old.id()], &vec![]));
    let after = rotate(&rotating, |_| {}).await.expect("rotated");
    assert_eq!((after.left(), &after.broken), (0, &vec![]));
    assert_eq!((after.sealed_again, after.secrets[&new.id()]), (before.left(), before.left()));

    // The tables themselves, as a list of what is sealed may be short of something.
    let (marks, others) = under(&server, &old.id()).await;
    assert_eq!(others, Vec::<String>::new());
    assert!(marks > 0, "codes cannot be sealed again");
    let code = json!({ "verification_id": sent["id"], "code": code });
    let proved = made(&server, &format!("{address}/attempt_verification"), &code).await;
    assert_eq!(proved["status"], "verified", "{proved}");
    assert_eq!(made(&server, &factor, &totp_of(&server)).await["code_type"], "totp");
    let backup = made(&server, &factor, &json!({ "code": "first-backup-code" })).await;
    assert_eq!(backup["code_type"], "backup_code");
    made(&server, &token, &json!({})).await;

    // What a server seals that does not have the new key first is seen, and not lost.
    second_factor(&server).await;
    let behind = check(&rotating).await.expect("checked");
    assert_eq!((behind.left(), &behind.broken), (2, &vec![]));
    assert_eq!(rotate(&rotating, |_| {}).await.expect("rotated").left(), 0);

    let alone = knowing(&server, new, None);
    let alone_sees = check(&alone).await.expect("checked");
    assert_eq!((alone_sees.left(), alone_sees.broken), (0, vec![]), "the older key may go");
    assert!(unlock(&alone, Mode::Read).await.expect("read"));
    let gone = knowing(&server, old, None);
    assert!(!unlock(&gone, Mode::Read).await.expect("read"));
    assert!(!check(&gone).await.expect("checked").broken.is_empty());
}

#[tokio::test]
async fn sec_04_a_rotation_that_was_killed_goes_on_where_it_ended() {
    let server = TestServer::start().await;
    let [old, new] = &server.root_keys;
    assert!(unlock(&server.world, Mode::Write).await.expect("written"), "as servers begin");
    let ids = world(&server).await;
    let token = template(&server, &ids["session_id"]).await;
    let mut factors = vec![];
    for _ in 0..8 {
        factors.push(second_factor(&server).await);
    }
    let (rotating, alone) = (knowing(&server, new, Some(old)), knowing(&server, new, None));
    let mut left = check(&rotating).await.expect("checked").left();
    let mut kills = 0;
    loop {
        let world = Arc::clone(&rotating);
        let work = async move { rotate(&world, |_| panic!("killed")).await };
        let Err(killed) = tokio::spawn(work).await else { break };
        assert!(killed.is_panic());
        kills += 1;
        let report = check(&rotating).await.expect("checked");
        assert!((1..left).contains(&report.left()), "{report:?}");
        left = report.left();
        // It needs both keys, and whoever has both works.
        assert!(!unlock(&alone, Mode::Read).await.expect("read"));
        assert!(unlock(&server.world, Mode::Read).await.expect("read"));
        let factor = factors.pop().expect("enough of them");
        assert_eq!(made(&server, &factor, &totp_of(&server)).await["verified"], true);
        let backup = json!({ "code": "second-backup-code" });
        assert_eq!(made(&server, &factor, &backup).await["verified"], true);
        made(&server, &token, &json!({})).await;
    }
    assert!(kills >= 5, "each kind of secret takes a step: {kills}");
    let report = check(&alone).await.expect("checked");
    assert_eq!((report.left(), report.broken), (0, vec![]));
    assert!(unlock(&alone, Mode::Read).await.expect("read"));
}

/// Codes are tried while what they are compared with comes under the other key, and back.
#[tokio::test(flavor = "multi_thread")]
async fn sec_04_second_factors_are_verified_meanwhile() {
    let server = TestServer::start().await;
    let [old, new] = &server.root_keys;
    let mut factors = Vec::new();
    for _ in 0..TASKS {
        factors.push(second_factor(&server).await);
    }
    let worlds = [knowing(&server, new, Some(old)), knowing(&server, old, Some(new))];
    let rotating = tokio::spawn(async move {
        for turn in 0..20 {
            // It may be asked to come back, as everybody else.
            let _ = rotate(&worlds[turn % 2], |_| {}).await;
        }
    });
    let body = totp_of(&server);
    let answers = together(|number| {
        let request = Request::new("POST", &factors[number]).bearer(server.secret_key());
        let (request, address) = (request.json(&body), server.address().to_owned());
        async move { request.send(&address).await }
    })
    .await;
    for answer in answers {
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 200 || answer.status == 503, "{}: {said}", answer.status);
    }
    rotating.await.expect("it does not panic");
    assert!(check(&server.world).await.expect("checked").broken.is_empty());
}
