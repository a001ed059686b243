//! The judgement of the sync: which field follows its source, what becomes of a record that its source has lost, and
//! which plans wait for a person.

use jiff::SignedDuration;
use nexus_core::Entity;
use nexus_core::sync::ScopeReport;

/// The field that says which of our records a source's new record is, when no link says it.
pub(crate) const fn strong_key(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Company => Some("account_number"),
        Entity::Contact => Some("email"),
        // A hostname or a name is no proof: clones and namesakes are everyday.
        Entity::Location | Entity::Asset | Entity::User | Entity::Plan | Entity::Feature => None,
    }
}

/// What becomes of a record that its source has not shown for the whole grace period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vanished {
    /// It is archived.
    Archive,
    /// It stays, inactive: tickets and bills still name the person.
    Deactivate,
}

pub(crate) const fn vanished(entity: Entity) -> Vanished {
    match entity {
        Entity::Contact => Vanished::Deactivate,
        _ => Vanished::Archive,
    }
}

/// How long a record may be missing before anything happens to it.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A plan that takes away more records of one list than this waits for a person.
const MOST: u64 = 25;
/// As does one that takes away more than this part of it: 1 of 10.
const PART: u64 = 10;

/// What a plan does to one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Records of ours that the source is known to tell in this list.
    pub(crate) known: u64,
    /// Records that would be archived or made inactive because they are missing.
    pub(crate) vanishing: u64,
    /// Records not made by this source whose fields would change.
    pub(crate) foreign: u64,
}

/// Why a plan waits for a person, if it does. `first`: the source has no record of ours yet.
pub(crate) fn hold_reason(first: bool, scopes: &[(&ScopeReport, Weight)]) -> Option<String> {
    for (scope, weight) in scopes {
        if weight.vanishing > MOST || weight.vanishing * PART > weight.known {
            return Some(format!(
                "{} of {} {} would be archived or made inactive because they are missing from the source.",
                weight.vanishing, weight.known, scope.name
            ));
        }
    }
    let foreign: u64 = scopes.iter().map(|(_, weight)| weight.foreign).sum();
    (first && foreign > 0).then(|| {
        format!("This is the source's first run, and it would change {foreign} records that were here before it.")
    })
}

#[cfg(test)]
mod tests {
    use super::{Weight, hold_reason};
    use nexus_core::Entity;
    use nexus_core::sync::ScopeReport;

    fn held(first: bool, known: u64, vanishing: u64, foreign: u64) -> bool {
        let scope =
            ScopeReport { name: "companies".into(), entity: Entity::Company, complete: true, records: 0, error: None };
        hold_reason(first, &[(&scope, Weight { known, vanishing, foreign })]).is_some()
    }

    #[test]
    fn more_than_a_tenth_or_more_than_25_wait_for_a_person() {
        assert!(!held(false, 100, 10, 0));
        assert!(held(false, 100, 11, 0));
        assert!(!held(false, 1_000, 25, 0));
        assert!(held(false, 1_000, 26, 0));
        assert!(held(false, 5, 1, 0));
    }

    #[test]
    fn a_first_run_waits_only_when_it_changes_what_was_here_before() {
        assert!(!held(true, 0, 0, 0));
        assert!(held(true, 0, 0, 1));
        assert!(!held(false, 0, 0, 1));
    }
}
