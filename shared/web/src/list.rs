//! Lists: filters, order and paging made into one query, the same for every kind of record.

use axum::body::Body;
use axum::response::Response;
use futures_util::stream;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use nexus_core::{Entity, FieldError, Scope};
use nexus_db::search::Words;
use nexus_db::{Db, Query, bodies, scope};
use serde_json::Value;

use crate::error::Error;
use crate::etag::{list_tag, not_modified};
use crate::paging::Paging;
use crate::{json_array, json_text};

/// Records that are read and sent together: enough to make a query worth its while, few enough that a long list needs no
/// large memory.
const TOGETHER: i64 = 500;

/// A list under construction: `WHERE` grows by filters, the rest is fixed. The table's alias is `t`.
#[derive(Clone, Debug)]
pub struct List {
    entity: Entity,
    scope: Scope,
    filters: Query,
    archived: bool,
    /// Nothing but "live and in sight" is asked, so that the count is known.
    whole: bool,
    order: String,
    /// In the order of the ids, which is that of the kept bodies.
    by_id: bool,
    together: i64,
    /// What is read with each record.
    beside: Option<String>,
}

/// How a list may be sorted besides by id: the names that callers use and the SQL that they mean.
type Sorts = &'static [(&'static str, &'static str)];

/// Where nothing is, the two databases sort at different ends; so nothing is sorted as an empty text.
const fn sorts(entity: Entity) -> Sorts {
    match entity {
        Entity::Company => &[
            ("name", "lower(t.name)"),
            ("account_number", "lower(t.account_number)"),
            ("plan_selected", "lower(coalesce(t.plan_selected, ''))"),
            ("created_at", "t.created_at"),
            ("updated_at", "t.updated_at"),
        ],
        Entity::Contact => &[
            ("name", "lower(t.name)"),
            ("email", "lower(coalesce(t.email, ''))"),
            ("title", "lower(coalesce(t.title, ''))"),
            ("created_at", "t.created_at"),
            ("updated_at", "t.updated_at"),
        ],
        Entity::Asset => &[
            ("hostname", "lower(t.hostname)"),
            ("hardware_type", "lower(coalesce(t.hardware_type, ''))"),
            ("device_type", "lower(coalesce(t.device_type, ''))"),
            ("operating_system", "lower(coalesce(t.operating_system, ''))"),
            ("antivirus_product", "lower(coalesce(t.antivirus_product, ''))"),
            ("patch_status", "lower(coalesce(t.patch_status, ''))"),
            ("last_seen", "coalesce(t.last_seen, '')"),
            ("created_at", "t.created_at"),
            ("updated_at", "t.updated_at"),
        ],
        Entity::User => &[
            ("username", "lower(t.username)"),
            ("email", "lower(coalesce(t.email, ''))"),
            ("created_at", "t.created_at"),
            ("updated_at", "t.updated_at"),
        ],
        Entity::Location => {
            &[("name", "lower(t.name)"), ("created_at", "t.created_at"), ("updated_at", "t.updated_at")]
        }
        Entity::Plan | Entity::Feature => &[("position", "t.position"), ("name", "lower(t.name)")],
    }
}

impl List {
    /// The live records of a kind that are in sight.
    #[must_use]
    pub fn new(entity: Entity, scope: &Scope) -> Self {
        Self::of(entity, scope, " WHERE t.archived_at IS NULL")
    }

    /// The archived records of a kind that are in sight.
    #[must_use]
    pub fn archived(entity: Entity, scope: &Scope) -> Self {
        Self { archived: true, whole: false, ..Self::of(entity, scope, " WHERE t.archived_at IS NOT NULL") }
    }

    fn of(entity: Entity, scope: &Scope, of: &str) -> Self {
        let mut filters = Query::new(of);
        let seen = scope::condition(entity, scope);
        let whole = seen.is_none();
        if let Some(condition) = seen {
            filters = filters.push(" AND ").push(&condition);
        }
        let order = " ORDER BY t.id".to_owned();
        Self {
            entity,
            scope: scope.clone(),
            filters,
            archived: false,
            whole,
            order,
            by_id: true,
            together: TOGETHER,
            beside: None,
        }
    }

