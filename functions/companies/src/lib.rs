//! Companies.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/companies` | A T B | list: `freshservice_id`, `search`, `sort`, `order`, `page`, `per_page` |
//! | POST `/api/companies` | A T | create |
//! | GET `/api/companies/{account_number}` | A T B, C for its own | one, with `ETag` |
//! | PUT `/api/companies/{account_number}` | A T | change some fields |
//! | DELETE `/api/companies/{account_number}` | A T | archive |
//! | GET `/companies` | A T B | page: list |
//! | GET, POST `/companies/new` | A T | page: add |
//! | GET `/companies/{account_number}` | A T B | page: one, with its contacts |
//! | GET, POST `/companies/{account_number}/edit` | A T | page: change |
//! | POST `/companies/{account_number}/archive` | A T | archive |

mod api;
mod edit;
mod pages;
mod schema;
mod store;

use axum::extract::FromRef;
use axum::routing::{get, post};
use nexus_db::Db;
use nexus_web::Auth;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this group.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(api::list_companies, api::create_company))
        .routes(routes!(api::get_company, api::update_company, api::archive_company))
        .route("/companies", get(pages::list))
        .route("/companies/new", get(pages::new_form).post(pages::create))
        .route("/companies/{account_number}", get(pages::show))
        .route("/companies/{account_number}/edit", get(pages::edit_form).post(pages::edit))
        .route("/companies/{account_number}/archive", post(pages::archive))
}
