//! The Freshservice sync from the vendor to the directory: what it brings, what it keeps, what it never takes away.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use jiff::SignedDuration;
use nexus_core::sync::{Run, RunState, Trigger};
use nexus_db::changes;
use nexus_jobs::{Event, JobError};
use nexus_simulators::{Department, Freshservice, Requester, Size};
use nexus_test_databases::{World, both};
use nexus_tests::{Caller, Nexus, Syncing};
use serde_json::{Value, json};

const NOBODY: Size = Size { companies: 0, contacts: 0, devices: 0 };

fn department(id: i64, name: &str, account_number: Option<i64>) -> Department {
    let mut department = Department::new(id, name);
    if let Some(number) = account_number {
        department.custom_fields.insert("account_number".into(), json!(number));
    }
    department
}

fn person(id: i64, name: &str, departments: &[i64]) -> Requester {
    let mut person = Requester::new(id, name, "Byron", departments);
    person.primary_email = Some(format!("{}@example.org", name.to_lowercase()));
    person
}

/// Two companies with three people, of whom one works for both and one for neither.
async fn small(world: World) -> Syncing {
    let vendor = Freshservice::start(NOBODY, 1).await.unwrap();
    vendor.edit(|state| {
        state.departments = vec![department(501, "Ackermann", Some(100_001)), department(502, "Beta", Some(100_002))];
        state.requesters = vec![person(901, "Ada", &[501]), person(902, "Bea", &[501, 502]), person(903, "Cleo", &[])];
    });
    Syncing::new(Nexus::serve(world).await, vendor).await
}

async fn companies(caller: &Caller<'_>) -> Vec<Value> {
    caller.get("/api/companies").await.json().as_array().unwrap().clone()
}

async fn contacts(caller: &Caller<'_>) -> Vec<Value> {
    caller.get("/api/contacts").await.json().as_array().unwrap().clone()
}

fn named<'a>(all: &'a [Value], name: &str) -> &'a Value {
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {all:?}"))
}

fn count(run: &Run, entity: &str, what: &str) -> u64 {
    run.counts.get(entity).and_then(|counts| counts.get(what)).copied().unwrap_or(0)
}

async fn feed_length(syncing: &Syncing) -> usize {
    changes::feed(syncing.nexus.db(), &nexus_core::Scope::All, 0, 100_000).await.unwrap().rows.len()
}

