//! The rules that the API and the pages share when they write companies.

use nexus_core::{Entity, Fields};
use nexus_db::changes::{Deed, Edit, Touched};
use nexus_db::{Db, Query};
use nexus_web::{Error, both, feature_values, record, record_fields};
use serde_json::{Map, Value};

pub(crate) const ABSENT: &str = "Company not found";
const WORDS: (&str, &str) = ("Company already exists. Use PUT to update.", ABSENT);

/// Callers name features; the record holds their ids.
pub(crate) async fn fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    // Billing's name of the plan is another name of the same field.
    if let Some(plan) = body.remove("billing_plan")
        && meant(db, known, &plan, body.get("plan_selected")).await?
    {
        body.insert("plan_selected".to_owned(), plan);
    }
    let values = feature_values(db, (Entity::Company, known), "feature_overrides", &mut body).await;
    let (mut fields, values) = both(record_fields(Entity::Company, body), values)?;
    if let Some(values) = values {
        fields.insert("feature_values".to_owned(), values);
    }
    Ok(fields)
}

/// Whether a plan under billing's name is what the caller means: whoever sends back a whole record changes one of the two
/// names, and leaves the other as it was.
async fn meant(db: &Db, known: Option<i64>, plan: &Value, newer: Option<&Value>) -> Result<bool, Error> {
    let (Some(newer), Some(id)) = (newer, known) else { return Ok(newer.is_none()) };
    if newer == plan {
        return Ok(false);
    }
    let query = Query::new("SELECT plan_selected FROM companies WHERE id = $1").bind(id);
    Ok(db.optional::<(Option<String>,)>(query).await?.is_some_and(|(now,)| newer.as_str() == now.as_deref()))
}

pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let fields = fields(db, None, body).await?;
    record::change(db, deed, Edit::Create { entity: Entity::Company, fields }, WORDS).await
}

pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    id: i64,
    version: Option<i64>,
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = fields(db, Some(id), body).await?;
    record::change(db, deed, Edit::Update { entity: Entity::Company, id, version, fields }, WORDS).await
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Archive { entity: Entity::Company, id, version }, WORDS).await
}

pub(crate) async fn restore(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Restore { entity: Entity::Company, id, version: None }, WORDS).await
}
