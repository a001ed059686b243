//! Changed fields in words.

use std::collections::BTreeSet;

use nexus_core::Entity;
use nexus_core::entity::Kind;
use nexus_core::sync::Change;
use nexus_db::changes::Action;
use serde_json::{Map, Value};

use super::Names;

/// A longer text is folded up.
const LONG: usize = 240;
/// What is seen of a text that is folded up.
const HEAD: usize = 120;

/// A field before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// What the field is called.
    pub label: String,
    /// Its values before; none: it was empty.
    pub before: Vec<Word>,
    /// Its values after.
    pub after: Vec<Word>,
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// In words.
    pub text: String,
    /// Where what it names is shown.
    pub address: Option<String>,
    /// The text is an instant.
    pub is_instant: bool,
}

impl Word {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The beginning of a text that is too long to be shown as it is.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        self.text.char_indices().nth(LONG)?;
        self.text.char_indices().nth(HEAD).map(|(at, _)| &self.text[..at])
    }
}

impl FieldChange {
    /// The fields that a change changes.
    pub(super) fn of(change: &Change, action: Action, names: &Names) -> Vec<Self> {
        let Change { entity, before, after, .. } = change;
        // In the order of the kind's own fields. Of a record that goes, and of one that comes back, all fields are told for those
        // who follow the feed; nothing of it is a change.
        let told = entity.fields().iter().filter(|field| match action {
            Action::Create | Action::Archive => after.contains_key(field.name),
            Action::Restore => before.contains_key(field.name),
            Action::Update | Action::Link => before.contains_key(field.name) || after.contains_key(field.name),
        });
        let sides = told.map(|field| {
            let side = |of: &Map<String, Value>| words(*entity, field.name, of.get(field.name), names);
            Self { label: label(field.name), before: side(before), after: side(after) }
        });
        sides.filter(|field| field.before != field.after).collect()
    }
}

/// Adds the records that a change's fields name.
pub(super) fn references(change: &Change, wanted: &mut BTreeSet<(Entity, i64)>) {
    for (name, value) in change.before.iter().chain(&change.after) {
        let target = match change.entity.field(name).map(|field| field.kind) {
            Some(Kind::Reference(target)) => target,
            Some(Kind::Links(link) | Kind::Values(link)) => link.entity,
            _ => continue,
        };
        match value {
            Value::Array(ids) => wanted.extend(ids.iter().filter_map(Value::as_i64).map(|id| (target, id))),
            Value::Object(values) => {
                wanted.extend(values.keys().filter_map(|id| id.parse().ok()).map(|id| (target, id)));
            }
            id => wanted.extend(id.as_i64().map(|id| (target, id))),
        }
    }
}

fn words(entity: Entity, field: &str, value: Option<&Value>, names: &Names) -> Vec<Word> {
    let kind = entity.field(field).map(|field| field.kind);
    let link_to = |target: Entity, id: &Value| {
        let id = id.as_i64()?;
        let record = names.of_record(target, id);
        Some(Word { text: record.text(target), address: record.address, is_instant: false })
    };
    match (kind, value) {
        (_, None | Some(Value::Null)) => Vec::new(),
        (_, Some(Value::Bool(flag))) => vec![Word::new(if *flag { "yes" } else { "no" })],
        (Some(Kind::Reference(target)), Some(id)) => link_to(target, id).into_iter().collect(),
        (Some(Kind::Links(link)), Some(Value::Array(ids))) => {
            ids.iter().filter_map(|id| link_to(link.entity, id)).collect()
        }
        (Some(Kind::Values(link)), Some(Value::Object(values))) => values
            .iter()
            .map(|(id, value)| {
                let record = names.of_record(link.entity, id.parse().unwrap_or_default());
                Word::new(format!("{}: {}", record.name, value.as_str().unwrap_or_default()))
            })
            .collect(),
        (Some(Kind::Pins), Some(Value::Array(fields))) => {
            fields.iter().filter_map(Value::as_str).map(|field| Word::new(label(field))).collect()
        }
        (Some(Kind::Instant), Some(Value::String(at))) => {
            vec![Word { text: at.clone(), is_instant: true, ..Word::default() }]
        }
        (_, Some(Value::Array(items))) => items.iter().filter_map(Value::as_str).map(Word::new).collect(),
        (_, Some(Value::String(text))) if text.is_empty() => Vec::new(),
        (_, Some(Value::String(text))) => vec![Word::new(listed(text).unwrap_or_else(|| text.clone()))],
        (_, Some(other)) => vec![Word::new(other.to_string())],
    }
}

/// A text that holds a list as JSON, as some of the older fields do.
fn listed(text: &str) -> Option<String> {
    let items: Vec<String> = serde_json::from_str(text).ok()?;
    Some(items.join(", "))
}

