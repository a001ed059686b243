//! Pages of the plans.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{CsrfForm, EditPage, Error, FormKind, Found, Path, Principal, Query, Visitor};
use serde_json::Value;

use super::ADMIN;
use super::offers::{self, Offer, Shown, with_number};
use crate::edit;

static OFFER: Offer = Offer {
    entity: Entity::Plan,
    path: "/settings/plans",
    includes: true,
    title: "Plans",
    hint: "What a company may have agreed on: a name, and a value for each feature.",
    empty: "There is no plan yet.",
};

const FORM: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("description", "What it means", FormKind::Lines),
    ("position", "Position (the smallest comes first)", FormKind::Line),
];
const FEATURES: (&str, &str, &str) = ("features", "What it includes", "What is left empty is not included.");

/// The form of a new plan, or of a known one.
async fn form(db: &Db, visitor: &Visitor, found: Option<&Found>) -> Result<EditPage, Error> {
    let (record, version, title, action) = match found {
        None => (Value::Null, 0, "New plan".to_owned(), format!("{}/new", OFFER.path)),
        Some(found) => {
            let record: Value = found.read()?;
            let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
            (record, found.version, title, format!("{}/{}/edit", OFFER.path, found.id))
        }
    };
    let features = offers::rows(db, Entity::Feature, false).await?.into_iter().map(|row| (row.id, row.name));
    let shell = Shell::new(visitor, "settings", title);
    let page = EditPage::new(shell, Entity::Plan, FORM, (&record, version), (action, OFFER.path.into()));
    Ok(page.with_values(FEATURES, &features.collect::<Vec<_>>(), &record))
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(shown): Query<Shown>,
) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    offers::list(&db, &visitor, &OFFER, shown).await
}

pub(crate) async fn new_form(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    form(&db, &visitor, None).await?.show(&visitor)
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let mut page = form(&db, &visitor, None).await?;
    let (body, _) = page.fill(&db, &sent).await?;
    match edit::create_plan(&db, &person.deed(Origin::Page, "Plan created"), with_number(body)).await {
        Ok(made) => Ok(page::done_by(OFFER.path, "The plan was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    let (_, absent) = edit::PLAN;
    Found::by_id(db, Entity::Plan, &person.scope(), id).await?.ok_or(Error::NotFound(absent))
}

pub(crate) async fn edit_form(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(ADMIN)?, id).await?;
    form(&db, &visitor, Some(&found)).await?.show(&visitor)
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let found = find(&db, person, id).await?;
    let mut page = form(&db, &visitor, Some(&found)).await?;
    let (body, seen) = page.fill(&db, &sent).await?;
    match edit::update_plan(&db, &person.deed(Origin::Page, "Plan updated"), (id, Some(seen)), with_number(body)).await
    {
        Ok(changed) => Ok(page::done_by(OFFER.path, "The plan was saved.", changed.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn archive(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    match edit::archive_plan(&db, &person.deed(Origin::Page, "Plan archived"), id, None).await {
        Ok(done) => Ok(page::done_by(OFFER.path, "The plan was archived.", done.changeset_id)),
        Err(error) => offers::refuse(&db, &visitor, &OFFER, Shown { archived: false }, error).await,
    }
}

pub(crate) async fn restore(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    match edit::restore_plan(&db, &person.deed(Origin::Page, "Plan restored"), id).await {
        Ok(done) => Ok(page::done_by(OFFER.path, "The plan is back.", done.changeset_id)),
        Err(error) => offers::refuse(&db, &visitor, &OFFER, Shown { archived: true }, error).await,
    }
}
