//! Whatever Datto answers, the directory loses nothing.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::time::Duration;

use RunState::{Applied, Failed, Partial};
use jiff::SignedDuration;
use nexus_core::sync::RunState;
use nexus_db::Dialect;
use nexus_simulators::{DateForm, Datto, Fault, Pick, RetryAfter, Rule, Site, Size, UdfForm, Variable};
use nexus_test_databases::{World, both, each};
use nexus_tests::{Nexus, Syncing, Trouble, first_runs_survive};

/// Two pages of devices. Of eight sites one has no account number.
const SIZE: Size = Size { companies: 8, contacts: 0, devices: 300 };

const NONE: &str = "Nothing to change.";
const ALL: &str = "300 assets created.";

/// Nothing is lost by it: the sites are read on their own where that is needed.
fn harmless(name: &'static str, rule: impl Into<Rule>) -> Trouble {
    Trouble { name, rules: vec![rule.into()], first: (Applied, ALL), later: (Applied, NONE) }
}

/// What was not read is told, by these words.
fn short(name: &'static str, rules: Vec<Rule>, says: &'static str) -> Trouble {
    Trouble { name, rules, first: (Partial, says), later: (Partial, says) }
}

fn fatal(name: &'static str, rule: impl Into<Rule>, says: &'static str) -> Trouble {
    Trouble { name, rules: vec![rule.into()], first: (Failed, says), later: (Failed, says) }
}

/// Every way in which sites, variables or devices can fail. `site` has devices on the second page.
fn troubles(site: &str) -> Vec<Trouble> {
    let devices = |fault: Fault| fault.on_exactly("/account/devices").page(1);
    let first = |fault: Fault| fault.on_exactly("/account/devices").page(0);
    let sites = |fault: Fault| fault.on_exactly("/account/sites");
    vec![
        harmless("a slow page", devices(Fault::Slow(Duration::from_millis(80)))),
        harmless("429 with Retry-After", devices(Fault::RateLimited(RetryAfter::Seconds(1))).times(1)),
        harmless("500 on a page of devices", devices(Fault::Status(500))),
        short(
            "500 on one site",
            vec![first(Fault::NoNextLink), Fault::Status(500).on(&format!("/site/{site}/devices"))],
            "were not read completely, so none of them can be missing.",
        ),
        short("500 on every site", vec![Fault::Status(500).on("/site")], "; sites were not read completely"),
        fatal("500 on the list of sites", sites(Fault::Status(500)), "could not be read (sites)"),
        fatal("403 in mid-sweep", devices(Fault::Status(403)), "does not let the API key read devices"),
        fatal("401 for good", devices(Fault::Status(401)), "check [datto] public_key"),
        harmless("401 once", devices(Fault::Status(401)).times(1)),
        harmless("404 on the list of devices", devices(Fault::Status(404))),
        fatal("404 on the list of sites", sites(Fault::Status(404)), "could not be read (sites)"),
        harmless("no page details", devices(Fault::MissingKey("pageDetails".into()))),
        harmless("no devices", devices(Fault::MissingKey("devices".into()))),
        harmless("no JSON", devices(Fault::NotJson)),
        harmless("a broken connection", devices(Fault::Dropped)),
        harmless("an empty page with a next link", first(Fault::EmptyPage)),
        harmless("a short page with a next link", first(Fault::ShortPage(3))),
        harmless("a list that ends too soon", first(Fault::NoNextLink)),
        harmless("a duplicate over two pages", devices(Fault::DuplicateRecord)),
        harmless("a next link to another host", Fault::NextLinkTo("http://127.0.0.9:1".into()).on("/account/devices")),
        harmless("a repeating next link", Fault::RepeatingNextLink.on("/account/devices")),
        short(
            "records that are no records",
            vec![Fault::Garbage(Pick::Nth(3)).into()],
            "sites were not read completely",
        ),
        harmless("a record of wrong types", Fault::WrongTypes(Pick::Nth(3)).on("/account/devices")),
        harmless("a record of nulls", devices(Fault::NullFields(Pick::Nth(3)))),
        harmless("nothing but nulls in devices", devices(Fault::NullFields(Pick::Every))),
        harmless("nothing but nulls in sites", sites(Fault::NullFields(Pick::Every))),
        fatal("a token of null", Fault::NullFields(Pick::Every).on("/auth"), "$.access_token"),
        harmless("null antivirus", Fault::NullField("antivirus".into(), Pick::Every).on("/account/devices")),
        harmless("no udf", Fault::Udf(UdfForm::Absent)),
        harmless("udf null", Fault::Udf(UdfForm::Null)),
        harmless("udf of 30", Fault::Udf(UdfForm::Thirty)),
        harmless("udf of 300", Fault::Udf(UdfForm::ThreeHundred)),
        harmless("udfs", Fault::Udf(UdfForm::List)),
        harmless("dates as text", Fault::Dates(DateForm::TextWithOffset)),
        harmless("dates in seconds", Fault::Dates(DateForm::Seconds)),
        harmless("dates of the year one", Fault::Dates(DateForm::Sentinel)),
        harmless("unknown keys", Fault::UnknownKeys),
        harmless("text ids", Fault::TextIds),
        harmless("two variables of one name", Fault::DuplicateVariables),
        harmless("masked variables", Fault::MaskedVariables),
        Trouble {
            name: "an empty list of sites",
            rules: vec![sites(Fault::EmptyPage)],
            first: (Applied, NONE),
            later: (Partial, "; sites were not read completely"),
        },
        Trouble {
            name: "an empty list of devices",
            rules: vec![Fault::EmptyPage.on_exactly("/account/devices"), Fault::EmptyPage.on("/site")],
            first: (Applied, NONE),
            later: (Partial, "8 lists were not read completely"),
        },
    ]
}

