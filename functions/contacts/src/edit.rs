//! The rules that the API and the pages share when they write contacts.

use nexus_core::{Entity, FieldError, Fields};
use nexus_db::Db;
use nexus_db::changes::{self, Deed, Edit, Touched};
use nexus_web::{Error, company_ids, record_fields};
use serde_json::{Map, Value};

use crate::store;

/// Callers name companies by account number; the record holds their ids. A contact that is `known` keeps its ties to
/// companies that no caller can name, because they are archived.
async fn fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    const LIST: &str = "company_account_numbers";
    let numbers = match (body.remove(LIST), body.remove("company_account_number")) {
        (Some(Value::Array(items)), _) => {
            let numbers: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            Some(numbers.ok_or_else(|| wrong(LIST, "must be a list of account numbers as text"))?)
        }
        (Some(Value::Null), _) | (None, Some(Value::Null)) => Some(Vec::new()),
        (Some(_), _) => return Err(wrong(LIST, "must be a list of account numbers as text")),
        (None, Some(Value::String(number))) if number.trim().is_empty() => Some(Vec::new()),
        (None, Some(Value::String(number))) => Some(vec![number]),
        (None, Some(_)) => return Err(wrong("company_account_number", "must be an account number as text")),
        (None, None) => None,
    };
    if body.remove("company_ids").is_some() {
        return Err(wrong("company_ids", "name the companies in company_account_numbers"));
    }
    let fields = record_fields(Entity::Contact, body);
    let Some(numbers) = numbers else { return fields };
    let (mut fields, mut ids) = match (fields, company_ids(db, LIST, &numbers).await) {
        (Ok(fields), Ok(ids)) => (fields, ids),
        // Whoever has made two mistakes is told both.
        (Err(Error::Invalid { fields: mut faults, .. }), Err(Error::Invalid { fields: more, .. })) => {
            faults.extend(more);
            return Err(Error::fields(faults));
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    if let Some(id) = known {
        ids.extend(store::archived_companies(db, id).await?);
    }
    ids.sort_unstable();
    ids.dedup();
    fields.insert("company_ids".into(), Value::from(ids));
    Ok(fields)
}

fn wrong(field: &str, message: &str) -> Error {
    Error::fields(vec![FieldError::new(field, message)])
}

pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    one(db, deed, Edit::Create { entity: Entity::Contact, fields: fields(db, None, body).await? }).await
}

pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    id: i64,
    version: Option<i64>,
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = fields(db, Some(id), body).await?;
    one(db, deed, Edit::Update { entity: Entity::Contact, id, version, fields }).await
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<(), Error> {
    one(db, deed, Edit::Archive { entity: Entity::Contact, id, version }).await.map(drop)
}

async fn one(db: &Db, deed: &Deed, edit: Edit) -> Result<Touched, Error> {
    match changes::change(db, deed, vec![edit]).await {
        Ok(done) => done.records.first().copied().ok_or(Error::Internal),
        Err(changes::ChangeError::Taken { .. }) => {
            Err(Error::Conflict("A contact with this email already exists. Use PUT to update.".into()))
        }
        Err(changes::ChangeError::NotFound { .. }) => Err(Error::NotFound("Contact not found")),
        Err(error) => Err(error.into()),
    }
}
