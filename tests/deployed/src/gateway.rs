//! What API Gateway is to route groups: an HTTP server that makes an event of each request, and an answer of each response (Amazon
//! API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::deployment::Functions;
use crate::routes::Routes;

/// An integration of an HTTP API answers within this time, or nobody waits for it any more.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request at most.
const LARGEST: usize = 10 * 1024 * 1024;

/// An HTTP API over functions. It serves while it is held.
#[derive(Debug)]
pub struct Gateway {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

struct Api {
    routes: Routes,
    functions: Arc<Functions>,
}

impl Gateway {
    /// Serves on a free port.
    pub async fn serve(routes: Routes, functions: Arc<Functions>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let api = Arc::new(Api { routes, functions });
        let service =
            Router::new().fallback(answer).with_state(api).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, service).await;
        });
        Self { url, task }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The event of a request of a service: path and query, token and JSON body.
#[must_use]
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Value {
    let mut request = http::Request::builder().method(method).uri(path).header(HOST, "nexus.example.com");
    if let Some(token) = token {
        request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    let body = body.map(Value::to_string).unwrap_or_default();
    event(&parts, &body.into(), SocketAddr::from((Ipv4Addr::LOCALHOST, 1)))
}

async fn answer(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: axum::extract::Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "{\"message\":\"Request Too Long\"}").into_response();
    };
    let Some(function) = api.routes.function(parts.uri.path()) else {
        return (StatusCode::NOT_FOUND, "{\"message\":\"Not Found\"}").into_response();
    };
    let (functions, limit) = (api.functions.clone(), api.routes.limit(function));
    let (function, event) = (function.to_owned(), event(&parts, &body, peer));
    // By itself: a function goes on when nobody waits for it any more.
    let invoked = tokio::spawn(async move { functions.invoke(&function, &event, limit).await });
    match tokio::time::timeout(TIMEOUT, invoked).await {
        Ok(Ok(Ok(response))) => http_of(&response),
        Ok(_) => (StatusCode::INTERNAL_SERVER_ERROR, "{\"message\":\"Internal Server Error\"}").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "{\"message\":\"Service Unavailable\"}").into_response(),
    }
}

fn event(parts: &Parts, body: &Bytes, peer: SocketAddr) -> Value {
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.flat_map(|all| all.split("; ")).collect();
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = headers.entry(name.as_str()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&value);
    }
    // Behind what callers say of themselves.
    let forwarded = headers.remove("x-forwarded-for").into_iter().chain([peer.ip().to_string()]);
    headers.insert("x-forwarded-for", forwarded.collect::<Vec<_>>().join(", "));
    headers.insert("x-forwarded-proto", "https".to_owned());
    headers.insert(CONTENT_LENGTH.as_str(), body.len().to_string());
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.starts_with("application/json");
    let text = std::str::from_utf8(body).ok().filter(|_| is_text);
    let (body_text, is_base64) = match text {
        Some(text) => (text.to_owned(), false),
        None => (STANDARD.encode(body), true),
    };
    let query = parts.uri.query().unwrap_or_default();
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match parameters.get_mut(&*name) {
            Some(Value::String(known)) => *known = format!("{known},{value}"),
            _ => drop(parameters.insert(name.into_owned(), value.into_owned().into())),
        }
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let agent = headers.get("user-agent").cloned().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": parts.uri.path(),
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "nexus",
            "domainName": host,
            "domainPrefix": "nexus",
            "http": {
                "method": parts.method.as_str(),
                "path": parts.uri.path(),
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_string(),
                "userAgent": agent,
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1_773_342_238_390_u64,
        },
        "isBase64Encoded": is_base64,
    });
    if !body.is_empty() {
        event["body"] = body_text.into();
    }
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !parameters.is_empty() {
        event["queryStringParameters"] = parameters.into();
    }
    event
}

fn http_of(response: &Value) -> Response {
    let text = response["body"].as_str().unwrap_or_default();
    let body = match response["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(text).expect("a body that is said to be base 64 is"),
        _ => text.as_bytes().to_vec(),
    };
    let mut answer = Response::new(Body::from(body));
    let status = response["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    *answer.status_mut() =
        status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut add = |name: &str, value: &Value| {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name), HeaderValue::try_from(value.as_str().unwrap_or_default()))
        {
            answer.headers_mut().append(name, value);
        }
    };
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        add(name, value);
    }
    for cookie in response["cookies"].as_array().into_iter().flatten() {
        add(SET_COOKIE.as_str(), cookie);
    }
    answer.headers_mut().remove(CONTENT_LENGTH);
    answer
}
