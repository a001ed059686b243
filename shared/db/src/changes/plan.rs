//! Deciding over stored change sets, and reading them.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::entity::Entity;
use nexus_core::sync::Change;
use nexus_core::{Actor, Fields};
use serde_json::{Value, json};
use sqlx::types::Json;

use super::ChangeError;
use super::decide::{Failure, decide};
use super::numbers::{Numbers, allocate, lock_feed};
use super::row::{Action, Link, Outcome, Row, RowState};
use super::write;
use crate::query::Batch;
use crate::refusals::{self, Refused};
use crate::{Db, Error, Query, Result, Tx, runs, search};

/// A change set without its rows.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SetHead {
    /// Id.
    pub id: i64,
    /// One of [`SetHead::STATES`].
    pub state: String,
    /// Where it comes from.
    pub origin: String,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Of a plan: covers its rows.
    pub digest: Option<String>,
    /// The change set that this one undid.
    pub reverts_id: Option<i64>,
    /// The run that made it.
    pub run_id: Option<i64>,
    /// When it was made.
    pub created_at: String,
    /// When it was applied or rejected.
    pub decided_at: Option<String>,
    /// Who applied or rejected it.
    pub decided_by: Option<String>,
}

impl SetHead {
    /// The states of a change set.
    pub const STATES: [&str; 6] = ["proposed", "held", "applied", "rejected", "stale", "reverted"];
}

/// A stored row as the applying reads it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct SetRow {
    pub(super) id: i64,
    cursor: Option<i64>,
    entity: String,
    pub(super) record_id: i64,
    action: String,
    state: String,
    reason: Option<String>,
    version: Option<i64>,
    pub(super) before: Json<Fields>,
    pub(super) after: Json<Fields>,
    link: Option<Json<Link>>,
    reverted_by: Option<i64>,
}

pub(super) const ROW: &str = "SELECT id, cursor, entity, record_id, action, state, reason, version, before, after, link, \
                              reverted_by FROM changes";
pub(super) const HEAD: &str = "SELECT id, state, origin, author, reason, digest, reverts_id, run_id, created_at, decided_at, \
                               decided_by FROM changesets";

impl SetRow {
    pub(super) fn parse(&self) -> Result<(Entity, Action)> {
        let corrupt = |column| Error::Corrupt { table: "changes", column };
        let entity = Entity::parse(&self.entity).ok_or_else(|| corrupt("entity"))?;
        let action = Action::parse(&self.action).ok_or_else(|| corrupt("action"))?;
        Ok((entity, action))
    }

    fn into_row(self) -> Result<Row> {
        let (entity, action) = self.parse()?;
        Ok(Row {
            change_id: Some(self.id),
            entity,
            id: self.record_id,
            action,
            version: self.version,
            wanted: self.after.0,
            reason: self.reason,
            link: self.link.map(|link| link.0),
            outcome: Outcome::Undecided,
        })
    }

    pub(super) fn into_change(self) -> Result<Change> {
        let (entity, _) = self.parse()?;
        Ok(Change {
            id: self.id,
            cursor: self.cursor,
            entity,
            record_id: self.record_id,
            action: self.action,
            state: self.state,
            reason: self.reason,
            before: self.before.0,
            after: self.after.0,
            reverted_by: self.reverted_by,
        })
    }
}

/// What came of applying a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records written, by kind and action.
    pub counts: BTreeMap<(Entity, Action), u64>,
    /// Rows skipped because their record moved since the plan was made.
    pub stale: u64,
    /// Rows that a person took out.
    pub rejected: u64,
}

