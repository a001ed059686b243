//! A Nexus that takes every run, and remembers what it was told.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::serve::ListenerExt as _;
use nexus_client::{Account, Client, Options};
use nexus_core::Entity;
use nexus_core::sync::{Batch, Complete, Observation, Progress};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What it was told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) observations: Vec<Observation>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) report: Option<Complete>,
}

/// Runs until it is dropped.
pub(crate) struct Nexus {
    address: String,
    told: Arc<Mutex<Told>>,
    _running: JoinSet<()>,
}

impl Nexus {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let told: Arc<Mutex<Told>> = Arc::default();
        let router = router(told.clone());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, told, _running: running }
    }

    pub(crate) fn client(&self) -> Client {
        let account = Account { username: "nexus-jobs".into(), password: "p4ss".into() };
        Client::new(&self.address, account, &Options::default()).expect("a client")
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("what was told")
    }

    /// How the run was completed.
    pub(crate) fn report(&self) -> Complete {
        self.told().report.clone().expect("a run that was completed")
    }

    pub(crate) fn observations(&self, entity: Entity) -> Vec<Observation> {
        self.told().observations.iter().filter(|observation| observation.entity == entity).cloned().collect()
    }

    /// The steps in order, each once.
    pub(crate) fn steps(&self) -> Vec<String> {
        let mut steps: Vec<String> = self.told().progress.iter().map(|progress| progress.step.clone()).collect();
        steps.dedup();
        steps
    }
}

fn router(told: Arc<Mutex<Told>>) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let told = told.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body within the limit of Nexus");
            let mut told = told.lock().expect("what was told");
            let path = head.uri.path();
            match path.rsplit('/').next() {
                Some("token") => answer(200, &json!({ "token": "t", "token_type": "Bearer", "expires_in": 3600 })),
                Some("runs") => answer(201, &json!({ "run_id": 7, "lease_seconds": 60 })),
                Some("progress") => {
                    told.progress.push(read(&body));
                    answer(204, &Value::Null)
                }
                Some("complete") => {
                    let report: Complete = read(&body);
                    let completed = answer(200, &completed(&report));
                    told.report = Some(report);
                    completed
                }
                _ if path.contains("/observations/") => {
                    let batch: Batch = read(&body);
                    assert!(batch.observations.len() <= 1_000, "the limit of the contract");
                    told.observations.extend(batch.observations);
                    answer(204, &Value::Null)
                }
                _ => answer(404, &Value::Null),
            }
        }
    })
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("a body of the contract")
}

fn completed(report: &Complete) -> Value {
    let state = match (&report.error, report.scopes.iter().all(|scope| scope.complete)) {
        (Some(_), _) => "failed",
        (None, true) => "applied",
        (None, false) => "partial",
    };
    json!({
        "id": 7, "job": "sync-freshservice", "state": state, "trigger": "schedule", "message": report.error,
        "started_at": "2026-02-03T19:05:39.000Z", "finished_at": "2026-02-03T19:05:40.000Z",
        "progress": { "step": "", "done": 0, "total": null, "vendor_calls": report.vendor_calls },
        "counts": {}, "scopes": report.scopes, "quarantined": report.quarantined, "gaps": [], "log": [],
        "changeset_id": null
    })
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    Response::builder().status(status).body(body).expect("a response")
}
