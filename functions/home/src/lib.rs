//! The front door.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/` | A T B C | page: overview; a client's own companies |
//! | GET `/search`, `/search/hits` | A T B, C for its own | page: what was found; the same below the search |
//! | GET `/api/search` | A T B, C for its own | companies, people and devices by any of their texts |
//! | GET `/healthz` | anyone | whether Nexus and its database answer |
//! | GET `/static/{name}` | anyone | style sheets, icon, scripts of `/api/docs` |
//! | GET `/api/openapi.json` | anyone | the OpenAPI document |
//! | GET `/api/docs` | anyone | page: the OpenAPI document, with forms that call the API |

mod api;
mod charts;
mod docs;
mod find;
mod pages;
mod search;
mod statics;
mod store;

use axum::extract::FromRef;
use axum::routing::get;
use nexus_db::Db;
use nexus_web::Auth;
use nexus_web::routes;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this group.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(api::health))
        .routes(routes!(api::openapi))
        .routes(routes!(search::search))
        .routes(routes!(docs::show))
        .route("/", get(pages::overview))
        .route("/search", get(find::show))
        .route("/search/hits", get(find::hits))
        .route("/static/{name}", get(statics::serve))
}
