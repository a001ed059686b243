//! The files that pages load. Their address carries the version of Nexus, or that of Swagger UI, so they may be kept for
//! ever.

use std::io::Read as _;

use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use nexus_web::{Error, Path};

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// What `build.rs` made of a file of Swagger UI.
macro_rules! zipped {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"))
    };
}

pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let (kind, body) = match name.as_str() {
        "nexus.css" => (CSS, include_str!("../../../templates/static/nexus.css").into_response()),
        "icon.svg" => ("image/svg+xml", include_str!("../../../templates/static/icon.svg").into_response()),
        "docs.css" => (CSS, include_str!("../../../templates/static/docs.css").into_response()),
        "docs.js" => (JAVASCRIPT, include_str!("../../../templates/static/docs.js").into_response()),
        "swagger-ui.css" => (CSS, unzipped(zipped!("swagger-ui.css"), &headers)?),
        "swagger-ui-bundle.js" => (JAVASCRIPT, unzipped(zipped!("swagger-ui-bundle.js"), &headers)?),
        _ => return Err(Error::NotFound("There is nothing at this path")),
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], body).into_response())
}

/// A file that is held compressed: as it is for a caller that reads gzip, as every browser does.
fn unzipped(gzip: &'static [u8], headers: &HeaderMap) -> Result<Response, Error> {
    let vary = (VARY, "accept-encoding");
    if reads_gzip(headers) {
        return Ok(([vary, (CONTENT_ENCODING, "gzip")], gzip).into_response());
    }
    let mut plain = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut plain).map_err(|error| {
        tracing::error!(%error, "a file of Swagger UI cannot be unpacked");
        Error::Internal
    })?;
    Ok(([vary], plain).into_response())
}

/// Whether the caller says that it reads gzip (RFC 9110, section 12.5.3).
fn reads_gzip(headers: &HeaderMap) -> bool {
    let given = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<_> = given
        .flat_map(|value| value.split(','))
        .map(|one| {
            let (coding, weight) = one.split_once(';').unwrap_or((one, "q=1"));
            (coding.trim(), weight.trim().trim_start_matches(['q', 'Q', '=']).parse().unwrap_or(0.0_f32))
        })
        .collect();
    let weight = |wanted: &str| codings.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(wanted));
    weight("gzip").or_else(|| weight("*")).is_some_and(|(_, weight)| *weight > 0.0)
}
