//! The JSON face.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use nexus_core::records::Company;
use nexus_core::{Entity, FieldError, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{
    Editor, Error, Found, IfMatch, Include, Json, Listing, Path, Principal, Problem, Query, etag, missing, record,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::{CompanyChanges, NewCompany};
use crate::{edit, store};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the company of this Freshservice department.
    #[param(value_type = Option<i64>)]
    freshservice_id: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    listing: Listing,
}

/// What came of a change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CompanyOutcome {
    /// A sentence.
    #[schema(example = "Company updated successfully")]
    pub(crate) message: &'static str,
    /// The company's key.
    pub(crate) account_number: String,
}

/// All companies
#[utoipa::path(get, path = "/api/companies", tag = "companies", params(Filter, Listing), responses(
    (status = 200, description = "The companies; with paging `Link` and `X-Total-Count`", body = Vec<Company>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "A filter, order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_companies(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let (mut list, page) = filter.listing.list(&db, Entity::Company, &principal.scope())?;
    if let Some(id) = &filter.freshservice_id {
        let id: i64 = id
            .parse()
            .map_err(|_| Error::fields(vec![FieldError::new("freshservice_id", "must be a whole number")]))?;
        list = list.filter("t.freshservice_id = {}", id);
    }
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new company
#[utoipa::path(post, path = "/api/companies", tag = "companies", request_body = NewCompany, responses(
    (status = 201, description = "Created", body = CompanyOutcome),
    (status = 400, description = "Missing name or account_number, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "Company already exists. Use PUT to update.", body = Problem),
))]
pub(crate) async fn create_company(
    State(db): State<Db>,
    Editor(principal): Editor,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["name", "account_number"], "Missing name or account_number")?;
    let account_number = body["account_number"].as_str().unwrap_or_default().trim().to_owned();
    let created = edit::create(&db, &principal.deed(Origin::Api, "Company created"), body).await?;
    let location = format!("/api/companies/{account_number}");
    let outcome = CompanyOutcome { message: "Company created successfully", account_number };
    let headers = [(LOCATION, location), (ETAG, etag(created.version))];
    Ok((StatusCode::CREATED, headers, nexus_web::json(&outcome)?).into_response())
}

/// One company
#[utoipa::path(get, path = "/api/companies/{account_number}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"), Include), responses(
    (status = 200, description = "The company; its version as `ETag`", body = Company),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn get_company(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    Query(include): Query<Include>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = find(&db, &principal, &account_number).await?;
    Ok(found.including(&db, Entity::Company, &principal, &include).await?.respond(&headers))
}

/// The company, or what its absence is called.
pub(crate) async fn find(db: &Db, principal: &Principal, account_number: &str) -> Result<Found, Error> {
    store::find(db, &principal.scope(), account_number).await?.ok_or_else(|| absent(principal))
}

/// A client learns nothing of other companies, not even whether they are there.
fn absent(principal: &Principal) -> Error {
    match principal.account.role {
        Role::Client => Error::Forbidden("Access denied"),
        _ => Error::NotFound(edit::ABSENT),
    }
}

/// Change some fields of a company
#[utoipa::path(put, path = "/api/companies/{account_number}", tag = "companies", request_body = CompanyChanges,
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = CompanyOutcome),
    (status = 400, description = "A field that is not valid", body = Problem), (status = 401, body = Problem),
    (status = 403, description = "Clients cannot update company details", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
    (status = 409, description = "Another company has this account number", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_company(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    if_match: IfMatch,
    body: Result<Json<Map<String, Value>>, Error>,
) -> Result<Response, Error> {
    if principal.account.role == Role::Client {
        return Err(Error::Forbidden("Clients cannot update company details"));
    }
    principal.require_editor()?;
    let Json(body) = body?;
    let found = find(&db, &principal, &account_number).await?;
    let deed = principal.deed(Origin::Api, "Company updated");
    let account_number =
        body.get("account_number").and_then(Value::as_str).map_or(account_number, |new| new.trim().into());
    let updated = edit::update(&db, &deed, found.id, if_match.version()?, body).await?;
    let outcome = CompanyOutcome { message: "Company updated successfully", account_number };
    Ok(([(ETAG, etag(updated.version))], nexus_web::json(&outcome)?).into_response())
}

/// Archive a company
#[utoipa::path(delete, path = "/api/companies/{account_number}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "Archived; it can be restored", body = CompanyOutcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Company not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_company(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(account_number): Path<String>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    let found = find(&db, &principal, &account_number).await?;
    let deed = principal.deed(Origin::Api, "Company archived");
    let archived = edit::archive(&db, &deed, found.id, if_match.version()?).await?;
    let outcome = CompanyOutcome { message: "Company deleted successfully", account_number };
    Ok(([(ETAG, etag(archived.version))], nexus_web::json(&outcome)?).into_response())
}

/// Bring an archived company back, with its links
#[utoipa::path(post, path = "/api/companies/{account_number}/restore", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "It is back; of several archived with this number the latest", body = CompanyOutcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No archived company has this number", body = Problem),
    (status = 409, description = "Another company has this account number by now", body = Problem),
))]
pub(crate) async fn restore_company(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let found = store::find_archived(&db, &principal.scope(), &account_number).await?;
    let found = found.ok_or(Error::NotFound(edit::ABSENT))?;
    let restored = edit::restore(&db, &principal.deed(Origin::Api, "Company restored"), found.id).await?;
    let outcome = CompanyOutcome { message: "Company restored successfully", account_number };
    Ok(([(ETAG, etag(restored.version))], nexus_web::json(&outcome)?).into_response())
}

/// Pin a field of a company: it no longer follows its source
#[utoipa::path(put, path = "/api/companies/{account_number}/pins/{field}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"),
        ("field" = String, Path, description = "Name of the field")), responses(
    (status = 200, description = "Pinned", body = CompanyOutcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such company or field", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn pin_company_field(
    State(db): State<Db>,
    principal: Principal,
    Path((account_number, field)): Path<(String, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    pin(&db, &principal, account_number, (&field, true), if_match).await
}

/// Release a field of a company: it takes its source's latest value and follows it again
#[utoipa::path(delete, path = "/api/companies/{account_number}/pins/{field}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"),
        ("field" = String, Path, description = "Name of the field")), responses(
    (status = 200, description = "Released", body = CompanyOutcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such company or field", body = Problem),
    (status = 409, description = "Another company has the source's value by now", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn release_company_field(
    State(db): State<Db>,
    principal: Principal,
    Path((account_number, field)): Path<(String, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    pin(&db, &principal, account_number, (&field, false), if_match).await
}

async fn pin(
    db: &Db,
    principal: &Principal,
    account_number: String,
    (field, pinned): (&str, bool),
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let found = find(db, principal, &account_number).await?;
    let done =
        record::pin(db, principal, (Entity::Company, found.id), (field, pinned), if_match.version()?, Origin::Api)
            .await?;
    let message = if pinned { "Field pinned" } else { "Field released" };
    let outcome = CompanyOutcome { message, account_number };
    Ok(([(ETAG, etag(done.version))], nexus_web::json(&outcome)?).into_response())
}
