//! The HTML face.

pub(crate) mod connectors;
pub(crate) mod features;
pub(crate) mod jobs;
mod offers;
mod plan_form;
pub(crate) mod plans;
pub(crate) mod policies;

use axum::response::{IntoResponse, Redirect, Response};
use nexus_core::Role;
use nexus_core::sync::RunState;
use nexus_web::{Error, Visitor};

/// Who changes settings.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];

/// The settings begin with the jobs.
pub(crate) async fn begin(visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(crate::jobs::RUNNERS)?;
    Ok(Redirect::to("/settings/jobs").into_response())
}

/// What a form with nothing but its token brings.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Nothing {}

/// The class of a state's badge.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes what it has by reference")]
fn colour(state: &RunState) -> &'static str {
    match state {
        RunState::Applied => "bg-green-lt",
        RunState::Running => "bg-blue-lt",
        RunState::Held | RunState::Partial => "bg-yellow-lt",
        RunState::Skipped => "bg-secondary-lt",
        RunState::Failed | RunState::Interrupted => "bg-red-lt",
    }
}
