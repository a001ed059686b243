//! Forms and what follows them: a conflict that is one, values that are not lost, an undo that leads somewhere.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::Entity;
use nexus_simulators::{Datto, Device, Freshservice, Site, Size, Variable};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing};
use serde_json::{Value, json};

const NOTHING: Size = Size { companies: 0, contacts: 0, devices: 0 };

both! {
    async fn new_readings_of_a_device_are_no_conflict_and_a_change_is_told_by_its_author(world: World) {
        let vendor = Datto::start(NOTHING, 1).await.unwrap();
        vendor.edit(|state| {
            let number = Variable { id: 10, name: Some("AccountNumber".into()), value: Some("100001".into()), masked: Some(false) };
            let site = Site { variables: vec![number], ..Site::new(1, "aaaaaaaa-0000-4000-8000-000000000001", "Alpha Office") };
            state.devices = vec![Device::new(11, "dddddddd-0000-4000-8000-000000000011", &site, "A-PC1")];
            state.sites.insert(0, site);
        });
        let nexus = Nexus::serve(world).await;
        nexus.company("100001", "Alpha").await;
        let syncing = Syncing::new(nexus, vendor).await;
        syncing.run().await;
        let seen = async |at: i64| {
            syncing.vendor.edit(|state| state.device("dddddddd-0000-4000-8000-000000000011").unwrap().last_seen = Some(at));
            syncing.run().await;
        };
        let tech = syncing.nexus.caller("api", "technician", &[]).await;
        let id = tech.get("/api/assets").await.json()[0]["id"].as_i64().unwrap();
        let (path, api) = (format!("/assets/{id}/edit"), format!("/api/assets/{id}"));
        let mut browser = syncing.nexus.logged_in("tech", "technician").await;
        let mut form = browser.get(&path).await.form(&path);
        seen(1_770_000_000_000).await;
        form.set("description", "By the door");
        assert_eq!(browser.submit(&form).await.status, 303, "nobody changed anything");
        assert_eq!(tech.get(&api).await.json()["description"], "By the door");

        let mut form = browser.get(&path).await.form(&path);
        tech.put(&api, &json!({"domain": "alpha.example"})).await;
        seen(1_770_000_060_000).await;
        form.set("description", "By the window");
        let moved = browser.submit(&form).await;
        let told = "api changed this record while you had it open (Domain, Pinned fields), so nothing was saved";
        assert!(moved.status == 409 && moved.text.contains(told), "{}", moved.text);
        seen(1_770_000_120_000).await;
        assert_eq!(browser.submit(&moved.form(&path)).await.status, 303, "whoever saves again has seen it");
        assert_eq!(tech.get(&api).await.json()["description"], "By the window");
        // A version that no form of ours holds.
        let mut form = browser.get(&path).await.form(&path);
        for version in ["-9223372036854775808", "0", "x", "9223372036854775807"] {
            form.set("version", version);
            form.set("description", "Nowhere");
            assert_eq!(browser.submit(&form).await.status, 409, "{version}");
        }
    }

    async fn the_form_of_plan_and_features_keeps_what_was_typed(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let feature = admin.post("/api/features", &json!({"name": "Backup"})).await.json()["id"].clone();
        for plan in ["Gold", "Gold  Plus"] {
            admin.post("/api/plans", &json!({"name": plan, "features": {"Backup": "Daily"}})).await;
        }
        let company = json!({"account_number": "1", "name": "One", "plan_selected": "Gold  Plus", "feature_overrides": {"Backup": "two\nlines"}});
        assert_eq!(admin.post("/api/companies", &company).await.status, 201);
        let mut browser = nexus.logged_in("tech", "technician").await;
        let path = "/companies/1/features";
        let own = format!("feature_overrides-{feature}");
        let page = browser.get(path).await;
        assert!(page.text.contains("By its plan: Daily"), "{}", page.text);
        let mut form = page.form(path);
        assert_eq!(form.value(&own), Some("two\r\nlines"));
        let before = nexus.written().await;
        assert_eq!(browser.submit(&form).await.status, 303);
        assert_eq!(nexus.written().await, before, "an untouched form changes nothing");

        form.set("plan_selected", "Gold");
        form.set(&own, &"x".repeat(300));
        let wrong = browser.submit(&form).await;
        assert!(wrong.status == 422 && wrong.text.contains(&format!("id=\"{own}-error\"")), "{}", wrong.text);
        let again = wrong.form(path);
        assert_eq!((again.value("plan_selected"), again.value(&own)), (Some("Gold"), Some("x".repeat(300).as_str())));

        form.set(&own, "Hourly");
        admin.put("/api/companies/1", &json!({"address": "1 First Street"})).await;
        let moved = browser.submit(&form).await;
        assert!(moved.status == 409 && moved.text.contains("admin changed this record while you had it open (Address)"), "{}", moved.text);
        assert_eq!(browser.submit(&moved.form(path)).await.status, 303);
        let now = admin.get("/api/companies/1").await.json();
        assert_eq!((&now["plan_selected"], &now["feature_overrides"]), (&json!("Gold"), &json!({"Backup": "Hourly"})));
        let billing = nexus.logged_in("bill", "billing").await.get(path).await;
        assert!(billing.status == 200 && billing.text.contains("Hourly") && !billing.text.contains("feature_overrides-"), "{}", billing.text);
        nexus.stop().await;
    }

    async fn an_undo_leads_to_what_was_done_where_the_page_is_gone(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        for (path, typed) in [
            ("/companies/new", vec![("name", "One"), ("account_number", "1")]),
            ("/contacts/new", vec![("name", "Ada"), ("email", "ada@one.example")]),
            ("/assets/new", vec![("hostname", "PC-1")]),
            ("/settings/users/new", vec![("username", "ben"), ("permission_level", "technician"), ("password", "a long enough password")]),
        ] {
            let added = browser.edit(path, &typed).await;
            assert_eq!(added.status, 303, "{path}: {}", added.text);
            let page = browser.get(added.header("location")).await;
            let action = page.text.split("action=\"/history/sets/").nth(1).unwrap_or_else(|| panic!("{path}: {}", page.text));
            let action = format!("/history/sets/{}", action.split('"').next().unwrap());
            let undone = browser.submit(&page.form(&action)).await;
            let page = browser.get(undone.header("location")).await;
            assert!(page.status == 200 && page.text.contains("One change was undone."), "{path}: {} {}", undone.header("location"), page.text);
        }
        // The number of a company is its address.
        let tech = nexus.caller("tech", "technician", &[]).await;
        tech.post("/api/companies", &json!({"account_number": "5", "name": "Five"})).await;
        let renamed = browser.edit("/companies/5/edit", &[("account_number", "6")]).await;
        let page = browser.get(renamed.header("location")).await;
        let action = page.text.split("action=\"/history/sets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let undone = browser.submit(&page.form(&format!("/history/sets/{action}"))).await;
        assert_eq!(browser.get(undone.header("location")).await.status, 200, "{}", undone.header("location"));
        assert_eq!(tech.get("/api/companies/5").await.status, 200);
        nexus.stop().await;
    }

    async fn the_history_of_a_record_is_there_when_the_record_is_not(world: World) {
        let nexus = Nexus::serve(world).await;
        let id = nexus.company("1", "One").await;
        let location = nexus.record(Entity::Location, &json!({"name": "Main Office", "company_id": id})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let mut boss = nexus.logged_in("boss", "admin").await;
        let archive = format!("/companies/1/locations/{location}/archive");
        let form = browser.get("/companies/1/locations").await.form(&archive);
        assert_eq!(browser.submit(&form).await.status, 303);
        let archived = browser.get("/companies/1/locations?archived=true").await;
        assert!(archived.text.contains("Main Office"), "{}", archived.text);
        assert!(browser.get(&format!("/history/records/location/{location}")).await.text.contains("archived"));
        let restore = format!("/companies/1/locations/{location}/restore");
        assert_eq!(browser.submit(&archived.form(&restore)).await.header("location"), "/companies/1/locations");
        assert!(browser.get("/companies/1/locations").await.text.contains("Main Office"));
        let other = nexus.company("2", "Two").await;
        assert_eq!(browser.post(&format!("/companies/2/locations/{location}/archive")).await.status, 404, "{other}");

        let gone = browser.get("/companies/1").await.form("/companies/1/archive");
        assert_eq!(browser.submit(&gone).await.status, 303);
        let page = browser.get(&format!("/history/records/company/{id}")).await;
        assert!(page.status == 200 && page.text.contains("archived") && page.text.contains("One"), "{}", page.text);
        let list = browser.get("/history").await;
        assert_eq!(list.status, 200);
        let user = nexus.account("ben", "technician", &[]).await;
        assert_eq!(browser.get(&format!("/history/records/user/{user}")).await.status, 403);
        assert_eq!(boss.get(&format!("/history/records/user/{user}")).await.status, 200);
        assert_eq!(browser.get("/history/records/nothing/1").await.status, 404);
        nexus.stop().await;
    }

    async fn what_is_typed_is_not_lost_with_the_session(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.company("1", "One").await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let mut form = browser.get("/companies/1/edit").await.form("/companies/1/edit");
        form.set("description", "Long notes about <this> company");
        let session = browser.cookies.remove("nexus_session").unwrap();
        let before = nexus.written().await;
        let page = browser.submit(&form).await;
        assert_eq!(page.status, 403);
        for part in ["Your session has ended, so nothing was saved", "Long notes about &#60;this&#62; company", "href=\"/login?next="] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        assert!(!page.text.contains(form.value("csrf").unwrap()), "the token is nobody's to read");
        assert_eq!(browser.log_in("tech", nexus_tests::PASSWORD).await.status, 303);
        let page = browser.submit(&form).await;
        assert!(page.status == 403 && page.text.contains("This form is older than your login"), "{}", page.text);
        browser.cookies.insert("nexus_session".to_owned(), session);
        assert_eq!((nexus.written().await, browser.submit(&form).await.status.as_u16()), (before, 303));
        nexus.stop().await;
    }

    async fn a_part_of_a_page_sends_the_whole_page_to_the_login(world: World) {
        let nexus = Nexus::serve(world).await;
        let part = nexus.nobody().request(http::Method::GET, "/search/hits?q=one").header("hx-request", "true");
        let answer = nexus_tests::send(part.header("hx-current-url", "https://nexus.example/assets?page=2")).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
        assert_eq!(answer.header("hx-redirect"), "/login?next=/assets%3Fpage%3D2");
        for elsewhere in ["//evil.example/", "https://evil.example//evil.example/", "nothing", ""] {
            let part = nexus.nobody().request(http::Method::GET, "/search/hits?q=one").header("hx-request", "true");
            let answer = nexus_tests::send(part.header("hx-current-url", elsewhere)).await;
            assert!(["/login?next=/", "/login?next=/nothing"].contains(&answer.header("hx-redirect")), "{elsewhere}: {}", answer.header("hx-redirect"));
        }
        nexus.stop().await;
    }

    async fn what_a_source_tells_of_names_and_locations_is_released_where_it_is_seen(world: World) {
        let vendor = Freshservice::start(Size { companies: 1, contacts: 1, devices: 0 }, 1).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("api", "technician", &[]).await;
        let company = tech.get("/api/companies").await.json()[0].clone();
        let number = company["account_number"].as_str().unwrap().to_owned();
        // A site tells nothing of a company, and so takes no field from the source that does.
        let site = "aaaaaaaa-0000-4000-8000-000000000001";
        assert_eq!(tech.put(&format!("/api/companies/{number}/sites/{site}"), &Value::Null).await.status, 200);
        let mut browser = syncing.nexus.logged_in("tech", "technician").await;
        let path = format!("/companies/{number}");
        assert_eq!(browser.edit(&format!("{path}/edit"), &[("name", "As we call them")]).await.status, 303);
        let page = browser.get(&path).await;
        assert!(page.text.contains("Freshservice, pinned") && page.text.contains("As we call them<span class=\"other\">Freshservice says: "), "{}", page.text);
        let pins = page.text.matches(&format!("action=\"{path}/pin\"")).count();
        let release = page.text.split("value=\"name\"").nth(1).unwrap();
        assert!(pins > 3 && release.split("</form>").next().unwrap().contains("release"), "{}", page.text);
        let mut form = page.form(&format!("{path}/pin"));
        form.set("field", "name");
        form.add("pinned", "false");
        assert_eq!(browser.submit(&form).await.status, 303);
        let sourced = tech.get(&format!("/api/companies/{number}?include=sources")).await.json();
        assert_eq!((&sourced["name"], &sourced["sources"]["name"]["source"]), (&company["name"], &json!("freshservice")));

        let locations = tech.get("/api/locations").await.json();
        let location = &locations[0];
        let page = browser.get(&format!("{path}/locations")).await;
        let pin = format!("{path}/locations/{}/pin", location["id"]);
        assert!(page.text.contains("Freshservice"), "{}", page.text);
        let mut form = page.form(&pin);
        form.add("pinned", "true");
        assert_eq!(browser.submit(&form).await.status, 303);
        let pinned = tech.get(&format!("/api/locations/{}", location["id"])).await.json();
        assert_eq!(pinned["pinned_fields"].as_array().unwrap().len(), 1, "{pinned}");
    }
}
