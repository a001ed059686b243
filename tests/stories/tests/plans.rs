//! Plans and features, and what a company has of them.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_core::records::{Feature, Plan};
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, send};
use serde_json::{Value, json};

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> i64 {
    let created = caller.post(path, &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.json()["id"].as_i64().unwrap()
}

async fn feature(caller: &Caller<'_>, name: &str) -> i64 {
    made(caller, "/api/features", json!({"name": name})).await
}

async fn company(caller: &Caller<'_>) -> Value {
    caller.get("/api/companies/1").await.json()
}

/// What the company has, and what it has of its own.
async fn has(caller: &Caller<'_>) -> (Value, Value) {
    let company = company(caller).await;
    (company["features"].clone(), company["feature_overrides"].clone())
}

/// A directory of one company with the plan Gold, which includes backup and antivirus.
struct Agreed<'a> {
    admin: Caller<'a>,
    plan: i64,
    backup: i64,
    antivirus: i64,
    phone: i64,
}

impl<'a> Agreed<'a> {
    async fn new(nexus: &'a Nexus) -> Self {
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (backup, antivirus, phone) =
            (feature(&admin, "Backup").await, feature(&admin, "Antivirus").await, feature(&admin, "Phone").await);
        let body = json!({"name": "Gold", "features": {"Backup": "Daily", "antivirus": "Managed"}});
        let plan = made(&admin, "/api/plans", body).await;
        let body = json!({"account_number": "1", "name": "One", "plan_selected": "gold"});
        assert_eq!(admin.post("/api/companies", &body).await.status, 201);
        Self { admin, plan, backup, antivirus, phone }
    }

    fn path(&self) -> String {
        format!("/api/plans/{}", self.plan)
    }
}

