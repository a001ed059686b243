//! The events that Nexus sends, and the bus that carries them.
//!
//! | source | detail type | detail | who sends it |
//! |---|---|---|---|
//! | `nexus` | `run requested` | `{job, run_id}` | settings |
//! | `nexus` | `job set` | `{job, schedule, enabled}` | settings; the local timer looks at its jobs again |
//! | `nexus` | `record changed` | a change of the feed, see [`nexus_core::sync::FeedChange`] | publish-changes |
//! | `aws.events` | `Scheduled Event` | `{}` | EventBridge; here the local timer, in its place |
//!
//! Here the bus is in the process ([`Bus::local`]): every subscriber gets every event, as the whole object that a rule of
//! EventBridge hands to its target (Amazon EventBridge user guide, "Event structure").
//!
//! What does not belong here: reading events, which is for `nexus-jobs`, and deciding what is sent.

mod event;
mod local;

pub use event::{Event, JOB_SET, RECORD_CHANGED, RUN_REQUESTED, envelope};
use thiserror::Error;
use tokio::sync::mpsc::UnboundedReceiver;

use local::Local;

/// Why an event was not sent.
#[derive(Debug, Error)]
#[error("event {at} of {of} was not taken: {reason}")]
pub struct SendError {
    /// Its place among those to be sent; those before it were taken.
    pub at: usize,
    /// How many were to be sent.
    pub of: usize,
    /// The bus's words.
    pub reason: String,
}

/// Carries events to whoever waits for them.
#[derive(Clone, Debug)]
pub struct Bus(Local);

impl Bus {
    /// A bus in this process.
    #[must_use]
    pub fn local() -> Self {
        Self(Local::default())
    }

    /// Sends events in their order. One that is not taken ends it, so that none overtakes it.
    #[expect(clippy::unused_async, reason = "a bus outside the process is waited for")]
    pub async fn send(&self, events: &[Event]) -> Result<(), SendError> {
        self.0.send(events);
        Ok(())
    }

    /// Every event that is sent from now on.
    #[must_use]
    pub fn subscribe(&self) -> UnboundedReceiver<serde_json::Value> {
        self.0.subscribe()
    }
}
