//! Random walks through sign-ins and sign-ups: whatever is done in whatever order, whoever is in
//! has proven what they must have.
//!
//! The walk knows what it proved to whom: it holds the right codes and passwords itself. A session
//! that begins without that being enough is a way around.

use std::collections::BTreeMap;

use domain::settings::Strategy;
use serde_json::{Value, json};
use testkit::{Browser, Request, Response, TestServer};

use crate::{
    random::{Dice, seed},
    sessions::set,
};

const PASSWORD: &str = "a blue whale sings";
const NEW_PASSWORD: &str = "two red foxes dance";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
/// Steps of one walk. `make soak` takes more walks.
const STEPS: u64 = 1500;

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
    sign_up: Option<String>,
    proven: BTreeMap<String, Proven>,
}

struct Walk<'s> {
    server: &'s TestServer,
    dice: Dice,
    people: Vec<Person>,
    walkers: Vec<Walker<'s>>,
    trail: Vec<String>,
}

async fn backend(server: &TestServer, path: &str, body: &Value) -> Value {
    let request = Request::new("POST", path).bearer(server.secret_key()).json(body);
    let done = server.call(request).await;
    assert_eq!(done.status, 200, "{path}: {}", done.without_trace());
    done.json()
}

async fn people(server: &TestServer) -> Vec<Person> {
    let mut people = Vec::new();
    for (number, (has_second_factor, is_distrusted)) in
        [(false, false), (true, false), (false, true), (true, true)].into_iter().enumerate()
    {
        let address = format!("person{number}+clerk_test@example.com");
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

    async fn post(&mut self, who: usize, path: &str, fields: &[(&str, &str)]) -> Response {
        let before = self.walkers[who].browser.client().await["sessions"].clone();
        let answer = self.walkers[who].browser.post(path, fields).await;
        self.trail.push(format!("{who} {path} {fields:?} {} {}", answer.status, answer.code()));
        assert!(answer.status < 500, "{}", self.told());
        let after = self.walkers[who].browser.client().await["sessions"].clone();
        if answer.status != 200 {
            assert_eq!(ids(&before), ids(&after), "{}", self.told());
        }
        answer
    }

    fn told(&self) -> String {
        self.trail[self.trail.len().saturating_sub(25)..].join("\n")
    }

    /// Whoever got in must have proven enough for it.
    fn judge(&mut self, who: usize, answer: &Response, person: usize) {
        let response = answer.json()["response"].clone();
        let Some(session) = response["created_session_id"].as_str() else { return };
        let id = response["id"].as_str().expect("an id").to_owned();
        let proven = self.walkers[who].proven.get(&id).cloned().unwrap_or_default();
        let owner = self.people[person].clone();
        let of = format!("{session} of {id}: {proven:?}\n{}", self.told());
        assert!(proven.first, "{of}");
        assert!(proven.second || !owner.has_second_factor, "{of}");
        assert!(proven.has_reset || !proven.by_reset, "{of}");
        assert!(!owner.is_distrusted, "{of}");
        let sessions = answer.json()["client"]["sessions"].clone();
        let begun = sessions.as_array().into_iter().flatten().find(|one| one["id"] == session);
        assert_eq!(begun.expect("it is told")["user"]["id"], owner.id.as_str(), "{of}");
        self.walkers[who].sign_in = None;
    }

    async fn begin(&mut self, who: usize) {
        let person = self.roll(4);
        let owner = self.people[person].clone();
        let (password, wrong) = (owner.password, "wrong horse battery");
        let ways: [&[(&str, &str)]; 5] = [
            &[],
            &[("password", password)],
            &[("password", wrong)],
            &[("strategy", "email_code")],
            &[("strategy", "reset_password_email_code")],
        ];
        let way = ways[self.roll(5)];
        let fields = [&[("identifier", &*owner.address)][..], way].concat();
        let answer = self.post(who, "/v1/client/sign_ins", &fields).await;
        if answer.code() == "session_exists" {
            self.walkers[who].browser.delete("/v1/client/sessions").await;
        }
        if answer.status != 200 {
            return;
        }
        let id = answer.json()["response"]["id"].as_str().expect("an id").to_owned();
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
        let (step, fields): (&str, Vec<(&str, &str)>) = match self.roll(9) {
            0 => ("prepare_first_factor", vec![("strategy", "email_code")]),
            1 => ("prepare_first_factor", vec![("strategy", "reset_password_email_code")]),
            2 => ("attempt_first_factor", vec![("strategy", "email_code"), ("code", code)]),
            3 => {
                let strategy = ("strategy", "reset_password_email_code");
                ("attempt_first_factor", vec![strategy, ("code", code)])
            }
            4 => {
                let password = [owner.password, "wrong horse battery"][self.roll(2)];
                ("attempt_first_factor", vec![("strategy", "password"), ("password", password)])
            }
            5 => ("attempt_second_factor", vec![("strategy", "totp"), ("code", &*totp)]),
            6 => ("attempt_second_factor", vec![("strategy", "email_code"), ("code", code)]),
            7 => ("prepare_second_factor", vec![("strategy", "email_code")]),
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
        let number = self.roll(6);
        let address = format!("new{number}+clerk_test@example.com");
        if self.walkers[who].sign_up.is_none() || self.roll(4) == 0 {
            let fields = [("email_address", &*address), ("password", PASSWORD)];
            let answer = self.post(who, "/v1/client/sign_ups", &fields).await;
            let id = answer.json()["response"]["id"].as_str().map(str::to_owned);
            self.walkers[who].sign_up = id.filter(|_| answer.status == 200);
            let session = &answer.json()["response"]["created_session_id"];
            assert!(!session.is_string(), "nothing was proven\n{}", self.told());
            return;
        }
        let id = self.walkers[who].sign_up.clone().expect("one is under way");
        let code = ["424242", "000000"][self.roll(2)];
        let strategy = ("strategy", "email_code");
        if self.roll(2) == 0 {
            let path = format!("/v1/client/sign_ups/{id}/prepare_verification");
            self.post(who, &path, &[strategy]).await;
            return;
        }
        let path = format!("/v1/client/sign_ups/{id}/attempt_verification");
        let answer = self.post(who, &path, &[strategy, ("code", code)]).await;
        if answer.json()["response"]["created_session_id"].is_string() {
            assert_eq!(code, "424242", "a wrong code was right\n{}", self.told());
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
                let (_, before) = self.count(&person).await;
                assert_eq!(before, 0, "a session outlives a ban\n{}", self.told());
                backend(self.server, &format!("/v1/users/{person}/unban"), &json!({})).await;
            }
        }
    }

    /// Sessions of a user: all, and live ones.
    async fn count(&self, person: &str) -> (usize, usize) {
        let path = format!("/v1/sessions?user_id={person}&limit=500");
        let request = Request::new("GET", &path).bearer(self.server.secret_key());
        let sessions = self.server.call(request).await.json();
        let sessions = sessions.as_array().cloned().unwrap_or_default();
        let live = sessions.iter().filter(|one| one["status"] == "active").count();
        (sessions.len(), live)
    }
}

fn ids(sessions: &Value) -> Vec<Value> {
    sessions.as_array().into_iter().flatten().map(|session| session["id"].clone()).collect()
}

#[tokio::test]
async fn pwd_26_whoever_is_in_has_proven_enough() {
    let server = TestServer::start().await;
    set(&server, |settings| {
        settings.attributes.authenticator_app.enabled = true;
        settings.attributes.authenticator_app.used_for_second_factor = true;
        settings.attributes.email_address.first_factors = vec![Strategy::EmailCode];
        settings.lockout.max_attempts = 1_000_000;
    })
    .await;
    let people = people(&server).await;
    let mut walkers = Vec::new();
    for _ in 0..2 {
        let browser = Browser::open(&server).await;
        let proven = BTreeMap::new();
        walkers.push(Walker { browser, sign_in: None, sign_up: None, proven });
    }
    let dice = Dice::new(seed());
    let mut walk = Walk { server: &server, dice, people, walkers, trail: Vec::new() };
    for _ in 0..STEPS {
        let who = walk.roll(2);
        match walk.roll(16) {
            0..=2 => walk.begin(who).await,
            3..=11 => walk.go_on(who).await,
            12 | 13 => walk.sign_up(who).await,
            _ => walk.meddle(who).await,
        }
    }
    let begun = server.events().await.iter().filter(|kind| *kind == "session.created").count();
    assert!(begun > 20, "{begun} sessions: the walk goes nowhere");
}
