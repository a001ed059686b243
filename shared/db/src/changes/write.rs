//! Writes decided rows, set-based: a handful of statements however many records there are.

use std::collections::BTreeMap;

use nexus_core::Fields;
use nexus_core::entity::{Entity, Kind};
use serde_json::{Map, Value, json};

use super::numbers::Numbers;
use super::row::{Action, Outcome, Row, RowState, references};
use super::{Deed, Done, Touched, pins, plans, sites};
use crate::query::Batch;
use crate::records::Record;
use crate::{Dialect, Query, Result, Tx, bodies, search};

/// Writes a change set of decided rows that is not stored yet, and its rows.
pub(super) async fn write_new(
    tx: &mut Tx,
    deed: &Deed,
    mut rows: Vec<Row>,
    reverts: Option<i64>,
    now: &str,
) -> Result<Done> {
    let told = rows.iter().filter(|row| matches!(row.outcome, Outcome::Write { .. })).count();
    if told == 0 {
        return Ok(Done { changeset_id: None, records: rows.iter().map(|row| touched(row, 0)).collect() });
    }
    let numbers = Numbers::take(tx, &rows, &[("feed", told), ("changeset", 1), ("revision", 1)]).await?;
    numbers.give(&mut rows);
    let (changeset_id, cursor) = (numbers.first("changeset"), numbers.first("feed"));
    let records = rows.iter().map(|row| touched(row, changeset_id)).collect();
    let (dialect, mut batch) = (tx.dialect(), Batch::default());
    write_records(dialect, &mut rows, &deed.actor.name, now, &mut batch);
    rows.retain(|row| matches!(row.outcome, Outcome::Write { .. }));
    refresh_bodies(dialect, &rows, &mut batch);
    batch.push(
        Query::new(
            "INSERT INTO changesets (id, state, origin, author_id, author, reason, reverts_id, created_at, decided_at, \
             decided_by, request_key) VALUES ($8, 'applied', $1, $2, $3, $4, $5, $6, $6, $3, $7)",
        )
        .bind(deed.origin.as_str())
        .bind(deed.actor.user_id)
        .bind(deed.actor.name.as_str())
        .bind(deed.reason.as_str())
        .bind(reverts)
        .bind(now)
        .bind(deed.request_key.clone())
        .bind(changeset_id),
    );
    batch.push(insert_changes(dialect, changeset_id, &rows, Some(cursor), now));
    write_sight(dialect, rows.iter().zip(cursor..), &mut batch);
    let last = numbers.last("feed");
    search::catch_up(dialect, cursor - 1, last, &mut batch);
    tx.run(batch).await?;
    Ok(Done { changeset_id: Some(changeset_id), records })
}

fn touched(row: &Row, changeset_id: i64) -> Touched {
    let (version, changeset_id) = match &row.outcome {
        Outcome::Write { record, .. } => (record.version, Some(changeset_id)),
        Outcome::Unchanged(version) => (*version, None),
        Outcome::Undecided | Outcome::Stale(_) => (0, None),
    };
    Touched { id: row.id, version, changeset_id }
}

/// Writes the records themselves and their links.
pub(super) fn write_records(dialect: Dialect, rows: &mut [Row], who: &str, now: &str, batch: &mut Batch) {
    for entity in Entity::ALL {
        let (mut archived, mut created, mut updated, mut more) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for row in rows.iter_mut().filter(|row| row.entity == entity) {
            let Outcome::Write { record, .. } = &mut row.outcome else { continue };
            match row.action {
                Action::Create => now.clone_into(&mut record.created_at),
                Action::Archive => record.archived_at = Some(now.to_owned()),
                _ => record.archived_at = None,
            }
            more += match row.action {
                Action::Create | Action::Restore => 1,
                Action::Archive => -1,
                Action::Update | Action::Link => 0,
            };
            let payload = columns(entity, row.id, record, now);
            match row.action {
                Action::Create => created.push(payload),
                Action::Archive => archived.push(payload),
                _ => updated.push(payload),
            }
        }
        // Archived records first: they make room for those that take over a unique value.
        update(dialect, entity, archived, batch);
        insert(dialect, entity, created, batch);
        update(dialect, entity, updated, batch);
        if more != 0 {
            let query = Query::new("UPDATE live_counts SET n = n + $1 WHERE entity = $2");
            batch.push(query.bind(more).bind(entity.as_str()));
        }
    }
    plans::rename_archived(rows, batch);
    write_links(dialect, rows, batch);
    pins::write(dialect, rows, who, now, batch);
}

