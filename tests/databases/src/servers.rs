//! PostgreSQL databases for other processes, which are told an address and know nothing of the test.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::connect;

/// Databases of a test's own, by names of its own; they go with it.
#[derive(Clone, Debug)]
pub struct Databases {
    server: String,
    prefix: String,
}

/// A story with databases of its own. Skipped where no PostgreSQL answers.
pub async fn with_databases<F, Fut>(story: F)
where
    F: FnOnce(Databases) -> Fut,
    Fut: Future<Output = ()>,
{
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some((server, _)) = connect().await else { return };
    let prefix = format!("nexus_test_{}_{}_", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let databases = Databases { server, prefix };
    let told = AssertUnwindSafe(story(databases.clone())).catch_unwind().await;
    databases.remove("").await;
    if let Err(panic) = told {
        resume_unwind(panic);
    }
}

impl Databases {
    /// Makes an empty database; its address.
    pub async fn create(&self, name: &str) -> String {
        self.execute(&format!("CREATE DATABASE {}{name}", self.prefix)).await;
        self.url(name)
    }

    /// Makes a database with all that is in another, which nobody may have open; its address.
    pub async fn copy(&self, from: &str, name: &str) -> String {
        self.deserted(from).await;
        self.execute(&format!("CREATE DATABASE {prefix}{name} TEMPLATE {prefix}{from}", prefix = self.prefix)).await;
        self.url(name)
    }

    /// Waits until nobody has a database open: the server may still be busy with the last wish of a process that is gone.
    pub async fn deserted(&self, name: &str) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
        let mut admin = self.admin().await;
        while sqlx::query_scalar::<_, i64>(sql)
            .bind(format!("{}{name}", self.prefix))
            .fetch_one(&mut admin)
            .await
            .expect("the server says who is there")
            > 0
        {
            tokio::task::yield_now().await;
        }
    }

    /// Removes the databases whose names begin so.
    pub async fn remove(&self, names: &str) {
        let sql = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
        let names: Vec<String> = sqlx::query_scalar(sql)
            .bind(format!("{}{names}", self.prefix))
            .fetch_all(&mut self.admin().await)
            .await
            .expect("the server says what is there");
        for name in names {
            self.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    async fn execute(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.admin().await).await.expect(sql);
    }

    async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.server).await.expect("the server answers")
    }

    fn url(&self, name: &str) -> String {
        let (server, options) = self.server.split_at(self.server.find('?').unwrap_or(self.server.len()));
        let (server, _) = server.rsplit_once('/').expect("an address that names a database");
        format!("{server}/{}{name}{options}", self.prefix)
    }
}
