//! Features: the JSON face.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::Feature;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Admin, Error, Found, IfMatch, Json, Listing, Outcome, Path, Principal, Problem, Query, missing};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::edit;
use crate::schema::{FeatureChanges, NewFeature};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(flatten)]
    listing: Listing,
}

async fn find(db: &Db, principal: &Principal, id: i64) -> Result<Found, Error> {
    let (_, absent) = edit::FEATURE;
    Found::by_id(db, Entity::Feature, &principal.scope(), id).await?.ok_or(Error::NotFound(absent))
}

/// All features
#[utoipa::path(get, path = "/api/features", tag = "settings", params(Listing), responses(
    (status = 200, description = "The features; with paging `Link` and `X-Total-Count`", body = Vec<Feature>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "An order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_features(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(READERS)?;
    let (list, page) = filter.listing.list(&db, Entity::Feature, &principal.scope())?;
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new feature
#[utoipa::path(post, path = "/api/features", tag = "settings", request_body = NewFeature, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing name, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "A feature with this name already exists", body = Problem),
))]
pub(crate) async fn create_feature(
    State(db): State<Db>,
    Admin(principal): Admin,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["name"], "Missing name")?;
    let made = edit::create_feature(&db, &principal.deed(Origin::Api, "Feature created"), body).await?;
    Outcome::created("Feature created successfully", "/api/features", made)
}

/// One feature
#[utoipa::path(get, path = "/api/features/{id}", tag = "settings",
    params(("id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "The feature; its version as `ETag`", body = Feature),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Feature not found", body = Problem),
))]
pub(crate) async fn get_feature(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(READERS)?;
    Ok(find(&db, &principal, id).await?.respond(&headers))
}

/// Change some fields of a feature
#[utoipa::path(put, path = "/api/features/{id}", tag = "settings", request_body = FeatureChanges,
    params(("id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Feature not found", body = Problem),
    (status = 409, description = "A feature with this name already exists", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_feature(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let deed = principal.deed(Origin::Api, "Feature updated");
    let updated = edit::update_feature(&db, &deed, (id, if_match.version()?), body).await?;
    Outcome::changed("Feature updated successfully", updated)
}

/// Archive a feature: no plan and no company shows it any more, until it is restored
#[utoipa::path(delete, path = "/api/features/{id}", tag = "settings",
    params(("id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Feature not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_feature(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let deed = principal.deed(Origin::Api, "Feature archived");
    let archived = edit::archive_feature(&db, &deed, id, if_match.version()?).await?;
    Outcome::changed("Feature deleted successfully", archived)
}

/// Bring an archived feature back
#[utoipa::path(post, path = "/api/features/{id}/restore", tag = "settings",
    params(("id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "It is back", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No archived feature has this id", body = Problem),
    (status = 409, description = "Another feature has this name by now", body = Problem),
))]
pub(crate) async fn restore_feature(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let restored = edit::restore_feature(&db, &principal.deed(Origin::Api, "Feature restored"), id).await?;
    Outcome::changed("Feature restored successfully", restored)
}
