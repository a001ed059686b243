//! The change feed: in order, without gaps, and for a client nothing of other companies.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use nexus_core::Entity;
use nexus_simulators::{Department, Freshservice, Requester, Size};
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, Syncing};
use serde_json::{Value, json};

async fn part(caller: &Caller<'_>, query: &str) -> (Vec<Value>, i64) {
    let answer = caller.get(&format!("/api/changes{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let part = answer.json();
    (part["changes"].as_array().unwrap().clone(), part["next"].as_i64().unwrap())
}

/// The whole feed, read part by part.
async fn walked(caller: &Caller<'_>, limit: usize) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    for _ in 0..10_000 {
        let (rows, next) = part(caller, &format!("?after={after}&limit={limit}")).await;
        assert!(rows.len() <= limit);
        assert!(rows.iter().all(|row| (after + 1..=next).contains(&cursor(row))), "after {after} to {next}: {rows:?}");
        all.extend(rows);
        if next == after {
            return all;
        }
        after = next;
    }
    panic!("the feed does not end");
}

fn cursor(row: &Value) -> i64 {
    row["cursor"].as_i64().unwrap()
}

async fn last(caller: &Caller<'_>) -> Value {
    part(caller, "").await.0.pop().unwrap()
}

async fn created(caller: &Caller<'_>, path: &str, body: Value) -> i64 {
    let answer = caller.post(path, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_i64().unwrap()
}

/// Numbers as random as a story needs them, and the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

both! {
    async fn the_feed_is_ordered_without_gaps_and_paged_by_next(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for n in 0..12 {
            nexus.company(&n.to_string(), "One").await;
        }
        let (all, next) = part(&tech, "").await;
        assert_eq!(all.iter().map(cursor).collect::<Vec<_>>(), (1..=13).collect::<Vec<_>>());
        assert_eq!((next, part(&tech, "?after=0&limit=1000&wait=0").await.0), (13, all.clone()));
        for limit in [1, 2, 5, 13, 14] {
            assert_eq!(walked(&tech, limit).await, all, "{limit}");
        }
        assert_eq!(part(&tech, "?after=13").await, (vec![], 13));
        assert_eq!(part(&tech, "?after=4&limit=2").await, (all[4..6].to_vec(), 6));
        // A cursor of a later life is not turned back.
        assert_eq!(part(&tech, "?after=999").await, (vec![], 999));
        nexus.stop().await;
    }

    async fn a_change_is_told_in_the_words_of_the_api(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        created(&admin, "/api/features", json!({"name": "Backup"})).await;
        nexus.company("002", "Two").await;
        let one = nexus.company("001", "One").await;
        admin
            .put(
                "/api/companies/001",
                &json!({"feature_overrides": {"Backup": "Daily"}, "name": "Uno", "domains": ["a.example"]}),
            )
            .await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["entity"], &row["id"], &row["account_number"], &row["action"]),
            (&json!("company"), &json!(one), &json!("001"), &json!("update"))
        );
        assert_eq!(
            (&row["author"], &row["origin"], &row["at"]),
            (&json!("admin"), &json!("api"), &json!("2026-03-02T08:00:00.000Z"))
        );
        assert_eq!(row["before"], json!({"feature_overrides": {}, "name": "One", "domains": []}));
        assert_eq!(
            row["after"],
            json!({"feature_overrides": {"Backup": "Daily"}, "name": "Uno", "domains": ["a.example"]})
        );
        let ada = created(
            &admin,
            "/api/contacts",
            json!({"name": "Ada", "email": "a@x.example", "company_account_numbers": ["002", "001"]}),
        )
        .await;
        let row = last(&admin).await;
        assert_eq!(row["before"], json!({}));
        let mut numbers: Vec<&str> = row["after"]["company_account_numbers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_str().unwrap())
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, ["001", "002"]);
        assert!(row["after"].get("company_ids").is_none(), "{row}");
        let pc = created(
            &admin,
            "/api/assets",
            json!({"hostname": "PC", "company_account_number": "001", "contact_ids": [ada]}),
        )
        .await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["after"]["company_account_number"], &row["after"]["contact_ids"], &row["after"]["online"]),
            (&json!("001"), &json!([ada]), &Value::Null)
        );
        admin.put(&format!("/api/assets/{pc}"), &json!({"company_account_number": "002"})).await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["before"], &row["after"]),
            (&json!({"company_account_number": "001"}), &json!({"company_account_number": "002"}))
        );
        created(&admin, "/api/plans", json!({"name": "Gold", "features": {"Backup": "Daily"}})).await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["entity"], &row["after"]["features"], &row["account_number"]),
            (&json!("plan"), &json!({"Backup": "Daily"}), &Value::Null)
        );
        let body = json!({"username": "u", "password": "long enough, I think", "permission_level": "client", "company_account_number": "001"});
        created(&admin, "/api/users", body).await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["after"]["permission_level"], &row["after"]["company_account_numbers"]),
            (&json!("client"), &json!(["001"]))
        );
        assert!(row["after"].get("role").is_none() && !row.to_string().contains("long enough"), "{row}");
        // What is archived is told in full, what comes back as well.
        admin.delete(&format!("/api/assets/{pc}")).await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["action"], &row["before"]["hostname"], &row["after"]),
            (&json!("archive"), &json!("PC"), &json!({}))
        );
        admin.post(&format!("/api/assets/{pc}/restore"), &json!({})).await;
        let row = last(&admin).await;
        assert_eq!(
            (&row["action"], &row["after"]["hostname"], &row["after"]["company_account_number"]),
            (&json!("restore"), &json!("PC"), &json!("002"))
        );
        nexus.stop().await;
    }

    async fn parameters_that_cannot_be_are_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (query, blamed) in [
            ("after=-1", &["after"][..]),
            ("after=x", &["after"]),
            ("after=", &["after"]),
            ("after=9223372036854775808", &["after"]),
            ("after=1.5", &["after"]),
            ("limit=0", &["limit"]),
            ("limit=1001", &["limit"]),
            ("limit=-5", &["limit"]),
            ("wait=21", &["wait"]),
            ("wait=-1", &["wait"]),
            ("wait=0.5", &["wait"]),
            ("after=x&limit=0&wait=99", &["after", "limit", "wait"]),
            ("after=1&after=2", &["after"]),
        ] {
            assert_eq!(tech.get(&format!("/api/changes?{query}")).await.blamed(), blamed, "{query}");
        }
        assert_eq!(part(&tech, "?after=9223372036854775807&limit=1000").await, (vec![], i64::MAX));
        nexus.nobody().get("/api/changes?after=x").await.refused(401, "Token is missing");
        let billing = nexus.caller("billing", "billing", &[]).await;
        assert_eq!(part(&billing, "").await.0.len(), 2);
        nexus.stop().await;
    }

    async fn who_waits_is_answered_as_soon_as_something_happens(world: World) {
        let nexus = Nexus::serve(world).await;
        let (own, tech) = (nexus.company("1", "One").await, nexus.caller("tech", "technician", &[]).await);
        nexus.company("2", "Two").await;
        let client = nexus.caller("client", "client", &[own]).await;
        let (_, next) = part(&tech, "").await;
        let began = Instant::now();
        let waits = async {
            let got = part(&tech, &format!("?after={next}&wait=20")).await;
            (got, began.elapsed())
        };
        let writes = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tech.put("/api/companies/2", &json!({"name": "Zwei"})).await;
        };
        // What a client does not see does not wake it, and does not hold it up for later.
        let quiet = async {
            let got = part(&client, &format!("?after={next}&wait=1")).await;
            (got, began.elapsed())
        };
        let (((rows, after), told), (), ((none, nowhere), silent)) = tokio::join!(waits, writes, quiet);
        assert_eq!((rows.len(), after), (1, next + 1));
        assert!((Duration::from_millis(250)..Duration::from_secs(10)).contains(&told), "{told:?}");
        assert_eq!(none, Vec::<Value>::new());
        assert!(nowhere >= next && silent >= Duration::from_secs(1) && silent < Duration::from_secs(10), "{silent:?}");
        // Something is there already: no waiting.
        let began = Instant::now();
        assert_eq!(part(&tech, &format!("?after={next}&wait=20")).await.0.len(), 1);
        assert!(began.elapsed() < Duration::from_secs(5));
        nexus.stop().await;
    }

    async fn a_client_sees_what_happens_to_its_own_companies_alone(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (a, b) = (nexus.company("AAA-1", "Alpha").await, nexus.company("BBB-2", "Bravo").await);
        let client = nexus.caller("client", "client", &[a]).await;
        let nobody = nexus.caller("nobody", "client", &[]).await;
        for (number, word) in [("AAA-1", "Alpha"), ("BBB-2", "Bravo")] {
            created(&admin, "/api/contacts", json!({"name": format!("{word} person"), "email": format!("{word}@x.example"), "company_account_number": number})).await;
            created(&admin, "/api/assets", json!({"hostname": format!("{word}-pc"), "company_account_number": number}))
                .await;
            created(
                &admin,
                "/api/locations",
                json!({"name": format!("{word} place"), "company_account_number": number}),
            )
            .await;
            admin.put(&format!("/api/companies/{number}"), &json!({"description": format!("{word} notes")})).await;
        }
        nexus.account("bravo-user", "client", &[b]).await;
        created(&admin, "/api/features", json!({"name": "Bravo only"})).await;
        created(&admin, "/api/plans", json!({"name": "Bravo plan", "features": {"Bravo only": "x"}})).await;
        let text = client.get("/api/changes").await.text;
        for hidden in ["Bravo", "BBB", "bravo"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        let rows = part(&client, "").await.0;
        let entities: Vec<&str> = rows.iter().map(|row| row["entity"].as_str().unwrap()).collect();
        assert_eq!(entities, ["company", "user", "contact", "asset", "location", "company"]);
        assert!(rows.iter().all(|row| row["account_number"] == "AAA-1"), "{rows:?}");
        assert_eq!(part(&nobody, "").await.0, Vec::<Value>::new());
        assert_eq!(walked(&client, 2).await, rows);
        nexus.stop().await;
    }

    async fn what_moves_from_one_client_to_another_leaves_the_one_and_comes_to_the_other(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let (a, b) = (nexus.company("AAA-1", "Alpha").await, nexus.company("BBB-2", "Bravo").await);
        let (of_a, of_b) =
            (nexus.caller("client-a", "client", &[a]).await, nexus.caller("client-b", "client", &[b]).await);
        let people = [
            nexus.record(Entity::Contact, &json!({"name": "Ada", "company_ids": [a]})).await,
            nexus.record(Entity::Contact, &json!({"name": "Bob", "company_ids": [b]})).await,
        ];
        let pc = created(&tech, "/api/assets", json!({"hostname": "PC", "company_account_number": "AAA-1", "description": "of Alpha", "contact_ids": people})).await;
        let ada = people[0];
        let told = async |caller: &Caller<'_>, entity: &str, id: i64| {
            let rows = part(caller, "").await.0;
            rows.into_iter().filter(|row| row["entity"] == entity && row["id"] == id).collect::<Vec<_>>()
        };
        assert_eq!(told(&of_a, "asset", pc).await.last().unwrap()["after"]["contact_ids"], json!([ada]));
        assert!(told(&of_b, "asset", pc).await.is_empty());
        let body =
            json!({"company_account_number": "BBB-2", "description": "of Bravo", "last_logged_in_user": "bravo\\root"});
        tech.put(&format!("/api/assets/{pc}"), &body).await;
        let gone = told(&of_a, "asset", pc).await.pop().unwrap();
        assert_eq!(
            (&gone["action"], &gone["after"], &gone["account_number"]),
            (&json!("archive"), &json!({}), &json!("AAA-1"))
        );
        assert_eq!(
            (&gone["before"]["company_account_number"], &gone["before"]["description"]),
            (&json!("AAA-1"), &json!("of Alpha"))
        );
        assert_eq!(gone["before"]["hostname"], "PC", "what leaves is told in full");
        assert!(!gone.to_string().to_lowercase().contains("bravo"), "{gone}");
        let come = told(&of_b, "asset", pc).await;
        assert_eq!(come.len(), 1);
        let come = &come[0];
        assert_eq!(
            (&come["action"], &come["before"], &come["account_number"]),
            (&json!("create"), &json!({}), &json!("BBB-2"))
        );
        for (field, value) in [
            ("hostname", json!("PC")),
            ("description", json!("of Bravo")),
            ("company_account_number", json!("BBB-2")),
            ("contact_ids", json!([people[1]])),
        ] {
            assert_eq!(come["after"][field], value, "{field}");
        }
        assert!(!come.to_string().contains("Alpha"), "{come}");

        let path = format!("/api/contacts/{ada}");
        tech.put(&path, &json!({"company_account_numbers": ["AAA-1", "BBB-2"]})).await;
        let (in_a, in_b) =
            (told(&of_a, "contact", ada).await.pop().unwrap(), told(&of_b, "contact", ada).await.pop().unwrap());
        assert_eq!((&in_a["action"], &in_b["action"]), (&json!("update"), &json!("create")));
        assert_eq!(
            (&in_b["after"]["name"], &in_b["after"]["company_account_numbers"]),
            (&json!("Ada"), &json!(["BBB-2"]))
        );
        tech.put(&path, &json!({"company_account_numbers": ["BBB-2"], "title": "Of Bravo alone"})).await;
        assert_eq!(told(&of_a, "contact", ada).await.pop().unwrap()["action"], "archive");
        let update = told(&of_b, "contact", ada).await.pop().unwrap();
        assert_eq!((&update["action"], &update["after"]["title"]), (&json!("update"), &json!("Of Bravo alone")));
        // Undone, it comes back to where it was.
        let set = tech.get("/api/changesets").await.json()[0]["id"].clone();
        tech.post(&format!("/api/changesets/{set}/revert"), &json!({})).await;
        let back = told(&of_a, "contact", ada).await.pop().unwrap();
        assert_eq!(
            (&back["action"], &back["after"]["title"], &back["after"]["company_account_numbers"]),
            (&json!("create"), &Value::Null, &json!(["AAA-1"]))
        );
        for (caller, hidden) in [(&of_a, ["BBB", "Bravo", "bravo"]), (&of_b, ["AAA", "Alpha", "client-a"])] {
            let text = caller.get("/api/changes").await.text;
            assert!(hidden.iter().all(|hidden| !text.contains(hidden)), "{text}");
        }
        nexus.stop().await;
    }

    async fn a_client_of_many_companies_misses_nothing(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut companies = Vec::new();
        for n in 0..5 {
            companies.push(nexus.company(&format!("C{n}"), "One").await);
        }
        for n in 0..8 {
            nexus.record(Entity::Contact, &json!({"name": n.to_string(), "company_ids": companies})).await;
        }
        let client = nexus.caller("client", "client", &companies).await;
        let all = part(&client, "").await.0;
        assert_eq!(all.len(), 14);
        for limit in [1, 2, 3, 4, 7] {
            assert_eq!(walked(&client, limit).await, all, "limit {limit}");
        }
        nexus.stop().await;
    }

    async fn who_follows_the_feed_has_the_directory_of_its_companies(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let numbers = ["N-0", "N-1", "N-2", "N-3"];
        let mut ids = Vec::new();
        for number in numbers {
            ids.push(nexus.company(number, number).await);
        }
        let clients = [
            (nexus.caller("first", "client", &ids[..1]).await, &numbers[..1]),
            (nexus.caller("pair", "client", &ids[1..3]).await, &numbers[1..3]),
            (nexus.caller("three", "client", &ids[1..]).await, &numbers[1..]),
        ];
        let mut dice = Dice(7);
        let (mut contacts, mut assets) = (Vec::new(), Vec::new());
        for n in 0..4 {
            contacts.push(
                created(&tech, "/api/contacts", json!({"name": format!("P{n}"), "email": format!("p{n}@x.example")}))
                    .await,
            );
            assets.push(
                created(&tech, "/api/assets", json!({"hostname": format!("D{n}"), "company_account_number": "N-0"}))
                    .await,
            );
        }
        for n in 0..50 {
            let (contact, asset) = (contacts[dice.below(4)], assets[dice.below(4)]);
            let some: Vec<&str> = numbers.iter().copied().filter(|_| dice.below(2) == 0).collect();
            let one = (dice.below(5) > 0).then(|| numbers[dice.below(4)]);
            let answer = match dice.below(6) {
                0 | 1 => {
                    tech.put(
                        &format!("/api/contacts/{contact}"),
                        &json!({"company_account_numbers": some, "title": format!("T{n}")}),
                    )
                    .await
                }
                2 => {
                    tech.put(
                        &format!("/api/assets/{asset}"),
                        &json!({"company_account_number": one, "description": format!("T{n}")}),
                    )
                    .await
                }
                3 => tech.put(&format!("/api/assets/{asset}"), &json!({"contact_ids": [contact]})).await,
                4 => tech.delete(&format!("/api/contacts/{contact}")).await,
                _ => tech.post(&format!("/api/contacts/{contact}/restore"), &json!({})).await,
            };
            assert!(answer.status.as_u16() < 500, "{}", answer.text);
        }
        for (client, own) in &clients {
            let rows = walked(client, 3).await;
            assert_eq!(rows, part(client, "").await.0);
            // A follower: creates and restores are whole records, archives take one away, updates change some fields.
            let mut followed: BTreeMap<(String, i64), Value> = BTreeMap::new();
            for row in &rows {
                let key = (row["entity"].as_str().unwrap().to_owned(), row["id"].as_i64().unwrap());
                match row["action"].as_str().unwrap() {
                    "create" | "restore" => drop(followed.insert(key, row["after"].clone())),
                    "archive" => assert!(followed.remove(&key).is_some(), "{row}"),
                    _ => {
                        let known = followed.get_mut(&key).unwrap_or_else(|| panic!("never told of before: {row}"));
                        for (field, value) in row["after"].as_object().unwrap() {
                            known[field] = value.clone();
                        }
                    }
                }
            }
            let mut seen: BTreeMap<(String, i64), Value> = BTreeMap::new();
            for number in *own {
                for (kind, path) in [("contact", "contacts"), ("asset", "assets")] {
                    let list = client.get(&format!("/api/companies/{number}/{path}")).await.json();
                    for one in list.as_array().unwrap() {
                        seen.insert((kind.to_owned(), one["id"].as_i64().unwrap()), one.clone());
                    }
                }
            }
            followed.retain(|(kind, _), _| kind == "contact" || kind == "asset");
            assert_eq!(followed.keys().collect::<BTreeSet<_>>(), seen.keys().collect::<BTreeSet<_>>());
            for (key, one) in &seen {
                for field in ["name", "title", "hostname", "description", "company_account_number"] {
                    assert_eq!(followed[key].get(field), one.get(field), "{key:?} {field}");
                }
                let sorted = |value: &Value| {
                    value.as_array().map(|list| list.iter().map(Value::to_string).collect::<BTreeSet<_>>())
                };
                assert_eq!(
                    sorted(&followed[key]["company_account_numbers"]),
                    sorted(&one["company_account_numbers"]),
                    "{key:?}"
                );
            }
            let text = client.get("/api/changes").await.text;
            for number in numbers.iter().filter(|number| !own.contains(number)) {
                assert!(!text.contains(number), "{number}: {text}");
            }
        }
        nexus.stop().await;
    }

    async fn what_a_sync_moves_is_told_as_what_a_person_moves(world: World) {
        let vendor = Freshservice::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
        vendor.edit(|state| {
            for (id, name, number) in [(501, "Alpha", "AAA-1"), (502, "Bravo", "BBB-2")] {
                let mut department = Department::new(id, name);
                department.custom_fields.insert("account_number".into(), json!(number));
                state.departments.push(department);
            }
            state.requesters.push(Requester::new(901, "Ada", "Byron", &[501]));
        });
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let id =
            async |number: &str| tech.get(&format!("/api/companies/{number}")).await.json()["id"].as_i64().unwrap();
        let (a, b) = (id("AAA-1").await, id("BBB-2").await);
        let (of_a, of_b) = (
            syncing.nexus.caller("client-a", "client", &[a]).await,
            syncing.nexus.caller("client-b", "client", &[b]).await,
        );
        let told = async |caller: &Caller<'_>| {
            let rows = part(caller, "").await.0;
            let words = rows
                .iter()
                .filter(|row| row["entity"] != "user")
                .map(|row| format!("{} {}", row["action"].as_str().unwrap(), row["entity"].as_str().unwrap()));
            (words.collect::<Vec<_>>(), rows.last().cloned().unwrap())
        };
        assert_eq!(told(&of_a).await.0, ["create company", "create location", "create contact"]);
        assert_eq!(told(&of_b).await.0, ["create company", "create location"]);
        syncing.vendor.edit(|state| {
            let ada = state.requester(901).unwrap();
            ada.department_ids = Some(vec![502]);
            ada.job_title = Some("Of Bravo".into());
        });
        syncing.run().await;
        let (words, row) = told(&of_a).await;
        assert_eq!(
            (words, &row["after"]),
            (
                ["create company", "create location", "create contact", "archive contact"].map(str::to_owned).to_vec(),
                &json!({})
            )
        );
        let (words, row) = told(&of_b).await;
        assert_eq!(words, ["create company", "create location", "create contact"]);
        for (field, value) in [
            ("name", json!("Ada Byron")),
            ("title", json!("Of Bravo")),
            ("company_account_numbers", json!(["BBB-2"])),
            ("active", json!(true)),
        ] {
            assert_eq!(row["after"][field], value, "{field}");
        }
        for (caller, hidden) in [(&of_a, ["BBB", "Bravo"]), (&of_b, ["AAA", "Alpha"])] {
            let text = caller.get("/api/changes").await.text;
            assert!(hidden.iter().all(|hidden| !text.contains(hidden)), "{text}");
        }
    }

    async fn a_client_whose_companies_change_sees_the_feed_of_the_new_ones(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let a = nexus.company("AAA", "Alpha").await;
        nexus.company("BBB", "Bravo").await;
        let client = nexus.caller("client", "client", &[a]).await;
        assert_eq!(part(&client, "").await.0.len(), 2);
        let list = admin.get("/api/users").await.json();
        let id = list.as_array().unwrap().iter().find(|one| one["username"] == "client").unwrap()["id"].clone();
        admin.put(&format!("/api/users/{id}"), &json!({"company_account_numbers": ["BBB"]})).await;
        let text = client.get("/api/changes").await.text;
        assert!(text.contains("Bravo") && !text.contains("Alpha") && !text.contains("AAA"), "{text}");
        nexus.stop().await;
    }
}
