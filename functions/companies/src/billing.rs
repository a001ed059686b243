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

/// A live company of table `t` with what is billed of it, as JSON text. The texts are joined as they are: a JSON function
/// around them would read them all again.
fn billed(dialect: Dialect) -> String {
    let object = |alias: &str, names: &[&'static str]| {
        let pairs: Vec<_> = names.iter().map(|name| (*name, format!("{alias}.{name}"))).collect();
        dialect.text(&dialect.object(pairs))
    };
    let person = dialect.object([
        ("id", "n.id".to_owned()),
        ("name", "n.name".to_owned()),
        ("email", "n.email".to_owned()),
        ("active", dialect.boolean("n.active")),
        ("employment_type", "n.employment_type".to_owned()),
    ]);
    let list = |body: &str, from: &str, order: &str| {
        dialect.joined(&format!(
            "SELECT {body} AS body FROM {from} AND n.archived_at IS NULL ORDER BY lower(n.{order}), n.id"
        ))
    };
    let company = object("t", &["account_number", "name", "plan_selected", "company_main_number", "domains"]);
    let assets = list(
        &object("n", &["id", "hostname", "hardware_type", "operating_system"]),
        "assets n WHERE n.company_id = t.id",
        "hostname",
    );
    let users = list(
        &object("n", &["username", "email"]),
        "user_companies l JOIN users n ON n.id = l.user_id WHERE l.company_id = t.id",
        "username",
    );
    let contacts = list(
        &dialect.text(&person),
        "contact_companies l JOIN contacts n ON n.id = l.contact_id WHERE l.company_id = t.id",
        "name",
    );
    format!(
        "rtrim({company}, '}}') || ',\"assets\":[' || {assets} || '],\"users\":[' || {users} || \
         '],\"contacts\":[' || {contacts} || ']}}'"
    )
}
