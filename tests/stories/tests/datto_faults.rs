//! Whatever Datto answers, the directory loses nothing.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use jiff::SignedDuration;
use nexus_core::Entity;
use nexus_core::sync::RunState;
use nexus_simulators::{DateForm, Datto, Fault, Freshservice, Pick, RetryAfter, Rule, Size, UdfForm};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing, check};

const SIZE: Size = Size { companies: 8, contacts: 0, devices: 700 };

/// Every way in which sites, variables or devices can fail, and how the run must end.
fn faults() -> Vec<(&'static str, Vec<Rule>, &'static [RunState])> {
    use RunState::{Applied, Failed, Partial};
    let devices = |fault: Fault| fault.on_exactly("/account/devices").page(1);
    let one = |rule: Rule| vec![rule];
    vec![
        ("500 on a page of devices", one(devices(Fault::Status(500))), &[Applied]),
        ("403 in mid-sweep", one(devices(Fault::Status(403))), &[Failed]),
        ("401 for good", one(devices(Fault::Status(401))), &[Failed]),
        ("401 once", one(devices(Fault::Status(401)).times(1)), &[Applied]),
        ("429 once", one(devices(Fault::RateLimited(RetryAfter::Seconds(0))).times(1)), &[Applied]),
        ("404 on the list of devices", one(devices(Fault::Status(404))), &[Applied]),
        ("404 on the list of sites", one(Fault::Status(404).on_exactly("/account/sites")), &[Failed]),
        ("500 on the list of sites", one(Fault::Status(500).on_exactly("/account/sites")), &[Failed]),
        ("no page details", one(devices(Fault::MissingKey("pageDetails".into()))), &[Applied]),
        ("no devices", one(devices(Fault::MissingKey("devices".into()))), &[Applied]),
        ("no JSON", one(devices(Fault::NotJson)), &[Applied]),
        ("a broken connection", one(devices(Fault::Dropped)), &[Applied]),
        ("an empty page with a next link", one(devices(Fault::EmptyPage)), &[Applied]),
        ("a short page with a next link", one(devices(Fault::ShortPage(3))), &[Applied]),
        ("a list that ends too soon", one(devices(Fault::NoNextLink)), &[Applied]),
        ("a duplicate over two pages", one(devices(Fault::DuplicateRecord)), &[Applied]),
        (
            "a next link to another host",
            one(Fault::NextLinkTo("http://127.0.0.9:1".into()).on("/account/devices")),
            &[Applied],
        ),
        ("a repeating next link", one(Fault::RepeatingNextLink.on("/account/devices")), &[Applied]),
        ("a record that is no record", one(Fault::Garbage(Pick::Nth(3)).into()), &[Applied, Partial, Failed]),
        ("a record of wrong types", one(Fault::WrongTypes(Pick::Nth(3)).on("/account/devices")), &[Applied, Partial]),
        ("a record of nulls", one(devices(Fault::NullFields(Pick::Nth(3)))), &[Applied, Partial]),
        ("null antivirus", one(Fault::NullField("antivirus".into(), Pick::Every).on("/account/devices")), &[Applied]),
        ("no udf", one(Fault::Udf(UdfForm::Absent).into()), &[Applied]),
        ("udf null", one(Fault::Udf(UdfForm::Null).into()), &[Applied]),
        ("udf of 30", one(Fault::Udf(UdfForm::Thirty).into()), &[Applied]),
        ("udfs", one(Fault::Udf(UdfForm::List).into()), &[Applied]),
        ("dates as text", one(Fault::Dates(DateForm::TextWithOffset).into()), &[Applied]),
        ("dates in seconds", one(Fault::Dates(DateForm::Seconds).into()), &[Applied]),
        ("dates of the year one", one(Fault::Dates(DateForm::Sentinel).into()), &[Applied]),
        ("unknown keys", one(Fault::UnknownKeys.into()), &[Applied]),
        ("text ids", one(Fault::TextIds.into()), &[Applied]),
        ("two variables of one name", one(Fault::DuplicateVariables.into()), &[Applied]),
        ("masked variables", one(Fault::MaskedVariables.into()), &[Applied]),
        ("500 on the variables of sites", one(Fault::Status(500).on("/site")), &[Partial]),
        ("an empty list of sites", one(Fault::EmptyPage.on_exactly("/account/sites")), &[Applied, Partial]),
        (
            "an empty list of devices",
            vec![Fault::EmptyPage.on_exactly("/account/devices"), Fault::EmptyPage.on("/site")],
            &[Applied, Partial],
        ),
    ]
}

async fn both_vendors(nexus: Nexus) -> Syncing<Datto> {
    let fresh = Freshservice::start(SIZE, 3).await.unwrap();
    let syncing = Syncing::new(nexus, fresh).await;
    assert_eq!(syncing.run().await.state, RunState::Applied);
    syncing.then(Datto::start(SIZE, 3).await.unwrap())
}

both! {
    async fn no_fault_of_a_later_run_loses_or_overwrites_a_device(world: World) {
        let syncing = both_vendors(Nexus::serve(world).await).await;
        let first = syncing.run().await;
        assert_eq!(first.state, RunState::Applied, "{first:?}");
        let before = syncing.directory().await;
        assert_eq!(before.keys().filter(|(entity, _)| *entity == Entity::Asset).count(), 700);
        for (name, rules, states) in faults() {
            for rule in rules {
                syncing.vendor.fault(rule);
            }
            let run = syncing.run().await;
            syncing.vendor.clear_faults();
            check(name, &run, states, &before, &syncing.directory().await);
        }
        // Well again, nothing is left to do.
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert_eq!(syncing.directory().await.len(), before.len());
    }

    async fn a_read_that_fails_for_weeks_never_makes_a_device_missing(world: World) {
        let syncing = both_vendors(Nexus::serve(world).await).await;
        syncing.run().await;
        let before = syncing.directory().await;
        syncing.vendor.edit(|state| state.devices.truncate(300));
        syncing.vendor.fault(Fault::Status(500).on_exactly("/account/devices"));
        syncing.vendor.fault(Fault::Status(500).on("/site"));
        for _ in 0..3 {
            syncing.nexus.world.clock.advance(SignedDuration::from_hours(5 * 24));
            let run = syncing.run().await;
            check("500", &run, &[RunState::Partial, RunState::Failed], &before, &syncing.directory().await);
        }
    }
}
