//! Portal users, service accounts and their API keys.
//!
//! | route | who | does |
//! |---|---|---|
//! | GET, POST `/api/users` | A | list, create |
//! | GET, PUT, DELETE `/api/users/{id}`, POST `…/restore` | A | one |
//! | GET, POST `/api/users/{id}/keys` | A | API keys of a service account; a new one is shown once |
//! | DELETE `/api/keys/{key_id}` | A | takes a key out of use |

mod api;
mod edit;
mod keys;
mod schema;

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
        .routes(routes!(api::list_users, api::create_user))
        .routes(routes!(api::get_user, api::update_user, api::archive_user))
        .routes(routes!(api::restore_user))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::revoke_key))
}
