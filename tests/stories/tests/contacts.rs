//! Contacts over the REST API, as the consumers of the first Nexus call it.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_core::records::Contact;
use nexus_db::changes::Edit;
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, send};
use serde_json::{Value, json};

async fn create(caller: &Caller<'_>, body: Value) -> i64 {
    let created = caller.post("/api/contacts", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.json()["id"].as_i64().unwrap()
}

async fn contact(caller: &Caller<'_>, id: i64) -> Value {
    let answer = caller.get(&format!("/api/contacts/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn names(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let list = caller.get(&format!("/api/contacts{query}")).await.json();
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn a_contact_is_created_and_read_with_all_its_fields(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("002", "Two").await;
        nexus.company("001", "One").await;
        let body = json!({
            "name": "Ada Byron", "email": "Ada@one.example", "title": "CTO", "employment_type": "Part Time", "active": false,
            "mobile_phone_number": "+1 555 0101", "work_phone_number": "+1 555 0102",
            "secondary_emails": ["ada@home.example"], "company_account_numbers": ["002", "001", "002"],
        });
        let created = tech.post("/api/contacts", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let id = created.json()["id"].as_i64().unwrap();
        assert_eq!(created.json(), json!({"message": "Contact created successfully", "id": id}));
        assert_eq!(created.header("location"), format!("/api/contacts/{id}"));
        let read = contact(&tech, id).await;
        let mut expected = body;
        expected["id"] = json!(id);
        expected["secondary_emails"] = json!("[\"ada@home.example\"]");
        expected["company_account_numbers"] = json!(["001", "002"]);
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(read[name], *value, "{name}");
        }
        serde_json::from_value::<Contact>(read.clone()).unwrap();
        assert_eq!(tech.get("/api/contacts").await.json(), json!([read]));
        nexus.stop().await;
    }

    async fn a_contact_with_the_least_takes_the_defaults(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let id = create(&tech, json!({"name": "Ada", "email": "ada@one.example"})).await;
        let read = contact(&tech, id).await;
        assert_eq!((&read["employment_type"], &read["active"]), (&json!("Full Time"), &json!(true)));
        assert_eq!((&read["secondary_emails"], &read["company_account_numbers"]), (&json!("[]"), &json!([])));
        nexus.stop().await;
    }

    async fn a_contact_without_name_or_email_or_with_a_taken_email_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (body, blamed) in [
            (json!({}), &["name", "email"][..]),
            (json!({"name": "Ada"}), &["email"]),
            (json!({"name": "", "email": "ada@one.example"}), &["name"]),
        ] {
            let answer = tech.post("/api/contacts", &body).await;
            answer.refused(400, "Missing name or email");
            assert_eq!(answer.blamed(), blamed);
        }
        let id = create(&tech, json!({"name": "Ada", "email": "ada@one.example"})).await;
        let again = tech.post("/api/contacts", &json!({"name": "Another", "email": "ADA@One.example"})).await;
        assert_eq!(again.problem(409)["status"], 409);
        let other = create(&tech, json!({"name": "Bob", "email": "bob@one.example"})).await;
        let taken = tech.put(&format!("/api/contacts/{other}"), &json!({"email": "Ada@one.example"})).await;
        assert_eq!(taken.problem(409)["status"], 409);
        // Its own address in other letters is no conflict.
        assert_eq!(tech.put(&format!("/api/contacts/{id}"), &json!({"email": "Ada@One.example"})).await.status, 200);
        nexus.stop().await;
    }

    async fn the_email_filter_is_exact_without_regard_to_case(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (name, email) in [
            ("Ada", "ada@one.example"),
            ("Other", "bada@one.example"),
            ("Longer", "ada@one.example.org"),
            ("Under", "a_a@one.example"),
            ("Plus", "a+b@one.example"),
            ("Accent", "émile@one.example"),
        ] {
            create(&tech, json!({"name": name, "email": email})).await;
        }
        assert_eq!(names(&tech, "?email=ADA@one.EXAMPLE").await, ["Ada"]);
        assert_eq!(names(&tech, "?email=a_a@one.example").await, ["Under"]);
        assert_eq!(names(&tech, "?email=a%2Bb%40one.example").await, ["Plus"]);
        assert_eq!(names(&tech, "?email=%C3%A9mile%40One.example").await, ["Accent"]);
        for none in ["?email=ada", "?email=%25", "?email=", "?email=nobody@one.example"] {
            assert_eq!(names(&tech, none).await, Vec::<String>::new(), "{none}");
        }
        nexus.stop().await;
    }

    async fn companies_are_named_by_a_list_or_by_the_older_single_number(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("01", "One").await;
        nexus.company("B2", "Two").await;
        let older = json!({"name": "Ada", "email": "ada@one.example", "company_account_number": "01"});
        let id = create(&tech, older).await;
        let path = format!("/api/contacts/{id}");
        assert_eq!(contact(&tech, id).await["company_account_numbers"], json!(["01"]));
        for (body, numbers) in [
            (json!({"company_account_numbers": ["01", "b2"]}), json!(["01", "B2"])),
            (json!({"title": "CTO"}), json!(["01", "B2"])),
            (json!({"company_account_number": "B2"}), json!(["B2"])),
            (json!({"company_account_numbers": []}), json!([])),
            (json!({"company_account_numbers": ["01"], "company_account_number": "B2"}), json!(["01"])),
            (json!({"company_account_number": null}), json!([])),
            (json!({"company_account_numbers": ["01"]}), json!(["01"])),
            (json!({"company_account_number": ""}), json!([])),
        ] {
            assert_eq!(tech.put(&path, &body).await.status, 200, "{body}");
            assert_eq!(contact(&tech, id).await["company_account_numbers"], numbers, "{body}");
        }
        tech.put(&path, &json!({"company_account_numbers": ["01"]})).await;
        assert_eq!(names(&tech, "?company_account_number=01").await, ["Ada"]);
        assert_eq!(names(&tech, "?company_account_number=1").await, Vec::<String>::new());
        nexus.stop().await;
    }

    async fn an_archived_company_leaves_its_contacts_and_finds_them_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let company = nexus.company("1", "One").await;
        nexus.company("2", "Two").await;
        let id = create(&tech, json!({"name": "Ada", "email": "a@one.example", "company_account_numbers": ["1", "2"]})).await;
        let path = format!("/api/contacts/{id}");
        let seen = tech.get(&path).await.header("etag").to_owned();
        assert_eq!(tech.delete("/api/companies/1").await.status, 200);
        let conditional = send(tech.request(Method::GET, &path).header("if-none-match", seen)).await;
        assert_eq!(conditional.status, 200, "the answer changed, whatever the record's version");
        let read = conditional.json();
        assert_eq!(read["company_account_numbers"], json!(["2"]));
        assert_eq!(names(&tech, "?company_account_number=1").await, Vec::<String>::new());
        // Sending back what was read does not cut the tie that cannot be seen.
        assert_eq!(tech.put(&path, &read).await.status, 200);
        nexus.change(Edit::Restore { entity: Entity::Company, id: company, version: None }).await;
        assert_eq!(contact(&tech, id).await["company_account_numbers"], json!(["1", "2"]));
        nexus.stop().await;
    }

    async fn a_put_changes_the_keys_it_names_and_keeps_the_id(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let id = create(&tech, json!({"name": "Ada", "email": "ada@one.example", "title": "CTO"})).await;
        let path = format!("/api/contacts/{id}");
        let updated = tech.put(&path, &json!({"email": "byron@one.example", "active": false})).await;
        assert_eq!(updated.status, 200);
        assert_eq!(updated.json()["message"], "Contact updated successfully");
        let read = contact(&tech, id).await;
        assert_eq!((&read["name"], &read["title"], &read["active"]), (&json!("Ada"), &json!("CTO"), &json!(false)));
        assert_eq!(tech.get("/api/contacts?email=byron@one.example").await.json()[0]["id"], id);
        let n = nexus.written().await;
        assert_eq!(tech.put(&path, &read).await.status, 200);
        assert_eq!(nexus.written().await, n);
        for missing in ["/api/contacts/999", "/api/contacts/-1"] {
            tech.put(missing, &json!({"title": "CEO"})).await.refused(404, "Contact not found");
        }
        nexus.stop().await;
    }

    async fn a_deleted_contact_is_gone_and_its_id_is_never_given_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let body = json!({"name": "Ada", "email": "ada@one.example"});
        let id = create(&tech, body.clone()).await;
        let path = format!("/api/contacts/{id}");
        let deleted = tech.delete(&path).await;
        assert_eq!(deleted.status, 200);
        assert_eq!(deleted.json()["message"], "Contact deleted successfully");
        for answer in [tech.get(&path).await, tech.delete(&path).await, tech.put(&path, &json!({"title": "x"})).await] {
            answer.refused(404, "Contact not found");
        }
        assert!(create(&tech, body).await > id);
        nexus.stop().await;
    }

    async fn each_role_may_do_what_the_contract_says(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = nexus.company("1", "One").await;
        let body = json!({"name": "Ada", "email": "ada@one.example", "company_account_numbers": ["1"]});
        let admin = nexus.caller("admin", "admin", &[]).await;
        let id = create(&admin, body.clone()).await;
        let path = format!("/api/contacts/{id}");
        let billing = nexus.caller("billing", "billing", &[]).await;
        let client = nexus.caller("client", "client", &[company]).await;
        let n = nexus.written().await;
        assert_eq!(billing.get("/api/contacts").await.status, 200);
        client.get("/api/contacts").await.refused(403, "Insufficient permissions");
        for caller in [&billing, &client] {
            caller.get(&path).await.refused(403, "Insufficient permissions");
            caller.post("/api/contacts", &body).await.refused(403, "Insufficient permissions");
            caller.put(&path, &body).await.refused(403, "Insufficient permissions");
            caller.delete(&path).await.refused(403, "Insufficient permissions");
        }
        for (method, path) in [
            (Method::GET, "/api/contacts"), (Method::POST, "/api/contacts"), (Method::GET, path.as_str()),
            (Method::PUT, path.as_str()), (Method::DELETE, path.as_str()),
        ] {
            send(nexus.nobody().request(method, path).json(&body)).await.refused(401, "Token is missing");
        }
        assert_eq!(nexus.written().await, n);
        assert_eq!(admin.get(&path).await.status, 200);
        assert_eq!(admin.delete(&path).await.status, 200);
        nexus.stop().await;
    }

    async fn the_requests_of_the_first_sync_scripts_work(world: World) {
        let nexus = Nexus::serve(world).await;
        let jobs = nexus.caller("jobs", "technician", &[]).await;
        nexus.company("102030", "Ackermann").await;
        assert_eq!(jobs.get("/api/contacts?email=ada@ackermann.example").await.json(), json!([]));
        let body = json!({
            "name": "Ada Byron", "email": "ada@ackermann.example", "active": true, "mobile_phone_number": null,
            "work_phone_number": "", "secondary_emails": "[]", "company_account_number": "102030",
        });
        let id = create(&jobs, body.clone()).await;
        let found = jobs.get("/api/contacts?email=ada@ackermann.example").await.json();
        assert_eq!((&found[0]["id"], &found[0]["active"]), (&json!(id), &json!(true)));
        assert_eq!(jobs.put(&format!("/api/contacts/{id}"), &body).await.status, 200);
        assert_eq!(contact(&jobs, id).await["version"], 1);
        nexus.stop().await;
    }
}
