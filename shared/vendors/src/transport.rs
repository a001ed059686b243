//! One paced and patient HTTP client, for any vendor.

use std::error::Error as _;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use crate::base_url::BaseUrl;
use crate::error::{ConfigError, Error, TransportKind};
use crate::excerpt;
use crate::pacing::Pacer;
use crate::retry::{Failure, Pause, Retry, WAIT_WITHOUT_HEADER, retry_after};

/// How much of the body of a refusal is read: enough for an excerpt.
const EXCERPT_SOURCE_BYTES: usize = 16 * 1024;

/// How a client behaves towards a vendor. The default suits a job that runs alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// Pace, shared by all clones of a client; `None` (no pacing) unless set.
    ///
    /// With a pace, a client also slows down to what the vendor's rate headers say is left.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Time to connect, TLS included; 10 s.
    pub connect_timeout: Duration,
    /// Time for one whole request, from connecting to the last byte of the answer; 60 s.
    pub request_timeout: Duration,
    /// Size of an answer's body; 32 MiB.
    pub max_body_bytes: usize,
    /// Tries of one call, the first included; 4. Zero counts as one. A write is only tried again when the one before cannot
    /// have taken.
    pub tries: u32,
    /// Wait before the second try; it doubles with each further try. 1 s.
    pub backoff: Duration,
    /// Sum of the waits that a vendor may ask for (`Retry-After`) during the life of a client; 30 min.
    pub wait_ceiling: Duration,
    /// Pages of one list; 1000.
    pub max_pages: u32,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            requests_per_minute: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_mins(1),
            max_body_bytes: 32 * 1024 * 1024,
            tries: 4,
            backoff: Duration::from_secs(1),
            wait_ceiling: Duration::from_mins(30),
            max_pages: 1000,
        }
    }
}

/// What a client has asked of its vendor so far; for the report of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Requests sent, with the repeated ones.
    pub calls: u64,
    /// Requests that repeated one that had failed.
    pub retries: u64,
    /// `X-RateLimit-Total` as last seen.
    pub rate_limit_total: Option<u32>,
    /// `X-RateLimit-Remaining` as last seen.
    pub rate_limit_remaining: Option<u32>,
}

/// An `Authorization` header, and the texts that must not come back out in an error.
#[derive(Debug)]
pub(crate) struct Authorization {
    header: HeaderValue,
    secrets: Vec<SecretString>,
}

impl Authorization {
    /// HTTP Basic (RFC 7617) with an API key in the place of the user.
    pub(crate) fn api_key(key: &SecretString, password: &str) -> Result<Self, ConfigError> {
        let key = key.expose_secret().trim();
        // RFC 7617 gives a colon in the user no meaning: the vendor would read another key.
        if key.is_empty() || key.contains(|c: char| c == ':' || c.is_control() || c.is_whitespace()) {
            return Err(ConfigError::ApiKey);
        }
        Self::basic(key, password, [key])
    }

    /// HTTP Basic with a login, and what else must not come back out.
    pub(crate) fn basic<'a>(
        user: &str,
        password: &str,
        secrets: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ConfigError> {
        let credentials = BASE64.encode(format!("{user}:{password}"));
        let mut authorization = Self::of(&format!("Basic {credentials}"), secrets)?;
        authorization.secrets.push(credentials.into());
        Ok(authorization)
    }

    /// A bearer token (RFC 6750).
    pub(crate) fn bearer(token: &str) -> Result<Self, ConfigError> {
        Self::of(&format!("Bearer {token}"), [token])
    }

    fn of<'a>(header: &str, secrets: impl IntoIterator<Item = &'a str>) -> Result<Self, ConfigError> {
        let mut header = HeaderValue::from_str(header).map_err(|_| ConfigError::ApiKey)?;
        header.set_sensitive(true);
        Ok(Self { header, secrets: secrets.into_iter().map(SecretString::from).collect() })
    }

    fn hide_in(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "[hidden]"))
    }

    /// What of a foreign text may stand in an error.
    fn excerpt(&self, text: &str) -> String {
        excerpt::cut(&self.hide_in(&excerpt::one_line(text)))
    }
}

/// A vendor's answer with a status of success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// One call, to be sent as often as its kind allows.
struct Call<'a> {
    method: Method,
    url: &'a Url,
    authorization: &'a Authorization,
    /// Media type and text.
    body: Option<(&'static str, &'a str)>,
    /// Whether it changes something at the vendor.
    writes: bool,
}

/// Sends calls at the vendor's pace and repeats those that failed in passing, as far as that does no harm.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    pacer: Pacer,
    /// Keeps writes further apart, where they have a budget of their own.
    write_pacer: Pacer,
    retry: Retry,
    counts: Mutex<CallCounts>,
    max_body_bytes: usize,
}

