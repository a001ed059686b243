//! Everything of every company in one answer, for services that would otherwise ask four times for each.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use nexus_core::views::{BillingSummary, WholeCompany};
use nexus_core::{Entity, Role};
use nexus_db::{Db, Dialect, bodies};
use nexus_web::{Error, List, Pages, Principal, Problem, Query};
use serde::Deserialize;

/// Companies that are sent together: one has as much to tell as dozens of other records.
const TOGETHER: i64 = 20;

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(flatten)]
    pages: Pages,
}

/// Every company with its devices, people and places
#[utoipa::path(get, path = "/api/companies/bulk", tag = "companies", params(Pages), responses(
    (status = 200, description = "The companies by name; with paging `Link` and `X-Total-Count`",
        body = Vec<WholeCompany>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
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
    let list = List::new(Entity::Company, &principal.scope()).sort(Some("name"), None)?.together(TOGETHER);
    list.respond_as(&db, &whole(db.dialect()), filter.pages.paging()?, (&uri, &headers)).await
}

/// A live company of table `t` with what belongs to it, as JSON text.
fn whole(dialect: Dialect) -> String {
    let of = |entity: Entity, from: &str| {
        let body = bodies::kept(entity, "n");
        dialect.joined(&format!("SELECT {body} AS body FROM {from} AND n.archived_at IS NULL ORDER BY n.id"))
    };
    format!(
        "'{{\"company\":' || {} || ',\"assets\":[' || {} || '],\"contacts\":[' || {} || '],\"locations\":[' || {} || ']}}'",
        bodies::kept(Entity::Company, "t"),
        of(Entity::Asset, "assets n WHERE n.company_id = t.id"),
        of(Entity::Contact, "contact_companies l JOIN contacts n ON n.id = l.contact_id WHERE l.company_id = t.id"),
        of(Entity::Location, "locations n WHERE n.company_id = t.id"),
    )
}

/// What is billed, by company
#[utoipa::path(get, path = "/api/billing_summary", tag = "companies", params(Pages), responses(
    (status = 200, description = "The companies by name; with paging `Link` and `X-Total-Count`",
        body = Vec<BillingSummary>),
    (status = 304, description = "The list is still that of `If-None-Match`"),
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
    let list = List::new(Entity::Company, &principal.scope()).sort(Some("name"), None)?.together(TOGETHER);
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
    let list = |body: &str, from: &str| {
        dialect.joined(&format!("SELECT {body} AS body FROM {from} AND n.archived_at IS NULL ORDER BY n.id"))
    };
    let company = object("t", &["account_number", "name", "plan_selected", "company_main_number", "domains"]);
    let assets = list(
        &object("n", &["id", "hostname", "hardware_type", "operating_system"]),
        "assets n WHERE n.company_id = t.id",
    );
    let users = list(
        &object("n", &["username", "email"]),
        "user_companies l JOIN users n ON n.id = l.user_id WHERE l.company_id = t.id",
    );
    let contacts = list(
        &dialect.text(&person),
        "contact_companies l JOIN contacts n ON n.id = l.contact_id WHERE l.company_id = t.id",
    );
    format!(
        "rtrim({company}, '}}') || ',\"assets\":[' || {assets} || '],\"users\":[' || {users} || \
         '],\"contacts\":[' || {contacts} || ']}}'"
    )
}
