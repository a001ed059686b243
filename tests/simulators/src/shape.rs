//! Faults of form: they spoil an answer after it was made, whatever it was about.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use crate::faults::{DateForm, Fault, Pick, UdfForm};
use crate::server::{Ask, Reply};

/// The keys whose values are times, of both vendors.
const DATES: &[&str] = &["created_at", "updated_at", "lastSeen", "lastReboot", "lastAuditDate", "creationDate"];

pub(crate) fn apply(faults: &[Fault], ask: &Ask, reply: &mut Reply) {
    if faults.iter().any(spoils_json)
        && let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body)
    {
        for fault in faults {
            relink(fault, ask, reply, &mut body);
            resize(fault, &mut body);
            deform(fault, &mut body);
        }
        reply.body = body.to_string().into_bytes();
    }
    for fault in faults {
        match fault {
            Fault::NotJson => {
                reply.content_type = "text/html; charset=utf-8";
                reply.body = b"<!DOCTYPE html><html><body><h1>We'll be back soon</h1></body></html>".to_vec();
            }
            Fault::Dropped => reply.cut = true,
            _ => {}
        }
    }
}

fn spoils_json(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::Slow(_)
            | Fault::RateLimited(_)
            | Fault::Status(_)
            | Fault::IgnoredWrite
            | Fault::Dropped
            | Fault::NotJson
            | Fault::DuplicateRecord
    )
}

/// Freshservice links in a header, Datto in the body.
fn relink(fault: &Fault, ask: &Ask, reply: &mut Reply, body: &mut Value) {
    let in_body = body.pointer_mut("/pageDetails/nextPageUrl");
    let current = match &in_body {
        Some(link) => link.as_str().map(str::to_owned),
        None => reply.next.clone(),
    };
    let next = match fault {
        Fault::NoNextLink => None,
        Fault::RepeatingNextLink => Some(format!("{}{}", ask.origin, ask.target)),
        Fault::NextLinkTo(origin) => current.map(|link| link.replacen(&ask.origin, origin, 1)),
        _ => return,
    };
    match in_body {
        Some(link) => *link = next.map_or(Value::Null, Value::String),
        None => reply.next = next,
    }
}

fn resize(fault: &Fault, body: &mut Value) {
    if let Fault::MissingKey(key) = fault
        && let Some(body) = body.as_object_mut()
    {
        body.remove(key.as_ref());
    }
    let of_variables = body.get("variables").is_some();
    let Some(list) = list_mut(body) else { return };
    match fault {
        Fault::EmptyPage => list.clear(),
        Fault::ShortPage(keep) => list.truncate(*keep),
        Fault::DuplicateVariables if of_variables => {
            let copies = list.clone().into_iter().map(|mut variable| {
                variable["id"] = json!(variable["id"].as_i64().unwrap_or(0) + 5_000_000);
                variable["value"] = json!("999999");
                variable
            });
            list.extend(copies.collect::<Vec<_>>());
        }
        _ => {}
    }
    // `count` in Datto's envelope is what the page holds.
    if matches!(fault, Fault::EmptyPage | Fault::ShortPage(_)) {
        let count = list.len();
        if let Some(held) = body.pointer_mut("/pageDetails/count") {
            *held = json!(count);
        }
    }
}

fn deform(fault: &Fault, body: &mut Value) {
    let every = Pick::Every;
    let pick = match fault {
        Fault::NullField(_, pick) | Fault::NullFields(pick) | Fault::WrongTypes(pick) | Fault::Garbage(pick) => pick,
        Fault::UnknownKeys | Fault::TextIds | Fault::Dates(_) | Fault::Udf(_) | Fault::MaskedVariables => &every,
        _ => return,
    };
    for (place, value) in records_mut(body).into_iter().enumerate() {
        if !picked(pick, place, value) {
            continue;
        }
        if matches!(fault, Fault::Garbage(_)) {
            *value = json!("\u{fffd}\u{1}not a record");
        }
        let Some(record) = value.as_object_mut() else { continue };
        match fault {
            Fault::NullField(field, _) => {
                record.insert(field.clone().into_owned(), Value::Null);
            }
            Fault::NullFields(_) => others(record).for_each(|value| *value = Value::Null),
            Fault::WrongTypes(_) => others(record).for_each(|value| *value = other_type(value)),
            Fault::UnknownKeys => {
                record.insert("x_newFeature".to_owned(), json!({ "level": "SURPRISE", "list": [1, "2", null] }));
                record.insert("zzz".to_owned(), Value::Null);
            }
            Fault::TextIds => record.iter_mut().filter(|(key, _)| names_id(key)).for_each(|(_, value)| as_text(value)),
            Fault::Dates(form) => record
                .iter_mut()
                .filter(|(key, _)| DATES.contains(&key.as_str()))
                .for_each(|(_, value)| write_date(value, *form)),
            Fault::Udf(form) => write_udf(record, *form),
            Fault::MaskedVariables if record.contains_key("masked") => {
                record.insert("masked".to_owned(), json!(true));
                record.insert("value".to_owned(), json!("********"));
            }
            _ => {}
        }
    }
}

