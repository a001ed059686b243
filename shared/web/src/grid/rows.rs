//! Records on their way into a table: of each only the columns shown are read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query, scope};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Column, Grid, Show};
use crate::error::Error;

/// A record of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Its id.
    pub id: i64,
    /// What its address ends with: the account number of a company, else the id.
    pub key: String,
    /// It does not work there any more.
    pub dim: bool,
    /// A cell for each column.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    None,
    Text(String),
    Number(String),
    Record(String),
    Email(String),
    Tick(bool),
    Instant(String),
    /// Account number and name.
    Companies(Vec<(String, String)>),
    /// Addresses of the RMM's page and of the remote control.
    Go(Option<String>, Option<String>),
}

impl Cell {
    /// As text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::None => "".into(),
            Self::Text(text) | Self::Number(text) | Self::Record(text) | Self::Email(text) | Self::Instant(text) => {
                text.into()
            }
            Self::Tick(tick) => if *tick { "yes" } else { "no" }.into(),
            Self::Companies(companies) => {
                companies.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join("; ").into()
            }
            Self::Go(portal, remote) => remote.as_deref().or(portal.as_deref()).unwrap_or_default().into(),
        }
    }
}

/// The rows of a JSON array of records.
pub(crate) fn read(grid: &Grid, columns: &[&Column], json: &str) -> Result<Vec<Row>, Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Rows { grid, columns }.deserialize(&mut reader).map_err(|error| {
        tracing::error!(%error, "records cannot be read");
        Error::Internal
    })
}

/// Puts the names of companies, where a cell has their numbers.
pub(crate) async fn name_companies(db: &Db, scope: &Scope, rows: &mut [Row]) -> Result<(), Error> {
    let cells = || rows.iter().flat_map(|row| &row.cells);
    let mut numbers: Vec<&str> = cells()
        .filter_map(|cell| if let Cell::Companies(companies) = cell { Some(companies) } else { None })
        .flat_map(|companies| companies.iter().map(|(number, _)| number.as_str()))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return Ok(());
    }
    let lower: Vec<_> =
        numbers.iter().map(|number| serde_json::json!({ "key": number.to_ascii_lowercase() })).collect();
    let query = Query::new("SELECT t.account_number, t.name FROM companies t WHERE t.archived_at IS NULL AND lower(t.account_number) IN (SELECT x.value->>'key' FROM ")
        .push(&db.dialect().each(1))
        .push(")")
        .bind(Value::from(lower));
    let query = scope::within(query, Entity::Company, scope);
    let names: BTreeMap<String, String> = db.all::<(String, String)>(query).await?.into_iter().collect();
    for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
        let Cell::Companies(companies) = cell else { continue };
        for (number, name) in companies {
            names.get(number).unwrap_or(number).clone_into(name);
        }
    }
    Ok(())
}

/// An address that a browser may be sent to: what a vendor says could be anything.
#[must_use]
pub fn web_address(text: &str) -> Option<String> {
    let address = url::Url::parse(text).ok()?;
    matches!(address.scheme(), "https" | "http").then(|| address.into())
}

fn cell(column: &Column, value: Value) -> Cell {
    let texts = |value: Value| match value {
        Value::Array(items) => items
            .into_iter()
            .filter_map(|item| if let Value::String(text) = item { Some(text) } else { None })
            .collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    };
    match (column.show, value) {
        (Show::Companies, value) => {
            Cell::Companies(texts(value).into_iter().map(|number| (number.clone(), number)).collect())
        }
        (Show::List, Value::String(text)) => {
            let texts: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
            if texts.is_empty() { Cell::None } else { Cell::Text(texts.join(", ")) }
        }
        (_, Value::Null) => Cell::None,
        (Show::Tick, value) => Cell::Tick(value == true),
        (Show::Go, value) => Cell::Go(None, value.as_str().and_then(web_address)),
        (_, Value::String(text)) if text.is_empty() => Cell::None,
        (show, Value::String(text)) => match show {
            Show::Record => Cell::Record(text),
            Show::Number => Cell::Number(text),
            Show::Email => Cell::Email(text),
            Show::Instant => Cell::Instant(text),
            _ => Cell::Text(text),
        },
        (_, Value::Array(_)) => Cell::None,
        (_, other) => Cell::Number(other.to_string()),
    }
}

struct Rows<'a> {
    grid: &'a Grid,
    columns: &'a [&'a Column],
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<Row>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Row>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = records.next_element_seed(One(&self))? {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct One<'a>(&'a Rows<'a>);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Row, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Row;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Row, A::Error> {
        let Rows { grid, columns } = *self.0;
        let mut row = Row { id: 0, key: String::new(), dim: false, cells: vec![Cell::None; columns.len()] };
        let (mut number, mut portal) = (None, None);
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            let at = columns.iter().position(|column| column.name == name);
            match &*name {
                "id" => row.id = members.next_value()?,
                "active" => {
                    let active: bool = members.next_value()?;
                    row.dim = !active;
                    if let Some(at) = at {
                        row.cells[at] = Cell::Tick(active);
                    }
                }
                "account_number" => {
                    let text: String = members.next_value()?;
                    if let Some(at) = at {
                        row.cells[at] = cell(columns[at], Value::String(text.clone()));
                    }
                    number = Some(text);
                }
                "portal_url" => portal = members.next_value::<Option<String>>()?.as_deref().and_then(web_address),
                _ => match at {
                    Some(at) => row.cells[at] = cell(columns[at], members.next_value()?),
                    None => drop(members.next_value::<IgnoredAny>()?),
                },
            }
        }
        for (cell, column) in row.cells.iter_mut().zip(columns) {
            if column.show == Show::Go {
                let remote = if let Cell::Go(_, remote) = cell { remote.take() } else { None };
                *cell = Cell::Go(portal.take(), remote);
            }
        }
        row.key = match number {
            Some(number) if grid.entity == Entity::Company => number,
            _ => row.id.to_string(),
        };
        Ok(row)
    }
}
