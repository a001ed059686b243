//! A route group with one route and nothing behind it.

use axum::Router;
use axum::routing::get;

fn main() -> Result<(), lambda_http::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(lambda_http::run(Router::new().fallback(get(async || "ok"))))
}
