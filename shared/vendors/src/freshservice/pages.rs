//! Walks the pages of a Freshservice list.

use reqwest::header::LINK;
use url::Url;

use super::Freshservice;
use crate::error::Error;
use crate::link;
use crate::page::{self, Page, ReadRecord};
use crate::transport::Answer;
use crate::walk::{ListPlace, Walk};

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
    walk: Walk,
}

impl<T> Pages<T> {
    pub(super) fn new(client: Freshservice, path: &str, keys: &'static [&'static str], read: ReadRecord<T>) -> Self {
        let mut first = client.address(path);
        first.query_pairs_mut().append_pair("per_page", PER_PAGE).append_pair("page", "1");
        Self { client, keys, read, walk: Walk::from(first) }
    }

    /// How far the list is read.
    #[must_use]
    pub fn place(&self) -> ListPlace {
        self.walk.place()
    }

    /// Goes on where the list was left, perhaps by another process.
    pub fn go_on(&mut self, place: &ListPlace) -> Result<(), Error> {
        self.walk.go_on(&self.client.shared.base, place)
    }

    /// The next page; `None` after the last one, and only then.
    ///
    /// Whether another page follows is said by the vendor's `Link` header alone: a short or empty page does not end the
    /// list. After an error the same page is read again, so a sweep that failed can never look finished.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Error> {
        let Some(url) = self.walk.next(self.client.shared.max_pages)? else { return Ok(None) };
        let answer = self.client.get(&url).await?;
        let next = self.following(&url, &answer)?;
        let list = page::open_list(&answer.body, self.keys)?;
        Ok(Some(self.walk.page(url, next, &list, self.read)))
    }

    /// Every record of the list. One that cannot be read is an error here.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            if let Some(quarantined) = page.quarantined.into_iter().next() {
                return Err(Error::malformed(format!("$.{}[]", self.keys.join("|")), quarantined.reason));
            }
            all.extend(page.records);
        }
        Ok(all)
    }

    /// The checked address of the page after `url`.
    fn following(&self, url: &Url, answer: &Answer) -> Result<Option<Url>, Error> {
        let unreadable = || Error::malformed("Link", "expected links as in RFC 8288");
        for header in answer.headers.get_all(LINK) {
            let header = header.to_str().map_err(|_| unreadable())?;
            let Some(target) = link::next_target(header).map_err(|_| unreadable())? else { continue };
            let next = self.walk.following(&self.client.shared.base, url, &target)?;
            return next.map(Some).ok_or_else(unreadable);
        }
        Ok(None)
    }
}
