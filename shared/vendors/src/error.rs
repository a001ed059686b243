//! What can go wrong while a vendor is read or written, and while a client is set up.

use std::time::Duration;

use thiserror::Error;

/// A call that failed.
///
/// No variant carries a credential, a whole body or a full address: the text is safe to log and to show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// 401: the credentials are wrong, revoked or expired.
    #[error("the vendor refused the credentials (401)")]
    Auth,
    /// The vendor still asks to wait: the tries are used up, or the wait does not fit under the ceiling of the run.
    #[error("the vendor's rate limit is used up; it asks to wait {} s", after.as_secs())]
    RateLimited {
        /// How long the vendor asked to wait.
        after: Duration,
    },
    /// Any other status than success, after the tries that it deserved.
    #[error("the vendor answered with status {status}: {excerpt}")]
    Rejected {
        /// HTTP status code.
        status: u16,
        /// The beginning of the body: one line, at most 200 characters, without credentials.
        excerpt: String,
    },
    /// The answer as a whole is not what the vendor documents.
    #[error("the vendor's answer cannot be read at {path}: {reason}")]
    Malformed {
        /// JSON path (`$.departments`) or header name.
        path: String,
        /// What was expected there; holds no data of the answer.
        reason: String,
    },
    /// There was no answer.
    #[error("{kind}: {detail}")]
    Transport {
        /// Where it failed.
        kind: TransportKind,
        /// The innermost cause, such as "Connection refused".
        detail: String,
    },
    /// The body is larger than [`TransportConfig::max_body_bytes`](crate::TransportConfig::max_body_bytes).
    #[error("the vendor's answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The next link points to another scheme, host or port, or carries a login of its own. It was not followed.
    #[error("the vendor's next link leads away to {host}")]
    ForeignLink {
        /// Host and port it leads to.
        host: String,
    },
    /// The next link leads to a page that was already read.
    #[error("the next link of page {page} leads to a page that was already read")]
    PageLoop {
        /// The page with that link, counted from 1.
        page: u32,
    },
    /// The list goes on past [`TransportConfig::max_pages`](crate::TransportConfig::max_pages).
    #[error("the list goes on after {limit} pages")]
    TooManyPages {
        /// The limit in pages.
        limit: u32,
    },
}

impl Error {
    /// Whether the same read may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Transport { .. } => true,
            Self::Rejected { status, .. } => matches!(status, 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether only another look at the record tells what became of a write that met this: the answer was lost, or came from
    /// a server in trouble, or the record was being written by somebody else (409). Such a write is not sent again blindly.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Transport { kind, .. } => *kind != TransportKind::Connect,
            Self::Rejected { status, .. } => matches!(status, 408 | 409 | 500..),
            // The status was one of success.
            Self::Malformed { .. } | Self::TooLarge { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn malformed(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.into(), reason: reason.into() }
    }
}

/// Where a request without an answer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportKind {
    /// Name resolution, TCP or TLS.
    #[error("cannot connect to the vendor")]
    Connect,
    /// One of the time-outs of [`TransportConfig`](crate::TransportConfig).
    #[error("the vendor did not answer in time")]
    TimedOut,
    /// The connection broke between the request and the end of the answer.
    #[error("the connection to the vendor broke")]
    Interrupted,
}

/// A client that cannot be built: the configuration is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not a Freshservice domain.
    #[error("not a Freshservice domain; write `acme` or `acme.freshservice.com`")]
    Domain,
    /// Not a platform of Datto RMM.
    #[error("not a platform of Datto RMM; write `https://pinotage-api.centrastage.net`, with the name of yours")]
    Platform,
    /// Not a usable base address.
    #[error("not a base address: {reason}")]
    BaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Plain http to another machine would show the key to the network.
    #[error("plain http is accepted for this machine only, not for {host}; use https")]
    PlainHttp {
        /// The host of the address.
        host: String,
    },
    /// The API key is blank, or has a character that cannot be part of one.
    #[error("the API key is blank or not a key")]
    ApiKey,
    /// The TLS client cannot be set up, for example because this machine has no root certificates.
    #[error("the HTTPS client cannot be set up: {detail}")]
    Tls {
        /// The innermost cause.
        detail: String,
    },
}
