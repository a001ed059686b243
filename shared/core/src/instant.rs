//! How an instant is written: RFC 3339, UTC, milliseconds, always 24 characters (`2026-02-03T19:05:39.000Z`).
//!
//! One fixed width makes the text sort as time does, so both databases store it as text and build it into JSON without
//! a conversion.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

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

#[cfg(test)]
mod tests {
    use super::{canonical, parse};

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
