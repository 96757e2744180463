//! Requests by chance, made of the declarations: whatever is asked, the server knows an answer.
//!
//! `VESTRY_FUZZ_SEED` repeats a run, `VESTRY_FUZZ_SECONDS` has `make soak` go on for longer.

use serde_json::{Map, Value, json};
use testkit::{Request, Response, TestServer, escaped};
use wire::{Body, Field, Shape};

use crate::ask::{Ask, Ids, sample, visited, world};

/// Requests to each operation in one round, which has a server of its own.
const ASKED_EACH: u64 = 6;

/// Numbers that differ from run to run, and not within a run of the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[usize::try_from(self.roll(all.len() as u64)).expect("few")]
    }
}

/// The seed of this run: printed, so that it can be repeated.
#[expect(clippy::print_stdout, reason = "whoever sees a failure needs it")]
pub(crate) fn seed() -> u64 {
    let given = std::env::var("VESTRY_FUZZ_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| u64::from(std::process::id()));
    println!("VESTRY_FUZZ_SEED={seed}");
    seed
}

fn text(dice: &mut Dice, ids: &Ids) -> String {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "a",
        "text",
        "0",
        "-1",
        "null",
        "true",
        "424242",
        "ada@example.com",
        "b+c@d.test",
        "+12015550177",
        "+1",
        "lovelace",
        "../..",
        "%00",
        "{{user.id}}",
        "' or 1=1 --",
        "{}",
        "[]",
        "\u{0}",
        "\u{202e}abc",
        "\u{1F600}\u{301}",
        "email_code",
        "active",
        "+created_at",
        "-created_at",
        "created_at",
        "oauth_google",
        "google",
        "org:admin",
        "bcrypt",
        "md5",
        "HS256",
        "2026-01-01T00:00:00Z",
        "1800000000000",
        "http://127.0.0.1:1/x",
        "https://localhost",
        "password",
        "correct horse battery",
        "pbkdf2_sha256$1$a$b",
        "JBSWY3DPEHPK3PXP",
        "example.com",
    ];
    match dice.roll(8) {
        0 => "x".repeat(usize::try_from(dice.roll(4000)).expect("few")),
        1 | 2 => {
            let ids: Vec<_> = ids.values().map(String::as_str).collect();
            dice.of(&ids).to_owned()
        }
        _ => dice.of(TEXTS).to_owned(),
    }
}

/// A value that has the shape, mostly.
fn value(dice: &mut Dice, ids: &Ids, name: &str, shape: &Shape) -> Value {
    match dice.roll(12) {
        0 => return Value::Null,
        1 => return json!([text(dice, ids), {"a": [null, 1.5]}]),
        2 => return sample(name, shape),
        _ => {}
    }
    match shape {
        Shape::Text | Shape::Any => json!(text(dice, ids)),
        Shape::Boolean => json!(dice.roll(2) == 0),
        Shape::Number => json!(*dice.of(&[&0.0, &-1.5, &1e300])),
        Shape::Integer { min, max } => {
            json!(*dice.of(&[min, max, &0, &1, &-1, &10, &i64::MAX, &i64::MIN]))
        }
        Shape::Object => {
            let long = "x".repeat(usize::try_from(dice.roll(10_000)).expect("few"));
            let key = text(dice, ids);
            let objects =
                [json!({}), json!({"a": null}), json!({key: {"b": [1]}}), json!({"l": long})];
            dice.of(&objects.iter().collect::<Vec<_>>()).clone()
        }
        Shape::List(items) => {
            let count = *dice.of(&[&0, &1, &1, &2, &120]);
            (0..count).map(|_| value(dice, ids, name, items)).collect()
        }
        Shape::Fields(fields) => Value::Object(some(dice, ids, fields)),
    }
}

fn some(dice: &mut Dice, ids: &Ids, fields: &[Field]) -> Map<String, Value> {
    let mut some = Map::new();
    for field in fields {
        if dice.roll(if field.required { 16 } else { 3 }) != 0 {
            some.insert(field.name.to_owned(), value(dice, ids, field.name, &field.shape));
        }
    }
    // With all of them, hardly any request gets beyond the first check.
    while some.len() > 4 && dice.roll(4) != 0 {
        let name = some.keys().nth(usize::try_from(dice.roll(some.len() as u64)).expect("few"));
        let name = name.expect("one of them").clone();
        if fields.iter().any(|field| field.name == name && field.required) {
            break;
        }
        some.remove(&name);
    }
    some
}

