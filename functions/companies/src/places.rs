//! The pages of what belongs to a company: its locations, its plan and features, its portal users.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::records::{Company, Location, User};
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::{Edit, Origin};
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, List, Paging, Path, Principal, Visitor, record};
use serde_json::{Map, Value, json};

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

/// What belongs to a company, of one kind, by name.
async fn parts<T: serde::de::DeserializeOwned>(
    db: &Db,
    person: &Principal,
    (entity, sort): (Entity, &str),
    account_number: &str,
) -> Result<Vec<T>, Error> {
    let list = List::new(entity, &person.scope()).of_company(account_number).sort(Some(sort), None)?;
    page::record(&list.json(db, MOST).await?)
}

#[derive(Template)]
#[template(path = "companies/locations.html")]
struct LocationsPage {
    shell: Shell,
    path: String,
    locations: Vec<Location>,
}

pub(crate) async fn locations(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let (_, company, shell) = company(&db, &visitor, (&account_number, READERS), "locations").await?;
    let locations = parts(&db, visitor.person()?, (Entity::Location, "name"), &account_number).await?;
    let path = address(&company.account_number);
    page::show(&visitor, &LocationsPage { shell, path, locations })
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
    const ABSENT: Error = Error::NotFound("Location not found");
    let found = Found::by_id(db, Entity::Location, &person.scope(), id).await?.ok_or(ABSENT)?;
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
    let (mut body, seen) = page.fill(sent);
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
    CsrfForm(_): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let (_, company, _) = company(&db, &visitor, (&account_number, EDITORS), "locations").await?;
    let person = visitor.person()?;
    location(&db, person, &company, id).await?;
    let edit = Edit::Archive { entity: Entity::Location, id, version: None };
    let deed = person.deed(Origin::Page, "Location archived");
    let done = record::change(&db, &deed, edit, locations::WORDS).await?;
    let back = format!("{}/locations", address(&account_number));
    Ok(page::done_by(&back, "The location was archived.", done.changeset_id))
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
    let users = parts(&db, visitor.person()?, (Entity::User, "username"), &account_number).await?;
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

#[derive(Template)]
#[template(path = "companies/features.html")]
struct FeaturesPage {
    shell: Shell,
    path: String,
    plan: Option<String>,
    plans: Vec<String>,
    version: i64,
    features: Vec<store::CompanyFeature>,
    fault: Option<String>,
}

pub(crate) async fn features(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
) -> Result<Response, Error> {
    let (found, company, shell) = company(&db, &visitor, (&account_number, READERS), "features").await?;
    let page = features_page(&db, shell, &found, company).await?;
    page::show(&visitor, &page)
}

async fn features_page(db: &Db, shell: Shell, found: &Found, company: Company) -> Result<FeaturesPage, Error> {
    let features = store::features(db, found.id).await?;
    let path = address(&company.account_number);
    let (plan, plans) = (company.plan_selected, store::plans(db).await?);
    Ok(FeaturesPage { shell, path, plan, plans, version: found.version, features, fault: None })
}

/// Takes over the plan and the company's own values: an empty one means what the plan says.
pub(crate) async fn set_features(
    State(db): State<Db>,
    visitor: Visitor,
    Path(account_number): Path<String>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let (found, company, shell) = company(&db, &visitor, (&account_number, EDITORS), "features").await?;
    let own: Map<String, Value> = store::features(&db, found.id)
        .await?
        .into_iter()
        .filter_map(|feature| {
            let typed = sent.get(&format!("feature-{}", feature.id)).map(|text| text.trim().to_owned());
            let value = typed.or(feature.own_value).filter(|value| !value.is_empty());
            value.map(|value| (feature.name, Value::String(value)))
        })
        .collect();
    let mut body = Map::from_iter([("feature_overrides".to_owned(), json!(own))]);
    if let Some(plan) = sent.get("plan_selected").filter(|plan| Some(*plan) != company.plan_selected.as_ref()) {
        body.insert("plan_selected".to_owned(), plan.trim().into());
    }
    let seen = sent.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    let deed = visitor.person()?.deed(Origin::Page, "Plan and features changed");
    match edit::update(&db, &deed, found.id, Some(seen), body).await {
        Ok(done) => {
            let back = format!("{}/features", address(&account_number));
            Ok(page::done_by(&back, "The plan and the features were saved.", done.changeset_id))
        }
        Err(error @ (Error::Invalid { .. } | Error::Stale(_) | Error::Conflict(_))) => {
            let status = if matches!(error, Error::Invalid { .. }) { 422 } else { 409 };
            let fault = match error {
                Error::Invalid { fields, message } => fields.into_iter().next().map_or(message, |one| one.message),
                _ => "Somebody changed this company meanwhile, so nothing was saved. These are the values of now."
                    .to_owned(),
            };
            let mut page = features_page(&db, shell, &found, company).await?;
            page.fault = Some(fault);
            let mut response = page::html(&page)?;
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
            Ok(response)
        }
        Err(error) => Err(error),
    }
}
