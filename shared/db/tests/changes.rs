//! The one door for writes, seen from outside.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::entity::Entity;
use nexus_core::sync::{RunState, StartRun, Trigger};
use nexus_core::{Actor, Fields, fields};
use nexus_db::changes::{self, Action, ChangeError, Deed, Draft, Edit, Origin, Proposal};
use nexus_db::runs::{self, Report};
use nexus_db::{Db, records};
use nexus_test_databases::both;
use serde_json::{Value, json};

fn deed() -> Deed {
    Deed::new(Actor { user_id: None, name: "ada".into() }, Origin::Api, "a test")
}

fn parsed(entity: Entity, given: &Value) -> Fields {
    fields::parse(entity, given.as_object().unwrap()).unwrap()
}

fn create(entity: Entity, given: &Value) -> Edit {
    Edit::Create { entity, fields: parsed(entity, given) }
}

fn update(entity: Entity, id: i64, version: Option<i64>, given: &Value) -> Edit {
    Edit::Update { entity, id, version, fields: parsed(entity, given) }
}

async fn change_one(db: &Db, edit: Edit) -> Result<changes::Touched, ChangeError> {
    changes::change(db, &deed(), vec![edit]).await.map(|done| done.records[0])
}

async fn company(db: &Db, number: &str) -> i64 {
    let edit = create(Entity::Company, &json!({"account_number": number, "name": format!("Company {number}")}));
    change_one(db, edit).await.unwrap().id
}

