//! Locations: the places of companies.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::Location;
use nexus_core::{Entity, FieldError, Fields, Role};
use nexus_db::Db;
use nexus_db::changes::{Deed, Edit, Origin, Touched};
use nexus_web::{
    Editor, Error, Found, IfMatch, Include, Json, Listing, Outcome, Path, Principal, Problem, Query, archived_targets,
    both, company_ids, company_number, missing, record, record_fields,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::schema::{LocationChanges, NewLocation};

const ABSENT: &str = "Location not found";
pub(crate) const WORDS: (&str, &str) = ("Another location has this value", ABSENT);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the locations of this company.
    company_account_number: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    listing: Listing,
}

/// Callers name the company by account number; the record holds its id.
async fn fields(db: &Db, known: Option<i64>, mut body: Map<String, Value>) -> Result<Fields, Error> {
    const FIELD: &str = "company_account_number";
    let company = async {
        let Some(numbers) = company_number(&mut body)? else { return Ok(None) };
        match (&company_ids(db, FIELD, &numbers).await?[..], known) {
            ([id], _) => Ok(Some(*id)),
            // What is shown as none is one that is archived, and comes back.
            ([], Some(id)) if !archived_targets(db, (Entity::Location, id), "company_id").await?.is_empty() => Ok(None),
            _ => Err(Error::fields(vec![FieldError::new(FIELD, "must be the account number of one company")])),
        }
    }
    .await;
    let (mut fields, company) = both(record_fields(Entity::Location, body), company)?;
    if let Some(id) = company {
        fields.insert("company_id".to_owned(), id.into());
    }
    Ok(fields)
}

/// A new location.
pub(crate) async fn create(db: &Db, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let edit = Edit::Create { entity: Entity::Location, fields: fields(db, None, body).await? };
    record::change(db, deed, edit, WORDS).await
}

/// New values for some fields of the location of an id, which was seen at a version.
pub(crate) async fn update(
    db: &Db,
    deed: &Deed,
    (id, version): (i64, Option<i64>),
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let fields = fields(db, Some(id), body).await?;
    record::change(db, deed, Edit::Update { entity: Entity::Location, id, version, fields }, WORDS).await
}

/// All locations
#[utoipa::path(get, path = "/api/locations", tag = "locations", params(Filter, Listing), responses(
    (status = 200, description = "The locations; with paging `Link` and `X-Total-Count`", body = Vec<Location>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "A filter, order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_locations(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let (mut list, page) = filter.listing.list(&db, Entity::Location, &principal.scope())?;
    if let Some(number) = &filter.company_account_number {
        list = list.of_company(number);
    }
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new location
#[utoipa::path(post, path = "/api/locations", tag = "locations", request_body = NewLocation, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing name or company_account_number, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn create_location(
    State(db): State<Db>,
    Editor(principal): Editor,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["name", "company_account_number"], "Missing name or company_account_number")?;
    let made = create(&db, &principal.deed(Origin::Api, "Location created"), body).await?;
    Outcome::created("Location created successfully", "/api/locations", made)
}

/// One location
#[utoipa::path(get, path = "/api/locations/{id}", tag = "locations",
    params(("id" = i64, Path, description = "The location's id"), Include), responses(
    (status = 200, description = "The location; its version as `ETag`", body = Location),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Location not found", body = Problem),
))]
pub(crate) async fn get_location(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    Query(include): Query<Include>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let found = find(&db, &principal, id).await?;
    Ok(found.including(&db, Entity::Location, &principal, &include).await?.respond(&headers))
}

async fn find(db: &Db, principal: &Principal, id: i64) -> Result<Found, Error> {
    Found::by_id(db, Entity::Location, &principal.scope(), id).await?.ok_or(Error::NotFound(ABSENT))
}

/// Change some fields of a location
#[utoipa::path(put, path = "/api/locations/{id}", tag = "locations", request_body = LocationChanges,
    params(("id" = i64, Path, description = "The location's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Location not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_location(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let deed = principal.deed(Origin::Api, "Location updated");
    let done = update(&db, &deed, (id, if_match.version()?), body).await?;
    Outcome::changed("Location updated successfully", done)
}

/// Archive a location
#[utoipa::path(delete, path = "/api/locations/{id}", tag = "locations",
    params(("id" = i64, Path, description = "The location's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Location not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_location(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let edit = Edit::Archive { entity: Entity::Location, id, version: if_match.version()? };
    let done = record::change(&db, &principal.deed(Origin::Api, "Location archived"), edit, WORDS).await?;
    Outcome::changed("Location deleted successfully", done)
}

/// Bring an archived location back
#[utoipa::path(post, path = "/api/locations/{id}/restore", tag = "locations",
    params(("id" = i64, Path, description = "The location's id")), responses(
    (status = 200, description = "It is back", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No archived location has this id", body = Problem),
))]
pub(crate) async fn restore_location(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let edit = Edit::Restore { entity: Entity::Location, id, version: None };
    let done = record::change(&db, &principal.deed(Origin::Api, "Location restored"), edit, WORDS).await?;
    Outcome::changed("Location restored successfully", done)
}
