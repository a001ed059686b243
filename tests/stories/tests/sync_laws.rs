//! The laws of a sync, on random worlds: what is applied is what was reviewed, of an unchanged world nothing is planned, a pin
//! stays, two sources come to rest, and an undo gives back what was there.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use jiff::SignedDuration;
use nexus_core::sync::{Change, ChangeSet, Run, RunState};
use nexus_core::{Entity, Fields};
use nexus_db::Dialect;
use nexus_jobs::{Deadline, Event, Job, Record, Silent, Sink, Stopped};
use nexus_simulators::{Department, Freshservice, FreshserviceState, Requester, Size};
use nexus_test_databases::on;
use nexus_tests::{Caller, Nexus, Syncing};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// Holds a law on so many worlds, each in a database of its own; on PostgreSQL, where those take longer to make, on half as many.
macro_rules! law {
    ($name:ident, $cases:expr, $worlds:expr, $law:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                holds(Dialect::Sqlite, $cases, $worlds, $law);
            }

            #[test]
            fn postgres() {
                holds(Dialect::Postgres, u32::div_ceil($cases, 2), $worlds, $law);
            }
        }
    };
}

fn holds<S: Strategy>(dialect: Dialect, cases: u32, worlds: S, law: impl AsyncFn(Syncing, S::Value)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let law = &law;
    let checked = runner.run(&worlds, |given| {
        runtime.block_on(on(dialect, |world| async move {
            let vendor = Freshservice::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
            law(Syncing::new(Nexus::serve(world).await, vendor).await, given).await;
        }));
        Ok(())
    });
    checked.unwrap();
}

/// What comes to be at the vendor. Numbers and names are few, so that keys meet.
#[derive(Clone, Debug)]
enum Told {
    Department { at: i64, number: Option<u8>, name: u8, address: Option<u8> },
    Person { at: i64, name: u8, email: Option<u8>, departments: Vec<i64>, title: Option<u8>, active: bool },
    Gone { person: bool, at: u8 },
}

fn told() -> impl Strategy<Value = Told> {
    let department = (0..5_i64, option::weighted(0.9, 0..5_u8), 0..6_u8, option::of(0..3_u8))
        .prop_map(|(at, number, name, address)| Told::Department { at, number, name, address });
    let person = (0..9_i64, 0..6_u8, option::weighted(0.8, 0..9_u8), vec(0..5_i64, 0..3), option::of(0..3_u8))
        .prop_flat_map(|(at, name, email, departments, title)| {
            let person =
                move |active| Told::Person { at, name, email, departments: departments.clone(), title, active };
            prop::bool::weighted(0.9).prop_map(person)
        });
    let gone = (any::<bool>(), any::<u8>()).prop_map(|(person, at)| Told::Gone { person, at });
    prop_oneof![3 => department, 6 => person, 1 => gone]
}

