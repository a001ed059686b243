//! Decides each row against the directory as it is, under the feed's lock: versions, references, unique values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nexus_core::entity::{Entity, Field, Kind, PINNED, TIED_SITES};
use nexus_core::{FieldError, Fields, fields};
use serde_json::Value;

use super::ChangeError;
use super::row::{Action, Outcome, Row, Sight, references};
use crate::records::{self, Record};
use crate::{Query, Result, Tx};

/// What happens when a row cannot be applied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The whole change set fails: a request.
    Abort,
    /// The row is skipped: a plan.
    Skip,
}

type Known = BTreeMap<(Entity, i64), Record>;

/// The records of each kind that are not written yet but will be when the rows are.
type Planned = BTreeMap<Entity, BTreeSet<i64>>;

/// `pins`: the fields that a row changes stay as they are set, whatever a source says later.
pub(super) async fn decide(
    tx: &mut Tx,
    rows: &mut [Row],
    failure: Failure,
    pins: bool,
) -> std::result::Result<(), ChangeError> {
    decide_with(tx, rows, failure, pins, &Planned::new()).await
}

/// As [`decide`], for rows that may also link to what a plan has set out to create.
pub(super) async fn decide_with(
    tx: &mut Tx,
    rows: &mut [Row],
    failure: Failure,
    pins: bool,
    planned: &Planned,
) -> std::result::Result<(), ChangeError> {
    let known = load_known(tx, rows).await?;
    let synced = if pins { synced(tx, rows).await? } else { BTreeSet::new() };
    for row in rows.iter_mut() {
        let outcome = decide_row(row, &known, synced.contains(&(row.entity, row.id)));
        settle(row, outcome, failure)?;
    }
    check_references(tx, rows, failure, planned).await?;
    if check_unique(tx, rows, failure).await? {
        // What links to a record that is not to be after all does not go without it.
        check_references(tx, rows, failure, planned).await?;
    }
    Ok(())
}

/// Keeps an outcome; a failure aborts or skips.
fn settle(
    row: &mut Row,
    outcome: std::result::Result<Outcome, ChangeError>,
    failure: Failure,
) -> std::result::Result<(), ChangeError> {
    row.outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) if failure == Failure::Abort => return Err(error),
        Err(ChangeError::Invalid(faults)) => Outcome::Stale(
            faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>().join("; "),
        ),
        Err(error) => Outcome::Stale(error.to_string()),
    };
    Ok(())
}

async fn load_known(tx: &mut Tx, rows: &[Row]) -> std::result::Result<Known, ChangeError> {
    let mut wanted: BTreeMap<Entity, BTreeSet<i64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.id != 0) {
        if !wanted.entry(row.entity).or_default().insert(row.id) {
            return Err(ChangeError::Twice { entity: row.entity, id: row.id });
        }
    }
    let mut known = Known::new();
    for (entity, ids) in wanted {
        let ids: Vec<i64> = ids.into_iter().collect();
        for (id, record) in records::load(tx, entity, &ids).await? {
            known.insert((entity, id), record);
        }
    }
    Ok(known)
}

/// Those of the records to be updated that a source tells something of.
async fn synced(tx: &mut Tx, rows: &[Row]) -> Result<BTreeSet<(Entity, i64)>> {
    let mut synced = BTreeSet::new();
    for entity in Entity::ALL.into_iter().filter(|entity| entity.field(PINNED).is_some()) {
        let updated = rows.iter().filter(|row| row.entity == entity && row.action == Action::Update);
        let ids: Vec<i64> = updated.map(|row| row.id).collect();
        if ids.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT DISTINCT record_id FROM source_links WHERE entity = $2 \
             AND record_id IN (SELECT CAST(x.value AS BIGINT) FROM {})",
            tx.dialect().each(1)
        );
        let found = tx.all::<(i64,)>(Query::new(sql).bind(Value::from(ids)).bind(entity.as_str())).await?;
        synced.extend(found.into_iter().map(|(id,)| (entity, id)));
    }
    Ok(synced)
}

