//! `vestry config`: the settings of an instance, as one document.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::{
    Settings, World,
    instances::{self, InstanceId},
    settings,
};
use serde_json::{Map, Value};

use crate::{
    cli::{self, ConfigCommand},
    failure::{Failure, Result},
    keys, logging,
};

/// Does what was asked.
pub(crate) async fn run(command: ConfigCommand, log: Option<String>) -> Result<()> {
    logging::start_simply(log, "warn")?;
    match command {
        ConfigCommand::Get { path, json, of } => {
            let (world, id) = open(of).await?;
            let settings = settings::of_instance(&world, &id).await?;
            world.db.close().await;
            get(&document(&settings)?, path.as_deref(), json)
        }
        ConfigCommand::Set { path, value, yes, of } => {
            // What is no JSON is a text: `waitlist` needs no quotes.
            let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
            let mut change = value;
            for name in path.split('.').rev() {
                change = Value::Object(Map::from_iter([(name.to_owned(), change)]));
            }
            Box::pin(apply(change, yes, of)).await
        }
        ConfigCommand::Pull { file, of } => {
            let (world, id) = open(of).await?;
            let settings = settings::of_instance(&world, &id).await?;
            world.db.close().await;
            pull(&document(&settings)?, file)
        }
        ConfigCommand::Apply { file, yes, of } => Box::pin(apply(read(&file)?, yes, of)).await,
        ConfigCommand::Schema => {
            print(&pretty(&Settings::schema())?);
            Ok(())
        }
    }
}

async fn open(of: cli::ConfigOf) -> Result<(Arc<World>, InstanceId)> {
    let world = keys::attach(of.storage).await?;
    let chosen = keys::choose(instances::list(&world).await?, of.instance.as_deref())?;
    Ok((world, chosen.instance_id))
}

fn document(settings: &Settings) -> Result<Value> {
    serde_json::to_value(settings).map_err(|error| Failure::new(error.to_string()))
}

fn get(document: &Value, path: Option<&str>, json: bool) -> Result<()> {
    let Some(path) = path else {
        print(&if json { pretty(document)? } else { toml_of(document)? });
        return Ok(());
    };
    let found = path.split('.').try_fold(document, |value, name| value.get(name));
    let found = found.ok_or_else(|| {
        let known = paths(document);
        Failure::Settings(vec![format!("there is no setting {path}{}", meant(path, &known))])
    })?;
    match found {
        Value::String(text) if !json => print(text),
        Value::Object(_) if !json => print(&toml_of(found)?),
        _ => print(&found.to_string()),
    }
    Ok(())
}

fn pull(document: &Value, file: Option<PathBuf>) -> Result<()> {
    let Some(file) = file else {
        print(&toml_of(document)?);
        return Ok(());
    };
    let text = if is_json(&file) { pretty(document)? + "\n" } else { toml_of(document)? };
    std::fs::write(&file, text)
        .map_err(|error| Failure::Other(format!("cannot write {}: {error}", file.display())))
}

