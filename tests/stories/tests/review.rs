//! What a person decides over the syncs: undoing a part of a run, refusing for good, taking a source away.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use jiff::SignedDuration;
use nexus_core::sync::{Run, RunState};
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Caller, Nexus, Syncing};
use serde_json::{Value, json};

/// A synced directory of some companies and people.
async fn synced(world: World) -> Syncing {
    let vendor = Freshservice::start(Size { companies: 12, contacts: 40, devices: 0 }, 3).await.unwrap();
    let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
    assert_eq!(syncing.run().await.state, RunState::Applied);
    syncing
}

async fn weeks(syncing: &Syncing, weeks: i64) -> Run {
    syncing.nexus.world.clock.advance(SignedDuration::from_hours(weeks * 7 * 24));
    syncing.run().await
}

fn count(run: &Run, entity: &str, what: &str) -> u64 {
    run.counts.get(entity).and_then(|counts| counts.get(what)).copied().unwrap_or(0)
}

async fn set(caller: &Caller<'_>, run: &Run) -> Value {
    caller.get(&format!("/api/changesets/{}", run.changeset_id.unwrap())).await.json()
}

async fn apply_but(caller: &Caller<'_>, set: &Value, except: &[&Value]) {
    let body = json!({"digest": set["digest"], "except": except});
    let applied = caller.post(&format!("/api/changesets/{}/apply", set["id"]), &body).await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    assert_eq!(applied.json()["rejected"], except.len());
}

fn rename(syncing: &Syncing, at: usize, name: &str) -> i64 {
    syncing.vendor.edit(|state| {
        name.clone_into(&mut state.departments[at].name);
        state.departments[at].id
    })
}

