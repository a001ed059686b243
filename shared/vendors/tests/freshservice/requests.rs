//! What goes out: address, credentials, headers, limits of one request.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use nexus_vendors::{BaseUrl, CallCounts, ConfigError, Error, TransportConfig, TransportKind, freshservice};
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::server::{Server, answer, departments, json, status};
use crate::{KEY, client, client_at, config, sweep};

#[tokio::test]
async fn a_list_is_asked_for_page_by_page_with_the_trimmed_key_as_user() {
    let server = Server::start(|_, _| departments(&[1], None)).await;
    let base = BaseUrl::parse(&server.address).unwrap();
    let key = SecretString::from(format!(" {KEY}\n"));
    let client = freshservice::Freshservice::new(base, &key, &config()).unwrap();
    sweep(client.departments()).await.unwrap();

    let seen = &server.seen()[0];
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.target, "/api/v2/departments?per_page=100&page=1");
    // base64 of "k3yThatMustNotLeak:X"
    assert_eq!(seen.header("authorization"), "Basic azN5VGhhdE11c3ROb3RMZWFrOlg=");
    assert_eq!(seen.header("user-agent"), concat!("Nexus/", env!("CARGO_PKG_VERSION")));
    assert_eq!(seen.header("accept"), "application/json");
}

#[tokio::test]
async fn an_address_with_a_path_is_a_prefix_of_every_call() {
    let server = Server::start(|_, _| json(r#"{"requesters":[]}"#)).await;
    sweep(client_at(&format!("{}/freshservice", server.address), &config()).requesters()).await.unwrap();
    assert_eq!(server.seen()[0].target, "/freshservice/api/v2/requesters?per_page=100&page=1");
}

#[test]
fn a_blank_or_impossible_key_is_refused_when_the_client_is_built() {
    for key in ["", "  \n", "two words", "user:password"] {
        let base = freshservice::base_url("acme").unwrap();
        let error = freshservice::Freshservice::new(base, &SecretString::from(key), &config()).unwrap_err();
        assert_eq!(error, ConfigError::ApiKey, "{key}");
    }
}

#[tokio::test]
async fn a_redirect_is_refused_and_not_followed() {
    let elsewhere = Server::start(|_, _| departments(&[1], None)).await;
    let target = elsewhere.address.clone();
    let server = Server::start(move |_, _| answer(302, &[("location", &target)], "")).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert!(matches!(error, Error::Rejected { status: 302, .. }), "{error:?}");
    assert_eq!((server.count(), elsewhere.count()), (1, 0));
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error_and_not_read_to_its_end() {
    // Without a length and without an end: only a client that stops reading ever answers.
    let server = Server::start(|_, _| {
        let chunk = || Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 64 * 1024]));
        Response::new(Body::from_stream(futures_util::stream::repeat_with(chunk)))
    })
    .await;
    let config = TransportConfig { max_body_bytes: 1024 * 1024, ..config() };
    let client = client_at(&server.address, &config);
    let error = sweep(client.departments()).await.unwrap_err();
    assert_eq!(error, Error::TooLarge { limit: 1024 * 1024 });
    assert_eq!(server.count(), 1, "it is not tried again");
}

#[tokio::test]
async fn a_vendor_that_never_answers_is_a_time_out() {
    // Accepts connections in the kernel's queue and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let config = TransportConfig { request_timeout: Duration::from_millis(50), tries: 2, ..config() };
    let client = client_at(&address, &config);
    let start = tokio::time::Instant::now();
    let error = client.whoami().await.unwrap_err();
    assert!(matches!(error, Error::Transport { kind: TransportKind::TimedOut, .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5), "the configured time-out counts: {:?}", start.elapsed());
    assert!(error.is_transient());
    assert_eq!(client.calls().calls, 2);
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_named_as_such_without_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client_at(&address, &TransportConfig { tries: 1, ..config() }).whoami().await.unwrap_err();
    assert!(matches!(error, Error::Transport { kind: TransportKind::Connect, .. }), "{error:?}");
    assert!(error.to_string().starts_with("cannot connect to the vendor: Connection refused"), "{error}");
}

#[tokio::test]
async fn https_is_spoken_without_any_set_up_by_the_process() {
    // A server that speaks no TLS is enough to see a handshake fail, and that there was a provider to begin it with.
    let server = Server::start(|_, _| status(200)).await;
    let address = server.address.replace("http://", "https://");
    let error = client_at(&address, &TransportConfig { tries: 1, ..config() }).whoami().await.unwrap_err();
    assert!(matches!(error, Error::Transport { kind: TransportKind::Connect, .. }), "{error:?}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn clones_share_the_counts_and_the_rate_headers_are_reported() {
    let server = Server::start(|_, before| {
        let remaining = (139 - before).to_string();
        let headers = [("X-RateLimit-Total", "140"), ("x-ratelimit-remaining", remaining.as_str())];
        answer(200, &headers, r#"{"agent":{"id":1}}"#)
    })
    .await;
    let client = client(&server);
    assert_eq!(client.calls(), CallCounts::default());
    client.whoami().await.unwrap();
    client.clone().whoami().await.unwrap();
    let expected = CallCounts { calls: 2, retries: 0, rate_limit_total: Some(140), rate_limit_remaining: Some(138) };
    assert_eq!(client.calls(), expected);
}

#[tokio::test]
async fn whoami_tells_whose_key_it_is() {
    let server = Server::start(|_, _| {
        json(r#"{"agent":{"id":39000380032,"first_name":"Ada","email":"ada@msp.example","active":true,"roles":[]}}"#)
    })
    .await;
    let agent = client(&server).whoami().await.unwrap();
    assert_eq!(server.seen()[0].target, "/api/v2/agents/me");
    assert_eq!((agent.id, agent.email.as_deref(), agent.active), (39_000_380_032, Some("ada@msp.example"), Some(true)));
}

#[tokio::test]
async fn a_refusal_is_never_an_empty_list() {
    for (code, expected) in [(403, 403), (404, 404), (400, 400)] {
        let server = Server::start(move |_, _| status(code)).await;
        let client = client(&server);
        let failures = [
            sweep(client.departments()).await.unwrap_err(),
            sweep(client.requesters()).await.unwrap_err(),
            client.workspaces().await.unwrap_err(),
            client.whoami().await.unwrap_err(),
        ];
        for error in failures {
            assert!(matches!(&error, Error::Rejected { status, .. } if *status == expected), "{error:?}");
            assert!(!error.is_transient());
        }
        assert_eq!(server.count(), 4, "{code} is permanent");
    }
}

#[tokio::test]
async fn refused_credentials_are_permanent() {
    let server = Server::start(|_, _| status(401)).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::Auth, 1));
    assert!(!Error::Auth.is_transient());
}
