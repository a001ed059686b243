//! The open database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
#[cfg(feature = "postgres")]
use secrecy::ExposeSecret;
#[cfg(feature = "postgres")]
use sqlx::Connection as _;
#[cfg(feature = "postgres")]
use sqlx::migrate::Migrator;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::Notify;

use crate::query::{Query, Row};
#[cfg(feature = "sqlite")]
use crate::sqlite::{self, Connections, SqliteTx};
use crate::tx::Tx;
use crate::{Dialect, Error, Result};

/// After so long without use a connection to PostgreSQL is tried before it is given out.
#[cfg(feature = "postgres")]
const IDLE: Duration = Duration::from_secs(5);

#[cfg(feature = "postgres")]
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Sizes and time-outs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Connections for reading (SQLite) or in all (PostgreSQL).
    pub max_connections: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// How long SQLite waits for another process that writes.
    pub busy_timeout: Duration,
}

impl From<&nexus_core::config::Database> for Options {
    fn from(config: &nexus_core::config::Database) -> Self {
        Self {
            max_connections: config.max_connections,
            acquire_timeout: Duration::from_secs(config.acquire_timeout_seconds.into()),
            busy_timeout: Duration::from_millis(config.busy_timeout_ms.into()),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Pool {
    /// SQLite has one writer at a time: a pool of one connection queues writers fairly, where a busy time-out would
    /// let them race.
    #[cfg(feature = "sqlite")]
    Sqlite { read: Connections, write: Connections },
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

/// The open database, and the clock by which everything written to it is dated. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pool: Pool,
    clock: Clock,
    users_version: Arc<AtomicU64>,
    written: Arc<Notify>,
}

impl Db {
    /// Opens the database and brings it to this version's tables. An SQLite file that is not there is made.
    ///
    /// # Errors
    /// [`Error::Address`] for an address of another kind, [`Error::Unavailable`] when it does not answer,
    /// [`Error::Migration`] when it was made by a newer Nexus.
    pub async fn open(url: &DatabaseUrl, options: Options, clock: Clock) -> Result<Self> {
        let db = Self::to(url, options, clock).await?;
        db.migrate().await?;
        crate::bodies::bring_up(&db).await?;
        Ok(db)
    }

    /// A PostgreSQL that somebody else brings to this version, as the functions of a deployment have it: many of them start at
    /// once, and again and again. Nothing is asked of it before [`Db::meet`].
    ///
    /// # Errors
    /// [`Error::Address`] for an address of another kind.
    #[cfg(feature = "postgres")]
    pub fn deployed(url: &DatabaseUrl, options: Options, clock: Clock) -> Result<Self> {
        let DatabaseUrl::Postgres(url) = url else { return Err(Error::Address) };
        let pool = Pool::Postgres(postgres_pool(url.expose_secret(), options)?);
        Ok(Self { pool, clock, users_version: Arc::default(), written: Arc::default() })
    }

    /// Looks whether the database answers and was brought to this version. A newer one is taken, for it comes before the
    /// functions that know it.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and [`Error::Behind`] when it was not brought to this version.
    #[cfg(feature = "postgres")]
    pub async fn meet(&self) -> Result<()> {
        if self.is_behind().await? { Err(Error::Behind) } else { Ok(()) }
    }

    /// As [`Db::open`], but leaves one that is newer as it is: a deployment that is rolled back has its functions of before, and
    /// they can work with it.
    ///
    /// # Errors
    /// As [`Db::open`].
    #[cfg(feature = "postgres")]
    pub async fn upgrade(url: &DatabaseUrl, options: Options, clock: Clock) -> Result<Self> {
        let db = Self::to(url, options, clock).await?;
        if db.is_behind().await? {
            db.migrate().await?;
        }
        crate::bodies::bring_up(&db).await?;
        Ok(db)
    }

    /// Whether it lacks a migration that this version knows.
    #[cfg(feature = "postgres")]
    async fn is_behind(&self) -> Result<bool> {
        let known = POSTGRES.iter().map(|migration| migration.version).max();
        let applied = Query::new("SELECT max(version) FROM _sqlx_migrations WHERE success");
        let applied = match self.one::<(Option<i64>,)>(applied).await {
            Ok((applied,)) => applied,
            // Without the table nothing was ever applied.
            Err(Error::Driver(sqlx::Error::Database(_))) => None,
            Err(error) => return Err(error),
        };
        Ok(applied < known)
    }

    /// Connections that are made from now on are made with this address, such as one with a newer password.
    ///
    /// # Errors
    /// [`Error::Address`] for an address of another kind.
    #[cfg(feature = "postgres")]
    pub fn readdress(&self, url: &DatabaseUrl) -> Result<()> {
        match (&self.pool, url) {
            (Pool::Postgres(pool), DatabaseUrl::Postgres(url)) => {
                pool.set_connect_options(postgres(url.expose_secret())?);
                Ok(())
            }
            _ => Err(Error::Address),
        }
    }

    async fn to(url: &DatabaseUrl, options: Options, clock: Clock) -> Result<Self> {
        let pool = match url {
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                let (read, write) = sqlite::open(path, options).await?;
                Pool::Sqlite { read, write }
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                let pool = postgres_pool(url.expose_secret(), options)?;
                drop(pool.acquire().await.map_err(Error::Unavailable)?);
                Pool::Postgres(pool)
            }
            #[cfg(not(all(feature = "sqlite", feature = "postgres")))]
            _ => return Err(Error::Address),
        };
        Ok(Self { pool, clock, users_version: Arc::default(), written: Arc::default() })
    }

    /// Brings the tables to this version.
    async fn migrate(&self) -> Result<()> {
        let migrated = match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { write, .. } => sqlx::migrate!("../../migrations/sqlite").run(&mut *write.get().await?).await,
            // sqlx holds an advisory lock meanwhile, so that functions that start together do not migrate together.
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => POSTGRES.run(pool).await,
        };
        migrated.map_err(Error::Migration)
    }

    /// The clock of this database's dates.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present instant in canonical form.
    #[must_use]
    pub fn now(&self) -> String {
        nexus_core::instant::canonical(self.clock.now())
    }

    /// Counts the change sets of this process that touched a user: what was remembered of users before is old.
    #[must_use]
    pub fn users_version(&self) -> u64 {
        self.users_version.load(Ordering::Acquire)
    }

    /// Waits until this process has written to the feed. Take it before the feed is read, so that nothing is missed.
    pub fn written(&self) -> impl Future<Output = ()> + Send + '_ {
        self.written.notified()
    }

