//! Undoing a change set that was applied.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::entity::{Entity, PINNED};
use nexus_core::{FieldError, Fields};
use serde_json::{Value, json};

use super::decide::{Failure, decide};
use super::numbers::lock_feed;
use super::plan::{ROW, SetRow, find_in};
use super::row::{Action, Outcome, Row};
use super::{ChangeError, Deed, Done, pins, write};
use crate::{Db, Query, Result, Tx, accounts, records};

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

/// Undoes an applied change set, or `only` some of its changes, by a new one with the inverse changes. A record whose changed
/// fields were changed again since is left alone, and named; the set is `reverted` once nothing of it is left.
///
/// # Errors
/// [`ChangeError::Decided`] when it is not applied, [`ChangeError::Invalid`] when one of those changes is not in it.
pub async fn revert(
    db: &Db,
    deed: &Deed,
    changeset_id: i64,
    only: Option<&BTreeSet<i64>>,
) -> std::result::Result<(Done, Vec<LeftAlone>), ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    let head = find_in(&mut tx, changeset_id).await?;
    if head.state != "applied" {
        return Err(ChangeError::Decided { state: head.state, needed: "applied" });
    }
    let query = Query::new(ROW)
        .push(" WHERE changeset_id = ")
        .arg(changeset_id)
        .push(" AND cursor IS NOT NULL AND reverted_by IS NULL ORDER BY cursor DESC");
    let mut stored = tx.all::<SetRow>(query).await?;
    let all = stored.len();
    if let Some(only) = only {
        stored.retain(|row| only.contains(&row.id));
        let absent = only.iter().find(|id| !stored.iter().any(|row| row.id == **id));
        if let Some(absent) = absent {
            let text = format!("change {absent} is none of this change set that can be undone");
            return Err(ChangeError::Invalid(vec![FieldError::new("only", text)]));
        }
    }
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
            expected
                .iter()
                .filter(|(field, _)| *field != PINNED)
                .any(|(field, value)| record.fields.get(field) != Some(value))
        });
        if moved {
            left.push(LeftAlone { change_id: row.id, entity, id, reason: "it was changed again since".to_owned() });
            continue;
        }
        let mut wanted = if action == Action::Update { row.before.0.clone() } else { Fields::new() };
        if let (Some(pins), Some(record)) = (wanted.get_mut(PINNED), current.get(&(entity, id))) {
            // Of the pins only those that came with this change go, and those that it took away come back.
            *pins = pins::undone(&record.fields[PINNED], pins, &row.after.0[PINNED]);
        }
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
    decide(&mut tx, &mut rows, Failure::Skip, false).await?;
    for row in &rows {
        if let (Outcome::Stale(reason), Some(change_id)) = (&row.outcome, row.change_id) {
            left.push(LeftAlone { change_id, entity: row.entity, id: row.id, reason: reason.clone() });
        }
    }
    let touches_users = rows.iter().any(|row| row.entity.is_of_accounts());
    let admins = if touches_users { accounts::admins(&mut tx).await? } else { 0 };
    read_anew(&mut tx, &rows).await?;
    let undone: Vec<i64> =
        rows.iter().filter(|row| !matches!(row.outcome, Outcome::Stale(_))).filter_map(|row| row.change_id).collect();
    let done = write::write_new(&mut tx, deed, rows, Some(changeset_id), &now).await?;
    if admins > 0 && accounts::admins(&mut tx).await? == 0 {
        return Err(ChangeError::LastAdmin);
    }
    if let Some(by) = done.changeset_id {
        let each = tx.dialect().each(1);
        let sql =
            format!("UPDATE changes SET reverted_by = $2 WHERE id IN (SELECT CAST(x.value AS BIGINT) FROM {each})");
        let whole = undone.len() == all;
        tx.execute(Query::new(sql).bind(Value::from(undone)).bind(by)).await?;
        if whole {
            let query = Query::new("UPDATE changesets SET state = 'reverted' WHERE id = $1").bind(changeset_id);
            tx.execute(query).await?;
        }
    }
    tx.commit().await?;
    db.committed(touches_users);
    Ok((done, left))
}

/// Lets the next run plan the records again from which a pin is taken: what their source said meanwhile was passed over.
async fn read_anew(tx: &mut Tx, rows: &[Row]) -> Result<()> {
    let released = rows.iter().filter(|row| {
        let Outcome::Write { before, after, .. } = &row.outcome else { return false };
        let (Some(Value::Array(before)), Some(Value::Array(after))) = (before.get(PINNED), after.get(PINNED)) else {
            return false;
        };
        before.iter().any(|name| !after.contains(name))
    });
    let released: Vec<Value> = released.map(|row| json!({"entity": row.entity.as_str(), "id": row.id})).collect();
    if released.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE source_links SET hash = '' WHERE (entity, record_id) IN \
         (SELECT x.value->>'entity', CAST(x.value->>'id' AS BIGINT) FROM {})",
        tx.dialect().each(1)
    );
    tx.execute(Query::new(sql).bind(Value::from(released))).await?;
    Ok(())
}
