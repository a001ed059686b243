//! Whatever Freshservice answers, the directory loses nothing.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use jiff::SignedDuration;
use nexus_core::sync::RunState;
use nexus_simulators::{Fault, Freshservice, Pick, Rule, Size};
use nexus_test_databases::both;
use nexus_tests::{Nexus, Syncing, check};

const SIZE: Size = Size { companies: 12, contacts: 230, devices: 0 };

/// Of twelve departments one has no account number.
const COMPANIES: usize = 11;

/// Every way in which a list of the second page or of people can fail, and how the run must end.
fn faults() -> Vec<(&'static str, Rule, &'static [RunState])> {
    use RunState::{Applied, Failed, Partial};
    let people = |fault: Fault| fault.on("/requesters").page(2);
    vec![
        ("500 on a page", people(Fault::Status(500)), &[Partial]),
        ("403 in mid-sweep", people(Fault::Status(403)), &[Failed]),
        ("401 in mid-sweep", people(Fault::Status(401)), &[Failed]),
        ("404 on a list", Fault::Status(404).on_exactly("/requesters"), &[Partial]),
        ("404 on the first list", Fault::Status(404).on_exactly("/departments"), &[Failed]),
        ("no JSON", people(Fault::NotJson), &[Partial]),
        ("a broken connection", people(Fault::Dropped), &[Partial]),
        ("a missing key", people(Fault::MissingKey("requesters".into())), &[Partial]),
        ("a next link to another host", Fault::NextLinkTo("http://127.0.0.9:1".into()).on("/requesters"), &[Partial]),
        ("a repeating next link", Fault::RepeatingNextLink.on("/requesters"), &[Partial]),
        ("a record that is no record", people(Fault::Garbage(Pick::Nth(3))), &[Partial]),
        ("a record of wrong types", people(Fault::WrongTypes(Pick::Nth(3))), &[Partial]),
        ("a record of nulls", people(Fault::NullFields(Pick::Nth(3))), &[Applied, Partial]),
        ("null custom fields", Fault::NullField("custom_fields".into(), Pick::Every).on("/departments"), &[Applied]),
        ("null departments", people(Fault::NullField("department_ids".into(), Pick::Every)), &[Applied]),
        ("a duplicate over two pages", people(Fault::DuplicateRecord), &[Applied]),
        ("unknown keys", Fault::UnknownKeys.on("/requesters"), &[Applied]),
        ("text ids", Fault::TextIds.on("/requesters"), &[Applied]),
        ("an empty page with a next link", Fault::EmptyPage.on("/requesters").page(2), &[Applied, Partial]),
        ("a short page with a next link", people(Fault::ShortPage(3)), &[Applied, Partial]),
        ("a list that ends too soon", Fault::NoNextLink.on("/requesters").page(1), &[Applied, Partial]),
        ("an empty list", Fault::EmptyPage.on("/departments"), &[Applied, Partial]),
    ]
}

both! {
    async fn no_fault_of_a_later_run_loses_or_overwrites_a_record(world: World) {
        let vendor = Freshservice::start(SIZE, 3).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        assert_eq!(syncing.run().await.state, RunState::Applied);
        let before = syncing.directory().await;
        assert_eq!(before.len(), COMPANIES + 230);
        for (name, rule, states) in faults() {
            syncing.vendor.fault(rule);
            let run = syncing.run().await;
            syncing.vendor.clear_faults();
            check(name, &run, states, &before, &syncing.directory().await);
        }
        // Well again, nothing is left to do.
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Applied, "{run:?}");
        assert_eq!(syncing.directory().await.len(), before.len());
    }

    async fn a_read_that_fails_for_weeks_never_makes_a_record_missing(world: World) {
        let vendor = Freshservice::start(SIZE, 3).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        syncing.run().await;
        let before = syncing.directory().await;
        syncing.vendor.fault(Fault::Garbage(Pick::Nth(0)).on("/requesters").page(1));
        syncing.vendor.edit(|state| state.requesters.truncate(150));
        for _ in 0..4 {
            syncing.nexus.world.clock.advance(SignedDuration::from_hours(5 * 24));
            let run = syncing.run().await;
            check("garbage", &run, &[RunState::Partial], &before, &syncing.directory().await);
            assert_eq!(run.quarantined.len(), 1);
        }
    }

    async fn a_first_run_that_fails_brings_what_it_read_and_the_next_one_the_rest(world: World) {
        let vendor = Freshservice::start(SIZE, 3).await.unwrap();
        let syncing = Syncing::new(Nexus::serve(world).await, vendor).await;
        syncing.vendor.fault(Fault::MissingKey("requesters".into()).on("/requesters").page(2));
        let run = syncing.run().await;
        assert_eq!(run.state, RunState::Partial, "{run:?}");
        assert_eq!(syncing.directory().await.len(), COMPANIES + 100);
        syncing.vendor.clear_faults();
        assert_eq!(syncing.run().await.state, RunState::Applied);
        assert_eq!(syncing.directory().await.len(), COMPANIES + 230);
    }
}
