//! Change sets that are stored before they are applied, and undoing those that were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use nexus_core::entity::Entity;
use nexus_core::sync::Change;
use nexus_core::{Actor, Fields};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::types::Json;

use super::decide::{Failure, decide};
use super::row::{Action, Link, Outcome, Row, RowState};
use super::write;
use super::{ChangeError, Deed, Done};
use crate::{Db, Error, Query, Result, Tx, records, runs};

/// A row of a plan.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Kind of record.
    pub entity: Entity,
    /// The record; for a new one an id from [`reserve`].
    pub id: i64,
    /// What is to happen.
    pub action: Action,
    /// The version that the plan was made from; none for a new record.
    pub version: Option<i64>,
    /// The fields to set.
    pub fields: Fields,
    /// Why.
    pub reason: Option<String>,
    /// The tie to the source that comes with it.
    pub link: Option<Link>,
}

/// A change set without its rows.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SetHead {
    /// Id.
    pub id: i64,
    /// `proposed`, `held`, `applied`, `rejected`, `stale` or `reverted`.
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

/// A stored row as the applying reads it.
#[derive(Debug, sqlx::FromRow)]
struct SetRow {
    id: i64,
    cursor: Option<i64>,
    entity: String,
    record_id: i64,
    action: String,
    state: String,
    reason: Option<String>,
    version: Option<i64>,
    before: Json<Fields>,
    after: Json<Fields>,
    link: Option<Json<Link>>,
}

const ROW: &str = "SELECT id, cursor, entity, record_id, action, state, reason, version, before, after, link FROM changes";
const HEAD: &str = "SELECT id, state, origin, author, reason, digest, reverts_id, run_id, created_at, decided_at, \
                    decided_by FROM changesets";

impl SetRow {
    fn parse(&self) -> Result<(Entity, Action)> {
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

    fn into_change(self) -> Result<Change> {
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
        })
    }
}

/// Takes ids for records that a plan will create: the first of `n`. An id that is not used in the end stays unused.
pub async fn reserve(tx: &mut Tx, entity: Entity, n: usize) -> Result<i64> {
    write::allocate(tx, entity.as_str(), n).await
}

/// Stores a plan. Rows that could not be applied even now are stored as stale, with the reason.
///
/// # Errors
/// [`ChangeError::Twice`] when it names a record twice.
pub async fn propose(
    tx: &mut Tx,
    deed: &Deed,
    run_id: Option<i64>,
    proposals: Vec<Proposal>,
    now: &str,
) -> std::result::Result<SetHead, ChangeError> {
    write::lock_feed(tx).await?;
    let mut rows: Vec<Row> = proposals
        .into_iter()
        .map(|proposal| Row {
            change_id: None,
            entity: proposal.entity,
            id: proposal.id,
            action: proposal.action,
            version: proposal.version,
            wanted: proposal.fields,
            reason: proposal.reason,
            link: proposal.link,
            outcome: Outcome::Undecided,
        })
        .collect();
    decide(tx, &mut rows, Failure::Skip).await?;
    let query = Query::new(
        "INSERT INTO changesets (state, origin, author_id, author, reason, digest, run_id, created_at) \
         VALUES ('proposed', $1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(deed.origin.as_str())
    .bind(deed.actor.user_id)
    .bind(deed.actor.name.as_str())
    .bind(deed.reason.as_str())
    .bind(digest(&rows))
    .bind(run_id)
    .bind(now);
    let (id,) = tx.one::<(i64,)>(query).await?;
    write::insert_changes(tx, id, &rows, None, now).await?;
    find_in(tx, id).await
}

/// Covers every row of a plan: what was reviewed and what is applied have the same, or are not the same.
fn digest(rows: &[Row]) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        let line = json!([row.entity, row.id, row.action.as_str(), row.version, row.wanted, row.link]);
        hash.update(line.to_string());
        hash.update(b"\n");
    }
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
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
    write::lock_feed(&mut tx).await?;
    let head = undecided(&mut tx, changeset_id).await?;
    if reviewed.is_some_and(|reviewed| head.digest.as_deref() != Some(reviewed)) {
        return Err(ChangeError::OtherDigest);
    }
    let query = Query::new(ROW).push(" WHERE changeset_id = ").arg(changeset_id).push(" AND state = 'proposed' ORDER BY id");
    let stored = tx.all::<SetRow>(query).await?;
    let (out, chosen): (Vec<_>, Vec<_>) = stored.into_iter().partition(|row| except.contains(&row.id));
    let mut rows = chosen.into_iter().map(SetRow::into_row).collect::<Result<Vec<_>>>()?;
    decide(&mut tx, &mut rows, Failure::Skip).await?;
    write::write_records(&mut tx, &mut rows, &now).await?;
    write::write_source_links(&mut tx, &rows, head.run_id.unwrap_or_default(), &now).await?;
    let mut applied = Applied { counts: write::count(&rows), stale: 0, rejected: out.len() as u64 };
    let told = rows.iter().filter(|row| is_told(row)).count();
    let mut cursors = write::allocate(&mut tx, "feed", told).await?..;
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
            }),
        });
    }
    let sql = format!(
        "UPDATE changes SET state = x.value->>'state', cursor = CAST(x.value->>'cursor' AS BIGINT), \
         reason = coalesce(x.value->>'reason', reason), at = $2 FROM {} WHERE changes.id = CAST(x.value->>'id' AS BIGINT)",
        tx.dialect().each(1)
    );
    tx.execute(Query::new(sql).bind(Value::from(results)).bind(now.as_str())).await?;
    decide_set(&mut tx, changeset_id, "applied", actor, &now).await?;
    if let Some(run_id) = head.run_id {
        runs::finish_applied(&mut tx, run_id, &applied, &now).await?;
    }
    tx.commit().await?;
    Ok(applied)
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
    write::lock_feed(&mut tx).await?;
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

