//! A directory that an earlier Nexus has made: its tables, and the plans of its `nexus.conf`.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::fs;

use local_runner::{Instance, database};
use nexus_core::Clock;
use nexus_db::Query;
use nexus_test_databases::{World, on_older_postgres, on_older_sqlite, start};
use nexus_tests::{Caller, Nexus};
use serde_json::json;

/// One of each kind, a company and a device that are archived, and the numbers up to which ids are taken.
const FILLED: &str = "
UPDATE sequences SET value = 2 WHERE name IN ('company', 'asset');
UPDATE sequences SET value = 1 WHERE name IN ('location', 'contact', 'user');
INSERT INTO companies (id, version, created_at, updated_at, account_number, name, plan_selected, company_main_number, domains)
VALUES (1, 3, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '001', 'Größe & Co', 'Gold', '+49 30 901820', '[\"groesse.example\"]');
INSERT INTO companies (id, version, created_at, updated_at, archived_at, account_number, name, domains)
VALUES (2, 2, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-02T00:00:00Z', '002', 'Gone', '[]');
INSERT INTO locations (id, version, created_at, updated_at, company_id, name)
VALUES (1, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 1, 'Main Office');
INSERT INTO contacts (id, version, created_at, updated_at, name, email, active, secondary_emails)
VALUES (1, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'Ada', 'ada@groesse.example', TRUE, '[]');
INSERT INTO contact_companies (contact_id, company_id) VALUES (1, 1), (1, 2);
INSERT INTO assets (id, version, created_at, updated_at, hostname, company_id)
VALUES (1, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'ADA-LAPTOP', 1);
INSERT INTO assets (id, version, created_at, updated_at, archived_at, hostname, company_id)
VALUES (2, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 'OLD-LAPTOP', 2);
INSERT INTO asset_contacts (asset_id, contact_id) VALUES (1, 1);
";

async fn ids(caller: &Caller<'_>, path: &str) -> Vec<i64> {
    let answer = caller.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json().as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

/// What an earlier version has written is read, found, changed and told as if this one had written it.
async fn an_older_directory_is_brought_up(world: World) {
    let nexus = Nexus::serve(world).await;
    let admin = nexus.caller("admin", "admin", &[]).await;
    let company = admin.get("/api/companies/001").await.json();
    assert_eq!(
        (&company["name"], &company["billing_plan"], &company["version"]),
        (&json!("Größe & Co"), &json!("Gold"), &json!(3))
    );
    let contact = admin.get("/api/contacts/1").await.json();
    assert_eq!((&contact["company_account_numbers"], &contact["asset_ids"]), (&json!(["001"]), &json!([1])));
    for (path, found) in [
        ("/api/companies", vec![1]),
        ("/api/companies?archived=true", vec![2]),
        ("/api/companies?search=gr%C3%B6%C3%9Fe", vec![1]),
        ("/api/companies?search=030/901820", vec![1]),
        ("/api/assets?search=laptop", vec![1]),
        ("/api/assets?archived=true&search=laptop", vec![2]),
        ("/api/contacts?company_account_number=001", vec![1]),
        ("/api/companies/001/locations", vec![1]),
    ] {
        assert_eq!(ids(&admin, path).await, found, "{path}");
    }
    let made = admin.post("/api/assets", &json!({"hostname": "NEW", "company_account_number": "001"})).await;
    assert_eq!(made.json()["id"], 3, "no id is used again: {}", made.text);
    assert_eq!(admin.get("/api/assets?page=1").await.header("x-total-count"), "2");
    assert_eq!(admin.post("/api/companies/002/restore", &json!({})).await.status, 200);
    assert_eq!(admin.get("/api/contacts/1").await.json()["company_account_numbers"], json!(["001", "002"]));
    nexus.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_directory_is_brought_up_on_sqlite() {
    on_older_sqlite(FILLED, an_older_directory_is_brought_up).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_directory_is_brought_up_on_postgres() {
    on_older_postgres(FILLED, an_older_directory_is_brought_up).await;
}

/// The plans and features of `nexus.conf` become the directory's when it is first opened, and are its own from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plans_of_the_settings_are_taken_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("instance");
    let clock = Clock::fixed(start());
    let named = async |kind: &str| -> Vec<(String, Option<String>)> {
        let instance = Instance::prepare(&path, [], start()).unwrap();
        let db = database::open(&instance, false, &clock).await.unwrap().state.db;
        let query = format!("SELECT name, description FROM {kind} WHERE archived_at IS NULL ORDER BY position");
        let found = db.all(Query::new(query)).await.unwrap();
        db.close().await;
        found
    };
    Instance::prepare(&path, [], start()).unwrap();
    let settings = path.join("nexus.conf");
    let own = "[plans]\nGold = Everything\nSilver =\n[features]\nBackup = Every day\n";
    let made = fs::read_to_string(&settings).unwrap();
    let (without, _) = made.split_once("[plans]").unwrap();
    fs::write(&settings, format!("{without}{own}")).unwrap();
    let plans = vec![("Gold".to_owned(), Some("Everything".to_owned())), ("Silver".to_owned(), None)];
    assert_eq!(named("plans").await, plans);
    assert_eq!(named("features").await, [("Backup".to_owned(), Some("Every day".to_owned()))]);
    fs::write(&settings, format!("{without}[plans]\nBronze = Little\n")).unwrap();
    assert_eq!(named("plans").await, plans, "what stands in the directory counts");
}
