//! What failed in passing is sent again, where that does no harm.

use std::time::Duration;

use nexus_client::{Error, Options};
use nexus_core::sync::{StartRun, Trigger};
use serde_json::{Value, json};

use crate::server::{Server, answer, broken, json as answer_json, ok, problem};
use crate::{client, client_with, options};

#[tokio::test]
async fn a_read_or_a_put_goes_on_after_a_passing_failure() {
    let server = Server::script(vec![
        || problem(503, "busy"),
        || answer(429, &[("retry-after", "0")], ""),
        broken,
        || answer(502, &[], "<html>"),
        ok,
    ])
    .await;
    let _: Value = client(&server).put("/api/x", &"body").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|seen| seen.body == "\"body\""));
    assert_eq!(server.sign_ins().len(), 1);
}

#[tokio::test]
async fn a_post_is_sent_again_only_where_nexus_cannot_have_acted() {
    let server =
        Server::script(vec![|| answer(429, &[], ""), || answer(503, &[("retry-after", "0")], ""), broken, ok]).await;
    let error = client(&server).post::<Value>("/api/x", &1).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn the_tries_end() {
    let server = Server::script(vec![|| problem(503, "busy")]).await;
    let error = client_with(&server, &Options { tries: 3, ..options() }).get::<Value>("/api/x").await.unwrap_err();
    assert_eq!((error.status(), server.seen().len()), (Some(503), 3));
}

#[tokio::test]
async fn a_wait_longer_than_the_client_has_is_not_begun() {
    let server = Server::script(vec![|| answer(429, &[("retry-after", "3600")], "")]).await;
    let error = client(&server).get::<Value>("/api/x").await.unwrap_err();
    assert_eq!(error.problem().unwrap().retry_after, Some(Duration::from_hours(1)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_told_as_such() {
    // Nobody answers: the listener's queue takes the connection.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let options = Options { tries: 2, request_timeout: Duration::from_millis(20), ..options() };
    let client = nexus_client::Client::new(&address, crate::account(), &options).unwrap();
    assert_eq!(client.get::<Value>("/api/x").await.unwrap_err(), Error::TimedOut);
}

/// A contact that was created.
fn created() -> axum::http::Response<axum::body::Body> {
    answer(201, &[("etag", "\"1\"")], r#"{"message":"Contact created successfully","id":7}"#)
}

#[tokio::test]
async fn a_record_is_created_once_however_often_it_is_sent() {
    let server = Server::script(vec![
        || answer(503, &[], ""),
        broken,
        || problem(409, "A request with this Idempotency-Key is being carried out"),
        || answer(429, &[("retry-after", "0")], ""),
        created,
    ])
    .await;
    let nexus = client(&server);
    let saved = nexus.contacts().create(&json!({ "name": "Ada" })).await.unwrap();
    assert_eq!((saved.key, saved.version), (7, 1));
    nexus.contacts().create(&json!({ "name": "Ada" })).await.unwrap();
    let keys: Vec<String> = server.seen().iter().map(|seen| seen.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys.len(), 6);
    assert!(keys[0].len() == 32 && keys[..5].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_ne!(keys[5], keys[0], "another call is another request");
}

#[tokio::test]
async fn a_conflict_of_a_first_try_is_the_answer() {
    let server = Server::script(vec![|| problem(409, "A contact with this email already exists")]).await;
    let error = client(&server).contacts().create(&json!({})).await.unwrap_err();
    assert_eq!((error.status(), server.seen().len()), (Some(409), 1));
}

#[tokio::test]
async fn a_caller_may_name_its_request_itself() {
    let server = Server::script(vec![created]).await;
    let contacts = client(&server).contacts();
    contacts.create_as("import-7", &json!({})).await.unwrap();
    assert_eq!(server.seen()[0].header("idempotency-key"), "import-7");
    for wrong in ["", "a\nb", "\u{e4}", &"a".repeat(256)] {
        let error = contacts.create_as(wrong, &json!({})).await.unwrap_err();
        assert!(matches!(error, Error::Unwritable { .. }), "{error:?}");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_that_may_be_the_echo_of_a_lost_try_is_told_as_the_loss() {
    let lost = |error: Error| assert!(matches!(error, Error::Interrupted { .. }) && error.is_lost(), "{error:?}");
    let stale = || Server::script(vec![broken, || problem(412, "The record is at version 4")]);
    let server = stale().await;
    lost(client(&server).contacts().update(7, 3, &json!({})).await.unwrap_err());
    assert!(server.seen().iter().all(|seen| seen.header("if-match") == "\"3\""));
    lost(client(&stale().await).contacts().pin(7, "title", 3).await.unwrap_err());
    lost(client(&stale().await).contacts().archive(7, 3).await.unwrap_err());
    let gone = Server::script(vec![broken, || problem(404, "Contact not found")]).await;
    lost(client(&gone).contacts().archive(7, None).await.unwrap_err());
    // Where it cannot be an echo, the refusal is the news.
    let gone = Server::script(vec![broken, || problem(404, "Contact not found")]).await;
    assert_eq!(client(&gone).contacts().update(7, 3, &json!({})).await.unwrap_err().status(), Some(404));
}

#[tokio::test]
async fn a_start_of_a_run_is_sent_again_under_its_name() {
    let server = Server::script(vec![broken, || answer_json(r#"{"run_id":7,"lease_seconds":60}"#)]).await;
    let start = StartRun::new("sync-freshservice", Trigger::Manual);
    assert_eq!(client(&server).start_run(&start).await.unwrap().run_id, 7);
    let seen = server.seen();
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert!(!seen[0].header("idempotency-key").is_empty());
}
