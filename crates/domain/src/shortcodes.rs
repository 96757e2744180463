//! The language of token templates: JSON whose texts may hold `{{user.first_name || 'friend'}}`.
//!
//! Pure. Rendering is one pass: what a lookup gives is never read as a template again, so a user
//! who is called `{{user.email}}` is printed so.

use std::fmt;

use serde_json::{Map, Number, Value};

/// Claims that the server alone sets.
pub(crate) const RESERVED: [&str; 15] = [
    "act", "azp", "exp", "fea", "fva", "iat", "iss", "jti", "nbf", "o", "pla", "sid", "sts", "sub",
    "v",
];

/// How deep objects and arrays of a template may nest.
pub(crate) const DEPTH_MAX: usize = 16;
/// How long the JSON of a template may be.
pub(crate) const TEMPLATE_BYTES_MAX: usize = 16 * 1024;
/// How long the JSON of what is rendered may be.
pub(crate) const RENDERED_BYTES_MAX: usize = 48 * 1024;
/// How many operands one shortcode may have.
const OPERANDS_MAX: usize = 32;

/// Why a template is not taken, or not rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// It sets a claim of [`RESERVED`].
    ReservedClaim(String),
    /// A shortcode that does not end or cannot be read.
    Malformed(String),
    /// It is too long or nests too deep.
    TooLarge,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedClaim(name) => write!(f, "the claim `{name}` is reserved"),
            Self::Malformed(text) => write!(f, "`{text}` is no shortcode"),
            Self::TooLarge => f.write_str("the template is too large"),
        }
    }
}

impl std::error::Error for TemplateError {}

/// Whether `template` may be stored.
pub(crate) fn check(template: &Map<String, Value>) -> Result<(), TemplateError> {
    if let Some(name) = RESERVED.iter().find(|name| template.contains_key(**name)) {
        return Err(TemplateError::ReservedClaim((*name).to_owned()));
    }
    let length: usize = template.iter().map(|(name, value)| name.len() + size(value)).sum();
    if length > TEMPLATE_BYTES_MAX || template.values().any(|value| !shallow(value, DEPTH_MAX)) {
        return Err(TemplateError::TooLarge);
    }
    texts(template, &mut |text| pieces(text).map(drop))
}

/// Fills `template` with what `lookup` knows; what it does not know is null.
pub(crate) fn render(
    template: &Map<String, Value>,
    lookup: &dyn Fn(&str) -> Option<Value>,
) -> Result<Map<String, Value>, TemplateError> {
    let mut rendering = Rendering { lookup, bytes_left: RENDERED_BYTES_MAX };
    rendering.object(template, DEPTH_MAX)
}

struct Rendering<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Value>,
    bytes_left: usize,
}

