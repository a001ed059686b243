//! What a job and Nexus tell each other, and what Nexus tells of runs and change sets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entity::Entity;
use crate::fields::Fields;

/// `POST /api/sync/runs`: a job begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// The job's name, e.g. `sync-freshservice`.
    pub job: String,
    /// What started it.
    pub trigger: Trigger,
    /// The run that waits for the job, when one was asked for or has paused; none: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<i64>,
    /// Look, and change nothing: a plan waits for a person, and nothing is written to a vendor. Of a run that waits, what was
    /// asked for counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl StartRun {
    /// A new run that does what it finds to do.
    #[must_use]
    pub fn new(job: impl Into<String>, trigger: Trigger) -> Self {
        Self { job: job.into(), trigger, run_id: None, dry_run: false }
    }
}

/// What started a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// The timer.
    Schedule,
    /// A person.
    Manual,
}

impl Trigger {
    /// The word of the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
        }
    }
}

/// The answer to [`StartRun`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Started {
    /// The run's id.
    pub run_id: i64,
    /// The job must report progress at least this often (seconds), or its run counts as interrupted.
    pub lease_seconds: u32,
    /// The job is to look, and to change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// What the job last asked to be kept for it; see [`Keep`].
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub kept: Option<Value>,
}

/// `PUT /api/sync/runs/{id}/kept`: what the job wants to know when it is started again, such as how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The job's own words; the next [`Started`] has them, whichever run it is of.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub kept: Value,
    /// The job stops here and goes on with this run when it is started for it again. Its lease is longer until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pause: bool,
}

/// One record as its vendor has it, in our field names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// What kind of record it is.
    pub entity: Entity,
    /// The vendor's id, as text.
    pub external_id: String,
    /// The list that it was read from; the unit in which a read is complete or not.
    pub scope: String,
    /// The vendor's values; null where the vendor has none.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub fields: Fields,
    /// For fields that link to other records: the vendor's ids of those, by field name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, Vec<String>>,
}

/// `PUT /api/sync/runs/{id}/observations/{n}`: one batch. The same batch sent twice counts once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// At most 1,000 records.
    pub observations: Vec<Observation>,
}

/// `PUT /api/sync/runs/{id}/progress`: the run lives, and this is how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What it does, for a person.
    pub step: String,
    /// Records done so far.
    pub done: u64,
    /// Records in all, when known.
    pub total: Option<u64>,
    /// Calls made to the vendor so far.
    pub vendor_calls: u64,
    /// How many calls a minute the job allows itself, of those that the vendor allows; null: as many as it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_minute: Option<u32>,
}

/// How one list was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ScopeReport {
    /// Its name, as in [`Observation::scope`].
    pub name: String,
    /// The kind of record in it.
    pub entity: Entity,
    /// Every page was read without an error and every record understood: only then may absent records be missing.
    pub complete: bool,
    /// Records read.
    pub records: u64,
    /// Why it is not complete.
    pub error: Option<String>,
    /// The lists that belong to its records have names that begin so. When this list is complete, one of them that is not
    /// told of is gone, with all that was in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<String>,
}

/// A record that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// Its kind.
    pub entity: Entity,
    /// The vendor's id, where readable.
    pub external_id: Option<String>,
    /// The list that it stands in.
    #[serde(default)]
    pub scope: Option<String>,
    /// What is wrong with it, naming the field.
    pub reason: String,
}

/// `POST /api/sync/runs/{id}/complete`: the vendor was read; plan, judge and apply.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// Every list of the job.
    pub scopes: Vec<ScopeReport>,
    /// Records left out.
    pub quarantined: Vec<Quarantined>,
    /// Calls made to the vendor in all.
    pub vendor_calls: u64,
    /// What the job noticed in the source that a person should look at.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// Of a job that writes to a vendor: each write, as it was planned and as it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
    /// Of such a job: what else it counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub counts: Counts,
    /// Of such a job: one sentence about the outcome, if it has a better one than its writes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Set when the job gave up: nothing is planned, the directory stays as it was.
    pub error: Option<String>,
}

