//! Companies, their locations, and what belongs to them.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/companies` | A T B | list: `freshservice_id`, and what every list takes |
//! | POST `/api/companies` | A T | create |
//! | GET `/api/companies/{account_number}` | A T B, C for its own | one, with `ETag` |
//! | PUT `/api/companies/{account_number}` | A T | change some fields |
//! | DELETE `/api/companies/{account_number}`, POST `…/restore` | A T | archive, bring back |
//! | PUT, DELETE `/api/companies/{account_number}/pins/{field}` | A T | pin, release |
//! | GET `/api/companies/{account_number}/assets`, `/contacts`, `/locations`, `/features` | A T B, C for its own | its parts |
//! | GET `/api/companies/{account_number}/users` | A T, C for its own | its portal users |
//! | PUT, DELETE `/api/companies/{account_number}/features/{feature_id}` | A T | its own value of a feature |
//! | PUT, DELETE `/api/companies/{account_number}/sites/{site_uid}` | A T | tie a Datto site to it |
//! | GET `/api/companies/bulk`, `/api/billing_summary` | A T B | everything in one answer |
//! | GET, POST `/api/locations` | A T (B reads) | list, create |
//! | GET, PUT, DELETE `/api/locations/{id}`, POST `…/restore` | A T (B reads) | one |
//! | GET `/companies`, `/companies/choices`, `/companies.csv` | A T B | page: list |
//! | GET, POST `/companies/new` | A T | page: add |
//! | GET `/companies/{account_number}` | A T B, C for its own | page: one |
//! | GET, POST `/companies/{account_number}/edit` | A T | page: change |
//! | POST `/companies/{account_number}/archive`, `/pin` | A T | archive; pin or release a field |
//! | POST `/companies/bulk` | A T | change many |
//! | GET `/companies/{account_number}/locations` | A T B | page: its places, or those that are archived |
//! | GET, POST `…/locations/new`, `…/locations/{id}/edit`, POST `…/locations/{id}/archive`, `/restore`, `/pin` | A T | page: add, change one; archive it, bring it back; pin or release a field |
//! | GET, POST `/companies/{account_number}/features` | A T (B reads) | page: its plan and what it has of its own |
//! | GET `/companies/{account_number}/users` | A T | page: its portal users |
//! | GET `/companies/{account_number}/history` | A T | page: what happened to it |

mod api;
mod billing;
mod edit;
mod grid;
mod locations;
mod pages;
mod parts;
mod places;
mod schema;
mod sites;
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
        .routes(routes!(api::list_companies, api::create_company))
        .routes(routes!(api::get_company, api::update_company, api::archive_company))
        .routes(routes!(api::restore_company))
        .routes(routes!(api::pin_company_field, api::release_company_field))
        .routes(routes!(parts::list_company_assets))
        .routes(routes!(parts::list_company_contacts))
        .routes(routes!(parts::list_company_locations))
        .routes(routes!(parts::list_company_users))
        .routes(routes!(parts::list_company_features))
        .routes(routes!(parts::set_company_feature, parts::clear_company_feature))
        .routes(routes!(sites::tie_site, sites::untie_site))
        .routes(routes!(billing::list_whole_companies))
        .routes(routes!(billing::billing_summary))
        .routes(routes!(locations::list_locations, locations::create_location))
        .routes(routes!(locations::get_location, locations::update_location, locations::archive_location))
        .routes(routes!(locations::restore_location))
        .route("/companies", nexus_web::grid::list(&GRID))
        .route("/companies.csv", nexus_web::grid::csv(&GRID))
        .route("/companies/choices", nexus_web::grid::choices(&GRID))
        .route("/companies/bulk", post(pages::bulk))
        .route("/companies/new", get(pages::new_form).post(pages::create))
        .route("/companies/{account_number}", get(pages::show))
        .route("/companies/{account_number}/edit", get(pages::edit_form).post(pages::edit))
        .route("/companies/{account_number}/archive", post(pages::archive))
        .route("/companies/{account_number}/pin", post(pages::pin))
        .route("/companies/{account_number}/locations", get(places::locations))
        .route("/companies/{account_number}/locations/new", get(places::new_location).post(places::create_location))
        .route(
            "/companies/{account_number}/locations/{id}/edit",
            get(places::edit_location).post(places::update_location),
        )
        .route("/companies/{account_number}/locations/{id}/archive", post(places::archive_location))
        .route("/companies/{account_number}/locations/{id}/restore", post(places::restore_location))
        .route("/companies/{account_number}/locations/{id}/pin", post(places::pin_location))
        .route("/companies/{account_number}/features", get(places::features).post(places::set_features))
        .route("/companies/{account_number}/users", get(places::users))
        .route("/companies/{account_number}/history", get(places::history))
}
