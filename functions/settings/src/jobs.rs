//! Jobs: when they run, and whether. The JSON face, and what it shares with the pages.

use axum::Extension;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::Response;
use http::StatusCode;
use nexus_core::schedule::Schedule;
use nexus_core::sync::{JobChanges, Requested, RunRequest, ScheduledJob};
use nexus_core::{FieldError, Role, instant};
use nexus_db::Db;
use nexus_db::jobs::{self, Job};
use nexus_db::runs::{self, Busy};
use nexus_events::{Bus, Event};
use nexus_web::{Admin, Error, Json, Path, Principal, Problem};

const ABSENT: Error = Error::NotFound("There is no such job");
/// Who sees jobs and runs them.
pub(crate) const RUNNERS: &[Role] = &[Role::Admin, Role::Technician];

/// The jobs, by name
#[utoipa::path(get, path = "/api/jobs", tag = "settings", responses(
    (status = 200, description = "The jobs", body = Vec<ScheduledJob>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_jobs(State(db): State<Db>, principal: Principal) -> Result<Response, Error> {
    principal.require(RUNNERS)?;
    nexus_web::json(&list(&db).await?)
}

/// Change when a job runs, in force at once
#[utoipa::path(put, path = "/api/jobs/{name}", tag = "settings", request_body = JobChanges,
    params(("name" = String, Path, description = "The job's name")), responses(
    (status = 200, description = "The job as it is now", body = ScheduledJob),
    (status = 400, description = "A schedule that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "There is no such job", body = Problem),
    (status = 503, description = "The timer cannot be set; the job is as it was", body = Problem),
))]
pub(crate) async fn update_job(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    Admin(principal): Admin,
    Path(name): Path<String>,
    Json(changes): Json<JobChanges>,
) -> Result<Response, Error> {
    nexus_web::json(&set(&db, &bus, &principal, &name, changes).await?)
}

/// Run a job now
#[utoipa::path(post, path = "/api/jobs/{name}/runs", tag = "settings", request_body = RunRequest,
    params(("name" = String, Path, description = "The job's name")), responses(
    (status = 202, description = "The run is asked for; watch it at `/api/sync/runs/{id}`", body = Requested),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "There is no such job", body = Problem),
    (status = 409, description = "A run of this job is going", body = Problem),
    (status = 503, description = "The job cannot be reached", body = Problem),
))]
pub(crate) async fn request_run(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    principal: Principal,
    Path(name): Path<String>,
    request: Option<Json<RunRequest>>,
) -> Result<Response, Error> {
    principal.require(RUNNERS)?;
    let Json(request) = request.unwrap_or_default();
    let run_id = ask(&db, &bus, &principal, &name, &request).await?;
    Ok((StatusCode::ACCEPTED, nexus_web::json(&Requested { run_id })?).into_response())
}

/// Every job, by name.
pub(crate) async fn list(db: &Db) -> Result<Vec<ScheduledJob>, Error> {
    let mut shown = Vec::new();
    for job in jobs::list(db).await? {
        shown.push(show(db, job).await?);
    }
    Ok(shown)
}

/// The job of that name.
pub(crate) async fn find(db: &Db, name: &str) -> Result<ScheduledJob, Error> {
    show(db, jobs::find(db, name).await?.ok_or(ABSENT)?).await
}

/// Sets when a job runs, and tells the timer.
pub(crate) async fn set(
    db: &Db,
    bus: &Bus,
    person: &Principal,
    name: &str,
    changes: JobChanges,
) -> Result<ScheduledJob, Error> {
    let JobChanges { schedule, enabled } = changes;
    let schedule = schedule.map(|schedule| schedule.trim().to_owned());
    if let Some(Err(error)) = schedule.as_deref().map(str::parse::<Schedule>) {
        return Err(Error::fields(vec![FieldError::new("schedule", error.to_string())]));
    }
    let before = jobs::find(db, name).await?.ok_or(ABSENT)?;
    if !jobs::update(db, name, schedule.as_deref(), enabled).await? {
        return Err(ABSENT);
    }
    let job = jobs::find(db, name).await?.ok_or(ABSENT)?;
    if let Err(error) = bus.schedule(name, &job.schedule, job.enabled).await {
        tracing::error!(job = name, %error, "a job was not set");
        // What the page shows is what the timer does.
        jobs::update(db, name, Some(&before.schedule), Some(before.enabled)).await?;
        return Err(Error::Unavailable(60));
    }
    tracing::info!(job = name, schedule, enabled, by = person.account.username, "a job was set");
    show(db, job).await
}

/// Asks for a run of a job: its id.
pub(crate) async fn ask(
    db: &Db,
    bus: &Bus,
    person: &Principal,
    name: &str,
    request: &RunRequest,
) -> Result<i64, Error> {
    jobs::find(db, name).await?.ok_or(ABSENT)?;
    let run_id = match request.run_id {
        Some(run_id) if runs::waits(db, name, run_id).await? => run_id,
        Some(run_id) => return Err(Error::Conflict(format!("Run {run_id} of {name} has not paused"))),
        None => match runs::request(db, name, request.dry_run).await? {
            Ok(run_id) => run_id,
            Err(Busy(id)) => return Err(Error::Conflict(format!("Run {id} of {name} is going"))),
        },
    };
    if let Err(error) = bus.send(&[Event::run_requested(name, run_id)]).await {
        tracing::error!(job = name, run_id, %error, "the job could not be reached");
        runs::cancel(db, run_id, "The job could not be reached, so Nexus").await?;
        return Err(Error::Unavailable(60));
    }
    tracing::info!(job = name, run_id, by = person.account.username, "a run was asked for");
    Ok(run_id)
}

async fn show(db: &Db, job: Job) -> Result<ScheduledJob, Error> {
    let now = db.clock().now();
    let next = job.enabled.then(|| job.schedule.parse::<Schedule>().ok()).flatten().and_then(|schedule| {
        // A time that has passed waits for the next.
        schedule.next(job.last_started_at.as_deref().and_then(instant::parse), now, now)
    });
    let last_run = runs::list(db, Some(&job.name), None, 1, 0).await?.into_iter().next();
    let Job { name, title, schedule, enabled, .. } = job;
    Ok(ScheduledJob { name, title, schedule, enabled, next_run_at: next.map(instant::canonical), last_run })
}