    /// A change set is committed: whoever waits for the feed reads again.
    pub(crate) fn committed(&self, touches_users: bool) {
        if touches_users {
            self.users_changed();
        }
        self.written.notify_waiters();
    }

    pub(crate) fn users_changed(&self) {
        self.users_version.fetch_add(1, Ordering::AcqRel);
    }

    /// Which database it is.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { .. } => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    /// A consistent snapshot for several reads.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { read, .. } => Tx::Sqlite(SqliteTx::begin(read, "BEGIN").await?),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => begin_postgres(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
        })
    }

    /// The right to write. SQLite begins immediately as the writer: a transaction that reads first and writes later
    /// would fail when another wrote in between.
    pub async fn write(&self) -> Result<Tx> {
        Ok(match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { write, .. } => Tx::Sqlite(SqliteTx::begin(write, "BEGIN IMMEDIATE").await?),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => begin_postgres(pool, "BEGIN").await?,
        })
    }

    /// Counts the commits that changed anything a reader can see: what is read at one revision is still so at the same.
    pub async fn revision(&self) -> Result<i64> {
        Ok(self.one::<(i64,)>(Query::new("SELECT value FROM sequences WHERE name = 'revision'")).await?.0)
    }

    /// All rows of one query.
    pub async fn all<T: Row>(&self, query: Query) -> Result<Vec<T>> {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { read, .. } => read.all(query).await,
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => crate::tx::all_postgres(pool, query).await,
        }
    }

    /// The row of one query, if there is one.
    pub async fn optional<T: Row>(&self, query: Query) -> Result<Option<T>> {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { read, .. } => read.optional(query).await,
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => crate::tx::optional_postgres(pool, query).await,
        }
    }

    /// The row of one query that always has one, such as a count.
    pub async fn one<T: Row>(&self, query: Query) -> Result<T> {
        self.optional(query).await?.ok_or(Error::Driver(sqlx::Error::RowNotFound))
    }

    /// Closes every connection, after what is under way.
    pub async fn close(&self) {
        match &self.pool {
            #[cfg(feature = "sqlite")]
            Pool::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// Connections that are made when they are needed.
#[cfg(feature = "postgres")]
fn postgres_pool(url: &str, options: Options) -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        // One that was used a moment ago is there; to ask it would double the way of most queries.
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for >= IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(postgres(url)?))
}

/// Begins to the end, even when nobody waits for it any more, as for a client that hung up: a `BEGIN` that is broken off leaves
/// its connection within a transaction of which the pool does not know (sqlx 0.9.0, `PgTransactionManager::begin`), and whoever
/// gets it next would read what was long ago.
#[cfg(feature = "postgres")]
#[expect(clippy::disallowed_methods, reason = "it is waited for")]
async fn begin_postgres(pool: &PgPool, statement: &'static str) -> Result<Tx> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await }).await;
    Ok(Tx::Postgres(begun.map_err(|_| sqlx::Error::WorkerCrashed)??))
}

#[cfg(feature = "postgres")]
fn postgres(url: &str) -> Result<PgConnectOptions> {
    let connect: PgConnectOptions = url.parse().map_err(|_| Error::Address)?;
    Ok(connect.application_name("nexus"))
}
