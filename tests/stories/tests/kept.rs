//! What Nexus keeps beside a record to answer quickly is what the record and its neighbours are, whatever happened to them.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;

use nexus_test_databases::{World, both};
use nexus_tests::{Caller, Nexus};
use serde_json::{Map, Value, json};

/// Numbers as random as a story needs them, and the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        let mut some: Vec<T> = all.iter().filter(|_| self.below(2) == 0).cloned().collect();
        if some.is_empty() {
            some.push(all[self.below(all.len())].clone());
        }
        some
    }
}

async fn made(caller: &Caller<'_>, path: &str, body: Value) -> i64 {
    let answer = caller.post(path, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_i64().unwrap_or_default()
}

/// Three companies with people and devices, three features and two plans.
struct Directory {
    ids: Vec<i64>,
    numbers: Vec<String>,
    contacts: Vec<i64>,
    assets: Vec<i64>,
    features: Vec<i64>,
    plans: Vec<i64>,
    users: Vec<i64>,
}

async fn fill(nexus: &Nexus, admin: &Caller<'_>) -> Directory {
    let numbers: Vec<String> = (0..3).map(|n| format!("N{n}")).collect();
    let mut directory = Directory {
        ids: vec![],
        numbers,
        contacts: vec![],
        assets: vec![],
        features: vec![],
        plans: vec![],
        users: vec![],
    };
    for n in 0..3 {
        directory.features.push(made(admin, "/api/features", json!({"name": format!("F{n}")})).await);
    }
    for n in 0..2 {
        directory.plans.push(
            made(
                admin,
                "/api/plans",
                json!({"name": format!("Plan {n}"), "features": {"F0": format!("P{n}"), "F1": format!("Q{n}")}}),
            )
            .await,
        );
    }
    for number in &directory.numbers {
        directory.ids.push(nexus.company(number, number).await);
    }
    for n in 0..4 {
        let body = json!({"name": format!("P{n}"), "email": format!("p{n}@x.example"), "company_account_numbers": directory.numbers});
        directory.contacts.push(made(admin, "/api/contacts", body).await);
        let body = json!({"hostname": format!("D{n}"), "company_account_number": directory.numbers[n % 3], "contact_ids": directory.contacts});
        directory.assets.push(made(admin, "/api/assets", body).await);
    }
    directory.users.push(nexus.account("portal", "client", &directory.ids[..2]).await);
    directory
}

/// Something happens; many of these are refused, and none is a fault.
async fn happens(admin: &Caller<'_>, directory: &mut Directory, dice: &mut Dice, n: usize) {
    let live: Vec<String> = admin
        .get("/api/companies")
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["account_number"].as_str().unwrap().to_owned())
        .collect();
    let company = dice.below(3);
    let number = directory.numbers[company].clone();
    let contact = format!("/api/contacts/{}", directory.contacts[dice.below(4)]);
    let asset = format!("/api/assets/{}", directory.assets[dice.below(4)]);
    let feature = directory.features[dice.below(3)];
    let plan = format!("/api/plans/{}", directory.plans[dice.below(2)]);
    let answer = match dice.below(16) {
        0 => {
            let new = format!("N{company}-{n}");
            let answer = admin.put(&format!("/api/companies/{number}"), &json!({"account_number": new})).await;
            if answer.status == 200 {
                directory.numbers[company] = new;
            }
            answer
        }
        1 => admin.delete(&format!("/api/companies/{number}")).await,
        2 | 3 => admin.post(&format!("/api/companies/{number}/restore"), &json!({})).await,
        4 if !live.is_empty() => admin.put(&contact, &json!({"company_account_numbers": dice.some(&live)})).await,
        5 => admin.delete(&contact).await,
        6 => admin.post(&format!("{contact}/restore"), &json!({})).await,
        7 if !live.is_empty() => admin.put(&asset, &json!({"company_account_number": dice.some(&live)[0]})).await,
        8 => admin.put(&asset, &json!({"contact_ids": dice.some(&directory.contacts)})).await,
        9 => admin.delete(&asset).await,
        10 => admin.post(&format!("{asset}/restore"), &json!({})).await,
        11 => {
            admin
                .put(&format!("/api/companies/{number}/features/{feature}"), &json!({"value": format!("own {n}")}))
                .await
        }
        12 => {
            admin
                .put(&format!("/api/companies/{number}"), &json!({"plan_selected": format!("plan {}", dice.below(2))}))
                .await
        }
        13 => admin.put(&plan, &json!({"features": {"F0": format!("new {n}")}})).await,
        14 if n.is_multiple_of(2) => admin.delete(&format!("/api/features/{feature}")).await,
        14 => admin.post(&format!("/api/features/{feature}/restore"), &json!({})).await,
        _ => {
            let sets = admin.get("/api/changesets").await.json();
            let set = sets[dice.below(3)]["id"].clone();
            let answer = admin.post(&format!("/api/changesets/{set}/revert"), &json!({})).await;
            // An undo may have taken a number back.
            for (at, id) in directory.ids.iter().enumerate() {
                for query in ["", "?archived=true"] {
                    let all = admin.get(&format!("/api/companies{query}")).await.json();
                    if let Some(one) = all.as_array().unwrap().iter().find(|one| one["id"] == *id) {
                        one["account_number"].as_str().unwrap().clone_into(&mut directory.numbers[at]);
                    }
                }
            }
            answer
        }
    };
    assert!(answer.status.as_u16() < 500, "{}", answer.text);
}

