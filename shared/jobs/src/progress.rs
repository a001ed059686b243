//! How far a run is: told to whoever watches here, and to Nexus often enough that the run counts as alive.

use std::time::Duration;

use nexus_client::{Client, Error};
use nexus_core::sync::Progress;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Counts are told at most this often.
const PACE: Duration = Duration::from_secs(1);

/// Watches a run from inside the process, such as a progress bar.
pub trait Reporter: Send + Sync {
    /// Called with each new step, and with new counts at each call to the vendor and each batch; should be quick.
    fn report(&self, progress: &Progress);
}

impl<F: Fn(&Progress) + Send + Sync> Reporter for F {
    fn report(&self, progress: &Progress) {
        self(progress);
    }
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: &Progress) {}
}

/// The way of the news from the job to Nexus. No step is lost on it; of counts only the latest matter.
#[derive(Clone, Debug)]
pub(crate) struct News {
    steps: mpsc::UnboundedSender<Progress>,
    latest: watch::Sender<Progress>,
}

impl News {
    pub(crate) fn channel() -> (Self, Incoming) {
        let ((steps, new_steps), (latest, seen)) = (mpsc::unbounded_channel(), watch::channel(Progress::default()));
        (Self { steps, latest }, Incoming { steps: new_steps, latest: seen })
    }

    /// A new step. When nobody listens any more, the run is over, and the sink says so with the next batch.
    pub(crate) fn step(&self, progress: Progress) {
        let _ = self.steps.send(progress.clone());
        self.latest.send_replace(progress);
    }

    /// New counts of the same step.
    pub(crate) fn counts(&self, progress: Progress) {
        self.latest.send_replace(progress);
    }
}

/// The other end of [`News`].
#[derive(Debug)]
pub(crate) struct Incoming {
    steps: mpsc::UnboundedReceiver<Progress>,
    latest: watch::Receiver<Progress>,
}

/// When Nexus is told next, if no new step comes before that.
#[derive(Debug)]
struct Rhythm {
    longest_silence: Duration,
    last: Instant,
    told: Progress,
}

impl Rhythm {
    fn new(lease: Duration) -> Self {
        // Two of three words may be lost before the lease ends.
        Self { longest_silence: (lease / 3).max(PACE), last: Instant::now(), told: Progress::default() }
    }

    fn due(&self, latest: &Progress) -> Instant {
        self.last + if *latest == self.told { self.longest_silence } else { PACE }
    }

    fn tell(&mut self, progress: Progress) {
        self.told = progress;
        self.last = Instant::now();
    }
}

/// Tells Nexus of the run's progress until nobody makes any more; the last word is always told.
///
/// Ends early with an error when Nexus says that there is no such run any more.
pub(crate) async fn tell(client: &Client, run_id: i64, lease: Duration, mut news: Incoming) -> Result<(), Error> {
    let mut rhythm = Rhythm::new(lease);
    loop {
        let due = rhythm.due(&news.latest.borrow());
        let progress = tokio::select! {
            biased;
            step = news.steps.recv() => match step {
                Some(step) => step,
                None => break,
            },
            () = sleep_until(due) => news.latest.borrow().clone(),
            // What is due now may be due earlier than thought.
            _ = news.latest.changed() => continue,
        };
        send(client, run_id, &progress).await?;
        rhythm.tell(progress);
    }
    let last = news.latest.borrow().clone();
    if last == rhythm.told { Ok(()) } else { send(client, run_id, &last).await }
}

async fn send(client: &Client, run_id: i64, progress: &Progress) -> Result<(), Error> {
    match client.report_progress(run_id, progress).await {
        // The run was ended by somebody else, or this job may not speak any more: reading on would be in vain.
        Err(error) if matches!(error.status(), Some(400..=499)) => Err(error),
        Err(error) => {
            tracing::warn!(run_id, %error, "the progress could not be told");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn progress(step: &str, done: u64) -> Progress {
        Progress { step: step.into(), done, ..Progress::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn new_counts_are_due_each_second_and_a_sign_of_life_three_times_a_lease() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(SECOND * 60);
        tokio::time::advance(SECOND * 5).await;
        rhythm.tell(progress("Companies", 0));
        let last = start + SECOND * 5;
        assert_eq!(rhythm.due(&progress("Companies", 1)), last + SECOND);
        assert_eq!(rhythm.due(&progress("Companies", 0)), last + SECOND * 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_lease_does_not_make_it_a_storm() {
        let rhythm = Rhythm::new(SECOND);
        assert_eq!(rhythm.due(&Progress::default()), Instant::now() + SECOND);
    }
}
