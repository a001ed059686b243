//! What a job sends: it begins, brings what the source has, and hands over.

use axum::extract::{FromRef, FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use nexus_core::sync::{Batch, Complete, Keep, Progress, Run, RunState, StartRun, Started};
use nexus_core::{Entity, FieldError};
use nexus_db::changes::{self, ChangeError};
use nexus_db::runs::{self, Busy, NotBegun};
use nexus_db::{Db, jobs};
use nexus_web::{Auth, Editor, Error, Json, Path, Principal, Problem};

use crate::planning::plan_run;
use crate::report;
use crate::runs::find;

const NOT_GOING: &str = "The run is not going; begin a new one";
/// Records of one batch.
const BATCH: usize = 1_000;

/// A job: a service account that may change directory records.
pub(crate) struct Job(Principal);

impl<S> FromRequestParts<S> for Job
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Editor(principal) = Editor::from_request_parts(parts, state).await?;
        if principal.account.service_account {
            Ok(Self(principal))
        } else {
            Err(Error::Forbidden("Only jobs report runs"))
        }
    }
}

/// A job begins
#[utoipa::path(post, path = "/api/sync/runs", tag = "sync", request_body = StartRun, responses(
    (status = 201, description = "The run goes", body = Started),
    (status = 400, description = "There is no such job", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "A run of this job is going, the timer may not start it, or the run does not wait for it",
     body = Problem),
))]
pub(crate) async fn start_run(State(db): State<Db>, _: Job, Json(start): Json<StartRun>) -> Result<Response, Error> {
    let StartRun { job, .. } = &start;
    if jobs::find(&db, job).await?.is_none() {
        return Err(Error::fields(vec![FieldError::new("job", "there is no such job")]));
    }
    let refused = match runs::start(&db, &start).await? {
        Ok(started) => return Ok((StatusCode::CREATED, nexus_web::json(&started)?).into_response()),
        Err(NotBegun::Busy(Busy(id))) => format!("Run {id} of {job} is going"),
        Err(NotBegun::Disabled) => format!("{job} is disabled; enable it, or ask for a run"),
        Err(NotBegun::Gone(id)) => format!("Run {id} does not wait for {job} any more"),
    };
    Err(Error::Conflict(refused))
}

/// A batch of what the source has; the same number again replaces it
#[utoipa::path(put, path = "/api/sync/runs/{id}/observations/{n}", tag = "sync", request_body = Batch,
    params(("id" = i64, Path, description = "Run"), ("n" = i64, Path, description = "Number of the batch")),
    responses(
    (status = 204, description = "Kept"), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, description = "The run is not going", body = Problem),
    (status = 413, description = "More than 5 MB", body = Problem),
))]
pub(crate) async fn put_observations(
    State(db): State<Db>,
    _: Job,
    Path((id, n)): Path<(i64, i64)>,
    Json(batch): Json<Batch>,
) -> Result<StatusCode, Error> {
    if batch.observations.len() > BATCH {
        return Err(Error::fields(vec![FieldError::new("observations", format!("must have at most {BATCH} entries"))]));
    }
    // Who may do what and what is agreed on is said in Nexus.
    if batch.observations.iter().any(|one| matches!(one.entity, Entity::User | Entity::Plan | Entity::Feature)) {
        let fault = FieldError::new("observations", "must be of companies, locations, contacts and assets");
        return Err(Error::fields(vec![fault]));
    }
    let payload = serde_json::to_string(&batch).map_err(|_| Error::Internal)?;
    going(runs::put_batch(&db, id, n, &payload).await?)
}

/// The run lives, and how far it is
#[utoipa::path(put, path = "/api/sync/runs/{id}/progress", tag = "sync", request_body = Progress,
    params(("id" = i64, Path, description = "Run")), responses(
    (status = 204, description = "Noted"), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, description = "The run is not going", body = Problem),
))]
pub(crate) async fn put_progress(
    State(db): State<Db>,
    _: Job,
    Path(id): Path<i64>,
    Json(progress): Json<Progress>,
) -> Result<StatusCode, Error> {
    going(runs::put_progress(&db, id, &progress).await?)
}

