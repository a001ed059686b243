//! A form over a record's fields: what the template shows, and what comes back.

use nexus_core::{Entity, FieldError};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// How a field is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// Yes or no.
    Tick,
    /// Several texts, separated by commas.
    List,
}

/// One field of a form, as the template shows it.
#[derive(Clone, Debug)]
pub(crate) struct FormField {
    /// Name of the record's field.
    pub name: &'static str,
    /// What the person reads.
    pub label: &'static str,
    /// How it is typed.
    pub kind: FormKind,
    /// What is in it; of a tick `true` or nothing.
    pub value: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Must be filled.
    pub required: bool,
}

impl FormField {
    /// The fields of a form of `entity` with the values of a record (or of nothing).
    #[must_use]
    pub(crate) fn of(entity: Entity, layout: &[(&'static str, &'static str, FormKind)], record: &Value) -> Vec<Self> {
        let shown = |name: &str| match &record[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        layout
            .iter()
            .map(|&(name, label, kind)| {
                let value = match kind {
                    // The API sends lists as a text that holds JSON, as older readers parse it.
                    FormKind::List => match serde_json::from_str::<Vec<String>>(&shown(name)) {
                        Ok(items) => items.join(", "),
                        Err(_) => shown(name),
                    },
                    _ => shown(name),
                };
                let required = entity.field(name).is_some_and(|field| field.required);
                Self { name, label, kind, value, error: None, required }
            })
            .collect()
    }

    /// Takes over what a person sent: the values to show again, and the same as a body of the API.
    #[must_use]
    pub(crate) fn fill(form: &mut [Self], sent: &HashMap<String, String>) -> Map<String, Value> {
        form.iter_mut()
            .map(|field| {
                let text = sent.get(field.name).cloned().unwrap_or_default();
                let value = match field.kind {
                    FormKind::Line | FormKind::Lines => Value::String(text.clone()),
                    FormKind::Tick => Value::Bool(text == "true"),
                    FormKind::List => text
                        .split([',', ';', '\n'])
                        .map(str::trim)
                        .filter(|item| !item.is_empty())
                        .map(Value::from)
                        .collect(),
                };
                field.value = text;
                (field.name.to_owned(), value)
            })
            .collect()
    }

    /// Puts errors beside their fields; what belongs to no field of the form is given back.
    #[must_use]
    pub(crate) fn blame(form: &mut [Self], errors: &[FieldError]) -> Vec<String> {
        let mut rest = Vec::new();
        for error in errors {
            match form.iter_mut().find(|field| field.name == error.field) {
                Some(field) => field.error = Some(error.message.clone()),
                None => rest.push(format!("{}: {}", error.field, error.message)),
            }
        }
        rest
    }
}
