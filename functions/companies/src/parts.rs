//! What belongs to one company: its devices, people, places, users and features.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::ETAG;
use http::{HeaderMap, Uri};
use nexus_core::records::{Asset, Contact, Location, User};
use nexus_core::views::CompanyFeature;
use nexus_core::{Entity, FieldError, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Editor, Error, IfMatch, Json, Listing, Path, Principal, Problem, Query, etag, missing};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::api::{CompanyOutcome, find};
use crate::{edit, store};

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(flatten)]
    listing: Listing,
}

/// A list of what belongs to a company; a client sees that of its own companies.
async fn list(
    db: &Db,
    principal: &Principal,
    (entity, account_number): (Entity, &str),
    filter: Filter,
    asked: (&Uri, &HeaderMap),
) -> Result<Response, Error> {
    find(db, principal, account_number).await?;
    let (list, page) = filter.listing.list(db, entity, &principal.scope())?;
    list.of_company(account_number).respond(db, page, asked).await
}

/// The devices of a company
#[utoipa::path(get, path = "/api/companies/{account_number}/assets", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"), Listing), responses(
    (status = 200, description = "The devices; with paging `Link` and `X-Total-Count`", body = Vec<Asset>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn list_company_assets(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    list(&db, &principal, (Entity::Asset, &account_number), filter, (&uri, &headers)).await
}

/// The people of a company
#[utoipa::path(get, path = "/api/companies/{account_number}/contacts", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"), Listing), responses(
    (status = 200, description = "The people; with paging `Link` and `X-Total-Count`", body = Vec<Contact>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn list_company_contacts(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    list(&db, &principal, (Entity::Contact, &account_number), filter, (&uri, &headers)).await
}

/// The places of a company
#[utoipa::path(get, path = "/api/companies/{account_number}/locations", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"), Listing), responses(
    (status = 200, description = "The places; with paging `Link` and `X-Total-Count`", body = Vec<Location>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn list_company_locations(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    list(&db, &principal, (Entity::Location, &account_number), filter, (&uri, &headers)).await
}

/// The portal users of a company
#[utoipa::path(get, path = "/api/companies/{account_number}/users", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"), Listing), responses(
    (status = 200, description = "The users; with paging `Link` and `X-Total-Count`", body = Vec<User>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, body = Problem), (status = 401, body = Problem),
    (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn list_company_users(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Client])?;
    list(&db, &principal, (Entity::User, &account_number), filter, (&uri, &headers)).await
}

/// Every feature, and what a company has of it
#[utoipa::path(get, path = "/api/companies/{account_number}/features", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "The features, in their order; a client is told of those that its company has",
        body = Vec<CompanyFeature>),
    (status = 401, body = Problem), (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn list_company_features(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let found = find(&db, &principal, &account_number).await?;
    let features = store::features(&db, found.id).await?;
    let told = features.into_iter().map(|one| CompanyFeature {
        id: one.id,
        name: one.name,
        value: one.own_value.clone().or(one.plan_value.clone()),
        plan_value: one.plan_value,
        own_value: one.own_value,
    });
    // What others may have is not for a client to know.
    let is_client = principal.account.role == Role::Client;
    nexus_web::json(&told.filter(|one| !is_client || one.value.is_some()).collect::<Vec<_>>())
}

/// A company's own value of a feature.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct FeatureValue {
    /// In place of what the plan says.
    #[schema(example = "Daily")]
    value: String,
}

/// Give a company its own value of a feature
#[utoipa::path(put, path = "/api/companies/{account_number}/features/{feature_id}", tag = "companies",
    request_body = FeatureValue,
    params(("account_number" = String, Path, description = "The company's key"),
        ("feature_id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "It goes before what the plan says", body = CompanyOutcome),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No such company or feature", body = Problem),
    (status = 412, description = "The company is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn set_company_feature(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path((account_number, feature_id)): Path<(String, i64)>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    let unknown = body.keys().find(|name| *name != "value");
    if let Some(name) = unknown {
        return Err(Error::fields(vec![FieldError::new(name, "is not known; send value")]));
    }
    missing(&body, &["value"], "Missing value")?;
    let Some(Value::String(value)) = body.get("value") else {
        return Err(Error::fields(vec![FieldError::new("value", "must be text")]));
    };
    set(&db, &principal, account_number, (feature_id, Some(value.clone())), if_match).await
}

/// Let a company follow its plan in a feature again
#[utoipa::path(delete, path = "/api/companies/{account_number}/features/{feature_id}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"),
        ("feature_id" = i64, Path, description = "The feature's id")), responses(
    (status = 200, description = "The plan's value holds", body = CompanyOutcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No such company or feature", body = Problem),
    (status = 412, description = "The company is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn clear_company_feature(
    State(db): State<Db>,
    principal: Principal,
    Path((account_number, feature_id)): Path<(String, i64)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    set(&db, &principal, account_number, (feature_id, None), if_match).await
}

async fn set(
    db: &Db,
    principal: &Principal,
    account_number: String,
    (feature_id, value): (i64, Option<String>),
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let found = find(db, principal, &account_number).await?;
    // At the version that was read: somebody who changes another feature meanwhile must not be undone by this.
    let version = if_match.version()?.unwrap_or(found.version);
    let features = store::features(db, found.id).await?;
    if !features.iter().any(|one| one.id == feature_id) {
        return Err(Error::NotFound("Feature not found"));
    }
    let mut own: Map<String, Value> = features
        .into_iter()
        .filter(|one| one.id != feature_id || value.is_some())
        .filter_map(|one| {
            let own = if one.id == feature_id { value.clone() } else { one.own_value };
            own.map(|value| (one.name, Value::String(value)))
        })
        .collect();
    let body = Map::from_iter([("feature_overrides".to_owned(), json!(std::mem::take(&mut own)))]);
    let deed = principal.deed(Origin::Api, "Feature of the company changed");
    let done = edit::update(db, &deed, found.id, Some(version), body).await?;
    let outcome = CompanyOutcome { message: "Company updated successfully", account_number };
    Ok(([(ETAG, etag(done.version))], nexus_web::json(&outcome)?).into_response())
}
