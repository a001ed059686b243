//! No run asks more of a vendor than it allows, and none is slower than its pace.
//!
//! Time is tokio's, for both sides: that of the pace, of every time-out, and of the simulator's quota. It stands still while
//! anybody works and passes while all wait, so that minutes are over in seconds and what this machine is busy with does not count.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::time::Duration;

use nexus_core::config::Config;
use nexus_core::sync::{Run, RunState};
use nexus_jobs::{Deadline, Event, Job, Silent};
use nexus_simulators::{Call, Datto, DattoQuota, Fault, Freshservice, FreshserviceQuota, RetryAfter, Size};
use nexus_test_databases::on_sqlite;
use nexus_tests::{Nexus, Source, Syncing, Trouble};

const MINUTE: Duration = Duration::from_mins(1);

/// How long everybody waits outside for each step of the time inside.
const BREATH: Duration = Duration::from_micros(100);

/// A story in time that passes only while everybody waits, and then so many times as fast as outside.
///
/// A paused clock jumps to the next timer as soon as nothing can go on at once, and would do so while a socket or the database's
/// thread has yet to answer. So there is always a timer that is due soon.
fn in_lapsed_time(rate: u32, story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(BREATH * rate).await;
            std::thread::sleep(BREATH);
        }
    });
    runtime.block_on(story);
}

async fn syncing<V: Source>(vendor: V, story: impl AsyncFnOnce(Syncing<V>)) {
    on_sqlite(async |world| story(Syncing::new(Nexus::serve(world).await, vendor).await).await).await;
}

/// Runs a job as it is configured.
async fn run<V: Source>(syncing: &Syncing<V>, job: &impl Job) -> Run {
    let event = Event::manual(job.name());
    nexus_jobs::run(job, syncing.client(), &event, Deadline::none(), &Silent).await.unwrap()
}

fn datto(vendor: &Datto, pace: Option<u32>) -> impl Job {
    sync_datto::job(&Config::parse("", vendor.environment(pace)).unwrap()).unwrap()
}

fn freshservice(vendor: &Freshservice, pace: Option<u32>) -> impl Job {
    sync_freshservice::job(&Config::parse("", vendor.environment(pace)).unwrap()).unwrap()
}

/// Checks that a vendor, which refuses what is above its quota, had to do so this often at most, and that a run took not much more
/// time than so many calls a minute take.
fn check(calls: &[Call], refusals: usize, pace: u32) {
    let refused = calls.iter().filter(|call| call.status == 429).count();
    assert!(refused <= refusals, "told 429 {refused} times");
    let took = calls.last().unwrap().at.saturating_sub(calls[0].at);
    let least = MINUTE / pace * u32::try_from(calls.len()).unwrap();
    eprintln!("{} calls in {took:?}, {refused} refused", calls.len());
    assert!(took < least.mul_f64(1.2), "{} calls took {took:?}, where {least:?} are enough", calls.len());
}

/// More calls a minute than a vendor allows.
const ABOVE: Option<u32> = Some(1000);

#[test]
fn devices_are_read_at_the_configured_pace_and_below_the_quota_whatever_is_configured() {
    in_lapsed_time(20, async {
        let vendor = Datto::start(Size { companies: 270, contacts: 0, devices: 10_000 }, 2026).await.unwrap();
        vendor.set_quota(DattoQuota::default());
        syncing(vendor, async |syncing| {
            for (pace, least) in [(None, 500), (ABOVE, 480)] {
                syncing.vendor.clear_calls();
                let job = datto(&syncing.vendor, pace);
                assert_eq!(run(&syncing, &job).await.state, RunState::Applied);
                check(&syncing.vendor.calls(), 0, least);
            }
        })
        .await;
    });
}

#[test]
fn a_quota_that_cannot_be_asked_for_is_met_once() {
    in_lapsed_time(20, async {
        let vendor = Datto::start(Size { companies: 1_500, contacts: 0, devices: 0 }, 2026).await.unwrap();
        vendor.set_quota(DattoQuota::default());
        vendor.fault(Fault::Status(404).on("/system/request_rate"));
        syncing(vendor, async |syncing| {
            let job = datto(&syncing.vendor, ABOVE);
            assert_eq!(run(&syncing, &job).await.state, RunState::Applied);
            // A minute is waited for.
            check(&syncing.vendor.calls(), 1, 400);
        })
        .await;
    });
}

#[test]
fn people_are_read_at_the_configured_pace() {
    in_lapsed_time(20, async {
        let vendor = Freshservice::start(Size { companies: 200, contacts: 5_000, devices: 0 }, 2026).await.unwrap();
        vendor.set_quota(FreshserviceQuota::ENTERPRISE);
        syncing(vendor, async |syncing| {
            let job = freshservice(&syncing.vendor, None);
            assert_eq!(run(&syncing, &job).await.state, RunState::Applied);
            check(&syncing.vendor.calls(), 0, 100);
        })
        .await;
    });
}

#[test]
fn more_people_than_a_minute_allows_are_read_with_one_refusal_at_most() {
    in_lapsed_time(20, async {
        let vendor = Freshservice::start(Size { companies: 20, contacts: 14_500, devices: 0 }, 2026).await.unwrap();
        syncing(vendor, async |syncing| {
            for (quota, pace, refused, least) in [
                (FreshserviceQuota::ENTERPRISE, None, 0, 100),
                (FreshserviceQuota::ENTERPRISE, ABOVE, 1, 140),
                (FreshserviceQuota::GROWTH, None, 1, 70),
            ] {
                syncing.vendor.clear_calls();
                syncing.vendor.set_quota(quota);
                let job = freshservice(&syncing.vendor, pace);
                assert_eq!(run(&syncing, &job).await.state, RunState::Applied);
                check(&syncing.vendor.calls(), refused, least);
            }
        })
        .await;
    });
}

/// A vendor that says no and not for how long, and one that does not answer: each is waited for and asked again.
async fn waits<V: Source>(vendor: V, list: &str, all: &'static str) {
    let no = Fault::RateLimited(RetryAfter::Absent).on(list).times(1);
    let silence = Fault::Slow(MINUTE * 2).on(list).after(1).times(1);
    let trouble = Trouble {
        name: "a vendor that makes wait",
        rules: vec![no, silence],
        first: (RunState::Applied, all),
        later: (RunState::Applied, "Nothing to change."),
    };
    syncing(vendor, async |syncing| {
        for end in [trouble.first, trouble.later] {
            syncing.survives(&trouble, end).await;
        }
    })
    .await;
}

#[test]
fn a_429_without_a_time_and_a_call_without_an_answer_are_waited_for() {
    in_lapsed_time(100, async {
        let size = Size { companies: 12, contacts: 130, devices: 300 };
        let freshservice = Freshservice::start(size, 3).await.unwrap();
        waits(freshservice, "/requesters", "11 companies created, 11 locations created, 130 contacts created.").await;
        waits(Datto::start(size, 3).await.unwrap(), "/account/devices", "300 assets created.").await;
    });
}
