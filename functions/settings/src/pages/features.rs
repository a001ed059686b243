//! Pages of the features.

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
    entity: Entity::Feature,
    path: "/settings/features",
    includes: false,
    title: "Features",
    hint: "What a plan may include. A company has what its plan says, or a value of its own.",
    empty: "There is no feature yet.",
};

const FORM: &[(&str, &str, FormKind)] = &[
    ("name", "Name", FormKind::Line),
    ("description", "What it means", FormKind::Lines),
    ("position", "Position (the smallest comes first)", FormKind::Line),
];

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(shown): Query<Shown>,
) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    offers::list(&db, &visitor, &OFFER, shown).await
}

pub(crate) async fn new_form(visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    new_page(&visitor).show(&visitor)
}

fn new_page(visitor: &Visitor) -> EditPage {
    let shell = Shell::new(visitor, "settings", "New feature");
    let action = format!("{}/new", OFFER.path);
    EditPage::new(shell, Entity::Feature, FORM, (&Value::Null, 0), (action, OFFER.path.into()))
}

pub(crate) async fn create(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let mut page = new_page(&visitor);
    let (body, _) = page.fill(&db, &sent).await?;
    match edit::create_feature(&db, &person.deed(Origin::Page, "Feature created"), with_number(body)).await {
        Ok(made) => Ok(page::done_by(OFFER.path, "The feature was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    let (_, absent) = edit::FEATURE;
    Found::by_id(db, Entity::Feature, &person.scope(), id).await?.ok_or(Error::NotFound(absent))
}

fn edit_page(visitor: &Visitor, found: &Found) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["name"].as_str().unwrap_or_default());
    let shell = Shell::new(visitor, "settings", title);
    let action = format!("{}/{}/edit", OFFER.path, found.id);
    Ok(EditPage::new(shell, Entity::Feature, FORM, (&record, found.version), (action, OFFER.path.into())))
}

pub(crate) async fn edit_form(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(ADMIN)?, id).await?;
    edit_page(&visitor, &found)?.show(&visitor)
}

pub(crate) async fn edit(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let found = find(&db, person, id).await?;
    let mut page = edit_page(&visitor, &found)?;
    let (body, seen) = page.fill(&db, &sent).await?;
    let deed = person.deed(Origin::Page, "Feature updated");
    match edit::update_feature(&db, &deed, (id, Some(seen)), with_number(body)).await {
        Ok(changed) => Ok(page::done_by(OFFER.path, "The feature was saved.", changed.changeset_id)),
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
    match edit::archive_feature(&db, &person.deed(Origin::Page, "Feature archived"), id, None).await {
        Ok(done) => Ok(page::done_by(
            OFFER.path,
            "The feature was archived. No plan and no company shows it any more.",
            done.changeset_id,
        )),
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
    match edit::restore_feature(&db, &person.deed(Origin::Page, "Feature restored"), id).await {
        Ok(done) => Ok(page::done_by(OFFER.path, "The feature is back.", done.changeset_id)),
        Err(error) => offers::refuse(&db, &visitor, &OFFER, Shown { archived: true }, error).await,
    }
}