impl Transport {
    /// With a pace, writes go out at most so many times a minute; `None`: writes are calls like others.
    pub(crate) fn new(
        base: &BaseUrl,
        config: &TransportConfig,
        writes_per_minute: Option<NonZeroU32>,
    ) -> Result<Self, ConfigError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("Nexus/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .timeout(config.request_timeout)
            // A redirect could lead the credential to another host.
            .redirect(redirect::Policy::none())
            // Trying again happens here, where it is paced and counted.
            .retry(reqwest::retry::never());
        if base.is_this_machine() {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build().map_err(|error| ConfigError::Tls { detail: innermost(&error) })?,
            pacer: Pacer::new(config.requests_per_minute),
            write_pacer: Pacer::new(config.requests_per_minute.and(writes_per_minute)),
            retry: Retry::new(config.tries, config.backoff, config.wait_ceiling),
            counts: Mutex::default(),
            max_body_bytes: config.max_body_bytes,
        })
    }

    pub(crate) fn calls_per_minute(&self) -> Option<u32> {
        self.pacer.calls_per_minute()
    }

    pub(crate) fn counts(&self) -> CallCounts {
        *self.lock_counts()
    }

    /// GETs `url`, which the caller has checked to be the vendor's own.
    pub(crate) async fn get(&self, url: &Url, authorization: &Authorization) -> Result<Answer, Error> {
        self.repeat(&Call { method: Method::GET, url, authorization, body: None, writes: false }).await
    }

    /// POSTs a form that may be sent more than once without harm.
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        authorization: &Authorization,
        form: &SecretString,
    ) -> Result<Answer, Error> {
        let body = Some(("application/x-www-form-urlencoded", form.expose_secret()));
        self.repeat(&Call { method: Method::POST, url, authorization, body, writes: false }).await
    }

    /// Sends a change as JSON, again only while it is certain that none of it took: after a 429, and where there was no
    /// connection. [`Error::is_unclear`] says of any other failure whether the record must be looked at.
    pub(crate) async fn write(
        &self,
        method: Method,
        url: &Url,
        authorization: &Authorization,
        body: &Value,
    ) -> Result<(), Error> {
        let body = body.to_string();
        let body = Some(("application/json", body.as_str()));
        self.repeat(&Call { method, url, authorization, body, writes: true }).await.map(drop)
    }

    /// Keeps below so many calls a second from now on, if there is a pace at all.
    pub(crate) fn allow(&self, per_second: f64) {
        self.pacer.allow(per_second);
    }

    async fn repeat(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            if call.writes {
                self.write_pacer.turn().await;
            }
            self.pacer.turn().await;
            let failure = match self.send(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if call.writes && failure.error.is_unclear() {
                // What the vendor may still be at should be over when the record is looked at.
                tokio::time::sleep(self.retry.backoff_of(attempt)).await;
                return Err(failure.error);
            }
            let reason = failure.error.to_string();
            if matches!(failure.error, Error::RateLimited { .. }) {
                self.pacer.refused();
            }
            let pause = self.retry.after(attempt, failure)?;
            tracing::warn!(path = call.url.path(), attempt, ?pause, %reason, "trying again");
            match pause {
                Pause::Hold(wait) => self.pacer.hold(wait),
                Pause::BackOff(wait) => tokio::time::sleep(wait).await,
            }
            self.lock_counts().retries += 1;
            attempt += 1;
        }
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let Call { method, url, authorization, body, .. } = call;
        let lost = |error: reqwest::Error| Failure { error: transport_error(&error, authorization), after: None };
        let final_error = |error| Failure { error, after: None };

        self.lock_counts().calls += 1;
        let mut request = self
            .client
            .request(method.clone(), (*url).clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(AUTHORIZATION, authorization.header.clone());
        if let Some((media_type, text)) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static(media_type)).body((*text).to_owned());
        }
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        self.observe_rate(response.headers(), status);
        let headers = response.headers().clone();
        tracing::debug!(path = url.path(), status = status.as_u16(), "vendor answered");
        if status.is_success() {
            let limit = self.max_body_bytes;
            let (body, complete) = read_body(response, limit).await.map_err(lost)?;
            return if complete { Ok(Answer { headers, body }) } else { Err(final_error(Error::TooLarge { limit })) };
        }

        match status {
            StatusCode::UNAUTHORIZED => Err(final_error(Error::Auth)),
            StatusCode::TOO_MANY_REQUESTS => {
                let after = retry_after(&headers).unwrap_or(WAIT_WITHOUT_HEADER);
                Err(Failure { error: Error::RateLimited { after }, after: Some(after) })
            }
            _ => {
                // The status is the news; a body that breaks off does not change it.
                let body = read_body(response, EXCERPT_SOURCE_BYTES).await.map(|(body, _)| body).unwrap_or_default();
                let excerpt = authorization.excerpt(&String::from_utf8_lossy(&body));
                let error = Error::Rejected { status: status.as_u16(), excerpt };
                let after = if error.is_transient() { retry_after(&headers) } else { None };
                Err(Failure { error, after })
            }
        }
    }

    fn observe_rate(&self, headers: &HeaderMap, status: StatusCode) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let (total, remaining) = (number("x-ratelimit-total"), number("x-ratelimit-remaining"));
        let mut counts = self.lock_counts();
        counts.rate_limit_total = total.or(counts.rate_limit_total);
        counts.rate_limit_remaining = remaining.or(counts.rate_limit_remaining);
        drop(counts);
        // A refusal that leaves none says how long to wait, too.
        if let Some(remaining) = remaining.filter(|_| status != StatusCode::TOO_MANY_REQUESTS) {
            self.pacer.observe_remaining(remaining);
        }
    }

    fn lock_counts(&self) -> MutexGuard<'_, CallCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads at most `limit` bytes of a body; the flag says whether that was all of it.
async fn read_body(mut response: Response, limit: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, true))
}

fn transport_error(error: &reqwest::Error, authorization: &Authorization) -> Error {
    let kind = if error.is_timeout() {
        TransportKind::TimedOut
    } else if error.is_connect() {
        TransportKind::Connect
    } else {
        TransportKind::Interrupted
    };
    Error::Transport { kind, detail: authorization.excerpt(&innermost(error)) }
}

/// The cause at the bottom: the layers above it repeat the address and say nothing about the reason.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}