/// One write to a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The kind of record it concerns.
    pub entity: Entity,
    /// The vendor's id.
    pub external_id: String,
    /// The vendor's name of it.
    pub name: String,
    /// The value there was.
    pub before: Option<String>,
    /// The value to be there.
    pub after: Option<String>,
    /// What became of it.
    pub state: OutcomeState,
    /// Why, if it did not become what was wanted.
    pub reason: Option<String>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OutcomeState {
    /// It would be made: the run was a dry one.
    Planned,
    /// It was made, and found when it was read back.
    Written,
    /// It was tried, and the vendor does not have the value.
    Failed,
    /// It was not tried, because it is not clear what is right.
    Skipped,
}

impl OutcomeState {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Written => "written",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Going on.
    Running,
    /// Its plan waits for a person.
    Held,
    /// Its plan was applied (or there was nothing to do).
    Applied,
    /// It gave up; the directory is as it was.
    Failed,
    /// Applied, but a list was not read completely or rows were skipped.
    Partial,
    /// It was not heard of again; the directory is as it was.
    Interrupted,
    /// It did not start because another run of the job was going.
    Skipped,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Running, Self::Held, Self::Applied, Self::Failed, Self::Partial, Self::Interrupted, Self::Skipped];

    /// The word of the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Held => "held",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Something in the source that a person should look at, such as a department without an account number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The kind of record it concerns.
    pub entity: Entity,
    /// The vendor's id.
    pub external_id: String,
    /// The vendor's name of it.
    pub name: String,
    /// What is missing and what to do.
    pub reason: String,
}

/// How many records, by kind (`company`) and by what happens to them (`create`, `update`, `archive`, `restore`,
/// `unchanged`, `reading`, `refused`, `missing`, `quarantined`, `gap`, `stale`).
pub type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// Something that a person took out of a plan: it is not proposed again while the source says the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// The source.
    #[cfg_attr(feature = "openapi", schema(example = "freshservice"))]
    pub source: String,
    /// Kind of record.
    #[cfg_attr(feature = "openapi", schema(example = "contact"))]
    pub entity: String,
    /// The source's id of it.
    pub external_id: String,
    /// It was to go because its source does not show it any more.
    pub missing: bool,
    /// Who refused it.
    pub refused_by: String,
    /// When.
    pub refused_at: String,
}

/// Where records come from, as `GET /api/sources` sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "datto"))]
    pub name: String,
    /// The job that reads it.
    #[cfg_attr(feature = "openapi", schema(example = "sync-datto"))]
    pub job: String,
    /// Whether the timer starts that job.
    pub enabled: bool,
    /// Live records that came from it, by kind.
    #[cfg_attr(feature = "openapi", schema(example = json!({"asset": 10_000})))]
    pub records: BTreeMap<String, u64>,
}

/// A run, as `GET /api/sync/runs/{id}` sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// Id.
    pub id: i64,
    /// The job's name.
    pub job: String,
    /// Where it stands.
    pub state: RunState,
    /// What started it.
    pub trigger: Trigger,
    /// One sentence about the outcome.
    pub message: Option<String>,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How far it is.
    pub progress: Progress,
    /// What was planned.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub counts: Counts,
    /// The lists it read.
    pub scopes: Vec<ScopeReport>,
    /// Records left out.
    pub quarantined: Vec<Quarantined>,
    /// What a person should look at.
    pub gaps: Vec<Gap>,
    /// Nothing was changed: the run was there to look.
    #[serde(default)]
    pub dry_run: bool,
    /// Of a job that writes to a vendor: each write. Left out of lists.
    #[serde(default)]
    pub outcomes: Vec<Outcome>,
    /// What it did, line by line.
    pub log: Vec<LogLine>,
    /// Its plan.
    pub changeset_id: Option<i64>,
}

