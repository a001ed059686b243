//! Records on their way into a table: of each only the columns shown are read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use nexus_core::Entity;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Column, Grid, Show};
use crate::error::Error;

/// A record of the table. What it shows lies in the JSON that it was read from, unless that has it escaped.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    /// Its id.
    pub id: i64,
    /// What its address ends with: the account number of a company, else the id.
    pub key: Cow<'a, str>,
    /// It does not work there any more.
    pub dim: bool,
    /// A cell for each column.
    pub cells: Vec<Cell<'a>>,
}

/// A cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell<'a> {
    None,
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    Record(Cow<'a, str>),
    Email(Cow<'a, str>),
    Tick(bool),
    Instant(Cow<'a, str>),
    /// Account number and name.
    Companies(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    /// Addresses of the RMM's page and of the remote control.
    Go(Option<Cow<'a, str>>, Option<Cow<'a, str>>),
}

impl Cell<'_> {
    /// As text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::None => "".into(),
            Self::Text(text) | Self::Number(text) | Self::Record(text) | Self::Email(text) | Self::Instant(text) => {
                Cow::Borrowed(text)
            }
            Self::Tick(tick) => if *tick { "yes" } else { "no" }.into(),
            Self::Companies(companies) => {
                companies.iter().map(|(_, name)| &**name).collect::<Vec<_>>().join("; ").into()
            }
            Self::Go(portal, remote) => {
                [remote, portal].into_iter().flatten().map(|to| &**to).collect::<Vec<_>>().join("; ").into()
            }
        }
    }
}

/// Whether one of the columns shows companies, whose names are then read with each record.
pub(crate) fn names_companies(columns: &[&Column]) -> bool {
    columns.iter().any(|column| column.show == Show::Companies)
}

/// The rows of a JSON array of records, or of pairs of a record and the names of its companies.
pub(crate) fn read<'a>(grid: &Grid, columns: &[&Column], json: &'a str) -> Result<Vec<Row<'a>>, Error> {
    let mut reader = serde_json::Deserializer::from_str(json);
    Rows { grid, columns, named: names_companies(columns) }.deserialize(&mut reader).map_err(|error| {
        tracing::error!(%error, "records cannot be read");
        Error::Internal
    })
}

/// An address that a browser may be sent to: what a vendor says could be anything. It is of the web and names a host; whether that
/// is there, the browser finds out.
#[must_use]
pub fn web_address(text: &str) -> Option<&str> {
    let text = text.trim();
    let after = |scheme: &str| {
        let (own, rest) = text.split_at_checked(scheme.len())?;
        own.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let rest = after("https://").or_else(|| after("http://"))?;
    let host = rest.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    (host && !rest.contains(char::is_control)).then_some(text)
}

/// The same of a text that lies in the JSON where it can.
fn go(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => web_address(text).map(Cow::Borrowed),
        Cow::Owned(text) => web_address(&text).map(|address| address.to_owned().into()),
    }
}

/// The address that writes to an e-mail address. What is not usual in one is encoded (RFC 6068): a `?` would begin further
/// recipients and a text, a comma the next recipient.
#[must_use]
pub fn mailto(address: &str) -> String {
    address.bytes().fold("mailto:".to_owned(), |mut to, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~+@".contains(&byte) {
            to.push(byte.into());
        } else {
            let _ = write!(to, "%{byte:02X}");
        }
        to
    })
}

/// Reads a member as a cell that is shown so.
struct As(Show);

impl As {
    fn text(self, text: Cow<'_, str>) -> Cell<'_> {
        match self.0 {
            Show::Companies => Cell::Companies(vec![(text.clone(), text)]),
            Show::Go => Cell::Go(None, go(text)),
            Show::List => {
                let texts: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
                if texts.is_empty() { Cell::None } else { Cell::Text(texts.join(", ").into()) }
            }
            _ if text.is_empty() => Cell::None,
            Show::Record => Cell::Record(text),
            Show::Number => Cell::Number(text),
            Show::Email => Cell::Email(text),
            Show::Instant => Cell::Instant(text),
            Show::Text | Show::Tick => Cell::Text(text),
        }
    }
}

impl<'de> DeserializeSeed<'de> for As {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for As {
    type Value = Cell<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a member of a record")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.text(text.to_owned().into()))
    }

