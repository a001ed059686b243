//! The form of a plan: its own fields, and one for each feature that there is.

use std::collections::HashMap;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::{Entity, FieldError};
use nexus_db::Db;
use nexus_web::page::{self, Shell};
use nexus_web::{Error, FormKind, Found, Visitor};
use serde_json::{Map, Value};

use super::offers::{self, with_number};

const MOVED: &str = "Somebody changed this plan while you had it open, so nothing was saved. Where your form differs, the \
                     saved value stands below the field. Save again to replace it by yours.";
/// What the value of a feature may have (`nexus_core::fields`).
const LONGEST: usize = 255;

/// One field, with what the template of fields asks of it.
#[derive(Debug)]
struct Input {
    name: String,
    label: String,
    kind: FormKind,
    value: String,
    saved: String,
    now: Option<String>,
    error: Option<String>,
    required: bool,
    options: Vec<String>,
}

impl Input {
    fn new(name: impl Into<String>, label: impl Into<String>, kind: FormKind, saved: impl Into<String>) -> Self {
        let (name, label, saved) = (name.into(), label.into(), saved.into());
        let (value, options) = (saved.clone(), Vec::new());
        Self { name, label, kind, value, saved, now: None, error: None, required: false, options }
    }

    fn required(self) -> Self {
        Self { required: true, ..self }
    }

    fn changed(&self) -> bool {
        self.value != self.saved
    }
}

/// The form of a new or a known plan.
#[derive(Template)]
#[template(path = "settings/plan.html")]
pub(super) struct PlanPage {
    shell: Shell,
    action: String,
    /// The version that the person saw.
    version: i64,
    /// The version that the plan is at.
    current: i64,
    fields: Vec<Input>,
    features: Vec<Input>,
    faults: Vec<String>,
}

impl PlanPage {
    /// The form of a new plan.
    pub(super) async fn new(db: &Db, visitor: &Visitor) -> Result<Self, Error> {
        let record = serde_json::json!({"position": 0});
        Self::of(db, Shell::new(visitor, "settings", "New plan"), &record, "/settings/plans/new".into(), 0).await
    }

    /// The form of a known one.
    pub(super) async fn edit(db: &Db, visitor: &Visitor, found: &Found) -> Result<Self, Error> {
        let record: Value = found.read()?;
        let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
        let action = format!("/settings/plans/{}/edit", found.id);
        Self::of(db, Shell::new(visitor, "settings", title), &record, action, found.version).await
    }

    async fn of(db: &Db, shell: Shell, record: &Value, action: String, version: i64) -> Result<Self, Error> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = vec![
            Input::new("name", "Name", FormKind::Line, text(&record["name"])).required(),
            Input::new("description", "What it means", FormKind::Lines, text(&record["description"])),
            Input::new(
                "position",
                "Position (the smallest comes first)",
                FormKind::Line,
                record["position"].to_string(),
            )
            .required(),
        ];
        let features = offers::rows(db, Entity::Feature, false).await?;
        let input = |feature: offers::Row| {
            let saved = text(&record["features"][feature.name.as_str()]);
            Input::new(format!("feature-{}", feature.id), feature.name, FormKind::Line, saved)
        };
        let features = features.into_iter().map(input).collect();
        Ok(Self { shell, action, version, current: version, fields, features, faults: Vec::new() })
    }

    /// Takes over what a person sent: the changes as a body of the API, and the version that the person saw.
    pub(super) fn fill(&mut self, sent: &HashMap<String, String>) -> (Map<String, Value>, i64) {
        self.version = sent.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
        for input in self.fields.iter_mut().chain(&mut self.features) {
            // HTML sends every line break as CRLF.
            input.value = sent.get(&input.name).map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
        }
        let changed = self.fields.iter().filter(|input| input.changed());
        let mut body: Map<_, _> = changed.map(|input| (input.name.clone(), input.value.clone().into())).collect();
        if self.features.iter().any(Input::changed) {
            let values = self.features.iter().map(|input| (input.label.clone(), input.value.clone().into()));
            body.insert("features".to_owned(), Value::Object(values.collect()));
        }
        (with_number(body), self.version)
    }

    /// Shows the form.
    pub(super) fn show(&self, visitor: &Visitor) -> Result<Response, Error> {
        page::show(visitor, self)
    }

    /// The form again, with what was typed and what is wrong with it.
    pub(super) fn refuse(mut self, visitor: &Visitor, error: Error) -> Result<Response, Error> {
        let status = match error {
            Error::Invalid { message, fields } => {
                self.blame(message, &fields);
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Error::Conflict(text) => {
                self.faults.push(text);
                StatusCode::CONFLICT
            }
            Error::Stale(_) => {
                // Whoever sends the form again has seen what it would replace.
                self.version = self.current;
                self.compare();
                self.faults.push(MOVED.to_owned());
                StatusCode::CONFLICT
            }
            other => return Err(other),
        };
        Ok((status, self.show(visitor)?).into_response())
    }

    /// Puts errors beside their fields. That of the features is one for all of them: it belongs to those that break the rule.
    fn blame(&mut self, message: String, errors: &[FieldError]) {
        if errors.is_empty() {
            self.faults.push(message);
        }
        for error in errors {
            let own = self.fields.iter_mut().filter(|input| input.name == error.field);
            let breaks = |text: &str| text.chars().count() > LONGEST || text.chars().any(char::is_control);
            let values =
                self.features.iter_mut().filter(|input| error.field == "features" && breaks(input.value.trim()));
            let mut known = false;
            for input in own.chain(values) {
                let message = error.message.strip_prefix("each text ").unwrap_or(&error.message);
                input.error = Some(message.to_owned());
                known = true;
            }
            if !known {
                self.faults.push(format!("{}: {}", error.field, error.message));
            }
        }
    }

    /// Tells beside each field what the plan holds by now, where that is something else.
    fn compare(&mut self) {
        for input in self.fields.iter_mut().chain(&mut self.features).filter(|input| input.changed()) {
            input.now = Some(if input.saved.is_empty() { "nothing".to_owned() } else { input.saved.clone() });
        }
    }
}
