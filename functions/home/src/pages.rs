//! The overview.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use nexus_core::schedule::Schedule;
use nexus_core::sync::{Run, RunState};
use nexus_core::{Entity, Role, instant};
use nexus_db::{Db, jobs, runs};
use nexus_web::grid::NONE;
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Principal, Visitor};

use crate::charts::{self, Chart};
use crate::store::{self, Counts, OwnCompany};

#[derive(Template)]
#[template(path = "home/overview.html")]
struct Overview {
    shell: Shell,
    counts: Counts,
    charts: Vec<Chart>,
    runs: Vec<Run>,
    /// Name of a job and when it runs next.
    next: Vec<(String, String)>,
    /// Sites without a company, as the last run told them that the Datto sync brought to an end, and that run.
    sites: Option<(usize, i64)>,
}

#[derive(Template)]
#[template(path = "home/portal.html")]
struct Portal {
    shell: Shell,
    companies: Vec<OwnCompany>,
}

pub(crate) async fn overview(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    let person = visitor.person()?;
    if person.account.role == Role::Client {
        return portal(&db, &visitor, person).await;
    }
    let counts = store::counts(&db, &instant::days_before(db.clock().now(), 30)).await?;
    let edits = person.account.role.edits();
    let (runs, next, sites) = if edits { jobs_of(&db).await? } else { (Vec::new(), Vec::new(), None) };
    let shell = Shell::new(&visitor, "home", "Overview");
    page::show(&visitor, &Overview { shell, counts, charts: charts_of(&db).await?, runs, next, sites })
}

/// A client's companies; of one alone, its page.
async fn portal(db: &Db, visitor: &Visitor, person: &Principal) -> Result<Response, Error> {
    let companies = store::own_companies(db, &person.scope()).await?;
    if let [only] = &companies[..] {
        return Ok(Redirect::to(&format!("/companies/{}", only.account_number)).into_response());
    }
    let shell = Shell::new(visitor, "home", "Your companies");
    page::show(visitor, &Portal { shell, companies })
}

async fn charts_of(db: &Db) -> Result<Vec<Chart>, Error> {
    let list = |path: &'static str, filter: &'static str| {
        move |value: &str| {
            let value = if value.is_empty() { NONE } else { value };
            page::link(path, &[(filter, value)])
        }
    };
    let seen = store::seen(db).await?.into_iter().map(|(label, n)| (label.to_owned(), n)).collect();
    let mut seen = Chart::new("Assets by when they were last seen", "assets", seen, |_| String::new());
    // The filter takes whatever is older as well, so only the last span has a list of its own.
    for (bar, to) in seen.bars.iter_mut().zip([None, None, None, None, Some("/assets?unseen=90")]) {
        bar.to = to.map(str::to_owned);
    }
    Ok(vec![
        Chart::new(
            "Companies by plan",
            "companies",
            store::values(db, "companies", "plan_selected").await?,
            list("/companies", "plan"),
        ),
        Chart::new(
            "Assets by operating system",
            "assets",
            store::values(db, "assets", "operating_system").await?,
            list("/assets", "operating_system"),
        ),
        Chart::new(
            "Assets by antivirus",
            "assets",
            store::values(db, "assets", "antivirus_product").await?,
            list("/assets", "antivirus"),
        ),
        Chart::new(
            "Assets by state of their patches",
            "assets",
            store::values(db, "assets", "patch_status").await?,
            list("/assets", "patches"),
        ),
        seen,
    ])
}

type JobsNow = (Vec<Run>, Vec<(String, String)>, Option<(usize, i64)>);

/// The last runs, the next ones, and what the Datto sync could not place.
async fn jobs_of(db: &Db) -> Result<JobsNow, Error> {
    let last = runs::list(db, None, None, 6, 0).await?;
    let now = db.clock().now();
    let mut next: Vec<_> = jobs::list(db)
        .await?
        .into_iter()
        .filter(|job| job.enabled)
        .filter_map(|job| {
            let schedule: Schedule = job.schedule.parse().ok()?;
            let at = schedule.next(job.last_started_at.as_deref().and_then(instant::parse), now, now)?;
            Some((instant::canonical(at), job.title))
        })
        .collect();
    next.sort();
    let next = next.into_iter().map(|(at, title)| (title, at)).collect();
    let unplaced = |run: Run| (run.gaps.iter().filter(|gap| gap.entity == Entity::Company).count(), run.id);
    Ok((last, next, datto(db).await?.map(unplaced).filter(|(n, _)| *n > 0)))
}

/// The last run of the Datto sync that came to its end: one that goes on or was broken off has told nothing.
async fn datto(db: &Db) -> Result<Option<Run>, Error> {
    let mut last = None;
    for state in [RunState::Applied, RunState::Held, RunState::Partial] {
        let one = runs::list(db, Some("sync-datto"), Some(state), 1, 0).await?;
        last = last.into_iter().chain(one).max_by_key(|run: &Run| run.id);
    }
    Ok(last)
}
