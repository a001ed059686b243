//! Users: the JSON face.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::Entity;
use nexus_core::records::User;
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::{Admin, Auth, Error, Found, IfMatch, Json, Listing, Outcome, Path, Principal, Problem, Query, missing};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::edit;
use crate::schema::{NewUser, UserChanges};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only the users of this company.
    company_account_number: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    listing: Listing,
}

async fn find(db: &Db, principal: &Principal, id: i64) -> Result<Found, Error> {
    Found::by_id(db, Entity::User, &principal.scope(), id).await?.ok_or(Error::NotFound(edit::ABSENT))
}

/// All users
#[utoipa::path(get, path = "/api/users", tag = "users", params(Filter, Listing), responses(
    (status = 200, description = "The users; with paging `Link` and `X-Total-Count`", body = Vec<User>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
    (status = 400, description = "A filter, order or page that cannot be", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_users(
    State(db): State<Db>,
    Admin(principal): Admin,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let (mut list, page) = filter.listing.list(&db, Entity::User, &principal.scope())?;
    if let Some(number) = &filter.company_account_number {
        list = list.of_company(number);
    }
    list.respond(&db, page, (&uri, &headers)).await
}

/// A new user
#[utoipa::path(post, path = "/api/users", tag = "users", request_body = NewUser, responses(
    (status = 201, description = "Created", body = Outcome),
    (status = 400, description = "Missing username or permission_level, or a field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, description = "A user with this name already exists", body = Problem),
))]
pub(crate) async fn create_user(
    State(db): State<Db>,
    State(auth): State<Auth>,
    Admin(principal): Admin,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    missing(&body, &["username", "permission_level"], "Missing username or permission_level")?;
    let made = edit::create(&db, &auth, &principal.deed(Origin::Api, "User created"), body).await?;
    Outcome::created("User created successfully", "/api/users", made)
}

/// One user
#[utoipa::path(get, path = "/api/users/{id}", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 200, description = "The user; its version as `ETag`", body = User),
    (status = 304, description = "It is still the version of `If-None-Match`"),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "User not found", body = Problem),
))]
pub(crate) async fn get_user(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    Ok(find(&db, &principal, id).await?.respond(&headers))
}

/// Change some fields of a user
#[utoipa::path(put, path = "/api/users/{id}", tag = "users", request_body = UserChanges,
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 200, description = "Updated; the new version as `ETag`", body = Outcome),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "User not found", body = Problem),
    (status = 409, description = "Another user has this name, or no administrator would be left", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn update_user(
    State(db): State<Db>,
    State(auth): State<Auth>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    let known: User = find(&db, &principal, id).await?.read()?;
    let deed = principal.deed(Origin::Api, "User updated");
    let updated = edit::update(&db, &auth, &deed, (&known, if_match.version()?), body).await?;
    Outcome::changed("User updated successfully", updated)
}

/// Archive a user: the account, its sessions and its keys stop at once
#[utoipa::path(delete, path = "/api/users/{id}", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 200, description = "Archived; it can be restored", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "User not found", body = Problem),
    (status = 409, description = "No administrator would be left", body = Problem),
    (status = 412, description = "It is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn archive_user(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    find(&db, &principal, id).await?;
    let archived = edit::archive(&db, &principal.deed(Origin::Api, "User archived"), id, if_match.version()?).await?;
    Outcome::changed("User deleted successfully", archived)
}

/// Bring an archived user back
#[utoipa::path(post, path = "/api/users/{id}/restore", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 200, description = "The account works again, with its password and its keys", body = Outcome),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "No archived user has this id", body = Problem),
    (status = 409, description = "Another user has this name by now", body = Problem),
))]
pub(crate) async fn restore_user(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let restored = edit::restore(&db, &principal.deed(Origin::Api, "User restored"), id).await?;
    Outcome::changed("User restored successfully", restored)
}
