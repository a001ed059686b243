//! Every page can be used by everybody, loads nothing from elsewhere, and takes what a vendor says as text.

use nexus_browser::Chrome;
use nexus_core::Entity;
use nexus_jobs::Event;
use nexus_simulators::{Datto, Freshservice, Size};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing};
use serde_json::json;

/// Every page that shows something.
const PAGES: &[&str] = &[
    "/",
    "/companies",
    "/companies?search=nothing",
    "/companies/choices",
    "/companies/new",
    "/companies/007",
    "/companies/007/edit",
    "/companies/007/locations",
    "/companies/007/locations?archived=true",
    "/companies/007/locations/new",
    "/companies/007/features",
    "/companies/007/users",
    "/companies/007/history",
    "/contacts",
    "/contacts/new",
    "/contacts/1",
    "/contacts/1/edit",
    "/contacts/1/history",
    "/contacts?company=007",
    "/assets",
    "/assets/new",
    "/assets/1",
    "/assets/1/contacts",
    "/assets/1/edit",
    "/assets/1/history",
    "/assets?archived=true",
    "/search?q=a",
    "/password",
    "/nothing",
    "/sync",
    "/sync/runs/1",
    "/sync/runs/2",
    "/sync/plans/HELD",
    "/sync/refusals",
    "/history",
    "/history/sets/1",
    "/history/records/company/1",
    "/settings/jobs",
    "/settings/jobs/sync-datto",
    "/settings/users",
    "/settings/users/new",
    "/settings/users/1",
    "/settings/users/1/edit",
    "/settings/keys",
    "/settings/plans",
    "/settings/plans/new",
    "/settings/features",
    "/settings/features/new",
    "/settings/policies",
    "/settings/connectors",
    "/api/docs",
];

both! {
    async fn every_page_is_free_of_barriers_in_both_themes(world: World) {
        let (nexus, root) = Nexus::serve_https(world).await;
        let size = Size { companies: 4, contacts: 12, devices: 12 };
        let vendor = Freshservice::start(size, 2026).await.unwrap();
        let syncing = Syncing::trusting(nexus, vendor, Some(root)).await;
        syncing.run().await;
        let syncing = syncing.then(Datto::start(size, 2026).await.unwrap());
        syncing.run().await;
        // A dry run of a source that has more by now leaves a plan to be looked at.
        let more = Size { companies: 6, contacts: 20, devices: 0 };
        let syncing = syncing.then(Freshservice::start(more, 2026).await.unwrap());
        let dry = Event { dry_run: true, ..Event::manual("sync-freshservice") };
        let held = syncing.run_for(&dry).await.unwrap().changeset_id.unwrap().to_string();
        let nexus = &syncing.nexus;
        let hostile = "\"><script>alert(1)</script>' \u{202e}evil 🦀 ";
        let company = json!({
            "account_number": "007", "name": format!("{hostile}{}", "x".repeat(200)), "domains": [hostile], "description": hostile.repeat(200),
        });
        let id = nexus.record(Entity::Company, &company).await;
        nexus.record(Entity::Location, &json!({"name": hostile, "company_id": id})).await;
        nexus.record(Entity::Contact, &json!({"name": hostile, "company_ids": [id], "title": hostile})).await;
        nexus.record(Entity::Asset, &json!({"hostname": hostile, "company_id": id, "web_remote_url": "javascript:alert(1)"})).await;
        nexus.record(Entity::Feature, &json!({"name": hostile})).await;
        let admin = Chrome::logged_in(nexus, "boss", "admin").await;
        let mut found = Vec::new();
        for theme in ["light", "dark"] {
            admin.go("/password").await;
            admin.script(&format!("document.querySelector('form[action=\"/theme\"] button[value={theme}]').click()")).await;
            admin.find(&format!("html[data-bs-theme={theme}]")).await;
            for page in PAGES {
                let address = page.replace("HELD", &held);
                admin.go(&address).await;
                let (status, path) = (admin.status().await, admin.path().await);
                let meant = if *page == "/nothing" { 404 } else { 200 };
                if status != meant || path != address {
                    found.push(format!("{page} is {status} at {path}"));
                }
                if *page != "/api/docs" {
                    found.extend(admin.barriers().await.as_array().unwrap().iter().map(|one| format!("{page} in {theme}: {one:#}")));
                }
                let foreign = admin.foreign().await;
                found.extend(foreign.as_array().unwrap().iter().map(|one| format!("{page} loads {one}")));
                found.extend(admin.complaints().await.into_iter().map(|one| format!("{page} in {theme}: {one}")));
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
        admin.close().await;
        syncing.nexus.stop().await;
    }
}
