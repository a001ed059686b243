//! The vendors' request budgets. Time is handed in; it is tokio's, so that a test can stop it for both sides.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Freshservice counts per account in whole minutes, with a budget of its own for "list all requesters".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreshserviceQuota {
    /// Requests of every kind per window, failed ones included.
    pub overall: u32,
    /// Calls of `GET /requesters` per window.
    pub list_requesters: u32,
    /// A minute; tests take less.
    pub window: Duration,
}

impl FreshserviceQuota {
    /// The documented figures of the plan Starter.
    pub const STARTER: Self = Self { overall: 100, list_requesters: 40, window: Duration::from_mins(1) };
    /// The documented figures of the plan Growth.
    pub const GROWTH: Self = Self { overall: 200, list_requesters: 70, window: Duration::from_mins(1) };
    /// The documented figures of the plan Pro.
    pub const PRO: Self = Self { overall: 400, list_requesters: 120, window: Duration::from_mins(1) };
    /// The documented figures of the plan Enterprise.
    pub const ENTERPRISE: Self = Self { overall: 500, list_requesters: 140, window: Duration::from_mins(1) };
}

/// Datto counts in a sliding window, reads and writes apart, and brakes before it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DattoQuota {
    /// Reads per window.
    pub reads: u32,
    /// Writes of all kinds per window.
    pub writes: u32,
    /// Writes of one kind, such as `site-variable-update`, per window.
    pub writes_per_operation: u32,
    /// A minute; tests take less.
    pub window: Duration,
    /// How much longer an answer takes once 90 % of the reads are used.
    pub brake: Duration,
    /// Whether a 429 says when to come back. No header has been captured from the real service.
    pub retry_after: bool,
    /// What happens to a client that goes on after 429.
    pub block: Option<IpBlock>,
}

/// 403 on everything for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpBlock {
    /// This many answers 429 in a row bring the block about.
    pub after: u32,
    /// How long it lasts; five minutes at the vendor.
    pub lasts: Duration,
}

impl Default for DattoQuota {
    /// The documented and measured figures.
    fn default() -> Self {
        Self {
            reads: 600,
            writes: 600,
            writes_per_operation: 100,
            window: Duration::from_mins(1),
            brake: Duration::from_secs(1),
            retry_after: false,
            block: Some(IpBlock { after: 20, lasts: Duration::from_mins(5) }),
        }
    }
}

/// What Freshservice's counter says to one request.
pub(crate) enum Budget {
    Left { total: u32, remaining: u32 },
    Spent { retry_after: Duration },
}

#[derive(Default)]
pub(crate) struct FixedWindow {
    pub(crate) quota: Option<FreshserviceQuota>,
    began: Option<Instant>,
    used: u32,
    used_for_requesters: u32,
}

impl FixedWindow {
    /// Sets a quota and begins a new window with it.
    pub(crate) fn set(&mut self, quota: Option<FreshserviceQuota>) {
        *self = Self { quota, ..Self::default() };
    }

    pub(crate) fn spend(&mut self, lists_requesters: bool, now: Instant) -> Budget {
        let Some(quota) = self.quota else { return Budget::Left { total: 500, remaining: 499 } };
        let began = match self.began {
            Some(began) if now.duration_since(began) < quota.window => began,
            _ => {
                self.set(Some(quota));
                *self.began.insert(now)
            }
        };
        self.used = self.used.saturating_add(1);
        self.used_for_requesters = self.used_for_requesters.saturating_add(u32::from(lists_requesters));
        if self.used > quota.overall || (lists_requesters && self.used_for_requesters > quota.list_requesters) {
            return Budget::Spent { retry_after: quota.window.saturating_sub(now.duration_since(began)) };
        }
        Budget::Left { total: quota.overall, remaining: quota.overall - self.used }
    }
}

/// What Datto's counter says to one request.
pub(crate) enum Verdict {
    Go { brake: Duration },
    Wait { retry_after: Option<Duration> },
    Blocked,
}

#[derive(Default)]
pub(crate) struct SlidingWindow {
    pub(crate) quota: Option<DattoQuota>,
    reads: VecDeque<Instant>,
    writes: HashMap<&'static str, VecDeque<Instant>>,
    refusals: u32,
    blocked_until: Option<Instant>,
}

impl SlidingWindow {
    /// Sets a quota; what was counted before is forgotten.
    pub(crate) fn set(&mut self, quota: Option<DattoQuota>) {
        *self = Self { quota, ..Self::default() };
    }