    /// Reads and sends so many records together, where each is a long one.
    #[must_use]
    pub fn together(self, records: i64) -> Self {
        Self { together: records, ..self }
    }

    /// Reads with each record the SQL of a JSON text about it: pages and parts hold `[record, beside]` in place of the record.
    #[must_use]
    pub fn beside(self, sql: String) -> Self {
        Self { beside: Some(sql), ..self }
    }

    /// Keeps the rows for which the SQL condition with one `{}` for its argument holds.
    #[must_use]
    pub fn filter(mut self, condition: &str, value: impl Into<nexus_db::Arg>) -> Self {
        let (before, after) = condition.split_once("{}").unwrap_or((condition, ""));
        self.filters = self.filters.push(" AND ").push(before).arg(value).push(after);
        self.whole = false;
        self
    }

    /// Keeps the rows for which the SQL condition holds.
    #[must_use]
    pub fn only(mut self, condition: &str) -> Self {
        self.filters = self.filters.push(" AND ").push(condition);
        self.whole = false;
        self
    }

    /// Keeps the records of these ids.
    #[must_use]
    pub fn among(mut self, ids: &[i64]) -> Self {
        let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
        // Numbers cannot be anything but numbers, and a list of them is quicker than any join.
        let ids = if ids.is_empty() { "NULL".to_owned() } else { ids.join(",") };
        self.filters = self.filters.push(&format!(" AND t.id IN ({ids})"));
        self.whole = false;
        self
    }

    /// Keeps what belongs to one company in sight, by account number, letter case aside.
    #[must_use]
    pub fn of_company(self, account_number: &str) -> Self {
        let seen =
            scope::condition(Entity::Company, &self.scope).map(|seen| format!(" AND {}", seen.replace("t.id", "c.id")));
        let company = format!(
            "(SELECT c.id FROM companies c WHERE c.archived_at IS NULL{} AND lower(c.account_number) = {{}})",
            seen.unwrap_or_default()
        );
        let condition = match self.entity {
            Entity::Contact => "t.id IN (SELECT l.contact_id FROM contact_companies l WHERE l.company_id = {})",
            Entity::User => "t.id IN (SELECT l.user_id FROM user_companies l WHERE l.company_id = {})",
            Entity::Location | Entity::Asset => "t.company_id = {}",
            Entity::Company | Entity::Plan | Entity::Feature => "t.id = {}",
        };
        self.filter(&condition.replace("{}", &company), account_number.trim().to_ascii_lowercase())
    }

    /// Keeps the rows that hold all of the words, letter case aside; a telephone number is found however it is written.
    #[must_use]
    pub fn search(mut self, db: &Db, words: Option<&str>) -> Self {
        if let Some(words) = words.and_then(Words::parse) {
            let query = self.filters.push(" AND ");
            self.filters = if self.archived {
                words.condition_of_archived(self.entity, query)
            } else {
                words.condition(self.entity, db.dialect(), query)
            };
            self.whole = false;
        }
        self
    }

    /// Sorts by a name that the kind can be sorted by, and by id among equals. Without a name by id, which stays as it is
    /// while somebody pages; plans and features by their position.
    ///
    /// # Errors
    /// Names that are not there, with those that are.
    pub fn sort(mut self, sort: Option<&str>, order: Option<&str>) -> Result<Self, Error> {
        let sorts = sorts(self.entity);
        let usual = if matches!(self.entity, Entity::Plan | Entity::Feature) { "position" } else { "id" };
        let by = match sort.unwrap_or(usual) {
            "id" => "t.id",
            name => sorts.iter().find(|(known, _)| *known == name).map(|(_, sql)| *sql).ok_or_else(|| {
                let allowed: Vec<_> = ["id"].into_iter().chain(sorts.iter().map(|(name, _)| *name)).collect();
                Error::fields(vec![FieldError::new("sort", format!("must be one of {}", allowed.join(", ")))])
            })?,
        };
        let direction = match order {
            None | Some("asc") => "ASC",
            Some("desc") => "DESC",
            Some(_) => return Err(Error::fields(vec![FieldError::new("order", "must be asc or desc")])),
        };
        self.by_id = (by, direction) == ("t.id", "ASC");
        self.order = format!(" ORDER BY {by} {direction}, t.id {direction}");
        Ok(self)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count(&self, db: &Db) -> Result<i64, Error> {
        let query = if self.whole {
            Query::new("SELECT n FROM live_counts WHERE entity = $1").bind(self.entity.as_str())
        } else {
            self.filters.clone().before(&format!("SELECT count(*) FROM {} t", self.entity.table()))
        };
        Ok(db.one::<(i64,)>(query).await?.0)
    }

    /// The records of a page in one JSON array.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn json(&self, db: &Db, page: Paging) -> Result<String, Error> {
        Ok(self.page(db, page).await?.0)
    }

