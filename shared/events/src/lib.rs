//! The events that Nexus sends, and the bus that carries them.
//!
//! | source | detail type | detail | who sends it |
//! |---|---|---|---|
//! | `nexus` | `run requested` | `{job, run_id}` | settings |
//! | `nexus` | `job set` | `{job, schedule, enabled}` | settings, locally; the timer looks at its jobs again |
//! | `nexus` | `record changed` | a change of the feed, see [`nexus_core::sync::FeedChange`] | publish-changes |
//! | `aws.events` | `Scheduled Event` | `{}` | EventBridge; here the local timer, in its place |
//!
//! On a machine of one's own the bus is in the process ([`Bus::local`]): every subscriber gets every event, as the whole object
//! that a rule of EventBridge hands to its target (Amazon EventBridge user guide, "Event structure"). Deployed it is EventBridge
//! itself ([`Bus::aws`], feature `aws`), where the timer is rules, one for each job.
//!
//! What does not belong here: reading events, which is for `nexus-jobs`, and deciding what is sent.

#[cfg(feature = "aws")]
mod aws;
mod event;
mod local;

#[cfg(feature = "aws")]
pub use aws::Unset;

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

/// Why the timer does not start a job as it should.
#[derive(Debug, Error)]
#[error("the timer could not be set: {0}")]
pub struct ScheduleError(pub(crate) String);

/// Carries events to whoever waits for them, and sets the timer.
#[derive(Clone, Debug)]
pub struct Bus(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Local(Local),
    #[cfg(feature = "aws")]
    Aws(aws::Aws),
}

impl Bus {
    /// A bus in this process.
    #[must_use]
    pub fn local() -> Self {
        Self(Kind::Local(Local::default()))
    }

    /// EventBridge.
    ///
    /// | variable | |
    /// |---|---|
    /// | `NEXUS_EVENT_BUS` | name or ARN of the bus that takes the events |
    /// | `NEXUS_RULE_PREFIX` | what the names of the rules that start jobs begin with; the job's name follows |
    /// | `NEXUS_JOB_FUNCTION_ARN_PREFIX` | the same of the ARNs of the jobs' functions |
    /// | `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | set by Lambda |
    /// | `AWS_ENDPOINT_URL_EVENTBRIDGE`, `AWS_ENDPOINT_URL` | where EventBridge is, if not in the region |
    ///
    /// # Errors
    /// The first variable that is not set; the two of the rules are needed by [`Bus::schedule`] alone.
    #[cfg(feature = "aws")]
    pub fn aws<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Unset> {
        aws::Aws::new(variable).map(|aws| Self(Kind::Aws(aws)))
    }

    /// Sends events in their order. One that is not taken ends it.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "EventBridge is waited for"))]
    pub async fn send(&self, events: &[Event]) -> Result<(), SendError> {
        match &self.0 {
            Kind::Local(local) => local.send(events),
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => aws.send(events).await?,
        }
        Ok(())
    }

    /// Sets when the timer starts a job, and whether: `rate(…)` or `cron(…)`, in force at once. The local timer reads it from
    /// the database, and is told to look.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "EventBridge is waited for"))]
    pub async fn schedule(&self, job: &str, schedule: &str, enabled: bool) -> Result<(), ScheduleError> {
        match &self.0 {
            Kind::Local(local) => local.send(&[Event::job_set(job, schedule, enabled)]),
            #[cfg(feature = "aws")]
            Kind::Aws(aws) => aws.schedule(job, schedule, enabled).await?,
        }
        Ok(())
    }

    /// Every event that is sent from now on, where the bus is in this process; elsewhere none.
    #[must_use]
    pub fn subscribe(&self) -> UnboundedReceiver<serde_json::Value> {
        match &self.0 {
            Kind::Local(local) => local.subscribe(),
            #[cfg(feature = "aws")]
            Kind::Aws(_) => tokio::sync::mpsc::unbounded_channel().1,
        }
    }
}