/// A record as the statements below read it.
fn columns(entity: Entity, id: i64, record: &Record, now: &str) -> Value {
    let mut payload: Map<String, Value> = entity
        .fields()
        .iter()
        .filter(|field| field.is_column())
        .map(|field| {
            let value = record.fields.get(field.name).cloned().unwrap_or(Value::Null);
            let value = if field.kind == Kind::TextList { Value::String(value.to_string()) } else { value };
            (field.name.to_owned(), value)
        })
        .collect();
    payload.insert("search".into(), search::text(entity, &record.fields).into());
    payload.insert("id".into(), id.into());
    payload.insert("version".into(), record.version.into());
    payload.insert("created_at".into(), record.created_at.as_str().into());
    payload.insert("updated_at".into(), now.into());
    payload.insert("archived_at".into(), record.archived_at.as_deref().into());
    Value::Object(payload)
}

/// Every column of a record's table with the expression that reads it from `x.value`.
fn column_expressions(entity: Entity) -> Vec<(&'static str, String)> {
    let text = |name| (name, format!("x.value->>'{name}'"));
    let number = |name| (name, format!("CAST(x.value->>'{name}' AS BIGINT)"));
    let own =
        [number("id"), number("version"), text("created_at"), text("updated_at"), text("archived_at"), text("search")];
    let fields = entity.fields().iter().filter(|field| field.is_column()).map(|field| match field.kind {
        Kind::Integer | Kind::Reference(_) => number(field.name),
        Kind::Bool => (field.name, format!("CAST(x.value->>'{}' AS BOOLEAN)", field.name)),
        _ => text(field.name),
    });
    own.into_iter().chain(fields).collect()
}

fn insert(dialect: Dialect, entity: Entity, records: Vec<Value>, batch: &mut Batch) {
    if records.is_empty() {
        return;
    }
    let (names, expressions): (Vec<_>, Vec<_>) = column_expressions(entity).into_iter().unzip();
    let sql = format!(
        "INSERT INTO {} ({}) SELECT {} FROM {}",
        entity.table(),
        names.join(", "),
        expressions.join(", "),
        dialect.each(1)
    );
    batch.push(Query::new(sql).bind(Value::from(records)));
}

fn update(dialect: Dialect, entity: Entity, records: Vec<Value>, batch: &mut Batch) {
    if records.is_empty() {
        return;
    }
    let set: Vec<String> = column_expressions(entity)
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "id" | "created_at"))
        .map(|(name, expression)| format!("{name} = {expression}"))
        .collect();
    let sql = format!(
        "UPDATE {table} SET {} FROM {} WHERE {table}.id = CAST(x.value->>'id' AS BIGINT)",
        set.join(", "),
        dialect.each(1),
        table = entity.table(),
    );
    batch.push(Query::new(sql).bind(Value::from(records)));
}

/// Replaces the links of every row that changes them. An archived record keeps its links, to come back with them.
fn write_links(dialect: Dialect, rows: &[Row], batch: &mut Batch) {
    for entity in Entity::ALL {
        for field in entity.fields() {
            let (link, valued) = match field.kind {
                Kind::Links(link) => (link, false),
                Kind::Values(link) => (link, true),
                _ => continue,
            };
            let (mut cleared, mut pairs) = (Vec::new(), Vec::new());
            for row in rows.iter().filter(|row| row.entity == entity && row.action != Action::Archive) {
                let Outcome::Write { after, .. } = &row.outcome else { continue };
                let Some(value) = after.get(field.name) else { continue };
                if row.action != Action::Create {
                    cleared.push(Value::from(row.id));
                }
                pairs.extend(references(Some(value)).into_iter().map(|target| {
                    let value = if valued { &value[target.to_string()] } else { &Value::Null };
                    json!({"o": row.id, "t": target, "v": value})
                }));
            }
            let each = dialect.each(1);
            if !cleared.is_empty() {
                let sql = format!(
                    "DELETE FROM {} WHERE {} IN (SELECT CAST(x.value AS BIGINT) FROM {each})",
                    link.table, link.owner
                );
                batch.push(Query::new(sql).bind(Value::from(cleared)));
            }
            if !pairs.is_empty() {
                let (column, value) = if valued { (", value", ", x.value->>'v'") } else { ("", "") };
                let sql = format!(
                    "INSERT INTO {} ({}, {}{column}) \
                     SELECT CAST(x.value->>'o' AS BIGINT), CAST(x.value->>'t' AS BIGINT){value} FROM {each}",
                    link.table, link.owner, link.target
                );
                batch.push(Query::new(sql).bind(Value::from(pairs)));
            }
        }
    }
}