impl Rendering<'_> {
    fn object(
        &mut self,
        members: &Map<String, Value>,
        depth: usize,
    ) -> Result<Map<String, Value>, TemplateError> {
        let depth = depth.checked_sub(1).ok_or(TemplateError::TooLarge)?;
        members
            .iter()
            .map(|(name, value)| {
                self.spend(name.len() + 4)?;
                Ok((name.clone(), self.value(value, depth)?))
            })
            .collect()
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<Value, TemplateError> {
        match value {
            Value::String(text) => self.text(text),
            Value::Object(members) => self.object(members, depth).map(Value::Object),
            Value::Array(items) => {
                let depth = depth.checked_sub(1).ok_or(TemplateError::TooLarge)?;
                items.iter().map(|item| self.value(item, depth)).collect()
            }
            plain => {
                self.spend(size(plain))?;
                Ok(plain.clone())
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<Value, TemplateError> {
        // What was stored before a rule existed is shown as it stands.
        let Ok(pieces) = pieces(text) else {
            self.spend(text.len() + 2)?;
            return Ok(text.into());
        };
        if let [Piece::Shortcode(operands)] = pieces.as_slice() {
            return self.operand(operands);
        }
        let mut whole = String::new();
        for piece in &pieces {
            match piece {
                Piece::Text(plain) => {
                    self.spend(plain.len())?;
                    whole.push_str(plain);
                }
                Piece::Shortcode(operands) => match self.operand(operands)? {
                    Value::String(text) => whole.push_str(&text),
                    other => whole.push_str(&other.to_string()),
                },
            }
        }
        Ok(Value::String(whole))
    }

    /// The first operand that is neither null nor false, else the last.
    fn operand(&mut self, operands: &[Operand<'_>]) -> Result<Value, TemplateError> {
        let mut chosen = Value::Null;
        for operand in operands {
            chosen = match operand {
                Operand::Literal(value) => value.clone(),
                Operand::Path(path) => (self.lookup)(path).unwrap_or_default(),
            };
            if !matches!(chosen, Value::Null | Value::Bool(false)) {
                break;
            }
        }
        self.spend(size(&chosen))?;
        Ok(chosen)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), TemplateError> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(TemplateError::TooLarge)?;
        Ok(())
    }
}

/// Runs `each` over every text of a template.
fn texts(
    members: &Map<String, Value>,
    each: &mut dyn FnMut(&str) -> Result<(), TemplateError>,
) -> Result<(), TemplateError> {
    let mut waiting: Vec<&Value> = members.values().collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::String(text) => each(text)?,
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => waiting.extend(members.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    Ok(())
}

fn shallow(value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match value {
        Value::Array(items) => items.iter().all(|item| shallow(item, depth)),
        Value::Object(members) => members.values().all(|member| shallow(member, depth)),
        _ => true,
    }
}

/// About as many bytes as the JSON of `value` has, counted without writing it.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, member)| name.len() + 4 + size(member)).sum::<usize>() + 2
        }
        Value::Number(_) => 8,
        Value::Null | Value::Bool(_) => 4,
    }
}

enum Piece<'a> {
    Text(&'a str),
    Shortcode(Vec<Operand<'a>>),
}

enum Operand<'a> {
    Path(&'a str),
    Literal(Value),
}

/// Cuts a text at its shortcodes.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let end = end_of(after).ok_or_else(|| malformed(rest))?;
        pieces.push(Piece::Shortcode(operands(&after[..end])?));
        rest = &after[end + 2..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Where the shortcode ends; braces between quotes do not end it.
fn end_of(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'\'' => quoted = !quoted,
            b'}' if !quoted && bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn operands(text: &str) -> Result<Vec<Operand<'_>>, TemplateError> {
    let mut operands = Vec::new();
    let mut rest = text;
    loop {
        let (operand, after) = operand(rest.trim_start())?;
        operands.push(operand);
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(operands);
        }
        rest = after.strip_prefix("||").ok_or_else(|| malformed(text))?;
        if operands.len() == OPERANDS_MAX {
            return Err(TemplateError::TooLarge);
        }
    }
}

fn operand(text: &str) -> Result<(Operand<'_>, &str), TemplateError> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (literal, rest) = literal(quoted).ok_or_else(|| malformed(text))?;
        return Ok((Operand::Literal(Value::String(literal)), rest));
    }
    let end = text.find(|each: char| each == '|' || each.is_whitespace()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let operand = match word {
        "true" => Operand::Literal(Value::Bool(true)),
        "false" => Operand::Literal(Value::Bool(false)),
        "null" => Operand::Literal(Value::Null),
        _ if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            let number: Number = word.parse().map_err(|_| malformed(word))?;
            Operand::Literal(Value::Number(number))
        }
        _ if is_path(word) => Operand::Path(word),
        _ => return Err(malformed(text)),
    };
    Ok((operand, rest))
}

/// The text up to the closing quote, and what follows it.
fn literal(quoted: &str) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\'' => return Some((literal, &quoted[at + 1..])),
            '\\' => literal.push(letters.next()?.1),
            other => literal.push(other),
        }
    }
    None
}

fn is_path(word: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|each| each.is_alphanumeric() || matches!(each, '_' | '-'))
    };
    word.split('.').all(is_name)
}

