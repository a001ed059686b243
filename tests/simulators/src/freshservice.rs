//! Freshservice API v2.

mod msp;
mod people;
mod records;
mod routes;

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;

use crate::companies::{self, NOW, rfc3339};
use crate::faults::Fault;
use crate::quota::{Budget, FixedWindow, FreshserviceQuota};
use crate::random::Random;
use crate::server::{Admission, Ask, Reply, Running, Vendor, simulator};
use crate::{Size, variables};

pub use records::{Department, DepartmentField, Requester, Workspace};

/// A running Freshservice account. Clones are handles to the same server, which stops when the last is dropped.
///
/// It answers, under `/api/v2`, with Basic `<api_key>:anything`:
///
/// | call | |
/// |---|---|
/// | `GET /departments`, `/departments/{id}` | |
/// | `PUT /departments/{id}` | flat or wrapped in `department`; an unknown key is 400 `invalid_field` |
/// | `GET /department_fields` | |
/// | `GET /requesters` | `include_agents`, `email`; an agent is not found under `/requesters/{id}` |
/// | `GET /requesters/{id}` | |
/// | `GET /agents/me` | |
/// | `GET /workspaces`, `/workspaces/{id}` | |
/// | `PUT /workspaces/{id}`, `GET /workspace_form_fields` | Freshservice for MSPs only |
///
/// Lists take `page` and `per_page` (1 to 100). Lists with `query` are refused with 400: the filter language is not
/// simulated, and to ignore it would be worse.
#[derive(Clone)]
pub struct Freshservice {
    running: Arc<Running<World>>,
    api_key: Arc<str>,
}

simulator!(Freshservice, World, FreshserviceState);

impl Freshservice {
    /// Generates the world and listens on a free port of 127.0.0.1.
    pub async fn start(size: Size, seed: u64) -> std::io::Result<Self> {
        let api_key = Random::new(seed, 2).word(20);
        let world = World { state: generate(size, seed), api_key: api_key.clone(), window: FixedWindow::default() };
        Ok(Self { running: Arc::new(Running::start(world).await?), api_key: api_key.into() })
    }

    /// The key of the agent whose rights the caller has: all of them.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The variables under which a Nexus reads this one at so many calls a minute; 0: as many as it can, none: as many as it does
    /// by itself.
    #[must_use]
    pub fn environment(&self, pace: impl Into<Option<u32>>) -> Vec<(String, String)> {
        variables("FRESHSERVICE", &[("BASE_URL", &self.base_url()), ("API_KEY", &self.api_key)], pace.into())
    }

    /// Sets a quota and begins a new window; `None` lifts it. There is none at the start.
    pub fn set_quota(&self, quota: impl Into<Option<FreshserviceQuota>>) {
        self.running.core.world().window.set(quota.into());
    }
}

/// What the account holds. Records are answered in the order in which they stand here.
#[derive(Debug, Clone)]
pub struct FreshserviceState {
    /// The companies (and, in Freshservice for MSPs, the departments of all clients).
    pub departments: Vec<Department>,
    /// What `GET /department_fields` tells, and what `PUT /departments/{id}` accepts in `custom_fields`.
    pub department_fields: Vec<DepartmentField>,
    /// The people, agents among them. After every edit `department_names` is written anew from `department_ids`.
    pub requesters: Vec<Requester>,
    /// One or two of type `workspace`; in Freshservice for MSPs three of the vendor's own and one of type `client` per
    /// company.
    pub workspaces: Vec<Workspace>,
    /// What a write does to the custom fields it does not name. Not documented; `Merge` at the start.
    pub custom_field_writes: CustomFieldWrites,
    /// Whether `GET /requesters` shows people with `active: false`. Not documented; `true` at the start.
    pub lists_inactive: bool,
    /// Set by [`FreshserviceState::become_for_msps`].
    for_msps: bool,
    /// Counts writes, so that `updated_at` moves without a clock.
    writes: i64,
}

/// See [`FreshserviceState::custom_field_writes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomFieldWrites {
    /// Fields that are not named stay.
    Merge,
    /// Fields that are not named become null.
    Replace,
    /// Only numbers are kept; every other field becomes null, even one that is named. No vendor should; it is for checks that
    /// see to it.
    Lose,
}

impl FreshserviceState {
    /// The department with this id.
    pub fn department(&mut self, id: i64) -> Option<&mut Department> {
        self.departments.iter_mut().find(|department| department.id == id)
    }

