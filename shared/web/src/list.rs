//! Lists: filters, order and paging made into one query, the same for every kind of record.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use nexus_core::{FieldError, Scope};
use nexus_db::{Db, Query};
use serde_json::Value;

use crate::error::Error;
use crate::etag::{etag_of, not_modified};
use crate::json_text;
use crate::paging::Paging;

/// A list under construction: `WHERE` grows by filters, the rest is fixed. The table's alias is `t`.
#[derive(Clone, Debug)]
pub struct List {
    from: String,
    filters: Query,
    order: String,
}

/// How a list may be sorted: the names that callers use and the SQL that they mean.
pub type Sorts = &'static [(&'static str, &'static str)];

impl List {
    /// The live records of a table.
    #[must_use]
    pub fn new(table: &str) -> Self {
        Self {
            from: format!(" FROM {table} t"),
            filters: Query::new(" WHERE t.archived_at IS NULL"),
            order: String::new(),
        }
    }

    /// Keeps the rows for which the SQL condition with one `{}` for its argument holds.
    #[must_use]
    pub fn filter(mut self, condition: &str, value: impl Into<nexus_db::Arg>) -> Self {
        let (before, after) = condition.split_once("{}").unwrap_or((condition, ""));
        self.filters = self.filters.push(" AND ").push(before).arg(value).push(after);
        self
    }

    /// Keeps what the caller may see: `company` is the condition "belongs to company x.value", e.g.
    /// `t.id = CAST(x.value AS BIGINT)`.
    #[must_use]
    pub fn scope(self, db: &Db, scope: &Scope, company: &str) -> Self {
        match scope {
            Scope::All => self,
            Scope::Companies(ids) => {
                let n = self.filters.len() + 1;
                let each = db.dialect().each(n);
                self.filter(
                    &format!("EXISTS (SELECT 1 FROM {} WHERE {company})", each.replace(&format!("${n}"), "{}")),
                    Value::from(ids.clone()),
                )
            }
        }
    }

    /// Keeps the rows that hold the words in one of the columns, letter case aside.
    #[must_use]
    pub fn search(mut self, words: Option<&str>, columns: &[&str]) -> Self {
        let Some(words) = words.map(str::trim).filter(|words| !words.is_empty()) else { return self };
        let escaped = words.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = format!("%{escaped}%");
        self.filters = self.filters.push(" AND (");
        for (at, column) in columns.iter().enumerate() {
            let or = if at == 0 { "" } else { " OR " };
            self.filters = self
                .filters
                .push(or)
                .push(&format!("lower(t.{column}) LIKE "))
                .arg(pattern.as_str())
                .push(" ESCAPE '\\'");
        }
        self.filters = self.filters.push(")");
        self
    }

    /// Sorts by a name out of `sorts`, the first of them by default, and by id among equals.
    ///
    /// # Errors
    /// Names that are not there, with those that are.
    pub fn sort(mut self, sorts: Sorts, sort: Option<&str>, order: Option<&str>) -> Result<Self, Error> {
        let allowed = || sorts.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let by = match sort {
            None => sorts.first(),
            Some(name) => sorts.iter().find(|(known, _)| *known == name),
        };
        let direction = match order {
            None | Some("asc") => Some("ASC"),
            Some("desc") => Some("DESC"),
            Some(_) => None,
        };
        match (by, direction) {
            (Some((_, sql)), Some(direction)) => {
                self.order = format!(" ORDER BY {sql} {direction}, t.id {direction}");
                Ok(self)
            }
            (None, _) => Err(Error::fields(vec![FieldError::new("sort", format!("must be one of {}", allowed()))])),
            (_, None) => Err(Error::fields(vec![FieldError::new("order", "must be asc or desc")])),
        }
    }

    /// How many records there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count(&self, db: &Db) -> Result<i64, Error> {
        let query = self.filters.clone().before(&format!("SELECT count(*){}", self.from));
        Ok(db.one::<(i64,)>(query).await?.0)
    }

    /// The records, each as the SQL expression `body` (a JSON text), in one JSON array.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn json(&self, db: &Db, body: &str, page: Option<Paging>) -> Result<String, Error> {
        let (open, close) = db.dialect().list();
        let mut query =
            self.filters.clone().before(&format!("{open}SELECT {body} AS body{}", self.from)).push(&self.order);
        if let Some(page) = page {
            query = query.push(" LIMIT ").arg(page.per_page).push(" OFFSET ").arg(page.offset());
        }
        Ok(db.one::<(String,)>(query.push(close)).await?.0)
    }

    /// The answer to a list request: the page asked for, or everything, or that the caller has it already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn respond(
        &self,
        db: &Db,
        body: &str,
        page: Option<Paging>,
        (uri, headers): (&Uri, &HeaderMap),
    ) -> Result<Response, Error> {
        let json = self.json(db, body, page).await?;
        let tag = etag_of(None, &json);
        let mut response = match page {
            Some(page) => page.respond(uri, self.count(db).await?, json),
            None => json_text(json),
        };
        if not_modified(headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            response.headers_mut().remove(CONTENT_TYPE);
        }
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        Ok(response)
    }
}
