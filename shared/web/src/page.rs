//! The shell of a page: who is logged in, where one is, what was just done.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use nexus_core::Role;
use nexus_core::sync::RunState;
use serde::de::DeserializeOwned;

use crate::auth::{Visitor, theme_in};
use crate::error::Error;

const FLASH: &str = "nexus_flash";
/// Longer notes would not fit a cookie.
const FLASH_MAX: usize = 1_000;

/// What every page shows around its content.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Title of the page.
    pub title: String,
    /// The entry of the navigation that is marked.
    pub section: &'static str,
    /// Name of the person, when logged in.
    pub person: Option<String>,
    /// What the person may do, when logged in.
    pub role: Option<Role>,
    /// The person may change directory records.
    pub edits: bool,
    /// Token of the page's forms.
    pub csrf: String,
    /// What was just done.
    pub flash: Option<Flash>,
    /// `dark`, `light`, or nothing: as the device.
    pub theme: &'static str,
    /// The page's own address.
    pub path: String,
    /// What is in the search.
    pub searched: String,
    /// The company that the page is about, for the navigation beside it.
    pub company: Option<CompanyPlace>,
}

impl Shell {
    /// The shell of a page for this visitor.
    #[must_use]
    pub fn new(visitor: &Visitor, section: &'static str, title: impl Into<String>) -> Self {
        let account = visitor.principal.as_ref().map(|person| &person.account);
        Self {
            title: title.into(),
            section,
            person: account.map(|account| account.username.clone()),
            role: account.map(|account| account.role),
            edits: account.is_some_and(|account| account.role.edits()),
            csrf: visitor.csrf(),
            flash: visitor.flash.clone(),
            theme: visitor.theme,
            path: visitor.path.clone(),
            ..Self::default()
        }
    }

    /// The same page within a company: `place` is the entry of its navigation that is marked.
    #[must_use]
    pub fn within(mut self, account_number: &str, name: &str, place: &'static str) -> Self {
        let (account_number, name) = (account_number.to_owned(), name.to_owned());
        self.company = Some(CompanyPlace { account_number, name, place });
        self
    }

    /// The person may change everything, users and jobs included.
    #[must_use]
    pub fn admin(&self) -> bool {
        self.role == Some(Role::Admin)
    }

    /// Where the person can go: path, section, icon, label.
    #[must_use]
    pub fn sections(&self) -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
        let mut sections = vec![("/", "home", "home", "Overview")];
        if self.role != Some(Role::Client) {
            sections.push(("/companies", "companies", "building", "Companies"));
        }
        sections.push(("/contacts", "contacts", "users", "Contacts"));
        sections.push(("/assets", "assets", "device-laptop", "Assets"));
        if self.edits {
            sections.push(("/sync", "sync", "refresh", "Sync"));
            sections.push(("/settings", "settings", "settings", "Settings"));
        }
        sections
    }
}

/// Where a page stands within a company.
#[derive(Clone, Debug)]
pub struct CompanyPlace {
    /// The company's number.
    pub account_number: String,
    /// Its name.
    pub name: String,
    /// The marked entry.
    pub place: &'static str,
}

impl CompanyPlace {
    /// Where one can go within the company: path, place, icon, label.
    #[must_use]
    pub fn places(&self, role: &Option<Role>) -> Vec<(String, &'static str, &'static str, &'static str)> {
        let number = &self.account_number;
        let own = format!("/companies/{number}");
        let mut places = vec![
            (own.clone(), "overview", "list-details", "Overview"),
            (format!("/contacts?company={number}"), "contacts", "users", "Contacts"),
            (format!("/assets?company={number}"), "assets", "device-laptop", "Assets"),
        ];
        if *role != Some(Role::Client) {
            places.push((format!("{own}/locations"), "locations", "map-pin", "Locations"));
            places.push((format!("{own}/features"), "features", "list-check", "Plan and features"));
        }
        if role.is_some_and(Role::edits) {
            places.push((format!("{own}/users"), "users", "user-shield", "Users"));
            places.push((format!("{own}/history"), "history", "history", "History"));
        }
        places
    }
}

/// A note of what was just done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// A sentence.
    pub text: String,
    /// The change set that undoing it would revert.
    pub undo: Option<i64>,
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
    done_by(to, note, None)
}

/// As [`done`], with an offer to undo the change set that did it.
#[must_use]
pub fn done_by(to: &str, note: &str, changeset_id: Option<i64>) -> Response {
    let mut response = Redirect::to(to).into_response();
    let note: String = note.chars().take(FLASH_MAX).collect();
    let undo = changeset_id.map(|id| id.to_string()).unwrap_or_default();
    let value = URL_SAFE_NO_PAD.encode(format!("{undo}\n{note}"));
    let cookie = format!("{FLASH}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// The note in a request's cookies.
pub(crate) fn flash_of(cookie: Option<&str>) -> Option<Flash> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cookie?).ok()?).ok()?;
    let (undo, text) = text.split_once('\n')?;
    Some(Flash { text: text.to_owned(), undo: undo.parse().ok() })
}

