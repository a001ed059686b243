//! The HTML face.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::Asset;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::facts::Fact;
use nexus_web::grid::{self, Pairs, Show, Step, web_address};
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, Path, Principal, Query, Visitor, company_named, record};
use serde::Deserialize;
use serde_json::Value;

use crate::grid::GRID;
use crate::{edit, store};

pub(crate) const EDITORS: &[Role] = &[Role::Admin, Role::Technician];

const FORM: &[(&str, &str, FormKind)] = &[
    ("hostname", "Name", FormKind::Line),
    ("company_account_number", "Account number of the company", FormKind::Line),
    ("hardware_type", "Hardware", FormKind::Line),
    ("device_type", "Billed as", FormKind::Line),
    ("operating_system", "Operating system", FormKind::Line),
    ("antivirus_product", "Antivirus", FormKind::Line),
    ("patch_status", "Patches", FormKind::Line),
    ("last_logged_in_user", "Last user", FormKind::Line),
    ("int_ip_address", "Internal address", FormKind::Line),
    ("ext_ip_address", "External address", FormKind::Line),
    ("domain", "Domain", FormKind::Line),
    ("enabled_administrators", "Administrators", FormKind::Lines),
    ("portal_url", "Page in the RMM", FormKind::Line),
    ("web_remote_url", "Remote control", FormKind::Line),
    ("description", "Description", FormKind::Lines),
];

/// What the head of the page shows.
const HEAD: &[(&str, &str, Show)] =
    &[("hostname", "Name", Show::Text), ("company_account_number", "Company", Show::Number)];

const FACTS: &[(&str, &str, Show)] = &[
    ("hardware_type", "Hardware", Show::Text),
    ("device_type", "Billed as", Show::Text),
    ("operating_system", "Operating system", Show::Text),
    ("last_logged_in_user", "Last user", Show::Text),
    ("antivirus_product", "Antivirus", Show::Text),
    ("patch_status", "Patches", Show::Text),
    ("online", "Online", Show::Tick),
    ("last_seen", "Last seen", Show::Instant),
    ("last_reboot", "Last start", Show::Instant),
    ("last_audit_date", "Last audit", Show::Instant),
    ("int_ip_address", "Internal address", Show::Number),
    ("ext_ip_address", "External address", Show::Number),
    ("domain", "Domain", Show::Text),
    ("datto_site_name", "Datto site", Show::Text),
    ("backup_usage_tb", "Backup (TB)", Show::Number),
    ("backup_data_bytes", "Backup (bytes)", Show::Number),
    ("enabled_administrators", "Administrators", Show::Text),
    ("portal_url", "Page in the RMM", Show::Text),
    ("web_remote_url", "Remote control", Show::Text),
    ("description", "Description", Show::Text),
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
#[template(path = "assets/show.html")]
struct ShowPage {
    shell: Shell,
    path: String,
    asset: Asset,
    company: Option<(String, String)>,
    people: Vec<store::Person>,
    facts: Vec<Fact>,
    portal: Option<String>,
    remote: Option<String>,
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let person = visitor.person_with(GRID.readers)?;
    let found = find(&db, person, id).await?;
    let asset: Asset = found.read()?;
    let people = store::people(&db, &person.scope(), id).await?;
    let facts = Fact::of(&db, (Entity::Asset, &found.read()?), person, (FACTS, HEAD)).await?;
    let (shell, company) = shell(&db, &visitor, &asset, asset.hostname.clone()).await?;
    let address = |text: &Option<String>| text.as_deref().and_then(web_address).map(str::to_owned);
    let (portal, remote) = (address(&asset.portal_url), address(&asset.web_remote_url));
    page::show(&visitor, &ShowPage { shell, path: address_of(id), asset, company, people, facts, portal, remote })
}

/// The shell of a page of an asset, within its company; that company's account number and name.
pub(crate) async fn shell(
    db: &Db,
    visitor: &Visitor,
    asset: &Asset,
    title: String,
) -> Result<(Shell, Option<(String, String)>), Error> {
    let shell = Shell::new(visitor, "assets", title);
    let Some(number) = &asset.company_account_number else { return Ok((shell, None)) };
    let company = company_named(db, &visitor.person()?.scope(), number).await?;
    Ok(match &company {
        Some((number, name)) => (shell.within(number, name, "assets"), company),
        None => (shell, None),
    })
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Opened {
    #[serde(default)]
    company: String,
}

pub(crate) async fn new_form(visitor: Visitor, Query(opened): Query<Opened>) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    new_page(&visitor).beginning("company_account_number", &opened.company).show(&visitor)
}

fn new_page(visitor: &Visitor) -> EditPage {
    let shell = Shell::new(visitor, "assets", "New asset");
    EditPage::new(shell, Entity::Asset, FORM, (&Value::Null, 0), ("/assets/new".into(), "/assets".into()))
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let mut page = new_page(&visitor);
    let (body, _) = page.fill(&db, &sent).await?;
    match edit::create(&db, &person.deed(Origin::Page, "Asset created"), body).await {
        Ok(made) => Ok(page::done_by(&address_of(made.id), "The asset was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn edit_form(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(EDITORS)?, id).await?;
    edit_page(&visitor, &found)?.show(&visitor)
}

fn edit_page(visitor: &Visitor, found: &Found) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["hostname"].as_str().unwrap_or_default());
    let back = address_of(found.id);
    let shell = Shell::new(visitor, "assets", title);
    Ok(EditPage::new(shell, Entity::Asset, FORM, (&record, found.version), (format!("{back}/edit"), back)))
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    let mut page = edit_page(&visitor, &found)?;
    let (body, seen) = page.fill(&db, &sent).await?;
    match edit::update(&db, &person.deed(Origin::Page, "Asset updated"), id, Some(seen), body).await {
        Ok(changed) => Ok(page::done_by(&address_of(id), "The asset was saved.", changed.changeset_id)),
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
    find(&db, person, id).await?;
    let done = edit::archive(&db, &person.deed(Origin::Page, "Asset archived"), id, None).await?;
    Ok(page::done_by("/assets", "The asset was archived.", done.changeset_id))
}

pub(crate) async fn pin(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(asked): CsrfForm<record::Pin>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    asked.apply(&db, person, (Entity::Asset, &found), &address_of(id)).await
}

/// What happened to it, also while it is archived.
pub(crate) async fn history(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    visitor.person_with(EDITORS)?;
    let shell = Shell::new(&visitor, "assets", "History");
    nexus_web::history::page(&db, &visitor, shell, (Entity::Asset, id), &address_of(id)).await
}

pub(crate) async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    store::find(db, &person.scope(), id).await?.ok_or(Error::NotFound("Asset not found"))
}

pub(crate) fn address_of(id: i64) -> String {
    format!("/assets/{id}")
}
