//! What is known of the sources' records: which of ours they are, when they were last seen, what a person pinned.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::Fields;
use nexus_core::entity::Entity;
use nexus_core::policy::{Policy, field_policy};
use serde_json::Value;
use sqlx::types::Json;

use crate::{Db, Query, Result, Tx};

/// A source's record and ours.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SourceLink {
    /// The source's id.
    pub external_id: String,
    /// Our id.
    pub record_id: i64,
    /// The list in which the source tells it.
    pub scope: String,
    /// Covers what was last planned from it.
    pub hash: String,
    /// Since when a complete read has not shown it.
    pub missing_since: Option<String>,
    /// The run whose plan archived our record because it was missing.
    pub archived_run_id: Option<i64>,
    /// Our record was created from this source.
    pub created_record: bool,
    /// Our record's version.
    pub version: i64,
    /// When our record was archived.
    pub archived_at: Option<String>,
}

/// Every link of a source to records of a kind.
pub async fn list(tx: &mut Tx, source: &str, entity: Entity) -> Result<Vec<SourceLink>> {
    let sql = format!(
        "SELECT l.external_id, l.record_id, l.scope, l.hash, l.missing_since, l.archived_run_id, l.created_record, \
         t.version, t.archived_at \
         FROM source_links l JOIN {} t ON t.id = l.record_id WHERE l.source = $1 AND l.entity = $2",
        entity.table()
    );
    tx.all(Query::new(sql).bind(source).bind(entity.as_str())).await
}

/// The records of a kind that any source has a link to.
pub async fn linked(tx: &mut Tx, entity: Entity) -> Result<BTreeSet<i64>> {
    let query = Query::new("SELECT DISTINCT record_id FROM source_links WHERE entity = $1").bind(entity.as_str());
    Ok(tx.all::<(i64,)>(query).await?.into_iter().map(|(id,)| id).collect())
}

/// The fields that people pinned on records of a kind.
pub async fn pins(tx: &mut Tx, entity: Entity) -> Result<BTreeSet<(i64, String)>> {
    let query = Query::new("SELECT record_id, field FROM field_state WHERE entity = $1").bind(entity.as_str());
    Ok(tx.all::<(i64, String)>(query).await?.into_iter().collect())
}

/// The source's records that a run saw unchanged.
pub async fn confirm(
    tx: &mut Tx,
    source: &str,
    entity: Entity,
    external_ids: &[&str],
    run_id: i64,
    now: &str,
) -> Result<()> {
    if external_ids.is_empty() {
        return Ok(());
    }
    // IN, not a join: SQLite would walk all links for each id.
    let sql = format!(
        "UPDATE source_links SET confirmed_run_id = $4, confirmed_at = $5, missing_since = NULL \
         WHERE source = $2 AND entity = $3 AND external_id IN (SELECT x.value->>'id' FROM {})",
        tx.dialect().each(1)
    );
    let ids: Vec<Value> = external_ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
    let query = Query::new(sql).bind(Value::from(ids)).bind(source).bind(entity.as_str()).bind(run_id).bind(now);
    tx.execute(query).await?;
    Ok(())
}

/// The source's records that a complete read did not show; those that were missing before keep their date.
pub async fn mark_missing(tx: &mut Tx, source: &str, entity: Entity, external_ids: &[&str], now: &str) -> Result<()> {
    if external_ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE source_links SET missing_since = $4 WHERE source = $2 AND entity = $3 \
         AND external_id IN (SELECT x.value->>'id' FROM {}) AND missing_since IS NULL",
        tx.dialect().each(1)
    );
    let ids: Vec<Value> = external_ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
    tx.execute(Query::new(sql).bind(Value::from(ids)).bind(source).bind(entity.as_str()).bind(now)).await?;
    Ok(())
}

/// The live records that came from a source, counted by kind.
pub async fn records_of(db: &Db, source: &str) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for entity in Entity::ALL {
        let sql = format!(
            "SELECT count(DISTINCT l.record_id) FROM source_links l JOIN {} t ON t.id = l.record_id \
             WHERE l.source = $1 AND l.entity = $2 AND l.created_record AND t.archived_at IS NULL",
            entity.table()
        );
        let (n,) = db.one::<(i64,)>(Query::new(sql).bind(source).bind(entity.as_str())).await?;
        if n > 0 {
            counts.insert(entity.as_str().to_owned(), n.unsigned_abs());
        }
    }
    Ok(counts)
}

/// Live records that came from a source and that no other source tells, with the order of their kinds reversed: what refers
/// to others comes first.
pub(crate) async fn own(tx: &mut Tx, source: &str) -> Result<Vec<(Entity, i64)>> {
    let mut own = Vec::new();
    for entity in Entity::ALL.into_iter().rev() {
        let sql = format!(
            "SELECT DISTINCT l.record_id FROM source_links l JOIN {} t ON t.id = l.record_id \
             WHERE l.source = $1 AND l.entity = $2 AND l.created_record AND t.archived_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM source_links o WHERE o.entity = l.entity AND o.record_id = l.record_id \
             AND o.source <> l.source) ORDER BY l.record_id",
            entity.table()
        );
        let ids = tx.all::<(i64,)>(Query::new(sql).bind(source).bind(entity.as_str())).await?;
        own.extend(ids.into_iter().map(|(id,)| (entity, id)));
    }
    Ok(own)
}

/// What a source says of a field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The source.
    pub source: String,
    /// When it was last read.
    pub at: String,
    /// The run that read it.
    pub run_id: i64,
    /// Who pinned the field, if anybody did.
    pub pinned_by: Option<String>,
    /// The source's value.
    pub value: Value,
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the names of the columns")]
struct Values {
    source: String,
    confirmed_at: String,
    confirmed_run_id: i64,
    vendor_values: Json<Fields>,
}

/// What the sources say of a record, by field, where they have a say; of two that tell the same field the first by name.
pub async fn told(db: &Db, entity: Entity, id: i64) -> Result<BTreeMap<String, Told>> {
    told_in(&mut db.read().await?, entity, id).await
}

pub(crate) async fn told_in(tx: &mut Tx, entity: Entity, id: i64) -> Result<BTreeMap<String, Told>> {
    let pins = Query::new("SELECT field, pinned_by FROM field_state WHERE entity = $1 AND record_id = $2");
    let pins: BTreeMap<String, String> =
        tx.all::<(String, String)>(pins.bind(entity.as_str()).bind(id)).await?.into_iter().collect();
    let links = Query::new(
        "SELECT source, confirmed_at, confirmed_run_id, vendor_values FROM source_links \
         WHERE entity = $1 AND record_id = $2 ORDER BY source, external_id",
    );
    let mut told = BTreeMap::new();
    for link in tx.all::<Values>(links.bind(entity.as_str()).bind(id)).await? {
        let heard = |field: &str| field_policy(&link.source, entity, field) != Policy::Never;
        for (field, value) in link.vendor_values.0.into_iter().filter(|(field, _)| heard(field)) {
            let pinned_by = pins.get(&field).cloned();
            told.entry(field).or_insert(Told {
                source: link.source.clone(),
                at: link.confirmed_at.clone(),
                run_id: link.confirmed_run_id,
                pinned_by,
                value,
            });
        }
    }
    Ok(told)
}
