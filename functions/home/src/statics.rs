//! The files that pages load. Their address carries the version of Nexus, so they may be kept for ever.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use nexus_web::{Error, Path};

pub(crate) async fn serve(Path(name): Path<String>) -> Result<Response, Error> {
    let (kind, body) = match name.as_str() {
        "nexus.css" => ("text/css; charset=utf-8", include_str!("../../../templates/static/nexus.css")),
        "icon.svg" => ("image/svg+xml", include_str!("../../../templates/static/icon.svg")),
        _ => return Err(Error::NotFound("There is nothing at this path")),
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], body).into_response())
}
