//! Random walks through sign-ins and sign-ups: whatever is done in whatever order, whoever is in
//! has proven what they must have.
//!
//! The walk knows what it proved to whom: it holds the right codes and passwords itself. A session
//! that begins without that being enough is a way around.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use domain::settings::Strategy;
use serde_json::{Value, json};
use testkit::{Browser, Request, TestServer};

use crate::{
    random::{Dice, seed},
    sessions::set,
};

const PASSWORD: &str = "a blue whale sings";
const NEW_PASSWORD: &str = "two red foxes dance";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/// Walkers in pairs, each pair among people of its own.
const PAIRS: u64 = 4;

/// Somebody with an account: what lets them in.
#[derive(Clone)]
struct Person {
    id: String,
    address: String,
    has_second_factor: bool,
    is_distrusted: bool,
    password: &'static str,
}

/// What was proven of one sign-in.
#[derive(Clone, Debug, Default)]
struct Proven {
    first: bool,
    second: bool,
    /// By a code that lets one choose another password, and demands it.
    by_reset: bool,
    has_reset: bool,
}

/// One browser, and what is under way there.
struct Walker<'s> {
    browser: Browser<'s>,
    sign_in: Option<(String, usize)>,
    /// Its id, and whether it lacks nothing but a proof.
    sign_up: Option<(String, bool)>,
    proven: BTreeMap<String, Proven>,
    /// Sessions that were seen here.
    sessions: BTreeSet<String>,
}

struct Walk<'s> {
    server: &'s TestServer,
    dice: Dice,
    people: Vec<Person>,
    walkers: Vec<Walker<'s>>,
    trail: Vec<String>,
    sign_ups: usize,
    counts: &'s Counts,
    /// Which pair this is.
    number: u64,
}

/// What all walks have come to.
#[derive(Default)]
struct Counts {
    /// Steps that were taken: requests of visitors.
    steps: AtomicU64,
    /// Sign-ins and sign-ups that were begun.
    begun: AtomicU64,
}

fn more(count: &AtomicU64) -> u64 {
    count.fetch_add(1, Ordering::Relaxed)
}

/// What a step came to.
struct Done {
    status: u16,
    code: String,
    body: Value,
}

impl Done {
    fn id(&self) -> String {
        self.body["response"]["id"].as_str().expect("an id").to_owned()
    }

    fn session(&self) -> Option<&str> {
        self.body["response"]["created_session_id"].as_str()
    }
}

async fn backend(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
    let done = server.call(request).await;
    assert_eq!(done.status, 200, "{path}: {}", done.without_trace());
    done.json()
}

async fn people(server: &TestServer, pair: u64) -> Vec<Person> {
    let mut people = Vec::new();
    for (number, (has_second_factor, is_distrusted)) in
        [(false, false), (true, false), (false, true), (true, true)].into_iter().enumerate()
    {
        let address = format!("person{pair}{number}+clerk_test@example.com");
        let mut body = json!({"email_address": [address], "password": PASSWORD});
        if has_second_factor {
            body["totp_secret"] = SECRET.into();
        }
        let made = backend(server, "/v1/users", &body).await;
        let id = made["id"].as_str().expect("an id").to_owned();
        if is_distrusted {
            let path = format!("/v1/users/{id}/password/set_compromised");
            backend(server, &path, &json!({})).await;
        }
        people.push(Person { id, address, has_second_factor, is_distrusted, password: PASSWORD });
    }
    people
}

