//! The pages, as a person's browser sees and sends them.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::Entity;
use nexus_db::changes::Edit;
use nexus_test_databases::both;
use nexus_tests::{Answer, Browser, Nexus, send};
use serde_json::{Value, json};

/// A company and a contact of it, with values that are awkward to type.
async fn fill(nexus: &Nexus) -> i64 {
    let company = json!({
        "account_number": "007", "name": "O\"Neil & Söhne <Ltd>\nsecond line", "plan_selected": "Gold",
        "description": "\n first \"line\"\r\n\r\n  second 'line'\rthird\t&amp; last", "address": "1 Mill Lane\nTown",
        "domains": ["a.example", "b, c.example", "d;e.example"], "freshservice_id": 5,
    });
    let id = nexus.record(Entity::Company, &company).await;
    let contact = json!({
        "name": "Ada \"Countess\" Byron", "email": "ada@a.example", "title": "R&D <lead>", "active": false,
        "employment_type": "Part\nTime", "secondary_emails": ["x@a.example", "y@a.example"], "company_ids": [id],
    });
    nexus.record(Entity::Contact, &contact).await
}

async fn pages_of(nexus: &Nexus, browser: &mut Browser<'_>, contact: i64) -> Vec<(String, Answer)> {
    let mut pages = Vec::new();
    for path in [
        "/",
        "/companies",
        "/companies/007",
        "/companies/007/edit",
        "/companies/new",
        "/companies?search=mill",
        "/companies?sort=x",
        "/contacts",
        "/contacts/new",
        "/contacts?page=2",
        "/sync",
        "/nothing",
        "/companies/none",
    ] {
        pages.push((path.to_owned(), browser.get(path).await));
    }
    for path in [format!("/contacts/{contact}"), format!("/contacts/{contact}/edit")] {
        pages.push((path.clone(), browser.get(&path).await));
    }
    pages.push(("/login".into(), nexus.browser().get("/login").await));
    pages
}

