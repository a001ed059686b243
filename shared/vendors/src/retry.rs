//! Whether a failed call is tried again, and after how long.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::error::Error;

/// The wait after a 429 that does not say how long: a whole window of the vendors' quotas.
pub(crate) const WAIT_WITHOUT_HEADER: Duration = Duration::from_mins(1);

/// The longest back-off, so that a generous number of tries does not end in hours.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);

/// A try that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// How long the vendor asked to wait.
    pub(crate) after: Option<Duration>,
}

/// What to do before the next try.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The vendor asked for it: nobody sends for so long.
    Hold(Duration),
    /// Our own guess: this call waits, others go on.
    BackOff(Duration),
}

/// The rules of trying again, and the run's remaining patience.
#[derive(Debug)]
pub(crate) struct Retry {
    tries: u32,
    backoff: Duration,
    /// What is left of the time that the run is willing to wait because a vendor asks for it.
    patience: Mutex<Duration>,
}

impl Retry {
    pub(crate) fn new(tries: u32, backoff: Duration, ceiling: Duration) -> Self {
        Self { tries, backoff, patience: Mutex::new(ceiling) }
    }

    /// Decides about try number `attempt` (from 1) of a call that may be repeated: pause and try again, or give up with its error.
    pub(crate) fn after(&self, attempt: u32, failure: Failure) -> Result<Pause, Error> {
        if !failure.error.is_transient() || attempt >= self.tries {
            return Err(failure.error);
        }
        match failure.after {
            Some(wait) if self.spend(wait) => Ok(Pause::Hold(wait)),
            Some(_) => Err(failure.error),
            None => Ok(Pause::BackOff(with_jitter(self.backoff_of(attempt)))),
        }
    }

    fn spend(&self, wait: Duration) -> bool {
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        match patience.checked_sub(wait) {
            Some(left) => {
                *patience = left;
                true
            }
            None => false,
        }
    }

    /// The wait after try number `attempt`, before a random part of it is left out.
    pub(crate) fn backoff_of(&self, attempt: u32) -> Duration {
        let factor = 2_u32.checked_pow(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff.saturating_mul(factor).min(LONGEST_BACKOFF.max(self.backoff))
    }
}

/// Half of `wait`, and a random part of the other half: clients that failed together do not return together.
fn with_jitter(wait: Duration) -> Duration {
    // Without randomness the full wait is still a correct one.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    wait / 2 + (wait / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
///
/// A date is measured against the answer's own `Date`, not against the clock of this machine: both come from the
/// vendor, so a clock that is wrong here does no harm. `None` when there is no header that can be read.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let sent = httpdate::parse_http_date(text(DATE)?).ok()?;
    Some(until.duration_since(sent).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::error::TransportKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry(ceiling: u64) -> Retry {
        Retry::new(4, SECOND, Duration::from_secs(ceiling))
    }

    fn broken() -> Failure {
        Failure { error: Error::Transport { kind: TransportKind::Interrupted, detail: "reset".into() }, after: None }
    }

    fn limited(seconds: u64) -> Failure {
        let after = Duration::from_secs(seconds);
        Failure { error: Error::RateLimited { after }, after: Some(after) }
    }

    fn rejected(status: u16) -> Failure {
        Failure { error: Error::Rejected { status, excerpt: String::new() }, after: None }
    }

    #[test]
    fn the_back_off_doubles_with_jitter_and_ends_after_the_last_try() {
        let retry = retry(0);
        for (attempt, full) in [(1, SECOND), (2, SECOND * 2), (3, SECOND * 4)] {
            let Ok(Pause::BackOff(wait)) = retry.after(attempt, broken()) else {
                panic!("no back-off after {attempt}")
            };
            assert!(wait >= full / 2 && wait <= full, "{wait:?} after try {attempt}");
        }
        assert_eq!(retry.after(4, broken()), Err(broken().error));
    }

    #[test]
    fn the_back_off_has_a_longest_wait() {
        assert_eq!(Retry::new(99, SECOND, SECOND).backoff_of(60), LONGEST_BACKOFF);
    }

    #[test]
    fn only_passing_failures_are_tried_again() {
        for status in [500, 502, 503, 504] {
            assert!(retry(0).after(1, rejected(status)).is_ok(), "{status}");
        }
        for status in [301, 400, 403, 404, 405, 409, 501] {
            assert!(retry(0).after(1, rejected(status)).is_err(), "{status}");
        }
        for error in [Error::Auth, Error::malformed("$", "x"), Error::TooLarge { limit: 1 }] {
            assert_eq!(retry(0).after(1, Failure { error: error.clone(), after: None }), Err(error));
        }
    }

    #[test]
    fn a_wait_that_the_vendor_asks_for_is_kept_to_the_second() {
        assert_eq!(retry(1800).after(1, limited(1521)), Ok(Pause::Hold(Duration::from_secs(1521))));
    }

    #[test]
    fn the_waits_of_a_run_have_a_ceiling_in_total() {
        let retry = retry(100);
        assert!(retry.after(1, limited(60)).is_ok());
        assert_eq!(retry.after(1, limited(60)), Err(Error::RateLimited { after: SECOND * 60 }));
        assert!(retry.after(1, limited(40)).is_ok());
        assert!(retry.after(1, limited(u64::MAX)).is_err());
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let date = (DATE, "Tue, 03 Mar 2026 10:00:00 GMT");
        let after = |value| retry_after(&headers(&[(RETRY_AFTER, value), date.clone()]));
        assert_eq!(after("1521"), Some(SECOND * 1521));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        assert_eq!(after("Tue, 03 Mar 2026 10:25:21 GMT"), Some(SECOND * 1521));
        assert_eq!(after("Tue, 03 Mar 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("1.5"), None);
        assert_eq!(after("soon"), None);
        assert_eq!(after("-1"), None);
    }

    #[test]
    fn a_date_without_the_vendors_own_date_cannot_be_measured() {
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "Tue, 03 Mar 2026 10:25:21 GMT")])), None);
        assert_eq!(retry_after(&headers(&[])), None);
    }
}
