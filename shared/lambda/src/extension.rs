//! Secrets from the AWS Parameters and Secrets Lambda Extension, which serves them on this machine (AWS Secrets Manager user
//! guide, "Use AWS Secrets Manager secrets in AWS Lambda functions").

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lambda_runtime_api_client::body::Body;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep, timeout};

use crate::{Environment, Fault};

const PORT: &str = "2773";
/// How long an extension may take to come up. The start of a function ends after ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it may say that it is not ready: it may mean the first event, which is kept waiting by a start that waits.
const NOT_READY: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(100);
/// How long it may take for an answer. It waits itself for Secrets Manager, without a limit of its own.
const ANSWER: Duration = Duration::from_secs(5);
/// A secret holds 64 KiB at most; its answer is that, escaped, with names around it.
const LARGEST: usize = 512 * 1024;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SecretString")]
    text: String,
}

/// What came of one question.
enum Asked {
    Answer(StatusCode, Bytes),
    /// Nobody listens, or not yet.
    Nobody(String),
}

/// The extension beside this function.
pub(crate) struct Extension {
    /// Of the very type that the runtime has, so that it is there once.
    client: Client<HttpConnector, Body>,
    port: String,
    token: String,
}

impl Extension {
    pub(crate) fn of(environment: &Environment) -> Result<Self, Fault> {
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            port: environment.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT").unwrap_or(PORT).to_owned(),
            token: environment.need("AWS_SESSION_TOKEN")?.to_owned(),
        })
    }

    /// The variables that a secret holds.
    pub(crate) async fn secret(&self, name: &str) -> Result<Vec<(String, String)>, Fault> {
        let fault = |reason: String| Fault::Secret { name: name.to_owned(), reason };
        let mut address = url::Url::parse(&format!("http://localhost:{}/secretsmanager/get", self.port))
            .map_err(|error| fault(error.to_string()))?;
        address.query_pairs_mut().append_pair("secretId", name);
        let since = Instant::now();
        let body = loop {
            let waited = since.elapsed();
            let asked = timeout(ANSWER, self.ask(address.as_str())).await;
            let asked = asked.unwrap_or_else(|_| Err(format!("the extension does not answer within {ANSWER:?}")));
            match asked.map_err(fault)? {
                Asked::Answer(StatusCode::OK, body) => break body,
                Asked::Answer(StatusCode::BAD_REQUEST, body) if body.starts_with(b"not ready") => {
                    if waited >= NOT_READY {
                        return Err(Fault::NotReady);
                    }
                }
                Asked::Answer(status, _) => {
                    return Err(fault(format!(
                        "the extension answers {status}; is it there, and may the function read it?"
                    )));
                }
                Asked::Nobody(reason) if waited >= PATIENCE => {
                    return Err(fault(format!("no extension answers at port {}: {reason}", self.port)));
                }
                Asked::Nobody(_) => {}
            }
            sleep(BETWEEN).await;
        };
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| fault("the answer has no SecretString".to_owned()))?;
        // Not told by serde: its words would quote the secret.
        let held: Map<String, Value> =
            serde_json::from_str(&answer.text).map_err(|_| fault("it is not a JSON object of variables".to_owned()))?;
        let text = |value| if let Value::String(text) = value { text } else { value.to_string() };
        Ok(held
            .into_iter()
            .map(|(variable, value)| (variable, text(value)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect())
    }

    async fn ask(&self, address: &str) -> Result<Asked, String> {
        let request = Request::get(address)
            .header("X-Aws-Parameters-Secrets-Token", &self.token)
            .body(Body::empty())
            .map_err(|error| error.to_string())?;
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Ok(Asked::Nobody(error.to_string())),
            Err(error) => return Err(error.to_string()),
        };
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
        Ok(Asked::Answer(status, body.to_bytes()))
    }
}
