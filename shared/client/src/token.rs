//! The token that an account gets.

use jiff::{SignedDuration, Timestamp};
use nexus_core::Clock;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::error::Error;

/// The path that gives tokens.
pub(crate) const PATH: &str = "/api/token";

/// The answer to a sign-in. No `Debug`: it holds the token.
#[derive(Deserialize)]
pub(crate) struct Granted {
    token: String,
    /// Seconds. The first Nexus does not say it; a token then serves until it is refused.
    expires_in: Option<u32>,
}

/// A token, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Marked sensitive, so that `Debug` does not show it.
    pub(crate) header: HeaderValue,
    renew_at: Option<Timestamp>,
}

impl Token {
    pub(crate) fn new(granted: &Granted, now: Timestamp) -> Option<Self> {
        let mut header = HeaderValue::from_str(&format!("Bearer {}", granted.token)).ok()?;
        header.set_sensitive(true);
        // A fifth of its life early: a call that is under way when it ends, or a clock that is a little off, does no harm.
        let useful = granted.expires_in.map(|seconds| SignedDuration::from_secs(i64::from(seconds) * 4 / 5));
        Some(Self { header, renew_at: useful.and_then(|useful| now.checked_add(useful).ok()) })
    }
}

/// The token that is in use, shared by all clones of a client.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    current: Mutex<Option<Token>>,
}

impl Tokens {
    /// The current token, or the one that `sign_in` gets. Callers at the same time share one sign-in.
    pub(crate) async fn current(
        &self,
        clock: &Clock,
        sign_in: impl Future<Output = Result<Token, Error>>,
    ) -> Result<Token, Error> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| token.renew_at.is_none_or(|at| clock.now() < at)) {
            return Ok(token.clone());
        }
        let token = sign_in.await?;
        *current = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that was refused, unless another call has replaced it already.
    pub(crate) async fn refuse(&self, refused: &Token) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.header == refused.header) {
            *current = None;
        }
    }
}
