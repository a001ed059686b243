//! Lists that are longer than what is read at once: whole, in order, and the same as their pages.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::{Actor, Entity, Fields, fields};
use nexus_db::changes::{Deed, Edit, Origin, change};
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, send};
use serde_json::{Value, json};

/// So many records of a kind, in one change set; their ids.
async fn many(nexus: &Nexus, entity: Entity, all: impl Iterator<Item = Value>) -> Vec<i64> {
    let deed = Deed::new(Actor { user_id: None, name: "story".into() }, Origin::System, "a story");
    let edits = all.map(|given| {
        let fields: Fields = fields::parse(entity, given.as_object().unwrap()).unwrap();
        Edit::Create { entity, fields }
    });
    let done = change(nexus.db(), &deed, edits.collect()).await.unwrap();
    done.records.into_iter().map(|record| record.id).collect()
}

/// Two companies and 2,345 devices in no order: every third of the second company, every hundredth of none.
async fn fill(nexus: &Nexus) -> Caller<'_> {
    let (one, two) = (nexus.company("001", "One").await, nexus.company("002", "Two").await);
    let devices = (0..2_345).map(|n| {
        let company = if n % 100 == 0 { None } else if n % 3 == 0 { Some(two) } else { Some(one) };
        json!({
            "hostname": format!("{}PC-{:04}", if n % 2 == 0 { "é" } else { "" }, n * 11 % 2_345), "company_id": company,
            "device_type": (n % 4 == 0).then_some("Server"), "description": format!("\"{n}\"\n,]["), "online": (n % 5 > 0).then_some(n % 5 == 1),
        })
    });
    many(nexus, Entity::Asset, devices).await;
    nexus.caller("tech", "technician", &[]).await
}

