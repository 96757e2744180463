//! What is true of all operations of the Frontend API, from the table of operations: who asks for
//! what is not theirs gets nothing, and what is wrong with a parameter is said of that parameter.

use std::collections::BTreeSet;

use domain::Operation;
use serde_json::{Value, json};
use testkit::{Browser, Request, TestServer, escaped, somebody};
use wire::{Auth, Body, Field, Method, Shape, Wrapping};

use crate::ask::{Ask, FORM, Ids, anonymous, nobodys, sample, visited};

/// What is wrong, and what is to be said of it.
struct Case {
    request: Request,
    status: u16,
    code: &'static str,
    param: String,
}

fn operations() -> Vec<Operation> {
    domain::frontend_api().0
}

fn named(operation: &Operation) -> String {
    format!("{} {}", operation.meta.method.as_str(), operation.meta.path)
}

#[tokio::test]
async fn inp_04_each_parameter_of_a_visit_is_refused_by_name() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let mut wrong = Vec::new();
    for operation in operations() {
        let before = server.dump().await;
        for case in cases(&Ask::new(operation.meta, &ids)) {
            let response = browser.ask(case.request.clone()).await;
            let expected = (case.code.to_owned(), case.param.clone());
            if response.status != case.status || !response.errors().contains(&expected) {
                let body = case.request.body.as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
                let said = format!("{} {:?}", response.status, response.errors());
                let wanted = format!("{} {} {}", case.status, case.code, case.param);
                let path = &case.request.path;
                wrong.push(format!(
                    "{} {path} {body}\n  said {said}, not {wanted}",
                    named(&operation)
                ));
            } else {
                response.assert_refusal(operation.meta.name);
            }
        }
        assert_eq!(server.dump().await, before, "{} changed something", named(&operation));
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

fn cases(ask: &Ask) -> Vec<Case> {
    let meta = ask.meta;
    let case = |request: Request, status, code, param: &str| {
        let param = param.to_owned();
        Case { request, status, code, param }
    };
    let mut cases = vec![
        case(ask.clone().query("a=%ff").request(), 400, "malformed_request_parameters", ""),
        case(ask.clone().query("a=%zz").request(), 400, "malformed_request_parameters", ""),
    ];
    if meta.body == Body::Upload {
        let none = ask.clone().body(FORM, "");
        cases.push(case(none.request(), 400, "form_param_missing", "file"));
    }
    if meta.body == Body::Fields {
        let form = |text: &[u8]| ask.clone().body(FORM, text).request();
        cases.push(case(form(b"a=%c3%28"), 400, "malformed_request_parameters", ""));
        cases.push(case(form(b"a=\xff"), 400, "malformed_request_parameters", ""));
        for body in ["[]", "1", "null", "{", "\"text\"", "{\"a\":\"\\ud800\"}"] {
            let json = ask.clone().body("application/json", body).request();
            cases.push(case(json, 400, "request_body_invalid", ""));
        }
    }
    for field in meta.fields.iter().filter(|field| !meta.in_path(field.name)) {
        cases.extend(in_form(ask, field));
        if meta.body == Body::Fields {
            cases.extend(in_json(ask, field));
        }
    }
    cases
}

/// A request whose parameters but this one are right, with this text for it; none if it is empty.
fn with(ask: &Ask, field: &Field, text: &str) -> Request {
    let mut rest = ask.clone();
    rest.fields.remove(field.name);
    if ask.meta.in_query(field.name) {
        return rest.query(text).form();
    }
    let form = rest.form();
    let before = String::from_utf8(form.body.unwrap_or_default()).expect("a form is text");
    let mark = if before.is_empty() || text.is_empty() { "" } else { "&" };
    rest.body(FORM, format!("{before}{mark}{text}")).request()
}

fn in_form(ask: &Ask, field: &Field) -> Vec<Case> {
    let name = field.name;
    let case = |text: &str, code| {
        let request = with(ask, field, text);
        Case { request, status: 422, code, param: name.to_owned() }
    };
    let value = |text: &str| case(&format!("{name}={}", escaped(text)), "form_param_value_invalid");
    let mut cases = match field.shape {
        Shape::Text => vec![value("nul\0nul")],
        Shape::Boolean => vec![value("yes"), value("2"), value("TRUE")],
        Shape::Object => {
            vec![value("text"), value("[1]"), value("{"), value("{\"a\":\"nul\\u0000\"}")]
        }
        shape => panic!("{name} is {shape:?}: say what is wrong of such"),
    };
    let right = sample(name, &field.shape);
    let right = escaped(&right.as_str().map_or_else(|| right.to_string(), str::to_owned));
    cases.push(case(&format!("{name}={right}&{name}={right}"), "form_param_duplicate"));
    if field.required {
        cases.push(case("", "form_param_missing"));
        cases.push(case(&format!("{name}="), "form_param_nil"));
    }
    cases
}

fn in_json(ask: &Ask, field: &Field) -> Vec<Case> {
    let name = field.name;
    let case = |value: Value, code| {
        let request = ask.clone().with(name, value).request();
        Case { request, status: 422, code, param: name.to_owned() }
    };
    let typed = |value: Value| case(value, "form_param_type_invalid");
    let valued = |value: Value| case(value, "form_param_value_invalid");
    let mut cases = match field.shape {
        Shape::Text => vec![
            typed(json!(1)),
            typed(json!(true)),
            typed(json!(["text"])),
            typed(json!({"a": "text"})),
            valued(json!("nul\u{0}nul")),
        ],
        Shape::Boolean => vec![typed(json!(1)), typed(json!([])), valued(json!("yes"))],
        _ => vec![valued(json!([1])), valued(json!("text")), valued(json!({"nul\u{0}": 1}))],
    };
    if field.required {
        cases.push(case(Value::Null, "form_param_nil"));
    }
    let right = sample(name, &field.shape);
    let twice = format!("{{\"{name}\":{right},\"{name}\":{right}}}");
    let request = ask.clone().body("application/json", twice).request();
    cases.push(Case { request, status: 422, code: "form_param_duplicate", param: name.to_owned() });
    cases
}

#[tokio::test]
async fn inp_02_what_is_too_long_is_kept_nowhere() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let long = "x".repeat(20_000);
    for operation in operations() {
        let meta = operation.meta;
        for field in meta.fields.iter().filter(|field| matches!(field.shape, Shape::Text)) {
            // Paths and queries end sooner, by themselves.
            if meta.in_path(field.name) || meta.body != Body::Fields {
                continue;
            }
            let ask = Ask::new(meta, &ids).with(field.name, json!(long));
            let response = browser.ask(ask.form()).await;
            let of = format!("{} {}", named(&operation), field.name);
            assert!(response.status < 500, "{of}: {}", response.without_trace());
            if response.status != 200 {
                response.assert_refusal(&of);
            }
            assert!(response.body.len() < 20_000, "{of} repeats it");
        }
        if meta.body == Body::Fields {
            let large = Ask::new(meta, &ids).body(FORM, format!("a={}", "x".repeat(1 << 20)));
            let response = browser.ask(large.form()).await;
            response.assert_refusal(&named(&operation));
            let said = (response.status, response.code());
            assert_eq!(said, (413, "request_body_too_large".to_owned()), "{}", named(&operation));
        }
    }
    let kept = format!("{:?}", server.dump().await);
    assert!(!kept.contains(&"x".repeat(5000)), "something long is kept");
}

