//! The page with a list of records, the same for every kind: search, filters, order, columns and paging that keep each other
//! in the address, the same list as CSV, and changes of many records at once.
//!
//! A route group says in a [`Grid`] what its kind has; the rest is here.

mod bulk;
mod csv;
mod page;
mod routes;
mod rows;
mod view;

pub use bulk::{Ready, Step, bulk};
pub use routes::{choices, csv, list};
pub use rows::{mailto, web_address};
pub use view::{Pairs, last};

use nexus_core::{Entity, Role};

use crate::form::FormKind;

/// Records on a page.
const PER_PAGE: i64 = 50;

/// What a kind's list has.
#[derive(Debug)]
pub struct Grid {
    /// The kind.
    pub entity: Entity,
    /// Path of the list.
    pub path: &'static str,
    /// Entry of the navigation.
    pub section: &'static str,
    /// Title.
    pub title: &'static str,
    /// One of them, e.g. `asset`.
    pub one: &'static str,
    /// Several of them.
    pub many: &'static str,
    /// What a search looks at.
    pub searched: &'static str,
    /// What to do while there are none.
    pub empty: &'static str,
    /// Who may see it.
    pub readers: &'static [Role],
    /// The columns; the first leads to the record.
    pub columns: &'static [Column],
    /// The filters.
    pub filters: &'static [Filter],
    /// The fields that can be changed of many records at once: name, label, how it is typed.
    pub bulk: &'static [(&'static str, &'static str, FormKind)],
    /// What the choices among them offer: name, SQL of the texts.
    pub offers: &'static [(&'static str, &'static str)],
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The record's member.
    pub name: &'static str,
    /// What stands above it.
    pub label: &'static str,
    /// How it is shown.
    pub show: Show,
    /// It can be sorted by.
    pub sorts: bool,
    /// It is there unless others are chosen.
    pub usual: bool,
}

impl Column {
    /// A column of text that is shown unless others are chosen.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str) -> Self {
        Self { name, label, show: Show::Text, sorts: false, usual: true }
    }

    /// As something else than text.
    #[must_use]
    pub const fn shown(self, show: Show) -> Self {
        Self { show, ..self }
    }

    /// The list can be sorted by it.
    #[must_use]
    pub const fn sorts(self) -> Self {
        Self { sorts: true, ..self }
    }

    /// Only shown when it is chosen.
    #[must_use]
    pub const fn more(self) -> Self {
        Self { usual: false, ..self }
    }
}

/// How a member is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// As it is.
    Text,
    /// With figures of one width.
    Number,
    /// As a link to the record.
    Record,
    /// As a link that writes to it.
    Email,
    /// Yes or no.
    Tick,
    /// An instant.
    Instant,
    /// Companies, named by their account numbers: one or a list.
    Companies,
    /// A text that holds a JSON list of texts.
    List,
    /// Web addresses as buttons.
    Go,
}

/// A filter.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Its parameter.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What it compares.
    pub of: Of,
}

/// What a filter compares.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// The text of a column, letter case aside; [`NONE`]: those without one.
    Text(&'static str),
    /// The company, by account number.
    Company,
    /// One of some conditions: value, label, SQL.
    Choice(&'static [(&'static str, &'static str, &'static str)]),
    /// An instant longer ago than so many days, or none.
    DaysAgo(&'static str, &'static [&'static str]),
}

/// The value of a filter for records without one.
pub const NONE: &str = "(none)";