    /// The answer to a list request: the page asked for, or everything, or that the caller has it already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn respond(
        &self,
        db: &Db,
        page: Option<Paging>,
        (uri, headers): (&Uri, &HeaderMap),
    ) -> Result<Response, Error> {
        let body = bodies::json(self.entity, db.dialect(), &self.scope);
        self.respond_as(db, &body, page, (uri, headers)).await
    }

    /// As [`List::respond`], each record as the SQL of another JSON text. What it shows changes with the revision alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn respond_as(
        &self,
        db: &Db,
        body: &str,
        page: Option<Paging>,
        (uri, headers): (&Uri, &HeaderMap),
    ) -> Result<Response, Error> {
        if headers.contains_key(IF_NONE_MATCH) {
            let tag = list_tag(db.revision().await?, uri, &self.scope);
            if not_modified(headers, &tag) {
                let mut response = match page {
                    Some(page) => page.respond(uri, self.count(db).await?, String::new()),
                    None => Response::new(Body::empty()),
                };
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                response.headers_mut().remove(CONTENT_TYPE);
                return Ok(tagged(response, &tag));
            }
        }
        let beginning = Paging { page: 1, per_page: self.together };
        let part = self.part(db, body, page.unwrap_or(beginning)).await?;
        let tag = list_tag(part.revision, uri, &self.scope);
        let response = match page {
            Some(page) => page.respond(uri, part.total, format!("[{}]", part.inside)),
            None if part.total <= self.together => json_text(format!("[{}]", part.inside)),
            None => self.everything(db, body).await?,
        };
        Ok(tagged(response, &tag))
    }

    /// A page, how many records there are in all, and the revision at which that is so: one question.
    async fn part(&self, db: &Db, body: &str, page: Paging) -> Result<Part, Error> {
        let (open, close) = db.dialect().list();
        let table = self.entity.table();
        let order = |query: Query| {
            query.push(&self.order).push(" LIMIT ").arg(page.per_page).push(" OFFSET ").arg(page.offset())
        };
        let query = if self.whole {
            let open = format!(
                "SELECT (SELECT value FROM sequences WHERE name = 'revision') AS revision, \
                 (SELECT n FROM live_counts WHERE entity = '{}') AS total, ({open}SELECT {body} AS body FROM {table} t",
                self.entity.as_str()
            );
            order(self.filters.clone().before(&open)).push(close).push(") AS inside")
        } else {
            // Which records they are is found once, and then counted, sorted and cut.
            let hits = format!("WITH hit AS MATERIALIZED (SELECT t.id AS id FROM {table} t");
            let query = self.filters.clone().before(&hits).push(&format!(
                ") SELECT (SELECT value FROM sequences WHERE name = 'revision') AS revision, \
                 (SELECT count(*) FROM hit) AS total, ({open}SELECT {body} AS body FROM hit {} {table} t ON t.id = hit.id",
                db.dialect().join_after()
            ));
            order(query).push(close).push(") AS inside")
        };
        Ok(db.one(query).await?)
    }

    /// A long list part by part, each record as it is when its turn comes.
    async fn everything(&self, db: &Db, body: &str) -> Result<Response, Error> {
        let parts = Parts { db: db.clone(), together: self.together, left: self.left(db, body).await? };
        Ok(json_array(stream::try_unfold(parts, async |mut parts: Parts| {
            Ok(parts.inside().await?.map(|inside| (inside, parts)))
        })))
    }

    async fn left(&self, db: &Db, body: &str) -> Result<Left, Error> {
        if self.whole && self.by_id && body == bodies::kept(self.entity, "t") {
            return Ok(Left::Walk { entity: self.entity, after: 0 });
        }
        self.settled(db, body).await
    }

    /// The whole list part by part, for a reader that makes something else of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parts(&self, db: &Db) -> Result<Parts, Error> {
        let left = self.left(db, &self.element(db)).await?;
        Ok(Parts { db: db.clone(), together: self.together, left })
    }

    /// A page of the list as one JSON array, and how many records there are in all.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(&self, db: &Db, page: Paging) -> Result<(String, i64), Error> {
        let part = self.part(db, &self.element(db), page).await?;
        Ok((format!("[{}]", part.inside), part.total))
    }

    /// The SQL of one of them.
    fn element(&self, db: &Db) -> String {
        let body = bodies::json(self.entity, db.dialect(), &self.scope);
        match &self.beside {
            Some(beside) => format!("('[' || {body} || ',' || {beside} || ']')"),
            None => body,
        }
    }

    /// The ids of the records, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ids(&self, db: &Db) -> Result<Vec<i64>, Error> {
        let (open, close) = db.dialect().list();
        let ids = self
            .filters
            .clone()
            .before(&format!("{open}SELECT CAST(t.id AS TEXT) AS body FROM {} t", self.entity.table()))
            .push(&self.order)
            .push(close);
        let (ids,) = db.one::<(String,)>(ids).await?;
        Ok(ids.split(',').filter_map(|id| id.parse().ok()).collect())
    }

    /// Which records there are, settled now.
    async fn settled(&self, db: &Db, body: &str) -> Result<Left, Error> {
        let ids = self.ids(db).await?;
        let (open, close) = db.dialect().list();
        let (from, order) = db.dialect().in_order(1, &format!("{} t", self.entity.table()), "t.id");
        // Whatever has left the list or the reader's sight meanwhile is not sent any more.
        let not = if self.archived { "NOT " } else { "" };
        let seen = scope::condition(self.entity, &self.scope).map(|seen| format!(" AND {seen}")).unwrap_or_default();
        let still = format!(" WHERE t.archived_at IS {not}NULL{seen}");
        Ok(Left::Settled { sql: format!("{open}SELECT {body} AS body FROM {from}{still}{order}{close}"), ids, at: 0 })
    }
}

