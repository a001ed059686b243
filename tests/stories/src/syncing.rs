//! Running the Freshservice sync of a story: the real job, over HTTP on both sides.

use nexus_client::{Account, Client, Options};
use nexus_core::config::Config;
use nexus_core::sync::Run;
use nexus_jobs::{Deadline, Event, JobError, Silent};
use nexus_simulators::Freshservice;

use crate::{Nexus, PASSWORD};

/// A Nexus, a Freshservice and the job between them.
pub struct Syncing {
    /// The directory.
    pub nexus: Nexus,
    /// The source.
    pub vendor: Freshservice,
    client: Client,
    config: Config,
}

impl Syncing {
    /// Connects a served Nexus with a Freshservice.
    pub async fn new(nexus: Nexus, vendor: Freshservice) -> Self {
        nexus.account("jobs", "technician", &[]).await;
        let account = Account { username: "jobs".into(), password: PASSWORD.to_owned().into() };
        let options = Options { clock: nexus.world.clock.clone(), ..Options::default() };
        let client = Client::new(&nexus.url, account, &options).unwrap();
        let text = format!(
            "[freshservice]\napi_key = {}\nbase_url = {}\nrequests_per_minute = 0\n",
            vendor.api_key(),
            vendor.base_url()
        );
        let config = Config::parse(&text, []).unwrap();
        Self { nexus, vendor, client, config }
    }

    /// Runs the job once.
    pub async fn run(&self) -> Run {
        self.try_run().await.unwrap()
    }

    /// Runs the job once, or says why it could not begin.
    pub async fn try_run(&self) -> Result<Run, JobError> {
        self.run_for(&Event::manual(sync_freshservice::NAME)).await
    }

    /// Runs the job as an event asks.
    pub async fn run_for(&self, event: &Event) -> Result<Run, JobError> {
        let job = sync_freshservice::job(&self.config).unwrap();
        nexus_jobs::run(&job, &self.client, event, Deadline::none(), &Silent).await
    }

    /// The client of the job's account.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}
