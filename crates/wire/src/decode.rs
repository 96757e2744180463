//! From path, query and body to a request, on the server.
//!
//! The Backend API is strict: programs learn early what they got wrong. The Frontend API takes what
//! browsers send: parameters it does not know are left alone, whatever place they come in, and an
//! empty text is how a form says that there is nothing.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::{Api, ApiError, Body, Endpoint, Field, Meta, Refusal, Shape, Upload, Version, refusal};

/// The pieces of a request that carry parameters.
#[derive(Debug, Default)]
pub struct Decode {
    /// Values of the path's placeholders, percent-decoded.
    pub path: Vec<(String, String)>,
    /// The query, without `?`, still encoded.
    pub query: String,
    /// The body.
    pub payload: Payload,
    /// The API version the caller speaks.
    pub version: Version,
}

/// A body, by its content type.
#[derive(Debug, Default)]
pub enum Payload {
    /// None.
    #[default]
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// An URL-encoded form.
    Form(Vec<u8>),
    /// A multipart form: its file, and its other parts.
    Upload(Option<Upload>, Vec<(String, String)>),
}

/// Gathers a request, or says which parameters are wrong.
pub fn decode<E: Endpoint>(parts: Decode) -> Result<E, Refusal> {
    let (fields, upload) = gather(&E::META, parts)?;
    let request: Result<E, _> = serde_json::from_value(fields);
    let mut request = request.map_err(|error| malformed(&error.to_string()))?;
    if let Some(upload) = upload {
        request.attach(upload);
    }
    Ok(request)
}

/// Shapes were checked, so what is wrong here is deep inside a value.
fn malformed(reason: &str) -> Refusal {
    refusal::form_param_format_invalid().because(reason)
}

/// All that need not be compiled once per endpoint.
fn gather(meta: &Meta, parts: Decode) -> Result<(Value, Option<Upload>), Refusal> {
    let mut found = Found { meta, errors: Vec::new(), fields: Map::new() };
    for (name, value) in parts.path {
        found.text(&name, value);
    }
    found.pairs(parts.query.as_bytes(), true);
    let mut file = None;
    match parts.payload {
        Payload::Empty if meta.body == Body::Items => return Err(refusal::request_body_invalid()),
        Payload::Empty => {}
        Payload::Json(_) | Payload::Form(_) if meta.body == Body::None && !found.lenient() => {}
        Payload::Json(body) => found.json(&body)?,
        Payload::Form(body) => found.pairs(&body, false),
        Payload::Upload(upload, texts) => {
            file = upload;
            for (name, value) in texts {
                found.pair(&name, value, false);
            }
        }
    }
    if meta.body == Body::Upload && file.is_none() {
        return Err(refusal::form_param_missing().status(400).param("file"));
    }
    found.gone(parts.version);
    found.missing();
    if found.errors.is_empty() {
        Ok((Value::Object(found.fields), file))
    } else {
        Err(Refusal::all(found.errors))
    }
}

struct Found<'m> {
    meta: &'m Meta,
    errors: Vec<Refusal>,
    fields: Map<String, Value>,
}