/// Stores the rows of a change set: as applied, with cursors from `cursor` on, or as proposed.
pub(super) fn insert_changes(
    dialect: Dialect,
    changeset_id: i64,
    rows: &[Row],
    cursor: Option<i64>,
    now: &str,
) -> Query {
    let empty = Fields::new();
    let state = if cursor.is_some() { RowState::Applied } else { RowState::Proposed };
    let payload: Vec<Value> = rows
        .iter()
        .zip(0..)
        .map(|(row, at): (&Row, i64)| {
            let (before, after, state, reason) = match &row.outcome {
                Outcome::Write { before, after, .. } => (before, after, state, row.reason.as_deref()),
                Outcome::Stale(reason) => (&empty, &row.wanted, RowState::Stale, Some(reason.as_str())),
                Outcome::Unchanged(_) | Outcome::Undecided => (&empty, &row.wanted, state, row.reason.as_deref()),
            };
            json!({
                "cursor": cursor.map(|first| first + at), "entity": row.entity.as_str(), "record_id": row.id,
                "action": row.action.as_str(), "state": state.as_str(), "reason": reason, "version": row.version,
                "before": before, "after": after, "link": row.link,
                "snapshot": cursor.and_then(|_| snapshot(row)), "to_version": cursor.and_then(|_| to_version(row)),
            })
        })
        .collect();
    let sql = format!(
        "INSERT INTO changes (changeset_id, cursor, entity, record_id, action, state, reason, version, before, after, \
         link, snapshot, to_version, at) \
         SELECT $2, CAST(x.value->>'cursor' AS BIGINT), x.value->>'entity', CAST(x.value->>'record_id' AS BIGINT), \
         x.value->>'action', x.value->>'state', x.value->>'reason', CAST(x.value->>'version' AS BIGINT), x.value->'before', \
         x.value->'after', nullif(x.value->'link', 'null'), nullif(x.value->'snapshot', 'null'), \
         CAST(x.value->>'to_version' AS BIGINT), $3 FROM {}",
        dialect.each(1)
    );
    Query::new(sql).bind(Value::from(payload)).bind(changeset_id).bind(now)
}

/// The whole record, for the readers of a company that it enters or leaves.
pub(super) fn snapshot(row: &Row) -> Option<&Fields> {
    match &row.outcome {
        Outcome::Write { record, sight, .. } if !(sight.enters.is_empty() && sight.leaves.is_empty()) => {
            Some(&record.fields)
        }
        _ => None,
    }
}

/// The version that the record is at after the change.
pub(super) const fn to_version(row: &Row) -> Option<i64> {
    match &row.outcome {
        Outcome::Write { record, .. } => Some(record.version),
        _ => None,
    }
}

/// Says who may read the rows of the feed, each given with its cursor.
pub(super) fn write_sight<'a>(dialect: Dialect, rows: impl Iterator<Item = (&'a Row, i64)>, batch: &mut Batch) {
    let mut seen: Vec<Value> = Vec::new();
    for (row, cursor) in rows {
        let Outcome::Write { sight, .. } = &row.outcome else { continue };
        for (side, companies) in [("stays", &sight.stays), ("enters", &sight.enters), ("leaves", &sight.leaves)] {
            seen.extend(companies.iter().map(|id| json!({"c": cursor, "o": id, "s": side})));
        }
    }
    if seen.is_empty() {
        return;
    }
    let sql = format!(
        "INSERT INTO change_companies (cursor, company_id, side) \
         SELECT CAST(x.value->>'c' AS BIGINT), CAST(x.value->>'o' AS BIGINT), x.value->>'s' FROM {}",
        dialect.each(1)
    );
    batch.push(Query::new(sql).bind(Value::from(seen)));
}

