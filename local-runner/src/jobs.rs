//! The jobs of this Nexus, run in this process: started by a person (`job NAME`), by the timer or by the demo.
//!
//! Wherever a job runs, it speaks to Nexus over HTTP as the service account, exactly as it does on Lambda.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use nexus_client::{Account, Client, Options};
use nexus_core::Clock;
use nexus_core::config::Config;
use nexus_core::sync::{Complete, Run};
use nexus_events::{Bus, RUN_REQUESTED};
use nexus_jobs::{Deadline, Event, Job, Reporter, Silent};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::server::Signals;
use crate::serving::Serving;
use crate::{Instance, RunnerError, files, lock};

/// How long `job` waits for a Nexus that is just starting to say where it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The jobs in the order in which they are best run: a company arrives with its number, Datto's sites are tied to companies,
/// and get their numbers from those that they are tied to.
pub const NAMES: [&str; 5] = [
    assign_account_numbers::NAME,
    sync_freshservice::NAME,
    sync_datto::NAME,
    push_account_numbers::NAME,
    publish_changes::NAME,
];

/// Whether the job of that name can run with this configuration.
#[must_use]
pub fn is_configured(name: &str, config: &Config) -> bool {
    match name {
        assign_account_numbers::NAME | sync_freshservice::NAME => config.freshservice.is_configured(),
        sync_datto::NAME | push_account_numbers::NAME => config.datto.is_configured(),
        publish_changes::NAME => true,
        _ => false,
    }
}

/// Runs jobs in this process.
#[derive(Clone, Debug)]
pub struct Jobs {
    config: Config,
    client: Client,
    bus: Bus,
}

impl Jobs {
    /// The jobs of an instance whose Nexus is served at `url`; what they send goes out on the bus.
    pub fn new(instance: &Instance, url: &str, bus: Bus) -> Result<Self, RunnerError> {
        Ok(Self { config: instance.config.clone(), client: client(instance, url)?, bus })
    }

    /// Runs a job to its end.
    pub async fn run(&self, name: &str, event: &Event, reporter: &dyn Reporter) -> Result<Run, RunnerError> {
        let (config, started) = (&self.config, (event, reporter));
        match name {
            assign_account_numbers::NAME => self.run_job(assign_account_numbers::job(config), started).await,
            sync_freshservice::NAME => self.run_job(sync_freshservice::job(config), started).await,
            sync_datto::NAME => self.run_job(sync_datto::job(config), started).await,
            push_account_numbers::NAME => self.run_job(push_account_numbers::job(config), started).await,
            publish_changes::NAME => {
                self.run_job(Ok::<_, Infallible>(publish_changes::job(self.bus.clone())), started).await
            }
            _ => Err(RunnerError::Usage(format!("there is no job {name:?}; there are {}", NAMES.join(", ")))),
        }
    }

    /// Runs a job, if the configuration makes one.
    async fn run_job<E: std::error::Error>(
        &self,
        job: Result<impl Job, E>,
        (event, reporter): (&Event, &dyn Reporter),
    ) -> Result<Run, RunnerError> {
        let job = job.map_err(|error| RunnerError::Usage(error.to_string()))?;
        Ok(nexus_jobs::run(&job, &self.client, event, Deadline::none(), reporter).await?)
    }

    /// Runs the jobs that are asked for, each as soon as it is, for ever. One that cannot run here ends its run with the reason.
    pub async fn serve(&self, mut requests: UnboundedReceiver<Value>) -> Result<(), RunnerError> {
        let mut going = JoinSet::new();
        while let Some(event) = requests.recv().await {
            tracing::debug!(%event, "an event on the bus");
            while going.try_join_next().is_some() {}
            if event["detail-type"] == RUN_REQUESTED {
                let jobs = self.clone();
                going.spawn(async move { jobs.answer(&event).await });
            }
        }
        Ok(())
    }

    async fn answer(&self, event: &Value) {
        let event = match Event::decode(event) {
            Ok(event) => event,
            Err(error) => return tracing::error!(%error, "a run was asked for in words that are not understood"),
        };
        let name = event.job.clone().unwrap_or_default();
        match self.run(&name, &event, &Silent).await {
            Ok(run) => tracing::info!(job = name, run = run.id, state = run.state.as_str(), "a job ran"),
            Err(RunnerError::Usage(reason)) => {
                tracing::warn!(job = name, reason, "a job cannot run");
                let ended = Complete { error: Some(format!("It cannot run here: {reason}")), ..Complete::default() };
                if let Some(run_id) = event.run_id
                    && let Err(error) = self.client.complete_run(run_id, &ended).await
                {
                    tracing::error!(run_id, %error, "the run could not be ended");
                }
            }
            Err(error) => tracing::error!(job = name, %error, "a job could not run"),
        }
    }
}

/// A client of the Nexus of this instance, served at `url`, as the service account.
pub fn client(instance: &Instance, url: &str) -> Result<Client, RunnerError> {
    let auth = &instance.config.nexus_auth;
    let password = auth.password.clone().unwrap_or_default();
    let root = instance.authority().map(|path| files::read(&path)).transpose()?.map(String::into_bytes);
    let options = Options { root, ..Options::default() };
    let account = Account { username: auth.username.clone(), password };
    Client::new(url, account, &options).map_err(|error| RunnerError::Usage(error.to_string()))
}

/// The Nexus that serves an instance: one that was there, or one that was started for the time.
#[derive(Debug)]
pub struct Reached {
    /// Where it is.
    pub url: String,
    own: Option<Serving>,
}

impl Reached {
    /// Finds the Nexus that serves `instance`, or starts one on a free port of this machine.
    pub async fn find(instance: &Instance, clock: &Clock) -> Result<Self, RunnerError> {
        if let Some(url) = lock::served_at(&instance.directory, PATIENCE).await? {
            return Ok(Self { url, own: None });
        }
        let serving = Serving::start(instance, (Ipv4Addr::LOCALHOST, 0).into(), true, clock).await?;
        Ok(Self { url: serving.running.base_url().to_owned(), own: Some(serving) })
    }

    /// Stops what was started for the time.
    pub async fn leave(self, signals: &mut Signals) -> Result<(), RunnerError> {
        match self.own {
            Some(serving) => serving.stop(signals).await,
            None => Ok(()),
        }
    }
}
