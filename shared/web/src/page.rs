//! The shell of a page: who is logged in, where one is, what was just done.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Uri};

use crate::auth::Visitor;
use crate::error::Error;

const FLASH: &str = "nexus_flash";
/// Longer notes would not fit a cookie.
const FLASH_MAX: usize = 1_000;

/// What every page shows around its content.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Title of the page.
    pub title: String,
    /// The entry of the navigation that is marked.
    pub section: &'static str,
    /// Name of the person, when logged in.
    pub person: Option<String>,
    /// The person may change directory records.
    pub edits: bool,
    /// Token of the page's forms.
    pub csrf: String,
    /// What was just done.
    pub flash: Option<String>,
    /// Version of Nexus; part of the address of static files, so that a new version loads new ones.
    pub version: &'static str,
}

impl Shell {
    /// The shell of a page for this visitor.
    #[must_use]
    pub fn new(visitor: &Visitor, section: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            section,
            person: visitor.principal.as_ref().map(|person| person.account.username.clone()),
            edits: visitor.principal.as_ref().is_some_and(|person| person.account.role.edits()),
            csrf: visitor.csrf(),
            flash: visitor.flash.clone(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    fn bare(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            section: "",
            person: None,
            edits: false,
            csrf: String::new(),
            flash: None,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// Renders a page.
///
/// # Errors
/// [`Error::Internal`] when the template fails, which is logged.
pub fn html(page: &impl Template) -> Result<Response, Error> {
    let body = page.render().map_err(|error| {
        tracing::error!(%error, "a template failed");
        Error::Internal
    })?;
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}

/// Goes on to another page after a form was accepted, with a note of what was done.
#[must_use]
pub fn done(to: &str, note: &str) -> Response {
    let mut response = Redirect::to(to).into_response();
    let note: String = note.chars().take(FLASH_MAX).collect();
    let cookie = format!("{FLASH}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", URL_SAFE_NO_PAD.encode(note));
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// The note in a request's cookies.
pub(crate) fn flash_of(cookie: Option<&str>) -> Option<String> {
    URL_SAFE_NO_PAD.decode(cookie?).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

pub(crate) const FLASH_COOKIE: &str = FLASH;

/// Takes a shown note away.
#[must_use]
pub fn shown(mut response: Response, shell: &Shell) -> Response {
    if shell.flash.is_some()
        && let Ok(value) = HeaderValue::from_str(&format!("{FLASH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
    {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    shell: Shell,
    status: u16,
    text: String,
    request_id: &'a str,
}

/// An error as a page; a guest is sent to the login and comes back afterwards.
pub(crate) fn error(error: &Error, request_id: &str, uri: &Uri) -> Response {
    if matches!(error, Error::Unauthenticated(_)) {
        let next = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let next: String = next.bytes().fold(String::new(), |mut encoded, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => encoded.push(byte.into()),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
            encoded
        });
        return Redirect::to(&format!("/login?next={next}")).into_response();
    }
    let status = error.status();
    let shell = Shell::bare(status.canonical_reason().unwrap_or("Error"));
    let page = ErrorPage { shell, status: status.as_u16(), text: error.to_string(), request_id };
    match html(&page) {
        Ok(body) => (status, body).into_response(),
        Err(_) => status.into_response(),
    }
}
