//! Whole runs, good and bad, over a simulated account.

use std::time::{Duration, Instant};

use nexus_core::Entity;
use nexus_core::sync::RunState;
use nexus_simulators::{Fault, Freshservice, Pick, Size};

use crate::nexus::Nexus;
use crate::{job, run, scopes};

const SMALL: Size = Size { companies: 120, contacts: 350, devices: 0 };

struct World {
    vendor: Freshservice,
    nexus: Nexus,
}

impl World {
    async fn of(size: Size) -> Self {
        Self { vendor: Freshservice::start(size, 1).await.expect("a port"), nexus: Nexus::start().await }
    }

    async fn small() -> Self {
        Self::of(SMALL).await
    }

    async fn run(&self) -> nexus_core::sync::Run {
        run(&job(&self.vendor.base_url(), self.vendor.api_key()), &self.nexus).await
    }
}

#[tokio::test]
async fn each_company_has_its_main_office() {
    let world = World::small().await;
    world.run().await;
    let report = world.nexus.report();
    let list = report.scopes.iter().find(|scope| scope.name == "locations").unwrap();
    assert_eq!((list.entity, list.complete, list.records), (Entity::Location, true, 120));
    let departments = world.vendor.edit(|world| world.departments.clone());
    for (office, department) in world.nexus.observations(Entity::Location).iter().zip(&departments) {
        let id = department.id.to_string();
        assert_eq!((&office.external_id, &office.links["company_id"]), (&id, &vec![id.clone()]));
        assert_eq!(office.fields["name"], "Main Office");
        let address = department.custom_fields.get("address").and_then(|address| address.as_str());
        assert_eq!(office.fields["address"].as_str(), address.filter(|address| !address.is_empty()));
    }
}

