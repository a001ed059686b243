//! What a list holds, and in which order.

use std::fmt;
use std::marker::PhantomData;

use futures_util::stream::BoxStream;
use nexus_core::records::{Asset, Company, Contact, Location, User};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::pages::Pages;
use crate::path::query;

/// All records of a kind that the caller may see.
#[derive(Clone, Copy, Debug)]
pub enum Whole {}

/// The records of a kind that belong to one company.
#[derive(Clone, Copy, Debug)]
pub enum Part {}

/// A list before it is read. Nothing is sent until it is.
///
/// `Of` tells what it is a list of: a filter that only the list of all records has is there for [`Whole`] only.
pub struct List<T, Of = Whole> {
    client: Client,
    path: String,
    per_page: u16,
    query: Vec<(&'static str, String)>,
    of: PhantomData<fn() -> (T, Of)>,
}

impl<T, Of> List<T, Of> {
    pub(crate) fn new(client: Client, path: String) -> Self {
        Self { client, path, per_page: 1_000, query: Vec::new(), of: PhantomData }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.into()));
        self
    }

    /// Only records that hold all of these words, letter case aside; a telephone number is found however it is written.
    #[must_use]
    pub fn search(self, words: impl Into<String>) -> Self {
        self.with("search", words)
    }

    /// Sorts by a field. One that the kind cannot be sorted by is refused with those that it can.
    #[must_use]
    pub fn sort(self, field: impl Into<String>) -> Self {
        self.with("sort", field)
    }

    /// The last in the order first.
    #[must_use]
    pub fn descending(self) -> Self {
        self.with("order", "desc")
    }

    /// The archived records in place of the live ones.
    #[must_use]
    pub fn archived(self) -> Self {
        self.with("archived", "true")
    }

    /// Records on a page, 1 to 1,000, which is the default.
    #[must_use]
    pub fn per_page(self, records: u16) -> Self {
        Self { per_page: records, ..self }
    }
}

impl<T: DeserializeOwned, Of> List<T, Of> {
    /// The list page by page.
    #[must_use]
    pub fn pages(self) -> Pages<T> {
        let Self { client, path, per_page, query: asked, .. } = self;
        let path = format!("{path}?page=1&per_page={per_page}");
        let asked = query(asked.iter().map(|(name, value)| (*name, value.as_str())));
        client.list(&if asked.is_empty() { path } else { format!("{path}&{asked}") })
    }

    /// The whole list.
    pub async fn all(self) -> Result<Vec<T>, Error> {
        self.pages().all().await
    }
}

impl<T: DeserializeOwned + Send + 'static, Of> List<T, Of> {
    /// The list record by record; a page is read when its first record is asked for. The first error is the last item.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<T, Error>> {
        self.pages().into_stream()
    }
}

/// A kind of record that belongs to companies.
pub trait OfCompany {}

impl OfCompany for Asset {}
impl OfCompany for Contact {}
impl OfCompany for Location {}
impl OfCompany for User {}

impl<T: OfCompany> List<T> {
    /// Only the records of this company.
    #[must_use]
    pub fn company(self, account_number: impl Into<String>) -> Self {
        self.with("company_account_number", account_number)
    }
}

impl List<Company> {
    /// Only the company of this Freshservice department.
    #[must_use]
    pub fn freshservice_id(self, id: i64) -> Self {
        self.with("freshservice_id", id.to_string())
    }
}

impl List<Asset> {
    /// Only the assets of exactly this name, letter case aside.
    #[must_use]
    pub fn hostname(self, hostname: impl Into<String>) -> Self {
        self.with("hostname", hostname)
    }
}

impl List<Contact> {
    /// Only the contact of exactly this address, letter case aside.
    #[must_use]
    pub fn email(self, email: impl Into<String>) -> Self {
        self.with("email", email)
    }

    /// Only those who work there at present, or only those who do not.
    #[must_use]
    pub fn active(self, active: bool) -> Self {
        self.with("active", active.to_string())
    }
}

impl<T, Of> fmt::Debug for List<T, Of> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("List").field("path", &self.path).field("query", &self.query).finish_non_exhaustive()
    }
}