fn list_mut(body: &mut Value) -> Option<&mut Vec<Value>> {
    body.as_object_mut()?.values_mut().find_map(Value::as_array_mut)
}

/// The records of a list, of a wrapped record (`{"department": {…}}`) or the bare record that the body is.
fn records_mut(body: &mut Value) -> Vec<&mut Value> {
    if body.get("id").is_none() && list_mut(body).is_some() {
        return list_mut(body).into_iter().flatten().collect();
    }
    let wrapped = body.as_object().is_some_and(|body| body.len() == 1 && body.values().all(Value::is_object));
    if wrapped {
        return body.as_object_mut().into_iter().flat_map(Map::values_mut).collect();
    }
    vec![body]
}

fn picked(pick: &Pick, place: usize, record: &Value) -> bool {
    match pick {
        Pick::Every => true,
        Pick::Nth(nth) => *nth == place,
        Pick::Id(id) => ["uid", "id"].iter().any(|key| match record.get(key) {
            Some(Value::String(text)) => text == id,
            Some(Value::Number(number)) => number.to_string() == *id,
            _ => false,
        }),
    }
}

/// All values but those that name the record: without them the fault could not be told from a missing record.
fn others(record: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    record.iter_mut().filter(|(key, _)| !matches!(key.as_str(), "id" | "uid")).map(|(_, value)| value)
}

fn other_type(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "unexpected": true }),
        Value::Bool(_) => json!("perhaps"),
        Value::Number(number) => json!([number]),
        Value::String(text) => json!(text.len()),
        Value::Array(_) => json!("a, b"),
        Value::Object(_) => json!(-1.5),
    }
}

fn names_id(key: &str) -> bool {
    key == "id" || key.ends_with("_id") || key.ends_with("_ids") || key.ends_with("Id")
}

fn as_text(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(values) => values.iter_mut().for_each(as_text),
        _ => {}
    }
}

fn write_date(value: &mut Value, form: DateForm) {
    let time = match &*value {
        Value::Number(number) => number.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        Value::String(text) => text.parse::<Timestamp>().ok(),
        _ => None,
    };
    let Some(time) = time else { return };
    let milliseconds = time.as_millisecond();
    *value = match form {
        DateForm::Milliseconds => json!(milliseconds),
        DateForm::Seconds => {
            let text = format!("{}.{:03}", milliseconds.div_euclid(1_000), milliseconds.rem_euclid(1_000));
            text.parse::<f64>().map_or(Value::Null, |seconds| json!(seconds))
        }
        DateForm::Text => json!(time.to_string()),
        DateForm::TextWithOffset => {
            let offset = Offset::from_seconds(19_800).unwrap_or(Offset::UTC);
            json!(time.display_with_offset(offset).to_string())
        }
        DateForm::Sentinel => json!(-62_135_596_800_000_i64),
    };
}

fn write_udf(record: &mut Map<String, Value>, form: UdfForm) {
    let Some(udf) = record.remove("udf") else { return };
    let at = |ordinal: usize| udf.get(format!("udf{ordinal}")).cloned().unwrap_or(Value::Null);
    let keys = |end: usize| (1..=end).map(|ordinal| (format!("udf{ordinal}"), at(ordinal))).collect::<Map<_, _>>();
    match form {
        UdfForm::Absent => {}
        UdfForm::Null => {
            record.insert("udf".to_owned(), Value::Null);
        }
        UdfForm::Thirty => {
            record.insert("udf".to_owned(), keys(30).into());
        }
        UdfForm::ThreeHundred => {
            record.insert("udf".to_owned(), keys(300).into());
        }
        UdfForm::List => {
            let udfs = (1..=300).filter(|ordinal| !at(*ordinal).is_null()).map(|ordinal| {
                json!({
                    "ordinal": ordinal, "type": "STRING", "valueBoolean": null, "valueString": at(ordinal),
                    "valueDate": null, "valueNumber": null, "label": null, "typeMisMatch": false,
                })
            });
            record.insert("udfs".to_owned(), udfs.collect());
        }
    }
}
