//! Records in their plain form: fields by name, links as ids. What the door for writes compares and the tests dump;
//! what the API and the pages read is made by each route group.

use std::collections::{BTreeMap, HashMap};

use nexus_core::Fields;
use nexus_core::entity::{Entity, Kind};
use serde_json::{Value, json};

use crate::{Db, Dialect, Error, Query, Result, Tx};

/// A record and its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Counts its changes.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it was archived, if it is.
    pub archived_at: Option<String>,
    /// Every field of its kind.
    pub fields: Fields,
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    id: i64,
    version: i64,
    created_at: String,
    archived_at: Option<String>,
    fields: String,
}

/// The SQL of a record's fields as one JSON object, from its table as `t`.
fn fields_sql(entity: Entity, dialect: Dialect) -> String {
    dialect.object(entity.fields().iter().map(|field| {
        let column = format!("t.{}", field.name);
        let value = match field.kind {
            Kind::Bool => dialect.nullable_boolean(&column, field.required),
            Kind::Links(link) => {
                let value = format!("l.{}", link.target);
                dialect.array(&value, &format!("FROM {} l WHERE l.{} = t.id", link.table, link.owner), &value)
            }
            Kind::Values(link) => {
                let key = format!("CAST(l.{} AS TEXT)", link.target);
                dialect.object_of(&key, "l.value", &format!("FROM {} l WHERE l.{} = t.id", link.table, link.owner))
            }
            Kind::Pins => pins_sql(entity, dialect),
            _ => column,
        };
        (field.name, value)
    }))
}

/// The SQL of the names of the fields that are pinned on a record of table `t`.
fn pins_sql(entity: Entity, dialect: Dialect) -> String {
    let from = format!("FROM field_state p WHERE p.entity = '{}' AND p.record_id = t.id", entity.as_str());
    dialect.array("p.field", &from, "p.field")
}

fn select(entity: Entity, dialect: Dialect) -> String {
    let text = dialect.text(&fields_sql(entity, dialect));
    format!("SELECT t.id, t.version, t.created_at, t.archived_at, {text} AS fields FROM {} t", entity.table())
}

/// These records, by id; those that do not exist are left out.
pub async fn load(tx: &mut Tx, entity: Entity, ids: &[i64]) -> Result<BTreeMap<i64, Record>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let dialect = tx.dialect();
    let query = if let [id] = ids {
        Query::new(select(entity, dialect)).push(" WHERE t.id = ").arg(*id)
    } else {
        let each = dialect.each(1);
        Query::new(format!("{} JOIN {each} ON t.id = CAST(x.value AS BIGINT)", select(entity, dialect)))
            .bind(Value::from(ids))
    };
    tx.all::<RecordRow>(query).await?.into_iter().map(|row| read(entity, row)).collect()
}

/// Every live record of a kind, by id.
pub async fn dump(db: &Db, entity: Entity) -> Result<BTreeMap<i64, Record>> {
    let query = Query::new(select(entity, db.dialect())).push(" WHERE t.archived_at IS NULL");
    db.all::<RecordRow>(query).await?.into_iter().map(|row| read(entity, row)).collect()
}

/// The form in which a unique value is compared: as `lower()` has it in both databases. None for what is no text.
#[must_use]
pub fn key(value: &Value) -> Option<String> {
    value.as_str().map(str::to_ascii_lowercase)
}

/// The live records that hold these values of a field, by [`key`].
pub async fn find_by_key<'a>(
    tx: &mut Tx,
    entity: Entity,
    field: &'static str,
    keys: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, i64>> {
    let sql = format!(
        "SELECT lower(t.{field}), t.id FROM {each} JOIN {table} t ON lower(t.{field}) = x.value->>'key' \
         WHERE t.archived_at IS NULL",
        table = entity.table(),
        each = tx.dialect().each(1),
    );
    let keys: Vec<Value> = keys.map(|key| json!({ "key": key })).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(tx.all::<(String, i64)>(Query::new(sql).bind(Value::from(keys))).await?.into_iter().collect())
}

/// The live locations of these companies: company, name as [`key`] has it, id. Of several with one name the last.
pub async fn locations_of(tx: &mut Tx, companies: &[i64]) -> Result<Vec<(i64, String, i64)>> {
    let sql = format!(
        "SELECT t.company_id, lower(t.name), t.id FROM {} JOIN locations t ON t.company_id = CAST(x.value AS BIGINT) \
         WHERE t.archived_at IS NULL ORDER BY t.id",
        tx.dialect().each(1)
    );
    tx.all(Query::new(sql).bind(Value::from(companies))).await
}

fn read(entity: Entity, row: RecordRow) -> Result<(i64, Record)> {
    let corrupt = |column| Error::Corrupt { table: entity.table(), column };
    let mut fields: Fields = serde_json::from_str(&row.fields).map_err(|_| corrupt("fields"))?;
    for field in entity.fields().iter().filter(|field| field.kind == Kind::TextList) {
        if let Some(value) = fields.get_mut(field.name)
            && let Some(text) = value.as_str()
        {
            *value = serde_json::from_str(text).map_err(|_| corrupt(field.name))?;
        }
    }
    let RecordRow { id, version, created_at, archived_at, .. } = row;
    Ok((id, Record { version, created_at, archived_at, fields }))
}
