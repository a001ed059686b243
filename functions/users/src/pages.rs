//! The HTML face: the users.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::records::User;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::page::{self, Nothing, Shell};
use nexus_web::{
    Auth, CsrfForm, EditPage, Error, FormKind, Found, List, Paging, Path, Principal, Query, Visitor, missing,
};
use serde::Deserialize;
use serde_json::Value;

use crate::edit;

/// Who looks after users.
pub(crate) const ADMIN: &[Role] = &[Role::Admin];
const LIST: &str = "/settings/users";
const PER_PAGE: i64 = 100;

/// The fields of a form; that of the password is called otherwise for a new user.
const fn form(password: &'static str) -> [(&'static str, &'static str, FormKind); 6] {
    [
        ("username", "User name", FormKind::Line),
        ("email", "E-mail address", FormKind::Line),
        ("permission_level", "Role", FormKind::Choice),
        ("company_account_numbers", "Account numbers of the companies (of a client)", FormKind::List),
        (
            "service_account",
            "Service account: used by a service, not by a person; it may have API keys",
            FormKind::Tick,
        ),
        ("password", password, FormKind::Secret),
    ]
}

/// Which users are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    search: String,
    #[serde(default)]
    page: Option<i64>,
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    shell: Shell,
    shown: Shown,
    page: i64,
    last: i64,
    total: i64,
    users: Vec<User>,
    fault: Option<String>,
}

impl ListPage {
    async fn new(db: &Db, visitor: &Visitor, person: &Principal, shown: Shown) -> Result<Self, Error> {
        let scope = person.scope();
        let of = if shown.archived { List::archived(Entity::User, &scope) } else { List::new(Entity::User, &scope) };
        let of = of.search(db, Some(shown.search.as_str())).sort(Some("username"), None)?;
        let page = shown.page.unwrap_or(1).clamp(1, 1_000_000);
        let (users, total) = of.page(db, Paging { page, per_page: PER_PAGE }).await?;
        let last = Paging { page, per_page: PER_PAGE }.last(total);
        let shell = Shell::new(visitor, "settings", "Users");
        Ok(Self { shell, shown, page, last, total, users: page::record(&users)?, fault: None })
    }
}

pub(crate) async fn list(
    State(db): State<Db>,
    visitor: Visitor,
    Query(shown): Query<Shown>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    page::show(&visitor, &ListPage::new(&db, &visitor, person, shown).await?)
}

/// The list again, with what could not be done.
async fn refuse(db: &Db, visitor: &Visitor, archived: bool, error: Error) -> Result<Response, Error> {
    let Error::Conflict(fault) = error else { return Err(error) };
    let shown = Shown { archived, ..Shown::default() };
    let mut page = ListPage::new(db, visitor, visitor.person_with(ADMIN)?, shown).await?;
    page.shell.path = page::link(LIST, &[("archived", if archived { "true" } else { "" })]);
    Ok((StatusCode::CONFLICT, page::show(visitor, &ListPage { fault: Some(fault), ..page })?).into_response())
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Opened {
    #[serde(default)]
    company: String,
}

pub(crate) async fn new_form(visitor: Visitor, Query(opened): Query<Opened>) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    new_page(&visitor).beginning("company_account_numbers", &opened.company).show(&visitor)
}

fn new_page(visitor: &Visitor) -> EditPage {
    let shell = Shell::new(visitor, "settings", "New user");
    let layout = form("Password, 10 characters or more (a service account may go without)");
    EditPage::new(shell, Entity::User, &layout, (&Value::Null, 0), (format!("{LIST}/new"), LIST.into()))
        .offering("permission_level", &roles())
}

fn roles() -> Vec<String> {
    Role::ALL.map(|role| role.as_str().to_owned()).into()
}

pub(crate) async fn create(
    State(db): State<Db>,
    State(auth): State<Auth>,
    visitor: Visitor,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let mut page = new_page(&visitor);
    let (body, _) = page.fill(&db, &sent).await?;
    let made = match missing(&body, &["username", "permission_level"], "Missing username or permission_level") {
        Ok(()) => edit::create(&db, &auth, &person.deed(Origin::Page, "User created"), body).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(made) => Ok(page::done_by(&address_of(made.id), "The user was added.", made.changeset_id)),
        Err(error) => page.refuse(&db, &visitor, error).await,
    }
}

pub(crate) async fn edit_form(State(db): State<Db>, visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Error> {
    let found = find(&db, visitor.person_with(ADMIN)?, id).await?;
    edit_page(&visitor, &found)?.show(&visitor)
}

fn edit_page(visitor: &Visitor, found: &Found) -> Result<EditPage, Error> {
    let record: Value = found.read()?;
    let title = format!("Edit {}", record["username"].as_str().unwrap_or_default());
    let back = address_of(found.id);
    let shell = Shell::new(visitor, "settings", title);
    let layout = form("New password (leave it empty to keep the old one; another one ends the user's sessions)");
    let page = EditPage::new(shell, Entity::User, &layout, (&record, found.version), (format!("{back}/edit"), back));
    Ok(page.offering("permission_level", &roles()))
}

pub(crate) async fn edit(
    State(db): State<Db>,
    State(auth): State<Auth>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(sent): CsrfForm<HashMap<String, String>>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let found = find(&db, person, id).await?;
    let known: User = found.read()?;
    let mut page = edit_page(&visitor, &found)?;
    let (body, seen) = page.fill(&db, &sent).await?;
    match edit::update(&db, &auth, &person.deed(Origin::Page, "User updated"), (&known, Some(seen)), body).await {
        Ok(changed) => Ok(page::done_by(&address_of(id), "The user was saved.", changed.changeset_id)),
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
    find(&db, person, id).await?;
    match edit::archive(&db, &person.deed(Origin::Page, "User archived"), id, None).await {
        Ok(done) => Ok(page::done_by(
            LIST,
            "The user was archived: the account, its sessions and its keys have stopped.",
            done.changeset_id,
        )),
        Err(error) => refuse(&db, &visitor, false, error).await,
    }
}

pub(crate) async fn restore(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Nothing {}): CsrfForm<Nothing>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    match edit::restore(&db, &person.deed(Origin::Page, "User restored"), id).await {
        Ok(done) => {
            let note = "The user is back, with the password and the keys of before.";
            Ok(page::done_by(&address_of(id), note, done.changeset_id))
        }
        Err(error) => refuse(&db, &visitor, true, error).await,
    }
}

/// The live user of that id.
pub(crate) async fn find(db: &Db, person: &Principal, id: i64) -> Result<Found, Error> {
    Found::by_id(db, Entity::User, &person.scope(), id).await?.ok_or(Error::NotFound(edit::ABSENT))
}

/// The address of a user's page.
pub(crate) fn address_of(id: i64) -> String {
    format!("{LIST}/{id}")
}