impl Found<'_> {
    fn pairs(&mut self, encoded: &[u8], is_query: bool) {
        if !is_encoded_text(encoded) {
            let reason = "Parameters must be percent-encoded UTF-8.";
            return self.errors.push(refusal::malformed_request_parameters().because(reason));
        }
        for (name, value) in form_urlencoded::parse(encoded) {
            // Credentials and the version travel beside the parameters.
            if !(is_query && name.starts_with('_')) || self.lenient() {
                self.pair(&name, value.into_owned(), is_query);
            }
        }
    }

    fn pair(&mut self, name: &str, value: String, is_query: bool) {
        let in_place =
            !self.meta.in_path(name) && (self.lenient() || self.meta.in_query(name) == is_query);
        match in_place {
            true if self.lenient() && value.is_empty() => self.empty(name),
            true => self.text(name, value),
            false => self.unknown(name),
        }
    }

    /// True if whoever asks is a browser.
    fn lenient(&self) -> bool {
        self.meta.api == Api::Frontend
    }

    /// What forms have for nothing.
    fn empty(&mut self, name: &str) {
        let field = self.meta.fields.iter().find(|field| field.name == name);
        match field {
            Some(field) if field.nullable => {
                self.fields.insert(name.to_owned(), Value::Null);
            }
            Some(field) if field.required => {
                let reason = format!("Enter {}.", name.replace('_', " "));
                self.errors.push(refusal::form_param_nil().because(reason).param(name));
            }
            _ => {}
        }
    }

    /// Adds a value that arrived as text.
    fn text(&mut self, name: &str, text: String) {
        let Some(field) = self.meta.fields.iter().find(|field| field.name == name) else {
            return self.unknown(name);
        };
        let shape = if let Shape::List(items) = field.shape { items } else { &field.shape };
        let value = match read(shape, text) {
            Ok(value) => value,
            Err(error) => return self.errors.push(error.param(name)),
        };
        match (self.fields.get_mut(name), field.shape) {
            (Some(Value::Array(items)), Shape::List(_)) => items.push(value),
            (Some(_), _) => self.errors.push(refusal::form_param_duplicate().param(name)),
            (None, Shape::List(_)) => {
                self.fields.insert(name.to_owned(), Value::Array(vec![value]));
            }
            (None, _) => {
                self.fields.insert(name.to_owned(), value);
            }
        }
    }

    fn json(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if self.meta.body == Body::Items {
            let items: Value =
                serde_json::from_slice(body).map_err(|_| refusal::request_body_invalid())?;
            if !items.is_array() {
                return Err(refusal::request_body_invalid());
            }
            self.value("items", items);
            return Ok(());
        }
        let Pairs(pairs) =
            serde_json::from_slice(body).map_err(|_| refusal::request_body_invalid())?;
        for (name, value) in pairs {
            let in_body =
                !self.meta.in_path(&name) && (self.lenient() || !self.meta.in_query(&name));
            match self.fields.contains_key(&name) {
                _ if !in_body => self.unknown(&name),
                true => self.errors.push(refusal::form_param_duplicate().param(&name)),
                false if self.lenient() => self.loose(&name, value),
                false => self.value(&name, value),
            }
        }
        Ok(())
    }

    /// Adds a value that a browser sent as JSON, and may have meant as text.
    fn loose(&mut self, name: &str, value: Value) {
        let field = self.meta.fields.iter().find(|field| field.name == name);
        match value {
            Value::Null => self.empty(name),
            Value::String(text) if text.is_empty() => self.empty(name),
            Value::String(text)
                if field.is_some_and(|field| !matches!(field.shape, Shape::Text | Shape::Any)) =>
            {
                self.text(name, text);
            }
            value => self.value(name, value),
        }
    }

    /// Adds a value that arrived as JSON.
    fn value(&mut self, name: &str, value: Value) {
        let Some(field) = self.meta.fields.iter().find(|field| field.name == name) else {
            return self.unknown(name);
        };
        check_field(field, &value, &mut self.errors, name);
        self.fields.insert(name.to_owned(), value);
    }

    fn unknown(&mut self, name: &str) {
        if !self.lenient() {
            self.errors.push(unknown_param(name));
        }
    }

    fn gone(&mut self, version: Version) {
        for (name, since) in self.meta.gone {
            if version.is_since(since) && self.fields.remove(*name).is_some() {
                self.unknown(name);
            }
        }
    }

    fn missing(&mut self) {
        let meta = self.meta;
        let named = |error: &Refusal, name: &str| error.param_name() == Some(name);
        for field in meta.fields.iter().filter(|field| field.required) {
            let name = field.name;
            let known = self.errors.iter().any(|error| named(error, name));
            if !self.fields.contains_key(name) && !known {
                let missing = match meta.body {
                    Body::None if !self.lenient() => refusal::missing_query_parameter(),
                    _ => refusal::form_param_missing(),
                };
                self.errors.push(missing.because(format!("{name} must be included.")).param(name));
            }
        }
    }
}

/// True if what is percent-encoded is UTF-8 underneath. The parser itself would guess.
fn is_encoded_text(encoded: &[u8]) -> bool {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
            return false;
        };
        bytes.push(byte);
        rest = &rest[2..];
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// That a request has no such parameter, or none at this instance.
pub fn unknown_param(name: &str) -> Refusal {
    let shown: String = name.chars().take(100).collect();
    let reason = format!("{shown} is not a valid parameter for this request.");
    refusal::form_param_unknown().because(reason).param(&shown)
}

