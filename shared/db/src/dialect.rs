//! Where the two databases use different words for the same thing.

/// The database that is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.51 or newer (it comes with Nexus).
    Sqlite,
    /// PostgreSQL 14 or newer.
    Postgres,
}

impl Dialect {
    /// The word of `/healthz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// A table `x` with one row per element of the JSON array in parameter `$n`; the element is `x.value`, and
    /// `x.value->>'key'` is a member of it as text.
    #[must_use]
    pub fn each(self, n: usize) -> String {
        match self {
            // As JSONB: each member that is asked for would parse the element's text again.
            Self::Sqlite => format!("jsonb_each(${n}) AS x"),
            Self::Postgres => format!("jsonb_array_elements(${n}) AS x(value)"),
        }
    }

    /// `FROM` and `ORDER BY` of the rows of `table` whose `column` is in the JSON array in parameter `$n`, in the array's
    /// order.
    #[must_use]
    pub fn in_order(self, n: usize, table: &str, column: &str) -> (String, &'static str) {
        match self {
            // And so the array's order; to sort would copy every row.
            Self::Sqlite => (format!("json_each(${n}) AS x {} {table} ON {column} = x.value", self.join_after()), ""),
            Self::Postgres => (
                format!(
                    "jsonb_array_elements(${n}) WITH ORDINALITY AS x(value, key) \
                     JOIN {table} ON {column} = CAST(x.value AS BIGINT)"
                ),
                " ORDER BY x.key",
            ),
        }
    }

    /// `JOIN` of a table that is read after what stands before it, row by row: PostgreSQL finds that out, SQLite must be told.
    #[must_use]
    pub const fn join_after(self) -> &'static str {
        match self {
            Self::Sqlite => "CROSS JOIN",
            Self::Postgres => "JOIN",
        }
    }

    /// A JSON object of `(key, expression)` pairs.
    #[must_use]
    pub fn object<'a>(self, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
        let pairs: Vec<String> = pairs.into_iter().map(|(key, value)| format!("'{key}', {value}")).collect();
        match self {
            Self::Sqlite => format!("json_object({})", pairs.join(", ")),
            Self::Postgres => format!("json_build_object({})", pairs.join(", ")),
        }
    }

    /// A JSON expression as text, as it is sent.
    #[must_use]
    pub fn text(self, json: &str) -> String {
        match self {
            Self::Sqlite => json.to_owned(),
            Self::Postgres => format!("({json})::text"),
        }
    }

    /// A BOOLEAN column as JSON true or false; SQLite keeps them as 1 and 0.
    #[must_use]
    pub fn boolean(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json(iif({column}, 'true', 'false'))"),
            Self::Postgres => column.to_owned(),
        }
    }

    /// The same, of a column that may be null.
    #[must_use]
    pub fn nullable_boolean(self, column: &str, required: bool) -> String {
        match self {
            Self::Sqlite if !required => {
                format!("json(CASE WHEN {column} THEN 'true' WHEN {column} IS NULL THEN 'null' ELSE 'false' END)")
            }
            _ => self.boolean(column),
        }
    }

    /// A column whose text is JSON, as that JSON.
    #[must_use]
    pub fn parsed(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json({column})"),
            Self::Postgres => format!("CAST({column} AS JSON)"),
        }
    }

    /// A table `alias` with one row per text of a column that holds a JSON array of texts; the text is `alias.value`.
    #[must_use]
    pub fn elements(self, column: &str, alias: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}) AS {alias}"),
            Self::Postgres => format!("jsonb_array_elements_text(CAST({column} AS JSONB)) AS {alias}(value)"),
        }
    }

    /// A JSON array of what a subquery `SELECT {value} {from} ORDER BY {order}` yields; empty when it yields nothing.
    #[must_use]
    pub fn array(self, value: &str, from: &str, order: &str) -> String {
        match self {
            Self::Sqlite => format!("json((SELECT json_group_array({value} ORDER BY {order}) {from}))"),
            Self::Postgres => format!("(SELECT coalesce(json_agg({value} ORDER BY {order}), '[]'::json) {from})"),
        }
    }

    /// A JSON object of what a subquery `SELECT {key}, {value} {from}` yields; the key is text. Empty when it yields
    /// nothing.
    #[must_use]
    pub fn object_of(self, key: &str, value: &str, from: &str) -> String {
        match self {
            Self::Sqlite => format!("json((SELECT json_group_object({key}, {value}) {from}))"),
            Self::Postgres => format!("(SELECT coalesce(json_object_agg({key}, {value}), '{{}}'::json) {from})"),
        }
    }

    /// Texts that are JSON already, joined by commas, of an ordered subquery with a column `body`.
    #[must_use]
    pub fn joined(self, subquery: &str) -> String {
        let (open, close) = self.list();
        format!("({open}{subquery}{close})")
    }

    /// What stands before and after an ordered subquery with one column `body` to make it one text: the inside of a JSON
    /// array.
    #[must_use]
    pub fn list(self) -> (String, &'static str) {
        (format!("SELECT {} FROM (", self.join("body")), ") AS r")
    }

    /// The texts of a column, joined by commas; empty when there are none.
    #[must_use]
    pub fn join(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("coalesce(group_concat({column}, ','), '')"),
            Self::Postgres => format!("coalesce(string_agg({column}, ','), '')"),
        }
    }
}
