//! A run that stops near the end of the job's time and goes on in a next event.

use nexus_client::{Client, Error};
use nexus_core::sync::{Keep, Run, RunRequest, Started};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sink::Tally;

/// What a job needs to go on with its run: Nexus keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pause {
    run_id: i64,
    /// Batches sent so far.
    pub(crate) batches: u32,
    pub(crate) tally: Tally,
    /// The job's own words.
    pub(crate) position: Value,
}

impl Pause {
    /// What was kept for this very run; what was kept of an earlier one has no meaning any more.
    pub(crate) fn of(started: &Started) -> Option<Self> {
        let kept: Self = serde_json::from_value(started.kept.clone()?).ok()?;
        (kept.run_id == started.run_id).then_some(kept)
    }

    pub(crate) const fn new(run_id: i64, batches: u32, tally: Tally, position: Value) -> Self {
        Self { run_id, batches, tally, position }
    }

    /// Hands the run over to a next event; the run as it waits for that.
    pub(crate) async fn hand_over(&self, client: &Client, job: &str) -> Result<Run, Error> {
        let kept = serde_json::to_value(self).unwrap_or_default();
        client.keep(self.run_id, &Keep { kept, pause: true }).await?;
        client.request_run(job, &RunRequest { run_id: Some(self.run_id), dry_run: false }).await?;
        client.run(self.run_id).await
    }
}
