//! A body that is too large is taken to its end all the same, up to a bound: a client that still sends when the
//! connection closes sees that it broke, and never the answer that says why.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http_body::{Frame, SizeHint};

/// How much is taken in and thrown away.
const MOST: usize = 16 * 1024 * 1024;

/// A request's body that can still be read after its handler has ended. Only one of the two reads at a time.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

/// Runs the rest of the router, then takes the rest of a body that was refused for its length.
pub(crate) async fn drained(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut rest = Shared(Arc::new(Mutex::new(body)));
    let response = next.run(Request::from_parts(parts, Body::new(rest.clone()))).await;
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let mut taken = 0;
        while taken < MOST
            && let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await
        {
            taken += frame.data_ref().map_or(0, Bytes::len);
        }
    }
    response
}
