//! API keys of service accounts.

use std::fmt;

use nexus_core::Role;
use nexus_core::records::User;
use nexus_core::views::ApiKey;
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::records::Records;
use crate::request::Request;

/// A new API key. The default may do what its account may, for as long as Nexus lets it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewKey {
    /// What it is for.
    pub name: Option<String>,
    /// What it may do; no more than its account.
    pub role: Option<Role>,
    /// Until when it can be used, RFC 3339.
    pub expires_at: Option<String>,
}

/// An API key that was made. Keep its secret: it is not told again.
#[derive(Clone, Deserialize)]
pub struct MadeKey {
    /// The key itself, for [`Credentials::api_key`](crate::Credentials::api_key).
    #[serde(rename = "key")]
    pub secret: SecretString,
    /// What is known of it from now on.
    #[serde(flatten)]
    pub known: ApiKey,
}

impl fmt::Debug for MadeKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MadeKey").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Records<User> {
    /// The keys of a service account that are not out of use, without their secrets.
    pub async fn keys(&self, user_id: i64) -> Result<Vec<ApiKey>, Error> {
        self.client().get(&Self::path(&user_id, "/keys")).await
    }

    /// Makes a key for a service account.
    ///
    /// Nexus tells the secret once. When that answer is lost, the call ends in a [`Problem`](crate::Problem) of status 409;
    /// the key is then listed by [`keys`](Self::keys), to be revoked.
    pub async fn create_key(&self, user_id: i64, key: &NewKey) -> Result<MadeKey, Error> {
        let request = Request::write(Method::POST, &Self::path(&user_id, "/keys"), key)?.once();
        self.client().send(&request).await?.read(&request)
    }

    /// Takes a key out of use.
    pub async fn revoke_key(&self, key_id: i64) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, &format!("/api/keys/{key_id}"));
        self.client().send(&request).await.map(drop)
    }
}
