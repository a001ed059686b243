//! Datto's routes.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::records::{Device, Site, Variable};
use super::{DELETED_DEVICES, DattoState, ExistingVariable, Placed, error};
use crate::faults::Fault;
use crate::server::{Ask, Reply};

const MOST_PER_PAGE: usize = 250;

/// The writes that have a budget of their own.
pub(super) const OPERATIONS: &[&str] = &["site-variable-create", "site-variable-update"];

/// The budget that a call draws from; a read has none.
pub(super) fn operation(ask: &Ask) -> Option<&'static str> {
    match ask.method.as_str() {
        "PUT" => Some("site-variable-create"),
        "POST" => Some("site-variable-update"),
        _ => None,
    }
}

pub(super) fn answer(state: &mut DattoState, ask: &Ask, faults: &[Fault]) -> Reply {
    let segments: Vec<&str> = ask.path.split('/').skip(1).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        ("GET", ["account"]) => account(state),
        ("GET", ["account", "sites"]) => list_sites(state, ask, faults),
        ("GET", ["account", "devices"]) => list_devices(state, state.devices.iter(), state.devices.len(), ask, faults),
        ("GET", ["device", uid]) => match state.index().devices.get(*uid) {
            Some(position) => {
                let mut body = Vec::new();
                write_device(&mut body, &state.devices[*position], state.udf_keys);
                Reply::bytes(200, body)
            }
            None => error(ask, 404),
        },
        ("GET", ["system", "pagination"]) => Reply::json(200, &json!({ "max": MOST_PER_PAGE })),
        ("GET", ["system", "status"]) => {
            Reply::json(200, &json!({ "version": "14.9.0-235", "status": "OK", "started": "2026-01-30T04:00:00Z" }))
        }
        (method, ["site", uid, rest @ ..]) => match state.index().sites.get(*uid).filter(|_| *uid != DELETED_DEVICES) {
            Some(placed) => {
                let placed = placed.clone();
                site(state, &placed, method, rest, ask, faults)
            }
            None => error(ask, 404),
        },
        _ => error(ask, 404),
    }
}

fn site(state: &mut DattoState, placed: &Placed, method: &str, rest: &[&str], ask: &Ask, faults: &[Fault]) -> Reply {
    match (method, rest) {
        ("GET", []) => {
            let mut body = Vec::new();
            write_site(&mut body, &state.sites[placed.position], Some(placed));
            Reply::bytes(200, body)
        }
        ("GET", ["devices"]) => {
            let devices = placed.devices.iter().map(|position| &state.devices[*position]);
            list_devices(state, devices, placed.devices.len(), ask, faults)
        }
        ("GET", ["variables"]) => list_variables(&state.sites[placed.position], ask, faults),
        ("PUT", ["variable"]) => create_variable(state, placed.position, ask, faults),
        ("POST", ["variable", id]) => update_variable(&mut state.sites[placed.position], id, ask, faults),
        _ => error(ask, 404),
    }
}

fn account(state: &DattoState) -> Reply {
    let sites = &state.index().sites;
    let total = state.devices.len();
    let online = state.devices.iter().filter(|device| device.online == Some(true)).count();
    let on_demand: usize = state
        .sites
        .iter()
        .filter(|site| site.on_demand == Some(true))
        .filter_map(|site| sites.get(&site.uid))
        .map(|placed| placed.devices.len())
        .sum();
    let account = &state.account;
    let answer = json!({
        "id": account.id, "uid": account.uid, "name": account.name, "currency": account.currency,
        // The vendor spells it so.
        "descriptor": { "bilingEmail": "billing@provider.example", "deviceLimit": 150_000, "timeZone": "UTC" },
        "devicesStatus": {
            "numberOfDevices": total, "numberOfOnlineDevices": online, "numberOfOfflineDevices": total - online,
            "numberOfOnDemandDevices": on_demand, "numberOfManagedDevices": total - on_demand,
        },
    });
    Reply::json(200, &answer)
}

