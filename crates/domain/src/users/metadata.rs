//! Metadata: what an instance's owner notes about a user.

use serde_json::Value;
use wire::{
    Metadata, Patch,
    backend::users::{ReplaceUserMetadata, UpdateUserMetadata, User, UserId},
    refusal,
};

use super::{UserRow, load, save, view::metadata};
use crate::{Cx, Result};

/// Bytes of one piece of metadata, as JSON.
const BYTES_MAX: usize = 8 * 1024;
/// Objects and arrays inside one another.
const DEPTH_MAX: usize = 50;

type Three = [(&'static str, Patch<Metadata>); 3];
type Change = fn(&str, Metadata) -> Metadata;

/// Merge metadata into a user's: objects are merged, `null` removes, all else replaces.
pub(crate) async fn merge(cx: &mut Cx, request: UpdateUserMetadata) -> Result<User> {
    let UpdateUserMetadata { user_id, public_metadata, private_metadata, unsafe_metadata } =
        request;
    let three = three(public_metadata, private_metadata, unsafe_metadata);
    change(cx, &user_id, three, |old, new| {
        let mut merged = metadata(old);
        merge_into(&mut merged, new);
        merged
    })
    .await
}

/// Replace the given ones of a user's metadata.
pub(super) async fn replace(cx: &mut Cx, request: ReplaceUserMetadata) -> Result<User> {
    let ReplaceUserMetadata { user_id, public_metadata, private_metadata, unsafe_metadata } =
        request;
    let three = three(public_metadata, private_metadata, unsafe_metadata);
    change(cx, &user_id, three, |_, new| new).await
}

async fn change(cx: &mut Cx, user_id: &UserId, three: Three, how: Change) -> Result<User> {
    let (mut row, identifications) = load(cx, user_id).await?;
    set(&mut row, three, how)?;
    save(cx, &mut row, &identifications).await
}

/// Replaces the given ones in `row`.
pub(super) fn set_all(
    row: &mut UserRow,
    public: Patch<Metadata>,
    private: Patch<Metadata>,
    unsafe_: Patch<Metadata>,
) -> Result<()> {
    set(row, three(public, private, unsafe_), |_, new| new)
}

fn three(public: Patch<Metadata>, private: Patch<Metadata>, unsafe_: Patch<Metadata>) -> Three {
    [("public_metadata", public), ("private_metadata", private), ("unsafe_metadata", unsafe_)]
}

fn set(row: &mut UserRow, three: Three, how: Change) -> Result<()> {
    let fields = [&mut row.public_metadata, &mut row.private_metadata, &mut row.unsafe_metadata];
    for (field, (name, patch)) in fields.into_iter().zip(three) {
        match patch {
            Patch::Keep => {}
            Patch::Clear => "{}".clone_into(field),
            Patch::Set(new) => *field = written(name, how(field, new))?,
        }
    }
    Ok(())
}

/// Metadata as it is stored, if it is not too much.
pub(crate) fn written(name: &str, metadata: Metadata) -> Result<String> {
    let metadata = Value::Object(metadata);
    let text = serde_json::to_string(&metadata)?;
    if text.len() > BYTES_MAX || depth(&metadata) > DEPTH_MAX {
        let reason = format!("{name} exceeds the maximum allowed size of 8 KB.");
        return Err(refusal::form_param_exceeds_allowed_size().because(reason).param(name).into());
    }
    Ok(text)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn merge_into(old: &mut Metadata, new: Metadata) {
    for (name, value) in new {
        match (old.get_mut(&name), value) {
            (_, Value::Null) => drop(old.remove(&name)),
            (Some(Value::Object(old)), Value::Object(new)) => merge_into(old, new),
            (_, Value::Object(new)) => {
                // What is new may hold nulls of its own, which mean nothing here either.
                let mut fresh = Metadata::new();
                merge_into(&mut fresh, new);
                old.insert(name, Value::Object(fresh));
            }
            (_, value) => drop(old.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::merge_into;

    #[test]
    fn objects_merge_nulls_remove_and_the_rest_replaces() {
        let cases = [
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": null}}), json!({"a": {"c": 2}})),
            (json!({"a": {"b": 1}}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": [1]}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}})),
            (json!({"a": 1}), json!({}), json!({"a": 1})),
            (
                json!({"a": 1}),
                json!({"__proto__": {"x": 1}}),
                json!({"a": 1, "__proto__": {"x": 1}}),
            ),
        ];
        for (old, new, expected) in cases {
            let (Value::Object(mut merged), Value::Object(new)) = (old, new) else {
                panic!("objects");
            };
            merge_into(&mut merged, new);
            assert_eq!(Value::Object(merged), expected);
        }
    }
}
