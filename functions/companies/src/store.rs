//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query};
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

/// How much belongs to a company.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Parts {
    pub(crate) contacts: i64,
    pub(crate) active: i64,
    pub(crate) assets: i64,
    pub(crate) online: i64,
    pub(crate) locations: i64,
    pub(crate) users: i64,
}

/// How much belongs to a company.
pub(crate) async fn parts(db: &Db, company_id: i64) -> Result<Parts, Error> {
    let query = Query::new(
        "SELECT p.contacts, p.active, a.assets, a.online, \
         (SELECT count(*) FROM locations WHERE company_id = $1 AND archived_at IS NULL) AS locations, \
         (SELECT count(*) FROM user_companies l JOIN users u ON u.id = l.user_id \
         WHERE l.company_id = $1 AND u.archived_at IS NULL) AS users \
         FROM (SELECT count(*) AS contacts, count(CASE WHEN t.active THEN 1 END) AS active FROM contact_companies l \
         JOIN contacts t ON t.id = l.contact_id WHERE l.company_id = $1 AND t.archived_at IS NULL) p, \
         (SELECT count(*) AS assets, count(CASE WHEN t.online THEN 1 END) AS online FROM assets t \
         WHERE t.company_id = $1 AND t.archived_at IS NULL) a",
    );
    Ok(db.one(query.bind(company_id)).await?)
}

/// What [`plans`] reads.
pub(crate) const PLANS: &str = "SELECT name FROM plans WHERE archived_at IS NULL ORDER BY position, lower(name), id";

/// The names of the plans, in their order.
pub(crate) async fn plans(db: &Db) -> Result<Vec<String>, Error> {
    Ok(db.all::<(String,)>(Query::new(PLANS)).await?.into_iter().map(|(name,)| name).collect())
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
