//! What Lambda is to a function: a process with an environment, and the Runtime API that hands it one event after the other (AWS
//! Lambda developer guide, "Lambda runtime API").

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Part, State};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};

/// Bytes of a response at most (AWS Lambda developer guide, "Lambda quotas").
const LARGEST: usize = 6_291_556;
/// How long a function may take to ask for its first event.
const START: Duration = Duration::from_secs(10);

/// Why an invocation has no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The function said that it failed: type and message.
    Error(String, String),
    /// The function ended.
    Ended,
    /// No response within the time-out.
    TimedOut,
    /// The response is larger than Lambda takes.
    TooLarge(usize),
}

struct Call {
    event: Bytes,
    deadline: SystemTime,
    answer: oneshot::Sender<Result<Bytes, Failed>>,
}

struct Api {
    calls: tokio::sync::Mutex<mpsc::UnboundedReceiver<Call>>,
    open: Mutex<HashMap<String, oneshot::Sender<Result<Bytes, Failed>>>>,
    polled: watch::Sender<Option<Instant>>,
    name: String,
    ids: std::sync::atomic::AtomicU64,
}

/// A function in an environment of its own. It handles one event at a time, as on Lambda; ended when dropped.
#[derive(Debug)]
pub struct Function {
    child: Child,
    calls: mpsc::UnboundedSender<Call>,
    log: Arc<Mutex<Vec<String>>>,
    /// From the start of the process to its first question for an event.
    pub start: Duration,
}

impl Function {
    /// Starts a function with these variables and no others, and waits until it asks for an event.
    ///
    /// # Errors
    /// What it has logged, when it ends before.
    pub async fn start<'a>(
        name: &str,
        binary: &Path,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let (calls, waiting) = mpsc::unbounded_channel();
        let (polled, mut first) = watch::channel(None);
        let api = Arc::new(Api {
            calls: tokio::sync::Mutex::new(waiting),
            open: Mutex::default(),
            polled,
            name: name.to_owned(),
            ids: std::sync::atomic::AtomicU64::new(1),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let at = listener.local_addr().expect("it has an address").to_string();
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(async || StatusCode::ACCEPTED))
            .with_state(api)
            .layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let began = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &at)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_SESSION_TOKEN", "session")
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let err = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let read = [tokio::spawn(keep(out, log.clone())), tokio::spawn(keep(err, log.clone()))];
        let polled =
            tokio::time::timeout(START, async { first.wait_for(Option::is_some).await.ok().and_then(|at| *at) });
        tokio::select! {
            polled = polled => {
                let at = polled.ok().flatten();
                let at = at.ok_or_else(|| format!("{name} asks for no event; its log:\n{}", text(&log)))?;
                Ok(Self { child, calls, log, start: at - began })
            }
            status = child.wait() => {
                for task in read {
                    let _ = task.await;
                }
                Err(format!("{name} ended ({}); its log:\n{}", status.map_or_else(|error| error.to_string(), |status| status.to_string()), text(&log)))
            }
        }
    }

    /// Hands it an event, and waits for its response.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn invoke(&self, event: &Value, timeout: Duration) -> Result<Value, Failed> {
        let (answer, answered) = oneshot::channel();
        let call = Call { event: event.to_string().into(), deadline: SystemTime::now() + timeout, answer };
        self.calls.send(call).map_err(|_| Failed::Ended)?;
        let answer = tokio::time::timeout(timeout, answered).await.map_err(|_| Failed::TimedOut)?;
        let body = answer.map_err(|_| Failed::Ended)??;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// What it has logged so far, line by line.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The CPU time that its one thread has taken so far.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let pid = self.child.id().unwrap_or_default();
        let told = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
        Duration::from_nanos(told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
    }

    /// The memory that its process takes, and the most that it has taken so far, in megabytes.
    #[must_use]
    pub fn memory(&self) -> (f64, f64) {
        let pid = self.child.id().unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.trim().split(' ').next()).and_then(|kib| kib.parse::<f64>().ok());
            kib.unwrap_or(f64::NAN) * 1_024.0 / 1e6
        };
        (megabytes("VmRSS:"), megabytes("VmHWM:"))
    }
}

async fn keep(mut lines: tokio::io::Lines<impl tokio::io::AsyncBufRead + Unpin>, log: Arc<Mutex<Vec<String>>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

fn text(log: &Mutex<Vec<String>>) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}

async fn next(State(api): State<Arc<Api>>) -> Result<(HeaderMap, Bytes), StatusCode> {
    api.polled.send_if_modified(|at| at.is_none() && at.replace(Instant::now()).is_none());
    let call = api.calls.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let n = api.ids.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let id = format!("00000000-0000-4000-8000-{n:012}");
    let since = call.deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.clone()),
        ("lambda-runtime-deadline-ms", since.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:eu-central-1:123456789012:function:{}", api.name),
        ),
        ("lambda-runtime-trace-id", format!("Root=1-00000000-{n:024}")),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("")),
        );
    }
    api.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, call.answer);
    Ok((headers, call.event))
}

async fn response(State(api): State<Arc<Api>>, Part(id): Part<String>, body: Bytes) -> StatusCode {
    if body.len() > LARGEST {
        finish(&api, &id, Err(Failed::TooLarge(body.len())));
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    finish(&api, &id, Ok(body));
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Arc<Api>>, Part(id): Part<String>, body: Bytes) -> StatusCode {
    let told: Value = serde_json::from_slice(&body).unwrap_or(json!({}));
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    finish(&api, &id, Err(Failed::Error(text("errorType"), text("errorMessage"))));
    StatusCode::ACCEPTED
}

fn finish(api: &Api, id: &str, result: Result<Bytes, Failed>) {
    if let Some(answer) = api.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
        // Who has waited too long is gone.
        let _ = answer.send(result);
    }
}