pub(crate) const FLASH_COOKIE: &str = FLASH;

fn without_note(mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("{FLASH}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

/// What an error's page takes over of the request that it answers.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    theme: &'static str,
    /// The page that is looked at, where a part of it was asked for (`HX-Request`).
    part_of: Option<String>,
}

impl Seen {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let part_of = text("hx-request").map(|_| own_path_of(text("hx-current-url")));
        Self { theme: theme_in(headers), part_of }
    }
}

/// The path of an address of ours that a browser names; of none the first page.
pub(crate) fn own_path_of(address: Option<&str>) -> String {
    let uri: Option<Uri> = address.and_then(|address| address.parse().ok());
    let path = uri.and_then(|uri| uri.path_and_query().map(ToString::to_string));
    path.filter(|path| is_own_path(path)).unwrap_or_else(|| "/".to_owned())
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    shell: Shell,
    status: u16,
    text: String,
    request_id: &'a str,
    /// Where to go on, and what that is called.
    on: (String, &'static str),
    /// What was sent and not taken.
    sent: &'a [(String, String)],
}

/// An error as a page; a guest is sent to the login and comes back afterwards.
pub(crate) fn error(error: &Error, request_id: &str, uri: &Uri, seen: &Seen) -> Response {
    let elsewhere = match error {
        Error::Unauthenticated(_) => {
            let here = || uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
            Some(login(&seen.part_of.clone().unwrap_or_else(here)))
        }
        Error::DefaultPassword => Some("/password".to_owned()),
        _ => None,
    };
    if let Some(to) = elsewhere {
        return match seen.part_of {
            // A part of a page is no place for another page.
            Some(_) => (StatusCode::NO_CONTENT, [("hx-redirect", to)]).into_response(),
            None => Redirect::to(&to).into_response(),
        };
    }
    let status = error.status();
    let (on, sent, title) = match error {
        Error::OldForm { back, sent, known: true, .. } => {
            ((back.clone(), "Open the form again"), &sent[..], "Nothing was saved")
        }
        Error::OldForm { back, sent, .. } => ((login(back), "Log in again"), &sent[..], "Nothing was saved"),
        _ => (("/".to_owned(), "Go to the overview"), &[][..], status.canonical_reason().unwrap_or("Error")),
    };
    let shell = Shell { title: title.to_owned(), theme: seen.theme, ..Shell::default() };
    match html(&ErrorPage { shell, status: status.as_u16(), text: error.to_string(), request_id, on, sent }) {
        Ok(body) => (status, body).into_response(),
        Err(_) => status.into_response(),
    }
}

/// The address of the login that leads on to `next`.
fn login(next: &str) -> String {
    // A slash may stand in a query as it is (RFC 3986, 3.4), and reads better.
    link("/login", &[("next", next)]).replace("%2F", "/")
}

/// Shows a page and takes its note away.
///
/// # Errors
/// As [`html`].
pub fn show(visitor: &Visitor, page: &impl Template) -> Result<Response, Error> {
    let response = html(page)?;
    Ok(if visitor.flash.is_some() { without_note(response) } else { response })
}

/// The colour of a run's state, as Tabler calls it.
#[must_use]
pub const fn state_colour(state: &RunState) -> &'static str {
    match state {
        RunState::Applied => "green",
        RunState::Running => "blue",
        RunState::Held | RunState::Partial => "yellow",
        RunState::Skipped => "secondary",
        RunState::Failed | RunState::Interrupted => "red",
    }
}

/// A path with those of the parameters that have a value.
#[must_use]
pub fn link<K: AsRef<str>, V: AsRef<str>>(path: &str, pairs: &[(K, V)]) -> String {
    let query = query(pairs);
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Those of the parameters that have a value, as they stand in an address.
#[must_use]
pub fn query<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    serde_urlencoded::to_string(pairs.filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>()).unwrap_or_default()
}

/// Whether a text is a path of ours and nothing else: `//host` and `/\host` are other sites to a browser.
#[must_use]
pub fn is_own_path(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//") && !text.contains('\\') && !text.contains(char::is_control)
}

/// What a form with nothing but its token brings.
#[derive(Debug, serde::Deserialize)]
pub struct Nothing {}

/// An instant as text without a script: date, hour and minute (UTC).
#[must_use]
pub fn minutes(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
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

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn an_address_holds_what_is_asked_for_alone() {
        assert_eq!(link("/history", &[("origin", ""), ("author", "")]), "/history");
        assert_eq!(link("/history", &[("origin", "page"), ("author", "a&b")]), "/history?origin=page&author=a%26b");
    }
}