#[tokio::test]
async fn a_complete_run_hands_every_company_and_person_over() {
    let world = World::small().await;
    assert_eq!(world.run().await.state, RunState::Applied);

    let report = world.nexus.report();
    assert_eq!(scopes(&report), [("companies", true, 120), ("contacts", true, 350)]);
    assert_eq!((report.quarantined.len(), report.error.as_deref()), (0, None));
    // Workspaces, two pages of departments, four of requesters.
    assert_eq!((report.vendor_calls, world.vendor.call_count()), (7, 7));

    let companies = world.nexus.observations(Entity::Company);
    let departments = world.vendor.edit(|world| world.departments.clone());
    for (company, department) in companies.iter().zip(&departments) {
        assert_eq!(company.external_id, department.id.to_string());
        assert_eq!(company.fields["name"], department.name.as_str());
        let number = department.account_number().map(|number| number.to_string());
        assert_eq!(company.fields["account_number"].as_str(), number.as_deref());
    }
    let people = world.vendor.edit(|world| world.requesters.clone());
    let people: Vec<_> = people.iter().filter(|person| !person.is_agent).collect();
    let contacts = world.nexus.observations(Entity::Contact);
    assert_eq!(contacts.len(), people.len());
    for (contact, person) in contacts.iter().zip(people) {
        let departments: Vec<String> = person.department_ids.iter().flatten().map(i64::to_string).collect();
        assert_eq!((&contact.external_id, &contact.links["company_ids"]), (&person.id.to_string(), &departments));
        assert_eq!(contact.fields["active"], person.active);
    }
    assert_eq!(world.nexus.steps(), ["Kind of account", "Companies", "Contacts", "Comparing with the directory"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_ordinary_size_is_read_in_a_moment() {
    let world = World::of(Size { companies: 200, contacts: 5_000, devices: 0 }).await;
    let start = Instant::now();
    assert_eq!(world.run().await.state, RunState::Applied);
    let took = start.elapsed();
    assert_eq!(scopes(&world.nexus.report()), [("companies", true, 200), ("contacts", true, 5_000)]);
    println!("200 companies and 5,000 contacts in {took:?}");
    // The aim is well under 1.5 s; the rest is for a machine that is busy with other tests.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn an_account_with_nobody_in_it_is_complete() {
    let world = World::of(Size { companies: 0, contacts: 0, devices: 0 }).await;
    assert_eq!(world.run().await.state, RunState::Applied);
    assert_eq!(scopes(&world.nexus.report()), [("companies", true, 0), ("contacts", true, 0)]);
}

#[tokio::test]
async fn people_whose_list_breaks_off_are_kept_and_their_list_is_not_complete() {
    for fault in [Fault::Status(500), Fault::NotJson, Fault::Dropped, Fault::MissingKey("requesters".into())] {
        let world = World::small().await;
        world.vendor.fault(fault.clone().on("/requesters").page(3));
        assert_eq!(world.run().await.state, RunState::Partial, "{fault:?}");
        let report = world.nexus.report();
        assert_eq!(scopes(&report), [("companies", true, 120), ("contacts", false, 200)], "{fault:?}");
        let told = report.scopes[2].error.as_deref().unwrap();
        assert!(told.starts_with("Page 3 of requesters could not be read: "), "{told}");
        assert_eq!(world.nexus.observations(Entity::Contact).len(), 200);
    }
}

#[tokio::test]
async fn companies_whose_list_breaks_off_are_kept_and_people_are_not_asked_for() {
    let world = World::small().await;
    world.vendor.fault(Fault::Status(500).on("/departments").page(2));
    assert_eq!(world.run().await.state, RunState::Partial);
    let report = world.nexus.report();
    assert_eq!(scopes(&report), [("companies", false, 100), ("contacts", false, 0)]);
    let told = report.scopes[2].error.as_deref().unwrap();
    assert!(told.starts_with("Not read, because the list of companies broke off"), "{told}");
    assert_eq!(world.vendor.calls_to("/requesters"), 0);
    assert_eq!(report.vendor_calls, u64::try_from(world.vendor.call_count()).unwrap(), "tries count");
}

#[tokio::test]
async fn a_run_that_read_nothing_fails() {
    for path in ["/workspaces", "/departments"] {
        let world = World::small().await;
        world.vendor.fault(Fault::Status(502).on(path));
        let ended = world.run().await;
        assert_eq!(ended.state, RunState::Failed, "{path}");
        let message = ended.message.unwrap();
        assert!(message.starts_with("Freshservice could not be read") && message.contains(&path[1..]), "{message}");
        assert!(world.nexus.report().scopes.iter().all(|scope| !scope.complete));
        assert_eq!(world.nexus.told().observations.len(), 0);
    }
}

#[tokio::test]
async fn a_list_that_is_not_there_is_no_empty_list() {
    let world = World::small().await;
    world.vendor.fault(Fault::Status(404).on("/departments"));
    assert_eq!(world.run().await.state, RunState::Failed);
}

#[tokio::test]
async fn an_account_from_before_there_were_workspaces_is_read() {
    let world = World::small().await;
    world.vendor.fault(Fault::Status(404).on("/workspaces"));
    assert_eq!(world.run().await.state, RunState::Applied);
}

#[tokio::test]
async fn a_passing_failure_is_not_noticed() {
    let world = World::small().await;
    for path in ["/workspaces", "/departments", "/requesters"] {
        world.vendor.fault(Fault::Status(503).on(path).times(2));
        world.vendor.fault(Fault::Dropped.on(path).after(1).times(1));
    }
    assert_eq!(world.run().await.state, RunState::Applied);
    assert_eq!(scopes(&world.nexus.report()), [("companies", true, 120), ("contacts", true, 350)]);
}

#[tokio::test]
async fn a_key_that_is_refused_fails_the_run_and_says_what_to_check() {
    for (path, page) in [("/workspaces", 1), ("/departments", 2), ("/requesters", 1), ("/requesters", 3)] {
        let world = World::small().await;
        world.vendor.fault(Fault::Status(401).on(path).page(page));
        let ended = world.run().await;
        assert_eq!(ended.state, RunState::Failed, "{path}");
        let message = ended.message.unwrap();
        assert!(message.contains("[freshservice] api_key"), "{message}");
        assert!(!message.contains(world.vendor.api_key()), "{message}");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_fails_the_run_and_names_the_list() {
    for (list, page) in [("workspaces", 1), ("departments", 1), ("requesters", 2)] {
        let world = World::small().await;
        world.vendor.fault(Fault::Status(403).on(&format!("/{list}")).page(page));
        let ended = world.run().await;
        assert_eq!(ended.state, RunState::Failed, "{list}");
        let message = ended.message.unwrap();
        assert!(message.contains(list) && message.contains("rights of the agent"), "{message}");
        assert!(world.nexus.report().scopes.iter().all(|scope| scope.name != *list || !scope.complete));
    }
}

#[tokio::test]
async fn a_record_that_is_garbage_is_left_out_and_its_list_is_not_complete() {
    let world = World::small().await;
    world.vendor.fault(Fault::Garbage(Pick::Nth(4)).on("/requesters").page(2));
    let broken = world.vendor.edit(|world| world.departments[7].id);
    world.vendor.fault(Fault::WrongTypes(broken.into()).on("/departments"));
    assert_eq!(world.run().await.state, RunState::Partial);
    let report = world.nexus.report();
    assert_eq!(scopes(&report), [("companies", false, 119), ("contacts", false, 349)]);
    assert_eq!(report.scopes[0].error.as_deref(), Some("1 record could not be understood"));
    assert_eq!(report.quarantined[0].entity, Entity::Company);
    assert_eq!(report.quarantined[0].external_id, Some(broken.to_string()));
    assert_eq!(report.quarantined[1].external_id, None);
}

#[tokio::test]
async fn every_form_that_the_vendor_is_known_to_send_is_read() {
    for fault in [
        Fault::NullField("department_ids".into(), Pick::Every),
        Fault::NullField("custom_fields".into(), Pick::Every),
        Fault::NullFields(Pick::Every),
        Fault::TextIds,
        Fault::UnknownKeys,
        Fault::EmptyPage,
    ] {
        let world = World::small().await;
        world.vendor.fault(fault.clone().on("/departments"));
        world.vendor.fault(fault.clone().on("/requesters"));
        assert_eq!(world.run().await.state, RunState::Applied, "{fault:?}");
        if matches!(fault, Fault::TextIds) {
            let contacts = world.nexus.observations(Entity::Contact);
            let links = contacts.iter().flat_map(|contact| &contact.links["company_ids"]);
            assert!(links.clone().count() > 300 && links.into_iter().all(|id| id.parse::<i64>().is_ok()));
            assert!(world.nexus.observations(Entity::Company)[0].fields["freshservice_id"].is_i64());
        }
    }
}

#[tokio::test]
async fn a_next_link_that_leads_back_ends_the_list_as_incomplete() {
    let world = World::small().await;
    world.vendor.fault(Fault::RepeatingNextLink.on("/requesters").page(2));
    assert_eq!(world.run().await.state, RunState::Partial);
    let report = world.nexus.report();
    assert!(!report.scopes[2].complete);
    assert_eq!(world.vendor.calls_to("/requesters"), 2);
}

#[tokio::test]
async fn a_next_link_to_another_host_is_not_followed() {
    let (world, elsewhere) = (World::small().await, World::small().await);
    world.vendor.fault(Fault::NextLinkTo(elsewhere.vendor.base_url()).on("/departments"));
    assert_eq!(world.run().await.state, RunState::Failed);
    assert_eq!(elsewhere.vendor.call_count(), 0);
}

#[tokio::test]
async fn a_record_on_two_pages_is_taken_once_and_told() {
    let world = World::small().await;
    world.vendor.fault(Fault::DuplicateRecord.on("/requesters"));
    assert_eq!(world.run().await.state, RunState::Applied);
    assert_eq!(scopes(&world.nexus.report())[1], ("contacts", true, 350));
    let ids: Vec<String> = world.nexus.observations(Entity::Contact).into_iter().map(|it| it.external_id).collect();
    let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), distinct.len()), (350, 350));
    let told = "Read all contacts; 3 came more than once, of which the first was kept";
    assert!(world.nexus.steps().iter().any(|step| step == told), "{:?}", world.nexus.steps());
}

#[tokio::test]
async fn an_account_of_client_workspaces_is_refused_before_anything_is_read() {
    let world = World::small().await;
    world.vendor.edit(nexus_simulators::FreshserviceState::become_for_msps);
    let ended = world.run().await;
    assert_eq!(ended.state, RunState::Failed);
    let message = ended.message.unwrap();
    assert!(message.contains("Freshservice for MSPs") && message.contains("Nothing was changed"), "{message}");
    assert_eq!(world.vendor.calls_to("/departments") + world.vendor.calls_to("/requesters"), 0);
    assert_eq!(scopes(&world.nexus.report()), []);
}
