//! The page with a form over a record.

use std::collections::HashMap;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::Entity;
use nexus_db::Db;
use nexus_db::changes::{self, Entry};
use serde_json::{Map, Value};

use crate::auth::Visitor;
use crate::error::Error;
use crate::form::{FormField, FormKind};
use crate::history;
use crate::page::{self, Shell};

const MOVED: &str = "so nothing was saved. Where your form differs, the saved value stands below the field. Save again to \
                     replace it by yours.";
/// Changes that are told when a record has moved.
const TOLD: i64 = 20;

/// A form over a new or a known record.
#[derive(Clone, Debug, Template)]
#[template(path = "edit.html")]
pub struct EditPage {
    shell: Shell,
    entity: Entity,
    /// The record's; none of a new one.
    id: Option<i64>,
    /// What the form is about, where its title does not say it.
    lead: &'static str,
    action: String,
    back: String,
    /// The version that the person saw.
    version: i64,
    /// The version that the record is at.
    current: i64,
    form: Vec<FormField>,
    values: Option<Values>,
    faults: Vec<String>,
}

/// A member that is an object of texts, with a field for each.
#[derive(Clone, Debug)]
struct Values {
    member: &'static str,
    title: &'static str,
    hint: &'static str,
    form: Vec<FormField>,
}

impl EditPage {
    /// A form that posts to `action` and goes `back` when cancelled, filled from `record` at `version` (a new one: null
    /// at 0).
    #[must_use]
    pub fn new(
        shell: Shell,
        entity: Entity,
        layout: &[(&'static str, &'static str, FormKind)],
        (record, version): (&Value, i64),
        (action, back): (String, String),
    ) -> Self {
        let form = FormField::of(entity, layout, record);
        let id = record["id"].as_i64();
        let (lead, values, faults) = ("", None, Vec::new());
        Self { shell, entity, id, lead, action, back, version, current: version, form, values, faults }
    }

    /// Says below the title what the form is about.
    #[must_use]
    pub fn about(self, lead: &'static str) -> Self {
        Self { lead, ..self }
    }

    /// Adds fields for the texts of an object, one for each of its possible keys, under a title and a hint.
    #[must_use]
    pub fn with_values(
        mut self,
        (member, title, hint): (&'static str, &'static str, &'static str),
        keys: &[(i64, String)],
        record: &Value,
    ) -> Self {
        let form = FormField::of_values(member, keys, &record[member]);
        self.values = Some(Values { member, title, hint, form }).filter(|values| !values.form.is_empty());
        self
    }

    /// Tells below each of these fields what its key stands for.
    #[must_use]
    pub fn hinting(mut self, hint: impl Fn(&str) -> Option<String>) -> Self {
        for field in self.values.iter_mut().flat_map(|values| &mut values.form) {
            field.hint = hint(&field.label);
        }
        self
    }

    /// Offers these texts for a field.
    #[must_use]
    pub fn offering(mut self, name: &str, options: &[String]) -> Self {
        for field in self.form.iter_mut().filter(|field| field.name == name) {
            field.options = options.to_vec();
        }
        self
    }

    /// Fills a field of a new record with what its page was opened for.
    #[must_use]
    pub fn beginning(mut self, name: &str, value: &str) -> Self {
        for field in self.form.iter_mut().filter(|field| field.name == name) {
            value.clone_into(&mut field.value);
        }
        self
    }

    /// Takes over what a person sent: the changes as a body of the API, and the version that the person saw; 0, which no
    /// record is at, when the form does not say.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fill(&mut self, db: &Db, sent: &HashMap<String, String>) -> Result<(Map<String, Value>, i64), Error> {
        self.version = sent.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
        // New readings of a device are no reason to refuse what a person typed.
        if (1..self.current).contains(&self.version) && self.since(db, 1).await?.is_empty() {
            self.version = self.current;
        }
        let mut body = FormField::fill(&mut self.form, sent);
        if let Some(values) = &mut self.values
            && let Some(object) = FormField::fill_values(&mut values.form, sent)
        {
            body.insert(values.member.to_owned(), object);
        }
        Ok((body, self.version))
    }

    /// What was done to the record since the person opened the form; at most so much.
    async fn since(&self, db: &Db, most: i64) -> Result<Vec<Entry>, Error> {
        match self.id {
            // A form that does not say what was seen says nothing of what came after it.
            Some(id) if self.version > 0 => Ok(changes::since(db, (self.entity, id), self.version, most).await?),
            _ => Ok(Vec::new()),
        }
    }

    /// The form.
    ///
    /// # Errors
    /// When the template fails.
    pub fn show(&self, visitor: &Visitor) -> Result<Response, Error> {
        page::show(visitor, self)
    }

    /// The form again, with what was typed and what is wrong with it.
    ///
    /// # Errors
    /// Those that are not about what was typed.
    pub async fn refuse(mut self, db: &Db, visitor: &Visitor, error: Error) -> Result<Response, Error> {
        let (status, faults) = match error {
            Error::Invalid { mut fields, .. } if !fields.is_empty() => {
                if let Some(values) = &mut self.values {
                    FormField::blame_values(&mut values.form);
                    let told = values.form.iter().any(|field| field.error.is_some());
                    fields.retain(|error| !told || error.field != values.member);
                }
                (StatusCode::UNPROCESSABLE_ENTITY, FormField::blame(&mut self.form, &fields))
            }
            Error::Invalid { message, .. } => (StatusCode::UNPROCESSABLE_ENTITY, vec![message]),
            Error::Conflict(text) => (StatusCode::CONFLICT, vec![text]),
            Error::Stale(_) => {
                let moved = format!("{}, {MOVED}", self.moved(db).await?);
                // Whoever sends the form again has seen what it would replace.
                self.version = self.current;
                FormField::compare(&mut self.form);
                FormField::compare(self.values.iter_mut().flat_map(|values| &mut values.form));
                (StatusCode::CONFLICT, vec![moved])
            }
            other => return Err(other),
        };
        self.faults = faults;
        Ok((status, self.show(visitor)?).into_response())
    }

    /// Who changed what since the person opened the form.
    async fn moved(&self, db: &Db) -> Result<String, Error> {
        let entries = self.since(db, TOLD).await?;
        let mut authors: Vec<_> = entries.iter().map(|entry| entry.author.clone()).collect();
        authors.sort();
        authors.dedup();
        let rows = history::rows(db, entries.into_iter().map(|entry| entry.change).collect()).await?;
        let mut fields: Vec<_> = rows.into_iter().flat_map(|row| row.fields).map(|field| field.label).collect();
        fields.sort();
        fields.dedup();
        let who = if authors.is_empty() { "Somebody".to_owned() } else { authors.join(" and ") };
        let what = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
        Ok(format!("{who} changed this record while you had it open{what}"))
    }
}
