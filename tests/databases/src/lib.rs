//! Every story is told twice: on SQLite and on PostgreSQL, each time on a fresh, migrated database.
//!
//! ```ignore
//! both! {
//!     /// What it protects.
//!     async fn renaming_a_company_keeps_its_contacts(world: World) { … world.db … }
//! }
//! ```
//!
//! PostgreSQL is taken from `NEXUS_TEST_POSTGRES`, or `postgres://postgres@127.0.0.1:5432/postgres`; each test gets a
//! schema of its own. Where none answers, those tests are skipped and that is said once; with `CI` set they fail.

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "this crate serves tests only")]

mod servers;

pub use servers::{Databases, with_databases};

use std::future::Future;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_db::{Db, Dialect, Options};
use secrecy::ExposeSecret as _;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// A database of a test's own.
#[derive(Clone, Debug)]
pub struct World {
    /// Open and migrated.
    pub db: Db,
    /// Its address, for a second connection or a server.
    pub url: DatabaseUrl,
    /// Its time; it stands still until the test moves it.
    pub clock: Clock,
}

impl World {
    /// Runs a script past Nexus, as somebody at the database does.
    pub async fn run(&self, script: &str) {
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(&format!("sqlite://{path}")).await.expect("the file");
                script.execute(&mut connection).await.expect("the script runs");
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(url.expose_secret()).await.expect("the schema");
                script.execute(&mut connection).await.expect("the script runs");
            }
        }
    }
}

/// Pool sizes for tests.
#[must_use]
pub const fn options() -> Options {
    Options { max_connections: 4, acquire_timeout: Duration::from_secs(20), busy_timeout: Duration::from_secs(20) }
}

/// Writes one story for both databases.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {
        $(mod $name {
            use super::*;
            async fn story($world: $crate::World) $body
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            $(#[$meta])*
            async fn sqlite() {
                $crate::on_sqlite(story).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            $(#[$meta])*
            async fn postgres() {
                $crate::on_postgres(story).await;
            }
        })+
    };
}

/// Tells a story that makes many worlds, and so takes the database instead of one, on both.
#[macro_export]
macro_rules! each {
    ($($name:ident: $story:ident;)+) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$story(nexus_db::Dialect::Sqlite).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$story(nexus_db::Dialect::Postgres).await;
            }
        })+
    };
}

/// Runs one of the two, for properties that make many worlds.
pub async fn on<F, Fut>(dialect: Dialect, story: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    match dialect {
        Dialect::Sqlite => on_sqlite(story).await,
        Dialect::Postgres => on_postgres(story).await,
    }
}

/// The instant at which every test's clock starts.
#[must_use]
pub fn start() -> jiff::Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a valid instant")
}

/// A story on a new SQLite file.
pub async fn on_sqlite<F, Fut>(story: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    on_older_sqlite("", story).await;
}

/// A story on an SQLite file that was made by the first version of the tables and filled by this script.
pub async fn on_older_sqlite<F, Fut>(script: &'static str, story: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("nexus.db").display().to_string();
    if !script.is_empty() {
        let address = format!("sqlite://{path}?mode=rwc");
        let mut connection = SqliteConnection::connect(&address).await.expect("a new SQLite file");
        first_tables("sqlite").await.run(&mut connection).await.expect("the first tables");
        sqlx::raw_sql(script).execute(&mut connection).await.expect("the script runs");
        connection.close().await.expect("the file is closed");
    }
    let url = DatabaseUrl::Sqlite(path);
    let clock = Clock::fixed(start());
    let db = Db::open(&url, options(), clock.clone()).await.expect("a new SQLite database");
    story(World { db: db.clone(), url, clock }).await;
    db.close().await;
}

/// The migrations of a database up to the first.
async fn first_tables(database: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database);
    let mut all = Migrator::new(folder).await.expect("the migrations can be read");
    all.migrations.to_mut().truncate(1);
    all
}

/// A story in a new PostgreSQL schema.
pub async fn on_postgres<F, Fut>(story: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    on_older_postgres("", story).await;
}

/// A story in a PostgreSQL schema that was made by the first version of the tables and filled by this script.
pub async fn on_older_postgres<F, Fut>(script: &'static str, story: F)
where
    F: FnOnce(World) -> Fut,
    Fut: Future<Output = ()>,
{
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some((server, mut admin)) = connect().await else { return };
    let schema = format!("nexus_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let fresh = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
    sqlx::raw_sql(AssertSqlSafe(fresh)).execute(&mut admin).await.expect("a new schema");
    let separator = if server.contains('?') { '&' } else { '?' };
    let address = format!("{server}{separator}options=-csearch_path%3D{schema}");
    if !script.is_empty() {
        let mut connection = PgConnection::connect(&address).await.expect("the new schema");
        first_tables("postgres").await.run(&mut connection).await.expect("the first tables");
        sqlx::raw_sql(script).execute(&mut connection).await.expect("the script runs");
    }
    let url = DatabaseUrl::Postgres(address.into());
    let clock = Clock::fixed(start());
    let db = Db::open(&url, options(), clock.clone()).await.expect("a new PostgreSQL schema");
    let told = AssertUnwindSafe(story(World { db: db.clone(), url, clock })).catch_unwind().await;
    db.close().await;
    let drop = format!("DROP SCHEMA {schema} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await.expect("the schema goes");
    if let Err(panic) = told {
        resume_unwind(panic);
    }
}

#[expect(clippy::disallowed_methods, reason = "which database the tests use is said by the environment alone")]
async fn connect() -> Option<(String, PgConnection)> {
    let server = std::env::var("NEXUS_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    match PgConnection::connect(&server).await {
        Ok(connection) => Some((server, connection)),
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "CI tests both databases, and PostgreSQL does not answer: {error}");
            say_once();
            None
        }
    }
}

/// Says what is skipped, once for all test binaries that one `cargo test` starts.
fn say_once() {
    let parent = std::os::unix::process::parent_id();
    let marker = std::env::temp_dir().join(format!("nexus-tests-without-postgres-{parent}"));
    if std::fs::OpenOptions::new().write(true).create_new(true).open(marker).is_ok() {
        // Straight to the stream: what a passing test prints by macro is swallowed.
        let _ = writeln!(
            std::io::stderr(),
            "\nPostgreSQL does not answer: every test named `postgres` is SKIPPED. Start one at 127.0.0.1:5432, or set \
             NEXUS_TEST_POSTGRES=postgres://user@host/database, to run the whole suite.\n"
        );
    }
}
