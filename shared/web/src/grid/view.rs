//! What of a list is shown, as its address says it.

use nexus_core::{Scope, instant};
use nexus_db::{Db, Query, bodies, scope};

use super::rows::names_companies;
use super::{Column, Filter, Grid, NONE, Of};
use crate::error::Error;
use crate::history;
use crate::list::List;
use crate::page;

/// The parameters of an address or of a form, in their order.
pub type Pairs = Vec<(String, String)>;

/// The last value of a parameter, without blanks around it; of one that is not given nothing.
#[must_use]
pub fn last<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().rev().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
}

/// What is shown of a list.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub grid: &'static Grid,
    pub search: String,
    pub sort: String,
    pub descending: bool,
    pub page: i64,
    pub columns: Vec<&'static Column>,
    pub filters: Vec<(&'static Filter, String)>,
    pub archived: bool,
}

impl View {
    /// Reads an address. What it says of columns and filters that there are not is passed over; an order that there is not
    /// becomes the usual one: an address that somebody kept goes on working.
    pub(crate) fn read(grid: &'static Grid, pairs: &Pairs) -> Self {
        let last = |name| last(pairs, name);
        let chosen: Vec<&str> =
            pairs.iter().filter(|(name, _)| name == "cols").flat_map(|(_, value)| value.split(',')).collect();
        let is_chosen = |at: usize, column: &Column| at == 0 || chosen.contains(&column.name);
        let mut columns: Vec<_> = grid
            .columns
            .iter()
            .enumerate()
            .filter(|(at, column)| is_chosen(*at, column))
            .map(|(_, column)| column)
            .collect();
        if columns.len() < 2 {
            columns = grid.columns.iter().filter(|column| column.usual).collect();
        }
        let usual = grid.columns[0].name;
        let sort = grid.columns.iter().find(|column| column.sorts && column.name == last("sort"));
        let filters = grid.filters.iter().map(|filter| (filter, last(filter.name).to_owned()));
        Self {
            grid,
            search: last("search").to_owned(),
            sort: sort.map_or(usual, |column| column.name).to_owned(),
            descending: last("order") == "desc",
            page: history::asked_page(pairs),
            columns,
            filters: filters.filter(|(_, value)| !value.is_empty()).collect(),
            archived: last("archived") == "true",
        }
    }

    /// The list itself.
    pub(crate) fn list(&self, db: &Db, scope: &Scope) -> Result<List, Error> {
        let entity = self.grid.entity;
        let mut list = if self.archived { List::archived(entity, scope) } else { List::new(entity, scope) };
        for (filter, value) in &self.filters {
            list = match filter.of {
                Of::Text(column) if value == NONE => list.only(&format!("coalesce(t.{column}, '') = ''")),
                Of::Text(column) => list.filter(&format!("lower(t.{column}) = {{}}"), value.to_ascii_lowercase()),
                Of::Company if value == NONE => list.only(&without_company(entity)),
                Of::Company => list.of_company(value),
                Of::Choice(choices) => match choices.iter().find(|(name, ..)| name == value) {
                    Some((_, _, sql)) => list.only(sql),
                    None => list,
                },
                Of::DaysAgo(column, _) => {
                    let days = value.parse().unwrap_or(0).clamp(0, 36_500);
                    list.filter(
                        &format!("coalesce(t.{column}, '') < {{}}"),
                        instant::days_before(db.clock().now(), days),
                    )
                }
            };
        }
        if names_companies(&self.columns) {
            list = list.beside(bodies::company_names(entity, db.dialect(), scope));
        }
        let order = if self.descending { "desc" } else { "asc" };
        list.search(db, Some(&self.search)).sort(Some(&self.sort), Some(order))
    }

    /// The values that a filter can have, as somebody chooses them: value and label.
    pub(crate) async fn options(
        db: &Db,
        scope: &Scope,
        grid: &Grid,
        filter: &Filter,
    ) -> Result<Vec<(String, String)>, Error> {
        let own = |value: &str| (value.to_owned(), value.to_owned());
        Ok(match filter.of {
            Of::Choice(choices) => {
                choices.iter().map(|(value, label, _)| ((*value).to_owned(), (*label).to_owned())).collect()
            }
            Of::DaysAgo(_, days) => days.iter().map(|days| ((*days).to_owned(), format!("{days} days"))).collect(),
            Of::Company => Vec::new(),
            Of::Text(column) => {
                let query = Query::new(format!(
                    "SELECT min(t.{column}) FROM {} t WHERE t.archived_at IS NULL AND coalesce(t.{column}, '') <> ''",
                    grid.entity.table()
                ));
                let query = scope::within(query, grid.entity, scope)
                    .push(&format!(" GROUP BY lower(t.{column}) ORDER BY lower(t.{column}) LIMIT 200"));
                let known = db.all::<(String,)>(query).await?;
                known.iter().map(|(value,)| own(value)).chain([(NONE.to_owned(), "none".to_owned())]).collect()
            }
        })
    }

