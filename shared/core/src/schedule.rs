//! When a job runs, in the grammar of EventBridge's schedule expressions.
//!
//! Source: Amazon EventBridge user guide, "Schedule expressions".

use std::ops::RangeInclusive;
use std::str::FromStr;

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions, parse_crontab_with};
use jiff::{SignedDuration, Timestamp};

/// `rate(value unit)`: every so many minutes, hours or days. `cron(minute hour day-of-month month day-of-week year)`: at
/// certain times, in UTC.
#[derive(Clone, Debug)]
pub struct Schedule(When);

#[derive(Clone, Debug)]
enum When {
    Rate(SignedDuration),
    Cron(Box<Crontab>, Years),
}

/// The years of a `cron(…)`, sorted.
#[derive(Clone, Debug)]
struct Years(Vec<i16>);

/// What EventBridge takes as years.
const YEARS: RangeInclusive<i16> = 1970..=2199;

/// Why a schedule expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schedule is written rate(1 minute), rate(6 hours) or rate(1 day), or cron(0 2 * * ? *): minute, hour, day of month, \
     month, day of week (1 or SUN to 7 or SAT) and year, in UTC, with ? for one of the two days"
)]
pub struct ScheduleError;

impl Schedule {
    /// The time of the next start. `last`: when it was last started. `watched_since`: from when on its times are looked at; as
    /// with EventBridge, those of a `cron(…)` that passed before are not made up for. None: never again.
    #[must_use]
    pub fn next(&self, last: Option<Timestamp>, watched_since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            // One that is overdue is due now.
            When::Rate(every) => {
                Some(last.and_then(|last| last.checked_add(*every).ok()).map_or(now, |next| next.max(now)))
            }
            When::Cron(tab, years) => years.next(tab, last.map_or(watched_since, |last| last.max(watched_since))),
        }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (kind, inner) = text.trim().strip_suffix(')').and_then(|text| text.split_once('(')).ok_or(ScheduleError)?;
        match kind {
            "rate" => rate(inner).map(|every| Self(When::Rate(every))),
            "cron" => cron(inner).map(|(tab, years)| Self(When::Cron(Box::new(tab), years))),
            _ => None,
        }
        .ok_or(ScheduleError)
    }
}

fn rate(text: &str) -> Option<SignedDuration> {
    let (value, unit) = text.trim().split_once(' ')?;
    let value: u32 = value.parse().ok()?;
    // EventBridge itself insists on the singular for one and on the plural for more.
    let seconds = match (value, unit.trim()) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3_600,
        (1, "day") | (2.., "days") => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(i64::from(value) * seconds))
}

fn cron(text: &str) -> Option<(Crontab, Years)> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday, year] = fields[..] else { return None };
    // One of the two days must be left open, and only one can be.
    let (day, weekday) = match (day, weekday) {
        ("?", "?") => return None,
        (day, "?") => (day, "*".to_owned()),
        ("?", weekday) => ("*", of_cron(weekday)?),
        _ => return None,
    };
    let mut options = ParseOptions::default();
    options.fallback_timezone_option = FallbackTimezoneOption::UTC;
    let tab = parse_crontab_with(&format!("{minute} {hour} {day} {month} {weekday}"), options).ok()?;
    Some((tab, Years::parse(year)?))
}

/// Days of the week, which EventBridge counts from 1 (Sunday) and everybody else from 0.
fn of_cron(weekday: &str) -> Option<String> {
    let mut shifted = String::with_capacity(weekday.len());
    // What follows `#` is which of the month, and what follows `/` a step.
    let mut is_day = true;
    for letter in weekday.chars() {
        match letter {
            '1'..='7' if is_day => shifted.push(char::from_digit(letter.to_digit(10)?.checked_sub(1)?, 10)?),
            '0' | '8' | '9' if is_day => return None,
            _ => shifted.push(letter),
        }
        is_day = match letter {
            '#' | '/' => false,
            ',' | '-' => true,
            _ => is_day,
        };
    }
    Some(shifted)
}

impl Years {
    fn parse(text: &str) -> Option<Self> {
        let mut years = Vec::new();
        for part in text.split(',') {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let number = |text: &str| text.parse().ok().filter(|year| YEARS.contains(year));
            let range = match range.split_once('-') {
                Some((from, to)) => number(from)?..=number(to)?,
                None if range == "*" => YEARS,
                None if part.contains('/') => number(range)?..=*YEARS.end(),
                None => number(range)?..=number(range)?,
            };
            let step: usize = step.parse().ok().filter(|step| *step > 0)?;
            years.extend(range.step_by(step));
        }
        years.sort_unstable();
        years.dedup();
        (!years.is_empty()).then_some(Self(years))
    }

