//! `Idempotency-Key` on POST: the same key and body answer the first answer again for a day.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, Request, State as FromState};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use nexus_core::FieldError;
use nexus_db::requests::{self, Answer, Claim};
use serde_json::{Map, Value};

use crate::auth::{Principal, hash_secret};
use crate::error::Error;
use crate::state::State;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The headers that are a part of an answer.
const KEPT: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];
/// Longer answers are not kept; no POST of Nexus gives one. The longest names each record that an undo left alone.
const LONGEST: usize = 16 * 1024 * 1024;

/// Status of an answer that says why the first one cannot be given again.
const CONFLICT: i64 = 409;
const SECRET: &str = "This request was carried out. Its answer held a secret, which is shown once; make a new one";

/// Names a request: caller and key. A change set carries it.
#[derive(Clone, Debug)]
pub(crate) struct RequestKey(pub(crate) String);

/// An answer that is given once: it holds a secret.
#[derive(Clone, Copy, Debug)]
pub struct GivenOnce;

/// Around every request of a router.
pub(crate) async fn once(FromState(state): FromState<State>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // A token is a secret and is not kept; asking for one twice changes nothing.
    let asks = request.method() == Method::POST && path.starts_with("/api/") && path != "/api/token";
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).filter(|_| asks).cloned() else {
        return next.run(request).await;
    };
    match carry_out(&state, &key, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn carry_out(state: &State, key: &HeaderValue, request: Request, next: Next) -> Result<Response, Error> {
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len())).ok_or_else(|| {
        Error::fields(vec![FieldError::new("Idempotency-Key", "must be 1 to 255 characters of ASCII")])
    })?;
    let (mut parts, body) = request.into_parts();
    // Whoever is not known is refused by the handler, as without a key.
    let Ok(caller) = Principal::from_request_parts(&mut parts, state).await else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let bytes = match Bytes::from_request(Request::from_parts(parts.clone(), body), state).await {
        Ok(bytes) => bytes,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let request_key = hash_secret(&format!("{} {key}", caller.account.id));
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // The body may hold a password: with the key, of which only a hash is kept, nobody can try passwords on what is kept.
    let asked = [format!("{key}\n{} {kind}\n", parts.uri).as_bytes(), &bytes].concat();
    match requests::claim(&state.db, &request_key, &hash_bytes(&asked)).await? {
        Claim::New => {}
        Claim::Answered(answer) => return again(&answer),
        Claim::Going => return Err(Error::BeingDone(1)),
        Claim::Other => {
            return Err(Error::Unprocessable("This Idempotency-Key was used for another request; take a new one"));
        }
    }
    parts.extensions.insert(RequestKey(request_key.clone()));
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    keep(state, &request_key, response).await
}

fn hash_bytes(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes))
}

/// Keeps an answer for the next time. What was refused wrote nothing and may be tried again.
async fn keep(state: &State, request_key: &str, response: Response) -> Result<Response, Error> {
    if let Some(error @ Error::CarriedOut) = response.extensions().get::<Error>() {
        let answer = Answer { status: CONFLICT, headers: String::new(), answer: error.to_string() };
        requests::answer(&state.db, request_key, &answer).await?;
        return Ok(response);
    }
    if !response.status().is_success() {
        requests::release(&state.db, request_key).await?;
        return Ok(response);
    }
    let once = response.extensions().get::<GivenOnce>().is_some();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, LONGEST).await.map_err(|error| {
        tracing::error!(%error, "the answer to a request with an Idempotency-Key could not be kept");
        Error::Internal
    })?;
    let headers: Map<String, Value> = KEPT
        .iter()
        .filter_map(|name| Some((name.to_string(), parts.headers.get(name)?.to_str().ok()?.into())))
        .collect();
    let answer = if once {
        Answer { status: CONFLICT, headers: String::new(), answer: SECRET.to_owned() }
    } else {
        Answer {
            status: parts.status.as_u16().into(),
            headers: Value::Object(headers).to_string(),
            answer: String::from_utf8_lossy(&bytes).into_owned(),
        }
    };
    requests::answer(&state.db, request_key, &answer).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn again(answer: &Answer) -> Result<Response, Error> {
    let status = u16::try_from(answer.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    match status {
        Some(StatusCode::CONFLICT) => Err(Error::Conflict(answer.answer.clone())),
        Some(status) => {
            let kept: Map<String, Value> = serde_json::from_str(&answer.headers).unwrap_or_default();
            let mut headers = HeaderMap::new();
            for (name, value) in kept {
                if let (Ok(name), Some(Ok(value))) = (name.parse::<HeaderName>(), value.as_str().map(str::parse)) {
                    headers.insert(name, value);
                }
            }
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
            Ok((status, headers, answer.answer.clone()).into_response())
        }
        None => Err(Error::Internal),
    }
}
