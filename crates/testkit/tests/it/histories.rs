//! Histories: what many did to one user at a time could have been done one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use testkit::{Request, TestServer};

use crate::{
    races::together_of,
    random::{Dice, seed},
};

const TASKS: usize = 16;
const STEPS: usize = 12;
/// Keys of metadata, each of which is a value of its own.
const KEYS: u64 = 3;

/// A value that was written or read, and the moments between which that happened.
#[derive(Clone, Debug)]
struct Step {
    register: String,
    value: String,
    began: u64,
    ended: u64,
}

#[derive(Default, Debug)]
struct History {
    writes: Vec<Step>,
    reads: Vec<Step>,
}

/// What a user says: the name that two columns share, and each key.
fn registers(user: &Value) -> BTreeMap<String, String> {
    assert_eq!(user["first_name"], user["last_name"], "half a change");
    let mut all = BTreeMap::new();
    let names = [("name".to_owned(), &user["first_name"])];
    let keys =
        (0..KEYS).map(|key| (format!("k{key}"), &user["public_metadata"][format!("k{key}")]));
    for (name, value) in names.into_iter().chain(keys) {
        all.insert(name, value.as_str().unwrap_or_default().to_owned());
    }
    all
}

async fn play(
    (address, key, path): (String, String, String),
    clock: Arc<AtomicU64>,
    task: usize,
    mut dice: Dice,
) -> History {
    let mut history = History::default();
    for number in 0..STEPS {
        let value = format!("t{task}n{number}");
        let (request, register) = match dice.roll(3) {
            0 => (Request::new("GET", &path), None),
            1 => {
                let body = json!({ "first_name": value, "last_name": value });
                (Request::new("PATCH", &path).json(&body), Some("name".to_owned()))
            }
            _ => {
                let register = format!("k{}", dice.roll(KEYS));
                let body = json!({ "public_metadata": { &register: value } });
                let path = format!("{path}/metadata");
                (Request::new("PATCH", &path).json(&body), Some(register))
            }
        };
        let began = clock.fetch_add(1, Ordering::SeqCst);
        let response = request.bearer(&key).send(&address).await;
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        assert_eq!(response.status, 200, "{}", response.without_trace());
        // What a write answers was read in it.
        for (name, value) in registers(&response.json()) {
            history.reads.push(Step { register: name, value, began, ended });
        }
        if let Some(register) = register {
            history.writes.push(Step { register, value, began, ended });
        }
    }
    history
}

/// Fails unless the reads of one register fit some order of its writes. Each value is written
/// once, so it is known which write a read saw.
fn check(writes: &[&Step], reads: &[&Step]) {
    let nothing = Step { register: String::new(), value: String::new(), began: 0, ended: 0 };
    let written: BTreeMap<&str, &Step> =
        writes.iter().map(|write| (write.value.as_str(), *write)).chain([("", &nothing)]).collect();
    let seen = |read: &Step| *written.get(read.value.as_str()).expect("it was written by somebody");
    for read in reads {
        let source = seen(read);
        assert!(source.began <= read.ended, "{read:?} is of the future: {source:?}");
        let between =
            writes.iter().find(|write| source.ended < write.began && write.ended < read.began);
        assert!(between.is_none(), "{read:?} of {source:?} is stale: {between:?}");
    }
    for (first, second) in reads.iter().flat_map(|one| reads.iter().map(move |two| (one, two))) {
        let (old, new) = (seen(second), seen(first));
        let goes_back = first.ended < second.began && old.ended < new.began;
        assert!(!goes_back, "{second:?} comes after {first:?} and says what was before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rac_22_what_many_do_to_a_user_has_an_order() {
    let seed = seed();
    let server = TestServer::start().await;
    let create = Request::new("POST", "/v1/users").bearer(server.secret_key());
    let user = server.call(create.json(&json!({ "skip_user_requirement": true }))).await.json();
    let path = format!("/v1/users/{}", user["id"].as_str().expect("an id"));
    let clock = Arc::new(AtomicU64::new(1));
    let histories = together_of(TASKS, |task| {
        let place = (server.address().to_owned(), server.secret_key().to_owned(), path.clone());
        play(place, Arc::clone(&clock), task, Dice::new(seed + task as u64))
    })
    .await;
    let now = clock.fetch_add(2, Ordering::SeqCst);
    let last = server.call(Request::new("GET", &path).bearer(server.secret_key())).await.json();

    let writes: Vec<_> = histories.iter().flat_map(|history| &history.writes).collect();
    let mut reads: Vec<_> =
        histories.iter().flat_map(|history| history.reads.iter().cloned()).collect();
    for (register, value) in registers(&last) {
        reads.push(Step { register, value, began: now, ended: now + 1 });
    }
    let names: BTreeSet<_> = reads.iter().map(|read| read.register.clone()).collect();
    for name in names {
        let of_name = |step: &&&Step| step.register == name;
        let writes: Vec<_> = writes.iter().filter(of_name).copied().collect();
        let reads: Vec<_> = reads.iter().filter(|step| step.register == name).collect();
        check(&writes, &reads);
    }
    let updates = server.events().await.iter().filter(|kind| *kind == "user.updated").count();
    assert_eq!(updates, writes.len(), "one event for each change");
}

#[test]
fn the_check_finds_what_has_no_order() {
    let step = |value: &str, began, ended| Step {
        register: String::new(),
        value: value.to_owned(),
        began,
        ended,
    };
    let (a, b) = (step("a", 1, 2), step("b", 3, 4));
    check(&[&a, &b], &[&step("a", 2, 5), &step("b", 6, 7)]);
    let stale = std::panic::catch_unwind(|| check(&[&a, &b], &[&step("a", 5, 6)]));
    assert!(stale.is_err(), "a value that was replaced before the read began");
    let (a, b) = (step("a", 1, 9), step("b", 1, 2));
    let back = [&step("a", 3, 4), &step("b", 5, 6)];
    check(&[&a, &b], &[&step("b", 3, 4), &step("a", 5, 6)]);
    check(&[&a, &b], &back);
    let (a, b) = (step("a", 3, 9), step("b", 1, 2));
    let back = std::panic::catch_unwind(|| {
        check(&[&a, &b], &[&step("a", 4, 5), &step("b", 6, 7)]);
    });
    assert!(back.is_err(), "what was there before comes back");
}
