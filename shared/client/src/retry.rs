//! Whether a failed call is repeated, and after how long.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::error::Error;

/// What may be repeated without doing it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The call says the same however often it is sent (RFC 9110, section 9.2.2).
    Freely,
    /// The call has an `Idempotency-Key`, and Nexus carries it out once however often it is sent.
    Keyed,
    /// Only a call on which Nexus cannot have acted.
    IfRefused,
}

/// The rules of repeating.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    /// Tries of one call, the first included.
    pub(crate) tries: u32,
    /// Wait before the second try; it doubles with each further one.
    pub(crate) backoff: Duration,
    /// The longest wait, guessed or asked for.
    pub(crate) longest_wait: Duration,
}

impl Retry {
    /// How long to wait before the try after number `attempt` (from 1); `None` when the error is the answer. `lost` tells
    /// that an earlier try may have had its effect.
    pub(crate) fn wait(&self, attempt: u32, error: &Error, repeat: Repeat, lost: bool) -> Option<Duration> {
        if attempt >= self.tries || !is_repeatable(error, repeat, lost) {
            return None;
        }
        match error.problem().and_then(|problem| problem.retry_after) {
            // To come back earlier than asked would only be refused again.
            Some(asked) if asked > self.longest_wait => None,
            Some(asked) => Some(asked),
            None => {
                let factor = 2_u32.checked_pow(attempt - 1).unwrap_or(u32::MAX);
                Some(with_jitter(self.backoff.saturating_mul(factor).min(self.longest_wait)))
            }
        }
    }
}

fn is_repeatable(error: &Error, repeat: Repeat, lost: bool) -> bool {
    match error {
        Error::Unreachable { .. } => true,
        Error::TimedOut | Error::Interrupted { .. } => repeat != Repeat::IfRefused,
        Error::Problem(problem) => match problem.status {
            429 => true,
            503 if problem.retry_after.is_some() => true,
            502..=504 => repeat != Repeat::IfRefused,
            // What was lost is perhaps still being carried out; its answer comes to whoever asks again.
            409 => repeat == Repeat::Keyed && lost,
            _ => false,
        },
        _ => false,
    }
}

/// Half of `wait`, and a random part of the other half: clients that failed together do not return together.
fn with_jitter(wait: Duration) -> Duration {
    // Without randomness the full wait is still a correct one.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    wait / 2 + (wait / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// `Retry-After` in seconds, the only form in which Nexus and the gateways in front of it send it.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;
    use crate::error::Problem;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry() -> Retry {
        Retry { tries: 4, backoff: SECOND, longest_wait: SECOND * 30 }
    }

    fn refused(status: u16, after: Option<u64>) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::Problem(Box::new(Problem::read(status, after.map(Duration::from_secs), b"")))
    }

    fn broken() -> Error {
        Error::Interrupted { detail: "reset".into() }
    }

    #[test]
    fn a_call_that_may_have_had_its_effect_is_repeated_only_if_that_does_no_harm() {
        let unreachable = Error::Unreachable { address: "x".into(), detail: "refused".into() };
        for (error, freely, if_refused) in [
            (refused(429, None), true, true),
            (refused(503, Some(1)), true, true),
            (refused(503, None), true, false),
            (refused(502, None), true, false),
            (refused(504, None), true, false),
            (refused(500, None), false, false),
            (refused(400, None), false, false),
            (refused(404, None), false, false),
            (refused(409, None), false, false),
            (unreachable, true, true),
            (Error::TimedOut, true, false),
            (broken(), true, false),
        ] {
            assert_eq!(retry().wait(1, &error, Repeat::Freely, false).is_some(), freely, "{error}");
            assert_eq!(retry().wait(1, &error, Repeat::Keyed, false).is_some(), freely, "{error}");
            assert_eq!(retry().wait(1, &error, Repeat::IfRefused, false).is_some(), if_refused, "{error}");
        }
    }

    #[test]
    fn a_conflict_is_asked_about_again_only_where_it_may_be_the_lost_try_itself() {
        let going = refused(409, None);
        for (repeat, lost, again) in [
            (Repeat::Keyed, true, true),
            (Repeat::Keyed, false, false),
            (Repeat::Freely, true, false),
            (Repeat::IfRefused, true, false),
        ] {
            assert_eq!(retry().wait(2, &going, repeat, lost).is_some(), again, "{repeat:?}");
        }
    }

    #[test]
    fn the_back_off_doubles_with_jitter_and_ends_after_the_last_try() {
        for (attempt, full) in [(1, SECOND), (2, SECOND * 2), (3, SECOND * 4)] {
            let wait = retry().wait(attempt, &broken(), Repeat::Freely, false).unwrap();
            assert!(wait >= full / 2 && wait <= full, "{wait:?} after try {attempt}");
        }
        assert_eq!(retry().wait(4, &broken(), Repeat::Freely, false), None);
        let patient = Retry { tries: 99, ..retry() };
        assert!(patient.wait(60, &broken(), Repeat::Freely, false).unwrap() <= SECOND * 30);
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept_unless_it_is_too_long() {
        assert_eq!(retry().wait(1, &refused(429, Some(7)), Repeat::IfRefused, false), Some(SECOND * 7));
        assert_eq!(retry().wait(1, &refused(429, Some(31)), Repeat::Freely, false), None);
    }
}