impl Walk<'_> {
    fn roll(&mut self, sides: u64) -> usize {
        usize::try_from(self.dice.roll(sides)).expect("few")
    }

    /// The six digits that the person's app shows.
    fn totp(&self) -> String {
        let secret = domain::totp::Secret::parse(SECRET).expect("a secret");
        secret.code(u64::try_from(self.server.now().0 / 30_000).expect("late enough"))
    }

    async fn post(&mut self, who: usize, path: &str, fields: &[(&str, &str)]) -> Done {
        more(&self.counts.steps);
        let answer = self.walkers[who].browser.post(path, fields).await;
        let (status, body) = (answer.status, answer.json());
        let code = body["errors"][0]["code"].as_str().unwrap_or_default().to_owned();
        self.trail.push(format!("{who} {path} {fields:?} {status} {code}"));
        assert!(status < 500, "{}", self.told());
        let done = Done { status, code, body };
        self.look(who, &done);
        done
    }

    /// No session begins but that which the answer tells of.
    fn look(&mut self, who: usize, done: &Done) {
        let client = [&done.body["client"], &done.body["meta"]["client"]];
        let sessions = client.into_iter().find_map(|client| client["sessions"].as_array());
        for session in sessions.into_iter().flatten() {
            let id = session["id"].as_str().expect("an id");
            if self.walkers[who].sessions.insert(id.to_owned()) {
                let is_told = done.status == 200 && done.session() == Some(id);
                assert!(is_told, "{id} came from nowhere\n{}", self.told());
            }
        }
    }

    fn told(&self) -> String {
        self.trail[self.trail.len().saturating_sub(25)..].join("\n")
    }

    /// Whoever got in must have proven enough for it.
    fn judge(&mut self, who: usize, done: &Done, person: usize) {
        let Some(session) = done.session() else { return };
        let id = done.id();
        let proven = self.walkers[who].proven.get(&id).cloned().unwrap_or_default();
        let owner = self.people[person].clone();
        let of = format!("{session} of {id}: {proven:?}\n{}", self.told());
        assert!(proven.first, "{of}");
        assert!(proven.second || !owner.has_second_factor, "{of}");
        assert!(proven.has_reset || !proven.by_reset, "{of}");
        assert!(!owner.is_distrusted, "{of}");
        let sessions = done.body["client"]["sessions"].as_array();
        let begun = sessions.into_iter().flatten().find(|one| one["id"] == session);
        assert_eq!(begun.expect("it is told")["user"]["id"], owner.id.as_str(), "{of}");
        self.walkers[who].sign_in = None;
    }

    async fn begin(&mut self, who: usize) {
        let person = self.roll(4);
        let owner = self.people[person].clone();
        let (password, wrong) = (owner.password, "wrong horse battery");
        let (code, reset) = ("email_code", "reset_password_email_code");
        // Hashing takes longer than all the rest, so passwords are tried less often.
        let way: &[(&str, &str)] = match self.roll(20) {
            0 => &[("password", password)],
            1 => &[("password", wrong)],
            2..=5 => &[],
            6..=14 => &[("strategy", code)],
            _ => &[("strategy", reset)],
        };
        let fields = [&[("identifier", &*owner.address)][..], way].concat();
        let answer = self.post(who, "/v1/client/sign_ins", &fields).await;
        if answer.code == "session_exists" {
            self.walkers[who].browser.delete("/v1/client/sessions").await;
        }
        if answer.status != 200 {
            return;
        }
        let id = answer.id();
        more(&self.counts.begun);
        let first = way.first().is_some_and(|own| *own == ("password", password));
        assert!(!(first && owner.is_distrusted), "a distrusted password let in\n{}", self.told());
        self.walkers[who].proven.insert(id.clone(), Proven { first, ..Proven::default() });
        self.walkers[who].sign_in = Some((id, person));
        self.judge(who, &answer, person);
    }

    async fn go_on(&mut self, who: usize) {
        let from = if self.roll(8) == 0 { self.roll(2) } else { who };
        let Some((id, person)) = self.walkers[from].sign_in.clone() else { return };
        let owner = self.people[person].clone();
        let path = |step: &str| format!("/v1/client/sign_ins/{id}/{step}");
        let (code, totp) = (["424242", "000000"][self.roll(2)], self.totp());
        let (step, fields): (&str, Vec<(&str, &str)>) = match self.roll(32) {
            0..=3 => ("prepare_first_factor", vec![("strategy", "email_code")]),
            4 | 5 => ("prepare_first_factor", vec![("strategy", "reset_password_email_code")]),
            6..=12 => ("attempt_first_factor", vec![("strategy", "email_code"), ("code", code)]),
            13..=17 => {
                let strategy = ("strategy", "reset_password_email_code");
                ("attempt_first_factor", vec![strategy, ("code", code)])
            }
            18 => {
                let password = [owner.password, "wrong horse battery"][self.roll(2)];
                ("attempt_first_factor", vec![("strategy", "password"), ("password", password)])
            }
            19..=25 => ("attempt_second_factor", vec![("strategy", "totp"), ("code", &*totp)]),
            26 | 27 => ("attempt_second_factor", vec![("strategy", "email_code"), ("code", code)]),
            28 | 29 => ("prepare_second_factor", vec![("strategy", "email_code")]),
            _ => ("reset_password", vec![("password", NEW_PASSWORD)]),
        };
        let answer = self.post(who, &path(step), &fields).await;
        if answer.status != 200 {
            return;
        }
        let told = self.told();
        assert_eq!(from, who, "a sign-in of another client went on\n{told}");
        let proven = self.walkers[who].proven.entry(id.clone()).or_default();
        match (step, fields[0].1) {
            ("attempt_first_factor", "password") => {
                assert_eq!(fields[1].1, owner.password, "a wrong password was right");
                assert!(!owner.is_distrusted, "a distrusted password was right");
                proven.first = true;
            }
            ("attempt_first_factor", strategy) => {
                assert_eq!(fields[1].1, "424242", "a wrong code was right");
                (proven.first, proven.by_reset) = (true, strategy.starts_with("reset"));
            }
            ("attempt_second_factor", strategy) => {
                assert_eq!(strategy, "totp", "one factor was two\n{told}");
                proven.second = true;
            }
            ("reset_password", _) => {
                assert!(proven.first, "a password was reset by nobody\n{told}");
                proven.has_reset = true;
                let owner = &mut self.people[person];
                (owner.password, owner.is_distrusted) = (NEW_PASSWORD, false);
            }
            _ => {}
        }
        self.judge(who, &answer, person);
    }

    async fn sign_up(&mut self, who: usize) {
        // Some are taken by then, and some are not.
        let number = self.sign_ups / 4 + self.roll(3);
        let address = format!("new{}.{number}+clerk_test@example.com", self.number);
        if self.walkers[who].sign_up.is_none() || self.roll(8) == 0 {
            let fields = [("email_address", &*address), ("password", PASSWORD)];
            // Without a password it lacks something.
            let count = if self.roll(4) == 0 { 2 } else { 1 };
            let answer = self.post(who, "/v1/client/sign_ups", &fields[..count]).await;
            let is_begun = answer.status == 200;
            if is_begun {
                self.sign_ups += 1;
                more(&self.counts.begun);
            }
            self.walkers[who].sign_up = is_begun.then(|| (answer.id(), count == 2));
            assert_eq!(answer.session(), None, "nothing was proven\n{}", self.told());
            return;
        }
        let (id, is_whole) = self.walkers[who].sign_up.clone().expect("one is under way");
        let code = ["424242", "000000"][self.roll(2)];
        let strategy = ("strategy", "email_code");
        if self.roll(2) == 0 {
            let path = format!("/v1/client/sign_ups/{id}/prepare_verification");
            self.post(who, &path, &[strategy]).await;
            return;
        }
        let path = format!("/v1/client/sign_ups/{id}/attempt_verification");
        let answer = self.post(who, &path, &[strategy, ("code", code)]).await;
        if answer.session().is_some() {
            assert_eq!(code, "424242", "a wrong code was right\n{}", self.told());
            assert!(is_whole, "something was missing\n{}", self.told());
            self.walkers[who].sign_up = None;
        }
    }

    async fn meddle(&mut self, who: usize) {
        let any = self.roll(4);
        let person = self.people[any].id.clone();
        match self.roll(4) {
            0 => self.server.advance(31_000),
            1 => {
                self.walkers[who].browser.delete("/v1/client/sessions").await;
            }
            2 => {
                backend(self.server, &format!("/v1/users/{person}/unlock"), &json!({})).await;
            }
            _ => {
                backend(self.server, &format!("/v1/users/{person}/ban"), &json!({})).await;
                let live = self.live(&person).await;
                assert_eq!(live, 0, "a session outlives a ban\n{}", self.told());
                backend(self.server, &format!("/v1/users/{person}/unban"), &json!({})).await;
            }
        }
    }

    /// How many live sessions a user has, none or more.
    async fn live(&self, person: &str) -> usize {
        let path = format!("/v1/sessions?user_id={person}&status=active&limit=1");
        let request = Request::new("GET", &path).bearer(self.server.secret_key());
        self.server.call(request).await.json().as_array().expect("a list").len()
    }

    async fn step(&mut self) {
        let who = self.roll(2);
        match self.roll(16) {
            0..=2 => self.begin(who).await,
            3..=11 => self.go_on(who).await,
            12..=14 => self.sign_up(who).await,
            _ => self.meddle(who).await,
        }
    }
}

