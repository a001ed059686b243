//! The jobs that write account numbers: into Freshservice where a company has none, into Datto's sites where they differ.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeSet;

use assign_account_numbers::AssignAccountNumbers;
use nexus_core::Entity;
use nexus_core::sync::{OutcomeState, Run, RunState};
use nexus_db::changes::Edit;
use nexus_jobs::{Event, JobError};
use nexus_simulators::{
    Call, CustomFieldWrites, Datto, Fault, Freshservice, FreshserviceState, Pick, Site, Size, Variable,
};
use nexus_test_databases::{World, both};
use nexus_tests::{Nexus, Syncing, datto_access, freshservice_access};
use push_account_numbers::PushAccountNumbers;
use serde_json::{Value, json};

use OutcomeState::{Failed, Planned, Skipped, Written};

const ASSIGN: &str = assign_account_numbers::NAME;
const PUSH: &str = push_account_numbers::NAME;
const COMPANIES: Size = Size { companies: 12, contacts: 0, devices: 0 };

/// What was written, or tried to be.
fn writes(calls: Vec<Call>) -> Vec<Call> {
    calls.into_iter().filter(|call| call.method != "GET" && !call.path.contains("/auth/")).collect()
}

/// Each outcome of a run by name: its state, and the value that was to be there.
fn outcomes(run: &Run) -> Vec<(&str, OutcomeState, Option<&str>)> {
    let all = run.outcomes.iter().map(|outcome| (outcome.name.as_str(), outcome.state, outcome.after.as_deref()));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(name, ..)| *name);
    all
}

fn states(run: &Run) -> Vec<OutcomeState> {
    outcomes(run).into_iter().map(|(_, state, _)| state).collect()
}

fn reason<'a>(run: &'a Run, name: &str) -> &'a str {
    let outcome = run.outcomes.iter().find(|outcome| outcome.name == name).unwrap();
    outcome.reason.as_deref().unwrap_or_default()
}

fn count(run: &Run, what: &str) -> u64 {
    run.counts.get("company").and_then(|counts| counts.get(what)).copied().unwrap_or(0)
}

// Freshservice.

/// Twelve companies, of which those named "New 0" to "New 2" have no number.
async fn companies(world: World) -> Syncing {
    let vendor = Freshservice::start(COMPANIES, 3).await.unwrap();
    vendor.edit(|state| {
        for department in &mut state.departments {
            if department.account_number().is_none() {
                department.custom_fields.insert("account_number".into(), json!(100_900));
            }
        }
        for (n, department) in state.departments[2..5].iter_mut().enumerate() {
            department.name = format!("New {n}");
        }
        let [null, absent, blank] = [2, 3, 4];
        state.departments[null].custom_fields.insert("account_number".into(), Value::Null);
        state.departments[absent].custom_fields.remove("account_number");
        state.departments[blank].custom_fields.insert("account_number".into(), Value::Null);
    });
    Syncing::new(Nexus::serve(world).await, vendor).await
}

async fn assign_as(syncing: &Syncing, event: &Event) -> Result<Run, JobError> {
    // From 100,000 on, so that what is in use is met.
    let job = AssignAccountNumbers::new(freshservice_access(&syncing.vendor)).drawing(|| Ok(0));
    syncing.run_job(&job, event).await
}

async fn assign(syncing: &Syncing) -> Run {
    assign_as(syncing, &Event::manual(ASSIGN)).await.unwrap()
}

fn fields(state: &mut FreshserviceState) -> Vec<serde_json::Map<String, Value>> {
    state.departments.iter().map(|department| department.custom_fields.clone()).collect()
}

fn without_number(mut fields: serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    fields.remove("account_number");
    fields
}

