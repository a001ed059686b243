//! The Datto sites that people tie to companies.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::ETAG;
use nexus_core::FieldError;
use nexus_db::Db;
use nexus_db::changes::{self, Origin};
use nexus_web::{Editor, Error, IfMatch, Path, Principal, Problem, etag};

use crate::api::{CompanyOutcome, find};

/// Tie a Datto site to a company: its devices are the company's, whatever number the site carries
#[utoipa::path(put, path = "/api/companies/{account_number}/sites/{site_uid}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"),
        ("site_uid" = String, Path, description = "Datto's uid of the site")), responses(
    (status = 200, description = "Tied; a tie to another company is gone. The devices follow with the next run of sync-datto",
     body = CompanyOutcome),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Company not found", body = Problem),
    (status = 412, description = "The company is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn tie_site(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path((account_number, site_uid)): Path<(String, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    set(&db, &principal, (account_number, site_uid, true), if_match).await
}

/// Untie a Datto site from a company: its own number says again whose it is
#[utoipa::path(delete, path = "/api/companies/{account_number}/sites/{site_uid}", tag = "companies",
    params(("account_number" = String, Path, description = "The company's key"),
        ("site_uid" = String, Path, description = "Datto's uid of the site")), responses(
    (status = 200, description = "Untied", body = CompanyOutcome),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, description = "Company not found", body = Problem),
    (status = 412, description = "The company is not the version of `If-Match` any more", body = Problem),
))]
pub(crate) async fn untie_site(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path((account_number, site_uid)): Path<(String, String)>,
    if_match: IfMatch,
) -> Result<Response, Error> {
    set(&db, &principal, (account_number, site_uid, false), if_match).await
}

async fn set(
    db: &Db,
    principal: &Principal,
    (account_number, site, tied): (String, String, bool),
    if_match: IfMatch,
) -> Result<Response, Error> {
    if site.chars().count() > 255 || site.chars().any(char::is_control) || site.trim().is_empty() {
        return Err(Error::fields(vec![FieldError::new("site_uid", "must be a site's uid, at most 255 characters")]));
    }
    let found = find(db, principal, &account_number).await?;
    let reason = format!("Datto site {site} {}", if tied { "tied" } else { "untied" });
    let deed = principal.deed(Origin::Api, reason);
    let done = changes::tie_site(db, &deed, (found.id, if_match.version()?), &site, tied).await?;
    let version = done.records.first().map_or(found.version, |record| record.version);
    let outcome = CompanyOutcome { message: "Company updated successfully", account_number };
    Ok(([(ETAG, etag(version))], nexus_web::json(&outcome)?).into_response())
}
