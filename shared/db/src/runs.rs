//! Runs of jobs: one at a time per job, alive as long as they are heard of.

use std::fmt::Write as _;

use jiff::SignedDuration;
use nexus_core::instant;
use nexus_core::sync::{
    Counts, Gap, LogLine, Outcome, Progress, Quarantined, Run, RunState, ScopeReport, StartRun, Started, Trigger,
};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::changes::{Applied, lock_feed, withdraw};
use crate::{Db, Error, Query, Result, Tx, jobs};

/// How long a run may be silent before it counts as interrupted.
pub const LEASE: SignedDuration = SignedDuration::from_mins(1);
/// How long one that was asked for or has paused waits for its job: starting a function can take a while.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// What a run found, kept with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What was planned.
    pub counts: Counts,
    /// The lists that it read.
    pub scopes: Vec<ScopeReport>,
    /// Records left out.
    pub quarantined: Vec<Quarantined>,
    /// What a person should look at.
    pub gaps: Vec<Gap>,
    /// Of a job that writes to a vendor: each write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
}

#[derive(sqlx::FromRow)]
struct RunRow {
    id: i64,
    job: String,
    state: String,
    started_by: String,
    message: Option<String>,
    started_at: String,
    finished_at: Option<String>,
    progress: Json<Progress>,
    report: Json<Report>,
    changeset_id: Option<i64>,
    dry_run: bool,
}

const RUN: &str = "SELECT id, job, state, started_by, message, started_at, finished_at, progress, report, changeset_id, \
                   dry_run FROM runs";

/// A run of the job is going already: its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy(pub i64);

/// Why a run did not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotBegun {
    /// A run of the job is going already.
    Busy(Busy),
    /// The timer may not start this job.
    Disabled,
    /// The run that the job came for does not wait for it: it has ended, or another has taken it.
    Gone(i64),
}

/// When the lease of a run ends that is heard of now.
fn lease_end(db: &Db, lease: SignedDuration) -> String {
    let now = db.clock().now();
    instant::canonical(now.saturating_add(lease).unwrap_or(now))
}

/// Begins a run, or takes the one that waits for the job. A run whose lease ran out is marked interrupted first.
pub async fn start(db: &Db, start: &StartRun) -> Result<std::result::Result<Started, NotBegun>> {
    let StartRun { job, trigger, run_id, dry_run } = start;
    let now = db.now();
    let mut tx = db.write().await?;
    interrupt(&mut tx, " AND lease_until <= $1", &now).await?;
    let begun = match run_id {
        Some(run_id) => claim(&mut tx, db, job, *run_id).await?.ok_or(NotBegun::Gone(*run_id)),
        None if *trigger == Trigger::Schedule && !jobs::is_enabled(&mut tx, job).await? => Err(NotBegun::Disabled),
        None => {
            let new = New { job, trigger: *trigger, dry_run: *dry_run, claimed: true };
            insert(&mut tx, db, &new).await?.map(|id| (id, *dry_run)).map_err(NotBegun::Busy)
        }
    };
    if let Err(NotBegun::Busy(Busy(going))) = begun
        && *trigger == Trigger::Schedule
    {
        skip(&mut tx, job, going, &now).await?;
    }
    let kept = jobs::kept(&mut tx, job).await?;
    tx.commit().await?;
    let lease_seconds = u32::try_from(LEASE.as_secs()).unwrap_or(u32::MAX);
    Ok(begun.map(|(run_id, dry_run)| Started { run_id, lease_seconds, dry_run, kept }))
}

/// Asks for a run: it waits for its job to claim it.
pub async fn request(db: &Db, job: &str, dry_run: bool) -> Result<std::result::Result<i64, Busy>> {
    let mut tx = db.write().await?;
    interrupt(&mut tx, " AND lease_until <= $1", &db.now()).await?;
    let new = New { job, trigger: Trigger::Manual, dry_run, claimed: false };
    let id = insert(&mut tx, db, &new).await?;
    tx.commit().await?;
    Ok(id)
}