both! {
    async fn a_company_is_added_changed_and_archived_by_forms(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let added = browser.edit("/companies/new", &[
            ("name", "Ackermann"), ("account_number", " 0042 "), ("domains", "a.example; b.example,\nc.example"), ("address", "1 Mill\r\nTown"),
        ]).await;
        assert_eq!((added.status.as_u16(), added.header("location")), (303, "/companies/0042"));
        let page = browser.get("/companies/0042").await;
        assert!(page.text.contains("The company was added."), "the note of what was done");
        assert!(page.text.contains("Ackermann") && page.text.contains("c.example"));
        assert!(!browser.get("/companies/0042").await.text.contains("The company was added."), "the note is shown once");

        let changed = browser.edit("/companies/0042/edit", &[("account_number", "43"), ("plan_selected", "Gold")]).await;
        assert_eq!((changed.status.as_u16(), changed.header("location")), (303, "/companies/43"));
        let company = nexus.caller("api", "billing", &[]).await.get("/api/companies/43").await.json();
        assert_eq!((&company["plan_selected"], &company["address"]), (&json!("Gold"), &json!("1 Mill\nTown")));
        assert_eq!(company["domains"], "[\"a.example\",\"b.example\",\"c.example\"]");

        let archive = browser.get("/companies/43").await.form("/companies/43/archive");
        let archived = browser.submit(&archive).await;
        assert_eq!((archived.status.as_u16(), archived.header("location")), (303, "/companies"));
        let page = browser.get("/companies").await;
        assert!(page.text.contains("The company was archived.") && !page.text.contains("Ackermann"));
        assert_eq!(browser.get("/companies/43").await.status, 404);
        nexus.stop().await;
    }

    async fn a_contact_is_added_changed_and_archived_by_forms(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.company("1", "One").await;
        nexus.company("2", "Two").await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let form = browser.get("/contacts/new").await.form("/contacts/new");
        assert_eq!((form.value("active"), form.value("employment_type")), (Some("true"), Some("Full Time")), "the usual");
        let added = browser.edit("/contacts/new", &[
            ("name", "Ada"), ("email", "ada@one.example"), ("company_account_numbers", "1, 2"),
        ]).await;
        assert_eq!(added.status, 303, "{}", added.text);
        let path = added.header("location").to_owned();
        let page = browser.get(&path).await;
        assert!(page.text.contains("The contact was added.") && page.text.contains("One") && page.text.contains("Two"));

        let edit = format!("{path}/edit");
        let mut form = browser.get(&edit).await.form(&edit);
        form.remove("active");
        form.set("company_account_numbers", "2");
        assert_eq!(browser.submit(&form).await.header("location"), path);
        let api = nexus.caller("api", "technician", &[]).await;
        let contact = api.get(&format!("/api{path}")).await.json();
        assert_eq!((&contact["active"], &contact["company_account_numbers"]), (&json!(false), &json!(["2"])));
        assert_eq!(browser.edit(&edit, &[("active", "true")]).await.status, 303);
        assert_eq!(api.get(&format!("/api{path}")).await.json()["active"], true);

        let archive = browser.get(&path).await.form(&format!("{path}/archive"));
        assert_eq!(browser.submit(&archive).await.header("location"), "/contacts");
        assert_eq!(browser.get(&path).await.status, 404);
        nexus.stop().await;
    }

    async fn what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(world: World) {
        let nexus = Nexus::serve(world).await;
        let contact = fill(&nexus).await;
        nexus.company("1", "One").await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let n = nexus.written().await;
        let long = "x".repeat(300);
        let person = format!("/contacts/{contact}/edit");
        for (path, changes, blamed) in [
            ("/companies/new", vec![("name", " "), ("account_number", "a b"), ("head_name", "Kept \"value\"")], vec!["account_number"]),
            ("/companies/new", vec![("head_name", "Kept")], vec!["name", "account_number"]),
            ("/companies/007/edit", vec![("plan_selected", &long), ("head_name", "Kept")], vec!["plan_selected"]),
            ("/contacts/new", vec![("name", "Kept"), ("email", "nobody"), ("company_account_numbers", "999")], vec!["company_account_numbers"]),
            (&person, vec![("email", "a b"), ("title", "Kept")], vec!["email"]),
            (&person, vec![("company_account_numbers", "007, 999"), ("title", "Kept")], vec!["company_account_numbers"]),
        ] {
            let page = browser.edit(path, &changes).await;
            assert_eq!(page.status, 422, "{path} {changes:?} {}", page.text);
            let form = page.form(path);
            for (name, value) in &changes {
                assert_eq!(form.value(name), Some(*value), "{path}");
            }
            for name in blamed {
                assert!(page.text.contains(&format!("aria-describedby=\"{name}-error\"")), "{path} {name} {}", page.text);
                assert!(page.text.contains(&format!("id=\"{name}-error\"")), "{path} {name}");
            }
        }
        let taken = browser.edit("/companies/007/edit", &[("account_number", "1"), ("head_name", "Kept")]).await;
        assert_eq!(taken.status, 409);
        assert_eq!(taken.form("/companies/007/edit").value("head_name"), Some("Kept"));
        assert_eq!(nexus.written().await, n);
        nexus.stop().await;
    }

    async fn a_record_that_moved_meanwhile_is_not_overwritten_unseen(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.company("1", "One").await;
        let mut mine = nexus.logged_in("mine", "technician").await;
        let mut theirs = nexus.logged_in("theirs", "admin").await;
        let path = "/companies/1/edit";
        let mut form = mine.get(path).await.form(path);
        form.set("head_name", "My head");
        assert_eq!(theirs.edit(path, &[("plan_selected", "Their plan")]).await.status, 303);
        let n = nexus.written().await;
        let page = mine.submit(&form).await;
        assert_eq!(page.status, 409, "{}", page.text);
        assert_eq!(nexus.written().await, n, "nothing is saved");
        let again = page.form(path);
        assert_eq!((again.value("head_name"), again.value("plan_selected")), (Some("My head"), Some("")), "what I typed");
        assert!(page.text.contains("Saved now: Their plan"), "what they saved is told: {}", page.text);
        // A form that is no longer true is refused again, however often it is sent.
        assert_eq!(mine.submit(&form).await.status, 409);
        // Whoever has seen the newer values may take them over.
        let mut again = again;
        again.set("plan_selected", "Their plan");
        assert_eq!(mine.submit(&again).await.status, 303);
        let company = nexus.caller("api", "billing", &[]).await.get("/api/companies/1").await.json();
        assert_eq!((&company["head_name"], &company["plan_selected"]), (&json!("My head"), &json!("Their plan")));
        nexus.stop().await;
    }

    async fn a_form_without_the_version_that_was_seen_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.company("1", "One").await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for version in [None, Some(""), Some("x"), Some("99")] {
            let mut form = browser.get("/companies/1/edit").await.form("/companies/1/edit");
            form.set("name", "Other");
            match version {
                Some(version) => form.set("version", version),
                None => form.remove("version"),
            }
            assert_eq!(browser.submit(&form).await.status, 409, "{version:?}");
        }
        let mut form = browser.get("/companies/1/edit").await.form("/companies/1/edit");
        form.remove("account_number");
        assert_eq!(browser.submit(&form).await.status, 422, "a form without a field is no reason to fail");
        nexus.stop().await;
    }

    async fn saving_an_untouched_form_changes_nothing(world: World) {
        let nexus = Nexus::serve(world).await;
        let contact = fill(&nexus).await;
        nexus.record(Entity::Contact, &json!({"name": "Bare", "email": null, "employment_type": null, "active": true})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let gone = nexus.company("9", "Gone").await;
        let tied = nexus.record(Entity::Contact, &json!({"name": "Tied", "company_ids": [gone]})).await;
        nexus.change(nexus_db::changes::Edit::Archive { entity: Entity::Company, id: gone, version: None }).await;
        let n = nexus.written().await;
        for path in ["/companies/007/edit".to_owned(), format!("/contacts/{contact}/edit"), format!("/contacts/{}/edit", contact + 1), format!("/contacts/{tied}/edit")] {
            let form = browser.get(&path).await.form(&path);
            assert_eq!(browser.submit(&form).await.status, 303, "{path}");
            let rows = nexus_db::changes::feed(nexus.db(), &nexus_core::Scope::All, i64::try_from(n).unwrap(), 10).await.unwrap().rows;
            assert_eq!(rows, [], "{path}");
        }
        nexus.stop().await;
    }

    async fn hostile_values_are_only_text_in_every_page(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for (n, hostile) in [
            "<script>alert(1)</script>".to_owned(), "\"><img src=x onerror=alert(1)>".into(), "' onclick='alert(1)".into(),
            "</textarea><script>x</script>".into(), "{{ 7*7 }} {% raw %}".into(), "&lt;b&gt; &#60;".into(), "\u{202e}evil\u{2066}".into(),
            "🦀 👩‍👩‍👧 é".into(), "javascript:alert(1)".into(), "<!--".into(), "a".repeat(250),
        ].into_iter().enumerate() {
            let long = hostile.repeat(10_000 / hostile.len());
            let number = format!("n{n}");
            let company = json!({
                "account_number": number, "name": hostile, "description": long, "plan_selected": hostile, "domains": [hostile],
                "address": long, "company_main_number": hostile, "primary_contact_name": hostile, "head_name": hostile,
            });
            let id = nexus.record(Entity::Company, &company).await;
            let contact = json!({
                "name": hostile, "email": format!("\"<x>'&{n}\"@a.example"), "title": hostile, "work_phone_number": hostile,
                "secondary_emails": [hostile], "company_ids": [id],
            });
            let contact = nexus.record(Entity::Contact, &contact).await;
            for path in [
                format!("/companies/{number}"), format!("/companies/{number}/edit"), format!("/contacts/{contact}"),
                format!("/contacts/{contact}/edit"), "/companies".into(), "/contacts".into(),
            ] {
                let page = browser.get(&path).await;
                assert_eq!(page.status, 200, "{path}");
                is_harmless(&path, &page.text);
                if path.ends_with("/edit") {
                    let before = nexus.written().await;
                    assert_eq!(page.form(&path).value("name"), Some(hostile.as_str()), "{path}");
                    assert_eq!(browser.submit(&page.form(&path)).await.status, 303);
                    assert_eq!(nexus.written().await, before, "{path}");
                }
            }
        }
        for path in ["/companies?search=", "/contacts?search=", "/login?next=/"] {
            let page = browser.get(&format!("{path}%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).await;
            is_harmless(path, &page.text);
        }
        nexus.stop().await;
    }

    async fn values_of_ten_thousand_characters_from_a_vendor_are_only_text_in_every_page(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = endless(&nexus, Entity::Company, json!({"account_number": "666", "name": "?", "description": "?", "domains": ["?"]})).await;
        endless(&nexus, Entity::Location, json!({"name": "?", "address": "?", "company_id": company})).await;
        let contact = endless(&nexus, Entity::Contact, json!({"name": "?", "title": "?", "company_ids": [company]})).await;
        let asset = json!({"hostname": "?", "description": "?", "operating_system": "?", "company_id": company, "contact_ids": [contact]});
        let asset = endless(&nexus, Entity::Asset, asset).await;
        let feature = endless(&nexus, Entity::Feature, json!({"name": "?", "description": "?"})).await;
        let plan = endless(&nexus, Entity::Plan, json!({"name": "?", "feature_values": {feature.to_string(): "?"}})).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        for path in [
            "/".to_owned(), "/companies".into(), "/contacts".into(), "/assets".into(), "/search?q=evil".into(), "/search/hits?q=evil".into(),
            "/assets/choices".into(), "/history".into(), "/settings/plans".into(), "/settings/features".into(),
            "/companies/666".into(), "/companies/666/edit".into(), "/companies/666/locations".into(), "/companies/666/features".into(),
            "/companies/666/history".into(), "/contacts?company=666".into(), "/assets?company=666".into(),
            format!("/contacts/{contact}"), format!("/contacts/{contact}/edit"), format!("/contacts/{contact}/history"),
            format!("/assets/{asset}"), format!("/assets/{asset}/edit"), format!("/assets/{asset}/history"), format!("/assets/{asset}/contacts"),
            format!("/settings/plans/{plan}/edit"), format!("/settings/features/{feature}/edit"), "/history/sets/1".into(),
        ] {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            is_harmless(&path, &page.text);
        }
        nexus.stop().await;
    }

    async fn no_page_has_anything_inline_and_every_one_forbids_it(world: World) {
        let nexus = Nexus::serve(world).await;
        let contact = fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for (path, page) in pages_of(&nexus, &mut browser, contact).await {
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
            is_harmless(&path, &page.text);
            let policy = page.header("content-security-policy");
            for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!((page.header("x-content-type-options"), page.header("x-frame-options")), ("nosniff", "DENY"));
            assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "same-origin"));
            assert!(page.text.contains("<html lang=\"en\">") && page.text.contains("<title>"), "{path}");
        }
        let css = browser.get(nexus_statics::NEXUS_CSS).await;
        assert_eq!((css.status.as_u16(), css.header("content-type")), (200, "text/css; charset=utf-8"));
        nexus.stop().await;
    }

    async fn billing_reads_the_pages_and_cannot_change_them(world: World) {
        let nexus = Nexus::serve(world).await;
        let contact = fill(&nexus).await;
        let mut tech = nexus.logged_in("tech", "technician").await;
        let mut billing = nexus.logged_in("billing", "billing").await;
        let n = nexus.written().await;
        let (person, edit) = (format!("/contacts/{contact}"), format!("/contacts/{contact}/edit"));
        for path in ["/", "/companies", "/companies/007", "/contacts", &person] {
            let page = billing.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            for offered in ["/new\"", "/edit\"", "/archive\""] {
                assert!(!page.text.contains(offered), "{path} offers {offered}");
            }
        }
        let token = billing.get("/").await.form("/logout").value("csrf").unwrap().to_owned();
        for path in ["/companies/new", "/companies/007/edit", "/contacts/new", &edit] {
            assert_eq!(billing.get(path).await.status, 403, "{path}");
            let mut form = tech.get(path).await.form(path);
            form.set("name", "Changed");
            form.set("csrf", &token);
            assert_eq!(billing.submit(&form).await.status, 403, "{path}");
        }
        for (path, action) in [("/companies/007", "/companies/007/archive".to_owned()), (&person, format!("{person}/archive"))] {
            let mut form = tech.get(path).await.form(&action);
            form.set("csrf", &token);
            assert_eq!(billing.submit(&form).await.status, 403, "{path}");
        }
        assert_eq!(nexus.written().await, n);
        nexus.stop().await;
    }

    async fn a_client_sees_its_companies_and_nothing_of_others(world: World) {
        let nexus = Nexus::serve(world).await;
        let contact = fill(&nexus).await;
        let own = nexus.company("42", "Own Company").await;
        let person = json!({"name": "Own Person", "email": "own@own.example", "company_ids": [own]});
        let person = nexus.record(Entity::Contact, &person).await;
        nexus.record(Entity::Asset, &json!({"hostname": "OWN-PC", "company_id": own})).await;
        nexus.record(Entity::Asset, &json!({"hostname": "FOREIGN-PC"})).await;
        // One who works for both is the client's; that he works for the other as well is not for it to know.
        let other = nexus.company("43", "Other Company").await;
        let both = json!({"name": "Both Person", "email": "both@own.example", "company_ids": [own, other]});
        nexus.record(Entity::Contact, &both).await;
        nexus.account("client", "client", &[own]).await;
        let mut client = nexus.browser();
        client.log_in("client", nexus_tests::PASSWORD).await;
        assert_eq!(client.get("/").await.header("location"), "/companies/42", "of one company alone its page");
        for (path, part) in [
            ("/companies/42", "Own Company"), ("/contacts", "Own Person"), ("/assets", "OWN-PC"), ("/assets.csv", "OWN-PC"),
            ("/contacts.csv?search=own", "own@own.example"), ("/search?q=own", "Own Company"), ("/search/hits?q=own", "OWN-PC"),
            (&format!("/contacts/{person}"), "Own Person"), ("/password", "Current password"),
        ] {
            let page = client.get(path).await;
            assert!(page.status == 200 && page.text.contains(part), "{path}: {} {}", page.status, page.text);
            for foreign in ["FOREIGN-PC", "O&#34;Neil", "Ada", "/edit\"", "/history\"", "name=\"id\"", "class=\"chip\""] {
                assert!(!page.text.contains(foreign), "{path} holds {foreign}");
            }
        }
        for path in ["/companies/007", &format!("/contacts/{contact}"), "/assets/2", "/contacts?company=007", "/search?q=FOREIGN"] {
            let page = client.get(path).await;
            let tells = ["O&#34;Neil", "Ada ", ">FOREIGN-PC"].iter().any(|foreign| page.text.contains(foreign));
            assert!(page.status == 404 || page.status == 200 && !tells, "{path}");
        }
        for path in ["/contacts?company=43", "/contacts.csv?company=43", "/contacts?company=no-such-company"] {
            assert!(!client.get(path).await.text.contains("Both Person"), "{path}");
        }
        assert!(client.get("/contacts?company=42").await.text.contains("Both Person"));
        for path in ["/companies", "/companies.csv", "/companies/new", "/companies/42/edit", "/companies/42/locations", "/assets/new", "/sync"] {
            assert_eq!(client.get(path).await.status, 403, "{path}");
        }
        nexus.stop().await;
    }

    async fn an_error_page_names_the_request_and_holds_nothing_else(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for (path, status, text) in [
            ("/nothing", 404, "There is nothing at this path"),
            ("/companies/none", 404, "Company not found"),
            ("/contacts/999", 404, "Contact not found"),
            ("/contacts/abc", 404, "There is nothing at this path"),
            ("/companies/%00", 404, "There is nothing at this path"),
            ("/static/../nexus.conf", 404, "There is nothing at this path"),
            ("/static/none.css", 404, "There is nothing at this path"),
            ("/logout", 405, "This path does not take that method"),
        ] {
            let page = browser.get(path).await;
            assert_eq!(page.status, status, "{path}");
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            let id = page.header("x-request-id");
            assert!(id.len() >= 16 && page.text.contains(id) && page.text.contains(text), "{path} {}", page.text);
        }
        let own = send(nexus.nobody().request(Method::GET, "/nothing").header("x-request-id", "trace-1")).await;
        assert!(own.header("x-request-id") == "trace-1" && own.text.contains("trace-1"));
        let bad = send(nexus.nobody().request(Method::GET, "/nothing").header("x-request-id", "<b>")).await;
        assert!(bad.header("x-request-id") != "<b>" && !bad.text.contains("<b>"));
        nexus.stop().await;
    }
}

