//! Changes of many records of a list at once: what is ticked, or everything that matches, is settled, shown, and then
//! changed as one change set.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::Fields;
use nexus_db::changes::{self, Edit, Origin};
use nexus_db::{Db, Query};
use serde_json::{Map, Value};

use super::Grid;
use super::view::{Pairs, View};
use crate::auth::{Principal, Visitor};
use crate::error::Error;
use crate::form::{FormField, FormKind};
use crate::list::List;
use crate::page::{self, Shell};

/// More are not changed at once: one transaction holds them all.
const MOST: usize = 20_000;

/// What is to be done with the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk {
    /// Some fields are to be changed.
    Edit,
    /// Out of the live directory.
    Archive,
    /// Back into it.
    Restore,
}

impl Bulk {
    fn parse(word: &str) -> Result<Self, Error> {
        match word {
            "edit" => Ok(Self::Edit),
            "archive" => Ok(Self::Archive),
            "restore" => Ok(Self::Restore),
            _ => Err(Error::invalid("Choose what is to be done with the records")),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Archive => "archive",
            Self::Restore => "restore",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Edit => "changed",
            Self::Archive => "archived",
            Self::Restore => "restored",
        }
    }
}

/// What a form of the list has sent.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pairs: &'a Pairs,
}

/// What is to be done with it.
#[derive(Debug)]
pub enum Step {
    /// The person is to look at it first, or again.
    Show(Response),
    /// It is to be applied with these fields (of an edit) as a body of the API.
    Apply(Map<String, Value>, Box<Ready>),
}

/// Settled records, looked at by a person.
#[derive(Debug)]
pub struct Ready {
    page: BulkPage,
    ids: Vec<i64>,
    bulk: Bulk,
}

#[derive(Clone, Debug, Template)]
#[template(path = "grid/bulk.html")]
struct BulkPage {
    shell: Shell,
    grid: &'static Grid,
    word: &'static str,
    names: Vec<String>,
    total: usize,
    ids: String,
    query: String,
    back: String,
    form: Vec<FormField>,
    /// The fields that are to be changed.
    ticked: Vec<String>,
    faults: Vec<String>,
}

impl BulkPage {
    fn ticks(&self, name: &str) -> bool {
        self.ticked.iter().any(|ticked| ticked == name)
    }
}

/// The first of some names, to recognise the records by.
const NAMES: i64 = 12;

/// Reads what a form of the list has sent.
///
/// # Errors
/// When the visitor may not change records, when nothing is chosen, and when the store fails.
pub async fn bulk(grid: &'static Grid, db: &Db, visitor: &Visitor, pairs: &Pairs) -> Result<Step, Error> {
    let person = visitor.person()?;
    person.require_editor()?;
    let given = Given { pairs };
    let bulk = Bulk::parse(given.last("do"))?;
    let asked: Pairs = serde_urlencoded::from_str(given.last("query")).unwrap_or_default();
    let view = View { archived: bulk == Bulk::Restore, ..View::read(grid, &asked) };
    let scope = person.scope();
    let of = if given.last("all") == "true" { view.list(db, &scope)? } else { given.chosen(grid, &view, &scope)? };
    let ids = of.ids(db).await?;
    if ids.is_empty() {
        return Err(Error::invalid("Choose at least one record, then what is to be done"));
    }
    if ids.len() > MOST {
        return Err(Error::invalid(format!("At most {MOST} records can be changed at once; narrow the list")));
    }
    let mut form = FormField::of(grid.entity, grid.bulk, &Value::Null);
    for field in &mut form {
        field.value.clear();
        field.required = false;
        if let Some((_, sql)) = grid.offers.iter().find(|(name, _)| *name == field.name) {
            field.options = texts(db, Query::new(*sql)).await?;
        }
    }
    let total = ids.len();
    let verb = match bulk {
        Bulk::Edit => "Change",
        Bulk::Archive => "Archive",
        Bulk::Restore => "Restore",
    };
    // The page itself has no address to come back to.
    let back = view.link(1);
    let title = format!("{verb} {}", counted(grid, total));
    let shell = Shell { path: back.clone(), ..Shell::new(visitor, grid.section, title) };
    let first: Vec<i64> = ids.iter().copied().take(usize::try_from(NAMES).unwrap_or(0)).collect();
    let mut page = BulkPage {
        shell,
        grid,
        word: bulk.word(),
        names: names(grid, db, &first).await?,
        total,
        ids: ids.iter().map(i64::to_string).collect::<Vec<_>>().join(","),
        query: view.query(),
        back,
        form,
        ticked: given.all("field").map(str::to_owned).collect(),
        faults: Vec::new(),
    };
    if given.last("sure") != "true" {
        return Ok(Step::Show(page::html(&page)?));
    }
    let body = given.fill(&mut page);
    if bulk == Bulk::Edit && body.is_empty() {
        page.faults.push("Tick the fields that are to be changed".to_owned());
        return Ok(Step::Show((StatusCode::UNPROCESSABLE_ENTITY, page::html(&page)?).into_response()));
    }
    Ok(Step::Apply(body, Box::new(Ready { page, ids, bulk })))
}