/// Applies exactly the stored rows of a plan but those in `except`, and ends its run.
///
/// # Errors
/// [`ChangeError::Decided`] when it was decided before, [`ChangeError::OtherDigest`] when `digest` is not the plan's.
pub async fn apply(
    db: &Db,
    actor: &Actor,
    changeset_id: i64,
    reviewed: Option<&str>,
    except: &BTreeSet<i64>,
) -> std::result::Result<Applied, ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    let head = undecided(&mut tx, changeset_id).await?;
    if reviewed.is_some_and(|reviewed| head.digest.as_deref() != Some(reviewed)) {
        return Err(ChangeError::OtherDigest);
    }
    // What a person takes out of a source's plan is remembered.
    let source = match head.run_id.filter(|_| !except.is_empty()) {
        Some(run_id) => runs::source(&mut tx, run_id).await?,
        None => None,
    };
    let mut applied = Applied::default();
    let mut after = 0;
    loop {
        // Chunk by chunk within the one transaction, so that a large plan needs no large memory. What a chunk links to
        // was written by an earlier one: the rows of a plan are ordered by kind.
        let query = Query::new(ROW)
            .push(" WHERE changeset_id = ")
            .arg(changeset_id)
            .push(" AND state = 'proposed' AND id > ")
            .arg(after)
            .push(" ORDER BY id LIMIT ")
            .arg(CHUNK);
        let stored = tx.all::<SetRow>(query).await?;
        let Some(last) = stored.last() else { break };
        after = last.id;
        let refusing = (source.as_deref(), actor.name.as_str());
        apply_chunk(&mut tx, stored, except, head.run_id, refusing, &now, &mut applied).await?;
    }
    decide_set(&mut tx, changeset_id, "applied", actor, &now).await?;
    if let Some(run_id) = head.run_id {
        runs::finish_applied(&mut tx, run_id, &applied, &now).await?;
    }
    allocate(&mut tx, "revision", 1).await?;
    tx.commit().await?;
    db.committed(applied.counts.keys().any(|(entity, _)| entity.is_of_accounts()));
    Ok(applied)
}

/// Rows that are read, decided and written together: enough to make a statement worth its while, few enough that a
/// large plan needs no large memory.
const CHUNK: i64 = 250;

async fn apply_chunk(
    tx: &mut Tx,
    stored: Vec<SetRow>,
    except: &BTreeSet<i64>,
    run_id: Option<i64>,
    (refusing, who): (Option<&str>, &str),
    now: &str,
    applied: &mut Applied,
) -> std::result::Result<(), ChangeError> {
    let (out, chosen): (Vec<_>, Vec<_>) = stored.into_iter().partition(|row| except.contains(&row.id));
    if let Some(source) = refusing {
        let refused: Vec<Refused<'_>> = out
            .iter()
            .map(|row| Refused {
                entity: &row.entity,
                record_id: row.record_id,
                link: row.link.as_ref().map(|link| &link.0),
            })
            .collect();
        refusals::refuse(tx, source, &refused, who, now).await?;
    }
    let mut rows = chosen.into_iter().map(SetRow::into_row).collect::<Result<Vec<_>>>()?;
    decide(tx, &mut rows, Failure::Skip, false).await?;
    let (dialect, mut batch) = (tx.dialect(), Batch::default());
    // A plan pins nothing, so nobody needs to be named for it.
    write::write_records(dialect, &mut rows, "", now, &mut batch);
    write::write_source_links(dialect, &rows, run_id.unwrap_or_default(), now, &mut batch);
    write::refresh_bodies(dialect, &rows, &mut batch);
    applied.rejected += out.len() as u64;
    for (what, n) in write::count(&rows) {
        *applied.counts.entry(what).or_default() += n;
    }
    let told = rows.iter().filter(|row| is_told(row)).count();
    let numbers = Numbers::take(tx, &[], &[("feed", told)]).await?;
    let first = numbers.first("feed");
    write::write_sight(dialect, rows.iter().filter(|row| is_told(row)).zip(first..), &mut batch);
    search::catch_up(dialect, first - 1, numbers.last("feed"), &mut batch);
    let mut cursors = first..;
    let mut results: Vec<Value> = out.iter().map(|row| json!({"id": row.id, "state": "rejected"})).collect();
    for row in &rows {
        results.push(match &row.outcome {
            Outcome::Stale(reason) => {
                applied.stale += 1;
                json!({"id": row.change_id, "state": RowState::Stale.as_str(), "reason": reason})
            }
            _ => json!({
                "id": row.change_id,
                "state": RowState::Applied.as_str(),
                "reason": row.reason,
                "cursor": is_told(row).then(|| cursors.next()).flatten(),
                "snapshot": write::snapshot(row),
                "to_version": write::to_version(row),
            }),
        });
    }
    let sql = format!(
        "UPDATE changes SET state = x.value->>'state', cursor = CAST(x.value->>'cursor' AS BIGINT), \
         reason = coalesce(x.value->>'reason', reason), snapshot = nullif(x.value->'snapshot', 'null'), \
         to_version = CAST(x.value->>'to_version' AS BIGINT), at = $2 FROM {} WHERE changes.id = CAST(x.value->>'id' AS BIGINT)",
        dialect.each(1)
    );
    batch.push(Query::new(sql).bind(Value::from(results)).bind(now));
    Ok(tx.run(batch).await?)
}

