//! Running the syncs of a story: the real job, over HTTP on both sides.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use nexus_client::{Account, Client, Options};
use nexus_core::Entity;
use nexus_core::sync::{Run, RunState};
use nexus_db::Dialect;
use nexus_db::records::{self, Record};
use nexus_jobs::{Deadline, Event, Job, JobError, Silent, datto, freshservice};
use nexus_simulators::{Datto, Freshservice, Rule};
use nexus_test_databases::{World, on};
use nexus_vendors::TransportConfig;
use serde_json::{Map, Value};
use sync_datto::SyncDatto;
use sync_freshservice::SyncFreshservice;

use crate::{Nexus, PASSWORD};

/// A simulated vendor, and the job that reads it.
pub trait Source {
    /// The job's name.
    const JOB: &'static str;

    /// The job that reads it.
    fn job(&self) -> impl Job;

    /// Switches faults on.
    fn misbehave(&self, rules: &[Rule]);

    /// Switches all faults off.
    fn behave(&self);
}

impl Source for Freshservice {
    const JOB: &'static str = sync_freshservice::NAME;

    fn job(&self) -> impl Job {
        SyncFreshservice::new(freshservice_access(self))
    }

    fn misbehave(&self, rules: &[Rule]) {
        for rule in rules {
            self.fault(rule.clone());
        }
    }

    fn behave(&self) {
        self.clear_faults();
    }
}

impl Source for Datto {
    const JOB: &'static str = sync_datto::NAME;

    fn job(&self) -> impl Job {
        SyncDatto::new(datto_access(self))
    }

    fn misbehave(&self, rules: &[Rule]) {
        for rule in rules {
            self.fault(rule.clone());
        }
    }

    fn behave(&self) {
        self.clear_faults();
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
        Self::trusting(nexus, vendor, None).await
    }

    /// Connects a Nexus that is served over HTTPS with a vendor; `root` is its authority's certificate, PEM.
    pub async fn trusting(nexus: Nexus, vendor: V, root: Option<String>) -> Self {
        nexus.account("jobs", "technician", &[]).await;
        let account = Account { username: "jobs".into(), password: PASSWORD.to_owned().into() };
        let root = root.map(String::into_bytes);
        let options = Options { clock: nexus.world.clock.clone(), root, ..Options::default() };
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
        for entity in [Entity::Company, Entity::Location, Entity::Contact, Entity::Asset] {
            for (id, record) in records::dump(self.nexus.db(), entity).await.unwrap() {
                all.insert((entity, id), record);
            }
        }
        all
    }

    /// See [`content`].
    pub async fn content(&self) -> Vec<String> {
        content(&self.client).await
    }

    /// The client of the job's account.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// Records by kind and id.
pub type Directory = BTreeMap<(Entity, i64), Record>;

/// What the API tells of the directory, without ids, versions and times, which depend on the way there; sorted.
pub async fn content(client: &Client) -> Vec<String> {
    let mut content = Vec::new();
    let mut lists = vec!["/api/companies".to_owned(), "/api/contacts".to_owned(), "/api/assets".to_owned()];
    while let Some(list) = lists.pop() {
        for mut record in client.get::<Vec<Map<String, Value>>>(&list).await.unwrap() {
            if list == "/api/companies" {
                lists.push(format!("{list}/{}/locations", record["account_number"].as_str().unwrap()));
            }
            record.retain(|name, _| !["id", "version", "created_at", "updated_at"].contains(&name.as_str()));
            content.push(format!("{list} {}", Value::Object(record)));
        }
    }
    content.sort_unstable();
    content
}

/// How a vendor misbehaves, and how a run that meets it ends.
pub struct Trouble {
    /// For the message of a test.
    pub name: &'static str,
    /// What goes wrong.
    pub rules: Vec<Rule>,
    /// The end of a first run.
    pub first: End,
    /// The end of a run whose source has not changed since an undisturbed one.
    pub later: End,
}

/// How a run ends: its state, and what its message holds.
pub type End = (RunState, &'static str);

/// Meets each trouble in a first run, on a database of its own: what was there stays, and the next run brings what one brings that
/// nothing disturbed.
pub async fn first_runs_survive<V: Source>(
    dialect: Dialect,
    troubles: &[Trouble],
    start: impl AsyncFn(World) -> Syncing<V>,
) {
    let undisturbed = &Mutex::default();
    on(dialect, async |world| {
        let syncing = start(world).await;
        assert_eq!(syncing.run().await.state, RunState::Applied);
        *undisturbed.lock().unwrap() = syncing.content().await;
    })
    .await;
    for trouble in troubles {
        on(dialect, async |world| {
            let syncing = start(world).await;
            syncing.survives(trouble, trouble.first).await;
            let run = syncing.run().await;
            assert_eq!(run.state, RunState::Applied, "after {}: {run:?}", trouble.name);
            assert_eq!(syncing.content().await, *undisturbed.lock().unwrap(), "after {}", trouble.name);
        })
        .await;
    }
}

impl<V: Source> Syncing<V> {
    /// Meets each trouble in a later run: what was there stays, and in the end nothing is left to do.
    pub async fn later_runs_survive(&self, troubles: &[Trouble]) {
        assert_eq!(self.run().await.state, RunState::Applied);
        let before = self.content().await;
        for trouble in troubles {
            self.survives(trouble, trouble.later).await;
        }
        assert_eq!(self.run().await.state, RunState::Applied);
        assert_eq!(self.content().await, before);
    }

    /// Runs the job while the vendor misbehaves: it ends as it should and tells why, and neither loses nor overwrites what was
    /// there.
    pub async fn survives(&self, trouble: &Trouble, (state, says): End) -> Run {
        let before = self.directory().await;
        self.vendor.misbehave(&trouble.rules);
        let run = self.run().await;
        self.vendor.behave();
        let (name, message) = (trouble.name, run.message.as_deref().unwrap_or_default());
        assert!(run.state == state && message.contains(says), "{name}: {:?} {message}", run.state);
        let after = self.directory().await;
        for (key, record) in before {
            let now = after.get(&key).unwrap_or_else(|| panic!("{name}: {key:?} was lost"));
            assert_eq!(now.fields, record.fields, "{name}: {key:?} was overwritten");
        }
        run
    }
}
