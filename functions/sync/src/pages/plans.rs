//! The review of a plan, and what came of it.
//!
//! What is ticked to be left out must outlast the way from page to page. While a plan waits, filters and pages are therefore
//! buttons of the one form that has the ticks; they send it here ([`look`]), and it comes back with another page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_core::sync::Run;
use nexus_db::changes::{self, Action, ChangeError, RowFilter, RowState, SetHead, Tally};
use nexus_db::{Db, runs};
use nexus_web::grid::{Pairs, last};
use nexus_web::history::{self, PER_PAGE, Row, asked_page};
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, Paging, Path, Query, Visitor};

use super::{READERS, conflict, counted, set_state};
use crate::decisions;

/// What of a plan is shown.
#[derive(Clone, Debug, Default)]
struct View {
    filter: RowFilter,
    page: i64,
}

impl View {
    fn read(pairs: &Pairs) -> Self {
        let filter = RowFilter {
            entity: Entity::parse(last(pairs, "kind")),
            action: Action::parse(last(pairs, "action")),
            state: RowState::parse(last(pairs, "state")),
            search: last(pairs, "search").to_owned(),
        };
        Self { filter, page: asked_page(pairs) }
    }

    /// The parameters that say this.
    fn query(&self) -> String {
        let RowFilter { entity, action, state, search } = &self.filter;
        let page = if self.page > 1 { self.page.to_string() } else { String::new() };
        page::query(&[
            ("kind", entity.map_or("", Entity::as_str)),
            ("action", action.map_or("", Action::as_str)),
            ("state", state.map_or("", RowState::as_str)),
            ("search", search),
            ("page", &page),
        ])
    }

    /// The same on another page.
    fn at(&self, page: i64) -> String {
        Self { page, ..self.clone() }.query()
    }

    /// The same without a search, on the first page.
    fn without_search(&self) -> String {
        let filter = RowFilter { search: String::new(), ..self.filter.clone() };
        Self { filter, page: 1 }.query()
    }

    fn is_whole(&self) -> bool {
        self.filter == RowFilter::default()
    }
}

/// Something that can be shown alone.
struct Choice {
    label: String,
    query: String,
    chosen: bool,
}

/// A row, and whether it is to be left out.
struct Reviewed {
    row: Row,
    out: bool,
}

#[derive(Template)]
#[template(path = "sync/plan.html")]
struct PlanPage {
    shell: Shell,
    path: String,
    head: SetHead,
    state: (&'static str, &'static str),
    run: Option<Run>,
    /// It waits for a person.
    held: bool,
    view: View,
    choices: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Reviewed>,
    /// Rows that match, and rows in all.
    total: i64,
    whole: i64,
    last: i64,
    /// Ids that are left out on other pages.
    elsewhere: String,
    left_out: usize,
    /// Something of it can be undone.
    stands: bool,
}

impl PlanPage {
    fn digest(&self) -> &str {
        self.head.digest.as_deref().unwrap_or_default()
    }

    fn all(&self) -> String {
        format!("All {}", self.whole)
    }

    /// What is shown so many pages from here.
    fn at(&self, pages: i64) -> String {
        self.view.at(self.view.page + pages)
    }

    /// The beginning of the digest, to compare by eye.
    fn short_digest(&self) -> &str {
        self.digest().get(..12).unwrap_or_default()
    }
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    render(&db, &visitor, id, View::read(&pairs), &left_out(&pairs)).await
}

/// Another page or filter, with what is ticked so far.
pub(crate) async fn look(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<Pairs>,
) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let given = |name: &str| sent.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let read = |query: &str| View::read(&serde_urlencoded::from_str(query).unwrap_or_default());
    let mut except = left_out(&sent);
    let view = if let Some(query) = given("out") {
        let view = read(query);
        except.extend(changes::row_ids(&db, id, &view.filter).await?);
        view
    } else if let Some(query) = given("in") {
        let view = read(query);
        for id in changes::row_ids(&db, id, &view.filter).await? {
            except.remove(&id);
        }
        view
    } else if let Some(query) = given("go") {
        read(query)
    } else {
        let mut view = read(given("find").unwrap_or_default());
        last(&sent, "search").clone_into(&mut view.filter.search);
        view
    };
    render(&db, &visitor, id, view, &except).await
}

/// The rows that are ticked or were ticked on other pages.
fn left_out(pairs: &Pairs) -> BTreeSet<i64> {
    let named = pairs.iter().filter(|(name, _)| name == "except");
    named.flat_map(|(_, ids)| ids.split(',')).filter_map(|id| id.trim().parse().ok()).collect()
}

async fn render(
    db: &Db,
    visitor: &Visitor,
    id: i64,
    mut view: View,
    except: &BTreeSet<i64>,
) -> Result<Response, Error> {
    let head = find(db, id).await?;
    let run = match head.run_id {
        Some(run_id) => runs::find(db, run_id).await?,
        None => None,
    };
    let undecided = matches!(head.state.as_str(), "proposed" | "held");
    let tallies = changes::tally(db, &[id]).await?;
    let mut at = Paging { page: view.page, per_page: PER_PAGE };
    let (mut changed, total) = changes::list_rows_where(db, id, &view.filter, PER_PAGE, at.offset()).await?;
    let last = at.last(total);
    if at.page > last {
        (view.page, at.page) = (last, last);
        changed = changes::list_rows_where(db, id, &view.filter, PER_PAGE, at.offset()).await?.0;
    }
    let rows = history::rows(db, changed).await?;
    let here: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
    let elsewhere: Vec<String> = except.difference(&here).map(i64::to_string).collect();
    let page = PlanPage {
        shell: Shell { path: path(id), ..Shell::new(visitor, "sync", format!("Plan {id}")) },
        path: path(id),
        state: set_state(&head.state),
        run,
        held: undecided,
        choices: choices(&tallies, &view),
        states: states(&tallies, &view),
        rows: rows.into_iter().map(|row| Reviewed { out: except.contains(&row.id), row }).collect(),
        total,
        whole: tallies.iter().map(|one| one.rows).sum(),
        last,
        elsewhere: elsewhere.join(","),
        left_out: except.len(),
        stands: head.state == "applied" && changes::any_to_undo(db, id).await?,
        view,
        head,
    };
    page::show(visitor, &page)
}

