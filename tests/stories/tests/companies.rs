//! Companies over the REST API, as the consumers of the first Nexus call it.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_core::entity::{Field, Kind, TIED_SITES};
use nexus_core::records::Company;
use nexus_db::changes::feed;
use nexus_test_databases::both;
use nexus_tests::{Nexus, send};
use serde_json::{Value, json};

/// The fields of a company of the first Nexus.
const FIELDS: [&str; 13] = [
    "account_number",
    "name",
    "freshservice_id",
    "description",
    "plan_selected",
    "profit_or_non_profit",
    "company_main_number",
    "company_start_date",
    "head_name",
    "primary_contact_name",
    "domains",
    "address",
    "datto_site_uid",
];

fn full() -> Value {
    json!({
        "account_number": "000742",
        "name": "Ackermann Tooling",
        "freshservice_id": 9_007_199_254_740_993_i64,
        "description": "Two lines\nof notes",
        "plan_selected": "Gold",
        "profit_or_non_profit": "profit",
        "company_main_number": "+1 555 0100",
        "company_start_date": "2019-04-02",
        "head_name": "Ada Ackermann",
        "primary_contact_name": "Grace Hopper",
        "domains": ["ackermann.example", "tooling.example"],
        "address": "1 Mill Lane\n90210 Town",
        "phone_system": "VoIP",
        "email_system": "Exchange",
    })
}

