//! Freshservice's routes.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{CustomFieldWrites, Department, FreshserviceState, Requester, error, invalid, msp};
use crate::faults::Fault;
use crate::server::{Ask, Reply};

const PER_PAGE: usize = 30;
const MOST_PER_PAGE: usize = 100;
/// Custom fields that an administrator has made numbers.
const NUMBERS: &[&str] = &["account_number", "managed_users", "managed_devices"];

pub(super) fn answer(state: &mut FreshserviceState, ask: &Ask, faults: &[Fault]) -> Reply {
    let segments: Vec<&str> = ask.path.split('/').skip(1).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        ("GET", ["departments"]) => list_departments(state, ask, faults),
        ("GET", ["departments", id]) => match find(&state.departments, id, |department| department.id) {
            Some(department) if state.for_msps => {
                Reply::json(200, &json!({ "departments": msp::department(department) }))
            }
            Some(department) => Reply::json(200, &json!({ "department": department })),
            None => error(404),
        },
        ("PUT", ["departments", id]) => update_department(state, id, ask, faults),
        ("GET", ["department_fields"]) => Reply::json(200, &json!({ "department_fields": state.department_fields })),
        ("GET", ["requesters"]) => list_requesters(state, ask, faults),
        ("GET", ["requesters", id]) => {
            match find(&state.requesters, id, |requester| requester.id).filter(|requester| !requester.is_agent) {
                Some(requester) => Reply::json(200, &json!({ "requester": requester })),
                None => error(404),
            }
        }
        ("GET", ["agents", "me"]) => Reply::json(200, &json!({ "agent": agent() })),
        ("GET", ["workspaces"]) => list("workspaces", state.workspaces.iter(), ask, faults),
        ("GET", ["workspaces", id]) => match find(&state.workspaces, id, |workspace| workspace.id) {
            Some(workspace) => Reply::json(200, &json!({ "workspace": workspace })),
            None => error(404),
        },
        ("PUT", ["workspaces", id]) if state.for_msps => msp::update_workspace(state, id, ask, faults),
        ("GET", ["workspace_form_fields"]) if state.for_msps => msp::workspace_form_fields(),
        (_, ["departments" | "requesters" | "workspaces" | "department_fields", ..]) => error(405),
        _ => error(404),
    }
}

fn find<'a, T>(records: &'a [T], id: &str, id_of: impl Fn(&T) -> i64) -> Option<&'a T> {
    let id: i64 = id.parse().ok()?;
    records.iter().find(|record| id_of(record) == id)
}

fn agent() -> Value {
    json!({
        "id": 39_000_100_001_i64, "first_name": "Integration", "last_name": "User", "email": "nexus@provider.example",
        "active": true, "occasional": false, "scopes": { "ticket": "global", "problem": null },
    })
}

fn list_departments(state: &FreshserviceState, ask: &Ask, faults: &[Fault]) -> Reply {
    if !state.for_msps {
        return list("departments", state.departments.iter(), ask, faults);
    }
    // Without the parameter only the default client is told of, and nothing says so.
    let client = ask.param("workspace_id").unwrap_or("2").parse().unwrap_or(-1);
    let departments: Vec<Value> =
        state.departments.iter().filter(|department| department.workspace_id == client).map(msp::department).collect();
    list("departments", departments.iter(), ask, faults)
}

fn list_requesters(state: &FreshserviceState, ask: &Ask, faults: &[Fault]) -> Reply {
    let with_agents = ask.param("include_agents") == Some("true");
    let email = ask.param("email").map(str::to_lowercase);
    let clients: Option<Vec<i64>> = state.for_msps.then(|| {
        let clients = ask.param("belongs_to_workspace_ids").unwrap_or("2");
        clients.split(',').filter_map(|id| id.parse().ok()).collect()
    });
    let shown = |requester: &&Requester| {
        (with_agents || !requester.is_agent)
            && (state.lists_inactive || requester.active)
            && email.as_deref().is_none_or(|email| has_email(requester, email))
            && clients.as_ref().is_none_or(|clients| msp::belongs(requester, clients))
    };
    let key = if state.for_msps { "requester" } else { "requesters" };
    list(key, state.requesters.iter().filter(shown), ask, faults)
}

fn has_email(requester: &Requester, email: &str) -> bool {
    let known = requester.primary_email.iter().chain(&requester.secondary_emails);
    known.map(|known| known.to_lowercase()).any(|known| known == email)
}