fn malformed(text: &str) -> TemplateError {
    TemplateError::Malformed(text.chars().take(80).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn lookup(path: &str) -> Option<Value> {
        match path {
            "user.first_name" => Some(json!("Ada")),
            "user.last_name" => Some(json!("{{user.private_metadata}}")),
            "user.created_at" => Some(json!(1_700_000_000_000_i64)),
            "user.email_verified" => Some(json!(false)),
            "user.has_image" => Some(json!(true)),
            "user.public_metadata" => Some(json!({ "plan": "{{user.id}}", "n": [1, null] })),
            "user.public_metadata.my-key" => Some(json!("dashed")),
            "user.username" => Some(Value::Null),
            "user.private_metadata" => panic!("nobody may ask"),
            _ => None,
        }
    }

    fn rendered(text: &str) -> Value {
        let template = map(&json!({ "claim": text }));
        render(&template, &lookup).expect("rendered")["claim"].clone()
    }

    #[test]
    fn a_sole_shortcode_keeps_its_type() {
        assert_eq!(rendered("{{user.first_name}}"), json!("Ada"));
        assert_eq!(rendered("{{ user.created_at }}"), json!(1_700_000_000_000_i64));
        assert_eq!(rendered("{{user.email_verified}}"), json!(false));
        assert_eq!(rendered("{{user.username}}"), Value::Null);
        assert_eq!(rendered("{{user.unknown}}"), Value::Null);
        assert_eq!(rendered("{{user.public_metadata.my-key}}"), json!("dashed"));
        assert_eq!(rendered("{{7}}"), json!(7));
        assert_eq!(rendered("{{-1.5}}"), json!(-1.5));
        assert_eq!(rendered("{{'}} || {{'}}"), json!("}} || {{"));
        assert_eq!(rendered(r"{{'it\'s'}}"), json!("it's"));
        assert_eq!(rendered("plain"), json!("plain"));
        assert_eq!(rendered(""), json!(""));
    }

    #[test]
    fn within_a_text_it_is_written_out() {
        assert_eq!(rendered("{{user.username}} {{user.first_name}}"), json!("null Ada"));
        assert_eq!(rendered("at {{user.created_at}}!"), json!("at 1700000000000!"));
        assert_eq!(rendered("{{user.has_image}}{{user.email_verified}}"), json!("truefalse"));
        assert_eq!(
            rendered(" {{user.public_metadata}}"),
            json!(r#" {"n":[1,null],"plan":"{{user.id}}"}"#)
        );
    }

    #[test]
    fn the_first_operand_that_is_something_wins() {
        assert_eq!(rendered("{{user.username || user.first_name || 'x'}}"), json!("Ada"));
        assert_eq!(rendered("{{user.username||user.email_verified||'x'}}"), json!("x"));
        assert_eq!(rendered("{{user.username || user.email_verified}}"), json!(false));
        assert_eq!(rendered("{{user.email_verified || user.username}}"), Value::Null);
        assert_eq!(rendered("{{user.username || 0}}"), json!(0));
        assert_eq!(rendered("{{user.username || ''}}"), json!(""));
        assert_eq!(rendered("{{user.username || true}}"), json!(true));
        assert_eq!(rendered("Dear {{user.username || 'friend'}}"), json!("Dear friend"));
    }

    #[test]
    fn inp_14_values_are_never_read_as_templates() {
        assert_eq!(rendered("{{user.last_name}}"), json!("{{user.private_metadata}}"));
        assert_eq!(rendered("a {{user.last_name}}"), json!("a {{user.private_metadata}}"));
        assert_eq!(
            rendered("{{user.public_metadata}}"),
            json!({ "plan": "{{user.id}}", "n": [1, null] })
        );
        // Two values do not make a shortcode together.
        let template = map(&json!({ "claim": "{{user.a}}{user.private_metadata}}" }));
        let brace = |path: &str| (path == "user.a").then(|| json!("{"));
        let claims = render(&template, &brace).expect("rendered");
        assert_eq!(claims["claim"], json!("{{user.private_metadata}}"));
    }

    #[test]
    fn objects_and_arrays_are_rendered_inside() {
        let template = map(&json!({
            "a": { "b": ["{{user.first_name}}", 1, null, { "c": "{{user.has_image}}" }] },
            "{{user.first_name}}": true
        }));
        assert_eq!(
            Value::Object(render(&template, &lookup).expect("rendered")),
            json!({
                "a": { "b": ["Ada", 1, null, { "c": true }] },
                "{{user.first_name}}": true
            })
        );
    }

    #[test]
    fn jwt_25_reserved_claims_are_refused_by_name() {
        for name in RESERVED {
            let template = map(&json!({ name: "x", "aud": "y" }));
            assert_eq!(check(&template), Err(TemplateError::ReservedClaim(name.into())));
        }
        let nested = map(&json!({ "aud": "y", "mine": { "sub": "x" }, "org_id": "{{org.id}}" }));
        assert_eq!(check(&nested), Ok(()));
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_rendered_as_it_stands() {
        for text in [
            "{{",
            "{{user.id",
            "{{}}",
            "{{ }}",
            "{{user.}}",
            "{{.id}}",
            "{{a b}}",
            "{{a ||}}",
            "{{|| a}}",
            "{{a | b}}",
            "{{'a}}",
            "{{1x}}",
            "{{user..id}}",
            "{{{a}}}",
            "{{\"a\"}}",
        ] {
            let template = map(&json!({ "claim": text }));
            assert!(matches!(check(&template), Err(TemplateError::Malformed(_))), "{text}");
            assert_eq!(rendered(text), json!(text));
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let mut deep = json!("{{user.id}}");
        for _ in 0..DEPTH_MAX {
            deep = json!([deep]);
        }
        let deep = map(&json!({ "deep": deep }));
        assert_eq!(check(&deep), Err(TemplateError::TooLarge));
        assert_eq!(render(&deep, &lookup), Err(TemplateError::TooLarge));
        let long = map(&json!({ "long": "x".repeat(TEMPLATE_BYTES_MAX) }));
        assert_eq!(check(&long), Err(TemplateError::TooLarge));

        let many: Map<String, Value> =
            (0..100).map(|n| (n.to_string(), json!("{{user.big}}"))).collect();
        assert_eq!(check(&many), Ok(()));
        let big = |_: &str| Some(json!("x".repeat(8_000)));
        assert_eq!(render(&many, &big), Err(TemplateError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic(text in "[ a-z0-9{}|'.\\\\é-]{0,60}") {
            let template = map(&json!({ "claim": text }));
            let _ = check(&template);
            let claims = render(&template, &|_| Some(json!("{{x}}"))).expect("small");
            prop_assert!(claims.contains_key("claim"));
        }

        #[test]
        fn any_value_comes_through_as_it_is(value in "\\PC{0,40}") {
            let template = map(&json!({ "claim": "{{a}}", "text": "<{{a}}>" }));
            let claims = render(&template, &|_| Some(json!(value))).expect("small");
            prop_assert_eq!(&claims["claim"], &json!(value));
            prop_assert_eq!(&claims["text"], &json!(format!("<{value}>")));
        }
    }
}
