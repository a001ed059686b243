//! The HTML face.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::Contact;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::facts::Fact;
use nexus_web::grid::{self, Pairs, Show, Step};
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, Path, Principal, Query, Visitor, record};
use serde::Deserialize;
use serde_json::Value;

use crate::grid::GRID;
use crate::{edit, store};

const EDITORS: &[Role] = &[Role::Admin, Role::Technician];

const FORM: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("email", "E-mail", FormKind::Line),
    ("title", "Title", FormKind::Line),
    ("employment_type", "Employment", FormKind::Line),
    ("active", "Works there at present", FormKind::Tick),
    ("work_phone_number", "Work number", FormKind::Line),
    ("mobile_phone_number", "Mobile number", FormKind::Line),
    ("secondary_emails", "Further e-mail addresses", FormKind::List),
    ("company_account_numbers", "Account numbers of the companies", FormKind::List),
];

/// What the head of the page shows.
const HEAD: &[(&str, &str, Show)] = &[("name", "Name", Show::Text)];

const FACTS: &[(&str, &str, Show)] = &[
    ("email", "E-mail", Show::Email),
    ("secondary_emails", "Further addresses", Show::List),
    ("title", "Title", Show::Text),
    ("employment_type", "Employment", Show::Text),
    ("active", "Works there at present", Show::Tick),
    ("work_phone_number", "Work number", Show::Number),
    ("mobile_phone_number", "Mobile number", Show::Number),
    ("company_account_numbers", "Account numbers", Show::List),
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
#[template(path = "contacts/show.html")]
struct ShowPage {
    shell: Shell,
    path: String,
    contact: Contact,
    companies: Vec<(String, String)>,
    assets: Vec<store::Asset>,
    facts: Vec<Fact>,
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let person = visitor.person_with(GRID.readers)?;
    let found = find(&db, person, id).await?;
    let contact: Contact = found.read()?;
    let companies = store::companies(&db, &person.scope(), id).await?;
    let assets = store::assets(&db, &person.scope(), id).await?;
    let facts = Fact::of(&db, (Entity::Contact, &found.read()?), person, (FACTS, HEAD)).await?;
    let mut shell = Shell::new(&visitor, "contacts", contact.name.clone());
    if let [(number, name)] = &companies[..] {
        shell = shell.within(number, name, "contacts");
    }
    page::show(&visitor, &ShowPage { shell, path: address(id), contact, companies, assets, facts })
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Opened {
    #[serde(default)]
    company: String,
}

pub(crate) async fn new_form(visitor: Visitor, Query(opened): Query<Opened>) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    new_page(&visitor).beginning("company_account_numbers", &opened.company).show(&visitor)
}

fn new_page(visitor: &Visitor) -> EditPage {
    let shell = Shell::new(visitor, "contacts", "New contact");
    EditPage::new(shell, Entity::Contact, FORM, (&Value::Null, 0), ("/contacts/new".into(), "/contacts".into()))
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let mut page = new_page(&visitor);
    let (body, _) = page.fill(&db, &sent).await?;
    match edit::create(&db, &person.deed(Origin::Page, "Contact created"), body).await {
        Ok(made) => Ok(page::done_by(&address(made.id), "The contact was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn edit_form(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(EDITORS)?, id).await?;
    edit_page(&visitor, &found, id)?.show(&visitor)
}

fn edit_page(visitor: &Visitor, found: &Found, id: i64) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
    let shell = Shell::new(visitor, "contacts", title);
    let back = address(id);
    Ok(EditPage::new(shell, Entity::Contact, FORM, (&record, found.version), (format!("{back}/edit"), back)))
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    let mut page = edit_page(&visitor, &found, id)?;
    let (body, seen) = page.fill(&db, &sent).await?;
    match edit::update(&db, &person.deed(Origin::Page, "Contact updated"), found.id, Some(seen), body).await {
        Ok(changed) => Ok(page::done_by(&address(id), "The contact was saved.", changed.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn archive(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    let done = edit::archive(&db, &person.deed(Origin::Page, "Contact archived"), found.id, None).await?;
    Ok(page::done_by("/contacts", "The contact was archived.", done.changeset_id))
}

pub(crate) async fn pin(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(asked): CsrfForm<record::Pin>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    asked.apply(&db, person, (Entity::Contact, &found), &address(id)).await
}

/// What happened to it, also while it is archived.
pub(crate) async fn history(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    let shell = Shell::new(&visitor, "contacts", "History");
    nexus_web::history::page(&db, &visitor, shell, (Entity::Contact, id), &address(id)).await
}

async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    store::find(db, &person.scope(), id).await?.ok_or(Error::NotFound("Contact not found"))
}

fn address(id: i64) -> String {
    format!("/contacts/{id}")
}
