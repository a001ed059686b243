//! Walks the pages of a Freshservice list.

use std::collections::HashSet;

use reqwest::header::LINK;
use url::Url;

use super::Freshservice;
use crate::error::Error;
use crate::link;
use crate::page::{self, Page, ReadRecord};
use crate::transport::Answer;

/// The largest page that Freshservice accepts; above it, it answers with an error.
const PER_PAGE: &str = "100";

/// The pages of one list, read one after the other.
///
/// ```no_run
/// # use nexus_vendors::{Error, freshservice::Freshservice};
/// # async fn example(freshservice: Freshservice) -> Result<(), Error> {
/// let mut pages = freshservice.departments();
/// while let Some(page) = pages.next().await? {
///     for department in page.records { /* … */ }
/// }
/// // Only here was the list read to its end.
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Pages<T> {
    client: Freshservice,
    keys: &'static [&'static str],
    read: ReadRecord<T>,
    next: Option<Url>,
    visited: HashSet<Url>,
    seen: HashSet<i64>,
    number: u32,
}

impl<T> Pages<T> {
    pub(super) fn new(client: Freshservice, path: &str, keys: &'static [&'static str], read: ReadRecord<T>) -> Self {
        let mut first = client.address(path);
        first.query_pairs_mut().append_pair("per_page", PER_PAGE).append_pair("page", "1");
        Self { client, keys, read, next: Some(first), visited: HashSet::new(), seen: HashSet::new(), number: 0 }
    }

    /// The next page; `None` after the last one, and only then.
    ///
    /// Whether another page follows is said by the vendor's `Link` header alone: a short or empty page does not end the
    /// list. After an error the same page is read again, so a sweep that failed can never look finished.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Error> {
        let Some(url) = self.next.clone() else { return Ok(None) };
        let limit = self.client.shared.max_pages;
        if self.number >= limit {
            return Err(Error::TooManyPages { limit });
        }

        let answer = self.client.get(&url).await?;
        let next = self.following(&url, &answer)?;
        let list = page::open_list(&answer.body, self.keys)?;

        self.number += 1;
        self.next = next;
        self.visited.insert(url);
        let mut page = Page { number: self.number, records: Vec::new(), quarantined: Vec::new(), duplicates: 0 };
        for raw in list {
            match page::read(raw, self.read) {
                Ok((id, record)) if self.seen.insert(id) => page.records.push(record),
                Ok(_) => page.duplicates += 1,
                Err(quarantined) => page.quarantined.push(quarantined),
            }
        }
        Ok(Some(page))
    }

    /// The checked address of the page after `url`.
    fn following(&self, url: &Url, answer: &Answer) -> Result<Option<Url>, Error> {
        let unreadable = || Error::malformed("Link", "expected links as in RFC 8288");
        for header in answer.headers.get_all(LINK) {
            let header = header.to_str().map_err(|_| unreadable())?;
            let Some(target) = link::next_target(header).map_err(|_| unreadable())? else { continue };
            let mut next = url.join(&target).map_err(|_| unreadable())?;
            next.set_fragment(None);
            if !self.client.shared.base.is_home_of(&next) {
                let host = next.host_str().unwrap_or("an address without a host");
                let host = next.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
                return Err(Error::ForeignLink { host });
            }
            if next == *url || self.visited.contains(&next) {
                return Err(Error::PageLoop { page: self.number + 1 });
            }
            return Ok(Some(next));
        }
        Ok(None)
    }
}
