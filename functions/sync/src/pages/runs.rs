//! The runs, and one of them while it goes and afterwards.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use nexus_core::sync::{Outcome, OutcomeState, Run, RunState, ScopeReport};
use nexus_db::changes::{self, RowState, SetFilter, SetHead};
use nexus_db::{Db, jobs, refusals, runs};
use nexus_web::grid::{Pairs, last};
use nexus_web::history::{PER_PAGE, asked_page, cut};
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, Error, Path, Query, Visitor};

use super::{READERS, conflict, phrase};
use crate::runs::{cancel as cancel_run, find};

/// Rows of one kind that a run's page shows; the API has all of them.
const MOST: usize = 500;
/// Lists that were read completely are folded up when there are more.
const FEW: usize = 12;

/// A plan that waits for a person.
struct Waiting {
    head: SetHead,
    run: Option<Run>,
    /// What it would do, in words.
    what: Vec<String>,
}

#[derive(Template)]
#[template(path = "sync/list.html")]
struct ListPage {
    shell: Shell,
    waiting: Vec<Waiting>,
    refused: usize,
    jobs: Vec<(String, String)>,
    job: String,
    runs: Vec<Run>,
    page: i64,
    more: bool,
}

impl ListPage {
    fn link(&self, page: i64) -> String {
        let page = page.to_string();
        page::link("/sync", &[("job", &self.job), ("page", &page)])
    }

    fn state(&self, run: &Run) -> (&'static str, &'static str) {
        state(run, self.waiting.iter().any(|one| Some(one.head.id) == run.changeset_id))
    }
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(pairs): Query<Pairs>,
) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let job = last(&pairs, "job").to_owned();
    let page = asked_page(&pairs);
    let of = Some(job.as_str()).filter(|job| !job.is_empty());
    let (runs, more) = cut(runs::list(&db, of, None, PER_PAGE + 1, (page - 1) * PER_PAGE).await?);
    let jobs = jobs::list(&db).await?.into_iter().map(|job| (job.name, job.title)).collect();
    let waiting = waiting(&db).await?;
    let refused = refusals::list(&db).await?.len();
    let shell = Shell::new(&visitor, "sync", "Sync");
    page::show(&visitor, &ListPage { shell, waiting, refused, jobs, job, runs, page, more })
}

/// The plans that wait; of each job there is one at most.
async fn waiting(db: &Db) -> Result<Vec<Waiting>, Error> {
    let held = SetFilter { state: Some("held".to_owned()), ..SetFilter::default() };
    let heads = changes::list_sets(db, &held, PER_PAGE, 0).await?;
    let tallies = changes::tally(db, &heads.iter().map(|head| head.id).collect::<Vec<_>>()).await?;
    let mut waiting = Vec::new();
    for head in heads {
        let run = match head.run_id {
            Some(run_id) => runs::find(db, run_id).await?,
            None => None,
        };
        let own = tallies.iter().filter(|one| one.changeset_id == head.id && one.state == RowState::Proposed);
        waiting.push(Waiting { run, what: own.map(|one| phrase(one, false)).collect(), head });
    }
    Ok(waiting)
}

/// A run, as its page shows it.
struct View {
    run: Run,
    csrf: String,
    /// Its plan.
    set: Option<SetHead>,
    /// Something of the plan was applied and can be undone.
    stands: bool,
    going: bool,
}

impl View {
    fn path(&self) -> String {
        path(self.run.id)
    }

    fn state(&self) -> (&'static str, &'static str) {
        state(&self.run, self.held())
    }

    /// The plan waits for a person.
    fn held(&self) -> bool {
        self.set.as_ref().is_some_and(|set| matches!(set.state.as_str(), "proposed" | "held")) && !self.going
    }

    fn scopes(&self, complete: bool) -> Vec<&ScopeReport> {
        self.run.scopes.iter().filter(|scope| scope.complete == complete).collect()
    }

