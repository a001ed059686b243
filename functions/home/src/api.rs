//! Health and the OpenAPI document.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use nexus_db::{Db, Query};
use nexus_web::{Error, json_text};
use serde::Serialize;

/// What `local-runner openapi` wrote; a test holds it against the routers.
const OPENAPI: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// How Nexus is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// Version of Nexus.
    version: &'static str,
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// Why it is not well.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Whether Nexus and its database answer
#[utoipa::path(get, path = "/healthz", tag = "home", security(()), responses(
    (status = 200, description = "They do", body = Health),
    (status = 503, description = "The database does not", body = Health),
))]
pub(crate) async fn health(State(db): State<Db>) -> Result<Response, Error> {
    let asked = db.one::<(i64,)>(Query::new("SELECT value FROM sequences WHERE name = 'feed'")).await;
    let (status, word, reason) = match asked {
        Ok(_) => (StatusCode::OK, "ok", None),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some("the database does not answer".to_owned()))
        }
    };
    let health = Health { status: word, version: env!("CARGO_PKG_VERSION"), database: db.dialect().as_str(), reason };
    Ok((status, [(CACHE_CONTROL, "no-store")], nexus_web::json(&health)?).into_response())
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "home", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = serde_json::Value),
))]
pub(crate) async fn openapi() -> Response {
    json_text(OPENAPI.to_owned())
}