/// Puts a plan before a person.
pub async fn hold(tx: &mut Tx, changeset_id: i64) -> Result<()> {
    tx.execute(Query::new("UPDATE changesets SET state = 'held' WHERE id = $1").bind(changeset_id)).await?;
    Ok(())
}

/// A row that an undo left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// The change that is not undone.
    pub change_id: i64,
    /// Kind of its record.
    pub entity: Entity,
    /// Its record.
    pub id: i64,
    /// Why.
    pub reason: String,
}

/// Undoes an applied change set by a new one with the inverse changes. A record whose changed fields were changed again
/// since is left alone, and named.
///
/// # Errors
/// [`ChangeError::Decided`] when it is not applied.
pub async fn revert(
    db: &Db,
    deed: &Deed,
    changeset_id: i64,
) -> std::result::Result<(Done, Vec<LeftAlone>), ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    write::lock_feed(&mut tx).await?;
    let head = find_in(&mut tx, changeset_id).await?;
    if head.state != "applied" {
        return Err(ChangeError::Decided { state: head.state, needed: "applied" });
    }
    let query = Query::new(ROW)
        .push(" WHERE changeset_id = ")
        .arg(changeset_id)
        .push(" AND cursor IS NOT NULL ORDER BY cursor DESC");
    let stored = tx.all::<SetRow>(query).await?;
    let mut ids: BTreeMap<Entity, Vec<i64>> = BTreeMap::new();
    for row in &stored {
        ids.entry(row.parse()?.0).or_default().push(row.record_id);
    }
    let mut current = BTreeMap::new();
    for (entity, ids) in ids {
        for (id, record) in records::load(&mut tx, entity, &ids).await? {
            current.insert((entity, id), record);
        }
    }
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    for row in stored {
        let (entity, action) = row.parse()?;
        let id = row.record_id;
        let moved = current.get(&(entity, id)).is_none_or(|record| {
            // Of an archived record, what was before is what must still be; of any other, what came after.
            let expected = if action == Action::Archive { &row.before.0 } else { &row.after.0 };
            expected.iter().any(|(field, value)| record.fields.get(field) != Some(value))
        });
        if moved {
            left.push(LeftAlone { change_id: row.id, entity, id, reason: "it was changed again since".to_owned() });
            continue;
        }
        let wanted = if action == Action::Update { row.before.0.clone() } else { Fields::new() };
        rows.push(Row {
            change_id: Some(row.id),
            entity,
            id,
            action: action.inverse(),
            version: None,
            wanted,
            reason: None,
            link: None,
            outcome: Outcome::Undecided,
        });
    }
    decide(&mut tx, &mut rows, Failure::Skip).await?;
    for row in &rows {
        if let (Outcome::Stale(reason), Some(change_id)) = (&row.outcome, row.change_id) {
            left.push(LeftAlone { change_id, entity: row.entity, id: row.id, reason: reason.clone() });
        }
    }
    let touches_users = rows.iter().any(|row| row.entity == Entity::User);
    let done = write::write_new(&mut tx, deed, rows, Some(changeset_id), &now).await?;
    if done.changeset_id.is_some() {
        let query = Query::new("UPDATE changesets SET state = 'reverted' WHERE id = $1").bind(changeset_id);
        tx.execute(query).await?;
    }
    tx.commit().await?;
    if touches_users {
        db.users_changed();
    }
    Ok((done, left))
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

async fn find_in(tx: &mut Tx, id: i64) -> std::result::Result<SetHead, ChangeError> {
    let query = Query::new(HEAD).push(" WHERE id = ").arg(id);
    tx.optional(query).await?.ok_or(ChangeError::NoChangeset(id))
}

/// A change set's head.
pub async fn find(db: &Db, id: i64) -> Result<Option<SetHead>> {
    db.optional(Query::new(HEAD).push(" WHERE id = ").arg(id)).await
}

/// Change sets, newest first, of that state if one is given; at most `limit`, from `offset` on.
pub async fn list_sets(db: &Db, state: Option<&str>, limit: i64, offset: i64) -> Result<Vec<SetHead>> {
    let mut query = Query::new(HEAD);
    if let Some(state) = state {
        query = query.push(" WHERE state = ").arg(state);
    }
    db.all(query.push(" ORDER BY id DESC LIMIT ").arg(limit).push(" OFFSET ").arg(offset)).await
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
