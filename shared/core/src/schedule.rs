//! When a job runs, in the grammar of EventBridge's schedule expressions.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

/// `rate(value unit)`: every so many minutes, hours or days.
///
/// Source: Amazon EventBridge user guide, "Schedule expressions".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    every: SignedDuration,
}

/// Why a schedule expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schedule is written rate(1 minute), rate(6 hours) or rate(1 day)")]
pub struct ScheduleError;

impl Schedule {
    /// The first time after `last` (the last start), or `now` when there was none or when it is overdue.
    #[must_use]
    pub fn next(&self, last: Option<Timestamp>, now: Timestamp) -> Timestamp {
        last.and_then(|last| last.checked_add(self.every).ok()).map_or(now, |next| next.max(now))
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let inner = text.trim().strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or(ScheduleError)?;
        let (value, unit) = inner.trim().split_once(' ').ok_or(ScheduleError)?;
        let value: u32 = value.parse().map_err(|_| ScheduleError)?;
        // EventBridge itself insists on the singular for one and on the plural for more.
        let seconds = match (value, unit.trim()) {
            (1, "minute") | (2.., "minutes") => 60,
            (1, "hour") | (2.., "hours") => 3_600,
            (1, "day") | (2.., "days") => 86_400,
            _ => return Err(ScheduleError),
        };
        Ok(Self { every: SignedDuration::from_secs(i64::from(value) * seconds) })
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn only_what_eventbridge_takes_is_a_schedule() {
        for good in ["rate(1 minute)", "rate(5 minutes)", "rate(1 day)", " rate(12 hours) "] {
            assert!(good.parse::<Schedule>().is_ok(), "{good}");
        }
        for bad in
            ["", "daily", "rate(0 days)", "rate(1 days)", "rate(2 day)", "rate(-1 days)", "rate(1 week)", "rate(1day)"]
        {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_overdue_job_is_due_now_and_not_in_the_past() {
        let schedule: Schedule = "rate(1 hour)".parse().unwrap();
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        let later = "2026-01-03T00:00:00Z".parse().unwrap();
        assert_eq!(schedule.next(None, start), start);
        assert_eq!(schedule.next(Some(start), start).to_string(), "2026-01-01T01:00:00Z");
        assert_eq!(schedule.next(Some(start), later), later);
    }
}
