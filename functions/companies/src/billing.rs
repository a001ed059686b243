//! Everything of every company in one answer, for services that would otherwise ask four times for each.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::records::{Asset, Company, Contact, Location};
use nexus_core::{Entity, Role};
use nexus_db::{Db, Dialect};
use nexus_web::{Error, List, Pages, Principal, Problem, Query};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(flatten)]
    pages: Pages,
}

/// A company with all that belongs to it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct WholeCompany {
    /// The company.
    company: Company,
    /// Its devices.
    assets: Vec<Asset>,
    /// Its people.
    contacts: Vec<Contact>,
    /// Its places.
    locations: Vec<Location>,
}

/// Every company with its devices, people and places
#[utoipa::path(get, path = "/api/companies/bulk", tag = "companies", params(Pages), responses(
    (status = 200, description = "The companies by name; with paging `Link` and `X-Total-Count`",
        body = Vec<WholeCompany>),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_whole_companies(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let list = List::new(Entity::Company, &principal.scope()).sort(None, None)?;
    list.respond_as(&db, &whole(db.dialect()), filter.pages.paging()?, (&uri, &headers)).await
}

/// A live company of table `t` with what belongs to it, as JSON text.
fn whole(dialect: Dialect) -> String {
    let of = |table: &str, order: &str| {
        dialect.joined(&format!(
            "SELECT n.body AS body FROM {table} n WHERE n.company_id = t.id AND n.archived_at IS NULL \
             ORDER BY lower(n.{order}), n.id"
        ))
    };
    let contacts = dialect.joined(
        "SELECT n.body AS body FROM contact_companies l JOIN contacts n ON n.id = l.contact_id \
         WHERE l.company_id = t.id AND n.archived_at IS NULL ORDER BY lower(n.name), n.id",
    );
    format!(
        "'{{\"company\":' || t.body || ',\"assets\":[' || {} || '],\"contacts\":[' || {contacts} || \
         '],\"locations\":[' || {} || ']}}'",
        of("assets", "hostname"),
        of("locations", "name"),
    )
}

/// What billing reads of a device.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct BilledAsset {
    /// The device's id.
    id: i64,
    /// Name of the device.
    hostname: String,
    /// Kind of hardware.
    hardware_type: Option<String>,
    /// Operating system.
    operating_system: Option<String>,
}

/// A portal user, as billing reads it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct BilledUser {
    /// User name.
    username: String,
    /// E-mail address.
    email: Option<String>,
}

/// A person, as billing reads it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct BilledContact {
    /// The person's id.
    id: i64,
    /// Name.
    name: String,
    /// E-mail address.
    email: Option<String>,
    /// Works there at present.
    active: bool,
    /// E.g. `Full Time`.
    employment_type: Option<String>,
}

/// What is billed of a company.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct BillingSummary {
    /// The company's key.
    account_number: String,
    /// Its name.
    name: String,
    /// Its plan.
    plan_selected: Option<String>,
    /// Its telephone number.
    company_main_number: Option<String>,
    /// Its e-mail domains: a text that holds a JSON array of texts.
    #[schema(example = "[\"ackermann.example\"]")]
    domains: String,
    /// Its devices.
    assets: Vec<BilledAsset>,
    /// Its portal users.
    users: Vec<BilledUser>,
    /// Its people.
    contacts: Vec<BilledContact>,
}

/// What is billed, by company
#[utoipa::path(get, path = "/api/billing_summary", tag = "companies", params(Pages), responses(
    (status = 200, description = "The companies by name; with paging `Link` and `X-Total-Count`",
        body = Vec<BillingSummary>),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn billing_summary(
    State(db): State<Db>,
    principal: Principal,
    Query(filter): Query<Filter>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Error> {
    principal.require(&[Role::Admin, Role::Technician, Role::Billing])?;
    let list = List::new(Entity::Company, &principal.scope()).sort(None, None)?;
    list.respond_as(&db, &billed(db.dialect()), filter.pages.paging()?, (&uri, &headers)).await
}

/// A live company of table `t` with what is billed of it, as JSON text.
fn billed(dialect: Dialect) -> String {
    let members = |names: &[&'static str]| -> Vec<(&'static str, String)> {
        names.iter().map(|name| (*name, format!("n.{name}"))).collect()
    };
    let list = |pairs: Vec<(&'static str, String)>, from: &str, order: &str| {
        dialect.array(&dialect.object(pairs), from, order)
    };
    let mut person = members(&["id", "name", "email", "employment_type"]);
    person.push(("active", dialect.boolean("n.active")));
    let own = ["account_number", "name", "plan_selected", "company_main_number", "domains"];
    let own = own.into_iter().map(|name| (name, format!("t.{name}")));
    let parts = [
        (
            "assets",
            list(
                members(&["id", "hostname", "hardware_type", "operating_system"]),
                "FROM assets n WHERE n.company_id = t.id AND n.archived_at IS NULL",
                "lower(n.hostname), n.id",
            ),
        ),
        (
            "users",
            list(
                members(&["username", "email"]),
                "FROM user_companies l JOIN users n ON n.id = l.user_id WHERE l.company_id = t.id AND n.archived_at IS NULL",
                "lower(n.username), n.id",
            ),
        ),
        (
            "contacts",
            list(
                person,
                "FROM contact_companies l JOIN contacts n ON n.id = l.contact_id \
                 WHERE l.company_id = t.id AND n.archived_at IS NULL",
                "lower(n.name), n.id",
            ),
        ),
    ];
    dialect.text(&dialect.object(own.chain(parts)))
}
