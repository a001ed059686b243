//! What this group reads.

use nexus_core::entity::Kind;
use nexus_core::{Entity, Scope};
use nexus_db::{Db, Dialect, Query};
use nexus_web::{Error, Found, List, Sorts};

/// How lists of contacts may be sorted.
pub(crate) const SORTS: Sorts = &[
    ("name", "lower(t.name)"),
    // Where nothing is, the two databases sort at different ends.
    ("email", "lower(coalesce(t.email, ''))"),
    ("title", "lower(coalesce(t.title, ''))"),
    ("created_at", "t.created_at"),
    ("updated_at", "t.updated_at"),
];

/// The columns that `search` looks into.
const SEARCHED: &[&str] =
    &["name", "email", "title", "employment_type", "mobile_phone_number", "work_phone_number", "secondary_emails"];

/// A contact of table `t` as the JSON of the contract; of its companies only those in sight.
pub(crate) fn contact_json(dialect: Dialect, scope: &Scope) -> String {
    let seen = match scope {
        Scope::All => String::new(),
        Scope::Companies(ids) => {
            // Numbers from our own table, so the text of the query holds no foreign word.
            let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
            format!(" AND c.id IN ({})", ids.join(", "))
        }
    };
    let companies = format!(
        "FROM contact_companies l JOIN companies c ON c.id = l.company_id \
         WHERE l.contact_id = t.id AND c.archived_at IS NULL{seen}"
    );
    let own = Entity::Contact.fields().iter().filter(|field| field.is_column()).map(|field| {
        let column = format!("t.{}", field.name);
        (field.name, if field.kind == Kind::Bool { dialect.boolean(&column) } else { column })
    });
    let derived = [("company_account_numbers", dialect.array("c.account_number", &companies, "c.account_number"))];
    let state = ["id", "version", "created_at", "updated_at", "archived_at"].map(|name| (name, format!("t.{name}")));
    dialect.text(&dialect.object(own.chain(derived).chain(state)))
}

const BELONGS: &str = "EXISTS (SELECT 1 FROM contact_companies l \
                       WHERE l.contact_id = t.id AND l.company_id = CAST(x.value AS BIGINT))";

/// The live contacts in sight.
pub(crate) fn list(db: &Db, scope: &Scope) -> List {
    List::new("contacts").scope(db, scope, BELONGS)
}

/// The same, of one company.
pub(crate) fn of_company(list: List, account_number: &str) -> List {
    let key = account_number.to_ascii_lowercase();
    list.filter(
        "EXISTS (SELECT 1 FROM contact_companies l JOIN companies c ON c.id = l.company_id \
         WHERE l.contact_id = t.id AND c.archived_at IS NULL AND lower(c.account_number) = {})",
        key,
    )
}

/// The same, narrowed by words.
pub(crate) fn search(list: List, words: Option<&str>) -> List {
    list.search(words, SEARCHED)
}

/// One live contact; of one out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, id: i64) -> Result<Option<Found>, Error> {
    let found = Found::find(db, "contacts", &contact_json(db.dialect(), scope), "t.id = {}", id).await?;
    let Scope::Companies(mine) = scope else { return Ok(found) };
    let query = Query::new("SELECT company_id FROM contact_companies WHERE contact_id = $1").bind(id);
    let theirs = db.all::<(i64,)>(query).await?;
    Ok(found.filter(|_| theirs.iter().any(|(company,)| mine.contains(company))))
}

/// The archived companies of a contact (ids): out of sight, and back when their company is.
pub(crate) async fn archived_companies(db: &Db, id: i64) -> Result<Vec<i64>, Error> {
    let query = Query::new(
        "SELECT l.company_id FROM contact_companies l JOIN companies c ON c.id = l.company_id \
         WHERE l.contact_id = $1 AND c.archived_at IS NOT NULL",
    );
    Ok(db.all::<(i64,)>(query.bind(id)).await?.into_iter().map(|(id,)| id).collect())
}

/// The companies of a contact: account number and name.
pub(crate) async fn companies(db: &Db, id: i64) -> Result<Vec<(String, String)>, Error> {
    let query = Query::new(
        "SELECT c.account_number, c.name FROM contact_companies l JOIN companies c ON c.id = l.company_id \
         WHERE l.contact_id = $1 AND c.archived_at IS NULL ORDER BY lower(c.name), c.id",
    );
    Ok(db.all(query.bind(id)).await?)
}
