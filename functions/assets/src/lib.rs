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

mod api;
mod edit;
mod schema;
mod store;

use axum::extract::FromRef;
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
        .routes(routes!(api::list_assets, api::create_asset))
        .routes(routes!(api::get_asset, api::update_asset, api::archive_asset))
        .routes(routes!(api::restore_asset))
        .routes(routes!(api::pin_asset_field, api::release_asset_field))
}
