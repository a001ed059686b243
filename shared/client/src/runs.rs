//! The protocol of a sync run: start, observations and progress, complete.

use std::time::Duration;

use nexus_core::sync::{Batch, Complete, Keep, Progress, Requested, Run, RunRequest, RunState, StartRun, Started};
use reqwest::Method;
use tokio::time::{Instant, sleep};

use crate::batch::EncodedBatch;
use crate::client::Client;
use crate::error::Error;
use crate::path::segment;
use crate::request::Request;

/// The longest pause between two looks at a run whose completion was not answered.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

impl Client {
    /// Begins a run. A [`Problem`](crate::Problem) of status 409 says that a run of that job is going.
    pub async fn start_run(&self, start: &StartRun) -> Result<Started, Error> {
        let request = Request::write(Method::POST, "/api/sync/runs", start)?.once();
        self.send(&request).await?.read(&request)
    }

    /// Sends a batch, at most 1,000 records; batches are numbered by the caller. The same number twice counts once.
    pub async fn send_observations(&self, run_id: i64, number: u32, batch: &Batch) -> Result<(), Error> {
        self.send_encoded(run_id, number, batch.into()).await
    }

    /// As [`Client::send_observations`], of a batch that is written already.
    pub async fn send_encoded(&self, run_id: i64, number: u32, batch: EncodedBatch) -> Result<(), Error> {
        let request = Request::new(Method::PUT, &format!("/api/sync/runs/{run_id}/observations/{number}"));
        let request = Request { body: Some(batch.into_body()), ..request };
        self.send(&request).await?.read(&request)
    }

    /// Tells that the run lives, and how far it is.
    pub async fn report_progress(&self, run_id: i64, progress: &Progress) -> Result<(), Error> {
        self.put(&format!("/api/sync/runs/{run_id}/progress"), progress).await
    }

    /// Keeps what a job wants to know when it is started again.
    pub async fn keep(&self, run_id: i64, keep: &Keep) -> Result<(), Error> {
        self.put(&format!("/api/sync/runs/{run_id}/kept"), keep).await
    }

    /// Asks for a run of a job. A [`Problem`](crate::Problem) of status 409 says that one is going.
    pub async fn request_run(&self, job: &str, request: &RunRequest) -> Result<Requested, Error> {
        let path = format!("/api/jobs/{}/runs", segment(job));
        let request = Request::write(Method::POST, &path, request)?.once();
        self.send(&request).await?.read(&request)
    }

    /// Where a run stands.
    pub async fn run(&self, run_id: i64) -> Result<Run, Error> {
        self.get(&format!("/api/sync/runs/{run_id}")).await
    }

    /// Ends the reading: Nexus plans, judges and applies, and answers with how the run ended.
    ///
    /// This may take long, and is never sent a second time while the first may be at work. When the answer is lost (a
    /// gateway gives up after half a minute), the run is looked at until it has ended or
    /// [`Options::complete_timeout`](crate::Options::complete_timeout) is over; then the first error is returned.
    pub async fn complete_run(&self, run_id: i64, complete: &Complete) -> Result<Run, Error> {
        let request = Request::write(Method::POST, &format!("/api/sync/runs/{run_id}/complete"), complete)?;
        let request = Request { timeout: Some(self.complete_timeout()), ..request };
        let give_up = Instant::now() + self.complete_timeout();
        match self.send(&request).await {
            Ok(answer) => answer.read(&request),
            Err(error) if error.is_lost() => {
                tracing::warn!(run_id, %error, "the completion was not answered; looking how the run ends");
                self.ended_run(run_id, give_up).await.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn ended_run(&self, run_id: i64, give_up: Instant) -> Option<Run> {
        let mut pause = self.retry().backoff;
        loop {
            if let Ok(run) = self.run(run_id).await
                && run.state != RunState::Running
            {
                return Some(run);
            }
            if Instant::now() + pause >= give_up {
                return None;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }
}
