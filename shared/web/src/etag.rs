//! A record's version as its entity tag (RFC 9110, sections 8.8.3 and 13.1).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;

use crate::error::Error;

/// The tag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Whether the caller has this version already (`If-None-Match`).
#[must_use]
pub fn not_modified(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// The version that the caller saw (`If-Match`); none: any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(Option<Result<i64, ()>>);

impl IfMatch {
    /// The version to check, if one was named.
    ///
    /// # Errors
    /// The header holds no version of ours, so no record can match it.
    pub fn version(self) -> Result<Option<i64>, Error> {
        self.0.transpose().map_err(|()| Error::Stale("If-Match names no version of this record".into()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let given = parts.headers.get(IF_MATCH).and_then(|value| value.to_str().ok()).map(str::trim);
        Ok(Self(given.filter(|tag| *tag != "*").map(|tag| tag.trim_matches('"').parse().map_err(|_| ()))))
    }
}
