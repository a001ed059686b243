//! Walks the pages of a list.

use std::fmt;
use std::marker::PhantomData;

use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::Error;
use crate::request::Request;

/// The pages of one list, read one after the other along the `Link` header.
///
/// Each page is read when it is asked for. A record that is written meanwhile may move over the edge of a page, and so
/// come twice or not at all; whoever needs every change follows the feed ([`Client::follow`]).
pub struct Pages<T> {
    client: Client,
    next: Option<String>,
    records: PhantomData<fn() -> T>,
}

impl Client {
    /// The list at `path`, which names its first page.
    #[must_use]
    pub fn list<T: DeserializeOwned>(&self, path: &str) -> Pages<T> {
        Pages { client: self.clone(), next: Some(path.to_owned()), records: PhantomData }
    }
}

impl<T: DeserializeOwned> Pages<T> {
    /// The next page; `None` after the last one, and only then. After an error the same page is read again.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(path) = self.next.clone() else { return Ok(None) };
        let request = Request::get(&path);
        let answer = self.client.send(&request).await?;
        let next = match next_target(&answer.headers) {
            None => None,
            // A list that leads back or away has no end that could be trusted.
            Some(link) => match self.client.address().path_of(&link) {
                Some(next) if next != path => Some(next.to_owned()),
                _ => return Err(request.malformed("its next link leads elsewhere")),
            },
        };
        let records = answer.read(&request)?;
        self.next = next;
        Ok(Some(records))
    }

    /// The records of all pages that are left.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut records = Vec::new();
        while let Some(page) = self.next().await? {
            records.extend(page);
        }
        Ok(records)
    }
}

impl<T: DeserializeOwned + Send + 'static> Pages<T> {
    /// The records of all pages that are left, one after the other. The first error is the last item.
    #[must_use]
    pub fn into_stream(self) -> BoxStream<'static, Result<T, Error>> {
        let pages = stream::try_unfold(self, async |mut pages| {
            let page = pages.next().await?;
            Ok::<_, Error>(page.map(|page| (stream::iter(page.into_iter().map(Ok)), pages)))
        });
        pages.try_flatten().boxed()
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pages").field("next", &self.next).finish_non_exhaustive()
    }
}

/// The target of `rel="next"` (RFC 8288), in the form in which Nexus writes it.
fn next_target(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(LINK).into_iter().filter_map(|value| value.to_str().ok());
    links.flat_map(|links| links.split(", ")).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| target.to_owned())
    })
}
