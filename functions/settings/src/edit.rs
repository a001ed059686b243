//! The rules of writing plans and features.

use nexus_core::{Entity, Fields};
use nexus_db::Db;
use nexus_db::changes::{Deed, Edit, Touched};
use nexus_web::{Error, both, feature_values, record, record_fields};
use serde_json::{Map, Value};

pub(crate) const PLAN: (&str, &str) = ("A plan with this name already exists", "Plan not found");
pub(crate) const FEATURE: (&str, &str) = ("A feature with this name already exists", "Feature not found");

/// The fields of a plan: callers name features, the record holds their ids.
async fn plan_fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    let values = feature_values(db, (Entity::Plan, known), "features", &mut body).await;
    let (mut fields, values) = both(record_fields(Entity::Plan, body), values)?;
    if let Some(values) = values {
        fields.insert("feature_values".to_owned(), values);
    }
    Ok(fields)
}

pub(crate) async fn create_plan(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let fields = plan_fields(db, None, body).await?;
    record::change(db, deed, Edit::Create { entity: Entity::Plan, fields }, PLAN).await
}

pub(crate) async fn update_plan(
    db: &Db,
    deed: &Deed,
    (id, version): (i64, Option<i64>),
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = plan_fields(db, Some(id), body).await?;
    record::change(db, deed, Edit::Update { entity: Entity::Plan, id, version, fields }, PLAN).await
}

pub(crate) async fn archive_plan(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Archive { entity: Entity::Plan, id, version }, PLAN).await
}

pub(crate) async fn restore_plan(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Restore { entity: Entity::Plan, id, version: None }, PLAN).await
}

pub(crate) async fn create_feature(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let fields = record_fields(Entity::Feature, body)?;
    record::change(db, deed, Edit::Create { entity: Entity::Feature, fields }, FEATURE).await
}

pub(crate) async fn update_feature(
    db: &Db,
    deed: &Deed,
    (id, version): (i64, Option<i64>),
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = record_fields(Entity::Feature, body)?;
    record::change(db, deed, Edit::Update { entity: Entity::Feature, id, version, fields }, FEATURE).await
}

pub(crate) async fn archive_feature(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Archive { entity: Entity::Feature, id, version }, FEATURE).await
}

pub(crate) async fn restore_feature(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Restore { entity: Entity::Feature, id, version: None }, FEATURE).await
}
