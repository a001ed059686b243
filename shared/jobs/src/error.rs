//! Why a job has no run to show.

use thiserror::Error;

use crate::event::EventError;

/// A job that could not run, or whose run could not be told to Nexus. A vendor that fails is none of these: it ends in
/// a run whose state is `failed` and whose message says why.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobError {
    /// The event does not start this job.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A run of the job is going, the timer may not start it, or the run does not wait for it; nothing was done.
    #[error("{job} was not started: {reason}")]
    NotBegun {
        /// The job's name.
        job: &'static str,
        /// The words of Nexus.
        reason: String,
    },
    /// Nexus did not let the run begin; nothing was done.
    #[error("the run could not be started: {0}")]
    Start(#[source] nexus_client::Error),
    /// Nexus could not be told how the run ended; it will show as interrupted.
    #[error("run {run_id} could not be completed: {source}{}", because(failure.as_deref()))]
    Complete {
        /// The run.
        run_id: i64,
        /// Why the job had given up before, if it had.
        failure: Option<String>,
        /// What the completion met.
        source: nexus_client::Error,
    },
}

fn because(failure: Option<&str>) -> String {
    failure.map(|failure| format!("; before that: {failure}")).unwrap_or_default()
}
