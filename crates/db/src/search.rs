//! Substring search: which rows have a text that contains these letters, newest first.
//!
//! A migration that says `create search index NAME;` makes the tables. On PostgreSQL they hold
//! the texts, with trigrams where the server has the extension. On SQLite they hold the texts, and
//! two full-text indexes over words of our own making: the distinct three letters of a text, of
//! which a search intersects the rarest of its needle's and looks into the texts that are left,
//! and the distinct letters and pairs of letters, for needles of one or two. Every word begins
//! with a mark of the instance, so no instance has to walk through another's.

use crate::{EngineKind, Error, Result, Row, Tx, Value, sqlite::Session};

const CREATE: &str = "create search index ";

/// A change of an index that waits for the end of the group of units.
pub(crate) struct Change {
    pub(crate) index: &'static str,
    pub(crate) key: i64,
    /// Nothing to remove the entry.
    pub(crate) entry: Option<Entry>,
}

/// A text, and the words of it.
pub(crate) struct Entry {
    pub(crate) text: String,
    /// For needles of three letters and more.
    pub(crate) long: String,
    /// For those of one or two.
    pub(crate) short: String,
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
                let entry = Some(Entry::new(&instance, text));
                session.change_search(Change { index, key, entry })
            }
            crate::tx::Open::Postgres(_) => {
                let sql = format!(
                    "insert into search_{index} (instance_id, key, words) values ($1, $2, $3)
                     on conflict (instance_id, key) do update set words = excluded.words
                     where search_{index}.words <> excluded.words"
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
                session.change_search(Change { index, key, entry: None })
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

/// How SQLite finds what contains a needle.
pub(crate) struct Query {
    /// The table of words.
    pub(crate) table: String,
    /// What it is asked for.
    pub(crate) words: String,
    /// True if what it finds must be looked into.
    pub(crate) inexact: bool,
}

/// Words a search intersects: what more of them would keep out is found sooner by looking.
const WORDS_MAX: usize = 3;
/// Words whose rarity is looked at.
const WORDS_TRIED: usize = 12;
/// Rarity is how far back this many of the newest entries with a word reach.
const SAMPLE: i64 = 16;

/// Chooses what to ask for.
pub(crate) fn query(session: &Session, index: &str, instance: &str, needle: &str) -> Result<Query> {
    let mark = mark(instance);
    let letters: Vec<_> = needle.chars().collect();
    if letters.len() < 3 {
        let words = format!("\"{}\"", Words::default().add(&mark, &letters).0);
        return Ok(Query { table: format!("search_{index}_short"), words, inexact: false });
    }
    let table = format!("search_{index}");
    let mut grams = distinct(&letters, 3);
    grams.truncate(WORDS_TRIED);
    let mut ranked = Vec::with_capacity(grams.len());
    for gram in grams {
        let word = format!("\"{}\"", Words::default().add(&mark, gram).0);
        let reach = reach(session, &table, &word)?;
        ranked.push((reach.unwrap_or(i64::MIN), word));
        if reach.is_none() {
            // So few that looking into all of them takes less than to choose further.
            ranked.drain(..ranked.len() - 1);
            break;
        }
    }
    ranked.sort();
    let words: Vec<_> = ranked.into_iter().take(WORDS_MAX).map(|(_, word)| word).collect();
    Ok(Query { table, words: words.join(" "), inexact: letters.len() > 3 })
}

/// The key of the last of the newest entries with this word: the less, the rarer the word is.
/// Nothing if there are not as many.
fn reach(session: &Session, table: &str, word: &str) -> Result<Option<i64>> {
    let sql = format!(
        "select rowid from {table} where {table} match $1 order by rowid desc limit 1 offset $2"
    );
    let values = [Value::Text(word.to_owned()), Value::Int(SAMPLE)];
    let mut found = session.rows(&sql, &values)?;
    found.pop().as_mut().map(Row::take).transpose()
}

impl Entry {
    fn new(instance: &str, text: &str) -> Self {
        let mark = mark(instance);
        let letters: Vec<_> = text.chars().collect();
        let words = |widths: &[usize]| {
            let mut words = Words::default();
            for width in widths {
                for gram in distinct(&letters, *width) {
                    words.add(&mark, gram);
                }
            }
            words.0
        };
        Self { text: text.to_owned(), long: words(&[3]), short: words(&[1, 2]) }
    }
}

/// The pieces of this many letters, each once.
fn distinct(letters: &[char], width: usize) -> Vec<&[char]> {
    let mut grams: Vec<_> = letters.windows(width).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Words, one behind the other.
#[derive(Default)]
struct Words(String);

impl Words {
    fn add(&mut self, mark: &str, gram: &[char]) -> &Self {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(mark);
        for letter in gram {
            push_letter(&mut self.0, *letter);
        }
        self
    }
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

/// Merging waits for the upkeep, as long as that keeps pace.
fn tables_sqlite(index: &str) -> String {
    let words = |table: &str| {
        format!(
            "create virtual table {table} using fts5 (words, content = '',
             contentless_delete = 1, detail = none, tokenize = 'ascii');
             insert into {table} ({table}, rank) values ('automerge', 8);
             insert into {table} ({table}, rank) values ('usermerge', 2);"
        )
    };
    format!(
        "create table search_{index}_text (key integer primary key, words text not null);
         {}\n{}\ninsert into search_indexes (name) values ('{index}');",
        words(&format!("search_{index}")),
        words(&format!("search_{index}_short"))
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
