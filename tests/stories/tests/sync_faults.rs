//! Whatever Freshservice answers, the directory loses nothing.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::time::Duration;

use RunState::{Applied, Failed, Partial};
use jiff::SignedDuration;
use nexus_core::Entity;
use nexus_core::sync::RunState;
use nexus_db::Dialect;
use nexus_simulators::{DateForm, Fault, Freshservice, Pick, RetryAfter, Rule, Size};
use nexus_test_databases::{World, both, each};
use nexus_tests::{Nexus, Syncing, Trouble, first_runs_survive};
use serde_json::json;

/// Two pages of people. Of twelve departments one has no account number.
const SIZE: Size = Size { companies: 12, contacts: 130, devices: 0 };

const NONE: &str = "Nothing to change.";
const ALL: &str = "11 companies created, 11 locations created, 130 contacts created.";
const SHORT: &str = "; contacts were not read completely, so none of them can be missing.";

/// Of the list of people not all was read.
fn short(name: &'static str, rule: impl Into<Rule>) -> Trouble {
    Trouble { name, rules: vec![rule.into()], first: (Partial, SHORT), later: (Partial, SHORT) }
}

/// Nothing is lost by it but what a first run does not get to see.
fn harmless(name: &'static str, rule: impl Into<Rule>, first: &'static str) -> Trouble {
    Trouble { name, rules: vec![rule.into()], first: (Applied, first), later: (Applied, NONE) }
}

fn fatal(name: &'static str, rule: impl Into<Rule>, says: &'static str) -> Trouble {
    Trouble { name, rules: vec![rule.into()], first: (Failed, says), later: (Failed, says) }
}

/// Every way in which a list can fail.
fn troubles() -> Vec<Trouble> {
    let people = |fault: Fault| fault.on("/requesters").page(2);
    let first = |fault: Fault| fault.on("/requesters").page(1);
    let departments = |fault: Fault| fault.on_exactly("/departments");
    vec![
        harmless("a slow page", people(Fault::Slow(Duration::from_millis(80))), ALL),
        harmless("429 with Retry-After", people(Fault::RateLimited(RetryAfter::Seconds(1))).times(1), ALL),
        harmless("500 once", people(Fault::Status(500)).times(1), ALL),
        short("500 on a page", people(Fault::Status(500))),
        fatal("500 on the first list", departments(Fault::Status(500)), "could not be read (departments)"),
        fatal("403 in mid-sweep", people(Fault::Status(403)), "does not let the API key list requesters"),
        fatal("401 in mid-sweep", people(Fault::Status(401)), "check [freshservice] api_key"),
        short("404 on a list", Fault::Status(404).on_exactly("/requesters")),
        fatal("404 on the first list", departments(Fault::Status(404)), "could not be read (departments)"),
        harmless("404 on workspaces", Fault::Status(404).on("/workspaces"), ALL),
        short("no JSON", people(Fault::NotJson)),
        short("a broken connection", people(Fault::Dropped)),
        short("a missing key", people(Fault::MissingKey("requesters".into()))),
        short("a next link to another host", Fault::NextLinkTo("http://127.0.0.9:1".into()).on("/requesters")),
        short("a repeating next link", Fault::RepeatingNextLink.on("/requesters")),
        short("a record that is no record", people(Fault::Garbage(Pick::Nth(3)))),
        short("a record of wrong types", people(Fault::WrongTypes(Pick::Nth(3)))),
        harmless("a record of nulls", people(Fault::NullFields(Pick::Nth(3))), ALL),
        harmless("nothing but nulls", people(Fault::NullFields(Pick::Every)), ALL),
        harmless(
            "null custom fields",
            departments(Fault::NullField("custom_fields".into(), Pick::Every)),
            "130 contacts created.",
        ),
        harmless("null departments", people(Fault::NullField("department_ids".into(), Pick::Every)), ALL),
        harmless("a duplicate over two pages", people(Fault::DuplicateRecord), ALL),
        harmless("unknown keys", Fault::UnknownKeys, ALL),
        harmless("text ids", Fault::TextIds, ALL),
        harmless("dates as text", Fault::Dates(DateForm::TextWithOffset), ALL),
        harmless("dates as numbers", Fault::Dates(DateForm::Milliseconds), ALL),
        harmless("an empty page with a next link", first(Fault::EmptyPage), " 30 contacts created."),
        harmless("a short page with a next link", first(Fault::ShortPage(3)), " 33 contacts created."),
        harmless("a list that ends too soon", first(Fault::NoNextLink), " 100 contacts created."),
        Trouble {
            name: "an empty list",
            rules: vec![departments(Fault::EmptyPage)],
            first: (Applied, "130 contacts created."),
            later: (Partial, "; companies were not read completely"),
        },
    ]
}

/// A Nexus with records that are no business of the source.
async fn start(world: World) -> Syncing {
    let (nexus, vendor) = (Nexus::serve(world).await, Freshservice::start(SIZE, 3).await.unwrap());
    let ours = nexus.company("7", "Ours").await;
    nexus.record(Entity::Contact, &json!({"name": "Grace Hopper", "company_ids": [ours]})).await;
    Syncing::new(nexus, vendor).await
}

async fn first_runs(dialect: Dialect) {
    first_runs_survive(dialect, &troubles(), start).await;
}

each! {
    no_fault_of_a_first_run_loses_or_overwrites_a_record: first_runs;
}

both! {
    async fn no_fault_of_a_later_run_loses_or_overwrites_a_record(world: World) {
        start(world).await.later_runs_survive(&troubles()).await;
    }

    async fn a_read_that_fails_for_weeks_never_makes_a_record_missing(world: World) {
        let syncing = start(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.requesters.truncate(80));
        let garbage = short("garbage", Fault::Garbage(Pick::Nth(0)).on("/requesters").page(1));
        for _ in 0..4 {
            syncing.nexus.world.clock.advance(SignedDuration::from_hours(5 * 24));
            let run = syncing.survives(&garbage, garbage.later).await;
            assert_eq!(run.quarantined.len(), 1);
        }
    }
}
