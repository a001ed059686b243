//! The JSON face.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::Asset;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{
    Editor, Error, IfMatch, Include, Json, Listing, Outcome, Path, Principal, Problem, Query, missing, record,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::schema::{AssetChanges, NewAsset};
use crate::{edit, store};

const NOT_FOUND: Error = Error::NotFound(edit::ABSENT);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the assets of this company.
    company_account_number: Option<String>,
    /// Only the assets of exactly this name, letter case aside.
    hostname: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    listing: Listing,
}

/// All assets
#[utoipa::path(get, path = "/api/assets", tag = "assets", params(Filter, Listing), responses(
    (status = 200, description = "The assets; with paging `Link` and `X-Total-Count`", body = Vec<Asset>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "A filter, order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_assets(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let (mut list, page) = filter.listing.list(&db, Entity::Asset, &principal.scope())?;
    if let Some(hostname) = &filter.hostname {
        list = list.filter("lower(t.hostname) = {}", hostname.trim().to_ascii_lowercase());
    }
    if let Some(number) = &filter.company_account_number {
        list = list.of_company(number);
    }
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new asset
#[utoipa::path(post, path = "/api/assets", tag = "assets", request_body = NewAsset, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing hostname or company_account_number, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn create_asset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["hostname", "company_account_number"], "Missing hostname or company_account_number")?;
    let created = edit::create(&db, &principal.deed(Origin::Api, "Asset created"), body).await?;
    Outcome::created("Asset created successfully", "/api/assets", created)
}

/// One asset
#[utoipa::path(get, path = "/api/assets/{id}", tag = "assets",
    params(("id" = i64, Path, description = "The asset's id"), Include), responses(
    (status = 200, description = "The asset; its version as `ETag`", body = Asset),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Asset not found", body = Problem),
))]
pub(crate) async fn get_asset(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    Query(include): Query<Include>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let found = store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    Ok(found.including(&db, Entity::Asset, &principal, &include).await?.respond(&headers))
}

/// Change some fields of an asset
#[utoipa::path(put, path = "/api/assets/{id}", tag = "assets", request_body = AssetChanges,
    params(("id" = i64, Path, description = "The asset's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Asset not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_asset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let deed = principal.deed(Origin::Api, "Asset updated");
    let updated = edit::update(&db, &deed, id, if_match.version()?, body).await?;
    Outcome::changed("Asset updated successfully", updated)
}

/// Archive an asset
#[utoipa::path(delete, path = "/api/assets/{id}", tag = "assets",
    params(("id" = i64, Path, description = "The asset's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Asset not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_asset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let archived = edit::archive(&db, &principal.deed(Origin::Api, "Asset archived"), id, if_match.version()?).await?;
    Outcome::changed("Asset deleted successfully", archived)
}

/// Bring an archived asset back, with its links
#[utoipa::path(post, path = "/api/assets/{id}/restore", tag = "assets",
    params(("id" = i64, Path, description = "The asset's id")), responses(
    (status = 200, description = "It is back", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No archived asset has this id", body = Problem),
))]
pub(crate) async fn restore_asset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let restored = edit::restore(&db, &principal.deed(Origin::Api, "Asset restored"), id).await?;
    Outcome::changed("Asset restored successfully", restored)
}

/// Pin a field of an asset: it no longer follows its source
#[utoipa::path(put, path = "/api/assets/{id}/pins/{field}", tag = "assets",
    params(("id" = i64, Path, description = "The asset's id"), ("field" = String, Path, description = "Name of the field")),
    responses(
    (status = 200, description = "Pinned", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such asset or field", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn pin_asset_field(
    State(db): State<Db>,
    principal: Principal,
    Path((id, field)): Path<(i64, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    pin(&db, &principal, id, (&field, true), if_match).await
}

/// Release a field of an asset: it takes its source's latest value and follows it again
#[utoipa::path(delete, path = "/api/assets/{id}/pins/{field}", tag = "assets",
    params(("id" = i64, Path, description = "The asset's id"), ("field" = String, Path, description = "Name of the field")),
    responses(
    (status = 200, description = "Released", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such asset or field", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn release_asset_field(
    State(db): State<Db>,
    principal: Principal,
    Path((id, field)): Path<(i64, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    pin(&db, &principal, id, (&field, false), if_match).await
}

async fn pin(
    db: &Db,
    principal: &Principal,
    id: i64,
    (field, pinned): (&str, bool),
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require_editor()?;
    store::find(db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let done =
        record::pin(db, principal, (Entity::Asset, id), (field, pinned), if_match.version()?, Origin::Api).await?;
    Outcome::changed(if pinned { "Field pinned" } else { "Field released" }, done)
}
