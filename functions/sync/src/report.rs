//! How a run ends that plans nothing here: the job gave up, or it writes to its vendor and tells each write. Pure.

use nexus_core::sync::{Complete, Counts, OutcomeState, RunState};
use nexus_db::runs::Report;

/// State and message of such a run.
pub(crate) fn conclude(complete: &Complete, dry_run: bool) -> (RunState, String) {
    if let Some(error) = &complete.error {
        return (RunState::Failed, error.clone());
    }
    let n = |state| complete.outcomes.iter().filter(|outcome| outcome.state == state).count();
    let [planned, written, failed, skipped] =
        [OutcomeState::Planned, OutcomeState::Written, OutcomeState::Failed, OutcomeState::Skipped].map(n);
    let state = match (written, failed) {
        (_, 0) => RunState::Applied,
        (0, _) => RunState::Failed,
        _ => RunState::Partial,
    };
    let told = [
        (planned, "would be written"),
        (written, "written"),
        (failed, "could not be written"),
        (skipped, "left alone because it is not clear what is right"),
    ];
    let told: Vec<String> = told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let text = match (&complete.message, told.is_empty()) {
        (Some(message), _) => message.clone(),
        (None, true) => "Nothing to write.".to_owned(),
        (None, false) => format!("{}.", told.join(", ")),
    };
    (state, format!("{}{text}", if dry_run { "Dry run: " } else { "" }))
}

/// What is kept of it.
pub(crate) fn report(complete: Complete) -> Report {
    let Complete { scopes, quarantined, gaps, outcomes, mut counts, .. } = complete;
    tally(&mut counts, &outcomes);
    Report { counts, scopes, quarantined, gaps, outcomes }
}

fn tally(counts: &mut Counts, outcomes: &[nexus_core::sync::Outcome]) {
    for outcome in outcomes {
        let of_kind = counts.entry(outcome.entity.as_str().to_owned()).or_default();
        *of_kind.entry(outcome.state.as_str().to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use nexus_core::Entity;
    use nexus_core::sync::{Complete, Outcome, OutcomeState, RunState};

    use super::{conclude, report};

    fn of(states: &[OutcomeState]) -> Complete {
        let outcome = |state: &OutcomeState| Outcome {
            entity: Entity::Company,
            external_id: "1".into(),
            name: "Alpha".into(),
            before: None,
            after: Some("100001".into()),
            state: *state,
            reason: None,
        };
        Complete { outcomes: states.iter().map(outcome).collect(), ..Complete::default() }
    }

    #[test]
    fn a_write_that_failed_is_never_told_as_a_success() {
        use OutcomeState::{Failed, Planned, Skipped, Written};
        for (states, dry, state, message) in [
            (&[][..], false, RunState::Applied, "Nothing to write."),
            (&[Written, Written], false, RunState::Applied, "2 written."),
            (&[Written, Failed], false, RunState::Partial, "1 written, 1 could not be written."),
            (&[Failed], false, RunState::Failed, "1 could not be written."),
            (&[Skipped], false, RunState::Applied, "1 left alone because it is not clear what is right."),
            (&[Planned], true, RunState::Applied, "Dry run: 1 would be written."),
        ] {
            assert_eq!(conclude(&of(states), dry), (state, message.to_owned()));
        }
    }

    #[test]
    fn each_write_is_counted_as_what_became_of_it() {
        let counts = report(of(&[OutcomeState::Written, OutcomeState::Failed, OutcomeState::Written])).counts;
        assert_eq!((counts["company"]["written"], counts["company"]["failed"]), (2, 1));
    }
}