/// Whether a run of the job waits for it.
pub async fn waits(db: &Db, job: &str, run_id: i64) -> Result<bool> {
    let query = Query::new("SELECT id FROM runs WHERE id = $1 AND job = $2 AND state = 'running' AND NOT claimed");
    Ok(db.optional::<(i64,)>(query.bind(run_id).bind(job)).await?.is_some())
}

struct New<'a> {
    job: &'a str,
    trigger: Trigger,
    dry_run: bool,
    claimed: bool,
}

async fn insert(tx: &mut Tx, db: &Db, new: &New<'_>) -> Result<std::result::Result<i64, Busy>> {
    let New { job, trigger, dry_run, claimed } = *new;
    // ON CONFLICT rather than a failed insert: a failure would end PostgreSQL's transaction.
    let insert = Query::new(
        "INSERT INTO runs (job, state, started_by, started_at, lease_until, progress, report, dry_run, claimed) \
         VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (job) WHERE state = 'running' DO NOTHING RETURNING id",
    )
    .bind(job)
    .bind(trigger.as_str())
    .bind(db.now())
    .bind(lease_end(db, if claimed { LEASE } else { PATIENCE }))
    .bind(to_json(&Progress::default())?)
    .bind(to_json(&Report::default())?)
    .bind(dry_run)
    .bind(claimed);
    if let Some((id,)) = tx.optional::<(i64,)>(insert).await? {
        return Ok(Ok(id));
    }
    let query = Query::new("SELECT id FROM runs WHERE job = $1 AND state = 'running'").bind(job);
    let (id,) = tx.one::<(i64,)>(query).await?;
    Ok(Err(Busy(id)))
}

/// Takes the run that waits for the job; an event that is delivered twice takes it once.
async fn claim(tx: &mut Tx, db: &Db, job: &str, run_id: i64) -> Result<Option<(i64, bool)>> {
    let query = Query::new(
        "UPDATE runs SET claimed = TRUE, lease_until = $3 \
         WHERE id = $1 AND job = $2 AND state = 'running' AND NOT claimed RETURNING id, dry_run",
    );
    tx.optional(query.bind(run_id).bind(job).bind(lease_end(db, LEASE))).await
}

/// Notes that the timer came while a run was going.
async fn skip(tx: &mut Tx, job: &str, going: i64, now: &str) -> Result<()> {
    let query = Query::new(
        "INSERT INTO runs (job, state, started_by, message, started_at, finished_at, progress, report) \
         VALUES ($1, 'skipped', 'schedule', $2, $3, $3, $4, $5)",
    );
    let message = format!("Run {going} was still going.");
    let query = query.bind(job).bind(message).bind(now);
    tx.execute(query.bind(to_json(&Progress::default())?).bind(to_json(&Report::default())?)).await?;
    Ok(())
}

/// Keeps what a job wants to know when it is started again. With `pause` the run waits for the job to come back for it. False
/// when the run is not going.
pub async fn keep(db: &Db, run_id: i64, kept: &serde_json::Value, pause: bool) -> Result<bool> {
    let mut tx = db.write().await?;
    let lease = lease_end(db, if pause { PATIENCE } else { LEASE });
    let query = Query::new("UPDATE runs SET lease_until = $2, claimed = $3 WHERE id = $1 AND state = 'running'");
    if tx.execute(query.bind(run_id).bind(lease).bind(!pause)).await? == 0 {
        return Ok(false);
    }
    let query = Query::new("UPDATE jobs SET kept = $2 WHERE name = (SELECT job FROM runs WHERE id = $1)");
    tx.execute(query.bind(run_id).bind(kept.clone())).await?;
    tx.commit().await?;
    Ok(true)
}

/// Marks every run that is going as interrupted: for whoever knows that nobody else can be at work on this database.
pub async fn interrupt_all(db: &Db) -> Result<()> {
    let mut tx = db.write().await?;
    interrupt(&mut tx, "", &db.now()).await?;
    tx.commit().await
}

async fn interrupt(tx: &mut Tx, which: &str, now: &str) -> Result<()> {
    let query = Query::new(
        "UPDATE runs SET state = 'interrupted', finished_at = $1, lease_until = NULL, message = CASE WHEN claimed \
         THEN 'It was not heard of any more; the directory is as it was.' \
         ELSE 'It waited for its job, which did not come; the directory is as it was.' END WHERE state = 'running'",
    );
    if tx.execute(query.push(which).bind(now)).await? > 0 {
        let query = "DELETE FROM observations WHERE run_id IN (SELECT id FROM runs WHERE state = 'interrupted')";
        tx.execute(Query::new(query)).await?;
    }
    Ok(())
}

