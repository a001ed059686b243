//! What people took out of plans, and letting it be proposed again.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use nexus_core::Entity;
use nexus_core::sync::Refusal;
use nexus_db::{Db, refusals};
use nexus_web::{Editor, Error, Path, Principal, Problem};

/// What people took out of plans
#[utoipa::path(get, path = "/api/sync/refusals", tag = "sync", responses(
    (status = 200, description = "The newest first", body = Vec<Refusal>),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_refusals(State(db): State<Db>, _: Editor) -> Result<Response, Error> {
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
