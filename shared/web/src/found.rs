//! One record as the store gives it to an answer.

use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query, bodies, scope};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::etag::{etag_of, not_modified};
use crate::{json_text, page};

/// A record: its id, its version and its JSON.
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
    /// The live record in sight for which `condition`, with one `{}` for its argument, holds; the table's alias is `t`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(
        db: &Db,
        entity: Entity,
        scope: &Scope,
        condition: &str,
        value: impl Into<nexus_db::Arg>,
    ) -> Result<Option<Self>, Error> {
        Ok(db.optional(select(db, entity, scope, condition, value).push(" AND t.archived_at IS NULL")).await?)
    }

    /// The live record of that id, if it is in sight.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn by_id(db: &Db, entity: Entity, scope: &Scope, id: i64) -> Result<Option<Self>, Error> {
        Self::find(db, entity, scope, "t.id = {}", id).await
    }

    /// The archived record for which the condition holds, the one that was archived last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn archived(
        db: &Db,
        entity: Entity,
        scope: &Scope,
        condition: &str,
        value: impl Into<nexus_db::Arg>,
    ) -> Result<Option<Self>, Error> {
        let query = select(db, entity, scope, condition, value)
            .push(" AND t.archived_at IS NOT NULL ORDER BY t.archived_at DESC, t.id DESC LIMIT 1");
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

fn select(db: &Db, entity: Entity, scope: &Scope, condition: &str, value: impl Into<nexus_db::Arg>) -> Query {
    let (before, after) = condition.split_once("{}").unwrap_or((condition, ""));
    let body = bodies::json(entity, db.dialect(), scope);
    let query = Query::new(format!("SELECT t.id, t.version, {body} AS json FROM {} t WHERE {before}", entity.table()))
        .arg(value)
        .push(after);
    scope::within(query, entity, scope)
}
