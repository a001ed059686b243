//! The HTML face.

pub(crate) mod connectors;
pub(crate) mod features;
pub(crate) mod jobs;
mod offers;
pub(crate) mod plans;
pub(crate) mod policies;

use axum::response::{IntoResponse, Redirect, Response};
use nexus_core::Role;
use nexus_web::{Error, Visitor};

/// Who changes settings.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];

/// The settings begin with the jobs.
pub(crate) async fn begin(visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(crate::jobs::RUNNERS)?;
    Ok(Redirect::to("/settings/jobs").into_response())
}
