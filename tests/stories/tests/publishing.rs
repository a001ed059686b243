//! What changed goes out on the bus: in order, at least once.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::sync::{Run, RunState};
use nexus_jobs::Event;
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Nexus, Syncing};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

async fn publishing(world: World) -> Syncing {
    let vendor = Freshservice::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
    Syncing::new(Nexus::serve(world).await, vendor).await
}

async fn publish(syncing: &Syncing, dry_run: bool) -> Run {
    let event = Event { dry_run, ..Event::manual(publish_changes::NAME) };
    syncing.run_job(&publish_changes::job(syncing.nexus.bus.clone()), &event).await.unwrap()
}

fn cursors(events: &mut UnboundedReceiver<Value>) -> Vec<i64> {
    let mut cursors = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("nexus"), &json!("record changed")), "{event}");
        cursors.push(event["detail"]["cursor"].as_i64().unwrap());
    }
    cursors
}

both! {
    async fn every_change_is_sent_once_and_in_order(world: World) {
        let syncing = publishing(world).await;
        let mut events = syncing.nexus.bus.subscribe();
        for n in 0..120 {
            syncing.nexus.company(&format!("{}", 100_000 + n), "Alpha").await;
        }
        let all = syncing.nexus.written().await;
        let looked = publish(&syncing, true).await;
        assert_eq!((looked.state, cursors(&mut events)), (RunState::Applied, vec![]), "{looked:?}");
        assert_eq!(looked.message, Some(format!("Dry run: {all} changes would be sent.")));

        let run = publish(&syncing, false).await;
        assert_eq!((run.state, run.message), (RunState::Applied, Some(format!("{all} changes sent."))));
        let last = i64::try_from(all).unwrap();
        assert_eq!(cursors(&mut events), (1..=last).collect::<Vec<_>>());
        assert_eq!(publish(&syncing, false).await.message.as_deref(), Some("Nothing new."));

        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let from = i64::try_from(syncing.nexus.written().await).unwrap();
        tech.put("/api/companies/100007", &json!({"name": "Bravo"})).await;
        publish(&syncing, false).await;
        let sent = cursors(&mut events);
        assert_eq!(sent.last(), Some(&(from + 1)));
        assert_eq!(sent.first(), Some(&(last + 1)), "nothing is sent a second time");
    }

    async fn an_event_says_what_the_feed_says(world: World) {
        let syncing = publishing(world).await;
        syncing.nexus.company("100001", "Alpha").await;
        publish(&syncing, false).await;
        let mut events = syncing.nexus.bus.subscribe();
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put("/api/companies/100001", &json!({"name": "Bravo"})).await;
        publish(&syncing, false).await;
        let feed = tech.get("/api/changes").await.json()["changes"].as_array().unwrap().clone();
        let mut told = None;
        while let Ok(event) = events.try_recv() {
            told = Some(event["detail"].clone());
        }
        assert_eq!(told.as_ref(), feed.last());
        assert_eq!(told.unwrap()["after"]["name"], "Bravo");
    }

    async fn a_run_that_was_cut_off_leaves_nothing_out(world: World) {
        let syncing = publishing(world).await;
        syncing.nexus.company("100001", "Alpha").await;
        let start = nexus_core::sync::StartRun::new(publish_changes::NAME, nexus_core::sync::Trigger::Manual);
        // A job that dies after the bus took the events, before it told Nexus of them.
        syncing.client().start_run(&start).await.unwrap();
        syncing.nexus.world.clock.advance(jiff::SignedDuration::from_mins(2));
        let mut events = syncing.nexus.bus.subscribe();
        publish(&syncing, false).await;
        let all = i64::try_from(syncing.nexus.written().await).unwrap();
        assert_eq!(cursors(&mut events), (1..=all).collect::<Vec<_>>());
    }
}