/// What a field is called.
fn label(field: &str) -> String {
    let known = match field {
        "company_id" => "Company",
        "company_ids" => "Companies",
        "contact_ids" => "Contacts",
        "feature_values" => "What is agreed",
        "pinned_fields" => "Pinned fields",
        "tied_site_uids" => "Datto sites tied to it",
        "freshservice_id" => "Id in Freshservice",
        "ext_ip_address" => "External address",
        "int_ip_address" => "Internal address",
        "portal_url" => "Page in the RMM",
        "web_remote_url" => "Remote control",
        "backup_usage_tb" => "Backup (TB)",
        "profit_or_non_profit" => "Profit or non-profit",
        "plan_selected" => "Plan",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words = field.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What happens to a record, or what happened.
#[must_use]
pub const fn action_word(action: Action, done: bool) -> &'static str {
    match (action, done) {
        (Action::Create, false) => "create",
        (Action::Create, true) => "created",
        (Action::Update, false) => "change",
        (Action::Update, true) => "changed",
        (Action::Archive, false) => "archive",
        (Action::Archive, true) => "archived",
        (Action::Restore, false) => "bring back",
        (Action::Restore, true) => "brought back",
        (Action::Link, false) => "tie to its source",
        (Action::Link, true) => "tied to its source",
    }
}

/// By which way something was done.
#[must_use]
pub fn origin_word(origin: &str) -> &'static str {
    match origin {
        "api" => "API",
        "page" => "page",
        "sync" => "sync",
        "undo" => "undo",
        _ => "Nexus",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use nexus_core::Entity;
    use nexus_core::sync::Change;
    use nexus_db::changes::Action;
    use serde_json::{Value, json};

    use super::super::Names;
    use super::{FieldChange, Word, references};

    #[expect(clippy::needless_pass_by_value, reason = "it is made where it is given")]
    fn change(entity: Entity, action: &str, before: Value, after: Value) -> Change {
        serde_json::from_value(json!({
            "id": 1, "cursor": 1, "entity": entity, "record_id": 7, "action": action, "state": "applied", "reason": null,
            "before": before, "after": after,
        }))
        .unwrap()
    }

    fn told(change: &Change) -> Vec<(String, String, String)> {
        let side = |words: &[Word]| words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(", ");
        let fields = FieldChange::of(change, Action::parse(&change.action).unwrap(), &Names::default());
        fields.into_iter().map(|field| (field.label, side(&field.before), side(&field.after))).collect()
    }

    fn own(label: &str, before: &str, after: &str) -> (String, String, String) {
        (label.to_owned(), before.to_owned(), after.to_owned())
    }

    #[test]
    fn values_are_told_in_words_and_in_the_order_of_the_fields() {
        let before = json!({"active": true, "name": "Ada", "company_ids": [], "pinned_fields": [], "title": null});
        let after = json!({"active": false, "name": "Ada B", "company_ids": [3], "pinned_fields": ["work_phone_number"], "title": ""});
        assert_eq!(
            told(&change(Entity::Contact, "update", before, after)),
            [
                own("Name", "Ada", "Ada B"),
                own("Active", "yes", "no"),
                own("Companies", "", "company 3"),
                own("Pinned fields", "", "Work phone number"),
            ]
        );
    }

    #[test]
    fn only_what_a_new_record_has_is_told_and_nothing_of_one_that_goes() {
        let fields =
            json!({"hostname": "PC-1", "company_id": 3, "domain": null, "enabled_administrators": "[\"a\",\"b\"]"});
        assert_eq!(
            told(&change(Entity::Asset, "create", json!({}), fields.clone())),
            [own("Hostname", "", "PC-1"), own("Company", "", "company 3"), own("Enabled administrators", "", "a, b")]
        );
        assert_eq!(told(&change(Entity::Asset, "archive", fields.clone(), json!({}))), []);
        assert_eq!(
            told(&change(Entity::Asset, "restore", json!({"hostname": "PC-0"}), fields)),
            [own("Hostname", "PC-0", "PC-1")]
        );
    }

    #[test]
    fn the_records_that_fields_name_are_found() {
        let mut wanted = BTreeSet::new();
        let before = json!({"feature_values": {"4": "yes"}, "name": "Alpha"});
        references(&change(Entity::Company, "update", before, json!({"feature_values": {"5": "no"}})), &mut wanted);
        references(
            &change(Entity::Asset, "update", json!({"company_id": null}), json!({"company_id": 9})),
            &mut wanted,
        );
        let expected = [(Entity::Feature, 4), (Entity::Feature, 5), (Entity::Company, 9)];
        assert_eq!(wanted, BTreeSet::from(expected));
    }

    #[test]
    fn a_long_text_is_folded_up_between_two_letters() {
        assert_eq!(Word::new("short").head(), None);
        assert_eq!(Word::new("é".repeat(300)).head(), Some("é".repeat(120).as_str()));
    }
}
