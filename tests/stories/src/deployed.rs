//! Stories told before the deployed functions: `NEXUS_TEST_DEPLOYED=1 cargo test --workspace --test stories -- postgres`. Their clock
//! reaches the binaries by Debian's package `libfaketime`.

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use nexus_core::config::DatabaseUrl;
use nexus_deployed::deployment::{Given, binaries};
use nexus_deployed::{Deployment, Python, Routes, Template};
use nexus_events::{Bus, Event, JOB_SET, RECORD_CHANGED, RUN_REQUESTED};
use nexus_test_databases::World;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The template's routes, once for all stories of this process.
fn routes() -> &'static Routes {
    static ONCE: OnceLock<Routes> = OnceLock::new();
    ONCE.get_or_init(|| Routes::of(&Template::translated(&Python::ready(&std::env::temp_dir()))))
}

/// The functions over a world's database, if the stories are to be told before them. They are deployed over PostgreSQL alone.
pub(crate) async fn start(world: &World, keys: &[(&str, &SecretString)], bus: &Bus) -> Option<Deployment> {
    if !matches!(world.url, DatabaseUrl::Postgres(_)) || std::env::var_os("NEXUS_TEST_DEPLOYED").is_none() {
        return None;
    }
    let (folder, routes) = tokio::task::spawn_blocking(|| (binaries(), routes().clone())).await.unwrap();
    let given = Given {
        aws: Some(event_bridge(bus.clone()).await),
        keys: keys.iter().map(|(kid, pem)| ((*kid).to_owned(), (*pem).clone())).collect(),
        variables: vec![("NEXUS__NEXUS_AUTH__API_KEY_DAYS_MAX".to_owned(), "366".to_owned())],
        clock: Some(world.clock.clone()),
    };
    Some(Deployment::start(&world.url, folder, routes, given).await)
}

/// An EventBridge whose events go on by a story's bus; its address. (That of `moto`, which is held against what AWS documents,
/// has its own tests in `tests/deployed`.)
#[expect(clippy::disallowed_methods, reason = "a test's server is no function")]
async fn event_bridge(bus: Bus) -> String {
    let take = async move |headers: HeaderMap, body: Bytes| {
        let asked: Value = serde_json::from_slice(&body).unwrap();
        let answer = match headers["x-amz-target"].to_str().unwrap() {
            "AWSEvents.PutEvents" => {
                let events: Vec<Event> = asked["Entries"].as_array().unwrap().iter().map(event).collect();
                bus.send(&events).await.unwrap();
                json!({ "FailedEntryCount": 0, "Entries": vec![json!({ "EventId": "1" }); events.len()] })
            }
            "AWSEvents.PutRule" => json!({ "RuleArn": "arn:aws:events:eu-central-1:123456789012:rule/x" }),
            "AWSEvents.PutTargets" => json!({ "FailedEntryCount": 0, "FailedEntries": [] }),
            other => return (StatusCode::BAD_REQUEST, format!("{{\"__type\": \"{other}\"}}")),
        };
        (StatusCode::OK, answer.to_string())
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await });
    address
}

fn event(entry: &Value) -> Event {
    let known = [RUN_REQUESTED, JOB_SET, RECORD_CHANGED];
    let detail_type = known.into_iter().find(|known| entry["DetailType"] == *known).unwrap();
    Event { detail_type, detail: serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap() }
}
