//! The JSON face.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::Contact;
use nexus_core::{Entity, FieldError, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{
    Editor, Error, IfMatch, Include, Json, Listing, Outcome, Path, Principal, Problem, Query, missing, record,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::schema::{ContactChanges, NewContact};
use crate::{edit, store};

const NOT_FOUND: Error = Error::NotFound(edit::ABSENT);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the contact of exactly this address, letter case aside.
    email: Option<String>,
    /// Only the contacts of this company.
    company_account_number: Option<String>,
    /// `true`: only those who work there at present; `false`: only those who do not.
    #[param(value_type = Option<bool>)]
    active: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    listing: Listing,
}

/// All contacts
#[utoipa::path(get, path = "/api/contacts", tag = "contacts", params(Filter, Listing), responses(
    (status = 200, description = "The contacts; with paging `Link` and `X-Total-Count`", body = Vec<Contact>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
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
    let (mut list, page) = filter.listing.list(&db, Entity::Contact, &principal.scope())?;
    if let Some(email) = &filter.email {
        list = list.filter("lower(t.email) = {}", email.trim().to_ascii_lowercase());
    }
    if let Some(number) = &filter.company_account_number {
        list = list.of_company(number);
    }
    if let Some(active) = &filter.active {
        let active = active.parse::<bool>();
        let active = active.map_err(|_| Error::fields(vec![FieldError::new("active", "must be true or false")]))?;
        list = list.filter("t.active = {}", active);
    }
    list.respond(&db, page, (&uri, &headers)).await
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
    Editor(principal): Editor,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["name", "email"], "Missing name or email")?;
    let created = edit::create(&db, &principal.deed(Origin::Api, "Contact created"), body).await?;
    Outcome::created("Contact created successfully", "/api/contacts", created)
}

/// One contact
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id"), Include), responses(
    (status = 200, description = "The contact; its version as `ETag`", body = Contact),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Contact not found", body = Problem),
))]
pub(crate) async fn get_contact(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    Query(include): Query<Include>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    Ok(found.including(&db, Entity::Contact, &principal, &include).await?.respond(&headers))
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
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let deed = principal.deed(Origin::Api, "Contact updated");
    let updated = edit::update(&db, &deed, id, if_match.version()?, body).await?;
    Outcome::changed("Contact updated successfully", updated)
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
    Editor(principal): Editor,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    store::find(&db, &principal.scope(), id).await?.ok_or(NOT_FOUND)?;
    let archived =
        edit::archive(&db, &principal.deed(Origin::Api, "Contact archived"), id, if_match.version()?).await?;
    Outcome::changed("Contact deleted successfully", archived)
}

/// Bring an archived contact back, with its links
#[utoipa::path(post, path = "/api/contacts/{id}/restore", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id")), responses(
    (status = 200, description = "It is back", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No archived contact has this id", body = Problem),
    (status = 409, description = "Another contact has this email by now", body = Problem),
))]
pub(crate) async fn restore_contact(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let restored = edit::restore(&db, &principal.deed(Origin::Api, "Contact restored"), id).await?;
    Outcome::changed("Contact restored successfully", restored)
}

/// Pin a field of a contact: it no longer follows its source
#[utoipa::path(put, path = "/api/contacts/{id}/pins/{field}", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id"), ("field" = String, Path, description = "Name of the field")),
    responses(
    (status = 200, description = "Pinned", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such contact or field", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn pin_contact_field(
    State(db): State<Db>,
    principal: Principal,
    Path((id, field)): Path<(i64, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    pin(&db, &principal, id, (&field, true), if_match).await
}

/// Release a field of a contact: it takes its source's latest value and follows it again
#[utoipa::path(delete, path = "/api/contacts/{id}/pins/{field}", tag = "contacts",
    params(("id" = i64, Path, description = "The contact's id"), ("field" = String, Path, description = "Name of the field")),
    responses(
    (status = 200, description = "Released", body = Outcome), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, description = "No such contact or field", body = Problem),
    (status = 409, description = "Another contact has the source's value by now", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn release_contact_field(
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
        record::pin(db, principal, (Entity::Contact, id), (field, pinned), if_match.version()?, Origin::Api).await?;
    Outcome::changed(if pinned { "Field pinned" } else { "Field released" }, done)
}