/// So many things, one after another.
fn several(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Told>> {
    vec(told(), n)
}

fn number(n: u8) -> String {
    (100_001 + u32::from(n)).to_string()
}

fn email(n: u8) -> String {
    format!("{n}@example.org")
}

impl Told {
    fn happen(&self, state: &mut FreshserviceState) {
        match self {
            Self::Department { at, number: n, name, address } => {
                let mut department = Department::new(501 + at, &format!("Company {name}"));
                let fields = &mut department.custom_fields;
                fields.insert("account_number".into(), n.map(number).into());
                fields.insert("address".into(), address.map(|n| format!("{n} Long Street")).into());
                department.head_name = address.map(|n| format!("Head {n}"));
                state.departments.retain(|old| old.id != department.id);
                state.departments.push(department);
            }
            Self::Person { at, name, email: n, departments, title, active } => {
                let departments: Vec<i64> = departments.iter().map(|at| 501 + at).collect();
                let mut person = Requester::new(901 + at, &format!("Ada {name}"), "Byron", &departments);
                person.primary_email = n.map(email);
                person.job_title = title.map(|n| format!("Title {n}"));
                person.active = *active;
                state.requesters.retain(|old| old.id != person.id);
                state.requesters.push(person);
            }
            Self::Gone { person: true, at } if !state.requesters.is_empty() => {
                state.requesters.remove(usize::from(*at) % state.requesters.len());
            }
            Self::Gone { person: false, at } if !state.departments.is_empty() => {
                state.departments.remove(usize::from(*at) % state.departments.len());
            }
            Self::Gone { .. } => {}
        }
    }
}

fn happen(syncing: &Syncing, told: &[Told]) {
    syncing.vendor.edit(|state| told.iter().for_each(|one| one.happen(state)));
}

/// What a person types; numbers pick among the records that are there.
#[derive(Clone, Debug)]
enum Typed {
    Company { number: u8, name: u8 },
    Contact { email: u8, name: u8 },
    Change { person: bool, at: u8, field: u8, value: u8 },
    Archive { person: bool, at: u8 },
    Pin { person: bool, at: u8, field: u8 },
}

fn typed() -> impl Strategy<Value = Typed> {
    let two = || (0..5_u8, 0..6_u8);
    prop_oneof![
        1 => two().prop_map(|(number, name)| Typed::Company { number, name }),
        2 => two().prop_map(|(email, name)| Typed::Contact { email, name }),
        6 => change(),
        1 => (any::<bool>(), any::<u8>()).prop_map(|(person, at)| Typed::Archive { person, at }),
    ]
}

fn change() -> impl Strategy<Value = Typed> {
    let any = (any::<bool>(), any::<u8>(), 0..4_u8, 0..9_u8);
    any.prop_map(|(person, at, field, value)| Typed::Change { person, at, field, value })
}

fn pin() -> impl Strategy<Value = Typed> {
    (any::<bool>(), any::<u8>(), 0..3_u8).prop_map(|(person, at, field)| Typed::Pin { person, at, field })
}

/// Fields of every live record.
type Live = BTreeMap<(Entity, i64), Fields>;

async fn live(syncing: &Syncing) -> Live {
    syncing.directory().await.into_iter().map(|(key, record)| (key, record.fields)).collect()
}

/// Types over the API; whether that was taken. What would break a rule is refused.
async fn type_in(syncing: &Syncing, caller: &Caller<'_>, typed: &Typed) -> bool {
    let live = live(syncing).await;
    let path = |person: bool, at: u8| {
        let kind = if person { Entity::Contact } else { Entity::Company };
        let all: Vec<_> = live.iter().filter(|((entity, _), _)| *entity == kind).collect();
        let ((_, id), fields) = *all.get(usize::from(at) % all.len().max(1))?;
        Some(match kind {
            Entity::Contact => format!("/api/contacts/{id}"),
            _ => format!("/api/companies/{}", fields["account_number"].as_str().unwrap()),
        })
    };
    let answer = match typed {
        Typed::Company { number: n, name } => {
            let body = json!({"account_number": number(*n), "name": format!("Ours {name}")});
            caller.post("/api/companies", &body).await
        }
        Typed::Contact { email: n, name } => {
            let body = json!({"email": email(*n), "name": format!("Ours {name}")});
            caller.post("/api/contacts", &body).await
        }
        Typed::Change { person, at, field, value } => {
            let Some(path) = path(*person, *at) else { return false };
            let text = format!("Typed {value}");
            let body = match (person, field) {
                (_, 0) => json!({"name": text}),
                (true, 1) => json!({"email": email(*value)}),
                (true, 2) => json!({"active": value % 2 == 0}),
                (true, _) => json!({"title": text}),
                (false, 1) => json!({"account_number": number(*value)}),
                (false, 2) => json!({"address": text, "head_name": null}),
                (false, _) => json!({"head_name": text}),
            };
            caller.put(&path, &body).await
        }
        Typed::Pin { person, at, field } => {
            let Some(path) = path(*person, *at) else { return false };
            let fields = if *person { ["name", "email", "active"] } else { ["name", "account_number", "head_name"] };
            caller.put(&format!("{path}/pins/{}", fields[usize::from(*field)]), &json!({})).await
        }
        Typed::Archive { person, at } => {
            let Some(path) = path(*person, *at) else { return false };
            caller.delete(&path).await
        }
    };
    assert!(answer.status.is_success() || answer.status == 409, "{typed:?}: {} {}", answer.status, answer.text);
    answer.status.is_success()
}

async fn read_set(syncing: &Syncing, id: i64) -> ChangeSet {
    syncing.client().get(&format!("/api/changesets/{id}")).await.unwrap()
}

/// A plan that waits is applied as it is.
async fn approve(syncing: &Syncing, run: &Run) {
    if run.state == RunState::Held {
        let set = read_set(syncing, run.changeset_id.unwrap()).await;
        let review = json!({"digest": set.digest});
        let _: Value = syncing.client().post(&format!("/api/changesets/{}/apply", set.id), &review).await.unwrap();
    }
}

/// Runs the job, to the end.
async fn settle(syncing: &Syncing) -> Run {
    let run = syncing.run().await;
    approve(syncing, &run).await;
    run
}

/// What a run had in mind.
async fn planned(syncing: &Syncing, run: &Run) -> Vec<Change> {
    match run.changeset_id {
        Some(id) => read_set(syncing, id).await.changes,
        None => Vec::new(),
    }
}

/// The directory after these changes, and nothing else, were made to it.
fn after(mut live: Live, changes: &[Change]) -> Live {
    for change in changes {
        let key = (change.entity, change.record_id);
        match change.action.as_str() {
            "archive" => drop(live.remove(&key)),
            _ => live.entry(key).or_default().extend(change.after.clone()),
        }
    }
    live
}

async fn what_is_applied_is_what_was_reviewed(
    syncing: Syncing,
    (ours, told, meanwhile, unwanted): (Vec<Typed>, Vec<Told>, Vec<Typed>, u64),
) {
    let tech = syncing.nexus.caller("tech", "technician", &[]).await;
    for one in &ours {
        type_in(&syncing, &tech, one).await;
    }
    happen(&syncing, &told);
    let mut before = live(&syncing).await;
    let run = syncing.run().await;
    let Some(id) = run.changeset_id else { return };
    let mut except = BTreeSet::new();
    if run.state == RunState::Held {
        assert_eq!(live(&syncing).await, before, "what waits is not applied");
        let reviewed = read_set(&syncing, id).await;
        for one in &meanwhile {
            type_in(&syncing, &tech, one).await;
        }
        before = live(&syncing).await;
        let rows = reviewed.changes.iter().zip(0..).filter(|(_, n)| unwanted >> (n % 64) & 1 == 1);
        except = rows.map(|(row, _)| row.id).collect();
        let review = json!({"digest": reviewed.digest, "except": except});
        let answer = tech.post(&format!("/api/changesets/{id}/apply"), &review).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let shown =
            |row: &Change| (row.entity, row.record_id, row.action.clone(), row.before.clone(), row.after.clone());
        let done = read_set(&syncing, id).await;
        assert!(reviewed.changes.iter().map(shown).eq(done.changes.iter().map(shown)), "{reviewed:?} {done:?}");
    }
    let done = read_set(&syncing, id).await.changes;
    let rejected: BTreeSet<i64> = done.iter().filter(|row| row.state == "rejected").map(|row| row.id).collect();
    assert_eq!(rejected, except);
    let applied: Vec<Change> = done.into_iter().filter(|row| row.state == "applied").collect();
    assert_eq!(live(&syncing).await, after(before, &applied));
}

law!(
    applied_is_what_was_reviewed_and_nothing_else,
    6,
    (vec(typed(), 1..8), several(3..14), vec(typed(), 0..4), prop_oneof![Just(0), any::<u64>()]),
    what_is_applied_is_what_was_reviewed
);

async fn of_an_unchanged_world_nothing_is_planned(syncing: Syncing, (told, ours): (Vec<Vec<Told>>, Vec<Typed>)) {
    let tech = syncing.nexus.caller("tech", "technician", &[]).await;
    for told in &told {
        happen(&syncing, told);
        for one in &ours {
            type_in(&syncing, &tech, one).await;
        }
        // A key that passes from one record to another is free with the run after.
        let mut runs = 1;
        while settle(&syncing).await.changeset_id.is_some() {
            runs += 1;
            assert!(runs < 5, "it does not come to rest");
        }
        let (before, written) = (live(&syncing).await, syncing.nexus.written().await);
        let again = syncing.run().await;
        assert_eq!(planned(&syncing, &again).await, [], "{:?}", again.message);
        assert_eq!((live(&syncing).await, syncing.nexus.written().await), (before, written));
    }
}

law!(
    a_plan_on_an_unchanged_world_is_empty,
    6,
    (vec(several(2..10), 1..4), vec(typed(), 0..3)),
    of_an_unchanged_world_nothing_is_planned
);

/// The fields of a record that are pinned, with their values.
fn pinned((key, fields): (&(Entity, i64), &Fields)) -> Vec<((Entity, i64), String, Value)> {
    let names = fields["pinned_fields"].as_array().unwrap().iter().filter_map(Value::as_str);
    names.map(|name| (*key, name.to_owned(), fields[name].clone())).collect()
}

async fn what_is_pinned_stays(syncing: Syncing, (told, typed, days): (Vec<Told>, Vec<Typed>, Vec<Told>)) {
    happen(&syncing, &told);
    settle(&syncing).await;
    let tech = syncing.nexus.caller("tech", "technician", &[]).await;
    for one in &typed {
        type_in(&syncing, &tech, one).await;
    }
    let pins: Vec<_> = live(&syncing).await.iter().flat_map(pinned).collect();
    for day in days {
        happen(&syncing, &[day]);
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(24));
        settle(&syncing).await;
        let now = live(&syncing).await;
        // A record that its source has lost leaves the directory with its pins, and comes back with them.
        let there = pins.iter().filter(|(key, ..)| now.contains_key(key));
        let kept: Vec<_> = now.iter().flat_map(pinned).collect();
        for pin in there {
            assert!(kept.contains(pin), "{pin:?} {:?}", now[&pin.0]);
        }
    }
}

