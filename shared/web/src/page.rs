//! The shell of a page: who is logged in, where one is, what was just done.

use std::fmt::Write as _;

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Uri};
use serde::de::DeserializeOwned;

use crate::auth::Visitor;
use crate::error::Error;
use crate::paging::Paging;

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

fn without_note(mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("{FLASH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")) {
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
                _ => drop(write!(encoded, "%{byte:02X}")),
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

/// Shows a page and takes its note away.
///
/// # Errors
/// As [`html`].
pub fn show(visitor: &Visitor, page: &impl Template) -> Result<Response, Error> {
    let response = html(page)?;
    Ok(if visitor.flash.is_some() { without_note(response) } else { response })
}

/// A record of the store's JSON.
///
/// # Errors
/// [`Error::Internal`] when it is not what it should be, which is logged.
pub fn record<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        tracing::error!(%error, "a record cannot be read");
        Error::Internal
    })
}

/// The pages of a list, with links that keep the search and the order.
#[derive(Clone, Debug)]
pub struct Pager {
    /// The page shown.
    pub paging: Paging,
    /// The last page.
    pub last: i64,
    path: &'static str,
    kept: Vec<(&'static str, String)>,
    sort: String,
    descending: bool,
}

impl Pager {
    /// The pages of a list of `total` records; a page that is not there becomes the nearest that is.
    #[must_use]
    pub fn new(path: &'static str, page: Option<i64>, per_page: i64, total: i64) -> Self {
        let last = Paging { page: 1, per_page }.last(total);
        let paging = Paging { page: page.unwrap_or(1).clamp(1, last), per_page };
        Self { paging, last, path, kept: Vec::new(), sort: String::new(), descending: false }
    }

    /// Keeps a parameter in every link.
    #[must_use]
    pub fn keeping(mut self, name: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.kept.push((name, value.to_owned()));
        }
        self
    }

    /// The order that is shown.
    #[must_use]
    pub fn sorted(mut self, sort: &str, order: Option<&str>) -> Self {
        sort.clone_into(&mut self.sort);
        self.descending = order == Some("desc");
        self
    }

    /// The address of a page.
    #[must_use]
    pub fn page(&self, page: &i64) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        self.link(&[("sort", &self.sort), ("order", order), ("page", &page.to_string())])
    }

    /// The address of the list sorted by a column; by the same column again, the other way round.
    #[must_use]
    pub fn by(&self, sort: &str) -> String {
        let order = if self.sort == sort && !self.descending { "desc" } else { "asc" };
        self.link(&[("sort", sort), ("order", order)])
    }

    /// How a column is sorted, in the words of `aria-sort`.
    #[must_use]
    pub fn aria(&self, sort: &str) -> &'static str {
        match (self.sort == sort, self.descending) {
            (true, false) => "ascending",
            (true, true) => "descending",
            _ => "none",
        }
    }

    fn link(&self, own: &[(&str, &str)]) -> String {
        let kept = self.kept.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<_> = kept.chain(own.iter().copied()).collect();
        format!("{}?{}", self.path, serde_urlencoded::to_string(pairs).unwrap_or_default())
    }
}
