//! Walks the pages of a Datto list.

use serde_json::value::RawValue;
use url::Url;

use super::Datto;
use crate::error::Error;
use crate::lenient::Fields;
use crate::page::{self, Envelope, Page, ReadRecord};
use crate::walk::{ListPlace, Walk};

/// The largest page; Datto silently gives no more.
const MAX: &str = "250";

/// The pages of one list, read one after the other. See [`freshservice::Pages`](crate::freshservice::Pages).
#[derive(Debug)]
pub struct Pages<T> {
    client: Datto,
    key: &'static str,
    read: ReadRecord<T>,
    walk: Walk,
}

impl<T> Pages<T> {
    pub(super) fn new(client: Datto, path: &str, key: &'static str, read: ReadRecord<T>) -> Self {
        let mut first = client.address(path);
        first.query_pairs_mut().append_pair("max", MAX).append_pair("page", "0");
        Self { client, key, read, walk: Walk::from(first) }
    }

    /// How far the list is read.
    #[must_use]
    pub fn place(&self) -> ListPlace {
        self.walk.place()
    }

    /// Goes on where the list was left, perhaps by another process.
    pub fn go_on(&mut self, place: &ListPlace) -> Result<(), Error> {
        self.walk.go_on(self.client.base(), place)
    }

    /// The next page; `None` after the last one, and only then. After an error the same page is read again.
    ///
    /// Whether another page follows is said by `nextPageUrl` alone; an answer without `pageDetails` is an error.
    pub async fn next(&mut self) -> Result<Option<Page<T>>, Error> {
        let Some(url) = self.walk.next(self.client.max_pages())? else { return Ok(None) };
        let answer = self.client.get(&url).await?;
        let mut envelope = Envelope::read(&answer.body)?;
        let details = Details::read(envelope.take(&["pageDetails"])?)?;
        let next = details.next.map(|next| self.following(&url, &next)).transpose()?;
        let list = page::list(envelope.take(&[self.key])?, &[self.key])?;
        let page = self.walk.page(url, next, &list, self.read);
        Ok(Some(Page { total: details.total, ..page }))
    }

    /// Every record of the list. One that cannot be read is an error here.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            if let Some(quarantined) = page.quarantined.into_iter().next() {
                return Err(Error::malformed(format!("$.{}[]", self.key), quarantined.reason));
            }
            all.extend(page.records);
        }
        Ok(all)
    }

    fn following(&self, url: &Url, target: &str) -> Result<Url, Error> {
        let next = self.walk.following(self.client.base(), url, target)?;
        next.ok_or_else(|| Error::malformed("$.pageDetails.nextPageUrl", "expected an address"))
    }
}

/// `pageDetails` of an answer.
struct Details {
    next: Option<String>,
    /// Records of the whole list; some lists do not say.
    total: Option<u64>,
}

impl Details {
    fn read(raw: &RawValue) -> Result<Self, Error> {
        let read = Fields::of(raw).and_then(|mut fields| {
            let total = fields.integer("totalCount")?;
            Ok(Self { next: fields.text("nextPageUrl")?, total: total.and_then(|total| u64::try_from(total).ok()) })
        });
        let mut details = read.map_err(|fault| {
            Error::malformed(format!("$.pageDetails.{}", fault.field), format!("expected {}", fault.expected))
        })?;
        details.next = details.next.filter(|next| !next.trim().is_empty());
        Ok(details)
    }
}