/// The pages of a list, one after the other.
async fn pages(caller: &Caller<'_>, path: &str, per_page: usize) -> (Vec<Value>, String) {
    let (mut all, mut total) = (Vec::new(), String::new());
    let separator = if path.contains('?') { '&' } else { '?' };
    for page in 1.. {
        let answer = caller.get(&format!("{path}{separator}page={page}&per_page={per_page}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.header("x-total-count").clone_into(&mut total);
        let part = answer.json().as_array().unwrap().clone();
        let is_last = part.len() < per_page;
        all.extend(part);
        if is_last {
            break;
        }
    }
    (all, total)
}

both! {
    async fn change_sets_are_listed_whole_or_by_pages_and_none_is_cut(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for n in 0..503 {
            nexus.record(Entity::Contact, &json!({"name": format!("Person {n}")})).await;
        }
        let people = (0..1_201).map(|n| json!({"name": format!("Another {n}")}));
        many(&nexus, Entity::Contact, people).await;
        let all = tech.get("/api/changesets?origin=system").await.json().as_array().unwrap().clone();
        let ids: Vec<i64> = all.iter().map(|set| set["id"].as_i64().unwrap()).collect();
        assert!(ids.len() >= 504 && ids.is_sorted_by(|newer, older| newer > older), "{}", ids.len());
        let (paged, total) = pages(&tech, "/api/changesets?origin=system", 100).await;
        assert_eq!((&paged, total), (&all, all.len().to_string()));
        assert_eq!(tech.get("/api/changesets?origin=undo").await.text, "[]");
        assert_eq!(tech.get("/api/changesets?state=held").await.text, "[]");
        for (wrong, field) in [("state=done", "state"), ("origin=nobody", "origin"), ("page=0", "page")] {
            assert_eq!(tech.get(&format!("/api/changesets?{wrong}")).await.blamed(), [field], "{wrong}");
        }
        // One that is long comes in parts, each with the way to the next.
        let (mut path, mut changes) = (format!("/api/changesets/{}", ids[0]), Vec::new());
        loop {
            let part = tech.get(&path).await;
            assert_eq!(part.header("x-total-count"), "1201");
            changes.extend(part.json()["changes"].as_array().unwrap().iter().map(|change| change["record_id"].as_i64()));
            let Some(next) = part.headers.get("link") else { break };
            next.to_str().unwrap().split(['<', '>']).nth(1).unwrap().clone_into(&mut path);
        }
        assert!(changes.len() == 1_201 && changes.is_sorted(), "{}", changes.len());
        for limit in [0, 1_001] {
            assert_eq!(tech.get(&format!("/api/changesets/{}?limit={limit}", ids[0])).await.blamed(), ["limit"]);
        }
        let (runs, total) = pages(&tech, "/api/sync/runs", 100).await;
        assert_eq!((runs.len(), total.as_str(), tech.get("/api/sync/runs").await.text.as_str()), (0, "0", "[]"));
        nexus.stop().await;
    }

    async fn a_record_that_leaves_sight_while_a_list_is_sent_is_not_in_it(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        let one = tech.get("/api/companies/001").await.json()["id"].as_i64().unwrap();
        let two = tech.get("/api/companies/002").await.json()["id"].as_i64().unwrap();
        let scope = nexus_core::Scope::Companies(vec![one]);
        let mut parts = nexus_web::List::new(Entity::Asset, &scope).parts(nexus.db()).await.unwrap();
        let first: Vec<Value> = serde_json::from_str(&parts.next().await.unwrap().unwrap()).unwrap();
        assert_eq!(first.len(), 500);
        // All that is still to come moves, or goes.
        let own = tech.get("/api/assets?company_account_number=001").await.json().as_array().unwrap().clone();
        let edits = own.iter().skip(500).enumerate().map(|(n, asset)| {
            let (entity, id) = (Entity::Asset, asset["id"].as_i64().unwrap());
            match n % 2 {
                0 => Edit::Update { entity, id, version: None, fields: Fields::from_iter([("company_id".to_owned(), json!(two))]) },
                _ => Edit::Archive { entity, id, version: None },
            }
        });
        let deed = Deed::new(Actor { user_id: None, name: "story".into() }, Origin::System, "a story");
        change(nexus.db(), &deed, edits.collect()).await.unwrap();
        assert_eq!(parts.next().await.unwrap(), None);
        nexus.stop().await;
    }

    async fn a_long_list_is_whole_and_equals_its_pages(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        for (query, count) in [
            ("", 2_345),
            ("?sort=device_type", 2_345),
            ("?sort=last_seen&order=desc", 2_345),
            ("?sort=created_at", 2_345),
            ("?search=pc-", 2_345),
            ("?search=pc", 2_345),
            ("?order=desc&search=%C3%89pc", 1_173),
            ("?company_account_number=001", 1_547),
            ("?company_account_number=002", 774),
            ("?hostname=pc-0011", 1),
            ("?archived=true", 0),
            ("?search=nothing", 0),
        ] {
            let path = format!("/api/assets{query}");
            let answer = tech.get(&path).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"), "{query}");
            let whole = answer.json();
            assert_eq!(whole.as_array().unwrap().len(), count, "{query}");
            let (paged, total) = pages(&tech, &path, 700).await;
            assert!(Value::from(paged) == whole, "the pages are not the list: {query}");
            assert_eq!(total, count.to_string(), "{query}");
        }
        let down = tech.get("/api/assets?order=desc").await.json();
        let mut up = tech.get("/api/assets?order=asc").await.json();
        up.as_array_mut().unwrap().reverse();
        assert!(up == down, "one order is the other turned round");
        nexus.stop().await;
    }

    async fn lists_at_the_border_of_what_is_read_at_once_are_whole(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        many(&nexus, Entity::Contact, (0..999).map(|n| json!({"name": format!("P {n:04}"), "title": "T"}))).await;
        for n in 999..=1_002 {
            for query in ["", "?search=p", "?sort=title", "?active=true"] {
                let list = tech.get(&format!("/api/contacts{query}")).await.json();
                assert_eq!(list.as_array().unwrap().len(), n, "{query}");
                let names: std::collections::BTreeSet<&str> =
                    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
                assert_eq!(names.len(), n, "nobody twice");
            }
            assert_eq!(tech.get("/api/contacts?page=1").await.header("x-total-count"), n.to_string());
            nexus.record(Entity::Contact, &json!({"name": format!("P {n:04}")})).await;
        }
        nexus.stop().await;
    }

    async fn a_long_list_that_is_known_is_not_sent_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        for path in [
            "/api/assets",
            "/api/assets?search=pc",
            "/api/companies/001/assets",
            "/api/companies/bulk",
            "/api/billing_summary",
        ] {
            let answer = tech.get(path).await;
            let tag = answer.header("etag").to_owned();
            let asked = |tag: &str| send(tech.request(Method::GET, path).header("if-none-match", tag));
            let again = asked(&tag).await;
            assert_eq!(
                (again.status.as_u16(), again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{path}"
            );
            // A neighbour's change counts as well, and a record that goes.
            tech.put("/api/companies/001", &json!({"description": path})).await;
            let changed = asked(&tag).await;
            assert_eq!(changed.status, 200, "{path}");
            let last = tech.get("/api/assets?sort=created_at&order=desc&per_page=1").await.json()[0]["id"].clone();
            let before = changed.json();
            tech.delete(&format!("/api/assets/{last}")).await;
            let less = asked(changed.header("etag")).await;
            assert_eq!(less.status, 200, "{path}");
            assert!(less.json() != before, "{path}");
        }
        nexus.stop().await;
    }

    async fn a_clients_long_list_is_whole_and_its_own(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        let own = tech.get("/api/companies/001").await.json()["id"].as_i64().unwrap();
        let foreign = tech.get("/api/companies/002").await.json()["id"].as_i64().unwrap();
        many(&nexus, Entity::Contact, (0..1_500).map(|n| json!({"name": format!("P {n:04}"), "company_ids": if n % 10 == 0 { vec![foreign] } else { vec![own, foreign] }}))).await;
        let client = nexus.caller("client", "client", &[own]).await;
        for (path, count) in [("assets", 1_547), ("contacts", 1_350)] {
            let path = format!("/api/companies/001/{path}");
            let answer = client.get(&path).await;
            assert_eq!(answer.json().as_array().unwrap().len(), count);
            assert!(!answer.text.contains("\"002\""));
            let (paged, total) = pages(&client, &path, 1_000).await;
            assert!(Value::from(paged) == answer.json(), "{path}");
            assert_eq!(total, count.to_string());
            // The same list of another caller has another tag.
            let theirs = tech.get(&path).await;
            assert_ne!(theirs.header("etag"), answer.header("etag"));
        }
        nexus.stop().await;
    }

    async fn bulk_and_the_billing_summary_say_what_single_reads_say(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let ids = many(&nexus, Entity::Company, (0..7).map(|n| {
            json!({"account_number": format!("{n:02}"), "name": format!("{}ame \"{n}\"", if n % 2 == 0 { "n" } else { "N" }), "domains": [format!("{n}.example")], "plan_selected": "Gold"})
        })).await;
        many(&nexus, Entity::Contact, (0..30).map(|n| {
            json!({"name": format!("P{}", n * 7 % 30), "email": (n % 2 == 0).then(|| format!("p{n}@x.example")), "active": n % 3 > 0, "company_ids": [ids[n % 6], ids[5]]})
        })).await;
        many(&nexus, Entity::Asset, (0..30).map(|n| json!({"hostname": format!("{}-{n}", if n % 2 == 0 { "b" } else { "A" }), "company_id": ids[n % 6], "hardware_type": "Laptop"}))).await;
        many(&nexus, Entity::Location, (0..8).map(|n| json!({"name": format!("L{n}"), "company_id": ids[n % 3]})))
            .await;
        nexus.account("portal", "client", &ids[..2]).await;
        let billing = nexus.caller("billing", "billing", &[]).await;
        let client = nexus.caller("client", "client", &ids[..1]).await;
        let gone = tech.get("/api/companies/00/contacts").await.json()[0]["id"].clone();
        tech.delete(&format!("/api/contacts/{gone}")).await;
        tech.delete(&format!("/api/companies/{:02}", 4)).await;

        let (bulk, summary) =
            (tech.get("/api/companies/bulk").await.json(), tech.get("/api/billing_summary").await.json());
        let companies = tech.get("/api/companies").await.json();
        let companies = companies.as_array().unwrap();
        assert_eq!(
            (bulk.as_array().unwrap().len(), summary.as_array().unwrap().len()),
            (companies.len(), companies.len())
        );
        for (n, company) in companies.iter().enumerate() {
            let (whole, billed) = (&bulk[n], &summary[n]);
            assert_eq!(whole["company"], *company);
            let number = company["account_number"].as_str().unwrap();
            let part = async |name: &str| tech.get(&format!("/api/companies/{number}/{name}")).await.json();
            for name in ["assets", "contacts", "locations"] {
                assert_eq!(whole[name], part(name).await, "{number} {name}");
            }
            for field in ["account_number", "name", "plan_selected", "company_main_number", "domains"] {
                assert_eq!(billed[field], company[field], "{field}");
            }
            for (name, members) in [
                ("assets", &["id", "hostname", "hardware_type", "operating_system"][..]),
                ("users", &["username", "email"]),
                ("contacts", &["id", "name", "email", "active", "employment_type"]),
            ] {
                let list = part(name).await;
                let expected: Vec<Value> = list
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| {
                        Value::Object(
                            members.iter().map(|member| ((*member).to_owned(), one[member].clone())).collect(),
                        )
                    })
                    .collect();
                assert_eq!(billed[name], Value::from(expected), "{number} {name}");
            }
        }
        // Page by page they are the same.
        for (path, all) in [("/api/companies/bulk", &bulk), ("/api/billing_summary", &summary)] {
            let (paged, total) = pages(&tech, path, 4).await;
            assert_eq!((&Value::from(paged), total.as_str()), (all, "6"), "{path}");
        }
        for (path, all) in [("/api/companies/bulk", &bulk), ("/api/billing_summary", &summary)] {
            assert_eq!(billing.get(path).await.json(), *all);
            client.get(path).await.refused(403, "Insufficient permissions");
            assert_eq!(tech.get(&format!("{path}?page=0")).await.blamed(), ["page"]);
        }
        nexus.stop().await;
    }

    async fn a_long_bulk_is_whole(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let ids = many(
            &nexus,
            Entity::Company,
            (0..1_100).map(|n| json!({"account_number": n.to_string(), "name": format!("N {n:04}")})),
        )
        .await;
        many(&nexus, Entity::Asset, ids.iter().map(|id| json!({"hostname": "PC", "company_id": id}))).await;
        for (path, of) in [("/api/companies/bulk", "company"), ("/api/billing_summary", "")] {
            let list = tech.get(path).await.json();
            let list = list.as_array().unwrap();
            assert_eq!(list.len(), 1_100);
            for (n, one) in list.iter().enumerate() {
                let company = if of.is_empty() { one } else { &one[of] };
                assert_eq!(
                    (&company["name"], one["assets"].as_array().unwrap().len()),
                    (&json!(format!("N {n:04}")), 1)
                );
            }
        }
        nexus.stop().await;
    }
}
