//! What was done: all change sets, one of them, and undoing one or a single change of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::{self, Action, ChangeError, Done, LeftAlone, RowFilter, RowState, SetFilter, SetHead, Tally};
use nexus_web::grid::{Pairs, last};
use nexus_web::history::{
    self, Named, Names, PER_PAGE, Row, address, asked_page, cut, is_an_administrators, origin_word,
};
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, Paging, Path, Principal, Query, Visitor};
use serde::Deserialize;

use super::{READERS, conflict, own_path, phrase, set_state};
use crate::decisions;

/// The origins that one can ask for: value and label.
const ORIGINS: [(&str, &str); 5] =
    [("page", "Pages"), ("api", "API"), ("sync", "Syncs"), ("undo", "Undo"), ("system", "Nexus itself")];
/// Records that a note names, and how much of a name.
const NAMED: usize = 3;
const NAME_CHARS: usize = 60;

/// What happened to a record of any kind, live or archived.
pub(crate) async fn of_record(
    State(db): State<Db>,
    visitor: Visitor,
    Path((entity, id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    let entity = Entity::parse(&entity).ok_or(Error::NotFound("There is no such kind of record"))?;
    visitor.person_with(if is_an_administrators(entity) { &[Role::Admin] } else { READERS })?;
    let place = match entity {
        Entity::Company | Entity::Location => "companies",
        Entity::Contact => "contacts",
        Entity::Asset => "assets",
        Entity::User | Entity::Plan | Entity::Feature => "settings",
    };
    let named = Names::of(&db, &BTreeSet::from([(entity, id)])).await?.of_record(entity, id);
    let back = named.address.unwrap_or_else(|| match entity {
        Entity::User => "/settings/users".to_owned(),
        Entity::Plan => "/settings/plans".to_owned(),
        Entity::Feature => "/settings/features".to_owned(),
        _ => format!("/{place}?archived=true"),
    });
    history::page(&db, &visitor, Shell::new(&visitor, place, "History"), (entity, id), &back).await
}

/// A change set in the list.
struct Set {
    head: SetHead,
    way: &'static str,
    /// What it holds, in words.
    what: String,
    /// The record, if it is of one alone.
    record: Option<Named>,
    state: Option<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "history/list.html")]
struct ListPage {
    shell: Shell,
    origins: [(&'static str, &'static str); 5],
    origin: String,
    author: String,
    sets: Vec<Set>,
    page: i64,
    more: bool,
}

impl ListPage {
    fn link(&self, page: i64) -> String {
        let page = page.to_string();
        page::link("/history", &[("origin", &self.origin), ("author", &self.author), ("page", &page)])
    }
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let (origin, author) = (last(&pairs, "origin").to_owned(), last(&pairs, "author").to_owned());
    let page = asked_page(&pairs);
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let filter = SetFilter { origin: given(&origin), author: given(&author), ..SetFilter::default() };
    let (heads, more) = cut(changes::list_sets(&db, &filter, PER_PAGE + 1, (page - 1) * PER_PAGE).await?);
    let sets = sets(&db, heads).await?;
    let shell = Shell::new(&visitor, "sync", "History");
    page::show(&visitor, &ListPage { shell, origins: ORIGINS, origin, author, sets, page, more })
}

async fn sets(db: &Db, heads: Vec<SetHead>) -> Result<Vec<Set>, Error> {
    let tallies = changes::tally(db, &heads.iter().map(|head| head.id).collect::<Vec<_>>()).await?;
    let of = |id: i64| tallies.iter().filter(move |one| one.changeset_id == id);
    let alone = |id: i64| of(id).next().filter(|one| one.rows == 1 && of(id).count() == 1);
    let wanted = heads.iter().filter_map(|head| alone(head.id)).map(|one| (one.entity, one.record_id)).collect();
    let names = Names::of(db, &wanted).await?;
    let told = |head: SetHead| {
        let done = matches!(head.state.as_str(), "applied" | "reverted");
        Set {
            way: origin_word(&head.origin),
            what: what(of(head.id), done),
            record: alone(head.id).map(|one| names.of_record(one.entity, one.record_id)),
            state: (head.state != "applied").then(|| set_state(&head.state)),
            head,
        }
    };
    Ok(heads.into_iter().map(told).collect())
}

/// What a change set did, or would do, in words.
fn what<'a>(tallies: impl Iterator<Item = &'a Tally>, done: bool) -> String {
    let meant = tallies.filter(|one| !done || one.state == RowState::Applied);
    let words: Vec<String> = meant.map(|one| phrase(one, done)).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

#[derive(Template)]
#[template(path = "history/set.html")]
struct SetPage {
    shell: Shell,
    head: SetHead,
    way: &'static str,
    state: (&'static str, &'static str),
    what: String,
    rows: Vec<Row>,
    /// It is applied, and what is to undo of it may be undone by whoever looks.
    open: bool,
    /// Something of it is not undone yet.
    stands: bool,
    total: i64,
    page: i64,
    last: i64,
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let head = changes::find(&db, id).await?.ok_or(Error::NotFound("There is no such change set"))?;
    let mut at = Paging { page: asked_page(&pairs), per_page: PER_PAGE };
    let filter = RowFilter::default();
    let (mut changed, total) = changes::list_rows_where(&db, id, &filter, PER_PAGE, at.offset()).await?;
    let last = at.last(total);
    if at.page > last {
        at.page = last;
        changed = changes::list_rows_where(&db, id, &filter, PER_PAGE, at.offset()).await?.0;
    }
    let shell = Shell::new(&visitor, "sync", format!("Change set {id}"));
    let applied = head.state == "applied";
    let open = applied && (shell.admin() || !decisions::holds_accounts(&db, id).await?);
    let done = matches!(head.state.as_str(), "applied" | "reverted");
    let page = SetPage {
        way: origin_word(&head.origin),
        state: set_state(&head.state),
        what: what(changes::tally(&db, &[id]).await?.iter(), done),
        rows: history::rows(&db, changed).await?,
        open,
        stands: open && changes::any_to_undo(&db, id).await?,
        total,
        page: at.page,
        last,
        head,
        shell,
    };
    page::show(&visitor, &page)
}

/// Where to go when it is done.
#[derive(Debug, Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    back: String,
}