both! {
    async fn one_change_of_a_run_is_undone_and_the_others_stay(world: World) {
        let syncing = synced(world).await;
        let ids = [0, 1, 2].map(|at| rename(&syncing, at, &format!("Renamed {at}")));
        let run = syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let changes = set(&tech, &run).await;
        let changes = changes["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 3, "{changes:?}");
        let path = format!("/api/changesets/{}/revert", run.changeset_id.unwrap());
        let undone = tech.post(&path, &json!({"only": [changes[1]["id"]]})).await;
        assert_eq!((undone.status.as_u16(), &undone.json()["left_alone"]), (200, &json!([])), "{}", undone.text);
        let name = async |id: i64| tech.get(&format!("/api/companies?freshservice_id={id}")).await.json()[0]["name"].clone();
        assert_eq!((name(ids[0]).await, name(ids[2]).await), (json!("Renamed 0"), json!("Renamed 2")));
        assert_eq!(name(ids[1]).await, changes[1]["before"]["name"]);
        assert_eq!(syncing.run().await.changeset_id, None, "what was undone is not done again while the source says the same");

        let after = set(&tech, &run).await;
        assert_eq!((&after["state"], &after["changes"][1]["reverted_by"]), (&json!("applied"), &undone.json()["changeset_id"]));
        for only in [json!([changes[1]["id"]]), json!([999_999])] {
            assert_eq!(tech.post(&path, &json!({"only": only})).await.blamed(), ["only"]);
        }
        assert_eq!(tech.post_empty(&path).await.status, 200, "the rest");
        assert_eq!(set(&tech, &run).await["state"], "reverted");
        assert_ne!(name(ids[0]).await, json!("Renamed 0"));
        assert_eq!(tech.post_empty(&path).await.status, 409);
    }

    async fn what_a_person_takes_out_of_a_plan_is_not_proposed_again(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        // A dry run is a plan to look at.
        let id = rename(&syncing, 0, "Unwanted");
        let look = nexus_jobs::Event { dry_run: true, ..nexus_jobs::Event::manual("sync-freshservice") };
        let held = syncing.run_for(&look).await.unwrap();
        let plan = set(&tech, &held).await;
        apply_but(&tech, &plan, &[&plan["changes"][0]["id"]]).await;
        let name = async || tech.get(&format!("/api/companies?freshservice_id={id}")).await.json()[0]["name"].clone();
        assert_ne!(name().await, "Unwanted");
        let run = syncing.run().await;
        assert_eq!((run.changeset_id, count(&run, "company", "refused")), (None, 1), "{run:?}");
        let refused = tech.get("/api/sync/refusals").await.json();
        assert_eq!((&refused[0]["external_id"], &refused[0]["refused_by"]), (&json!(id.to_string()), &json!("tech")));

        // Other words of the source are another matter.
        rename(&syncing, 0, "Wanted");
        assert_eq!(syncing.run().await.state, RunState::Applied);
        assert_eq!(name().await, "Wanted");
        // And what was refused can be had after all.
        rename(&syncing, 0, "Unwanted");
        assert_eq!(count(&syncing.run().await, "company", "refused"), 1);
        let path = format!("/api/sync/refusals/freshservice/company/{id}");
        assert_eq!(tech.delete(&path).await.status, 204);
        assert_eq!(tech.delete(&path).await.status, 404);
        assert_eq!(syncing.run().await.state, RunState::Applied);
        assert_eq!(name().await, "Unwanted");
    }

    async fn a_record_that_a_person_keeps_is_not_proposed_to_go_again_while_it_is_missing(world: World) {
        let syncing = synced(world).await;
        let gone = syncing.vendor.edit(|state| state.departments.split_off(9));
        syncing.run().await;
        let held = weeks(&syncing, 2).await;
        assert_eq!(held.state, RunState::Held, "three of twelve: {held:?}");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let plan = set(&tech, &held).await;
        let rows = plan["changes"].as_array().unwrap();
        let archives: Vec<&Value> = rows.iter().filter(|row| row["action"] == "archive").collect();
        assert_eq!(archives.len(), 3);
        apply_but(&tech, &plan, &[&archives[0]["id"], &archives[1]["id"], &archives[2]["id"]]).await;
        let run = weeks(&syncing, 1).await;
        assert_eq!((run.changeset_id, count(&run, "company", "refused")), (None, 3), "{run:?}");
        // Who was back and goes again is another matter.
        syncing.vendor.edit(|state| state.departments.extend(gone.clone()));
        syncing.run().await;
        syncing.vendor.edit(|state| state.departments.truncate(9));
        syncing.run().await;
        assert_eq!(weeks(&syncing, 2).await.state, RunState::Held);
    }

    async fn a_source_is_taken_away_and_its_records_stay_or_go_as_one_says(world: World) {
        let syncing = synced(world).await;
        let admin = syncing.nexus.caller("admin", "admin", &[]).await;
        let typed = syncing.nexus.company("900001", "Typed").await;
        let before = syncing.directory().await;
        assert_eq!(admin.delete("/api/sources/freshservice").await.blamed(), ["records"]);
        assert_eq!(admin.delete("/api/sources/nothing?records=keep").await.status, 404);
        let told = admin.get("/api/sources").await.json();
        let companies = before.keys().filter(|(entity, id)| *entity == nexus_core::Entity::Company && *id != typed).count();
        assert_eq!((&told[1]["name"], &told[1]["records"]["company"]), (&json!("freshservice"), &json!(companies)), "{told}");

        let kept = admin.delete("/api/sources/freshservice?records=keep").await;
        assert_eq!(kept.json(), json!({"changeset_id": null, "archived": 0}), "{}", kept.text);
        assert_eq!(syncing.directory().await, before);
        let jobs = admin.get("/api/jobs").await.json();
        let job = jobs.as_array().unwrap().iter().find(|job| job["name"] == "sync-freshservice").unwrap();
        assert_eq!(job["enabled"], false);

        let gone = admin.delete("/api/sources/freshservice?records=archive").await.json();
        let left: Vec<_> = syncing.directory().await.into_keys().collect();
        assert_eq!(left, [(nexus_core::Entity::Company, typed)], "what people typed is out of every source's reach");
        // Whoever adds it again gets the same records.
        assert_eq!(syncing.run().await.state, RunState::Applied);
        let again = syncing.directory().await;
        assert_eq!(again.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        // And a person can undo it: it was undone by the run already, which is told.
        let undone = admin.post_empty(&format!("/api/changesets/{}/revert", gone["changeset_id"])).await;
        assert_eq!(undone.status, 200, "{}", undone.text);
        assert_eq!(syncing.directory().await.len(), before.len());
    }

    async fn taking_a_source_away_can_be_undone(world: World) {
        let syncing = synced(world).await;
        let admin = syncing.nexus.caller("admin", "admin", &[]).await;
        let before = syncing.directory().await;
        let gone = admin.delete("/api/sources/freshservice?records=archive").await.json();
        assert!(syncing.directory().await.is_empty());
        let undone = admin.post_empty(&format!("/api/changesets/{}/revert", gone["changeset_id"])).await;
        assert_eq!(undone.json()["left_alone"], json!([]), "{}", undone.text);
        let after = syncing.directory().await;
        let fields = |all: &nexus_tests::Directory| all.iter().map(|(key, one)| (*key, one.fields.clone())).collect::<Vec<_>>();
        assert_eq!(fields(&after), fields(&before));
        let run = syncing.run().await;
        assert!(run.counts.values().all(|counts| !counts.contains_key("create") && !counts.contains_key("archive")), "{run:?}");
    }
}
