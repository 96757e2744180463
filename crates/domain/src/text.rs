//! Texts that people write: what is too long, what is a date, what is a language.

use chrono::DateTime;
use wire::{Patch, Timestamp, refusal};

use crate::Result;

/// Characters of a name.
pub(crate) const NAME_CHARS_MAX: usize = 256;

/// The start of a text that was sent, for whoever is told of it: it may be anything.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Refuses a text of more than `max` characters.
pub(crate) fn at_most(name: &str, text: &str, max: usize) -> Result<()> {
    if text.chars().nth(max).is_some() {
        let reason = format!("{name} must be at most {max} characters long.");
        return Err(refusal::form_param_max_length_exceeded().because(reason).param(name).into());
    }
    Ok(())
}

/// A text that is nothing when it is empty.
pub(crate) fn optional(name: &str, text: Patch<String>) -> Result<Patch<String>> {
    match text {
        Patch::Set(text) if text.trim().is_empty() => Ok(Patch::Clear),
        Patch::Set(text) => {
            at_most(name, &text, NAME_CHARS_MAX)?;
            Ok(Patch::Set(text))
        }
        other => Ok(other),
    }
}

/// A moment that is past, written as RFC 3339.
pub(crate) fn past(name: &str, text: &str, now: Timestamp) -> Result<Timestamp> {
    let moment = DateTime::parse_from_rfc3339(text).map_err(|_| {
        let reason = format!("{name} must be a time as RFC 3339 has it, 2012-10-20T07:15:20.902Z.");
        refusal::form_param_invalid_time().because(reason).param(name)
    })?;
    let moment = Timestamp(moment.timestamp_millis());
    match moment.0 {
        ..0 => Err(refusal::form_param_invalid_time().param(name).into()),
        _ if moment > now => Err(refusal::form_disallow_future_date().param(name).into()),
        _ => Ok(moment),
    }
}

/// A language tag, `en-US` (BCP 47): letters and digits in parts of at most eight.
pub(crate) fn locale(text: &str) -> Result<()> {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language =
        (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    if !is_language || text.len() > 35 || !parts.all(part) {
        let reason = "locale must be a BCP 47 language tag.";
        return Err(refusal::form_param_format_invalid().because(reason).param("locale").into());
    }
    Ok(())
}