both! {
    async fn companies_without_a_number_get_one_and_arrive_with_the_next_sync(world: World) {
        let syncing = companies(world).await;
        let first = syncing.run().await;
        assert_eq!((count(&first, "create"), count(&first, "gap")), (9, 3), "{first:?}");
        let job = AssignAccountNumbers::new(freshservice_access(&syncing.vendor));
        let run = syncing.run_job(&job, &Event::manual(ASSIGN)).await.unwrap();
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written; 3]), "{run:?}");
        assert_eq!((count(&run, "written"), count(&run, "unchanged")), (3, 9));
        // The simulator takes integers only.
        let numbers: Vec<i64> = syncing.vendor.edit(|state| state.departments.iter().map(|one| one.account_number().unwrap()).collect());
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 12, "each its own: {numbers:?}");
        assert!(numbers.iter().all(|number| (100_000..=999_999).contains(number)), "{numbers:?}");
        let told: Vec<String> = outcomes(&run).iter().map(|(_, _, after)| after.unwrap().to_owned()).collect();
        assert_eq!(told, numbers[2..5].iter().map(i64::to_string).collect::<Vec<_>>());

        let second = syncing.run().await;
        assert_eq!((second.state, count(&second, "create"), count(&second, "gap")), (RunState::Applied, 3, 0));
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        assert_eq!(tech.get(&format!("/api/companies/{}", told[0])).await.json()["name"], "New 0");

        syncing.vendor.clear_calls();
        let again = assign(&syncing).await;
        assert_eq!((again.state, again.outcomes.len(), count(&again, "unchanged")), (RunState::Applied, 0, 12));
        assert!(writes(syncing.vendor.calls()).is_empty(), "there is nothing left to write");
    }

    async fn a_number_that_is_in_use_anywhere_is_not_given(world: World) {
        let syncing = companies(world).await;
        syncing.vendor.edit(|state| {
            state.departments[0].custom_fields.insert("account_number".into(), json!(100_000));
            state.departments[1].custom_fields.insert("account_number".into(), json!("100001 (old)"));
        });
        syncing.nexus.company("100002", "Only in Nexus").await;
        let gone = syncing.nexus.company("100003", "Archived in Nexus").await;
        syncing.nexus.change(Edit::Archive { entity: Entity::Company, id: gone, version: None }).await;
        let run = assign(&syncing).await;
        let given: Vec<_> = outcomes(&run).into_iter().filter(|(_, state, _)| *state == Written).collect();
        assert_eq!(
            given,
            [("New 0", Written, Some("100004")), ("New 1", Written, Some("100005")), ("New 2", Written, Some("100006"))]
        );
        let odd = run.outcomes.iter().find(|outcome| outcome.state == Skipped).unwrap();
        assert_eq!(odd.before.as_deref(), Some("100001 (old)"), "told, and left as it is");
        assert_eq!(syncing.vendor.edit(fields)[1]["account_number"], "100001 (old)");
    }

    async fn a_dry_run_of_assigning_tells_everything_and_writes_nothing(world: World) {
        let syncing = companies(world).await;
        let before = syncing.vendor.edit(fields);
        let run = assign_as(&syncing, &Event { dry_run: true, ..Event::manual(ASSIGN) }).await.unwrap();
        assert_eq!((run.state, run.dry_run, states(&run)), (RunState::Applied, true, vec![Planned; 3]), "{run:?}");
        assert!(run.message.as_ref().unwrap().starts_with("Dry run: 3 would be written"), "{:?}", run.message);
        assert_eq!(syncing.vendor.edit(fields), before);
        assert!(writes(syncing.vendor.calls()).is_empty());
    }

    async fn the_other_custom_fields_survive_however_the_vendor_takes_a_write(world: World) {
        let syncing = companies(world).await;
        syncing.vendor.edit(|state| state.custom_field_writes = CustomFieldWrites::Replace);
        let before = syncing.vendor.edit(fields);
        let run = assign(&syncing).await;
        assert_eq!(states(&run), [Written; 3], "{run:?}");
        let after = syncing.vendor.edit(fields);
        for (before, after) in before.into_iter().zip(after) {
            let lost: Vec<String> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
            assert!(lost.is_empty(), "{lost:?}");
            assert_eq!(without_number(before), without_number(after));
        }
    }

    async fn a_write_that_takes_other_fields_along_is_told_and_is_the_last(world: World) {
        let syncing = companies(world).await;
        syncing.vendor.edit(|state| state.custom_field_writes = CustomFieldWrites::Lose);
        let run = assign(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Failed, vec![Failed; 3]), "{run:?}");
        assert!(reason(&run, "New 0").contains("address"), "{}", reason(&run, "New 0"));
        assert!(reason(&run, "New 1").starts_with("Not tried"), "{}", reason(&run, "New 1"));
        assert_eq!(writes(syncing.vendor.calls()).len(), 1);
    }

    async fn a_write_that_fails_is_told_as_failed_and_the_others_are_made(world: World) {
        let syncing = companies(world).await;
        let id = syncing.vendor.edit(|state| state.departments[3].id);
        let broken = format!("/departments/{id}");
        for (fault, sent, word) in [
            (Fault::IgnoredWrite, 1, "but it was not"),
            (Fault::Status(400), 1, "400"),
            (Fault::Status(500), 2, "500"),
            (Fault::Status(409), 2, "409"),
        ] {
            syncing.vendor.edit(|state| {
                for department in &mut state.departments[2..5] {
                    department.custom_fields.remove("account_number");
                }
            });
            syncing.vendor.clear_calls();
            syncing.vendor.fault(fault.clone().on(&broken).method("PUT"));
            let run = assign(&syncing).await;
            syncing.vendor.clear_faults();
            assert_eq!((run.state, states(&run)), (RunState::Partial, vec![Written, Failed, Written]), "{fault:?}: {run:?}");
            assert!(reason(&run, "New 1").contains(word), "{fault:?}: {}", reason(&run, "New 1"));
            let tries = writes(syncing.vendor.calls()).into_iter().filter(|call| call.path.ends_with(&id.to_string()));
            assert_eq!(tries.count(), sent, "{fault:?}");
            assert_eq!(count(&run, "failed"), 1);
        }
    }

    async fn a_conflict_or_a_lost_answer_is_looked_at_before_a_number_is_sent_again(world: World) {
        let syncing = companies(world).await;
        // The first is refused once, the answer to the second is lost after it took.
        syncing.vendor.fault(Fault::Status(409).on("/departments").method("PUT").times(1));
        syncing.vendor.fault(Fault::Dropped.on("/departments").method("PUT").after(1).times(1));
        let run = assign(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written; 3]), "{run:?}");
        let written = writes(syncing.vendor.calls());
        assert_eq!(written.len(), 4, "one twice, and none of those that took: {written:?}");
    }

    async fn what_cannot_be_read_completely_keeps_every_number_from_being_written(world: World) {
        let syncing = companies(world).await;
        for (name, rule, word) in [
            ("a broken list", Fault::Status(500).on_exactly("/departments"), "500"),
            ("a company that is garbage", Fault::Garbage(Pick::Nth(1)).on_exactly("/departments"), "completely"),
            ("a list that is not there", Fault::MissingKey("departments".into()).on_exactly("/departments"), "missing"),
            ("a refused key", Fault::Status(401).on("/departments"), "api_key"),
            ("a missing right", Fault::Status(403).on_exactly("/departments"), "rights of the agent"),
            ("no list of fields", Fault::Status(404).on("/department_fields"), "404"),
        ] {
            syncing.vendor.fault(rule);
            let run = assign(&syncing).await;
            syncing.vendor.clear_faults();
            assert_eq!((run.state, run.outcomes.len()), (RunState::Failed, 0), "{name}: {run:?}");
            let message = run.message.unwrap();
            assert!(message.contains(word) && message.ends_with("Nothing was written"), "{name}: {message}");
        }
        syncing.vendor.edit(|state| state.department_fields.retain(|field| field.name != "account_number"));
        let message = assign(&syncing).await.message.unwrap();
        assert!(message.contains("no field account_number"), "{message}");
        assert!(writes(syncing.vendor.calls()).is_empty());
    }

    async fn an_agent_who_may_not_write_is_told_once_and_not_for_each_company(world: World) {
        let syncing = companies(world).await;
        syncing.vendor.fault(Fault::Status(403).on("/departments").method("PUT"));
        let run = assign(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Failed, vec![Failed; 3]), "{run:?}");
        assert!(reason(&run, "New 2").contains("must be able to manage departments"), "{}", reason(&run, "New 2"));
        assert_eq!(writes(syncing.vendor.calls()).len(), 1);
    }

    async fn in_freshservice_for_msps_the_clients_get_the_numbers(world: World) {
        let syncing = companies(world).await;
        syncing.vendor.edit(FreshserviceState::become_for_msps);
        let number = |state: &mut FreshserviceState| -> Vec<Value> {
            state.workspaces.iter().map(|one| one.metadata.clone().unwrap_or_default()["custom_fields"]["account_number"].clone()).collect()
        };
        let run = assign(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written; 3]), "{run:?}");
        let numbers = syncing.vendor.edit(number);
        assert!(numbers[..3].iter().all(Value::is_null), "the vendor's own workspaces are no companies");
        assert!(numbers[3..].iter().all(Value::is_i64), "{numbers:?}");
        let email = |state: &mut FreshserviceState| state.workspaces[5].metadata.clone().unwrap()["email_domains"].clone();
        assert!(!syncing.vendor.edit(email).as_array().unwrap().is_empty());
    }

    async fn neither_job_writes_while_it_is_disabled(world: World) {
        let syncing = companies(world).await;
        let refused = assign_as(&syncing, &Event::schedule()).await.unwrap_err();
        assert!(refused.to_string().contains("is disabled"), "{refused}");
        assert!(writes(syncing.vendor.calls()).is_empty());
        let admin = syncing.nexus.caller("admin", "admin", &[]).await;
        admin.put(&format!("/api/jobs/{ASSIGN}"), &json!({"enabled": true})).await;
        let run = assign_as(&syncing, &Event::schedule()).await.unwrap();
        assert_eq!(states(&run), [Written; 3], "{run:?}");

        let sites = syncing.then(Datto::start(COMPANIES, 3).await.unwrap());
        let refused = push_as(&sites, &Event::schedule()).await.unwrap_err();
        assert!(refused.to_string().contains("is disabled"), "{refused}");
        assert_eq!(sites.vendor.call_count(), 0);
    }
}