async fn find(db: &Db, id: i64) -> Result<SetHead, Error> {
    let head = changes::find(db, id).await?;
    head.filter(|head| head.run_id.is_some()).ok_or(Error::NotFound("There is no such plan"))
}

fn path(id: i64) -> String {
    format!("/sync/plans/{id}")
}

/// What a plan holds, by kind and action.
fn choices(tallies: &[Tally], view: &View) -> Vec<Choice> {
    let mut parts: Vec<(Entity, Action, i64)> = Vec::new();
    for one in tallies {
        match parts.last_mut() {
            Some((entity, action, rows)) if (*entity, *action) == (one.entity, one.action) => *rows += one.rows,
            _ => parts.push((one.entity, one.action, one.rows)),
        }
    }
    let choice = |(entity, action, rows): (Entity, Action, i64)| {
        let filter = RowFilter { entity: Some(entity), action: Some(action), ..view.filter.clone() };
        Choice {
            // What was planned, also when some of it did not come to pass.
            label: counted(entity, action, rows, false),
            chosen: filter == view.filter,
            query: View { filter, page: 1 }.query(),
        }
    };
    parts.into_iter().map(choice).collect()
}

/// Where the rows stand, if not all of them stand alike.
fn states(tallies: &[Tally], view: &View) -> Vec<Choice> {
    let n = |state: RowState| tallies.iter().filter(|one| one.state == state).map(|one| one.rows).sum::<i64>();
    let all = [RowState::Proposed, RowState::Applied, RowState::Stale, RowState::Rejected];
    let there: Vec<RowState> = all.into_iter().filter(|state| n(*state) > 0).collect();
    if there.len() < 2 {
        return Vec::new();
    }
    let choice = |state: RowState| {
        let filter = RowFilter { state: Some(state), ..view.filter.clone() };
        Choice {
            label: format!("{} {}", n(state), row_state(state.as_str()).0),
            chosen: filter == view.filter,
            query: View { filter, page: 1 }.query(),
        }
    };
    there.into_iter().map(choice).collect()
}

/// What a state of a row is called, and its colour.
fn row_state(state: &str) -> (&'static str, &'static str) {
    match state {
        "applied" => ("applied", "green"),
        "stale" => ("skipped", "yellow"),
        "rejected" => ("left out", "secondary"),
        _ => ("proposed", "blue"),
    }
}

pub(crate) async fn apply(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<Pairs>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    find(&db, id).await?;
    let applied = match decisions::apply(&db, person, id, last(&sent, "digest"), &left_out(&sent)).await {
        Ok(applied) => applied,
        Err(error) => return refused(&visitor, id, error),
    };
    let n: u64 = applied.counts.values().sum();
    let mut note = match n {
        0 => "Nothing was applied".to_owned(),
        1 => "One change was applied".to_owned(),
        n => format!("{n} changes were applied"),
    };
    if applied.stale > 0 {
        let _ = write!(note, "; {} skipped, each with its reason below", applied.stale);
    }
    if applied.rejected > 0 {
        let _ = write!(note, "; {} left out", applied.rejected);
    }
    note.push('.');
    Ok(page::done_by(&path(id), &note, (n > 0).then_some(id)))
}

pub(crate) async fn reject(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(_): CsrfForm<Pairs>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    find(&db, id).await?;
    match decisions::reject(&db, person, id).await {
        Ok(()) => Ok(page::done(&path(id), "The plan was rejected; the directory is as it was.")),
        Err(error) => refused(&visitor, id, error),
    }
}

/// A decision that comes too late, or is about another plan.
fn refused(visitor: &Visitor, id: i64, error: ChangeError) -> Result<Response, Error> {
    let text = match &error {
        ChangeError::OtherDigest => {
            "The plan is not the one that you looked at. Open it again and look at what it holds now.".to_owned()
        }
        ChangeError::Decided { state, .. } => match state.as_str() {
            "stale" => "A newer run has taken the place of this plan.".to_owned(),
            state => format!("The plan was decided before: it is {}.", set_state(state).0),
        },
        _ => return Err(decisions::decided(error)),
    };
    conflict(visitor, text, &path(id))
}

#[cfg(test)]
mod tests {
    use super::{View, left_out};

    #[test]
    fn what_is_shown_of_a_plan_stands_in_its_address() {
        let pairs = |query: &str| serde_urlencoded::from_str(query).unwrap();
        for query in ["", "kind=contact", "kind=asset&action=archive&search=a%26b&page=3", "state=stale&search=x"] {
            assert_eq!(View::read(&pairs(query)).query(), query);
        }
        let view = View::read(&pairs("kind=nothing&action=x&search=+a+&page=-3"));
        assert_eq!((view.query().as_str(), view.without_search().as_str()), ("search=a", ""));
        assert_eq!(view.at(2), "search=a&page=2");
    }

    #[test]
    fn ticks_of_this_page_and_of_others_are_taken_together() {
        let sent = serde_urlencoded::from_str("csrf=x&except=3%2C4%2C&except=7&except=x&digest=9").unwrap();
        assert_eq!(left_out(&sent).into_iter().collect::<Vec<_>>(), [3, 4, 7]);
    }
}
