//! What a request brings, parsed; whatever is wrong with it is an [`Error`] that says so.

#![expect(clippy::disallowed_types, reason = "these are the wrappers that everybody else uses")]

use axum::extract::rejection::{BytesRejection, FailedToBufferBody, JsonRejection};
use axum::extract::{FromRef, FromRequest, FromRequestParts, OptionalFromRequest, Request};
use http::header::REFERER;
use http::request::Parts;
use http_body::Body as _;
use nexus_core::FieldError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::auth::{Auth, Visitor};
use crate::error::Error;
use crate::page::own_path_of;

/// A JSON body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

/// A body that may be left out.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Error> {
        if request.headers().contains_key(http::header::CONTENT_TYPE) || !request.body().is_end_stream() {
            <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let read = <axum::Json<T> as FromRequest<S>>::from_request(request, state).await;
        read.map(|axum::Json(value)| Self(value)).map_err(|rejection| match rejection {
            JsonRejection::MissingJsonContentType(_) => Error::MediaType("application/json"),
            JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(
                FailedToBufferBody::LengthLimitError(_),
            )) => Error::TooLarge,
            JsonRejection::JsonDataError(error) => described(&inner_text(&error)),
            JsonRejection::JsonSyntaxError(error) => {
                Error::invalid(format!("The body is not valid JSON: {}", inner_text(&error)))
            }
            other => Error::invalid(other.body_text()),
        })
    }
}

/// The deepest cause: serde's own words, without axum's around them.
fn inner_text(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Serde tells the place as `path: what`; the path is the field.
fn described(text: &str) -> Error {
    let field = text
        .split_once(": ")
        .map(|(path, _)| path)
        .filter(|path| !path.contains(' '))
        .or_else(|| text.split('`').nth(1))
        .unwrap_or("body");
    Error::Invalid {
        message: "The body does not have the expected form".into(),
        fields: vec![FieldError::new(field, text)],
    }
}

/// The parts of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // A path whose parts are of another form (a word for an id) names nothing.
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Error::NotFound("There is nothing at this path"))
    }
}

/// The parameters after the question mark.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| match described(&inner_text(&rejection)) {
                Error::Invalid { fields, .. } => {
                    Error::Invalid { message: "The query does not have the expected form".into(), fields }
                }
                other => other,
            })
    }
}

/// More fields of a form that is refused are not shown again.
const TYPED: usize = 100;

/// A form of a page, opened only after its token was found to be the session's.
#[derive(Debug)]
pub struct CsrfForm<T>(pub T);

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    csrf: String,
}

impl<S, T> FromRequest<S> for CsrfForm<T>
where
    S: Send + Sync,
    Auth: FromRef<S>,
    T: DeserializeOwned,
{
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let referer = parts.headers.get(REFERER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes =
            axum::body::Bytes::from_request(Request::from_parts(parts, body), state).await.map_err(|rejection| {
                match rejection {
                    BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Error::TooLarge,
                    _ => Error::invalid("The form could not be read"),
                }
            })?;
        if bytes.windows(3).any(|three| three == b"%00") || bytes.windows(5).any(|five| five == b"%2500") {
            return Err(Error::invalid("The form holds the character 0, which no text of the directory may hold"));
        }
        let Token { csrf } = parse(&bytes)?;
        if !visitor.accepts(&csrf) {
            return Err(old_form(&visitor, referer.as_deref(), &bytes));
        }
        parse(&bytes).map(Self)
    }
}

/// What is told of a form whose token is not the visitor's: what was typed is not lost, secrets aside.
fn old_form(visitor: &Visitor, referer: Option<&str>, bytes: &[u8]) -> Error {
    if visitor.path.starts_with("/login") {
        return Error::Forbidden("This form is no longer valid. Open the page again and repeat your change");
    }
    let sent: Vec<(String, String)> = parse(bytes).unwrap_or_default();
    let typed = |(name, value): &(String, String)| {
        let ours = ["csrf", "version", "back", "query", "ids"].contains(&name.as_str());
        !ours && !name.contains("password") && !value.trim().is_empty()
    };
    let sent = sent.into_iter().filter(typed).take(TYPED).collect();
    let known = visitor.principal.is_some();
    let told = if known { "This form is older than your login" } else { "Your session has ended" };
    Error::OldForm { told, back: own_path_of(referer), sent, known }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| described(&error.to_string()))
}
