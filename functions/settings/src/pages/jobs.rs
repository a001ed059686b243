//! Pages of the jobs: what there is, when it runs, and how it went.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::sync::{JobChanges, Run, RunRequest, RunState, ScheduledJob};
use nexus_db::{Db, runs};
use nexus_events::Bus;
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, Path, Visitor};
use serde::Deserialize;

use super::ADMIN;
use crate::jobs::{self, RUNNERS};

const LIST: &str = "/settings/jobs";
/// Runs that the page of a job looks back at.
const RECENT: i64 = 20;

#[derive(Template)]
#[template(path = "settings/jobs.html")]
struct ListPage {
    shell: Shell,
    jobs: Vec<ScheduledJob>,
    fault: Option<String>,
}

impl ListPage {
    async fn new(db: &Db, visitor: &Visitor) -> Result<Self, Error> {
        let shell = Shell { path: LIST.to_owned(), ..Shell::new(visitor, "settings", "Jobs") };
        Ok(Self { shell, jobs: jobs::list(db).await?, fault: None })
    }

    /// A run is going, so the page looks again by itself.
    fn moves(&self) -> bool {
        self.jobs.iter().filter_map(|job| job.last_run.as_ref()).any(|run| run.state == RunState::Running)
    }
}

pub(crate) async fn list(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(RUNNERS)?;
    page::show(&visitor, &ListPage::new(&db, &visitor).await?)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    dry_run: bool,
}

pub(crate) async fn run(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    visitor: Visitor,
    Path(name): Path<String>,
    CsrfForm(Asked { dry_run }): CsrfForm<Asked>,
) -> Result<Response, Error> {
    let person = visitor.person_with(RUNNERS)?;
    match jobs::ask(&db, &bus, person, &name, &RunRequest { dry_run, run_id: None }).await {
        Ok(run_id) => Ok(asked(run_id, dry_run)),
        Err(Error::Conflict(fault)) => {
            let page = ListPage { fault: Some(fault), ..ListPage::new(&db, &visitor).await? };
            Ok((StatusCode::CONFLICT, page::show(&visitor, &page)?).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Leads to a run that was asked for.
pub(super) fn asked(run_id: i64, dry_run: bool) -> Response {
    let note = if dry_run {
        "The dry run was asked for. It reads and plans, and changes nothing."
    } else {
        "The run was asked for. It begins as soon as its job is there."
    };
    page::done(&format!("/sync/runs/{run_id}"), note)
}

#[derive(Template)]
#[template(path = "settings/job.html")]
struct JobPage {
    shell: Shell,
    job: ScheduledJob,
    runs: Vec<Run>,
    /// What is typed, which need not be what is saved.
    schedule: String,
    enabled: bool,
    fault: Option<String>,
}

impl JobPage {
    async fn new(db: &Db, visitor: &Visitor, name: &str) -> Result<Self, Error> {
        let job = jobs::find(db, name).await?;
        let runs = runs::list(db, Some(name), None, RECENT, 0).await?;
        let shell = Shell::new(visitor, "settings", job.title.clone());
        Ok(Self { shell, schedule: job.schedule.clone(), enabled: job.enabled, job, runs, fault: None })
    }
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor, Path(name): Path<String>) -> Result<Response, Error> {
    visitor.person_with(RUNNERS)?;
    page::show(&visitor, &JobPage::new(&db, &visitor, &name).await?)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    schedule: String,
    #[serde(default)]
    enabled: bool,
}

pub(crate) async fn set(
    State(db): State<Db>,
    Extension(bus): Extension<Bus>,
    visitor: Visitor,
    Path(name): Path<String>,
    CsrfForm(Given { schedule, enabled }): CsrfForm<Given>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let changes = JobChanges { schedule: Some(schedule.clone()), enabled: Some(enabled) };
    match jobs::set(&db, &bus, person, &name, changes).await {
        Ok(job) => {
            Ok(page::done(&format!("/settings/jobs/{}", job.name), "The job was saved. It is in force at once."))
        }
        Err(Error::Invalid { message, fields }) => {
            let fault = fields.first().map_or(message, |fault| fault.message.clone());
            let page = JobPage { schedule, enabled, fault: Some(fault), ..JobPage::new(&db, &visitor, &name).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page::show(&visitor, &page)?).into_response())
        }
        Err(error) => Err(error),
    }
}
