//! Jobs: when they run, and runs that a person ends.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::time::Duration;

use jiff::SignedDuration;
use nexus_core::sync::{Run, RunState, ScheduledJob, Trigger};
use nexus_jobs::{Event, JobError};
use nexus_simulators::{Fault, Freshservice, Size};
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, Syncing};
use serde_json::{Value, json};

async fn jobs(caller: &Caller<'_>) -> Vec<ScheduledJob> {
    serde_json::from_value(caller.get("/api/jobs").await.json()).unwrap()
}

async fn run_of(caller: &Caller<'_>, id: i64) -> Run {
    serde_json::from_value(caller.get(&format!("/api/sync/runs/{id}")).await.json()).unwrap()
}

/// The run of a job that is going, as soon as there is one.
async fn going(caller: &Caller<'_>) -> Run {
    loop {
        let runs: Vec<Run> = serde_json::from_value(caller.get("/api/sync/runs?state=running").await.json()).unwrap();
        if let Some(run) = runs.into_iter().find(|run| run.progress.vendor_calls > 0) {
            return run;
        }
        tokio::task::yield_now().await;
    }
}

both! {
    async fn an_administrator_says_when_a_job_runs(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let names: Vec<String> = jobs(&tech).await.into_iter().map(|job| job.name).collect();
        assert_eq!(
            names,
            ["assign-account-numbers", "publish-changes", "push-account-numbers", "sync-datto", "sync-freshservice"]
        );
        let writers = jobs(&tech).await.into_iter().filter(|job| !job.name.starts_with("sync-"));
        assert!(writers.into_iter().all(|job| !job.enabled), "what writes elsewhere waits for an administrator");
        let path = "/api/jobs/sync-datto";
        // The clock of a story stands at 8:00 on Monday, the 2nd of March 2026.
        for (body, schedule, enabled, next) in [
            (json!({}), "rate(1 day)", true, Some("2026-03-02T08:00:00.000Z")),
            (json!({"schedule": " cron(0 2 ? * SUN *) "}), "cron(0 2 ? * SUN *)", true, Some("2026-03-08T02:00:00.000Z")),
            (json!({"enabled": false}), "cron(0 2 ? * SUN *)", false, None),
            (json!({"enabled": true, "schedule": "rate(5 minutes)"}), "rate(5 minutes)", true, Some("2026-03-02T08:00:00.000Z")),
        ] {
            let put = admin.put(path, &body).await;
            assert_eq!(put.status, 200, "{}", put.text);
            let job: ScheduledJob = serde_json::from_value(put.json()).unwrap();
            assert_eq!((job.schedule.as_str(), job.enabled, job.next_run_at.as_deref()), (schedule, enabled, next), "{body}");
            assert!(jobs(&tech).await.contains(&job));
        }
        for schedule in ["", "daily", "rate(1 days)", "cron(0 2 * * * *)", "cron(0 25 * * ? *)"] {
            let refused = admin.put(path, &json!({"schedule": schedule})).await;
            assert_eq!((refused.status.as_u16(), refused.blamed()), (400, vec!["schedule".to_owned()]), "{schedule}");
        }
        assert_eq!(admin.put(path, &json!({"schedul": "rate(1 day)"})).await.status, 400);
        assert_eq!(admin.put("/api/jobs/sync-nothing", &json!({})).await.status, 404);
        assert_eq!(tech.put(path, &json!({"enabled": false})).await.status, 403);
        assert!(jobs(&tech).await.iter().any(|job| job.schedule == "rate(5 minutes)" && job.enabled));
        nexus.stop().await;
    }

    async fn a_job_shows_its_last_run_and_counts_from_it(world: World) {
        let vendor = Freshservice::start(Size { companies: 2, contacts: 3, devices: 0 }, 1).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let run = syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let job = jobs(&tech).await.pop().unwrap();
        assert_eq!(job.last_run.map(|last| (last.id, last.state)), Some((run.id, run.state)));
        assert_eq!(job.next_run_at.as_deref(), Some("2026-03-03T08:00:00.000Z"));
    }

    async fn a_person_asks_for_a_run_and_its_job_takes_it(world: World) {
        let vendor = Freshservice::start(Size { companies: 2, contacts: 3, devices: 0 }, 1).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let mut events = syncing.nexus.bus.subscribe();
        let path = "/api/jobs/sync-freshservice/runs";
        let asked = tech.post(path, &json!({})).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let id = asked.json()["run_id"].as_i64().unwrap();
        assert_eq!(run_of(&tech, id).await.state, RunState::Running, "it can be watched at once");
        tech.post(path, &json!({})).await.refused(409, &format!("Run {id} of sync-freshservice is going"));

        let event = Event::decode(&events.recv().await.unwrap()).unwrap();
        assert_eq!((event.job.as_deref(), event.run_id), (Some("sync-freshservice"), Some(id)));
        let run = syncing.run_for(&event).await.unwrap();
        assert_eq!((run.id, run.state, run.trigger), (id, RunState::Applied, Trigger::Manual), "{run:?}");
        // EventBridge may deliver an event twice.
        let again = syncing.run_for(&event).await.unwrap_err();
        assert!(matches!(again, JobError::NotBegun { .. }), "{again:?}");
        assert_eq!(tech.post("/api/jobs/sync-nothing/runs", &json!({})).await.status, 404);
        assert_eq!(tech.post_empty(path).await.status, 202, "a body is not needed");
    }

    async fn a_run_whose_job_does_not_come_makes_room(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let ask = async || tech.post("/api/jobs/sync-datto/runs", &json!({})).await;
        let lost = ask().await.json()["run_id"].as_i64().unwrap();
        nexus.world.clock.advance(SignedDuration::from_mins(4));
        assert_eq!(ask().await.status, 409, "starting a function takes its time");
        nexus.world.clock.advance(SignedDuration::from_mins(2));
        assert_eq!(ask().await.status, 202);
        let run = run_of(&tech, lost).await;
        assert_eq!(run.state, RunState::Interrupted);
        assert!(run.message.as_ref().unwrap().contains("did not come"), "{:?}", run.message);
    }

    async fn a_dry_run_shows_what_it_would_do_and_does_nothing(world: World) {
        let vendor = Freshservice::start(Size { companies: 2, contacts: 3, devices: 0 }, 1).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let run = syncing.run_for(&Event { dry_run: true, ..Event::manual("sync-freshservice") }).await.unwrap();
        assert_eq!((run.state, run.dry_run), (RunState::Held, true), "{run:?}");
        assert!(syncing.directory().await.is_empty());
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let plan = tech.get(&format!("/api/changesets/{}", run.changeset_id.unwrap())).await.json();
        assert!(!plan["changes"].as_array().unwrap().is_empty(), "it can be looked at, and applied");
        let job = jobs(&tech).await.into_iter().find(|job| job.name == "sync-freshservice").unwrap();
        assert_eq!(job.next_run_at.as_deref(), Some("2026-03-02T08:00:00.000Z"), "the real one is still to come");
    }

    async fn the_timer_starts_no_job_that_is_disabled_and_notes_where_it_came_too_early(world: World) {
        let vendor = Freshservice::start(Size { companies: 2, contacts: 3, devices: 0 }, 1).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let admin = syncing.nexus.caller("admin", "admin", &[]).await;
        admin.put("/api/jobs/sync-freshservice", &json!({"enabled": false})).await;
        let refused = syncing.run_for(&Event::schedule()).await.unwrap_err();
        assert!(refused.to_string().contains("is disabled"), "{refused}");
        assert!(syncing.directory().await.is_empty());

        admin.put("/api/jobs/sync-freshservice", &json!({"enabled": true})).await;
        let going = admin.post("/api/jobs/sync-freshservice/runs", &json!({})).await.json()["run_id"].clone();
        let refused = syncing.run_for(&Event::schedule()).await.unwrap_err();
        assert!(refused.to_string().contains(&format!("Run {going} of")), "{refused}");
        let skipped: Vec<Run> = serde_json::from_value(admin.get("/api/sync/runs?state=skipped").await.json()).unwrap();
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0].message, Some(format!("Run {going} was still going.")));
    }

    async fn a_run_that_is_cancelled_leaves_the_directory_as_it_was(world: World) {
        let vendor = Freshservice::start(Size { companies: 20, contacts: 300, devices: 0 }, 5).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        syncing.vendor.fault(Fault::Slow(Duration::from_millis(700)).on("/requesters"));
        let cancel = async {
            let run = going(&tech).await;
            let path = format!("/api/sync/runs/{}/cancel", run.id);
            let cancelled = tech.post(&path, &Value::Null).await;
            assert_eq!(cancelled.status, 200, "{}", cancelled.text);
            assert_eq!(tech.post(&path, &Value::Null).await.status, 409, "it is not going any more");
        };
        let (run, ()) = tokio::join!(syncing.run(), cancel);
        assert_eq!(run.state, RunState::Interrupted, "{run:?}");
        assert!(run.message.as_ref().unwrap().starts_with("tech cancelled it"), "{:?}", run.message);
        assert!(syncing.directory().await.is_empty());
        syncing.vendor.clear_faults();
        assert_eq!(syncing.run().await.state, RunState::Applied);
    }
}
