//! What one of the source's records means for the directory. Pure: everything it needs is given.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nexus_core::entity::Kind;
use nexus_core::fields;
use nexus_core::policy::{Policy, field_policy};
use nexus_core::sync::Observation;
use nexus_core::{Entity, Fields};
use nexus_db::changes::{Action, Link, Proposal};
use nexus_db::records::Record;
use nexus_db::sources::SourceLink;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::policy::{key_name, strong_key};

/// A source's record, read: its values are ones that our fields can hold.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) external_id: String,
    pub(crate) scope: String,
    pub(crate) fields: Fields,
    pub(crate) links: BTreeMap<String, Vec<String>>,
}

/// Reads an observation. The error names the fields that no record can hold.
pub(crate) fn read(observation: Observation) -> Result<Observed, String> {
    let Observation { entity, external_id, scope, fields, links } = observation;
    if external_id.is_empty() || external_id.chars().count() > 255 {
        return Err("external_id: must have 1 to 255 characters".into());
    }
    let fields = fields::parse(entity, &fields)
        .map_err(|faults| faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect::<Vec<_>>())
        .map_err(|faults| faults.join("; "))?;
    Ok(Observed { external_id, scope, fields, links })
}

impl Observed {
    /// The value that says which of our records it is, when no link does.
    pub(crate) fn key(&self, entity: Entity) -> Option<String> {
        let key = nexus_db::records::key(self.fields.get(strong_key(entity)?)?)?;
        match entity {
            // Every company has a Main Office.
            Entity::Location => Some(location_key(self.fields.get("company_id")?.as_i64()?, &key)),
            _ => Some(key),
        }
    }

    /// The source's name of it, for a person.
    pub(crate) fn name(&self) -> String {
        self.fields.get("name").and_then(Value::as_str).unwrap_or(&self.external_id).to_owned()
    }

    /// Puts the ids of our records in the place of the source's.
    pub(crate) fn resolve(&mut self, entity: Entity, ids: impl Fn(Entity, &str) -> Option<i64>) {
        for (field, external) in std::mem::take(&mut self.links) {
            let found = |target| {
                let mut found: Vec<i64> = external.iter().filter_map(|id| ids(target, id)).collect();
                found.sort_unstable();
                found.dedup();
                found
            };
            let value = match entity.field(&field).map(|field| field.kind) {
                Some(Kind::Links(link)) => Value::from(found(link.entity)),
                Some(Kind::Reference(target)) => Value::from(found(target).first().copied()),
                _ => continue,
            };
            self.fields.insert(field, value);
        }
    }

    /// Covers everything that is planned from.
    pub(crate) fn hash(&self) -> String {
        let text = json!([self.scope, self.fields]).to_string();
        URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..16])
    }
}

/// Names a location among those of all companies.
pub(crate) fn location_key(company_id: i64, name: &str) -> String {
    format!("{company_id} {name}")
}

/// Which of our records it is.
pub(crate) enum Match<'a> {
    /// None: a new one would have this id.
    New(i64),
    /// The record, and the link that says so (none: its strong key does).
    Known { id: i64, link: Option<&'a SourceLink>, record: &'a Record },
}

/// What is to be done, if anything.
pub(crate) enum Planned {
    /// A row of the plan.
    Row(Box<Proposal>),
    /// Nothing is new but what a device shows by itself, if anything: it is taken over without a row.
    Quiet(Box<Proposal>),
    /// A person took our record out of the directory; the source does not bring it back.
    LeftArchived,
}

/// Plans one record.
pub(crate) fn plan(
    source: &str,
    entity: Entity,
    observed: &Observed,
    hash: &str,
    matched: &Match<'_>,
    pinned: impl Fn(i64, &str) -> bool,
) -> Planned {
    let link = |created| Link {
        source: source.to_owned(),
        external_id: observed.external_id.clone(),
        scope: observed.scope.clone(),
        hash: hash.to_owned(),
        values: observed.fields.clone(),
        created,
    };
    let (id, action, version, fields, reason, created) = match *matched {
        Match::New(id) => {
            let known = |field: &str| field_policy(source, entity, field) != Policy::Never;
            let fields = observed.fields.iter().filter(|(field, value)| known(field) && !is_blank(value));
            let mut fields: Fields = fields.map(|(field, value)| (field.clone(), value.clone())).collect();
            // What has no name in the source is called by what tells it apart, until somebody knows better.
            let unnamed =
                ["name", "hostname"].into_iter().find(|name| entity.field(name).is_some_and(|field| field.required));
            if let Some(unnamed) = unnamed.filter(|name| !fields.contains_key(*name)) {
                let email = fields.get("email").cloned();
                let name = email.unwrap_or_else(|| Value::String(format!("{source} {}", observed.external_id)));
                fields.insert(unnamed.to_owned(), name);
            }
            (id, Action::Create, None, fields, format!("new in {source}"), true)
        }
        Match::Known { id, link, record } => {
            let created = link.is_some_and(|link| link.created_record);
            let fields = differences(source, entity, &observed.fields, record, |field| pinned(id, field));
            let archived_by_us = link.is_some_and(|link| link.archived_run_id.is_some());
            let (action, reason) = match (&record.archived_at, fields.is_empty()) {
                (Some(_), _) if !archived_by_us => return Planned::LeftArchived,
                (Some(_), _) => (Action::Restore, format!("back in {source}")),
                (None, true) => (Action::Link, format!("found in {source}")),
                (None, false) if link.is_none() => {
                    (Action::Update, format!("found in {source} by its {}", key_name(entity)))
                }
                (None, false) => (Action::Update, format!("changed in {source}")),
            };
            (id, action, Some(record.version), fields, reason, created)
        }
    };
    let is_tied = matches!(matched, Match::Known { id, link: Some(link), .. } if link.record_id == *id);
    let quiet = match action {
        Action::Update => created && fields.keys().all(|field| entity.is_reading(field)),
        // What the source says is noted, and nothing of it is for us to take.
        Action::Link => is_tied,
        _ => false,
    };
    let link = Some(link(created));
    let row = Box::new(Proposal { entity, id, action, version, fields, reason: Some(reason), link });
    if quiet { Planned::Quiet(row) } else { Planned::Row(row) }
}

/// The fields in which a record follows its source and does not have its value.
fn differences(
    source: &str,
    entity: Entity,
    observed: &Fields,
    record: &Record,
    pinned: impl Fn(&str) -> bool,
) -> Fields {
    observed
        .iter()
        .filter(|(field, value)| {
            let ours = record.fields.get(*field).unwrap_or(&Value::Null);
            // A blank does not erase: "the source has nothing to say" looks the same.
            let speaks = !is_blank(value) && ours != *value && !pinned(field);
            speaks
                && match field_policy(source, entity, field) {
                    Policy::SourceWins => true,
                    Policy::FillIfEmpty => is_blank(ours),
                    Policy::Never => false,
                }
        })
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}