both! {
    async fn a_record_comes_back_as_it_was_written(world: World) {
        let given = json!({
            "account_number": "001234", "name": "Größe & Söhne \"GmbH\"", "freshservice_id": 39_000_380_032_i64,
            "domains": ["a.example", "b.example"], "description": "first\nsecond",
        });
        let id = change_one(&world.db, create(Entity::Company, &given)).await.unwrap().id;
        let all = records::dump(&world.db, Entity::Company).await.unwrap();
        for (field, value) in given.as_object().unwrap() {
            assert_eq!(&all[&id].fields[field], value, "{field}");
        }
        assert_eq!(all[&id].fields["address"], Value::Null);
        assert_eq!(all[&id].version, 1);
    }

    async fn a_contact_keeps_its_links_when_other_fields_change_and_when_it_comes_back(world: World) {
        let (a, b) = (company(&world.db, "100001").await, company(&world.db, "100002").await);
        let given = json!({"name": "Grace", "email": "Grace@Example.org", "company_ids": [b, a]});
        let id = change_one(&world.db, create(Entity::Contact, &given)).await.unwrap().id;
        change_one(&world.db, update(Entity::Contact, id, Some(1), &json!({"title": "CTO"}))).await.unwrap();
        change_one(&world.db, Edit::Archive { entity: Entity::Contact, id, version: None }).await.unwrap();
        assert!(records::dump(&world.db, Entity::Contact).await.unwrap().is_empty());
        change_one(&world.db, Edit::Restore { entity: Entity::Contact, id, version: None }).await.unwrap();
        let contact = &records::dump(&world.db, Entity::Contact).await.unwrap()[&id];
        assert_eq!(contact.fields["company_ids"], json!([a, b]));
        assert_eq!(contact.fields["title"], "CTO");
        assert_eq!(contact.fields["active"], true);
        assert_eq!(contact.version, 4);
    }

    async fn an_edit_of_an_older_version_is_refused_and_nothing_of_its_set_is_written(world: World) {
        let id = company(&world.db, "100001").await;
        change_one(&world.db, update(Entity::Company, id, Some(1), &json!({"name": "First"}))).await.unwrap();
        let set = vec![
            create(Entity::Company, &json!({"account_number": "2", "name": "Other"})),
            update(Entity::Company, id, Some(1), &json!({"name": "Second"})),
        ];
        let error = changes::change(&world.db, &deed(), set).await.unwrap_err();
        assert!(matches!(error, ChangeError::Stale { current: 2, .. }), "{error}");
        let all = records::dump(&world.db, Entity::Company).await.unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!(all[&id].fields["name"], "First");
        assert_eq!(changes::feed(&world.db, &nexus_core::Scope::All, 0, 100).await.unwrap().rows.len(), 2);
    }

    async fn saving_without_a_change_leaves_no_trace(world: World) {
        let id = company(&world.db, "100001").await;
        let set = vec![update(Entity::Company, id, None, &json!({"name": "Company 100001"}))];
        let done = changes::change(&world.db, &deed(), set).await.unwrap();
        assert_eq!(done.changeset_id, None);
        assert_eq!(done.records[0].version, 1);
        assert_eq!(changes::feed(&world.db, &nexus_core::Scope::All, 0, 100).await.unwrap().rows.len(), 1);
    }

    async fn a_unique_value_is_held_by_one_live_record_whatever_its_letter_case(world: World) {
        let ada = json!({"name": "Ada", "email": "ada@example.org"});
        let id = change_one(&world.db, create(Entity::Contact, &ada)).await.unwrap().id;
        let same = json!({"name": "Other", "email": "ADA@example.ORG"});
        let error = change_one(&world.db, create(Entity::Contact, &same)).await.unwrap_err();
        assert!(matches!(error, ChangeError::Taken { field: "email", .. }), "{error}");
        let twice = vec![
            create(Entity::Contact, &json!({"name": "One", "email": "one@example.org"})),
            create(Entity::Contact, &json!({"name": "Two", "email": "One@example.org"})),
        ];
        assert!(changes::change(&world.db, &deed(), twice).await.is_err());
        // In one set, the archived record makes room for the new one.
        let swap = vec![
            create(Entity::Contact, &same),
            Edit::Archive { entity: Entity::Contact, id, version: None },
        ];
        changes::change(&world.db, &deed(), swap).await.unwrap();
        let error = change_one(&world.db, Edit::Restore { entity: Entity::Contact, id, version: None }).await.unwrap_err();
        assert!(matches!(error, ChangeError::Taken { .. }), "{error}");
    }

    async fn a_link_to_a_company_that_does_not_exist_names_the_field(world: World) {
        let lost = json!({"name": "Lost", "company_ids": [77]});
        match change_one(&world.db, create(Entity::Contact, &lost)).await {
            Err(ChangeError::Invalid(faults)) => assert_eq!(faults[0].field, "company_ids"),
            other => panic!("{other:?}"),
        }
    }

    async fn a_number_of_an_archived_company_is_free_and_its_id_is_not_used_again(world: World) {
        let first = company(&world.db, "100001").await;
        change_one(&world.db, Edit::Archive { entity: Entity::Company, id: first, version: None }).await.unwrap();
        let second = company(&world.db, "100001").await;
        assert!(second > first);
    }

    async fn undo_leaves_alone_what_was_changed_since_and_names_it(world: World) {
        let (a, b) = (company(&world.db, "100001").await, company(&world.db, "100002").await);
        let both = |name: &str| [a, b].map(|id| update(Entity::Company, id, None, &json!({"name": name}))).to_vec();
        let set = changes::change(&world.db, &deed(), both("Renamed")).await.unwrap().changeset_id.unwrap();
        let by_hand = update(Entity::Company, b, None, &json!({"name": "By hand"}));
        let by_hand = changes::change(&world.db, &deed(), vec![by_hand]).await.unwrap().changeset_id.unwrap();
        change_one(&world.db, update(Entity::Company, a, None, &json!({"address": "Elsewhere"}))).await.unwrap();
        let (done, left) = changes::revert(&world.db, &deed(), set, None).await.unwrap();
        assert!(done.changeset_id.is_some());
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [b]);
        let all = records::dump(&world.db, Entity::Company).await.unwrap();
        assert_eq!(all[&a].fields["name"], "Company 100001");
        assert_eq!(all[&a].fields["address"], "Elsewhere");
        assert_eq!(all[&b].fields["name"], "By hand");
        let (again, left) = changes::revert(&world.db, &deed(), set, None).await.unwrap();
        assert_eq!((again.changeset_id, left.len()), (None, 1), "the other stands still");

        // Without what stood in the way, the rest of it can be undone.
        changes::revert(&world.db, &deed(), by_hand, None).await.unwrap();
        let (_, left) = changes::revert(&world.db, &deed(), set, None).await.unwrap();
        assert_eq!(left, []);
        let all = records::dump(&world.db, Entity::Company).await.unwrap();
        assert_eq!(all[&b].fields["name"], "Company 100002");
        let whole = changes::revert(&world.db, &deed(), set, None).await.unwrap_err();
        assert!(matches!(whole, ChangeError::Decided { .. }), "{whole}");
    }

    async fn the_feed_has_no_gap_and_no_reordering_under_concurrent_writers(world: World) {
        let writers = (0..8).map(|writer| {
            let db = world.db.clone();
            async move {
                for n in 0..12 {
                    let given = json!({"name": "W", "email": format!("{writer}-{n}@example.org")});
                    change_one(&db, create(Entity::Contact, &given)).await.unwrap();
                    // Every fourth fails after the lock was taken: its number must not be lost.
                    if n % 4 == 0 {
                        change_one(&db, create(Entity::Contact, &given)).await.unwrap_err();
                    }
                }
            }
        });
        let db = world.db.clone();
        let reader = async move {
            let (mut cursor, mut seen) = (0, Vec::new());
            while seen.len() < 96 {
                for row in changes::feed(&db, &nexus_core::Scope::All, cursor, 7).await.unwrap().rows {
                    cursor = row.cursor;
                    seen.push(row.cursor);
                }
                tokio::task::yield_now().await;
            }
            seen
        };
        let (seen, ()) = tokio::join!(reader, async { drop(futures(writers).await) });
        assert_eq!(seen, (1..=96).collect::<Vec<i64>>());
    }

    async fn five_thousand_creates_are_one_change_set(world: World) {
        let edits = (0..5_000).map(|n| {
            create(Entity::Contact, &json!({"name": format!("Person {n}"), "email": format!("p{n}@example.org")}))
        });
        let done = changes::change(&world.db, &deed(), edits.collect()).await.unwrap();
        let ids: Vec<i64> = done.records.iter().map(|record| record.id).collect();
        assert_eq!(ids, (1..=5_000).collect::<Vec<_>>());
        let (undone, left) = changes::revert(&world.db, &deed(), done.changeset_id.unwrap(), None).await.unwrap();
        assert_eq!((undone.records.len(), left.len()), (5_000, 0));
        assert!(records::dump(&world.db, Entity::Contact).await.unwrap().is_empty());
        let by_action = changes::feed(&world.db, &nexus_core::Scope::All, 0, 20_000).await.unwrap().rows.into_iter().fold(
            BTreeMap::<Action, usize>::new(),
            |mut counts, row| {
                *counts.entry(row.action).or_default() += 1;
                counts
            },
        );
        assert_eq!(by_action, BTreeMap::from([(Action::Create, 5_000), (Action::Archive, 5_000)]));
    }

    async fn a_plan_that_nobody_is_left_to_apply_goes_with_its_run(world: World) {
        let db = &world.db;
        let start = StartRun::new("sync-freshservice", Trigger::Manual);
        let run_id = runs::start(db, &start).await.unwrap().unwrap().run_id;
        let mut tx = db.write().await.unwrap();
        let mut draft = Draft::begin(&mut tx, &deed(), run_id, &db.now()).await.unwrap();
        let id = changes::reserve(&mut tx, Entity::Company, 1).await.unwrap();
        let fields = parsed(Entity::Company, &json!({"account_number": "1", "name": "One"}));
        let (entity, action) = (Entity::Company, Action::Create);
        let row = Proposal { entity, id, action, version: None, fields, reason: None, link: None };
        assert_eq!(draft.add(&mut tx, vec![row]).await.unwrap(), []);
        let set = draft.finish(&mut tx).await.unwrap();
        runs::planned(&mut tx, run_id, &Report::default(), 0, set).await.unwrap();
        tx.commit().await.unwrap();
        // Here Nexus dies, and is started again.
        assert!(runs::cancel(db, run_id, "ada").await.unwrap());
        assert!(!runs::cancel(db, run_id, "ada").await.unwrap());
        assert_eq!(runs::find(db, run_id).await.unwrap().unwrap().state, RunState::Interrupted);
        let late = changes::apply(db, &deed().actor, set.unwrap(), None, &BTreeSet::new()).await;
        assert!(matches!(late, Err(ChangeError::Decided { .. })), "{late:?}");
        assert!(records::dump(db, Entity::Company).await.unwrap().is_empty());
        assert!(runs::start(db, &start).await.unwrap().is_ok());
    }
}

async fn futures<F: Future<Output = ()>>(all: impl Iterator<Item = F>) -> Vec<()> {
    futures_util::future::join_all(all).await
}
