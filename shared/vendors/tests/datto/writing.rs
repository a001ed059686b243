//! The variables of sites, written.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use nexus_simulators::{Call, Datto as Vendor, Fault, RetryAfter, Site, Size};
use nexus_vendors::datto::Datto;
use nexus_vendors::{Error, TransportConfig};
use serde_json::{Value, json};

use crate::{client, client_with, config, sweep, tokens};

const UID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const NAME: &str = "AccountNumber";

/// A platform with one site that has no variable.
async fn vendor() -> Vendor {
    let vendor = Vendor::start(Size { companies: 0, contacts: 0, devices: 0 }, 1).await.unwrap();
    vendor.edit(|state| state.sites.insert(0, Site::new(1, UID, "Alpha")));
    vendor
}

fn writes(vendor: &Vendor) -> Vec<Call> {
    vendor.calls().into_iter().filter(|call| call.path.contains("/variable") && call.method != "GET").collect()
}

fn value(vendor: &Vendor) -> Option<String> {
    vendor.edit(|state| state.sites[0].variable(NAME).map(str::to_owned))
}

async fn create(datto: &Datto) -> Result<(), Error> {
    datto.create_variable(UID, NAME, "100001").await
}

#[tokio::test]
async fn a_variable_is_created_for_everybody_to_read_and_changed_by_its_number() {
    let vendor = vendor().await;
    let datto = client(&vendor);
    create(&datto).await.unwrap();
    let [variable] = &datto.variables_of(UID).await.unwrap()[..] else { panic!("not one") };
    assert_eq!((variable.value.as_deref(), variable.masked), (Some("100001"), false));
    datto.update_variable(UID, variable.id, NAME, "000002").await.unwrap();
    assert_eq!(value(&vendor).as_deref(), Some("000002"));
    let sent: Vec<(String, String, Value)> = writes(&vendor)
        .into_iter()
        .map(|call| (call.method, call.path, serde_json::from_str(&call.body).unwrap()))
        .collect();
    let (site, id) = (format!("/api/v2/site/{UID}/variable"), variable.id);
    assert_eq!(
        sent,
        [
            ("PUT".into(), site.clone(), json!({ "name": NAME, "value": "100001", "masked": false })),
            ("POST".into(), format!("{site}/{id}"), json!({ "name": NAME, "value": "000002" })),
        ],
        "text, whatever it looks like"
    );
}

#[tokio::test]
async fn a_write_is_repeated_only_where_it_cannot_have_taken() {
    let vendor = vendor().await;
    let write = |fault: Fault| fault.on("/site").method("PUT").times(2);
    vendor.fault(write(Fault::RateLimited(RetryAfter::Seconds(0))));
    create(&client(&vendor)).await.unwrap();
    assert_eq!((writes(&vendor).len(), vendor.edit(|state| state.sites[0].variables.len())), (3, 1));

    for (fault, took, unclear) in [
        (Fault::Status(500), false, true),
        (Fault::Status(503), false, true),
        (Fault::Status(409), false, true),
        (Fault::Dropped, true, true),
        (Fault::Status(400), false, false),
        (Fault::Status(403), false, false),
    ] {
        vendor.clear_faults();
        vendor.clear_calls();
        vendor.edit(|state| state.sites[0].variables.clear());
        vendor.fault(write(fault.clone()));
        let error = create(&client(&vendor)).await.unwrap_err();
        assert_eq!((writes(&vendor).len(), error.is_unclear()), (1, unclear), "{fault:?}: {error}");
        assert_eq!(value(&vendor).is_some(), took, "{fault:?}");
    }
}

#[tokio::test]
async fn a_write_with_a_token_that_has_ended_is_made_with_a_new_one() {
    let vendor = vendor().await;
    let datto = client(&vendor);
    sweep(datto.sites()).await.unwrap();
    vendor.revoke_tokens();
    create(&datto).await.unwrap();
    assert_eq!((tokens(&vendor), vendor.edit(|state| state.sites[0].variables.len())), (2, 1));
}

#[tokio::test]
async fn writes_keep_to_their_own_budget_and_do_not_slow_reads_down() {
    let vendor = vendor().await;
    let datto = client_with(&vendor, &TransportConfig { requests_per_minute: NonZeroU32::new(60_000), ..config() });
    let begun = Instant::now();
    for _ in 0..5 {
        sweep(datto.sites()).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "at the pace of writes: more than three seconds");
    let begun = Instant::now();
    create(&datto).await.unwrap();
    create(&datto).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(750), "80 a minute: {:?}", begun.elapsed());
    let unpaced = client(&vendor);
    let begun = Instant::now();
    for _ in 0..4 {
        create(&unpaced).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}
