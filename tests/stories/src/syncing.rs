//! Running the syncs of a story: the real job, over HTTP on both sides.

use std::collections::BTreeMap;
use std::time::Duration;

use nexus_client::{Account, Client, Options};
use nexus_core::Entity;
use nexus_core::sync::{Run, RunState};
use nexus_db::records::{self, Record};
use nexus_jobs::{Deadline, Event, Job, JobError, Silent, datto, freshservice};
use nexus_simulators::{Datto, Freshservice};

use nexus_vendors::TransportConfig;
use sync_datto::SyncDatto;
use sync_freshservice::SyncFreshservice;

use crate::{Nexus, PASSWORD};

/// A simulated vendor, and the job that reads it.
pub trait Source {
    /// The job's name.
    const JOB: &'static str;

    /// The job that reads it.
    fn job(&self) -> impl Job;
}

impl Source for Freshservice {
    const JOB: &'static str = sync_freshservice::NAME;

    fn job(&self) -> impl Job {
        SyncFreshservice::new(freshservice_access(self))
    }
}

impl Source for Datto {
    const JOB: &'static str = sync_datto::NAME;

    fn job(&self) -> impl Job {
        SyncDatto::new(datto_access(self))
    }
}

/// The way of a job to this Freshservice, without a pace and with little patience.
#[must_use]
pub fn freshservice_access(vendor: &Freshservice) -> freshservice::Access {
    let key = vendor.api_key().to_owned().into();
    freshservice::Access::new(vendor.base_url().parse().unwrap(), key, transport()).unwrap()
}

/// The way of a job to this Datto RMM, likewise.
#[must_use]
pub fn datto_access(vendor: &Datto) -> datto::Access {
    let (key, secret) = (vendor.api_key().to_owned().into(), vendor.api_secret().to_owned().into());
    datto::Access::new(vendor.base_url().parse().unwrap(), key, secret, transport()).unwrap()
}

fn transport() -> TransportConfig {
    TransportConfig { backoff: Duration::from_millis(2), ..TransportConfig::default() }
}

/// A Nexus, a vendor and the job between them.
pub struct Syncing<V = Freshservice> {
    /// The directory.
    pub nexus: Nexus,
    /// The source.
    pub vendor: V,
    client: Client,
}

impl<V: Source> Syncing<V> {
    /// Connects a served Nexus with a vendor.
    pub async fn new(nexus: Nexus, vendor: V) -> Self {
        nexus.account("jobs", "technician", &[]).await;
        let account = Account { username: "jobs".into(), password: PASSWORD.to_owned().into() };
        let options = Options { clock: nexus.world.clock.clone(), ..Options::default() };
        let client = Client::new(&nexus.url, account, &options).unwrap();
        Self { nexus, vendor, client }
    }

    /// The same Nexus, from now on with another vendor.
    #[must_use]
    pub fn then<W: Source>(self, vendor: W) -> Syncing<W> {
        Syncing { nexus: self.nexus, vendor, client: self.client }
    }

    /// Runs the job once.
    pub async fn run(&self) -> Run {
        self.try_run().await.unwrap()
    }

    /// Runs the job once, or says why it could not begin.
    pub async fn try_run(&self) -> Result<Run, JobError> {
        self.run_for(&Event::manual(V::JOB)).await
    }

    /// Runs the job as an event asks.
    pub async fn run_for(&self, event: &Event) -> Result<Run, JobError> {
        self.run_job(&self.vendor.job(), event).await
    }

    /// Runs the job as an event asks, so near the end of its time that it pauses as soon as it may.
    pub async fn run_a_little(&self, event: &Event) -> Run {
        nexus_jobs::run(&self.vendor.job(), &self.client, event, Deadline::near(), &Silent).await.unwrap()
    }

    /// Runs another job as an event asks.
    pub async fn run_job(&self, job: &impl Job, event: &Event) -> Result<Run, JobError> {
        nexus_jobs::run(job, &self.client, event, Deadline::none(), &Silent).await
    }

    /// Every live record that a sync brings.
    pub async fn directory(&self) -> Directory {
        let mut all = Directory::new();
        for entity in [Entity::Company, Entity::Contact, Entity::Asset] {
            for (id, record) in records::dump(self.nexus.db(), entity).await.unwrap() {
                all.insert((entity, id), record);
            }
        }
        all
    }

    /// The client of the job's account.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// Records by kind and id.
pub type Directory = BTreeMap<(Entity, i64), Record>;

/// A run ended as it may, told why, and neither lost nor overwrote what was there.
pub fn check(name: &str, run: &Run, states: &[RunState], before: &Directory, after: &Directory) {
    assert!(states.contains(&run.state), "{name}: {:?} {:?}", run.state, run.message);
    assert!(run.message.as_ref().is_some_and(|message| !message.is_empty()), "{name} tells nothing");
    for (key, record) in before {
        let now = after.get(key).unwrap_or_else(|| panic!("{name}: {key:?} was lost"));
        assert_eq!(now.fields, record.fields, "{name}: {key:?} was overwritten");
    }
}
