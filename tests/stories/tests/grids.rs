//! Lists as pages: search, filters, order, columns and paging that keep each other, the same as CSV, and changes of many.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_core::Entity;
use nexus_db::changes::Edit;
use nexus_test_databases::both;
use nexus_tests::{Answer, Nexus};
use serde_json::json;

/// Sixty assets of two companies.
async fn fill(nexus: &Nexus) {
    let one = nexus.company("1", "First Company").await;
    let two = nexus.company("2", "Second, \"quoted\"").await;
    for n in 0..60_i64 {
        let asset = json!({
            "hostname": format!("PC-{n:02}"), "company_id": if n < 55 { one } else { two },
            "operating_system": if n % 2 == 0 { "Windows 11" } else { "Debian" }, "online": n % 3 == 0,
            "last_seen": if n == 7 { "2020-01-01T00:00:00.000Z" } else { "2026-01-30T00:00:00.000Z" },
            "web_remote_url": if n == 0 { "javascript:alert(1)" } else { "https://rmm.example/remote" },
            "description": if n == 1 { "=1+1" } else { "plain" },
        });
        nexus.record(Entity::Asset, &asset).await;
    }
}

/// The names in the table of a page.
fn names(page: &Answer) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.text);
    let rows = page.text.split("<tbody>").nth(1).unwrap_or_default().split("<tr").skip(1);
    rows.map(|row| row.split("aria-label=\"Choose ").nth(1).unwrap().split('"').next().unwrap().to_owned()).collect()
}

/// The address of a link with a text that follows it.
fn link(page: &Answer, mark: &str) -> String {
    let at = page.text.find(mark).unwrap_or_else(|| panic!("no {mark} in {}", page.text));
    let before = &page.text[..at];
    let address = before.rsplit("href=\"").next().unwrap().split('"').next().unwrap();
    address.replace("&#38;", "&")
}

