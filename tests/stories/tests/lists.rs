//! What lists and single records have in common: paging, order, search, versions.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_test_databases::both;
use nexus_tests::{Caller, Nexus, send};
use serde_json::{Value, json};

/// Companies 01 to 25, with a plan on every second one; a contact with the same name for each.
async fn fill(nexus: &Nexus) -> Caller<'_> {
    let tech = nexus.caller("tech", "technician", &[]).await;
    for n in 1..=25 {
        let plan = (n % 2 == 0).then_some("Gold");
        let body = json!({"account_number": format!("{n:02}"), "name": format!("Name {n:02}"), "plan_selected": plan});
        assert_eq!(tech.post("/api/companies", &body).await.status, 201);
        let body = json!({"name": format!("Name {n:02}"), "email": format!("n{n:02}@x.example"), "title": plan});
        assert_eq!(tech.post("/api/contacts", &body).await.status, 201);
    }
    tech
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

const LISTS: [&str; 2] = ["/api/companies", "/api/contacts"];

both! {
    async fn without_paging_the_whole_list_is_sent_and_with_it_one_page(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        for path in LISTS {
            let all = tech.get(path).await;
            assert_eq!((all.header("link"), all.header("x-total-count")), ("", ""));
            let all = all.json();
            assert_eq!(names(&all).len(), 25);
            let mut seen = Vec::new();
            for page in 1..=3 {
                let answer = tech.get(&format!("{path}?page={page}&per_page=10")).await;
                assert_eq!(answer.header("x-total-count"), "25");
                let link = answer.header("link");
                assert!(link.contains(&format!("<{path}?page=3&per_page=10>; rel=\"last\"")), "{link}");
                assert_eq!(link.contains(&format!("<{path}?page={}&per_page=10>; rel=\"next\"", page + 1)), page < 3);
                assert_eq!(link.contains(&format!("<{path}?page={}&per_page=10>; rel=\"prev\"", page - 1)), page > 1);
                seen.extend(answer.json().as_array().unwrap().clone());
            }
            assert_eq!(Value::from(seen), all, "the pages are the list");
            let beyond = tech.get(&format!("{path}?page=9&per_page=10")).await;
            assert_eq!((beyond.json(), beyond.header("x-total-count")), (json!([]), "25"));
            let first = tech.get(&format!("{path}?page=1")).await;
            assert_eq!(first.json(), all);
        }
        nexus.stop().await;
    }

    async fn a_page_that_cannot_be_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for path in LISTS {
            for (query, field) in [
                ("page=0", "page"),
                ("page=-1", "page"),
                ("page=x", "page"),
                ("page=", "page"),
                ("page=1.5", "page"),
                ("page=99999999999999999999", "page"),
                ("page=9223372036854775807", "page"),
                ("per_page=0", "per_page"),
                ("per_page=1001", "per_page"),
                ("per_page=-9223372036854775808", "per_page"),
                ("page=1&page=2", "page"),
            ] {
                assert_eq!(tech.get(&format!("{path}?{query}")).await.blamed(), [field], "{path}?{query}");
            }
            assert_eq!(tech.get(&format!("{path}?page=1000000000&per_page=1000")).await.json(), json!([]));
        }
        nexus.stop().await;
    }

    async fn lists_are_sorted_alike_on_both_databases(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        for (path, sort) in [("/api/companies", "plan_selected"), ("/api/contacts", "title")] {
            let down = tech.get(&format!("{path}?sort=name&order=desc&per_page=2")).await.json();
            assert_eq!(names(&down), ["Name 25", "Name 24"]);
            // Records without a value come first, in the order of their ids.
            let blank = tech.get(&format!("{path}?sort={sort}&per_page=2")).await.json();
            assert_eq!(names(&blank), ["Name 01", "Name 03"]);
            let last = tech.get(&format!("{path}?sort={sort}&order=desc&per_page=2")).await.json();
            assert_eq!(names(&last), ["Name 24", "Name 22"]);
        }
        nexus.stop().await;
    }

    async fn an_order_that_there_is_not_is_refused_with_those_that_there_are(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (path, sorts) in [
            ("/api/companies", "name, account_number, plan_selected, created_at, updated_at"),
            ("/api/contacts", "name, email, title, created_at, updated_at"),
        ] {
            for sort in ["nope", "", "Name", "name;drop", "version"] {
                let answer = tech.get(&format!("{path}?sort={sort}")).await;
                assert_eq!(answer.blamed(), ["sort"]);
                assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(sorts), "{}", answer.text);
            }
            let answer = tech.get(&format!("{path}?order=up")).await;
            assert_eq!(answer.blamed(), ["order"]);
            assert!(answer.text.contains("asc or desc"), "{}", answer.text);
            for sort in sorts.split(", ") {
                assert_eq!(tech.get(&format!("{path}?sort={sort}&order=asc")).await.status, 200, "{sort}");
            }
        }
        nexus.stop().await;
    }

    async fn search_finds_words_in_any_text_whatever_letters_they_have(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for (number, name, address) in [
            ("1", "Ackermann Tooling", "1 Mill Lane"),
            ("2", "École Élémentaire", "100% Street_A"),
            ("3", "Back\\slash", "Mill Road"),
        ] {
            let body = json!({"account_number": number, "name": name, "address": address});
            assert_eq!(tech.post("/api/companies", &body).await.status, 201);
            let body = json!({"name": name, "email": format!("c{number}@x.example"), "title": address});
            assert_eq!(tech.post("/api/contacts", &body).await.status, 201);
        }
        for path in LISTS {
            for (words, found) in [
                ("ACKERMANN", &["Ackermann Tooling"][..]),
                ("mill", &["Ackermann Tooling", "Back\\slash"]),
                ("%C3%89cole", &["École Élémentaire"]),
                ("%25", &["École Élémentaire"]),
                ("t_a", &["École Élémentaire"]),
                ("%5C", &["Back\\slash"]),
                ("%27%22%3B", &[]),
                ("nothing", &[]),
            ] {
                let answer = tech.get(&format!("{path}?search={words}")).await;
                assert_eq!(names(&answer.json()), found, "{path} {words}");
                let paged = tech.get(&format!("{path}?search={words}&page=1")).await;
                assert_eq!(paged.header("x-total-count"), found.len().to_string());
            }
            assert_eq!(names(&tech.get(&format!("{path}?search=+")).await.json()).len(), 3);
        }
        nexus.stop().await;
    }

    async fn a_record_is_changed_only_at_the_version_that_the_caller_saw(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let created = tech.post("/api/companies", &json!({"account_number": "1", "name": "One"})).await;
        let seen = created.header("etag").to_owned();
        let contact = tech.post("/api/contacts", &json!({"name": "Ada", "email": "a@x.example"})).await;
        let contact = format!("/api/contacts/{}", contact.json()["id"]);
        for path in ["/api/companies/1", contact.as_str()] {
            let put = |tag: &str| tech.request(Method::PUT, path).header("if-match", tag).json(&json!({"name": tag}));
            let first = tech.get(path).await.header("etag").to_owned();
            let updated = send(put(&first)).await;
            assert_eq!(updated.status, 200, "{}", updated.text);
            assert_eq!(send(put(updated.header("etag"))).await.status, 200);
            let n = nexus.written().await;
            for stale in [first.as_str(), seen.as_str(), "\"99\"", "W/\"3\"", "\"x\"", "\"\""] {
                send(put(stale)).await.problem(412);
                send(tech.request(Method::DELETE, path).header("if-match", stale)).await.problem(412);
            }
            let odd = tech.request(Method::PUT, path).header("if-match", &b"\xff"[..]).json(&json!({"name": "Odd"}));
            send(odd).await.problem(412);
            assert_eq!(nexus.written().await, n);
            assert_eq!(send(put("*")).await.status, 200);
            let now = tech.get(path).await.header("etag").to_owned();
            let deleted = send(tech.request(Method::DELETE, path).header("if-match", now)).await;
            assert_eq!(deleted.status, 200, "{}", deleted.text);
        }
        nexus.stop().await;
    }

    async fn what_the_caller_has_already_is_not_sent_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = fill(&nexus).await;
        let one = tech.get("/api/contacts?email=n01@x.example").await.json()[0]["id"].clone();
        let contact = format!("/api/contacts/{one}");
        for (path, change) in [
            ("/api/companies/01", "/api/companies/01"),
            (contact.as_str(), contact.as_str()),
            ("/api/companies", "/api/companies/01"),
            ("/api/companies?page=1&per_page=5", "/api/companies/01"),
            ("/api/contacts", contact.as_str()),
        ] {
            let answer = tech.get(path).await;
            let tag = answer.header("etag").to_owned();
            assert!(!tag.is_empty(), "{path}");
            for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                let again = send(tech.request(Method::GET, path).header("if-none-match", &given)).await;
                assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path} {given}");
                assert_eq!(again.header("etag"), tag);
                assert_eq!(again.header("x-total-count"), answer.header("x-total-count"));
            }
            tech.put(change, &json!({"name": format!("Changed {}", nexus.written().await)})).await;
            let changed = send(tech.request(Method::GET, path).header("if-none-match", &tag)).await;
            assert_eq!(changed.status, 200, "{path}");
            assert_ne!(changed.header("etag"), tag);
        }
        nexus.stop().await;
    }
}