pub(crate) async fn undo_set(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Back { back }): CsrfForm<Back>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    undo(&db, &visitor, person, (id, None), own_path(&back)).await
}

pub(crate) async fn undo_change(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Back { back }): CsrfForm<Back>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let back = own_path(&back);
    let found = changes::find_change(&db, id).await?;
    let (change, changeset_id) = found.ok_or(Error::NotFound("There is no such change"))?;
    if change.reverted_by.is_some() {
        return conflict(&visitor, "This change is undone already.", back);
    }
    if change.cursor.is_none() {
        return conflict(&visitor, "This change was not made; there is nothing to undo.", back);
    }
    undo(&db, &visitor, person, (changeset_id, Some(BTreeSet::from([id]))), back).await
}

async fn undo(
    db: &Db,
    visitor: &Visitor,
    person: &Principal,
    (id, only): (i64, Option<BTreeSet<i64>>),
    back: &str,
) -> Result<Response, Error> {
    match decisions::undo(db, person, id, only.as_ref()).await? {
        Ok((done, left)) => {
            let note = undone(db, &done, &left).await?;
            let to = there(db, back, done.changeset_id).await?;
            Ok(page::done_by(&to, &note, done.changeset_id))
        }
        Err(ChangeError::Decided { state, .. }) => {
            let text = match state.as_str() {
                "reverted" => "This is undone already.",
                "proposed" | "held" => "This plan waits for a person; there is nothing to undo yet.",
                _ => "Nothing of this was applied, so there is nothing to undo.",
            };
            conflict(visitor, text, back)
        }
        // Somebody was quicker.
        Err(ChangeError::Invalid(_)) if only.is_some() => conflict(visitor, "This change is undone already.", back),
        Err(error) => Err(decisions::decided(error)),
    }
}

/// Where to go on: back, unless that was the page of a record that is not there any more. Then to what was done.
async fn there(db: &Db, back: &str, changeset_id: Option<i64>) -> Result<String, Error> {
    let path = back.split(['?', '#']).next().unwrap_or_default();
    let Some(id) = changeset_id else { return Ok(back.to_owned()) };
    let gone = changes::list_rows(db, id, 0, PER_PAGE).await?.into_iter().any(|change| {
        let number = change.before.get("account_number").and_then(serde_json::Value::as_str);
        let page = match change.entity {
            Entity::Asset | Entity::Contact | Entity::User if change.action != Action::Archive.as_str() => None,
            Entity::User => Some(format!("/settings/users/{}", change.record_id)),
            entity => address(entity, change.record_id, number),
        };
        // The history of contacts and assets is shown of archived ones as well.
        let stays = |rest: &str| rest == "/history" && change.entity != Entity::Company;
        let rest = page.and_then(|page| path.strip_prefix(page.as_str()));
        rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !stays(rest))
    });
    Ok(if gone { format!("/history/sets/{id}") } else { back.to_owned() })
}

/// What was undone and what was left, as a sentence or two.
async fn undone(db: &Db, done: &Done, left: &[LeftAlone]) -> Result<String, Error> {
    let n = done.records.iter().filter(|record| record.changeset_id.is_some()).count();
    let mut note = match n {
        0 => "Nothing was undone.".to_owned(),
        1 => "One change was undone.".to_owned(),
        n => format!("{n} changes were undone."),
    };
    if left.is_empty() {
        return Ok(note);
    }
    let first = &left[..left.len().min(NAMED)];
    let wanted: BTreeSet<(Entity, i64)> = first.iter().map(|row| (row.entity, row.id)).collect();
    let names = Names::of(db, &wanted).await?;
    let told = |row: &LeftAlone| {
        let name = names.of_record(row.entity, row.id).name;
        format!("{} ({})", name.chars().take(NAME_CHARS).collect::<String>(), row.reason)
    };
    let told: Vec<String> = first.iter().map(told).collect();
    let more = match left.len() - first.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let were = if left.len() == 1 {
        "One record was left as it is"
    } else {
        &format!("{} records were left as they are", left.len())
    };
    let _ = write!(note, " {were}: {}{more}.", told.join(", "));
    Ok(note)
}
