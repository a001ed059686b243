//! How an instant is written: RFC 3339, UTC, milliseconds, always 24 characters (`2026-02-03T19:05:39.000Z`).
//!
//! One fixed width makes the text sort as time does, so both databases store it as text and build it into JSON without
//! a conversion.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `at` in the canonical form.
#[must_use]
pub fn canonical(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Reads RFC 3339 with any offset, or the older `YYYY-MM-DD HH:MM:SS`, which is UTC.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// The instant so many days before another, in the canonical form; empty, which sorts before all, where there is none.
#[must_use]
pub fn days_before(at: Timestamp, days: i64) -> String {
    let days = SignedDuration::from_hours(days.saturating_mul(24));
    at.checked_sub(days).map_or_else(|_| String::new(), canonical)
}

#[cfg(test)]
mod tests {
    use super::{canonical, days_before, parse};

    #[test]
    fn days_are_counted_back_as_far_as_there_are_any() {
        let at = parse("2026-03-02T08:00:00Z").unwrap();
        assert_eq!(days_before(at, 30), "2026-01-31T08:00:00.000Z");
        assert_eq!(days_before(at, 1_000_000_000), "");
    }

    #[test]
    fn every_accepted_form_becomes_one_text_that_sorts_as_time() {
        for (given, expected) in [
            ("2026-02-03T19:05:39Z", Some("2026-02-03T19:05:39.000Z")),
            ("2026-02-03T19:05:39.983Z", Some("2026-02-03T19:05:39.983Z")),
            ("2026-02-03T19:05:39+05:30", Some("2026-02-03T13:35:39.000Z")),
            ("2019-04-02 09:31:52", Some("2019-04-02T09:31:52.000Z")),
            ("2019-04-02", None),
            ("yesterday", None),
        ] {
            assert_eq!(parse(given).map(canonical).as_deref(), expected, "{given}");
        }
    }
}
