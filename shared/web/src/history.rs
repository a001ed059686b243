//! What happened, as pages show it: each change with its record and its fields before and after, in words.
//!
//! The page of one record is here, because each group shows it of its own kind; plans and change sets are pages of the
//! group `sync`, which takes the rows ([`rows`]) and the words of them from here. So does their undo, to which the buttons of
//! all of them lead: `/history/changes/{id}/undo`.

mod names;
mod words;

pub use names::{Named, Names, address};
pub use words::{FieldChange, Word, action_word, origin_word};

use std::collections::BTreeSet;

use askama::Template;
use axum::response::Response;
use nexus_core::sync::Change;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::{self, Action, Entry};

use crate::auth::Visitor;
use crate::error::Error;
use crate::page::{self, Shell};

/// Changes on a page.
pub const PER_PAGE: i64 = 50;
/// A page beyond it is not asked for by a link of ours.
const LAST_PAGE: i64 = 1_000_000;

/// A change, as a page shows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: i64,
    /// The kind of its record.
    pub entity: Entity,
    /// What happens to it.
    pub action: Action,
    /// Its record.
    pub record_id: i64,
    /// What that is called.
    pub record: Named,
    /// The fields before and after.
    pub fields: Vec<FieldChange>,
    /// `proposed`, `applied`, `stale` or `rejected`.
    pub state: String,
    /// Why it is proposed, or why it was skipped.
    pub reason: Option<String>,
    /// The change set that undid it.
    pub reverted_by: Option<i64>,
    /// It was written, and is not undone.
    pub stands: bool,
}

impl Row {
    /// What happens to the record: `Create` of one that is proposed, `created` of one that is done.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        action_word(self.action, self.state == "applied")
    }

    /// The colour that Tabler gives what happens.
    #[must_use]
    pub const fn colour(&self) -> &'static str {
        match self.action {
            Action::Create | Action::Restore => "green",
            Action::Update => "blue",
            Action::Archive => "red",
            Action::Link => "secondary",
        }
    }

    /// Whether this person may undo it, if its change set can be undone: users, plans and features are an administrator's.
    #[must_use]
    pub fn can_be_undone(&self, shell: &Shell) -> bool {
        self.stands && (shell.admin() || !is_an_administrators(self.entity))
    }

    /// Where more of the record can be read: its page, or what happened to it where it has none any more.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        let history = || format!("/history/records/{}/{}", self.entity.as_str(), self.record_id);
        let told = self.state == "applied" && !is_an_administrators(self.entity);
        self.record.address.clone().or_else(|| told.then(history))
    }
}

/// Whether records of a kind are an administrator's alone.
#[must_use]
pub const fn is_an_administrators(entity: Entity) -> bool {
    matches!(entity, Entity::User | Entity::Plan | Entity::Feature)
}

/// Changes in words, in their order.
///
/// # Errors
/// When the store fails.
pub async fn rows(db: &Db, changes: Vec<Change>) -> Result<Vec<Row>, Error> {
    let mut wanted: BTreeSet<(Entity, i64)> = BTreeSet::new();
    for change in &changes {
        wanted.insert((change.entity, change.record_id));
        words::references(change, &mut wanted);
    }
    let names = Names::of(db, &wanted).await?;
    changes.into_iter().map(|change| row(change, &names)).collect()
}

fn row(change: Change, names: &Names) -> Result<Row, Error> {
    let action = Action::parse(&change.action).ok_or_else(|| {
        tracing::error!(action = change.action, "an unknown action");
        Error::Internal
    })?;
    Ok(Row {
        id: change.id,
        entity: change.entity,
        action,
        record_id: change.record_id,
        record: names.of_record(change.entity, change.record_id),
        fields: FieldChange::of(&change, action, names),
        stands: change.cursor.is_some() && change.reverted_by.is_none(),
        state: change.state,
        reason: change.reason,
        reverted_by: change.reverted_by,
    })
}

/// The page that an address asks for by `page`, from 1.
#[must_use]
pub fn asked_page(pairs: &[(String, String)]) -> i64 {
    let asked = pairs.iter().rev().find(|(name, _)| name == "page");
    asked.and_then(|(_, page)| page.parse().ok()).unwrap_or(1).clamp(1, LAST_PAGE)
}

/// What a page shows of a list that was asked for one more than [`PER_PAGE`], and whether there is more.
#[must_use]
pub fn cut<T>(mut items: Vec<T>) -> (Vec<T>, bool) {
    let shown = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let more = items.len() > shown;
    items.truncate(shown);
    (items, more)
}

/// A change and its deed.
struct Told {
    row: Row,
    at: String,
    changeset_id: i64,
    author: String,
    way: &'static str,
    why: String,
    /// Its change set is one that can be undone.
    open: bool,
}

#[derive(Template)]
#[template(path = "history/record.html")]
struct RecordPage {
    shell: Shell,
    /// Where the record is shown, and what it is called.
    back: String,
    name: String,
    changes: Vec<Told>,
    path: String,
    page: i64,
    more: bool,
}

/// The history of a record, newest first. `shell` is the page's (its title is the heading), `back` the record's address.
///
/// # Errors
/// For whoever is no administrator and no technician, and when the store fails.
pub async fn page(
    db: &Db,
    visitor: &Visitor,
    shell: Shell,
    (entity, id): (Entity, i64),
    back: &str,
) -> Result<Response, Error> {
    visitor.person_with(&[Role::Admin, Role::Technician])?;
    let (path, query) = visitor.path.split_once('?').unwrap_or((&visitor.path, ""));
    let page = asked_page(&serde_urlencoded::from_str::<Vec<_>>(query).unwrap_or_default());
    // One more than is shown says whether there are more.
    let entries = changes::of_record(db, (entity, id), PER_PAGE + 1, (page - 1) * PER_PAGE).await?;
    let (entries, more) = cut(entries);
    let name = Names::of(db, &BTreeSet::from([(entity, id)])).await?.of_record(entity, id).name;
    let (back, path, changes) = (back.to_owned(), path.to_owned(), told(db, entries).await?);
    page::show(visitor, &RecordPage { shell, back, name, changes, path, page, more })
}

async fn told(db: &Db, entries: Vec<Entry>) -> Result<Vec<Told>, Error> {
    let rows = rows(db, entries.iter().map(|entry| entry.change.clone()).collect()).await?;
    let told = entries.into_iter().zip(rows).map(|(entry, row)| Told {
        at: entry.at,
        changeset_id: entry.changeset_id,
        author: entry.author,
        way: origin_word(&entry.origin),
        // What a sync says of a single change says more than what it says of all of them.
        why: row.reason.clone().unwrap_or(entry.why),
        open: entry.set_state == "applied",
        row,
    });
    Ok(told.collect())
}
