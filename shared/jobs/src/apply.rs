//! Carries out what a job planned to write at its vendor, and tells how each write ended.

use nexus_core::sync::{Outcome, OutcomeState};
use nexus_vendors::{Error, Settled, Target, Unsettled, settle};

use crate::sink::Sink;

/// A write that was planned.
#[derive(Clone, Debug)]
pub struct Write<T> {
    /// What is told of it; its state is `planned`.
    pub outcome: Outcome,
    /// What carries it out.
    pub target: T,
}

/// Carries out each write and tells how it ended; in a dry run all of them are told and none is carried out.
///
/// A write that fails keeps none of the others from being made, unless `ends` gives the reason why none of them could go
/// well, or should be tried: then they are told as failed with it. A rate limit whose patience is used up is such a reason by
/// itself. `calls` says how many calls were made to the vendor so far.
pub async fn apply<T: Target>(
    sink: &mut Sink<'_>,
    writes: Vec<Write<T>>,
    calls: impl Fn() -> u64,
    ends: impl Fn(&Unsettled) -> Option<String>,
) {
    if sink.dry_run() {
        for write in writes {
            sink.outcome(write.outcome);
        }
        return;
    }
    if !writes.is_empty() {
        sink.step("Writing", Some(sink.done() + writes.len() as u64));
    }
    let mut ended = None;
    for Write { outcome, target } in writes {
        if let Some(reason) = &ended {
            sink.outcome(Outcome {
                state: OutcomeState::Failed,
                reason: Some(format!("Not tried: {reason}")),
                ..outcome
            });
            continue;
        }
        tracing::info!(
            external_id = outcome.external_id,
            before = outcome.before,
            after = outcome.after,
            "writing at the vendor"
        );
        let settled = settle(&target).await;
        sink.vendor_calls(calls());
        if let Err(unsettled) = &settled {
            ended = ends(unsettled).or_else(|| rate_limit(unsettled));
        }
        let (state, reason) = match settled {
            Ok(Settled::Written) => (OutcomeState::Written, None),
            Ok(Settled::Already) => (OutcomeState::Skipped, Some("Somebody else has written it meanwhile.".to_owned())),
            Ok(Settled::Stopped(reason)) => (OutcomeState::Skipped, Some(reason)),
            Err(unsettled) => (OutcomeState::Failed, Some(unsettled.to_string())),
        };
        sink.outcome(Outcome { state, reason, ..outcome });
    }
}

fn rate_limit(unsettled: &Unsettled) -> Option<String> {
    match unsettled.error()? {
        error @ Error::RateLimited { .. } => Some(error.to_string()),
        _ => None,
    }
}
