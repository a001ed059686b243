//! Finding things with the keyboard alone, and choosing what a list shows.

use fantoccini::key::Key;
use nexus_browser::Chrome;
use nexus_core::Entity;
use nexus_test_databases::both;
use nexus_tests::Nexus;
use serde_json::json;

both! {
    async fn a_record_is_found_by_the_keyboard_from_anywhere(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        nexus.company("1", "Ackermann Tooling").await;
        nexus.company("2", "Ackermann Shipping").await;
        let tech = Chrome::logged_in(&nexus, "tech", "technician").await;
        tech.go("/assets").await;
        tech.types("/").await;
        tech.types("ackermann").await;
        tech.find("#hits a:nth-of-type(2)").await;
        tech.key(Key::Down).await;
        tech.key(Key::Down).await;
        tech.key(Key::Enter).await;
        tech.sees("Account 1").await;
        assert_eq!(tech.path().await, "/companies/1");
        tech.types("/").await;
        tech.types("ship").await;
        tech.find("#hits a").await;
        tech.key(Key::Enter).await;
        tech.sees("Ackermann Shipping").await;
        assert_eq!(tech.path().await, "/search?q=ship");
        assert_eq!(tech.complaints().await, [""; 0]);
        tech.close().await;
        nexus.stop().await;
    }

    async fn filters_and_columns_are_chosen_where_the_list_is(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        for (name, system) in [("PC-1", "Debian"), ("PC-2", "Windows 11"), ("PC-3", "Windows 11")] {
            nexus.record(Entity::Asset, &json!({"hostname": name, "operating_system": system})).await;
        }
        let tech = Chrome::logged_in(&nexus, "tech", "technician").await;
        tech.go("/assets").await;
        tech.press("Filters and columns").await;
        tech.find("#by-operating_system").await.select_by_value("Windows 11").await.unwrap();
        tech.find(".panel input[value=domain]").await.click().await.unwrap();
        tech.press("Show").await;
        tech.sees("Operating system: Windows 11").await;
        assert_eq!(tech.count("tbody tr").await, 2);
        let columns = tech.script("return [...document.querySelectorAll('thead th')].map((head) => head.textContent)").await;
        assert!(columns.as_array().unwrap().iter().any(|head| head == "Domain"), "{columns}");
        tech.find("[data-tick-page]").await.click().await.unwrap();
        tech.sees("2 chosen").await;
        tech.press("Archive…").await;
        tech.press("Archive 2").await;
        tech.sees("2 assets were archived.").await;
        tech.press("Undo").await;
        tech.sees("undone").await;
        assert_eq!(tech.complaints().await, [""; 0]);
        tech.close().await;
        nexus.stop().await;
    }
}
