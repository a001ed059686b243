//! A record's fields as a caller sends them.

use nexus_core::{Entity, FieldError, Fields, fields};
use nexus_db::{Db, Query};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// Members that an answer holds and a body may bring back; they are not the caller's to set.
const READ_ONLY: &[&str] =
    &["id", "version", "created_at", "updated_at", "archived_at", "datto_site_uid", "datto_site_uids"];

/// Texts as the OpenAPI document tells them: a list, or the older text that holds such a list as JSON.
#[derive(serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum TextList {
    /// A list.
    List(Vec<String>),
    /// The older form.
    Text(String),
}

/// The fields of a body; what an answer holds beside them is passed over, so that a record can be sent back as it came.
///
/// # Errors
/// Every key that is no field and every value that it cannot hold.
pub fn record_fields(entity: Entity, mut body: Map<String, Value>) -> Result<Fields, Error> {
    body.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    fields::parse(entity, &body).map_err(Error::fields)
}

/// Whether a required member is missing or blank.
#[must_use]
pub fn is_blank(body: &Map<String, Value>, name: &str) -> bool {
    body.get(name).is_none_or(|value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()))
}

/// The ids of live companies by account number, letter case aside.
///
/// # Errors
/// The numbers that no company has, as errors of `field`.
pub async fn company_ids(db: &Db, field: &str, numbers: &[String]) -> Result<Vec<i64>, Error> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT lower(c.account_number), c.id FROM {} JOIN companies c ON lower(c.account_number) = x.value->>'key' \
         WHERE c.archived_at IS NULL",
        db.dialect().each(1)
    );
    let key = |number: &String| number.trim().to_ascii_lowercase();
    // Not every database can be asked for the character 0, which no number holds.
    let askable = numbers.iter().filter(|number| !number.contains('\0'));
    let keys: Vec<Value> = askable.map(|number| json!({"key": key(number)})).collect();
    let found = db.all::<(String, i64)>(Query::new(sql).bind(Value::from(keys))).await?;
    let unknown: Vec<FieldError> = numbers
        .iter()
        .filter(|number| !found.iter().any(|(known, _)| *known == key(number)))
        .map(|number| FieldError::new(field, format!("there is no company with the account number {number:?}")))
        .collect();
    if unknown.is_empty() { Ok(found.into_iter().map(|(_, id)| id).collect()) } else { Err(Error::fields(unknown)) }
}
