//! Where records come from: what came of each source, what was refused of it, and taking it away.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use nexus_core::sync::{Refusal, RunState, Source};
use nexus_core::{Entity, FieldError};
use nexus_db::changes::{self, Done, Origin};
use nexus_db::{Db, jobs, refusals, runs, sources};
use nexus_web::{Admin, Editor, Error, Path, Principal, Problem, Query};
use serde::{Deserialize, Serialize};

/// The sources, with what came from them
#[utoipa::path(get, path = "/api/sources", tag = "sync", responses(
    (status = 200, description = "The sources, by name", body = Vec<Source>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_sources(State(db): State<Db>, principal: Principal) -> Result<Response, Error> {
    principal.require_editor()?;
    let mut told = Vec::new();
    for job in jobs::list(&db).await? {
        let Some(name) = jobs::source_of(&job.name).map(str::to_owned) else { continue };
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
#[utoipa::path(delete, path = "/api/sources/{name}", tag = "sync",
    params(("name" = String, Path, description = "The source"), Leaving), responses(
    (status = 200, description = "Taken away", body = Left),
    (status = 400, description = "Whether its records stay is not said", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "There is no such source", body = Problem),
    (status = 409, description = "A run of its job is going", body = Problem),
))]
pub(crate) async fn remove_source(
    State(db): State<Db>,
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
    let done = take_away(&db, &principal, &name, archive, Origin::Api).await?;
    nexus_web::json(&Left { changeset_id: done.changeset_id, archived: done.records.len() as u64 })
}

/// Takes a source away; `archive`: with the records that came from it alone.
pub(crate) async fn take_away(
    db: &Db,
    principal: &Principal,
    name: &str,
    archive: bool,
    origin: Origin,
) -> Result<Done, Error> {
    let all = jobs::list(db).await?;
    let job = all.into_iter().map(|job| job.name).find(|job| jobs::source_of(job) == Some(name));
    let job = job.ok_or(Error::NotFound("There is no such source"))?;
    if let Some(going) = runs::list(db, Some(&job), Some(RunState::Running), 1, 0).await?.first() {
        return Err(Error::Conflict(format!("Run {} of {job} is going; cancel it first", going.id)));
    }
    jobs::update(db, &job, None, Some(false)).await?;
    let deed = principal.deed(origin, format!("Source {name} taken away"));
    let done = changes::leave_source(db, &deed, name, archive).await?;
    tracing::info!(source = name, archived = done.records.len(), by = principal.account.username, "source taken away");
    Ok(done)
}

/// What people took out of plans
#[utoipa::path(get, path = "/api/sync/refusals", tag = "sync", responses(
    (status = 200, description = "The newest first", body = Vec<Refusal>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_refusals(State(db): State<Db>, principal: Principal) -> Result<Response, Error> {
    principal.require_editor()?;
    let told = refusals::list(&db).await?.into_iter().map(|one| Refusal {
        missing: one.hash == refusals::MISSING,
        source: one.source,
        entity: one.entity,
        external_id: one.external_id,
        refused_by: one.refused_by,
        refused_at: one.refused_at,
    });
    nexus_web::json(&told.collect::<Vec<_>>())
}

/// Let something be proposed again
#[utoipa::path(delete, path = "/api/sync/refusals/{source}/{entity}/{external_id}", tag = "sync",
    params(("source" = String, Path, description = "The source"), ("entity" = Entity, Path, description = "Kind of record"),
        ("external_id" = String, Path, description = "The source's id of it")), responses(
    (status = 204, description = "The next run proposes it again"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "It was not refused", body = Problem),
))]
pub(crate) async fn forget_refusal(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path((source, entity, external_id)): Path<(String, String, String)>,
) -> Result<StatusCode, Error> {
    forget(&db, &principal, &source, &entity, &external_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a refusal back.
pub(crate) async fn forget(
    db: &Db,
    principal: &Principal,
    source: &str,
    entity: &str,
    external_id: &str,
) -> Result<(), Error> {
    let mut tx = db.write().await?;
    if refusals::forget(&mut tx, source, entity, &[external_id]).await? == 0 {
        return Err(Error::NotFound("It was not refused"));
    }
    tx.commit().await?;
    tracing::info!(source, entity, external_id, by = principal.account.username, "a refusal was taken back");
    Ok(())
}
