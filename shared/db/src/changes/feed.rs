//! The applied changes in the order in which they happened, as far as a reader may see them.

use std::collections::BTreeMap;

use nexus_core::entity::Entity;
use nexus_core::{Fields, Scope};
use serde_json::Value;
use sqlx::types::Json;

use super::row::Action;
use crate::{Db, Error, Query, Result, Tx, scope};

/// A change of the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// Its position: 1, 2, 3 … without gaps.
    pub cursor: i64,
    /// When it was applied.
    pub at: String,
    /// Its change set.
    pub changeset_id: i64,
    /// Kind of record.
    pub entity: Entity,
    /// The record.
    pub record_id: i64,
    /// The companies (ids) that the record belonged to, in the reader's sight.
    pub company_ids: Vec<i64>,
    /// What happened to it, as the reader sees it: a record that moves into sight is created, one that moves out of it
    /// archived.
    pub action: Action,
    /// The changed fields before.
    pub before: Fields,
    /// The changed fields after.
    pub after: Fields,
    /// Who did it.
    pub author: String,
    /// By which way.
    pub origin: String,
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// The changes.
    pub rows: Vec<FeedRow>,
    /// Where to go on: the last change that was looked at, in sight or not.
    pub next: i64,
}

#[derive(sqlx::FromRow)]
struct Stored {
    cursor: i64,
    at: String,
    changeset_id: i64,
    entity: String,
    record_id: i64,
    action: String,
    before: Json<Fields>,
    after: Json<Fields>,
    snapshot: Option<Json<Fields>>,
    author: String,
    origin: String,
    /// `[[company id, side], …]`
    companies: Json<Vec<(i64, String)>>,
}

/// What happened after `cursor` (0: from the beginning), at most `limit` changes.
pub async fn feed(db: &Db, scope: &Scope, cursor: i64, limit: i64) -> Result<Feed> {
    let mut tx = db.read().await?;
    let (head,) = tx.one::<(i64,)>(Query::new("SELECT value FROM sequences WHERE name = 'feed'")).await?;
    let dialect = tx.dialect();
    let seen = match scope {
        Scope::All => String::new(),
        Scope::Companies(ids) => format!(" AND m.company_id IN ({})", scope::list(ids)),
    };
    let pair = match dialect {
        crate::Dialect::Sqlite => "json_array(m.company_id, m.side)",
        crate::Dialect::Postgres => "json_build_array(m.company_id, m.side)",
    };
    let companies = format!("FROM change_companies m WHERE m.cursor = c.cursor{seen}");
    let mut query = Query::new(format!(
        "SELECT c.cursor, c.at, c.changeset_id, c.entity, c.record_id, c.action, c.before, c.after, c.snapshot, s.author, \
         s.origin, {} AS companies FROM changes c JOIN changesets s ON s.id = c.changeset_id WHERE c.cursor > ",
        dialect.array(pair, &companies, "m.company_id")
    ))
    .arg(cursor);
    if let Scope::Companies(ids) = scope {
        // From the companies' own rows: a client of a small company does not walk the whole feed. A change has one for each of
        // the companies at most, so that these are of `limit` changes at least.
        let own = format!(
            "SELECT m.cursor FROM change_companies m WHERE m.company_id IN ({}) AND m.cursor > ",
            scope::list(ids)
        );
        query = query.push(&format!(" AND c.cursor IN ({own}")).arg(cursor);
        query = query
            .push(" ORDER BY m.cursor LIMIT ")
            .arg(limit.saturating_mul(i64::try_from(ids.len()).unwrap_or(i64::MAX)))
            .push(")");
    }
    let stored: Vec<Stored> = tx.all(query.push(" ORDER BY c.cursor LIMIT ").arg(limit)).await?;
    let full = i64::try_from(stored.len()).is_ok_and(|n| n >= limit);
    let next = stored.last().filter(|_| full).map_or(head.max(cursor), |row| row.cursor);
    let mut rows = stored.into_iter().map(|row| row.seen(scope)).collect::<Result<Vec<_>>>()?;
    if let Scope::Companies(ids) = scope {
        mask(&mut tx, &mut rows, ids).await?;
    }
    Ok(Feed { rows, next })
}

impl Stored {
    fn seen(self, scope: &Scope) -> Result<FeedRow> {
        let corrupt = |column| Error::Corrupt { table: "changes", column };
        let mut action = Action::parse(&self.action).ok_or_else(|| corrupt("action"))?;
        let (mut before, mut after) = (self.before.0, self.after.0);
        if *scope != Scope::All {
            let is = |side| self.companies.0.iter().all(|(_, found)| found == side);
            let whole = self.snapshot.map(|fields| fields.0).unwrap_or_default();
            if is("enters") {
                (action, before, after) = (Action::Create, Fields::new(), whole);
            } else if is("leaves") {
                (action, after) = (Action::Archive, Fields::new());
                before = whole.into_iter().chain(before).collect();
            }
        }
        Ok(FeedRow {
            cursor: self.cursor,
            at: self.at,
            changeset_id: self.changeset_id,
            entity: Entity::parse(&self.entity).ok_or_else(|| corrupt("entity"))?,
            record_id: self.record_id,
            company_ids: self.companies.0.into_iter().map(|(id, _)| id).collect(),
            action,
            before,
            after,
            author: self.author,
            origin: self.origin,
        })
    }
}

/// Takes out what belongs to companies that the reader does not see: their ids, and those of their people and devices.
async fn mask(tx: &mut Tx, rows: &mut [FeedRow], companies: &[i64]) -> Result<()> {
    let mut people: BTreeMap<i64, bool> = BTreeMap::new();
    for row in rows.iter() {
        for fields in [&row.before, &row.after] {
            people.extend(super::row::references(fields.get("contact_ids")).into_iter().map(|id| (id, false)));
        }
    }
    if !people.is_empty() {
        let sql = format!(
            "SELECT DISTINCT contact_id FROM contact_companies WHERE company_id IN ({}) AND contact_id IN ({})",
            scope::list(companies),
            scope::list(&people.keys().copied().collect::<Vec<_>>())
        );
        for (id,) in tx.all::<(i64,)>(Query::new(sql)).await? {
            people.insert(id, true);
        }
    }
    for row in rows {
        for fields in [&mut row.before, &mut row.after] {
            keep(fields, "company_ids", |id| companies.contains(&id));
            keep(fields, "contact_ids", |id| people.get(&id).copied().unwrap_or_default());
            if fields.get("company_id").and_then(Value::as_i64).is_some_and(|id| !companies.contains(&id)) {
                fields.insert("company_id".into(), Value::Null);
            }
        }
    }
    Ok(())
}

fn keep(fields: &mut Fields, name: &str, seen: impl Fn(i64) -> bool) {
    if let Some(Value::Array(ids)) = fields.get_mut(name) {
        ids.retain(|id| id.as_i64().is_some_and(&seen));
    }
}
