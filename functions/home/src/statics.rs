//! The files that pages load. Each is named by its content, so it may be kept for ever.

use std::io::Read as _;

use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use nexus_web::{Error, Path, statics};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file, compressed as it is held for a caller that reads gzip, as every browser does.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let file = statics::file(&name).ok_or(Error::NotFound("There is nothing at this path"))?;
    let told = [(CONTENT_TYPE, file.kind), (CACHE_CONTROL, FOR_EVER), (VARY, "accept-encoding")];
    if reads_gzip(&headers) {
        return Ok((told, [(CONTENT_ENCODING, "gzip")], file.gzip).into_response());
    }
    let mut plain = Vec::new();
    GzDecoder::new(file.gzip).read_to_end(&mut plain).map_err(|error| {
        tracing::error!(%error, name, "a file cannot be unpacked");
        Error::Internal
    })?;
    Ok((told, plain).into_response())
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
