//! What an event says.

use jiff::Timestamp;
use nexus_core::sync::FeedChange;
use serde_json::{Value, json};

/// Bytes of an event at most, as EventBridge counts them (Amazon EventBridge user guide, "`PutEvents` entry size": 256 KiB with
/// the names around the detail).
const LARGEST: usize = 240 * 1024;

/// The source of Nexus's own events.
pub(crate) const SOURCE: &str = "nexus";
/// The detail type of the event that asks for a run.
pub const RUN_REQUESTED: &str = "run requested";
/// The detail type of the event that says that a job was set.
pub const JOB_SET: &str = "job set";
/// The detail type of the event that tells a change.
pub const RECORD_CHANGED: &str = "record changed";

/// An event, without what the bus adds to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What kind of thing happened.
    pub detail_type: &'static str,
    /// What happened.
    pub detail: Value,
}

impl Event {
    /// A run waits for its job.
    #[must_use]
    pub fn run_requested(job: &str, run_id: i64) -> Self {
        Self { detail_type: RUN_REQUESTED, detail: json!({ "job": job, "run_id": run_id }) }
    }

    /// A job was set: when it runs, and whether the timer starts it.
    #[must_use]
    pub fn job_set(job: &str, schedule: &str, enabled: bool) -> Self {
        Self { detail_type: JOB_SET, detail: json!({ "job": job, "schedule": schedule, "enabled": enabled }) }
    }

    /// A record changed. Of a change that is too large for an event the fields are left out, and `"cut": true` says so: the
    /// feed has them.
    #[must_use]
    pub fn record_changed(change: &FeedChange) -> Self {
        let mut detail = serde_json::to_value(change).unwrap_or_default();
        if detail.to_string().len() > LARGEST {
            detail["before"] = json!({});
            detail["after"] = json!({});
            detail["cut"] = Value::Bool(true);
        }
        Self { detail_type: RECORD_CHANGED, detail }
    }
}

/// The whole object that a rule of EventBridge hands to its target.
#[must_use]
pub fn envelope(source: &str, resources: &[String], event: &Event, now: Timestamp) -> Value {
    json!({
        "version": "0",
        "id": random_id(),
        "detail-type": event.detail_type,
        "source": source,
        "account": "000000000000",
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": "local",
        "resources": resources,
        "detail": event.detail,
    })
}

/// A random UUID (RFC 9562, version 4).
fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the ids are alike, which nothing here depends on.
    let _ = getrandom::fill(&mut bytes);
    let n = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{n:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use nexus_core::Entity;
    use nexus_core::sync::FeedChange;
    use serde_json::{Map, json};

    use super::{Event, LARGEST, random_id};

    fn change(text: &str) -> FeedChange {
        FeedChange {
            cursor: 7,
            at: "2026-03-02T08:00:00.000Z".into(),
            changeset_id: 3,
            entity: Entity::Company,
            id: 1,
            account_number: Some("100001".into()),
            action: "update".into(),
            before: Map::new(),
            after: Map::from_iter([("description".to_owned(), json!(text))]),
            author: "tech".into(),
            origin: "api".into(),
        }
    }

    #[test]
    fn a_change_is_told_whole_unless_it_is_too_large_for_an_event() {
        let small = Event::record_changed(&change("a word")).detail;
        assert_eq!((&small["after"]["description"], small.get("cut")), (&json!("a word"), None));
        let large = Event::record_changed(&change(&"x".repeat(LARGEST))).detail;
        assert_eq!((&large["after"], &large["cut"], &large["cursor"]), (&json!({}), &json!(true), &json!(7)));
        assert!(large.to_string().len() < 1_000);
    }

    #[test]
    fn ids_are_uuids_of_version_4() {
        let (one, other) = (random_id(), random_id());
        assert_ne!(one, other);
        let marks = (one.len(), one.as_bytes()[14], "89ab".contains(&one[19..20]));
        assert_eq!(marks, (36, b'4', true), "{one}");
    }
}
