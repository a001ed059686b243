//! Who calls the API.

use axum::extract::{FromRef, FromRequestParts};
use http::header::AUTHORIZATION;
use http::request::Parts;
use nexus_core::{Actor, Role, Scope};
use nexus_db::accounts::Account;
use nexus_db::changes::{Deed, Origin};

use super::Auth;
use crate::error::Error;
use crate::idempotency::RequestKey;

/// A caller whose token or API key was checked.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user.
    pub account: Account,
    /// Names the request, if it is to be carried out once at most.
    request_key: Option<String>,
}

impl Principal {
    /// What it may see.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.account.role {
            Role::Client => Scope::Companies(self.account.company_ids.clone()),
            Role::Admin | Role::Technician | Role::Billing => Scope::All,
        }
    }

    /// Lets only these roles go on.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for any other.
    pub fn require(&self, roles: &[Role]) -> Result<(), Error> {
        if roles.contains(&self.account.role) { Ok(()) } else { Err(Error::Forbidden("Insufficient permissions")) }
    }

    /// Lets only those go on who may change directory records.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for any other.
    pub fn require_editor(&self) -> Result<(), Error> {
        self.require(&[Role::Admin, Role::Technician])
    }

    /// As the history names it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { user_id: Some(self.account.id), name: self.account.username.clone() }
    }

    /// Something that it does.
    #[must_use]
    pub fn deed(&self, origin: Origin, reason: impl Into<String>) -> Deed {
        Deed { request_key: self.request_key.clone(), ..Deed::new(self.actor(), origin, reason) }
    }
}

/// A caller who may change directory records. For handlers that read a body: whoever may not is told so, and not what is
/// wrong with the body.
#[derive(Clone, Debug)]
pub struct Editor(pub Principal);

impl<S> FromRequestParts<S> for Editor
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let principal = Principal::from_request_parts(parts, state).await?;
        principal.require_editor()?;
        Ok(Self(principal))
    }
}

/// A caller who may change everything. For handlers as [`Editor`] is.
#[derive(Clone, Debug)]
pub struct Admin(pub Principal);

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let principal = Principal::from_request_parts(parts, state).await?;
        principal.require(&[Role::Admin])?;
        Ok(Self(principal))
    }
}

impl From<Account> for Principal {
    fn from(account: Account) -> Self {
        Self { account, request_key: None }
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let auth = Auth::from_ref(state);
        let request_key = parts.extensions.get::<RequestKey>().map(|key| key.0.clone());
        if let Some(key) = parts.headers.get("x-api-key") {
            let key = key.to_str().map_err(|_| Error::Unauthenticated("Invalid API Key"))?;
            return auth.api_key(key).await.map(|account| Self { account, request_key });
        }
        let header = parts.headers.get(AUTHORIZATION).ok_or(Error::Unauthenticated("Token is missing"))?;
        let header = header.to_str().map_err(|_| Error::Unauthenticated("Token is invalid"))?;
        // The scheme's name has no letter case (RFC 9110, section 11.1).
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Error::Unauthenticated("Token is missing"))?;
        auth.verify(token).await.map(|account| Self { account, request_key })
    }
}
