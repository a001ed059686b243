//! Pages of the connectors: what came from each source, whether it can be reached, and taking it away.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::Entity;
use nexus_core::sync::{Run, RunRequest, RunState, ScheduledJob};
use nexus_db::changes::Origin;
use nexus_db::jobs::source_of;
use nexus_db::{Db, runs, sources};
use nexus_events::Bus;
use nexus_web::facts::source_name;
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, Error, Path, Visitor};
use serde::Deserialize;

use super::ADMIN;
use crate::jobs::{self, RUNNERS};

const ABSENT: Error = Error::NotFound("There is no such connector");
const LIST: &str = "/settings/connectors";
/// Runs among which the last one is looked for that was not only to look.
const RECENT: i64 = 50;

/// A source and the job that reads it.
struct Connector {
    name: String,
    label: &'static str,
    job: ScheduledJob,
    /// Live records that came from it, by the name of their kind.
    records: Vec<(&'static str, u64)>,
    complete: Option<Run>,
    failed: Option<Run>,
}

impl Connector {
    async fn of(db: &Db, job: ScheduledJob) -> Result<Option<Self>, Error> {
        let Some(name) = source_of(&job.name).map(str::to_owned) else { return Ok(None) };
        let records = sources::records_of(db, &name).await?;
        let records = records.iter().filter_map(|(kind, n)| Some((Entity::parse(kind)?.table(), *n))).collect();
        let applied = runs::list(db, Some(&job.name), Some(RunState::Applied), RECENT, 0).await?;
        let complete = applied.into_iter().find(|run| !run.dry_run);
        let mut failed = None;
        for state in [RunState::Failed, RunState::Interrupted] {
            let last = runs::list(db, Some(&job.name), Some(state), 1, 0).await?;
            failed = failed.into_iter().chain(last).max_by_key(|run: &Run| run.id);
        }
        Ok(Some(Self { label: source_name(&name), name, job, records, complete, failed }))
    }

    /// What went wrong last came after the last complete run.
    fn ails(&self) -> bool {
        let complete = self.complete.as_ref().map(|run| run.id);
        self.failed.as_ref().is_some_and(|failed| complete.is_none_or(|complete| failed.id > complete))
    }
}

async fn connectors(db: &Db) -> Result<Vec<Connector>, Error> {
    let mut found = Vec::new();
    for job in jobs::list(db).await? {
        found.extend(Connector::of(db, job).await?);
    }
    Ok(found)
}

async fn find(db: &Db, name: &str) -> Result<Connector, Error> {
    let job = jobs::list(db).await?.into_iter().find(|job| source_of(&job.name) == Some(name)).ok_or(ABSENT)?;
    Connector::of(db, job).await?.ok_or(ABSENT)
}

#[derive(Template)]
#[template(path = "settings/connectors.html")]
struct ListPage {
    shell: Shell,
    connectors: Vec<Connector>,
    fault: Option<String>,
}

impl ListPage {
    async fn new(db: &Db, visitor: &Visitor) -> Result<Self, Error> {
        let shell = Shell { path: LIST.to_owned(), ..Shell::new(visitor, "settings", "Connectors") };
        Ok(Self { shell, connectors: connectors(db).await?, fault: None })
    }
}

pub(crate) async fn list(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(RUNNERS)?;
    page::show(&visitor, &ListPage::new(&db, &visitor).await?)
}

/// The list, with the reason why nothing was done.
async fn refused(db: &Db, visitor: &Visitor, fault: String) -> Result<Response, Error> {
    let page = ListPage { fault: Some(fault), ..ListPage::new(db, visitor).await? };
    Ok((StatusCode::CONFLICT, page::show(visitor, &page)?).into_response())
}

/// A dry run is the test: it reads the source as a run does, and changes nothing.
pub(crate) async fn test(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    visitor: Visitor,
    Path(name): Path<String>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(RUNNERS)?;
    let job = find(&db, &name).await?.job.name;
    match jobs::ask(&db, &bus, person, &job, &RunRequest { dry_run: true, run_id: None }).await {
        Ok(run_id) => Ok(super::jobs::asked(run_id, true)),
        Err(Error::Conflict(fault)) => refused(&db, &visitor, fault).await,
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "settings/remove.html")]
struct RemovePage {
    shell: Shell,
    connector: Connector,
}

pub(crate) async fn remove_form(
    State(db): State<Db>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    let connector = find(&db, &name).await?;
    let shell = Shell::new(&visitor, "settings", format!("Remove {}", connector.label));
    page::show(&visitor, &RemovePage { shell, connector })
}

/// What becomes of the records that came from a source.
#[derive(Debug, Deserialize)]
pub(crate) struct Leaving {
    #[serde(default)]
    records: String,
}

pub(crate) async fn remove(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    visitor: Visitor,
    Path(name): Path<String>,
    CsrfForm(Leaving { records }): CsrfForm<Leaving>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let archive = match records.as_str() {
        "keep" => false,
        "archive" => true,
        _ => return Err(Error::invalid("Say what becomes of the records that came from it: keep or archive")),
    };
    let done = match crate::sources::take_away(&db, &bus, person, &name, archive, Origin::Page).await {
        Ok(done) => done,
        Err(Error::Conflict(fault)) => return refused(&db, &visitor, fault).await,
        Err(error) => return Err(error),
    };
    let source = source_name(&name);
    let note = match (archive, done.records.len()) {
        (false, _) => {
            format!("{source} is taken away. The records that came from it stay, and people alone change them.")
        }
        (true, 0) => format!("{source} is taken away. No record came from it alone."),
        (true, 1) => format!("{source} is taken away. One record that came from it is archived."),
        (true, n) => format!("{source} is taken away. {n} records that came from it are archived."),
    };
    Ok(page::done_by("/settings/connectors", &note, done.changeset_id))
}
