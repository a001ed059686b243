//! Pictures of the main pages at two widths: `cargo run -p nexus-browser -- FOLDER`.

#![expect(clippy::unwrap_used, reason = "a tool for developers says where it breaks")]

use std::path::PathBuf;

use nexus_browser::{Chrome, Setup};
use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_db::Db;
use nexus_jobs::Event;
use nexus_simulators::{Datto, Freshservice, Size};
use nexus_test_databases::{World, options};
use nexus_tests::{Nexus, Syncing};

const PAGES: &[&str] = &[
    "/",
    "/companies",
    "/companies/FIRST",
    "/companies/FIRST/features",
    "/companies/FIRST/locations",
    "/companies/FIRST/history",
    "/contacts",
    "/contacts/1",
    "/assets",
    "/assets?company=FIRST",
    "/assets/1",
    "/assets/1/contacts",
    "/assets/1/edit",
    "/assets/choices",
    "/search?q=a",
    "/sync",
    "/sync/runs/1",
    "/sync/runs/2",
    "/sync/plans/HELD",
    "/history",
    "/settings/jobs",
    "/settings/users",
    "/settings/plans",
    "/settings/policies",
    "/settings/connectors",
];

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "pictures".to_owned()));
    std::fs::create_dir_all(&folder).unwrap();
    let home = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(home.path().join("nexus.db").display().to_string());
    let clock = Clock::system();
    let db = Db::open(&url, options(), clock.clone()).await.unwrap();
    let (nexus, root) = Nexus::serve_https(World { db, url, clock }).await;
    let size = Size { companies: 40, contacts: 300, devices: 400 };
    let vendor = Freshservice::start(size, 2026).await.unwrap();
    let syncing = Syncing::trusting(nexus, vendor, Some(root)).await;
    syncing.run().await;
    let syncing = syncing.then(Datto::start(size, 2026).await.unwrap());
    syncing.run().await;
    let more = Size { companies: 50, contacts: 400, devices: 0 };
    let syncing = syncing.then(Freshservice::start(more, 2026).await.unwrap());
    let dry = Event { dry_run: true, ..Event::manual("sync-freshservice") };
    let held = syncing.run_for(&dry).await.unwrap().changeset_id.unwrap().to_string();
    let nexus = &syncing.nexus;
    let query = nexus_db::Query::new("SELECT account_number FROM companies ORDER BY id LIMIT 1");
    let (first,) = nexus.db().one::<(String,)>(query).await.unwrap();
    nexus.account("admin", "admin", &[]).await;
    for (width, height) in [(1280, 900), (360, 800)] {
        let chrome = Chrome::open(nexus, Setup { size: (width, height), ..Setup::default() }).await;
        chrome.go("/login").await;
        std::fs::write(folder.join(format!("login-{width}.png")), chrome.picture().await).unwrap();
        chrome.log_in("admin").await;
        for page in PAGES {
            chrome.go(&page.replace("FIRST", &first).replace("HELD", &held)).await;
            let name = page.trim_matches('/').replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            let name = if name.is_empty() { "overview" } else { &name };
            std::fs::write(folder.join(format!("{name}-{width}.png")), chrome.picture().await).unwrap();
        }
        chrome.close().await;
    }
    println!("The pictures are in {}.", folder.display());
    syncing.nexus.stop().await;
}
