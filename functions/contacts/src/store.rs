//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query, scope};
use nexus_web::{Error, Found};

/// One live contact; of one out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, id: i64) -> Result<Option<Found>, Error> {
    Found::by_id(db, Entity::Contact, scope, id).await
}

/// The companies of a contact that are in sight: account number and name.
pub(crate) async fn companies(db: &Db, scope: &Scope, id: i64) -> Result<Vec<(String, String)>, Error> {
    let query = Query::new(
        "SELECT t.account_number, t.name FROM contact_companies l JOIN companies t ON t.id = l.company_id \
         WHERE l.contact_id = ",
    )
    .arg(id)
    .push(" AND t.archived_at IS NULL");
    Ok(db.all(scope::within(query, Entity::Company, scope).push(" ORDER BY lower(t.name), t.id")).await?)
}

/// A device of a person.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Asset {
    pub(crate) id: i64,
    pub(crate) hostname: String,
    pub(crate) operating_system: Option<String>,
    pub(crate) last_seen: Option<String>,
}

/// The devices in sight that belong to a contact.
pub(crate) async fn assets(db: &Db, scope: &Scope, id: i64) -> Result<Vec<Asset>, Error> {
    let query = Query::new(
        "SELECT t.id, t.hostname, t.operating_system, t.last_seen FROM asset_contacts l JOIN assets t ON t.id = l.asset_id \
         WHERE l.contact_id = ",
    )
    .arg(id)
    .push(" AND t.archived_at IS NULL");
    Ok(db.all(scope::within(query, Entity::Asset, scope).push(" ORDER BY lower(t.hostname), t.id")).await?)
}
