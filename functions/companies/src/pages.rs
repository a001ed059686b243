//! The HTML face.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::Company;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::facts::Fact;
use nexus_web::grid::{self, Pairs, Show, Step};
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, Path, Principal, Visitor, record};
use serde_json::Value;

use crate::grid::GRID;
use crate::{edit, store};

/// Who may see a company's page; a client its own.
const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing, Role::Client];
const EDITORS: &[Role] = &[Role::Admin, Role::Technician];

const FORM: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("account_number", "Account number", FormKind::Line),
    ("plan_selected", "Plan", FormKind::Choice),
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

/// What the head of the page shows.
const HEAD: &[(&str, &str, Show)] = &[
    ("name", "Name", Show::Text),
    ("account_number", "Account number", Show::Number),
    ("plan_selected", "Plan", Show::Text),
];

const FACTS: &[(&str, &str, Show)] = &[
    ("company_main_number", "Main number", Show::Number),
    ("address", "Address", Show::Text),
    ("domains", "Domains", Show::List),
    ("head_name", "Head", Show::Text),
    ("primary_contact_name", "Primary contact", Show::Text),
    ("company_start_date", "Since", Show::Text),
    ("profit_or_non_profit", "Kind", Show::Text),
    ("phone_system", "Telephone system", Show::Text),
    ("email_system", "E-mail system", Show::Text),
    ("freshservice_id", "Freshservice", Show::Number),
    ("datto_site_uids", "Datto sites", Show::List),
    ("description", "Notes", Show::Text),
];

pub(crate) async fn bulk(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(pairs): CsrfForm<Pairs>,
) -> Result<Response, Error> {
    match grid::bulk(&GRID, &db, &visitor, &pairs).await? {
        Step::Show(response) => Ok(response),
        Step::Apply(body, ready) => ready.apply(&db, visitor.person()?, edit::fields(&db, None, body).await).await,
    }
}

#[derive(Template)]
#[template(path = "companies/show.html")]
struct ShowPage {
    shell: Shell,
    path: String,
    company: Company,
    facts: Vec<Fact>,
    parts: store::Parts,
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let found = find(&db, person, &account_number).await?;
    let company: Company = found.read()?;
    let parts = store::parts(&db, found.id).await?;
    let facts = Fact::of(&db, (Entity::Company, &found.read()?), person, (FACTS, HEAD)).await?;
    let shell = Shell::new(&visitor, "companies", company.name.clone());
    let shell = shell.within(&company.account_number, &company.name, "overview");
    page::show(&visitor, &ShowPage { shell, path: address(&company.account_number), company, facts, parts })
}

pub(crate) async fn new_form(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    new_page(&db, &visitor).await?.show(&visitor)
}

async fn new_page(db: &Db, visitor: &Visitor) -> Result<EditPage, Error> {
    let shell = Shell::new(visitor, "companies", "New company");
    let places = ("/companies/new".into(), "/companies".into());
    let page = EditPage::new(shell, Entity::Company, FORM, (&Value::Null, 0), places);
    Ok(page.offering("plan_selected", &store::plans(db).await?))
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let mut page = new_page(&db, &visitor).await?;
    let (body, _) = page.fill(&db, &sent).await?;
    match edit::create(&db, &person.deed(Origin::Page, "Company created"), body).await {
        Ok(made) => Ok(page::done_by(&address(number(&sent)), "The company was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn edit_form(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(EDITORS)?, &account_number).await?;
    edit_page(&db, &visitor, &found, &account_number).await?.show(&visitor)
}

async fn edit_page(db: &Db, visitor: &Visitor, found: &Found, account_number: &str) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
    let shell = Shell::new(visitor, "companies", title);
    let back = address(account_number);
    let page = EditPage::new(shell, Entity::Company, FORM, (&record, found.version), (format!("{back}/edit"), back));
    Ok(page.offering("plan_selected", &store::plans(db).await?))
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, &account_number).await?;
    let mut page = edit_page(&db, &visitor, &found, &account_number).await?;
    let (body, seen) = page.fill(&db, &sent).await?;
    match edit::update(&db, &person.deed(Origin::Page, "Company updated"), found.id, Some(seen), body).await {
        Ok(changed) => Ok(page::done_by(&address(number(&sent)), "The company was saved.", changed.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn archive(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, &account_number).await?;
    let done = edit::archive(&db, &person.deed(Origin::Page, "Company archived"), found.id, None).await?;
    Ok(page::done_by("/companies", "The company was archived.", done.changeset_id))
}

pub(crate) async fn pin(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(asked): CsrfForm<record::Pin>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, &account_number).await?;
    asked.apply(&db, person, (Entity::Company, &found), &address(&account_number)).await
}

pub(crate) async fn find(db: &Db, person: &Principal, account_number: &str) -> Result<Found, Error> {
    store::find(db, &person.scope(), account_number).await?.ok_or(Error::NotFound("Company not found"))
}

/// The account number that a form has given; whoever comes here without one is told so.
fn number(sent: &HashMap<String, String>) -> &str {
    sent.get("account_number").map_or("", String::as_str)
}

/// Account numbers are letters, digits, `-`, `_` and `.`: safe in a path as they are.
pub(crate) fn address(account_number: &str) -> String {
    format!("/companies/{}", account_number.trim())
}
