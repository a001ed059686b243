//! A SQL text and its arguments, for whichever database is open.

use std::fmt::Write as _;

/// One argument. The type is told to PostgreSQL, so null has one, too.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// JSONB, or text of JSON in SQLite.
    Json(serde_json::Value),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}
impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}
impl From<Option<String>> for Arg {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}
impl From<Option<&str>> for Arg {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}
impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}
impl From<Option<i64>> for Arg {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}
impl From<bool> for Arg {
    fn from(flag: bool) -> Self {
        Self::Bool(Some(flag))
    }
}
impl From<serde_json::Value> for Arg {
    fn from(value: serde_json::Value) -> Self {
        Self::Json(value)
    }
}

/// A SQL text with `$1`, `$2` … and the arguments for them, in that order. Values go in by [`Query::bind`] and
/// [`Query::arg`] alone; the text is made of constants.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) sql: String,
    pub(crate) args: Vec<Arg>,
}

impl Query {
    /// A query of that text.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), args: Vec::new() }
    }

    /// How many arguments it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether it has no argument.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// Puts text without placeholders before what there is.
    #[must_use]
    pub fn before(mut self, sql: &str) -> Self {
        self.sql.insert_str(0, sql);
        self
    }

    /// The next argument, for a placeholder that the text has.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Arg>) -> Self {
        self.args.push(value.into());
        self
    }

    /// More text.
    #[must_use]
    pub fn push(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// More text: the placeholder of a further argument.
    #[must_use]
    pub fn arg(mut self, value: impl Into<Arg>) -> Self {
        self.args.push(value.into());
        let _ = write!(self.sql, "${}", self.args.len());
        self
    }
}

/// Statements that are run one after the other, whose results nobody asks for.
#[derive(Debug, Default)]
pub(crate) struct Batch(Vec<Query>);

impl Batch {
    pub(crate) fn push(&mut self, query: Query) {
        self.0.push(query);
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    #[cfg(feature = "sqlite")]
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn into_queries(self) -> Vec<Query> {
        self.0
    }

    /// All of them as one text with one list of arguments, which SQLite takes.
    #[cfg(feature = "sqlite")]
    pub(crate) fn into_script(self) -> Query {
        let mut script = Query::new("");
        for query in self.0 {
            if !script.sql.is_empty() {
                script.sql.push_str(";\n");
            }
            renumber(&query.sql, script.args.len(), &mut script.sql);
            script.args.extend(query.args);
        }
        script
    }
}

/// Adds a text whose placeholders begin after the first `by`.
#[cfg(feature = "sqlite")]
fn renumber(sql: &str, by: usize, into: &mut String) {
    let mut parts = sql.split('$');
    into.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse::<usize>() {
            Ok(n) => drop(write!(into, "${}", n + by)),
            Err(_) => into.push('$'),
        }
        into.push_str(&part[digits..]);
    }
}

/// A row that can be read from both databases; derive `sqlx::FromRow`.
#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub trait Row:
    for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin
{
}
#[cfg(all(feature = "sqlite", feature = "postgres"))]
impl<T> Row for T where
    T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
{
}

/// A row that can be read from the database; derive `sqlx::FromRow`.
#[cfg(all(feature = "sqlite", not(feature = "postgres")))]
pub trait Row: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin {}
#[cfg(all(feature = "sqlite", not(feature = "postgres")))]
impl<T> Row for T where T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin {}

/// A row that can be read from the database; derive `sqlx::FromRow`.
#[cfg(all(feature = "postgres", not(feature = "sqlite")))]
pub trait Row: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin {}
#[cfg(all(feature = "postgres", not(feature = "sqlite")))]
impl<T> Row for T where T: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin {}
