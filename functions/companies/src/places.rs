//! The pages of what belongs to a company: its locations, its plan and features, its portal users.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::{Company, Location, User};
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::{Edit, Origin};
use nexus_web::facts::Fact;
use nexus_web::grid::Show;
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, List, Paging, Path, Principal, Query, Visitor, record};
use serde::Deserialize;
use serde_json::Value;

use crate::pages::{address, find};
use crate::{edit, locations, store};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];
const EDITORS: &[Role] = &[Role::Admin, Role::Technician];
/// More of one company are not shown on one page.
const MOST: Paging = Paging { page: 1, per_page: 1_000 };

const LOCATION: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("address", "Address", FormKind::Lines),
    ("phone_number", "Telephone number", FormKind::Line),
];

/// A company with the shell of one of its pages.
async fn company(
    db: &Db,
    visitor: &Visitor,
    (account_number, roles): (&str, &[Role]),
    place: &'static str,
) -> Result<(Found, Company, Shell), Error> {
    let found = find(db, visitor.person_with(roles)?, account_number).await?;
    let company: Company = found.read()?;
    let shell = Shell::new(visitor, "companies", company.name.clone());
    let shell = shell.within(&company.account_number, &company.name, place);
    Ok((found, company, shell))
}

/// What of a list belongs to a company, by name.
async fn parts<T: serde::de::DeserializeOwned>(
    db: &Db,
    list: List,
    sort: &str,
    account_number: &str,
) -> Result<Vec<T>, Error> {
    let list = list.of_company(account_number).sort(Some(sort), None)?;
    page::record(&list.json(db, MOST).await?)
}

const LOCATION_HEAD: &[(&str, &str, Show)] = &[("name", "Name", Show::Text)];
const LOCATION_FACTS: &[(&str, &str, Show)] =
    &[("address", "Address", Show::Text), ("phone_number", "Telephone number", Show::Number)];

/// A location as the page shows it.
struct Place {
    id: i64,
    path: String,
    name: String,
    facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "companies/locations.html")]
struct LocationsPage {
    shell: Shell,
    path: String,
    archived: bool,
    locations: Vec<Place>,
}

/// Which locations are asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    archived: bool,
}

pub(crate) async fn locations(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    Query(Shown { archived }): Query<Shown>,
) -> Result<Response, Error> {
    let (_, company, shell) = company(&db, &visitor, (&account_number, READERS), "locations").await?;
    let person = visitor.person()?;
    let of = if archived { List::archived } else { List::new };
    let path = address(&company.account_number);
    let mut locations = Vec::new();
    for record in parts::<Value>(&db, of(Entity::Location, &person.scope()), "name", &account_number).await? {
        let facts = Fact::of(&db, (Entity::Location, &record), person, (LOCATION_FACTS, LOCATION_HEAD)).await?;
        let Location { id, name, .. } = page::record(&record.to_string())?;
        locations.push(Place { id, path: format!("{path}/locations/{id}"), name, facts });
    }
    page::show(&visitor, &LocationsPage { shell, path, archived, locations })
}

/// The form of a new location, or of one of the company's.
async fn location_page(
    db: &Db,
    visitor: &Visitor,
    account_number: &str,
    id: Option<i64>,
) -> Result<(EditPage, Option<Found>), Error> {
    let (_, company, mut shell) = company(db, visitor, (account_number, EDITORS), "locations").await?;
    let back = format!("{}/locations", address(&company.account_number));
    let Some(id) = id else {
        "New location".clone_into(&mut shell.title);
        let places = (format!("{back}/new"), back);
        return Ok((EditPage::new(shell, Entity::Location, LOCATION, (&Value::Null, 0), places), None));
    };
    let found = location(db, visitor.person()?, &company, id).await?;
    let record: Value = found.read()?;
    shell.title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
    let places = (format!("{back}/{id}/edit"), back);
    Ok((EditPage::new(shell, Entity::Location, LOCATION, (&record, found.version), places), Some(found)))
}

/// One of the company's locations.
async fn location(db: &Db, person: &Principal, company: &Company, id: i64) -> Result<Found, Error> {
    of(company, Found::by_id(db, Entity::Location, &person.scope(), id).await?)
}

/// A location, if it is the company's.
fn of(company: &Company, found: Option<Found>) -> Result<Found, Error> {
    const ABSENT: Error = Error::NotFound("Location not found");
    let found = found.ok_or(ABSENT)?;
    let known: Location = found.read()?;
    if known.company_account_number.as_ref() == Some(&company.account_number) { Ok(found) } else { Err(ABSENT) }
}

pub(crate) async fn new_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    location_page(&db, &visitor, &account_number, None).await?.0.show(&visitor)
}

pub(crate) async fn edit_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path((account_number, id)): Path<(String, i64)>,
) -> Result<Response, Error> {
    location_page(&db, &visitor, &account_number, Some(id)).await?.0.show(&visitor)
}

pub(crate) async fn create_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    save_location(&db, &visitor, &account_number, None, &sent).await
}

pub(crate) async fn update_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path((account_number, id)): Path<(String, i64)>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    save_location(&db, &visitor, &account_number, Some(id), &sent).await
}

async fn save_location(
    db: &Db,
    visitor: &Visitor,
    account_number: &str,
    id: Option<i64>,
    sent: &HashMap<String, String>,
) -> Result<Response, Error> {
    let (mut page, found) = location_page(db, visitor, account_number, id).await?;
    let (mut body, seen) = page.fill(db, sent).await?;
    let person = visitor.person()?;
    let saved = match found {
        None => {
            body.insert("company_account_number".to_owned(), account_number.into());
            locations::create(db, &person.deed(Origin::Page, "Location created"), body).await
        }
        Some(found) => {
            let deed = person.deed(Origin::Page, "Location updated");
            locations::update(db, &deed, (found.id, Some(seen)), body).await
        }
    };
    match saved {
        Ok(done) => {
            let back = format!("{}/locations", address(account_number));
            Ok(page::done_by(&back, "The location was saved.", done.changeset_id))
        }
        Err(error) => page.refuse(db, visitor, error).await,
    }
}

