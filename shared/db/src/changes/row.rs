//! A change on its way to the database.

use std::collections::BTreeSet;

use nexus_core::Fields;
use nexus_core::entity::Entity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Edit;
use crate::records::Record;

/// What happens to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is new.
    Create,
    /// Fields change.
    Update,
    /// It leaves the live directory.
    Archive,
    /// It comes back.
    Restore,
    /// It is linked to a source; no field changes, so the feed does not tell it.
    Link,
}

impl Action {
    /// The word of the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::Link => "link",
        }
    }

    /// The action of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Archive, Self::Restore, Self::Link]
            .into_iter()
            .find(|action| action.as_str() == word)
    }

    /// The action that undoes this one.
    pub(super) const fn inverse(self) -> Self {
        match self {
            Self::Create | Self::Restore => Self::Archive,
            Self::Archive => Self::Restore,
            Self::Update => Self::Update,
            Self::Link => Self::Link,
        }
    }
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// Waits in a plan.
    Proposed,
    /// Written.
    Applied,
    /// Skipped: the record moved since the plan was made, or cannot be written any more.
    Stale,
    /// A person said no.
    Rejected,
}

impl RowState {
    /// The word of the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Applied => "applied",
            Self::Stale => "stale",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Proposed, Self::Applied, Self::Stale, Self::Rejected].into_iter().find(|state| state.as_str() == word)
    }
}

/// The tie between a record and its source, written together with the change that it came with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The source, e.g. `freshservice`.
    pub source: String,
    /// The source's id of the record.
    pub external_id: String,
    /// The list in which the source tells it.
    pub scope: String,
    /// Covers what was planned from the source's values.
    pub hash: String,
    /// The source's values.
    pub values: Fields,
    /// The record was created from this source.
    pub created: bool,
}

/// A change, from the wish to what is written.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The stored row, for a plan's.
    pub change_id: Option<i64>,
    pub entity: Entity,
    /// The record; zero for a new one that has no id yet.
    pub id: i64,
    pub action: Action,
    /// The version that the author saw.
    pub version: Option<i64>,
    /// What the author wants; for an update only the fields to change.
    pub wanted: Fields,
    pub reason: Option<String>,
    pub link: Option<Link>,
    /// What is decided: filled by `decide`.
    pub outcome: Outcome,
}

/// What is to be done with a row.
#[derive(Clone, Debug, Default)]
pub(super) enum Outcome {
    #[default]
    Undecided,
    /// Nothing changes; the record is at this version.
    Unchanged(i64),
    /// Skipped, and why.
    Stale(String),
    /// The record as it will be, the changed fields before and after, and who sees it.
    Write { record: Record, before: Fields, after: Fields, sight: Sight },
}

/// The companies (ids) whose readers see a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// The record is theirs before and after.
    pub stays: BTreeSet<i64>,
    /// It becomes theirs.
    pub enters: BTreeSet<i64>,
    /// It is theirs no more.
    pub leaves: BTreeSet<i64>,
}

impl Sight {
    /// Of a record that comes, goes or comes back.
    pub(super) fn whole(entity: Entity, id: i64, fields: &Fields) -> Self {
        Self { stays: companies(entity, id, fields), ..Self::default() }
    }

    /// Of a record whose fields change.
    pub(super) fn of(entity: Entity, id: i64, before: &Fields, after: &Fields) -> Self {
        let (before, after) = (companies(entity, id, before), companies(entity, id, after));
        let part = |of: &BTreeSet<i64>, held: bool, by: &BTreeSet<i64>| {
            of.iter().copied().filter(|id| by.contains(id) == held).collect()
        };
        Self {
            stays: part(&after, true, &before),
            enters: part(&after, false, &before),
            leaves: part(&before, false, &after),
        }
    }
}

/// The companies that a record belongs to.
fn companies(entity: Entity, id: i64, fields: &Fields) -> BTreeSet<i64> {
    match entity {
        Entity::Company => BTreeSet::from([id]),
        Entity::Location | Entity::Asset => references(fields.get("company_id")).into_iter().collect(),
        Entity::Contact | Entity::User => references(fields.get("company_ids")).into_iter().collect(),
        Entity::Plan | Entity::Feature => BTreeSet::new(),
    }
}

impl Row {
    fn new(entity: Entity, id: i64, action: Action, version: Option<i64>, wanted: Fields) -> Self {
        Self {
            change_id: None,
            entity,
            id,
            action,
            version,
            wanted,
            reason: None,
            link: None,
            outcome: Outcome::Undecided,
        }
    }
}

impl From<Edit> for Row {
    fn from(edit: Edit) -> Self {
        match edit {
            Edit::Create { entity, fields } => Self::new(entity, 0, Action::Create, None, fields),
            Edit::Update { entity, id, version, fields } => Self::new(entity, id, Action::Update, version, fields),
            Edit::Archive { entity, id, version } => Self::new(entity, id, Action::Archive, version, Fields::new()),
            Edit::Restore { entity, id, version } => Self::new(entity, id, Action::Restore, version, Fields::new()),
        }
    }
}

/// The ids that a field's value refers to.
pub(super) fn references(value: Option<&Value>) -> Vec<i64> {
    match value {
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_i64).collect(),
        Some(Value::Object(values)) => values.keys().filter_map(|id| id.parse().ok()).collect(),
        Some(value) => value.as_i64().into_iter().collect(),
        None => Vec::new(),
    }
}
