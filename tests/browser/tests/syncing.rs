//! A job is run by hand, its plan is looked at and applied, and a field is pinned against it.

use nexus_browser::{Chrome, Setup};
use nexus_core::Entity;
use nexus_core::sync::ScopeReport;
use nexus_db::runs::{self, Report};
use nexus_jobs::Event;
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing};

const SIZE: Size = Size { companies: 3, contacts: 8, devices: 0 };

/// Asks for a dry run by the page of the jobs, and lets the job do what was asked.
async fn dry_run(syncing: &Syncing, chrome: &Chrome) {
    let mut asked = syncing.nexus.bus.subscribe();
    chrome.go("/settings/jobs").await;
    let button = "form[action='/settings/jobs/sync-freshservice/run'] [name=dry_run][value=true]";
    chrome.find(button).await.click().await.unwrap();
    chrome.sees("sync-freshservice").await;
    assert!(chrome.path().await.starts_with("/sync/runs/"), "{}", chrome.path().await);
    let event = loop {
        let event = asked.recv().await.unwrap();
        if let Ok(event) = Event::decode(&event) {
            break event;
        }
    };
    syncing.run_for(&event).await.unwrap();
}

/// Puts the cursor on an element, and waits until its part of the page has come anew around it.
async fn comes_anew(chrome: &Chrome, part: &str, element: &str) {
    let mark =
        format!("document.getElementById('{element}').focus(); document.getElementById('{part}').dataset.old = ''");
    chrome.script(&mark).await;
    chrome.find(&format!("#{part}:not([data-old])")).await;
    assert_eq!(chrome.script("return document.activeElement.id").await, element);
}

both! {
    async fn a_run_is_asked_for_and_its_plan_reviewed_and_applied(world: World) {
        let (nexus, root) = Nexus::serve_https(world).await;
        let syncing = Syncing::trusting(nexus, Freshservice::start(SIZE, 2026).await.unwrap(), Some(root)).await;
        let nexus = &syncing.nexus;
        let admin = Chrome::logged_in(nexus, "boss", "admin").await;
        dry_run(&syncing, &admin).await;
        // The page has been looking on, and shows the end by itself.
        admin.sees("held").await;
        admin.press("Review").await;
        admin.sees("Leave out").await;
        // The last row is a contact: nothing else hangs on it.
        admin.find("tr:last-child input[name=except]").await.click().await.unwrap();
        admin.press("Apply").await;
        admin.sees("were applied").await;
        let made = nexus_db::records::dump(nexus.db(), Entity::Contact).await.unwrap();
        assert_eq!(made.len(), 7, "{}", admin.text().await);
        // What a person pins, no source moves; what is released follows it again.
        let contact = made.keys().next().unwrap();
        admin.go(&format!("/contacts/{contact}")).await;
        admin.press("pin").await;
        admin.sees("The field is pinned").await;
        admin.press("release").await;
        admin.sees("The field follows its source again").await;
        assert_eq!(admin.complaints().await, [""; 0]);
        admin.close().await;
        syncing.nexus.stop().await;
    }

    async fn what_comes_anew_by_itself_leaves_the_cursor_and_the_folds_as_they_are(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        let admin = Chrome::logged_in(&nexus, "boss", "admin").await;
        admin.go("/settings/jobs").await;
        admin.find("#dry-run-sync-datto").await.click().await.unwrap();
        admin.sees("It waits for its job").await;
        comes_anew(&admin, "run", "cancel").await;
        // So many lists are folded up.
        let id = admin.path().await.rsplit('/').next().unwrap().parse().unwrap();
        let scope = |n| ScopeReport {
            name: format!("List {n}"), entity: Entity::Asset, complete: true, records: n, error: None, parts: None,
        };
        let report = Report { scopes: (0..20).map(scope).collect(), ..Report::default() };
        let mut tx = nexus.db().write().await.unwrap();
        runs::planned(&mut tx, id, &report, 0, None).await.unwrap();
        tx.commit().await.unwrap();
        admin.find("#complete:not([open]) summary").await.click().await.unwrap();
        comes_anew(&admin, "run", "complete-lists").await;
        assert_eq!(admin.count("#complete[open]").await, 1);
        admin.go("/settings/jobs").await;
        comes_anew(&admin, "jobs", "dry-run-sync-datto").await;
        assert_eq!(admin.complaints().await, [""; 0]);
        admin.close().await;
        nexus.stop().await;
    }

    async fn without_scripts_a_run_is_asked_for_and_looked_at_again(world: World) {
        let (nexus, root) = Nexus::serve_https(world).await;
        let syncing = Syncing::trusting(nexus, Freshservice::start(SIZE, 2026).await.unwrap(), Some(root)).await;
        syncing.nexus.account("boss", "admin", &[]).await;
        let admin = Chrome::open(&syncing.nexus, Setup { scripts: false, ..Setup::default() }).await;
        admin.log_in("boss").await;
        dry_run(&syncing, &admin).await;
        admin.press("Refresh").await;
        admin.sees("held").await;
        admin.press("Review").await;
        admin.sees("Leave out").await;
        admin.press("Reject").await;
        admin.sees("rejected").await;
        admin.close().await;
        syncing.nexus.stop().await;
    }
}
