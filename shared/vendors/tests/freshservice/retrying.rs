//! What is tried again, and how often.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use nexus_vendors::{Error, TransportConfig};

use crate::server::{Server, answer, departments, status};
use crate::{client, client_at, config, sweep};

#[tokio::test]
async fn a_read_that_fails_in_passing_is_repeated() {
    for passing in [
        (|| status(500)) as fn() -> Response<Body>,
        || status(502),
        || status(503),
        || status(504),
        || answer(429, &[("retry-after", "0")], ""),
        || answer(503, &[("retry-after", "0")], ""),
        || {
            answer(
                429,
                &[("retry-after", "Tue, 03 Mar 2026 10:00:00 GMT"), ("date", "Tue, 03 Mar 2026 10:00:00 GMT")],
                "",
            )
        },
        broken_off,
    ] {
        let server = Server::script(vec![passing, passing, passing, || departments(&[1], None)]).await;
        let client = client(&server);
        let pages = sweep(client.departments()).await.unwrap();
        assert_eq!(pages[0].records.len(), 1);
        assert_eq!((client.calls().calls, client.calls().retries), (4, 3));
    }
}

/// An answer that announces more than it sends.
fn broken_off() -> Response<Body> {
    let chunks = [Ok(bytes::Bytes::from_static(b"{\"departments\":[")), Err(std::io::Error::other("broken off"))];
    Response::new(Body::from_stream(futures_util::stream::iter(chunks)))
}

#[tokio::test]
async fn the_tries_of_one_read_are_bounded() {
    let server = Server::start(|_, _| status(502)).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    let excerpt = r#"{"code":"some_code","message":"Some message."}"#.to_owned();
    assert_eq!(error, Error::Rejected { status: 502, excerpt });
    assert!(error.is_transient());
    assert_eq!(server.count(), 4);

    let server = Server::start(|_, _| answer(429, &[("retry-after", "0")], "")).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::RateLimited { after: Duration::ZERO }, 4));
}

#[tokio::test]
async fn a_wait_beyond_the_ceiling_ends_the_run_at_once() {
    let server = Server::start(|_, _| answer(429, &[("Retry-After", "1801")], "")).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::RateLimited { after: Duration::from_secs(1801) }, 1));
}

#[tokio::test]
async fn a_rate_limit_that_names_no_time_means_a_minute() {
    let server = Server::start(|_, _| status(429)).await;
    let client = client_at(&server.address, &TransportConfig { wait_ceiling: Duration::from_secs(59), ..config() });
    let error = sweep(client.departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::RateLimited { after: Duration::from_mins(1) }, 1));
}

#[tokio::test]
async fn a_failure_in_mid_sweep_fails_the_sweep_and_the_next_call_reads_the_same_page() {
    let server = Server::script(vec![
        || departments(&[1], Some("/api/v2/departments?per_page=100&page=2")),
        || status(403),
        || departments(&[2], None),
    ])
    .await;
    let mut pages = client(&server).departments();
    assert!(pages.next().await.unwrap().is_some());
    assert!(matches!(pages.next().await, Err(Error::Rejected { status: 403, .. })));
    let page = pages.next().await.unwrap().expect("not the end");
    assert_eq!((page.number, page.records[0].id), (2, 2));
    assert!(pages.next().await.unwrap().is_none());
    assert_eq!(server.seen().iter().map(crate::server::Seen::page).collect::<Vec<_>>(), [1, 2, 2]);
}

#[tokio::test]
async fn a_pace_is_kept_on_the_wire() {
    let server = Server::start(|_, _| departments(&[1], None)).await;
    let pace = TransportConfig { requests_per_minute: NonZeroU32::new(1200), ..config() };
    let client = client_at(&server.address, &pace);
    let start = tokio::time::Instant::now();
    for _ in 0..4 {
        sweep(client.clone().departments()).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_pace_slows_down_to_what_the_rate_headers_say_is_left() {
    let server = Server::start(|_, _| answer(200, &[("X-RateLimit-Remaining", "600")], r#"{"departments":[]}"#)).await;
    let pace = TransportConfig { requests_per_minute: NonZeroU32::new(60_000), ..config() };
    let client = client_at(&server.address, &pace);
    let start = tokio::time::Instant::now();
    for _ in 0..3 {
        sweep(client.departments()).await.unwrap();
    }
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_time_that_the_vendor_asks_for_passes_before_the_next_try() {
    for code in [429, 503] {
        let server = Server::start(move |_, before| match before {
            0 => answer(code, &[("Retry-After", "1")], ""),
            _ => departments(&[1], None),
        })
        .await;
        let start = tokio::time::Instant::now();
        sweep(client(&server).departments()).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1), "{code}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_outage_that_asks_for_more_than_the_ceiling_stays_an_outage() {
    let server = Server::start(|_, _| answer(503, &[("Retry-After", "7200")], "")).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::Rejected { status: 503, excerpt: String::new() }, 1));
}
