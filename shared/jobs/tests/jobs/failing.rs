//! Whatever fails after the start ends in a run that says so.

use std::time::Duration;

use nexus_core::sync::RunState;
use nexus_jobs::{Deadline, Event, JobError, Silent};

use crate::nexus::Nexus;
use crate::{End, List, Script, run};

#[tokio::test]
async fn a_run_that_is_going_is_not_disturbed() {
    let nexus = Nexus::refusing(|what, _| (what == "POST /api/sync/runs").then_some(409)).await;
    let error = run(&Script::of(List::of(3)), &nexus).await.unwrap_err();
    assert!(matches!(&error, JobError::NotBegun { job: "sync-test", reason } if reason == "no, sorry"), "{error:?}");
    assert_eq!(nexus.calls().len(), 1);
}

#[tokio::test]
async fn a_nexus_that_lets_no_run_begin_is_told() {
    let nexus = Nexus::refusing(|what, _| (what == "POST /api/sync/runs").then_some(403)).await;
    let error = run(&Script::default(), &nexus).await.unwrap_err();
    assert_eq!(error.to_string(), "the run could not be started: Nexus answered 403: no, sorry");
}

#[tokio::test]
async fn a_job_that_gives_up_fails_its_run_with_its_own_words() {
    let nexus = Nexus::start().await;
    let script = Script { end: End::GivesUp, ..Script::of(List::of(2)) };
    let ended = run(&script, &nexus).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    assert_eq!(ended.message.as_deref(), Some("The vendor is on holiday"));
    assert_eq!(nexus.batches().len(), 0, "what was not sent yet is not needed any more");
}

#[tokio::test]
async fn batches_that_are_refused_stop_the_job_and_fail_its_run() {
    for status in [500, 413, 409] {
        let nexus = Nexus::refusing(move |what, _| what.ends_with("/observations/2").then_some(status)).await;
        let ended = run(&Script::of(List::of(100_000)), &nexus).await.unwrap();
        assert_eq!(ended.state, RunState::Failed);
        let told = format!("What was read could not be handed over: Nexus answered {status}: no, sorry");
        assert_eq!(ended.message, Some(told));
        assert_eq!(nexus.batches().len(), 2);
    }
}

#[tokio::test]
async fn a_batch_that_fails_in_passing_is_sent_again_under_its_number() {
    let nexus = Nexus::refusing(|what, before| (what.ends_with("/observations/1") && before == 0).then_some(503)).await;
    assert_eq!(run(&Script::of(List::of(1_001)), &nexus).await.unwrap().state, RunState::Applied);
    let numbers: Vec<_> = nexus
        .calls()
        .into_iter()
        .filter_map(|(what, _)| what.split("observations/").nth(1).map(str::to_owned))
        .collect();
    assert_eq!(numbers, ["1", "1", "2"]);
}

#[tokio::test]
async fn progress_that_cannot_be_told_does_not_stop_a_run() {
    let nexus = Nexus::refusing(|what, _| what.ends_with("/progress").then_some(500)).await;
    assert_eq!(run(&Script::of(List::of(10)), &nexus).await.unwrap().state, RunState::Applied);
}

#[tokio::test]
async fn a_run_that_nexus_has_ended_stops_the_job() {
    let nexus = Nexus::refusing(|what, _| what.ends_with("/progress").then_some(409)).await;
    let script = Script { end: End::Hangs, ..Script::of(List::of(1)) };
    assert_eq!(run(&script, &nexus).await.unwrap().state, RunState::Failed);
}

#[tokio::test]
async fn a_job_without_time_fails_its_run_before_it_is_cut_off() {
    let nexus = Nexus::start().await;
    let script = Script { end: End::Hangs, ..Script::of(List::of(1)) };
    let deadline = Deadline::after(Duration::from_millis(400));
    let ended = nexus_jobs::run(&script, &nexus.client(), &Event::schedule(), deadline, &Silent).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    assert!(ended.message.unwrap().starts_with("The time of the job ended"));
    assert_eq!(nexus.completions()[0].scopes[0].records, 1, "what was read is told");
}

#[tokio::test]
async fn a_completion_that_is_refused_fails_the_run() {
    let nexus = Nexus::refusing(|what, before| (what.ends_with("/complete") && before == 0).then_some(500)).await;
    let ended = run(&Script::of(List::of(1)), &nexus).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    let told = "The run could not be completed: Nexus answered 500: no, sorry";
    assert_eq!(ended.message.as_deref(), Some(told));
}

#[tokio::test]
async fn a_run_that_cannot_be_completed_at_all_is_an_error_with_both_reasons() {
    let nexus = Nexus::refusing(|what, _| what.ends_with("/complete").then_some(500)).await;
    let script = Script { end: End::GivesUp, ..Script::default() };
    let error = run(&script, &nexus).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "run 7 could not be completed: Nexus answered 500: no, sorry; before that: The vendor is on holiday"
    );
    assert_eq!(nexus.completions().len(), 1);
}

#[tokio::test]
async fn a_record_too_large_to_be_sent_is_left_out_alone() {
    let nexus = Nexus::start().await;
    let huge = List { name: "huge", size: 2_000_000, ..List::of(1) };
    let script = Script { lists: vec![List::of(2), huge, List::of(3)], ..Script::default() };
    assert_eq!(run(&script, &nexus).await.unwrap().state, RunState::Applied);
    let report = nexus.completions().remove(0);
    assert_eq!(report.quarantined[0].reason, "The record is larger than 786432 bytes");
    let complete: Vec<bool> = report.scopes.iter().map(|scope| scope.complete).collect();
    assert_eq!(complete, [true, false, true]);
    assert_eq!(nexus.batches().iter().map(|batch| batch.observations.len()).sum::<usize>(), 5);
}
