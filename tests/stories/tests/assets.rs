//! Assets over the REST API, as billing and the sync scripts of the first Nexus call it.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_core::entity::Kind;
use nexus_core::records::Asset;
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, send};
use serde_json::{Value, json};

async fn create(caller: &Caller<'_>, body: Value) -> i64 {
    let created = caller.post("/api/assets", &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.json()["id"].as_i64().unwrap()
}

async fn asset(caller: &Caller<'_>, id: i64) -> Value {
    let answer = caller.get(&format!("/api/assets/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn person(caller: &Caller<'_>, name: &str) -> i64 {
    let created = caller.post("/api/contacts", &json!({"name": name, "email": format!("{name}@x.example")})).await;
    created.json()["id"].as_i64().unwrap()
}

async fn devices_of(caller: &Caller<'_>, contact: i64) -> Value {
    caller.get(&format!("/api/contacts/{contact}")).await.json()["asset_ids"].clone()
}

async fn hostnames(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let list = caller.get(&format!("/api/assets{query}")).await.json();
    list.as_array().unwrap().iter().map(|one| one["hostname"].as_str().unwrap().to_owned()).collect()
}

fn full() -> Value {
    json!({
        "hostname": "ACK-LT-0042",
        "company_account_number": "001",
        "hardware_type": "Laptop",
        "operating_system": "Windows 11 Pro",
        "last_logged_in_user": "ACK\\ada",
        "datto_site_name": "Ackermann",
        "antivirus_product": "Defender",
        "description": "Two lines\nof notes",
        "ext_ip_address": "203.0.113.7",
        "int_ip_address": "10.0.0.7",
        "domain": "ACK",
        "last_audit_date": "2026-02-03T19:05:39.000Z",
        "last_reboot": "2026-02-02T06:00:00.000Z",
        "last_seen": "2026-02-03T19:06:00.123Z",
        "online": false,
        "patch_status": "FullyPatched",
        "backup_usage_tb": "1.25",
        "backup_data_bytes": 9_007_199_254_740_993_i64,
        "enabled_administrators": "Administrator, \"ada\"",
        "device_type": "Workstation",
        "portal_url": "https://rmm.example/device/1?a=b&c=d",
        "web_remote_url": "https://rmm.example/remote/1",
    })
}

both! {
    async fn an_asset_is_created_and_read_with_all_its_fields(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let created = tech.post("/api/assets", &full()).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let id = created.json()["id"].as_i64().unwrap();
        assert_eq!(created.json(), json!({"message": "Asset created successfully", "id": id}));
        assert_eq!(created.header("location"), format!("/api/assets/{id}"));
        let read = tech.get(&format!("/api/assets/{id}")).await;
        // The numbers of 64 bits are told digit by digit.
        assert!(read.text.contains("9007199254740993"), "{}", read.text);
        let read = read.json();
        for (name, value) in full().as_object().unwrap() {
            assert_eq!(read[name], *value, "{name}");
        }
        assert_eq!((&read["contact_ids"], &read["pinned_fields"]), (&json!([]), &json!([])));
        serde_json::from_value::<Asset>(read.clone()).unwrap();
        assert_eq!(tech.get("/api/assets").await.json(), json!([read]));
        nexus.stop().await;
    }

    async fn an_asset_with_the_least_has_null_for_the_rest(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        for (body, blamed) in [
            (json!({}), &["hostname", "company_account_number"][..]),
            (json!({"hostname": "A"}), &["company_account_number"]),
            (json!({"hostname": " ", "company_account_number": "001"}), &["hostname"]),
        ] {
            let answer = tech.post("/api/assets", &body).await;
            answer.refused(400, "Missing hostname or company_account_number");
            assert_eq!(answer.blamed(), blamed);
        }
        let id = create(&tech, json!({"hostname": "A", "company_account_number": "001"})).await;
        let read = asset(&tech, id).await;
        for (name, _) in full()
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !["hostname", "company_account_number"].contains(&name.as_str()))
        {
            assert_eq!(read[name], Value::Null, "{name}");
        }
        // Whether it is online is not known, which is another thing than that it is not.
        for online in [json!(true), json!(null), json!(false), json!(null)] {
            tech.put(&format!("/api/assets/{id}"), &json!({"online": online})).await;
            assert_eq!(asset(&tech, id).await["online"], online);
            assert_eq!(tech.get("/api/companies/001/assets").await.json()[0]["online"], online);
        }
        // A hostname is no key: clones are everyday.
        create(&tech, json!({"hostname": "A", "company_account_number": "001"})).await;
        assert_eq!(hostnames(&tech, "").await, ["A", "A"]);
        nexus.stop().await;
    }

    async fn every_field_takes_its_kind_and_gives_it_back(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let id = create(&tech, json!({"hostname": "A", "company_account_number": "001"})).await;
        let path = format!("/api/assets/{id}");
        for field in Entity::Asset.fields().iter().filter(|field| field.is_column()) {
            let (value, wrong) = match field.kind {
                Kind::Integer => (json!(-5), json!("5")),
                Kind::Bool => (json!(true), json!("true")),
                Kind::Instant => (json!("2026-02-03T19:05:39.000Z"), json!("yesterday")),
                Kind::Reference(_) => continue,
                _ => (json!(format!("New {}", field.name)), json!(5)),
            };
            let answer = tech.put(&path, &json!({field.name: value})).await;
            assert_eq!(answer.status, 200, "{}: {}", field.name, answer.text);
            assert_eq!(answer.json()["message"], "Asset updated successfully");
            assert_eq!(asset(&tech, id).await[field.name], value, "{}", field.name);
            assert_eq!(tech.put(&path, &json!({field.name: wrong})).await.blamed(), [field.name]);
            assert_eq!(asset(&tech, id).await[field.name], value, "{}", field.name);
            if !field.required {
                assert_eq!(tech.put(&path, &json!({field.name: null})).await.status, 200);
                assert_eq!(asset(&tech, id).await[field.name], Value::Null, "{}", field.name);
            }
        }
        assert_eq!(tech.put(&path, &json!({"company_id": 1})).await.blamed(), ["company_id"]);
        assert_eq!(tech.put(&path, &json!({"hostname": null})).await.blamed(), ["hostname"]);
        nexus.stop().await;
    }

    async fn times_are_taken_in_the_older_form_and_sent_in_the_newer(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let id = create(
            &tech,
            json!({"hostname": "A", "company_account_number": "001", "last_seen": "2019-04-02 09:31:52"}),
        )
        .await;
        assert_eq!(asset(&tech, id).await["last_seen"], "2019-04-02T09:31:52.000Z");
        let path = format!("/api/assets/{id}");
        for (given, sent) in [
            (json!("2026-02-03 19:05:39"), json!("2026-02-03T19:05:39.000Z")),
            (json!("2026-02-03T19:05:39+05:30"), json!("2026-02-03T13:35:39.000Z")),
            (json!(" 2026-02-03T19:05:39.9834Z "), json!("2026-02-03T19:05:39.983Z")),
            (json!(""), json!(null)),
        ] {
            for field in ["last_audit_date", "last_reboot", "last_seen"] {
                assert_eq!(tech.put(&path, &json!({field: given})).await.status, 200, "{given}");
                assert_eq!(asset(&tech, id).await[field], sent, "{given}");
            }
        }
        for wrong in [json!("2026-02-30 00:00:00"), json!(1_770_000_000), json!("2026-02-03T25:00:00Z"), json!("0000")]
        {
            assert_eq!(tech.put(&path, &json!({"last_seen": wrong})).await.blamed(), ["last_seen"], "{wrong}");
        }
        nexus.stop().await;
    }

    async fn what_a_get_gave_may_be_sent_back_as_it_came(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let ada = person(&tech, "ada").await;
        let mut body = full();
        body["contact_ids"] = json!([ada]);
        let id = create(&tech, body).await;
        let bare = create(&tech, json!({"hostname": "B", "company_account_number": "001"})).await;
        tech.put(&format!("/api/assets/{bare}"), &json!({"company_account_number": null})).await;
        let n = nexus.written().await;
        for id in [id, bare] {
            let read = asset(&tech, id).await;
            assert_eq!(tech.put(&format!("/api/assets/{id}"), &read).await.status, 200);
            assert_eq!(asset(&tech, id).await, read);
        }
        assert_eq!(nexus.written().await, n, "nothing changed, so nothing is told");
        nexus.stop().await;
    }

    async fn an_asset_moves_between_companies_and_to_none(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (number, name) in [("001", "One"), ("002", "Two")] {
            nexus.company(number, name).await;
        }
        let id = create(&tech, json!({"hostname": "A", "company_account_number": "001"})).await;
        let path = format!("/api/assets/{id}");
        for (given, now) in [
            (json!("002"), Some("002")),
            (json!(null), None),
            (json!(" 001 "), Some("001")),
            (json!(""), None),
            (json!("002"), Some("002")),
        ] {
            let answer = tech.put(&path, &json!({"company_account_number": given})).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(asset(&tech, id).await["company_account_number"], json!(now));
            for number in ["001", "002"] {
                let here: &[&str] = if now == Some(number) { &["A"] } else { &[] };
                assert_eq!(hostnames(&tech, &format!("?company_account_number={number}")).await, here);
                let list = tech.get(&format!("/api/companies/{number}/assets")).await.json();
                assert_eq!(list.as_array().unwrap().len(), here.len());
            }
        }
        for wrong in [json!("003"), json!(1), json!(["001"]), json!(true)] {
            assert_eq!(
                tech.put(&path, &json!({"company_account_number": wrong})).await.blamed(),
                ["company_account_number"],
                "{wrong}"
            );
        }
        tech.put(&path, &json!({"company_account_numbers": ["001", "002"]})).await.problem(400);
        // A changed number of the company is the number that the asset shows.
        tech.put("/api/companies/002", &json!({"account_number": "022"})).await;
        assert_eq!(asset(&tech, id).await["company_account_number"], "022");
        nexus.stop().await;
    }

    async fn people_and_devices_name_each_other(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let (ada, bob) = (person(&tech, "ada").await, person(&tech, "bob").await);
        let one =
            create(&tech, json!({"hostname": "A", "company_account_number": "001", "contact_ids": [bob, ada, bob]}))
                .await;
        let two = create(&tech, json!({"hostname": "B", "company_account_number": "001", "contact_ids": [ada]})).await;
        assert_eq!(asset(&tech, one).await["contact_ids"], json!([ada, bob]));
        assert_eq!((devices_of(&tech, ada).await, devices_of(&tech, bob).await), (json!([one, two]), json!([one])));
        tech.put(&format!("/api/assets/{one}"), &json!({"contact_ids": [bob]})).await;
        assert_eq!((devices_of(&tech, ada).await, devices_of(&tech, bob).await), (json!([two]), json!([one])));
        for wrong in [json!([ada, 99_999]), json!("1"), json!([null]), json!(["1"]), json!({"1": 1})] {
            let answer = tech.put(&format!("/api/assets/{one}"), &json!({"contact_ids": wrong})).await;
            assert_eq!(answer.blamed(), ["contact_ids"], "{wrong}");
        }
        // Who is archived is not shown, stays tied through any edit, and comes back.
        tech.delete(&format!("/api/contacts/{bob}")).await;
        assert_eq!(asset(&tech, one).await["contact_ids"], json!([]));
        let refused = tech.put(&format!("/api/assets/{two}"), &json!({"contact_ids": [bob]})).await;
        assert_eq!(refused.blamed(), ["contact_ids"], "nobody is linked whom nobody sees");
        let read = asset(&tech, one).await;
        tech.put(&format!("/api/assets/{one}"), &read).await;
        tech.put(&format!("/api/assets/{one}"), &json!({"contact_ids": [ada]})).await;
        assert_eq!(tech.post(&format!("/api/contacts/{bob}/restore"), &json!({})).await.status, 200);
        assert_eq!(asset(&tech, one).await["contact_ids"], json!([ada, bob]));
        assert_eq!(devices_of(&tech, bob).await, json!([one]));
        tech.put(&format!("/api/assets/{one}"), &json!({"contact_ids": null})).await;
        assert_eq!((devices_of(&tech, ada).await, devices_of(&tech, bob).await), (json!([two]), json!([])));
        // A contact cannot be told its devices: they are the assets' own.
        let known = tech.get(&format!("/api/contacts/{bob}")).await.json();
        let n = nexus.written().await;
        let mut given = known.clone();
        given["asset_ids"] = json!([one, two]);
        assert_eq!(tech.put(&format!("/api/contacts/{bob}"), &given).await.status, 200);
        assert_eq!((tech.get(&format!("/api/contacts/{bob}")).await.json(), nexus.written().await), (known, n));
        nexus.stop().await;
    }

    async fn lists_are_filtered_by_hostname_and_company(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for number in ["001", "A-2"] {
            nexus.company(number, number).await;
        }
        for (hostname, number) in
            [("PC-1", "001"), ("pc-1", "A-2"), ("PC-10", "001"), ("PC_1", "A-2"), ("Émile", "001")]
        {
            create(&tech, json!({"hostname": hostname, "company_account_number": number})).await;
        }
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!(sorted(hostnames(&tech, "?hostname=Pc-1").await), ["PC-1", "pc-1"]);
        assert_eq!(hostnames(&tech, "?hostname=PC_1").await, ["PC_1"]);
        assert_eq!(hostnames(&tech, "?hostname=pc-1&company_account_number=a-2").await, ["pc-1"]);
        assert_eq!(hostnames(&tech, "?company_account_number=a-2").await, ["pc-1", "PC_1"]);
        assert_eq!(hostnames(&tech, "?hostname=%C3%89mile").await, ["Émile"]);
        for none in [
            "?hostname=PC",
            "?hostname=%25",
            "?hostname=",
            "?company_account_number=",
            "?company_account_number=01",
            "?hostname=PC-1&company_account_number=9",
        ] {
            assert_eq!(hostnames(&tech, none).await, Vec::<String>::new(), "{none}");
        }
        tech.get("/api/assets?hostname=%00").await.problem(400);
        let paged = tech.get("/api/assets?hostname=pc-1&per_page=1").await;
        assert_eq!((paged.header("x-total-count"), paged.json().as_array().unwrap().len()), ("2", 1));
        nexus.stop().await;
    }

    async fn a_deleted_asset_answers_exactly_200_and_can_be_restored_with_its_links(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("001", "One").await;
        let ada = person(&tech, "ada").await;
        let mut body = full();
        body["contact_ids"] = json!([ada]);
        let id = create(&tech, body).await;
        let path = format!("/api/assets/{id}");
        let before = asset(&tech, id).await;
        let deleted = tech.delete(&path).await;
        assert_eq!(deleted.status.as_u16(), 200);
        assert_eq!(deleted.json()["message"], "Asset deleted successfully");
        for answer in [tech.get(&path).await, tech.put(&path, &json!({"online": true})).await, tech.delete(&path).await]
        {
            answer.refused(404, "Asset not found");
        }
        assert_eq!(tech.get("/api/assets").await.json(), json!([]));
        assert_eq!(devices_of(&tech, ada).await, json!([]));
        let archived = tech.get("/api/assets?archived=true").await.json();
        assert_eq!((archived.as_array().unwrap().len(), &archived[0]["id"]), (1, &json!(id)));
        assert_eq!(archived[0]["archived_at"], "2026-03-02T08:00:00.000Z");
        assert_eq!(tech.get("/api/assets?archived=true&page=1").await.header("x-total-count"), "1");
        assert_eq!(tech.get("/api/assets?archived=false&page=1").await.header("x-total-count"), "0");
        assert_eq!(tech.get("/api/assets?archived=yes").await.blamed(), ["archived"]);
        let restored = tech.post(&format!("{path}/restore"), &json!({})).await;
        assert_eq!(
            (restored.status.as_u16(), &restored.json()["message"]),
            (200, &json!("Asset restored successfully"))
        );
        let mut after = asset(&tech, id).await;
        assert_eq!(after["version"], 3);
        after["version"] = before["version"].clone();
        assert_eq!(after, before);
        assert_eq!(devices_of(&tech, ada).await, json!([id]));
        tech.post(&format!("{path}/restore"), &json!({})).await.refused(404, "Asset not found");
        assert_eq!(tech.get("/api/assets?archived=true").await.json(), json!([]));
        nexus.stop().await;
    }

    async fn an_asset_of_an_archived_company_shows_none_and_gets_it_back(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for number in ["001", "002"] {
            nexus.company(number, number).await;
        }
        let stays = create(&tech, json!({"hostname": "Stays", "company_account_number": "001"})).await;
        let moves = create(&tech, json!({"hostname": "Moves", "company_account_number": "001"})).await;
        tech.delete("/api/companies/001").await;
        for id in [stays, moves] {
            assert_eq!(asset(&tech, id).await["company_account_number"], Value::Null);
        }
        assert_eq!(hostnames(&tech, "?company_account_number=001").await, Vec::<String>::new());
        let create_there = tech.post("/api/assets", &json!({"hostname": "A", "company_account_number": "001"})).await;
        assert_eq!(create_there.blamed(), ["company_account_number"]);
        // An edit meanwhile, and the record sent back as it came, do not cut the tie; a move does.
        let mut read = asset(&tech, stays).await;
        read["description"] = json!("Edited meanwhile");
        assert_eq!(tech.put(&format!("/api/assets/{stays}"), &read).await.status, 200);
        assert_eq!(
            tech.put(&format!("/api/assets/{moves}"), &json!({"company_account_number": "002"})).await.status,
            200
        );
        assert_eq!(tech.post("/api/companies/001/restore", &json!({})).await.status, 200);
        assert_eq!(asset(&tech, stays).await["company_account_number"], "001");
        assert_eq!(asset(&tech, stays).await["description"], "Edited meanwhile");
        assert_eq!(asset(&tech, moves).await["company_account_number"], "002");
        assert_eq!(hostnames(&tech, "?company_account_number=001").await, ["Stays"]);
        nexus.stop().await;
    }

    async fn each_role_may_do_what_the_contract_says(world: World) {
        let nexus = Nexus::serve(world).await;
        let own = nexus.company("001", "Own").await;
        nexus.company("002", "Foreign").await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let id = create(&tech, json!({"hostname": "Own", "company_account_number": "001"})).await;
        let foreign = create(&tech, json!({"hostname": "Foreign", "company_account_number": "002"})).await;
        let path = format!("/api/assets/{id}");
        let (billing, client) =
            (nexus.caller("billing", "billing", &[]).await, nexus.caller("client", "client", &[own]).await);
        for reads in ["/api/assets", &path] {
            assert_eq!(billing.get(reads).await.status, 200);
            client.get(reads).await.refused(403, "Insufficient permissions");
        }
        client.get("/api/assets/99999").await.refused(403, "Insufficient permissions");
        let list = client.get("/api/companies/001/assets").await.json();
        assert_eq!((list.as_array().unwrap().len(), &list[0]["hostname"]), (1, &json!("Own")));
        client.get("/api/companies/002/assets").await.refused(403, "Access denied");
        let n = nexus.written().await;
        for caller in [&billing, &client] {
            let body = json!({"hostname": "New", "company_account_number": "001", "nonsense": 1});
            caller.post("/api/assets", &body).await.refused(403, "Insufficient permissions");
            for path in [path.clone(), format!("/api/assets/{foreign}")] {
                caller.put(&path, &body).await.refused(403, "Insufficient permissions");
                caller.delete(&path).await.refused(403, "Insufficient permissions");
                caller.post(&format!("{path}/restore"), &json!({})).await.refused(403, "Insufficient permissions");
                caller.put(&format!("{path}/pins/hostname"), &json!({})).await.refused(403, "Insufficient permissions");
                caller.delete(&format!("{path}/pins/hostname")).await.refused(403, "Insufficient permissions");
            }
        }
        for (method, path) in [
            (Method::GET, "/api/assets"),
            (Method::POST, "/api/assets"),
            (Method::PUT, path.as_str()),
            (Method::DELETE, path.as_str()),
        ] {
            send(nexus.nobody().request(method, path).json(&json!({}))).await.refused(401, "Token is missing");
        }
        assert_eq!(nexus.written().await, n);
        nexus.stop().await;
    }

    async fn a_client_sees_of_its_devices_only_its_own_people(world: World) {
        let nexus = Nexus::serve(world).await;
        let (own, foreign) = (nexus.company("001", "Own").await, nexus.company("SECRET-2", "Foreign").await);
        let tech = nexus.caller("tech", "technician", &[]).await;
        let ours = nexus.record(Entity::Contact, &json!({"name": "Ours", "company_ids": [own, foreign]})).await;
        let theirs = nexus.record(Entity::Contact, &json!({"name": "Theirs", "company_ids": [foreign]})).await;
        let nobodys = nexus.record(Entity::Contact, &json!({"name": "Nobodys"})).await;
        let people = json!([ours, theirs, nobodys]);
        let device =
            create(&tech, json!({"hostname": "Own", "company_account_number": "001", "contact_ids": people})).await;
        create(&tech, json!({"hostname": "Foreign", "company_account_number": "SECRET-2", "contact_ids": people}))
            .await;
        let client = nexus.caller("client", "client", &[own]).await;
        let devices = client.get("/api/companies/001/assets").await;
        assert_eq!(devices.json()[0]["contact_ids"], json!([ours]), "{}", devices.text);
        let people = client.get("/api/companies/001/contacts").await;
        assert_eq!(people.json().as_array().unwrap().len(), 1);
        assert_eq!(
            (&people.json()[0]["asset_ids"], &people.json()[0]["company_account_numbers"]),
            (&json!([device]), &json!(["001"]))
        );
        for path in ["assets", "contacts", "users", "locations", "features"] {
            for query in
                ["", "?page=1", "?archived=true", "?search=foreign", "?search=SECRET", "?sort=created_at&order=desc"]
            {
                let answer = client.get(&format!("/api/companies/001/{path}{query}")).await;
                assert!(
                    !answer.text.contains("SECRET") && !answer.text.contains("Theirs"),
                    "{path}{query}: {}",
                    answer.text
                );
            }
        }
        nexus.stop().await;
    }
}