    /// The requester with this id.
    pub fn requester(&mut self, id: i64) -> Option<&mut Requester> {
        self.requesters.iter_mut().find(|requester| requester.id == id)
    }

    pub(crate) fn refresh(&mut self) {
        let names: HashMap<i64, &str> =
            self.departments.iter().map(|department| (department.id, department.name.as_str())).collect();
        for requester in &mut self.requesters {
            requester.department_names = requester
                .department_ids
                .as_ref()
                .map(|ids| ids.iter().filter_map(|id| names.get(id)).map(|name| (*name).to_owned()).collect());
        }
    }

    fn next_write(&mut self) -> String {
        self.writes += 1;
        rfc3339(NOW + self.writes)
    }
}

fn generate(size: Size, seed: u64) -> FreshserviceState {
    let companies = companies::generate(size.companies, seed);
    let departments = records::departments(&companies, seed);
    let requesters = people::generate(size.contacts, &companies, &departments, seed);
    let mut state = FreshserviceState {
        departments,
        department_fields: records::department_fields(),
        requesters,
        workspaces: records::workspaces(),
        custom_field_writes: CustomFieldWrites::Merge,
        lists_inactive: true,
        for_msps: false,
        writes: 0,
    };
    state.refresh();
    state
}

struct World {
    state: FreshserviceState,
    api_key: String,
    window: FixedWindow,
}

impl World {
    fn knows(&self, authorization: &str) -> bool {
        let Some(encoded) = authorization.strip_prefix("Basic ") else { return false };
        let Ok(decoded) = STANDARD.decode(encoded.trim()) else { return false };
        // Any password does.
        decoded.split(|byte| *byte == b':').next() == Some(self.api_key.as_bytes()) && decoded.contains(&b':')
    }
}

impl Vendor for World {
    const FIRST_PAGE: u64 = 1;

    fn admit(&mut self, ask: &Ask, now: Instant) -> Admission {
        let lists_requesters = ask.method == "GET" && ask.path == "/requesters";
        let mut admission = Admission::granted();
        let (total, remaining) = match self.window.spend(lists_requesters, now) {
            Budget::Left { total, remaining } => (total, remaining),
            Budget::Spent { retry_after } => {
                // Rounded up: who comes back after this many seconds is let in.
                let seconds = retry_after.as_millis().div_ceil(1_000).max(1);
                admission.headers.push(("retry-after", seconds.to_string()));
                admission.refusal = Some(self.error(ask, 429));
                (self.window.quota.map_or(0, |quota| quota.overall), 0)
            }
        };
        admission.headers.extend([
            ("x-ratelimit-total", total.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-used-currentrequest", "1".to_owned()),
            ("x-freshservice-api-version", "latest=v2; requested=v2".to_owned()),
        ]);
        if admission.refusal.is_none() && !self.knows(&ask.authorization) {
            admission.refusal = Some(self.error(ask, 401));
        }
        admission
    }

    fn answer(&mut self, ask: &Ask, faults: &[Fault]) -> Reply {
        if !ask.target.starts_with("/api/v2/") {
            return self.error(ask, 404);
        }
        routes::answer(&mut self.state, ask, faults)
    }

    fn error(&self, _ask: &Ask, status: u16) -> Reply {
        error(status)
    }
}

/// The bodies of most statuses are not documented; these have the documented form with documented codes.
fn error(status: u16) -> Reply {
    let (code, message) = match status {
        401 => ("invalid_credentials", "You have to be logged in to perform this action."),
        403 => ("access_denied", "You are not authorized to perform this action."),
        404 => return Reply::empty(404),
        409 => ("duplicate_value", "The record was changed by another request."),
        415 => ("invalid_json", "The Content-Type header must be application/json."),
        429 => ("rate_limit", "You have exceeded the limit of requests per minute."),
        _ => {
            return Reply {
                content_type: "text/html",
                body: b"<html>Something went wrong</html>".to_vec(),
                ..Reply::empty(status)
            };
        }
    };
    Reply::json(status, &json!({ "code": code, "message": message }))
}

/// 400 for one field.
fn invalid(field: &str, message: &str, code: &str) -> Reply {
    let error = json!({ "field": field, "message": message, "code": code });
    Reply::json(400, &json!({ "description": "Validation failed", "errors": [error] }))
}
