//! When the next call may go out.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

const MINUTE: Duration = Duration::from_mins(1);

/// What of a quota is taken at most: others call, too, and Datto slows each answer down above nine tenths.
pub(crate) const SHARE: f64 = 0.8;

/// No quota that a vendor tells of is lower. Who is refused after fewer calls in a minute pays for what others called.
const LEAST_QUOTA: u32 = 40;

/// Spaces calls evenly, for everyone who shares it.
///
/// Even spacing rather than a burst: the quota belongs to the whole account, and people and other integrations live
/// on what is left of it.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// The configured distance between two calls; `None` does not pace.
    own_interval: Option<Duration>,
    schedule: Mutex<Schedule>,
}

#[derive(Debug, Default)]
struct Schedule {
    last_slot: Option<Instant>,
    /// Distance that the vendor's count of remaining calls asks for.
    vendor_interval: Duration,
    /// Distance that the vendor's quota asks for.
    allowed_interval: Duration,
    held_until: Option<Instant>,
    /// The slots of the last minute.
    recent: VecDeque<Instant>,
}

impl Pacer {
    pub(crate) fn new(requests_per_minute: Option<NonZeroU32>) -> Self {
        Self { own_interval: requests_per_minute.map(|n| MINUTE / n.get()), schedule: Mutex::default() }
    }

    /// Waits until this caller may send.
    pub(crate) async fn turn(&self) {
        loop {
            sleep_until(self.reserve()).await;
            // A hold that another caller's answer brought while this one waited counts for this one too.
            if !self.is_held() {
                return;
            }
        }
    }

    /// A call was refused because of a quota: what went out in the last minute was too much, and is so from now on.
    pub(crate) fn refused(&self) {
        let now = Instant::now();
        let mut schedule = self.schedule();
        let sent = schedule.recent.iter().filter(|slot| now.duration_since(**slot) < MINUTE && **slot <= now).count();
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        if sent >= LEAST_QUOTA {
            let interval = MINUTE.div_f64(f64::from(sent) * SHARE);
            schedule.allowed_interval = schedule.allowed_interval.max(interval);
        }
    }

    /// Lets nobody send for `wait`.
    pub(crate) fn hold(&self, wait: Duration) {
        let mut schedule = self.schedule();
        let until = Instant::now().checked_add(wait);
        schedule.held_until = schedule.held_until.max(until);
    }

    /// Slows down to what is left of the vendor's quota of the running minute.
    ///
    /// The window's start is unknown, so the remaining calls are spread over a whole minute. The first answer of a new
    /// window shows more calls, and the pace comes back.
    pub(crate) fn observe_remaining(&self, calls: u32) {
        self.schedule().vendor_interval = MINUTE / calls.max(1);
    }

    /// Keeps below a quota of so many calls a second, from what the vendor says of the account.
    pub(crate) fn allow(&self, per_second: f64) {
        if let Ok(interval) = Duration::try_from_secs_f64(1.0 / (per_second * SHARE)) {
            self.schedule().allowed_interval = interval;
        }
    }

    /// The calls a minute that it allows, apart from what is left of a running minute; none: as many as one likes.
    pub(crate) fn calls_per_minute(&self) -> Option<u32> {
        let interval = self.own_interval?.max(self.schedule().allowed_interval);
        u32::try_from(MINUTE.as_micros() / interval.as_micros().max(1)).ok()
    }

    fn reserve(&self) -> Instant {
        let now = Instant::now();
        let mut schedule = self.schedule();
        let paced = self.own_interval.and_then(|own| {
            let interval = own.max(schedule.vendor_interval).max(schedule.allowed_interval);
            schedule.last_slot.map(|last| last + interval)
        });
        let slot = [paced, schedule.held_until].into_iter().flatten().fold(now, Instant::max);
        schedule.last_slot = Some(slot);
        let past = schedule.recent.partition_point(|recent| slot.duration_since(*recent) >= MINUTE);
        schedule.recent.drain(..past);
        schedule.recent.push_back(slot);
        slot
    }

    fn is_held(&self) -> bool {
        self.schedule().held_until.is_some_and(|until| until > Instant::now())
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        // No change to the schedule can be left half done by a panic.
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_minute(calls: u32) -> Pacer {
        Pacer::new(NonZeroU32::new(calls))
    }

    async fn seconds_for(pacer: &Pacer, calls: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            pacer.turn().await;
        }
        (start.elapsed().as_secs_f64() * 10.0).round() / 10.0
    }

    fn assert_seconds(measured: f64, expected: f64) {
        assert!((measured - expected).abs() < 0.05, "{measured} s instead of {expected} s");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_spaced_evenly_over_the_minute() {
        assert_seconds(seconds_for(&per_minute(60), 1).await, 0.0);
        assert_seconds(seconds_for(&per_minute(60), 61).await, 60.0);
        assert_seconds(seconds_for(&per_minute(120), 11).await, 5.0);
    }

    #[tokio::test(start_paused = true)]
    async fn zero_means_no_pacing() {
        let pacer = per_minute(0);
        pacer.observe_remaining(1);
        assert_seconds(seconds_for(&pacer, 1000).await, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_at_the_same_time_share_one_pace() {
        let pacer = per_minute(60);
        let start = Instant::now();
        tokio::join!(seconds_for(&pacer, 3), seconds_for(&pacer, 3), seconds_for(&pacer, 3));
        assert_eq!(start.elapsed().as_secs(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_between_calls_is_not_saved_up_for_a_burst() {
        let pacer = per_minute(60);
        pacer.turn().await;
        tokio::time::advance(MINUTE).await;
        assert_seconds(seconds_for(&pacer, 3).await, 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_follows_what_is_left_of_the_quota_and_recovers() {
        let pacer = per_minute(60);
        pacer.turn().await;
        pacer.observe_remaining(10);
        assert_seconds(seconds_for(&pacer, 2).await, 12.0);
        pacer.observe_remaining(0);
        assert_seconds(seconds_for(&pacer, 1).await, 60.0);
        pacer.observe_remaining(400);
        assert_seconds(seconds_for(&pacer, 2).await, 2.0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_once_is_too_much_from_then_on() {
        let pacer = per_minute(600);
        seconds_for(&pacer, 100).await;
        pacer.refused();
        pacer.hold(MINUTE);
        assert_seconds(seconds_for(&pacer, 1).await, 60.0);
        // Four fifths of the hundred that were too many.
        assert_seconds(seconds_for(&pacer, 80).await, 60.0);
        // Others used the quota up: that says nothing of ours.
        let pacer = per_minute(600);
        seconds_for(&pacer, 10).await;
        pacer.refused();
        assert_seconds(seconds_for(&pacer, 10).await, 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_stops_everyone_even_without_pacing_and_even_who_already_waits() {
        let unpaced = per_minute(0);
        unpaced.hold(Duration::from_secs(25));
        unpaced.hold(Duration::from_secs(5));
        assert_seconds(seconds_for(&unpaced, 2).await, 25.0);

        let pacer = per_minute(60);
        pacer.turn().await;
        let start = Instant::now();
        tokio::join!(pacer.turn(), async { pacer.hold(Duration::from_secs(30)) });
        assert_eq!(start.elapsed().as_secs(), 30);
    }
}
