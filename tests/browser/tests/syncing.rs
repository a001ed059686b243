//! A job is run by hand, and its plan is looked at and applied.

use nexus_browser::Chrome;
use nexus_core::Entity;
use nexus_jobs::Event;
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing};

both! {
    async fn a_run_is_asked_for_and_its_plan_reviewed_and_applied(world: World) {
        let (nexus, root) = Nexus::serve_https(world).await;
        let mut asked = nexus.bus.subscribe();
        let size = Size { companies: 3, contacts: 8, devices: 0 };
        let vendor = Freshservice::start(size, 2026).await.unwrap();
        let syncing = Syncing::trusting(nexus, vendor, Some(root)).await;
        let nexus = &syncing.nexus;
        let admin = Chrome::logged_in(nexus, "boss", "admin").await;
        admin.go("/settings/jobs").await;
        // A dry run plans and leaves the plan to a person.
        let job = admin.find("form[action='/settings/jobs/sync-freshservice/run'] [name=dry_run][value=true]").await;
        job.click().await.unwrap();
        admin.sees("sync-freshservice").await;
        assert!(admin.path().await.starts_with("/sync/runs/"), "{}", admin.path().await);
        let event = loop {
            let event = asked.recv().await.unwrap();
            if let Ok(event) = Event::decode(&event) {
                break event;
            }
        };
        syncing.run_for(&event).await.unwrap();
        // The page has been looking on, and shows the end by itself.
        admin.sees("held").await;
        admin.press("Review").await;
        admin.sees("Leave out").await;
        // The last row is a contact: nothing else hangs on it.
        admin.find("tr:last-child input[name=except]").await.click().await.unwrap();
        admin.press("Apply").await;
        admin.sees("were applied").await;
        let made = nexus_db::records::dump(nexus.db(), Entity::Contact).await.unwrap().len();
        assert_eq!(made, 7, "{}", admin.text().await);
        assert_eq!(admin.complaints().await, [""; 0]);
        admin.close().await;
        syncing.nexus.stop().await;
    }
}
