//! The judgement of the sync: which field follows its source, what becomes of a record that its source has lost, and
//! which plans wait for a person.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use nexus_core::Entity;

/// The field that says which of our records a source's new record is, when no link says it.
pub(crate) const fn strong_key(entity: Entity) -> Option<&'static str> {
    match entity {
        Entity::Company => Some("account_number"),
        Entity::Contact => Some("email"),
        // By its name among those of its company; see `Observed::key`.
        Entity::Location => Some("name"),
        // A hostname or a name is no proof: clones and namesakes are everyday.
        Entity::Asset | Entity::User | Entity::Plan | Entity::Feature => None,
    }
}

/// The name of that field, for a person.
pub(crate) fn key_name(entity: Entity) -> &'static str {
    strong_key(entity).unwrap_or("key")
}

/// What becomes of a record that its source has not shown for the whole grace period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vanished {
    /// It is archived.
    Archive,
    /// It stays, inactive: tickets and bills still name the person.
    Deactivate,
    /// It stays as it is.
    Stay,
}

pub(crate) const fn vanished(role: Role, entity: Entity) -> Vanished {
    match (role, entity) {
        // A location goes out of sight with its company.
        (Role::Refers, _) | (Role::Tells, Entity::Location) => Vanished::Stay,
        (Role::Tells, Entity::Contact) => Vanished::Deactivate,
        (Role::Tells, _) => Vanished::Archive,
    }
}

/// What a source's records of a kind are to the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Each is one of ours, which comes and goes with it.
    Tells,
    /// Each only refers to one of ours: a Datto site to its company. Several may refer to the same one, and none makes one.
    Refers,
}

pub(crate) fn role(source: &str, entity: Entity) -> Role {
    if (source, entity) == ("datto", Entity::Company) { Role::Refers } else { Role::Tells }
}

/// How long a record may be missing before anything happens to it.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A plan that takes away more records of one list than this waits for a person.
const MOST: u64 = 25;
/// As does one that takes away more than this part of it: 1 of 10, or all of it.
const PART: u64 = 10;
/// But for so few of a list that is one of many, if it keeps others: a site with five devices loses one without a question.
const FEW: u64 = 2;

/// What a plan does to one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Records of ours that the source is known to tell in this list.
    pub(crate) known: u64,
    /// Records that would be archived or made inactive because they are missing.
    pub(crate) vanishing: u64,
    /// Records not made by this source whose fields would change.
    pub(crate) foreign: u64,
    /// It is one of many lists, as the devices of a site are.
    pub(crate) part: bool,
}

impl Weight {
    fn takes_too_much(&self) -> bool {
        let Self { known, vanishing, part, .. } = *self;
        let few = part && vanishing <= FEW && vanishing < known;
        vanishing > MOST || (!few && vanishing * PART > known)
    }
}

/// Why a plan waits for a person, if it does. `first`: the source has no record of ours yet. `lists`: what it does to each of
/// them, by name.
pub(crate) fn hold_reason(first: bool, lists: &BTreeMap<String, Weight>) -> Option<String> {
    let told = |weight: &Weight, of: &str| {
        let Weight { known, vanishing, .. } = weight;
        format!(
            "{vanishing} of {known} {of} would be archived or made inactive because they are missing from the source."
        )
    };
    if let Some((name, weight)) = lists.iter().find(|(_, weight)| weight.takes_too_much()) {
        return Some(told(weight, name));
    }
    // What is spread over many lists is as much.
    let all = Weight {
        known: lists.values().map(|weight| weight.known).sum(),
        vanishing: lists.values().map(|weight| weight.vanishing).sum(),
        foreign: lists.values().map(|weight| weight.foreign).sum(),
        part: true,
    };
    if all.takes_too_much() {
        return Some(told(&all, "records"));
    }
    let foreign = all.foreign;
    (first && foreign > 0).then(|| {
        format!("This is the source's first run, and it would change {foreign} records that were here before it.")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Weight, hold_reason};

    fn held(first: bool, known: u64, vanishing: u64, foreign: u64) -> bool {
        let lists = BTreeMap::from([("companies".to_owned(), Weight { known, vanishing, foreign, part: false })]);
        hold_reason(first, &lists).is_some()
    }

    fn part_is_held(known: u64, vanishing: u64) -> bool {
        let weight = Weight { known, vanishing, foreign: 0, part: true };
        let other = Weight { known: 1_000, part: true, ..Weight::default() };
        hold_reason(false, &BTreeMap::from([("site:1".to_owned(), weight), ("site:2".to_owned(), other)])).is_some()
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
    fn one_or_two_of_one_of_many_lists_do_not_wait_unless_they_are_all_of_it() {
        assert!(!part_is_held(5, 1));
        assert!(!part_is_held(5, 2));
        assert!(part_is_held(29, 3));
        assert!(part_is_held(2, 2));
        assert!(part_is_held(1, 1));
    }

    #[test]
    fn a_little_of_many_lists_is_much() {
        let lists = |n: u64, vanishing: u64| {
            let list = |n: u64| (format!("site:{n}"), Weight { known: 20, vanishing, foreign: 0, part: true });
            hold_reason(false, &(0..n).map(list).collect())
        };
        assert_eq!(lists(25, 1), None);
        assert!(lists(26, 1).unwrap().starts_with("26 of 520 records"));
    }

    #[test]
    fn a_first_run_waits_only_when_it_changes_what_was_here_before() {
        assert!(!held(true, 0, 0, 0));
        assert!(held(true, 0, 0, 1));
        assert!(!held(false, 0, 0, 1));
    }
}
