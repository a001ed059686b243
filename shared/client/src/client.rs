//! One call: signed in, repeated where that helps, and its answer read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nexus_core::Clock;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, IF_MATCH};
use reqwest::{Certificate, Method, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::address::Address;
use crate::credentials::{Account, Credentials, api_key_header};
use crate::error::{ConfigError, Error, Problem, innermost};
use crate::request::{Answer, Request};
use crate::retry::{Repeat, Retry, retry_after};
use crate::token::{self, Granted, Token, Tokens};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How a client behaves. The default suits a job.
#[derive(Clone, Debug)]
pub struct Options {
    /// A root certificate in PEM that is trusted besides the system's own, such as that of the local runner. `None`:
    /// the system's roots only. There is no way to go without: each call carries a credential.
    pub root: Option<Vec<u8>>,
    /// Where the time comes from by which a token is renewed.
    pub clock: Clock,
    /// Time to connect, TLS included; 10 s.
    pub connect_timeout: Duration,
    /// Time for one whole request; 30 s.
    pub request_timeout: Duration,
    /// Time for the completion of a run, in which Nexus plans and applies; 15 min.
    pub complete_timeout: Duration,
    /// Tries of one call, the first included; 5.
    pub tries: u32,
    /// Wait before the second try, which doubles with each further one; 250 ms.
    pub backoff: Duration,
    /// The longest wait before a try; where Nexus asks for a longer one, the call fails. 1 min.
    pub longest_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            root: None,
            clock: Clock::system(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            complete_timeout: Duration::from_mins(15),
            tries: 5,
            backoff: Duration::from_millis(250),
            longest_wait: Duration::from_mins(1),
        }
    }
}

/// A client of one Nexus. Clones share connections and token.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    address: Address,
    login: Login,
    clock: Clock,
    retry: Retry,
    request_timeout: Duration,
    complete_timeout: Duration,
}

enum Login {
    Account { account: Account, tokens: Tokens },
    ApiKey(HeaderValue),
}

/// A header that proves who calls.
type Proof<'a> = (HeaderName, &'a HeaderValue);

impl Client {
    /// A client of the Nexus at `address` (`https://nexus.example`, or plain http on this machine), as an [`Account`] or
    /// with an API key ([`Credentials::api_key`]).
    ///
    /// Nothing is sent yet. Installs the process's TLS provider (ring) unless there is one.
    pub fn new(address: &str, credentials: impl Into<Credentials>, options: &Options) -> Result<Self, ConfigError> {
        // An error says that the process has a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = Address::parse(address)?;
        let login = match credentials.into() {
            Credentials::Account(account) => Login::Account { account, tokens: Tokens::default() },
            Credentials::ApiKey(key) => Login::ApiKey(api_key_header(&key)?),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Nexus/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .timeout(options.request_timeout)
            // Nexus never redirects under /api; whoever does is somebody else.
            .redirect(redirect::Policy::none())
            // Repeating happens here, where it is known what may be repeated.
            .retry(reqwest::retry::never());
        if address.is_this_machine() {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &options.root {
            let roots = Certificate::from_pem_bundle(pem).ok().filter(|roots| !roots.is_empty());
            builder = builder.tls_certs_merge(roots.ok_or(ConfigError::Root)?);
        } else if !address.is_https() {
            // Reading the system's roots takes time, and a small container has none.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| ConfigError::Tls { detail: innermost(&error) })?;
        let retry = Retry { tries: options.tries, backoff: options.backoff, longest_wait: options.longest_wait };
        let Options { request_timeout, complete_timeout, ref clock, .. } = *options;
        let clock = clock.clone();
        Ok(Self { shared: Arc::new(Shared { http, address, login, clock, retry, request_timeout, complete_timeout }) })
    }

    /// `GET`: `path` begins with `/api` and may have a query.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let request = Request::get(path);
        self.send(&request).await?.read(&request)
    }

    /// `PUT` of a JSON body; `()` reads an answer without one.
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        let request = Request::write(Method::PUT, path, body)?;
        self.send(&request).await?.read(&request)
    }

    /// `POST` of a JSON body; `()` reads an answer without one.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        let request = Request::write(Method::POST, path, body)?;
        self.send(&request).await?.read(&request)
    }

