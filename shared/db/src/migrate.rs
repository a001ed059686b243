//! The tables of this version.

use crate::pool::Pool;
use crate::{Db, Error, Result};

pub(crate) async fn run(db: &Db) -> Result<()> {
    match &db.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite { write, .. } => sqlx::migrate!("../../migrations/sqlite").run(write).await,
        // sqlx holds an advisory lock meanwhile, so that functions that start together do not migrate together.
        #[cfg(feature = "postgres")]
        Pool::Postgres(pool) => sqlx::migrate!("../../migrations/postgres").run(pool).await,
    }
    .map_err(Error::Migration)
}
