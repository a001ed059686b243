//! Entity tags (RFC 9110, sections 8.8.3 and 13.1): of a record its version, and what of its answer the version does not
//! cover; of a list its content.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Uri};
use nexus_core::Scope;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The tag of a version, as a change answers it.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The tag of an answer: what a record shows may change without its version, such as the companies of a contact.
#[must_use]
pub(crate) fn etag_of(version: Option<i64>, body: &str) -> String {
    let digest = URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..12]);
    version.map_or_else(|| format!("\"{digest}\""), |version| format!("\"{version}.{digest}\""))
}

/// The tag of a list: what is asked, by whom, at which revision of the directory, of which version of Nexus.
#[must_use]
pub(crate) fn list_tag(revision: i64, uri: &Uri, scope: &Scope) -> String {
    let asked = format!("{} {uri} {scope:?}", env!("CARGO_PKG_VERSION"));
    format!("\"r{revision}.{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(asked)[..9]))
}

/// Whether the caller has this version already (`If-None-Match`).
#[must_use]
pub(crate) fn not_modified(headers: &HeaderMap, tag: &str) -> bool {
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
        let given = parts.headers.get(IF_MATCH).map(|value| value.to_str().unwrap_or_default().trim());
        Ok(Self(given.filter(|tag| *tag != "*").map(|tag| version(tag).ok_or(()))))
    }
}

/// The version of a tag of ours. A weak one never matches.
fn version(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    tag.split_once('.').map_or(tag, |(version, _)| version).parse().ok()
}
