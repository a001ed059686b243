//! Reading what happened as people look back at it: the changes of one record, the rows of a change set that match
//! something, the change sets of somebody.

use nexus_core::entity::Entity;
use nexus_core::sync::Change;
use serde_json::Value;

use super::plan::{HEAD, ROW, SetHead, SetRow};
use super::row::{Action, RowState};
use crate::search::literal;
use crate::{Db, Dialect, Error, Query, Result};

/// A change that was applied, and the deed that it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The change.
    pub change: Change,
    /// When it was applied.
    pub at: String,
    /// Its change set.
    pub changeset_id: i64,
    /// State of that change set.
    pub set_state: String,
    /// Who did it.
    pub author: String,
    /// By which way.
    pub origin: String,
    /// Why the change set was made.
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    #[sqlx(flatten)]
    row: SetRow,
    at: String,
    changeset_id: i64,
    set_state: String,
    author: String,
    origin: String,
    why: String,
}

/// What happened to a record, newest first; at most `limit`, from `offset` on.
pub async fn of_record(db: &Db, record: (Entity, i64), limit: i64, offset: i64) -> Result<Vec<Entry>> {
    entries(db, of(record), limit, offset).await
}

/// What happened to a record after it was at that version, newest first; at most `limit`. New readings of a device are none of it.
pub async fn since(db: &Db, record: (Entity, i64), version: i64, limit: i64) -> Result<Vec<Entry>> {
    entries(db, of(record).push(" AND c.to_version > ").arg(version), limit, 0).await
}

fn of((entity, id): (Entity, i64)) -> Query {
    let query = Query::new(
        "SELECT c.id, c.cursor, c.entity, c.record_id, c.action, c.state, c.reason, c.version, c.before, c.after, c.link, \
         c.reverted_by, c.at, c.changeset_id, s.state AS set_state, s.author, s.origin, s.reason AS why \
         FROM changes c JOIN changesets s ON s.id = c.changeset_id \
         WHERE c.entity = $1 AND c.record_id = $2 AND c.state = 'applied'",
    );
    query.bind(entity.as_str()).bind(id)
}

async fn entries(db: &Db, query: Query, limit: i64, offset: i64) -> Result<Vec<Entry>> {
    let query = query.push(" ORDER BY c.at DESC, coalesce(c.cursor, 0) DESC, c.id DESC LIMIT ").arg(limit);
    let query = query.push(" OFFSET ").arg(offset);
    let read = |row: EntryRow| {
        let EntryRow { row, at, changeset_id, set_state, author, origin, why } = row;
        Ok(Entry { change: row.into_change()?, at, changeset_id, set_state, author, origin, why })
    };
    db.all::<EntryRow>(query).await?.into_iter().map(read).collect()
}

/// A change, and the change set that it is of.
pub async fn find_change(db: &Db, id: i64) -> Result<Option<(Change, i64)>> {
    let Some(row) = db.optional::<SetRow>(Query::new(ROW).push(" WHERE id = ").arg(id)).await? else {
        return Ok(None);
    };
    let query = Query::new("SELECT changeset_id FROM changes WHERE id = $1").bind(id);
    let (changeset_id,) = db.one::<(i64,)>(query).await?;
    Ok(Some((row.into_change()?, changeset_id)))
}

/// Which rows of a change set are meant; of what is not said, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Of this kind.
    pub entity: Option<Entity>,
    /// Of this action.
    pub action: Option<Action>,
    /// Of this state.
    pub state: Option<RowState>,
    /// Whose record has this in its name (a company also in its number); blank: any.
    pub search: String,
}

impl RowFilter {
    /// Adds the conditions to a query of `changes c`.
    fn narrow(&self, dialect: Dialect, changeset_id: i64, query: Query) -> Query {
        let mut query = query.push(" WHERE c.changeset_id = ").arg(changeset_id);
        if let Some(entity) = self.entity {
            query = query.push(" AND c.entity = ").arg(entity.as_str());
        }
        if let Some(action) = self.action {
            query = query.push(" AND c.action = ").arg(action.as_str());
        }
        if let Some(state) = self.state {
            query = query.push(" AND c.state = ").arg(state.as_str());
        }
        // No text of the database holds the character 0, and PostgreSQL cannot be asked for it.
        let wanted = self.search.trim().replace('\0', "\u{fffd}");
        if wanted.is_empty() { query } else { named(&wanted, self.entity, dialect, query) }
    }
}

/// The condition that a record's name holds a text: the name that it has, or the one that a plan would give it.
fn named(wanted: &str, entity: Option<Entity>, dialect: Dialect, query: Query) -> Query {
    // SQLite's `lower` knows the letters of ASCII alone.
    let wanted = match dialect {
        Dialect::Sqlite => wanted.to_ascii_lowercase(),
        Dialect::Postgres => wanted.to_lowercase(),
    };
    let pattern = format!("%{}%", literal(&wanted));
    let planned = "coalesce(c.after->>'name', c.after->>'hostname', c.after->>'username', '') || ' ' || \
                   coalesce(c.after->>'account_number', '')";
    let mut query = query.push(&format!(" AND (lower({planned}) LIKE ")).arg(pattern.as_str()).push(" ESCAPE '\\'");
    for kind in Entity::ALL.into_iter().filter(|kind| entity.is_none_or(|entity| entity == *kind)) {
        let (name, table) = (kind.name_field(), kind.table());
        let number = if kind == Entity::Company { " || ' ' || t.account_number" } else { "" };
        query = query
            .push(&format!(
                " OR (c.entity = '{}' AND c.record_id IN (SELECT t.id FROM {table} t WHERE lower(t.{name}{number}) LIKE ",
                kind.as_str()
            ))
            .arg(pattern.as_str())
            .push(" ESCAPE '\\'))");
    }
    query.push(")")
}

