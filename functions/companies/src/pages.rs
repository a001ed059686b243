//! The HTML face.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::Company;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::page::{self, Pager, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, List, Path, Principal, Query, Visitor};
use serde::Deserialize;
use serde_json::Value;

use crate::edit;
use crate::store::{self, Person};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];
const EDITORS: &[Role] = &[Role::Admin, Role::Technician];
const PER_PAGE: i64 = 50;

const FORM: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("account_number", "Account number", FormKind::Line),
    ("plan_selected", "Plan", FormKind::Line),
    ("company_main_number", "Main telephone number", FormKind::Line),
    ("address", "Address", FormKind::Lines),
    ("domains", "E-mail domains", FormKind::List),
    ("head_name", "Head", FormKind::Line),
    ("primary_contact_name", "Primary contact", FormKind::Line),
    ("company_start_date", "Start of the contract", FormKind::Line),
    ("profit_or_non_profit", "Profit or non-profit", FormKind::Line),
    ("phone_system", "Telephone system", FormKind::Line),
    ("email_system", "E-mail system", FormKind::Line),
    ("description", "Notes", FormKind::Lines),
];

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    search: String,
    sort: Option<String>,
    order: Option<String>,
    page: Option<i64>,
}

#[derive(Template)]
#[template(path = "companies/list.html")]
struct ListPage {
    shell: Shell,
    search: String,
    total: i64,
    companies: Vec<Company>,
    pager: Pager,
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let list = List::new(Entity::Company, &person.scope())
        .search(&db, Some(&filter.search))
        .sort(filter.sort.as_deref().or(Some("name")), filter.order.as_deref())?;
    let total = list.count(&db).await?;
    let pager = Pager::new("/companies", filter.page, PER_PAGE, total)
        .keeping("search", &filter.search)
        .sorted(filter.sort.as_deref().unwrap_or("name"), filter.order.as_deref());
    let companies = page::record(&list.json(&db, pager.paging).await?)?;
    let shell = Shell::new(&visitor, "companies", "Companies");
    page::show(&visitor, &ListPage { shell, search: filter.search, total, companies, pager })
}

#[derive(Template)]
#[template(path = "companies/show.html")]
struct ShowPage {
    shell: Shell,
    company: Company,
    domains: Vec<String>,
    people: Vec<Person>,
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let found = find(&db, person, &account_number).await?;
    let company: Company = found.read()?;
    let domains = serde_json::from_str(&company.domains).unwrap_or_default();
    let people = store::people(&db, &person.scope(), found.id).await?;
    let shell = Shell::new(&visitor, "companies", company.name.clone());
    page::show(&visitor, &ShowPage { shell, company, domains, people })
}

pub(crate) async fn new_form(visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    new_page(&visitor).show(&visitor)
}

fn new_page(visitor: &Visitor) -> EditPage {
    let shell = Shell::new(visitor, "companies", "New company");
    EditPage::new(shell, Entity::Company, FORM, (&Value::Null, 0), ("/companies/new".into(), "/companies".into()))
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let mut page = new_page(&visitor);
    let (body, _) = page.fill(&sent);
    match edit::create(&db, &person.deed(Origin::Page, "Company created"), body).await {
        Ok(_) => Ok(page::done(&address(number(&sent)), "The company was added.")),
        Err(error) => page.refuse(&visitor, error),
    }
}

pub(crate) async fn edit_form(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(EDITORS)?, &account_number).await?;
    edit_page(&visitor, &found, &account_number)?.show(&visitor)
}

fn edit_page(visitor: &Visitor, found: &Found, account_number: &str) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
    let shell = Shell::new(visitor, "companies", title);
    let back = address(account_number);
    Ok(EditPage::new(shell, Entity::Company, FORM, (&record, found.version), (format!("{back}/edit"), back)))
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, &account_number).await?;
    let mut page = edit_page(&visitor, &found, &account_number)?;
    let (body, seen) = page.fill(&sent);
    match edit::update(&db, &person.deed(Origin::Page, "Company updated"), found.id, Some(seen), body).await {
        Ok(_) => Ok(page::done(&address(number(&sent)), "The company was saved.")),
        Err(error) => page.refuse(&visitor, error),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn archive(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, &account_number).await?;
    edit::archive(&db, &person.deed(Origin::Page, "Company archived"), found.id, None).await?;
    Ok(page::done("/companies", "The company was archived."))
}

async fn find(db: &Db, person: &Principal, account_number: &str) -> Result<Found, Error> {
    store::find(db, &person.scope(), account_number).await?.ok_or(Error::NotFound("Company not found"))
}

/// The account number that a form has given; whoever comes here without one is told so.
fn number(sent: &HashMap<String, String>) -> &str {
    sent.get("account_number").map_or("", String::as_str)
}

/// Account numbers are letters, digits, `-`, `_` and `.`: safe in a path as they are.
fn address(account_number: &str) -> String {
    format!("/companies/{}", account_number.trim())
}
