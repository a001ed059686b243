//! A record's fields as a caller sends them.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::entity::Kind;
use nexus_core::{Entity, FieldError, Fields, Scope, fields};
use nexus_db::{Db, Query, scope};
use serde_json::{Map, Value, json};

use crate::error::Error;

/// Members that the answer of a kind holds and a body may bring back; they are not the caller's to set.
fn is_read_only(entity: Entity, name: &str) -> bool {
    let own: &[&str] = match entity {
        Entity::Company => {
            &["datto_site_uid", "datto_site_uids", "tied_site_uids", "features", "pinned_fields", "sources"]
        }
        Entity::Contact => &["asset_ids", "pinned_fields", "sources"],
        Entity::Location | Entity::Asset => &["pinned_fields", "sources"],
        Entity::User | Entity::Plan | Entity::Feature => &[],
    };
    ["id", "version", "created_at", "updated_at", "archived_at"].contains(&name) || own.contains(&name)
}

/// More companies are not named at once.
const MOST_COMPANIES: usize = 1_000;
/// Members that the record keeps under another name; callers do not know it.
const INNER: &[&str] = &["company_id", "company_ids", "feature_values"];

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
    body.retain(|name, _| !is_read_only(entity, name));
    let inner = body.keys().filter(|name| INNER.contains(&name.as_str()));
    let inner: Vec<_> = inner.map(|name| FieldError::new(name, "is not known by this name")).collect();
    body.retain(|name, _| !INNER.contains(&name.as_str()));
    match fields::parse(entity, &body) {
        Ok(fields) if inner.is_empty() => Ok(fields),
        Ok(_) => Err(Error::fields(inner)),
        Err(faults) => Err(Error::fields(faults.into_iter().chain(inner).collect())),
    }
}

/// Both of two readings of a body, or the faults of both: whoever has made two mistakes is told both.
///
/// # Errors
/// The faults.
pub fn both<A, B>(one: Result<A, Error>, other: Result<B, Error>) -> Result<(A, B), Error> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Error::Invalid { fields: mut faults, .. }), Err(Error::Invalid { fields: more, .. })) => {
            faults.extend(more);
            Err(Error::fields(faults))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// Refuses a body that lacks one of the members that a new record needs.
///
/// # Errors
/// `message`, and the members that are missing.
pub fn missing(body: &Map<String, Value>, names: &[&str], message: &str) -> Result<(), Error> {
    let missing: Vec<_> = names.iter().filter(|name| is_blank(body, name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let fields = missing.into_iter().map(|name| FieldError::new(*name, "must have a value")).collect();
    Err(Error::Invalid { message: message.into(), fields })
}

/// Takes the account numbers of companies out of a body: the list `company_account_numbers`, or the older single
/// `company_account_number`. None when it has neither.
///
/// # Errors
/// Values of another form.
pub fn company_numbers(body: &mut Map<String, Value>) -> Result<Option<Vec<String>>, Error> {
    const LIST: &str = "company_account_numbers";
    let wrong = |message| Error::fields(vec![FieldError::new(LIST, message)]);
    let list = body.remove(LIST);
    let one = company_number(body);
    match list {
        None => one,
        Some(Value::Null) => Ok(Some(Vec::new())),
        Some(Value::Array(items)) if items.len() > MOST_COMPANIES => {
            Err(wrong(format!("must have at most {MOST_COMPANIES} entries")))
        }
        Some(Value::Array(items)) => {
            let numbers = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>();
            numbers.map(Some).ok_or_else(|| wrong("must be a list of account numbers as text".to_owned()))
        }
        Some(_) => Err(wrong("must be a list of account numbers as text".to_owned())),
    }
}

/// The same of what belongs to one company: `company_account_number` alone.
///
/// # Errors
/// Values of another form.
pub fn company_number(body: &mut Map<String, Value>) -> Result<Option<Vec<String>>, Error> {
    const ONE: &str = "company_account_number";
    match body.remove(ONE) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Vec::new())),
        Some(Value::String(number)) if number.trim().is_empty() => Ok(Some(Vec::new())),
        Some(Value::String(number)) => Ok(Some(vec![number])),
        Some(_) => Err(Error::fields(vec![FieldError::new(ONE, "must be an account number as text")])),
    }
}

/// What a field of a record refers to and no caller can name, because it is archived (ids): out of sight, and back when it
/// is.
///
/// # Errors
/// When the store fails.
pub async fn archived_targets(db: &Db, (entity, id): (Entity, i64), field: &str) -> Result<Vec<i64>, Error> {
    let (from, target, owner, referred) = match entity.field(field).map(|field| field.kind) {
        Some(Kind::Links(link)) => (link.table, link.target, link.owner, link.entity),
        Some(Kind::Reference(referred)) => (entity.table(), field, "id", referred),
        _ => return Ok(Vec::new()),
    };
    let query = Query::new(format!(
        "SELECT l.{target} FROM {from} l JOIN {} n ON n.id = l.{target} WHERE l.{owner} = $1 AND n.archived_at IS NOT NULL",
        referred.table()
    ));
    Ok(db.all::<(i64,)>(query.bind(id)).await?.into_iter().map(|(id,)| id).collect())
}

/// The account numbers of companies by id, archived ones included.
///
/// # Errors
/// When the store fails.
pub async fn account_numbers_by_id(db: &Db, ids: &[i64]) -> Result<BTreeMap<i64, String>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT c.id, c.account_number FROM {} JOIN companies c ON c.id = CAST(x.value AS BIGINT)",
        db.dialect().each(1)
    );
    Ok(db.all::<(i64, String)>(Query::new(sql).bind(Value::from(ids))).await?.into_iter().collect())
}

/// The number and the name of a live company in sight, by its number, letter case aside.
///
/// # Errors
/// When the store fails.
pub async fn company_named(db: &Db, scope: &Scope, number: &str) -> Result<Option<(String, String)>, Error> {
    let query = Query::new("SELECT t.account_number, t.name FROM companies t WHERE lower(t.account_number) = ")
        .arg(number.to_ascii_lowercase())
        .push(" AND t.archived_at IS NULL");
    Ok(db.optional(scope::within(query, Entity::Company, scope)).await?)
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
    let keys: BTreeSet<String> = numbers.iter().filter(|number| !number.contains('\0')).map(key).collect();
    let asked: Vec<Value> = keys.into_iter().map(|key| json!({"key": key})).collect();
    let found: BTreeMap<String, i64> = db.all(Query::new(sql).bind(Value::from(asked))).await?.into_iter().collect();
    let unknown: Vec<FieldError> = numbers
        .iter()
        .filter(|number| !found.contains_key(&key(number)))
        .map(|number| FieldError::new(field, format!("must name a company; none has the account number {number:?}")))
        .collect();
    if unknown.is_empty() { Ok(found.into_values().collect()) } else { Err(Error::fields(unknown)) }
}