/// The rows of a change set that are meant, in order, and how many there are; at most `limit`, from `offset` on.
pub async fn list_rows_where(
    db: &Db,
    changeset_id: i64,
    filter: &RowFilter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Change>, i64)> {
    let dialect = db.dialect();
    let count = filter.narrow(dialect, changeset_id, Query::new("SELECT count(*) FROM changes c"));
    let (total,) = db.one::<(i64,)>(count).await?;
    let query = filter.narrow(dialect, changeset_id, Query::new(ROW).push(" c"));
    let query = query.push(" ORDER BY c.id LIMIT ").arg(limit).push(" OFFSET ").arg(offset);
    let rows = db.all::<SetRow>(query).await?.into_iter().map(SetRow::into_change).collect::<Result<_>>()?;
    Ok((rows, total))
}

/// The ids of the rows of a change set that are meant.
pub async fn row_ids(db: &Db, changeset_id: i64, filter: &RowFilter) -> Result<Vec<i64>> {
    let query = filter.narrow(db.dialect(), changeset_id, Query::new("SELECT c.id FROM changes c"));
    Ok(db.all::<(i64,)>(query).await?.into_iter().map(|(id,)| id).collect())
}

/// Rows of a change set that have the same done to the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The change set.
    pub changeset_id: i64,
    /// The kind.
    pub entity: Entity,
    /// What is done.
    pub action: Action,
    /// Where they stand.
    pub state: RowState,
    /// How many.
    pub rows: i64,
    /// The record of one of them.
    pub record_id: i64,
}

/// What these change sets hold, in their order and that of the kinds.
pub async fn tally(db: &Db, changeset_ids: &[i64]) -> Result<Vec<Tally>> {
    let sql = format!(
        "SELECT changeset_id, entity, action, state, count(*), min(record_id) FROM changes \
         WHERE changeset_id IN (SELECT CAST(x.value AS BIGINT) FROM {}) GROUP BY changeset_id, entity, action, state",
        db.dialect().each(1)
    );
    let found = db
        .all::<(i64, String, String, String, i64, i64)>(Query::new(sql).bind(Value::from(changeset_ids)))
        .await?
        .into_iter();
    let corrupt = |column| Error::Corrupt { table: "changes", column };
    let read = |(changeset_id, entity, action, state, rows, record_id): (i64, String, String, String, i64, i64)| {
        let entity = Entity::parse(&entity).ok_or_else(|| corrupt("entity"))?;
        let action = Action::parse(&action).ok_or_else(|| corrupt("action"))?;
        let state = RowState::parse(&state).ok_or_else(|| corrupt("state"))?;
        Ok(Tally { changeset_id, entity, action, state, rows, record_id })
    };
    let mut tallies = found.map(read).collect::<Result<Vec<_>>>()?;
    tallies.sort_by_key(|one| (one.changeset_id, one.entity, one.action, one.state.as_str()));
    Ok(tallies)
}

/// Which change sets are meant; of what is not said, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetFilter {
    /// Of this state.
    pub state: Option<String>,
    /// Of this origin.
    pub origin: Option<String>,
    /// Of this author, letter case aside.
    pub author: Option<String>,
    /// Older than this one (its id).
    pub before: Option<i64>,
}

impl SetFilter {
    fn narrow(&self, query: Query) -> Query {
        let mut query = query.push(" WHERE true");
        for (condition, value) in [
            (" AND state = ", &self.state),
            (" AND origin = ", &self.origin),
            (" AND lower(author) = lower(", &self.author),
        ] {
            if let Some(value) = value {
                query = query.push(condition).arg(value.as_str()).push(if condition.ends_with('(') { ")" } else { "" });
            }
        }
        match self.before {
            Some(id) => query.push(" AND id < ").arg(id),
            None => query,
        }
    }
}

/// The change sets that are meant, newest first; at most `limit`, from `offset` on.
pub async fn list_sets(db: &Db, filter: &SetFilter, limit: i64, offset: i64) -> Result<Vec<SetHead>> {
    let query = filter.narrow(Query::new(HEAD));
    db.all(query.push(" ORDER BY id DESC LIMIT ").arg(limit).push(" OFFSET ").arg(offset)).await
}

/// How many change sets are meant.
pub async fn count_sets(db: &Db, filter: &SetFilter) -> Result<i64> {
    Ok(db.one::<(i64,)>(filter.narrow(Query::new("SELECT count(*) FROM changesets"))).await?.0)
}

/// Whether a change set has changes that were applied and are not undone.
pub async fn any_to_undo(db: &Db, changeset_id: i64) -> Result<bool> {
    let query = "SELECT id FROM changes WHERE changeset_id = $1 AND cursor IS NOT NULL AND reverted_by IS NULL LIMIT 1";
    Ok(db.optional::<(i64,)>(Query::new(query).bind(changeset_id)).await?.is_some())
}
