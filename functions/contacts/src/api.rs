//! The JSON face.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use nexus_core::records::Contact;
use nexus_core::{FieldError, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Error, IfMatch, Json, Listing, Path, Principal, Problem, Query, etag, is_blank};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::{ContactChanges, NewContact};
use crate::{edit, store};

const NOT_FOUND: Error = Error::NotFound("Contact not found");

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the contact of exactly this address, letter case aside.
    email: Option<String>,
    /// Only the contacts of this company.
    company_account_number: Option<String>,
    /// Words in any text of the contact.
    search: Option<String>,
    /// `name` (default), `email`, `title`, `created_at` or `updated_at`.
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
    #[schema(example = "Contact updated successfully")]
    message: &'static str,
    /// The contact's id.
    id: i64,
}

/// All contacts
#[utoipa::path(get, path = "/api/contacts", tag = "contacts", params(Filter, Listing), responses(
    (status = 200, description = "The contacts; with paging `Link` and `X-Total-Count`", body = Vec<Contact>),
    (status = 400, description = "A filter, order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_contacts(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let page = Listing { page: filter.page, per_page: filter.per_page }.paging()?;
    let scope = principal.scope();
    let mut list = store::list(&db, &scope);
    if let Some(email) = &filter.email {
        list = list.filter("lower(t.email) = {}", email.trim().to_ascii_lowercase());
    }
    if let Some(number) = &filter.company_account_number {
        list = store::of_company(list, number);
    }
    store::search(list, filter.search.as_deref())
        .sort(store::SORTS, filter.sort.as_deref(), filter.order.as_deref())?
        .respond(&db, &store::contact_json(db.dialect(), &scope), page, (&uri, &headers))
        .await
}

/// A new contact
#[utoipa::path(post, path = "/api/contacts", tag = "contacts", request_body = NewContact, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing name or email, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "A contact with this email already exists", body = Problem),
))]
pub(crate) async fn create_contact(
    State(db): State<Db>,
    principal: Principal,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let missing: Vec<_> = ["name", "email"].into_iter().filter(|name| is_blank(&body, name)).collect();
    if !missing.is_empty() {
        return Err(Error::Invalid {
            message: "Missing name or email".into(),
            fields: missing.into_iter().map(|name| FieldError::new(name, "must have a value")).collect(),
        });
    }
    let created = edit::create(&db, &principal.deed(Origin::Api, "Contact created"), body).await?;
    let headers = [(LOCATION, format!("/api/contacts/{}", created.id)), (ETAG, etag(created.version))];
    let outcome = Outcome { message: "Contact created successfully", id: created.id };
    Ok((StatusCode::CREATED, headers, nexus_web::json(&outcome)?).into_response())
}

/// One contact
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id")), responses(
    (status = 200, description = "The contact; its version as `ETag`", body = Contact),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Contact not found", body = Problem),
))]
pub(crate) async fn get_contact(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require_editor()?;
    let found = store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    Ok(found.respond(&headers))
}

/// Change some fields of a contact
#[utoipa::path(put, path = "/api/contacts/{id}", tag = "contacts", request_body = ContactChanges,
    params(("id" = i64, Path, description = "The contact's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Contact not found", body = Problem),
    (status = 409, description = "Another contact has this email", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_contact(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    principal.require_editor()?;
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let deed = principal.deed(Origin::Api, "Contact updated");
    let updated = edit::update(&db, &deed, id, if_match.version()?, body).await?;
    let outcome = Outcome { message: "Contact updated successfully", id };
    Ok(([(ETAG, etag(updated.version))], nexus_web::json(&outcome)?).into_response())
}

/// Archive a contact
#[utoipa::path(delete, path = "/api/contacts/{id}", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Contact not found", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_contact(
    State(db): State<Db>,
    principal: Principal,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    principal.require_editor()?;
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    edit::archive(&db, &principal.deed(Origin::Api, "Contact archived"), id, if_match.version()?).await?;
    nexus_web::json(&Outcome { message: "Contact deleted successfully", id })
}
