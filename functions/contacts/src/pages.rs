//! The HTML face.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::Contact;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::page::{self, Pager, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, List, Path, Principal, Query, Visitor};
use serde::Deserialize;
use serde_json::Value;

use crate::{edit, store};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];
const EDITORS: &[Role] = &[Role::Admin, Role::Technician];
const PER_PAGE: i64 = 50;

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

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    search: String,
    sort: Option<String>,
    order: Option<String>,
    page: Option<i64>,
}

#[derive(Template)]
#[template(path = "contacts/list.html")]
struct ListPage {
    shell: Shell,
    search: String,
    total: i64,
    contacts: Vec<Contact>,
    pager: Pager,
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let list = List::new(Entity::Contact, &person.scope())
        .search(&db, Some(&filter.search))
        .sort(filter.sort.as_deref().or(Some("name")), filter.order.as_deref())?;
    let total = list.count(&db).await?;
    let pager = Pager::new("/contacts", filter.page, PER_PAGE, total)
        .keeping("search", &filter.search)
        .sorted(filter.sort.as_deref().unwrap_or("name"), filter.order.as_deref());
    let contacts = page::record(&list.json(&db, pager.paging).await?)?;
    let shell = Shell::new(&visitor, "contacts", "Contacts");
    page::show(&visitor, &ListPage { shell, search: filter.search, total, contacts, pager })
}

#[derive(Template)]
#[template(path = "contacts/show.html")]
struct ShowPage {
    shell: Shell,
    contact: Contact,
    further: Vec<String>,
    companies: Vec<(String, String)>,
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let contact: Contact = find(&db, person, id).await?.read()?;
    let further = serde_json::from_str(&contact.secondary_emails).unwrap_or_default();
    let companies = store::companies(&db, &person.scope(), id).await?;
    let shell = Shell::new(&visitor, "contacts", contact.name.clone());
    page::show(&visitor, &ShowPage { shell, contact, further, companies })
}

pub(crate) async fn new_form(visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    new_page(&visitor).show(&visitor)
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
    let (body, _) = page.fill(&sent);
    match edit::create(&db, &person.deed(Origin::Page, "Contact created"), body).await {
        Ok(created) => Ok(page::done(&address(created.id), "The contact was added.")),
        Err(error) => page.refuse(&visitor, error),
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
    let (body, seen) = page.fill(&sent);
    match edit::update(&db, &person.deed(Origin::Page, "Contact updated"), found.id, Some(seen), body).await {
        Ok(_) => Ok(page::done(&address(id), "The contact was saved.")),
        Err(error) => page.refuse(&visitor, error),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

pub(crate) async fn archive(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    edit::archive(&db, &person.deed(Origin::Page, "Contact archived"), found.id, None).await?;
    Ok(page::done("/contacts", "The contact was archived."))
}

async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    store::find(db, &person.scope(), id).await?.ok_or(Error::NotFound("Contact not found"))
}

fn address(id: i64) -> String {
    format!("/contacts/{id}")
}
