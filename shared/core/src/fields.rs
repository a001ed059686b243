//! The values of a record's fields, parsed once from JSON of a request, a form or a sync, and trusted from there on.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entity::{Entity, Field, Kind};
use crate::instant;

/// Field values by name, in canonical form (see [`parse`]).
pub type Fields = Map<String, Value>;

/// What is wrong with one field; the message says what is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field's name as the caller gave it.
    pub field: String,
    /// A sentence.
    pub message: String,
}

impl FieldError {
    /// An error of that field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// Parses `given` into canonical values of `entity`'s fields: text trimmed, blank as null, instants in one form, lists
/// as arrays. Keys that are no field of the record are errors, as is everything of a wrong type.
///
/// # Errors
/// All of the faults at once, one per field.
pub fn parse(entity: Entity, given: &Map<String, Value>) -> Result<Fields, Vec<FieldError>> {
    let mut fields = Fields::new();
    let mut errors = Vec::new();
    for (name, value) in given {
        match entity.field(name) {
            None => errors.push(FieldError::new(name, format!("{} has no field {name:?}", entity.as_str()))),
            Some(field) => match parse_value(field, value) {
                Ok(value) => drop(fields.insert(name.clone(), value)),
                Err(message) => errors.push(FieldError::new(name, message)),
            },
        }
    }
    if errors.is_empty() { Ok(fields) } else { Err(errors) }
}

/// Adds the defaults that a new record of `entity` lacks, and null for the rest.
///
/// # Errors
/// The required fields that have no value.
pub fn complete(entity: Entity, fields: &mut Fields) -> Result<(), Vec<FieldError>> {
    for field in entity.fields() {
        let missing = fields.get(field.name).is_none_or(Value::is_null);
        if missing {
            let default = field.default.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null);
            fields.insert(field.name.to_owned(), default);
        }
    }
    require(entity, fields)
}

/// Checks that no required field that is present is blank.
///
/// # Errors
/// Those that are.
pub fn require(entity: Entity, fields: &Fields) -> Result<(), Vec<FieldError>> {
    let errors: Vec<_> = entity
        .fields()
        .iter()
        .filter(|field| field.required && fields.get(field.name).is_some_and(Value::is_null))
        .map(|field| FieldError::new(field.name, "must have a value"))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn parse_value(field: &Field, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        // A list is empty rather than absent, so that readers need not tell the two apart.
        return Ok(match field.kind {
            Kind::TextList | Kind::Links(_) | Kind::Pins => Value::Array(vec![]),
            Kind::Values(_) => Value::Object(Map::new()),
            _ => Value::Null,
        });
    }
    match field.kind {
        Kind::Text(max) => text(value, max),
        Kind::AccountNumber => account_number(value),
        Kind::Email => email(value),
        Kind::Choice(words) => choice(value, words),
        Kind::Bool => value.is_boolean().then(|| value.clone()).ok_or_else(|| "must be true or false".into()),
        Kind::Instant => {
            let text = value.as_str().map(str::trim).ok_or("must be a time as text")?;
            if text.is_empty() {
                return Ok(Value::Null);
            }
            let at =
                instant::parse(text).ok_or("must be a time such as 2026-02-03T19:05:39Z or 2026-02-03 19:05:39")?;
            Ok(Value::String(instant::canonical(at)))
        }
        Kind::TextList => text_list(value),
        Kind::Integer | Kind::Reference(_) => integer(value),
        Kind::Links(_) => {
            let mut ids: Vec<i64> = value
                .as_array()
                .and_then(|items| items.iter().map(Value::as_i64).collect())
                .ok_or("must be a list of ids")?;
            ids.sort_unstable();
            ids.dedup();
            Ok(Value::from(ids))
        }
        Kind::Values(_) => values(value),
        Kind::Pins => names(value),
    }
}

/// Texts by id; what is blank is not there.
fn values(value: &Value) -> Result<Value, String> {
    let given = value.as_object().ok_or("must be an object of texts by id")?;
    let mut values = Map::new();
    for (id, value) in given {
        let id: i64 = id.parse().map_err(|_| "must be an object of texts by id")?;
        let value = if value.is_null() {
            Value::Null
        } else {
            one_of_values(value).map_err(|fault| format!("each text {fault}"))?
        };
        if !value.is_null() {
            values.insert(id.to_string(), value);
        }
    }
    Ok(Value::Object(values))
}

fn one_of_values(value: &Value) -> Result<Value, String> {
    text(value, 255)
}

/// What is wrong with a text that is to be one of a record's values, such as that of a feature in a plan.
#[must_use]
pub fn value_fault(text: &str) -> Option<String> {
    one_of_values(&Value::from(text)).err()
}

fn names(value: &Value) -> Result<Value, String> {
    let names: Option<Vec<&str>> = value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
    let mut names = names.ok_or("must be a list of names of fields")?;
    names.sort_unstable();
    names.dedup();
    Ok(Value::from(names))
}

fn text(value: &Value, max: usize) -> Result<Value, String> {
    // Forms send CRLF whatever they were given; one form of a line break keeps an untouched text unchanged.
    let text = value.as_str().ok_or("must be text")?.trim().replace("\r\n", "\n").replace('\r', "\n");
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n')) {
        return Err("must not hold control characters".into());
    }
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters"));
    }
    Ok(if text.is_empty() { Value::Null } else { Value::String(text) })
}

fn account_number(value: &Value) -> Result<Value, String> {
    let Value::String(number) = text(value, 32)? else { return Ok(Value::Null) };
    if !number.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err("must be made of letters, digits, '-', '_' or '.'".into());
    }
    // It is a part of addresses, where `.` and `..` mean folders and these words mean something else.
    if !number.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Err("must hold a letter or a digit".into());
    }
    if ["bulk", "choices", "new"].iter().any(|word| number.eq_ignore_ascii_case(word)) {
        return Err("must not be a word that stands in an address of Nexus".into());
    }
    Ok(Value::String(number))
}

fn email(value: &Value) -> Result<Value, String> {
    let Value::String(address) = text(value, 254)? else { return Ok(Value::Null) };
    // The local part may be almost anything (RFC 5321); what is checked here is what keeps a typing error out.
    let plausible = address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !address.chars().any(char::is_whitespace)
    });
    if plausible { Ok(Value::String(address)) } else { Err("must be an e-mail address such as ada@example.org".into()) }
}

fn choice(value: &Value, words: &[&str]) -> Result<Value, String> {
    match value.as_str() {
        Some(word) if words.contains(&word) => Ok(value.clone()),
        _ => {
            let mut message = String::from("must be one of");
            for word in words {
                let _ = write!(message, " {word}");
            }
            Err(message)
        }
    }
}

fn integer(value: &Value) -> Result<Value, String> {
    value.as_i64().map(Value::from).ok_or_else(|| "must be a whole number".into())
}

fn text_list(value: &Value) -> Result<Value, String> {
    const EXPECTED: &str = "must be a list of texts, or a text that holds such a list as JSON";
    let parsed;
    let items = match value {
        Value::Array(items) => items,
        Value::String(older) if older.trim().is_empty() => return Ok(Value::Array(vec![])),
        Value::String(older) => {
            parsed = serde_json::from_str::<Vec<Value>>(older).map_err(|_| EXPECTED)?;
            &parsed
        }
        _ => return Err(EXPECTED.into()),
    };
    if items.len() > 200 {
        return Err("must have at most 200 entries".into());
    }
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let item = text(item, 255).map_err(|fault| format!("each entry {fault}"))?;
        if !item.is_null() && !list.contains(&item) {
            list.push(item);
        }
    }
    Ok(Value::Array(list))
}
