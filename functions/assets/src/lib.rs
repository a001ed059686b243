//! Assets: the devices of the companies.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/assets` | A T B | list: `company_account_number`, `hostname`, and what every list takes |
//! | POST `/api/assets` | A T | create |
//! | GET `/api/assets/{id}` | A T B | one, with `ETag` |
//! | PUT `/api/assets/{id}` | A T | change some fields |
//! | DELETE `/api/assets/{id}`, POST `…/restore` | A T | archive, bring back |
//! | PUT, DELETE `/api/assets/{id}/pins/{field}` | A T | pin, release |
//! | GET `/assets`, `/assets/choices`, `/assets.csv` | A T B, C for its own | page: list, its filters and columns, the same as a file |
//! | POST `/assets/bulk` | A T | change many |
//! | GET, POST `/assets/new`, `/assets/{id}/edit` | A T | page: add, change |
//! | GET `/assets/{id}` | A T B, C for its own | page: one |
//! | POST `/assets/{id}/archive`, `/pin` | A T | archive; pin or release a field |
//! | GET `/assets/{id}/contacts`, POST `/assets/{id}/link` | A T | page: who is linked; link and unlink |
//! | GET `/assets/{id}/history` | A T | page: what happened to it |

mod api;
mod edit;
mod grid;
mod pages;
mod people;
mod schema;
mod store;

use axum::extract::FromRef;
use axum::routing::{get, post};
use nexus_db::Db;
use nexus_web::Auth;
use nexus_web::routes;
use utoipa_axum::router::OpenApiRouter;

use crate::grid::GRID;

/// The routes of this group.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(api::list_assets, api::create_asset))
        .routes(routes!(api::get_asset, api::update_asset, api::archive_asset))
        .routes(routes!(api::restore_asset))
        .routes(routes!(api::pin_asset_field, api::release_asset_field))
        .route("/assets", nexus_web::grid::list(&GRID))
        .route("/assets.csv", nexus_web::grid::csv(&GRID))
        .route("/assets/choices", nexus_web::grid::choices(&GRID))
        .route("/assets/bulk", post(pages::bulk))
        .route("/assets/new", get(pages::new_form).post(pages::create))
        .route("/assets/{id}", get(pages::show))
        .route("/assets/{id}/edit", get(pages::edit_form).post(pages::edit))
        .route("/assets/{id}/archive", post(pages::archive))
        .route("/assets/{id}/pin", post(pages::pin))
        .route("/assets/{id}/contacts", get(people::show))
        .route("/assets/{id}/link", post(people::change))
        .route("/assets/{id}/history", get(pages::history))
}
