//! The job between a Freshservice and a Nexus, both real HTTP servers on this machine.

#![expect(clippy::expect_used, reason = "a test server or client that cannot be set up fails the test")]

mod configuring;
mod mapping;
mod nexus;
mod sweeping;
mod vendor;

use std::time::Duration;

use nexus_core::sync::{Complete, Run};
use nexus_jobs::freshservice::Access;
use nexus_jobs::{Deadline, Event, Silent};
use nexus_vendors::{BaseUrl, TransportConfig};
use secrecy::SecretString;
use sync_freshservice::SyncFreshservice;

use crate::nexus::Nexus;

/// The job on the account at that address, with waits that a test does not notice.
fn job(address: &str, key: &str) -> SyncFreshservice {
    let transport = TransportConfig { backoff: Duration::from_millis(1), ..TransportConfig::default() };
    let address = BaseUrl::parse(address).expect("an address");
    SyncFreshservice::new(Access::new(address, SecretString::from(key), transport).expect("a key"))
}

async fn run(job: &SyncFreshservice, nexus: &Nexus) -> Run {
    let ended = nexus_jobs::run(job, &nexus.client(), &Event::schedule(), Deadline::none(), &Silent).await;
    ended.expect("a run that was completed")
}

/// Of each list: name, complete, records.
fn scopes(report: &Complete) -> Vec<(&str, bool, u64)> {
    // Locations come and go with the companies (see `sweeping::each_company_has_its_main_office`).
    let scopes = report.scopes.iter().filter(|scope| scope.name != "locations");
    scopes.map(|scope| (&scope.name[..], scope.complete, scope.records)).collect()
}
