//! What is wrong with a parameter is said of that parameter, for every parameter there is.

use serde_json::{Value, json};
use testkit::{TestServer, escaped};
use wire::{Body, Field, Shape};

use crate::ask::{Ask, sample, world};

/// What is wrong, and what is to be said of it.
struct Case {
    ask: Ask,
    status: u16,
    code: &'static str,
    param: String,
}

#[tokio::test]
async fn inp_04_each_parameter_is_refused_by_name() {
    let server = TestServer::start().await;
    let ids = world(&server).await;
    let mut wrong = Vec::new();
    for operation in domain::backend_api().0 {
        let before = server.dump().await;
        let ask = Ask::new(operation.meta, &ids);
        for case in cases(&ask) {
            let request = case.ask.request();
            let response = case.ask.send(&server, server.secret_key()).await;
            let said = format!("{} {:?}", response.status, response.errors());
            let expected = (case.code.to_owned(), case.param.clone());
            if response.status != case.status || !response.errors().contains(&expected) {
                let body = request.body.as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
                wrong.push(format!(
                    "{} {} {body}\n  said {said}, not {} {} {}",
                    request.method, request.path, case.status, case.code, case.param
                ));
            } else {
                response.assert_refusal(operation.meta.name);
            }
        }
        assert_eq!(server.dump().await, before, "{} changed something", operation.meta.name);
    }
    assert!(wrong.is_empty(), "{} of them:\n{}", wrong.len(), wrong.join("\n"));
}

fn cases(ask: &Ask) -> Vec<Case> {
    let meta = ask.meta;
    let mut cases = vec![Case {
        ask: ask.clone().query("surprise=1"),
        status: 422,
        code: "form_param_unknown",
        param: "surprise".to_owned(),
    }];
    if meta.body == Body::Fields {
        cases.push(Case {
            ask: ask.clone().with("surprise", json!({"a": 1})),
            status: 422,
            code: "form_param_unknown",
            param: "surprise".to_owned(),
        });
    }
    for field in meta.fields.iter().filter(|field| !meta.in_path(field.name)) {
        if meta.in_query(field.name) {
            cases.extend(in_query(ask, field));
        } else if meta.body == Body::Fields {
            cases.extend(in_body(ask, field));
        }
    }
    cases
}

fn in_body(ask: &Ask, field: &Field) -> Vec<Case> {
    let case = |ask: Ask, code| Case { ask, status: 422, code, param: field.name.to_owned() };
    let with = |value: Value, code| case(ask.clone().with(field.name, value), code);
    let mut cases: Vec<_> =
        wrong_values(&field.shape).into_iter().map(|(value, code)| with(value, code)).collect();
    if !field.nullable && !matches!(field.shape, Shape::Any) {
        cases.push(with(Value::Null, "form_param_nil"));
    }
    if field.required {
        let mut without = ask.clone();
        without.fields.remove(field.name);
        cases.push(case(without, "form_param_missing"));
    }
    let value = sample(field.name, &field.shape);
    let mut object = ask.clone().with(field.name, value.clone()).object();
    object.remove(field.name);
    let rest = serde_json::to_string(&object).expect("JSON");
    let rest = &rest[1..rest.len() - 1];
    let comma = if rest.is_empty() { "" } else { "," };
    let twice = format!("{{\"{0}\":{value},\"{0}\":{value}{comma}{rest}}}", field.name);
    cases.push(case(ask.clone().body("application/json", twice), "form_param_duplicate"));
    cases
}

/// Values of another type, with what is said of each.
fn wrong_values(shape: &Shape) -> Vec<(Value, &'static str)> {
    let typed = "form_param_type_invalid";
    let mut values = match shape {
        Shape::Text => vec![
            (json!(1), typed),
            (json!(true), typed),
            (json!(["text"]), typed),
            (json!({"a": "text"}), typed),
            (json!("nul\u{0}nul"), "form_param_value_invalid"),
        ],
        Shape::Boolean => vec![(json!("true"), typed), (json!(1), typed), (json!([]), typed)],
        Shape::Number => vec![(json!("1"), typed), (json!([]), typed)],
        Shape::Object => vec![
            (json!("text"), "form_param_value_invalid"),
            (json!([1]), "form_param_value_invalid"),
            (json!({"nul\u{0}": 1}), "form_param_value_invalid"),
            (json!({"a": ["nul\u{0}"]}), "form_param_value_invalid"),
        ],
        Shape::Integer { .. } => {
            vec![(json!("1"), typed), (json!(1.5), typed), (json!({}), typed)]
        }
        Shape::List(_) => vec![(json!("text"), typed), (json!({}), typed), (json!(7), typed)],
        Shape::Fields(_) => vec![(json!("text"), typed), (json!([]), typed)],
        Shape::Any => vec![(json!({"nul\u{0}": 1}), "form_param_value_invalid")],
    };
    if let Shape::Integer { min, max } = shape {
        if let Some(less) = min.checked_sub(1) {
            values.push((json!(less), "form_param_value_invalid"));
        }
        values.push((json!(u64::MAX), "form_param_value_too_large"));
        if let Some(more) = max.checked_add(1) {
            values.push((json!(more), "form_param_value_too_large"));
        }
    }
    if let Shape::List(items) = shape
        && !matches!(items, Shape::Fields(_) | Shape::Any)
    {
        let inner = wrong_values(items).into_iter();
        values.extend(inner.map(|(value, code)| (json!([value]), code)));
    }
    values
}

fn in_query(ask: &Ask, field: &Field) -> Vec<Case> {
    let name = field.name;
    let case = |ask: Ask, status, code| Case { ask, status, code, param: name.to_owned() };
    let mut rest = ask.clone();
    rest.fields.remove(name);
    let with = |text: &str, code| {
        case(rest.clone().query(&format!("{name}={}", escaped(text))), 422, code)
    };
    let shape = if let Shape::List(items) = field.shape { items } else { &field.shape };
    let value = "form_param_value_invalid";
    let mut cases = match shape {
        Shape::Text => vec![with("nul\0nul", value)],
        Shape::Boolean => vec![with("yes", value), with("", value)],
        Shape::Integer { .. } => vec![
            with("one", value),
            with("1.5", value),
            with("", value),
            with("1e3", value),
            with("99999999999999999999999999", "form_param_value_too_large"),
            with("-99999999999999999999999999", value),
        ],
        _ => vec![with("{", value)],
    };
    if let Shape::Integer { min, max } = shape {
        if let Some(less) = min.checked_sub(1) {
            cases.push(with(&less.to_string(), value));
        }
        if let Some(more) = max.checked_add(1) {
            cases.push(with(&more.to_string(), "form_param_value_too_large"));
        }
    }
    if !matches!(field.shape, Shape::List(_)) {
        let text = sample(name, shape);
        let text = escaped(&text.as_str().map_or_else(|| text.to_string(), str::to_owned));
        let twice = format!("{name}={text}&{name}={text}");
        cases.push(case(rest.clone().query(&twice), 422, "form_param_duplicate"));
    }
    if field.required {
        let (status, code) = match ask.meta.body {
            Body::None => (400, "missing_query_parameter"),
            _ => (422, "form_param_missing"),
        };
        cases.push(case(rest.clone(), status, code));
    }
    cases
}
