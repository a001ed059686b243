//! Contacts.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET `/api/contacts` | A T B | list: `email`, `company_account_number`, `active`, and what every list takes |
//! | POST `/api/contacts` | A T | create |
//! | GET `/api/contacts/{id}` | A T | one, with `ETag` |
//! | PUT `/api/contacts/{id}` | A T | change some fields |
//! | DELETE `/api/contacts/{id}`, POST `…/restore` | A T | archive, bring back |
//! | PUT, DELETE `/api/contacts/{id}/pins/{field}` | A T | pin, release |
//! | GET `/contacts`, `/contacts/choices`, `/contacts.csv` | A T B | page: list |
//! | GET, POST `/contacts/new` | A T | page: add |
//! | GET `/contacts/{id}` | A T B | page: one |
//! | GET, POST `/contacts/{id}/edit` | A T | page: change |
//! | POST `/contacts/{id}/archive`, `/pin` | A T | archive; pin or release a field |
//! | POST `/contacts/bulk` | A T | change many |
//! | GET `/contacts/{id}/history` | A T | page: what happened to it |

mod api;
mod edit;
mod grid;
mod pages;
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
        .routes(routes!(api::list_contacts, api::create_contact))
        .routes(routes!(api::get_contact, api::update_contact, api::archive_contact))
        .routes(routes!(api::restore_contact))
        .routes(routes!(api::pin_contact_field, api::release_contact_field))
        .route("/contacts", nexus_web::grid::list(&GRID))
        .route("/contacts.csv", nexus_web::grid::csv(&GRID))
        .route("/contacts/choices", nexus_web::grid::choices(&GRID))
        .route("/contacts/bulk", post(pages::bulk))
        .route("/contacts/new", get(pages::new_form).post(pages::create))
        .route("/contacts/{id}", get(pages::show))
        .route("/contacts/{id}/edit", get(pages::edit_form).post(pages::edit))
        .route("/contacts/{id}/archive", post(pages::archive))
        .route("/contacts/{id}/pin", post(pages::pin))
        .route("/contacts/{id}/history", get(pages::history))
}
