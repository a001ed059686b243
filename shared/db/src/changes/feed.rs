//! The applied changes in the order in which they happened.

use nexus_core::Fields;
use nexus_core::entity::Entity;
use sqlx::types::Json;

use super::row::Action;
use crate::{Db, Error, Query, Result};

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
    /// What happened to it.
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
    author: String,
    origin: String,
}

/// What happened after `cursor` (0: from the beginning), at most `limit` changes.
pub async fn feed(db: &Db, cursor: i64, limit: i64) -> Result<Vec<FeedRow>> {
    let query = Query::new(
        "SELECT c.cursor, c.at, c.changeset_id, c.entity, c.record_id, c.action, c.before, c.after, s.author, s.origin \
         FROM changes c JOIN changesets s ON s.id = c.changeset_id WHERE c.cursor > $1 ORDER BY c.cursor LIMIT $2",
    );
    let corrupt = |column| Error::Corrupt { table: "changes", column };
    db.all::<Stored>(query.bind(cursor).bind(limit))
        .await?
        .into_iter()
        .map(|row| {
            Ok(FeedRow {
                cursor: row.cursor,
                at: row.at,
                changeset_id: row.changeset_id,
                entity: Entity::parse(&row.entity).ok_or_else(|| corrupt("entity"))?,
                record_id: row.record_id,
                action: Action::parse(&row.action).ok_or_else(|| corrupt("action"))?,
                before: row.before.0,
                after: row.after.0,
                author: row.author,
                origin: row.origin,
            })
        })
        .collect()
}
