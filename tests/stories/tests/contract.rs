//! The rows of the contract with the consumers of the first Nexus: what they send, what they read, word by word.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_db::Query;
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, PASSWORD, send};
use serde_json::{Value, json};

/// The members that a reader of the first Nexus takes out of a record, and no other than these types.
fn has(record: &Value, members: &[&str]) {
    for member in members {
        assert!(record.get(member).is_some(), "{member} is missing: {record}");
    }
}

/// A directory as billing and the sync scripts know it: made by their own requests.
async fn fill(tech: &Caller<'_>) -> (i64, i64) {
    let company = json!({"account_number": "000742", "name": "Ackermann Tooling", "domains": "[\"ackermann.example\"]", "plan_selected": "Gold"});
    assert_eq!(tech.post("/api/companies", &company).await.status, 201);
    assert_eq!(tech.post("/api/companies", &json!({"account_number": "2", "name": "Other"})).await.status, 201);
    let contact = json!({"name": "Ada", "email": "ada@ackermann.example", "company_account_number": "000742"});
    let contact = tech.post("/api/contacts", &contact).await.json()["id"].as_i64().unwrap();
    let asset = json!({"hostname": "ACK-1", "company_account_number": "000742", "hardware_type": "Laptop", "operating_system": "Windows 11",
        "last_seen": "2026-02-03 19:05:39", "backup_usage_tb": "1.25", "backup_data_bytes": 1_374_389_534_720_i64});
    let asset = tech.post("/api/assets", &asset).await;
    assert_eq!((asset.status.as_u16(), &asset.json()["message"]), (201, &json!("Asset created successfully")));
    (contact, asset.json()["id"].as_i64().unwrap())
}

