//! The page that links contacts to an asset.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_core::records::Asset;
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, List, Paging, Path, Query, Visitor};
use serde::Deserialize;
use serde_json::{Map, json};

use crate::pages::{EDITORS, address_of, find, shell};
use crate::{edit, store};

/// Contacts that are offered at once; a search narrows them.
const OFFERED: Paging = Paging { page: 1, per_page: 30 };

/// Contacts that are looked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Sought {
    #[serde(default)]
    search: String,
}

#[derive(Template)]
#[template(path = "assets/contacts.html")]
struct ContactsPage {
    shell: Shell,
    path: String,
    hostname: String,
    company: Option<String>,
    search: String,
    linked: Vec<store::Person>,
    offered: Vec<store::Person>,
    total: i64,
}

/// Who is linked, and who could be: the people of the asset's company, or those who are looked for among all.
pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(Sought { search }): Query<Sought>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let scope = person.scope();
    let asset: Asset = find(&db, person, id).await?.read()?;
    let (shell, company) = shell(&db, &visitor, &asset, format!("Contacts of {}", asset.hostname)).await?;
    let search = search.trim().to_owned();
    let others = "NOT EXISTS (SELECT 1 FROM asset_contacts l WHERE l.contact_id = t.id AND l.asset_id = {})";
    let list = List::new(Entity::Contact, &scope).filter(others, id).sort(Some("name"), None)?;
    let list = match &company {
        Some((number, _)) if search.is_empty() => list.of_company(number),
        _ => list.search(&db, Some(&search)),
    };
    let (offered, total) = list.page(&db, OFFERED).await?;
    let linked = store::people(&db, &scope, id).await?;
    let (offered, company) = (page::record(&offered)?, company.map(|(_, name)| name));
    let (path, hostname) = (address_of(id), asset.hostname);
    page::show(&visitor, &ContactsPage { shell, path, hostname, company, search, linked, offered, total })
}

/// A contact that is linked, or is not any more.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    contact: i64,
    #[serde(rename = "do")]
    deed: Link,
    #[serde(default)]
    search: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Link {
    Link,
    Unlink,
}

pub(crate) async fn change(
    State(db): State<Db>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(Asked { contact, deed, search }): CsrfForm<Asked>,
) -> Result<Response, Error> {
    let person = visitor.person_with(EDITORS)?;
    let found = find(&db, person, id).await?;
    let mut ids = found.read::<Asset>()?.contact_ids;
    ids.retain(|known| *known != contact);
    let (reason, note) = match deed {
        Link::Link => {
            ids.push(contact);
            ("Contact linked", "The contact was linked.")
        }
        Link::Unlink => ("Contact unlinked", "The contact was unlinked."),
    };
    let body = Map::from_iter([("contact_ids".to_owned(), json!(ids))]);
    let done = edit::update(&db, &person.deed(Origin::Page, reason), id, Some(found.version), body).await;
    let done = done.map_err(|error| match error {
        // The only thing that can be wrong with it: it was archived while the page was open.
        Error::Invalid { .. } => Error::NotFound("Contact not found"),
        other => other,
    })?;
    let back = page::link(&format!("{}/contacts", address_of(id)), &[("search", search)]);
    Ok(page::done_by(&back, note, done.changeset_id))
}
