//! Statements that are made before they are run.

use crate::{Error, Result, Value};

/// A statement and what is bound to its placeholders.
#[derive(Clone, Debug)]
pub struct Statement {
    /// With `$1`, `$2`, … for the values.
    pub sql: String,
    /// In the order of their numbers.
    pub values: Vec<Value>,
}

impl Statement {
    /// A statement.
    pub fn new(sql: impl Into<String>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }
}

/// PostgreSQL cannot store NUL bytes in a text, so neither shall SQLite.
pub(crate) fn refuse_nul(values: &[Value]) -> Result<()> {
    let has_nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(has_nul) { Err(Error::Nul) } else { Ok(()) }
}
