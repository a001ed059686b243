//! API keys of service accounts: `X-API-Key`. The JSON face, and what it shares with the pages.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use jiff::{SignedDuration, Timestamp};
use nexus_core::records::User;
use nexus_core::views::ApiKey;
use nexus_core::{Entity, FieldError, Role, instant};
use nexus_db::Db;
use nexus_db::keys::{self, Key};
use nexus_web::auth::{hash_secret, random_id};
use nexus_web::{Admin, Auth, Error, Found, GivenOnce, Json, Path, Principal, Problem};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::edit::ABSENT;
use crate::schema::NewKey;

/// Letters of a key that are kept in clear, to know it by.
const PREFIX: usize = 12;

/// A key, as it is told.
fn told(key: Key) -> ApiKey {
    let Key { id, user_id, name, prefix, role, created_at, created_by, expires_at, last_used_at } = key;
    ApiKey { id, user_id, name, prefix, role, created_at, created_by, expires_at, last_used_at }
}

/// A new API key with its secret, which is never shown again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MadeKey {
    /// The key to send as `X-API-Key`.
    #[schema(example = "nexus_k3J9xQ…")]
    key: String,
    #[serde(flatten)]
    known: ApiKey,
}

pub(crate) async fn account(db: &Db, principal: &Principal, id: i64) -> Result<User, Error> {
    Found::by_id(db, Entity::User, &principal.scope(), id).await?.ok_or(Error::NotFound(ABSENT))?.read()
}

/// The API keys of an account
#[utoipa::path(get, path = "/api/users/{id}/keys", tag = "users",
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 200, description = "The keys that are not out of use, without their secrets", body = Vec<ApiKey>),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "User not found", body = Problem),
))]
pub(crate) async fn list_keys(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    account(&db, &principal, id).await?;
    nexus_web::json(&keys::list(&db, id).await?.into_iter().map(told).collect::<Vec<_>>())
}

/// What a body says of a new key.
struct Given {
    name: Option<String>,
    role: Role,
    expires_at: Option<String>,
}

fn read(body: &Map<String, Value>, user: &User, now: Timestamp, days: Option<u32>) -> Result<Given, Error> {
    let mut faults = Vec::new();
    let mut blame = |field: &str, message: String| faults.push(FieldError::new(field, message));
    for name in body.keys().filter(|name| !["name", "role", "expires_at"].contains(&name.as_str())) {
        blame(name, "is not known; send name, role, expires_at".into());
    }
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= 255 && !text.chars().any(char::is_control) => {
            Ok(Some(text.trim()).filter(|text| !text.is_empty()))
        }
        Some(_) => Err("must be text of at most 255 characters".to_owned()),
    };
    let name = text("name").unwrap_or_else(|fault| {
        blame("name", fault);
        None
    });
    let role = match text("role").map(|word| word.map(Role::parse)) {
        Ok(None) => user.permission_level,
        Ok(Some(Some(role))) if user.permission_level.includes(role) => role,
        Ok(Some(Some(_))) => {
            blame("role", "a key may do no more than its account".into());
            user.permission_level
        }
        _ => {
            blame("role", "must be one of admin technician client billing".into());
            user.permission_level
        }
    };
    let last = days.and_then(|days| now.saturating_add(SignedDuration::from_hours(i64::from(days) * 24)).ok());
    let expires = match text("expires_at").map(|text| text.map(instant::parse)) {
        Ok(None) => last,
        Ok(Some(Some(at))) if at <= now => {
            blame("expires_at", "must be in the future".into());
            None
        }
        Ok(Some(Some(at))) if last.is_some_and(|last| at > last) => {
            blame("expires_at", format!("must be within {} days", days.unwrap_or_default()));
            None
        }
        Ok(Some(Some(at))) => Some(at),
        _ => {
            blame("expires_at", "must be a time such as 2027-02-03T00:00:00Z".into());
            None
        }
    };
    let name = name.map(str::to_owned);
    if faults.is_empty() {
        Ok(Given { name, role, expires_at: expires.map(instant::canonical) })
    } else {
        Err(Error::fields(faults))
    }
}

/// A new API key of a service account; its secret is in this answer alone
#[utoipa::path(post, path = "/api/users/{id}/keys", tag = "users", request_body = NewKey,
    params(("id" = i64, Path, description = "The user's id")), responses(
    (status = 201, description = "Made; keep the key, it is not shown again", body = MadeKey),
    (status = 400, description = "A field that is not valid", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "User not found", body = Problem),
    (status = 409, description = "Only service accounts have API keys", body = Problem),
))]
pub(crate) async fn create_key(
    State(db): State<Db>,
    State(auth): State<Auth>,
    Admin(principal): Admin,
    Path(id): Path<i64>,
    Json(body): Json<Map<String, Value>>,
) -> Result<Response, Error> {
    let user = account(&db, &principal, id).await?;
    let (key, made) = make(&db, &auth, &principal, &user, &body).await?;
    let answer = nexus_web::json(&MadeKey { key, known: told(made) })?;
    Ok((StatusCode::CREATED, Extension(GivenOnce), [(CACHE_CONTROL, "no-store")], answer).into_response())
}

/// Makes a key of a service account: the secret, and what is kept of it.
pub(crate) async fn make(
    db: &Db,
    auth: &Auth,
    principal: &Principal,
    user: &User,
    body: &Map<String, Value>,
) -> Result<(String, Key), Error> {
    if !user.service_account {
        return Err(Error::Conflict("Only service accounts have API keys".into()));
    }
    let given = read(body, user, db.clock().now(), auth.api_key_days())?;
    let key = format!("nexus_{}", random_id());
    let new = keys::NewKey {
        user_id: user.id,
        name: given.name,
        prefix: &key[..PREFIX],
        hash: &hash_secret(&key),
        role: given.role,
        expires_at: given.expires_at,
        created_by: &principal.account.username,
    };
    let made = keys::insert(db, new).await?;
    Ok((key, made))
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Revoked {
    /// A sentence.
    message: &'static str,
}

/// Take an API key out of use
#[utoipa::path(delete, path = "/api/keys/{key_id}", tag = "users",
    params(("key_id" = i64, Path, description = "The key's id")), responses(
    (status = 200, description = "Nobody comes in with it any more", body = Revoked),
    (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "API key not found", body = Problem),
))]
pub(crate) async fn revoke_key(
    State(db): State<Db>,
    Admin(principal): Admin,
    Path(key_id): Path<i64>,
) -> Result<Response, Error> {
    revoke(&db, &principal, key_id).await?;
    nexus_web::json(&Revoked { message: "API key deleted successfully" })
}

/// Takes a key out of use.
pub(crate) async fn revoke(db: &Db, principal: &Principal, key_id: i64) -> Result<(), Error> {
    let revoked = keys::revoke(db, key_id, &principal.account.username).await?;
    if revoked { Ok(()) } else { Err(Error::NotFound("API key not found")) }
}
