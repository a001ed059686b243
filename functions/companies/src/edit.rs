//! The rules that the API and the pages share when they write companies.

use nexus_core::Entity;
use nexus_db::Db;
use nexus_db::changes::{self, Deed, Edit, Touched};
use nexus_web::{Error, record_fields};
use serde_json::{Map, Value};

const TAKEN: &str = "Company already exists. Use PUT to update.";

/// Billing's name of the plan is another name of the same field.
fn renamed(mut body: Map<String, Value>) -> Map<String, Value> {
    if let Some(plan) = body.remove("billing_plan") {
        body.entry("plan_selected").or_insert(plan);
    }
    body
}

pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let edit = Edit::Create { entity: Entity::Company, fields: record_fields(Entity::Company, renamed(body))? };
    one(db, deed, edit).await
}

pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    id: i64,
    version: Option<i64>,
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = record_fields(Entity::Company, renamed(body))?;
    one(db, deed, Edit::Update { entity: Entity::Company, id, version, fields }).await
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<(), Error> {
    one(db, deed, Edit::Archive { entity: Entity::Company, id, version }).await.map(drop)
}

async fn one(db: &Db, deed: &Deed, edit: Edit) -> Result<Touched, Error> {
    match changes::change(db, deed, vec![edit]).await {
        Ok(done) => done.records.first().copied().ok_or(Error::Internal),
        Err(changes::ChangeError::Taken { .. }) => Err(Error::Conflict(TAKEN.into())),
        Err(changes::ChangeError::NotFound { .. }) => Err(Error::NotFound("Company not found")),
        Err(error) => Err(error.into()),
    }
}
