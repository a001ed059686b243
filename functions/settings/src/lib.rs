//! Plans and features, jobs and when they run, connectors.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/plans`, `/api/features`, and one by `/{id}` | A T B | read |
//! | POST `/api/plans`, `/api/features` | A | create |
//! | GET `/api/jobs` | A T | jobs, their next and last runs |
//! | PUT `/api/jobs/{name}` | A | schedule, on and off |
//! | POST `/api/jobs/{name}/runs` | A T | run it now |
//! | GET `/api/sources`, DELETE `/api/sources/{name}` | A T, A | what came from where; take a source away |
//! | PUT, DELETE `/api/plans/{id}`, `/api/features/{id}`, POST `…/restore` | A | change, archive, bring back |
//! | GET `/settings`, `/settings/jobs` | A T | pages: the settings begin with the jobs |
//! | GET, POST `/settings/jobs/{name}` | A T, A | page: its last runs and when it runs; set that |
//! | POST `/settings/jobs/{name}/run` | A T | run it now, or only look |
//! | GET `/settings/plans`, `/settings/features` | A | pages: lists |
//! | GET, POST `/settings/plans/new`, `/settings/plans/{id}/edit`, and the same of features | A | pages: add, change |
//! | POST `/settings/plans/{id}/archive`, `/restore`, and the same of features | A | archive, bring back |
//! | GET `/settings/policies` | A T | page: which field follows which source |
//! | GET `/settings/connectors`, POST `/settings/connectors/{name}/test` | A T | page: the sources; try one by a dry run |
//! | GET, POST `/settings/connectors/{name}/remove` | A | page: asks before a source is taken away; take it away |

mod edit;
mod features;
mod jobs;
mod pages;
mod plans;
mod schema;
mod sources;
mod store;

use axum::Extension;
use axum::extract::FromRef;
use axum::routing::{get, post};
use nexus_db::Db;
use nexus_events::Bus;
use nexus_web::Auth;
use nexus_web::routes;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this group. What is asked of jobs goes out on the bus.
pub fn router<S>(bus: Bus) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(sources::list_sources))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(jobs::update_job))
                .routes(routes!(jobs::request_run))
                .routes(routes!(sources::remove_source))
                .route("/settings/jobs/{name}", get(pages::jobs::show).post(pages::jobs::set))
                .route("/settings/jobs/{name}/run", post(pages::jobs::run))
                .route("/settings/connectors/{name}/test", post(pages::connectors::test))
                .route(
                    "/settings/connectors/{name}/remove",
                    get(pages::connectors::remove_form).post(pages::connectors::remove),
                )
                .layer(Extension(bus)),
        )
        .routes(routes!(plans::list_plans, plans::create_plan))
        .routes(routes!(plans::get_plan, plans::update_plan, plans::archive_plan))
        .routes(routes!(plans::restore_plan))
        .routes(routes!(features::list_features, features::create_feature))
        .routes(routes!(features::get_feature, features::update_feature, features::archive_feature))
        .routes(routes!(features::restore_feature))
        .merge(pages())
}

/// The pages that ask nothing of jobs.
fn pages<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    use pages::{connectors, features, jobs, plans, policies};
    OpenApiRouter::new()
        .route("/settings", get(pages::begin))
        .route("/settings/jobs", get(jobs::list))
        .route("/settings/plans", get(plans::list))
        .route("/settings/plans/new", get(plans::new_form).post(plans::create))
        .route("/settings/plans/{id}/edit", get(plans::edit_form).post(plans::edit))
        .route("/settings/plans/{id}/archive", post(plans::archive))
        .route("/settings/plans/{id}/restore", post(plans::restore))
        .route("/settings/features", get(features::list))
        .route("/settings/features/new", get(features::new_form).post(features::create))
        .route("/settings/features/{id}/edit", get(features::edit_form).post(features::edit))
        .route("/settings/features/{id}/archive", post(features::archive))
        .route("/settings/features/{id}/restore", post(features::restore))
        .route("/settings/policies", get(policies::show))
        .route("/settings/connectors", get(connectors::list))
}