/// Puts the bodies of the written records together, and those of the neighbours that show something of them.
pub(super) fn refresh_bodies(dialect: Dialect, rows: &[Row], batch: &mut Batch) {
    let mut touched = bodies::Touched::default();
    for row in rows {
        let (before, after) = match &row.outcome {
            Outcome::Write { before, after, .. } => (before, after),
            // A new tie to a source shows in the company's sites.
            Outcome::Unchanged(_) if row.link.is_some() => {
                touched.add(row.entity, [row.id]);
                continue;
            }
            _ => continue,
        };
        touched.add(row.entity, [row.id]);
        let comes_or_goes = matches!(row.action, Action::Archive | Action::Restore);
        let both = |field| [before.get(field), after.get(field)].into_iter().flat_map(references);
        match row.entity {
            Entity::Company if comes_or_goes || before.contains_key("account_number") => {
                touched.renamed.insert(row.id);
            }
            Entity::Plan | Entity::Feature => touched.plans = true,
            Entity::Asset => touched.add(Entity::Contact, both("contact_ids")),
            Entity::Contact if comes_or_goes => {
                touched.people.insert(row.id);
            }
            _ => {}
        }
    }
    touched.sites = sites::write(dialect, rows, batch);
    touched.refresh(dialect, batch);
}

/// Ties the written records to their source: what the source says now, confirmed by this run.
pub(super) fn write_source_links(dialect: Dialect, rows: &[Row], run_id: i64, now: &str, batch: &mut Batch) {
    let links: Vec<Value> = rows
        .iter()
        .filter(|row| matches!(row.outcome, Outcome::Write { .. } | Outcome::Unchanged(_)))
        .filter_map(|row| {
            let link = row.link.as_ref()?;
            Some(json!({"entity": row.entity.as_str(), "record_id": row.id, "link": link}))
        })
        .collect();
    let each = dialect.each(1);
    if !links.is_empty() {
        let sql = format!(
            "INSERT INTO source_links (source, entity, external_id, record_id, scope, hash, vendor_values, \
             created_record, confirmed_run_id, confirmed_at) \
             SELECT x.value->'link'->>'source', x.value->>'entity', x.value->'link'->>'external_id', \
             CAST(x.value->>'record_id' AS BIGINT), x.value->'link'->>'scope', x.value->'link'->>'hash', \
             x.value->'link'->'values', CAST(x.value->'link'->>'created' AS BOOLEAN), $2, $3 FROM {each} WHERE true \
             ON CONFLICT (source, entity, external_id) DO UPDATE SET record_id = excluded.record_id, \
             scope = excluded.scope, hash = excluded.hash, vendor_values = excluded.vendor_values, \
             confirmed_run_id = excluded.confirmed_run_id, confirmed_at = excluded.confirmed_at, \
             missing_since = NULL, archived_run_id = NULL"
        );
        batch.push(Query::new(sql).bind(Value::from(links)).bind(run_id).bind(now));
    }
    let archived: Vec<Value> = rows
        .iter()
        .filter(|row| row.action == Action::Archive && matches!(row.outcome, Outcome::Write { .. }))
        .map(|row| json!({"entity": row.entity.as_str(), "id": row.id}))
        .collect();
    if !archived.is_empty() {
        let sql = format!(
            "UPDATE source_links SET archived_run_id = $2 FROM {each} \
             WHERE source_links.entity = x.value->>'entity' \
             AND source_links.record_id = CAST(x.value->>'id' AS BIGINT)"
        );
        batch.push(Query::new(sql).bind(Value::from(archived)).bind(run_id));
    }
}

/// The applied rows by entity and action, for a run's report.
pub(super) fn count(rows: &[Row]) -> BTreeMap<(Entity, Action), u64> {
    let mut counts = BTreeMap::new();
    for row in rows.iter().filter(|row| matches!(row.outcome, Outcome::Write { .. })) {
        *counts.entry((row.entity, row.action)).or_default() += 1;
    }
    counts
}