fn decide_row(row: &Row, known: &Known, pins: bool) -> std::result::Result<Outcome, ChangeError> {
    let Row { entity, id, .. } = *row;
    if row.action == Action::Create {
        // A planned record has its id already, so that the plan's other rows can link to it.
        if known.contains_key(&(entity, id)) {
            return Err(ChangeError::Twice { entity, id });
        }
        let mut wanted = row.wanted.clone();
        fields::complete(entity, &mut wanted).map_err(ChangeError::Invalid)?;
        let record = Record { version: 1, created_at: String::new(), archived_at: None, fields: wanted.clone() };
        let sight = Sight::whole(entity, id, &wanted);
        return Ok(Outcome::Write { record, before: Fields::new(), after: wanted, sight });
    }
    let current = known.get(&(entity, id)).ok_or(ChangeError::NotFound { entity, id })?;
    let archived = current.archived_at.is_some();
    if row.version.is_some_and(|seen| seen != current.version) {
        return Err(ChangeError::Stale { entity, id, current: current.version });
    }
    if archived != (row.action == Action::Restore) {
        return Err(ChangeError::NotFound { entity, id });
    }
    if row.action == Action::Link {
        return Ok(Outcome::Unchanged(current.version));
    }
    fields::require(entity, &row.wanted).map_err(ChangeError::Invalid)?;
    let mut record = current.clone();
    let (mut before, mut after) = (Fields::new(), Fields::new());
    for (name, value) in &row.wanted {
        let old = record.fields.get(name).cloned().unwrap_or(Value::Null);
        if old != *value {
            before.insert(name.clone(), old);
            after.insert(name.clone(), value.clone());
            record.fields.insert(name.clone(), value.clone());
        }
    }
    if row.action == Action::Update && after.is_empty() {
        return Ok(Outcome::Unchanged(current.version));
    }
    // What a person types over a synced field stays, unless the pins themselves are what is changed.
    if pins && !after.contains_key(PINNED) {
        pin(&mut record, &mut before, &mut after);
    }
    let sight = Sight::of(entity, id, &current.fields, &record.fields);
    // The feed tells a record that leaves or comes back in full, so that a follower needs no second read.
    match row.action {
        Action::Archive => before.clone_from(&current.fields),
        Action::Restore => after.clone_from(&record.fields),
        _ => {}
    }
    record.version += 1;
    Ok(Outcome::Write { record, before, after, sight })
}

/// Adds the changed fields to those that are pinned.
fn pin(record: &mut Record, before: &mut Fields, after: &mut Fields) {
    let old = record.fields.get(PINNED).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let mut names: BTreeSet<&str> = old.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // No source ties a site for a person.
    names.extend(after.keys().map(String::as_str).filter(|name| *name != TIED_SITES));
    let new = Value::from(names.into_iter().collect::<Vec<_>>());
    if new != old {
        before.insert(PINNED.to_owned(), old);
        after.insert(PINNED.to_owned(), new.clone());
        record.fields.insert(PINNED.to_owned(), new);
    }
}