fn by_id(list: &Value) -> BTreeMap<i64, Value> {
    list.as_array().unwrap().iter().map(|one| (one["id"].as_i64().unwrap(), one.clone())).collect()
}

/// A client of every company is answered from the tables, everybody else from what is kept.
async fn compare(nexus: &Nexus, admin: &Caller<'_>, directory: &Directory, name: &str) {
    for number in &directory.numbers {
        admin.post(&format!("/api/companies/{number}/restore"), &json!({})).await;
    }
    let client = nexus.caller(name, "client", &directory.ids).await;
    for number in &directory.numbers {
        for part in ["contacts", "assets", "users"] {
            for query in ["", "?archived=true"] {
                let path = format!("/api/companies/{number}/{part}{query}");
                let (kept, made) = (by_id(&admin.get(&path).await.json()), by_id(&client.get(&path).await.json()));
                for (id, one) in &kept {
                    assert_eq!(made.get(id), Some(one), "{path}");
                    if query.is_empty() && part != "users" {
                        assert_eq!(admin.get(&format!("/api/{part}/{id}")).await.json(), *one, "{path}");
                    }
                }
                assert_eq!(kept.len(), made.len(), "{path}");
            }
        }
        let company = admin.get(&format!("/api/companies/{number}")).await.json();
        let features = admin.get(&format!("/api/companies/{number}/features")).await.json();
        let told = |member: &str| -> Map<String, Value> {
            let all = features.as_array().unwrap().iter().filter(|one| !one[member].is_null());
            all.map(|one| (one["name"].as_str().unwrap().to_owned(), one[member].clone())).collect()
        };
        assert_eq!(company["features"], Value::Object(told("value")), "{number}");
        assert_eq!(company["feature_overrides"], Value::Object(told("own_value")), "{number}");
    }
    for (path, part) in [
        ("/api/companies", "company"),
        ("/api/contacts", "contact"),
        ("/api/assets", "asset"),
        ("/api/users", "user"),
        ("/api/features", "feature"),
    ] {
        let (list, paged) = (admin.get(path).await.json(), admin.get(&format!("{path}?per_page=1000")).await);
        assert_eq!(
            paged.header("x-total-count"),
            list.as_array().unwrap().len().to_string(),
            "the count of every {part}"
        );
    }
}

async fn random_life(world: World, seed: u64) {
    let nexus = Nexus::serve(world).await;
    let admin = nexus.caller("admin", "admin", &[]).await;
    let mut directory = fill(&nexus, &admin).await;
    let mut dice = Dice(seed);
    for n in 0..45 {
        happens(&admin, &mut directory, &mut dice, n).await;
        if n % 15 == 14 {
            compare(&nexus, &admin, &directory, &format!("client{n}")).await;
        }
    }
    nexus.stop().await;
}

both! {
    async fn what_is_kept_is_what_is(world: World) {
        random_life(world, 1).await;
    }

    async fn what_is_kept_is_what_is_in_another_life(world: World) {
        random_life(world, 20_260_302).await;
    }
}