/// From the text of a query, a form or a path to JSON of that shape.
fn read(shape: &Shape, text: String) -> Result<Value, Refusal> {
    let not_allowed = |text: &str| {
        let shown: String = text.chars().take(100).collect();
        let reason = format!("{shown} does not match one of the allowed values.");
        refusal::form_param_value_invalid().because(reason)
    };
    let value = match shape {
        Shape::Text => Value::String(text),
        Shape::Boolean => match text.as_str() {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => return Err(not_allowed(&text)),
        },
        Shape::Integer { max, .. } => match text.parse::<i128>() {
            Ok(number) => match i64::try_from(number) {
                Ok(number) => Value::from(number),
                Err(_) if number > i128::from(*max) => return Err(too_large(*max)),
                Err(_) => return Err(not_allowed(&text)),
            },
            Err(_) => return Err(not_allowed(&text)),
        },
        Shape::Number | Shape::Object | Shape::Any | Shape::List(_) | Shape::Fields(_) => {
            serde_json::from_str(&text).map_err(|_| not_allowed(&text))?
        }
    };
    check(shape, &value)?;
    Ok(value)
}

fn too_large(max: i64) -> Refusal {
    refusal::form_param_value_too_large().because(format!("must be at most {max}."))
}

/// Looks at a JSON value, and at what is inside it.
fn check_field(field: &Field, value: &Value, errors: &mut Vec<Refusal>, name: &str) {
    match (field.shape, value) {
        (_, Value::Null) if field.nullable => {}
        (Shape::Any, Value::Null) => {}
        (_, Value::Null) => errors.push(refusal::form_param_nil().param(name)),
        (Shape::List(Shape::Fields(fields)), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                check_fields(fields, item, errors, &format!("{name}[{index}]"));
            }
        }
        (Shape::List(items), Value::Array(values)) => {
            let wrong = values.iter().find_map(|value| check(items, value).err());
            errors.extend(wrong.map(|error| error.param(name)));
        }
        (Shape::Fields(fields), value) => check_fields(fields, value, errors, name),
        (shape, value) => errors.extend(check(&shape, value).err().map(|error| error.param(name))),
    }
}

fn check_fields(fields: &[Field], value: &Value, errors: &mut Vec<Refusal>, place: &str) {
    let Value::Object(values) = value else {
        return errors.push(refusal::form_param_type_invalid().param(place));
    };
    for (name, value) in values {
        match fields.iter().find(|field| field.name == name) {
            Some(field) => check_field(field, value, errors, &format!("{place}.{name}")),
            None => errors.push(unknown_param(name)),
        }
    }
    for field in fields.iter().filter(|field| field.required && !values.contains_key(field.name)) {
        errors.push(refusal::form_param_missing().param(field.name));
    }
}

fn check(shape: &Shape, value: &Value) -> Result<(), Refusal> {
    let fits = match (shape, value) {
        (Shape::Integer { min, max }, Value::Number(number)) => match number.as_i64() {
            Some(number) if number < *min => {
                let reason = format!("must be at least {min}.");
                return Err(refusal::form_param_value_invalid().because(reason));
            }
            Some(number) if number > *max => return Err(too_large(*max)),
            Some(_) => true,
            None if number.is_u64() => return Err(too_large(*max)),
            None => false,
        },
        (Shape::Text, Value::String(_))
        | (Shape::Number, Value::Number(_))
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Object | Shape::Fields(_), Value::Object(_))
        | (Shape::Any, _)
        | (Shape::List(_), Value::Array(_)) => true,
        _ => false,
    };
    if !fits {
        let reason = format!("must be {}.", kind(shape));
        // Free objects have a code of their own, as metadata has at Clerk.
        let refusal = match shape {
            Shape::Object => refusal::form_param_value_invalid(),
            _ => refusal::form_param_type_invalid(),
        };
        return Err(refusal.because(reason));
    }
    if has_nul(value) {
        let reason = "must not contain NUL characters.";
        return Err(refusal::form_param_value_invalid().because(reason));
    }
    Ok(())
}

fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "a string",
        Shape::Integer { .. } => "an integer",
        Shape::Number => "a number",
        Shape::Boolean => "a boolean",
        Shape::Object | Shape::Fields(_) => "an object",
        Shape::Any => "a value",
        Shape::List(_) => "an array",
    }
}

/// PostgreSQL cannot store them, so SQLite shall not.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// A JSON object whose keys may be repeated, so that one can say so.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> Visitor<'de> for PairsVisitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

impl Refusal {
    /// All that is wrong, in one answer; the first decides the status.
    pub fn all(refusals: Vec<Self>) -> Self {
        let status = refusals.first().map_or(422, |refusal| refusal.status);
        // Somebody who sends a million unknown parameters need not read about each.
        let errors: Vec<ApiError> =
            refusals.into_iter().take(20).flat_map(|refusal| refusal.errors).collect();
        Self { status, errors, ..refusal::internal_clerk_error() }
    }
}
