//! SQLite: its connections, and a transaction that spares its thread.
//!
//! Each connection has a thread of its own, and a way there and back costs more than most statements. So nothing is asked
//! that need not be: a file does not hang up, hence no connection is tried before and after its use as sqlx's pool does,
//! and statements whose results nobody asks for travel with the next that is asked, or with the commit.

use std::str::FromStr as _;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleResult};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::pool::Options;
use crate::query::{Batch, Query, Row};
use crate::tx::{all_sqlite, execute_sqlite, optional_sqlite};
use crate::{Error, Result};

/// Opens connections to one file.
#[derive(Debug)]
pub(crate) struct File(SqliteConnectOptions);

impl managed::Manager for File {
    type Type = SqliteConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<SqliteConnection> {
        self.0.connect().await
    }

    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<sqlx::Error> {
        Ok(())
    }
}

/// Connections that are shared. One that failed is closed and not used again.
#[derive(Clone, Debug)]
pub(crate) struct Connections(managed::Pool<File>);

impl Connections {
    fn new(connect: SqliteConnectOptions, most: u32, options: Options) -> Result<Self> {
        managed::Pool::builder(File(connect))
            .max_size(usize::try_from(most).unwrap_or(usize::MAX))
            // The one that was used last has most of what is asked next in its memory.
            .queue_mode(managed::QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(options.acquire_timeout))
            .build()
            .map(Self)
            .map_err(|_| Error::Unavailable(sqlx::Error::PoolClosed))
    }

    pub(crate) async fn get(&self) -> Result<Object<File>> {
        self.0.get().await.map_err(|error| {
            Error::from(match error {
                PoolError::Backend(error) => error,
                PoolError::Closed => sqlx::Error::PoolClosed,
                _ => sqlx::Error::PoolTimedOut,
            })
        })
    }

    pub(crate) async fn all<T: Row>(&self, query: Query) -> Result<Vec<T>> {
        let mut connection = self.get().await?;
        let all = all_sqlite(&mut *connection, query).await;
        kept_if_well(connection, all)
    }

    pub(crate) async fn optional<T: Row>(&self, query: Query) -> Result<Option<T>> {
        let mut connection = self.get().await?;
        let one = optional_sqlite(&mut *connection, query).await;
        kept_if_well(connection, one)
    }

    /// Closes every connection, each after what it does.
    pub(crate) async fn close(&self) {
        // None are opened any more; those in use are waited for.
        self.0.resize(self.0.status().size);
        while self.0.status().size > 0
            && let Ok(connection) = self.0.get().await
        {
            let _ = Object::take(connection).close().await;
        }
        self.0.close();
    }
}

fn kept_if_well<T>(connection: Object<File>, result: Result<T>) -> Result<T> {
    if result.is_err() {
        drop(Object::take(connection));
    }
    result
}

/// The connections to a file that is made if it is not there: many that read, one that writes.
pub(crate) async fn open(path: &str, options: Options) -> Result<(Connections, Connections)> {
    let connect = SqliteConnectOptions::from_str(&format!("sqlite://{path}"))
        .map_err(|_| Error::Address)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With WAL, NORMAL keeps the database whole after a crash of Nexus; only a power cut can lose the last commits.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .pragma("temp_store", "memory")
        // Pages that are written again and again reach the file once in so many.
        .pragma("wal_autocheckpoint", "4000");
    let write = Connections::new(connect.clone(), 1, options)?;
    let read = Connections::new(connect, options.max_connections, options)?;
    // The writer first: it makes the file and turns on the log that readers then find.
    for connections in [&write, &read] {
        drop(connections.get().await?);
    }
    Ok((read, write))
}

/// A transaction; dropped without [`SqliteTx::commit`], it leaves no trace.
#[derive(Debug)]
pub struct SqliteTx {
    connection: Option<Object<File>>,
    /// What is still to be run before anything else.
    waiting: Batch,
    /// SQLite was told of it.
    begun: bool,
}

impl SqliteTx {
    /// A transaction that begins with this statement, as soon as anything is asked.
    pub(crate) async fn begin(connections: &Connections, begin: &str) -> Result<Self> {
        let mut waiting = Batch::default();
        waiting.push(Query::new(begin));
        Ok(Self { connection: Some(connections.get().await?), waiting, begun: false })
    }

    fn connection(&mut self) -> Result<&mut SqliteConnection> {
        self.begun = true;
        self.connection.as_deref_mut().ok_or(Error::Unavailable(sqlx::Error::PoolClosed))
    }

    /// What waits, with this query after it.
    fn after_waiting(&mut self, query: Query) -> Query {
        let mut batch = std::mem::take(&mut self.waiting);
        batch.push(query);
        batch.into_script()
    }

    pub(crate) async fn all<T: Row>(&mut self, query: Query) -> Result<Vec<T>> {
        let query = self.after_waiting(query);
        all_sqlite(self.connection()?, query).await
    }

    pub(crate) async fn optional<T: Row>(&mut self, query: Query) -> Result<Option<T>> {
        let query = self.after_waiting(query);
        optional_sqlite(self.connection()?, query).await
    }

    /// Runs a statement now: how many rows it touched.
    pub(crate) async fn execute(&mut self, query: Query) -> Result<u64> {
        // SQLite counts for the whole script.
        if !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting).into_script();
            execute_sqlite(self.connection()?, waiting).await?;
        }
        execute_sqlite(self.connection()?, query).await
    }

    /// Runs statements some time before anything that is asked later, or before the commit.
    pub(crate) fn run(&mut self, batch: Batch) {
        self.waiting.append(batch);
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        let script = self.after_waiting(Query::new("COMMIT"));
        execute_sqlite(self.connection()?, script).await?;
        self.begun = false;
        Ok(())
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        if !self.begun {
            return;
        }
        let Some(mut connection) = self.connection.take() else { return };
        // Closing a connection ends its transaction, too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return drop(Object::take(connection)) };
        runtime.spawn(async move {
            let ended = execute_sqlite(&mut *connection, Query::new("ROLLBACK")).await;
            kept_if_well(connection, ended)
        });
    }
}