impl Ready {
    /// Applies it: all of it or nothing. `fields` are what the group made of the body, or what is wrong with it.
    ///
    /// # Errors
    /// Those that are not about what was typed.
    pub async fn apply(
        mut self,
        db: &Db,
        person: &Principal,
        fields: Result<Fields, Error>,
    ) -> Result<Response, Error> {
        let entity = self.page.grid.entity;
        let edits = |fields: Fields| {
            let edit = |id| match self.bulk {
                Bulk::Edit => Edit::Update { entity, id, version: None, fields: fields.clone() },
                Bulk::Archive => Edit::Archive { entity, id, version: None },
                Bulk::Restore => Edit::Restore { entity, id, version: None },
            };
            self.ids.iter().map(|id| edit(*id)).collect::<Vec<_>>()
        };
        let what = counted(self.page.grid, self.page.total);
        let done = match fields {
            Ok(fields) => {
                let reason = format!("{what} {}", self.bulk.done());
                changes::change(db, &person.deed(Origin::Page, reason), edits(fields)).await.map_err(Error::from)
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(done) => {
                let were = if self.page.total == 1 { "was" } else { "were" };
                let note = match done.changeset_id {
                    Some(_) => format!("{what} {were} {}.", self.bulk.done()),
                    None => "Nothing had to be changed: the records hold these values already.".to_owned(),
                };
                Ok(page::done_by(&self.page.back, &note, done.changeset_id))
            }
            Err(Error::Invalid { fields, message }) => {
                let rest = FormField::blame(&mut self.page.form, &fields);
                self.page.faults = if fields.is_empty() { vec![message] } else { rest };
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page::html(&self.page)?).into_response())
            }
            Err(Error::Conflict(text) | Error::Stale(text)) => {
                self.page.faults = vec![text];
                Ok((StatusCode::CONFLICT, page::html(&self.page)?).into_response())
            }
            Err(error) => Err(error),
        }
    }
}

impl Given<'_> {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn last<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).last().unwrap_or_default()
    }

    /// The records that are ticked, as far as they are in sight.
    fn chosen(&self, grid: &Grid, view: &View, scope: &nexus_core::Scope) -> Result<List, Error> {
        let settled = self.last("ids").split(',').filter(|id| !id.is_empty());
        let ids: Vec<i64> = self.all("id").chain(settled).filter_map(|id| id.parse().ok()).collect();
        if ids.len() > MOST {
            return Err(Error::invalid(format!("At most {MOST} records can be changed at once; narrow the list")));
        }
        let list = if view.archived { List::archived(grid.entity, scope) } else { List::new(grid.entity, scope) };
        Ok(list.among(&ids))
    }

    /// The ticked fields as a body of the API.
    fn fill(&self, page: &mut BulkPage) -> Map<String, Value> {
        let mut body = Map::new();
        for field in &mut page.form {
            field.value = self.last(&field.name).replace("\r\n", "\n");
            if self.all("field").any(|name| name == field.name) {
                let value = match field.kind {
                    FormKind::Tick => Value::Bool(field.value == "true"),
                    _ => Value::String(field.value.clone()),
                };
                body.insert(field.name.to_string(), value);
            }
        }
        body
    }
}

fn counted(grid: &Grid, n: usize) -> String {
    format!("{n} {}", if n == 1 { grid.one } else { grid.many })
}

async fn names(grid: &Grid, db: &Db, ids: &[i64]) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT t.{} FROM {} t WHERE t.id IN (SELECT CAST(x.value AS BIGINT) FROM {}) ORDER BY 1",
        grid.entity.name_field(),
        grid.entity.table(),
        db.dialect().each(1)
    );
    texts(db, Query::new(sql).bind(Value::from(ids))).await
}

async fn texts(db: &Db, query: Query) -> Result<Vec<String>, Error> {
    Ok(db.all::<(String,)>(query).await?.into_iter().map(|(text,)| text).collect())
}
