//! The search of the bar on top.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_core::views::Hit;
use nexus_db::Db;
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Query, Visitor};
use serde::Deserialize;

use crate::search;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

/// A hit as a page shows it.
struct Line {
    to: String,
    icon: &'static str,
    kind: &'static str,
    hit: Hit,
}

impl Line {
    fn new(hit: Hit) -> Self {
        let (to, icon, kind) = match hit.kind {
            Entity::Company => {
                let number = hit.account_number.as_deref().unwrap_or_default();
                (format!("/companies/{number}"), "building", "Company")
            }
            Entity::Contact => (format!("/contacts/{}", hit.id), "user", "Contact"),
            _ => (format!("/assets/{}", hit.id), "device-laptop", "Asset"),
        };
        Self { to, icon, kind, hit }
    }
}

#[derive(Template)]
#[template(path = "home/search.html")]
struct SearchPage {
    shell: Shell,
    q: String,
    lines: Vec<Line>,
}

/// What was found, below the search.
#[derive(Template)]
#[template(path = "home/search.html", block = "hits")]
struct Hits {
    q: String,
    lines: Vec<Line>,
}

async fn lines(db: &Db, visitor: &Visitor, q: &str, limit: usize) -> Result<Vec<Line>, Error> {
    let hits = search::find(db, &visitor.person()?.scope(), q, limit).await?;
    Ok(hits.unwrap_or_default().into_iter().map(Line::new).collect())
}

pub(crate) async fn show(
    State(db): State<Db>,
    visitor: Visitor,
    Query(Asked { q }): Query<Asked>,
) -> Result<Response, Error> {
    let lines = lines(&db, &visitor, &q, 100).await?;
    let mut shell = Shell::new(&visitor, "", "Search");
    shell.searched.clone_from(&q);
    page::show(&visitor, &SearchPage { shell, q, lines })
}

pub(crate) async fn hits(
    State(db): State<Db>,
    visitor: Visitor,
    Query(Asked { q }): Query<Asked>,
) -> Result<Response, Error> {
    let lines = lines(&db, &visitor, &q, 12).await?;
    page::html(&Hits { q, lines })
}
