//! A transaction, and the running of a [`Query`].

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{Arguments as _, AssertSqlSafe, Executor, FromRow, IntoArguments as _};

use crate::query::{Arg, Batch, Query, Row};
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteTx;
use crate::{Dialect, Error, Result};

/// A transaction; dropped without [`Tx::commit`], it leaves no trace.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteTx),
    /// On PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, Postgres>),
}

macro_rules! runners {
    ($database:ident, $arguments:ident, $all:ident, $optional:ident, $execute:ident, $args:ident) => {
        fn $args(args: Vec<Arg>) -> Result<$arguments> {
            let mut into = $arguments::default();
            for arg in args {
                match arg {
                    Arg::Text(value) => into.add(value),
                    Arg::Int(value) => into.add(value),
                    Arg::Bool(value) => into.add(value),
                    Arg::Json(value) => into.add(sqlx::types::Json(value)),
                }
                .map_err(|error| Error::Driver(sqlx::Error::Encode(error)))?;
            }
            Ok(into)
        }

        pub(crate) async fn $all<'c, E, T>(executor: E, query: Query) -> Result<Vec<T>>
        where
            E: Executor<'c, Database = $database>,
            T: for<'r> FromRow<'r, <$database as sqlx::Database>::Row> + Send + Unpin,
        {
            // The text of a query is made of constants; every value is an argument (see `Query`).
            let sql = AssertSqlSafe(query.sql);
            Ok(sqlx::query_as_with(sql, $args(query.args)?.into_arguments()).fetch_all(executor).await?)
        }

        pub(crate) async fn $optional<'c, E, T>(executor: E, query: Query) -> Result<Option<T>>
        where
            E: Executor<'c, Database = $database>,
            T: for<'r> FromRow<'r, <$database as sqlx::Database>::Row> + Send + Unpin,
        {
            let sql = AssertSqlSafe(query.sql);
            Ok(sqlx::query_as_with(sql, $args(query.args)?.into_arguments()).fetch_optional(executor).await?)
        }

        pub(crate) async fn $execute<'c, E>(executor: E, query: Query) -> Result<u64>
        where
            E: Executor<'c, Database = $database>,
        {
            let sql = AssertSqlSafe(query.sql);
            Ok(sqlx::query_with(sql, $args(query.args)?.into_arguments()).execute(executor).await?.rows_affected())
        }
    };
}

#[cfg(feature = "sqlite")]
runners!(Sqlite, SqliteArguments, all_sqlite, optional_sqlite, execute_sqlite, args_sqlite);
#[cfg(feature = "postgres")]
runners!(Postgres, PgArguments, all_postgres, optional_postgres, execute_postgres, args_postgres);

impl Tx {
    /// Which database it is on.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// All rows of a query.
    pub async fn all<T: Row>(&mut self, query: Query) -> Result<Vec<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.all(query).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => all_postgres(&mut **tx, query).await,
        }
    }

    /// The row of a query, if there is one.
    pub async fn optional<T: Row>(&mut self, query: Query) -> Result<Option<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.optional(query).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => optional_postgres(&mut **tx, query).await,
        }
    }

    /// The row of a query that always has one.
    pub async fn one<T: Row>(&mut self, query: Query) -> Result<T> {
        self.optional(query).await?.ok_or(Error::Driver(sqlx::Error::RowNotFound))
    }

    /// Runs a statement; the number of rows it touched. Within this crate only: writes of directory records go
    /// through [`crate::changes`].
    pub(crate) async fn execute(&mut self, query: Query) -> Result<u64> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.execute(query).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => execute_postgres(&mut **tx, query).await,
        }
    }

    /// Runs statements one after the other. What goes wrong may be told only by what is asked later, or by the commit.
    pub(crate) async fn run(&mut self, batch: Batch) -> Result<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.run(batch),
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => {
                for query in batch.into_queries() {
                    execute_postgres(&mut **tx, query).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes everything since the beginning lasting.
    pub async fn commit(self) -> Result<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(tx) => tx.commit().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
