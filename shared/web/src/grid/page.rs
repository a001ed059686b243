//! The list as a page.

use askama::Template;
use axum::response::Response;
use http::HeaderMap;
use nexus_db::Db;

use super::rows::{self, Cell, Row};
use super::view::{Pairs, View};
use super::{Grid, PER_PAGE};
use crate::auth::Visitor;
use crate::error::Error;
use crate::input::company_named;
use crate::page::{self, Shell};
use crate::paging::Paging;

#[derive(Template)]
#[template(path = "grid/list.html")]
struct ListPage<'a> {
    shell: Shell,
    view: View,
    chips: Vec<(String, String)>,
    rows: Vec<Row<'a>>,
    total: i64,
    pages: i64,
    whole: bool,
    csv: String,
    choices: String,
}

/// The list.
///
/// # Errors
/// When the visitor may not see it, and when the store fails.
pub(super) async fn page(grid: &'static Grid, db: &Db, visitor: &Visitor, pairs: &Pairs) -> Result<Response, Error> {
    let person = visitor.person_with(grid.readers)?;
    let scope = person.scope();
    let mut view = View::read(grid, pairs);
    let list = view.list(db, &scope)?;
    let mut at = Paging { page: view.page, per_page: PER_PAGE };
    let (mut json, total) = list.page(db, at).await?;
    let pages = at.last(total);
    if at.page > pages {
        // A page that is not there any more becomes the last that is.
        (view.page, at.page) = (pages, pages);
        json = list.page(db, at).await?.0;
    }
    let rows = rows::read(grid, &view.columns, &json)?;
    let mut shell = shell(grid, db, visitor, &view).await?;
    if !view.search.is_empty() || !view.filters.is_empty() {
        shell.title = format!("{} ({total})", grid.title);
    }
    let csv = view.at(&format!("{}.csv", grid.path), 1);
    let (chips, choices) = (view.chips(), view.at(&format!("{}/choices", grid.path), 1));
    let whole = view.selected().is_empty();
    page::show(visitor, &ListPage { shell, view, chips, rows, total, pages, whole, csv, choices })
}

/// The shell, within the company that the list is narrowed to.
async fn shell(grid: &Grid, db: &Db, visitor: &Visitor, view: &View) -> Result<Shell, Error> {
    let shell = Shell::new(visitor, grid.section, grid.title);
    let Some(number) = view.company() else { return Ok(shell) };
    let scope = visitor.person()?.scope();
    Ok(match company_named(db, &scope, number).await? {
        Some((number, name)) => shell.within(&number, &name, grid.section),
        None => shell,
    })
}

#[derive(Template)]
#[template(path = "grid/choices.html")]
struct Choices {
    shell: Shell,
    view: View,
    filters: Vec<Choice>,
}

/// The form alone, to be put into the list's page.
#[derive(Template)]
#[template(path = "grid/choices.html", block = "form")]
struct ChoicesForm {
    view: View,
    filters: Vec<Choice>,
}

/// A filter with what can be chosen.
struct Choice {
    name: &'static str,
    label: &'static str,
    value: String,
    options: Vec<(String, String)>,
}

/// The form that chooses filters and columns: as a part of the list's page when its script asks, else as a page.
///
/// # Errors
/// When the visitor may not see the list, and when the store fails.
pub(super) async fn choices(
    grid: &'static Grid,
    db: &Db,
    visitor: &Visitor,
    pairs: &Pairs,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let scope = visitor.person_with(grid.readers)?.scope();
    let view = View::read(grid, pairs);
    let mut filters = Vec::new();
    for filter in grid.filters {
        let value = view.filters.iter().find(|(known, _)| known.name == filter.name).map(|(_, value)| value.clone());
        let options = View::options(db, &scope, grid, filter).await?;
        filters.push(Choice { name: filter.name, label: filter.label, value: value.unwrap_or_default(), options });
    }
    if headers.contains_key("hx-request") {
        return page::html(&ChoicesForm { view, filters });
    }
    let shell = Shell::new(visitor, grid.section, format!("{}: filters and columns", grid.title));
    page::html(&Choices { shell, view, filters })
}
