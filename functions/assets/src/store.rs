//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query, scope};
use nexus_web::{Error, Found};

/// One live asset; of one out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, id: i64) -> Result<Option<Found>, Error> {
    Found::by_id(db, Entity::Asset, scope, id).await
}

/// A person of a device, or one that could be.
#[derive(Debug, serde::Deserialize, sqlx::FromRow)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
}

/// The people in sight that a device belongs to.
pub(crate) async fn people(db: &Db, scope: &Scope, id: i64) -> Result<Vec<Person>, Error> {
    let query = Query::new(
        "SELECT t.id, t.name, t.email FROM asset_contacts l JOIN contacts t ON t.id = l.contact_id WHERE l.asset_id = ",
    )
    .arg(id)
    .push(" AND t.archived_at IS NULL");
    Ok(db.all(scope::within(query, Entity::Contact, scope).push(" ORDER BY lower(t.name), t.id")).await?)
}
