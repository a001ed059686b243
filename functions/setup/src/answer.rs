//! What CloudFormation asks of a custom resource, and the answer.

use std::time::Duration;

use nexus_lambda::Fault;
use serde::Deserialize;
use serde_json::{Value, json};

/// The resource's own name. It never changes, so that no update of a stack deletes the one before.
const RESOURCE: &str = "nexus-setup";
/// CloudFormation waits for an hour when it gets no answer.
const ATTEMPTS: u32 = 5;
const TIMEOUT: Duration = Duration::from_secs(10);
/// A reason is cut at this length: an answer holds 4 KiB at most.
const LONGEST: usize = 1_000;

/// How it went.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(String),
    Failed(String),
}

impl From<Result<String, Fault>> for Outcome {
    fn from(result: Result<String, Fault>) -> Self {
        match result {
            Ok(text) => Self::Done(text),
            Err(fault) => Self::Failed(fault.to_string()),
        }
    }
}

/// An event of CloudFormation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Request {
    #[serde(rename = "RequestType")]
    kind: String,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    #[serde(rename = "RequestId")]
    id: String,
    logical_resource_id: String,
}

impl Request {
    /// An event of CloudFormation; none: of somebody else.
    pub(crate) fn of(event: &Value) -> Option<Self> {
        Self::deserialize(event).ok()
    }

    pub(crate) fn deletes(&self) -> bool {
        self.kind == "Delete"
    }

    /// Puts the answer where it is waited for.
    pub(crate) async fn answer(&self, outcome: &Outcome) -> Result<(), reqwest::Error> {
        let (status, reason) = match outcome {
            Outcome::Done(text) => ("SUCCESS", text),
            Outcome::Failed(text) => ("FAILED", text),
        };
        let body = json!({
            "Status": status,
            "Reason": reason.chars().take(LONGEST).collect::<String>(),
            "PhysicalResourceId": RESOURCE,
            "StackId": self.stack_id,
            "RequestId": self.id,
            "LogicalResourceId": self.logical_resource_id,
        });
        // A second time is refused and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let mut attempt = 1;
        loop {
            // The address is signed for a request without a content type.
            let put = client.put(&self.response_url).body(body.to_string()).send().await;
            match put.and_then(reqwest::Response::error_for_status) {
                Ok(_) => return Ok(()),
                // The address is signed, so it is told to nobody.
                Err(error) if attempt == ATTEMPTS => return Err(error.without_url()),
                Err(_) => tokio::time::sleep(Duration::from_secs(attempt.into())).await,
            }
            attempt += 1;
        }
    }
}
