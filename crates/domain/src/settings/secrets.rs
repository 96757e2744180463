//! Secrets among the settings. They are kept apart, under the root key; the document says only that
//! they are there, so that nobody who reads it gets them.

use std::fmt;

use db::{Record as _, Statement, Value};
use macros::Record;
use wire::Timestamp;

use super::Settings;
use crate::{Cx, Place, Result, World, instances::InstanceId};

/// What is read in the place of a secret.
const SEALED: &str = "sealed";

/// A secret. What is read says `sealed`; anything else that is written takes its place.
#[derive(Clone, PartialEq, Eq, schemars::JsonSchema)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, of whoever brings one.
    pub fn brought(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| *text != SEALED)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_str(SEALED)
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(from).map(Self)
    }
}

/// A secret of an instance.
#[derive(Record)]
#[record(table = "instance_secrets")]
struct InstanceSecretRow {
    id: String,
    instance_id: String,
    sealed: String,
    updated_at: Timestamp,
}

impl Settings {
    /// The secrets among them, by the paths of their settings.
    fn secrets(&self) -> [(&'static str, Option<&Secret>); 2] {
        let Self { captcha, .. } = self;
        [
            ("captcha.secret_key", captcha.secret_key.as_ref()),
            ("captcha.invisible_secret_key", captcha.invisible_secret_key.as_ref()),
        ]
    }

    /// The paths of the secrets that come with these settings.
    pub fn brought_secrets(&self) -> impl Iterator<Item = &'static str> {
        let is_brought = |secret: Option<&Secret>| secret.and_then(Secret::brought).is_some();
        self.secrets().into_iter().filter(move |(_, one)| is_brought(*one)).map(|(path, _)| path)
    }

    /// The paths of the secrets that there are.
    pub fn secret_paths(&self) -> Vec<&'static str> {
        let there = self.secrets().into_iter().filter(|(_, secret)| secret.is_some());
        there.map(|(path, _)| path).collect()
    }

    /// Notes secrets that are said to be kept, and are not.
    pub(super) fn refuse_missing_secrets(&self, before: &Self, wrong: &mut Vec<String>) {
        for ((path, before), (_, after)) in before.secrets().into_iter().zip(self.secrets()) {
            let is_kept = after.is_some_and(|after| after.brought().is_none());
            if is_kept && before.is_none() {
                wrong.push(format!("{path} is not kept here: give the key itself"));
            }
        }
    }
}

/// What keeps the secrets that `after` brings, and forgets those that it does not have any more.
pub(super) fn changes(
    world: &World,
    id: &InstanceId,
    (before, after): (&Settings, &Settings),
) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    for ((path, before), (_, after)) in before.secrets().into_iter().zip(after.secrets()) {
        let row = row_id(id.as_str(), path);
        match after.map(Secret::brought) {
            None if before.is_some() => {
                let sql = "delete from instance_secrets where instance_id = $1 and id = $2";
                let values = vec![Value::Text(id.to_string()), Value::Text(row)];
                statements.push(Statement::new(sql, values));
            }
            Some(Some(secret)) => {
                let sealed = world.sealer.seal(&place(&row, id.as_str()), secret.as_bytes())?;
                let sql = "insert into instance_secrets (id, instance_id, sealed, updated_at)
                           values ($1, $2, $3, $4)
                           on conflict (id) do update set
                               sealed = excluded.sealed, updated_at = excluded.updated_at";
                let now = Value::Int((world.seeds.clock)().0);
                let values =
                    vec![Value::Text(row), Value::Text(id.to_string()), Value::Text(sealed), now];
                statements.push(Statement::new(sql, values));
            }
            _ => {}
        }
    }
    Ok(statements)
}

/// The secret that is kept for the setting with this path.
pub(crate) async fn secret(cx: &mut Cx, path: &'static str) -> Result<Option<String>> {
    let id = row_id(&cx.instance_id(), path);
    let Some(row) = InstanceSecretRow::find(&mut cx.tx, &id).await? else { return Ok(None) };
    let secret = cx.world.sealer.open(&place(&row.id, &row.instance_id), &row.sealed)?;
    Ok(String::from_utf8(secret).ok())
}

fn row_id(instance_id: &str, path: &str) -> String {
    format!("{instance_id}.{path}")
}

fn place<'a>(row: &'a str, instance: &'a str) -> Place<'a> {
    Place { table: "instance_secrets", row, column: "sealed", instance }
}

#[cfg(test)]
mod tests {
    use super::{Secret, Settings};

    #[test]
    fn no_document_tells_a_secret() {
        let mut settings = Settings::default();
        settings.captcha.secret_key = Some(Secret::from("planted"));
        assert_eq!(settings.brought_secrets().collect::<Vec<_>>(), ["captcha.secret_key"]);
        let text = serde_json::to_string(&settings).expect("JSON");
        assert!(!text.contains("planted") && !format!("{settings:?}").contains("planted"));

        let kept = Settings::parse(&text).expect("read again");
        assert_eq!(kept.brought_secrets().count(), 0);
        assert_eq!(kept.validate_change(&settings), Ok(()));
        let refused = kept.validate_change(&Settings::default()).expect_err("nothing is kept");
        assert!(refused.contains("captcha.secret_key is not kept here"), "{refused}");
    }
}
