//! Answers that the database has built.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

/// A JSON text as it is.
pub fn json_text(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