    /// The chips of the filters: what is filtered, and the address without it.
    pub(crate) fn chips(&self) -> Vec<(String, String)> {
        let chip = |filter: &Filter, value: &String| {
            let shown = match filter.of {
                Of::Choice(choices) => {
                    choices.iter().find(|(name, ..)| name == value).map_or("", |(_, label, _)| label)
                }
                Of::DaysAgo(..) => return format!("{} {value} days", filter.label),
                _ => value,
            };
            format!("{}: {shown}", filter.label)
        };
        let mut chips: Vec<_> = self
            .filters
            .iter()
            .enumerate()
            .map(|(at, (filter, value))| {
                let mut rest = self.clone();
                rest.filters.remove(at);
                (chip(filter, value), rest.link(1))
            })
            .collect();
        if self.archived {
            chips.push(("Archived".to_owned(), Self { archived: false, ..self.clone() }.link(1)));
        }
        chips
    }

    /// The parameters that say all this but the page and the columns.
    pub(crate) fn selected(&self) -> Pairs {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs: Pairs = self.filters.iter().map(|(filter, value)| own(filter.name, value)).collect();
        if !self.search.is_empty() {
            pairs.push(own("search", &self.search));
        }
        if self.archived {
            pairs.push(own("archived", "true"));
        }
        pairs
    }

    /// The parameters of the order, where it is not the usual one.
    pub(crate) fn order(&self) -> Pairs {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut pairs = Pairs::new();
        if self.sort != self.grid.columns[0].name {
            pairs.push(own("sort", &self.sort));
        }
        if self.descending {
            pairs.push(own("order", "desc"));
        }
        pairs
    }

    /// The names of the columns, where they are not the usual ones.
    pub(crate) fn cols(&self) -> Option<String> {
        let usual = self.grid.columns.iter().filter(|column| column.usual).map(|column| column.name);
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        (!usual.eq(names.iter().copied())).then(|| names.join(","))
    }

    /// All parameters of a page.
    pub(crate) fn pairs(&self, page: i64) -> Pairs {
        let mut pairs = self.selected();
        pairs.extend(self.order());
        pairs.extend(self.cols().map(|cols| ("cols".to_owned(), cols)));
        if page > 1 {
            pairs.push(("page".to_owned(), page.to_string()));
        }
        pairs
    }

    /// The address of a page.
    pub(crate) fn link(&self, page: i64) -> String {
        self.at(self.grid.path, page)
    }

    /// The same of another path.
    pub(crate) fn at(&self, path: &str, number: i64) -> String {
        page::link(path, &self.pairs(number))
    }

    /// The address of the list sorted by a column; by the same column again, the other way round.
    pub(crate) fn by(&self, column: &Column) -> String {
        let descending = self.sort == column.name && !self.descending;
        Self { sort: column.name.to_owned(), descending, ..self.clone() }.link(1)
    }

    /// How a column is sorted, in the words of `aria-sort`.
    pub(crate) fn aria(&self, column: &Column) -> &'static str {
        match (self.sort == column.name, self.descending) {
            (true, false) => "ascending",
            (true, true) => "descending",
            _ => "none",
        }
    }

    /// Whether a column is shown.
    pub(crate) fn has(&self, column: &Column) -> bool {
        self.columns.iter().any(|shown| shown.name == column.name)
    }

    /// What is selected, as text that a form brings back.
    pub(crate) fn query(&self) -> String {
        page::query(&self.pairs(1))
    }

    /// The company that the list is narrowed to.
    pub(crate) fn company(&self) -> Option<&str> {
        let of = self.filters.iter().find(|(filter, _)| matches!(filter.of, Of::Company));
        of.map(|(_, value)| value.as_str()).filter(|value| *value != NONE)
    }
}

/// The condition for records that belong to no live company.
fn without_company(entity: nexus_core::Entity) -> String {
    let live = "JOIN companies c ON c.id = l.company_id AND c.archived_at IS NULL";
    match entity {
        nexus_core::Entity::Contact => {
            format!("NOT EXISTS (SELECT 1 FROM contact_companies l {live} WHERE l.contact_id = t.id)")
        }
        nexus_core::Entity::User => {
            format!("NOT EXISTS (SELECT 1 FROM user_companies l {live} WHERE l.user_id = t.id)")
        }
        _ => "NOT EXISTS (SELECT 1 FROM companies c WHERE c.id = t.company_id AND c.archived_at IS NULL)".to_owned(),
    }
}