    /// `operation` names a write; a read has none.
    pub(crate) fn spend(&mut self, operation: Option<&'static str>, now: Instant) -> Verdict {
        let limits = self.quota.unwrap_or_default();
        self.forget(limits.window, now);
        match operation {
            Some(operation) => self.writes.entry(operation).or_default().push_back(now),
            None => self.reads.push_back(now),
        }
        let Some(quota) = self.quota else { return Verdict::Go { brake: Duration::ZERO } };
        if self.blocked_until.is_some_and(|until| now < until) {
            return Verdict::Blocked;
        }
        let of_operation = operation.map_or(0, |operation| self.count_writes_of(operation));
        let over = match operation {
            Some(_) => self.count_writes() > quota.writes || of_operation > quota.writes_per_operation,
            None => self.count_reads() > quota.reads,
        };
        if !over {
            self.refusals = 0;
            let braking = operation.is_none() && self.count_reads() > quota.reads.saturating_mul(9) / 10;
            return Verdict::Go { brake: if braking { quota.brake } else { Duration::ZERO } };
        }
        self.refusals += 1;
        if let Some(block) = quota.block
            && self.refusals >= block.after
        {
            self.blocked_until = Some(now + block.lasts);
        }
        let oldest = operation.map_or(self.reads.front(), |operation| self.writes.get(operation)?.front());
        let free_in = oldest.map(|oldest| quota.window.saturating_sub(now.duration_since(*oldest)));
        Verdict::Wait { retry_after: free_in.filter(|_| quota.retry_after) }
    }

    pub(crate) fn count_reads(&self) -> u32 {
        u32::try_from(self.reads.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn count_writes(&self) -> u32 {
        u32::try_from(self.writes.values().map(VecDeque::len).sum::<usize>()).unwrap_or(u32::MAX)
    }

    pub(crate) fn count_writes_of(&self, operation: &str) -> u32 {
        u32::try_from(self.writes.get(operation).map_or(0, VecDeque::len)).unwrap_or(u32::MAX)
    }

    fn forget(&mut self, window: Duration, now: Instant) {
        for counted in self.writes.values_mut().chain([&mut self.reads]) {
            while counted.front().is_some_and(|at| now.duration_since(*at) >= window) {
                counted.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshservice_lets_in_again_when_the_window_is_over() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut window = FixedWindow::default();
        window.set(Some(FreshserviceQuota { overall: 2, list_requesters: 1, window: Duration::from_mins(1) }));
        assert!(matches!(window.spend(true, at(0)), Budget::Left { total: 2, remaining: 1 }));
        let Budget::Spent { retry_after } = window.spend(true, at(20)) else { panic!("one list per minute") };
        assert_eq!(retry_after, Duration::from_secs(40));
        assert!(matches!(window.spend(false, at(59)), Budget::Spent { .. }), "what was refused counts");
        assert!(matches!(window.spend(true, at(60)), Budget::Left { remaining: 1, .. }));
    }

    #[test]
    fn datto_lets_in_again_when_the_oldest_call_leaves_the_window() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut window = SlidingWindow::default();
        window.set(Some(DattoQuota { reads: 2, retry_after: true, ..DattoQuota::default() }));
        assert!(matches!(window.spend(None, at(0)), Verdict::Go { .. }));
        assert!(matches!(window.spend(None, at(30)), Verdict::Go { .. }));
        let Verdict::Wait { retry_after } = window.spend(None, at(45)) else { panic!("two reads per minute") };
        assert_eq!(retry_after, Some(Duration::from_secs(15)));
        assert!(matches!(window.spend(None, at(61)), Verdict::Wait { .. }), "what was refused counts");
        assert!(matches!(window.spend(None, at(106)), Verdict::Go { .. }));
    }

    #[test]
    fn a_block_ends() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let block = Some(IpBlock { after: 1, lasts: Duration::from_mins(5) });
        let mut window = SlidingWindow::default();
        window.set(Some(DattoQuota { reads: 1, block, ..DattoQuota::default() }));
        assert!(matches!(window.spend(None, at(0)), Verdict::Go { .. }));
        assert!(matches!(window.spend(None, at(1)), Verdict::Wait { retry_after: None }));
        assert!(matches!(window.spend(None, at(200)), Verdict::Blocked));
        assert!(matches!(window.spend(None, at(302)), Verdict::Go { .. }));
    }
}
