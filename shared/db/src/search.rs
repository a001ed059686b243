//! Words in records: what is kept of a record to be searched, and the SQL that looks for it.
//!
//! Every record keeps its texts in one column, in small letters. Three letters or more are found by an index (FTS5's
//! trigrams in SQLite, `pg_trgm` in PostgreSQL); fewer are looked for in every record.

use std::cmp::Reverse;

use nexus_core::entity::{Entity, Kind};
use nexus_core::{Fields, phone};
use serde_json::Value;

use crate::query::Batch;
use crate::{Dialect, Query};

/// Longer words are cut: no text of a record is found by more.
const LONGEST: usize = 200;
/// More words narrow nothing any more.
const MOST: usize = 16;
/// Parts of a word that the index is asked for; each costs the reading of its list.
const PARTS: usize = 3;

/// The texts of a record in small letters, one on a line; of telephone numbers the digits alone, too.
pub(crate) fn text(entity: Entity, fields: &Fields) -> String {
    let mut text = String::new();
    let mut add = |part: &str| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    };
    for field in entity.fields().iter().filter(|field| field.is_column()) {
        match (field.kind, fields.get(field.name)) {
            (Kind::Text(_) | Kind::AccountNumber | Kind::Email, Some(Value::String(value))) => {
                add(&value.to_lowercase());
                if is_phone(field.name) {
                    add(&phone::digits(value));
                }
            }
            (Kind::TextList, Some(Value::Array(items))) => {
                items.iter().filter_map(Value::as_str).for_each(|item| add(&item.to_lowercase()));
            }
            _ => {}
        }
    }
    text
}

fn is_phone(field: &str) -> bool {
    field.ends_with("phone_number") || field == "company_main_number"
}

/// What somebody looks for: words that must all be there, in any order, or a telephone number however it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    words: Vec<String>,
    phone: Option<String>,
}

impl Words {
    /// The words of a text; none when it has none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_lowercase();
        let words: Vec<String> =
            lower.split_whitespace().take(MOST).map(|word| word.chars().take(LONGEST).collect()).collect();
        let phone = phone::key(&lower);
        (!words.is_empty()).then_some(Self { words, phone })
    }

    /// Adds the condition that a live record of `entity`, table alias `t`, holds the words.
    #[must_use]
    pub fn condition(&self, entity: Entity, dialect: Dialect, query: Query) -> Query {
        let phone = self.phone.as_deref().filter(|_| entity.fields().iter().any(|field| is_phone(field.name)));
        let query = all(&self.words, entity, dialect, query.push("("));
        let query = match phone {
            Some(digits) => all(&[digits.to_owned()], entity, dialect, query.push(" OR ")),
            None => query,
        };
        query.push(")")
    }

    /// The same of an archived record. No index holds those.
    #[must_use]
    pub fn condition_of_archived(&self, entity: Entity, query: Query) -> Query {
        // PostgreSQL's condition names no index, and SQLite understands it.
        self.condition(entity, Dialect::Postgres, query)
    }
}

/// Kinds with an index of their words in SQLite; the others are few.
const INDEXED: [Entity; 4] = [Entity::Company, Entity::Location, Entity::Contact, Entity::Asset];
/// Changed records that wait to be put into the index together.
const TOGETHER: i64 = 250;

fn all(words: &[String], entity: Entity, dialect: Dialect, mut query: Query) -> Query {
    let mut and = "";
    if dialect == Dialect::Sqlite && INDEXED.contains(&entity) {
        let parts: Vec<String> = words.iter().flat_map(|word| trigrams(word)).collect();
        if !parts.is_empty() {
            let table = entity.table();
            query = query
                .push(&format!("t.id IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH "))
                .arg(parts.join(" AND "))
                .push(&format!(" UNION ALL SELECT id FROM {table}_unsearched)"));
            and = " AND ";
        }
    }
    // The index says where it is worth looking: it knows parts of words, and the words of a while ago.
    for word in words {
        query = query.push(and).push("t.search LIKE ").arg(format!("%{}%", literal(word))).push(" ESCAPE '\\'");
        and = " AND ";
    }
    query
}

/// A text as a part of a pattern of `LIKE … ESCAPE '\'` that stands for nothing but itself.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// Parts of three letters of a word, as FTS5 asks for them; none for a shorter word. The rarest narrow best: the index reads the
/// whole list of each part's records, and that of a common part is long.
fn trigrams(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let mut parts: Vec<&[char]> = letters.windows(3).collect();
    parts.sort_by_key(|part| (Reverse(rarity(part)), *part));
    parts.dedup();
    parts.truncate(PARTS);
    parts.iter().map(|part| format!("\"{}\"", part.iter().collect::<String>().replace('"', "\"\""))).collect()
}

/// How rare letters may be in names, numbers and addresses of devices and people: a guess, which decides how quick a search is, not
/// what it finds.
fn rarity(part: &[char]) -> usize {
    /// From the most frequent to the rarest in English.
    const LETTERS: &str = "etaoinsrhldcumfpgwybvkxjqz";
    let of = |letter: &char| match letter {
        '-' | '.' | ' ' | '_' | '@' => 3,
        '0' => 5,
        '1'..='9' => 16,
        letter => LETTERS.find(*letter).unwrap_or(LETTERS.len()),
    };
    let is_repeated = part.iter().enumerate().any(|(at, letter)| part[..at].contains(letter));
    part.iter().map(of).sum::<usize>().saturating_sub(if is_repeated { 8 } else { 0 })
}

/// Puts what waits into the index, when writing has brought the feed from `before` to `after` and enough waits.
pub(crate) fn catch_up(dialect: Dialect, before: i64, after: i64, batch: &mut Batch) {
    if dialect == Dialect::Sqlite && before / TOGETHER != after / TOGETHER {
        catch_up_now(batch);
    }
}

/// Puts what waits into the index of SQLite.
pub(crate) fn catch_up_now(batch: &mut Batch) {
    for table in INDEXED.map(Entity::table) {
        batch.push(Query::new(format!(
            "INSERT INTO {table}_search ({table}_search, rowid, search) \
             SELECT 'delete', id, old FROM {table}_unsearched WHERE old IS NOT NULL"
        )));
        batch.push(Query::new(format!(
            "INSERT INTO {table}_search (rowid, search) \
             SELECT t.id, t.search FROM {table}_unsearched n JOIN {table} t ON t.id = n.id WHERE t.archived_at IS NULL"
        )));
        batch.push(Query::new(format!("DELETE FROM {table}_unsearched")));
    }
}

#[cfg(test)]
mod tests {
    use super::trigrams;

    #[test]
    fn the_index_is_asked_for_the_rarest_parts_of_a_word() {
        assert_eq!(trigrams("ab"), Vec::<String>::new());
        assert_eq!(trigrams("é12"), ["\"é12\""]);
        assert_eq!(trigrams("a\"bc"), ["\"\"\"bc\"", "\"a\"\"b\""]);
        assert_eq!(trigrams("aaaaaa"), ["\"aaa\""]);
        let parts = trigrams("desktop-7qx40z2");
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.contains(['q', 'x', 'z'])), "{parts:?}");
    }
}
