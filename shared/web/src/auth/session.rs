//! Who looks at a page: a person with a session, or a guest before the login.
//!
//! Both have a cookie with a secret, and every form carries a token that is made of that secret: another site can have a
//! browser send the cookie, but it cannot know the token.

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;
use nexus_core::Role;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Auth, Principal, random_id};
use crate::error::Error;
use crate::page;

const SESSION: &str = "nexus_session";
const GUEST: &str = "nexus_guest";
const THEME: &str = "nexus_theme";
/// A choice of looks that outlives the session.
const THEME_SECONDS: i64 = 365 * 24 * 60 * 60;

/// Whoever looks at a page.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The person, when logged in.
    pub principal: Option<Principal>,
    /// The secret of the session's or the guest's cookie.
    secret: String,
    /// A note of what was just done.
    pub(crate) flash: Option<page::Flash>,
    /// The theme that was chosen; nothing: as the device.
    pub(crate) theme: &'static str,
    /// The address that is looked at.
    pub(crate) path: String,
    /// The person's password is one that everybody knows.
    pub(crate) known_to_all: bool,
}

impl Visitor {
    /// The person.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a guest, [`Error::DefaultPassword`] for one whose password everybody knows; the page
    /// frame sends them to the login and to the form for another.
    pub fn person(&self) -> Result<&Principal, Error> {
        if self.known_to_all {
            return Err(Error::DefaultPassword);
        }
        self.principal.as_ref().ok_or(Error::Unauthenticated("Log in first"))
    }

    /// The person, if of one of these roles.
    ///
    /// # Errors
    /// As [`Visitor::person`], and [`Error::Forbidden`].
    pub fn person_with(&self, roles: &[Role]) -> Result<&Principal, Error> {
        let person = self.person()?;
        person.require(roles)?;
        Ok(person)
    }

    /// Whether the person's password is one that everybody knows: then nothing is shown but the form for another.
    #[must_use]
    pub const fn has_default_password(&self) -> bool {
        self.known_to_all
    }

    /// The token of this visitor's forms; empty for one who has no cookie yet.
    #[must_use]
    pub fn csrf(&self) -> String {
        if self.secret.is_empty() { String::new() } else { token(&self.secret) }
    }

    /// Whether a form's token is this visitor's.
    #[must_use]
    pub fn accepts(&self, given: &str) -> bool {
        !self.secret.is_empty() && bool::from(token(&self.secret).as_bytes().ct_eq(given.as_bytes()))
    }

    /// The secret, to end the session.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

fn token(secret: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(format!("csrf:{secret}")))
}

impl<S> FromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let auth = Auth::from_ref(state);
        let flash = page::flash_of(cookie(&parts.headers, page::FLASH_COOKIE));
        let theme = theme_in(&parts.headers);
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        if let Some(secret) = cookie(&parts.headers, SESSION)
            && let Some((account, known_to_all)) = auth.session(secret).await?
        {
            let (principal, secret) = (Some(account.into()), secret.to_owned());
            return Ok(Self { principal, secret, flash, theme, path, known_to_all });
        }
        let secret = cookie(&parts.headers, GUEST).unwrap_or_default().to_owned();
        Ok(Self { principal: None, secret, flash, theme, path, known_to_all: false })
    }
}

/// The theme that a request's cookies choose.
pub(crate) fn theme_in(headers: &HeaderMap) -> &'static str {
    theme_of(cookie(headers, THEME).unwrap_or_default())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// A theme by its name; any other word means as the device.
fn theme_of(word: &str) -> &'static str {
    ["dark", "light"].into_iter().find(|known| *known == word).unwrap_or("")
}

/// The `Set-Cookie` that keeps a choice of theme.
#[must_use]
pub fn theme_cookie(auth: &Auth, theme: &str) -> String {
    set_cookie(auth, THEME, theme_of(theme), THEME_SECONDS)
}

fn set_cookie(auth: &Auth, name: &str, value: &str, seconds: i64) -> String {
    let secure = if auth.secure_cookies() { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// A guest and the `Set-Cookie` that makes the login form work. One who has the cookie keeps it: the form in another
/// window goes on working.
#[must_use]
pub fn guest_cookie(auth: &Auth, visitor: Visitor) -> (Visitor, String) {
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let known = visitor.secret.len() == 32 && visitor.secret.bytes().all(is_ours);
    let secret = if known { visitor.secret.clone() } else { random_id() };
    let header = set_cookie(auth, GUEST, &secret, 3_600);
    (Visitor { principal: None, secret, flash: None, ..visitor }, header)
}

/// The `Set-Cookie` of a session that began.
#[must_use]
pub fn cookie_after_login(auth: &Auth, secret: &str) -> String {
    set_cookie(auth, SESSION, secret, auth.session_seconds())
}

/// The `Set-Cookie` that takes the session's cookie away.
#[must_use]
pub fn cookie_after_logout(auth: &Auth) -> String {
    set_cookie(auth, SESSION, "", 0)
}
