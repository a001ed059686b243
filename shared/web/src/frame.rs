//! What is around every request, on the local runner and on Lambda alike: a request id, a log line, a limit on bodies,
//! security headers, and the rendering of errors.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use nexus_core::FieldError;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::drain::drained;
use crate::error::{Error, Problem};
use crate::state::State;
use crate::{idempotency, page};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bounds of what a request may bring.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body, in bytes.
    pub body: usize,
}

/// Names a request in the log and in the answer.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Puts the frame around a router. Everything that the router does not have is a problem or a page, too.
pub fn frame(router: Router<State>, state: State, limits: Limits) -> Router {
    router
        .layer(middleware::from_fn_with_state(state.clone(), idempotency::once))
        .with_state(state)
        .fallback(|| async { Error::NotFound("There is nothing at this path") })
        .method_not_allowed_fallback(|| async { Error::Method })
        .layer(DefaultBodyLimit::max(limits.body))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let told = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            tracing::error!(panic = told.unwrap_or("without words"), "a handler panicked");
            Error::Internal.into_response()
        }))
        .layer(middleware::from_fn(around))
}

async fn around(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = RequestId(request_id(request.headers()));
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    let is_api = path.starts_with("/api/") || path == "/api" || path.starts_with("/.well-known/");
    let host = request.headers().get(HOST).cloned();
    let seen = (!is_api).then(|| page::Seen::of(request.headers()));
    request.extensions_mut().insert(id.clone());
    let mut response = match impossible(&uri) {
        Some(error) => error.into_response(),
        None => to_its_end(request, next).await,
    };
    if let Some(error) = error_of(&response) {
        let kept = std::mem::take(response.headers_mut());
        response = match &seen {
            None => problem(&error, &id.0),
            Some(seen) => page::error(&error, &id.0, &uri, seen),
        };
        response.headers_mut().extend(kept.into_iter().filter_map(|(name, value)| {
            // What the router said of the method stays (`Allow`); its body and that body's type do not.
            name.filter(|name| *name == http::header::ALLOW).map(|name| (name, value))
        }));
        add_error_headers(&error, response.headers_mut());
    }
    add_headers(response.headers_mut(), is_api, &id.0);
    if !is_local(&uri, host.as_ref()) {
        let long = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, long);
    }
    let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
    tracing::info!(request_id = id.0, %method, path, status = response.status().as_u16(), milliseconds, "request");
    response
}

/// A write that was begun is done, and its answer kept for the next attempt, even when the client hangs up meanwhile: no change
/// without those who wait for it being told, no `Idempotency-Key` that is taken for good.
#[expect(clippy::disallowed_methods, reason = "it is waited for")]
async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return drained(request, next).await;
    }
    let done = tokio::spawn(drained(request, next).in_current_span()).await;
    done.unwrap_or_else(|_| Error::Internal.into_response())
}

/// The caller's own id where it is harmless, so that a request can be followed over several services.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    given.filter(harmless).map_or_else(crate::auth::random_id, str::to_owned)
}

/// No text of the directory holds the character 0, and not every database can even be asked for it.
fn impossible(uri: &Uri) -> Option<Error> {
    if uri.path().contains("%00") {
        return Some(Error::NotFound("There is nothing at this path"));
    }
    let pair = uri.query()?.split('&').find(|pair| pair.contains("%00"))?;
    let name = pair.split('=').next().unwrap_or_default();
    Some(Error::Invalid {
        message: "The query does not have the expected form".into(),
        fields: vec![FieldError::new(name, "must not hold control characters")],
    })
}

/// The error that a handler or an extractor gave, or that axum itself answered with.
fn error_of(response: &Response) -> Option<Error> {
    if let Some(error) = response.extensions().get::<Error>() {
        return Some(error.clone());
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Error::Method),
        StatusCode::PAYLOAD_TOO_LARGE => Some(Error::TooLarge),
        _ => None,
    }
}

/// Whether the caller uses this machine's own name: "HTTPS only" would then hold for everything else on `localhost`.
fn is_local(uri: &Uri, host: Option<&HeaderValue>) -> bool {
    let host = uri.host().or_else(|| host.and_then(|host| host.to_str().ok())).unwrap_or_default();
    ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

fn problem(error: &Error, request_id: &str) -> Response {
    let body = serde_json::to_vec(&Problem::new(error, request_id)).unwrap_or_default();
    (error.status(), [(CONTENT_TYPE, "application/problem+json")], body).into_response()
}

fn add_error_headers(error: &Error, headers: &mut HeaderMap) {
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if matches!(error, Error::Unauthenticated(_)) && !headers.contains_key(LOCATION) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}

fn add_headers(headers: &mut HeaderMap, is_api: bool, id: &str) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(REFERRER_POLICY, "same-origin");
    default(X_FRAME_OPTIONS, "DENY");
    // Records of clients: no shared cache and no back button of the next person may show them.
    default(CACHE_CONTROL, if is_api { "private, no-cache" } else { "no-store" });
    default(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Waker};

    use axum::body::Body;
    use axum::routing::{get, post};
    use axum::{Router, middleware};
    use http::Request;
    use tokio::sync::oneshot;
    use tower::ServiceExt as _;

    use super::to_its_end;

    /// Whether a handler comes to its end when its client hangs up.
    async fn ends(method: &str) -> bool {
        let (go, wait) = oneshot::channel::<()>();
        let (done, seen) = oneshot::channel::<()>();
        let once = Arc::new(Mutex::new(Some((wait, done))));
        let handler = async move || {
            let (wait, done) = once.lock().unwrap().take().unwrap();
            wait.await.unwrap();
            done.send(()).unwrap();
        };
        let router: Router = Router::new().route("/", get(handler.clone()).merge(post(handler)));
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        let mut asked = Box::pin(router.layer(middleware::from_fn(to_its_end)).oneshot(request));
        assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(asked);
        // Nobody waits when the handler is gone.
        let _ = go.send(());
        seen.await.is_ok()
    }

    #[tokio::test]
    async fn what_is_written_is_done_when_nobody_waits_for_it_any_more() {
        assert!(ends("POST").await);
        assert!(!ends("GET").await);
    }
}
