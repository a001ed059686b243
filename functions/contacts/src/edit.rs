//! The rules that the API and the pages share when they write contacts.

use nexus_core::{Entity, Fields};
use nexus_db::Db;
use nexus_db::changes::{Deed, Edit, Touched};
use nexus_web::{Error, archived_targets, both, company_ids, company_numbers, record, record_fields};
use serde_json::{Map, Value};

pub(crate) const ABSENT: &str = "Contact not found";
const WORDS: (&str, &str) = ("A contact with this email already exists. Use PUT to update.", ABSENT);

/// Callers name companies by account number; the record holds their ids. A contact that is `known` keeps its ties to
/// companies that no caller can name, because they are archived.
pub(crate) async fn fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    let numbers = company_numbers(&mut body);
    let (mut fields, ids) = both(record_fields(Entity::Contact, body), companies(db, known, numbers).await)?;
    if let Some(ids) = ids {
        fields.insert("company_ids".into(), Value::from(ids));
    }
    Ok(fields)
}

async fn companies(
    db: &Db,
    known: Option<i64>,
    numbers: Result<Option<Vec<String>>, Error>,
) -> Result<Option<Vec<i64>>, Error> {
    let Some(numbers) = numbers? else { return Ok(None) };
    let mut ids = company_ids(db, "company_account_numbers", &numbers).await?;
    if let Some(id) = known {
        ids.extend(archived_targets(db, (Entity::Contact, id), "company_ids").await?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let fields = fields(db, None, body).await?;
    record::change(db, deed, Edit::Create { entity: Entity::Contact, fields }, WORDS).await
}

pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    id: i64,
    version: Option<i64>,
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = fields(db, Some(id), body).await?;
    record::change(db, deed, Edit::Update { entity: Entity::Contact, id, version, fields }, WORDS).await
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Archive { entity: Entity::Contact, id, version }, WORDS).await
}

pub(crate) async fn restore(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Restore { entity: Entity::Contact, id, version: None }, WORDS).await
}
