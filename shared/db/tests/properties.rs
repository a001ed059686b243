//! The laws of the door for writes, on random histories.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;

use nexus_core::entity::Entity;
use nexus_core::{Actor, Fields, fields};
use nexus_db::changes::{self, Action, Deed, Edit, FeedRow, Origin};
use nexus_db::{Db, Dialect, records};
use nexus_test_databases::on;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// A step of a history; numbers pick among the records that exist by then.
#[derive(Clone, Debug)]
enum Step {
    AddCompany(u8),
    AddContact(u8, Vec<u8>),
    Rename(u8, u8),
    Move(u8, Vec<u8>),
    Archive(bool, u8),
    Restore(bool, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let few = || proptest::collection::vec(any::<u8>(), 0..3);
    prop_oneof![
        any::<u8>().prop_map(Step::AddCompany),
        (any::<u8>(), few()).prop_map(|(n, links)| Step::AddContact(n, links)),
        (any::<u8>(), any::<u8>()).prop_map(|(at, n)| Step::Rename(at, n)),
        (any::<u8>(), few()).prop_map(|(at, links)| Step::Move(at, links)),
        (any::<bool>(), any::<u8>()).prop_map(|(kind, at)| Step::Archive(kind, at)),
        (any::<bool>(), any::<u8>()).prop_map(|(kind, at)| Step::Restore(kind, at)),
    ]
}

fn deed() -> Deed {
    Deed::new(Actor { user_id: None, name: "law".into() }, Origin::Api, "a property")
}

type Dump = BTreeMap<(Entity, i64), Fields>;

async fn dump(db: &Db) -> Dump {
    let mut all = Dump::new();
    for entity in Entity::ALL {
        for (id, record) in records::dump(db, entity).await.unwrap() {
            all.insert((entity, id), record.fields);
        }
    }
    all
}

/// How many records of a kind there ever were: ids are given in order.
#[derive(Default)]
struct Made(BTreeMap<Entity, i64>);

impl Made {
    fn pick(&self, entity: Entity, at: u8) -> Option<i64> {
        let n = self.0.get(&entity).copied().unwrap_or(0);
        (n > 0).then(|| i64::from(at) % n + 1)
    }
    fn links(&self, picks: &[u8]) -> Value {
        picks.iter().filter_map(|at| self.pick(Entity::Company, *at)).collect()
    }
    fn edit(&self, step: &Step) -> Option<Edit> {
        let parse = |entity, given: Value| fields::parse(entity, given.as_object().unwrap()).unwrap();
        let kind = |contact| if contact { Entity::Contact } else { Entity::Company };
        Some(match step {
            Step::AddCompany(n) => Edit::Create {
                entity: Entity::Company,
                fields: parse(Entity::Company, json!({"account_number": n.to_string(), "name": format!("C{n}")})),
            },
            Step::AddContact(n, links) => {
                let given = json!({
                    "name": format!("P{n}"), "email": format!("{n}@example.org"), "company_ids": self.links(links)
                });
                Edit::Create { entity: Entity::Contact, fields: parse(Entity::Contact, given) }
            }
            Step::Rename(at, n) => {
                let id = self.pick(Entity::Company, *at)?;
                let fields = parse(Entity::Company, json!({"name": format!("N{n}"), "domains": [format!("d{n}")]}));
                Edit::Update { entity: Entity::Company, id, version: None, fields }
            }
            Step::Move(at, links) => {
                let id = self.pick(Entity::Contact, *at)?;
                let fields =
                    parse(Entity::Contact, json!({"company_ids": self.links(links), "active": links.len() > 1}));
                Edit::Update { entity: Entity::Contact, id, version: None, fields }
            }
            Step::Archive(contact, at) => {
                Edit::Archive { entity: kind(*contact), id: self.pick(kind(*contact), *at)?, version: None }
            }
            Step::Restore(contact, at) => {
                Edit::Restore { entity: kind(*contact), id: self.pick(kind(*contact), *at)?, version: None }
            }
        })
    }
}

/// A follower's copy of the directory, made from the feed alone.
fn replay(rows: &[FeedRow]) -> Dump {
    let mut copy = Dump::new();
    for row in rows {
        let key = (row.entity, row.record_id);
        match row.action {
            Action::Archive => drop(copy.remove(&key)),
            _ => copy.entry(key).or_default().extend(row.after.clone()),
        }
    }
    copy
}

fn check(dialect: Dialect, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let histories = proptest::collection::vec(step(), 1..40);
    runner
        .run(&histories, |history| {
            runtime.block_on(on(dialect, |world| async move {
                let mut made = Made::default();
                for step in &history {
                    let Some(edit) = made.edit(step) else { continue };
                    let creates = match &edit {
                        Edit::Create { entity, .. } => Some(*entity),
                        _ => None,
                    };
                    let before = dump(&world.db).await;
                    // A step that breaks a rule (a taken number, an archived record) must change nothing at all.
                    let Ok(done) = changes::change(&world.db, &deed(), vec![edit.clone()]).await else {
                        assert_eq!(dump(&world.db).await, before);
                        continue;
                    };
                    if let Some(entity) = creates {
                        *made.0.entry(entity).or_default() += 1;
                    }
                    let Some(changeset_id) = done.changeset_id else { continue };
                    let after = dump(&world.db).await;
                    assert_ne!(after, before, "a change set changes something");
                    // Undo gives the state before; undoing the undo gives the state after.
                    let (undone, left) = changes::revert(&world.db, &deed(), changeset_id, None).await.unwrap();
                    assert_eq!((dump(&world.db).await, left.len()), (before, 0), "undo of {edit:?}");
                    let (_, left) =
                        changes::revert(&world.db, &deed(), undone.changeset_id.unwrap(), None).await.unwrap();
                    assert_eq!((dump(&world.db).await, left.len()), (after, 0), "redo of {edit:?}");
                }
                let feed = changes::feed(&world.db, &nexus_core::Scope::All, 0, 10_000).await.unwrap().rows;
                let cursors: Vec<i64> = feed.iter().map(|row| row.cursor).collect();
                assert_eq!(cursors, (1..).take(feed.len()).collect::<Vec<i64>>(), "the feed is gap-free");
                assert_eq!(replay(&feed), dump(&world.db).await, "replaying the feed gives the directory");
            }));
            Ok(())
        })
        .unwrap();
}

#[test]
fn apply_then_revert_gives_the_state_before_and_the_feed_replays_to_a_dump_sqlite() {
    check(Dialect::Sqlite, 24);
}

#[test]
fn apply_then_revert_gives_the_state_before_and_the_feed_replays_to_a_dump_postgres() {
    check(Dialect::Postgres, 8);
}