    fn visit_bool<E>(self, tick: bool) -> Result<Self::Value, E> {
        Ok(Cell::Tick(tick))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string().into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cell::Number(number.to_string().into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        if self.0 != Show::Companies {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Cell::None);
        }
        let mut companies = Vec::new();
        while let Some(Text(number)) = items.next_element()? {
            companies.push((number.clone(), number));
        }
        Ok(Cell::Companies(companies))
    }
}

/// A text that lies in the JSON where it can.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Rows<'a> {
    grid: &'a Grid,
    columns: &'a [&'a Column],
    /// With each record stand the names of its companies.
    named: bool,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<Row<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Row<'de>>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        if self.named {
            while let Some(row) = records.next_element_seed(Named(&self))? {
                rows.push(row);
            }
        } else {
            while let Some(row) = records.next_element_seed(One(&self))? {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// A record and the names of its companies.
struct Named<'a>(&'a Rows<'a>);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = Row<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Row<'de>, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = Row<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a record and the names of its companies")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut both: A) -> Result<Self::Value, A::Error> {
        let nothing = |at| A::Error::invalid_length(at, &self);
        let mut row = both.next_element_seed(One(self.0))?.ok_or_else(|| nothing(0))?;
        let names: BTreeMap<Text<'de>, Text<'de>> = both.next_element()?.ok_or_else(|| nothing(1))?;
        for cell in &mut row.cells {
            let Cell::Companies(companies) = cell else { continue };
            for (number, name) in companies {
                if let Some(Text(known)) = names.get(&Text(number.clone())) {
                    name.clone_from(known);
                }
            }
        }
        Ok(row)
    }
}

struct One<'a>(&'a Rows<'a>);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Row<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Row<'de>, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Row<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Row<'de>, A::Error> {
        let Rows { grid, columns, .. } = *self.0;
        let mut row = Row { id: 0, key: Cow::Borrowed(""), dim: false, cells: vec![Cell::None; columns.len()] };
        let mut portal = None;
        while let Some(name) = members.next_key::<&str>()? {
            let at = columns.iter().position(|column| column.name == name);
            match (name, at) {
                ("id", _) => row.id = members.next_value()?,
                ("portal_url", _) => {
                    portal = members.next_value::<Option<Text<'_>>>()?.and_then(|Text(at)| go(at));
                }
                ("active", at) => {
                    let active: bool = members.next_value()?;
                    row.dim = !active;
                    if let Some(at) = at {
                        row.cells[at] = Cell::Tick(active);
                    }
                }
                ("account_number", at) => {
                    let Text(number) = members.next_value()?;
                    if let Some(at) = at {
                        row.cells[at] = As(columns[at].show).text(number.clone());
                    }
                    if grid.entity == Entity::Company {
                        row.key = number;
                    }
                }
                (_, Some(at)) => row.cells[at] = members.next_value_seed(As(columns[at].show))?,
                (_, None) => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        for (cell, column) in row.cells.iter_mut().zip(columns) {
            if column.show == Show::Go {
                let remote = if let Cell::Go(_, remote) = cell { remote.take() } else { None };
                *cell = Cell::Go(portal.take(), remote);
            }
        }
        if row.key.is_empty() {
            row.key = row.id.to_string().into();
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::{mailto, web_address};

    #[test]
    fn one_writes_to_the_address_and_to_nobody_else() {
        for (address, expected) in [
            ("ada.byron+it@one.example", "mailto:ada.byron+it@one.example"),
            ("a?bcc=x@evil.example", "mailto:a%3Fbcc%3Dx@evil.example"),
            ("a&b#c%2C d@one.example", "mailto:a%26b%23c%252C%20d@one.example"),
            ("a@one.example,b;c@evil.example", "mailto:a@one.example%2Cb%3Bc@evil.example"),
            ("jürgen@bücher.example", "mailto:j%C3%BCrgen@b%C3%BCcher.example"),
        ] {
            assert_eq!(mailto(address), expected);
        }
    }

    #[test]
    fn a_web_address_begins_with_the_webs_scheme_and_a_host() {
        for good in
            ["https://rmm.example/a?b=c", "http://10.0.0.1:8080", "HTTPS://bücher.example/ä b", "https://[::1]/"]
        {
            assert_eq!(web_address(&format!(" {good}\n")), Some(good));
        }
        for other in [
            "",
            "rmm.example",
            "javascript:alert(1)",
            "//rmm.example",
            "https:rmm.example",
            "https://",
            "https:///etc",
            "https://\\rmm.example",
            "data:text/html,https://rmm.example",
            "java\nscript:https://x",
            "https://a\n.example",
        ] {
            assert_eq!(web_address(other), None, "{other}");
        }
    }
}