law!(
    a_pin_survives_a_hundred_runs,
    1,
    (several(8..14), vec(prop_oneof![change(), pin()], 6..12), several(100..101)),
    what_is_pinned_stays
);

/// A source that tells these records.
struct Teller {
    name: &'static str,
    records: BTreeMap<(Entity, u8), Record>,
}

impl Job for Teller {
    type Error = Stopped;

    fn name(&self) -> &'static str {
        self.name
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), Stopped> {
        for kind in [Entity::Company, Entity::Contact, Entity::Asset] {
            let mut scope = sink.scope(kind.as_str(), kind);
            for (_, record) in self.records.iter().filter(|((entity, _), _)| *entity == kind) {
                scope.observe(record.clone()).await?;
            }
            scope.complete();
        }
        Ok(())
    }
}

/// What one of two sources says anew: which of them, of which of its records, and what.
type Says = (bool, u8, u8, Option<u8>, u8, Vec<u8>);

fn says() -> impl Strategy<Value = Says> {
    (any::<bool>(), 0..3_u8, 0..4_u8, option::weighted(0.8, 0..4_u8), 0..3_u8, vec(0..4_u8, 0..3))
}

impl Teller {
    fn say(&mut self, (_, kind, at, key, name, companies): &Says) {
        let name = format!("{} {name}", self.name);
        let companies: Vec<String> = companies.iter().map(u8::to_string).collect();
        let (entity, fields, link) = match kind {
            0 => (Entity::Company, json!({"account_number": key.map(number), "name": name}), None),
            1 => (Entity::Contact, json!({"email": key.map(email), "name": name, "title": name}), Some("company_ids")),
            _ => (Entity::Asset, json!({"hostname": name}), Some("company_id")),
        };
        let links = link.map(|link| (link.to_owned(), companies)).into_iter().collect();
        let record = Record { external_id: at.to_string(), fields: fields.as_object().unwrap().clone(), links };
        self.records.insert((entity, *at), record);
    }
}

