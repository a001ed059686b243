//! Plans and features, jobs and when they run.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/plans`, `/api/features`, and one by `/{id}` | A T B | read |
//! | POST `/api/plans`, `/api/features` | A | create |
//! | GET `/api/jobs` | A T | jobs, their next and last runs |
//! | PUT `/api/jobs/{name}` | A | schedule, on and off |
//! | POST `/api/jobs/{name}/runs` | A T | run it now |
//! | PUT, DELETE `/api/plans/{id}`, `/api/features/{id}`, POST `…/restore` | A | change, archive, bring back |

mod edit;
mod features;
mod jobs;
mod plans;
mod schema;

use axum::Extension;
use axum::extract::FromRef;
use nexus_db::Db;
use nexus_events::Bus;
use nexus_web::Auth;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this group. What is asked of jobs goes out on the bus.
pub fn router<S>(bus: Bus) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(jobs::list_jobs))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(jobs::update_job))
                .routes(routes!(jobs::request_run))
                .layer(Extension(bus)),
        )
        .routes(routes!(plans::list_plans, plans::create_plan))
        .routes(routes!(plans::get_plan, plans::update_plan, plans::archive_plan))
        .routes(routes!(plans::restore_plan))
        .routes(routes!(features::list_features, features::create_feature))
        .routes(routes!(features::get_feature, features::update_feature, features::archive_feature))
        .routes(routes!(features::restore_feature))
}
