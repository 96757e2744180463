//! Substring search: which rows have a text that contains these letters, newest first.
//!
//! A migration that says `create search index NAME;` makes the tables. On PostgreSQL they hold
//! the texts, with trigrams where the server has the extension. On SQLite they are two full-text
//! indexes over words of our own making: each three letters of the text in their order, where a
//! needle is a phrase, and the distinct letters and pairs of letters, for needles of one or two.
//! Every word begins with a mark of the instance, so no instance has to walk through another's.

use std::collections::BTreeSet;

use crate::{EngineKind, Error, Result, Tx, Value};

const CREATE: &str = "create search index ";

/// A change of an index that waits for the end of the group of units.
pub(crate) struct Change {
    pub(crate) index: &'static str,
    pub(crate) key: i64,
    /// The words for the long and the short needles; nothing to remove the entry.
    pub(crate) words: Option<(String, String)>,
}

impl Tx {
    /// Makes `text` what the index finds `key` by. It arrives in the case it is searched in.
    ///
    /// A key belongs to one row of all instances, and sorts as the rows do. The same unit does
    /// not find it yet.
    pub async fn search_put(&mut self, index: &'static str, key: i64, text: &str) -> Result<()> {
        let instance = self.search_instance(index)?;
        match &self.open {
            crate::tx::Open::Sqlite(session) => {
                if text.contains('\0') {
                    return Err(self.fail(Error::Nul));
                }
                let words = Some((long_words(&instance, text), short_words(&instance, text)));
                session.change_search(Change { index, key, words })
            }
            crate::tx::Open::Postgres(_) => {
                let sql = format!(
                    "insert into search_{index} (instance_id, key, words) values ($1, $2, $3)
                     on conflict (instance_id, key) do update set words = excluded.words"
                );
                let values = vec![Value::Text(instance), Value::Int(key), Value::Text(text.into())];
                self.execute(&sql, values).await
            }
        }
    }

    /// Takes the key out of the index.
    pub async fn search_remove(&mut self, index: &'static str, key: i64) -> Result<()> {
        let instance = self.search_instance(index)?;
        match &self.open {
            crate::tx::Open::Sqlite(session) => {
                session.change_search(Change { index, key, words: None })
            }
            crate::tx::Open::Postgres(_) => {
                let sql = format!("delete from search_{index} where instance_id = $1 and key = $2");
                self.execute(&sql, vec![Value::Text(instance), Value::Int(key)]).await
            }
        }
    }

    fn search_instance(&self, index: &str) -> Result<String> {
        let text = || Error::Unit(format!("an entry of {index} outside an instance"));
        self.instance().map(str::to_owned).ok_or_else(|| self.fail(text()))
    }
}

/// The table to ask on SQLite, and what to ask it for.
pub(crate) fn query(index: &str, instance: &str, needle: &str) -> (String, String) {
    if needle.chars().nth(2).is_some() {
        (format!("search_{index}"), format!("\"{}\"", long_words(instance, needle)))
    } else {
        let mut word = mark(instance);
        for letter in needle.chars() {
            push_letter(&mut word, letter);
        }
        (format!("search_{index}_short"), format!("\"{word}\""))
    }
}

/// Each three letters, in their order.
fn long_words(instance: &str, text: &str) -> String {
    grams(&mark(instance), text, 3).collect::<Vec<_>>().join(" ")
}

/// Each letter and each pair, once.
fn short_words(instance: &str, text: &str) -> String {
    let mark = mark(instance);
    let words: BTreeSet<_> = grams(&mark, text, 1).chain(grams(&mark, text, 2)).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn grams(mark: &str, text: &str, width: usize) -> impl Iterator<Item = String> {
    let letters: Vec<_> = text.chars().collect();
    let words: Vec<_> = letters
        .windows(width)
        .map(|gram| {
            let mut word = mark.to_owned();
            for letter in gram {
                push_letter(&mut word, *letter);
            }
            word
        })
        .collect();
    words.into_iter()
}

/// Six letters for the instance. Two may share them by chance: they then share the work of a
/// search, not its rows, which the table's own condition keeps apart.
fn mark(instance: &str) -> String {
    let mut hash = instance.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 32;
    let digit = |place: u32| u32::try_from((hash >> (place * 5)) & 31).unwrap_or_default();
    (0..6).filter_map(|place| char::from_digit(digit(place), 32)).collect()
}

/// Writes a letter so that the tokenizer takes it for one, and no two are written alike: what is
/// not a small letter, a digit or beyond ASCII moves to the private use area, and what was there
/// already is told by a letter before it.
fn push_letter(word: &mut String, letter: char) {
    match letter {
        'a'..='z' | '0'..='9' => word.push(letter),
        '\0'..='\u{7f}' => {
            word.extend(char::from_u32(0xe000 + u32::from(letter)));
        }
        '\u{e000}'..='\u{e0ff}' => word.extend(['\u{e0ff}', letter]),
        _ => word.push(letter),
    }
}

/// Replaces each line `create search index NAME;` of a migration by what the engine needs.
pub(crate) fn expand(sql: &str, engine: EngineKind, trigrams: Trigrams) -> String {
    let lines = sql.lines().map(|line| {
        match line.trim().strip_prefix(CREATE).and_then(|rest| rest.strip_suffix(';')) {
            Some(index) if engine == EngineKind::Sqlite => tables_sqlite(index.trim()),
            Some(index) => tables_postgres(index.trim(), trigrams),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What the server can index texts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigrams {
    /// Nothing: searches walk from the newest text to the oldest.
    None,
    /// The texts of all instances together.
    Together,
    /// Each instance for itself.
    Apart,
}

/// True if the script makes a search index.
pub(crate) fn has_index(sql: &str) -> bool {
    sql.lines().any(|line| line.trim().starts_with(CREATE))
}

fn tables_sqlite(index: &str) -> String {
    let table = |suffix: &str, detail: &str| {
        format!(
            "create virtual table search_{index}{suffix} using fts5 (words, content = '',
             contentless_delete = 1, detail = {detail}, tokenize = 'ascii');"
        )
    };
    format!(
        "{}\n{}\ninsert into search_indexes (name) values ('{index}');",
        table("", "full"),
        table("_short", "none")
    )
}

fn tables_postgres(index: &str, trigrams: Trigrams) -> String {
    let table = format!(
        "create table search_{index} (instance_id text not null, key bigint not null,
         words text not null, primary key (instance_id, key));"
    );
    match trigrams {
        Trigrams::None => table,
        Trigrams::Together => format!(
            "{table}\ncreate index search_{index}_text on search_{index} using gin (words gin_trgm_ops);"
        ),
        Trigrams::Apart => format!(
            "{table}\ncreate index search_{index}_text on search_{index}
             using gin (instance_id, words gin_trgm_ops);"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::push_letter;

    #[test]
    fn no_two_letters_are_written_alike() {
        let mut seen = HashSet::new();
        for letter in (0..0x11_0000).filter_map(char::from_u32) {
            let mut word = String::new();
            push_letter(&mut word, letter);
            assert!(seen.insert(word), "{letter:?}");
        }
    }
}
