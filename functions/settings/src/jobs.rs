//! Jobs: when they run, and whether.

use axum::extract::State;
use axum::response::Response;
use nexus_core::schedule::Schedule;
use nexus_core::sync::{JobChanges, ScheduledJob};
use nexus_core::{FieldError, Role, instant};
use nexus_db::Db;
use nexus_db::runs::{self, Job};
use nexus_web::{Error, Json, Path, Principal, Problem};

const ABSENT: Error = Error::NotFound("There is no such job");

/// The jobs, by name
#[utoipa::path(get, path = "/api/jobs", tag = "settings", responses(
    (status = 200, description = "The jobs", body = Vec<ScheduledJob>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_jobs(State(db): State<Db>, principal: Principal) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician])?;
    let mut shown = Vec::new();
    for job in runs::list_jobs(&db).await? {
        shown.push(show(&db, job).await?);
    }
    nexus_web::json(&shown)
}

/// Change when a job runs, in force at once
#[utoipa::path(put, path = "/api/jobs/{name}", tag = "settings", request_body = JobChanges,
    params(("name" = String, Path, description = "The job's name")), responses(
    (status = 200, description = "The job as it is now", body = ScheduledJob),
    (status = 400, description = "A schedule that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "There is no such job", body = Problem),
))]
pub(crate) async fn update_job(
    State(db): State<Db>,
    principal: Principal,
    Path(name): Path<String>,
    Json(changes): Json<JobChanges>,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin])?;
    let JobChanges { schedule, enabled } = changes;
    let schedule = schedule.map(|schedule| schedule.trim().to_owned());
    if let Some(Err(error)) = schedule.as_deref().map(str::parse::<Schedule>) {
        return Err(Error::fields(vec![FieldError::new("schedule", error.to_string())]));
    }
    if !runs::update_job(&db, &name, schedule.as_deref(), enabled).await? {
        return Err(ABSENT);
    }
    tracing::info!(job = name, schedule, enabled, by = principal.account.username, "a job was set");
    let job = runs::list_jobs(&db).await?.into_iter().find(|job| job.name == name).ok_or(ABSENT)?;
    nexus_web::json(&show(&db, job).await?)
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