#[tokio::test]
async fn ten_02_ids_of_other_clients_are_ids_of_nothing() {
    let server = TestServer::start().await;
    let (_, theirs) = visited(&server).await;
    let nobodys = nobodys(&theirs);
    let (eve, neighbour) = (somebody(), somebody());
    let eve = server.backend.send(&eve).await.expect("a user is made").id;
    let neighbour = server.neighbour.send(&neighbour).await.expect("a user is made").id;
    let mut strangers = [Browser::new(&server, 0), Browser::new(&server, 1)];
    for (browser, user) in strangers.iter_mut().zip([eve, neighbour]) {
        browser.load().await;
        browser.sign_in(&user).await;
    }
    let before = server.dump().await;
    let mut wrong = Vec::new();
    for operation in operations() {
        let meta = operation.meta;
        if !meta.path.contains('{') {
            continue;
        }
        for browser in &mut strangers {
            let foreign = browser.ask(Ask::new(meta, &theirs).form()).await;
            let unknown = browser.ask(Ask::new(meta, &nobodys).form()).await;
            let of = named(&operation);
            foreign.assert_refusal(&of);
            let same = anonymous(&foreign, &theirs) == anonymous(&unknown, &nobodys);
            // A session that is not there is over, as far as a script goes that wants to use it.
            if !matches!(foreign.status, 401 | 404) || !same {
                let (foreign, unknown) = (foreign.without_trace(), unknown.without_trace());
                wrong.push(format!("{of}\n  foreign {foreign}\n  unknown {unknown}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn ten_09_ids_of_others_in_bodies_are_ids_of_nothing() {
    let server = TestServer::start().await;
    let (mut hers, theirs) = visited(&server).await;
    let eve = server.backend.send(&somebody()).await.expect("a user is made").id;
    let mut browser = Browser::open(&server).await;
    browser.sign_in(&eve).await;
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", "bob@example.com")]).await;
    let id = begun.json()["response"]["id"].as_str().expect("an id").to_owned();
    let prepare = format!("/v1/client/sign_ins/{id}/prepare_first_factor");
    let before = server.dump().await;
    let messages = server.outbox().await.len();
    let fields = [
        ("primary_email_address_id", "email_address_id"),
        ("primary_phone_number_id", "phone_number_id"),
        ("primary_web3_wallet_id", "web3_wallet_identification_id"),
    ];
    for (name, of) in fields {
        let refused = browser.patch("/v1/me", &[(name, &theirs[of])]).await;
        refused.assert_refusal(name);
        assert_eq!(refused.status, 404, "{name}: {}", refused.without_trace());
    }
    for name in ["email_address_id", "phone_number_id"] {
        let fields = [("strategy", "email_code"), (name, &*theirs[name])];
        let refused = browser.post(&prepare, &fields).await;
        refused.assert_refusal(name);
        assert_eq!(refused.status, 404, "{name}: {}", refused.without_trace());
    }
    assert_eq!(server.dump().await, before);
    assert_eq!(server.outbox().await.len(), messages);
    assert_eq!(hers.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn ses_12_and_18_nobody_acts_as_the_session_or_the_browser_of_another() {
    let server = TestServer::start().await;
    let (hers, ids) = visited(&server).await;
    let eve = server.backend.send(&somebody()).await.expect("a user is made").id;
    let mut stranger = Browser::open(&server).await;
    stranger.sign_in(&eve).await;
    stranger.session = Some(ids["session_id"].clone());
    let mut elsewhere = Browser::new(&server, 1);
    elsewhere.dev_browser.clone_from(&hers.dev_browser);
    let mut production = Browser::new(&server, 2);
    production.dev_browser.clone_from(&hers.dev_browser);
    let before = server.dump().await;
    for operation in operations() {
        let (meta, of) = (operation.meta, named(&operation));
        let ask = || Ask::new(meta, &ids).form();
        if meta.auth == Auth::Session {
            for browser in [&mut stranger, &mut production] {
                let refused = browser.ask(ask()).await;
                refused.assert_refusal(&of);
                let said = (refused.status, refused.code());
                assert_eq!(said, (401, "authentication_invalid".to_owned()), "{of}");
            }
        }
        if matches!(meta.auth, Auth::Client | Auth::Session) {
            let refused = elsewhere.ask(ask()).await;
            refused.assert_refusal(&of);
            let said = (refused.status, refused.code());
            assert_eq!(said, (401, "dev_browser_unauthenticated".to_owned()), "{of}");
        }
    }
    assert_eq!(server.dump().await, before);
    assert_eq!(production.client().await, Value::Null);
}

#[tokio::test]
async fn web_02_no_operation_is_one_for_pages_of_foreign_origins() {
    let server = TestServer::start().await;
    let user = server.production.send(&somebody()).await.expect("a user is made");
    let mut browser = Browser::new(&server, 2);
    let session = browser.sign_in(&user.id).await;
    let ids = Ids::from([("session_id".to_owned(), session.to_string())]);
    let before = server.dump().await;
    let cookies = browser.cookies.clone();
    for operation in operations() {
        let (meta, of) = (operation.meta, named(&operation));
        if meta.path.starts_with("/.well-known/") {
            continue;
        }
        browser.origin = Some("https://evil.example".to_owned());
        let refused = browser.ask(Ask::new(meta, &ids).form()).await;
        refused.assert_refusal(&of);
        assert_eq!((refused.status, refused.code().as_str()), (403, "origin_invalid"), "{of}");
        assert_eq!(refused.header("access-control-allow-origin"), None, "{of}");
        assert_eq!(refused.header("set-cookie"), None, "{of}");
        // A form of another page, in a browser that sends no origin with it.
        browser.origin = None;
        if meta.method == Method::GET || meta.auth == Auth::Public {
            continue;
        }
        let request = Ask::new(meta, &ids).form().header("sec-fetch-site", "cross-site");
        let ignored = browser.ask(request).await;
        assert!(ignored.status < 500, "{of}: {}", ignored.without_trace());
        browser.cookies.clone_from(&cookies);
    }
    let after = server.dump().await;
    for table in ["users", "sessions", "identifications", "outbox"] {
        assert_eq!(after[table], before[table], "{table}");
    }
    assert!(before["clients"].iter().all(|row| after["clients"].contains(row)));
}

#[tokio::test]
async fn web_03_a_get_is_a_get() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let before = server.dump().await;
    for operation in operations() {
        let method = operation.meta.method.as_str();
        let ask = Ask::new(operation.meta, &ids).query(&format!("_method={method}"));
        // Links in mails are followed, and handed in, by a GET; there are none here.
        if operation.meta.method == Method::GET {
            continue;
        }
        let mut request = ask.form();
        (request.method, request.body) = ("GET".to_owned(), None);
        request.headers.clear();
        let answer = browser.ask(request).await;
        assert!(answer.status < 500, "{}: {}", named(&operation), answer.without_trace());
    }
    assert_eq!(server.dump().await, before);
}

#[tokio::test]
async fn ses_16_no_answer_to_a_visitor_is_kept_in_a_cache() {
    let server = TestServer::start().await;
    let (mut browser, ids) = visited(&server).await;
    let mut stranger = Browser::new(&server, 0);
    let mut statuses = BTreeSet::new();
    for operation in operations() {
        let of = named(&operation);
        let ask = Ask::new(operation.meta, &ids);
        let refused = ask.clone().query("a=%ff").form();
        let answers = [
            stranger.ask(ask.form()).await,
            browser.ask(refused).await,
            browser.ask(ask.form()).await,
        ];
        for answer in answers {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{of} {}", answer.status);
            assert_eq!(answer.header("vary"), Some("Origin"), "{of} {}", answer.status);
            statuses.insert(answer.status);
            if operation.meta.answer == Wrapping::Bare || answer.status != 200 {
                continue;
            }
            let body = answer.json();
            let names: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
            assert_eq!(names, ["client", "response"], "{of}");
        }
    }
    assert!(statuses.is_superset(&[200, 400, 401, 404, 422].into()), "{statuses:?}");
}
