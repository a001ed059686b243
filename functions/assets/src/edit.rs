//! The rules of writing assets.

use nexus_core::{Entity, Fields};
use nexus_db::Db;
use nexus_db::changes::{Deed, Edit, Touched};
use nexus_web::{Error, archived_targets, both, company_ids, company_number, record, record_fields};
use serde_json::{Map, Value};

pub(crate) const ABSENT: &str = "Asset not found";
const WORDS: (&str, &str) = ("Another asset has this value", ABSENT);

/// Callers name the company by account number; the record holds its id. An asset that is `known` keeps its ties to what
/// no caller can name, because it is archived.
pub(crate) async fn fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    let numbers = company_number(&mut body);
    let (mut fields, company) = both(record_fields(Entity::Asset, body), company(db, known, numbers).await)?;
    if let Some(company) = company {
        fields.insert("company_id".to_owned(), company);
    }
    if let (Some(id), Some(Value::Array(people))) = (known, fields.get_mut("contact_ids")) {
        people.extend(archived_targets(db, (Entity::Asset, id), "contact_ids").await?.into_iter().map(Value::from));
        people.sort_by_key(Value::as_i64);
        people.dedup();
    }
    Ok(fields)
}

/// The id of the company that is named, or null for none; nothing when the company is not to change.
async fn company(
    db: &Db,
    known: Option<i64>,
    numbers: Result<Option<Vec<String>>, Error>,
) -> Result<Option<Value>, Error> {
    const FIELD: &str = "company_account_number";
    let Some(numbers) = numbers? else { return Ok(None) };
    match company_ids(db, FIELD, &numbers).await?[..] {
        [] => match known {
            // What is shown as none may be one that is archived, and comes back.
            Some(id) if !archived_targets(db, (Entity::Asset, id), "company_id").await?.is_empty() => Ok(None),
            _ => Ok(Some(Value::Null)),
        },
        [id, ..] => Ok(Some(id.into())),
    }
}

pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let fields = fields(db, None, body).await?;
    record::change(db, deed, Edit::Create { entity: Entity::Asset, fields }, WORDS).await
}

pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    id: i64,
    version: Option<i64>,
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = fields(db, Some(id), body).await?;
    record::change(db, deed, Edit::Update { entity: Entity::Asset, id, version, fields }, WORDS).await
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Archive { entity: Entity::Asset, id, version }, WORDS).await
}

pub(crate) async fn restore(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    record::change(db, deed, Edit::Restore { entity: Entity::Asset, id, version: None }, WORDS).await
}
