//! The functions of a deployment: as many of each as events come at once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::Method;
use local_runner::certificate;
use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_simulators::{Datto, Freshservice};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::gateway::Gateway;
use crate::platform::{Failed, Function};
use crate::routes::Routes;
use crate::time::Time;
use crate::weight::cargo;

/// The password with which `admin` begins.
pub const ADMIN: &str = "first-of-admin-7";
/// The password of the jobs' service account, `nexus-jobs`.
pub const JOBS: &str = "of-the-jobs-9";
/// How long an event of a test may take.
pub const EVENT: Duration = Duration::from_mins(1);
/// What EventBridge sends when a schedule's time has come.
pub const TIMER: &str = include_str!("timer.json");

/// Builds every function as the tests around this one are built, and tells where the binaries are.
///
/// # Panics
/// When they do not compile.
#[must_use]
pub fn binaries() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        // With the tests, for then their crates have the same features, and nothing is compiled a second time.
        let mut build = cargo();
        build.args(["build", "--workspace", "--bins", "--tests", "--locked", "--quiet"]);
        let done = build.status();
        assert!(done.is_ok_and(|status| status.success()), "the functions do not compile");
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/test
        test.parent().and_then(|deps| deps.parent()).expect("a test lies in a target folder").to_owned()
    };
    BUILT.get_or_init(build).clone()
}

/// Functions by name; each is started when the first event comes for it.
#[derive(Debug)]
pub struct Functions {
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    idle: Mutex<BTreeMap<String, Vec<Function>>>,
    time: Option<Time>,
}

impl Functions {
    /// Those in a folder, each with these variables.
    #[must_use]
    pub const fn new(folder: PathBuf, variables: BTreeMap<String, String>) -> Self {
        Self { folder, variables, idle: Mutex::new(BTreeMap::new()), time: None }
    }

    /// The same, living by a test's clock.
    #[must_use]
    pub fn living_by(mut self, clock: Clock) -> Self {
        let time = Time::of(clock);
        self.variables.extend(time.variables());
        Self { time: Some(time), ..self }
    }

    /// What each has in its environment.
    #[must_use]
    pub const fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Hands an event to one that is idle, or that is started for it.
    ///
    /// # Errors
    /// [`Failed`]; a function that does not start is one that failed.
    pub async fn invoke(&self, name: &str, event: &Value, timeout: Duration) -> Result<Value, Failed> {
        if let Some(time) = &self.time {
            time.tell();
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(name).and_then(Vec::pop);
        let function = match idle {
            Some(function) => function,
            None => self.start(name).await.map_err(|log| Failed::Error("NotStarted".to_owned(), log))?,
        };
        let response = function.invoke(event, timeout).await;
        // One that is still at work, or has ended, is not used again.
        if !matches!(response, Err(Failed::TimedOut | Failed::Ended)) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().push(function);
        }
        response
    }

    /// What those of this name that are idle have logged.
    #[must_use]
    pub fn log(&self, name: &str) -> String {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get(name).into_iter().flatten().flat_map(Function::log).collect::<Vec<_>>().join("\n")
    }

    async fn start(&self, name: &str) -> Result<Function, String> {
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Function::start(name, &self.folder.join(name), variables).await
    }
}

/// What differs between one stack and another.
#[derive(Default)]
pub struct Given {
    /// Where EventBridge is.
    pub aws: Option<String>,
    /// Keys of the tokens by name; none: one is made.
    pub keys: Vec<(String, SecretString)>,
    /// More of the environment.
    pub variables: Vec<(String, String)>,
    /// The clock that the functions live by; none: the system's.
    pub clock: Option<Clock>,
}

/// A stack: functions with their secrets, behind a gateway.
#[derive(Debug)]
pub struct Deployment {
    /// The functions.
    pub functions: Arc<Functions>,
    /// The HTTP API.
    pub gateway: Gateway,
    /// A client that follows no redirect.
    pub http: reqwest::Client,
}

