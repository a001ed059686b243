//! What failed in passing is sent again, where that does no harm.

use std::time::Duration;

use nexus_client::{Error, Options};
use serde_json::Value;

use crate::server::{Server, answer, broken, ok, problem};
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
