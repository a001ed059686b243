//! Reading runs.

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use nexus_core::FieldError;
use nexus_core::sync::{Run, RunState};
use nexus_db::{Db, runs};
use nexus_web::{Editor, Error, Pages, Path, Principal, Problem, Query};
use serde::Deserialize;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only runs of this job.
    job: Option<String>,
    /// Only runs of this state.
    state: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pages: Pages,
}

/// Read together for a list without pages.
const TOGETHER: i64 = 200;

/// Runs, newest first
#[utoipa::path(get, path = "/api/sync/runs", tag = "sync", params(Filter, Pages), responses(
    (status = 200, description = "The runs, without their logs; with paging `Link` and `X-Total-Count`", body = Vec<Run>),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_runs(
    State(db): State<Db>,
    _: Editor,
    Query(filter): Query<Filter>,
    uri: Uri,
) -> Result<Response, Error> {
    let Filter { job, state, pages } = filter;
    let state = state.as_deref().map(|word| RunState::parse(word).ok_or_else(unknown_state)).transpose()?;
    let Some(page) = pages.paging()? else {
        return Ok(nexus_web::json_newest_first(
            |run: &Run| run.id,
            move |before| {
                let (db, job) = (db.clone(), job.clone());
                async move { Ok(runs::list_before(&db, (job.as_deref(), state), before, TOGETHER).await?) }
            },
        ));
    };
    let runs = runs::list(&db, job.as_deref(), state, page.per_page, page.offset()).await?;
    page.respond_with(&uri, runs::count(&db, job.as_deref(), state).await?, &runs)
}

fn unknown_state() -> Error {
    let allowed = RunState::ALL.map(RunState::as_str).join(", ");
    Error::fields(vec![FieldError::new("state", format!("must be one of {allowed}"))])
}

/// One run
#[utoipa::path(get, path = "/api/sync/runs/{id}", tag = "sync",
    params(("id" = i64, Path, description = "Run")), responses(
    (status = 200, description = "The run with its log", body = Run), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem),
))]
pub(crate) async fn get_run(State(db): State<Db>, _: Editor, Path(id): Path<i64>) -> Result<Response, Error> {
    nexus_web::json(&find(&db, id).await?)
}

/// End a run that is going; the directory stays as it was
#[utoipa::path(post, path = "/api/sync/runs/{id}/cancel", tag = "sync",
    params(("id" = i64, Path, description = "Run")), responses(
    (status = 200, description = "The run as it ended", body = Run), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, description = "The run is not going", body = Problem),
))]
pub(crate) async fn cancel_run(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    cancel(&db, &principal, id).await?;
    nexus_web::json(&find(&db, id).await?)
}

/// Ends a run that is going.
pub(crate) async fn cancel(db: &Db, principal: &Principal, id: i64) -> Result<(), Error> {
    find(db, id).await?;
    if runs::cancel(db, id, &principal.account.username).await? {
        Ok(())
    } else {
        Err(Error::Conflict("The run is not going".into()))
    }
}

pub(crate) async fn find(db: &Db, id: i64) -> Result<Run, Error> {
    runs::find(db, id).await?.ok_or(Error::NotFound("Run not found"))
}
