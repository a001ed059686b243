//! Who somebody is: tokens for services, sessions for people.
//!
//! | route | who | does |
//! |---|---|---|
//! | POST `/api/token` | anyone | a JWT for a name and a password |
//! | GET `/.well-known/jwks.json` | anyone | the public keys that verify our tokens |
//! | GET, POST `/login` | anyone | begins a session |
//! | POST `/logout` | anyone | ends it |
//! | GET, POST `/password` | whoever is logged in | another password |
//! | POST `/theme` | anyone | light, dark, or as the device |

mod api;
mod pages;
mod password;

use axum::extract::FromRef;
use axum::routing::{get, post};
use nexus_web::Auth;
use nexus_web::routes;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this group.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(api::create_token))
        .routes(routes!(api::public_keys))
        .route("/login", get(pages::login_form).post(pages::login))
        .route("/logout", post(pages::logout))
        .route("/password", get(password::form).post(password::change))
        .route("/theme", post(pages::theme))
}
