//! What happened, as people look back at it.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeSet;

use nexus_core::entity::Entity;
use nexus_core::{Actor, Fields, fields};
use nexus_db::Db;
use nexus_db::changes::{self, Action, Deed, Draft, Edit, Origin, Proposal, RowFilter, RowState};
use nexus_test_databases::both;
use serde_json::{Value, json};

fn deed(who: &str, origin: Origin) -> Deed {
    Deed::new(Actor { user_id: None, name: who.into() }, origin, "a test")
}

fn parsed(entity: Entity, given: &Value) -> Fields {
    fields::parse(entity, given.as_object().unwrap()).unwrap()
}

async fn change(db: &Db, who: &str, edit: Edit) -> changes::Done {
    changes::change(db, &deed(who, Origin::Page), vec![edit]).await.unwrap()
}

async fn company(db: &Db, number: &str, name: &str) -> i64 {
    let fields = parsed(Entity::Company, &json!({"account_number": number, "name": name}));
    change(db, "Ada", Edit::Create { entity: Entity::Company, fields }).await.records[0].id
}

fn rename(id: i64, name: &str) -> Edit {
    Edit::Update { entity: Entity::Company, id, version: None, fields: parsed(Entity::Company, &json!({"name": name})) }
}

/// A plan that renames a company, archives another and makes two contacts.
async fn plan(db: &Db, renamed: i64, archived: i64) -> i64 {
    let now = db.now();
    let mut tx = db.write().await.unwrap();
    let first = changes::reserve(&mut tx, Entity::Contact, 2).await.unwrap();
    let mut draft = Draft::begin(&mut tx, &deed("job", Origin::Sync), 1, &now).await.unwrap();
    let row = |entity, id, action, given: Value| Proposal {
        entity,
        id,
        action,
        version: None,
        fields: parsed(entity, &given),
        reason: Some("a test".into()),
        link: None,
    };
    let rows = vec![
        row(Entity::Company, renamed, Action::Update, json!({"name": "Über Neu"})),
        row(Entity::Company, archived, Action::Archive, json!({})),
        row(Entity::Contact, first, Action::Create, json!({"name": "Grace 100%", "company_ids": [renamed]})),
        row(Entity::Contact, first + 1, Action::Create, json!({"name": "Alan", "company_ids": [renamed]})),
    ];
    assert_eq!(draft.add(&mut tx, rows).await.unwrap(), []);
    let id = draft.finish(&mut tx).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    id
}

