//! The JSON face.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use nexus_core::records::Company;
use nexus_core::{FieldError, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Error, IfMatch, Json, Listing, Path, Principal, Problem, Query, etag, is_blank};
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
    /// Words in any text of the company.
    search: Option<String>,
    /// `name` (default), `account_number`, `plan_selected`, `created_at` or `updated_at`.
    sort: Option<String>,
    /// `asc` (default) or `desc`.
    order: Option<String>,
    #[param(ignore)]
    page: Option<String>,
    #[param(ignore)]
    per_page: Option<String>,
}

/// What came of a change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Outcome {
    /// A sentence.
    #[schema(example = "Company updated successfully")]
    message: &'static str,
    /// The company's key.
    account_number: String,
}

/// All companies
#[utoipa::path(get, path = "/api/companies", tag = "companies", params(Filter, Listing), responses(
    (status = 200, description = "The companies; with paging `Link` and `X-Total-Count`", body = Vec<Company>),
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
    let page = Listing { page: filter.page, per_page: filter.per_page }.paging()?;
    let mut list = store::list(&db, &principal.scope());
    if let Some(id) = &filter.freshservice_id {
        let id: i64 = id
            .parse()
            .map_err(|_| Error::fields(vec![FieldError::new("freshservice_id", "must be a whole number")]))?;
        list = list.filter("t.freshservice_id = {}", id);
    }
    store::search(list, filter.search.as_deref())
        .sort(store::SORTS, filter.sort.as_deref(), filter.order.as_deref())?
        .respond(&db, &store::company_json(db.dialect()), page, (&uri, &headers))
        .await
}

/// A new company
#[utoipa::path(post, path = "/api/companies", tag = "companies", request_body = NewCompany, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing name or account_number, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "Company already exists. Use PUT to update.", body = Problem),
))]
pub(crate) async fn create_company(
    State(db): State<Db>,
    principal: Principal,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let missing: Vec<_> = ["name", "account_number"].into_iter().filter(|name| is_blank(&body, name)).collect();
    if !missing.is_empty() {
        return Err(Error::Invalid {
            message: "Missing name or account_number".into(),
            fields: missing.into_iter().map(|name| FieldError::new(name, "must have a value")).collect(),
        });
    }
    let account_number = body["account_number"].as_str().unwrap_or_default().trim().to_owned();
    let created = edit::create(&db, &principal.deed(Origin::Api, "Company created"), body).await?;
    let location = format!("/api/companies/{account_number}");
    let outcome = Outcome { message: "Company created successfully", account_number };
    let headers = [(LOCATION, location), (ETAG, etag(created.version))];
    Ok((StatusCode::CREATED, headers, nexus_web::json(&outcome)?).into_response())
}

/// One company
#[utoipa::path(get, path = "/api/companies/{account_number}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "The company; its version as `ETag`", body = Company),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, description = "Access denied", body = Problem),
    (status = 404, description = "Company not found", body = Problem),
))]
pub(crate) async fn get_company(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = store::find(&db, &principal.scope(), &account_number).await?.ok_or_else(|| absent(&principal))?;
    Ok(found.respond(&headers))
}

/// A client learns nothing of other companies, not even whether they are there.
fn absent(principal: &Principal) -> Error {
    match principal.account.role {
        Role::Client => Error::Forbidden("Access denied"),
        _ => Error::NotFound("Company not found"),
    }
}

/// Change some fields of a company
#[utoipa::path(put, path = "/api/companies/{account_number}", tag = "companies", request_body = CompanyChanges,
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
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
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    if principal.account.role == Role::Client {
        return Err(Error::Forbidden("Clients cannot update company details"));
    }
    principal.require_editor()?;
    let found = store::find(&db, &principal.scope(), &account_number).await?.ok_or_else(|| absent(&principal))?;
    let deed = principal.deed(Origin::Api, "Company updated");
    let account_number =
        body.get("account_number").and_then(Value::as_str).map_or(account_number, |new| new.trim().into());
    let updated = edit::update(&db, &deed, found.id, if_match.version()?, body).await?;
    let outcome = Outcome { message: "Company updated successfully", account_number };
    Ok(([(ETAG, etag(updated.version))], nexus_web::json(&outcome)?).into_response())
}

/// Archive a company
#[utoipa::path(delete, path = "/api/companies/{account_number}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Company not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_company(
    State(db): State<Db>,
    principal: Principal,
    Path(account_number): Path<String>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let found = store::find(&db, &principal.scope(), &account_number).await?.ok_or_else(|| absent(&principal))?;
    edit::archive(&db, &principal.deed(Origin::Api, "Company archived"), found.id, if_match.version()?).await?;
    nexus_web::json(&Outcome { message: "Company deleted successfully", account_number })
}
