//! The side of Nexus in the protocol of a run: it takes everything, unless a test says otherwise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use nexus_client::{Account, Client, Options};
use nexus_core::sync::{Batch, Complete, Progress};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A call: method and path, and its body.
pub(crate) type Call = (String, Value);

type Refusal = dyn Fn(&str, usize) -> Option<u16> + Send + Sync;

/// Runs until it is dropped.
pub(crate) struct Nexus {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    _running: JoinSet<()>,
}

impl Nexus {
    pub(crate) async fn start() -> Self {
        Self::refusing(|_, _| None).await
    }

    /// `refusal` gets each call and how many of the same came before it, and may name the status of a refusal.
    pub(crate) async fn refusing(refusal: impl Fn(&str, usize) -> Option<u16> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let router = router(calls.clone(), Arc::new(refusal));
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, calls, _running: running }
    }

    pub(crate) fn client(&self) -> Client {
        let account = Account { username: "nexus-jobs".into(), password: "p4ss".into() };
        let options = Options { backoff: Duration::from_millis(1), tries: 2, ..Options::default() };
        Client::new(&self.address, account, &options).expect("a client")
    }

    /// The calls in order, sign-ins apart.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock().expect("the log").clone();
        calls.into_iter().filter(|(what, _)| what != "POST /api/token").collect()
    }

    fn bodies<T: serde::de::DeserializeOwned>(&self, part: &str) -> Vec<T> {
        let of_part = self.calls().into_iter().filter(|(what, _)| what.contains(part));
        of_part.map(|(_, body)| serde_json::from_value(body).expect("a body of the contract")).collect()
    }

    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.bodies("/observations/")
    }

    pub(crate) fn progress(&self) -> Vec<Progress> {
        self.bodies("/progress")
    }

    pub(crate) fn completions(&self) -> Vec<Complete> {
        self.bodies("/complete")
    }
}

fn router(calls: Arc<Mutex<Vec<Call>>>, refusal: Arc<Refusal>) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let (calls, refusal) = (calls.clone(), refusal.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body within the limit of Nexus");
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let what = format!("{} {}", head.method, head.uri);
            let mut calls = calls.lock().expect("the log");
            let before = calls.iter().filter(|(other, _)| *other == what).count();
            calls.push((what.clone(), body.clone()));
            drop(calls);
            match refusal(&what, before) {
                Some(status) => answer(status, &json!({ "status": status, "detail": "no, sorry" })),
                None => protocol(&what, &body),
            }
        }
    })
}

fn protocol(what: &str, body: &Value) -> Response<Body> {
    match what {
        "POST /api/token" => answer(200, &json!({ "token": "t", "token_type": "Bearer", "expires_in": 3600 })),
        "POST /api/sync/runs" => answer(201, &json!({ "run_id": 7, "lease_seconds": 60 })),
        "POST /api/sync/runs/7/complete" => {
            let state = if body["error"].is_null() { "applied" } else { "failed" };
            answer(
                200,
                &json!({
                    "id": 7, "job": super::NAME, "state": state, "trigger": "schedule", "message": body["error"],
                    "started_at": "2026-02-03T19:05:39.000Z", "finished_at": null,
                    "progress": { "step": "", "done": 0, "total": null, "vendor_calls": 0 },
                    "counts": {}, "scopes": [], "quarantined": [], "gaps": [], "log": [], "changeset_id": null
                }),
            )
        }
        _ => answer(204, &Value::Null),
    }
}

fn answer(status: u16, body: &Value) -> Response<Body> {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    Response::builder().status(status).body(body).expect("a response")
}