/// A request by chance.
pub(crate) fn request(dice: &mut Dice, ids: &Ids, ask: &Ask) -> Ask {
    let meta = ask.meta;
    let mut ask = ask.clone();
    if dice.roll(6) == 0 {
        let text = escaped(&text(dice, ids));
        ask.ids.values_mut().for_each(|id| id.clone_from(&text));
    }
    let outside: Vec<_> = meta.fields.iter().filter(|field| !meta.in_path(field.name)).collect();
    if dice.roll(5) != 0 {
        let fields: Vec<Field> = outside.into_iter().copied().collect();
        ask.fields = some(dice, ids, &fields);
    }
    if meta.body == Body::Fields && dice.roll(20) == 0 {
        ask = ask.body("application/json", text(dice, ids));
    }
    ask
}

/// The request, as some version of the API has it.
fn versioned(dice: &mut Dice, request: Request) -> Request {
    let versions = ["2021-02-05", "2024-10-01", "2025-04-10", "2025-11-10", "2026-05-12"];
    match dice.roll(3) {
        0 => request.header("clerk-api-version", dice.of(&versions)),
        _ => request,
    }
}

fn is_answer(response: &Response) -> Result<(), String> {
    let body = String::from_utf8_lossy(&response.body[..response.body.len().min(400)]).into_owned();
    match response.status {
        200 | 201 if serde_json::from_slice::<Value>(&response.body).is_ok() => Ok(()),
        204 if response.body.is_empty() => Ok(()),
        303 | 307 if response.header("location").is_some() => Ok(()),
        400..=499 | 501 => {
            response.assert_refusal(&body);
            Ok(())
        }
        status => Err(format!("{status} {body}")),
    }
}

/// What is wrong with an answer, behind what was asked.
fn complaint(request: &Request, response: &Response) -> Option<String> {
    let said = is_answer(response).err()?;
    let body = request.body.as_deref().unwrap_or_default();
    let body = String::from_utf8_lossy(&body[..body.len().min(1000)]).into_owned();
    Some(format!("{} {} {body}\n  {said}", request.method, request.path))
}

#[expect(clippy::disallowed_methods, reason = "how long a test goes on")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

async fn rounds(seconds: u64) {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let began = now();
    let mut wrong = Vec::new();
    loop {
        let server = TestServer::start().await;
        let ids = world(&server).await;
        let operations = domain::backend_api().0;
        for _ in 0..ASKED_EACH * operations.len() as u64 {
            let any = usize::try_from(dice.roll(operations.len() as u64)).expect("few");
            let ask = Ask::new(operations[any].meta, &ids);
            // A user that is gone makes the rest of a round dull.
            if ask.meta.name.starts_with("Delete") && dice.roll(4) != 0 {
                continue;
            }
            let request = request(&mut dice, &ids, &ask).request();
            let request = versioned(&mut dice, request);
            let response = server.call(request.clone().bearer(server.secret_key())).await;
            wrong.extend(complaint(&request, &response));
        }
        if began.elapsed().as_secs() >= seconds {
            break;
        }
    }
    assert!(wrong.is_empty(), "seed {seed}, {} of them:\n{}", wrong.len(), wrong.join("\n"));
}

/// The same of browsers: forms and JSON, of somebody who is signed in until they happen to leave.
async fn visits(seconds: u64) {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let began = now();
    let mut wrong = Vec::new();
    loop {
        let server = TestServer::start().await;
        let (mut browser, ids) = visited(&server).await;
        let operations = domain::frontend_api().0;
        for _ in 0..ASKED_EACH * operations.len() as u64 {
            let any = usize::try_from(dice.roll(operations.len() as u64)).expect("few");
            let ask = Ask::new(operations[any].meta, &ids);
            let leaves = ["Delete", "Remove", "End", "Revoke"];
            if leaves.iter().any(|word| ask.meta.name.starts_with(word)) && dice.roll(8) != 0 {
                continue;
            }
            let ask = request(&mut dice, &ids, &ask);
            let request = if dice.roll(4) == 0 { ask.request() } else { ask.form() };
            let response = browser.ask(request.clone()).await;
            wrong.extend(complaint(&request, &response));
        }
        if began.elapsed().as_secs() >= seconds {
            break;
        }
    }
    assert!(wrong.is_empty(), "seed {seed}, {} of them:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn inp_01_requests_by_chance_are_answered() {
    rounds(0).await;
}

#[tokio::test]
async fn inp_01_visits_by_chance_are_answered() {
    visits(0).await;
}

#[tokio::test]
#[ignore = "goes on for as long as VESTRY_FUZZ_SECONDS says, ten minutes otherwise"]
async fn inp_01_requests_by_chance_are_answered_for_long() {
    let given = std::env::var("VESTRY_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    rounds(given.unwrap_or(600) / 2).await;
    visits(given.unwrap_or(600) / 2).await;
}
