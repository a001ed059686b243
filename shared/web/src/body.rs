//! JSON answers.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::error::Error;

/// A value as JSON.
///
/// # Errors
/// [`Error::Internal`] when it has no JSON form, which is logged.
pub fn json(value: &impl Serialize) -> Result<Response, Error> {
    serde_json::to_string(value).map(json_text).map_err(|error| {
        tracing::error!(%error, "an answer has no JSON form");
        Error::Internal
    })
}

/// A JSON text that the database has built, as it is.
#[must_use]
pub fn json_text(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
