//! The values of features, as callers name them.

use nexus_core::entity::Kind;
use nexus_core::{Entity, FieldError, fields};
use nexus_db::{Db, Query};
use serde_json::{Map, Value};

use crate::error::Error;

/// The field of plans and companies that holds them by id.
const VALUES: &str = "feature_values";

/// Takes the values that a caller gives by the names of features out of a body, as the record holds them. A record that is
/// `known` keeps those of features that no caller can name, because they are archived. None when the body has no `name`.
///
/// # Errors
/// What is no feature, and what is no value.
pub async fn feature_values(
    db: &Db,
    (entity, known): (Entity, Option<i64>),
    name: &str,
    body: &mut Map<String, Value>,
) -> Result<Option<Value>, Error> {
    let wrong = |message: String| Err(Error::fields(vec![FieldError::new(name, message)]));
    let given = match body.remove(name) {
        None => return Ok(None),
        Some(Value::Null) => Map::new(),
        Some(Value::Object(given)) => given,
        Some(_) => return wrong("must be an object of texts by feature".into()),
    };
    let live = Query::new("SELECT lower(name), id FROM features WHERE archived_at IS NULL");
    let features = db.all::<(String, i64)>(live).await?;
    let mut by_id = Map::new();
    for (feature, value) in given {
        let key = feature.trim().to_ascii_lowercase();
        match features.iter().find(|(known, _)| *known == key) {
            Some((_, id)) => drop(by_id.insert(id.to_string(), value)),
            None => return wrong(format!("there is no feature {feature:?}")),
        }
    }
    let parsed = fields::parse(entity, &Map::from_iter([(VALUES.to_owned(), Value::Object(by_id))]));
    let mut values = match parsed {
        Ok(mut fields) => fields.remove(VALUES).unwrap_or_default(),
        Err(faults) => return wrong(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")),
    };
    if let (Some(id), Some(Kind::Values(link)), Some(values)) =
        (known, entity.field(VALUES).map(|field| field.kind), values.as_object_mut())
    {
        let archived = Query::new(format!(
            "SELECT l.feature_id, l.value FROM {} l JOIN features f ON f.id = l.feature_id \
             WHERE l.{} = $1 AND f.archived_at IS NOT NULL",
            link.table, link.owner
        ));
        for (feature, value) in db.all::<(i64, String)>(archived.bind(id)).await? {
            values.insert(feature.to_string(), value.into());
        }
    }
    Ok(Some(values))
}
