//! Reading and changing records, the same for every kind.

use std::fmt;
use std::marker::PhantomData;

use nexus_core::records::{Asset, Company, Contact, Feature, Location, Plan, User};
use reqwest::Method;
use reqwest::header::ETAG;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::lists::List;
use crate::path::segment;
use crate::request::Request;

/// A kind of record: where it is, and what names one.
pub trait Record: DeserializeOwned + Send + 'static {
    /// The path of all of them.
    const PATH: &'static str;
    /// What names one: a company's account number, the id of any other.
    type Key: fmt::Display + DeserializeOwned + Send;
}

/// A kind of record whose fields can be pinned: they do not follow a source any more.
pub trait Pinnable: Record {}

macro_rules! records {
    ($($record:ty: $key:ty, $path:literal;)+) => {
        $(impl Record for $record {
            const PATH: &'static str = $path;
            type Key = $key;
        })+
    };
}

records! {
    Company: String, "/api/companies";
    Contact: i64, "/api/contacts";
    Asset: i64, "/api/assets";
    Location: i64, "/api/locations";
    User: i64, "/api/users";
    Plan: i64, "/api/plans";
    Feature: i64, "/api/features";
}

impl Pinnable for Company {}
impl Pinnable for Contact {}
impl Pinnable for Asset {}

/// A record as it is now, after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved<K> {
    /// What names it: a company's account number, the id of any other.
    pub key: K,
    /// Its version.
    pub version: i64,
}

#[derive(Deserialize)]
struct Outcome<K> {
    #[serde(alias = "account_number")]
    id: K,
}

/// The records of one kind.
pub struct Records<R> {
    client: Client,
    kind: PhantomData<fn() -> R>,
}

impl Client {
    /// The companies.
    #[must_use]
    pub fn companies(&self) -> Records<Company> {
        Records::new(self)
    }

    /// The contacts: people of companies.
    #[must_use]
    pub fn contacts(&self) -> Records<Contact> {
        Records::new(self)
    }

    /// The assets: devices of companies.
    #[must_use]
    pub fn assets(&self) -> Records<Asset> {
        Records::new(self)
    }

    /// The locations: places of companies.
    #[must_use]
    pub fn locations(&self) -> Records<Location> {
        Records::new(self)
    }

    /// The portal users and service accounts. Administrators only.
    #[must_use]
    pub fn users(&self) -> Records<User> {
        Records::new(self)
    }

    /// The plans that companies may have. Only administrators change them.
    #[must_use]
    pub fn plans(&self) -> Records<Plan> {
        Records::new(self)
    }

    /// The features that plans may include. Only administrators change them.
    #[must_use]
    pub fn features(&self) -> Records<Feature> {
        Records::new(self)
    }
}

impl<R: Record> Records<R> {
    fn new(client: &Client) -> Self {
        Self { client: client.clone(), kind: PhantomData }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The path of one record, or of `rest` (which begins with a slash) below it.
    pub(crate) fn path(key: &R::Key, rest: &str) -> String {
        format!("{}/{}{rest}", R::PATH, segment(&key.to_string()))
    }

    /// The list of those that the caller may see, to be narrowed, sorted and read.
    #[must_use]
    pub fn list(&self) -> List<R> {
        List::new(self.client.clone(), R::PATH.to_owned())
    }

    /// One; `None` where there is none, or none that is live.
    pub async fn get(&self, key: impl Into<R::Key>) -> Result<Option<R>, Error> {
        match self.client.get(&Self::path(&key.into(), "")).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a record of these fields, once, however often the call must be repeated.
    pub async fn create(&self, fields: &impl Serialize) -> Result<Saved<R::Key>, Error> {
        self.saved(Request::write(Method::POST, R::PATH, fields)?.once()).await
    }

    /// As [`Records::create`], under the caller's own `Idempotency-Key`: for whoever may stop between the call and the
    /// noting of its outcome, and asks again after the next start. For a day the same key and fields give the same answer.
    pub async fn create_as(&self, request_key: &str, fields: &impl Serialize) -> Result<Saved<R::Key>, Error> {
        self.saved(Request::write(Method::POST, R::PATH, fields)?.once_as(request_key)?).await
    }

    /// Changes the fields that are named, and no others. With a version, only if the record still has it:
    /// [`Error::Stale`] says that it has not.
    pub async fn update(
        &self,
        key: impl Into<R::Key>,
        version: impl Into<Option<i64>>,
        changes: &impl Serialize,
    ) -> Result<Saved<R::Key>, Error> {
        let request = Request::write(Method::PUT, &Self::path(&key.into(), ""), changes)?;
        self.saved(request.at(version.into())).await
    }

    /// Archives a record: it is not listed any more, and can be restored. With a version, only if it still has it.
    pub async fn archive(&self, key: impl Into<R::Key>, version: impl Into<Option<i64>>) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, &Self::path(&key.into(), ""));
        self.client.send(&request.at(version.into())).await.map(drop)
    }

    /// Brings an archived record back, with its links.
    pub async fn restore(&self, key: impl Into<R::Key>) -> Result<Saved<R::Key>, Error> {
        self.saved(Request::new(Method::POST, &Self::path(&key.into(), "/restore")).once()).await
    }

    pub(crate) async fn saved(&self, request: Request) -> Result<Saved<R::Key>, Error> {
        let answer = self.client.send(&request).await?;
        let Outcome { id } = answer.read(&request)?;
        let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let version = tag.trim_matches('"').parse().map_err(|_| request.malformed("its ETag is no version"))?;
        Ok(Saved { key: id, version })
    }
}

impl<R: Pinnable> Records<R> {
    /// Pins a field: it keeps its value, whatever its source says. With a version, only if the record still has it.
    pub async fn pin(
        &self,
        key: impl Into<R::Key>,
        field: &str,
        version: impl Into<Option<i64>>,
    ) -> Result<Saved<R::Key>, Error> {
        self.set_pin(Method::PUT, (key.into(), field), version.into()).await
    }

    /// Releases a field: it takes its source's latest value and follows it again.
    pub async fn release(
        &self,
        key: impl Into<R::Key>,
        field: &str,
        version: impl Into<Option<i64>>,
    ) -> Result<Saved<R::Key>, Error> {
        self.set_pin(Method::DELETE, (key.into(), field), version.into()).await
    }

    async fn set_pin(
        &self,
        method: Method,
        (key, field): (R::Key, &str),
        version: Option<i64>,
    ) -> Result<Saved<R::Key>, Error> {
        let request = Request::new(method, &Self::path(&key, &format!("/pins/{}", segment(field))));
        self.saved(request.at(version)).await
    }
}

impl<R> Clone for Records<R> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), kind: PhantomData }
    }
}

impl<R: Record> fmt::Debug for Records<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Records").field("path", &R::PATH).finish_non_exhaustive()
    }
}
