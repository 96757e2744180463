//! Orders that lists can have.

use wire::refusal;

use crate::Result;

/// A field one may order by, and what that means in SQL, upwards and downwards.
pub(crate) type OrderBy = (&'static str, &'static str, &'static str);

/// The orders of one list; the first is the default, downwards.
pub(crate) struct Orders(pub(crate) &'static [OrderBy]);

impl Orders {
    /// Reads `created_at`, `+created_at` or `-created_at`.
    ///
    /// A `+` that was not encoded arrives as a space.
    pub(crate) fn find(&self, asked: Option<&str>) -> Result<&'static str> {
        let Some(asked) = asked else {
            return Ok(self.0.first().map_or("", |order| order.2));
        };
        let (name, downwards) = match asked.strip_prefix('-') {
            Some(name) => (name, true),
            None => (asked.strip_prefix(['+', ' ']).unwrap_or(asked), false),
        };
        let Some((_, up, down)) = self.0.iter().find(|order| order.0 == name) else {
            let names: Vec<_> = self.0.iter().map(|order| order.0).collect();
            let reason = format!("order_by must be one of {}.", names.join(", "));
            return Err(refusal::form_param_value_invalid()
                .because(reason)
                .param("order_by")
                .into());
        };
        Ok(if downwards { down } else { up })
    }
}

/// An order by a column that may be null: what is absent comes first, as its index has it.
macro_rules! by {
    ($column:literal, $absent:literal, $direction:literal) => {
        concat!("coalesce(", $column, ", ", $absent, ") ", $direction, ", position ", $direction)
    };
}
pub(crate) use by;
