//! As whom a client speaks to Nexus.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::error::ConfigError;

/// The account as which a client speaks to Nexus.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

impl Account {
    /// The body of the sign-in.
    pub(crate) fn sign_in(&self) -> Vec<u8> {
        let password = self.password.expose_secret();
        json!({ "username": self.username, "password": password }).to_string().into_bytes()
    }
}

/// What a client proves itself with.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Name and password, for which Nexus gives tokens.
    Account(Account),
    /// The API key of a service account, sent with each call.
    ApiKey(SecretString),
}

impl Credentials {
    /// Name and password.
    pub fn account(username: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self::Account(Account { username: username.into(), password: password.into() })
    }

    /// The API key of a service account.
    pub fn api_key(key: impl Into<SecretString>) -> Self {
        Self::ApiKey(key.into())
    }
}

impl From<Account> for Credentials {
    fn from(account: Account) -> Self {
        Self::Account(account)
    }
}

/// An API key, ready to be sent. It is marked sensitive, so that `Debug` does not show it.
pub(crate) fn api_key_header(key: &SecretString) -> Result<HeaderValue, ConfigError> {
    let mut header = HeaderValue::from_str(key.expose_secret().trim()).map_err(|_| ConfigError::ApiKey)?;
    if header.is_empty() {
        return Err(ConfigError::ApiKey);
    }
    header.set_sensitive(true);
    Ok(header)
}
