//! The protocol of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use nexus_client::{Error, Options};
use nexus_core::sync::{Batch, Complete, Observation, Progress, RunState, StartRun, Trigger};
use nexus_core::{Entity, Fields};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::server::{Server, answer, broken, json as answer_json, no_content, problem};
use crate::{client, client_with, options};

fn run(state: &str) -> Response<Body> {
    answer_json(
        json!({
            "id": 7, "job": "sync-freshservice", "state": state, "trigger": "manual", "message": null,
            "started_at": "2026-02-03T19:05:39.000Z", "finished_at": null,
            "progress": { "step": "", "done": 0, "total": null, "vendor_calls": 0 },
            "counts": {}, "scopes": [], "quarantined": [], "gaps": [], "log": [], "changeset_id": null
        })
        .to_string(),
    )
}

fn nothing_read() -> Complete {
    Complete { vendor_calls: 3, error: Some("broken".into()), ..Complete::default() }
}

#[tokio::test]
async fn a_run_is_told_step_by_step() {
    let server = Server::script(vec![
        || answer(201, &[], r#"{"run_id":7,"lease_seconds":60}"#),
        no_content,
        no_content,
        || run("applied"),
        || run("applied"),
    ])
    .await;
    let client = client(&server);
    let start = StartRun::new("sync-freshservice", Trigger::Manual);
    let started = client.start_run(&start).await.unwrap();
    assert_eq!((started.run_id, started.lease_seconds), (7, 60));
    let observation = Observation {
        entity: Entity::Company,
        external_id: "1".into(),
        scope: "companies".into(),
        fields: Fields::new(),
        links: BTreeMap::new(),
    };
    let batch = Batch { observations: vec![observation] };
    client.send_observations(7, 0, &batch).await.unwrap();
    let progress = Progress { step: "Companies".into(), done: 1, vendor_calls: 2, ..Progress::default() };
    client.report_progress(7, &progress).await.unwrap();
    assert_eq!(client.complete_run(7, &nothing_read()).await.unwrap().state, RunState::Applied);
    assert_eq!(client.run(7).await.unwrap().id, 7);

    let seen = server.seen();
    let whats: Vec<&str> = seen.iter().map(|seen| seen.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "POST /api/sync/runs",
            "PUT /api/sync/runs/7/observations/0",
            "PUT /api/sync/runs/7/progress",
            "POST /api/sync/runs/7/complete",
            "GET /api/sync/runs/7",
        ]
    );
    let body = |n: usize| serde_json::from_str::<Value>(&seen[n].body).unwrap();
    assert_eq!(body(0), json!({ "job": "sync-freshservice", "trigger": "manual" }));
    let record = json!({ "entity": "company", "external_id": "1", "scope": "companies", "fields": {} });
    assert_eq!(body(1), json!({ "observations": [record] }));
    assert_eq!(body(3)["error"], "broken");
}

#[tokio::test]
async fn a_completion_without_answer_is_not_sent_again_but_looked_at_until_it_has_ended() {
    for lost in [broken, || answer(504, &[], ""), || answer(503, &[], r#"{"message":"Service Unavailable"}"#)] {
        let server =
            Server::script(vec![lost, || run("running"), || problem(500, "oops"), || run("running"), || run("held")])
                .await;
        let ended = client(&server).complete_run(7, &nothing_read()).await.unwrap();
        assert_eq!(ended.state, RunState::Held);
        let posts = server.seen().iter().filter(|seen| seen.what.starts_with("POST")).count();
        assert_eq!((posts, server.seen().len()), (1, 5));
    }
}

#[tokio::test]
async fn a_completion_that_nexus_did_not_take_is_sent_again() {
    let server = Server::script(vec![|| answer(503, &[("retry-after", "0")], ""), || run("applied")]).await;
    assert_eq!(client(&server).complete_run(7, &nothing_read()).await.unwrap().state, RunState::Applied);
    assert!(server.seen().iter().all(|seen| seen.what == "POST /api/sync/runs/7/complete"));
}

#[tokio::test]
async fn looking_at_a_run_ends_with_the_patience() {
    let server = Server::script(vec![broken, || run("running")]).await;
    let options = Options { complete_timeout: Duration::from_millis(30), ..options() };
    let error = client_with(&server, &options).complete_run(7, &nothing_read()).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_completion_that_is_refused_is_an_error_at_once() {
    let server = Server::script(vec![|| problem(409, "The run has ended")]).await;
    let error = client(&server).complete_run(7, &nothing_read()).await.unwrap_err();
    assert_eq!((error.status(), server.seen().len()), (Some(409), 1));
}

#[tokio::test]
async fn a_completion_may_take_longer_than_any_other_call() {
    let others_gave_up = Arc::new(Notify::new());
    let signal = others_gave_up.clone();
    let server = Server::start(move |seen, _| {
        if seen.what.ends_with("/token") {
            return crate::server::token("t", None);
        }
        let (signal, is_completion) = (signal.clone(), seen.what.ends_with("/complete"));
        let late = futures_util::stream::once(async move {
            if !is_completion {
                std::future::pending::<()>().await;
            }
            signal.notified().await;
            axum::body::to_bytes(run("applied").into_body(), 1 << 20).await
        });
        Response::new(Body::from_stream(late))
    })
    .await;
    let options = Options { request_timeout: Duration::from_millis(30), tries: 1, ..options() };
    let client = client_with(&server, &options);
    let report = nothing_read();
    let other = async {
        let other = client.run(7).await;
        others_gave_up.notify_one();
        other
    };
    let (completed, other) = tokio::join!(client.complete_run(7, &report), other);
    assert_eq!(other.unwrap_err(), Error::TimedOut);
    assert_eq!(completed.unwrap().state, RunState::Applied);
}
