//! Where a caller comes from.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;

/// The caller's address: the peer of the connection, or what API Gateway says of it. Headers such as `X-Forwarded-For`
/// are the caller's own words and count for nothing here.
#[derive(Clone, Debug)]
pub struct Address(String);

impl Address {
    /// The address as text; `unknown` where nothing is known.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        #[cfg(feature = "lambda")]
        if let Some(lambda_http::request::RequestContext::ApiGatewayV2(context)) =
            parts.extensions.get::<lambda_http::request::RequestContext>()
            && let Some(address) = &context.http.source_ip
        {
            return Ok(Self(address.clone()));
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map_or_else(|| "unknown".to_owned(), |ConnectInfo(peer)| peer.ip().to_string())))
    }
}
