//! One sign-in for all calls, renewed in time.

use jiff::{SignedDuration, Timestamp};
use nexus_client::{Error, Options};
use nexus_core::Clock;
use serde_json::{Value, json};

use crate::server::{Server, TOKEN, json as answer_json, ok, problem, token};
use crate::{PASSWORD, client, client_with, options};

/// Gives out `t0`, `t1`, … and accepts every one but those in `refused`.
async fn numbering(expires_in: Option<u32>, refused: &'static [&'static str]) -> Server {
    Server::start(move |seen, before| {
        if seen.what == "POST /api/token" {
            token(&format!("t{before}"), expires_in)
        } else if refused.iter().any(|token| seen.header("authorization") == format!("Bearer {token}")) {
            problem(401, "Token has expired")
        } else {
            ok()
        }
    })
    .await
}

#[tokio::test]
async fn many_calls_at_a_time_share_one_sign_in() {
    let server = numbering(Some(3600), &[]).await;
    let client = client(&server);
    let other = client.clone();
    let (a, b, c) = tokio::join!(client.get::<Value>("/a"), client.get::<Value>("/b"), other.get::<Value>("/c"));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let sign_ins = server.sign_ins();
    assert_eq!(sign_ins.len(), 1);
    let body: Value = serde_json::from_str(&sign_ins[0].body).unwrap();
    assert_eq!(body, json!({ "username": "nexus-jobs", "password": PASSWORD }));
    assert_eq!(sign_ins[0].header("authorization"), "");
}

#[tokio::test]
async fn a_token_is_renewed_well_before_it_ends() {
    let server = numbering(Some(1_000), &[]).await;
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let client = client_with(&server, &Options { clock: clock.clone(), ..options() });
    for (advance, sign_ins) in [(0, 1), (799, 1), (1, 2), (799, 2), (5_000, 3)] {
        clock.advance(SignedDuration::from_secs(advance));
        let _: Value = client.get("/x").await.unwrap();
        assert_eq!(server.sign_ins().len(), sign_ins, "after {advance} s more");
    }
}

#[tokio::test]
async fn a_token_without_a_known_end_serves_until_it_is_refused() {
    let server = numbering(None, &["t0"]).await;
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let client = client_with(&server, &Options { clock: clock.clone(), ..options() });
    let _: Value = client.post("/x", &1).await.unwrap();
    clock.advance(SignedDuration::from_hours(1_000));
    let _: Value = client.get("/x").await.unwrap();
    assert_eq!(server.sign_ins().len(), 2);
    assert_eq!(server.seen().len(), 3, "the refused call and its repetition, then one more");
}

#[tokio::test]
async fn a_token_that_is_refused_again_and_again_is_not_renewed_for_ever() {
    let server = numbering(Some(3600), &["t0", "t1", "t2"]).await;
    let error = client(&server).get::<Value>("/x").await.unwrap_err();
    assert_eq!(error.problem().unwrap().detail, "Token has expired");
    assert_eq!((server.sign_ins().len(), server.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_wrong_password_is_told_with_what_to_check() {
    let server = Server::start(|_, _| problem(401, "Invalid credentials")).await;
    let error = client(&server).get::<Value>("/x").await.unwrap_err();
    assert!(matches!(error, Error::SignIn { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("nexus-jobs") && text.contains("Invalid credentials") && text.contains("[nexus_auth]"),
        "{text}"
    );
    assert_eq!((server.sign_ins().len(), server.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_sign_in_that_fails_in_passing_is_tried_again() {
    let server = Server::start(|seen, before| match (seen.what.as_str(), before) {
        ("POST /api/token", 0) => problem(503, "Nexus cannot answer right now"),
        ("POST /api/token", _) => token(TOKEN, Some(60)),
        _ => ok(),
    })
    .await;
    let _: Value = client(&server).get("/x").await.unwrap();
    assert_eq!(server.sign_ins().len(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_an_error() {
    let server = Server::start(|_, _| answer_json(r#"{"token":"a\nb"}"#)).await;
    let error = client(&server).get::<Value>("/x").await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}
