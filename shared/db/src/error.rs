//! What can go wrong between Nexus and its database.

use thiserror::Error;

/// An error of the store. The texts name tables and constraints, never values.
#[derive(Debug, Error)]
pub enum Error {
    /// A unique index or a foreign key refused a row; the change that would break it was not made.
    #[error("the database refused a row: {constraint}")]
    Conflict {
        /// The constraint or index, as the database names it.
        constraint: String,
    },
    /// A text holds the character 0, which PostgreSQL does not keep.
    #[error("a text holds the character 0")]
    Unstorable,
    /// The database cannot be reached, or has no free connection within the time-out.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A stored value is not what its column promises.
    #[error("{table}.{column} holds a value that cannot be read")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// The address names no database that Nexus knows.
    #[error("expected a database address such as sqlite:///var/lib/nexus/nexus.db or postgres://user@host/nexus")]
    Address,
    /// The database was made by a newer Nexus, or its migrations were changed.
    #[error("the database cannot be brought to this version of Nexus: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database lacks tables that this Nexus knows.
    #[error("the database is older than this Nexus: run the function `setup` first, which brings it to this version")]
    Behind,
    /// Anything else that the driver tells.
    #[error("the database failed: {0}")]
    Driver(#[source] sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(ref told)
                if told.is_unique_violation() || told.is_foreign_key_violation() || told.is_check_violation() =>
            {
                let constraint = told.constraint().map_or_else(|| told.message().to_owned(), str::to_owned);
                Self::Conflict { constraint }
            }
            // character_not_in_repertoire and untranslatable_character (PostgreSQL, Appendix A).
            sqlx::Error::Database(ref told) if told.code().is_some_and(|code| matches!(&*code, "22021" | "22P05")) => {
                Self::Unstorable
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
                Self::Unavailable(error)
            }
            other => Self::Driver(other),
        }
    }
}
