//! What people took out of plans: it is not proposed again while its source says the same.

use std::collections::HashMap;

use nexus_core::Entity;
use serde_json::{Value, json};

use crate::changes::Link;
use crate::{Db, Query, Result, Tx};

/// In the place of a hash, of a record that was to go because its source does not show it any more.
pub const MISSING: &str = "missing";

/// What was refused.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Refusal {
    /// The source.
    pub source: String,
    /// Kind of record.
    pub entity: String,
    /// The source's id of it.
    pub external_id: String,
    /// Covers what the source said; [`MISSING`] if it said nothing.
    pub hash: String,
    /// Who refused it.
    pub refused_by: String,
    /// When.
    pub refused_at: String,
}

/// A row that was taken out of a plan of a source.
pub(crate) struct Refused<'a> {
    pub(crate) entity: &'a str,
    pub(crate) record_id: i64,
    pub(crate) link: Option<&'a Link>,
}

/// Remembers rows that were taken out of a plan.
pub(crate) async fn refuse(tx: &mut Tx, source: &str, rows: &[Refused<'_>], who: &str, now: &str) -> Result<()> {
    let told: Vec<Value> = rows
        .iter()
        .filter_map(|row| {
            let link = row.link?;
            Some(json!({"entity": row.entity, "id": link.external_id, "hash": link.hash}))
        })
        .collect();
    let missing: Vec<Value> = rows
        .iter()
        .filter(|row| row.link.is_none())
        .map(|row| json!({"entity": row.entity, "record": row.record_id}))
        .collect();
    let each = tx.dialect().each(1);
    let keep = "ON CONFLICT (source, entity, external_id) DO UPDATE SET hash = excluded.hash, \
                refused_by = excluded.refused_by, refused_at = excluded.refused_at";
    if !told.is_empty() {
        let sql = format!(
            "INSERT INTO refusals (source, entity, external_id, hash, refused_by, refused_at) \
             SELECT $2, x.value->>'entity', x.value->>'id', x.value->>'hash', $3, $4 FROM {each} WHERE true {keep}"
        );
        tx.execute(Query::new(sql).bind(Value::from(told)).bind(source).bind(who).bind(now)).await?;
    }
    if !missing.is_empty() {
        let sql = format!(
            "INSERT INTO refusals (source, entity, external_id, hash, refused_by, refused_at) \
             SELECT l.source, l.entity, l.external_id, '{MISSING}', $3, $4 FROM {each} \
             JOIN source_links l ON l.entity = x.value->>'entity' AND l.record_id = CAST(x.value->>'record' AS BIGINT) \
             WHERE l.source = $2 AND l.missing_since IS NOT NULL {keep}"
        );
        tx.execute(Query::new(sql).bind(Value::from(missing)).bind(source).bind(who).bind(now)).await?;
    }
    Ok(())
}

/// What was refused of a kind of a source: the hashes by the source's ids.
pub async fn of_source(tx: &mut Tx, source: &str, entity: Entity) -> Result<HashMap<String, String>> {
    let query = Query::new("SELECT external_id, hash FROM refusals WHERE source = $1 AND entity = $2");
    Ok(tx.all::<(String, String)>(query.bind(source).bind(entity.as_str())).await?.into_iter().collect())
}

/// Forgets that these were refused; they are proposed again.
pub async fn forget(tx: &mut Tx, source: &str, entity: &str, external_ids: &[&str]) -> Result<u64> {
    if external_ids.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "DELETE FROM refusals WHERE source = $2 AND entity = $3 AND external_id IN (SELECT x.value->>'id' FROM {})",
        tx.dialect().each(1)
    );
    let ids: Vec<Value> = external_ids.iter().map(|id| json!({ "id": id })).collect();
    tx.execute(Query::new(sql).bind(Value::from(ids)).bind(source).bind(entity)).await
}

/// Everything that was refused, the newest first.
pub async fn list(db: &Db) -> Result<Vec<Refusal>> {
    let query = "SELECT source, entity, external_id, hash, refused_by, refused_at FROM refusals \
                 ORDER BY refused_at DESC, source, entity, external_id";
    db.all(Query::new(query)).await
}

/// Our records (ids) that refusals are about, by source, kind and the source's id, where there is one yet.
pub async fn ties(db: &Db) -> Result<HashMap<(String, String, String), i64>> {
    let query = "SELECT r.source, r.entity, r.external_id, l.record_id FROM refusals r JOIN source_links l \
                 ON l.source = r.source AND l.entity = r.entity AND l.external_id = r.external_id";
    let found = db.all::<(String, String, String, i64)>(Query::new(query)).await?;
    Ok(found.into_iter().map(|(source, entity, external, id)| ((source, entity, external), id)).collect())
}