both! {
    async fn search_filters_order_columns_and_pages_keep_each_other(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let first = browser.get("/assets").await;
        assert_eq!((names(&first).len(), names(&first)[0].as_str()), (50, "PC-00"));
        let asked = "/assets?operating_system=debian&company=1&search=pc&sort=last_seen&order=desc&cols=online,operating_system";
        let page = browser.get(asked).await;
        assert_eq!(names(&page).len(), 27);
        assert_eq!(names(&page).last().unwrap(), "PC-07", "seen longest ago comes last");
        assert!(page.text.contains("First Company") && page.text.contains("Operating system: debian"), "{}", page.text);
        assert!(!page.text.contains(">Hardware<"), "columns that were not chosen");
        // Each link changes one thing and keeps the rest.
        let sorted = link(&page, ">Operating system</a>");
        for kept in ["operating_system=debian", "company=1", "search=pc", "cols=hostname%2Coperating_system%2Conline", "sort=operating_system"] {
            assert!(sorted.contains(kept), "{sorted} lost {kept}");
        }
        let without = link(&page, "\" aria-label=\"Without Operating system: debian\"");
        assert!(!without.contains("operating_system=debian") && without.contains("search=pc") && without.contains("company=1"), "{without}");
        assert_eq!(names(&browser.get(&without).await).len(), 50);
        let next = link(&browser.get("/assets?company=1").await, "\">Next</a>");
        let next = next.split("\" ").next().unwrap().to_owned();
        assert_eq!(names(&browser.get(&next).await).len(), 5, "{next}");
        // What there is not is passed over: an address that somebody kept goes on working.
        for page in ["9223372036854775807", "99999999999999999999", "-1", "x"] {
            assert_eq!(browser.get(&format!("/assets?page={page}")).await.status, 200, "{page}");
        }
        assert_eq!(names(&browser.get("/assets?page=99&sort=nothing&cols=nothing&color=red").await).len(), 10);
        assert!(browser.get("/assets?search=nothing").await.text.contains("No asset matches this."));
        nexus.stop().await;
    }

    async fn every_filter_finds_what_it_says(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        // Whoever is archived is nobody's contact any more.
        let left = nexus.record(Entity::Contact, &json!({"name": "Left"})).await;
        nexus.record(Entity::Asset, &json!({"hostname": "LONELY", "contact_ids": [left]})).await;
        nexus.change(Edit::Archive { entity: Entity::Contact, id: left, version: None }).await;
        nexus.record(Entity::Contact, &json!({"name": "Nobody", "active": false})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        for (path, found) in [
            ("/assets?company=2", 5), ("/assets?company=(none)", 1), ("/assets?company=none", 0), ("/assets?online=yes", 20),
            ("/assets?online=no", 41), ("/assets?unseen=30", 61), ("/assets?operating_system=(none)", 1),
            ("/assets?contact=without", 61), ("/assets?contact=with", 0), ("/contacts?companies=none", 1),
            ("/contacts?active=no", 1), ("/contacts?active=yes", 0), ("/companies?plan=(none)", 2), ("/companies?site=without", 2),
            ("/companies?site=with", 0), ("/assets?archived=true", 0),
        ] {
            let page = browser.get(path).await;
            let badge = page.text.split("number\">").nth(1).unwrap().split('<').next().unwrap();
            assert_eq!(badge, found.to_string(), "{path}");
        }
        let choices = browser.get("/assets/choices?operating_system=Debian&search=pc").await;
        let form = choices.form("/assets");
        assert_eq!((form.value("operating_system"), form.value("search")), (Some("Debian"), Some("pc")));
        nexus.stop().await;
    }

    async fn the_csv_is_what_the_page_shows_and_no_formula(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let file = browser.get("/assets.csv?company=2&cols=company_account_number,online&order=desc").await;
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert!(file.header("content-disposition").contains("assets.csv"));
        let mut lines = file.text.split("\r\n");
        assert_eq!(lines.next().unwrap(), "Name,Company,Online");
        assert_eq!(lines.next().unwrap(), "PC-59,\"Second, \"\"quoted\"\"\",no");
        assert_eq!(file.text.split("\r\n").count(), 7, "{}", file.text);
        let all = browser.get("/assets.csv?cols=description").await;
        assert_eq!(all.text.split("\r\n").count(), 62, "every record, not a page");
        assert!(all.text.contains("PC-01,'=1+1\r\n"), "{}", all.text);
        let (remote, portal) = ("https://rmm.example/remote", "https://rmm.example/device");
        nexus.record(Entity::Asset, &json!({"hostname": "BOTH", "web_remote_url": remote, "portal_url": portal})).await;
        let both = browser.get("/assets.csv?search=both&cols=web_remote_url").await;
        assert_eq!(both.text, format!("Name,Open\r\nBOTH,{remote}; {portal}\r\n"));
        nexus.stop().await;
    }

    async fn only_a_web_address_becomes_a_button(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let page = browser.get("/assets").await;
        assert!(!page.text.contains("javascript:") && page.text.contains("href=\"https://rmm.example/remote\""));
        let asset = browser.get("/assets/1").await;
        assert!(!asset.text.contains("href=\"javascript:") && !asset.text.contains("</svg>Remote control"), "{}", asset.text);
        nexus.stop().await;
    }

    async fn ticked_records_are_settled_shown_changed_together_and_undone_together(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let mut form = browser.get("/assets?company=1").await.form("/assets/bulk");
        form.add("id", "3");
        form.add("id", "4");
        form.add("do", "edit");
        let before = nexus.written().await;
        let page = browser.submit(&form).await;
        assert!(page.status == 200 && page.text.contains("Change 2 assets") && page.text.contains("PC-02"), "{}", page.text);
        assert_eq!(nexus.written().await, before, "looking changes nothing");
        let mut sure = page.form("/assets/bulk");
        let untouched = browser.submit(&sure).await;
        assert_eq!(untouched.status, 422, "no field is ticked");
        sure.add("field", "device_type");
        sure.set("device_type", "Workstation");
        sure.add("field", "company_account_number");
        sure.set("company_account_number", "999");
        let wrong = browser.submit(&sure).await;
        assert!(wrong.status == 422 && wrong.text.contains("Workstation") && wrong.text.contains("company_account_number-error"), "{}", wrong.text);
        assert!(wrong.text.contains(">This must name a company; none has the account number"), "{}", wrong.text);
        sure.set("company_account_number", "2");
        let done = browser.submit(&sure).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/assets?company=1"), "{}", done.text);
        assert_eq!(nexus.written().await, before + 2);
        let note = browser.get("/assets?company=2").await;
        assert!(note.text.contains("2 assets were changed.") && names(&note).contains(&"PC-03".to_owned()));
        let undo = note.text.split("action=\"/history/sets/").nth(1).unwrap().split('"').next().unwrap();
        let undone = browser.submit(&note.form(&format!("/history/sets/{undo}"))).await;
        assert_eq!(undone.status, 303, "{}", undone.text);
        assert_eq!(names(&browser.get("/assets?company=2").await).len(), 5);
        nexus.stop().await;
    }

    async fn many_companies_get_a_plan_that_is_offered(world: World) {
        let nexus = Nexus::serve(world).await;
        let (one, two) = (nexus.company("1", "One").await, nexus.company("2", "Two").await);
        nexus.record(Entity::Plan, &json!({"name": "Gold  plus"})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let send = async |browser: &mut nexus_tests::Browser<'_>, ids: &[i64], what: &str| {
            let mut form = browser.get("/companies").await.form("/companies/bulk");
            for id in ids {
                form.add("id", &id.to_string());
            }
            form.add("do", what);
            browser.submit(&form).await
        };
        let page = send(&mut browser, &[one, two], "edit").await;
        assert!(page.text.contains("<option value=\"Gold  plus\">"), "{}", page.text);
        let mut sure = page.form("/companies/bulk");
        sure.add("field", "plan_selected");
        sure.set("plan_selected", "Gold  plus");
        assert_eq!(browser.submit(&sure).await.status, 303);
        let list = browser.get("/companies?plan=gold++plus").await;
        assert!(list.text.contains("2 companies were changed.") && names(&list) == ["One", "Two"], "{}", list.text);
        // Of one alone the words are those of one.
        let page = send(&mut browser, &[one], "archive").await;
        assert!(page.text.contains("Archive 1 company?"), "{}", page.text);
        assert_eq!(browser.submit(&page.form("/companies/bulk")).await.status, 303);
        assert!(browser.get("/companies").await.text.contains("1 company was archived."));
        assert!(browser.get("/history").await.text.contains(">1 company archived</a>"));
        nexus.stop().await;
    }

    async fn contacts_are_linked_and_unlinked_on_a_page_of_the_asset(world: World) {
        let nexus = Nexus::serve(world).await;
        let (one, two) = (nexus.company("1", "First").await, nexus.company("2", "Second").await);
        let asset = nexus.record(Entity::Asset, &json!({"hostname": "PC-1", "company_id": one})).await;
        let ada = nexus.record(Entity::Contact, &json!({"name": "Ada", "email": "ada@one.example", "company_ids": [one]})).await;
        let bob = nexus.record(Entity::Contact, &json!({"name": "Bob", "company_ids": [two]})).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let (page, link) = (format!("/assets/{asset}/contacts"), format!("/assets/{asset}/link"));
        assert!(browser.get(&format!("/assets/{asset}")).await.text.contains(&page), "the asset leads there");

        let offered = browser.get(&page).await;
        assert!(offered.text.contains("Ada") && !offered.text.contains("Bob"), "only people of the company: {}", offered.text);
        let mut form = offered.form(&link);
        form.add("do", "link");
        let done = browser.submit(&form).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, page.as_str()), "{}", done.text);
        let shown = browser.get(&page).await;
        assert!(shown.text.contains("The contact was linked.") && shown.text.contains("There is nobody else here"), "{}", shown.text);
        assert!(browser.get(&format!("/contacts/{ada}")).await.text.contains("PC-1"));

        // Somebody of another company is found by a search, and the search stays.
        let search = format!("{page}?search=bob");
        let mut form = browser.get(&search).await.form(&link);
        form.set("contact", &bob.to_string());
        form.add("do", "link");
        assert_eq!(browser.submit(&form).await.header("location"), search);
        let both = browser.get(&format!("/assets/{asset}")).await;
        assert!(both.text.contains("Ada") && both.text.contains("Bob"), "{}", both.text);

        let mut form = browser.get(&page).await.form(&link);
        assert_eq!(form.value("contact"), Some(ada.to_string().as_str()));
        form.add("do", "unlink");
        browser.submit(&form).await;
        let told = browser.get(&page).await;
        let undo = told.text.split("action=\"/history/sets/").nth(1).unwrap().split('"').next().unwrap();
        assert!(told.text.contains("The contact was unlinked."), "{}", told.text);
        assert_eq!(browser.submit(&told.form(&format!("/history/sets/{undo}"))).await.status, 303);
        assert!(browser.get(&format!("/assets/{asset}")).await.text.contains("Ada"), "the link is back");

        form.set("contact", "999999");
        form.remove("do");
        form.add("do", "link");
        let absent = browser.submit(&form).await;
        assert_eq!(absent.status, 404, "{}", absent.text);
        nexus.stop().await;
    }

    async fn all_that_match_are_archived_and_restored(world: World) {
        let nexus = Nexus::serve(world).await;
        fill(&nexus).await;
        let mut browser = nexus.logged_in("tech", "technician").await;
        let send = async |browser: &mut nexus_tests::Browser<'_>, path: &str, what: &str| {
            let mut form = browser.get(path).await.form("/assets/bulk");
            form.add("all", "true");
            form.add("do", what);
            let page = browser.submit(&form).await;
            browser.submit(&page.form("/assets/bulk")).await
        };
        let done = send(&mut browser, "/assets?operating_system=debian", "archive").await;
        assert_eq!(done.status, 303, "{}", done.text);
        let left = browser.get("/assets").await;
        assert!(left.text.contains("30 assets were archived.") && names(&left).len() == 30, "{}", left.text);
        let done = send(&mut browser, "/assets?archived=true&search=pc-0", "restore").await;
        assert_eq!(done.status, 303, "{}", done.text);
        assert_eq!(names(&browser.get("/assets").await).len(), 35);
        let mut nothing = browser.get("/assets").await.form("/assets/bulk");
        nothing.add("do", "archive");
        let told = browser.submit(&nothing).await;
        assert!(told.status == 400 && told.text.contains("Choose at least one record"), "{}", told.text);
        nexus.stop().await;
    }
}
