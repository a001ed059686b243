//! A Freshservice account that has what a test wrote down, as JSON.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Runs until it is dropped.
pub(crate) struct Vendor {
    pub(crate) address: String,
    _running: JoinSet<()>,
}

impl Vendor {
    pub(crate) async fn with(departments: Value, requesters: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(move |request: Request<Body>| {
            let body = match request.uri().path() {
                "/api/v2/departments" => json!({ "departments": departments }),
                "/api/v2/requesters" => json!({ "requesters": requesters }),
                "/api/v2/workspaces" => json!({ "workspaces": [] }),
                _ => Value::Null,
            };
            async move { Response::new(Body::from(body.to_string())) }
        });
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, _running: running }
    }
}
