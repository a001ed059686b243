//! What the overview reads.

use nexus_core::{Entity, Scope, instant};
use nexus_db::{Db, Query, scope};
use nexus_web::Error;

/// How many live records there are, and what of them is to be looked at.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Counts {
    pub(crate) companies: i64,
    pub(crate) contacts: i64,
    pub(crate) active: i64,
    pub(crate) assets: i64,
    pub(crate) online: i64,
    /// Contacts without a company.
    pub(crate) lonely: i64,
    /// Assets without a contact.
    pub(crate) unowned: i64,
    /// Assets without a company.
    pub(crate) homeless: i64,
    /// Assets that have not been seen for so long.
    pub(crate) unseen: i64,
    /// Plans of syncs that wait for a person.
    pub(crate) held: i64,
}

impl Counts {
    /// What is to be looked at: how many, what, and where they are.
    pub(crate) fn gaps(&self) -> [(i64, &'static str, &'static str); 4] {
        [
            (self.homeless, "Assets without a company", "/assets?company=(none)"),
            (self.unowned, "Assets without a contact", "/assets?contact=without"),
            (self.lonely, "Contacts without a company", "/contacts?companies=none"),
            (self.unseen, "Assets not seen for 30 days", "/assets?unseen=30"),
        ]
    }
}

/// What is counted.
pub(crate) async fn counts(db: &Db, unseen_before: &str) -> Result<Counts, Error> {
    let query = Query::new(
        "SELECT (SELECT count(*) FROM companies WHERE archived_at IS NULL) AS companies, \
         (SELECT count(*) FROM contacts WHERE archived_at IS NULL) AS contacts, \
         (SELECT count(*) FROM contacts WHERE archived_at IS NULL AND active) AS active, \
         (SELECT count(*) FROM assets WHERE archived_at IS NULL) AS assets, \
         (SELECT count(*) FROM assets WHERE archived_at IS NULL AND online) AS online, \
         (SELECT count(*) FROM contacts t WHERE archived_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM contact_companies l JOIN companies c ON c.id = l.company_id \
         WHERE l.contact_id = t.id AND c.archived_at IS NULL)) AS lonely, \
         (SELECT count(*) FROM assets t WHERE archived_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM asset_contacts l JOIN contacts p ON p.id = l.contact_id \
         WHERE l.asset_id = t.id AND p.archived_at IS NULL)) AS unowned, \
         (SELECT count(*) FROM assets t WHERE archived_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM companies c WHERE c.id = t.company_id AND c.archived_at IS NULL)) AS homeless, \
         (SELECT count(*) FROM assets WHERE archived_at IS NULL AND coalesce(last_seen, '') < $1) AS unseen, \
         (SELECT count(*) FROM changesets WHERE state = 'held') AS held",
    );
    Ok(db.one(query.bind(unseen_before)).await?)
}

/// How many live records of a table have which value of a column, the most frequent first. Values that differ in letter
/// case alone are one, as in the filters of lists.
pub(crate) async fn values(db: &Db, table: &str, column: &str) -> Result<Vec<(String, i64)>, Error> {
    let query = Query::new(format!(
        "SELECT coalesce(min(t.{column}), ''), count(*) FROM {table} t WHERE t.archived_at IS NULL \
         GROUP BY lower(coalesce(t.{column}, '')) ORDER BY 2 DESC, 1"
    ));
    Ok(db.all(query).await?)
}

/// How many live assets were last seen in each span of days before now.
pub(crate) async fn seen(db: &Db) -> Result<Vec<(&'static str, i64)>, Error> {
    let before = |days| instant::days_before(db.clock().now(), days);
    let query = Query::new(
        "SELECT count(CASE WHEN s >= $1 THEN 1 END), count(CASE WHEN s >= $2 AND s < $1 THEN 1 END), \
         count(CASE WHEN s >= $3 AND s < $2 THEN 1 END), count(CASE WHEN s >= $4 AND s < $3 THEN 1 END), \
         count(CASE WHEN s < $4 THEN 1 END) \
         FROM (SELECT coalesce(last_seen, '') AS s FROM assets WHERE archived_at IS NULL) a",
    );
    let query = query.bind(before(1)).bind(before(7)).bind(before(30)).bind(before(90));
    let (day, week, month, quarter, longer) = db.one::<(i64, i64, i64, i64, i64)>(query).await?;
    Ok(vec![
        ("within a day", day),
        ("1 to 7 days ago", week),
        ("7 to 30 days ago", month),
        ("30 to 90 days ago", quarter),
        ("longer ago or never", longer),
    ])
}

/// A company as its client's overview shows it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct OwnCompany {
    pub(crate) account_number: String,
    pub(crate) name: String,
    pub(crate) contacts: i64,
    pub(crate) assets: i64,
}

/// The live companies in sight.
pub(crate) async fn own_companies(db: &Db, scope: &Scope) -> Result<Vec<OwnCompany>, Error> {
    let query = Query::new(
        "SELECT t.account_number, t.name, \
         (SELECT count(*) FROM contact_companies l JOIN contacts p ON p.id = l.contact_id \
         WHERE l.company_id = t.id AND p.archived_at IS NULL) AS contacts, \
         (SELECT count(*) FROM assets a WHERE a.company_id = t.id AND a.archived_at IS NULL) AS assets \
         FROM companies t WHERE t.archived_at IS NULL",
    );
    Ok(db.all(scope::within(query, Entity::Company, scope).push(" ORDER BY lower(t.name), t.id")).await?)
}
