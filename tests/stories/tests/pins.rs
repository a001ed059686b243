//! Pinned fields: what a person typed over a source's value stays, until somebody lets it follow again.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::sync::RunState;
use nexus_simulators::{Department, Freshservice, Requester, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Caller, Nexus, Syncing, send};
use serde_json::{Value, json};

/// Two synced companies and a person of both; the source's ids are 501, 502 and 901.
async fn synced(world: World) -> Syncing {
    let vendor = Freshservice::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
    vendor.edit(|state| {
        for (id, name, number) in [(501, "Ackermann", "100001"), (502, "Beta", "100002")] {
            let mut department = Department::new(id, name);
            department.custom_fields.insert("account_number".into(), json!(number));
            department.custom_fields.insert("plan_selected".into(), json!("Gold"));
            department.domains = vec![format!("{id}.example")];
            state.departments.push(department);
        }
        let mut person = Requester::new(901, "Ada", "Byron", &[501, 502]);
        person.primary_email = Some("ada@example.org".into());
        person.job_title = Some("Engineer".into());
        state.requesters.push(person);
    });
    let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
    run(&syncing).await;
    syncing
}

async fn run(syncing: &Syncing) {
    let run = syncing.run().await;
    assert_eq!(run.state, RunState::Applied, "{run:?}");
}

/// The source says another name of the first company, and it is read.
async fn renamed(syncing: &Syncing, name: &str) {
    syncing.vendor.edit(|state| state.department(501).unwrap().name = name.into());
    run(syncing).await;
}

const ONE: &str = "/api/companies/100001";

async fn company(caller: &Caller<'_>) -> Value {
    caller.get(ONE).await.json()
}

/// Its name and what is pinned.
async fn name(caller: &Caller<'_>) -> (Value, Value) {
    let company = company(caller).await;
    (company["name"].clone(), company["pinned_fields"].clone())
}