/// Whether the feed tells the row.
fn is_told(row: &Row) -> bool {
    matches!(row.outcome, Outcome::Write { .. })
}

/// Takes a plan off the table; nothing of it is applied.
///
/// # Errors
/// [`ChangeError::Decided`] when it was decided before.
pub async fn reject(db: &Db, actor: &Actor, changeset_id: i64) -> std::result::Result<(), ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    let head = undecided(&mut tx, changeset_id).await?;
    let query = Query::new("UPDATE changes SET state = 'rejected' WHERE changeset_id = $1 AND state = 'proposed'");
    tx.execute(query.bind(changeset_id)).await?;
    decide_set(&mut tx, changeset_id, "rejected", actor, &now).await?;
    if let Some(run_id) = head.run_id {
        runs::finish_rejected(&mut tx, run_id, &actor.name, &now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Marks what waits from earlier runs of the same job as stale: a newer read has taken its place.
pub async fn supersede(tx: &mut Tx, job: &str, run_id: i64, now: &str) -> Result<u64> {
    let older = "SELECT c.id FROM changesets c JOIN runs r ON r.id = c.run_id \
                 WHERE c.state IN ('proposed', 'held') AND r.job = $1 AND r.id < $2";
    let rows = format!("UPDATE changes SET state = 'stale' WHERE state = 'proposed' AND changeset_id IN ({older})");
    tx.execute(Query::new(rows).bind(job).bind(run_id)).await?;
    let sets = format!("UPDATE changesets SET state = 'stale', decided_at = $3 WHERE id IN ({older})");
    tx.execute(Query::new(sets).bind(job).bind(run_id).bind(now)).await
}

/// Marks a plan that was not decided over as stale: nothing of it is applied any more.
pub(crate) async fn withdraw(tx: &mut Tx, changeset_id: i64, now: &str) -> Result<()> {
    let rows = Query::new("UPDATE changes SET state = 'stale' WHERE state = 'proposed' AND changeset_id = $1");
    tx.execute(rows.bind(changeset_id)).await?;
    let set = "UPDATE changesets SET state = 'stale', decided_at = $2 WHERE state IN ('proposed', 'held') AND id = $1";
    tx.execute(Query::new(set).bind(changeset_id).bind(now)).await?;
    Ok(())
}

/// Puts a plan before a person.
pub async fn hold(tx: &mut Tx, changeset_id: i64) -> Result<()> {
    tx.execute(Query::new("UPDATE changesets SET state = 'held' WHERE id = $1").bind(changeset_id)).await?;
    Ok(())
}

async fn undecided(tx: &mut Tx, id: i64) -> std::result::Result<SetHead, ChangeError> {
    let head = find_in(tx, id).await?;
    if matches!(head.state.as_str(), "proposed" | "held") {
        Ok(head)
    } else {
        Err(ChangeError::Decided { state: head.state, needed: "proposed or held" })
    }
}

async fn decide_set(tx: &mut Tx, id: i64, state: &str, actor: &Actor, now: &str) -> Result<()> {
    let query = Query::new("UPDATE changesets SET state = $2, decided_at = $3, decided_by = $4 WHERE id = $1");
    tx.execute(query.bind(id).bind(state).bind(now).bind(actor.name.as_str())).await?;
    Ok(())
}

pub(super) async fn find_in(tx: &mut Tx, id: i64) -> std::result::Result<SetHead, ChangeError> {
    let query = Query::new(HEAD).push(" WHERE id = ").arg(id);
    tx.optional(query).await?.ok_or(ChangeError::NoChangeset(id))
}

/// A change set's head.
pub async fn find(db: &Db, id: i64) -> Result<Option<SetHead>> {
    db.optional(Query::new(HEAD).push(" WHERE id = ").arg(id)).await
}

/// Changes of a change set after the change `after`, in order; at most `limit`.
pub async fn list_rows(db: &Db, changeset_id: i64, after: i64, limit: i64) -> Result<Vec<Change>> {
    let query = Query::new(ROW)
        .push(" WHERE changeset_id = ")
        .arg(changeset_id)
        .push(" AND id > ")
        .arg(after)
        .push(" ORDER BY id LIMIT ")
        .arg(limit);
    db.all::<SetRow>(query).await?.into_iter().map(SetRow::into_change).collect()
}
