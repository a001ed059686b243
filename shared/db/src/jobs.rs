//! Jobs: when the timer starts them, and what they want to know of their last run.

use serde_json::Value;
use sqlx::types::Json;

use crate::{Arg, Db, Query, Result, Tx};

/// A job as the database has it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// What it does, for a person.
    pub title: String,
    /// EventBridge schedule expression.
    pub schedule: String,
    /// Whether the timer starts it.
    pub enabled: bool,
    /// When its last run began that was not only to look.
    pub last_started_at: Option<String>,
}

/// The source that a job reads, if it reads one.
#[must_use]
pub fn source_of(job: &str) -> Option<&str> {
    job.strip_prefix("sync-")
}

const JOB: &str = "SELECT j.name, j.title, j.schedule, j.enabled, \
                   (SELECT max(r.started_at) FROM runs r WHERE r.job = j.name AND NOT r.dry_run) AS last_started_at \
                   FROM jobs j";

/// The jobs, by name.
pub async fn list(db: &Db) -> Result<Vec<Job>> {
    db.all(Query::new(JOB).push(" ORDER BY j.name")).await
}

/// A job.
pub async fn find(db: &Db, name: &str) -> Result<Option<Job>> {
    db.optional(Query::new(JOB).push(" WHERE j.name = ").arg(name)).await
}

/// Sets when a job runs, and whether it does; what is not given stays. False when there is no such job.
pub async fn update(db: &Db, name: &str, schedule: Option<&str>, enabled: Option<bool>) -> Result<bool> {
    let mut tx = db.write().await?;
    let query = Query::new(
        "UPDATE jobs SET schedule = coalesce($2, schedule), enabled = coalesce($3, enabled), updated_at = $4 WHERE name = $1",
    );
    let query = query.bind(name).bind(schedule).bind(Arg::Bool(enabled)).bind(db.now());
    let found = tx.execute(query).await? == 1;
    tx.commit().await?;
    Ok(found)
}

pub(crate) async fn is_enabled(tx: &mut Tx, name: &str) -> Result<bool> {
    let query = Query::new("SELECT enabled FROM jobs WHERE name = $1").bind(name);
    Ok(tx.optional::<(bool,)>(query).await?.is_some_and(|(enabled,)| enabled))
}

/// What the job last asked to be kept for it.
pub(crate) async fn kept(tx: &mut Tx, name: &str) -> Result<Option<Value>> {
    let query = Query::new("SELECT kept FROM jobs WHERE name = $1").bind(name);
    Ok(tx.optional::<(Option<Json<Value>>,)>(query).await?.and_then(|(kept,)| kept).map(|Json(kept)| kept))
}