impl Deployment {
    /// Starts one over a PostgreSQL, with the binaries of a folder.
    pub async fn start(database: &DatabaseUrl, folder: PathBuf, routes: Routes, mut given: Given) -> Self {
        let DatabaseUrl::Postgres(url) = database else { panic!("functions are deployed over PostgreSQL") };
        if given.keys.is_empty() {
            given.keys.push(("20260301".to_owned(), certificate::new_key().expect("a key can be made")));
        }
        let keys = given.keys.iter().map(|(kid, pem)| (format!("NEXUS_SIGNING_KEY_{kid}"), pem.expose_secret().into()));
        let extension = extension(BTreeMap::from([
            ("database", json!({ "NEXUS_DATABASE_URL": url.expose_secret() })),
            ("signing", Value::Object(keys.collect())),
            ("accounts", json!({ "NEXUS__NEXUS_AUTH__PASSWORD": JOBS, "NEXUS_ADMIN_PASSWORD": ADMIN })),
        ]));
        let extension = extension.await.to_string();
        let mut variables = BTreeMap::from(
            [
                ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", extension.as_str()),
                ("NEXUS_SECRETS", "database signing accounts"),
                ("NEXUS__DATABASE__MAX_CONNECTIONS", "2"),
                ("NEXUS_EVENT_BUS", "nexus"),
                ("NEXUS_RULE_PREFIX", "nexus-"),
                ("NEXUS_JOB_FUNCTION_ARN_PREFIX", "arn:aws:lambda:eu-central-1:123456789012:function:nexus-"),
                ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        variables.extend(given.aws.map(|url| ("AWS_ENDPOINT_URL".to_owned(), url)));
        variables.extend(given.variables);
        let functions = Functions::new(folder, variables);
        let functions = Arc::new(match given.clock {
            Some(clock) => functions.living_by(clock),
            None => functions,
        });
        let gateway = Gateway::serve(routes, functions.clone()).await;
        // A second time is refused and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client can be made");
        Self { functions, gateway, http }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.url)
    }

    /// What is at a path.
    pub async fn get(&self, path: &str, token: &str) -> reqwest::Response {
        self.http.get(self.url(path)).bearer_auth(token).send().await.expect("the gateway answers")
    }

    /// Sends a body to a path.
    pub async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> reqwest::Response {
        let request = self.http.request(method, self.url(path)).bearer_auth(token).json(body);
        request.send().await.expect("the gateway answers")
    }

    /// The variables of the jobs of this stack, which has them read these vendors.
    #[must_use]
    pub fn of_jobs(&self, freshservice: &Freshservice, datto: &Datto) -> BTreeMap<String, String> {
        let of_nexus = [
            ("NEXUS__SERVER__PUBLIC_URL", self.gateway.url.as_str()),
            ("NEXUS__NEXUS_AUTH__PASSWORD", JOBS),
            ("NEXUS_EVENT_BUS", "nexus"),
        ];
        let of_nexus = of_nexus.map(|(name, value)| (name.to_owned(), value.to_owned()));
        of_nexus.into_iter().chain(freshservice.environment(0)).chain(datto.environment(0)).collect()
    }

    /// Runs `setup`, as each deploy does.
    pub async fn set_up(&self) {
        self.functions.invoke("setup", &json!({}), EVENT).await.expect("setup succeeds");
    }

    /// A token.
    pub async fn token(&self, username: &str, password: &str) -> String {
        let asked = self.http.post(self.url("/api/token")).json(&json!({ "username": username, "password": password }));
        let answer: Value = asked.send().await.expect("the gateway answers").json().await.expect("an answer is JSON");
        answer["token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }
}

/// The secrets extension with these secrets; its port.
async fn extension(secrets: BTreeMap<&'static str, Value>) -> u16 {
    let answer = async move |uri: http::Uri| {
        let name = uri.query().and_then(|query| query.strip_prefix("secretId=")).unwrap_or_default();
        json!({ "SecretString": secrets[name].to_string() }).to_string()
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let port = listener.local_addr().expect("it has an address").port();
    let router = Router::new().route("/secretsmanager/get", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}
