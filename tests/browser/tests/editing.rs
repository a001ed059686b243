//! Records, by hand: added, changed, in conflict, pinned, undone; with scripts and without.

use nexus_browser::{Chrome, Setup};
use nexus_test_databases::both;
use nexus_tests::Nexus;

both! {
    async fn a_company_is_added_changed_and_the_change_undone(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        let tech = Chrome::logged_in(&nexus, "tech", "technician").await;
        tech.go("/companies").await;
        tech.press("Add").await;
        tech.fill("name", "Ackermann Tooling").await;
        tech.fill("account_number", "102030").await;
        tech.press("Save").await;
        tech.sees("The company was added.").await;
        assert_eq!(tech.path().await, "/companies/102030");
        tech.press("Edit").await;
        tech.fill("head_name", "Ada Byron").await;
        tech.press("Save").await;
        tech.sees("The company was saved.").await;
        tech.sees("Ada Byron").await;
        tech.press("Undo").await;
        tech.sees("undone").await;
        tech.go("/companies/102030").await;
        assert!(!tech.text().await.contains("Ada Byron"));
        tech.go("/companies/102030/history").await;
        tech.sees("Ada Byron").await;
        assert_eq!(tech.complaints().await, [""; 0]);
        tech.close().await;
        nexus.stop().await;
    }

    async fn what_somebody_else_saved_meanwhile_is_shown_and_not_overwritten(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        nexus.company("1", "One").await;
        let mine = Chrome::logged_in(&nexus, "mine", "technician").await;
        let theirs = Chrome::logged_in(&nexus, "theirs", "technician").await;
        mine.go("/companies/1/edit").await;
        theirs.go("/companies/1/edit").await;
        theirs.fill("phone_system", "Their system").await;
        theirs.press("Save").await;
        theirs.sees("The company was saved.").await;
        mine.fill("head_name", "My head").await;
        mine.press("Save").await;
        mine.sees("theirs changed this record while you had it open (Phone system), so nothing was saved").await;
        mine.sees("Saved now: Their system").await;
        mine.fill("phone_system", "Their system").await;
        mine.press("Save").await;
        mine.sees("The company was saved.").await;
        mine.sees("My head").await;
        mine.sees("Their system").await;
        mine.close().await;
        theirs.close().await;
        nexus.stop().await;
    }

    async fn without_scripts_one_logs_in_edits_and_sees_the_same(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        nexus.company("1", "One").await;
        nexus.account("tech", "technician", &[]).await;
        let tech = Chrome::open(&nexus, Setup { scripts: false, ..Setup::default() }).await;
        tech.log_in("tech").await;
        tech.go("/companies").await;
        let all = tech.find("[data-tick-page]").await;
        assert!(!all.is_displayed().await.unwrap(), "it would do nothing");
        tech.press("One").await;
        tech.press("Edit").await;
        tech.fill("head_name", "Ada Byron").await;
        tech.press("Save").await;
        tech.sees("The company was saved.").await;
        tech.press("Undo").await;
        tech.sees("undone").await;
        tech.go("/companies/choices").await;
        tech.sees("Datto site").await;
        tech.go("/search?q=one").await;
        assert_eq!(tech.count("main .hit").await, 1);
        tech.close().await;
        nexus.stop().await;
    }

    async fn a_new_api_key_is_shown_once_and_copied_by_its_button(world: World) {
        let (nexus, _) = Nexus::serve_https(world).await;
        let id = nexus.account("jobs-billing", "billing", &[]).await;
        let admin = Chrome::logged_in(&nexus, "boss", "admin").await;
        admin.go(&format!("/settings/users/{id}")).await;
        admin.fill("name", "billing, production").await;
        admin.press("Make the key").await;
        admin.sees("Copy the key now").await;
        let key = admin.find("#key").await.prop("value").await.unwrap().unwrap();
        admin.press("Copy").await;
        admin.sees("Copied").await;
        assert_eq!(admin.pasted().await, key);
        admin.press("I have copied it").await;
        admin.sees("billing, production").await;
        assert!(!admin.text().await.contains(&key));
        admin.close().await;
        nexus.stop().await;
    }
}
