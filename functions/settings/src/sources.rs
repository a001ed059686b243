//! Sources: what came from each, and taking one away.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use nexus_core::FieldError;
use nexus_core::sync::{JobChanges, RunState, Source};
use nexus_db::changes::{self, Done, Origin};
use nexus_db::jobs::source_of;
use nexus_db::{Db, runs, sources};
use nexus_events::Bus;
use nexus_web::{Admin, Editor, Error, Path, Principal, Problem, Query};
use serde::{Deserialize, Serialize};

use crate::jobs;

/// The sources, with what came from them
#[utoipa::path(get, path = "/api/sources", tag = "settings", responses(
    (status = 200, description = "The sources, by name", body = Vec<Source>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_sources(State(db): State<Db>, _: Editor) -> Result<Response, Error> {
    let mut told = Vec::new();
    for job in nexus_db::jobs::list(&db).await? {
        let Some(name) = source_of(&job.name).map(str::to_owned) else { continue };
        let records = sources::records_of(&db, &name).await?;
        told.push(Source { name, enabled: job.enabled, job: job.name, records });
    }
    nexus_web::json(&told)
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Leaving {
    /// What becomes of the records that came from it: `keep` (they stay, and people alone change them) or `archive` (whoever
    /// adds the source again gets them back with their ids).
    #[param(required = true, example = "keep")]
    records: Option<String>,
}

/// What came of taking a source away.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Left {
    /// The change set that archived its records, which can be undone; null: none was archived.
    changeset_id: Option<i64>,
    /// Records archived.
    archived: u64,
}

/// Take a source away: its job is disabled, its plans are off the table, and its records stay or go
#[utoipa::path(delete, path = "/api/sources/{name}", tag = "settings",
    params(("name" = String, Path, description = "The source"), Leaving), responses(
    (status = 200, description = "Taken away", body = Left),
    (status = 400, description = "Whether its records stay is not said", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "There is no such source", body = Problem),
    (status = 409, description = "A run of its job is going", body = Problem),
    (status = 503, description = "The timer cannot be set; the source is as it was", body = Problem),
))]
pub(crate) async fn remove_source(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    Admin(principal): Admin,
    Path(name): Path<String>,
    Query(leaving): Query<Leaving>,
) -> Result<Response, Error> {
    let archive = match leaving.records.as_deref() {
        Some("keep") => false,
        Some("archive") => true,
        _ => {
            let text = "say what becomes of its records: keep or archive";
            return Err(Error::fields(vec![FieldError::new("records", text)]));
        }
    };
    let done = take_away(&db, &bus, &principal, &name, archive, Origin::Api).await?;
    nexus_web::json(&Left { changeset_id: done.changeset_id, archived: done.records.len() as u64 })
}

/// Takes a source away; `archive`: with the records that came from it alone.
pub(crate) async fn take_away(
    db: &Db,
    bus: &Bus,
    principal: &Principal,
    name: &str,
    archive: bool,
    origin: Origin,
) -> Result<Done, Error> {
    let all = nexus_db::jobs::list(db).await?;
    let job = all.into_iter().map(|job| job.name).find(|job| source_of(job) == Some(name));
    let job = job.ok_or(Error::NotFound("There is no such source"))?;
    if let Some(going) = runs::list(db, Some(&job), Some(RunState::Running), 1, 0).await?.first() {
        return Err(Error::Conflict(format!("Run {} of {job} is going; cancel it first", going.id)));
    }
    jobs::set(db, bus, principal, &job, JobChanges { enabled: Some(false), ..JobChanges::default() }).await?;
    let deed = principal.deed(origin, format!("Source {name} taken away"));
    let done = changes::leave_source(db, &deed, name, archive).await?;
    tracing::info!(source = name, archived = done.records.len(), by = principal.account.username, "source taken away");
    Ok(done)
}