both! {
    async fn whoever_watches_nexus_learns_whether_its_database_answers(world: World) {
        let nexus = Nexus::serve(world).await;
        let dialect = nexus.db().dialect().as_str();
        let well = nexus.nobody().get("/healthz").await;
        let version = well.json()["version"].clone();
        assert_eq!((well.status.as_u16(), well.json()), (200, json!({"status": "ok", "version": version, "database": dialect})));
        let rename = async |from: &str, to: &str| {
            let mut tx = nexus.db().write().await.unwrap();
            tx.optional::<(i64,)>(Query::new(format!("ALTER TABLE {from} RENAME TO {to}"))).await.unwrap();
            tx.commit().await.unwrap();
        };
        rename("sequences", "elsewhere").await;
        let ill = nexus.nobody().get("/healthz").await;
        assert_eq!((ill.status.as_u16(), &ill.json()["status"], &ill.json()["database"]), (503, &json!("unavailable"), &json!(dialect)));
        assert_eq!(ill.json()["reason"], "the database does not answer");
        rename("elsewhere", "sequences").await;
        assert_eq!(nexus.nobody().get("/healthz").await.status, 200);
        nexus.stop().await;
    }

    async fn a_token_is_given_and_refused_in_the_words_of_old(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("billing", "billing", &[]).await;
        let nobody = nexus.nobody();
        let given = nobody.post("/api/token", &json!({"username": "billing", "password": PASSWORD})).await;
        assert_eq!(given.status, 200);
        has(&given.json(), &["token", "token_type", "expires_in"]);
        nobody.post("/api/token", &json!({"username": "billing"})).await.refused(400, "Missing username or password");
        nobody.post("/api/token", &json!({"username": "billing", "password": "x"})).await.refused(401, "Invalid credentials");
        nobody.post("/api/token", &json!({"username": "nobody", "password": "x"})).await.refused(401, "Invalid credentials");
        nobody.get("/api/companies").await.refused(401, "Token is missing");
        let wrong = nobody.request(Method::GET, "/api/companies").header("x-api-key", "wrong");
        send(wrong).await.refused(401, "Invalid API Key");
        let wrong = nobody.request(Method::GET, "/api/companies").bearer_auth("wrong");
        send(wrong).await.refused(401, "Token is invalid");
        nexus.stop().await;
    }

    async fn companies_answer_as_they_did(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        fill(&tech).await;
        let query = nexus_db::Query::new("SELECT id FROM companies WHERE account_number = '2'");
        let (other,) = nexus.db().one::<(i64,)>(query).await.unwrap();
        let client = nexus.caller("client", "client", &[other]).await;
        let list = tech.get("/api/companies").await.json();
        assert_eq!(list.as_array().unwrap().len(), 2);
        let company = tech.get("/api/companies/000742").await.json();
        assert!(list.as_array().unwrap().contains(&company));
        has(&company, &[
            "account_number", "name", "freshservice_id", "description", "plan_selected", "billing_plan", "profit_or_non_profit",
            "company_main_number", "company_start_date", "head_name", "primary_contact_name", "domains", "address",
            "datto_site_uid", "datto_site_uids", "phone_system", "email_system",
        ]);
        assert_eq!((&company["domains"], &company["billing_plan"]), (&json!("[\"ackermann.example\"]"), &json!("Gold")));
        assert_eq!(tech.get("/api/companies?freshservice_id=7").await.json(), json!([]));
        tech.post("/api/companies", &json!({"name": "x"})).await.refused(400, "Missing name or account_number");
        let again = json!({"name": "x", "account_number": "000742"});
        tech.post("/api/companies", &again).await.refused(409, "Company already exists. Use PUT to update.");
        tech.get("/api/companies/9").await.refused(404, "Company not found");
        client.get("/api/companies/000742").await.refused(403, "Access denied");
        client.put("/api/companies/2", &json!({"name": "x"})).await.refused(403, "Clients cannot update company details");
        let updated = tech.put("/api/companies/2", &json!({"name": "Other Two"})).await;
        assert_eq!((updated.status.as_u16(), &updated.json()["message"]), (200, &json!("Company updated successfully")));
        let users = client.get("/api/companies/2/users").await.json();
        has(&users[0], &["id", "username", "email", "permission_level"]);
        client.get("/api/companies/000742/users").await.refused(403, "Access denied");
        nexus.stop().await;
    }

    async fn assets_answer_as_they_did(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let (_, id) = fill(&tech).await;
        let path = format!("/api/assets/{id}");
        let asset = tech.get(&path).await.json();
        has(&asset, &[
            "id", "hostname", "company_account_number", "hardware_type", "operating_system", "last_logged_in_user", "datto_site_name",
            "antivirus_product", "description", "ext_ip_address", "int_ip_address", "domain", "last_audit_date", "last_reboot",
            "last_seen", "online", "patch_status", "backup_usage_tb", "backup_data_bytes", "enabled_administrators", "device_type",
            "portal_url", "web_remote_url",
        ]);
        assert_eq!(asset["last_seen"], "2026-02-03T19:05:39.000Z");
        for query in ["company_account_number=000742", "hostname=ack-1", ""] {
            assert_eq!(tech.get(&format!("/api/assets?{query}")).await.json(), json!([asset]), "{query}");
        }
        assert_eq!(tech.get("/api/assets?company_account_number=2").await.json(), json!([]));
        let lacking = json!({"hostname": "x"});
        tech.post("/api/assets", &lacking).await.refused(400, "Missing hostname or company_account_number");
        tech.put("/api/assets/999", &json!({"hostname": "x"})).await.refused(404, "Asset not found");
        let updated = tech.put(&path, &json!({"online": true})).await;
        assert_eq!((updated.status.as_u16(), &updated.json()["message"]), (200, &json!("Asset updated successfully")));
        let deleted = tech.delete(&path).await;
        assert_eq!((deleted.status.as_u16(), &deleted.json()["message"]), (200, &json!("Asset deleted successfully")));
        tech.get(&path).await.refused(404, "Asset not found");
        nexus.stop().await;
    }

    async fn contacts_answer_as_they_did(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let (id, _) = fill(&tech).await;
        let path = format!("/api/contacts/{id}");
        let contact = tech.get(&path).await.json();
        has(&contact, &[
            "id", "name", "email", "title", "employment_type", "active", "mobile_phone_number", "work_phone_number",
            "secondary_emails", "company_account_numbers",
        ]);
        assert_eq!((&contact["employment_type"], &contact["secondary_emails"]), (&json!("Full Time"), &json!("[]")));
        for query in ["email=ADA@ackermann.example", "company_account_number=000742"] {
            assert_eq!(tech.get(&format!("/api/contacts?{query}")).await.json(), json!([contact]), "{query}");
        }
        tech.post("/api/contacts", &json!({"name": "x"})).await.refused(400, "Missing name or email");
        tech.get("/api/contacts/999").await.refused(404, "Contact not found");
        let many = json!({"name": "Bob", "email": "b@x.example", "company_account_numbers": ["000742", "2"]});
        let made = tech.post("/api/contacts", &many).await;
        assert_eq!((made.status.as_u16(), &made.json()["message"]), (201, &json!("Contact created successfully")));
        let updated = tech.put(&path, &json!({"title": "Engineer"})).await;
        assert_eq!((updated.status.as_u16(), &updated.json()["message"]), (200, &json!("Contact updated successfully")));
        nexus.stop().await;
    }

    async fn users_and_billing_answer_as_they_did(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("boss", "admin", &[]).await;
        fill(&admin).await;
        let query = nexus_db::Query::new("SELECT id FROM companies WHERE account_number = '000742'");
        let (company,) = nexus.db().one::<(i64,)>(query).await.unwrap();
        let id = nexus.account("portal", "client", &[company]).await;
        let user = admin.get(&format!("/api/users/{id}")).await.json();
        has(&user, &["id", "username", "email", "company_account_number", "permission_level"]);
        assert_eq!((&user["company_account_number"], &user["permission_level"]), (&json!("000742"), &json!("client")));
        assert!(admin.get("/api/users").await.json().as_array().unwrap().contains(&user));
        admin.get("/api/users/999").await.refused(404, "User not found");

        let billing = nexus.caller("bill", "billing", &[]).await;
        let summary = billing.get("/api/billing_summary").await.json();
        let row = summary.as_array().unwrap().iter().find(|row| row["account_number"] == "000742").unwrap();
        has(row, &["account_number", "name", "plan_selected", "company_main_number", "domains", "assets", "users", "contacts"]);
        has(&row["assets"][0], &["hostname", "hardware_type", "operating_system"]);
        assert_eq!(row["users"], json!([{"username": "portal", "email": null}]));
        assert_eq!(row["contacts"][0]["name"], "Ada");
        let bulk = billing.get("/api/companies/bulk").await.json();
        let whole = bulk.as_array().unwrap().iter().find(|one| one["company"]["account_number"] == "000742").unwrap();
        for part in ["assets", "contacts", "locations"] {
            let list = billing.get(&format!("/api/companies/000742/{part}")).await.json();
            assert_eq!(whole[part], list, "{part}");
        }
        nexus.stop().await;
    }
}
