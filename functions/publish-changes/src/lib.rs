//! The job `publish-changes`: sends what is new in the change feed to the bus, one event `record changed` for each change.
//!
//! In the order of the feed, and at least once: the cursor is kept in Nexus after each part that the bus has taken, so that a
//! run that is cut off sends that part again, and nothing is left out. The first run begins at the beginning of the feed.
//! Whoever takes the events tells them apart by their `cursor`.
//!
//! How a run that fails ends: what the bus took before is kept as sent, the rest waits for the next run, and the run says why.
//!
//! What does not belong here: the bus (`nexus-events`), and what a change looks like (`nexus-core`).

use std::time::Duration;

use nexus_client::Error;
use nexus_events::{Bus, Event, SendError};
use nexus_jobs::{Job, Sink, Stopped};
use serde_json::json;

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "publish-changes";
/// Changes that are sent before the cursor is kept.
const PART: u16 = 100;

/// The job that sends to `bus`.
#[must_use]
pub const fn job(bus: Bus) -> PublishChanges {
    PublishChanges { bus }
}

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct PublishChanges {
    bus: Bus,
}

/// Why a run was given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The feed cannot be read, or the cursor cannot be kept.
    #[error("the feed could not be read on: {0}. What was sent is sent again at most once")]
    Nexus(#[from] Error),
    /// The bus took no more.
    #[error("{0}. The next run goes on there")]
    Bus(#[from] SendError),
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Job for PublishChanges {
    type Error = PublishError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), PublishError> {
        let mut cursor = sink.kept().and_then(|kept| kept["cursor"].as_i64()).unwrap_or(0);
        let mut told = 0;
        sink.step("Changes", None);
        loop {
            let part = sink.client().changes(cursor, PART, Duration::ZERO).await?;
            if part.next == cursor {
                break;
            }
            let events: Vec<Event> = part.changes.iter().map(Event::record_changed).collect();
            let sent = if sink.dry_run() { Ok(()) } else { self.bus.send(&events).await };
            let n = sent.as_ref().map_or_else(|error| error.at, |()| events.len());
            told += n;
            // What the bus has taken is kept as sent, also when it took only a part.
            cursor = match (&sent, n.checked_sub(1).and_then(|last| part.changes.get(last))) {
                (Ok(()), _) => part.next,
                (Err(_), Some(last)) => last.cursor,
                (Err(_), None) => cursor,
            };
            sink.did(n as u64);
            if !sink.dry_run() {
                sink.keep(json!({ "cursor": cursor })).await?;
            }
            sent?;
        }
        let what = if sink.dry_run() { "would be sent" } else { "sent" };
        sink.count("change", what, told as u64);
        sink.say(if told == 0 { "Nothing new.".to_owned() } else { format!("{told} changes {what}.") });
        Ok(())
    }
}