both! {
    async fn the_form_of_a_plan_keeps_what_was_typed_and_tells_who_was_quicker(world: World) {
        let nexus = Nexus::serve(world).await;
        let offer = Agreed::new(&nexus).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        let path = format!("/settings/plans/{}/edit", offer.plan);
        let mut form = browser.get(&path).await.form(&path);
        let backup = format!("features-{}", offer.backup);
        assert_eq!(form.value(&backup), Some("Daily"));
        let before = nexus.written().await;
        assert_eq!(browser.submit(&form).await.status, 303);
        assert_eq!(nexus.written().await, before, "an untouched form changes nothing");

        form.set(&backup, &"x".repeat(300));
        let wrong = browser.submit(&form).await;
        assert!(wrong.status == 422 && wrong.text.contains(&format!("id=\"{backup}-error\"")), "{}", wrong.text);
        assert!(wrong.text.contains(&"x".repeat(300)) && !wrong.text.contains("features-2-error"), "{}", wrong.text);

        form.set(&backup, "Hourly");
        offer.admin.put(&offer.path(), &json!({"features": {"Phone": "Cloud"}})).await;
        let moved = browser.submit(&form).await;
        assert_eq!(moved.status, 409, "{}", moved.text);
        assert!(moved.text.contains("admin changed this record while you had it open"), "{}", moved.text);
        let again = moved.form(&path);
        assert_eq!(again.value(&backup), Some("Hourly"), "what was typed is kept");
        assert_eq!(browser.submit(&again).await.status, 303);
        nexus.stop().await;
    }

    async fn an_untouched_form_keeps_the_blanks_in_a_plans_name(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.record(Entity::Plan, &json!({"name": "Gold  plus"})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        // A plan that is offered, and one that is not.
        for (number, plan) in [("1", "Gold  plus"), ("2", "Silver  plus")] {
            let company = json!({"account_number": number, "name": "A company", "plan_selected": plan});
            nexus.record(Entity::Company, &company).await;
            let path = format!("/companies/{number}/edit");
            let form = browser.get(&path).await.form(&path);
            assert_eq!(form.value("plan_selected"), Some(plan));
            let before = nexus.written().await;
            assert_eq!(browser.submit(&form).await.status, 303);
            assert_eq!(nexus.written().await, before, "{plan}");
        }
        nexus.stop().await;
    }

    async fn plans_and_features_are_created_read_changed_archived_and_restored(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let backup = feature(&admin, "Backup").await;
        for (path, word, body) in [
            ("/api/features", "Feature", json!({"name": "Phone", "description": "Two\nlines", "position": 3})),
            (
                "/api/plans",
                "Plan",
                json!({"name": "Gold", "description": "Two\nlines", "position": 3, "features": {"Backup": "Daily"}}),
            ),
        ] {
            admin.post(path, &json!({"description": "x"})).await.refused(400, "Missing name");
            let created = admin.post(path, &body).await;
            let id = created.json()["id"].as_i64().unwrap();
            assert_eq!(created.json()["message"], format!("{word} created successfully"));
            assert_eq!(created.header("location"), format!("{path}/{id}"));
            let one = format!("{path}/{id}");
            let read = admin.get(&one).await.json();
            for (name, value) in body.as_object().unwrap() {
                assert_eq!(read[name], *value, "{name}");
            }
            let n = nexus.written().await;
            assert_eq!(admin.put(&one, &read).await.status, 200);
            assert_eq!((nexus.written().await, admin.get(&one).await.json()), (n, read.clone()));
            for name in [body["name"].clone(), json!(body["name"].as_str().unwrap().to_uppercase())] {
                admin
                    .post(path, &json!({"name": name}))
                    .await
                    .refused(409, &format!("A {} with this name already exists", word.to_lowercase()));
            }
            for (field, value) in [
                ("position", json!("1")),
                ("name", json!(null)),
                ("nonsense", json!(1)),
                ("description", json!("x".repeat(10_001))),
            ] {
                assert_eq!(admin.put(&one, &json!({field: value})).await.blamed(), [field]);
            }
            assert_eq!(
                admin.put(&one, &json!({"description": null, "position": -1})).await.json()["message"],
                format!("{word} updated successfully")
            );
            assert_eq!(admin.delete(&one).await.json()["message"], format!("{word} deleted successfully"));
            for answer in
                [admin.get(&one).await, admin.put(&one, &json!({"position": 1})).await, admin.delete(&one).await]
            {
                answer.refused(404, &format!("{word} not found"));
            }
            assert_eq!(admin.get(&format!("{path}?archived=true")).await.json()[0]["id"], id);
            assert_eq!(admin.post(&format!("{one}/restore"), &json!({})).await.status, 200);
            let after = admin.get(&one).await.json();
            assert_eq!((&after["position"], &after["features"]), (&json!(-1), &read["features"]));
        }
        serde_json::from_value::<Vec<Plan>>(admin.get("/api/plans").await.json()).unwrap();
        serde_json::from_value::<Vec<Feature>>(admin.get("/api/features").await.json()).unwrap();
        // The smallest position first.
        let names: Vec<Value> =
            admin.get("/api/features").await.json().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["Phone", "Backup"]);
        assert_eq!(admin.get("/api/features?page=1").await.header("x-total-count"), "2");
        assert_eq!(admin.get(&format!("/api/features/{backup}")).await.json()["position"], 0);
        nexus.stop().await;
    }

    async fn only_an_administrator_writes_them_and_no_client_reads_the_plans_of_others(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let own = company(&agreed.admin).await["id"].as_i64().unwrap();
        made(&agreed.admin, "/api/plans", json!({"name": "Hidden", "features": {"Phone": "Hidden too"}})).await;
        nexus.company("2", "Two").await;
        let (plan, feature) = (agreed.path(), format!("/api/features/{}", agreed.backup));
        for (role, companies) in [("technician", &[][..]), ("billing", &[]), ("client", &[own])] {
            let caller = nexus.caller(role, role, companies).await;
            for path in ["/api/plans", "/api/features", &plan, &feature] {
                let answer = caller.get(path).await;
                if role == "client" {
                    answer.refused(403, "Insufficient permissions");
                } else {
                    assert_eq!(answer.status, 200);
                }
                caller.put(path, &json!({"name": "Mine"})).await.problem(if path.ends_with('s') { 405 } else { 403 });
                caller.post(&format!("{path}/restore"), &json!({})).await.problem(if path.ends_with('s') {
                    405
                } else {
                    403
                });
            }
            for path in ["/api/plans", "/api/features"] {
                caller.post(path, &json!({"name": "Mine"})).await.refused(403, "Insufficient permissions");
            }
            for path in [&plan, &feature] {
                caller.delete(path).await.refused(403, "Insufficient permissions");
            }
            let features = caller.get("/api/companies/1/features").await;
            assert_eq!(features.status, 200);
            let one = format!("/api/companies/1/features/{}", agreed.backup);
            if role != "technician" {
                caller.put(&one, &json!({"value": "Mine"})).await.refused(403, "Insufficient permissions");
                caller.delete(&one).await.refused(403, "Insufficient permissions");
            }
            if role == "client" {
                assert!(!features.text.contains("Hidden"), "{}", features.text);
                caller.get("/api/companies/2/features").await.refused(403, "Access denied");
            }
        }
        let tech = nexus.caller("tech", "technician", &[]).await;
        for set in
            tech.get("/api/changesets").await.json().as_array().unwrap().iter().filter(|set| set["author"] == "admin")
        {
            let answer = tech.post(&format!("/api/changesets/{}/revert", set["id"]), &json!({})).await;
            assert!(set["reason"] == "Company created" || answer.status == 403, "{set}: {}", answer.text);
        }
        agreed.admin.post("/api/companies/1/restore", &json!({})).await;
        assert_eq!(has(&agreed.admin).await, (json!({"Antivirus": "Managed", "Backup": "Daily"}), json!({})));
        nexus.stop().await;
    }

    async fn a_plan_names_its_features_and_refuses_what_is_none(world: World) {
        let nexus = Nexus::serve(world).await;
        let Agreed { admin, plan, .. } = Agreed::new(&nexus).await;
        let path = format!("/api/plans/{plan}");
        assert_eq!(admin.get(&path).await.json()["features"], json!({"Antivirus": "Managed", "Backup": "Daily"}));
        for wrong in [
            json!({"Nothing": "x"}),
            json!(["Backup"]),
            json!("Backup"),
            json!({"Backup": 5}),
            json!({"Backup": "x".repeat(256)}),
            json!({"": "x"}),
            json!({"1": "x"}),
        ] {
            assert_eq!(admin.put(&path, &json!({"features": wrong})).await.blamed(), ["features"], "{wrong}");
        }
        assert_eq!(admin.put(&path, &json!({"feature_values": {"1": "x"}})).await.blamed(), ["feature_values"]);
        // All of it: what is not named, and what is blank, is not included.
        admin.put(&path, &json!({"features": {"BACKUP": " Hourly ", "Antivirus": " "}})).await;
        assert_eq!(admin.get(&path).await.json()["features"], json!({"Backup": "Hourly"}));
        assert_eq!(has(&admin).await.0, json!({"Backup": "Hourly"}));
        admin.put(&path, &json!({"features": null})).await;
        assert_eq!(has(&admin).await.0, json!({}));
        nexus.stop().await;
    }

    async fn a_company_has_what_its_plan_includes_and_its_own_goes_before(world: World) {
        let nexus = Nexus::serve(world).await;
        let Agreed { admin, backup, antivirus, phone, .. } = Agreed::new(&nexus).await;
        assert_eq!(has(&admin).await, (json!({"Antivirus": "Managed", "Backup": "Daily"}), json!({})));
        admin.put("/api/companies/1", &json!({"feature_overrides": {"Backup": "Hourly", "Phone": "VoIP"}})).await;
        assert_eq!(
            has(&admin).await,
            (
                json!({"Antivirus": "Managed", "Backup": "Hourly", "Phone": "VoIP"}),
                json!({"Backup": "Hourly", "Phone": "VoIP"})
            )
        );
        let list = admin.get("/api/companies/1/features").await.json();
        let rows: Vec<(i64, Value, Value, Value)> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (one["id"].as_i64().unwrap(), one["value"].clone(), one["plan_value"].clone(), one["own_value"].clone())
            })
            .collect();
        assert_eq!(
            rows,
            [
                (antivirus, json!("Managed"), json!("Managed"), json!(null)),
                (backup, json!("Hourly"), json!("Daily"), json!("Hourly")),
                (phone, json!("VoIP"), json!(null), json!("VoIP")),
            ]
        );
        // Sent back as it came, nothing changes: what the plan gives does not become the company's own.
        let read = company(&admin).await;
        let n = nexus.written().await;
        assert_eq!(admin.put("/api/companies/1", &read).await.status, 200);
        assert_eq!(nexus.written().await, n);
        admin.put("/api/companies/1", &json!({"feature_overrides": {"Phone": "VoIP"}})).await;
        assert_eq!(has(&admin).await.0, json!({"Antivirus": "Managed", "Backup": "Daily", "Phone": "VoIP"}));
        admin.put("/api/companies/1", &json!({"plan_selected": null})).await;
        assert_eq!(has(&admin).await, (json!({"Phone": "VoIP"}), json!({"Phone": "VoIP"})));
        admin.put("/api/companies/1", &json!({"billing_plan": "GOLD"})).await;
        assert_eq!(has(&admin).await.0, json!({"Antivirus": "Managed", "Backup": "Daily", "Phone": "VoIP"}));
        assert_eq!(
            admin.put("/api/companies/1", &json!({"feature_overrides": {"Fax": "x"}})).await.blamed(),
            ["feature_overrides"]
        );
        assert_eq!(tell(&admin, "/api/companies").await["features"], has(&admin).await.0);
        assert_eq!(admin.get("/api/companies/bulk").await.json()[0]["company"], company(&admin).await);
        nexus.stop().await;
    }

    async fn one_value_of_a_company_is_set_and_cleared(world: World) {
        let nexus = Nexus::serve(world).await;
        let Agreed { admin, backup, phone, .. } = Agreed::new(&nexus).await;
        let (one, other) =
            (format!("/api/companies/1/features/{backup}"), format!("/api/companies/1/features/{phone}"));
        assert_eq!(
            admin.put(&one, &json!({"value": "Hourly"})).await.json(),
            json!({"message": "Company updated successfully", "account_number": "1"})
        );
        assert_eq!(admin.put(&other, &json!({"value": "VoIP"})).await.status, 200);
        assert_eq!(has(&admin).await.1, json!({"Backup": "Hourly", "Phone": "VoIP"}));
        assert_eq!(admin.delete(&one).await.status, 200);
        assert_eq!(
            has(&admin).await,
            (json!({"Antivirus": "Managed", "Backup": "Daily", "Phone": "VoIP"}), json!({"Phone": "VoIP"}))
        );
        let n = nexus.written().await;
        assert_eq!(admin.delete(&one).await.status, 200);
        for body in [json!({}), json!({"value": null}), json!({"value": " "})] {
            admin.put(&one, &body).await.refused(400, "Missing value");
        }
        assert_eq!(admin.put(&one, &json!({"value": 5})).await.blamed(), ["value"]);
        assert_eq!(admin.put(&one, &json!({"value": "x", "more": 1})).await.blamed(), ["more"]);
        admin.put(&one, &json!({"value": "x".repeat(256)})).await.problem(400);
        for (path, text) in [
            ("/api/companies/1/features/99999", "Feature not found"),
            ("/api/companies/9/features/1", "Company not found"),
        ] {
            admin.put(path, &json!({"value": "x"})).await.refused(404, text);
            admin.delete(path).await.refused(404, text);
        }
        let stale = admin.request(Method::PUT, &one).header("if-match", "\"1\"").json(&json!({"value": "Stale"}));
        send(stale).await.problem(412);
        assert_eq!(nexus.written().await, n);
        let now = admin.get("/api/companies/1").await.header("etag").to_owned();
        let fresh = admin.request(Method::PUT, &one).header("if-match", now).json(&json!({"value": "Fresh"}));
        assert_eq!(send(fresh).await.status, 200);
        nexus.stop().await;
    }

    async fn those_who_change_different_features_at_once_do_not_undo_each_other(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        nexus.company("1", "One").await;
        let mut ids = Vec::new();
        for n in 0..6 {
            ids.push(feature(&admin, &format!("Feature {n}")).await);
        }
        let set = async |n: usize, id: i64| -> (usize, Answer) {
            (n, admin.put(&format!("/api/companies/1/features/{id}"), &json!({"value": n.to_string()})).await)
        };
        let answers = futures_util::future::join_all(ids.iter().enumerate().map(|(n, id)| set(n, *id))).await;
        let mut expected = serde_json::Map::new();
        for (n, answer) in answers {
            // Whoever came between another's read and write is told, and what it said is not half there.
            match answer.status.as_u16() {
                200 => drop(expected.insert(format!("Feature {n}"), json!(n.to_string()))),
                412 => drop(answer.problem(412)),
                other => panic!("{other}: {}", answer.text),
            }
        }
        assert!(!expected.is_empty());
        assert_eq!(has(&admin).await.1, Value::Object(expected));
        nexus.stop().await;
    }

    async fn a_plan_that_is_renamed_carries_its_companies(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        admin.post("/api/companies", &json!({"account_number": "2", "name": "Two", "plan_selected": "Silver"})).await;
        let before = has(admin).await;
        assert_eq!(admin.put(&agreed.path(), &json!({"name": "Platinum"})).await.status, 200);
        let one = company(admin).await;
        assert_eq!((&one["plan_selected"], &one["billing_plan"]), (&json!("Platinum"), &json!("Platinum")));
        assert_eq!(has(admin).await, before);
        assert_eq!(admin.get("/api/companies/2").await.json()["plan_selected"], "Silver");
        assert_eq!(tell(admin, "/api/billing_summary").await["plan_selected"], "Platinum");
        // One deed: undone, it is undone for all.
        let set = admin.get("/api/changesets").await.json()[0]["id"].clone();
        assert_eq!(
            admin.post(&format!("/api/changesets/{set}/revert"), &json!({})).await.json()["left_alone"],
            json!([])
        );
        assert_eq!((company(admin).await["plan_selected"].clone(), has(admin).await), (json!("gold"), before));
        // A name that is taken changes nothing anywhere.
        made(admin, "/api/plans", json!({"name": "Silver"})).await;
        admin
            .put(&agreed.path(), &json!({"name": "SILVER"}))
            .await
            .refused(409, "A plan with this name already exists");
        assert_eq!(company(admin).await["plan_selected"], "gold");
        let stale =
            admin.request(Method::PUT, &agreed.path()).header("if-match", "\"99\"").json(&json!({"name": "Late"}));
        send(stale).await.problem(412);
        assert_eq!(company(admin).await["plan_selected"], "gold");
        nexus.stop().await;
    }

    async fn a_plan_in_use_is_not_deleted(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        admin.delete(&agreed.path()).await.problem(409);
        assert_eq!(admin.get(&agreed.path()).await.status, 200);
        assert_eq!(has(admin).await.0, json!({"Antivirus": "Managed", "Backup": "Daily"}));
        admin.put("/api/companies/1", &json!({"plan_selected": "Other"})).await;
        assert_eq!(admin.delete(&agreed.path()).await.json()["message"], "Plan deleted successfully");
        admin.put("/api/companies/1", &json!({"plan_selected": "Gold"})).await;
        assert_eq!(has(admin).await.0, json!({}));
        assert_eq!(admin.post(&format!("{}/restore", agreed.path()), &json!({})).await.status, 200);
        assert_eq!(has(admin).await.0, json!({"Antivirus": "Managed", "Backup": "Daily"}));
        nexus.stop().await;
    }

    async fn a_feature_that_is_renamed_or_archived_shows_so_everywhere(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        admin.put("/api/companies/1", &json!({"feature_overrides": {"Backup": "Hourly"}})).await;
        let (list, tag) =
            (admin.get("/api/companies").await, admin.get("/api/companies/1").await.header("etag").to_owned());
        let path = format!("/api/features/{}", agreed.backup);
        admin.put(&path, &json!({"name": "Safe \"keeping\""})).await;
        assert_eq!(
            has(admin).await,
            (json!({"Antivirus": "Managed", "Safe \"keeping\"": "Hourly"}), json!({"Safe \"keeping\"": "Hourly"}))
        );
        assert_eq!(
            admin.get(&agreed.path()).await.json()["features"],
            json!({"Antivirus": "Managed", "Safe \"keeping\"": "Daily"})
        );
        for (path, tag) in [("/api/companies/1", tag.as_str()), ("/api/companies", list.header("etag"))] {
            let again = send(admin.request(Method::GET, path).header("if-none-match", tag)).await;
            assert_eq!(again.status, 200, "{path} shows something else now");
        }
        admin.delete(&path).await;
        assert_eq!(has(admin).await, (json!({"Antivirus": "Managed"}), json!({})));
        assert_eq!(admin.get(&agreed.path()).await.json()["features"], json!({"Antivirus": "Managed"}));
        assert_eq!(admin.get("/api/companies/1/features").await.json().as_array().unwrap().len(), 2);
        admin
            .put(&format!("/api/companies/1/features/{}", agreed.backup), &json!({"value": "x"}))
            .await
            .refused(404, "Feature not found");
        // What cannot be named meanwhile is not lost by an edit of the rest.
        for (path, key) in [("/api/companies/1", "feature_overrides"), (agreed.path().as_str(), "features")] {
            assert_eq!(admin.put(path, &json!({key: {"Phone": "VoIP"}})).await.status, 200);
        }
        admin.post(&format!("{path}/restore"), &json!({})).await;
        assert_eq!(has(admin).await.1, json!({"Phone": "VoIP", "Safe \"keeping\"": "Hourly"}));
        assert_eq!(
            admin.get(&agreed.path()).await.json()["features"],
            json!({"Phone": "VoIP", "Safe \"keeping\"": "Daily"})
        );
        nexus.stop().await;
    }

    async fn a_company_comes_back_with_its_own_values(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        admin.put("/api/companies/1", &json!({"feature_overrides": {"Backup": "Hourly"}})).await;
        let before = has(admin).await;
        admin.delete("/api/companies/1").await;
        admin.post("/api/companies/1/restore", &json!({})).await;
        assert_eq!(has(admin).await, before);
        nexus.stop().await;
    }

    async fn a_company_that_was_away_when_its_plan_was_renamed_has_it_still(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        let before = has(admin).await;
        admin.delete("/api/companies/1").await;
        admin.put(&agreed.path(), &json!({"name": "Platinum"})).await;
        admin.post("/api/companies/1/restore", &json!({})).await;
        assert_eq!(has(admin).await, before, "{}", company(admin).await);
        nexus.stop().await;
    }
}

both! {
    async fn a_plan_under_either_name_in_a_whole_record_is_what_was_meant(world: World) {
        let nexus = Nexus::serve(world).await;
        let agreed = Agreed::new(&nexus).await;
        let admin = &agreed.admin;
        for (field, plan) in [("billing_plan", json!("Gold")), ("plan_selected", json!("Silver")), ("billing_plan", Value::Null)] {
            let mut whole = company(admin).await;
            whole[field] = plan.clone();
            let put = admin.put("/api/companies/1", &whole).await;
            assert_eq!(put.status, 200, "{}", put.text);
            let now = company(admin).await;
            assert_eq!((&now["plan_selected"], &now["billing_plan"]), (&plan, &plan), "{field}");
        }
        // Whoever sends two new values means the newer name.
        admin.put("/api/companies/1", &json!({"plan_selected": "One", "billing_plan": "Two"})).await;
        assert_eq!(company(admin).await["plan_selected"], "One");
        nexus.stop().await;
    }
}

/// The first company of a list.
async fn tell(caller: &Caller<'_>, path: &str) -> Value {
    caller.get(path).await.json()[0].clone()
}
