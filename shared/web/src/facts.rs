//! The fields of a record as its page shows them: each with its value, and, where a source tells it, with one chip: which
//! source, when it was last read, whether it is pinned, and the source's value where that is another.

use std::collections::BTreeMap;

use nexus_core::Entity;
use nexus_db::{Db, sources};
use serde_json::Value;

use crate::auth::Principal;
use crate::error::Error;
use crate::grid::{Show, web_address};
use crate::record::{api_name, shown};

/// A field that a record's page shows: its name in the API, its label, and how it is shown.
pub type FactLayout = &'static [(&'static str, &'static str, Show)];

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name in the API.
    pub name: &'static str,
    /// What a person reads.
    pub label: &'static str,
    /// Its values, in words; none: it is empty.
    pub values: Vec<String>,
    /// How they are shown.
    pub show: Show,
    /// What a source says of it.
    pub chip: Option<Chip>,
}

/// What a source says of a field.
#[derive(Clone, Debug)]
pub struct Chip {
    /// The source, as people call it.
    pub source: &'static str,
    /// When it was last read.
    pub at: String,
    /// Who pinned the field.
    pub pinned_by: Option<String>,
    /// The source's value, where it is another.
    pub other: Option<String>,
}

impl Fact {
    /// The fields of a record that have something to show, and those that its page shows elsewhere where a source tells them. Who may
    /// not see the sources sees none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(
        db: &Db,
        (entity, record): (Entity, &Value),
        person: &Principal,
        (layout, elsewhere): (FactLayout, FactLayout),
    ) -> Result<Vec<Self>, Error> {
        let id = record["id"].as_i64().unwrap_or_default();
        let told = if person.account.role.edits() { sources::told(db, entity, id).await? } else { BTreeMap::new() };
        let mut facts = Vec::new();
        let layout = elsewhere.iter().map(|one| (one, true)).chain(layout.iter().map(|one| (one, false)));
        for (&(name, label, show), elsewhere) in layout {
            let values = words(show, &record[name]);
            let one = told.iter().find(|(field, _)| api_name(entity, field) == name);
            let chip = match one {
                None => None,
                Some((field, one)) => {
                    let theirs = words(show, &shown(db, field, one.value.clone()).await?);
                    let other = (theirs != values).then(|| match &theirs[..] {
                        [] => "nothing".to_owned(),
                        theirs => theirs.join(", "),
                    });
                    let (at, pinned_by) = (one.at.clone(), one.pinned_by.clone());
                    Some(Chip { source: source_name(&one.source), at, pinned_by, other })
                }
            };
            if chip.as_ref().map_or(!values.is_empty() && !elsewhere, |chip| !values.is_empty() || chip.other.is_some())
            {
                facts.push(Self { name, label, values, show, chip });
            }
        }
        Ok(facts)
    }
}

/// What people call a source.
#[must_use]
pub fn source_name(source: &str) -> &'static str {
    match source {
        "freshservice" => "Freshservice",
        "datto" => "Datto RMM",
        _ => "another source",
    }
}

fn words(show: Show, value: &Value) -> Vec<String> {
    match (show, value) {
        (_, Value::Null) => Vec::new(),
        (Show::Tick, value) => vec![if *value == true { "yes" } else { "no" }.to_owned()],
        (Show::List, Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        (Show::Go, Value::String(text)) => web_address(text).map(str::to_owned).into_iter().collect(),
        (_, Value::String(text)) if text.is_empty() => Vec::new(),
        (_, Value::String(text)) => vec![text.clone()],
        (_, Value::Array(items)) => items.iter().flat_map(|item| words(Show::Text, item)).collect(),
        (_, other) => vec![other.to_string()],
    }
}
