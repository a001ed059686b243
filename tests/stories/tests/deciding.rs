//! The pages on which a person decides: a held plan row by row, what was done and is undone, when a job runs.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use nexus_jobs::Event;
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Nexus, Syncing};
use serde_json::{Value, json};

/// A Nexus with a plan that waits for somebody, and that plan's id.
async fn with_plan(world: World) -> (Syncing, i64) {
    let vendor = Freshservice::start(Size { companies: 6, contacts: 60, devices: 0 }, 3).await.unwrap();
    let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
    let look = Event { dry_run: true, ..Event::manual("sync-freshservice") };
    let plan = syncing.run_for(&look).await.unwrap().changeset_id.unwrap();
    (syncing, plan)
}

fn of<'a>(set: &'a Value, entity: &str) -> Vec<&'a Value> {
    set["changes"].as_array().unwrap().iter().filter(|row| row["entity"] == entity).collect()
}

both! {
    async fn ticks_of_a_plan_outlast_filters_and_pages_and_all_else_is_applied(world: World) {
        let (syncing, id) = with_plan(world).await;
        let caller = syncing.nexus.caller("reader", "technician", &[]).await;
        let set = async || caller.get(&format!("/api/changesets/{id}?per_page=1000")).await.json();
        let before = set().await;
        let people = of(&before, "contact");
        let (first, last) = (people[0], people[people.len() - 1]);
        let (path, apply) = (format!("/sync/plans/{id}"), format!("/sync/plans/{id}/apply"));

        let mut tech = syncing.nexus.logged_in("tech", "technician").await;
        let page = tech.get(&format!("{path}?kind=contact&action=create")).await;
        assert_eq!(page.text.matches("aria-label=\"Leave out ").count(), 50, "{}", page.text);
        assert!(page.text.contains(">create 60 contacts<"), "{}", page.text);
        // One row is ticked; the search goes elsewhere, and the tick comes along.
        let mut form = page.form(&apply);
        form.add("except", &first["id"].to_string());
        form.set("search", last["after"]["name"].as_str().unwrap());
        let found = tech.submit(&form.by(&path, "find", "kind=contact")).await;
        assert_eq!(found.text.matches("aria-label=\"Leave out ").count(), 1, "{}", found.text);
        let form = found.form(&apply);
        assert_eq!(form.value("except"), Some(&*first["id"].to_string()));
        // All that the search found is left out as well.
        let view = format!("kind=contact&search={}", last["after"]["name"].as_str().unwrap().replace(' ', "+"));
        let both = tech.submit(&form.by(&path, "out", &view)).await;
        assert!(both.text.contains("2 left out when this page was opened"), "{}", both.text);
        let form = both.form(&apply);

        // Whoever has looked at something else applies nothing.
        let mut other = form.clone();
        other.set("digest", &"0".repeat(64));
        let refused = tech.submit(&other).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text.contains("not the one that you looked at"), "{}", refused.text);
        assert_eq!(set().await["state"], before["state"]);

        let applied = tech.submit(&form).await;
        assert_eq!((applied.status.as_u16(), applied.header("location")), (303, path.as_str()));
        let shown = tech.get(&path).await;
        assert!(shown.text.contains("changes were applied; 2 left out."), "{}", shown.text);
        let after = set().await;
        for row in after["changes"].as_array().unwrap() {
            let out = [&first["id"], &last["id"]].contains(&&row["id"]);
            assert_eq!(row["state"], if out { "rejected" } else { "applied" }, "{row}");
        }
        assert_eq!(caller.get("/api/contacts").await.json().as_array().unwrap().len(), people.len() - 2);
        // Once is enough.
        let again = tech.submit(&form).await;
        assert_eq!(again.status, 409);
        assert!(again.text.contains("was decided before"), "{}", again.text);
        syncing.nexus.stop().await;
    }

    async fn a_plan_that_is_rejected_leaves_the_directory_as_it_was(world: World) {
        let (syncing, id) = with_plan(world).await;
        let mut tech = syncing.nexus.logged_in("tech", "technician").await;
        let before = syncing.directory().await;
        let done = tech.post(&format!("/sync/plans/{id}/reject")).await;
        assert_eq!(done.status, 303, "{}", done.text);
        assert!(tech.get(done.header("location")).await.text.contains("The plan was rejected"));
        assert_eq!(syncing.directory().await, before);
        assert_eq!(tech.post(&format!("/sync/plans/{id}/reject")).await.status, 409);
        assert_eq!(tech.get("/sync/plans/999999").await.status, 404);
        syncing.nexus.stop().await;
    }

    async fn the_history_shows_before_and_after_and_one_change_is_undone_from_it(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.company("100", "Before").await;
        let mut tech = nexus.logged_in("tech", "technician").await;
        tech.edit("/companies/100/edit", &[("name", "After & <b>")]).await;
        let page = tech.get("/companies/100/history").await;
        assert!(page.text.contains(">Before</del>") && page.text.contains(">After &#38; &#60;b&#62;</ins>"), "{}", page.text);
        let undo = page.text.split("action=\"").find(|part| part.starts_with("/history/changes/")).unwrap();
        let form = page.form(undo.split('"').next().unwrap());
        let undone = tech.submit(&form).await;
        assert_eq!((undone.status.as_u16(), undone.header("location")), (303, "/companies/100/history"));
        let page = tech.get("/companies/100/history").await;
        assert!(page.text.contains("undone"), "{}", page.text);
        assert!(tech.get("/companies/100").await.text.contains("<h1>Before"));
        let again = tech.submit(&form).await;
        assert_eq!(again.status, 409, "{}", again.text);

        // Everything that was done, by who did it.
        let mine = tech.get("/history?author=tech&origin=page").await.text;
        assert!(mine.contains("Company updated") && !mine.contains("First start"), "{mine}");
        let nobody = tech.get("/history?author=nobody").await.text;
        assert!(nobody.contains("Nothing was done that matches this."), "{nobody}");
        nexus.stop().await;
    }

    async fn a_schedule_that_cannot_be_is_told_beside_it_and_one_that_can_is_in_force(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut admin = nexus.logged_in("boss", "admin").await;
        let path = "/settings/jobs/sync-datto";
        let refused = admin.edit(path, &[("schedule", "cron(61 2 * * ? *)")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains("id=\"schedule-error\""), "{}", refused.text);
        assert_eq!(refused.form(path).value("schedule"), Some("cron(61 2 * * ? *)"));
        let saved = admin.edit(path, &[("schedule", "rate(6 hours)"), ("enabled", "true")]).await;
        assert_eq!((saved.status.as_u16(), saved.header("location")), (303, path));
        let page = admin.get(path).await;
        assert!(page.text.contains("The job was saved. It is in force at once."), "{}", page.text);
        let caller = nexus.caller("reader", "admin", &[]).await;
        let jobs = caller.get("/api/jobs").await.json();
        let job = jobs.as_array().unwrap().iter().find(|job| job["name"] == "sync-datto").unwrap();
        assert_eq!((&job["schedule"], &job["enabled"]), (&json!("rate(6 hours)"), &json!(true)));

        // A run waits for its job; a second one is not asked for meanwhile.
        let asked = admin.post("/settings/jobs/sync-datto/run").await;
        assert_eq!(asked.status, 303, "{}", asked.text);
        assert!(asked.header("location").starts_with("/sync/runs/"));
        let refused = admin.post("/settings/jobs/sync-datto/run").await;
        assert_eq!(refused.status, 409);
        assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
        let tested = admin.post("/settings/connectors/freshservice/test").await;
        let run = caller.get(&format!("/api/sync/runs/{}", tested.header("location").rsplit('/').next().unwrap())).await.json();
        assert_eq!((&run["job"], &run["dry_run"]), (&json!("sync-freshservice"), &json!(true)), "{run}");
        nexus.stop().await;
    }
}
