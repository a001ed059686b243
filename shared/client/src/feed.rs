//! What happens to the directory, and what is in it: the change feed and the search.

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use nexus_core::sync::FeedPart;
use nexus_core::views::Hit;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::Error;
use crate::path::query;
use crate::request::Request;

/// The longest that Nexus waits for a change.
const LONGEST: Duration = Duration::from_secs(20);
/// The most changes in a part.
const MOST: u16 = 1_000;
/// An empty answer that comes sooner was not waited for.
const SOON: Duration = Duration::from_secs(1);

impl Client {
    /// At most `limit` changes (1 to 1,000) after a cursor, 0 for the beginning; the oldest first, without gaps.
    ///
    /// Where there are none, Nexus answers when the first one comes, or after `wait` (whole seconds, at most 20) without.
    pub async fn changes(&self, after: i64, limit: u16, wait: Duration) -> Result<FeedPart, Error> {
        let path = format!("/api/changes?after={after}&limit={limit}&wait={}", wait.as_secs());
        let request = Request { timeout: Some(self.request_timeout() + wait), ..Request::get(&path) };
        self.send(&request).await?.read(&request)
    }

    /// Every change after a cursor, for good: a part comes as soon as there is something to tell.
    ///
    /// Keep [`FeedPart::next`] together with what was made of the part, and begin there after a stop. A part may be
    /// empty: then what happened is out of the caller's sight. The first error is the last item; whoever wants to go on
    /// follows again.
    #[must_use]
    pub fn follow(&self, cursor: i64) -> BoxStream<'static, Result<FeedPart, Error>> {
        let parts = stream::try_unfold((self.clone(), cursor), async |(client, cursor)| {
            let part = client.news(cursor).await?;
            let next = part.next;
            Ok::<_, Error>(Some((part, (client, next))))
        });
        parts.boxed()
    }

    /// The next part that leads on.
    async fn news(&self, cursor: i64) -> Result<FeedPart, Error> {
        loop {
            let asked = Instant::now();
            let part = self.changes(cursor, MOST, LONGEST).await?;
            if part.next != cursor || !part.changes.is_empty() {
                return Ok(part);
            }
            // Nexus stops, or a gateway answers in its place: not to be asked again without a pause.
            if asked.elapsed() < SOON {
                sleep(self.retry().backoff).await;
            }
        }
    }

    /// At most `limit` (1 to 100) companies, people and devices that hold these words or this telephone number, the best
    /// first.
    pub async fn search(&self, words: &str, limit: u16) -> Result<Vec<Hit>, Error> {
        self.get(&format!("/api/search?{}&limit={limit}", query([("q", words)]))).await
    }
}
