//! The overview: what of the directory is to be looked at, and where that is.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::Entity;
use nexus_db::changes::Edit;
use nexus_simulators::{Datto, Site, Size};
use nexus_test_databases::both;
use nexus_tests::{Answer, Nexus, Syncing};
use serde_json::{Value, json};

/// What the tables of the overview lead to: the address, what it is called, and how many it says are there.
fn counted(page: &Answer) -> Vec<(String, String, String)> {
    assert_eq!(page.status, 200, "{}", page.text);
    let rows = page.text.split("<tr><td><a href=\"").skip(1);
    rows.filter_map(|row| {
        let (to, rest) = row.split("</tr>").next()?.split_once("\">")?;
        let (label, rest) = rest.split_once("</a>")?;
        let n = rest.split_once("end number\">")?.1.split('<').next()?;
        Some((to.to_owned(), label.to_owned(), n.to_owned()))
    })
    .collect()
}

both! {
    async fn every_number_leads_to_as_many_records(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = json!({"account_number": "1", "name": "One", "plan_selected": "Gold"});
        let company = nexus.record(Entity::Company, &company).await;
        let person = |name: &str| json!({"name": name, "company_ids": [company]});
        let ada = nexus.record(Entity::Contact, &person("Ada")).await;
        let gone = nexus.record(Entity::Contact, &person("Gone")).await;
        nexus.record(Entity::Contact, &json!({"name": "Nobody's"})).await;
        // The clock of a story stands at 8:00 on Monday, the 2nd of March 2026.
        for (hostname, last_seen, contacts) in [
            ("DAY", json!("2026-03-01T20:00:00.000Z"), json!([ada])),
            ("WEEK", json!("2026-02-26T08:00:00.000Z"), json!([gone])),
            ("MONTH", json!("2026-02-10T08:00:00.000Z"), json!([])),
            ("QUARTER", json!("2026-01-01T08:00:00.000Z"), json!([])),
            ("LONGER", json!("2025-06-01T08:00:00.000Z"), json!([])),
            ("NEVER", Value::Null, json!([])),
        ] {
            let asset = json!({
                "hostname": hostname, "last_seen": last_seen, "contact_ids": contacts, "company_id": company,
                "operating_system": if hostname == "DAY" { "Debian" } else { "Windows 11" },
            });
            nexus.record(Entity::Asset, &asset).await;
        }
        nexus.change(Edit::Archive { entity: Entity::Contact, id: gone, version: None }).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let page = browser.get("/").await;
        let told = counted(&page);
        for (label, n) in [
            ("Assets without a company", "0"), ("Assets without a contact", "5"), ("Contacts without a company", "1"),
            ("Assets not seen for 30 days", "3"), ("longer ago or never", "2"), ("Windows 11", "5"), ("Gold", "1"),
        ] {
            assert!(told.iter().any(|(_, of, many)| of == label && many == n), "{label}: {told:?}");
        }
        for (to, label, n) in told {
            let list = browser.get(&to).await;
            let badge = list.text.split("number\">").nth(1).unwrap().split('<').next().unwrap();
            assert_eq!(badge, n, "{label} at {to}");
        }
        for span in ["within a day", "1 to 7 days ago", "7 to 30 days ago", "30 to 90 days ago"] {
            assert!(page.text.contains(&format!("<td>{span}</td><td class=\"end number\">1<")), "{span}: {}", page.text);
        }
        nexus.stop().await;
    }

    async fn sites_without_a_company_are_told_by_the_last_run_that_came_to_its_end(world: World) {
        let vendor = Datto::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
        vendor.edit(|state| state.sites.insert(0, Site::new(1, "aaaaaaaa-0000-4000-8000-000000000001", "Nobody's")));
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let run = syncing.run().await;
        assert_eq!(run.gaps.len(), 1, "{run:?}");
        let nexus = &syncing.nexus;
        let (mut browser, tech) = (nexus.logged_in("boss", "admin").await, nexus.caller("tech", "technician", &[]).await);
        let told = (format!("/sync/runs/{}", run.id), "Datto sites without a company".to_owned(), "1".to_owned());
        assert!(counted(&browser.get("/").await).contains(&told));
        let asked = tech.post_empty("/api/jobs/sync-datto/runs").await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        assert!(counted(&browser.get("/").await).contains(&told), "while another one goes on");
        let cancel = format!("/api/sync/runs/{}/cancel", asked.json()["run_id"]);
        assert_eq!(tech.post(&cancel, &Value::Null).await.status, 200);
        assert!(counted(&browser.get("/").await).contains(&told), "after another one was broken off");
        syncing.nexus.stop().await;
    }

    async fn a_client_of_several_companies_chooses_among_them(world: World) {
        let nexus = Nexus::serve(world).await;
        let (one, two) = (nexus.company("1", "One").await, nexus.company("2", "Two").await);
        nexus.record(Entity::Contact, &json!({"name": "Ada", "company_ids": [one]})).await;
        for hostname in ["PC-1", "PC-2"] {
            nexus.record(Entity::Asset, &json!({"hostname": hostname, "company_id": one})).await;
        }
        nexus.account("client", "client", &[one, two]).await;
        let mut client = nexus.browser();
        client.log_in("client", nexus_tests::PASSWORD).await;
        let page = client.get("/").await;
        assert!(page.text.contains("1 contact, 2 assets") && page.text.contains("0 contacts, 0 assets"), "{}", page.text);
        nexus.stop().await;
    }
}