    /// The first time of a crontab after `after` that is in one of the years.
    fn next(&self, tab: &Crontab, mut after: Timestamp) -> Option<Timestamp> {
        loop {
            let next = tab.find_next(MakeTimestamp(after)).ok()?;
            let year = *self.0.get(self.0.partition_point(|year| *year < next.year()))?;
            if year == next.year() {
                return Some(next.timestamp());
            }
            // The moment before that year, because what is looked for is after it.
            let begin = jiff::civil::date(year, 1, 1).at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            after = begin.timestamp().checked_sub(SignedDuration::from_secs(1)).ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn only_what_eventbridge_takes_is_a_schedule() {
        for good in [
            "rate(1 minute)",
            "rate(5 minutes)",
            "rate(1 day)",
            " rate(12 hours) ",
            "cron(0 10 * * ? *)",
            "cron(15 12 * * ? *)",
            "cron(0 18 ? * MON-FRI *)",
            "cron(0 8 1 * ? *)",
            "cron(0/10 * ? * MON-FRI *)",
            "cron(0/5 8-17 ? * MON-FRI *)",
            "cron(0 9 ? * 2#1 *)",
            "cron(0 9 L * ? 2026-2028)",
            "cron(0 9 3W * ? *)",
            "cron(0 0 29 2 ? 2028)",
        ] {
            assert!(good.parse::<Schedule>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "daily",
            "rate(0 days)",
            "rate(1 days)",
            "rate(2 day)",
            "rate(-1 days)",
            "rate(1 week)",
            "rate(1day)",
            "cron()",
            "cron(0 10 * * ?)",
            "cron(0 10 * * * *)",
            "cron(0 10 ? * ? *)",
            "cron(0 10 1 * MON *)",
            "cron(60 10 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 10 ? * 0 *)",
            "cron(0 10 ? * 8 *)",
            "cron(0 10 * * ? 1969)",
            "cron(0 10 * * ? 2200)",
            "cron(0 10 * * ? x)",
            "cron(0 10 * * ? *) x",
        ] {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_overdue_job_is_due_now_and_not_in_the_past() {
        let schedule: Schedule = "rate(1 hour)".parse().unwrap();
        let start = time("2026-01-01T00:00:00Z");
        let later = time("2026-01-03T00:00:00Z");
        assert_eq!(schedule.next(None, start, start), Some(start));
        assert_eq!(schedule.next(Some(start), start, start), Some(time("2026-01-01T01:00:00Z")));
        assert_eq!(schedule.next(Some(start), start, later), Some(later));
    }

    #[test]
    fn a_cron_is_at_its_times_in_utc() {
        // The 1st of January 2026 is a Thursday.
        let from = "2026-01-01T00:00:00Z";
        for (text, next) in [
            ("cron(0 2 * * ? *)", "2026-01-01T02:00:00Z"),
            ("cron(0 0 * * ? *)", "2026-01-02T00:00:00Z"),
            ("cron(30 4 ? * SUN *)", "2026-01-04T04:30:00Z"),
            ("cron(30 4 ? * 1 *)", "2026-01-04T04:30:00Z"),
            ("cron(30 4 ? * 6 *)", "2026-01-02T04:30:00Z"),
            ("cron(30 4 ? * 7 *)", "2026-01-03T04:30:00Z"),
            ("cron(30 4 ? * 2-3 *)", "2026-01-05T04:30:00Z"),
            ("cron(0 9 ? * 2#2 *)", "2026-01-12T09:00:00Z"),
            ("cron(0 9 ? * 6L *)", "2026-01-30T09:00:00Z"),
            ("cron(0 9 L * ? *)", "2026-01-31T09:00:00Z"),
            ("cron(0/20 * * * ? *)", "2026-01-01T00:20:00Z"),
            ("cron(0 2 * * ? 2028)", "2028-01-01T02:00:00Z"),
            ("cron(0 0 1 1 ? 2027,2030)", "2027-01-01T00:00:00Z"),
            ("cron(0 2 1 6 ? 2025/2)", "2027-06-01T02:00:00Z"),
        ] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.next(None, time(from), time(from)), Some(time(next)), "{text}");
        }
        let over: Schedule = "cron(0 2 * * ? 2025)".parse().unwrap();
        assert_eq!(over.next(None, time(from), time(from)), None);
        let never: Schedule = "cron(0 2 30 2 ? *)".parse().unwrap();
        assert_eq!(never.next(None, time(from), time(from)), None);
    }

    #[test]
    fn times_of_a_cron_that_passed_unwatched_are_not_made_up_for() {
        let schedule: Schedule = "cron(0 2 * * ? *)".parse().unwrap();
        let (last, since) = (time("2026-01-01T02:00:00Z"), time("2026-01-05T08:00:00Z"));
        assert_eq!(schedule.next(Some(last), since, since), Some(time("2026-01-06T02:00:00Z")));
        assert_eq!(
            schedule.next(Some(last), last, since),
            Some(time("2026-01-02T02:00:00Z")),
            "one that is late is due"
        );
    }
}
