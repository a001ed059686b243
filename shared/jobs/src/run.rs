//! The protocol of a run, around what a job does.

use std::time::Duration;

use nexus_client::{Client, EncodedBatch};
use nexus_core::sync::{Complete, Run, RunState, StartRun};
use tokio::sync::mpsc;

use crate::deadline::Deadline;
use crate::error::JobError;
use crate::event::Event;
use crate::pause::Pause;
use crate::progress::{self, News, Reporter};
use crate::sink::{Sink, Start, Stopped, Tally};

/// A job: reads its vendor or writes to it, and judges what a failure there means.
pub trait Job: Sync {
    /// Why it gave up. Its text is the message of the run, for the person who has to do something about it.
    type Error: std::error::Error + From<Stopped> + Send;

    /// Its name, as Nexus knows it: `sync-freshservice`.
    fn name(&self) -> &'static str;

    /// Reads every list of the vendor into the sink, each as a [`Scope`](crate::Scope); or writes to the vendor, and tells each
    /// write by [`Sink::outcome`].
    ///
    /// A list that could not be read to its end is told there. An error gives the whole run up: nothing of what was
    /// read is used, and the directory stays as it is.
    fn work(&self, sink: &mut Sink<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why a run is given up after its start.
enum Failure {
    Job(String),
    Nexus(nexus_client::Error),
    OutOfTime,
    Pause(nexus_client::Error),
}

impl Failure {
    fn sentence(&self) -> String {
        match self {
            Self::Job(text) => capitalised(text),
            Self::Nexus(error) => format!("What was read could not be handed over: {error}"),
            Self::Pause(error) => {
                format!("The time of the job ended, and the run could not be kept for later: {error}")
            }
            Self::OutOfTime => "The time of the job ended before everything was read; give it more time, or let it \
                                make more requests per minute"
                .to_owned(),
        }
    }
}

/// Runs a job once: starts a run, hands over what the job reads, and completes it.
///
/// The run is in the state `failed` when the job gave up, ran out of time, or could not hand over what it read.
pub async fn run(
    job: &impl Job,
    client: &Client,
    event: &Event,
    deadline: Deadline,
    reporter: &dyn Reporter,
) -> Result<Run, JobError> {
    event.require(job.name())?;
    let Event { trigger, run_id, dry_run, .. } = *event;
    let start = StartRun { run_id, dry_run, ..StartRun::new(job.name(), trigger) };
    let started = client.start_run(&start).await.map_err(|error| match error.problem() {
        Some(problem) if problem.status == 409 => {
            JobError::NotBegun { job: job.name(), reason: problem.detail.clone() }
        }
        _ => JobError::Start(error),
    })?;
    tracing::info!(job = job.name(), run_id = started.run_id, "run started");

    let run_id = started.run_id;
    let (batches, mut tally, position) = match Pause::of(&started) {
        Some(Pause { batches, tally, position, .. }) => (batches, tally, Some(position)),
        None => (0, Tally::default(), None),
    };
    let start = Start { run: started, deadline, position };
    // Boxed, because it holds the state of four calls at a time: callers need not carry that around.
    let worked = deadline.bound(Box::pin(work(job, client, &start, (batches, reporter), &mut tally))).await;
    let failure = match (worked.unwrap_or(Err(Failure::OutOfTime)), tally.paused.take()) {
        (Ok(batches), Some(position)) => {
            let pause = Pause::new(run_id, batches, tally, position);
            match pause.hand_over(client, job.name()).await {
                Ok(run) => {
                    tracing::info!(run_id, batches, "run paused; it goes on in a next event");
                    return Ok(run);
                }
                Err(error) => {
                    tally = pause.tally;
                    Some(Failure::Pause(error).sentence())
                }
            }
        }
        (worked, _) => worked.err().map(|failure| failure.sentence()),
    };
    if let Some(failure) = &failure {
        tracing::error!(run_id, failure, "run given up");
    }
    let run = complete(client, run_id, tally.into_report(failure)).await?;
    tracing::info!(run_id = run.id, state = run.state.as_str(), message = run.message, "run completed");
    Ok(run)
}

/// The job works, its batches are sent and its progress is told, all at the same time; one failure ends all three.
async fn work<J: Job>(
    job: &J,
    client: &Client,
    start: &Start,
    (sent_before, reporter): (u32, &dyn Reporter),
    tally: &mut Tally,
) -> Result<u32, Failure> {
    // One batch waits while another is sent and a third is filled; then the job waits.
    let (batches, outbox) = mpsc::channel(1);
    let (news, incoming) = News::channel();
    // Kept by the sending, so that the run gives signs of life until the last batch is through.
    let life = news.clone();

    let working = async move {
        let mut sink = Sink::new((client, start), tally, batches, news, reporter);
        let worked = job.work(&mut sink).await;
        if !sink.is_paused() {
            worked.map_err(|error| Failure::Job(error.to_string()))?;
        }
        sink.close().await.map_err(|error| Failure::Job(error.to_string()))
    };
    let sending = async move {
        let sent = send(client, start.run.run_id, sent_before, outbox).await;
        drop(life);
        sent.map_err(Failure::Nexus)
    };
    let lease = Duration::from_secs(start.run.lease_seconds.into());
    let telling = async { progress::tell(client, start.run.run_id, lease, incoming).await.map_err(Failure::Nexus) };
    tokio::try_join!(working, sending, telling).map(|((), sent, ())| sent)
}

async fn send(
    client: &Client,
    run_id: i64,
    sent_before: u32,
    mut batches: mpsc::Receiver<EncodedBatch>,
) -> Result<u32, nexus_client::Error> {
    let mut number = sent_before;
    while let Some(batch) = batches.recv().await {
        number += 1;
        tracing::debug!(run_id, number, records = batch.len(), "sending a batch");
        client.send_encoded(run_id, number, batch).await?;
    }
    Ok(number)
}

/// Completes the run; when Nexus refuses that, it is told that the run failed, so that it is not left to be missed.
async fn complete(client: &Client, run_id: i64, mut report: Complete) -> Result<Run, JobError> {
    let source = match client.complete_run(run_id, &report).await {
        Ok(run) => return Ok(run),
        Err(source) => source,
    };
    // A run that somebody cancelled has ended: that is how it ended.
    if source.status() == Some(409)
        && let Ok(run) = client.run(run_id).await
        && run.state != RunState::Running
    {
        return Ok(run);
    }
    // Without a clear no, Nexus may be at work on it still.
    if report.error.is_none() && !source.is_lost() {
        report.error = Some(format!("The run could not be completed: {source}"));
        if let Ok(run) = client.complete_run(run_id, &report).await {
            return Ok(run);
        }
        report.error = None;
    }
    Err(JobError::Complete { run_id, failure: report.error, source })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
