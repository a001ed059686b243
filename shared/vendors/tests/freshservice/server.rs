//! A vendor that answers what a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A request as the vendor saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The number in `page=`.
    pub(crate) fn page(&self) -> u32 {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        query.split('&').find_map(|pair| pair.strip_prefix("page=")).and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// Runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _running: JoinSet<()>,
}

impl Server {
    /// `answer` gets each request and how many came before it.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request<Body>| {
            let request = Seen {
                method: request.method().to_string(),
                target: request.uri().to_string(),
                headers: request.headers().clone(),
            };
            let before = {
                let mut log = log.lock().expect("the log");
                log.push(request.clone());
                log.len() - 1
            };
            let response = answer(&request, before);
            async move { response }
        });
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, seen, _running: running }
    }

    /// Gives each request the next of `answers`, and the last one for good.
    pub(crate) async fn script(answers: Vec<fn() -> Response<Body>>) -> Self {
        Self::start(move |_, before| answers[before.min(answers.len() - 1)]()).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the log").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen().len()
    }
}

pub(crate) fn json(body: impl Into<String>) -> Response<Body> {
    answer(200, &[("content-type", "application/json")], body)
}

pub(crate) fn status(status: u16) -> Response<Body> {
    answer(status, &[], r#"{"code":"some_code","message":"Some message."}"#)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
    response.body(Body::from(body.into())).expect("a response")
}

/// A page of departments with these ids, and a next link to `next`.
pub(crate) fn departments(ids: &[i64], next: Option<&str>) -> Response<Body> {
    let records: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":{id},"name":"Department {id}"}}"#)).collect();
    let body = format!(r#"{{"departments":[{}]}}"#, records.join(","));
    let link = next.map(|next| format!(r#"<{next}>; rel="next""#));
    let headers: Vec<(&str, &str)> = link.as_deref().map(|link| ("link", link)).into_iter().collect();
    answer(200, &headers, body)
}
