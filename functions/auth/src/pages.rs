//! Login and logout.

use std::fmt::Write as _;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use nexus_web::auth::{cookie_after_login, cookie_after_logout, guest_cookie, theme_cookie};
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{Address, Auth, CsrfForm, Error, Query, Visitor};
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "auth/login.html")]
struct LoginPage {
    shell: Shell,
    next: String,
    username: String,
    fault: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// A path of ours as a header can hold it; any other leads to the overview.
fn safe(next: &str) -> String {
    if !page::is_own_path(next) {
        return "/".to_owned();
    }
    next.bytes().fold(String::with_capacity(next.len()), |mut path, byte| {
        if byte.is_ascii_graphic() {
            path.push(byte.into());
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

pub(crate) async fn login_form(
    State(auth): State<Auth>,
    visitor: Visitor,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Error> {
    if visitor.principal.is_some() {
        return Ok(Redirect::to(&safe(&next)).into_response());
    }
    let (guest, cookie) = guest_cookie(&auth, visitor);
    let page = LoginPage { shell: Shell::new(&guest, "", "Log in"), next, username: String::new(), fault: None };
    Ok(([(SET_COOKIE, cookie)], page::html(&page)?).into_response())
}

pub(crate) async fn login(
    State(auth): State<Auth>,
    address: Address,
    visitor: Visitor,
    CsrfForm(form): CsrfForm<Form>,
) -> Result<Response, Error> {
    let account = match auth.log_in(&form.username, &form.password, address.as_str()).await {
        Ok(account) if !account.service_account => account,
        // A service has no business with pages; it is told what everybody else is told.
        Ok(_) => return show_fault(&visitor, form, &Error::Unauthenticated("Invalid credentials")),
        Err(error @ (Error::Unauthenticated(_) | Error::TooMany(_))) => return show_fault(&visitor, form, &error),
        Err(error) => return Err(error),
    };
    let secret = auth.begin_session(&account).await?;
    Ok(([(SET_COOKIE, cookie_after_login(&auth, &secret))], Redirect::to(&safe(&form.next))).into_response())
}

fn show_fault(visitor: &Visitor, form: Form, error: &Error) -> Result<Response, Error> {
    let (status, fault) = match error {
        Error::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "The name or the password is wrong".to_owned()),
    };
    let shell = Shell::new(visitor, "", "Log in");
    let page = LoginPage { shell, next: form.next, username: form.username, fault: Some(fault) };
    Ok((status, page::html(&page)?).into_response())
}

pub(crate) async fn logout(
    State(auth): State<Auth>,
    visitor: Visitor,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    auth.end_session(visitor.secret()).await?;
    Ok(([(SET_COOKIE, cookie_after_logout(&auth))], Redirect::to("/login")).into_response())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Theme {
    #[serde(default)]
    theme: String,
    /// The address of the page on which it was chosen.
    #[serde(default)]
    back: String,
}

/// Keeps the choice, and goes back to where it was made.
pub(crate) async fn theme(
    State(auth): State<Auth>,
    CsrfForm(Theme { theme, back }): CsrfForm<Theme>,
) -> Result<Response, Error> {
    Ok(([(SET_COOKIE, theme_cookie(&auth, &theme))], Redirect::to(&safe(&back))).into_response())
}