    /// `DELETE`; `()` reads an answer without a body.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let request = Request::new(Method::DELETE, path);
        self.send(&request).await?.read(&request)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.shared.address
    }

    pub(crate) fn retry(&self) -> &Retry {
        &self.shared.retry
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.shared.request_timeout
    }

    pub(crate) fn complete_timeout(&self) -> Duration {
        self.shared.complete_timeout
    }

    /// Sends a request with the API key; or as the account, and once more with a new token when Nexus refuses the one it
    /// had.
    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let (account, tokens) = match &self.shared.login {
            Login::ApiKey(key) => return self.persist(request, Some((API_KEY, key))).await,
            Login::Account { account, tokens } => (account, tokens),
        };
        let token = tokens.current(&self.shared.clock, self.sign_in(account)).await?;
        let refused = match self.persist(request, Some((AUTHORIZATION, &token.header))).await {
            Err(error) if error.status() == Some(401) => token,
            outcome => return outcome,
        };
        tokens.refuse(&refused).await;
        let token = tokens.current(&self.shared.clock, self.sign_in(account)).await?;
        self.persist(request, Some((AUTHORIZATION, &token.header))).await
    }

    async fn sign_in(&self, account: &Account) -> Result<Token, Error> {
        let request = Request {
            // A second token does no harm.
            repeat: Repeat::Freely,
            body: Some(account.sign_in().into()),
            ..Request::new(Method::POST, token::PATH)
        };
        let asked_at = self.shared.clock.now();
        let granted: Granted = match self.persist(&request, None).await {
            Ok(answer) => answer.read(&request)?,
            Err(Error::Problem(problem)) if matches!(problem.status, 400 | 401 | 403) => {
                return Err(Error::SignIn { username: account.username.clone(), detail: problem.detail });
            }
            Err(error) => return Err(error),
        };
        Token::new(&granted, asked_at).ok_or_else(|| request.malformed("the token has characters that cannot be sent"))
    }

    /// Tries as often as the rules let it.
    async fn persist(&self, request: &Request, proof: Option<Proof<'_>>) -> Result<Answer, Error> {
        let mut attempt = 1;
        let mut lost = None;
        loop {
            let error = match self.attempt(request, proof.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait) = self.shared.retry.wait(attempt, &error, request.repeat, lost.is_some()) else {
                return Err(lost.filter(|_| request.may_be_done(&error)).unwrap_or(error));
            };
            tracing::warn!(what = %request, attempt, ?wait, %error, "trying again");
            if error.is_lost() {
                lost = Some(error);
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, request: &Request, proof: Option<&Proof<'_>>) -> Result<Answer, Error> {
        let lost = |error: reqwest::Error| Error::of_transport(&error, self.shared.address.as_str());
        let url = self.shared.address.at(&request.path);
        let mut builder = self.shared.http.request(request.method.clone(), url);
        builder = builder.header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = proof {
            builder = builder.header(name, *value);
        }
        if let Some(version) = request.version {
            builder = builder.header(IF_MATCH, format!("\"{version}\""));
        }
        if let Some(key) = &request.key {
            builder = builder.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.clone());
        }
        if let Some(timeout) = request.timeout {
            builder = builder.timeout(timeout);
        }
        let response = builder.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        tracing::debug!(what = %request, status = status.as_u16(), "Nexus answered");
        let body = response.bytes().await.map_err(lost);
        if status.is_success() {
            return Ok(Answer { headers, body: body? });
        }
        // The status is the news; a body that breaks off does not change it.
        let problem = Problem::read(status, retry_after(&headers), &body.unwrap_or_default());
        Err(Error::refusal(problem))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { address, login, .. } = &*self.shared;
        let login: &dyn fmt::Debug = match login {
            Login::Account { account, .. } => account,
            Login::ApiKey(_) => &"API key",
        };
        out.debug_struct("Client").field("address", &address.as_str()).field("login", login).finish_non_exhaustive()
    }
}
