//! Another password.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use nexus_web::auth::cookie_after_login;
use nexus_web::page::{self, Shell};
use nexus_web::{Address, Auth, CsrfForm, Error, Visitor};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "auth/password.html")]
struct PasswordPage {
    shell: Shell,
    /// Nothing else is shown before.
    forced: bool,
    /// What is wrong with the current password, the new one, its repetition.
    faults: [Option<String>; 3],
}

#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    #[serde(default)]
    current: SecretString,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    again: SecretString,
}

pub(crate) async fn form(visitor: Visitor) -> Result<Response, Error> {
    page::show(&visitor, &page(&visitor, [None, None, None])?)
}

fn page(visitor: &Visitor, faults: [Option<String>; 3]) -> Result<PasswordPage, Error> {
    let forced = visitor.has_default_password();
    if visitor.principal.is_none() {
        return Err(Error::Unauthenticated("Log in first"));
    }
    Ok(PasswordPage { shell: Shell::new(visitor, "", "Change the password"), forced, faults })
}

pub(crate) async fn change(
    State(auth): State<Auth>,
    address: Address,
    visitor: Visitor,
    CsrfForm(form): CsrfForm<Form>,
) -> Result<Response, Error> {
    let person = visitor.principal.as_ref().ok_or(Error::Unauthenticated("Log in first"))?;
    let refuse = |faults| -> Result<Response, Error> {
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page::html(&page(&visitor, faults)?)?).into_response())
    };
    if form.password.expose_secret() != form.again.expose_secret() {
        return refuse([None, None, Some("is not the same as the new password".to_owned())]);
    }
    if form.password.expose_secret() == form.current.expose_secret() {
        return refuse([None, Some("must be another than the current one".to_owned()), None]);
    }
    match auth.log_in(&person.account.username, &form.current, address.as_str()).await {
        Ok(_) => {}
        Err(Error::Unauthenticated(_)) => return refuse([Some("is wrong".to_owned()), None, None]),
        Err(error) => return Err(error),
    }
    let secret = match auth.change_password(&person.account, &form.password).await {
        Ok(secret) => secret,
        Err(Error::Invalid { fields, .. }) => {
            return refuse([None, fields.into_iter().next().map(|fault| fault.message), None]);
        }
        Err(error) => return Err(error),
    };
    let mut response = page::done("/", "The password was changed. Other sessions of yours have ended.");
    if let Ok(cookie) = cookie_after_login(&auth, &secret).parse() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