/// Every record that a row links to must exist, or be created by the same change set. A request adds no link to an archived one:
/// nobody would see it; those that were there stay, to come back with it.
async fn check_references(
    tx: &mut Tx,
    rows: &mut [Row],
    failure: Failure,
    planned: &Planned,
) -> std::result::Result<(), ChangeError> {
    let mut wanted: BTreeMap<Entity, BTreeSet<i64>> = BTreeMap::new();
    for row in rows.iter() {
        if let Outcome::Write { after, .. } = &row.outcome {
            for (field, target) in linking(row.entity) {
                wanted.entry(target).or_default().extend(references(after.get(field.name)));
            }
        }
    }
    let mut existing: BTreeMap<Entity, BTreeMap<i64, bool>> = BTreeMap::new();
    for (target, ids) in wanted {
        existing.insert(target, existing_ids(tx, target, &ids).await?);
    }
    // In the order of the kinds, so that a row that fails here takes those that link to it with it.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&at| rows[at].entity);
    for at in order {
        let row = &rows[at];
        let Outcome::Write { before, after, .. } = &row.outcome else { continue };
        let any = failure == Failure::Skip || row.action == Action::Restore;
        let missing = linking(row.entity).find_map(|(field, target)| {
            let held = references(before.get(field.name));
            let is_there = |id: &i64| {
                let known = existing.get(&target).and_then(|known| known.get(id));
                known.is_some_and(|live| *live || any || held.contains(id))
                    || planned.get(&target).is_some_and(|ids| ids.contains(id))
            };
            let id = references(after.get(field.name)).into_iter().find(|id| !is_there(id))?;
            Some(FieldError::new(field.name, format!("there is no {} {id}", target.as_str())))
        });
        match missing {
            Some(fault) => settle(&mut rows[at], Err(ChangeError::Invalid(vec![fault])), failure)?,
            None if row.action == Action::Create => {
                let (entity, id) = (row.entity, row.id);
                existing.entry(entity).or_default().insert(id, true);
            }
            None => {}
        }
    }
    Ok(())
}

fn linking(entity: Entity) -> impl Iterator<Item = (&'static Field, Entity)> {
    entity.fields().iter().filter_map(|field| match field.kind {
        Kind::Reference(target) => Some((field, target)),
        Kind::Links(link) | Kind::Values(link) => Some((field, link.entity)),
        _ => None,
    })
}

/// Those of the records that there are, each with whether it is live.
async fn existing_ids(tx: &mut Tx, entity: Entity, ids: &BTreeSet<i64>) -> Result<BTreeMap<i64, bool>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT t.id, t.archived_at IS NULL FROM {} t JOIN {} ON t.id = CAST(x.value AS BIGINT)",
        entity.table(),
        tx.dialect().each(1)
    );
    let ids: Vec<i64> = ids.iter().copied().collect();
    Ok(tx.all::<(i64, bool)>(Query::new(sql).bind(Value::from(ids))).await?.into_iter().collect())
}

/// A unique value may be held by one live record only. The unique index would say so, too, but it would end the
/// transaction and take the other rows with it. Says whether a row failed.
async fn check_unique(tx: &mut Tx, rows: &mut [Row], failure: Failure) -> std::result::Result<bool, ChangeError> {
    let mut failed = false;
    for entity in Entity::ALL {
        for field in entity.fields().iter().filter(|field| field.unique) {
            let keys: Vec<(usize, String)> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.entity == entity && row.action != Action::Archive)
                .filter_map(|(at, row)| match &row.outcome {
                    Outcome::Write { after, .. } => Some((at, records::key(after.get(field.name)?)?)),
                    _ => None,
                })
                .collect();
            if keys.is_empty() {
                continue;
            }
            let held = records::find_by_key(tx, entity, field.name, keys.iter().map(|(_, key)| key.as_str())).await?;
            let mut claimed: HashMap<&str, i64> = HashMap::new();
            // Records that this change set archives make room for another; they are written first.
            let leaving: BTreeSet<i64> = rows
                .iter()
                .filter(|row| row.entity == entity && row.action == Action::Archive)
                .filter(|row| matches!(row.outcome, Outcome::Write { .. }))
                .map(|row| row.id)
                .collect();
            for (at, key) in &keys {
                let id = rows[*at].id;
                let by_other = held.get(key).is_some_and(|holder| *holder != id && !leaving.contains(holder));
                if by_other || claimed.insert(key, id).is_some() {
                    settle(&mut rows[*at], Err(ChangeError::Taken { entity, field: field.name }), failure)?;
                    failed = true;
                }
            }
        }
    }
    Ok(failed)
}
