//! A run that is longer than the time of its function: it pauses, and goes on in a next event.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;

use nexus_core::sync::{Run, RunState};
use nexus_core::{Entity, Fields};
use nexus_jobs::Event;
use nexus_simulators::{Datto, Fault, Freshservice, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Nexus, Source, Syncing};
use serde_json::json;

/// What a directory holds, whatever ids it has given.
async fn contents<V: Source>(syncing: &Syncing<V>) -> BTreeMap<String, Fields> {
    let mut all = BTreeMap::new();
    for ((entity, id), record) in syncing.directory().await {
        let mut fields = record.fields;
        fields.retain(|name, _| !matches!(name.as_str(), "company_id" | "company_ids"));
        let name = fields.get("freshservice_id").or(fields.get("email")).or(fields.get("portal_url")).cloned();
        all.insert(format!("{entity:?} {} {id}", name.unwrap_or_default()), fields);
    }
    all
}

/// Runs the job in as many events as it takes, each of which has time for next to nothing; the run, and how often it paused.
async fn in_pieces<V: Source>(syncing: &Syncing<V>) -> (Run, usize) {
    let mut events = syncing.nexus.bus.subscribe();
    let mut run = syncing.run_a_little(&Event::manual(V::JOB)).await;
    let (id, mut pauses) = (run.id, 0);
    while run.state == RunState::Running {
        pauses += 1;
        assert!(pauses < 1_000, "it does not come to its end: {run:?}");
        let event = Event::decode(&events.try_recv().unwrap()).unwrap();
        assert_eq!((event.job.as_deref(), event.run_id), (Some(V::JOB), Some(id)), "it asks for the next event itself");
        run = syncing.run_a_little(&event).await;
    }
    assert_eq!(run.id, id);
    (run, pauses)
}

async fn freshservice(world: World) -> Syncing {
    let vendor = Freshservice::start(Size { companies: 12, contacts: 350, devices: 0 }, 3).await.unwrap();
    Syncing::new(Nexus::serve(world).await, vendor).await
}

async fn datto(world: World) -> Syncing<Datto> {
    let vendor = Datto::start(Size { companies: 12, contacts: 0, devices: 600 }, 3).await.unwrap();
    Syncing::new(Nexus::serve(world).await, vendor).await
}

both! {
    async fn a_long_read_of_freshservice_goes_on_where_it_was(world: World) {
        let syncing = freshservice(world).await;
        let (run, pauses) = in_pieces(&syncing).await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert!(pauses >= 4, "one page at a time: {pauses}");
        assert!(run.scopes.iter().all(|scope| scope.complete), "{:?}", run.scopes);
        assert_eq!(run.counts["contact"]["create"], 350);
        // A read in one piece finds nothing else, and nothing more.
        let whole = syncing.run().await;
        assert_eq!((whole.state, whole.changeset_id), (RunState::Applied, None), "{:?}", whole.counts);
        // And one in pieces may say that somebody is missing.
        syncing.vendor.edit(|state| state.requesters.truncate(340));
        let (run, _) = in_pieces(&syncing).await;
        let left = run.scopes.iter().find(|scope| scope.name == "contacts").unwrap().records;
        assert!(left < 350, "{run:?}");
        assert_eq!(run.counts["contact"]["missing"], 350 - left, "{run:?}");
    }

    async fn a_long_read_of_datto_goes_on_where_it_was(world: World) {
        let syncing = datto(world).await;
        // The list of all devices is short, so that some sites are read on their own.
        syncing.vendor.fault(Fault::ShortPage(240).on("/account/devices").times(1));
        let (run, pauses) = in_pieces(&syncing).await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert!(pauses >= 10, "{pauses}");
        assert!(run.scopes.iter().all(|scope| scope.complete), "{:?}", run.scopes);
        let found = contents(&syncing).await;
        assert_eq!(found.keys().filter(|key| key.starts_with("Asset")).count(), 600);
        let whole = syncing.run().await;
        assert_eq!((whole.state, whole.changeset_id), (RunState::Applied, None), "{:?}", whole.counts);
    }

    async fn a_run_that_pauses_can_be_cancelled_and_is_not_waited_for_for_ever(world: World) {
        let syncing = freshservice(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let paused = syncing.run_a_little(&Event::manual(sync_freshservice::NAME)).await;
        assert_eq!(paused.state, RunState::Running);
        let path = "/api/jobs/sync-freshservice/runs";
        assert_eq!(tech.post(path, &json!({})).await.status, 409, "it is still going");
        assert_eq!(tech.post(&format!("/api/sync/runs/{}/cancel", paused.id), &json!(null)).await.status, 200);
        let event = Event { run_id: Some(paused.id), ..Event::manual(sync_freshservice::NAME) };
        assert!(syncing.run_for(&event).await.is_err(), "what was cancelled does not go on");

        let lost = syncing.run_a_little(&Event::manual(sync_freshservice::NAME)).await;
        syncing.nexus.world.clock.advance(jiff::SignedDuration::from_mins(6));
        let run = syncing.run().await;
        assert_eq!((run.state, run.counts["contact"]["create"]), (RunState::Applied, 350), "a new one begins anew");
        assert_eq!(syncing.client().run(lost.id).await.unwrap().state, RunState::Interrupted);
        assert!(syncing.directory().await.keys().any(|(entity, _)| *entity == Entity::Company));
    }
}
