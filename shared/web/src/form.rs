//! A form over a record's fields: what the template shows, and what comes back.

use std::borrow::Cow;
use std::collections::HashMap;

use nexus_core::fields::value_fault;
use nexus_core::{Entity, FieldError};
use serde_json::{Map, Value};

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
    /// One of some texts that the page offers.
    Choice,
    /// A password: it is taken, and never shown.
    Secret,
}

/// One field of a form, as the template shows it.
#[derive(Clone, Debug)]
pub(crate) struct FormField {
    /// Name of the record's field.
    pub name: Cow<'static, str>,
    /// What the person reads.
    pub label: Cow<'static, str>,
    /// How it is typed.
    pub kind: FormKind,
    /// What is in it; of a tick `true` or nothing.
    pub value: String,
    /// What the record holds, in the same form.
    saved: String,
    /// What the record holds now, where that is not what was typed in sight of an older version.
    pub now: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// Must be filled.
    pub required: bool,
    /// What a choice offers.
    pub options: Vec<String>,
    /// What is told below it.
    pub hint: Option<String>,
}

impl FormField {
    /// The fields of a form of `entity` with the values of a record; of none (null) the usual ones.
    #[must_use]
    pub(crate) fn of(entity: Entity, layout: &[(&'static str, &'static str, FormKind)], record: &Value) -> Vec<Self> {
        layout
            .iter()
            .map(|&(name, label, kind)| {
                let field = entity.field(name);
                let usual = field.filter(|_| record.is_null()).and_then(|field| field.default);
                let value = usual.and_then(|json| serde_json::from_str(json).ok());
                let value = shown(kind, value.as_ref().unwrap_or(&record[name]));
                let required = field.is_some_and(|field| field.required);
                Self { required, ..Self::new(name.into(), label.into(), kind, value) }
            })
            .collect()
    }

    fn new(name: Cow<'static, str>, label: Cow<'static, str>, kind: FormKind, saved: String) -> Self {
        // An input of one line would lose the others.
        let kind = if kind == FormKind::Line && saved.contains('\n') { FormKind::Lines } else { kind };
        let (value, options) = (saved.clone(), Vec::new());
        Self { name, label, kind, value, saved, now: None, error: None, required: false, options, hint: None }
    }

    /// The fields for the texts of an object, one for each of its possible keys.
    pub(crate) fn of_values(member: &str, keys: &[(i64, String)], object: &Value) -> Vec<Self> {
        let field = |(id, key): &(i64, String)| {
            let saved = shown(FormKind::Line, &object[key.as_str()]);
            Self::new(format!("{member}-{id}").into(), key.clone().into(), FormKind::Line, saved)
        };
        keys.iter().map(field).collect()
    }

    /// Takes over what a person sent: the values to show again, and what of them is not what the record holds, as a body
    /// of the API. A value that a form cannot show exactly, such as an entry with a comma, stays as it is until somebody
    /// types another.
    #[must_use]
    pub(crate) fn fill(form: &mut [Self], sent: &HashMap<String, String>) -> Map<String, Value> {
        let mut body = Map::new();
        for field in form {
            if !field.take(sent) {
                continue;
            }
            let value = match field.kind {
                FormKind::Line | FormKind::Lines | FormKind::Choice => Value::String(field.value.clone()),
                FormKind::Tick => Value::Bool(field.value == "true"),
                FormKind::Secret => {
                    // Should the form be shown again, it is without it.
                    field.error = Some("must be typed again".to_owned());
                    Value::String(std::mem::take(&mut field.value))
                }
                FormKind::List => field
                    .value
                    .split([',', ';', '\n'])
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(Value::from)
                    .collect(),
            };
            body.insert(field.name.to_string(), value);
        }
        body
    }

    /// The same of the texts of an object: all of them when one is another than before.
    pub(crate) fn fill_values(form: &mut [Self], sent: &HashMap<String, String>) -> Option<Value> {
        let mut changed = false;
        for field in form.iter_mut() {
            changed |= field.take(sent);
        }
        changed.then(|| form.iter().map(|field| (field.label.to_string(), Value::from(&*field.value))).collect())
    }

    /// Takes over what was sent; says whether it is something else than what the record holds.
    fn take(&mut self, sent: &HashMap<String, String>) -> bool {
        // HTML sends every line break as CRLF.
        self.value = sent.get(&*self.name).map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
        self.value != self.saved
    }

    /// Tells beside each field what the record holds by now, where that is something else.
    pub(crate) fn compare<'a>(form: impl IntoIterator<Item = &'a mut Self>) {
        for field in form.into_iter().filter(|field| field.value != field.saved) {
            field.now = Some(match field.kind {
                FormKind::Tick => if field.saved.is_empty() { "no" } else { "yes" }.to_owned(),
                _ if field.saved.is_empty() => "nothing".to_owned(),
                _ => field.saved.clone(),
            });
        }
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

    /// Tells beside the texts of an object which break its rule.
    pub(crate) fn blame_values(form: &mut [Self]) {
        for field in form {
            field.error = value_fault(&field.value);
        }
    }
}

/// A value of the API as a form shows it.
fn shown(kind: FormKind, value: &Value) -> String {
    let text = match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    match kind {
        // The API sends lists as a text that holds JSON, as older readers parse it.
        FormKind::List => serde_json::from_str::<Vec<String>>(&text).map_or(text, |items| items.join(", ")),
        _ => text,
    }
}
