//! What can go wrong between a client and Nexus.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use nexus_core::FieldError;
use reqwest::StatusCode;
use serde::Deserialize;
use thiserror::Error;

/// A call that failed. No variant carries a token, a password or a body that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Nexus answered, and said no.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The record is not the version any more that the caller named (412): read it again, and judge anew.
    #[error("{0}")]
    Stale(Box<Problem>),
    /// Nexus does not accept the account.
    #[error("Nexus does not accept the account {username:?} ({detail}); check [nexus_auth] username and password")]
    SignIn {
        /// Its name.
        username: String,
        /// Nexus's words.
        detail: String,
    },
    /// No connection: the request was not sent.
    #[error("Nexus cannot be reached at {address}: {detail}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// The innermost cause, such as "Connection refused".
        detail: String,
    },
    /// No answer within the time-out; the request may have had its effect.
    #[error("Nexus did not answer in time")]
    TimedOut,
    /// The connection broke before the end of the answer; the request may have had its effect.
    #[error("the connection to Nexus broke: {detail}")]
    Interrupted {
        /// The innermost cause.
        detail: String,
    },
    /// The answer is not what the contract says. Holds no data of the answer.
    #[error("Nexus's answer to {what} cannot be read: {reason}")]
    Malformed {
        /// Method and path of the request.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// What should be sent cannot be written. Holds nothing of it.
    #[error("{what} cannot be sent: {reason}")]
    Unwritable {
        /// Method and path of the request.
        what: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl Error {
    /// The problem, if Nexus answered with one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) | Self::Stale(problem) => Some(problem),
            _ => None,
        }
    }

    /// The status of the answer, if Nexus answered with a problem.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.problem().map(|problem| problem.status)
    }

    /// Whether the request may have had its effect, or may still have it, although no answer tells so.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::TimedOut | Self::Interrupted { .. } => true,
            // Said by a gateway that gave up waiting, unless Nexus itself says when to come back.
            Self::Problem(problem) => {
                matches!(problem.status, 502 | 504) || (problem.status == 503 && problem.retry_after.is_none())
            }
            _ => false,
        }
    }

    pub(crate) fn refusal(problem: Problem) -> Self {
        match problem.status {
            412 => Self::Stale(Box::new(problem)),
            _ => Self::Problem(Box::new(problem)),
        }
    }

    pub(crate) fn of_transport(error: &reqwest::Error, address: &str) -> Self {
        let detail = innermost(error);
        if error.is_connect() {
            Self::Unreachable { address: address.to_owned(), detail }
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Interrupted { detail }
        }
    }
}

/// A refusal: what Nexus sends as `application/problem+json` (RFC 9457), as far as a caller acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    /// What happened, for a person.
    pub detail: String,
    /// Names the request in Nexus's log.
    pub request_id: Option<String>,
    /// Of a validation: each field and what is wrong with it.
    pub errors: Vec<FieldError>,
    /// After which time it is worth trying again (`Retry-After`).
    pub retry_after: Option<Duration>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    detail: Option<String>,
    // What gateways in front of Nexus answer with, and older answers.
    message: Option<String>,
    error: Option<String>,
    request_id: Option<String>,
    errors: Vec<FieldError>,
}

impl Problem {
    /// Reads the body of a refusal; one that is no problem document leaves the status to speak.
    pub(crate) fn read(status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let said = [body.detail, body.message, body.error].into_iter().flatten().find(|text| !text.trim().is_empty());
        let detail = said.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned());
        Self { status: status.as_u16(), detail, request_id: body.request_id, errors: body.errors, retry_after }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Nexus answered {}: {}", self.status, self.detail)?;
        for FieldError { field, message } in &self.errors {
            write!(out, "; {field} {message}")?;
        }
        match &self.request_id {
            Some(id) => write!(out, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// A client that cannot be built: the configuration is at fault. Never holds a value of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not an address at which Nexus can be.
    #[error("not an address of Nexus: {reason}")]
    Address {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The extra root certificate is no PEM certificate.
    #[error("the root certificate is not a certificate in PEM")]
    Root,
    /// The API key has characters that cannot be sent, or none.
    #[error("the API key is empty or has characters that cannot be sent")]
    ApiKey,
    /// The HTTPS client cannot be set up, for example because this machine has no root certificates.
    #[error("the HTTPS client cannot be set up: {detail}")]
    Tls {
        /// The innermost cause.
        detail: String,
    },
}

/// The cause at the bottom: the layers above it repeat the address and say nothing about the reason.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}
