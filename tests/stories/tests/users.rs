//! Portal users, their passwords, and the API keys of service accounts.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_core::records::User;
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, PASSWORD, send};
use serde_json::{Value, json};

const NEW_PASSWORD: &str = "another horse, another battery";

async fn create(caller: &Caller<'_>, body: Value) -> i64 {
    let created = caller.post("/api/users", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.json()["id"].as_i64().unwrap()
}

async fn user(caller: &Caller<'_>, id: i64) -> Value {
    caller.get(&format!("/api/users/{id}")).await.json()
}

async fn token(nexus: &Nexus, username: &str, password: &str) -> Answer {
    nexus.nobody().post("/api/token", &json!({"username": username, "password": password})).await
}

both! {
    async fn a_user_is_created_read_changed_archived_and_restored(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        nexus.company("002", "Two").await;
        nexus.company("001", "One").await;
        let body = json!({
            "username": "ada", "password": NEW_PASSWORD, "email": "Ada@one.example", "permission_level": "client",
            "company_account_numbers": ["002", "001", "002"],
        });
        let created = admin.post("/api/users", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let id = created.json()["id"].as_i64().unwrap();
        assert_eq!(created.json(), json!({"message": "User created successfully", "id": id}));
        assert_eq!(created.header("location"), format!("/api/users/{id}"));
        let read = user(&admin, id).await;
        assert_eq!(
            (&read["username"], &read["email"], &read["permission_level"]),
            (&json!("ada"), &json!("Ada@one.example"), &json!("client"))
        );
        assert_eq!(
            (&read["company_account_number"], &read["company_account_numbers"]),
            (&json!("001"), &json!(["001", "002"]))
        );
        assert!(read.get("password").is_none() && read.get("role").is_none(), "{read}");
        serde_json::from_value::<User>(read.clone()).unwrap();
        let n = nexus.written().await;
        assert_eq!(admin.put(&format!("/api/users/{id}"), &read).await.status, 200);
        assert_eq!(nexus.written().await, n, "sent back as it came, it changes nothing");
        let changed =
            admin.put(&format!("/api/users/{id}"), &json!({"company_account_number": "002", "email": null})).await;
        assert_eq!(changed.json()["message"], "User updated successfully");
        let read = user(&admin, id).await;
        assert_eq!((&read["email"], &read["company_account_numbers"]), (&Value::Null, &json!(["002"])));
        let deleted = admin.delete(&format!("/api/users/{id}")).await;
        assert_eq!((deleted.status.as_u16(), &deleted.json()["message"]), (200, &json!("User deleted successfully")));
        admin.get(&format!("/api/users/{id}")).await.refused(404, "User not found");
        token(&nexus, "ada", NEW_PASSWORD).await.refused(401, "Invalid credentials");
        assert_eq!(admin.post(&format!("/api/users/{id}/restore"), &json!({})).await.status, 200);
        assert_eq!(token(&nexus, "ADA", NEW_PASSWORD).await.status, 200);
        nexus.stop().await;
    }

    async fn only_an_administrator_sees_and_changes_users(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let own = nexus.company("001", "One").await;
        let service = nexus.account("jobs", "technician", &[]).await;
        let key = admin.post(&format!("/api/users/{service}/keys"), &json!({})).await.json()["id"].clone();
        let n = nexus.written().await;
        for (role, companies) in [("technician", &[][..]), ("billing", &[]), ("client", &[own])] {
            let caller = nexus.caller(role, role, companies).await;
            let path = format!("/api/users/{service}");
            for path in ["/api/users", &path, &format!("{path}/keys"), "/api/users/99999"] {
                caller.get(path).await.refused(403, "Insufficient permissions");
            }
            let body = json!({"username": "x", "permission_level": "admin", "password": NEW_PASSWORD});
            caller.post("/api/users", &body).await.refused(403, "Insufficient permissions");
            caller.put(&path, &body).await.refused(403, "Insufficient permissions");
            caller.delete(&path).await.refused(403, "Insufficient permissions");
            caller.post(&format!("{path}/restore"), &json!({})).await.refused(403, "Insufficient permissions");
            caller.post(&format!("{path}/keys"), &json!({})).await.refused(403, "Insufficient permissions");
            caller.delete(&format!("/api/keys/{key}")).await.refused(403, "Insufficient permissions");
        }
        assert_eq!(nexus.written().await, n + 3, "the three accounts and nothing else");
        assert_eq!(admin.get(&format!("/api/users/{service}/keys")).await.json().as_array().unwrap().len(), 1);
        nexus.stop().await;
    }

    async fn a_user_that_cannot_be_is_refused_with_the_fields_to_blame(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        nexus.company("001", "One").await;
        let good = json!({"username": "ada", "password": NEW_PASSWORD, "permission_level": "technician"});
        let missing = admin.post("/api/users", &json!({})).await;
        missing.refused(400, "Missing username or permission_level");
        assert_eq!(missing.blamed(), ["username", "permission_level"]);
        let n = nexus.written().await;
        for (field, value) in [
            ("password", json!("short")),
            ("password", json!("123456789")),
            ("password", json!("x".repeat(1_001))),
            ("password", json!(7)),
            ("password", json!(null)),
            ("password", json!("")),
            ("permission_level", json!("root")),
            ("permission_level", json!("Admin")),
            ("permission_level", json!(1)),
            ("role", json!("admin")),
            ("email", json!("nobody")),
            ("service_account", json!("yes")),
            ("company_account_numbers", json!(["9"])),
            ("company_account_numbers", json!("001")),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            assert_eq!(admin.post("/api/users", &body).await.blamed(), [field], "{field}: {value}");
        }
        for companies in [json!(null), json!([])] {
            let body = json!({"username": "c", "password": NEW_PASSWORD, "permission_level": "client", "company_account_numbers": companies});
            assert_eq!(admin.post("/api/users", &body).await.blamed(), ["company_account_numbers"]);
        }
        assert_eq!(nexus.written().await, n);
        // Characters count, not bytes; a service account needs no password.
        let mut body = good.clone();
        body["password"] = json!("ééééééé€🦀x");
        let id = create(&admin, body).await;
        assert_eq!(token(&nexus, "ada", "ééééééé€🦀x").await.status, 200);
        create(&admin, json!({"username": "svc", "permission_level": "billing", "service_account": true})).await;
        for wrong in ["short", ""] {
            assert_eq!(
                admin.put(&format!("/api/users/{id}"), &json!({"password": wrong})).await.blamed(),
                ["password"]
            );
        }
        assert_eq!(
            admin.put(&format!("/api/users/{id}"), &json!({"permission_level": "client"})).await.blamed(),
            ["company_account_numbers"]
        );
        assert_eq!(token(&nexus, "ada", "ééééééé€🦀x").await.status, 200);
        nexus.stop().await;
    }

    async fn two_users_never_have_one_name_whatever_letters_it_has(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let body = |name: &str| json!({"username": name, "password": NEW_PASSWORD, "permission_level": "technician"});
        let ada = create(&admin, body("Ada")).await;
        let bob = create(&admin, body("bob")).await;
        for name in ["Ada", "ada", "ADA", " aDa "] {
            admin.post("/api/users", &body(name)).await.refused(409, "A user with this name already exists");
            admin
                .put(&format!("/api/users/{bob}"), &json!({"username": name}))
                .await
                .refused(409, "A user with this name already exists");
        }
        assert_eq!(admin.put(&format!("/api/users/{ada}"), &json!({"username": "ADA"})).await.status, 200);
        admin.delete(&format!("/api/users/{ada}")).await;
        let again = create(&admin, body("ada")).await;
        assert_ne!(again, ada);
        admin.post(&format!("/api/users/{ada}/restore"), &json!({})).await.problem(409);
        nexus.stop().await;
    }

    async fn a_new_password_works_and_ends_the_sessions_of_the_old(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let mut browser = nexus.logged_in("ada", "technician").await;
        let mut other = nexus.logged_in("bob", "technician").await;
        assert_eq!(browser.get("/companies").await.status, 200);
        let list = admin.get("/api/users").await.json();
        let ada = list.as_array().unwrap().iter().find(|one| one["username"] == "ada").unwrap().clone();
        let path = format!("/api/users/{}", ada["id"]);
        // A change at another version changes no password either.
        let stale =
            admin.request(Method::PUT, &path).header("if-match", "\"99\"").json(&json!({"password": NEW_PASSWORD}));
        send(stale).await.problem(412);
        assert_eq!(token(&nexus, "ada", PASSWORD).await.status, 200);
        assert_eq!(browser.get("/companies").await.status, 200);
        assert_eq!(admin.put(&path, &json!({"password": NEW_PASSWORD})).await.status, 200);
        assert_eq!(browser.get("/companies").await.status, 303);
        assert_eq!(other.get("/companies").await.status, 200);
        token(&nexus, "ada", PASSWORD).await.refused(401, "Invalid credentials");
        assert_eq!(token(&nexus, "ada", NEW_PASSWORD).await.status, 200);
        for (_, text) in nexus.texts().await {
            assert!(!text.contains(NEW_PASSWORD) && !text.contains("argon2"), "{text}");
        }
        nexus.stop().await;
    }

    async fn what_an_account_may_not_do_any_more_it_cannot_do_at_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let second = nexus.caller("second", "admin", &[]).await;
        let (one, two) = (nexus.company("001", "One").await, nexus.company("002", "Two").await);
        let id = admin
            .get("/api/users")
            .await
            .json()
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["username"] == "second")
            .unwrap()["id"]
            .clone();
        let path = format!("/api/users/{id}");
        assert_eq!(second.get("/api/users").await.status, 200);
        admin.put(&path, &json!({"permission_level": "technician"})).await;
        second.get("/api/users").await.refused(403, "Insufficient permissions");
        assert_eq!(second.get("/api/companies").await.status, 200);
        admin.put(&path, &json!({"permission_level": "client", "company_account_numbers": ["001"]})).await;
        second.get("/api/companies").await.refused(403, "Insufficient permissions");
        assert_eq!(second.get("/api/companies/001").await.json()["id"], one);
        admin.put(&path, &json!({"company_account_numbers": ["002"]})).await;
        second.get("/api/companies/001").await.refused(403, "Access denied");
        assert_eq!(second.get("/api/companies/002").await.json()["id"], two);
        admin.delete(&path).await;
        second.get("/api/companies/002").await.refused(401, "User not found");
        nexus.stop().await;
    }

    async fn a_client_whose_company_is_archived_sees_nothing_of_it_at_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (one, two) = (nexus.company("001", "One").await, nexus.company("002", "Two").await);
        let client = nexus.caller("client", "client", &[one, two]).await;
        for number in ["001", "002"] {
            let body = json!({"name": format!("Person {number}"), "email": format!("p{number}@x.example"), "company_account_number": number});
            admin.post("/api/contacts", &body).await;
            admin
                .post(
                    "/api/assets",
                    &json!({"hostname": format!("Person-pc {number}"), "company_account_number": number}),
                )
                .await;
        }
        assert_eq!(client.get("/api/search?q=person").await.json().as_array().unwrap().len(), 4);
        admin.delete("/api/companies/002").await;
        assert_eq!(client.get("/api/search?q=person").await.json().as_array().unwrap().len(), 2);
        client.get("/api/companies/002/contacts").await.refused(403, "Access denied");
        assert!(!client.get("/api/changes").await.text.contains("002"));
        admin.post("/api/companies/002/restore", &json!({})).await;
        assert_eq!(client.get("/api/search?q=person").await.json().as_array().unwrap().len(), 4);
        nexus.stop().await;
    }

    async fn two_who_demote_each_other_at_once_leave_one(world: World) {
        let nexus = Nexus::serve(world).await;
        let (one, two) = (nexus.caller("one", "admin", &[]).await, nexus.caller("two", "admin", &[]).await);
        let list = one.get("/api/users").await.json();
        let path = |name: &str| {
            let id = &list.as_array().unwrap().iter().find(|one| one["username"] == name).unwrap()["id"];
            format!("/api/users/{id}")
        };
        let (first, second) = (path("one"), path("two"));
        let body = json!({"permission_level": "technician"});
        let (of_two, of_one) = tokio::join!(one.put(&second, &body), two.put(&first, &body));
        for answer in [&of_two, &of_one] {
            assert!([200, 403, 409].contains(&answer.status.as_u16()), "{}", answer.text);
        }
        assert!(of_two.status != 200 || of_one.status != 200, "nobody is left");
        let left = if of_two.status == 200 { &one } else { &two };
        assert_eq!(left.get("/api/users").await.status, 200);
        nexus.stop().await;
    }

    async fn an_administrator_who_cannot_log_in_is_none(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let id = create(&admin, json!({"username": "svc", "permission_level": "admin", "service_account": true})).await;
        admin.put(&format!("/api/users/{id}"), &json!({"service_account": false})).await;
        let list = admin.get("/api/users").await.json();
        let own = list.as_array().unwrap().iter().find(|one| one["username"] == "admin").unwrap()["id"].clone();
        admin.delete(&format!("/api/users/{own}")).await.problem(409);
        assert_eq!(token(&nexus, "admin", PASSWORD).await.status, 200);
        // With a password it is one.
        assert_eq!(
            admin
                .put(&format!("/api/users/{id}"), &json!({"service_account": false, "password": NEW_PASSWORD}))
                .await
                .status,
            200
        );
        assert_eq!(admin.delete(&format!("/api/users/{own}")).await.status, 200);
        assert_eq!(token(&nexus, "svc", NEW_PASSWORD).await.status, 200);
        nexus.stop().await;
    }

    async fn a_user_is_added_to_the_company_whose_users_are_shown(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = nexus.company("007", "One").await;
        let client = json!({
            "username": "client", "role": "client", "service_account": false, "email": "a?bcc=b@one.example", "company_ids": [company],
        });
        nexus.record(Entity::User, &client).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        let page = browser.get("/companies/007/users").await;
        assert!(page.text.contains("href=\"mailto:a%3Fbcc%3Db@one.example\""), "{}", page.text);
        let add = "/settings/users/new?company=007";
        assert!(page.text.contains(&format!("href=\"{add}\"")), "{}", page.text);
        let form = browser.get(add).await.form("/settings/users/new");
        assert_eq!(form.value("company_account_numbers"), Some("007"));
        nexus.stop().await;
    }

    async fn a_job_brings_no_users(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let job = nexus.caller("jobs", "technician", &[]).await;
        let before = admin.get("/api/users").await.json();
        let run = job.post("/api/sync/runs", &json!({"job": "sync-freshservice", "trigger": "manual"})).await.json()["run_id"].clone();
        for (entity, fields) in [
            ("user", json!({"username": "evil", "role": "admin"})),
            ("plan", json!({"name": "Free"})),
            ("feature", json!({"name": "Everything"})),
        ] {
            let batch =
                json!({"observations": [{"entity": entity, "external_id": "1", "scope": "users", "fields": fields}]});
            let answer = job.put(&format!("/api/sync/runs/{run}/observations/1"), &batch).await;
            assert_eq!(answer.blamed(), ["observations"], "{}", answer.text);
        }
        let scope = json!({"name": "users", "entity": "user", "complete": true, "records": 1, "error": null});
        let body = json!({"scopes": [scope], "quarantined": [], "vendor_calls": 0, "error": null});
        job.post(&format!("/api/sync/runs/{run}/complete"), &body).await;
        assert_eq!(admin.get("/api/users").await.json(), before);
        assert_eq!(
            (admin.get("/api/plans").await.json(), admin.get("/api/features").await.json()),
            (json!([]), json!([]))
        );
        nexus.stop().await;
    }

    async fn one_person_stays_an_administrator(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        nexus.company("001", "One").await;
        // A service account is nobody who could mend things.
        nexus.account("jobs", "admin", &[]).await;
        let list = admin.get("/api/users").await.json();
        let id = list.as_array().unwrap().iter().find(|one| one["username"] == "admin").unwrap()["id"].clone();
        let path = format!("/api/users/{id}");
        let before = admin.get(&path).await.json();
        for body in [
            json!({"permission_level": "technician"}),
            json!({"permission_level": "client", "company_account_numbers": ["001"]}),
            json!({"service_account": true}),
            json!({"permission_level": "billing", "password": NEW_PASSWORD}),
        ] {
            admin.put(&path, &body).await.problem(409);
        }
        admin.delete(&path).await.problem(409);
        assert_eq!(admin.get(&path).await.json(), before);
        assert_eq!(token(&nexus, "admin", PASSWORD).await.status, 200);
        let second =
            create(&admin, json!({"username": "second", "permission_level": "admin", "password": NEW_PASSWORD})).await;
        assert_eq!(admin.put(&path, &json!({"permission_level": "technician"})).await.status, 200);
        admin.delete(&format!("/api/users/{second}")).await.refused(403, "Insufficient permissions");
        nexus.stop().await;
    }

    async fn an_undo_does_not_take_the_last_administrator_away(world: World) {
        let nexus = Nexus::serve(world).await;
        let first = nexus.caller("first", "admin", &[]).await;
        let second =
            create(&first, json!({"username": "second", "permission_level": "admin", "password": NEW_PASSWORD})).await;
        let made = first.get("/api/changesets").await.json()[0]["id"].clone();
        let mut second_caller = nexus.nobody();
        second_caller.token = token(&nexus, "second", NEW_PASSWORD).await.json()["token"].as_str().map(str::to_owned);
        let list = first.get("/api/users").await.json();
        let id = list.as_array().unwrap().iter().find(|one| one["username"] == "first").unwrap()["id"].clone();
        assert_eq!(
            second_caller.put(&format!("/api/users/{id}"), &json!({"permission_level": "technician"})).await.status,
            200
        );
        let undone = second_caller.post(&format!("/api/changesets/{made}/revert"), &json!({})).await;
        undone.problem(409);
        assert_eq!(user(&second_caller, second).await["permission_level"], "admin");
        nexus.stop().await;
    }

    async fn nobody_gets_rights_back_by_an_undo(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let demoted = nexus.caller("demoted", "admin", &[]).await;
        let list = admin.get("/api/users").await.json();
        let id = list.as_array().unwrap().iter().find(|one| one["username"] == "demoted").unwrap()["id"].clone();
        assert_eq!(
            admin.put(&format!("/api/users/{id}"), &json!({"permission_level": "technician"})).await.status,
            200
        );
        let set = admin.get("/api/changesets").await.json()[0]["id"].clone();
        demoted
            .post(&format!("/api/changesets/{set}/revert"), &json!({}))
            .await
            .refused(403, "Insufficient permissions");
        assert_eq!(user(&admin, id.as_i64().unwrap()).await["permission_level"], "technician");
        // Who made it may undo it.
        let undone = admin.post(&format!("/api/changesets/{set}/revert"), &json!({})).await;
        assert_eq!((undone.status.as_u16(), &undone.json()["left_alone"]), (200, &json!([])), "{}", undone.text);
        assert_eq!(user(&admin, id.as_i64().unwrap()).await["permission_level"], "admin");
        nexus.stop().await;
    }

    async fn a_user_keeps_the_companies_that_are_archived_meanwhile(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        for number in ["001", "002"] {
            nexus.company(number, number).await;
        }
        let body = json!({"username": "ada", "password": NEW_PASSWORD, "permission_level": "client", "company_account_numbers": ["001", "002"]});
        let both = create(&admin, body).await;
        let body = json!({"username": "bob", "password": NEW_PASSWORD, "permission_level": "client", "company_account_numbers": ["002"]});
        let one = create(&admin, body).await;
        admin.delete("/api/companies/002").await;
        for id in [both, one] {
            let mut read = user(&admin, id).await;
            read["email"] = json!(format!("new{id}@one.example"));
            let answer = admin.put(&format!("/api/users/{id}"), &read).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        admin.post("/api/companies/002/restore", &json!({})).await;
        assert_eq!(user(&admin, both).await["company_account_numbers"], json!(["001", "002"]));
        assert_eq!(user(&admin, one).await["company_account_numbers"], json!(["002"]));
        nexus.stop().await;
    }

    async fn a_users_companies_under_either_name_in_a_whole_record_are_what_was_meant(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        for number in ["001", "002", "003"] {
            nexus.company(number, number).await;
        }
        let id = create(&admin, json!({
            "username": "ada", "password": NEW_PASSWORD, "permission_level": "client", "company_account_number": "001",
        }))
        .await;
        for (field, value, companies) in [
            ("company_account_number", json!("002"), json!(["002"])),
            ("company_account_numbers", json!(["001", "003"]), json!(["001", "003"])),
            ("username", json!("ada2"), json!(["001", "003"])),
        ] {
            let mut whole = user(&admin, id).await;
            whole[field] = value;
            let put = admin.put(&format!("/api/users/{id}"), &whole).await;
            assert_eq!(put.status, 200, "{}", put.text);
            assert_eq!(user(&admin, id).await["company_account_numbers"], companies, "{field}");
        }
        nexus.stop().await;
    }
}
