//! Where the time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// The time: the system's, or one that a test sets.
///
/// Every rule with a period (token lifetime, grace before archiving, lockout) takes its `now` from here, so that a test
/// can pass seven days in no time. Clones share the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn fixed(start: Timestamp) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(start.as_millisecond()))) }
    }

    /// The present instant, UTC.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.fixed {
            Some(millis) => Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH),
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
            None => Timestamp::now(),
        }
    }

    /// Moves a fixed clock on; the system's clock goes its own way.
    pub fn advance(&self, by: SignedDuration) {
        if let Some(millis) = &self.fixed {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::SeqCst);
        }
    }
}
