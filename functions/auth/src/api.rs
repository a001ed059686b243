//! Tokens.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use nexus_web::auth::JwkSet;
use nexus_web::{Address, Auth, Error, Json, Problem};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// A name and a password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct Login {
    /// User name.
    #[schema(example = "billing")]
    username: Option<String>,
    /// Password.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<SecretString>,
}

/// A token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the words of the contract and of RFC 6749")]
pub(crate) struct Token {
    /// The JWT, for `Authorization: Bearer`.
    token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until it expires.
    expires_in: i64,
}

/// A token for a name and a password
#[utoipa::path(post, path = "/api/token", tag = "auth", security(()), request_body = Login, responses(
    (status = 200, description = "A token", body = Token),
    (status = 400, description = "Missing username or password", body = Problem),
    (status = 401, description = "Invalid credentials", body = Problem),
    (status = 429, description = "Too many failures; `Retry-After` says when to try again", body = Problem),
))]
pub(crate) async fn create_token(
    State(auth): State<Auth>,
    address: Address,
    Json(login): Json<Login>,
) -> Result<Response, Error> {
    let username = login.username.filter(|username| !username.is_empty());
    let password = login.password.filter(|password| !password.expose_secret().is_empty());
    let (Some(username), Some(password)) = (username, password) else {
        return Err(Error::invalid("Missing username or password"));
    };
    let account = auth.log_in(&username, &password, address.as_str()).await?;
    let issued = auth.issue(&account)?;
    let token = Token { token: issued.token, token_type: "Bearer", expires_in: issued.expires_in };
    Ok(([(CACHE_CONTROL, "no-store")], nexus_web::json(&token)?).into_response())
}

/// The public keys that verify our tokens
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", security(()), responses(
    (status = 200, description = "A JSON Web Key Set (RFC 7517)", body = JwkSet),
))]
pub(crate) async fn public_keys(State(auth): State<Auth>) -> Result<Response, Error> {
    Ok(([(CACHE_CONTROL, "public, max-age=300")], nexus_web::json(&auth.public_keys())?).into_response())
}
