//! Sync runs and the plans that come of them, review, history, undo.
//!
//! | route | who | does |
//! |---|---|---|
//! | POST `/api/sync/runs` | service account | a job begins |
//! | PUT `/api/sync/runs/{id}/observations/{n}` | service account | a batch of what the source has |
//! | PUT `/api/sync/runs/{id}/progress` | service account | the run lives |
//! | PUT `/api/sync/runs/{id}/kept` | service account | what the job wants to know next time |
//! | POST `/api/sync/runs/{id}/complete` | service account | plan, judge, apply or hold |
//! | GET `/api/sync/runs`, `/api/sync/runs/{id}` | A T | runs |
//! | POST `/api/sync/runs/{id}/cancel` | A T | end a run that is going |
//! | GET `/api/changesets`, `/api/changesets/{id}` | A T | plans and history |
//! | POST `/api/changesets/{id}/apply`, `/reject`, `/revert` | A T | decide, undo |
//! | GET, DELETE `/api/sync/refusals…` | A T | what was taken out of plans; let it be proposed again |
//! | GET `/api/changes` | A T B, C for its own | the feed |
//! | GET `/sync`, `/sync/runs/{id}` | A T | pages: runs and what waits; one run, live while it goes |
//! | POST `/sync/runs/{id}/cancel` | A T | end a run that is going |
//! | GET, POST `/sync/plans/{id}` | A T | page: review of a plan, later its result; POST: another page of it, ticks kept |
//! | POST `/sync/plans/{id}/apply`, `/reject` | A T | decide |
//! | GET `/sync/refusals`, POST `…/again` | A T | page: what was taken out of plans; let it be proposed again |
//! | GET `/history`, `/history/sets/{id}` | A T | pages: all change sets, one of them |
//! | GET `/history/records/{entity}/{id}` | A T (users, plans, features: A) | page: what happened to a record, live or archived |
//! | POST `/history/sets/{id}/undo`, `/history/changes/{id}/undo` | A T | undo a change set, a change |
//!
//! The way of a run: `protocol` takes it in, `planning` and `plan` make the plan by the rules of `policy`, and
//! `nexus_db::changes` applies exactly the stored rows.

mod changesets;
mod decisions;
mod feed;
mod known;
mod pages;
mod plan;
mod planning;
mod policy;
mod protocol;
mod refusals;
mod report;
mod runs;

use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post};
use nexus_db::Db;
use nexus_web::Auth;
use nexus_web::routes;
use utoipa_axum::router::OpenApiRouter;

/// A batch of 1,000 records may be larger than other bodies. API Gateway takes 6 MB.
const BATCH_BYTES: usize = 5 * 1024 * 1024;

/// The routes of this group.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    let protocol = OpenApiRouter::new()
        .routes(routes!(protocol::put_observations))
        .routes(routes!(protocol::put_progress))
        .routes(routes!(protocol::put_kept))
        .routes(routes!(protocol::complete_run))
        .layer(DefaultBodyLimit::max(BATCH_BYTES));
    OpenApiRouter::new()
        .routes(routes!(runs::list_runs, protocol::start_run))
        .routes(routes!(runs::get_run))
        .routes(routes!(runs::cancel_run))
        .merge(protocol)
        .routes(routes!(changesets::list_changesets))
        .routes(routes!(changesets::get_changeset))
        .routes(routes!(changesets::apply_changeset))
        .routes(routes!(changesets::reject_changeset))
        .routes(routes!(changesets::revert_changeset))
        .routes(routes!(refusals::list_refusals))
        .routes(routes!(refusals::forget_refusal))
        .routes(routes!(feed::list_changes))
        .route("/sync", get(pages::runs::list))
        .route("/sync/runs/{id}", get(pages::runs::show))
        .route("/sync/runs/{id}/cancel", post(pages::runs::cancel))
        .route("/sync/plans/{id}", get(pages::plans::show).post(pages::plans::look))
        .route("/sync/plans/{id}/apply", post(pages::plans::apply))
        .route("/sync/plans/{id}/reject", post(pages::plans::reject))
        .route("/sync/refusals", get(pages::refusals::list))
        .route("/sync/refusals/again", post(pages::refusals::forget))
        .route("/history", get(pages::history::list))
        .route("/history/records/{entity}/{id}", get(pages::history::of_record))
        .route("/history/sets/{id}", get(pages::history::show))
        .route("/history/sets/{id}/undo", post(pages::history::undo_set))
        .route("/history/changes/{id}/undo", post(pages::history::undo_change))
}
