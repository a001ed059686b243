//! Locations over the REST API.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::records::Location;
use nexus_test_databases::both;
use nexus_tests::Nexus;
use serde_json::{Value, json};

both! {
    async fn a_location_is_created_read_moved_archived_and_restored(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for number in ["001", "002"] {
            nexus.company(number, number).await;
        }
        for (body, blamed) in [
            (json!({}), &["name", "company_account_number"][..]),
            (json!({"name": "Here"}), &["company_account_number"]),
        ] {
            let answer = tech.post("/api/locations", &body).await;
            answer.refused(400, "Missing name or company_account_number");
            assert_eq!(answer.blamed(), blamed);
        }
        let body = json!({"name": "Main Office", "company_account_number": "001", "address": "1 Mill Lane\nTown", "phone_number": "+1 555 0100"});
        let created = tech.post("/api/locations", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let path = format!("/api/locations/{}", created.json()["id"]);
        assert_eq!(created.header("location"), path);
        let read = tech.get(&path).await.json();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(read[name], *value, "{name}");
        }
        serde_json::from_value::<Location>(read.clone()).unwrap();
        let n = nexus.written().await;
        assert_eq!(tech.put(&path, &read).await.status, 200);
        assert_eq!(nexus.written().await, n);
        for wrong in [json!(null), json!(""), json!("9"), json!(1)] {
            assert_eq!(
                tech.put(&path, &json!({"company_account_number": wrong})).await.blamed(),
                ["company_account_number"],
                "{wrong}"
            );
        }
        assert_eq!(
            tech.put(&path, &json!({"company_account_number": "002"})).await.json()["message"],
            "Location updated successfully"
        );
        assert_eq!(tech.get("/api/companies/001/locations").await.json(), json!([]));
        assert_eq!(tech.get("/api/companies/002/locations").await.json()[0]["name"], "Main Office");
        assert_eq!(
            tech.get("/api/locations?company_account_number=002&search=mill").await.json().as_array().unwrap().len(),
            1
        );
        assert_eq!(tech.delete(&path).await.json()["message"], "Location deleted successfully");
        tech.get(&path).await.refused(404, "Location not found");
        assert_eq!(tech.post(&format!("{path}/restore"), &json!({})).await.status, 200);
        assert_eq!(tech.get(&path).await.json()["company_account_number"], "002");
        nexus.stop().await;
    }

    async fn a_location_of_an_archived_company_may_be_sent_back_as_it_came(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let created = tech.post("/api/locations", &json!({"name": "Here", "company_account_number": "001"})).await;
        let path = format!("/api/locations/{}", created.json()["id"]);
        tech.delete("/api/companies/001").await;
        let mut read = tech.get(&path).await.json();
        assert_eq!(read["company_account_number"], Value::Null);
        read["name"] = json!("There");
        let answer = tech.put(&path, &read).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        tech.post("/api/companies/001/restore", &json!({})).await;
        let now = tech.get(&path).await.json();
        assert_eq!((&now["name"], &now["company_account_number"]), (&json!("There"), &json!("001")));
        nexus.stop().await;
    }
}