pub(crate) async fn archive_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path((account_number, id)): Path<(String, i64)>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let (_, company, _) = company(&db, &visitor, (&account_number, EDITORS), "locations").await?;
    location(&db, visitor.person()?, &company, id).await?;
    let edit = Edit::Archive { entity: Entity::Location, id, version: None };
    put(&db, &visitor, &company, (edit, "archived")).await
}

pub(crate) async fn restore_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path((account_number, id)): Path<(String, i64)>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let (_, company, _) = company(&db, &visitor, (&account_number, EDITORS), "locations").await?;
    let scope = visitor.person()?.scope();
    of(&company, Found::archived(&db, Entity::Location, &scope, "t.id = {}", id).await?)?;
    let edit = Edit::Restore { entity: Entity::Location, id, version: None };
    put(&db, &visitor, &company, (edit, "restored")).await
}

/// Takes a location out of the directory, or back into it.
async fn put(db: &Db, visitor: &Visitor, company: &Company, (edit, done): (Edit, &str)) -> Result<Response, Error> {
    let deed = visitor.person()?.deed(Origin::Page, format!("Location {done}"));
    let changed = record::change(db, &deed, edit, locations::WORDS).await?;
    let back = format!("{}/locations", address(&company.account_number));
    Ok(page::done_by(&back, &format!("The location was {done}."), changed.changeset_id))
}

pub(crate) async fn pin_location(
    State(db): State<Db>,
    visitor: Visitor,
    Path((account_number, id)): Path<(String, i64)>,
    CsrfForm(asked): CsrfForm<record::Pin>,
) -> Result<Response, Error> {
    let (_, company, _) = company(&db, &visitor, (&account_number, EDITORS), "locations").await?;
    let person = visitor.person()?;
    let found = location(&db, person, &company, id).await?;
    let back = format!("{}/locations", address(&account_number));
    asked.apply(&db, person, (Entity::Location, &found), &back).await
}

#[derive(Template)]
#[template(path = "companies/users.html")]
struct UsersPage {
    shell: Shell,
    users: Vec<User>,
}

pub(crate) async fn users(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let (_, _, shell) = company(&db, &visitor, (&account_number, EDITORS), "users").await?;
    let list = List::new(Entity::User, &visitor.person()?.scope());
    let users = parts(&db, list, "username", &account_number).await?;
    page::show(&visitor, &UsersPage { shell, users })
}

/// What happened to it.
pub(crate) async fn history(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let (found, company, mut shell) = company(&db, &visitor, (&account_number, EDITORS), "history").await?;
    "History".clone_into(&mut shell.title);
    let back = address(&company.account_number);
    nexus_web::history::page(&db, &visitor, shell, (Entity::Company, found.id), &back).await
}

/// What a reader sees of the plan and the features; who may change them has the form.
#[derive(Template)]
#[template(path = "companies/features.html")]
struct FeaturesPage {
    shell: Shell,
    plan: Option<String>,
    features: Vec<store::CompanyFeature>,
}

const PLAN: &[(&str, &str, FormKind)] = &[("plan_selected", "Plan", FormKind::Choice)];
const ABOUT: &str = "What the plan includes, and what this company has of its own in place of it.";
const NO_FEATURES: &str = "There are no features yet. An administrator can add them in the settings.";
const OWN: (&str, &str, &str) = ("feature_overrides", "Features of its own", "What is left empty is as the plan says.");

pub(crate) async fn features(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let (found, company, shell) = company(&db, &visitor, (&account_number, READERS), "features").await?;
    if shell.edits {
        return features_form(&db, shell, &found, &company).await?.show(&visitor);
    }
    let (plan, features) = (company.plan_selected, store::features(&db, found.id).await?);
    page::show(&visitor, &FeaturesPage { shell, plan, features })
}

async fn features_form(db: &Db, mut shell: Shell, found: &Found, company: &Company) -> Result<EditPage, Error> {
    "Plan and features".clone_into(&mut shell.title);
    let record: Value = found.read()?;
    let features = store::features(db, found.id).await?;
    let keys: Vec<_> = features.iter().map(|feature| (feature.id, feature.name.clone())).collect();
    let back = address(&company.account_number);
    let places = (format!("{back}/features"), back);
    let page = EditPage::new(shell, Entity::Company, PLAN, (&record, found.version), places);
    let page = page.about(if features.is_empty() { NO_FEATURES } else { ABOUT });
    let page = page.offering("plan_selected", &store::plans(db).await?).with_values(OWN, &keys, &record);
    Ok(page.hinting(|name| {
        let feature = features.iter().find(|feature| feature.name == name)?;
        Some(match &feature.plan_value {
            Some(value) => format!("By its plan: {value}"),
            None => "Not in its plan".to_owned(),
        })
    }))
}

/// Takes over the plan and the company's own values.
pub(crate) async fn set_features(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let (found, company, shell) = company(&db, &visitor, (&account_number, EDITORS), "features").await?;
    let mut page = features_form(&db, shell, &found, &company).await?;
    let (body, seen) = page.fill(&db, &sent).await?;
    let deed = visitor.person()?.deed(Origin::Page, "Plan and features changed");
    match edit::update(&db, &deed, found.id, Some(seen), body).await {
        Ok(done) => {
            let back = format!("{}/features", address(&account_number));
            Ok(page::done_by(&back, "The plan and the features were saved.", done.changeset_id))
        }
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}