/// Reads a document, TOML or JSON by its name.
fn read(file: &Path) -> Result<Value> {
    let cannot = |why: String| Failure::Settings(vec![format!("{}: {why}", file.display())]);
    let text = std::fs::read_to_string(file).map_err(|error| cannot(error.to_string()))?;
    let read: Value = if is_json(file) {
        serde_json::from_str(&text).map_err(|error| cannot(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| cannot(error.to_string()))?
    };
    if read.is_object() { Ok(read) } else { Err(cannot("it must be an object".to_owned())) }
}

/// Shows what `change` would change, asks, and changes it. What it does not mention stays.
async fn apply(change: Value, yes: bool, of: cli::ConfigOf) -> Result<()> {
    let (world, id) = open(of).await?;
    let before = settings::of_instance(&world, &id).await?;
    let old = document(&before)?;
    let wanted = merged(old.clone(), change);
    let after = match checked(&before, &wanted) {
        Ok(after) => after,
        Err(reasons) => {
            world.db.close().await;
            return Err(Failure::Settings(reasons));
        }
    };
    let new = document(&after)?;
    let mut changes = changes(&old, &new);
    changes.extend(replaced(&before, &after));
    for line in &changes {
        print(line);
    }
    let outcome = match changes.is_empty() {
        true => {
            print("Nothing changes.");
            Ok(())
        }
        false if yes || agreed()? => {
            let done = settings::replace(&world, &id, &before, &after).await;
            done.map_err(Failure::from).and_then(|is_done| {
                if !is_done {
                    let text = "somebody changed the settings meanwhile; nothing was changed";
                    return Err(Failure::new(text));
                }
                print("Changed; servers go by it within a second.");
                Ok(())
            })
        }
        false => Err(Failure::new("nothing was changed")),
    };
    world.db.close().await;
    outcome
}

/// The settings that are wanted, or all that is wrong with them.
fn checked(before: &Settings, wanted: &Value) -> std::result::Result<Settings, Vec<String>> {
    let after = Settings::parse(&wanted.to_string())
        .and_then(|after| after.validate_change(before).map(|()| after))
        .map_err(|reasons| reasons.split("; ").map(str::to_owned).collect::<Vec<_>>())?;
    let found = after.contradictions(before);
    if found.is_empty() {
        return Ok(after);
    }
    Err(found.iter().map(|one| format!("{} {}", one.path(), one.reason())).collect())
}

/// Asks whoever sits there; where nobody does, `--yes` says it.
fn agreed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        let text = "nobody can be asked here: say --yes to apply this".to_owned();
        return Err(Failure::Settings(vec![text]));
    }
    print_inline("Apply this? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// `whole` with what `change` says; objects are entered, all else is replaced.
fn merged(mut whole: Value, change: Value) -> Value {
    match (&mut whole, change) {
        (Value::Object(known), Value::Object(change)) => {
            for (name, value) in change {
                let before = known.remove(&name).unwrap_or(Value::Null);
                known.insert(name, merged(before, value));
            }
            whole
        }
        (_, change) => change,
    }
}

/// The changed settings, as lines one reads.
fn changes(old: &Value, new: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    difference("", old, new, &mut lines);
    lines
}

/// Secrets of which another one is brought, which no document tells apart.
fn replaced(before: &Settings, after: &Settings) -> impl Iterator<Item = String> {
    let had = before.secret_paths();
    let again = after.brought_secrets().filter(move |path| had.contains(path));
    again.map(|path| format!("+ {path} = another one"))
}

fn difference(path: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
        for name in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let null = Value::Null;
            let of = |map: &Map<String, Value>| map.get(name).unwrap_or(&null).clone();
            difference(&path, &of(old), &of(new), lines);
        }
    } else if old != new {
        lines.push(format!("- {path} = {old}"));
        lines.push(format!("+ {path} = {new}"));
    }
}

/// The dotted paths of all that is no object.
fn paths(document: &Value) -> Vec<String> {
    let Value::Object(map) = document else {
        return Vec::new();
    };
    let below = map.iter().flat_map(|(name, value)| match value {
        Value::Object(inner) if !inner.is_empty() => {
            paths(value).into_iter().map(|path| format!("{name}.{path}")).collect()
        }
        _ => vec![name.clone()],
    });
    below.collect()
}

fn meant(path: &str, known: &[String]) -> String {
    let similar = known.iter().map(|known| (strsim::jaro_winkler(path, known), known));
    let best = similar.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(similarity, _)| *similarity > 0.8)
        .map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"))
}

/// The document as TOML, which has no word for null: what is absent is absent.
fn toml_of(document: &Value) -> Result<String> {
    let said = without_null(document.clone());
    toml::to_string_pretty(&said).map_err(|error| Failure::new(error.to_string()))
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_null(value))).collect())
        }
        value => value,
    }
}

fn pretty(value: &Value) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn print(text: &str) {
    println!("{}", text.trim_end());
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn print_inline(text: &str) -> Result<()> {
    print!("{text}");
    Ok(std::io::stdout().flush()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{changes, merged, paths};

    #[test]
    fn a_change_says_only_what_changes() {
        let old = json!({"a": {"b": 1, "c": [1]}, "d": null});
        let new = merged(old.clone(), json!({"a": {"c": [2, 3]}, "d": "x"}));
        assert_eq!(new, json!({"a": {"b": 1, "c": [2, 3]}, "d": "x"}));
        let lines = changes(&old, &new);
        assert_eq!(lines, ["- a.c = [1]", "+ a.c = [2,3]", "- d = null", "+ d = \"x\""]);
        assert!(changes(&old, &old).is_empty());
        assert_eq!(paths(&old), ["a.b", "a.c", "d"]);
    }
}
