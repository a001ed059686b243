//! Every function in one router. A new route group is one line here.

use axum::Router;
use nexus_events::Bus;
use nexus_web::{Limits, State, frame};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Info, OpenApi};
use utoipa_axum::router::OpenApiRouter;

fn groups(bus: Bus) -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .merge(auth::router())
        .merge(home::router())
        .merge(companies::router())
        .merge(contacts::router())
        .merge(assets::router())
        .merge(users::router())
        .merge(settings::router(bus))
        .merge(sync::router())
}

/// The routes of all functions over one state; what they send goes out on the bus.
pub fn router(state: State, bus: Bus, limits: Limits) -> Router {
    let (router, _) = groups(bus).split_for_parts();
    frame(router, state, limits)
}

/// The OpenAPI document of all functions.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = groups(Bus::local()).into_openapi();
    document.info = Info::new("Nexus", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(
        "The client directory of a managed service provider: companies, locations, contacts, assets and users, one trusted \
         record of each."
            .into(),
    );
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("api_key", key);
    let either = |name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []);
    document.security = Some(vec![either("token"), either("api_key")]);
    nexus_web::openapi::tell_usual_errors(&mut document);
    nexus_web::openapi::tell_errors(&mut document);
    nexus_web::openapi::tell_headers(&mut document);
    document
}
