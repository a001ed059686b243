//! One record as the store gives it to an answer.

use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use nexus_db::{Db, Query};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::etag::{etag_of, not_modified};
use crate::{json_text, page};

/// A live record: its id, its version and its JSON.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    /// Id.
    pub id: i64,
    /// Version.
    pub version: i64,
    /// The record as the API sends it.
    pub json: String,
}

impl Found {
    /// The live record of `table` (alias `t`) for which `condition`, with one `{}` for its argument, holds; `body` is the
    /// SQL of its JSON.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(
        db: &Db,
        table: &str,
        body: &str,
        condition: &str,
        value: impl Into<nexus_db::Arg>,
    ) -> Result<Option<Self>, Error> {
        let (before, after) = condition.split_once("{}").unwrap_or((condition, ""));
        let query = Query::new(format!("SELECT t.id, t.version, {body} AS json FROM {table} t WHERE {before}"))
            .arg(value)
            .push(after)
            .push(" AND t.archived_at IS NULL");
        Ok(db.optional(query).await?)
    }

    /// The record as the answer to a GET, or that the caller has it already.
    #[must_use]
    pub fn respond(self, headers: &HeaderMap) -> Response {
        let tag = etag_of(Some(self.version), &self.json);
        if not_modified(headers, &tag) {
            return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
        }
        ([(ETAG, tag)], json_text(self.json)).into_response()
    }

    /// The record, read.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is not what it should be, which is logged.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        page::record(&self.json)
    }
}