both! {
    async fn companies_and_people_arrive_with_their_links(world: World) {
        let syncing = small(world).await;
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert_eq!((count(&run, "company", "create"), count(&run, "contact", "create")), (2, 3));
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let all = companies(&tech).await;
        assert_eq!(named(&all, "Ackermann")["account_number"], "100001");
        assert_eq!(named(&all, "Ackermann")["freshservice_id"], 501);
        let people = contacts(&tech).await;
        assert_eq!(named(&people, "Bea Byron")["company_account_numbers"], json!(["100001", "100002"]));
        assert_eq!(named(&people, "Cleo Byron")["company_account_numbers"], json!([]));
        assert_eq!(named(&people, "Ada Byron")["email"], "ada@example.org");
        assert_eq!(named(&people, "Ada Byron")["employment_type"], "Full Time");
    }

    async fn each_company_gets_its_main_office_and_keeps_the_one_it_has(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| {
            let mut without = department(503, "Without Number", None);
            without.custom_fields.insert("address".into(), json!("3 Third Street"));
            state.departments.push(without);
            state.department(501).unwrap().custom_fields.insert("address".into(), json!("1 First Street"));
            state.department(502).unwrap().custom_fields.insert("address".into(), json!("2 Second Street"));
        });
        let nexus = &syncing.nexus;
        let beta = nexus.company("100002", "Beta").await;
        let typed = json!({"company_id": beta, "name": "main office", "phone_number": "030 1"});
        let typed = nexus.record(nexus_core::Entity::Location, &typed).await;
        let held = syncing.run().await;
        assert_eq!(held.state, RunState::Held, "it would change what was here before: {held:?}");
        let tech = nexus.caller("tech", "technician", &[]).await;
        let set = tech.get(&format!("/api/changesets/{}", held.changeset_id.unwrap())).await.json();
        let applied = tech.post(&format!("/api/changesets/{}/apply", set["id"]), &json!({"digest": set["digest"]})).await;
        assert_eq!(applied.status, 200, "{}", applied.text);
        let offices = async |number: &str| tech.get(&format!("/api/companies/{number}/locations")).await.json();
        let one = offices("100001").await;
        assert_eq!((one.as_array().unwrap().len(), &one[0]["name"], &one[0]["address"]), (1, &json!("Main Office"), &json!("1 First Street")));
        let two = offices("100002").await;
        assert_eq!(two.as_array().unwrap().len(), 1, "{two}");
        assert_eq!((&two[0]["id"], &two[0]["name"], &two[0]["phone_number"]), (&json!(typed), &json!("main office"), &json!("030 1")));
        assert_eq!(two[0]["address"], "2 Second Street", "what is empty is filled");
        // A department that gets its number comes with its office.
        syncing.vendor.edit(|state| {
            state.department(503).unwrap().custom_fields.insert("account_number".into(), json!(100_003));
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "company", "create"), count(&run, "location", "create")), (RunState::Applied, 1, 1), "{run:?}");
        assert_eq!(offices("100003").await[0]["address"], "3 Third Street");
        let again = syncing.run().await;
        assert_eq!((again.state, again.changeset_id), (RunState::Applied, None), "{:?}", again.counts);
    }

    async fn a_second_run_of_an_unchanged_source_plans_nothing(world: World) {
        let vendor = Freshservice::start(Size { companies: 30, contacts: 400, devices: 0 }, 7).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        let first = syncing.run().await;
        assert_eq!(first.state, RunState::Applied, "{:?}", first.message);
        let length = feed_length(&syncing).await;
        let second = syncing.run().await;
        assert_eq!((second.state, second.changeset_id), (RunState::Applied, None), "{:?}", second.counts);
        assert_eq!(count(&second, "contact", "unchanged"), 400);
        assert_eq!(feed_length(&syncing).await, length);
    }

    async fn a_department_that_is_renamed_stays_the_same_company(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let before = named(&companies(&tech).await, "Beta")["id"].clone();
        syncing.vendor.edit(|state| {
            let beta = state.department(502).unwrap();
            beta.name = "Beta Holding".into();
            beta.custom_fields.insert("account_number".into(), json!("100009"));
        });
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "company", "update")), (RunState::Applied, 1), "{run:?}");
        let all = companies(&tech).await;
        assert_eq!(named(&all, "Beta Holding")["id"], before);
        assert_eq!(named(&all, "Beta Holding")["account_number"], "100009");
        // Nobody's links were touched by the new number.
        assert_eq!(named(&contacts(&tech).await, "Bea Byron")["company_account_numbers"], json!(["100001", "100009"]));
    }

    async fn what_a_person_typed_stays(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(tech.put("/api/companies/100001", &json!({"name": "Ackermann AG"})).await.status, 200);
        syncing.vendor.edit(|state| {
            let ackermann = state.department(501).unwrap();
            ackermann.name = "Ackermann Renamed".into();
            ackermann.domains = vec!["ackermann.example".into()];
        });
        for _ in 0..3 {
            let run = syncing.run().await;
            assert_eq!(run.state, RunState::Applied, "{run:?}");
        }
        let company = tech.get("/api/companies/100001").await.json();
        assert_eq!(company["name"], "Ackermann AG");
        assert_eq!(company["domains"], "[\"ackermann.example\"]");
    }

    async fn a_blank_of_the_source_does_not_erase(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| state.requester(901).unwrap().job_title = Some("Engineer".into()));
        syncing.run().await;
        syncing.vendor.edit(|state| {
            let ada = state.requester(901).unwrap();
            ada.job_title = None;
            ada.department_ids = None;
        });
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let ada = named(&contacts(&tech).await, "Ada Byron").clone();
        assert_eq!((&ada["title"], &ada["company_account_numbers"]), (&json!("Engineer"), &json!(["100001"])));
    }

    async fn a_department_without_a_number_is_a_gap_and_its_people_wait_for_it(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| {
            state.departments.push(department(503, "Gamma", None));
            state.requesters.push(person(904, "Dora", &[503]));
        });
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Applied);
        assert_eq!(run.gaps.iter().map(|gap| gap.name.as_str()).collect::<Vec<_>>(), ["Gamma"]);
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(companies(&tech).await.len(), 2);
        assert_eq!(named(&contacts(&tech).await, "Dora Byron")["company_account_numbers"], json!([]));
        syncing.vendor.edit(|state| {
            let gamma = state.department(503).unwrap();
            gamma.custom_fields.insert("account_number".into(), json!(100_003.0));
        });
        let run = syncing.run().await;
        assert!(run.gaps.is_empty());
        assert_eq!(named(&contacts(&tech).await, "Dora Byron")["company_account_numbers"], json!(["100003"]));
    }

    async fn two_departments_with_one_number_do_not_take_turns(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| state.departments.push(department(503, "Impostor", Some(100_001))));
        let first = syncing.run().await;
        assert_eq!(first.gaps.len(), 1, "{first:?}");
        assert_eq!(first.gaps[0].name, "Impostor");
        let length = feed_length(&syncing).await;
        let second = syncing.run().await;
        assert_eq!((second.changeset_id, second.gaps.len()), (None, 1));
        assert_eq!(feed_length(&syncing).await, length);
    }

    async fn what_is_missing_goes_after_seven_days_and_comes_back_as_it_was(world: World) {
        let syncing = small(world).await;
        // Enough others that one more or less is nothing to hold a plan for.
        syncing.vendor.edit(|state| {
            for n in 0..20 {
                state.departments.push(department(600 + n, &format!("Filler {n}"), Some(200_000 + n)));
                state.requesters.push(person(1_000 + n, &format!("Filler{n}"), &[600 + n]));
            }
        });
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let (ada, beta) = syncing.vendor.edit(|state| {
            let ada = state.requesters.remove(0);
            let beta = state.departments.remove(1);
            (ada, beta)
        });
        let before = named(&companies(&tech).await, "Beta").clone();
        let run = syncing.run().await;
        assert_eq!((count(&run, "company", "missing"), count(&run, "contact", "missing")), (1, 1));
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(6 * 24));
        assert_eq!(syncing.run().await.changeset_id, None);
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(24));
        let run = syncing.run().await;
        assert_eq!((run.state, count(&run, "company", "archive")), (RunState::Applied, 1), "{run:?}");
        let tech = syncing.nexus.caller("tech2", "technician", &[]).await;
        assert_eq!(tech.get("/api/companies/100002").await.status, 404);
        // A person is not taken away: tickets and bills still name them.
        assert_eq!(named(&contacts(&tech).await, "Ada Byron")["active"], false);
        syncing.vendor.edit(|state| {
            state.requesters.push(ada);
            state.departments.push(beta);
        });
        assert_eq!(syncing.run().await.state, RunState::Applied);
        let after = named(&companies(&tech).await, "Beta").clone();
        assert_eq!(after["id"], before["id"]);
        let people = contacts(&tech).await;
        assert_eq!(named(&people, "Ada Byron")["active"], true);
        assert_eq!(named(&people, "Bea Byron")["company_account_numbers"], json!(["100001", "100002"]));
    }

    async fn a_plan_that_takes_too_much_waits_for_a_person_and_applies_what_was_reviewed(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let gone = syncing.vendor.edit(|state| state.departments.remove(1));
        syncing.run().await;
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(8 * 24));
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Held, "{run:?}");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(companies(&tech).await.len(), 2);
        let path = format!("/api/changesets/{}", run.changeset_id.unwrap());
        let plan = tech.get(&path).await.json();
        assert_eq!(plan["state"], "held");
        assert_eq!(plan["changes"][0]["before"]["name"], gone.name);
        let other = tech.post(&format!("{path}/apply"), &json!({"digest": "another"})).await;
        assert_eq!(other.status, 409, "{}", other.text);
        assert_eq!(companies(&tech).await.len(), 2);
        let applied = tech.post(&format!("{path}/apply"), &json!({"digest": plan["digest"]})).await;
        assert_eq!(applied.json()["applied"], 1, "{}", applied.text);
        assert_eq!(companies(&tech).await.len(), 1);
        let told = tech.get(&format!("/api/sync/runs/{}", run.id)).await.json();
        assert_eq!(told["state"], "applied");
        let twice = tech.post(&format!("{path}/apply"), &json!({"digest": plan["digest"]})).await;
        assert_eq!(twice.status, 409);
    }

    async fn a_rejected_plan_leaves_everything_and_a_newer_read_takes_the_place_of_a_held_one(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.departments.remove(1));
        syncing.run().await;
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(8 * 24));
        let first = syncing.run().await;
        let second = syncing.run().await;
        assert_eq!((first.state, second.state), (RunState::Held, RunState::Held));
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let state = |id: Option<i64>| format!("/api/changesets/{}", id.unwrap());
        assert_eq!(tech.get(&state(first.changeset_id)).await.json()["state"], "stale");
        let rejected = tech.post(&format!("{}/reject", state(second.changeset_id)), &json!({})).await;
        assert_eq!(rejected.json()["state"], "rejected", "{}", rejected.text);
        assert_eq!(companies(&tech).await.len(), 2);
    }

    async fn a_row_that_moved_since_the_plan_is_skipped_and_told(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.departments.remove(1));
        syncing.run().await;
        syncing.nexus.world.clock.advance(SignedDuration::from_hours(8 * 24));
        let run = syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put("/api/companies/100002", &json!({"address": "Moved meanwhile"})).await;
        let path = format!("/api/changesets/{}", run.changeset_id.unwrap());
        let digest = tech.get(&path).await.json()["digest"].clone();
        let applied = tech.post(&format!("{path}/apply"), &json!({"digest": digest})).await.json();
        assert_eq!((&applied["applied"], &applied["stale"]), (&json!(0), &json!(1)));
        assert_eq!(tech.get("/api/companies/100002").await.json()["address"], "Moved meanwhile");
        let told = tech.get(&format!("/api/sync/runs/{}", run.id)).await.json();
        assert_eq!(told["state"], "partial");
    }

    async fn a_company_whose_number_was_taken_meanwhile_is_skipped_with_what_belongs_to_it(world: World) {
        let syncing = small(world).await;
        syncing.nexus.company("100001", "Ours").await;
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Held, "{run:?}");
        let other = syncing.nexus.company("100002", "Came meanwhile").await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = format!("/api/changesets/{}", run.changeset_id.unwrap());
        let digest = tech.get(&path).await.json()["digest"].clone();
        let applied = tech.post(&format!("{path}/apply"), &json!({"digest": digest})).await;
        // Beta, its Main Office, and Bea, who is of both companies.
        assert_eq!((applied.status.as_u16(), &applied.json()["stale"]), (200, &json!(3)), "{}", applied.text);
        assert_eq!(tech.get("/api/companies/100002").await.json()["id"], other);
        assert_eq!(contacts(&tech).await.len(), 2);
    }

    async fn an_email_that_another_has_is_a_gap_until_it_is_free(world: World) {
        let syncing = small(world).await;
        syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let typed = tech.post("/api/contacts", &json!({"name": "Grace", "email": "new@example.org"})).await;
        syncing.vendor.edit(|state| state.requester(901).unwrap().primary_email = Some("new@example.org".into()));
        for _ in 0..2 {
            let run = syncing.run().await;
            assert_eq!((run.state, run.changeset_id, run.gaps.len()), (RunState::Applied, None, 1), "{run:?}");
            assert_eq!((run.gaps[0].name.as_str(), count(&run, "contact", "update")), ("Ada Byron", 0));
            assert!(run.gaps[0].reason.contains("another contact has this email"), "{:?}", run.gaps);
        }
        tech.delete(&format!("/api/contacts/{}", typed.json()["id"])).await;
        let run = syncing.run().await;
        assert_eq!((run.gaps.len(), count(&run, "contact", "update")), (0, 1), "{run:?}");
        assert_eq!(named(&contacts(&tech).await, "Ada Byron")["email"], "new@example.org");
    }

    async fn a_first_run_links_what_is_there_and_waits_before_it_changes_it(world: World) {
        let syncing = small(world).await;
        let same = syncing.nexus.company("100001", "Ackermann").await;
        let other = syncing.nexus.company("100002", "Beta of our own").await;
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Held, "{run:?}");
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let path = format!("/api/changesets/{}", run.changeset_id.unwrap());
        let plan = tech.get(&path).await.json();
        let beta = plan["changes"].as_array().unwrap().iter().find(|row| row["record_id"] == other).unwrap().clone();
        assert_eq!(beta["before"]["name"], "Beta of our own");
        // The person wants everything but that.
        let review = json!({"digest": plan["digest"], "except": [beta["id"]]});
        tech.post(&format!("{path}/apply"), &review).await;
        assert_eq!(tech.get("/api/companies/100002").await.json()["name"], "Beta of our own");
        let ackermann = tech.get("/api/companies/100001").await.json();
        assert_eq!((&ackermann["id"], &ackermann["freshservice_id"]), (&json!(same), &json!(501)));
        assert_eq!(contacts(&tech).await.len(), 3);
    }

    async fn a_run_can_be_undone_and_stays_undone(world: World) {
        let syncing = small(world).await;
        let run = syncing.run().await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let undone = tech.post(&format!("/api/changesets/{}/revert", run.changeset_id.unwrap()), &json!({})).await;
        assert_eq!(undone.json()["left_alone"], json!([]), "{}", undone.text);
        assert!(companies(&tech).await.is_empty() && contacts(&tech).await.is_empty());
        assert_eq!(syncing.run().await.changeset_id, None);
        assert!(companies(&tech).await.is_empty());
    }

    async fn the_timers_event_runs_the_job(world: World) {
        let syncing = small(world).await;
        let now = syncing.nexus.world.clock.now();
        let event = Event::decode(&local_runner::timer::scheduled_event("sync-freshservice", now)).unwrap();
        let run = syncing.run_for(&event).await.unwrap();
        assert_eq!((run.state, run.trigger), (RunState::Applied, Trigger::Schedule));
    }

    async fn two_runs_of_a_job_never_overlap_and_one_that_died_makes_room(world: World) {
        let syncing = small(world).await;
        let start = nexus_core::sync::StartRun::new("sync-freshservice", Trigger::Manual);
        let lost = syncing.client().start_run(&start).await.unwrap();
        assert!(matches!(syncing.try_run().await, Err(JobError::NotBegun { .. })));
        syncing.nexus.world.clock.advance(SignedDuration::from_mins(2));
        assert_eq!(syncing.run().await.state, RunState::Applied);
        assert_eq!(syncing.client().run(lost.run_id).await.unwrap().state, RunState::Interrupted);
        // What the dead one still had to say is not heard.
        let batch = nexus_core::sync::Batch { observations: Vec::new() };
        let late = syncing.client().send_observations(lost.run_id, 1, &batch).await;
        assert_eq!(late.unwrap_err().status(), Some(409));
    }

    async fn only_jobs_report_runs(world: World) {
        let syncing = small(world).await;
        let body = json!({"job": "sync-freshservice", "trigger": "manual"});
        for (name, role) in [("t", "technician"), ("a", "admin"), ("b", "billing")] {
            let caller = syncing.nexus.caller(name, role, &[]).await;
            assert_eq!(caller.post("/api/sync/runs", &body).await.status, 403, "{role}");
        }
        assert_eq!(syncing.nexus.nobody().post("/api/sync/runs", &body).await.status, 401);
    }
}

both! {
    async fn people_without_a_name_are_called_by_what_tells_them_apart(world: World) {
        let syncing = small(world).await;
        syncing.vendor.edit(|state| {
            for (id, email) in [(910, Some("desk@example.org")), (911, None)] {
                let mut nobody = person(id, "", &[]);
                (nobody.last_name, nobody.primary_email) = (None, email.map(str::to_owned));
                state.requesters.push(nobody);
            }
        });
        assert_eq!(syncing.run().await.state, RunState::Applied);
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let people = contacts(&tech).await;
        assert_eq!(named(&people, "desk@example.org")["email"], "desk@example.org");
        assert_eq!(named(&people, "freshservice 911")["email"], Value::Null);
    }
}