// Datto RMM.

const ALPHA: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BRAVO: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const CHARLIE: &str = "cccccccc-0000-4000-8000-000000000003";

fn variable(id: i64, value: &str) -> Variable {
    Variable { id, name: Some("AccountNumber".into()), value: Some(value.to_owned()), masked: Some(false) }
}

/// Three companies, each with a site that is tied to it.
async fn sites(world: World) -> Syncing<Datto> {
    let vendor = Datto::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
    let nexus = Nexus::serve(world).await;
    for (n, uid, name) in [(1, ALPHA, "Alpha"), (2, BRAVO, "Bravo"), (3, CHARLIE, "Charlie")] {
        let number = format!("00{n}0{n}0");
        nexus.company(&number, name).await;
        let variables =
            vec![variable(n * 10, &number), Variable { name: Some("Domain".into()), ..variable(n * 10 + 1, "x") }];
        vendor.edit(|state| state.sites.push(Site { variables, ..Site::new(n, uid, &format!("{name} Office")) }));
    }
    let syncing = Syncing::new(nexus, vendor).await;
    assert_eq!(syncing.run().await.state, RunState::Applied);
    syncing.vendor.clear_calls();
    syncing
}

async fn push_as(syncing: &Syncing<Datto>, event: &Event) -> Result<Run, JobError> {
    syncing.run_job(&PushAccountNumbers::new(datto_access(&syncing.vendor)), event).await
}

