//! Plans: the JSON face.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::Plan;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Admin, Error, Found, IfMatch, Json, Listing, Outcome, Path, Principal, Problem, Query, missing};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::edit;
use crate::schema::{NewPlan, PlanChanges};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(flatten)]
    listing: Listing,
}

async fn find(db: &Db, principal: &Principal, id: i64) -> Result<Found, Error> {
    let (_, absent) = edit::PLAN;
    Found::by_id(db, Entity::Plan, &principal.scope(), id).await?.ok_or(Error::NotFound(absent))
}

/// All plans
#[utoipa::path(get, path = "/api/plans", tag = "settings", params(Listing), responses(
    (status = 200, description = "The plans; with paging `Link` and `X-Total-Count`", body = Vec<Plan>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "An order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_plans(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(READERS)?;
    let (list, page) = filter.listing.list(&db, Entity::Plan, &principal.scope())?;
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new plan
#[utoipa::path(post, path = "/api/plans", tag = "settings", request_body = NewPlan, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing name, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "A plan with this name already exists", body = Problem),
))]
pub(crate) async fn create_plan(
    State(db): State<Db>,
    Admin(principal): Admin,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["name"], "Missing name")?;
    let made = edit::create_plan(&db, &principal.deed(Origin::Api, "Plan created"), body).await?;
    Outcome::created("Plan created successfully", "/api/plans", made)
}

/// One plan
#[utoipa::path(get, path = "/api/plans/{id}", tag = "settings",
    params(("id" = i64, Path, description = "The plan's id")), responses(
    (status = 200, description = "The plan; its version as `ETag`", body = Plan),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Plan not found", body = Problem),
))]
pub(crate) async fn get_plan(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(READERS)?;
    Ok(find(&db, &principal, id).await?.respond(&headers))
}

/// Change some fields of a plan
#[utoipa::path(put, path = "/api/plans/{id}", tag = "settings", request_body = PlanChanges,
    params(("id" = i64, Path, description = "The plan's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Plan not found", body = Problem),
    (status = 409, description = "A plan with this name already exists", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_plan(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let deed = principal.deed(Origin::Api, "Plan updated");
    let updated = edit::update_plan(&db, &deed, (id, if_match.version()?), body).await?;
    Outcome::changed("Plan updated successfully", updated)
}

/// Archive a plan that no company has
#[utoipa::path(delete, path = "/api/plans/{id}", tag = "settings",
    params(("id" = i64, Path, description = "The plan's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Plan not found", body = Problem),
    (status = 409, description = "Companies have this plan", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_plan(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let deed = principal.deed(Origin::Api, "Plan archived");
    let archived = edit::archive_plan(&db, &deed, id, if_match.version()?).await?;
    Outcome::changed("Plan deleted successfully", archived)
}

/// Bring an archived plan back
#[utoipa::path(post, path = "/api/plans/{id}/restore", tag = "settings",
    params(("id" = i64, Path, description = "The plan's id")), responses(
    (status = 200, description = "It is back", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No archived plan has this id", body = Problem),
    (status = 409, description = "Another plan has this name by now", body = Problem),
))]
pub(crate) async fn restore_plan(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let restored = edit::restore_plan(&db, &principal.deed(Origin::Api, "Plan restored"), id).await?;
    Outcome::changed("Plan restored successfully", restored)
}
