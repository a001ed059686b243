//! The OpenAPI document for people: Swagger UI, which is part of the binary (see `build.rs`), so that the page asks no
//! other site for anything.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Visitor};

/// As of every page, with pictures that are written into a style sheet: that of Swagger UI draws the arrows of its lists
/// and its marks so. A picture from `data:` runs nothing and asks nobody. Nothing else had to be allowed.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "home/docs.html")]
struct Docs {
    shell: Shell,
    /// Version of Swagger UI.
    swagger: &'static str,
}

/// This document as a page, with forms that call the API
#[utoipa::path(get, path = "/api/docs", operation_id = "docs", tag = "home", security(()), responses(
    (status = 200, description = "Swagger UI", body = String, content_type = "text/html"),
))]
pub(crate) async fn show(visitor: Visitor) -> Result<Response, Error> {
    let page = Docs { shell: Shell::new(&visitor, "docs", "API"), swagger: nexus_web::statics::SWAGGER_UI_VERSION };
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")];
    Ok((headers, page::show(&visitor, &page)?).into_response())
}