/// A job, as `GET /api/jobs` sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduledJob {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "sync-freshservice"))]
    pub name: String,
    /// What it does.
    pub title: String,
    /// When it runs, in the grammar of EventBridge: `rate(1 day)` or `cron(0 2 * * ? *)`.
    #[cfg_attr(feature = "openapi", schema(example = "rate(1 day)"))]
    pub schedule: String,
    /// Whether the timer starts it.
    pub enabled: bool,
    /// When the timer starts it next; null: not at all.
    pub next_run_at: Option<String>,
    /// Its last run, without the log.
    pub last_run: Option<Run>,
}

/// `PUT /api/jobs/{name}`: what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct JobChanges {
    /// When it runs: `rate(1 day)` or `cron(0 2 * * ? *)`.
    #[cfg_attr(feature = "openapi", schema(example = "cron(0 2 * * ? *)"))]
    pub schedule: Option<String>,
    /// Whether the timer starts it.
    pub enabled: Option<bool>,
}

/// `POST /api/jobs/{name}/runs`: a run is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Look, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// A run that has paused, which is to go on; none: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<i64>,
}

/// The answer to [`RunRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Requested {
    /// The run; it can be watched from now on.
    pub run_id: i64,
}

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When.
    pub at: String,
    /// What.
    pub line: String,
}

/// One record's change, as the history, a plan and the feed show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Id of the change.
    pub id: i64,
    /// Position in the feed; null until applied.
    pub cursor: Option<i64>,
    /// The kind of record.
    pub entity: Entity,
    /// The record.
    pub record_id: i64,
    /// `create`, `update`, `archive` or `restore`.
    pub action: String,
    /// `proposed`, `applied`, `stale` or `rejected`.
    pub state: String,
    /// Why it is proposed, or why it was skipped.
    pub reason: Option<String>,
    /// The changed fields before.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub before: Map<String, Value>,
    /// The changed fields after.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub after: Map<String, Value>,
    /// The change set that undid it, if it was undone by itself or with its own change set.
    #[serde(default)]
    pub reverted_by: Option<i64>,
}

/// A plan or a deed, as `GET /api/changesets/{id}` sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeSet {
    /// Id.
    pub id: i64,
    /// `proposed`, `held`, `applied`, `rejected`, `stale` or `reverted`.
    pub state: String,
    /// `api`, `page`, `sync`, `undo` or `system`.
    pub origin: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Of a plan: covers its changes; applying it asks for this.
    pub digest: Option<String>,
    /// The change set that this one undid.
    pub reverts_id: Option<i64>,
    /// The run that made it.
    pub run_id: Option<i64>,
    /// When it was made.
    pub created_at: String,
    /// When it was applied or rejected.
    pub decided_at: Option<String>,
    /// Who applied or rejected it.
    pub decided_by: Option<String>,
    /// Its changes; left out of lists.
    pub changes: Vec<Change>,
}

/// A change of the feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedChange {
    /// Its place in the feed.
    pub cursor: i64,
    /// When it was applied.
    pub at: String,
    /// The change set that it is of.
    pub changeset_id: i64,
    /// Kind of record.
    pub entity: Entity,
    /// The record's id.
    pub id: i64,
    /// The record's company, or the first of them; null: none.
    pub account_number: Option<String>,
    /// `create`, `update`, `archive` or `restore`. A client is told of a record that moves to one of its companies as
    /// created, and of one that leaves them as archived.
    #[cfg_attr(feature = "openapi", schema(example = "update"))]
    pub action: String,
    /// The changed fields before; of a record that is archived all of them.
    pub before: Map<String, Value>,
    /// The changed fields after; of a record that is created or restored all of them.
    pub after: Map<String, Value>,
    /// Who did it.
    pub author: String,
    /// By which way: `api`, `page`, `sync`, `undo` or `system`.
    pub origin: String,
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedPart {
    /// The changes, oldest first.
    pub changes: Vec<FeedChange>,
    /// The cursor to go on from: `after` of the next call.
    pub next: i64,
}