#[derive(sqlx::FromRow)]
struct Part {
    revision: i64,
    total: i64,
    inside: String,
}

fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The parts of a long list, each record as it is when its turn comes.
pub struct Parts {
    db: Db,
    together: i64,
    left: Left,
}

impl Parts {
    /// The next part as a JSON array; nothing after the end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Option<String>, Error> {
        Ok(self.inside().await?.map(|inside| format!("[{inside}]")))
    }

    /// The inside of the next part that is not empty.
    async fn inside(&mut self) -> Result<Option<String>, Error> {
        while let Some(inside) = self.left.next(&self.db, self.together).await? {
            if !inside.is_empty() {
                return Ok(Some(inside));
            }
        }
        Ok(None)
    }
}

enum Left {
    /// These records, in this order.
    Settled { sql: String, ids: Vec<i64>, at: usize },
    /// The live records after an id, in the order of ids.
    Walk { entity: Entity, after: i64 },
}

impl Left {
    /// The inside of the next part.
    async fn next(&mut self, db: &Db, together: i64) -> Result<Option<String>, Error> {
        match self {
            Self::Settled { ids, at, .. } if *at >= ids.len() => Ok(None),
            Self::Settled { sql, ids, at } => {
                let end = ids.len().min(*at + usize::try_from(together).unwrap_or(1));
                let part = Value::from(&ids[*at..end]);
                *at = end;
                Ok(Some(db.one::<(String,)>(Query::new(sql.as_str()).bind(part)).await?.0))
            }
            Self::Walk { entity, after } => {
                let (part, last) = bodies::next(db, *entity, *after, together).await?;
                Ok(last.map(|last| {
                    *after = last;
                    part
                }))
            }
        }
    }
}
