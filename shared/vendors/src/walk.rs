//! The way through the pages of one list, whatever form a vendor gives its next links.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::page::{self, Page, ReadRecord};

/// How far a list was read, for whoever goes on with it in another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPlace {
    next: Option<String>,
    number: u32,
    /// The ids that came already: a list shifts while people edit.
    seen: Vec<i64>,
}

impl ListPlace {
    /// Pages read.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.number
    }
}

/// Where a list goes on, and what of it came already.
#[derive(Debug)]
pub(crate) struct Walk {
    next: Option<Url>,
    visited: HashSet<Url>,
    seen: HashSet<i64>,
    number: u32,
}

impl Walk {
    pub(crate) fn from(first: Url) -> Self {
        Self { next: Some(first), visited: HashSet::new(), seen: HashSet::new(), number: 0 }
    }

    /// How far the list is read.
    pub(crate) fn place(&self) -> ListPlace {
        let seen = self.seen.iter().copied().collect();
        ListPlace { next: self.next.as_ref().map(Url::to_string), number: self.number, seen }
    }

    /// Goes on where a list was left.
    pub(crate) fn go_on(&mut self, base: &BaseUrl, place: &ListPlace) -> Result<(), Error> {
        let unreadable = || Error::malformed("place", "expected an address of this account");
        let next = place.next.as_deref().map(Url::parse).transpose().map_err(|_| unreadable())?;
        // It was kept elsewhere: the token goes nowhere but home.
        if next.as_ref().is_some_and(|next| !base.is_home_of(next)) {
            return Err(unreadable());
        }
        (self.next, self.number) = (next, place.number);
        self.seen.extend(&place.seen);
        Ok(())
    }

    /// The page to be read next; none after the last one. It stays the same until that page was read.
    pub(crate) fn next(&self, limit: u32) -> Result<Option<Url>, Error> {
        match &self.next {
            Some(_) if self.number >= limit => Err(Error::TooManyPages { limit }),
            next => Ok(next.clone()),
        }
    }

    /// The checked address that the page at `url` names as the one after it; none when it is no address.
    pub(crate) fn following(&self, base: &BaseUrl, url: &Url, target: &str) -> Result<Option<Url>, Error> {
        let Ok(mut next) = url.join(target) else { return Ok(None) };
        next.set_fragment(None);
        if !base.is_home_of(&next) {
            let host = next.host_str().unwrap_or("an address without a host");
            let host = next.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            return Err(Error::ForeignLink { host });
        }
        if next == *url || self.visited.contains(&next) {
            return Err(Error::PageLoop { page: self.number + 1 });
        }
        Ok(Some(next))
    }

    /// The records of the page at `url`, after which the list goes on at `next`.
    pub(crate) fn page<T>(&mut self, url: Url, next: Option<Url>, list: &[&RawValue], read: ReadRecord<T>) -> Page<T> {
        self.number += 1;
        self.next = next;
        self.visited.insert(url);
        let mut page =
            Page { number: self.number, records: Vec::new(), quarantined: Vec::new(), duplicates: 0, total: None };
        for raw in list {
            match page::read(raw, read) {
                Ok((id, record)) if self.seen.insert(id) => page.records.push(record),
                Ok(_) => page.duplicates += 1,
                Err(quarantined) => page.quarantined.push(quarantined),
            }
        }
        page
    }
}
