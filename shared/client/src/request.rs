//! What is sent and what comes back, of one call.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::retry::Repeat;

/// A request, without the token. Displays as method and path; its body is never shown.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    pub(crate) repeat: Repeat,
    /// The version that the record must have (`If-Match`).
    pub(crate) version: Option<i64>,
    /// Names the request, so that Nexus carries it out once (`Idempotency-Key`).
    pub(crate) key: Option<HeaderValue>,
    /// Instead of [`Options::request_timeout`](crate::Options::request_timeout).
    pub(crate) timeout: Option<Duration>,
}

impl Request {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let repeat = if method == Method::POST { Repeat::IfRefused } else { Repeat::Freely };
        Self { method, path: path.to_owned(), body: None, repeat, version: None, key: None, timeout: None }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn write(method: Method, path: &str, body: &impl Serialize) -> Result<Self, Error> {
        let request = Self::new(method, path);
        let body = serde_json::to_vec(body).map_err(|_| request.unwritable("its body is no JSON"))?;
        Ok(Self { body: Some(body.into()), ..request })
    }

    /// Asks that the record has this version, if one is named.
    pub(crate) fn at(self, version: Option<i64>) -> Self {
        Self { version, ..self }
    }

    /// Gives the request a name of its own.
    pub(crate) fn once(self) -> Self {
        let key = || Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?));
        // Without randomness it goes without a name, and so is repeated only where Nexus cannot have acted.
        match key().map(|key: String| HeaderValue::from_str(&key)) {
            Ok::<_, getrandom::Error>(Ok(key)) => self.named(key),
            _ => self,
        }
    }

    /// Gives the request the name that the caller chose.
    pub(crate) fn once_as(self, key: &str) -> Result<Self, Error> {
        match HeaderValue::from_str(key) {
            Ok(value) if (1..=255).contains(&key.len()) && value.to_str().is_ok() => Ok(self.named(value)),
            _ => Err(self.unwritable("its Idempotency-Key must be 1 to 255 characters of ASCII")),
        }
    }

    fn named(self, key: HeaderValue) -> Self {
        Self { key: Some(key), repeat: Repeat::Keyed, ..self }
    }

    /// Whether a refusal, after a try whose answer was lost, may only say that this try had its effect.
    pub(crate) fn may_be_done(&self, error: &Error) -> bool {
        match error.status() {
            Some(412) => self.version.is_some(),
            Some(404) => self.method == Method::DELETE,
            _ => false,
        }
    }

    fn unwritable(&self, reason: &'static str) -> Error {
        Error::Unwritable { what: self.to_string(), reason }
    }

    pub(crate) fn malformed(&self, reason: impl Into<String>) -> Error {
        Error::Malformed { what: self.to_string(), reason: reason.into() }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.path)
    }
}

/// An answer with a status of success.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn read<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let body = if self.body.is_empty() { b"null" } else { &self.body[..] };
        serde_json::from_slice(body).map_err(|error| {
            // serde's own words may quote the body.
            let reason = if error.is_data() { "it has another form" } else { "it is not JSON" };
            request.malformed(format!("{reason} (line {}, column {})", error.line(), error.column()))
        })
    }
}