/// Keeps a batch of observations; the same number again replaces it. False when the run is not going.
pub async fn put_batch(db: &Db, run_id: i64, batch: i64, payload: &str) -> Result<bool> {
    let mut tx = db.write().await?;
    if !renew(&mut tx, db, run_id, None).await? {
        return Ok(false);
    }
    let query = Query::new(
        "INSERT INTO observations (run_id, batch, payload) VALUES ($1, $2, $3) \
         ON CONFLICT (run_id, batch) DO UPDATE SET payload = excluded.payload",
    );
    tx.execute(query.bind(run_id).bind(batch).bind(payload)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Notes how far a run is; a new step is a line of its log. False when the run is not going.
pub async fn put_progress(db: &Db, run_id: i64, progress: &Progress) -> Result<bool> {
    let mut tx = db.write().await?;
    let known =
        tx.optional::<(Json<Progress>,)>(Query::new("SELECT progress FROM runs WHERE id = $1").bind(run_id)).await?;
    if !renew(&mut tx, db, run_id, Some(progress)).await? {
        return Ok(false);
    }
    if known.is_none_or(|(Json(known),)| known.step != progress.step) {
        log(&mut tx, run_id, &progress.step, &db.now()).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn renew(tx: &mut Tx, db: &Db, run_id: i64, progress: Option<&Progress>) -> Result<bool> {
    let mut query = Query::new("UPDATE runs SET lease_until = ").arg(lease_end(db, LEASE));
    if let Some(progress) = progress {
        query = query.push(", progress = ").arg(to_json(progress)?);
    }
    Ok(tx.execute(query.push(" WHERE id = ").arg(run_id).push(" AND state = 'running'")).await? == 1)
}

/// Adds a line to a run's log.
pub async fn log(tx: &mut Tx, run_id: i64, line: &str, now: &str) -> Result<()> {
    tx.execute(
        Query::new("INSERT INTO run_log (run_id, at, line) VALUES ($1, $2, $3)").bind(run_id).bind(now).bind(line),
    )
    .await?;
    Ok(())
}

/// The job of a run that is going and whether it is a dry one, with the run locked against a second completion.
pub async fn lock_running(tx: &mut Tx, run_id: i64) -> Result<Option<(String, bool)>> {
    let query = "SELECT job, dry_run FROM runs WHERE id = $1 AND state = 'running' AND changeset_id IS NULL";
    let mut query = Query::new(query).bind(run_id);
    if tx.dialect() == crate::Dialect::Postgres {
        query = query.push(" FOR UPDATE");
    }
    tx.optional(query).await
}

/// The source that a run reads, if it reads one.
pub(crate) async fn source(tx: &mut Tx, run_id: i64) -> Result<Option<String>> {
    let job = tx.optional::<(String,)>(Query::new("SELECT job FROM runs WHERE id = $1").bind(run_id)).await?;
    Ok(job.and_then(|(job,)| jobs::source_of(&job).map(str::to_owned)))
}

/// The numbers of a run's batches, in order.
pub async fn batch_numbers(tx: &mut Tx, run_id: i64) -> Result<Vec<i64>> {
    let query = Query::new("SELECT batch FROM observations WHERE run_id = $1 ORDER BY batch").bind(run_id);
    Ok(tx.all::<(i64,)>(query).await?.into_iter().map(|(batch,)| batch).collect())
}

/// One batch of a run, as the job sent it.
pub async fn batch(tx: &mut Tx, run_id: i64, batch: i64) -> Result<String> {
    let query =
        Query::new("SELECT payload FROM observations WHERE run_id = $1 AND batch = $2").bind(run_id).bind(batch);
    Ok(tx.one::<(String,)>(query).await?.0)
}

/// Keeps what a run found and the plan made of it; its batches have served.
pub async fn planned(
    tx: &mut Tx,
    run_id: i64,
    report: &Report,
    vendor_calls: u64,
    changeset_id: Option<i64>,
) -> Result<()> {
    let known = tx.one::<(Json<Progress>,)>(Query::new("SELECT progress FROM runs WHERE id = $1").bind(run_id)).await?;
    let progress = Progress { vendor_calls, ..known.0.0 };
    let query = Query::new("UPDATE runs SET report = $2, progress = $3, changeset_id = $4 WHERE id = $1");
    tx.execute(query.bind(run_id).bind(to_json(report)?).bind(to_json(&progress)?).bind(changeset_id)).await?;
    tx.execute(Query::new("DELETE FROM observations WHERE run_id = $1").bind(run_id)).await?;
    // As has where it paused, if it did.
    let query = "UPDATE jobs SET kept = NULL WHERE CAST(kept->>'run_id' AS BIGINT) = $1";
    tx.execute(Query::new(query).bind(run_id)).await?;
    Ok(())
}

/// Ends a run.
pub async fn finish(tx: &mut Tx, run_id: i64, state: RunState, message: &str, now: &str) -> Result<()> {
    let query =
        Query::new("UPDATE runs SET state = $2, message = $3, finished_at = $4, lease_until = NULL WHERE id = $1");
    tx.execute(query.bind(run_id).bind(state.as_str()).bind(message).bind(now)).await?;
    log(tx, run_id, message, now).await
}

/// Ends a run that found nothing to change.
pub async fn finish_unchanged(tx: &mut Tx, run_id: i64, now: &str) -> Result<()> {
    finish_applied(tx, run_id, &Applied::default(), now).await
}

/// Ends a run whose plan was applied, in the transaction that applied it.
pub(crate) async fn finish_applied(tx: &mut Tx, run_id: i64, applied: &Applied, now: &str) -> Result<()> {
    let (Json(mut report),) =
        tx.one::<(Json<Report>,)>(Query::new("SELECT report FROM runs WHERE id = $1").bind(run_id)).await?;
    if applied.stale > 0 {
        report.counts.entry("all".to_owned()).or_default().insert("stale".to_owned(), applied.stale);
        let query = Query::new("UPDATE runs SET report = $2 WHERE id = $1").bind(run_id).bind(to_json(&report)?);
        tx.execute(query).await?;
    }
    let whole = applied.stale == 0 && report.scopes.iter().all(|scope| scope.complete);
    let state = if whole { RunState::Applied } else { RunState::Partial };
    finish(tx, run_id, state, &sentence(applied, &report), now).await
}

/// Ends a run whose plan a person refused.
pub(crate) async fn finish_rejected(tx: &mut Tx, run_id: i64, who: &str, now: &str) -> Result<()> {
    finish(tx, run_id, RunState::Failed, &format!("{who} rejected its plan; the directory is as it was."), now).await
}

fn sentence(applied: &Applied, report: &Report) -> String {
    let mut text = String::new();
    for ((entity, action), n) in &applied.counts {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{n} {} {}", entity.noun(*n == 1), past(action.as_str()));
    }
    if text.is_empty() {
        text.push_str("Nothing to change");
    }
    let short: Vec<&str> =
        report.scopes.iter().filter(|scope| !scope.complete).map(|scope| scope.name.as_str()).collect();
    if short.len() > 3 {
        let n = short.len();
        let _ = write!(text, "; {n} lists were not read completely, so nothing in them can be missing");
    } else {
        for name in short {
            let _ = write!(text, "; {name} were not read completely, so none of them can be missing");
        }
    }
    if applied.stale > 0 {
        let changes = if applied.stale == 1 { "change was" } else { "changes were" };
        let _ = write!(text, "; {} {changes} skipped because their record moved meanwhile", applied.stale);
    }
    text.push('.');
    text
}

fn past(action: &str) -> &'static str {
    match action {
        "create" => "created",
        "update" => "updated",
        "archive" => "archived",
        "restore" => "restored",
        _ => "linked",
    }
}

/// A run.
pub async fn find(db: &Db, run_id: i64) -> Result<Option<Run>> {
    let Some(row) = db.optional::<RunRow>(Query::new(RUN).push(" WHERE id = ").arg(run_id)).await? else {
        return Ok(None);
    };
    let log = Query::new("SELECT at, line FROM run_log WHERE run_id = $1 ORDER BY id").bind(run_id);
    let log = db.all::<(String, String)>(log).await?.into_iter().map(|(at, line)| LogLine { at, line }).collect();
    read(row, log).map(Some)
}

/// Runs, newest first, of that job and state if given; without their logs.
pub async fn list(db: &Db, job: Option<&str>, state: Option<RunState>, limit: i64, offset: i64) -> Result<Vec<Run>> {
    heads(db, narrow(Query::new(RUN), job, state), limit, offset).await
}

/// The same of those before a run.
pub async fn list_before(
    db: &Db,
    (job, state): (Option<&str>, Option<RunState>),
    before: i64,
    limit: i64,
) -> Result<Vec<Run>> {
    heads(db, narrow(Query::new(RUN), job, state).push(" AND id < ").arg(before), limit, 0).await
}

/// How many runs there are of that job and state, if given.
pub async fn count(db: &Db, job: Option<&str>, state: Option<RunState>) -> Result<i64> {
    Ok(db.one::<(i64,)>(narrow(Query::new("SELECT count(*) FROM runs"), job, state)).await?.0)
}

fn narrow(query: Query, job: Option<&str>, state: Option<RunState>) -> Query {
    let mut query = query.push(" WHERE true");
    if let Some(job) = job {
        query = query.push(" AND job = ").arg(job);
    }
    if let Some(state) = state {
        query = query.push(" AND state = ").arg(state.as_str());
    }
    query
}

async fn heads(db: &Db, query: Query, limit: i64, offset: i64) -> Result<Vec<Run>> {
    let query = query.push(" ORDER BY id DESC LIMIT ").arg(limit).push(" OFFSET ").arg(offset);
    let rows = db.all::<RunRow>(query).await?;
    rows.into_iter().map(|row| Ok(Run { outcomes: Vec::new(), ..read(row, Vec::new())? })).collect()
}

fn read(row: RunRow, log: Vec<LogLine>) -> Result<Run> {
    let corrupt = |column| Error::Corrupt { table: "runs", column };
    Ok(Run {
        id: row.id,
        job: row.job,
        state: RunState::parse(&row.state).ok_or_else(|| corrupt("state"))?,
        trigger: if row.started_by == "schedule" { Trigger::Schedule } else { Trigger::Manual },
        message: row.message,
        started_at: row.started_at,
        finished_at: row.finished_at,
        progress: row.progress.0,
        counts: row.report.0.counts,
        scopes: row.report.0.scopes,
        quarantined: row.report.0.quarantined,
        gaps: row.report.0.gaps,
        dry_run: row.dry_run,
        outcomes: row.report.0.outcomes,
        log,
        changeset_id: row.changeset_id,
    })
}

/// Ends a run that is going, for a person; its job learns of it when it next tells anything. A plan that was made and is not
/// being applied, because whoever was to apply it is gone, is not applied any more. False when the run is not going.
pub async fn cancel(db: &Db, run_id: i64, who: &str) -> Result<bool> {
    let mut tx = db.write().await?;
    if lock_running(&mut tx, run_id).await?.is_none() {
        drop(tx);
        // Planning locks the run and then the feed, applying the feed and then the run. This one is planned.
        tx = db.write().await?;
        lock_feed(&mut tx).await?;
        let query = Query::new("SELECT changeset_id FROM runs WHERE id = $1 AND state = 'running'").bind(run_id);
        let Some((Some(changeset_id),)) = tx.optional::<(Option<i64>,)>(query).await? else { return Ok(false) };
        withdraw(&mut tx, changeset_id, &db.now()).await?;
    }
    let message = format!("{who} cancelled it; the directory is as it was.");
    finish(&mut tx, run_id, RunState::Interrupted, &message, &db.now()).await?;
    tx.execute(Query::new("DELETE FROM observations WHERE run_id = $1").bind(run_id)).await?;
    tx.commit().await?;
    Ok(true)
}

fn to_json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| Error::Driver(sqlx::Error::Encode(Box::new(error))))
}