async fn two_sources_come_to_rest(syncing: Syncing, rounds: Vec<Vec<Says>>) {
    let mut sources = ["sync-freshservice", "sync-datto"].map(|name| Teller { name, records: BTreeMap::new() });
    for says in &rounds {
        for one in says {
            sources[usize::from(one.0)].say(one);
        }
        let mut last = Vec::new();
        for _ in 0..4 {
            last.clear();
            for source in &sources {
                let event = Event::manual(source.name);
                let run = nexus_jobs::run(source, syncing.client(), &event, Deadline::none(), &Silent).await.unwrap();
                approve(&syncing, &run).await;
                last.extend(planned(&syncing, &run).await);
            }
        }
        assert_eq!(last, [], "after four rounds the two still take turns");
    }
}

law!(two_sources_do_not_take_turns, 6, vec(vec(says(), 1..12), 1..4), two_sources_come_to_rest);

async fn an_undo_gives_back_what_was_there(
    syncing: Syncing,
    (first, second, weeks, later): (Vec<Told>, Vec<Told>, bool, Vec<Typed>),
) {
    happen(&syncing, &first);
    settle(&syncing).await;
    happen(&syncing, &second);
    if weeks {
        // What is missing by now is taken away by the next run.
        settle(&syncing).await;
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(8 * 24));
    }
    let before = live(&syncing).await;
    let Some(id) = settle(&syncing).await.changeset_id else { return };
    let tech = syncing.nexus.caller("tech", "technician", &[]).await;
    let mut touched = false;
    for one in &later {
        touched |= type_in(&syncing, &tech, one).await;
    }
    let later = live(&syncing).await;
    let mut done = read_set(&syncing, id).await.changes;
    done.retain(|row| row.cursor.is_some());
    let undone = tech.post(&format!("/api/changesets/{id}/revert"), &json!({})).await.json();
    let left = undone["left_alone"].as_array().unwrap();
    assert!(left.iter().all(|row| row["reason"].as_str().is_some_and(|reason| !reason.is_empty())), "{undone}");
    let named: BTreeSet<i64> = left.iter().map(|row| row["change_id"].as_i64().unwrap()).collect();
    let mut expected = later.clone();
    for row in done.iter().rev() {
        let key = (row.entity, row.record_id);
        let is_as_applied = |fields: &Fields| {
            row.after.iter().all(|(name, value)| name == "pinned_fields" || fields.get(name) == Some(value))
        };
        let moved = match row.action.as_str() {
            "archive" => later.contains_key(&key),
            _ => !later.get(&key).is_some_and(is_as_applied),
        };
        assert!(!moved || named.contains(&row.id), "{row:?} was changed later: {undone}");
        if named.contains(&row.id) {
            continue;
        }
        match row.action.as_str() {
            "create" | "restore" => drop(expected.remove(&key)),
            _ => expected.entry(key).or_default().extend(row.before.clone()),
        }
    }
    let now = live(&syncing).await;
    assert_eq!(now, expected);
    if !touched {
        assert_eq!((now, named.len()), (before, 0));
    }
}

law!(
    an_undo_of_a_run_restores_what_was_before_but_what_changed_later_which_is_named,
    6,
    (several(4..12), several(2..10), any::<bool>(), vec(typed(), 0..4)),
    an_undo_gives_back_what_was_there
);
