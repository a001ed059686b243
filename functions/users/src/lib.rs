//! Portal users, service accounts and their API keys.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET, POST `/api/users` | A | list, create |
//! | GET, PUT, DELETE `/api/users/{id}`, POST `…/restore` | A | one |
//! | GET, POST `/api/users/{id}/keys` | A | API keys of a service account; a new one is shown once |
//! | DELETE `/api/keys/{key_id}` | A | takes a key out of use |
//! | GET `/settings/users` | A | page: list |
//! | GET, POST `/settings/users/new`, `/settings/users/{id}/edit` | A | pages: add, change |
//! | GET `/settings/users/{id}` | A | page: one, with its keys |
//! | POST `/settings/users/{id}/archive`, `/restore` | A | archive, bring back |
//! | POST `/settings/users/{id}/keys` | A | a new key of a service account, which is shown once |
//! | GET `/settings/keys`, POST `/settings/keys/{key_id}/revoke` | A | page: the keys of all; take one out of use |

mod api;
mod edit;
mod key_pages;
mod keys;
mod pages;
mod schema;
mod store;

use axum::extract::FromRef;
use axum::routing::{get, post};
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
        .routes(routes!(api::list_users, api::create_user))
        .routes(routes!(api::get_user, api::update_user, api::archive_user))
        .routes(routes!(api::restore_user))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::revoke_key))
        .route("/settings/users", get(pages::list))
        .route("/settings/users/new", get(pages::new_form).post(pages::create))
        .route("/settings/users/{id}", get(key_pages::show))
        .route("/settings/users/{id}/edit", get(pages::edit_form).post(pages::edit))
        .route("/settings/users/{id}/archive", post(pages::archive))
        .route("/settings/users/{id}/restore", post(pages::restore))
        .route("/settings/users/{id}/keys", post(key_pages::create))
        .route("/settings/keys", get(key_pages::list))
        .route("/settings/keys/{key_id}/revoke", post(key_pages::revoke))
}