async fn walk<'s>(server: &'s TestServer, counts: &'s Counts, number: u64, dice: Dice) -> Walk<'s> {
    let people = people(server, number).await;
    let mut walkers = Vec::new();
    for _ in 0..2 {
        walkers.push(Walker {
            browser: Browser::open(server).await,
            sign_in: None,
            sign_up: None,
            proven: BTreeMap::new(),
            sessions: BTreeSet::new(),
        });
    }
    Walk { server, dice, people, walkers, trail: Vec::new(), sign_ups: 0, counts, number }
}

/// Has several pairs walk at once, for as long as `goes_on` says of what they have come to.
async fn walk_while(goes_on: impl Fn(&Counts) -> bool + Sync) {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attributes.authenticator_app.enabled = true;
        settings.attributes.authenticator_app.used_for_second_factor = true;
        settings.attributes.email_address.first_factors = vec![Strategy::EmailCode];
        settings.lockout.max_attempts = 1_000_000;
    })
    .await;
    let (seed, counts) = (seed(), Counts::default());
    let pair = |number: u64| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let dice = Dice::new(seed.wrapping_add(number << 32));
            let mut walk = walk(&server, &counts, number, dice).await;
            while goes_on(&counts) {
                walk.step().await;
            }
        });
    };
    std::thread::scope(|scope| {
        for number in 0..PAIRS {
            let pair = &pair;
            scope.spawn(move || pair(number));
        }
    });
    let events = server.events().await;
    let sessions = events.iter().filter(|kind| *kind == "session.created").count();
    assert!(sessions > 100, "{sessions} sessions: the walk goes nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn pwd_26_whoever_is_in_has_proven_enough() {
    walk_while(|counts| counts.steps.load(Ordering::Relaxed) < 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make soak` does it"]
async fn pwd_26_of_ten_thousand_ways_in_none_goes_around_what_must_be_proven() {
    walk_while(|counts| counts.begun.load(Ordering::Relaxed) < 10_000).await;
}
