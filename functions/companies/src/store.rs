//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Dialect, Query};
use nexus_web::{Error, Found, List, Sorts};

/// How lists of companies may be sorted.
pub(crate) const SORTS: Sorts = &[
    ("name", "lower(t.name)"),
    ("account_number", "lower(t.account_number)"),
    // Where nothing is, the two databases sort at different ends.
    ("plan_selected", "lower(coalesce(t.plan_selected, ''))"),
    ("created_at", "t.created_at"),
    ("updated_at", "t.updated_at"),
];

/// The columns that `search` looks into.
const SEARCHED: &[&str] = &[
    "name",
    "account_number",
    "description",
    "plan_selected",
    "company_main_number",
    "head_name",
    "primary_contact_name",
    "domains",
    "address",
];

/// A company of table `t` as the JSON of the contract.
pub(crate) fn company_json(dialect: Dialect) -> String {
    let sites = "FROM source_links l WHERE l.entity = 'company' AND l.record_id = t.id AND l.source = 'datto'";
    let own = Entity::Company.fields().iter().map(|field| (field.name, format!("t.{}", field.name)));
    let derived = [
        ("billing_plan", "t.plan_selected".to_owned()),
        ("datto_site_uid", format!("(SELECT min(l.external_id) {sites})")),
        ("datto_site_uids", dialect.array("l.external_id", sites, "l.external_id")),
    ];
    let state = ["id", "version", "created_at", "updated_at", "archived_at"].map(|name| (name, format!("t.{name}")));
    dialect.text(&dialect.object(own.chain(derived).chain(state)))
}

/// The live companies in sight.
pub(crate) fn list(db: &Db, scope: &Scope) -> List {
    List::new("companies").scope(db, scope, "t.id = CAST(x.value AS BIGINT)")
}

/// The same, narrowed by words.
pub(crate) fn search(list: List, words: Option<&str>) -> List {
    list.search(words, SEARCHED)
}

/// One live company. Of a company out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, account_number: &str) -> Result<Option<Found>, Error> {
    let (json, key) = (company_json(db.dialect()), account_number.to_ascii_lowercase());
    let found = Found::find(db, "companies", &json, "lower(t.account_number) = {}", key).await?;
    Ok(found.filter(|found| scope.sees(found.id)))
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
pub(crate) async fn people(db: &Db, company_id: i64) -> Result<Vec<Person>, Error> {
    let query = Query::new(
        "SELECT t.id, t.name, t.email, t.title, t.work_phone_number, t.active \
         FROM contact_companies l JOIN contacts t ON t.id = l.contact_id \
         WHERE l.company_id = $1 AND t.archived_at IS NULL ORDER BY t.active DESC, lower(t.name), t.id",
    );
    Ok(db.all(query.bind(company_id)).await?)
}
