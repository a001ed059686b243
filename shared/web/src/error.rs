//! Everything that a request can end with but success, and how it is told.
//!
//! A handler only says what happened. `frame` renders it: under `/api` as `application/problem+json` (RFC 9457), elsewhere
//! as a page.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::FieldError;
use nexus_db::changes::ChangeError;
use serde::Serialize;

use crate::words::capitalised;

/// What is told of a request that was carried out before Nexus could keep its answer.
const CARRIED_OUT: &str = "This request was carried out before and its answer was lost. Read what came of it before you send it under \
                           another Idempotency-Key";

/// Why a request is not answered as asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nobody, or nobody that is known: the text of the contract.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Known by a password that everybody knows.
    #[error("Choose a password of your own first")]
    DefaultPassword,
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A form of a session that has ended, or of another person's.
    #[error("{told}, so nothing was saved")]
    OldForm {
        /// Which of the two.
        told: &'static str,
        /// The form's page.
        back: String,
        /// What was typed, by name.
        sent: Vec<(String, String)>,
        /// Somebody is logged in.
        known: bool,
    },
    /// There is no such thing, or not for this caller.
    #[error("{0}")]
    NotFound(&'static str),
    /// The path is there, the method is not.
    #[error("This path does not take that method")]
    Method,
    /// The request is not understood, or breaks a rule of a field.
    #[error("{message}")]
    Invalid {
        /// What is wrong as a whole.
        message: String,
        /// What is wrong with which field.
        fields: Vec<FieldError>,
    },
    /// The body is of a type that this path does not take.
    #[error("Send a body of type {0}")]
    MediaType(&'static str),
    /// The body is larger than the server takes.
    #[error("The body is too large")]
    TooLarge,
    /// The directory is in a state in which this cannot be done.
    #[error("{0}")]
    Conflict(String),
    /// The same request was carried out, and its answer was lost.
    #[error("{CARRIED_OUT}")]
    CarriedOut,
    /// The same request is being carried out; its answer can be had in so many seconds.
    #[error("A request with this Idempotency-Key is being carried out. Ask again in {0} seconds")]
    BeingDone(u64),
    /// The request is understood, and cannot be what the caller means.
    #[error("{0}")]
    Unprocessable(&'static str),
    /// The record moved since the caller read it (`If-Match`).
    #[error("{0}")]
    Stale(String),
    /// Too many attempts; try again after so many seconds.
    #[error("Too many attempts. Try again in {0} seconds")]
    TooMany(u64),
    /// The server cannot answer now; try again after so many seconds.
    #[error("Nexus cannot answer right now. Try again in {0} seconds")]
    Unavailable(u64),
    /// A fault of the server; logged, told by its request id alone.
    #[error("Something went wrong. Give the request id to whoever runs this Nexus")]
    Internal,
}

impl Error {
    /// An error of a whole request, without a field.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), fields: Vec::new() }
    }

    /// An error of fields.
    #[must_use]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::Invalid { message: "Some fields are not valid".into(), fields }
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::DefaultPassword | Self::Forbidden(_) | Self::OldForm { .. } => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Conflict(_) | Self::CarriedOut | Self::BeingDone(_) => StatusCode::CONFLICT,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Stale(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The seconds after which it is worth trying again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::BeingDone(seconds) | Self::TooMany(seconds) | Self::Unavailable(seconds) => Some(*seconds),
            _ => None,
        }
    }
}

impl IntoResponse for Error {
    /// The status and the error itself, for `frame` to render.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<nexus_db::Error> for Error {
    fn from(error: nexus_db::Error) -> Self {
        match error {
            nexus_db::Error::Conflict { constraint } if constraint.contains("request_key") => Self::CarriedOut,
            nexus_db::Error::Conflict { constraint } => {
                Self::Conflict(format!("The change breaks a rule of the directory ({constraint})"))
            }
            nexus_db::Error::Unstorable => {
                Self::invalid("A text holds the character 0, which no text of the directory may hold")
            }
            nexus_db::Error::Unavailable(_) => {
                tracing::error!(%error, "the database does not answer");
                Self::Unavailable(5)
            }
            _ => {
                tracing::error!(%error, "the database failed");
                Self::Internal
            }
        }
    }
}

impl From<ChangeError> for Error {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound { .. } | ChangeError::NoChangeset(_) => Self::NotFound("Not found"),
            ChangeError::Stale { .. } | ChangeError::OtherDigest => Self::Stale(capitalised(&error.to_string())),
            ChangeError::Taken { field, .. } => Self::Conflict(format!("Another record has this {field}")),
            ChangeError::Invalid(fields) => Self::fields(fields),
            ChangeError::Twice { .. }
            | ChangeError::Decided { .. }
            | ChangeError::HasCompanies(_)
            | ChangeError::LastAdmin => Self::Conflict(capitalised(&error.to_string())),
            ChangeError::Store(error) => error.into(),
        }
    }
}

/// The body of every error answer under `/api` (RFC 9457). Older clients read `error` or `message`; both hold the text
/// of `detail`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// A URI of the kind of problem; `about:blank`: the status says it.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "about:blank")]
    pub kind: &'static str,
    /// The status in words.
    #[schema(example = "Not Found")]
    pub title: String,
    /// The status of the answer.
    #[schema(example = 404)]
    pub status: u16,
    /// What happened, for a person.
    #[schema(example = "Company not found")]
    pub detail: String,
    /// The same as `detail`.
    pub error: String,
    /// The same as `detail`.
    pub message: String,
    /// Names the request in the server's log.
    pub request_id: String,
    /// Of a validation: each field and what is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// The problem that tells `error`.
    #[must_use]
    pub fn new(error: &Error, request_id: &str) -> Self {
        let status = error.status();
        let detail = error.to_string();
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            error: detail.clone(),
            message: detail.clone(),
            detail,
            request_id: request_id.to_owned(),
            errors: match error {
                Error::Invalid { fields, .. } => fields.clone(),
                _ => Vec::new(),
            },
        }
    }
}