async fn push(syncing: &Syncing<Datto>) -> Run {
    push_as(syncing, &Event::manual(PUSH)).await.unwrap()
}

/// Gives a site these variables in the place of those it has.
fn set(syncing: &Syncing<Datto>, uid: &str, variables: Vec<Variable>) {
    syncing.vendor.edit(|state| state.site(uid).unwrap().variables = variables);
}

fn numbers(syncing: &Syncing<Datto>, uid: &str) -> Vec<(i64, Option<String>)> {
    let site = syncing.vendor.edit(|state| state.site(uid).unwrap().clone());
    site.variables
        .into_iter()
        .filter(|one| one.name.as_deref() != Some("Domain"))
        .map(|one| (one.id, one.value))
        .collect()
}

both! {
    async fn a_sites_number_is_made_changed_by_its_id_or_left_alone(world: World) {
        let syncing = sites(world).await;
        set(&syncing, ALPHA, vec![Variable { name: Some("Domain".into()), ..variable(11, "x") }]);
        set(&syncing, BRAVO, vec![variable(20, "999999")]);
        set(&syncing, CHARLIE, vec![variable(30, " 003030\n")]);
        let run = push(&syncing).await;
        assert_eq!((run.state, count(&run, "unchanged")), (RunState::Applied, 1), "{run:?}");
        assert_eq!(outcomes(&run), [("Alpha Office", Written, Some("001010")), ("Bravo Office", Written, Some("002020"))]);
        let bravo = run.outcomes.iter().find(|outcome| outcome.external_id == BRAVO).unwrap();
        assert_eq!(bravo.before.as_deref(), Some("999999"));
        let sent: Vec<(String, String, Value)> = writes(syncing.vendor.calls())
            .into_iter()
            .map(|call| (call.method, call.path, serde_json::from_str(&call.body).unwrap()))
            .collect();
        assert_eq!(sent, [
            ("PUT".into(), format!("/api/v2/site/{ALPHA}/variable"), json!({"name": "AccountNumber", "value": "001010", "masked": false})),
            ("POST".into(), format!("/api/v2/site/{BRAVO}/variable/20"), json!({"name": "AccountNumber", "value": "002020"})),
        ]);
        assert_eq!(numbers(&syncing, ALPHA).len(), 1);
        assert_eq!(numbers(&syncing, BRAVO), [(20, Some("002020".into()))]);
        assert_eq!(numbers(&syncing, CHARLIE), [(30, Some(" 003030\n".into()))]);

        syncing.vendor.clear_calls();
        let again = push(&syncing).await;
        assert_eq!((again.state, again.outcomes.len(), count(&again, "unchanged")), (RunState::Applied, 0, 3), "{again:?}");
        assert!(writes(syncing.vendor.calls()).is_empty());
        let synced = syncing.run().await;
        assert_eq!((synced.state, synced.gaps.len()), (RunState::Applied, 0), "the sync reads what was pushed");
    }

    async fn a_company_whose_number_changes_takes_its_sites_along(world: World) {
        let syncing = sites(world).await;
        let admin = syncing.nexus.caller("admin", "admin", &[]).await;
        assert_eq!(admin.put("/api/companies/001010", &json!({"account_number": "111111"})).await.status, 200);
        let run = push(&syncing).await;
        assert_eq!(outcomes(&run), [("Alpha Office", Written, Some("111111"))]);
        assert_eq!(numbers(&syncing, ALPHA), [(10, Some("111111".into()))]);
    }

    async fn a_dry_run_of_pushing_tells_everything_and_writes_nothing(world: World) {
        let syncing = sites(world).await;
        set(&syncing, ALPHA, vec![]);
        set(&syncing, BRAVO, vec![variable(20, "002020"), variable(21, "002020")]);
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        let mut events = syncing.nexus.bus.subscribe();
        let asked = tech.post(&format!("/api/jobs/{PUSH}/runs"), &json!({"dry_run": true})).await;
        assert_eq!(asked.status, 202, "a person may ask for a run of a job that is disabled: {}", asked.text);
        let run = push_as(&syncing, &Event::decode(&events.recv().await.unwrap()).unwrap()).await.unwrap();
        assert_eq!((run.state, run.dry_run), (RunState::Applied, true));
        assert_eq!(outcomes(&run), [("Alpha Office", Planned, Some("001010")), ("Bravo Office", Skipped, None)]);
        assert!(run.message.as_ref().unwrap().starts_with("Dry run: "), "{:?}", run.message);
        assert!(writes(syncing.vendor.calls()).is_empty());
        assert_eq!(numbers(&syncing, ALPHA), []);
    }

    async fn what_is_not_clear_is_told_and_not_written(world: World) {
        let syncing = sites(world).await;
        set(&syncing, ALPHA, vec![variable(10, "1"), variable(11, "2")]);
        set(&syncing, BRAVO, vec![Variable { masked: Some(true), ..variable(20, "1") }]);
        set(&syncing, CHARLIE, vec![variable(30, "001010")]);
        let run = push(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Skipped; 3]), "{run:?}");
        for (name, word) in [("Alpha Office", "several"), ("Bravo Office", "masked"), ("Charlie Office", "the number of Alpha")] {
            assert!(reason(&run, name).contains(word), "{}", reason(&run, name));
        }
        assert!(writes(syncing.vendor.calls()).is_empty());
        assert_eq!(numbers(&syncing, CHARLIE), [(30, Some("001010".into()))]);
    }

    async fn a_tie_that_a_person_made_counts_more_than_another_companys_number(world: World) {
        let syncing = sites(world).await;
        let tech = syncing.nexus.caller("tech", "technician", &[]).await;
        tech.put(&format!("/api/companies/002020/sites/{CHARLIE}"), &Value::Null).await;
        let run = push(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written]), "{run:?}");
        assert_eq!(numbers(&syncing, CHARLIE), [(30, Some("002020".into()))]);
        assert_eq!(states(&push(&syncing).await), vec![]);
    }

    async fn a_site_whose_write_fails_is_told_as_failed_and_the_others_are_written(world: World) {
        let syncing = sites(world).await;
        for (fault, method, word) in [
            (Fault::IgnoredWrite, "PUT", "but it was not"),
            (Fault::Status(500), "PUT", "500"),
            (Fault::Status(409), "PUT", "409"),
            (Fault::Status(500), "GET", "could not be read"),
        ] {
            for uid in [ALPHA, BRAVO] {
                set(&syncing, uid, vec![]);
            }
            syncing.vendor.fault(fault.clone().on(&format!("/site/{ALPHA}")).method(method));
            let run = push(&syncing).await;
            syncing.vendor.clear_faults();
            assert_eq!((run.state, states(&run)), (RunState::Partial, vec![Failed, Written]), "{fault:?}: {run:?}");
            assert!(reason(&run, "Alpha Office").contains(word), "{fault:?}: {}", reason(&run, "Alpha Office"));
            assert_eq!(numbers(&syncing, ALPHA), [], "{fault:?}");
        }
    }

    async fn a_conflict_or_a_lost_answer_makes_no_second_variable(world: World) {
        let syncing = sites(world).await;
        for uid in [ALPHA, BRAVO] {
            set(&syncing, uid, vec![]);
        }
        syncing.vendor.fault(Fault::Status(409).on(&format!("/site/{ALPHA}")).method("PUT").times(1));
        syncing.vendor.fault(Fault::Dropped.on(&format!("/site/{BRAVO}")).method("PUT").times(1));
        let run = push(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written; 2]), "{run:?}");
        for uid in [ALPHA, BRAVO] {
            assert_eq!(numbers(&syncing, uid).len(), 1);
        }
        assert_eq!(writes(syncing.vendor.calls()).len(), 3);
    }

    async fn a_site_that_changes_between_plan_and_write_is_judged_anew(world: World) {
        let syncing = sites(world).await;
        set(&syncing, ALPHA, vec![]);
        set(&syncing, BRAVO, vec![variable(20, "7")]);
        // The first look is the plan's.
        syncing.vendor.fault(Fault::DuplicateVariables.on(&format!("/site/{BRAVO}/variables")).after(1));
        let run = push(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Applied, vec![Written, Skipped]), "{run:?}");
        assert!(reason(&run, "Bravo Office").contains("several"), "{}", reason(&run, "Bravo Office"));
        assert_eq!(writes(syncing.vendor.calls()).len(), 1);
    }

    async fn a_key_that_may_not_read_or_write_is_told_and_nothing_is_hammered(world: World) {
        let syncing = sites(world).await;
        for uid in [ALPHA, BRAVO] {
            set(&syncing, uid, vec![]);
        }
        syncing.vendor.fault(Fault::Status(403).on(&format!("/site/{CHARLIE}/variables")));
        let run = push(&syncing).await;
        assert_eq!((run.state, run.outcomes.len()), (RunState::Failed, 0), "{run:?}");
        assert!(run.message.as_ref().unwrap().ends_with("Nothing was written"), "{:?}", run.message);
        syncing.vendor.clear_faults();
        syncing.vendor.fault(Fault::Status(403).on("/site").method("PUT"));
        let run = push(&syncing).await;
        assert_eq!((run.state, states(&run)), (RunState::Failed, vec![Failed; 2]), "{run:?}");
        assert!(reason(&run, "Bravo Office").contains("security level"), "{}", reason(&run, "Bravo Office"));
        assert_eq!(writes(syncing.vendor.calls()).len(), 1);
    }
}
