//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query, scope};
use nexus_web::{Error, Found};

const BY_NUMBER: &str = "lower(t.account_number) = {}";

/// One live company. Of a company out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, account_number: &str) -> Result<Option<Found>, Error> {
    Found::find(db, Entity::Company, scope, BY_NUMBER, account_number.to_ascii_lowercase()).await
}

/// The company that had this number and was archived last.
pub(crate) async fn find_archived(db: &Db, scope: &Scope, account_number: &str) -> Result<Option<Found>, Error> {
    Found::archived(db, Entity::Company, scope, BY_NUMBER, account_number.to_ascii_lowercase()).await
}

/// A person of a company, as its page lists them.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) work_phone_number: Option<String>,
    pub(crate) active: bool,
}

/// The people of a company, those who work there first.
pub(crate) async fn people(db: &Db, scope: &Scope, company_id: i64) -> Result<Vec<Person>, Error> {
    let query = Query::new(
        "SELECT t.id, t.name, t.email, t.title, t.work_phone_number, t.active \
         FROM contact_companies l JOIN contacts t ON t.id = l.contact_id WHERE l.company_id = ",
    )
    .arg(company_id)
    .push(" AND t.archived_at IS NULL");
    let query = match scope::condition(Entity::Contact, scope) {
        Some(seen) => query.push(" AND ").push(&seen),
        None => query,
    };
    Ok(db.all(query.push(" ORDER BY t.active DESC, lower(t.name), t.id")).await?)
}

/// A feature with what a company has of it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct CompanyFeature {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) plan_value: Option<String>,
    pub(crate) own_value: Option<String>,
}

/// Every live feature, with what the company's plan and the company itself say of it.
pub(crate) async fn features(db: &Db, company_id: i64) -> Result<Vec<CompanyFeature>, Error> {
    let query = Query::new(
        "SELECT f.id, f.name, i.value AS plan_value, o.value AS own_value FROM features f \
         LEFT JOIN feature_overrides o ON o.feature_id = f.id AND o.company_id = $1 \
         LEFT JOIN plan_features i ON i.feature_id = f.id AND i.plan_id = (SELECT p.id FROM plans p \
         JOIN companies c ON lower(p.name) = lower(c.plan_selected) WHERE c.id = $1 AND p.archived_at IS NULL) \
         WHERE f.archived_at IS NULL ORDER BY f.position, lower(f.name), f.id",
    );
    Ok(db.all(query.bind(company_id)).await?)
}