both! {
    async fn a_record_tells_what_happened_to_it_newest_first(world: World) {
        let id = company(&world.db, "1", "One").await;
        company(&world.db, "2", "Two").await;
        change(&world.db, "Ada", rename(id, "First")).await;
        let second = change(&world.db, "Bob", rename(id, "Second")).await.changeset_id.unwrap();
        let undo = changes::revert(&world.db, &deed("Cy", Origin::Undo), second, None).await.unwrap().0.changeset_id;
        let told = async |limit, offset| changes::of_record(&world.db, (Entity::Company, id), limit, offset).await.unwrap();
        let all = told(10, 0).await;
        let seen: Vec<_> = all.iter().map(|one| (one.author.as_str(), one.origin.as_str(), one.set_state.as_str())).collect();
        assert_eq!(seen, [
            ("Cy", "undo", "applied"), ("Bob", "page", "reverted"), ("Ada", "page", "applied"), ("Ada", "page", "applied"),
        ]);
        assert_eq!((all[1].change.reverted_by, all[1].why.as_str()), (undo, "a test"));
        assert_eq!(all[2].change.after["name"], "First");
        assert_eq!(told(2, 1).await, all[1..3]);
        let (found, set) = changes::find_change(&world.db, all[1].change.id).await.unwrap().unwrap();
        assert_eq!((found, set), (all[1].change.clone(), second));
        assert_eq!(changes::find_change(&world.db, 999_999).await.unwrap(), None);
        assert!(!changes::any_to_undo(&world.db, second).await.unwrap());
        assert!(changes::any_to_undo(&world.db, undo.unwrap()).await.unwrap());
    }

    async fn change_sets_are_found_by_their_way_and_their_author(world: World) {
        let id = company(&world.db, "1", "One").await;
        let bobs = change(&world.db, "Bob", rename(id, "Two")).await.changeset_id;
        let undo = changes::revert(&world.db, &deed("Bob", Origin::Undo), bobs.unwrap(), None).await.unwrap().0.changeset_id;
        let ids = async |origin: Option<&str>, author: Option<&str>| {
            let (origin, author) = (origin.map(str::to_owned), author.map(str::to_owned));
            let filter = changes::SetFilter { origin, author, ..Default::default() };
            let heads = changes::list_sets(&world.db, &filter, 10, 0).await.unwrap();
            assert_eq!(changes::count_sets(&world.db, &filter).await.unwrap(), i64::try_from(heads.len()).unwrap());
            heads.into_iter().map(|head| Some(head.id)).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, Some("bob")).await, [undo, bobs]);
        assert_eq!(ids(Some("page"), Some("BOB")).await, [bobs]);
        assert_eq!(ids(Some("nothing"), None).await, []);
        assert_eq!(ids(None, None).await.len(), 3);
    }

    async fn the_rows_of_a_plan_are_found_by_what_is_done_and_by_names(world: World) {
        let (one, two) = (company(&world.db, "77-1", "Old name").await, company(&world.db, "2", "Gone").await);
        let set = plan(&world.db, one, two).await;
        let found = async |filter: RowFilter| {
            let (rows, total) = changes::list_rows_where(&world.db, set, &filter, 10, 0).await.unwrap();
            assert_eq!(total, i64::try_from(rows.len()).unwrap());
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            assert_eq!(changes::row_ids(&world.db, set, &filter).await.unwrap().into_iter().collect::<BTreeSet<_>>(), ids.into_iter().collect());
            rows.into_iter().map(|row| (row.entity, row.action)).collect::<Vec<_>>()
        };
        let search = |text: &str| RowFilter { search: text.to_owned(), ..RowFilter::default() };
        assert_eq!(found(RowFilter::default()).await.len(), 4);
        let renamed = [(Entity::Company, "update".to_owned())];
        for text in ["old NAME", "77-", "NEU", " neu "] {
            assert_eq!(found(search(text)).await, renamed, "{text}");
        }
        assert_eq!(found(search("gone")).await, [(Entity::Company, "archive".to_owned())]);
        assert_eq!(found(search("100%")).await, [(Entity::Contact, "create".to_owned())]);
        for text in ["%", "_", "\\", "\0", "'"] {
            assert_eq!(found(search(text)).await.len(), usize::from(text == "%"), "{text:?}");
        }
        let contacts = RowFilter { entity: Some(Entity::Contact), search: "a".into(), ..RowFilter::default() };
        assert_eq!(found(contacts.clone()).await.len(), 2);
        assert_eq!(found(RowFilter { action: Some(Action::Update), ..contacts.clone() }).await, []);
        assert_eq!(found(RowFilter { state: Some(RowState::Applied), ..contacts }).await, []);
        let page = changes::list_rows_where(&world.db, set, &RowFilter::default(), 2, 3).await.unwrap();
        assert_eq!((page.0.len(), page.1), (1, 4));

        let tallies = changes::tally(&world.db, &[set, 999_999]).await.unwrap();
        let told: Vec<_> = tallies.iter().map(|one| (one.entity, one.action, one.state, one.rows)).collect();
        assert_eq!(told, [
            (Entity::Company, Action::Update, RowState::Proposed, 1),
            (Entity::Company, Action::Archive, RowState::Proposed, 1),
            (Entity::Contact, Action::Create, RowState::Proposed, 2),
        ]);
        assert_eq!((tallies[0].changeset_id, tallies[0].record_id), (set, one));
        assert!(!changes::any_to_undo(&world.db, set).await.unwrap());
    }
}
