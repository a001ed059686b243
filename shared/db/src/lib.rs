//! The store of Nexus: SQLite and PostgreSQL behind one face, with one SQL text for both.
//!
//! - [`Db`] is the pool, [`Tx`] a transaction; [`Db::read`] gives a consistent snapshot, [`Db::write`] the right to write.
//! - [`Query`] is a text with its arguments. Both databases are asked with `$1` placeholders; where their functions have
//!   different names, [`Dialect`] says them.
//! - [`changes`] is the one door for writes of directory records: nobody else runs INSERT, UPDATE or DELETE on one.
//!
//! What does not belong here: HTTP, pages, and the reads of a single route group, which stand in that group's `store`.

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("nexus-db needs the feature `sqlite`, `postgres` or both");

pub mod accounts;
pub mod bodies;
pub mod changes;
mod dialect;
mod error;
pub mod jobs;
pub mod keys;
pub mod logins;
mod pool;
mod query;
pub mod records;
pub mod refusals;
pub mod requests;
pub mod runs;
pub mod scope;
pub mod search;
pub mod sources;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tx;

pub use dialect::Dialect;
pub use error::Error;
pub use pool::{Db, Options};
pub use query::{Arg, Query, Row};
pub use tx::Tx;

/// What the functions of this crate give back.
pub type Result<T> = std::result::Result<T, Error>;
