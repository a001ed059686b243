//! Freshservice for MSPs, the separate product: a client company is a workspace of type `client`, and departments and
//! contacts belong to it.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::records::{Department, Requester, Workspace};
use super::routes::{ignores_write, object};
use super::{FreshserviceState, error, invalid};
use crate::faults::Fault;
use crate::server::{Ask, Reply};

/// The client that list calls tell of when they name none.
const DEFAULT_CLIENT: i64 = 2;
/// Ids below are the vendor's own workspaces.
const FIRST_CLIENT: i64 = 4;

impl FreshserviceState {
    /// Turns a normal account into one of Freshservice for MSPs, with the same companies.
    ///
    /// Each department becomes a client, and leaves behind one department "Main office" in it. From then on lists of
    /// departments and requesters tell only of client 2 unless they name another (`workspace_id`,
    /// `belongs_to_workspace_ids`), department ids are text, single departments come wrapped in `departments` and the list
    /// of requesters in `requester`. Every fiftieth client is inactive. People without department belong to client 2.
    pub fn become_for_msps(&mut self) {
        if self.for_msps {
            return;
        }
        self.for_msps = true;
        self.workspaces = vec![
            Workspace::new(1, "Global", "workspace"),
            Workspace { primary: true, ..Workspace::new(DEFAULT_CLIENT, "Default client", "client") },
            Workspace::new(3, "MSP", "workspace"),
        ];
        let mut clients = HashMap::with_capacity(self.departments.len());
        for (id, department) in (FIRST_CLIENT..).zip(&mut self.departments) {
            clients.insert(department.id, id);
            department.workspace_id = id;
            self.workspaces.push(Workspace {
                state: if id % 50 == 49 { "inactive" } else { "active" }.to_owned(),
                description: department.description.take(),
                created_at: department.created_at.clone(),
                updated_at: department.updated_at.clone(),
                metadata: Some(json!({
                    "primary_contact": null,
                    "email_domains": std::mem::take(&mut department.domains),
                    "custom_fields": std::mem::take(&mut department.custom_fields),
                })),
                ..Workspace::new(id, &department.name, "client")
            });
            "Main office".clone_into(&mut department.name);
        }
        for requester in &mut self.requesters {
            let mut ids: Vec<i64> =
                requester.department_ids.iter().flatten().filter_map(|id| clients.get(id).copied()).collect();
            if ids.is_empty() {
                ids.push(DEFAULT_CLIENT);
            }
            requester.belongs_to_workspace_ids = Some(ids);
            requester.can_see_all_tickets_from_associated_workspace_ids = Some(Vec::new());
        }
    }
}

/// A department as this product tells it: the id as text, and no heads and domains.
pub(super) fn department(department: &Department) -> Value {
    json!({
        "id": department.id.to_string(), "name": department.name, "description": department.description,
        "custom_fields": department.custom_fields, "workspace_id": department.workspace_id,
        "created_at": department.created_at, "updated_at": department.updated_at,
    })
}

pub(super) fn belongs(requester: &Requester, clients: &[i64]) -> bool {
    requester.belongs_to_workspace_ids.iter().flatten().any(|id| clients.contains(id))
}

pub(super) fn workspace_form_fields() -> Reply {
    let field = |name: &str, label: &str| json!({ "name": name, "label": label, "mandatory": name == "name" });
    let fields = [field("name", "Client Name"), field("account_number", "Account Number")];
    Reply::json(200, &json!({ "workspace_form_fields": fields }))
}

pub(super) fn update_workspace(state: &mut FreshserviceState, id: &str, ask: &Ask, faults: &[Fault]) -> Reply {
    let Some(place) = id.parse().ok().and_then(|id: i64| state.workspaces.iter().position(|it| it.id == id)) else {
        return error(404);
    };
    let body = match object(ask, "workspace") {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let mut workspace = state.workspaces[place].clone();
    for (key, value) in body {
        match (key.as_str(), value) {
            ("name", Value::String(name)) if !name.trim().is_empty() => workspace.name = name,
            ("description", Value::String(text)) => workspace.description = Some(text),
            ("metadata", Value::Object(metadata)) => {
                let held = workspace.metadata.get_or_insert_with(|| json!({}));
                for (key, value) in metadata {
                    match (held.get_mut(&key), value) {
                        (Some(Value::Object(held)), Value::Object(new)) => held.extend(new),
                        (_, value) => held[key] = value,
                    }
                }
            }
            _ => return invalid(&key, "Unexpected/invalid field in request", "invalid_field"),
        }
    }
    workspace.updated_at = state.next_write();
    let reply = Reply::json(200, &json!({ "workspace": workspace }));
    if !ignores_write(faults) {
        state.workspaces[place] = workspace;
    }
    reply
}
