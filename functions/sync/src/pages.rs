//! The HTML face.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Role;
use nexus_core::sync::{Run, RunState};
use nexus_db::{Db, runs};
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Path, Visitor};

use crate::runs::find;

const READERS: &[Role] = &[Role::Admin, Role::Technician];

#[derive(Template)]
#[template(path = "sync/list.html")]
struct ListPage {
    shell: Shell,
    runs: Vec<Run>,
}

pub(crate) async fn list(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let runs = runs::list(&db, None, None, 50, 0).await?;
    page::show(&visitor, &ListPage { shell: Shell::new(&visitor, "sync", "Sync"), runs })
}

#[derive(Template)]
#[template(path = "sync/show.html")]
struct ShowPage {
    shell: Shell,
    run: Run,
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let run = find(&db, id).await?;
    page::show(&visitor, &ShowPage { shell: Shell::new(&visitor, "sync", format!("Run {id}")), run })
}

/// The colour of a state.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes what it has by reference")]
fn colour(state: &RunState) -> &'static str {
    match state {
        RunState::Applied => "green",
        RunState::Running => "blue",
        RunState::Held | RunState::Partial | RunState::Skipped => "yellow",
        RunState::Failed | RunState::Interrupted => "red",
    }
}

#[expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the shape that the macro of filters makes"
)]
mod filters {
    //! How instants are shown: the canonical form has a fixed width.

    /// Date, hour and minute.
    #[askama::filter_fn]
    pub(super) fn minutes(at: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(at.get(..16).unwrap_or(at).replace('T', " "))
    }

    /// The time of day.
    #[askama::filter_fn]
    pub(super) fn seconds(at: &str, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(at.get(11..19).unwrap_or(at).to_owned())
    }
}