both! {
    async fn a_company_is_created_and_read_with_all_its_fields(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let created = tech.post("/api/companies", &full()).await;
        assert_eq!(created.status, 201, "{}", created.text);
        assert_eq!(created.json(), json!({"message": "Company created successfully", "account_number": "000742"}));
        assert_eq!(created.header("location"), "/api/companies/000742");

        let company = tech.get("/api/companies/000742").await;
        assert_eq!((company.status.as_u16(), company.header("content-type")), (200, "application/json"));
        let company = company.json();
        for field in FIELDS {
            assert!(company.get(field).is_some(), "{field} is missing");
        }
        for (name, value) in full().as_object().unwrap() {
            let sent = if name == "domains" { json!(value.to_string()) } else { value.clone() };
            assert_eq!(company[name], sent, "{name}");
        }
        assert_eq!(company["billing_plan"], "Gold");
        assert_eq!((&company["datto_site_uid"], &company["datto_site_uids"]), (&Value::Null, &json!([])));
        let typed: Company = serde_json::from_value(company.clone()).unwrap();
        assert_eq!((typed.version, typed.created_at.as_str()), (1, "2026-03-02T08:00:00.000Z"));
        assert_eq!(tech.get("/api/companies").await.json(), json!([company]));

        let feed = feed(nexus.db(), &nexus_core::Scope::All, 0, 100).await.unwrap().rows;
        let row = feed.iter().find(|row| row.entity == Entity::Company).unwrap();
        assert_eq!((row.author.as_str(), row.origin.as_str()), ("tech", "api"));
        nexus.stop().await;
    }

    async fn a_company_without_its_key_or_name_or_with_a_taken_key_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (body, blamed) in [
            (json!({}), &["name", "account_number"][..]),
            (json!({"name": "One"}), &["account_number"]),
            (json!({"account_number": "1", "name": "  "}), &["name"]),
            (json!({"account_number": null, "name": "One"}), &["account_number"]),
        ] {
            let answer = tech.post("/api/companies", &body).await;
            answer.refused(400, "Missing name or account_number");
            assert_eq!(answer.blamed(), blamed);
        }
        nexus.company("abc", "First").await;
        for number in ["abc", "ABC", " abc "] {
            let answer = tech.post("/api/companies", &json!({"account_number": number, "name": "Second"})).await;
            answer.refused(409, "Company already exists. Use PUT to update.");
        }
        nexus.stop().await;
    }

    async fn a_put_changes_the_keys_it_names_and_nothing_else(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        tech.post("/api/companies", &full()).await;
        let before = tech.get("/api/companies/000742").await.json();
        let answer = tech.put("/api/companies/000742", &json!({"head_name": "Alan Turing", "address": null})).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["message"], "Company updated successfully");

        let after = tech.get("/api/companies/000742").await.json();
        for (name, value) in before.as_object().unwrap() {
            match name.as_str() {
                "head_name" => assert_eq!(after[name], "Alan Turing"),
                "address" => assert_eq!(after[name], Value::Null),
                "version" => assert_eq!(after[name], 2),
                _ => assert_eq!(after[name], *value, "{name}"),
            }
        }
        let n = nexus.written().await;
        assert_eq!(tech.put("/api/companies/000742", &json!({})).await.status, 200);
        // What a GET gave may be sent back as it came.
        assert_eq!(tech.put("/api/companies/000742", &after).await.status, 200);
        assert_eq!(nexus.written().await, n, "nothing changed, so nothing is told");
        tech.put("/api/companies/1", &json!({"name": "One"})).await.refused(404, "Company not found");
        nexus.stop().await;
    }

    async fn every_field_takes_its_kind_and_gives_it_back(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "One").await;
        let typed = |field: &&Field| field.is_column() && field.name != TIED_SITES;
        for field in Entity::Company.fields().iter().filter(typed) {
            let value = match field.kind {
                Kind::Integer => json!(-5),
                Kind::TextList => json!("[\"a.example\"]"),
                Kind::AccountNumber => json!("1"),
                _ => json!(format!("New {}", field.name)),
            };
            let answer = tech.put("/api/companies/1", &json!({field.name: value})).await;
            assert_eq!(answer.status, 200, "{}: {}", field.name, answer.text);
            assert_eq!(tech.get("/api/companies/1").await.json()[field.name], value, "{}", field.name);
        }
        tech.put("/api/companies/1", &json!({"billing_plan": "Silver"})).await;
        assert_eq!(tech.get("/api/companies/1").await.json()["plan_selected"], "Silver");
        nexus.stop().await;
    }

    async fn domains_are_taken_as_a_list_or_as_its_text_and_sent_as_text(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "One").await;
        for (given, sent) in [
            (json!(["a.example", "b.example"]), json!("[\"a.example\",\"b.example\"]")),
            (json!("[\"c.example\", \"d.example\"]"), json!("[\"c.example\",\"d.example\"]")),
            (json!([" a.example ", "", "a.example"]), json!("[\"a.example\"]")),
            (json!("[\"quo\\\"te\"]"), json!("[\"quo\\\"te\"]")),
            (json!(""), json!("[]")),
            (json!("[]"), json!("[]")),
            (json!([]), json!("[]")),
            (json!(null), json!("[]")),
        ] {
            assert_eq!(tech.put("/api/companies/1", &json!({"domains": given})).await.status, 200, "{given}");
            assert_eq!(tech.get("/api/companies/1").await.json()["domains"], sent);
        }
        nexus.stop().await;
    }

    async fn account_numbers_are_text_and_keep_their_zeros(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for number in ["7", "07", "007", "A-1", "a_1.2"] {
            let created = tech.post("/api/companies", &json!({"account_number": number, "name": number})).await;
            assert_eq!(created.status, 201, "{}", created.text);
            let company = tech.get(&format!("/api/companies/{number}")).await.json();
            assert_eq!((&company["account_number"], &company["name"]), (&json!(number), &json!(number)));
        }
        assert_eq!(tech.get("/api/companies/a-1").await.json()["account_number"], "A-1");
        nexus.stop().await;
    }

    async fn the_id_stays_when_the_account_number_changes(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let id = nexus.company("1", "One").await;
        nexus.company("3", "Three").await;
        let moved = tech.put("/api/companies/1", &json!({"account_number": "2"})).await;
        assert_eq!(moved.status, 200);
        assert_eq!(moved.json()["account_number"], "2");
        assert_eq!(tech.get("/api/companies/2").await.json()["id"], id);
        tech.get("/api/companies/1").await.refused(404, "Company not found");
        assert_eq!(tech.put("/api/companies/2", &json!({"account_number": "3"})).await.problem(409)["status"], 409);
        nexus.stop().await;
    }

    async fn a_deleted_company_is_gone_and_its_key_is_free_for_another_id(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let id = nexus.company("1", "One").await;
        let deleted = tech.delete("/api/companies/1").await;
        assert_eq!(deleted.status, 200);
        assert_eq!(deleted.json()["message"], "Company deleted successfully");
        for answer in [tech.get("/api/companies/1").await, tech.delete("/api/companies/1").await] {
            answer.refused(404, "Company not found");
        }
        assert_eq!(tech.get("/api/companies").await.json(), json!([]));
        assert_eq!(tech.post("/api/companies", &json!({"account_number": "1", "name": "Again"})).await.status, 201);
        assert_ne!(tech.get("/api/companies/1").await.json()["id"], id);
        nexus.stop().await;
    }

    async fn each_role_may_do_what_the_contract_says(world: World) {
        let nexus = Nexus::serve(world).await;
        let own = nexus.company("1", "Own").await;
        nexus.company("2", "Foreign").await;
        let body = json!({"name": "Renamed"});
        for role in ["admin", "technician"] {
            let caller = nexus.caller(role, role, &[]).await;
            assert_eq!(caller.get("/api/companies").await.status, 200);
            assert_eq!(caller.get("/api/companies/1").await.status, 200);
            assert_eq!(caller.put("/api/companies/1", &body).await.status, 200);
            let new = json!({"account_number": role, "name": role});
            assert_eq!(caller.post("/api/companies", &new).await.status, 201);
            assert_eq!(caller.delete(&format!("/api/companies/{role}")).await.status, 200);
        }
        let n = nexus.written().await;
        let billing = nexus.caller("billing", "billing", &[]).await;
        assert_eq!(billing.get("/api/companies").await.status, 200);
        assert_eq!(billing.get("/api/companies/2").await.status, 200);
        let client = nexus.caller("client", "client", &[own]).await;
        client.get("/api/companies").await.refused(403, "Insufficient permissions");
        assert_eq!(client.get("/api/companies/1").await.json()["name"], "Renamed");
        // A client does not learn which companies there are.
        client.get("/api/companies/2").await.refused(403, "Access denied");
        client.get("/api/companies/3").await.refused(403, "Access denied");
        for path in ["/api/companies/1", "/api/companies/2"] {
            client.put(path, &body).await.refused(403, "Clients cannot update company details");
            billing.put(path, &body).await.refused(403, "Insufficient permissions");
            client.delete(path).await.refused(403, "Insufficient permissions");
            billing.delete(path).await.refused(403, "Insufficient permissions");
        }
        for caller in [&client, &billing] {
            caller.post("/api/companies", &full()).await.refused(403, "Insufficient permissions");
        }
        assert_eq!(nexus.written().await, n + 2, "the two accounts and nothing else");
        for (method, path) in [
            (Method::GET, "/api/companies"), (Method::POST, "/api/companies"), (Method::GET, "/api/companies/1"),
            (Method::PUT, "/api/companies/1"), (Method::DELETE, "/api/companies/1"),
        ] {
            send(nexus.nobody().request(method, path).json(&body)).await.refused(401, "Token is missing");
        }
        nexus.stop().await;
    }

    async fn the_requests_of_the_first_sync_scripts_work(world: World) {
        let nexus = Nexus::serve(world).await;
        let jobs = nexus.caller("jobs", "technician", &[]).await;
        assert_eq!(jobs.get("/api/companies/102030").await.status, 404);
        let body = json!({
            "account_number": "102030", "name": "Ackermann", "freshservice_id": 51_000_000_123_i64, "description": null,
            "domains": "[\"ackermann.example\"]", "head_name": null, "primary_contact_name": "", "address": "",
        });
        assert_eq!(jobs.post("/api/companies", &body).await.status, 201);
        assert_eq!(jobs.get("/api/companies/102030").await.status, 200);
        assert_eq!(jobs.put("/api/companies/102030", &body).await.status, 200);
        let company = jobs.get("/api/companies?freshservice_id=51000000123").await.json();
        assert_eq!((&company[0]["account_number"], &company[0]["version"]), (&json!("102030"), &json!(1)));
        assert_eq!(jobs.get("/api/companies?freshservice_id=5").await.json(), json!([]));
        assert_eq!(jobs.get("/api/companies?freshservice_id=five").await.blamed(), ["freshservice_id"]);
        nexus.stop().await;
    }
}
