//! JSON answers.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt as _};
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::error::Error;

/// A value as JSON.
///
/// # Errors
/// [`Error::Internal`] when it has no JSON form, which is logged.
pub fn json(value: &impl Serialize) -> Result<Response, Error> {
    json_string(value).map(json_text)
}

/// A JSON text that the database has built, as it is.
#[must_use]
pub fn json_text(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// An array that is sent part by part; each part is the inside of an array, and none is empty. A fault ends the answer before its end,
/// which a reader of HTTP notices.
pub(crate) fn json_array(parts: impl Stream<Item = Result<String, Error>> + Send + 'static) -> Response {
    let parts = parts.enumerate().flat_map(|(at, part)| {
        let between = (at > 0).then_some(Ok(Bytes::from_static(b",")));
        stream::iter(between.into_iter().chain([part.map(Bytes::from)]))
    });
    let piece = |text: &'static [u8]| stream::iter([Ok(Bytes::from_static(text))]);
    let mut response = json_text(String::new());
    *response.body_mut() = Body::from_stream(piece(b"[").chain(parts).chain(piece(b"]")));
    response
}

fn json_inside(items: &[impl Serialize]) -> Result<String, Error> {
    let mut text = json_string(&items)?;
    text.pop();
    Ok(text.split_off(1))
}

/// Items that are read so many at a time, from the newest to the oldest: `next` gives those before an item.
pub fn json_newest_first<T, F, R>(id: fn(&T) -> i64, next: F) -> Response
where
    T: Serialize + Send + Sync + 'static,
    F: Fn(i64) -> R + Send + 'static,
    R: Future<Output = Result<Vec<T>, Error>> + Send,
{
    json_array(stream::try_unfold((i64::MAX, next), move |(before, next): (i64, F)| async move {
        let items = next(before).await?;
        let Some(last) = items.last() else { return Ok(None) };
        Ok(Some((json_inside(&items)?, (id(last), next))))
    }))
}

pub(crate) fn json_string(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "an answer has no JSON form");
        Error::Internal
    })
}