/// One page, of which only the records asked for are serialised.
fn list<'a, T: Serialize + 'a>(key: &str, records: impl Iterator<Item = &'a T>, ask: &Ask, faults: &[Fault]) -> Reply {
    if ask.param("query").is_some() {
        return invalid("query", "Filtering is not simulated", "invalid_field");
    }
    let (Some(page), Some(per_page)) = (positive(ask, "page", 1), positive(ask, "per_page", PER_PAGE)) else {
        return invalid("page, per_page", "It should be a Positive Integer", "invalid_value");
    };
    if per_page > MOST_PER_PAGE {
        return invalid("per_page", "It should be a Positive Integer less than or equal to 100", "invalid_value");
    }
    let start = (page - 1).saturating_mul(per_page);
    let again = usize::from(start > 0 && faults.iter().any(|fault| matches!(fault, Fault::DuplicateRecord)));
    let mut shown: Vec<&T> = records.skip(start - again).take(per_page + again + 1).collect();
    let more = shown.len() > per_page + again;
    shown.truncate(per_page + again);

    let mut body = Vec::with_capacity(shown.len() * 1_024 + 64);
    body.extend_from_slice(format!("{{\"{key}\":").as_bytes());
    if serde_json::to_writer(&mut body, &shown).is_err() {
        return error(500);
    }
    body.push(b'}');
    let next = more.then(|| ask.link(&[("page", page + 1), ("per_page", per_page)]));
    Reply { next, ..Reply::bytes(200, body) }
}

/// A parameter that must be a whole number from 1; `None` when it is anything else.
fn positive(ask: &Ask, name: &str, default: usize) -> Option<usize> {
    match ask.param(name) {
        None => Some(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0),
    }
}

/// The body of a write as an object, or the answer that refuses it.
pub(super) fn object(ask: &Ask, wrapper: &str) -> Result<Map<String, Value>, Reply> {
    if !ask.content_type.starts_with("application/json") {
        return Err(error(415));
    }
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&ask.body) else {
        let message = "Request body has invalid json format";
        return Err(Reply::json(400, &json!({ "code": "invalid_json", "message": message })));
    };
    match body.remove(wrapper) {
        Some(Value::Object(inner)) if body.is_empty() => Ok(inner),
        Some(_) => Err(invalid(wrapper, "Unexpected/invalid field in request", "invalid_field")),
        None => Ok(body),
    }
}

fn update_department(state: &mut FreshserviceState, id: &str, ask: &Ask, faults: &[Fault]) -> Reply {
    let Some(place) = id.parse().ok().and_then(|id: i64| state.departments.iter().position(|it| it.id == id)) else {
        return error(404);
    };
    let mut department = state.departments[place].clone();
    let changed = object(ask, "department").and_then(|body| change_department(state, &mut department, body));
    if let Err(refusal) = changed {
        return refusal;
    }
    let renamed = department.name != state.departments[place].name;
    department.updated_at = state.next_write();
    let reply = if state.for_msps {
        Reply::json(200, &json!({ "departments": msp::department(&department) }))
    } else {
        Reply::json(200, &json!({ "department": department }))
    };
    if !ignores_write(faults) {
        state.departments[place] = department;
        if renamed {
            state.refresh();
        }
    }
    reply
}

pub(super) fn ignores_write(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| matches!(fault, Fault::IgnoredWrite))
}

fn change_department(
    state: &FreshserviceState,
    department: &mut Department,
    body: Map<String, Value>,
) -> Result<(), Reply> {
    let mismatch =
        |field: &str, expected: &str| invalid(field, &format!("It should be a/an {expected}"), "datatype_mismatch");
    for (key, value) in body {
        match (key.as_str(), value) {
            ("name", Value::String(name)) if !name.trim().is_empty() => department.name = name,
            ("name", _) => return Err(invalid("name", "It should not be blank", "invalid_value")),
            ("description", Value::String(text)) => department.description = Some(text),
            ("description", Value::Null) => department.description = None,
            ("head_user_id", Value::Null) => department.head_user_id = None,
            ("prime_user_id", Value::Null) => department.prime_user_id = None,
            ("head_user_id", Value::Number(id)) if id.is_i64() => department.head_user_id = id.as_i64(),
            ("prime_user_id", Value::Number(id)) if id.is_i64() => department.prime_user_id = id.as_i64(),
            ("domains", Value::Array(domains)) if domains.iter().all(Value::is_string) => {
                department.domains = domains.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            ("custom_fields", Value::Object(fields)) => change_custom_fields(state, department, fields)?,
            ("description" | "head_user_id" | "prime_user_id" | "domains" | "custom_fields", _) => {
                return Err(mismatch(&key, "value of the field's type"));
            }
            _ => return Err(invalid(&key, "Unexpected/invalid field in request", "invalid_field")),
        }
    }
    Ok(())
}

fn change_custom_fields(
    state: &FreshserviceState,
    department: &mut Department,
    fields: Map<String, Value>,
) -> Result<(), Reply> {
    for (name, value) in &fields {
        if !state.department_fields.iter().any(|field| field.name == *name && !field.is_default_field) {
            return Err(invalid(name, "Unexpected/invalid field in request", "invalid_field"));
        }
        if NUMBERS.contains(&name.as_str()) && !value.is_i64() && !value.is_null() {
            return Err(invalid(name, "It should be a/an Integer", "datatype_mismatch"));
        }
    }
    if state.custom_field_writes == CustomFieldWrites::Replace {
        department.custom_fields.values_mut().for_each(|value| *value = Value::Null);
    }
    department.custom_fields.extend(fields);
    if state.custom_field_writes == CustomFieldWrites::Lose {
        let others = department.custom_fields.iter_mut().filter(|(name, _)| !NUMBERS.contains(&name.as_str()));
        others.for_each(|(_, value)| *value = Value::Null);
    }
    Ok(())
}
