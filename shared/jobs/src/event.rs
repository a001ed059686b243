//! What starts a job.

use nexus_core::sync::Trigger;
use serde_json::Value;
use thiserror::Error;

/// What started a job, and which one it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The timer or a person.
    pub trigger: Trigger,
    /// The job's name. A timer does not give one: it has one job as its target.
    pub job: Option<String>,
    /// The run that waits for the job; none: a new one is begun.
    pub run_id: Option<i64>,
    /// Of a new run: look, and change nothing.
    pub dry_run: bool,
}

impl Event {
    /// The timer's.
    #[must_use]
    pub const fn schedule() -> Self {
        Self { trigger: Trigger::Schedule, job: None, run_id: None, dry_run: false }
    }

    /// A person's, who has asked for nothing before.
    #[must_use]
    pub fn manual(job: impl Into<String>) -> Self {
        Self { trigger: Trigger::Manual, job: Some(job.into()), run_id: None, dry_run: false }
    }

    /// Reads an event of EventBridge: the "Scheduled Event" of a rule, or "run requested", which Nexus itself sends
    /// when a person asks for a run.
    pub fn decode(event: &Value) -> Result<Self, EventError> {
        if !event.is_object() {
            return Err(EventError::NotAnObject);
        }
        let text = |pointer: &str, name| {
            let text = event.pointer(pointer).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
            text.ok_or(EventError::Missing(name))
        };
        match (text("/source", "source")?, text("/detail-type", "detail-type")?) {
            ("aws.events", "Scheduled Event") => Ok(Self::schedule()),
            ("nexus", "run requested") => {
                let run_id = match event.pointer("/detail/run_id") {
                    None | Some(Value::Null) => None,
                    Some(id) => Some(id.as_i64().ok_or(EventError::RunId)?),
                };
                Ok(Self { run_id, ..Self::manual(text("/detail/job", "detail.job")?) })
            }
            (sender, kind) => Err(EventError::Unknown { sender: excerpt(sender), kind: excerpt(kind) }),
        }
    }

    pub(crate) fn require(&self, job: &'static str) -> Result<(), EventError> {
        match &self.job {
            Some(wanted) if wanted != job => Err(EventError::OtherJob { wanted: excerpt(wanted), job }),
            _ => Ok(()),
        }
    }
}

/// An event that starts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// Not even an object.
    #[error("the event is not a JSON object")]
    NotAnObject,
    /// A member is absent, blank or no text.
    #[error("the event has no text in {0:?}")]
    Missing(&'static str),
    /// What names the run is no whole number.
    #[error("the event's \"detail.run_id\" is not a whole number")]
    RunId,
    /// An event of something else.
    #[error(
        "an event {kind:?} of {sender:?} starts no job; expected \"Scheduled Event\" of \"aws.events\" or \"run \
         requested\" of \"nexus\""
    )]
    Unknown {
        /// Its source, shortened.
        sender: String,
        /// Its detail type, shortened.
        kind: String,
    },
    /// An event for another job, as after a wrong target of a rule.
    #[error("the event asks for the job {wanted:?}, but this is {job}")]
    OtherJob {
        /// Whose it is, shortened.
        wanted: String,
        /// Who got it.
        job: &'static str,
    },
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
