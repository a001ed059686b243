//! A run that goes well.

use std::sync::Mutex;
use std::time::Instant;

use nexus_core::Entity;
use nexus_core::sync::{Progress, RunState};
use nexus_jobs::{Deadline, Event};
use serde_json::json;

use crate::nexus::Nexus;
use crate::{List, ListEnd, NAME, Script, run};

#[tokio::test]
async fn everything_read_is_handed_over_in_numbered_batches() {
    let nexus = Nexus::start().await;
    let ended = run(&Script::of(List::of(2_300)), &nexus).await.unwrap();
    assert_eq!(ended.state, RunState::Applied);

    let calls = nexus.calls();
    assert_eq!(calls[0], ("POST /api/sync/runs".into(), json!({ "job": NAME, "trigger": "schedule" })));
    let puts: Vec<&str> =
        calls.iter().map(|(what, _)| &what[..]).filter(|what| what.contains("observations")).collect();
    let put = |n| format!("PUT /api/sync/runs/7/observations/{n}");
    assert_eq!(puts, [put(1), put(2), put(3)]);
    assert_eq!(calls.last().unwrap().0, "POST /api/sync/runs/7/complete");

    let batches = nexus.batches();
    let sizes: Vec<usize> = batches.iter().map(|batch| batch.observations.len()).collect();
    assert_eq!(sizes, [1_000, 1_000, 300]);
    let observations: Vec<_> = batches.iter().flat_map(|batch| &batch.observations).collect();
    assert!(observations.iter().enumerate().all(|(n, observation)| observation.external_id == n.to_string()));
    assert_eq!((observations[0].entity, &observations[0].scope[..]), (Entity::Company, "companies"));
}

#[tokio::test]
async fn a_batch_stays_below_the_size_that_nexus_takes() {
    let nexus = Nexus::start().await;
    let list = List { size: 10_000, ..List::of(200) };
    run(&Script::of(list), &nexus).await.unwrap();
    let sizes: Vec<usize> = nexus.batches().iter().map(|batch| batch.observations.len()).collect();
    assert_eq!((sizes.len(), sizes.iter().sum::<usize>()), (3, 200), "{sizes:?}");
}

#[tokio::test]
async fn a_run_that_reads_nothing_is_completed_too() {
    let nexus = Nexus::start().await;
    run(&Script::of(List::of(0)), &nexus).await.unwrap();
    assert_eq!(nexus.batches().len(), 0);
    let report = &nexus.completions()[0];
    assert!(report.scopes[0].complete && report.error.is_none());
}

#[tokio::test]
async fn the_report_tells_of_each_list_how_it_was_read() {
    let nexus = Nexus::start().await;
    let good = List { name: "good", ..List::of(3) };
    let failed = List { name: "failed", end: ListEnd::Failed, ..List::of(2) };
    let forgotten = List { name: "forgotten", end: ListEnd::Forgotten, ..List::of(1) };
    let spoilt = List { name: "spoilt", quarantined: 2, ..List::of(4) };
    run(&Script { lists: vec![good, failed, forgotten, spoilt], ..Script::default() }, &nexus).await.unwrap();

    let report = nexus.completions().remove(0);
    let told: Vec<_> = report
        .scopes
        .iter()
        .map(|scope| (&scope.name[..], scope.complete, scope.records, scope.error.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("good", true, 3, None),
            ("failed", false, 2, Some("Page 2 was not answered")),
            ("forgotten", false, 1, Some("The list was not read to its end")),
            ("spoilt", false, 4, Some("2 records could not be understood")),
        ]
    );
    assert_eq!((report.vendor_calls, report.quarantined.len(), report.error), (4, 2, None));
    assert_eq!(report.quarantined[0].external_id.as_deref(), Some("q"));
}

#[tokio::test]
async fn progress_is_told_here_and_to_nexus_with_the_last_word() {
    let nexus = Nexus::start().await;
    let seen: Mutex<Vec<Progress>> = Mutex::default();
    let reporter = |progress: &Progress| seen.lock().unwrap().push(progress.clone());
    let script = Script::of(List::of(1_500));
    let start = Instant::now();
    nexus_jobs::run(&script, &nexus.client(), &Event::schedule(), Deadline::none(), &reporter).await.unwrap();

    let seen = seen.into_inner().unwrap();
    assert_eq!(seen[0], Progress { step: "companies".into(), total: Some(1_500), ..Progress::default() });
    assert!(seen.iter().any(|progress| progress.done == 1_000), "a batch was filled");
    assert!(seen.is_sorted_by_key(|progress| progress.done));

    let told = nexus.progress();
    let last =
        Progress { step: "Comparing with the directory".into(), done: 1_500, vendor_calls: 1, ..Progress::default() };
    assert_eq!(told.last(), Some(&last));
    let most = 3 + start.elapsed().as_secs();
    assert!(told.len() as u64 <= most, "at most each second and at each step: {told:?}");
}

#[tokio::test]
async fn a_run_can_be_sent_to_another_thread() {
    fn sendable<T: Send>(work: T) -> T {
        work
    }
    let nexus = Nexus::start().await;
    let (script, client) = (Script::default(), nexus.client());
    let event = Event::schedule();
    sendable(nexus_jobs::run(&script, &client, &event, Deadline::none(), &nexus_jobs::Silent)).await.unwrap();
}

#[tokio::test]
async fn every_step_is_told_even_when_the_next_one_follows_at_once() {
    let nexus = Nexus::start().await;
    let lists = ["one", "two", "three"].map(|name| List { name, ..List::of(0) }).to_vec();
    run(&Script { lists, ..Script::default() }, &nexus).await.unwrap();
    let steps: Vec<String> = nexus.progress().into_iter().map(|progress| progress.step).collect();
    let mut distinct = steps.clone();
    distinct.dedup();
    assert_eq!(distinct, ["one", "two", "three", "Comparing with the directory"], "{steps:?}");
}