    fn is_few(&self) -> bool {
        self.run.scopes.len() <= FEW
    }

    /// What was planned, by kind: what, and how many.
    fn counts(&self) -> Vec<(&str, &BTreeMap<String, u64>)> {
        self.run
            .counts
            .iter()
            .filter(|(_, counts)| !counts.is_empty())
            .map(|(kind, counts)| (&**kind, counts))
            .collect()
    }

    /// The writes, what did not come out as wanted first.
    fn outcomes(&self) -> Vec<&Outcome> {
        let mut outcomes: Vec<&Outcome> = self.run.outcomes.iter().collect();
        outcomes.sort_by_key(|outcome| match outcome.state {
            OutcomeState::Failed => 0,
            OutcomeState::Skipped => 1,
            OutcomeState::Written | OutcomeState::Planned => 2,
        });
        outcomes.truncate(MOST);
        outcomes
    }
}

/// What a run's state is called, and its colour. A plan that nobody decided over before a newer one came leaves its run held.
fn state(run: &Run, waits: bool) -> (&'static str, &'static str) {
    if run.state == RunState::Held && !waits {
        return ("out of date", "secondary");
    }
    (run.state.as_str(), page::state_colour(&run.state))
}

/// As many as a page shows.
fn first<T>(items: &[T]) -> &[T] {
    &items[..items.len().min(MOST)]
}

/// How many of them it does not show.
fn rest<T>(items: &[T]) -> usize {
    items.len().saturating_sub(MOST)
}

/// What a count is of, in words.
fn count_word(what: &str) -> &str {
    match what {
        "create" => "to create",
        "update" => "to change",
        "archive" => "to archive",
        "restore" => "to bring back",
        "link" => "to tie to the source",
        "reading" => "new readings",
        "refused" => "refused before",
        "left_archived" => "archived here, left so",
        "waiting" => "wait for what they belong to",
        "quarantined" => "not understood",
        "gap" => "to look at",
        "stale" => "skipped: changed meanwhile",
        other => other,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes what it has by reference")]
fn outcome_colour(state: &OutcomeState) -> &'static str {
    match state {
        OutcomeState::Written => "green",
        OutcomeState::Planned => "blue",
        OutcomeState::Failed => "red",
        OutcomeState::Skipped => "yellow",
    }
}

#[derive(Template)]
#[template(path = "sync/run.html")]
struct RunPage {
    shell: Shell,
    view: View,
}

/// The part of the page that a run changes while it goes.
#[derive(Template)]
#[template(path = "sync/run.html", block = "run")]
struct RunPart {
    view: View,
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let part = headers.contains_key("hx-request");
    if part && visitor.principal.is_none() {
        // The session has ended: the whole page goes to the login, and not its part.
        let login = format!("/login?next={}", path(id));
        return Ok((StatusCode::NO_CONTENT, [("hx-redirect", login)]).into_response());
    }
    visitor.person_with(READERS)?;
    let run = find(&db, id).await?;
    let set = match run.changeset_id {
        Some(set) => changes::find(&db, set).await?,
        None => None,
    };
    let stands = match &set {
        Some(set) if set.state == "applied" => changes::any_to_undo(&db, set.id).await?,
        _ => false,
    };
    let going = run.finished_at.is_none();
    let view = View { run, csrf: visitor.csrf(), set, stands, going };
    if part {
        return page::html(&RunPart { view });
    }
    page::show(&visitor, &RunPage { shell: Shell::new(&visitor, "sync", format!("Run {id}")), view })
}

pub(crate) async fn cancel(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    match cancel_run(&db, person, id).await {
        Ok(()) => Ok(page::done(&path(id), "The run was cancelled; the directory is as it was.")),
        Err(Error::Conflict(_)) => conflict(&visitor, "The run has ended already.", &path(id)),
        Err(error) => Err(error),
    }
}

fn path(id: i64) -> String {
    format!("/sync/runs/{id}")
}
