//! Until when a job may read.

use std::time::Duration;

use nexus_core::Clock;
use tokio::time::{Instant, timeout_at};

/// What is kept back of the time for handing over or completing the run.
const RESERVE: Duration = Duration::from_mins(1);

/// The end of the time that a job has. A part of it is kept back: a job that looks at it pauses in time, and goes on in a next
/// event; one that does not is given up in time to be told as failed, where one that is cut off would only show as interrupted
/// when its lease has ended.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    pause: Option<Instant>,
    give_up: Option<Instant>,
}

impl Deadline {
    /// No end.
    #[must_use]
    pub const fn none() -> Self {
        Self { pause: None, give_up: None }
    }

    /// So long from now. A quarter of it is kept back, but at most a minute; a third of that for a run that is given up.
    #[must_use]
    pub fn after(left: Duration) -> Self {
        let (now, reserve) = (Instant::now(), RESERVE.min(left / 4));
        let before_end = |reserve| now.checked_add(left.saturating_sub(reserve));
        Self { pause: before_end(reserve), give_up: before_end(reserve / 3) }
    }

    /// So near that a job which can pause does so as soon as it may.
    #[must_use]
    pub fn near() -> Self {
        Self { pause: Some(Instant::now()), give_up: None }
    }

    /// Whether a job that can pause should do so now.
    pub(crate) fn is_near(self) -> bool {
        self.pause.is_some_and(|pause| Instant::now() >= pause)
    }

    /// The end of a Lambda invocation, in milliseconds since 1970.
    ///
    /// An end that is in the past was never meant: the emulator of `cargo lambda watch` gives one of 1970.
    #[must_use]
    pub fn of_invocation(end_millis: u64, clock: &Clock) -> Self {
        let now = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
        match end_millis.checked_sub(now) {
            None | Some(0) => Self::none(),
            Some(left) => Self::after(Duration::from_millis(left)),
        }
    }

    /// What `work` gives, or `None` if it does not end in time.
    pub(crate) async fn bound<T>(self, work: impl Future<Output = T>) -> Option<T> {
        match self.give_up {
            None => Some(work.await),
            Some(end) => timeout_at(end, work).await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use jiff::Timestamp;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn seconds_until_cut(deadline: Deadline) -> u64 {
        let start = Instant::now();
        assert_eq!(deadline.bound(pending::<()>()).await, None);
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_of_the_time_is_kept_for_completing_the_run() {
        assert_eq!(seconds_until_cut(Deadline::after(SECOND * 900)).await, 880);
        assert_eq!(seconds_until_cut(Deadline::after(SECOND * 40)).await, 36);
        assert_eq!(seconds_until_cut(Deadline::after(Duration::ZERO)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_is_told_to_pause_before_it_is_given_up() {
        let deadline = Deadline::after(SECOND * 900);
        tokio::time::advance(SECOND * 839).await;
        assert!(!deadline.is_near());
        tokio::time::advance(SECOND).await;
        assert!(deadline.is_near() && !Deadline::none().is_near());
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_an_invocation_counts_from_the_clock() {
        let clock = Clock::fixed(Timestamp::from_second(1_770_145_539).unwrap());
        assert_eq!(seconds_until_cut(Deadline::of_invocation(1_770_145_539_000 + 900_000, &clock)).await, 880);
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_in_the_past_is_none() {
        let clock = Clock::fixed(Timestamp::from_second(1_770_145_539).unwrap());
        for end in [0, 30_000, 1_770_145_539_000] {
            let long = tokio::time::sleep(SECOND * 100_000);
            assert!(Deadline::of_invocation(end, &clock).bound(long).await.is_some(), "{end}");
        }
    }
}