/// What the job wants to know when it is started again
#[utoipa::path(put, path = "/api/sync/runs/{id}/kept", tag = "sync", request_body = Keep,
    params(("id" = i64, Path, description = "Run")), responses(
    (status = 204, description = "Kept"), (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 409, description = "The run is not going", body = Problem),
))]
pub(crate) async fn put_kept(
    State(db): State<Db>,
    _: Job,
    Path(id): Path<i64>,
    Json(keep): Json<Keep>,
) -> Result<StatusCode, Error> {
    going(runs::keep(&db, id, &keep.kept, keep.pause).await?)
}

fn going(is: bool) -> Result<StatusCode, Error> {
    if is { Ok(StatusCode::NO_CONTENT) } else { Err(Error::Conflict(NOT_GOING.into())) }
}

/// The source was read: plan, judge, and apply or hold
#[utoipa::path(post, path = "/api/sync/runs/{id}/complete", tag = "sync", request_body = Complete,
    params(("id" = i64, Path, description = "Run")), responses(
    (status = 200, description = "The run as it ended", body = Run), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "The run is not going", body = Problem),
))]
pub(crate) async fn complete_run(
    State(db): State<Db>,
    Job(principal): Job,
    Path(id): Path<i64>,
    Json(complete): Json<Complete>,
) -> Result<Response, Error> {
    if let Some(changeset_id) = plan(&db, &principal, id, complete).await? {
        match changes::apply(&db, &principal.actor(), changeset_id, None, &std::collections::BTreeSet::new()).await {
            // Somebody decided over it in the moment between: that decision stands.
            Ok(_) | Err(ChangeError::Decided { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    nexus_web::json(&find(&db, id).await?)
}

/// Stores the plan of a run; what is to be applied at once, if anything.
async fn plan(db: &Db, principal: &Principal, id: i64, complete: Complete) -> Result<Option<i64>, Error> {
    let now = db.now();
    let mut tx = db.write().await?;
    let (job, dry_run) = runs::lock_running(&mut tx, id).await?.ok_or_else(|| Error::Conflict(NOT_GOING.into()))?;
    let vendor_calls = complete.vendor_calls;
    let Some(source) = jobs::source_of(&job).filter(|_| complete.error.is_none()) else {
        let (state, message) = report::conclude(&complete, dry_run);
        runs::planned(&mut tx, id, &report::report(complete), vendor_calls, None).await?;
        runs::finish(&mut tx, id, state, &message, &now).await?;
        tx.commit().await?;
        return Ok(None);
    };
    let outcome = plan_run(&mut tx, db.clock(), (id, source, dry_run), principal.actor(), complete).await?;
    changes::supersede(&mut tx, &job, id, &now).await?;
    runs::planned(&mut tx, id, &outcome.report, vendor_calls, outcome.changeset_id).await?;
    let hold = if dry_run { Some("It was there to look.".to_owned()) } else { outcome.hold };
    let mut waiting = None;
    let apply = match (outcome.changeset_id, hold) {
        (Some(changeset_id), Some(reason)) => {
            changes::hold(&mut tx, changeset_id).await?;
            let message = format!("Waits for a person: {reason}");
            runs::finish(&mut tx, id, RunState::Held, &message, &now).await?;
            waiting = (!dry_run).then_some(changeset_id);
            None
        }
        (Some(changeset_id), None) => Some(changeset_id),
        (None, _) => {
            runs::finish_unchanged(&mut tx, id, &now).await?;
            None
        }
    };
    tx.commit().await?;
    if let Some(changeset_id) = waiting {
        // Operators have an alarm on this line (infra/template.yaml).
        tracing::warn!(event = "plan_held", run = id, job, changeset_id, "a plan waits for a person");
    }
    Ok(apply)
}