fn list_sites(state: &DattoState, ask: &Ask, faults: &[Fault]) -> Reply {
    let wanted = Like::of(ask, "siteName");
    let matching: Vec<&Site> = state.sites.iter().filter(|site| wanted.fits(site.name.as_deref())).collect();
    let total = matching.len();
    let placed = &state.index().sites;
    list("sites", matching.into_iter(), total, ask, faults, |body, site| write_site(body, site, placed.get(&site.uid)))
}

fn list_variables(site: &Site, ask: &Ask, faults: &[Fault]) -> Reply {
    list("variables", site.variables.iter(), site.variables.len(), ask, faults, |body, variable| {
        let masked = variable.masked == Some(true);
        let value = if masked { Some("********") } else { variable.value.as_deref() };
        let shown = json!({ "id": variable.id, "name": variable.name, "value": value, "masked": variable.masked });
        write(body, &shown);
    })
}

fn list_devices<'a>(
    state: &DattoState,
    devices: impl Iterator<Item = &'a Device>,
    count: usize,
    ask: &Ask,
    faults: &[Fault],
) -> Reply {
    let write = |body: &mut Vec<u8>, device: &Device| write_device(body, device, state.udf_keys);
    let filters = ["hostname", "siteName", "operatingSystem", "deviceType"].map(|name| Like::of(ask, name));
    if filters.iter().all(|filter| filter.0.is_none()) {
        return list("devices", devices, count, ask, faults, write);
    }
    let [hostname, site_name, operating_system, device_type] = filters;
    let fits = |device: &&Device| {
        hostname.fits(device.hostname.as_deref())
            && site_name.fits(device.site_name.as_deref())
            && operating_system.fits(device.operating_system.as_deref())
            && device_type.fits(device.device_type.as_ref().and_then(|kind| kind.category.as_deref()))
    };
    let matching: Vec<&Device> = devices.filter(fits).collect();
    let total = matching.len();
    list("devices", matching.into_iter(), total, ask, faults, write)
}

/// A filter that matches anywhere in the text, in any case.
struct Like(Option<String>);

impl Like {
    fn of(ask: &Ask, name: &str) -> Self {
        Self(ask.param(name).map(str::to_lowercase))
    }

    fn fits(&self, text: Option<&str>) -> bool {
        self.0.as_deref().is_none_or(|part| text.is_some_and(|text| text.to_lowercase().contains(part)))
    }
}

/// One page in the vendor's envelope, of which only the records asked for are serialised.
fn list<'a, T: 'a>(
    key: &str,
    records: impl Iterator<Item = &'a T>,
    total: usize,
    ask: &Ask,
    faults: &[Fault],
    write: impl Fn(&mut Vec<u8>, &T),
) -> Reply {
    let (Some(page), Some(max)) = (number(ask, "page", 0), number(ask, "max", MOST_PER_PAGE).filter(|max| *max > 0))
    else {
        return error(ask, 400);
    };
    let max = max.min(MOST_PER_PAGE);
    let start = page.saturating_mul(max);
    let again = usize::from(start > 0 && faults.iter().any(|fault| matches!(fault, Fault::DuplicateRecord)));
    let mut body = Vec::with_capacity(64 * 1_024);
    body.extend_from_slice(format!("{{\"{key}\":[").as_bytes());
    let mut count = 0;
    for record in records.skip(start - again).take(max + again) {
        if count > 0 {
            body.push(b',');
        }
        write(&mut body, record);
        count += 1;
    }
    let link = |page: usize| ask.link(&[("max", max), ("page", page)]);
    let details = json!({
        "count": count, "totalCount": total,
        "prevPageUrl": (page > 0).then(|| link(page - 1)),
        "nextPageUrl": (start.saturating_add(max) < total).then(|| link(page + 1)),
    });
    body.extend_from_slice(format!("],\"pageDetails\":{details}}}").as_bytes());
    Reply::bytes(200, body)
}

