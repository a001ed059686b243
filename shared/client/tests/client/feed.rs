//! The change feed, followed.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use futures_util::{StreamExt as _, TryStreamExt as _};
use nexus_client::Options;
use serde_json::json;

use crate::server::{Server, broken, json as answer_json, problem};
use crate::{client, client_with, options};

/// A part with changes at these cursors.
fn part(cursors: &[i64], next: i64) -> Response<Body> {
    let changes: Vec<_> = cursors
        .iter()
        .map(|cursor| {
            json!({
                "cursor": cursor, "at": "2026-02-03T19:05:39.000Z", "changeset_id": 1, "entity": "company", "id": 7,
                "account_number": "007", "action": "update", "before": {"name": "Six"}, "after": {"name": "Seven"},
                "author": "ada", "origin": "api",
            })
        })
        .collect();
    answer_json(json!({ "changes": changes, "next": next }).to_string())
}

fn whats(server: &Server) -> Vec<String> {
    server.seen().into_iter().map(|seen| seen.what).collect()
}

#[tokio::test]
async fn the_feed_is_followed_part_by_part_and_an_empty_answer_is_not_told() {
    let server =
        Server::script(vec![|| part(&[4, 5], 5), broken, || part(&[], 5), || part(&[], 9), || part(&[10], 10), || {
            problem(403, "Access denied")
        }])
        .await;
    let mut parts = client(&server).follow(3);
    let first = parts.try_next().await.unwrap().unwrap();
    assert_eq!((first.changes.len(), first.changes[1].cursor, first.next), (2, 5, 5));
    let out_of_sight = parts.try_next().await.unwrap().unwrap();
    assert_eq!((out_of_sight.changes.len(), out_of_sight.next), (0, 9));
    assert_eq!(parts.try_next().await.unwrap().unwrap().next, 10);
    assert_eq!(parts.try_next().await.unwrap_err().status(), Some(403));
    assert!(parts.next().await.is_none());
    let asked = |after: i64| format!("GET /api/changes?after={after}&limit=1000&wait=20");
    assert_eq!(whats(&server), [3, 5, 5, 5, 9, 10].map(asked));
}

#[tokio::test]
async fn nexus_may_wait_longer_than_any_other_call_may_take() {
    let server = Server::start(|seen, _| {
        if seen.what.ends_with("/token") {
            return crate::server::token("t", None);
        }
        let late = futures_util::stream::once(async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            axum::body::to_bytes(part(&[4], 4).into_body(), 1 << 20).await
        });
        Response::new(Body::from_stream(late))
    })
    .await;
    let nexus = client_with(&server, &Options { request_timeout: Duration::from_millis(250), tries: 1, ..options() });
    assert_eq!(nexus.changes(3, 10, Duration::from_secs(2)).await.unwrap().next, 4);
    assert_eq!(whats(&server), ["GET /api/changes?after=3&limit=10&wait=2"]);
}
