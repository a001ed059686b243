//! Pinned fields on their way to `field_state`.

use std::collections::BTreeSet;

use nexus_core::Fields;
use nexus_core::entity::{Entity, PINNED};
use nexus_core::policy::{Policy, field_policy};
use serde_json::{Value, json};

use super::numbers::lock_feed;
use super::row::{Outcome, Row};
use super::{ChangeError, Deed, Done, Edit, change_in};
use crate::query::Batch;
use crate::{Db, Dialect, Query, Result, Tx, records, sources};

/// Pins a field of a live record, or lets it follow its source again: then it takes the source's latest value.
///
/// # Errors
/// As [`super::change`].
pub async fn pin(
    db: &Db,
    deed: &Deed,
    (entity, id, version): (Entity, i64, Option<i64>),
    field: &'static str,
    pinned: bool,
) -> std::result::Result<Done, ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    let record = records::load(&mut tx, entity, &[id]).await?.remove(&id);
    let record = record.filter(|record| record.archived_at.is_none()).ok_or(ChangeError::NotFound { entity, id })?;
    let mut pins = names(&record.fields[PINNED]);
    let mut fields = Fields::new();
    let changed = if pinned { pins.insert(field) } else { pins.remove(field) };
    if changed {
        fields.insert(PINNED.to_owned(), Value::from(pins.into_iter().collect::<Vec<_>>()));
    }
    if changed && !pinned {
        fields.extend(latest(&mut tx, (entity, id), field, &record.fields).await?);
    }
    let done = change_in(&mut tx, deed, vec![Edit::Update { entity, id, version, fields }], &now).await?;
    tx.commit().await?;
    db.committed(false);
    Ok(done)
}

/// The value that a field takes when it follows its source again.
async fn latest(
    tx: &mut Tx,
    (entity, id): (Entity, i64),
    field: &str,
    ours: &Fields,
) -> Result<Option<(String, Value)>> {
    let is_blank = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let Some(told) = sources::told_in(tx, entity, id).await?.remove(field) else { return Ok(None) };
    let taken = match field_policy(&told.source, entity, field) {
        Policy::SourceWins => !is_blank(&told.value),
        Policy::FillIfEmpty => !is_blank(&told.value) && ours.get(field).is_none_or(is_blank),
        Policy::Never => false,
    };
    Ok(taken.then(|| (field.to_owned(), told.value)))
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The pins that a record has (`now`) without what a change made of `before` in `after`.
pub(super) fn undone(now: &Value, before: &Value, after: &Value) -> Value {
    let (mut pins, before, after) = (names(now), names(before), names(after));
    pins.retain(|name| before.contains(name) || !after.contains(name));
    pins.extend(before.difference(&after));
    Value::from(pins.into_iter().collect::<Vec<_>>())
}

/// Writes what has changed of the pins; those that stay keep who made them and when.
pub(super) fn write(dialect: Dialect, rows: &[Row], who: &str, now: &str, batch: &mut Batch) {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for row in rows {
        let Outcome::Write { before, after, .. } = &row.outcome else { continue };
        let (Some(before), Some(after)) = (before.get(PINNED), after.get(PINNED)) else { continue };
        let (before, after) = (names(before), names(after));
        let line = |field: &&str| json!({"entity": row.entity.as_str(), "id": row.id, "field": field});
        added.extend(after.difference(&before).map(line));
        removed.extend(before.difference(&after).map(line));
    }
    let each = dialect.each(1);
    if !removed.is_empty() {
        let sql = format!(
            "DELETE FROM field_state WHERE (entity, record_id, field) IN (SELECT x.value->>'entity', \
             CAST(x.value->>'id' AS BIGINT), x.value->>'field' FROM {each})"
        );
        batch.push(Query::new(sql).bind(Value::from(removed)));
    }
    if !added.is_empty() {
        let sql = format!(
            "INSERT INTO field_state (entity, record_id, field, pinned_by, pinned_at) \
             SELECT x.value->>'entity', CAST(x.value->>'id' AS BIGINT), x.value->>'field', $2, $3 FROM {each}"
        );
        batch.push(Query::new(sql).bind(Value::from(added)).bind(who).bind(now));
    }
}