fn number(ask: &Ask, name: &str, default: usize) -> Option<usize> {
    ask.param(name).map_or(Some(default), |text| text.parse().ok())
}

fn write(body: &mut Vec<u8>, record: &impl Serialize) {
    // Plain fields into memory: this cannot fail.
    let _ = serde_json::to_writer(body, record);
}

/// Writes the record and reopens its object for more keys, which is many times quicker than to build a map.
fn write_open(body: &mut Vec<u8>, record: &impl Serialize) {
    write(body, record);
    body.pop();
}

fn write_site(body: &mut Vec<u8>, site: &Site, placed: Option<&Placed>) {
    let (total, online) = placed.map_or((0, 0), |placed| (placed.devices.len(), placed.online));
    let offline = total - online;
    write_open(body, site);
    let status = format!(
        ",\"devicesStatus\":{{\"numberOfDevices\":{total},\"numberOfOnlineDevices\":{online},\"numberOfOfflineDevices\":{offline}}}}}"
    );
    body.extend_from_slice(status.as_bytes());
}

/// `"udf1":` and so on.
static UDF_KEYS: LazyLock<Vec<String>> =
    LazyLock::new(|| (1..=300).map(|ordinal| format!("\"udf{ordinal}\":")).collect());

fn write_device(body: &mut Vec<u8>, device: &Device, udf_keys: u16) {
    write_open(body, device);
    body.extend_from_slice(b",\"udf\":{");
    for (ordinal, key) in (1..=udf_keys).zip(UDF_KEYS.iter()) {
        if ordinal > 1 {
            body.push(b',');
        }
        body.extend_from_slice(key.as_bytes());
        match device.udf.iter().find(|(held, _)| *held == ordinal) {
            Some((_, value)) => write(body, value),
            None => body.extend_from_slice(b"null"),
        }
    }
    body.extend_from_slice(b"}}");
}

/// The body of a write: all values text, but `masked`.
fn variable_body(ask: &Ask) -> Option<(String, String, bool)> {
    let body: Map<String, Value> = serde_json::from_slice(&ask.body).ok()?;
    let text = |key: &str| body.get(key)?.as_str().map(str::to_owned);
    let masked = body.get("masked").is_some_and(|masked| masked == true);
    let is_json = ask.content_type.starts_with("application/json");
    Some((text("name").filter(|name| is_json && !name.is_empty())?, text("value")?, masked))
}

fn ignores_write(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| matches!(fault, Fault::IgnoredWrite))
}

fn create_variable(state: &mut DattoState, position: usize, ask: &Ask, faults: &[Fault]) -> Reply {
    let Some((name, value, masked)) = variable_body(ask) else { return error(ask, 400) };
    let highest = state.sites.iter().flat_map(|site| &site.variables).map(|variable| variable.id).max();
    let variables = &mut state.sites[position].variables;
    let existing = variables.iter_mut().find(|variable| variable.name.as_deref() == Some(&name));
    match (existing, state.existing_variable) {
        (Some(_), ExistingVariable::Refuse) => return error(ask, 400),
        _ if ignores_write(faults) => {}
        (Some(variable), ExistingVariable::Overwrite) => variable.value = Some(value),
        _ => variables.push(Variable {
            id: highest.unwrap_or(2_100_000) + 1,
            name: Some(name),
            value: Some(value),
            masked: Some(masked),
        }),
    }
    Reply::empty(200)
}

fn update_variable(site: &mut Site, id: &str, ask: &Ask, faults: &[Fault]) -> Reply {
    let Some((name, value, _)) = variable_body(ask) else { return error(ask, 400) };
    let wanted = id.parse().ok();
    let Some(variable) = site.variables.iter_mut().find(|variable| Some(variable.id) == wanted) else {
        return error(ask, 404);
    };
    if !ignores_write(faults) {
        variable.name = Some(name);
        variable.value = Some(value);
    }
    Reply::empty(200)
}
