//! A Nexus that answers what a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The token that no text may contain.
pub(crate) const TOKEN: &str = "t0kenThatMustNotLeak";

/// A request as Nexus saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method and path with query.
    pub(crate) what: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _running: JoinSet<()>,
}

impl Server {
    /// `answer` gets each request, sign-ins too, and how many of the same came before it.
    pub(crate) async fn start(answer: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let router = router(seen.clone(), Arc::new(answer));
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { address, seen, _running: running }
    }

    /// Signs everyone in, and gives every other request the next of `answers`, the last one for good.
    pub(crate) async fn script(answers: Vec<fn() -> Response<Body>>) -> Self {
        let given = Mutex::new(0);
        Self::start(move |seen, _| {
            if seen.what == "POST /api/token" {
                return token(TOKEN, Some(3600));
            }
            let mut given = given.lock().expect("the count");
            let answer = answers[(*given).min(answers.len() - 1)];
            *given += 1;
            answer()
        })
        .await
    }

    /// What was asked, sign-ins apart.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.what != "POST /api/token").collect()
    }

    pub(crate) fn sign_ins(&self) -> Vec<Seen> {
        self.all().into_iter().filter(|seen| seen.what == "POST /api/token").collect()
    }

    fn all(&self) -> Vec<Seen> {
        self.seen.lock().expect("the log").clone()
    }
}

type Answer = dyn Fn(&Seen, usize) -> Response<Body> + Send + Sync;

pub(crate) fn router(log: Arc<Mutex<Vec<Seen>>>, answer: Arc<Answer>) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let (log, answer) = (log.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 22).await.expect("a body");
            let seen = Seen {
                what: format!("{} {}", head.method, head.uri),
                headers: head.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let mut log = log.lock().expect("the log");
            let before = log.iter().filter(|other| other.what == seen.what).count();
            log.push(seen.clone());
            drop(log);
            answer(&seen, before)
        }
    })
}

pub(crate) fn token(token: &str, expires_in: Option<u32>) -> Response<Body> {
    let expires_in = expires_in.map_or(String::new(), |seconds| format!(r#","expires_in":{seconds}"#));
    json(format!(r#"{{"token":"{token}","token_type":"Bearer"{expires_in}}}"#))
}

pub(crate) fn json(body: impl Into<String>) -> Response<Body> {
    answer(200, &[("content-type", "application/json")], body)
}

pub(crate) fn ok() -> Response<Body> {
    json(r#"{"fine":true}"#)
}

pub(crate) fn no_content() -> Response<Body> {
    answer(204, &[], "")
}

pub(crate) fn problem(status: u16, detail: &str) -> Response<Body> {
    let body = format!(
        r#"{{"type":"about:blank","title":"T","status":{status},"detail":"{detail}","error":"{detail}","message":"{detail}","request_id":"req-7"}}"#
    );
    answer(status, &[("content-type", "application/problem+json")], body)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
    response.body(Body::from(body.into())).expect("a response")
}

/// The head promises more than comes, and the connection ends.
pub(crate) fn broken() -> Response<Body> {
    answer(200, &[("content-type", "application/json"), ("content-length", "100")], "{")
}