/// No script, no style, no handler in the page itself, whatever its texts and values say.
/// A record with ten thousand hostile characters in the place of each `?`: past every bound, as no caller can send it.
async fn endless(nexus: &Nexus, entity: Entity, given: Value) -> i64 {
    let hostile = "\"><script>alert(1)</script>' onclick=x {{ 7*7 }} \u{202e}evil \u{1f980} ".repeat(200);
    assert!(hostile.len() > 10_000);
    let mut fields = nexus_core::fields::parse(entity, given.as_object().unwrap()).unwrap();
    for value in fields.values_mut() {
        let text = value.to_string();
        if text.contains("\"?\"") {
            *value = serde_json::from_str(&text.replace("\"?\"", &json!(hostile).to_string())).unwrap();
        }
    }
    nexus.change(Edit::Create { entity, fields }).await
}

fn is_harmless(path: &str, html: &str) {
    let html = html.to_lowercase();
    for script in html.split("<script").skip(1) {
        assert!(
            script.starts_with(" src=\"/static/") && script.contains("></script>"),
            "{path} holds a script of its own"
        );
    }
    for inline in ["<style", "<img src=x", "<!--", "href=\"javascript:"] {
        assert!(!html.contains(inline), "{path} holds {inline}");
    }
    for tag in html.split('<').skip(1).filter_map(|tag| tag.split('>').next()) {
        // What stands between quotes is a value: every second part.
        let names: String = tag.split('"').step_by(2).collect();
        for inline in ["style=", " on", "'"] {
            assert!(!names.contains(inline), "{path} holds {inline} in <{tag}>");
        }
    }
}
