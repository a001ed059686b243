//! The change feed for other services: what happened to the directory, in order and without gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use nexus_core::entity::PINNED;
use nexus_core::sync::{FeedChange, FeedPart};
use nexus_core::{Entity, FieldError, Fields};
use nexus_db::Db;
use nexus_db::changes::{self, Feed, FeedRow};
use nexus_web::{Error, Principal, Problem, Query, account_numbers_by_id, record};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

/// How often another process's writes are looked for while a caller waits.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only what happened after this cursor; 0 (default): from the beginning.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: Option<String>,
    /// At most so many changes, 1 to 1,000 (default).
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// Seconds to wait for a change when there is none, 0 (default) to 20.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 20)]
    wait: Option<String>,
}

/// What happened to the directory, in order and without gaps
///
/// Keep `next` and send it as `after` of the next call; with `wait` the call answers as soon as something happens.
#[utoipa::path(get, path = "/api/changes", tag = "sync", params(Asked), responses(
    (status = 200, description = "The changes after the cursor; a client sees those of its own companies",
        body = FeedPart),
    (status = 400, body = Problem), (status = 401, body = Problem),
))]
pub(crate) async fn list_changes(
    State(db): State<Db>,
    principal: Principal,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let number = |name: &str, given: &Option<String>, default: i64, most: i64, least: i64| match given.as_deref() {
        None => Ok(default),
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| FieldError::new(name, format!("must be a whole number from {least} to {most}"))),
    };
    let after = number("after", &asked.after, 0, i64::MAX, 0);
    let limit = number("limit", &asked.limit, 1_000, 1_000, 1);
    let wait = number("wait", &asked.wait, 0, 20, 0);
    let (after, limit, wait) = match (after, limit, wait) {
        (Ok(after), Ok(limit), Ok(wait)) => (after, limit, wait),
        (after, limit, wait) => {
            return Err(Error::fields([after.err(), limit.err(), wait.err()].into_iter().flatten().collect()));
        }
    };
    let until = Instant::now() + Duration::from_secs(wait.unsigned_abs());
    let scope = principal.scope();
    let mut from = after;
    let feed = loop {
        let written = db.written();
        let feed = changes::feed(&db, &scope, from, limit).await?;
        if !feed.rows.is_empty() || Instant::now() >= until {
            break feed;
        }
        // What is out of sight is not looked at twice.
        from = feed.next;
        // This process says when it writes; another one is looked after.
        let _ = tokio::time::timeout_at(until.min(Instant::now() + LOOK), written).await;
    };
    nexus_web::json(&told(&db, feed).await?)
}

/// The feed in the words of the API: companies by number, features by name.
async fn told(db: &Db, feed: Feed) -> Result<FeedPart, Error> {
    let mut companies: BTreeSet<i64> = BTreeSet::new();
    let mut features = false;
    for row in &feed.rows {
        companies.extend(&row.company_ids);
        for fields in [&row.before, &row.after] {
            companies.extend(fields.get("company_id").and_then(Value::as_i64));
            companies.extend(
                fields.get("company_ids").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_i64),
            );
            features |= fields.contains_key("feature_values");
        }
    }
    let ids: Vec<i64> = companies.into_iter().collect();
    let numbers = account_numbers_by_id(db, &ids).await?;
    let features = if features {
        db.all::<(i64, String)>(nexus_db::Query::new("SELECT id, name FROM features")).await?.into_iter().collect()
    } else {
        BTreeMap::new()
    };
    let words = Words { numbers, features };
    let next = feed.next;
    Ok(FeedPart { changes: feed.rows.into_iter().map(|row| words.change(row)).collect(), next })
}

struct Words {
    numbers: BTreeMap<i64, String>,
    features: BTreeMap<i64, String>,
}

impl Words {
    fn change(&self, row: FeedRow) -> FeedChange {
        FeedChange {
            cursor: row.cursor,
            at: row.at,
            changeset_id: row.changeset_id,
            entity: row.entity,
            id: row.record_id,
            account_number: row.company_ids.iter().find_map(|id| self.numbers.get(id).cloned()),
            action: row.action.as_str().to_owned(),
            before: self.fields(row.entity, row.before),
            after: self.fields(row.entity, row.after),
            author: row.author,
            origin: row.origin,
        }
    }

    fn fields(&self, entity: Entity, fields: Fields) -> Map<String, Value> {
        let number =
            |id: &Value| id.as_i64().and_then(|id| self.numbers.get(&id)).map(|number| Value::from(number.as_str()));
        fields
            .into_iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("company_id", id) => number(&id).unwrap_or(Value::Null),
                    ("company_ids", Value::Array(ids)) => ids.iter().filter_map(number).collect(),
                    ("feature_values", Value::Object(values)) => values
                        .into_iter()
                        .filter_map(|(id, value)| Some((self.features.get(&id.parse().ok()?)?.clone(), value)))
                        .collect::<Map<_, _>>()
                        .into(),
                    (PINNED, Value::Array(names)) => {
                        names.iter().filter_map(Value::as_str).map(|name| record::api_name(entity, name)).collect()
                    }
                    (_, value) => value,
                };
                (record::api_name(entity, &name).to_owned(), value)
            })
            .collect()
    }
}