async fn vendor() -> Datto {
    Datto::start(SIZE, 3).await.unwrap()
}

/// The site of the last device.
fn last_site(vendor: &Datto) -> String {
    vendor.edit(|state| state.devices.last().unwrap().site_uid.clone().unwrap().into_owned())
}

/// A Nexus with the companies of the sites.
async fn start(world: World) -> Syncing<Datto> {
    let (nexus, vendor) = (Nexus::serve(world).await, vendor().await);
    let is_number = |variable: &&Variable| variable.name.as_deref() == Some("AccountNumber");
    let number = |site: &Site| site.variables.iter().find(is_number)?.value.clone();
    for number in vendor.edit(|state| state.sites.iter().filter_map(number).collect::<Vec<String>>()) {
        nexus.company(&number, "A company").await;
    }
    Syncing::new(nexus, vendor).await
}

async fn first_runs(dialect: Dialect) {
    first_runs_survive(dialect, &troubles(&last_site(&vendor().await)), start).await;
}

each! {
    no_fault_of_a_first_run_loses_or_overwrites_a_record: first_runs;
}

both! {
    async fn no_fault_of_a_later_run_loses_or_overwrites_a_device(world: World) {
        let syncing = start(world).await;
        syncing.later_runs_survive(&troubles(&last_site(&syncing.vendor))).await;
    }

    async fn a_read_that_fails_for_weeks_never_makes_a_device_missing(world: World) {
        let syncing = start(world).await;
        syncing.run().await;
        syncing.vendor.edit(|state| state.devices.truncate(100));
        let down = vec![Fault::Status(500).on_exactly("/account/devices"), Fault::Status(500).on("/site")];
        let down = short("500", down, "9 lists were not read completely, so nothing in them can be missing.");
        for _ in 0..3 {
            syncing.nexus.world.clock.advance(SignedDuration::from_hours(5 * 24));
            syncing.survives(&down, down.later).await;
        }
    }
}