async fn sources(caller: &Caller<'_>, path: &str) -> Value {
    let answer = caller.get(&format!("{path}?include=sources")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["sources"].clone()
}

async fn ada(caller: &Caller<'_>) -> String {
    format!("/api/contacts/{}", caller.get("/api/contacts?email=ada@example.org").await.json()[0]["id"])
}

async fn undo_last(caller: &Caller<'_>) {
    let set = caller.get("/api/changesets").await.json()[0]["id"].clone();
    let undone = caller.post(&format!("/api/changesets/{set}/revert"), &json!({})).await;
    assert_eq!((undone.status.as_u16(), &undone.json()["left_alone"]), (200, &json!([])), "{}", undone.text);
}

both! {
    async fn typing_over_a_synced_field_pins_it_and_says_so(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(name(&tech).await, (json!("Ackermann"), json!([])));
        let told = sources(&tech, ONE).await;
        let of_name = &told["name"];
        assert_eq!(
            (&of_name["source"], &of_name["source_value"], &of_name["pinned_by"]),
            (&json!("freshservice"), &json!("Ackermann"), &Value::Null)
        );
        assert_eq!((&of_name["at"], &of_name["run_id"]), (&json!("2026-03-02T08:00:00.000Z"), &json!(1)));
        assert_eq!(
            (&told["domains"]["source_value"], &told["freshservice_id"]["source_value"]),
            (&json!("[\"501.example\"]"), &json!(501))
        );
        tech.put(ONE, &json!({"name": "Ackermann AG", "domains": ["ag.example"]})).await;
        assert_eq!(name(&tech).await, (json!("Ackermann AG"), json!(["domains", "name"])));
        let told = sources(&tech, ONE).await;
        assert_eq!((&told["name"]["source_value"], &told["name"]["pinned_by"]), (&json!("Ackermann"), &json!("tech")));
        assert_eq!(told["description"]["pinned_by"], Value::Null);
        renamed(&syncing, "Ackermann Renamed").await;
        assert_eq!(name(&tech).await.0, "Ackermann AG");
        let told = sources(&tech, ONE).await;
        assert_eq!((&told["name"]["source_value"], &told["name"]["run_id"]), (&json!("Ackermann Renamed"), &json!(2)));
        // Whoever did not type does not pin: the same value again, a record sent back as it came.
        let read = tech.get("/api/companies/100002").await.json();
        tech.put("/api/companies/100002", &read).await;
        assert_eq!(tech.get("/api/companies/100002").await.json()["pinned_fields"], json!([]));
        assert_eq!(tech.get("/api/companies").await.json()[0]["pinned_fields"], json!(["domains", "name"]));
    }

    async fn a_released_field_takes_the_latest_value_and_follows_again(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put(ONE, &json!({"name": "Ackermann AG", "primary_contact_name": "Grace"})).await;
        renamed(&syncing, "Second").await;
        let released = tech.delete(&format!("{ONE}/pins/name")).await;
        assert_eq!(
            (released.status.as_u16(), released.json()),
            (200, json!({"message": "Field released", "account_number": "100001"}))
        );
        assert_eq!(name(&tech).await, (json!("Second"), json!(["primary_contact_name"])));
        assert_eq!(released.header("etag"), format!("\"{}\"", company(&tech).await["version"]));
        let n = syncing.nexus.written().await;
        run(&syncing).await;
        // Released twice is released.
        assert_eq!(tech.delete(&format!("{ONE}/pins/name")).await.status, 200);
        assert_eq!(syncing.nexus.written().await, n);
        renamed(&syncing, "Third").await;
        assert_eq!(name(&tech).await, (json!("Third"), json!(["primary_contact_name"])));
        assert_eq!(sources(&tech, ONE).await["name"]["pinned_by"], Value::Null);
        // A blank of the source takes nothing away.
        assert_eq!(tech.delete(&format!("{ONE}/pins/primary_contact_name")).await.status, 200);
        assert_eq!(company(&tech).await["primary_contact_name"], "Grace");
    }

    async fn a_pinned_field_keeps_its_value_although_nobody_typed(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let pinned = tech.put(&format!("{ONE}/pins/name"), &json!({})).await;
        assert_eq!((pinned.status.as_u16(), &pinned.json()["message"]), (200, &json!("Field pinned")));
        assert_eq!(name(&tech).await, (json!("Ackermann"), json!(["name"])));
        for latest in ["Second", "Third"] {
            renamed(&syncing, latest).await;
            assert_eq!(name(&tech).await, (json!("Ackermann"), json!(["name"])));
        }
        assert_eq!(sources(&tech, ONE).await["name"]["source_value"], "Third");
        let n = syncing.nexus.written().await;
        assert_eq!(tech.put(&format!("{ONE}/pins/name"), &json!({})).await.status, 200);
        assert_eq!(syncing.nexus.written().await, n);
        tech.delete(&format!("{ONE}/pins/name")).await;
        assert_eq!(name(&tech).await, (json!("Third"), json!([])));
    }

    async fn an_undo_of_the_edit_takes_its_pin_away(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put(ONE, &json!({"head_name": "Kept"})).await;
        tech.put(ONE, &json!({"name": "Ackermann AG"})).await;
        assert_eq!(name(&tech).await, (json!("Ackermann AG"), json!(["head_name", "name"])));
        undo_last(&tech).await;
        assert_eq!(name(&tech).await, (json!("Ackermann"), json!(["head_name"])));
        renamed(&syncing, "Second").await;
        assert_eq!((name(&tech).await.0, company(&tech).await["head_name"].clone()), (json!("Second"), json!("Kept")));
        // The undoing of a release pins again.
        tech.put(ONE, &json!({"name": "Mine"})).await;
        tech.delete(&format!("{ONE}/pins/name")).await;
        assert_eq!(name(&tech).await, (json!("Second"), json!(["head_name"])));
        undo_last(&tech).await;
        assert_eq!(name(&tech).await, (json!("Mine"), json!(["head_name", "name"])));
        renamed(&syncing, "Third").await;
        assert_eq!(name(&tech).await.0, "Mine");
    }

    async fn what_the_source_said_while_a_field_was_pinned_is_not_lost_by_an_undo(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put(ONE, &json!({"name": "Ackermann AG"})).await;
        renamed(&syncing, "Second").await;
        assert_eq!(name(&tech).await.0, "Ackermann AG");
        let sets = tech.get("/api/changesets").await.json();
        let edit = sets.as_array().unwrap().iter().find(|set| set["author"] == "tech").unwrap()["id"].clone();
        let undone = tech.post(&format!("/api/changesets/{edit}/revert"), &json!({})).await;
        assert_eq!(undone.json()["left_alone"], json!([]), "{}", undone.text);
        assert_eq!(name(&tech).await.1, json!([]));
        // It follows its source again, whatever that says and whenever it said it.
        run(&syncing).await;
        assert_eq!(name(&tech).await, (json!("Second"), json!([])));
    }

    async fn who_may_not_know_of_sources_is_not_told(world: World) {
        let syncing = synced(world).await;
        let nexus = &syncing.nexus;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let own = company(&tech).await["id"].as_i64().unwrap();
        let (billing, client) =
            (nexus.caller("billing", "billing", &[]).await, nexus.caller("client", "client", &[own]).await);
        for caller in [&billing, &client] {
            assert_eq!(caller.get(ONE).await.status, 200);
            let answer = caller.get(&format!("{ONE}?include=sources")).await;
            answer.refused(403, "Insufficient permissions");
            assert!(!answer.text.contains("freshservice"));
            for (method, path) in [(Method::PUT, "name"), (Method::DELETE, "name"), (Method::PUT, "nonsense")] {
                send(caller.request(method, &format!("{ONE}/pins/{path}")))
                    .await
                    .refused(403, "Insufficient permissions");
            }
        }
        client.get("/api/companies/100002?include=sources").await.refused(403, "Access denied");
        for other in ["", "source", "Sources", "sources,history", "sources&include=sources"] {
            assert_eq!(tech.get(&format!("{ONE}?include={other}")).await.blamed(), ["include"], "{other}");
        }
        let admin = nexus.caller("admin", "admin", &[]).await;
        assert_eq!(sources(&admin, ONE).await, sources(&tech, ONE).await);
        // A record that no source tells has none.
        nexus.company("7", "Seven").await;
        assert_eq!(sources(&tech, "/api/companies/7").await, json!({}));
        assert_eq!(name(&tech).await.1, json!([]));
    }

    async fn a_contact_is_pinned_by_the_names_of_the_api(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = ada(&tech).await;
        assert_eq!(sources(&tech, &path).await["company_account_numbers"]["source_value"], json!(["100001", "100002"]));
        tech.put(&path, &json!({"company_account_numbers": ["100001"], "title": "CTO"})).await;
        let pinned = async || tech.get(&path).await.json()["pinned_fields"].clone();
        assert_eq!(pinned().await, json!(["company_account_numbers", "title"]));
        syncing.vendor.edit(|state| {
            let ada = state.requester(901).unwrap();
            ada.department_ids = Some(vec![502]);
            ada.job_title = Some("Head".into());
        });
        run(&syncing).await;
        let read = tech.get(&path).await.json();
        assert_eq!((&read["company_account_numbers"], &read["title"]), (&json!(["100001"]), &json!("CTO")));
        for field in ["company_account_numbers", "title"] {
            assert_eq!(tech.delete(&format!("{path}/pins/{field}")).await.status, 200);
        }
        let read = tech.get(&path).await.json();
        assert_eq!(
            (&read["company_account_numbers"], &read["title"], &read["pinned_fields"]),
            (&json!(["100002"]), &json!("Head"), &json!([]))
        );
        for (field, status) in [
            ("company_ids", 404),
            ("nonsense", 404),
            ("pinned_fields", 404),
            ("id", 404),
            ("asset_ids", 404),
            ("Name", 404),
            ("", 404),
        ] {
            tech.put(&format!("{path}/pins/{field}"), &json!({})).await.problem(status);
            tech.delete(&format!("{path}/pins/{field}")).await.problem(status);
        }
        tech.put("/api/contacts/99999/pins/name", &json!({})).await.refused(404, "Contact not found");
        tech.put("/api/assets/99999/pins/hostname", &json!({})).await.refused(404, "Asset not found");
        tech.put("/api/companies/9/pins/name", &json!({})).await.refused(404, "Company not found");
        // The pins of a record are not a field that a body sets.
        let n = syncing.nexus.written().await;
        assert_eq!(tech.put(&path, &json!({"pinned_fields": ["name"]})).await.status, 200);
        assert_eq!((syncing.nexus.written().await, pinned().await), (n, json!([])));
    }

    async fn a_release_that_would_take_anothers_key_is_refused(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = ada(&tech).await;
        tech.put(&path, &json!({"email": "other@example.org"})).await;
        let body = json!({"name": "Impostor", "email": "ADA@example.org"});
        assert_eq!(tech.post("/api/contacts", &body).await.status, 201);
        tech.delete(&format!("{path}/pins/email")).await.problem(409);
        let read = tech.get(&path).await.json();
        assert_eq!((&read["email"], &read["pinned_fields"]), (&json!("other@example.org"), &json!(["email"])));
    }

    async fn pins_are_told_in_history_and_feed(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = ada(&tech).await;
        tech.put(&path, &json!({"company_account_numbers": ["100001"]})).await;
        tech.put(&format!("{path}/pins/title"), &json!({})).await;
        tech.delete(&format!("{path}/pins/company_account_numbers")).await;
        let feed = tech.get("/api/changes").await.json();
        let rows: Vec<&Value> = feed["changes"].as_array().unwrap().iter().rev().take(3).collect();
        assert_eq!(
            (&rows[2]["before"]["pinned_fields"], &rows[2]["after"]["pinned_fields"]),
            (&json!([]), &json!(["company_account_numbers"]))
        );
        assert_eq!(rows[1]["after"], json!({"pinned_fields": ["company_account_numbers", "title"]}));
        assert_eq!(
            rows[0]["after"],
            json!({"pinned_fields": ["title"], "company_account_numbers": ["100001", "100002"]})
        );
        assert!(rows.iter().all(|row| row["author"] == "tech" && row["origin"] == "api" && row["action"] == "update"));
        let sets = tech.get("/api/changesets").await.json();
        assert_eq!(
            (&sets[0]["reason"], &sets[1]["reason"]),
            (&json!("company_account_numbers released"), &json!("title pinned"))
        );
        let set = tech.get(&format!("/api/changesets/{}", sets[1]["id"])).await.json();
        assert_eq!(set["changes"].as_array().unwrap().len(), 1, "{set}");
    }

    async fn a_pin_is_made_at_the_version_that_the_caller_saw(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let seen = tech.get(ONE).await.header("etag").to_owned();
        let pin =
            |method: Method, tag: &str| send(tech.request(method, &format!("{ONE}/pins/name")).header("if-match", tag));
        let first = pin(Method::PUT, &seen).await;
        assert_eq!(first.status, 200, "{}", first.text);
        let n = syncing.nexus.written().await;
        for method in [Method::PUT, Method::DELETE] {
            for stale in [seen.as_str(), "\"99\"", "\"x\"", "W/\"2\""] {
                pin(method.clone(), stale).await.problem(412);
            }
        }
        assert_eq!((syncing.nexus.written().await, name(&tech).await.1), (n, json!(["name"])));
        assert_eq!(pin(Method::DELETE, first.header("etag")).await.status, 200);
        assert_eq!(pin(Method::PUT, "*").await.status, 200);
        // What is told beside the record has a tag of its own.
        let told = tech.get(&format!("{ONE}?include=sources")).await;
        let again =
            tech.request(Method::GET, &format!("{ONE}?include=sources")).header("if-none-match", told.header("etag"));
        assert_eq!(send(again).await.status, 304);
        renamed(&syncing, "Second").await;
        let again =
            tech.request(Method::GET, &format!("{ONE}?include=sources")).header("if-none-match", told.header("etag"));
        assert_eq!(send(again).await.status, 200);
    }

    async fn a_record_that_goes_and_comes_back_keeps_its_pins(world: World) {
        let syncing = synced(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put(ONE, &json!({"name": "Ackermann AG"})).await;
        tech.delete(ONE).await;
        tech.post(&format!("{ONE}/restore"), &json!({})).await;
        assert_eq!(name(&tech).await, (json!("Ackermann AG"), json!(["name"])));
        renamed(&syncing, "Second").await;
        assert_eq!(name(&tech).await.0, "Ackermann AG");
    }

    async fn a_pinned_field_stays_also_when_its_source_has_lost_the_record(world: World) {
        let syncing = synced(world).await;
        syncing.vendor.edit(|state| {
            state.requesters.extend((1..40).map(|n| Requester::new(901 + n, "Grace", "Hopper", &[])));
        });
        run(&syncing).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = ada(&tech).await;
        assert_eq!(tech.put(&format!("{path}/pins/active"), &json!({})).await.status, 200);
        syncing.vendor.edit(|state| state.requesters.drain(..2).for_each(drop));
        run(&syncing).await;
        syncing.nexus.world.clock.advance(jiff::SignedDuration::from_hours(8 * 24));
        run(&syncing).await;
        let tech = syncing.nexus.caller("tech-2", "technician", &[]).await;
        assert_eq!(tech.get(&path).await.json()["active"], true);
        assert_eq!(tech.get("/api/contacts?active=false").await.json().as_array().unwrap().len(), 1);
    }
}
