//! What starts a job, and what does not.

use nexus_core::sync::Trigger;
use nexus_jobs::{Event, EventError, JobError, Silent};
use serde_json::{Value, json};

use crate::nexus::Nexus;
use crate::{Script, run};

fn recorded(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture of JSON")
}

#[test]
fn the_timer_and_a_request_of_a_person_start_a_job() {
    let scheduled = Event::decode(&recorded(include_str!("../events/scheduled.json"))).unwrap();
    assert_eq!(scheduled, Event { trigger: Trigger::Schedule, job: None, run_id: None, dry_run: false });
    let requested = Event::decode(&recorded(include_str!("../events/run-requested.json"))).unwrap();
    assert_eq!((requested.trigger, requested.job.as_deref()), (Trigger::Manual, Some("sync-freshservice")));
}

#[test]
fn only_what_tells_the_event_apart_has_to_be_there() {
    let least = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": null });
    assert_eq!(Event::decode(&least), Ok(Event::schedule()));
}

#[test]
fn any_other_event_is_told_apart_and_why() {
    let request = |detail: Value| json!({ "source": "nexus", "detail-type": "run requested", "detail": detail });
    let missing = |name: &str| format!("the event has no text in {name:?}");
    for (event, told) in [
        (json!(null), "the event is not a JSON object".to_owned()),
        (json!([]), "the event is not a JSON object".to_owned()),
        (json!("Scheduled Event"), "the event is not a JSON object".to_owned()),
        (json!({}), missing("source")),
        (json!({ "source": 7, "detail-type": "Scheduled Event" }), missing("source")),
        (json!({ "source": "aws.events" }), missing("detail-type")),
        (json!({ "source": "aws.events", "detail-type": " " }), missing("detail-type")),
        (json!({ "source": "nexus", "detail-type": "run requested" }), missing("detail.job")),
        (request(json!(null)), missing("detail.job")),
        (request(json!({})), missing("detail.job")),
        (request(json!({ "job": "" })), missing("detail.job")),
        (request(json!({ "job": ["sync-freshservice"] })), missing("detail.job")),
    ] {
        assert_eq!(Event::decode(&event).unwrap_err().to_string(), told, "{event}");
    }
    let foreign = Event::decode(&recorded(include_str!("../events/object-created.json"))).unwrap_err();
    assert_eq!(
        foreign.to_string(),
        "an event \"Object Created\" of \"aws.s3\" starts no job; expected \"Scheduled Event\" of \"aws.events\" or \
         \"run requested\" of \"nexus\""
    );
}

#[test]
fn half_of_one_event_and_half_of_the_other_is_neither() {
    for (source, kind) in [("nexus", "Scheduled Event"), ("aws.events", "run requested")] {
        let event = json!({ "source": source, "detail-type": kind, "detail": { "job": "sync-freshservice" } });
        assert!(matches!(Event::decode(&event), Err(EventError::Unknown { .. })), "{event}");
    }
}

#[test]
fn a_hostile_event_does_not_get_far_into_the_log() {
    let event = json!({ "source": "\u{1b}[2J".repeat(1_000), "detail-type": "x".repeat(100_000) });
    let told = Event::decode(&event).unwrap_err().to_string();
    assert!(told.len() < 1_000 && !told.contains('\u{1b}'), "{told}");
}

#[tokio::test]
async fn an_event_for_another_job_starts_no_run() {
    let nexus = Nexus::start().await;
    let event = Event::manual("sync-datto");
    let deadline = nexus_jobs::Deadline::none();
    let error = nexus_jobs::run(&Script::default(), &nexus.client(), &event, deadline, &Silent).await.unwrap_err();
    assert!(matches!(error, JobError::Event(EventError::OtherJob { .. })), "{error:?}");
    assert_eq!(nexus.calls(), []);
    run(&Script::default(), &nexus).await.unwrap();
}
